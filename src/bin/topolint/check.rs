//! `topolint check`.

use std::collections::HashSet;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use topolint::config::Config;
use topolint::diagnostic::Diagnostic;
use topolint::lint::{Outcome, Terms, lint};
use topolint::metadata::{Level, built_in_clients};
use topolint::model::{FileError, Files as _, Loader, Project};
use topolint::report::Look;
use topolint::source::SourceMap;

use crate::arguments::{Check, FailOn, Input};
use crate::baseline;
use crate::compare::{Base, Run, compared};
use crate::configuration::{configuration, notice_idle, refused, select, word};
use crate::files::Folder;
use crate::formats;
use crate::output::{self, Stop};

/// Lints and reports; the exit code.
pub(crate) fn run(check: &Check) -> Result<u8, Stop> {
    let look = output::look(check.common.input.color);
    let mut folder = Folder::around(&check.paths, check.common.input.limits())?;
    let mut sources = SourceMap::default();
    let mut config = configuration(&check.common, &folder, &mut sources, look)?;
    select(&mut config, &check.selection, &mut sources, look)?;
    let settled = check.settled(&config, &sources, look)?;
    let check = &settled;
    let flag = check.baseline.as_deref();
    let known = if check.no_baseline { None } else { baseline::known(flag, &config, &folder, &mut sources, look)? };
    let wanted = wanted_of(&check.paths, &mut folder, &config, &sources, look)?;
    notice_idle(&config, &folder, &sources);
    let mut loader = Loader::new(&folder);
    loader.sources = sources;
    // Reading the table takes a while, in which the files are read. Without a thread it is read later.
    let _ = std::thread::Builder::new().spawn(built_in_clients);
    let projects = projects(&mut loader, &folder, &wanted)?;
    let terms = Terms { config: &config, today: check.today.unwrap_or_else(today), clients: built_in_clients() };
    let mut compared_with = None;
    let mut outcome = if let Some(reference) = &check.since {
        let run = Run {
            paths: &check.paths,
            common: &check.common,
            selection: &check.selection,
            folder: &folder,
            loader: &loader,
            wanted: &wanted,
            projects: &projects,
            baseline: known.as_ref().map(|known| &known.baseline),
            look,
        };
        let found = compared(run, &Base::commit(run, reference)?, &terms)?;
        compared_with = Some(found.sources);
        found.comparison.since()
    } else {
        lint(&mut loader, &projects, &terms)
    };
    let sources = compared_with.as_ref().unwrap_or(&loader.sources);
    let is_stale = known.is_some_and(|known| {
        let used = known.baseline.hide(&mut outcome, &config, terms.today);
        known.report(&used, known.covers(&wanted, &folder, &config), check.strict_baseline, sources)
    });
    formats::report(check, &folder, sources, &outcome, &config, look)?;
    let fails = fails(&outcome, check.fail_on);
    // The process ends: the system takes back all trees and texts at once, faster than one by one.
    std::mem::forget((loader, outcome));
    Ok(u8::from(fails || (check.strict_baseline && is_stale)))
}

impl Check {
    /// What counts: flags and environment, then the configuration.
    fn settled(&self, config: &Config, sources: &SourceMap, look: Look) -> Result<Self, Stop> {
        let mut settled = self.clone();
        let format = word(config.format(), "format", sources, look)?;
        settled.format = formats::asked(self.format)?.or(format);
        let fail_on = word(config.fail_on(), "fail-on", sources, look)?;
        settled.fail_on = settled.fail_on.or(fail_on);
        Ok(settled)
    }
}

/// The project around these paths, and the files that each of them means.
pub(crate) fn wanted(paths: &[PathBuf], input: &Input) -> Result<(Folder, Vec<Vec<String>>), Stop> {
    let mut folder = Folder::around(paths, input.limits())?;
    let wanted = wanted_of(paths, &mut folder, &Config::default(), &SourceMap::default(), Look::default())?;
    Ok((folder, wanted))
}

/// The files that each of these paths means; where there is none, what the configuration includes, else what lies here.
pub(crate) fn wanted_of(
    paths: &[PathBuf],
    folder: &mut Folder,
    config: &Config,
    sources: &SourceMap,
    look: Look,
) -> Result<Vec<Vec<String>>, Stop> {
    let is_excluded = |path: &str| config.exclude().iter().any(|pattern| pattern.matches(path));
    if let (true, Some(include)) = (paths.is_empty(), config.include()) {
        let mut wanted = Vec::new();
        for pattern in include {
            let found = folder.included(pattern, &is_excluded)?;
            if found.is_empty() {
                let problem = Diagnostic::new(pattern.span, format!("`{}` matches no `.topo` file", pattern.written));
                let help = "a path is relative to the file that it stands in";
                return Err(refused(sources, &[problem.help(help)], look));
            }
            wanted.push(found);
        }
        return Ok(wanted);
    }
    let here = [PathBuf::from(".")];
    let mut wanted = Vec::new();
    for path in if paths.is_empty() { &here } else { paths } {
        let is_input = path.as_os_str() == "-";
        wanted.push(if is_input { vec![folder.take_input()?] } else { folder.found(path, &is_excluded)? });
    }
    Ok(wanted)
}

/// The topologies that the wanted files make.
pub(crate) fn projects(loader: &mut Loader<'_>, folder: &Folder, wanted: &[Vec<String>]) -> Result<Vec<Project>, Stop> {
    let mut projects: Vec<Project> = Vec::new();
    let mut known = HashSet::new();
    for files in wanted {
        loader.read_all(files);
        for file in files {
            loader.file(file).map_err(|error| refusal(&output::path(folder.name(file).as_ref()), &error))?;
        }
        // Files of a folder belong together; a file that is named is a root of its own.
        for root in loader.roots(files) {
            if known.insert(root.clone()) {
                projects.push(loader.project(&root));
            }
        }
    }
    // What an include brings is too much as well as what is named.
    let exceeded = loader.exceeded().map(|(name, error)| refusal(&output::path(name.as_ref()), error));
    exceeded.map_or(Ok(projects), |message| Err(message.into()))
}

pub(crate) fn refusal(name: &str, error: &FileError) -> String {
    let help = match error {
        FileError::TooLarge { .. } => "raise `--max-file-size`, or split the file with `include`",
        FileError::TooManyFiles { .. } => "raise `--max-files`, or name fewer",
        FileError::TooManyStatements { .. } => "raise `--max-statements`, or check one part at a time",
        FileError::Outside => "check only what lies inside the project",
        FileError::Unreadable(_) => "see whether the file can be read",
    };
    format!("error: `{name}` {}\n  help: {help}", error.reason())
}

/// The day in the time zone that all machines share, so that a suppression ends everywhere at once.
pub(crate) fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// The lowest level that fails a run; `error`, if nothing else is said.
pub(crate) const fn lowest(on: Option<FailOn>) -> Option<Level> {
    match on {
        Some(FailOn::Error | FailOn::NewError) | None => Some(Level::Error),
        Some(FailOn::Warn | FailOn::NewWarn) => Some(Level::Warn),
        Some(FailOn::Info | FailOn::NewInfo) => Some(Level::Info),
        Some(FailOn::Never) => None,
    }
}

fn fails(outcome: &Outcome, on: Option<FailOn>) -> bool {
    lowest(on).is_some_and(|lowest| outcome.shown().any(|finding| finding.level >= lowest))
}
