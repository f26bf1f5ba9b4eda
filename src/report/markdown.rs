//! The report for a pull request or a job summary: numbers first, then a table, then the details, folded. What does not
//! fit is counted.

use std::fmt::Write as _;

use super::base::Base;
use super::escape::{markdown as safe, markdown_code as code};
use super::paint::Look;
use super::{bets, tally};
use crate::diagnostic::{Diagnostic, Step, spaced};
use crate::lint::{Finding, Outcome};
use crate::metadata::Level;
use crate::source::{SourceMap, Span};

/// So many bytes fit into a comment on GitHub, which takes 65,536 characters, with room for what others add.
pub const COMMENT: usize = 64_000;

/// So many bytes fit into all job summaries of one step on GitHub.
pub const SUMMARY: usize = 1 << 20;

/// What is kept for the lines that count what is left out.
const REMAINDER: usize = 400;

/// So many things that were not analysed are named.
const GAPS: usize = 10;

/// So many characters of each.
const GAP: usize = 300;

/// How a page is made.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    /// From where paths count.
    pub base: &'a Base,
    /// The largest size, in bytes.
    pub most: usize,
    /// Whether the table of bets is left out.
    pub brief: bool,
}

/// The report. All of it fits into the page, whatever was found.
#[must_use]
pub fn markdown(sources: &SourceMap, outcome: &Outcome, page: &Page<'_>) -> String {
    let levels = tally::levels(|level| outcome.count(level), Look::default());
    let mut text = format!("### topolint: {levels}\n\n{}\n", safe(&tally::line(outcome, Look::default())));
    let closing = closing(outcome, page.brief);
    let findings: Vec<&Finding> = outcome.shown().collect();
    let mut room = page.most.saturating_sub(text.len() + closing.len() + REMAINDER);
    if !findings.is_empty() {
        let table = table(sources, &findings, page.base, room);
        room = room.saturating_sub(table.len());
        text.push_str(&table);
        text.push_str(&details(sources, &findings, page.base, room));
    }
    text + &closing
}

/// One row a finding, as many as fit.
fn table(sources: &SourceMap, findings: &[&Finding], base: &Base, room: usize) -> String {
    let mut text = String::from("\n| level | rule | finding | where |\n| --- | --- | --- | --- |\n");
    for (index, finding) in findings.iter().enumerate() {
        let row = format!(
            "| {} | {} | {} | {} |\n",
            word(finding.level),
            code(finding.rule.name),
            safe(&finding.diagnostic.message),
            place(sources, finding.diagnostic.primary.span, base)
        );
        if text.len() + row.len() > room {
            let rest = findings.get(index..).unwrap_or_default();
            let number = |level| rest.iter().filter(|finding| finding.level == level).count();
            let levels = tally::levels(number, Look::default());
            let _ = write!(text, "\n… and {} more that do not fit here: {levels}\n", rest.len());
            break;
        }
        text.push_str(&row);
    }
    text
}

/// Everything that is known of each finding, as many as fit, folded away.
fn details(sources: &SourceMap, findings: &[&Finding], base: &Base, room: usize) -> String {
    let mut text = String::from("\n<details>\n<summary>Details</summary>\n");
    let mut fitting = 0;
    for finding in findings {
        let detail = detail(sources, finding, base);
        if text.len() + detail.len() > room {
            break;
        }
        text.push_str(&detail);
        fitting += 1;
    }
    match (fitting, findings.len() - fitting) {
        (0, _) => return String::new(),
        (_, 0) => {}
        (_, left) => {
            let _ = write!(text, "\nThe details of {} do not fit here.\n", tally::count(left, "further finding"));
        }
    }
    text + "\n</details>\n"
}

fn detail(sources: &SourceMap, finding: &Finding, base: &Base) -> String {
    let diagnostic: &Diagnostic = &finding.diagnostic;
    let mut text = format!(
        "\n---\n\n**{} {}** {}\n",
        word(finding.level),
        code(finding.rule.name),
        place(sources, diagnostic.primary.span, base)
    );
    let _ = write!(text, "\n{}\n", safe(&diagnostic.message));
    if !diagnostic.witness.is_empty() {
        text.push('\n');
    }
    for (index, Step { subject, span, text: what, .. }) in diagnostic.witness.iter().enumerate() {
        let (subject, what, place) = (code(&spaced(subject)), safe(what), place(sources, *span, base));
        let _ = writeln!(text, "{}. {subject}: {what} ({place})", index + 1);
    }
    let mut line = |head: &str, what: &str| {
        let _ = write!(text, "\n*{head}:* {}\n", safe(what));
    };
    diagnostic.path.iter().for_each(|path| line("path", path));
    diagnostic.consequence.iter().for_each(|consequence| line("so", consequence));
    diagnostic.help.iter().for_each(|help| line("help", help));
    text
}

/// What was not analysed, and the table of the bets.
fn closing(outcome: &Outcome, brief: bool) -> String {
    let mut text = String::new();
    let gaps: Vec<_> = outcome.topologies.iter().flat_map(|topology| &topology.not_analysed).collect();
    for gap in gaps.iter().take(GAPS) {
        let _ = write!(text, "\nNot analysed: {}\n", safe(&gap.to_string().chars().take(GAP).collect::<String>()));
    }
    if gaps.len() > GAPS {
        let _ = write!(text, "\nNot analysed: {} more\n", gaps.len() - GAPS);
    }
    if !brief {
        text.push_str(
            "\n| what the diagram bets on | findings | worst | what it states |\n| --- | ---: | --- | --- |\n",
        );
        for row in bets::rows(outcome) {
            let worst = row.worst.map_or("", Level::name);
            let _ = writeln!(text, "| {} | {} | {worst} | {} |", row.bet, row.findings, row.states);
        }
    }
    text
}

fn place(sources: &SourceMap, span: Span, base: &Base) -> String {
    code(&format!("{}:{}", base.shown(sources, span), sources.position(span).line))
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Info => "note",
    }
}
