//! Which files make one topology: a root and what it includes, each file once. Reads through a trait, so that the
//! library touches no disk and tests need none.

mod read;
mod walk;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use indexmap::{IndexMap, IndexSet};

use crate::diagnostic::Problem;
use crate::source::{SourceId, SourceMap, Span};
use crate::syntax::{self, Tree};

/// Where texts come from. Paths are relative to the project root, with `/`, without `.` and `..`. Several files may be
/// asked for at once.
pub trait Files: Sync {
    /// The paths that match a pattern, sorted. A pattern without `*`, `?`, `[` or `{` is a path.
    ///
    /// # Errors
    /// What keeps it from being looked up.
    fn matching(&self, pattern: &str) -> Result<Vec<String>, FileError>;

    /// The bytes of a file.
    ///
    /// # Errors
    /// What keeps it from being read.
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError>;

    /// The name under which people know the file.
    fn name(&self, path: &str) -> String {
        path.to_owned()
    }

    /// How much is read.
    fn limits(&self) -> Limits {
        Limits::default()
    }
}

/// How much is read in one run. What a stranger wrote may be of any size: beyond this it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest file, in bytes.
    pub file_size: u64,
    /// So many files in all.
    pub files: usize,
    /// So many statements in all files.
    pub statements: usize,
}

impl Default for Limits {
    /// Some ten times what the largest companies would write: 100,000 services with a file each. A statement may cost
    /// 3 kB.
    fn default() -> Self {
        Self { file_size: 64 * 1024 * 1024, files: 200_000, statements: 2_500_000 }
    }
}

/// Why a file cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileError {
    /// It lies outside the project root, perhaps behind a symbolic link.
    Outside,
    /// It is larger than the limit, both in bytes.
    TooLarge {
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// It is one file more than are read.
    TooManyFiles {
        /// So many are.
        limit: usize,
    },
    /// With it there are more statements than are read.
    TooManyStatements {
        /// So many are.
        limit: usize,
    },
    /// The system says no, in its own words.
    Unreadable(String),
}

impl FileError {
    /// The reason as a phrase that can follow the name of the file.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Outside => "lies outside the project root".to_owned(),
            Self::TooLarge { size, limit } => format!("has {size} bytes, more than the limit of {limit}"),
            Self::TooManyFiles { limit } => format!("goes beyond the limit of {limit} files"),
            Self::TooManyStatements { limit } => format!("goes beyond the limit of {limit} statements in all files"),
            Self::Unreadable(reason) => format!("cannot be read: {reason}"),
        }
    }
}

/// A file that was read.
#[derive(Debug)]
pub struct File {
    /// Its text.
    pub source: SourceId,
    /// What stands in it, unless it was let go.
    tree: OnceLock<Tree>,
    /// What is wrong with its text.
    pub problems: Vec<Problem>,
    /// How many statements it has, as the limit counts them.
    statements: usize,
}

impl File {
    /// What stands in it. If that was let go, it is read again.
    ///
    /// INVARIANT: reading works on several threads, so nothing that others wait for asks for what was let go.
    #[must_use]
    pub fn tree(&self, sources: &SourceMap) -> &Tree {
        self.tree.get_or_init(|| syntax::parse(sources, self.source).tree)
    }

    /// What stands in it, if that is still there.
    pub(crate) fn kept_tree(&self) -> Option<&Tree> {
        self.tree.get()
    }
}

/// The files of one topology.
#[derive(Debug, Default)]
pub struct Project {
    /// The path of its root.
    pub root: String,
    /// For each file that includes: the include statement and the files it brings in, in order.
    pub includes: IndexMap<Span, Vec<String>>,
    /// What is wrong with the includes.
    pub problems: Vec<Problem>,
}

/// Reads files, each once, whatever number of topologies they belong to.
pub struct Loader<'a> {
    files: &'a dyn Files,
    /// All texts.
    pub sources: SourceMap,
    read: IndexMap<String, Result<File, FileError>>,
    /// What each pattern matches: looking it up may take a walk over the disk.
    matched: HashMap<String, Result<Arc<Matched>, FileError>>,
    /// The paths that patterns match, each once.
    paths: IndexSet<String>,
    /// So many statements have been read.
    statements: usize,
    /// So many stand in all topologies: what several include counts for each of them, for each looks at all of it.
    in_projects: usize,
    exceeded: Option<(String, FileError)>,
}

/// A path that a pattern matches, by its number.
type PathId = usize;

/// The files that a pattern matches, sorted by path.
#[derive(Debug, Default)]
struct Matched {
    files: Vec<PathId>,
    all: HashSet<PathId>,
}

impl<'a> Loader<'a> {
    /// Reads from there.
    #[must_use]
    pub fn new(files: &'a dyn Files) -> Self {
        Self {
            files,
            sources: SourceMap::default(),
            read: IndexMap::new(),
            matched: HashMap::new(),
            paths: IndexSet::new(),
            statements: 0,
            in_projects: 0,
            exceeded: None,
        }
    }

    /// The file at a path.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub fn file(&mut self, path: &str) -> Result<&File, FileError> {
        self.read_all(&[path]);
        self.loaded(path)
    }

    /// What is too much to be read, by the name of what means it: nothing has been read since.
    #[must_use]
    pub fn exceeded(&self) -> Option<(&str, &FileError)> {
        self.exceeded.as_ref().map(|(name, error)| (name.as_str(), error))
    }

    fn exceed(&mut self, name: &str, error: &FileError) {
        let is_limit = matches!(error, FileError::TooManyFiles { .. } | FileError::TooManyStatements { .. });
        if is_limit && self.exceeded.is_none() {
            self.exceeded = Some((name.to_owned(), error.clone()));
        }
    }

    /// The files that could be read, in the order in which they were.
    pub fn all(&self) -> impl Iterator<Item = &File> {
        self.read.values().flatten()
    }

    /// The files that could be read, each with its path from the project root.
    pub fn paths(&self) -> impl Iterator<Item = (&str, &File)> {
        self.read.iter().filter_map(|(path, file)| Some((path.as_str(), file.as_ref().ok()?)))
    }

    /// Lets go what stands in the files, once topologies are made of it: an eighth of all memory. Texts and problems stay.
    pub(crate) fn let_go_of_trees(&mut self) -> Vec<Tree> {
        self.read.values_mut().flatten().filter_map(|file| file.tree.take()).collect()
    }

    /// The files of a project that could be read.
    pub fn files_of<'b>(&'b self, project: &'b Project) -> impl Iterator<Item = &'b File> {
        let included = project.includes.values().flatten();
        std::iter::once(&project.root).chain(included).filter_map(|path| self.loaded(path).ok())
    }

    /// The paths and patterns by which includes name files, whether or not there are any.
    pub fn looked_up(&self) -> impl Iterator<Item = &str> {
        self.matched.keys().map(String::as_str)
    }

    /// The files that match a pattern.
    fn matching(&mut self, pattern: &str) -> Result<Arc<Matched>, FileError> {
        if let Some(found) = self.matched.get(pattern) {
            return found.clone();
        }
        let most = self.files.limits().files;
        let found = match self.files.matching(pattern) {
            Ok(found) if found.len() > most => Err(FileError::TooManyFiles { limit: most }),
            Ok(found) => {
                let files: Vec<PathId> = found.into_iter().map(|path| self.paths.insert_full(path).0).collect();
                Ok(Arc::new(Matched { all: files.iter().copied().collect(), files }))
            }
            Err(error) => Err(error),
        };
        if let Err(error) = &found {
            self.exceed(pattern, error);
        }
        self.matched.insert(pattern.to_owned(), found.clone());
        found
    }

    fn path(&self, id: PathId) -> &str {
        self.paths.get_index(id).map_or("", String::as_str)
    }

    /// The file at a path, if it has been read.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub fn loaded(&self, path: &str) -> Result<&File, FileError> {
        match self.read.get(path) {
            Some(Ok(file)) => Ok(file),
            Some(Err(error)) => Err(error.clone()),
            None => Err(FileError::Unreadable("it has not been read".to_owned())),
        }
    }
}

/// Whether it may mean several files.
#[must_use]
pub fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '[', '{'])
}

/// A path relative to the folder of `from`, as a path from the project root; none if it leaves it.
pub(crate) fn join(from: &str, relative: &str) -> Option<String> {
    if relative.starts_with('/') || relative.contains('\\') || relative.contains(':') {
        return None;
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside_the_root() {
        assert_eq!(join("a/b.topo", "c/*.topo").as_deref(), Some("a/c/*.topo"));
        assert_eq!(join("a/b.topo", "../x.topo").as_deref(), Some("x.topo"));
        assert_eq!(join("a/b.topo", "../../x.topo"), None);
        assert_eq!(join("b.topo", "/etc/passwd"), None);
    }

    /// Two files, and how often each pattern was looked up.
    #[derive(Default)]
    struct Counted(std::sync::Mutex<Vec<String>>);

    impl Files for Counted {
        fn matching(&self, pattern: &str) -> Result<Vec<String>, FileError> {
            self.0.lock().unwrap().push(pattern.to_owned());
            Ok(vec!["b.topo".to_owned()])
        }

        fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
            Ok(if path == "a.topo" { b"include \"b*.topo\"\n".to_vec() } else { Vec::new() })
        }
    }

    #[test]
    fn a_pattern_is_looked_up_once() {
        let files = Counted::default();
        let mut loader = Loader::new(&files);
        assert_eq!(loader.roots(&["a.topo".to_owned(), "b.topo".to_owned()]), ["a.topo"]);
        assert_eq!(loader.project("a.topo").includes.values().flatten().collect::<Vec<_>>(), ["b.topo"]);
        assert_eq!(*files.0.lock().unwrap(), ["b*.topo"]);
    }
}
