//! One line a finding: `FILE:LINE:COLUMN: LEVEL[RULE] MESSAGE`. The form is fixed, so that editors can read it.

use std::fmt::Write as _;

use crate::lint::Outcome;
use crate::source::{SourceMap, clean};

/// The report, one line a finding.
#[must_use]
pub fn concise(sources: &SourceMap, outcome: &Outcome) -> String {
    let mut text = String::new();
    for finding in outcome.shown() {
        let span = finding.diagnostic.primary.span;
        let position = sources.position(span);
        let name = clean(sources.name(span)).replace(['\n', '\t'], "?");
        let message = clean(&finding.diagnostic.message).replace('\n', " ");
        let _ = writeln!(
            text,
            "{name}:{}:{}: {}[{}] {message}",
            position.line,
            position.column,
            finding.level.name(),
            finding.rule.name
        );
    }
    text
}
