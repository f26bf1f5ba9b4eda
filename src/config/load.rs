//! A configuration with all that it extends. What lies in a repository may come from a stranger: paths stay inside the
//! project, and circles and towers are refused.

use super::file::{Statements, read};
use super::{Config, limits, locks};
use crate::diagnostic::Diagnostic;
use crate::model::Files;
use crate::source::{SourceId, SourceMap, Span};

/// So many files may extend each other in a chain.
const DEEPEST: usize = 8;

/// So many files may make one configuration.
const MOST: usize = 32;

impl Config {
    /// Reads the configuration at a path from the project root, with all that it extends.
    ///
    /// # Errors
    /// All that is wrong with it, each at its place: also what makes a locked rule quieter than where it is locked.
    pub fn load(files: &dyn Files, sources: &mut SourceMap, path: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut chain = Chain { files, sources, above: Vec::new(), read: Vec::new(), problems: Vec::new() };
        chain.take(path, None);
        let Chain { read, mut problems, sources, .. } = chain;
        problems.extend(locks::loosened(&read, sources).into_iter().chain(limits::exceeded(&read)));
        if problems.is_empty() { Ok(Self { files: read, ..Self::default() }) } else { Err(problems) }
    }

    /// Reads one text as a configuration at the project root, without what it extends.
    ///
    /// # Errors
    /// All that is wrong with it, each with its place.
    pub fn read(sources: &SourceMap, id: SourceId) -> Result<Self, Vec<Diagnostic>> {
        let (said, mut problems) = read(sources, id, "topolint.yaml");
        let files = vec![said];
        problems.extend(locks::loosened(&files, sources).into_iter().chain(limits::exceeded(&files)));
        if problems.is_empty() { Ok(Self { files, ..Self::default() }) } else { Err(problems) }
    }
}

struct Chain<'a> {
    files: &'a dyn Files,
    sources: &'a mut SourceMap,
    /// The paths that extend each other down to here.
    above: Vec<String>,
    read: Vec<Statements>,
    problems: Vec<Diagnostic>,
}

impl Chain<'_> {
    fn take(&mut self, path: &str, extended_at: Option<Span>) {
        let bytes = match self.files.read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let name = if path.is_empty() { ".".to_owned() } else { self.files.name(path) };
                let message = format!("`{name}` {}", error.reason());
                let span = extended_at.unwrap_or_default();
                let help = "a path is relative to the file that it stands in, and stays inside the project";
                self.problems.push(Diagnostic::new(span, message).help(help));
                return;
            }
        };
        let text = String::from_utf8_lossy(&bytes);
        let id = self.sources.add(self.files.name(path), text.strip_prefix('\u{FEFF}').unwrap_or(&text));
        if let Err(error) = std::str::from_utf8(&bytes) {
            let span = Span { source: id, ..Span::default() };
            let message = format!("the bytes at offset {} are not UTF-8", error.valid_up_to());
            self.problems.push(Diagnostic::new(span, message).help("save the file as UTF-8"));
            return;
        }
        let (mut said, problems) = read(self.sources, id, path);
        said.extended_at = extended_at;
        self.problems.extend(problems);
        let extends = said.extends.clone();
        self.read.push(said);
        self.above.push(path.to_owned());
        // The later one is stronger.
        for next in extends.iter().rev() {
            if self.may_take(&next.text, next.span) {
                self.take(&next.text, Some(next.span));
            }
        }
        self.above.pop();
    }

    fn may_take(&mut self, path: &str, span: Span) -> bool {
        let name = |path: &String| self.files.name(path);
        let (message, help) = if let Some(start) = self.above.iter().position(|above| above == path) {
            let names: Vec<String> = self.above.iter().skip(start).map(name).collect();
            let circle = format!("{} -> {}", names.join(" -> "), self.files.name(path));
            (format!("these configurations extend each other: {circle}"), "remove one of these")
        } else if self.above.len() >= DEEPEST {
            (format!("more than {DEEPEST} configurations extend each other in a row"), "put some of them together")
        } else if self.read.len() >= MOST {
            // Said once, however many more there are.
            let said = format!("more than {MOST} configurations are extended");
            if self.problems.iter().any(|problem| problem.message == said) {
                return false;
            }
            (said, "put some of them together")
        } else {
            return true;
        };
        self.problems.push(Diagnostic::new(span, message).help(help));
        false
    }
}
