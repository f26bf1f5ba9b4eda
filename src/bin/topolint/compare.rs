//! What a run is compared with: a commit or a folder. Its files are read beside those of the run, and both are linted
//! whole, with the configuration of the run.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use topolint::baseline::Baseline;
use topolint::change::{Comparison, Side, compare};
use topolint::config::Config;
use topolint::lint::Terms;
use topolint::model::{FileError, Files, Loader, Project, lower};
use topolint::report::Look;
use topolint::source::SourceMap;

use crate::arguments::{Common, Selection};
use crate::configuration::select;
use crate::files::Folder;
use crate::git::Tree;
use crate::output::{self, Stop};

/// A run that is to be compared.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    pub(crate) paths: &'a [PathBuf],
    pub(crate) common: &'a Common,
    pub(crate) selection: &'a Selection,
    pub(crate) folder: &'a Folder,
    pub(crate) loader: &'a Loader<'a>,
    /// The files that each of the paths means.
    pub(crate) wanted: &'a [Vec<String>],
    pub(crate) projects: &'a [Project],
    /// What is known there and waits.
    pub(crate) baseline: Option<&'a Baseline>,
    pub(crate) look: Look,
}

/// What it is compared with.
pub(crate) enum Base {
    /// A commit.
    Commit(Tree),
    /// A folder, the files there that each of the paths means, and what people call it.
    Folder(Folder, Vec<Vec<String>>, String),
}

impl Base {
    /// The commit where the checkout left the history of a reference.
    pub(crate) fn commit(run: Run<'_>, reference: &str) -> Result<Self, Stop> {
        Tree::at(run.folder.root(), reference, run.common.input.limits()).map(Self::Commit)
    }

    /// A commit, or else a folder.
    pub(crate) fn named(run: Run<'_>, name: &str) -> Result<Self, Stop> {
        let path = Path::new(name);
        let is_path = path.is_absolute() || name.starts_with("./") || name.starts_with("../") || name == "..";
        if is_path && path.is_dir() {
            return Self::folder(run, path);
        }
        match Self::commit(run, name) {
            Ok(_) if path.is_dir() => {
                let help = format!("write `./{name}` for the folder, or `refs/heads/{name}` for the branch");
                Err(format!("error: `{name}` is a commit and a folder as well\n  help: {help}").into())
            }
            Err(_) if path.is_dir() => Self::folder(run, path),
            found => found,
        }
    }

    /// The folder stands for the one that is looked at; else for the current one, so that files lie in it as they do
    /// here.
    fn folder(run: Run<'_>, path: &Path) -> Result<Self, Stop> {
        let folder = Folder::around(&[path.to_path_buf()], run.common.input.limits())?;
        let found = match run.paths {
            [] => vec![folder.found(path, &|_| false)?],
            [only] if only.is_dir() => vec![folder.found(path, &|_| false)?],
            several => {
                let there = several.iter().map(|inner| path.join(inner)).filter(|inner| inner.exists());
                there.map(|inner| folder.found(&inner, &|_| false)).collect::<Result<_, _>>()?
            }
        };
        Ok(Self::Folder(folder, found, output::path(path)))
    }

    /// What people call it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Commit(tree) => tree.shown().to_owned(),
            Self::Folder(_, _, name) => name.clone(),
        }
    }

    fn files(&self) -> &dyn Files {
        match self {
            Self::Commit(tree) => tree,
            Self::Folder(folder, ..) => folder,
        }
    }

    /// The files there that each of the paths means. A file that is not there may have had another name.
    fn wanted(&self, run: Run<'_>, config: &Config) -> Vec<Vec<String>> {
        let tree = match self {
            Self::Folder(_, wanted, _) => return wanted.clone(),
            Self::Commit(tree) => tree,
        };
        let seen: HashSet<&String> = run.wanted.iter().flatten().collect();
        // What lies here and is not looked at, for it is ignored, is not looked at there.
        let counts = |path: &String| {
            let is_asked = || config.include().is_none_or(|all| all.iter().any(|pattern| pattern.matches(path)));
            let is_excluded = || config.exclude().iter().any(|pattern| pattern.matches(path));
            let is_gone = || !run.folder.has(path) && !is_excluded() && (!run.paths.is_empty() || is_asked());
            seen.contains(path) || is_gone()
        };
        let inside = |folder: &str| tree.below(folder).into_iter().filter(counts).collect();
        if run.paths.is_empty() {
            let here = run.folder.folder_at(Path::new(".")).filter(|_| config.include().is_none());
            return vec![inside(&here.unwrap_or_default())];
        }
        let each = run.paths.iter().zip(run.wanted).map(|(path, files)| match run.folder.folder_at(path) {
            Some(folder) => inside(&folder),
            None => files.iter().filter(|file| tree.has(file)).cloned().collect(),
        });
        each.collect()
    }
}

/// Both sides, compared, with all texts that any place points into.
pub(crate) struct Compared {
    pub(crate) sources: SourceMap,
    pub(crate) comparison: Comparison,
}

/// Compares a run with its base. What people have to know of the base goes to standard error.
pub(crate) fn compared(run: Run<'_>, base: &Base, terms: &Terms<'_>) -> Result<Compared, Stop> {
    compared_with(run, base, terms, |loader, _, comparison| Compared { sources: loader.sources, comparison })
}

/// Compares a run with its base, and hands over what was read there.
pub(crate) fn compared_with<T>(
    run: Run<'_>,
    base: &Base,
    terms: &Terms<'_>,
    then: impl FnOnce(Loader<'_>, &[Project], Comparison) -> T,
) -> Result<T, Stop> {
    let mut loader = Loader::new(base.files());
    loader.sources = run.loader.sources.clone();
    let mut notices = if let Base::Commit(tree) = base { tree.notices.clone() } else { Vec::new() };
    let config = configuration(run, base, &mut loader, terms.config, &mut notices)?;
    let baseline = entries(&config, terms.config, base, &mut loader);
    let mut projects = roots(&mut loader, base.files(), &base.wanted(run, terms.config), &mut notices);
    if let Base::Commit(tree) = base {
        projects.extend(renamed(run, tree, &mut loader, &projects, terms));
    }
    if projects.is_empty() {
        notices.push(format!("`{}` has none of these files: everything is new", base.name()));
    }
    let comparison = compare(
        Side { loader: &loader, projects: &projects, config: &config, baseline: baseline.as_ref() },
        Side { loader: run.loader, projects: run.projects, config: terms.config, baseline: run.baseline },
        terms,
    );
    if comparison.unread > 0 {
        let what = if comparison.unread == 1 { "statement" } else { "statements" };
        notices.push(format!(
            "{} {what} of `{}` cannot be read: compared with the rest of it",
            comparison.unread,
            base.name()
        ));
    }
    for notice in notices {
        output::notice(&notice);
    }
    Ok(then(loader, &projects, comparison))
}

/// The topologies of a base, as far as their files can be read.
fn roots(
    loader: &mut Loader<'_>,
    files: &dyn Files,
    wanted: &[Vec<String>],
    notices: &mut Vec<String>,
) -> Vec<Project> {
    let (mut projects, mut known) = (Vec::new(), HashSet::new());
    for paths in wanted {
        loader.read_all(paths);
        let mut readable = Vec::new();
        for path in paths {
            match loader.loaded(path) {
                Ok(_) => readable.push(path.clone()),
                Err(error) => notices.push(format!("`{}` {}: left out", files.name(path), error.reason())),
            }
        }
        for root in loader.roots(&readable) {
            if known.insert(root.clone()) {
                projects.push(loader.project(&root));
            }
        }
    }
    if let Some((name, error)) = loader.exceeded() {
        notices.push(format!("`{name}` {}: the rest is left out", error.reason()));
    }
    projects
}

/// Files that are named and were not there may have had another name: the one that is gone and shares most of their
/// nodes.
fn renamed(run: Run<'_>, tree: &Tree, loader: &mut Loader<'_>, known: &[Project], terms: &Terms<'_>) -> Vec<Project> {
    let is_new = |project: &&Project| !tree.has(&project.root) && known.iter().all(|old| old.root != project.root);
    let new: Vec<&Project> = run.projects.iter().filter(is_new).collect();
    if new.is_empty() {
        return Vec::new();
    }
    let gone: Vec<String> = tree.below("").into_iter().filter(|path| !run.folder.has(path)).collect();
    let candidates: Vec<Project> = {
        let roots = loader.roots(&gone);
        roots
            .iter()
            .filter(|root| known.iter().all(|old| old.root != **root))
            .map(|root| loader.project(root))
            .collect()
    };
    let names = |loader: &Loader<'_>, project: &Project| -> HashSet<String> {
        let (topology, _) = lower(loader, project, terms.clients);
        topology.node_ids().map(|id| topology.node_name(id).to_owned()).collect()
    };
    let here: Vec<HashSet<String>> = new.iter().map(|project| names(run.loader, project)).collect();
    let mut found = Vec::new();
    for candidate in candidates {
        let there = names(loader, &candidate);
        if here.iter().any(|here| here.intersection(&there).count() * 2 > here.len()) {
            found.push(candidate);
        }
    }
    found
}

/// The configuration that was in force there; what cannot be read counts as that of the run.
fn configuration(
    run: Run<'_>,
    base: &Base,
    loader: &mut Loader<'_>,
    head: &Config,
    notices: &mut Vec<String>,
) -> Result<Config, Stop> {
    let path = "topolint.yaml";
    if run.common.isolated || run.common.config.is_some() {
        return Ok(head.clone());
    }
    if let Err(FileError::Unreadable(_)) = base.files().read(path) {
        return Ok(Config::default());
    }
    let Ok(mut config) = Config::load(base.files(), &mut loader.sources, path) else {
        notices.push(format!("`{}` cannot be read: its rules are not compared", base.files().name(path)));
        return Ok(head.clone());
    };
    select(&mut config, run.selection, &mut loader.sources, run.look)?;
    Ok(config)
}

/// The entries that waited there, if there was such a file and it can be read.
fn entries(config: &Config, head: &Config, base: &Base, loader: &mut Loader<'_>) -> Option<Baseline> {
    let path = &config.baseline().or(head.baseline())?.text;
    let bytes = base.files().read(path).ok()?;
    let id = loader.sources.add(base.files().name(path), String::from_utf8_lossy(&bytes));
    Baseline::read(&loader.sources, id, path).ok()
}
