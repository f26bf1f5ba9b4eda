//! Which files make one topology: a root and what it includes, each file once. Reads through a trait, so that the
//! library touches no disk and tests need none.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;

use crate::diagnostic::{Diagnostic, Problem};
use crate::source::{SourceId, SourceMap, Span};
use crate::syntax::{self, Plain, Statement, Tree};

/// Where texts come from. Paths are relative to the project root, with `/`, without `.` and `..`.
pub trait Files {
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
            Self::Unreadable(reason) => format!("cannot be read: {reason}"),
        }
    }
}

/// A file that was read.
#[derive(Debug)]
pub struct File {
    /// Its text.
    pub source: SourceId,
    /// What stands in it.
    pub tree: Tree,
    /// What is wrong with its text.
    pub problems: Vec<Problem>,
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
    matched: HashMap<String, Result<Vec<String>, FileError>>,
}

impl<'a> Loader<'a> {
    /// Reads from there.
    #[must_use]
    pub fn new(files: &'a dyn Files) -> Self {
        Self { files, sources: SourceMap::default(), read: IndexMap::new(), matched: HashMap::new() }
    }

    /// The file at a path.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub fn file(&mut self, path: &str) -> Result<&File, FileError> {
        if !self.read.contains_key(path) {
            let file = self.files.read(path).map(|bytes| self.take(path, &bytes));
            self.read.insert(path.to_owned(), file);
        }
        self.loaded(path)
    }

    /// The files that could be read, in the order in which they were.
    pub fn all(&self) -> impl Iterator<Item = &File> {
        self.read.values().flatten()
    }

    /// The files that could be read, each with its path from the project root.
    pub fn paths(&self) -> impl Iterator<Item = (&str, &File)> {
        self.read.iter().filter_map(|(path, file)| Some((path.as_str(), file.as_ref().ok()?)))
    }

    /// The files of a project that could be read.
    pub fn files_of<'b>(&'b self, project: &'b Project) -> impl Iterator<Item = &'b File> {
        let included = project.includes.values().flatten();
        std::iter::once(&project.root).chain(included).filter_map(|path| self.loaded(path).ok())
    }

    /// The files that match a pattern.
    fn matching(&mut self, pattern: &str) -> Result<Vec<String>, FileError> {
        if let Some(found) = self.matched.get(pattern) {
            return found.clone();
        }
        let found = self.files.matching(pattern);
        self.matched.insert(pattern.to_owned(), found.clone());
        found
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

    fn take(&mut self, path: &str, bytes: &[u8]) -> File {
        let text = String::from_utf8_lossy(bytes);
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
        let source = self.sources.add(self.files.name(path), text);
        let mut parsed = syntax::parse(&self.sources, source);
        if let Err(error) = std::str::from_utf8(bytes) {
            parsed.problems.insert(0, not_utf8(text, source, bytes, error));
        }
        File { source, tree: parsed.tree, problems: parsed.problems }
    }

    /// Of these files, those that no other one of them includes; of files that only include each other, the first.
    pub fn roots(&mut self, paths: &[String]) -> Vec<String> {
        let mut includes: IndexMap<&str, Vec<String>> = IndexMap::new();
        for path in paths {
            let patterns = self.includes_of(path).into_iter().filter_map(|include| include.pattern);
            let found = patterns.flat_map(|pattern| self.matching(&pattern).unwrap_or_default());
            includes.insert(path, found.filter(|other| other != path).collect());
        }
        let included: HashSet<&String> = includes.values().flatten().collect();
        let mut roots: Vec<String> = paths.iter().filter(|path| !included.contains(path)).cloned().collect();
        let mut reached: HashSet<&str> = HashSet::new();
        let mut next: Vec<&str> = paths.iter().filter(|path| !included.contains(path)).map(String::as_str).collect();
        for path in paths {
            while let Some(at) = next.pop() {
                if reached.insert(at) {
                    next.extend(includes.get(at).into_iter().flatten().map(String::as_str));
                }
            }
            if !reached.contains(path.as_str()) {
                roots.push(path.clone());
                next.push(path);
            }
        }
        roots
    }

    /// A root with all it includes.
    pub fn project(&mut self, root: &str) -> Project {
        let mut project = Project { root: root.to_owned(), ..Project::default() };
        let mut seen = HashSet::from([root.to_owned()]);
        let mut stack = vec![(root.to_owned(), self.includes_of(root).into_iter())];
        // Depth first with an explicit stack: a chain of includes may be long.
        while let Some((path, includes)) = stack.last_mut() {
            let path = path.clone();
            let Some(include) = includes.next() else {
                stack.pop();
                continue;
            };
            let chain: Vec<&str> = stack.iter().map(|(path, _)| path.as_str()).collect();
            let found = match self.find(&include, &path) {
                Ok(found) => found,
                Err(diagnostic) => {
                    project.problems.push(Problem::new("broken-include", *diagnostic));
                    continue;
                }
            };
            let mut fresh = Vec::new();
            for file in found {
                if let Some(start) = chain.iter().position(|link| *link == file) {
                    let names: Vec<String> = chain.iter().skip(start).map(|link| self.files.name(link)).collect();
                    let circle = format!("{} -> {}", names.join(" -> "), self.files.name(&file));
                    let diagnostic = Diagnostic::new(include.span, format!("these files include each other: {circle}"));
                    project.problems.push(Problem::new(
                        "broken-include",
                        diagnostic.help("remove one of these includes: names are shared by all files of a topology"),
                    ));
                } else if seen.insert(file.clone()) {
                    fresh.push(file);
                }
            }
            for file in &fresh {
                if let Err(error) = self.file(file) {
                    let message = format!("`{}` {}", self.files.name(file), error.reason());
                    project.problems.push(Problem::new("broken-include", Diagnostic::new(include.span, message)));
                }
            }
            let next: Vec<_> =
                fresh.iter().rev().map(|file| (file.clone(), self.includes_of(file).into_iter())).collect();
            project.includes.insert(include.statement, fresh);
            stack.extend(next);
        }
        project
    }

    /// The files that an include means, or what is wrong with it.
    fn find(&mut self, include: &Include, path: &str) -> Result<Vec<String>, Box<Diagnostic>> {
        let written = &include.written;
        let refuse = |message: String, help: &str| Box::new(Diagnostic::new(include.span, message).help(help));
        let Some(pattern) = &include.pattern else {
            return Err(refuse(
                format!("the include {written} leaves the project root"),
                "include only what lies inside the project",
            ));
        };
        let found = self.matching(pattern).map_err(|error| {
            refuse(
                format!("the include {written} {}", error.reason()),
                "a path is relative to this file, and stays inside the project",
            )
        })?;
        let found: Vec<String> = found.into_iter().filter(|file| file != path || !is_pattern(pattern)).collect();
        if found.is_empty() {
            return Err(refuse(
                format!("the include {written} matches no file"),
                "a path is relative to the file that it stands in",
            ));
        }
        Ok(found)
    }

    fn includes_of(&mut self, path: &str) -> Vec<Include> {
        let Ok(source) = self.file(path).map(|file| file.source) else { return Vec::new() };
        let Ok(file) = self.loaded(path) else { return Vec::new() };
        let statements = file.tree.statements.iter();
        let plain =
            statements.filter_map(|statement| if let Statement::Plain(plain) = statement { Some(plain) } else { None });
        let includes = plain.filter(|plain| self.sources.text(plain.name) == "include");
        includes.filter_map(|plain| self.include(plain, path, source)).collect()
    }

    fn include(&self, plain: &Plain, path: &str, source: SourceId) -> Option<Include> {
        let value = plain.values.first().filter(|value| value.kind == syntax::ValueKind::Text)?;
        debug_assert_eq!(value.span.source, source, "a statement lies in its file");
        let written = self.sources.text(value.span);
        let pattern = syntax::unescape(written);
        Some(Include {
            statement: plain.span,
            span: value.span,
            written: written.to_owned(),
            pattern: join(path, &pattern),
        })
    }
}

struct Include {
    statement: Span,
    span: Span,
    written: String,
    /// The pattern from the project root; none if it leaves it.
    pattern: Option<String>,
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

fn not_utf8(text: &str, source: SourceId, bytes: &[u8], error: std::str::Utf8Error) -> Problem {
    let offset = error.valid_up_to();
    let mark = if bytes.starts_with(&[0xEF, 0xBB, 0xBF]) { 3 } else { 0 };
    let count = text.matches('\u{FFFD}').count();
    let start = u32::try_from(offset - mark).unwrap_or(u32::MAX);
    let span = Span { source, start, end: start + 3 };
    let more = if count > 1 { format!(" (and at {} places more)", count - 1) } else { String::new() };
    let diagnostic = Diagnostic::new(span, format!("the bytes at offset {offset} are not UTF-8{more}"))
        .help("save the file as UTF-8");
    Problem::new("syntax", diagnostic)
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
    struct Counted(std::cell::RefCell<Vec<String>>);

    impl Files for Counted {
        fn matching(&self, pattern: &str) -> Result<Vec<String>, FileError> {
            self.0.borrow_mut().push(pattern.to_owned());
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
        assert_eq!(*files.0.borrow(), ["b*.topo"]);
    }
}
