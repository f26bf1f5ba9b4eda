//! Reads and parses files side by side. What comes of them is what came if each were read after the other: numbers of
//! sources, problems and limits follow the order in which the files are named.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{File, FileError, Files, Loader};
use crate::diagnostic::{Diagnostic, Problem};
use crate::parallel;
use crate::source::{SourceId, SourceMap, Span};
use crate::syntax::{self, Layout};

/// So many files are looked at together.
const WAVE: usize = 512;

/// No further file is read while so many bytes wait for being parsed.
const WAITING: usize = 16 * 1024 * 1024;

impl Loader<'_> {
    /// Reads these files, each once: [`Loader::loaded`] tells what has come of them.
    pub fn read_all(&mut self, paths: &[impl AsRef<str>]) {
        let mut seen = HashSet::new();
        let fresh: Vec<&str> = paths
            .iter()
            .map(AsRef::as_ref)
            .filter(|path| !self.read.contains_key(*path) && seen.insert(*path))
            .collect();
        let mut rest = fresh.as_slice();
        while !rest.is_empty() {
            let room = self.files.limits().files.saturating_sub(self.read.len());
            let (wave, behind) = rest.split_at(rest.len().min(room).min(WAVE));
            if wave.is_empty() || self.exceeded.is_some() {
                return rest.iter().for_each(|path| self.refuse(path));
            }
            let read = self.wave(wave);
            rest = rest.get(read..).unwrap_or(behind);
        }
    }

    /// Reads as many of these files as may wait together, at least one; how many.
    fn wave(&mut self, paths: &[&str]) -> usize {
        let texts = read_within(self.files, paths);
        let read = texts.len();
        let admitted: Vec<Result<Admitted, FileError>> =
            paths.iter().zip(texts).map(|(path, text)| self.admit(path, text?)).collect();
        let sources = &self.sources;
        let files = parallel::map(&admitted, |one| one.as_ref().map(|one| one.parse(sources)).map_err(Clone::clone));
        self.read.extend(paths.iter().map(|path| (*path).to_owned()).zip(files));
        read
    }

    /// Takes a text in, if its statements are not too many.
    fn admit(&mut self, path: &str, text: Text) -> Result<Admitted, FileError> {
        let limits = self.files.limits();
        if self.exceeded.is_some() {
            return Err(FileError::TooManyFiles { limit: limits.files });
        }
        let name = self.files.name(path);
        let statements = self.statements + text.layout.statements;
        let not_utf8 = text.not_utf8;
        let source = self.sources.add(name.clone(), text.written);
        if statements > limits.statements {
            let error = FileError::TooManyStatements { limit: limits.statements };
            self.exceed(&name, &error);
            return Err(error);
        }
        self.statements = statements;
        Ok(Admitted { source, layout: text.layout, not_utf8 })
    }

    /// Does not read a file, as there are too many.
    fn refuse(&mut self, path: &str) {
        let error = FileError::TooManyFiles { limit: self.files.limits().files };
        self.exceed(&self.files.name(path), &error);
        self.read.insert(path.to_owned(), Err(error));
    }
}

/// The texts of the first of these files, until so many bytes wait.
fn read_within(files: &dyn Files, paths: &[&str]) -> Vec<Result<Text, FileError>> {
    let waiting = AtomicUsize::new(0);
    let numbered: Vec<(usize, &str)> = paths.iter().copied().enumerate().collect();
    let read = parallel::map(&numbered, |(number, path)| {
        // The first is read in any case, so that there is an end.
        if *number > 0 && waiting.load(Ordering::Relaxed) > WAITING {
            return None;
        }
        let text = files.read(path).map(Text::of);
        waiting.fetch_add(text.as_ref().map_or(0, |text| text.written.len()), Ordering::Relaxed);
        Some(text)
    });
    read.into_iter().map_while(|text| text).collect()
}

/// A text that has been read, and may be too much.
struct Text {
    written: String,
    layout: Layout,
    not_utf8: Option<NotUtf8>,
}

/// Where a text is not UTF-8.
#[derive(Clone, Copy)]
struct NotUtf8 {
    /// Bytes of the file before it.
    offset: usize,
    /// Bytes of the mark that the file starts with, which is no part of the text.
    mark: usize,
}

impl Text {
    fn of(bytes: Vec<u8>) -> Self {
        let (mut text, offset) = match String::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(error) => {
                let offset = error.utf8_error().valid_up_to();
                (String::from_utf8_lossy(error.as_bytes()).into_owned(), Some(offset))
            }
        };
        let mark = if text.starts_with(MARK) { MARK.len_utf8() } else { 0 };
        text.drain(..mark);
        Self { layout: syntax::layout(&text), written: text, not_utf8: offset.map(|offset| NotUtf8 { offset, mark }) }
    }
}

/// What some editors start a file with.
const MARK: char = '\u{FEFF}';

/// A text that is parsed.
struct Admitted {
    source: SourceId,
    layout: Layout,
    not_utf8: Option<NotUtf8>,
}

impl Admitted {
    fn parse(&self, sources: &SourceMap) -> File {
        let parsed = syntax::parse_laid_out(sources, self.source, &self.layout);
        let mut problems = parsed.problems;
        if let Some(place) = self.not_utf8 {
            problems.insert(0, place.problem(sources, self.source));
        }
        File { source: self.source, tree: parsed.tree.into(), problems, statements: self.layout.statements }
    }
}

impl NotUtf8 {
    fn problem(self, sources: &SourceMap, source: SourceId) -> Problem {
        let text = sources.get(source).map_or("", |source| source.text.as_str());
        let count = text.matches('\u{FFFD}').count();
        let start = u32::try_from(self.offset - self.mark).unwrap_or(u32::MAX);
        let span = Span { source, start, end: start + 3 };
        let more = if count > 1 { format!(" (and at {} places more)", count - 1) } else { String::new() };
        let message = format!("the bytes at offset {} are not UTF-8{more}", self.offset);
        Problem::new("syntax", Diagnostic::new(span, message).help("save the file as UTF-8"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Limits;
    use super::*;

    /// Files that are called by numbers: many with a statement, some large ones, and some that nobody may read.
    struct Numbered {
        limits: Limits,
    }

    impl Files for Numbered {
        fn matching(&self, _: &str) -> Result<Vec<String>, FileError> {
            Ok(Vec::new())
        }

        fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
            match path.parse::<usize>().unwrap() % 100 {
                7 => Err(FileError::Unreadable("locked".to_owned())),
                20 => Ok(format!("service s{path}\n#{}", "x".repeat(WAITING / 4)).into_bytes()),
                _ => Ok(format!("service s{path}").into_bytes()),
            }
        }

        fn limits(&self) -> Limits {
            self.limits
        }
    }

    fn paths() -> Vec<String> {
        (0..1_000).map(|number| number.to_string()).collect()
    }

    #[test]
    fn texts_are_numbered_as_they_are_named_whoever_reads_them() {
        let files = Numbered { limits: Limits::default() };
        let mut loader = Loader::new(&files);
        loader.read_all(&paths());
        let names: Vec<&str> = loader.sources.iter().map(|(_, source)| source.name.as_str()).collect();
        let readable: Vec<String> = paths().into_iter().filter(|path| !path.ends_with("07") && path != "7").collect();
        assert_eq!(names, readable);
        let order: Vec<SourceId> = loader.all().map(|file| file.source).collect();
        assert_eq!(order, (0..990).map(SourceId).collect::<Vec<_>>());
        for path in &readable {
            let file = loader.loaded(path).unwrap();
            assert_eq!(file.tree(&loader.sources).statements.len(), 1);
            assert!(loader.sources.get(file.source).unwrap().text.starts_with(&format!("service s{path}")));
        }
        assert_eq!(loader.loaded("7").unwrap_err(), FileError::Unreadable("locked".to_owned()));
    }

    #[test]
    fn too_much_is_what_is_too_much_in_the_order_of_the_names() {
        let many = FileError::TooManyFiles { limit: 300 };
        for (limits, last, error) in [
            (Limits { files: 300, ..Limits::default() }, "299", many.clone()),
            (
                Limits { files: 300, statements: 200, ..Limits::default() },
                "201",
                FileError::TooManyStatements { limit: 200 },
            ),
        ] {
            let files = Numbered { limits };
            let mut loader = Loader::new(&files);
            loader.read_all(&paths());
            let next = (last.parse::<usize>().unwrap() + 1).to_string();
            assert_eq!(loader.exceeded(), Some((next.as_str(), &error)));
            assert!(loader.loaded(last).is_ok());
            assert_eq!(loader.loaded(&next).unwrap_err(), error);
            assert_eq!(loader.loaded("999").unwrap_err(), many, "nothing has been read since");
        }
    }
}
