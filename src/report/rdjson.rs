//! The diagnostic format of reviewdog, which comments pull requests on many hosts: fixes become suggestions there.
//! Columns count bytes of UTF-8, and the end of a range is behind it.

use std::io::{self, Write};

use serde::Serialize;

use super::escape::one_line;
use super::lines;
use crate::diagnostic::Fix;
use crate::lint::{Finding, Outcome};
use crate::metadata::Level;
use crate::source::{Source, SourceMap, Span};

/// Writes the report.
///
/// # Errors
/// What keeps it from being written.
pub fn rdjson(sources: &SourceMap, outcome: &Outcome, out: &mut impl Write) -> io::Result<()> {
    let diagnostics = outcome.shown().map(|finding| Row::of(sources, finding)).collect();
    lines::write(out, &Report { source: Origin { name: "topolint" }, diagnostics }, 2)
}

#[derive(Serialize)]
struct Report {
    source: Origin,
    diagnostics: Vec<Row>,
}

#[derive(Serialize)]
struct Origin {
    name: &'static str,
}

#[derive(Serialize)]
struct Row {
    message: String,
    location: Location,
    severity: &'static str,
    code: Code,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suggestions: Vec<Suggestion>,
}

#[derive(Serialize)]
struct Location {
    path: String,
    range: Range,
}

#[derive(Serialize)]
struct Range {
    start: Position,
    end: Position,
}

#[derive(Serialize)]
struct Position {
    line: usize,
    column: usize,
}

#[derive(Serialize)]
struct Code {
    value: &'static str,
}

#[derive(Serialize)]
struct Suggestion {
    range: Range,
    text: String,
}

impl Row {
    fn of(sources: &SourceMap, finding: &Finding) -> Self {
        let diagnostic = &finding.diagnostic;
        let span = diagnostic.primary.span;
        let severity = match finding.level {
            Level::Error => "ERROR",
            Level::Warn => "WARNING",
            Level::Info => "INFO",
        };
        let sentences = std::iter::once(one_line(&diagnostic.message));
        let help = diagnostic.help.iter().map(|help| format!("help: {}", one_line(help)));
        Self {
            message: sentences.chain(help).collect::<Vec<String>>().join("\n"),
            location: Location {
                path: sources.get(span.source).map_or_else(String::new, |source| source.path.clone()),
                range: range(sources, span),
            },
            severity,
            code: Code { value: finding.rule.name },
            suggestions: diagnostic.fix.as_ref().map_or_else(Vec::new, |fix| suggestions(sources, span, fix)),
        }
    }
}

/// A suggestion names no file: it is for the one of its diagnostic.
fn suggestions(sources: &SourceMap, place: Span, fix: &Fix) -> Vec<Suggestion> {
    if fix.edits.iter().any(|edit| edit.span.source != place.source) {
        return Vec::new();
    }
    let suggestion = |edit: &crate::diagnostic::Edit| Suggestion {
        range: range(sources, edit.span),
        text: edit.replacement.clone(),
    };
    fix.edits.iter().map(suggestion).collect()
}

fn range(sources: &SourceMap, span: Span) -> Range {
    let position = |offset| {
        let position = sources.get(span.source).map(|source: &Source| source.position_in_bytes(offset));
        let (line, column) = position.map_or((1, 1), |position| (position.line, position.column));
        Position { line, column }
    };
    Range { start: position(span.start), end: position(span.end) }
}
