//! Files on disk, as the library wants to see them: below one root, with `/`, nothing outside of it, nothing too large.

use std::fs;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use globset::GlobBuilder;
use ignore::WalkBuilder;
use topolint::model::{FileError, Files, is_pattern};
use topolint::report::Base;

use crate::output::{self, Stop};

/// The files below a project root.
pub(crate) struct Folder {
    root: PathBuf,
    /// Where the tool was called, for the names that people see.
    here: PathBuf,
    limit: u64,
    /// What came on standard input, and under which path it counts.
    piped: Option<(String, Vec<u8>)>,
}

impl Folder {
    /// The project around the first of these paths: the nearest folder upward with a `topolint.yaml` or a `.git`, else
    /// the folder itself.
    pub(crate) fn around(paths: &[PathBuf], limit: u64) -> Result<Self, Stop> {
        let here =
            std::env::current_dir().map_err(|error| format!("error: cannot tell the current folder: {error}"))?;
        let here = canonical(&here)?;
        let first = paths.iter().find(|path| path.as_os_str() != "-");
        let start = first.map_or(Ok(here.clone()), |path| located(path))?;
        let folder = if start.is_dir() { start } else { start.parent().map_or(here.clone(), Path::to_path_buf) };
        let marked = |folder: &&Path| ["topolint.yaml", ".git"].iter().any(|mark| folder.join(mark).exists());
        let root = folder.ancestors().find(marked).map_or(folder.clone(), Path::to_path_buf);
        Ok(Self { root, here, limit, piped: None })
    }

    /// Takes standard input in as a file of the current folder.
    pub(crate) fn take_input(&mut self) -> Result<String, Stop> {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().take(self.limit.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| format!("error: cannot read standard input: {error}"))?;
        if bytes.len() as u64 > self.limit {
            return Err(format!(
                "error: standard input is larger than {} bytes\n  help: raise `--max-file-size`",
                self.limit
            )
            .into());
        }
        let path = self.relative(&self.here.join("<stdin>")).unwrap_or_else(|| "<stdin>".to_owned());
        self.piped = Some((path.clone(), bytes));
        Ok(path)
    }

    /// The configuration in force: the nearest one upward from the project's root is the one at the root.
    pub(crate) fn configuration(&self) -> Option<PathBuf> {
        Some(self.root.join("topolint.yaml")).filter(|path| path.is_file())
    }

    /// The `.topo` files that a path means, from the root.
    pub(crate) fn found(&self, path: &Path) -> Result<Vec<String>, Stop> {
        let full = located(path)?;
        let outside = || {
            format!(
                "error: `{}` lies outside of the project `{}`\n  help: check one project at a time",
                output::path(path),
                output::path(&self.root)
            )
        };
        if !full.is_dir() {
            let path = self.relative(&full).ok_or_else(outside)?;
            // A file is one file, under whatever name it is reached; one behind a link that leaves the project is refused
            // when it is read.
            return Ok(vec![self.true_path(&path).unwrap_or(path)]);
        }
        let mut found = Vec::new();
        for entry in WalkBuilder::new(&full).follow_links(false).require_git(false).build() {
            let entry = entry.map_err(|error| format!("error: cannot read a folder: {error}"))?;
            let is_topo = entry.path().extension().is_some_and(|ending| ending == "topo");
            if is_topo && entry.file_type().is_some_and(|kind| kind.is_file()) {
                let unreadable = || {
                    format!("error: `{}` has a name that is not UTF-8\n  help: rename it", output::path(entry.path()))
                };
                found.push(self.relative(entry.path()).ok_or_else(unreadable)?);
            }
        }
        if found.is_empty() {
            let help = "name a file, or a folder that holds `.topo` files";
            return Err(format!("error: there is no `.topo` file in `{}`\n  help: {help}", output::path(path)).into());
        }
        found.sort();
        Ok(found)
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
        let full = self.root.join(path).canonicalize().map_err(|error| FileError::Unreadable(reason(&error)))?;
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
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        let glob = glob.map_err(|error| FileError::Unreadable(error.kind().to_string()))?.compile_matcher();
        let folder = pattern.split('/').take_while(|part| !is_pattern(part)).collect::<Vec<_>>().join("/");
        let Ok(start) = self.inside(&folder) else { return Ok(Vec::new()) };
        let depth = if pattern.contains("**") {
            usize::MAX
        } else {
            pattern.split('/').count() - folder.split('/').filter(|part| !part.is_empty()).count()
        };
        let walk = WalkBuilder::new(&start).standard_filters(false).follow_links(false).max_depth(Some(depth)).build();
        let mut found = Vec::new();
        for entry in walk.filter_map(Result::ok).filter(|entry| entry.file_type().is_some_and(|kind| !kind.is_dir())) {
            let below = entry.path().strip_prefix(&start).ok().and_then(Path::to_str);
            let written =
                below.map(|below| if folder.is_empty() { below.to_owned() } else { format!("{folder}/{below}") });
            // A link that leaves the project refuses the whole pattern; one that leads nowhere is no file.
            match written.filter(|path| glob.is_match(path)).map(|path| self.true_path(&path)) {
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
        let size = fs::metadata(&full).map_err(|error| FileError::Unreadable(reason(&error)))?;
        if !size.is_file() {
            return Err(FileError::Unreadable("it is no file".to_owned()));
        }
        let file = fs::File::open(&full).map_err(|error| FileError::Unreadable(reason(&error)))?;
        let mut bytes = Vec::new();
        file.take(self.limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| FileError::Unreadable(reason(&error)))?;
        if bytes.len() as u64 > self.limit {
            return Err(FileError::TooLarge { size: size.len(), limit: self.limit });
        }
        Ok(bytes)
    }

    fn name(&self, path: &str) -> String {
        let full = self.root.join(path);
        let shown = full.strip_prefix(&self.here).map_or_else(|_| upward(&self.here, &full), Path::to_path_buf);
        shown.to_string_lossy().replace('\\', "/")
    }
}

/// The way from one folder to a file that does not lie below it.
fn upward(from: &Path, to: &Path) -> PathBuf {
    let shared = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(to.components().skip(shared)).collect()
}

fn canonical(path: &Path) -> Result<PathBuf, Stop> {
    path.canonicalize()
        .map_err(|error| Stop::Refused(format!("error: cannot read `{}`: {}", output::path(path), reason(&error))))
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

/// What the system says, without its number.
pub(crate) fn reason(error: &std::io::Error) -> String {
    let text = error.to_string().to_lowercase();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
