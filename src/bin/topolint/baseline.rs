//! The baseline on disk: `topolint baseline` writes it, `topolint check` follows it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use topolint::baseline::{Baseline, Entry, Used};
use topolint::config::Config;
use topolint::lint::{Outcome, Terms, lint};
use topolint::metadata::built_in_clients;
use topolint::model::{FileError, Files as _, Loader};
use topolint::report::Look;
use topolint::source::{SourceMap, clean};

use crate::arguments::{Common, Keep, Kept, Made};
use crate::check::{projects, today, wanted_of};
use crate::configuration::{configuration, refused};
use crate::files::{CONFIGURATION, Folder};
use crate::output::{self, Stop};
use crate::written;

/// So many entries that find nothing are listed.
const LISTED: usize = 20;

/// Writes the baseline; the exit code.
pub(crate) fn run(keep: &Keep) -> Result<u8, Stop> {
    match keep {
        Keep::Create(made) => create(made),
        Keep::Update(kept) => rewrite(kept, true),
        Keep::Prune(kept) => rewrite(kept, false),
    }
}

/// A baseline that was read, and where it lies.
pub(crate) struct Known {
    pub(crate) baseline: Baseline,
    file: PathBuf,
}

/// The baseline that a flag or the configuration names.
pub(crate) fn known(
    flag: Option<&Path>,
    config: &Config,
    folder: &Folder,
    sources: &mut SourceMap,
    look: Look,
) -> Result<Option<Known>, Stop> {
    let Some(file) = place(flag, config, folder) else { return Ok(None) };
    // A baseline that a flag names may lie anywhere; one that is configured stays inside the project.
    let beside = if flag.is_some() && folder.inner(&file).is_err() { Some(folder.beside(&file)?) } else { None };
    let files = beside.as_ref().unwrap_or(folder);
    let inner = match config.baseline().filter(|_| flag.is_none()) {
        Some(said) => said.text.clone(),
        None => files.inner(&file)?,
    };
    let bytes = files.read(&inner).map_err(|error| {
        let name = output::path(files.name(&inner).as_ref());
        let help = match error {
            FileError::TooLarge { .. } => "raise `--max-file-size`",
            _ => "`topolint baseline create` writes it",
        };
        format!("error: `{name}` {}\n  help: {help}", error.reason())
    })?;
    let text = String::from_utf8_lossy(&bytes);
    let id = sources.add(files.name(&inner), text.strip_prefix('\u{FEFF}').unwrap_or(&text));
    let baseline = Baseline::read(sources, id, &inner).map_err(|problems| refused(sources, &problems, look))?;
    Ok(Some(Known { baseline, file }))
}

fn place(flag: Option<&Path>, config: &Config, folder: &Folder) -> Option<PathBuf> {
    flag.map(Path::to_path_buf).or_else(|| config.baseline().map(|said| folder.full(&said.text)))
}

impl Known {
    /// Says what became of the entries; whether any of them finds nothing any more. Of what was not looked at nothing is
    /// known.
    pub(crate) fn report(&self, used: &Used<'_>, whole: bool, strict: bool, sources: &SourceMap) -> bool {
        let file = output::path(&self.file);
        if !used.ended.is_empty() {
            output::notice(&format!("{} of `{file}` ended: what it hid is reported again", entries(used.ended.len())));
        }
        if !used.locked.is_empty() {
            output::notice(&format!("{} of `{file}` hides nothing: its rule is locked", entries(used.locked.len())));
        }
        let is_stale = whole && !used.stale.is_empty();
        if is_stale {
            let level = if strict { "error" } else { "notice" };
            output::say(&format!("{level}: {} of `{file}` finds nothing any more:", entries(used.stale.len())));
            for entry in used.stale.iter().take(LISTED) {
                output::say(&format!("  {}", line(entry, sources)));
            }
            if used.stale.len() > LISTED {
                output::say(&format!("  … and {} more", used.stale.len() - LISTED));
            }
            output::say("  help: `topolint baseline prune` removes what is no longer found");
        }
        is_stale
    }

    /// Whether all was looked at that the baseline was made from.
    pub(crate) fn covers(&self, looked_at: &[Vec<String>], folder: &Folder, config: &Config) -> bool {
        let looked_at: HashSet<&String> = looked_at.iter().flatten().collect();
        let is_excluded = |path: &str| config.exclude().iter().any(|pattern| pattern.matches(path));
        let of_paths = self.baseline.paths.iter().map(|path| folder.found(&folder.full(path), &is_excluded));
        let of_include = config.include().filter(|_| self.baseline.paths.is_empty()).unwrap_or_default();
        let of_include = of_include.iter().map(|pattern| folder.included(pattern, &is_excluded));
        // What is gone cannot be looked at.
        of_paths.chain(of_include).flatten().flatten().all(|file| looked_at.contains(&file))
    }
}

fn line(entry: &Entry, sources: &SourceMap) -> String {
    let (name, position) = (sources.name(entry.place), sources.position(entry.place));
    let what = format!("{name}:{}:{}: {} {}", position.line, position.column, entry.rule, clean(&entry.about));
    what.trim_end().to_owned()
}

fn entries(number: usize) -> String {
    if number == 1 { "1 entry".to_owned() } else { format!("{number} entries") }
}

/// What `topolint baseline` works on.
struct Project {
    folder: Folder,
    config: Config,
    sources: SourceMap,
    look: Look,
}

impl Project {
    fn around(paths: &[PathBuf], common: &Common) -> Result<Self, Stop> {
        let look = output::look(common.input.color);
        let folder = Folder::around(paths, common.input.limits())?;
        let mut sources = SourceMap::default();
        let config = configuration(common, &folder, &mut sources, look)?;
        Ok(Self { folder, config, sources, look })
    }

    /// Lints, and hides what is known.
    fn outcome<'a>(
        &mut self,
        paths: &[PathBuf],
        known: &'a Baseline,
        day: Option<Date>,
    ) -> Result<(Outcome, Used<'a>), Stop> {
        let wanted = wanted_of(paths, &mut self.folder, &self.config, &self.sources, self.look)?;
        let mut loader = Loader::new(&self.folder);
        let projects = projects(&mut loader, &self.folder, &wanted)?;
        let today = day.unwrap_or_else(today);
        let terms = Terms { config: &self.config, today, clients: built_in_clients() };
        let mut outcome = lint(&mut loader, &projects, &terms);
        let used = known.hide(&mut outcome, &self.config, today);
        Ok((outcome, used))
    }

    /// Nothing is written that would not be read again.
    fn write(&self, file: &Path, baseline: &Baseline) -> Result<(), Stop> {
        let paths: Vec<String> = baseline.paths.iter().map(|path| self.folder.seen_beside(file, path)).collect();
        let text = baseline.text(&paths);
        let mut sources = SourceMap::default();
        let entries_alone = sources.add(String::new(), baseline.text(&[]));
        let limit = self.folder.limits().file_size;
        let help = if text.len() as u64 > limit {
            "raise `--max-file-size`, or check fewer files with each baseline"
        } else if Baseline::read(&sources, entries_alone, "").is_err() {
            "check fewer files with each baseline, or switch off in `topolint.yaml` the rules that find most"
        } else {
            return written::beside(file, &text);
        };
        let (file, entries) = (self.folder.shown(file), entries(baseline.entries.len()));
        Err(format!("error: with {entries} `{file}` would be larger than what is read\n  help: {help}").into())
    }
}

fn create(made: &Made) -> Result<u8, Stop> {
    let mut project = Project::around(&made.paths, &made.kept.common)?;
    let flag = made.kept.baseline.as_deref();
    let named = place(flag, &project.config, &project.folder);
    let file = named.clone().unwrap_or_else(|| project.folder.default_baseline());
    // What the configuration names stays inside the project, whatever links there are on the way.
    if let Some(inside) = named.as_deref().and_then(Path::parent).filter(|inside| flag.is_none() && inside.exists()) {
        project.folder.inner(inside)?;
    }
    if !made.force && file.symlink_metadata().is_ok() {
        let help = "`topolint baseline update` keeps the reasons that stand in it, `--force` replaces it";
        return Err(format!("error: there is a baseline already, `{}`\n  help: {help}", output::path(&file)).into());
    }
    let mut baseline = Baseline::default();
    if project.config.include().is_none() || !made.paths.is_empty() {
        let here = [PathBuf::from(".")];
        let paths = if made.paths.is_empty() { &here } else { made.paths.as_slice() };
        baseline.paths = paths.iter().map(|path| project.folder.inner(path)).collect::<Result<_, _>>()?;
    }
    let (outcome, _) = project.outcome(&made.paths, &Baseline::default(), made.kept.today)?;
    let baseline = baseline.updated(&outcome, &project.config);
    project.write(&file, &baseline)?;
    let shown = project.folder.shown(&file);
    output::print(&format!("{shown}: {} written\n", entries(baseline.entries.len())))?;
    left_out(&outcome, &project.config);
    if named.is_none() {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let configuration = project.folder.shown(&file.with_file_name(CONFIGURATION));
        output::notice(&format!(
            "write `baseline: {name}` into `{configuration}`, so that `topolint check` follows it"
        ));
    }
    Ok(0)
}

/// Says what has no entry.
fn left_out(outcome: &Outcome, config: &Config) {
    let locked = outcome.shown().filter(|finding| config.lock(finding.rule).is_some()).count();
    if locked > 0 {
        let findings = if locked == 1 { "1 finding has".to_owned() } else { format!("{locked} findings have") };
        output::notice(&format!("{findings} no entry: the rule is locked"));
    }
}

/// Writes a baseline anew: without what is no longer found, and with what is new.
fn rewrite(kept: &Kept, adds: bool) -> Result<u8, Stop> {
    let mut project = Project::around(&[], &kept.common)?;
    let flag = kept.baseline.as_deref();
    let known = known(flag, &project.config, &project.folder, &mut project.sources, project.look)?;
    let Some(Known { baseline, file }) = known else {
        let help =
            "name it with `--baseline FILE` or in `topolint.yaml`; `topolint baseline create` writes a first one";
        return Err(format!("error: no baseline is configured\n  help: {help}").into());
    };
    let paths: Vec<PathBuf> = baseline.paths.iter().map(|path| project.folder.full(path)).collect();
    if let Some(gone) = paths.iter().find(|path| path.symlink_metadata().is_err()) {
        let (file, gone) =
            (project.folder.shown(&file), output::path(gone.strip_prefix(project.folder.root()).unwrap_or(gone)));
        let help = match paths.as_slice() {
            // Without any it would be of everything.
            [_] => format!("name in `paths` of `{file}` what took its place, or call it in the project it is of"),
            _ => format!("remove it from `paths` of `{file}`"),
        };
        return Err(
            format!("error: `{file}` was made from `{gone}`, which is not there any more\n  help: {help}").into()
        );
    }
    let (outcome, used) = project.outcome(&paths, &baseline, kept.today)?;
    let pruned = baseline.without(&used.stale);
    let new = if adds { baseline.updated(&outcome, &project.config) } else { pruned.clone() };
    project.write(&file, &new)?;
    let (gone, added) = (baseline.entries.len() - pruned.entries.len(), new.relaxed_since(&baseline).len());
    let added = if adds { format!("{added} added, ") } else { String::new() };
    let shown = project.folder.shown(&file);
    output::print(&format!("{shown}: {added}{gone} removed, {} now\n", entries(new.entries.len())))?;
    if !used.ended.is_empty() {
        let ended = entries(used.ended.len());
        output::notice(&format!("{ended} ended and hides nothing: mend what it hid, or choose another day"));
    }
    if adds {
        left_out(&outcome, &project.config);
    }
    Ok(0)
}
