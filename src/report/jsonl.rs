//! The report for programs that read line by line, `jsonl-v1`: one finding a line, as in `json-v1`, and the counts in
//! the last one. Fields may be added; none changes its meaning.

use std::io::{self, Write};

use serde::Serialize;

use super::json::{Counts, FindingRow};
use super::lines;
use crate::lint::Outcome;
use crate::source::SourceMap;

/// Writes the report, finding by finding.
///
/// # Errors
/// What keeps it from being written.
pub fn jsonl(sources: &SourceMap, outcome: &Outcome, out: &mut impl Write) -> io::Result<()> {
    let mut line = |content| lines::write(out, &Line { schema: Version::JsonlV1, content }, 0);
    for finding in &outcome.findings {
        line(Content::Finding(Box::new(FindingRow::of(sources, finding))))?;
    }
    line(Content::Summary { counts: Counts::of(outcome) })
}

/// One line of `topolint check -f jsonl`.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Line<'a> {
    schema: Version,
    #[serde(flatten)]
    content: Content<'a>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum Version {
    #[serde(rename = "jsonl-v1")]
    JsonlV1,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Content<'a> {
    /// Something that was found, hidden or not.
    Finding(Box<FindingRow<'a>>),
    /// The last line.
    Summary { counts: Counts },
}
