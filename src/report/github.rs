//! Annotations of GitHub Actions, as commands to the runner. It shows ten of each level for a step and drops the rest
//! without a word: the worst are said, and one notice counts what is left.

use super::base::Base;
use super::paint::Look;
use super::tally;
use crate::lint::{Finding, Outcome};
use crate::metadata::Level;
use crate::source::{SourceMap, clean};

/// So many annotations of each level are shown for a step.
const SHOWN: usize = 10;

/// The annotations. `rest` says where the findings are that have none.
#[must_use]
pub fn github(sources: &SourceMap, outcome: &Outcome, base: &Base, rest: &str) -> String {
    let overflows = Level::ALL.into_iter().any(|level| outcome.count(level) > SHOWN);
    // The notice that counts is one of the ten.
    let most = |level| if overflows && level == Level::Info { SHOWN - 1 } else { SHOWN };
    let mut text = String::new();
    for level in Level::ALL {
        let findings = outcome.shown().filter(|finding| finding.level == level).take(most(level));
        findings.for_each(|finding| text.push_str(&annotation(sources, finding, base)));
    }
    if overflows {
        let left = |level| outcome.count(level).saturating_sub(most(level));
        let levels = tally::levels(left, Look::default());
        let message = format!("{levels} without an annotation, of which GitHub shows {SHOWN} a level: {rest}");
        text.push_str("::notice title=topolint::");
        text.push_str(&data(&message));
        text.push('\n');
    }
    text
}

/// A report for people as the runner shall print it: nothing in it is taken for a command. It ends that at a word that
/// is not in the report.
#[must_use]
pub fn quoted(report: &str) -> String {
    let words = (0u64..).map(|number| format!("topolint-{number}"));
    let end = words.into_iter().find(|word| !report.contains(word.as_str())).unwrap_or_default();
    format!("::stop-commands::{end}\n{report}::{end}::\n")
}

fn annotation(sources: &SourceMap, finding: &Finding, base: &Base) -> String {
    let diagnostic = &finding.diagnostic;
    let span = diagnostic.primary.span;
    let (start, end) = (sources.position(span), sources.end(span));
    let command = match finding.level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Info => "notice",
    };
    let file = property(&base.shown(sources, span));
    // Columns are for places in one line only.
    let columns =
        if start.line == end.line { format!(",col={},endColumn={}", start.column, end.column) } else { String::new() };
    let consequence = diagnostic.consequence.iter().map(|consequence| format!("so: {consequence}"));
    let help = diagnostic.help.iter().map(|help| format!("help: {help}"));
    let sentences: Vec<String> = std::iter::once(diagnostic.message.clone()).chain(consequence).chain(help).collect();
    let (title, message) = (property(finding.rule.name), data(&sentences.join("\n")));
    format!("::{command} file={file},line={},endLine={}{columns},title={title}::{message}\n", start.line, end.line)
}

fn data(text: &str) -> String {
    clean(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
