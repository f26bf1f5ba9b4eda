//! For programs that read text: one line a finding, without frames, with the exact replacement where there is one:
//! `FILE:LINE:COLUMN LEVEL RULE: MESSAGE; fix: REPLACEMENT`. Grouped by file, and counted at the end.

use std::fmt::Write as _;

use super::by_file::by_file;
use super::escape::one_line;
use super::paint::Look;
use super::tally;
use crate::diagnostic::{Edit, Fix};
use crate::lint::{Finding, Outcome};
use crate::source::{SourceMap, Span};

/// The report, file by file; the file with the worst finding first.
#[must_use]
pub fn agent(sources: &SourceMap, outcome: &Outcome) -> String {
    let findings = by_file(outcome).into_iter().flat_map(|(_, findings)| findings);
    let mut text = findings.fold(String::new(), |text, finding| text + &line(sources, finding) + "\n");
    text.push_str(&one_line(&tally::line(outcome, Look::default())));
    text + "\n"
}

fn line(sources: &SourceMap, finding: &Finding) -> String {
    let diagnostic = &finding.diagnostic;
    let span = diagnostic.primary.span;
    let position = sources.position(span);
    let mut line = format!(
        "{}:{}:{} {} {}: {}",
        sources.name(span),
        position.line,
        position.column,
        finding.level.name(),
        finding.rule.name,
        one_line(&diagnostic.message)
    );
    // Writing into a string cannot fail.
    let _ = match &diagnostic.fix {
        Some(fix) => write!(line, "; fix: {}", replacement(sources, span, fix)),
        None if diagnostic.help.is_empty() => Ok(()),
        None => write!(line, "; help: {}", one_line(&diagnostic.help.join(", "))),
    };
    line
}

fn replacement(sources: &SourceMap, place: Span, fix: &Fix) -> String {
    let edits: Vec<String> = fix.edits.iter().map(|edit| order(sources, place, edit)).collect();
    let edits = edits.join(" and ");
    if fix.safe { edits } else { format!("{edits} (it changes what the diagram says)") }
}

/// "replace 3:5-3:12 with "timeout 1s"".
fn order(sources: &SourceMap, place: Span, edit: &Edit) -> String {
    let (start, end) = (sources.position(edit.span), sources.end(edit.span));
    let file = if edit.span.source == place.source { "" } else { sources.name(edit.span) };
    let file = if file.is_empty() { String::new() } else { format!("{file}:") };
    let start = format!("{file}{}:{}", start.line, start.column);
    let end = format!("{}:{}", end.line, end.column);
    match (edit.span.is_empty(), edit.replacement.as_str()) {
        (true, text) => format!("insert {text:?} at {start}"),
        (false, "") => format!("delete {start}-{end}"),
        (false, text) => format!("replace {start}-{end} with {text:?}"),
    }
}
