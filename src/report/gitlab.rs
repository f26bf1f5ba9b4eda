//! Code quality of GitLab: one entry a finding, with our fingerprint, so that a merge request shows what is new.

use std::io::{self, Write};

use serde::Serialize;

use super::base::Base;
use super::escape::one_line;
use super::lines;
use crate::lint::{Finding, Outcome};
use crate::metadata::Level;
use crate::source::SourceMap;

/// Writes the report.
///
/// # Errors
/// What keeps it from being written.
pub fn gitlab(sources: &SourceMap, outcome: &Outcome, base: &Base, out: &mut impl Write) -> io::Result<()> {
    let issues: Vec<Issue> = outcome.shown().map(|finding| Issue::of(sources, finding, base)).collect();
    lines::write(out, &issues, 1)
}

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
    end: usize,
}

impl Issue {
    fn of(sources: &SourceMap, finding: &Finding, base: &Base) -> Self {
        let span = finding.diagnostic.primary.span;
        let severity = match finding.level {
            Level::Error => "critical",
            Level::Warn => "major",
            Level::Info => "info",
        };
        Self {
            description: format!("{}: {}", finding.rule.name, one_line(&finding.diagnostic.message)),
            check_name: finding.rule.name,
            fingerprint: finding.fingerprint.to_string(),
            severity,
            location: Location {
                path: base.path(sources, span),
                lines: Lines { begin: sources.position(span).line, end: sources.end(span).line },
            },
        }
    }
}
