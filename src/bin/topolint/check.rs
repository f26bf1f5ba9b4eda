//! `topolint check`.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use topolint::config::{Config, Flag};
use topolint::diagnostic::Diagnostic;
use topolint::lint::{Outcome, Terms, lint};
use topolint::metadata::{Level, built_in_clients};
use topolint::model::{FileError, Files as _, Loader, Project};
use topolint::report::{self, Look};
use topolint::source::SourceMap;

use crate::arguments::{Check, Common, FailOn, Input, Selection};
use crate::files::Folder;
use crate::formats;
use crate::output::{self, Stop};

/// Lints and reports; the exit code.
pub(crate) fn run(check: &Check) -> Result<u8, Stop> {
    let look = output::look(check.common.input.color);
    let (folder, wanted) = wanted(&check.paths, &check.common.input)?;
    let mut loader = Loader::new(&folder);
    let mut config = configuration(&check.common, &folder, &mut loader, look)?;
    select(&mut config, &check.selection, &mut loader, look)?;
    let projects = projects(&mut loader, &folder, &wanted)?;
    let terms = Terms { config: &config, today: check.today.unwrap_or_else(today), clients: built_in_clients() };
    let outcome = lint(&loader, &projects, &terms);
    formats::report(check, &folder, &loader.sources, &outcome, &config, look)?;
    Ok(u8::from(fails(&outcome, check.fail_on)))
}

/// The project around these paths, and the files that each of them means.
pub(crate) fn wanted(paths: &[PathBuf], input: &Input) -> Result<(Folder, Vec<Vec<String>>), Stop> {
    let mut folder = Folder::around(paths, input.max_file_size)?;
    let mut wanted = Vec::new();
    for path in paths {
        wanted.push(if path.as_os_str() == "-" { vec![folder.take_input()?] } else { folder.found(path)? });
    }
    Ok((folder, wanted))
}

/// Takes in what the flags say of rules, or refuses all that is wrong with it.
fn select(config: &mut Config, selection: &Selection, loader: &mut Loader<'_>, look: Look) -> Result<(), Stop> {
    let flags: [(&str, Flag, &Vec<String>); 7] = [
        ("--select", Flag::Select, &selection.select),
        ("--ignore", Flag::Ignore, &selection.ignore),
        ("--error", Flag::Level(Some(Level::Error)), &selection.error),
        ("--warn", Flag::Level(Some(Level::Warn)), &selection.warn),
        ("--info", Flag::Level(Some(Level::Info)), &selection.info),
        ("--off", Flag::Level(None), &selection.off),
        ("--option", Flag::Option, &selection.option),
    ];
    let mut problems = Vec::new();
    for (name, flag, values) in flags {
        for value in values {
            let id = loader.sources.add(name, value.as_str());
            problems.extend(config.flag(flag, &loader.sources, id).err().unwrap_or_default());
        }
    }
    if selection.strict {
        config.unstated = Some(Level::Error);
    }
    config.allows = !selection.no_allow;
    if problems.is_empty() { Ok(()) } else { Err(refused(&loader.sources, &problems, look)) }
}

/// All that is wrong, each at its place.
fn refused(sources: &SourceMap, problems: &[Diagnostic], look: Look) -> Stop {
    let shown: Vec<String> = problems.iter().map(|problem| report::show(sources, problem, look)).collect();
    Stop::Refused(shown.join("\n"))
}

/// The topologies that the wanted files make.
pub(crate) fn projects(loader: &mut Loader<'_>, folder: &Folder, wanted: &[Vec<String>]) -> Result<Vec<Project>, Stop> {
    let mut projects: Vec<Project> = Vec::new();
    for files in wanted {
        for file in files {
            loader.file(file).map_err(|error| refusal(&output::path(folder.name(file).as_ref()), &error))?;
        }
        // Files of a folder belong together; a file that is named is a root of its own.
        for root in loader.roots(files) {
            if projects.iter().all(|project| project.root != root) {
                projects.push(loader.project(&root));
            }
        }
    }
    Ok(projects)
}

fn refusal(name: &str, error: &FileError) -> String {
    let help = match error {
        FileError::TooLarge { .. } => "raise `--max-file-size`, or split the file with `include`",
        FileError::Outside => "check only what lies inside the project",
        FileError::Unreadable(_) => "see whether the file can be read",
    };
    format!("error: `{name}` {}\n  help: {help}", error.reason())
}

/// The configuration in force, or all that is wrong with it.
pub(crate) fn configuration(
    common: &Common,
    folder: &Folder,
    loader: &mut Loader<'_>,
    look: Look,
) -> Result<Config, Stop> {
    let path = if common.isolated { None } else { common.config.clone().or_else(|| folder.configuration()) };
    let Some(path) = path else { return Ok(Config::default()) };
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("error: cannot read `{}`: {error}", output::path(&path)))?;
    let shown = std::env::current_dir()
        .ok()
        .and_then(|here| path.strip_prefix(here).map(std::path::Path::to_path_buf).ok())
        .unwrap_or(path);
    let id = loader.sources.add(shown.to_string_lossy(), text);
    Config::read(&loader.sources, id).map_err(|problems| refused(&loader.sources, &problems, look))
}

/// The day in the time zone that all machines share, so that a suppression ends everywhere at once.
fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// The lowest level that fails a run.
pub(crate) const fn lowest(on: FailOn) -> Option<Level> {
    match on {
        FailOn::Error => Some(Level::Error),
        FailOn::Warn => Some(Level::Warn),
        FailOn::Info => Some(Level::Info),
        FailOn::Never => None,
    }
}

fn fails(outcome: &Outcome, on: FailOn) -> bool {
    lowest(on).is_some_and(|lowest| outcome.shown().any(|finding| finding.level >= lowest))
}
