//! What would make one run very many: each pattern is tried on each file, and a rule runs once for each of its options
//! that are in force somewhere.

use std::collections::BTreeMap;

use super::file::Statements;
use super::pattern::Pattern;
use crate::diagnostic::Diagnostic;

/// So many patterns may choose files.
const PATTERNS: usize = 1_000;

/// So many overrides may set options of one rule.
const OPTIONS: usize = 32;

/// Where a configuration says more than is told apart, with all that it extends.
pub(super) fn exceeded(files: &[Statements]) -> Vec<Diagnostic> {
    let of_overrides = files.iter().flat_map(|file| &file.overrides).flat_map(|entry| &entry.files);
    let of_files = files.iter().flat_map(|file| file.include.iter().chain(&file.exclude)).flatten();
    let patterns = of_overrides.chain(of_files).nth(PATTERNS).map(|pattern: &Pattern| {
        Diagnostic::new(pattern.span, format!("more than {PATTERNS} patterns choose files"))
            .help("name folders instead of the files in them")
    });
    let mut set: BTreeMap<&str, usize> = BTreeMap::new();
    let mut crowded = Vec::new();
    for entry in files.iter().flat_map(|file| &file.overrides) {
        let mut options: Vec<_> = entry.layer.options.iter().map(|((rule, _), (_, span))| (*rule, *span)).collect();
        options.dedup_by_key(|(rule, _)| *rule);
        for (rule, span) in options {
            let count = set.entry(rule).or_default();
            *count += 1;
            if *count == OPTIONS + 1 {
                let message = format!("more than {OPTIONS} overrides set options of `{rule}`");
                crowded.push(Diagnostic::new(span, message).help("put files with the same options into one of them"));
            }
        }
    }
    patterns.into_iter().chain(crowded).collect()
}
