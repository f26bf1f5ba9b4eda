//! Findings file by file, for formats that are read so.

use std::collections::HashMap;

use crate::lint::{Finding, Outcome};
use crate::source::SourceId;

/// The reported findings of each file, from its start to its end; the file with the worst finding first.
pub(super) fn by_file(outcome: &Outcome) -> Vec<(SourceId, Vec<&Finding>)> {
    let mut files: Vec<(SourceId, Vec<&Finding>)> = Vec::new();
    let mut known: HashMap<SourceId, usize> = HashMap::new();
    for finding in outcome.shown() {
        let file = finding.diagnostic.primary.span.source;
        let at = *known.entry(file).or_insert(files.len());
        match files.get_mut(at) {
            Some((_, findings)) => findings.push(finding),
            None => files.push((file, vec![finding])),
        }
    }
    for (_, findings) in &mut files {
        findings.sort_by_key(|finding| finding.diagnostic.primary.span);
    }
    files
}
