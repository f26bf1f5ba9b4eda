//! What the tests share: texts in memory, linted as the binary lints files.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop")]

use std::collections::BTreeMap;

use topolint::config::Config;
use topolint::lint::{Outcome, Terms, lint};
use topolint::metadata::{Level, built_in_clients};
use topolint::model::{FileError, Files, Loader};
use topolint::source::SourceMap;

/// Files in memory; a pattern matches what starts and ends like it.
#[derive(Default)]
pub struct Texts(pub BTreeMap<String, Vec<u8>>);

impl Texts {
    /// One file.
    pub fn one(text: &str) -> Self {
        Self(BTreeMap::from([("example.topo".to_owned(), text.as_bytes().to_vec())]))
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
    with_outcome(&Texts::one(text), "example.topo", &Config::default(), |sources, outcome| {
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
    let mut loader = Loader::new(files);
    let project = loader.project(root);
    let terms = Terms { config, today: jiff::civil::date(2026, 11, 22), clients: built_in_clients() };
    let outcome = lint(&loader, &[project], &terms);
    then(&loader.sources, &outcome)
}
