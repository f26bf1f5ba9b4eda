//! Files on disk, as the library wants to see them: below one root, with `/`, nothing outside of it, nothing too large.

use std::fs;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use globset::GlobBuilder;
use ignore::WalkBuilder;
use topolint::config::Pattern;
use topolint::model::{FileError, Files, Limits, is_pattern};
use topolint::report::Base;

use crate::check::refusal;
use crate::output::{self, Stop};

/// The name of a configuration.
pub(crate) const CONFIGURATION: &str = "topolint.yaml";

/// All that is named together, by paths and by patterns, may list so many files for each one that may be read.
const LISTED: usize = 5;

/// How much has been looked at.
#[derive(Default)]
pub(crate) struct Looked(AtomicUsize);

impl Looked {
    /// All paths and patterns together look at so many files and folders for each file that may be read.
    const MOST: usize = 50;

    /// Refuses what one of them means if it is too much, or if all have looked at too much.
    pub(crate) fn at_one_more(&self, found: usize, limits: Limits) -> Result<(), FileError> {
        let is_over = found > limits.files || self.is_over(1, limits.files.saturating_mul(Self::MOST));
        if is_over { Err(FileError::TooManyFiles { limit: limits.files }) } else { Ok(()) }
    }

    fn is_over(&self, more: usize, most: usize) -> bool {
        self.0.fetch_add(more, Ordering::Relaxed).saturating_add(more) > most
    }
}

/// The files below a project root.
pub(crate) struct Folder {
    root: PathBuf,
    /// Where the search for a configuration starts.
    start: PathBuf,
    /// Where the tool was called, for the names that people see.
    here: PathBuf,
    limits: Limits,
    /// In folders.
    looked_at: Looked,
    /// By all paths and patterns.
    listed: Looked,
    /// What came on standard input, and under which path it counts.
    piped: Option<(String, Vec<u8>)>,
}

impl Folder {
    /// The project around the first of these paths: the repository that it lies in, else the nearest folder upward with
    /// a `topolint.yaml`, else the folder itself.
    pub(crate) fn around(paths: &[PathBuf], limits: Limits) -> Result<Self, Stop> {
        let here =
            std::env::current_dir().map_err(|error| format!("error: cannot tell the current folder: {error}"))?;
        let here = canonical(&here)?;
        let first = paths.iter().find(|path| path.as_os_str() != "-");
        let start = first.map_or(Ok(here.clone()), |path| located(path))?;
        let start = if start.is_dir() { start } else { start.parent().map_or(here.clone(), Path::to_path_buf) };
        let with = |mark: &str| start.ancestors().find(|folder| folder.join(mark).exists()).map(Path::to_path_buf);
        let root = with(".git").or_else(|| with(CONFIGURATION)).unwrap_or_else(|| start.clone());
        Ok(Self { root, start, here, limits, looked_at: Looked::default(), listed: Looked::default(), piped: None })
    }

    /// The folder that a file lies in, as a project of its own.
    pub(crate) fn beside(&self, file: &Path) -> Result<Self, Stop> {
        let file = located(file)?;
        let folder = file.parent().map_or(file.clone(), Path::to_path_buf);
        Ok(Self {
            root: folder.clone(),
            start: folder,
            here: self.here.clone(),
            limits: self.limits,
            looked_at: Looked::default(),
            listed: Looked::default(),
            piped: None,
        })
    }

    /// The project's root.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The path of a folder from the root; none for what is no folder.
    pub(crate) fn folder_at(&self, path: &Path) -> Option<String> {
        let full = path.canonicalize().ok().filter(|full| full.is_dir())?;
        self.relative(&full)
    }

    /// Whether there is such a file.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.root.join(path).symlink_metadata().is_ok()
    }

    /// Takes standard input in as a file of the current folder.
    pub(crate) fn take_input(&mut self) -> Result<String, Stop> {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().take(self.limits.file_size.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| format!("error: cannot read standard input: {error}"))?;
        if bytes.len() as u64 > self.limits.file_size {
            return Err(format!(
                "error: standard input is larger than {} bytes\n  help: raise `--max-file-size`",
                self.limits.file_size
            )
            .into());
        }
        let path = self.relative(&self.here.join("<stdin>")).unwrap_or_else(|| "<stdin>".to_owned());
        self.piped = Some((path.clone(), bytes));
        Ok(path)
    }

    /// The nearest configuration upward.
    pub(crate) fn configuration(&self) -> Option<PathBuf> {
        self.configurations().find(|path| path.is_file())
    }

    /// Where a configuration may lie, the nearest first; the search ends at the project's root.
    pub(crate) fn configurations(&self) -> impl Iterator<Item = PathBuf> {
        let folders = self.start.ancestors().take_while(|folder| folder.starts_with(&self.root));
        folders.map(|folder| folder.join(CONFIGURATION))
    }

    /// Where a path from the root lies.
    pub(crate) fn full(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The baseline that is written where none is named: beside the configuration, else in the current folder, and
    /// always in the project.
    pub(crate) fn default_baseline(&self) -> PathBuf {
        let configuration = self.configuration();
        let inside = if self.here.starts_with(&self.root) { &self.here } else { &self.root };
        configuration.as_deref().and_then(Path::parent).unwrap_or(inside).join("topolint-baseline.yaml")
    }

    /// A path from the root, as a file at another place writes it; a file outside of the project writes it from the root.
    pub(crate) fn seen_beside(&self, file: &Path, path: &str) -> String {
        // The file itself may not be there yet.
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = canonical(folder).ok();
        let way = match folder.filter(|folder| folder.starts_with(&self.root)) {
            Some(folder) => upward(&folder, &self.root.join(path)),
            None => PathBuf::from(path),
        };
        let way = way.to_string_lossy().replace('\\', "/");
        if way.is_empty() { ".".to_owned() } else { way }
    }

    /// A file under the name that people know it by.
    pub(crate) fn shown(&self, file: &Path) -> String {
        let full = located(file).unwrap_or_else(|_| file.to_path_buf());
        output::path(&full.strip_prefix(&self.here).map_or_else(|_| upward(&self.here, &full), Path::to_path_buf))
    }

    /// The path of a file or folder from the root.
    pub(crate) fn inner(&self, path: &Path) -> Result<String, Stop> {
        let outside = || {
            format!(
                "error: `{}` lies outside of the project `{}`\n  help: check one project at a time",
                output::path(path),
                output::path(&self.root)
            )
        };
        Ok(self.relative(&located(path)?).ok_or_else(outside)?)
    }

    /// The `.topo` files that a pattern of the configuration means, from the root.
    pub(crate) fn included(&self, pattern: &Pattern, is_excluded: &dyn Fn(&str) -> bool) -> Result<Vec<String>, Stop> {
        let full = self.root.join(&pattern.path);
        if is_pattern(&pattern.path) || !full.is_dir() {
            let found = self.matching(&pattern.path);
            let found = found.map_err(|error| format!("error: `{}` {}", pattern.written, error.reason()))?;
            let counts = |path: &String| is_topo(Path::new(path)) && !is_excluded(path);
            let is_named = !is_pattern(&pattern.path);
            let found = found.into_iter().filter(|path| is_named || counts(path)).collect();
            return self.within_limit(Path::new(&pattern.written), found);
        }
        self.below(&full, is_excluded)
    }

    /// Whether there is anything that a pattern of the configuration means; the search ends with the first.
    pub(crate) fn any(&self, pattern: &Pattern) -> bool {
        let folder = pattern.path.split('/').take_while(|part| !is_pattern(part)).collect::<Vec<_>>().join("/");
        let start = self.root.join(folder);
        if !is_pattern(&pattern.path) {
            return start.exists();
        }
        let walk = WalkBuilder::new(start)
            .standard_filters(false)
            .follow_links(false)
            .filter_entry(|entry| entry.file_name() != ".git")
            .build();
        walk.flatten().any(|entry| self.relative(entry.path()).is_some_and(|path| pattern.matches(&path)))
    }

    /// The `.topo` files that a path means, from the root; in folders without those that are excluded.
    pub(crate) fn found(&self, path: &Path, is_excluded: &dyn Fn(&str) -> bool) -> Result<Vec<String>, Stop> {
        let full = located(path)?;
        if !full.is_dir() {
            let path = self.inner(path)?;
            // A file is one file, under whatever name it is reached; one behind a link that leaves the project is refused
            // when it is read.
            return Ok(vec![self.true_path(&path).unwrap_or(path)]);
        }
        let found = self.below(&full, is_excluded)?;
        if found.is_empty() {
            let help = "name a file, or a folder that holds `.topo` files";
            return Err(format!("error: there is no `.topo` file in `{}`\n  help: {help}", output::path(path)).into());
        }
        Ok(found)
    }

    /// The `.topo` files below a folder.
    fn below(&self, folder: &Path, is_excluded: &dyn Fn(&str) -> bool) -> Result<Vec<String>, Stop> {
        let mut found = Vec::new();
        for entry in WalkBuilder::new(folder).follow_links(false).require_git(false).build() {
            let entry = entry.map_err(|error| format!("error: cannot read a folder: {error}"))?;
            let looked = self.looked_at.at_one_more(found.len(), self.limits);
            looked.map_err(|error| refusal(&output::path(folder), &error))?;
            if is_topo(entry.path()) && entry.file_type().is_some_and(|kind| kind.is_file()) {
                let unreadable = || {
                    format!("error: `{}` has a name that is not UTF-8\n  help: rename it", output::path(entry.path()))
                };
                found.push(self.relative(entry.path()).ok_or_else(unreadable)?);
            }
        }
        let mut found = self.within_limit(folder, found)?;
        found.retain(|path| !is_excluded(path));
        found.sort();
        Ok(found)
    }

    /// The files that a path or a pattern means, if they are not too many; nor those that all of these mean, which may
    /// name the same files again and again.
    fn within_limit(&self, named: &Path, found: Vec<String>) -> Result<Vec<String>, Stop> {
        let limit = self.limits.files;
        if found.len() > limit || self.listed.is_over(found.len(), limit.saturating_mul(LISTED)) {
            return Err(refusal(&output::path(named), &FileError::TooManyFiles { limit }).into());
        }
        Ok(found)
    }

    /// Whether a link on the way of a path leads out of the project, wherever the way begins.
    pub(crate) fn is_left_by(&self, path: &Path) -> bool {
        let is_inside = |at: &Path| at.starts_with(&self.root);
        let (mut at, mut was_inside) = (PathBuf::new(), false);
        for part in self.here.join(path).components() {
            if part == Component::ParentDir {
                // Whoever goes up leaves it by name; not from where a link has led to.
                was_inside &= !is_inside(&at);
                at.pop();
            } else {
                at.push(part);
                // What is not there is no link.
                at = at.canonicalize().unwrap_or(at);
            }
            was_inside |= is_inside(&at);
        }
        was_inside && !is_inside(&at)
    }

    /// From where paths count for those who know files by the repository they lie in.
    pub(crate) fn base(&self) -> Base {
        let repository = self.root.ancestors().find(|folder| folder.join(".git").exists());
        let text = |path: &Path| path.to_string_lossy().replace('\\', "/");
        Base::new(&text(&self.here), &text(repository.unwrap_or(&self.here)))
    }

    fn relative(&self, full: &Path) -> Option<String> {
        let parts: Option<Vec<&str>> =
            full.strip_prefix(&self.root).ok()?.components().map(|part| part.as_os_str().to_str()).collect();
        Some(parts?.join("/"))
    }

    /// The path of a file without links, if it lies inside.
    fn true_path(&self, path: &str) -> Result<String, FileError> {
        self.relative(&self.inside(path)?).ok_or(FileError::Outside)
    }

    /// The file itself, which may not lie behind a link that leaves the root.
    fn inside(&self, path: &str) -> Result<PathBuf, FileError> {
        let full = self.root.join(path).canonicalize().map_err(unreadable)?;
        if full.starts_with(&self.root) { Ok(full) } else { Err(FileError::Outside) }
    }
}

impl Files for Folder {
    fn matching(&self, pattern: &str) -> Result<Vec<String>, FileError> {
        if !is_pattern(pattern) {
            return match self.inside(pattern) {
                Ok(full) if full.is_dir() => {
                    Err(FileError::Unreadable("it is a folder; include its files with `/*.topo`".to_owned()))
                }
                Ok(_) => Ok(vec![self.true_path(pattern)?]),
                Err(FileError::Unreadable(_)) => Ok(Vec::new()),
                Err(error) => Err(error),
            };
        }
        let is_match = matcher(pattern)?;
        let folder = pattern.split('/').take_while(|part| !is_pattern(part)).collect::<Vec<_>>().join("/");
        let Ok(start) = self.inside(&folder) else { return Ok(Vec::new()) };
        let depth = if pattern.contains("**") {
            usize::MAX
        } else {
            pattern.split('/').count() - folder.split('/').filter(|part| !part.is_empty()).count()
        };
        let walk = WalkBuilder::new(&start).standard_filters(false).follow_links(false).max_depth(Some(depth)).build();
        let mut found = Vec::new();
        for entry in walk.filter_map(Result::ok) {
            self.looked_at.at_one_more(found.len(), self.limits)?;
            if entry.file_type().is_none_or(|kind| kind.is_dir()) {
                continue;
            }
            let below = entry.path().strip_prefix(&start).ok().and_then(Path::to_str);
            let written =
                below.map(|below| if folder.is_empty() { below.to_owned() } else { format!("{folder}/{below}") });
            // Only the last part can be a link, as none is followed on the way. One that leaves the project refuses the
            // whole pattern; one that leads nowhere is no file.
            let true_path = |path: String| match self.relative(entry.path()) {
                Some(path) if !entry.path_is_symlink() => Ok(path),
                _ => self.true_path(&path),
            };
            match written.filter(|path| is_match(path)).map(true_path) {
                Some(Ok(path)) => found.push(path),
                Some(Err(FileError::Outside)) => return Err(FileError::Outside),
                Some(Err(_)) | None => {}
            }
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        if let Some((_, bytes)) = self.piped.as_ref().filter(|(piped, _)| piped == path) {
            return Ok(bytes.clone());
        }
        let full = self.inside(path)?;
        // Asked before it is opened: opening a pipe waits for somebody to write.
        if !fs::metadata(&full).map_err(unreadable)?.is_file() {
            return Err(FileError::Unreadable("it is no file".to_owned()));
        }
        let file = fs::File::open(&full).map_err(unreadable)?;
        let (before, limit) = (file.metadata().map_err(unreadable)?, self.limits.file_size);
        if before.len() > limit {
            return Err(FileError::TooLarge { size: before.len(), limit });
        }
        // Room for all of it and a little, so that the end is seen without another look.
        let mut bytes = Vec::with_capacity(usize::try_from(before.len()).unwrap_or(0) + 64);
        // What grows meanwhile is read no further than that.
        (&file).take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
        let after = file.metadata().map_err(unreadable)?;
        if after.len() != before.len() || after.modified().ok() != before.modified().ok() {
            return Err(FileError::Unreadable("it changed while it was read; run again".to_owned()));
        }
        Ok(bytes)
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn name(&self, path: &str) -> String {
        let full = self.root.join(path);
        let shown = full.strip_prefix(&self.here).map_or_else(|_| upward(&self.here, &full), Path::to_path_buf);
        shown.to_string_lossy().replace('\\', "/")
    }
}

fn is_topo(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "topo")
}

/// What a pattern matches.
pub(crate) fn matcher(pattern: &str) -> Result<impl Fn(&str) -> bool + use<>, FileError> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    let glob = glob.map_err(|error| FileError::Unreadable(error.kind().to_string()))?.compile_matcher();
    Ok(move |path: &str| glob.is_match(path))
}

/// The way from one folder to a file that does not lie below it.
fn upward(from: &Path, to: &Path) -> PathBuf {
    let shared = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(to.components().skip(shared)).collect()
}

fn canonical(path: &Path) -> Result<PathBuf, Stop> {
    path.canonicalize().map_err(|error| {
        let help = "name a file or a folder that is there, and that you may read";
        Stop::Refused(format!("error: cannot read `{}`: {}\n  help: {help}", output::path(path), reason(&error)))
    })
}

/// Where a file or folder lies: its folder without links, its own name as it is.
fn located(path: &Path) -> Result<PathBuf, Stop> {
    let full = canonical(path)?;
    match (path.file_name(), full.is_dir()) {
        (Some(name), false) => {
            let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            Ok(canonical(folder.unwrap_or(Path::new(".")))?.join(name))
        }
        _ => Ok(full),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it is handed over where an error is mapped")]
fn unreadable(error: std::io::Error) -> FileError {
    FileError::Unreadable(reason(&error))
}

/// What the system says, without its number.
pub(crate) fn reason(error: &std::io::Error) -> String {
    let text = error.to_string().to_lowercase();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
