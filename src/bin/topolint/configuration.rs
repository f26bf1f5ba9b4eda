//! The configuration in force: the nearest `topolint.yaml` upward, or the one that is named, and what flags say.
//! `topolint config` shows it, writes a first one, and prints the schema.

use std::path::{Path, PathBuf};

use topolint::config::{Config, Flag, STARTER};
use topolint::diagnostic::Diagnostic;
use topolint::metadata::Level;
use topolint::model::Files as _;
use topolint::report::{self, Look};
use topolint::source::SourceMap;

use crate::arguments::{Common, Configure, Init, Selection, Show};
use crate::check::refusal;
use crate::files::Folder;
use crate::output::{self, Stop};
use crate::written;

/// The configuration that is published for editors.
const SCHEMA: &str = include_str!("../../../grammar/config-v1.schema.json");

/// Shows, writes or describes the configuration; the exit code.
pub(crate) fn run(configure: &Configure) -> Result<u8, Stop> {
    match configure {
        Configure::Init(init) => start(init),
        Configure::Show(show) => shown(show),
        Configure::Schema => output::print(SCHEMA).map(|()| 0),
    }
}

fn start(init: &Init) -> Result<u8, Stop> {
    let path = Path::new("topolint.yaml");
    if !init.force && path.symlink_metadata().is_ok() {
        let help = "`--force` replaces it; `topolint config show FILE` shows what it says";
        return Err(format!("error: there is a `topolint.yaml` already\n  help: {help}").into());
    }
    written::one(path, STARTER)?;
    output::print("topolint.yaml is written: it says what is so without it, and shows what else can be said\n")?;
    Ok(0)
}

fn shown(show: &Show) -> Result<u8, Stop> {
    let look = output::look(show.common.input.color);
    let paths: Vec<PathBuf> = show.file.iter().cloned().collect();
    let folder = Folder::around(&paths, show.common.input.limits())?;
    let mut sources = SourceMap::default();
    let config = configuration(&show.common, &folder, &mut sources, look)?;
    let path = show.file.as_deref().map(|file| folder.inner(file)).transpose()?;
    let name = path.as_deref().map(|path| folder.name(path));
    output::print(&report::settings(&config, path.as_deref().zip(name.as_deref()), &sources, look))?;
    Ok(0)
}

/// The configuration in force, or all that is wrong with it.
pub(crate) fn configuration(
    common: &Common,
    folder: &Folder,
    sources: &mut SourceMap,
    look: Look,
) -> Result<Config, Stop> {
    let path = if common.isolated { None } else { common.config.clone().or_else(|| folder.configuration()) };
    let Some(path) = path else { return Ok(Config::default()) };
    // A configuration that is named may lie outside of the project: then it may extend what lies beside it.
    let named = common.config.is_some();
    let beside;
    let (files, inner) = match folder.inner(&path) {
        Ok(inner) => (folder, inner),
        Err(error) if !named => return Err(error),
        Err(_) => {
            beside = folder.beside(&path)?;
            let inner = beside.inner(&path)?;
            (&beside, inner)
        }
    };
    // Nothing is in the map yet that could show the place.
    files.read(&inner).map_err(|error| refusal(&output::path(&path), &error))?;
    Config::load(files, sources, &inner).map_err(|problems| refused(sources, &problems, look))
}

/// Takes in what the flags say of rules, or refuses all that is wrong with it.
pub(crate) fn select(
    config: &mut Config,
    selection: &Selection,
    sources: &mut SourceMap,
    look: Look,
) -> Result<(), Stop> {
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
            let id = sources.add(name, value.as_str());
            problems.extend(config.flag(flag, sources, id).err().unwrap_or_default());
        }
    }
    if selection.strict {
        config.strict();
    }
    config.allows = !selection.no_allow;
    if problems.is_empty() { Ok(()) } else { Err(refused(sources, &problems, look)) }
}

/// All that is wrong, each at its place.
pub(crate) fn refused(sources: &SourceMap, problems: &[Diagnostic], look: Look) -> Stop {
    let shown: Vec<String> = problems.iter().map(|problem| report::show(sources, problem, look)).collect();
    Stop::Refused(shown.join("\n"))
}

/// A word of the configuration that a flag could say as well.
pub(crate) fn word<T: clap::ValueEnum>(
    said: Option<&topolint::yaml::Text>,
    what: &str,
    sources: &SourceMap,
    look: Look,
) -> Result<Option<T>, Stop> {
    let Some(said) = said else { return Ok(None) };
    if let Ok(value) = T::from_str(&said.text, false) {
        return Ok(Some(value));
    }
    let values = T::value_variants().iter().filter_map(clap::ValueEnum::to_possible_value);
    let names: Vec<String> = values.map(|value| value.get_name().to_owned()).collect();
    let near = topolint::vocabulary::suggest(&said.text, names.iter().map(String::as_str));
    let help = topolint::vocabulary::did_you_mean(&near).unwrap_or_else(|| format!("it takes {}", names.join(", ")));
    let problem = Diagnostic::new(said.span, format!("`{}` is no `{what}`", said.text)).help(help);
    Err(refused(sources, &[problem], look))
}

/// Says where patterns of the configuration match no file.
pub(crate) fn notice_idle(config: &Config, folder: &Folder, sources: &SourceMap) {
    for pattern in config.patterns() {
        if !folder.any(pattern) {
            let position = sources.position(pattern.span);
            let name = sources.name(pattern.span);
            output::notice(&format!(
                "{name}:{}:{}: `{}` matches no file",
                position.line, position.column, pattern.written
            ));
        }
    }
}
