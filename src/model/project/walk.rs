//! From file to file along the includes. All of it takes time close to linear in what is included: of a pattern that a
//! hundred thousand files include, the files are looked at once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{FileError, Loader, Matched, PathId, Project, is_pattern, join};
use crate::diagnostic::{Diagnostic, Problem};
use crate::source::{SourceId, Span};
use crate::syntax::{self, Plain, Statement};

/// So many files above a file may close a circle with a pattern; a longer circle is not looked for.
const NEAREST: usize = 1_000;

/// So many files of a circle are named.
const NAMED: usize = 8;

impl Loader<'_> {
    /// Of these files, those that no other one of them includes; of files that only include each other, the first.
    pub fn roots(&mut self, paths: &[String]) -> Vec<String> {
        let patterns: HashMap<&str, Vec<String>> = paths
            .iter()
            .map(|path| (path.as_str(), self.includes_of(path).into_iter().filter_map(|it| it.pattern).collect()))
            .collect();
        let included = self.included(&patterns);
        let (mut roots, mut reached, mut followed) = (Vec::new(), HashSet::new(), HashSet::new());
        let first = paths.iter().filter(|path| !included.contains(path.as_str()));
        for root in first.chain(paths) {
            if reached.contains(root.as_str()) {
                continue;
            }
            roots.push(root.clone());
            let mut next = vec![root.clone()];
            while let Some(at) = next.pop() {
                let Some(patterns) = patterns.get(at.as_str()).filter(|_| reached.insert(at.clone())) else { continue };
                for pattern in patterns.iter().filter(|pattern| followed.insert(pattern.as_str())) {
                    let found = self.matching(pattern).unwrap_or_default();
                    next.extend(found.files.iter().map(|path| self.path(*path).to_owned()));
                }
            }
        }
        roots
    }

    /// The files that another one includes.
    fn included(&mut self, patterns: &HashMap<&str, Vec<String>>) -> HashSet<String> {
        let mut includers: HashMap<&str, (&str, bool)> = HashMap::new();
        for (path, pattern) in patterns.iter().flat_map(|(path, all)| all.iter().map(move |pattern| (*path, pattern))) {
            let (first, several) = includers.entry(pattern).or_insert((path, false));
            *several |= *first != path;
        }
        let mut included = HashSet::new();
        for (pattern, (only, several)) in includers {
            let found = self.matching(pattern).unwrap_or_default();
            let files = found.files.iter().map(|file| self.path(*file)).filter(|file| several || *file != only);
            included.extend(files.map(str::to_owned));
        }
        included
    }

    /// A root with all it includes.
    pub fn project(&mut self, root: &str) -> Project {
        let mut project = Project { root: root.to_owned(), ..Project::default() };
        let mut way = Way::default();
        let start = self.paths.insert_full(root.to_owned()).0;
        way.seen.insert(start);
        way.descend(start, self.includes_of(root));
        // Depth first with an explicit stack: a chain of includes may be long.
        while let Some(turn) = way.next() {
            match turn {
                Turn::File(path) => {
                    let name = self.path(path).to_owned();
                    let includes = self.includes_of(&name);
                    way.descend(path, includes);
                }
                Turn::Include(include, from) => self.follow(&include, from, &mut way, &mut project),
            }
        }
        self.in_projects += self.files_of(&project).map(|file| file.statements).sum::<usize>();
        let limit = self.files.limits().statements;
        if self.in_projects > limit {
            self.exceed(&self.files.name(root), &FileError::TooManyStatements { limit });
        }
        project
    }

    /// Takes in what an include means.
    fn follow(&mut self, include: &Include, from: PathId, way: &mut Way, project: &mut Project) {
        let mut say = |diagnostic| project.problems.push(Problem::new("broken-include", diagnostic));
        let name = self.path(from).to_owned();
        let found = match self.find(include, &name) {
            Ok(found) => found,
            Err(diagnostic) => return say(*diagnostic),
        };
        let by_pattern = include.pattern.as_deref().is_some_and(is_pattern);
        if let Some(start) = way.circle(&found, from, by_pattern) {
            say(self.circle(include, way.above(start)));
        }
        let is_new = include.pattern.as_ref().is_none_or(|pattern| way.followed.insert(pattern.clone()));
        let fresh: Vec<PathId> = found.files.iter().copied().filter(|file| is_new && way.seen.insert(*file)).collect();
        let paths: Vec<String> = fresh.iter().map(|file| self.path(*file).to_owned()).collect();
        self.read_all(&paths);
        for path in &paths {
            if let Err(error) = self.loaded(path) {
                let message = format!("`{}` {}", self.files.name(path), error.reason());
                say(Diagnostic::new(include.span, message));
            }
        }
        project.includes.insert(include.statement, paths);
        way.enter(fresh);
    }

    fn circle(&self, include: &Include, files: impl ExactSizeIterator<Item = PathId>) -> Diagnostic {
        let length = files.len();
        let mut names: Vec<String> = Vec::new();
        for (index, file) in files.enumerate() {
            if length <= NAMED || index < NAMED / 2 || index + NAMED / 2 >= length {
                names.push(self.files.name(self.path(file)));
            } else if index == NAMED / 2 {
                names.push("…".to_owned());
            }
        }
        let first = names.first().cloned().unwrap_or_default();
        let message = format!("these files include each other: {} -> {first}", names.join(" -> "));
        let help = "remove one of these includes: names are shared by all files of a topology";
        Diagnostic::new(include.span, message).help(help)
    }

    /// The files that an include means, or what is wrong with it.
    fn find(&mut self, include: &Include, path: &str) -> Result<Arc<Matched>, Box<Diagnostic>> {
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
        let is_itself = |file: &PathId| is_pattern(pattern) && self.path(*file) == path;
        if found.files.iter().all(is_itself) {
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
        let statements = file.tree(&self.sources).statements.iter();
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

/// What is written to include something.
struct Include {
    /// The statement.
    statement: Span,
    /// The path in it.
    span: Span,
    /// The path as it is written.
    written: String,
    /// The pattern from the project root; none if it leaves it.
    pattern: Option<String>,
}

/// Where the walk is: the files from the root down, each with what it still has to include.
#[derive(Default)]
struct Way {
    stack: Vec<Level>,
    /// How deep each file on the way lies.
    depth: HashMap<PathId, usize>,
    seen: HashSet<PathId>,
    followed: HashSet<String>,
}

struct Level {
    file: PathId,
    includes: std::vec::IntoIter<Include>,
    /// What the last include has brought and is not walked yet.
    files: std::vec::IntoIter<PathId>,
}

/// What comes next.
enum Turn {
    File(PathId),
    /// An include, and the file that it stands in.
    Include(Include, PathId),
}

impl Way {
    fn descend(&mut self, file: PathId, includes: Vec<Include>) {
        self.depth.insert(file, self.stack.len());
        self.stack.push(Level { file, includes: includes.into_iter(), files: Vec::new().into_iter() });
    }

    fn enter(&mut self, files: Vec<PathId>) {
        if let Some(level) = self.stack.last_mut() {
            level.files = files.into_iter();
        }
    }

    fn next(&mut self) -> Option<Turn> {
        while let Some(level) = self.stack.last_mut() {
            if let Some(file) = level.files.next() {
                return Some(Turn::File(file));
            }
            if let Some(include) = level.includes.next() {
                return Some(Turn::Include(include, level.file));
            }
            self.depth.remove(&level.file);
            self.stack.pop();
        }
        None
    }

    /// How deep the nearest file lies that closes a circle; a pattern does not mean the file that it stands in.
    fn circle(&self, found: &Matched, from: PathId, by_pattern: bool) -> Option<usize> {
        if !by_pattern {
            return found.files.iter().find_map(|file| self.depth.get(file)).copied();
        }
        let nearest = self.stack.iter().enumerate().rev().take(NEAREST);
        let mut above = nearest.filter(|(_, level)| level.file != from);
        above.find(|(_, level)| found.all.contains(&level.file)).map(|(depth, _)| depth)
    }

    /// The files from a depth down to here.
    fn above(&self, depth: usize) -> impl ExactSizeIterator<Item = PathId> {
        self.stack.get(depth..).unwrap_or_default().iter().map(|level| level.file)
    }
}
