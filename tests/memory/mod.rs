//! Files in memory, linted: the harness that the tests of the library and the fuzzer share. Knows no text of its own.

#![allow(dead_code, reason = "each crate that includes this file uses a part of it")]

use topolint::config::Config;
use topolint::diagnostic::Diagnostic;
use topolint::lint::{self, Outcome, Terms};
use topolint::model::{FileError, Files, Loader};
use topolint::source::{SourceMap, Span};
use topolint::{metadata, report};

/// Files by name; the first one is the root.
pub struct Memory(Vec<(String, Vec<u8>)>);

impl Memory {
    /// One file, `main.topo`.
    pub fn one(text: impl Into<Vec<u8>>) -> Self {
        Self(vec![("main.topo".to_owned(), text.into())])
    }

    /// `main.topo`, then `part-1.topo`, `part-2.topo` and so on.
    pub fn several(texts: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        let name = |index| if index == 0 { "main.topo".to_owned() } else { format!("part-{index}.topo") };
        Self(texts.into_iter().enumerate().map(|(index, text)| (name(index), text.into())).collect())
    }
}

impl Files for Memory {
    fn matching(&self, pattern: &str) -> Result<Vec<String>, FileError> {
        Ok(self.0.iter().map(|(name, _)| name).filter(|name| *name == pattern).cloned().collect())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        let found = self.0.iter().find(|(name, _)| name == path);
        found.map(|(_, bytes)| bytes.clone()).ok_or_else(|| FileError::Unreadable("there is no such file".to_owned()))
    }
}

/// Lints the topology of the root file and hands the result to `look`.
pub fn lint<R>(files: &Memory, look: impl FnOnce(&Loader<'_>, &Outcome) -> R) -> R {
    let mut loader = Loader::new(files);
    let project = loader.project("main.topo");
    let config = Config::default();
    let today = jiff::civil::date(2026, 11, 22);
    let terms = Terms { config: &config, today, clients: metadata::built_in_clients() };
    let outcome = lint::lint(&loader, &[project], &terms);
    look(&loader, &outcome)
}

/// What people and editors would read.
pub fn reports(sources: &SourceMap, outcome: &Outcome) -> String {
    let look = report::Look::default();
    report::human(sources, outcome, look, false) + &report::concise(sources, outcome)
}

/// Every place that a finding names: where it is, what it speaks of, what proves it, what its fix replaces.
pub fn places(diagnostic: &Diagnostic) -> impl Iterator<Item = Span> + '_ {
    let labels = diagnostic.labels.iter().map(|label| label.span);
    let witness = diagnostic.witness.iter().map(|step| step.span);
    let edits = diagnostic.fix.iter().flat_map(|fix| &fix.edits).map(|edit| edit.span);
    std::iter::once(diagnostic.primary.span).chain(labels).chain(witness).chain(edits)
}

/// Fails unless a place lies in its text, on boundaries of characters.
#[track_caller]
pub fn assert_in_text(sources: &SourceMap, span: Span, what: &str) {
    let text = sources.get(span.source).map(|source| source.text.as_str());
    let lies = text.is_some_and(|text| text.get(span.start as usize..span.end as usize).is_some());
    assert!(lies, "{what}: {span:?} lies outside its text of {:?} bytes", text.map(str::len));
}

/// Fails unless all that was found lies in its text.
#[track_caller]
pub fn assert_all_in_text(loader: &Loader<'_>, outcome: &Outcome) {
    for finding in &outcome.findings {
        for span in places(&finding.diagnostic) {
            assert_in_text(&loader.sources, span, finding.rule.name);
        }
    }
}
