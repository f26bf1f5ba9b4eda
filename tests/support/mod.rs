//! What the tests and the fuzzer share: texts in memory, linted as the binary lints files. Knows no text of its own.

#![allow(dead_code, reason = "each crate that includes this file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use topolint::analysis::Facts;
use topolint::config::Config;
use topolint::diagnostic::{Diagnostic, Problem};
use topolint::lint::{self, Outcome, Terms};
use topolint::metadata::{Level, built_in_clients};
use topolint::model::{FileError, Files, Loader, lower};
use topolint::render::{self, Scene, Theme, View};
use topolint::report;
use topolint::source::{SourceMap, Span};

/// The root file, where there is only one topology.
pub const ROOT: &str = "example.topo";

/// Files in memory; a pattern matches what starts and ends like it.
#[derive(Default)]
pub struct Texts(pub BTreeMap<String, Vec<u8>>);

impl Texts {
    /// One file.
    pub fn one(text: impl Into<Vec<u8>>) -> Self {
        Self::several([text])
    }

    /// The root, then `part-1.topo`, `part-2.topo` and so on.
    pub fn several(texts: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Self {
        let name = |index| if index == 0 { ROOT.to_owned() } else { format!("part-{index}.topo") };
        Self(texts.into_iter().enumerate().map(|(index, text)| (name(index), text.into())).collect())
    }
}

/// All files of the examples.
pub fn example_texts() -> Texts {
    let mut texts = Texts::default();
    gather(Path::new("examples"), &mut texts);
    texts
}

fn gather(folder: &Path, texts: &mut Texts) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            gather(&path, texts);
        } else {
            texts.0.insert(path.to_string_lossy().into_owned(), fs::read(&path).expect("a file"));
        }
    }
}

impl Files for Texts {
    fn matching(&self, pattern: &str) -> Result<Vec<String>, FileError> {
        let (start, end) = pattern.split_once('*').unwrap_or((pattern, ""));
        let fits = |path: &&String| {
            path.starts_with(start) && path.ends_with(end) && (pattern.contains('*') || *path == pattern)
        };
        Ok(self.0.keys().filter(fits).cloned().collect())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        self.0.get(path).cloned().ok_or_else(|| FileError::Unreadable("no such file".to_owned()))
    }
}

/// Looks at the facts of a text, and at what is wrong with it.
pub fn with_facts<T>(text: &str, look: impl FnOnce(&Facts<'_>, &[Problem]) -> T) -> T {
    let files = Texts::one(text);
    let mut loader = Loader::new(&files);
    let project = loader.project(ROOT);
    let (topology, problems) = lower(&loader, &project, built_in_clients());
    look(&Facts::new(&topology, built_in_clients()), &problems)
}

/// One reported finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    pub line: usize,
    pub rule: &'static str,
    pub level: Level,
    pub message: String,
}

/// Lints a text with the built-in configuration.
pub fn found(text: &str) -> Vec<Found> {
    with_outcome(&Texts::one(text), ROOT, &Config::default(), |sources, outcome| {
        let mut found: Vec<Found> = outcome
            .shown()
            .map(|finding| Found {
                line: sources.position(finding.diagnostic.primary.span).line,
                rule: finding.rule.name,
                level: finding.level,
                message: finding.diagnostic.message.clone(),
            })
            .collect();
        found.sort();
        found
    })
}

/// Lints a root file and hands the outcome over.
pub fn with_outcome<T>(files: &Texts, root: &str, config: &Config, then: impl FnOnce(&SourceMap, &Outcome) -> T) -> T {
    with_loader(files, root, config, |loader, outcome| then(&loader.sources, outcome))
}

/// Lints the topology of the root file and hands the result to `look`.
pub fn lint<T>(files: &Texts, look: impl FnOnce(&Loader<'_>, &Outcome) -> T) -> T {
    with_loader(files, ROOT, &Config::default(), look)
}

fn with_loader<T>(files: &Texts, root: &str, config: &Config, look: impl FnOnce(&Loader<'_>, &Outcome) -> T) -> T {
    let mut loader = Loader::new(files);
    let project = loader.project(root);
    let terms = Terms { config, today: jiff::civil::date(2026, 11, 22), clients: built_in_clients() };
    let outcome = lint::lint(&mut loader, &[project], &terms);
    look(&loader, &outcome)
}

/// What a picture of a root file shows.
pub fn scene(files: &Texts, root: &str, view: &View) -> Scene {
    with_scene(files, root, view, |scene, _, _, _| scene.clone())
}

/// The page of a root file.
pub fn page(files: &Texts, root: &str, view: &View, theme: Theme) -> String {
    with_scene(files, root, view, |scene, facts, sources, outcome| {
        render::html(scene, facts, sources, &outcome.shown().collect::<Vec<_>>(), theme)
    })
}

fn with_scene<T>(
    files: &Texts,
    root: &str,
    view: &View,
    then: impl FnOnce(&Scene, &Facts<'_>, &SourceMap, &Outcome) -> T,
) -> T {
    let mut loader = Loader::new(files);
    let project = loader.project(root);
    let config = Config::default();
    let terms = Terms { config: &config, today: jiff::civil::date(2026, 11, 22), clients: built_in_clients() };
    let outcome = lint::lint(&mut loader, std::slice::from_ref(&project), &terms);
    let (topology, _) = lower(&loader, &project, built_in_clients());
    let facts = Facts::new(&topology, built_in_clients());
    then(&render::scene(&facts, &loader.sources, &outcome, view), &facts, &loader.sources, &outcome)
}

/// What people, editors and programs would read.
pub fn reports(sources: &SourceMap, outcome: &Outcome) -> String {
    let look = report::Look::default();
    let mut json = Vec::new();
    report::json(sources, outcome, &mut json).expect("memory");
    let json = String::from_utf8(json).expect("UTF-8");
    report::human(sources, outcome, look, false) + &report::concise(sources, outcome) + &json
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
