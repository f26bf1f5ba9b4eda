//! The report for a person at a terminal: what, where with the arithmetic, what follows, what to write instead.

use std::fmt::Write as _;

use super::paint::Look;
use super::{bets, snippet, tally};
use crate::diagnostic::{Certainty, spaced};
use crate::lint::{Finding, Outcome};
use crate::metadata::Level;
use crate::source::{SourceMap, clean};

/// From so many on, findings that say the same are said once; two, if the same helps both.
const GROUP: usize = 3;

/// So many members of a group are listed.
const LISTED: usize = 24;

/// The report. `brief` leaves the table of bets out.
#[must_use]
pub fn human(sources: &SourceMap, outcome: &Outcome, look: Look, brief: bool) -> String {
    let mut text = String::new();
    for group in groups(outcome) {
        match group.as_slice() {
            [one] => single(&mut text, sources, one, look),
            many => several(&mut text, sources, many, look),
        }
        text.push('\n');
    }
    if !brief {
        text.push_str(&bets::table(outcome, look));
        text.push('\n');
    }
    closing(&mut text, outcome, look);
    text
}

/// Findings in order, those that say the same together at the place of the first.
fn groups(outcome: &Outcome) -> Vec<Vec<&Finding>> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    let mut known: std::collections::HashMap<(&str, Level, &str), usize> = std::collections::HashMap::new();
    for finding in outcome.shown() {
        let plain = finding.diagnostic.certainty != Certainty::Proved || finding.diagnostic.witness.is_empty();
        let key = finding
            .diagnostic
            .group
            .as_deref()
            .filter(|_| plain)
            .map(|group| (finding.rule.name, finding.level, group));
        if let Some(group) = key.and_then(|key| known.get(&key)).and_then(|at| groups.get_mut(*at)) {
            group.push(finding);
        } else {
            known.extend(key.map(|key| (key, groups.len())));
            groups.push(vec![finding]);
        }
    }
    groups.into_iter().flat_map(apart).collect()
}

/// A few that say the same are still said one by one.
fn apart(group: Vec<&Finding>) -> Vec<Vec<&Finding>> {
    let alike = matches!(group.as_slice(), [one, other] if one.diagnostic.help == other.diagnostic.help);
    if group.len() < GROUP && !alike { group.into_iter().map(|one| vec![one]).collect() } else { vec![group] }
}

fn heading(text: &mut String, finding: &Finding, message: &str, look: Look) {
    let level = match finding.level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Info => "note",
    };
    let mark = format!("{level}[{}]:", finding.rule.name);
    let plain = look.wrap_hanging("", "    ", &format!("{mark} {}", clean(message)));
    // Painted after wrapping, so that the marks of colour do not count as columns.
    text.push_str(&plain.replacen(&mark, &look.level(finding.level, &mark), 1));
}

pub(super) fn single(text: &mut String, sources: &SourceMap, finding: &Finding, look: Look) {
    let diagnostic = &finding.diagnostic;
    heading(text, finding, &diagnostic.message, look);
    text.push_str(&snippet::snippets(sources, diagnostic, look));
    if let Some(path) = &diagnostic.path {
        text.push_str(&look.wrap("  path: ", &clean(path)));
    }
    if let Some(consequence) = &diagnostic.consequence {
        text.push_str(&look.wrap("  so:   ", &clean(consequence)));
    }
    help(text, &diagnostic.help, look);
    why(text, finding, look);
}

/// Several findings that say the same: their places, and the help that all of them share.
fn several(text: &mut String, sources: &SourceMap, findings: &[&Finding], look: Look) {
    let Some(first) = findings.first() else { return };
    let group = first.diagnostic.group.as_deref().unwrap_or("");
    heading(text, first, &format!("{} {group}", findings.len()), look);
    let places: Vec<(String, String)> = findings.iter().take(LISTED).map(|finding| line(sources, finding)).collect();
    let width = places.iter().map(|(place, _)| textwrap::core::display_width(place)).max().unwrap_or(0);
    for (place, what) in places {
        text.push_str(&look.wrap(&format!("    {place:<width$}  "), &what));
    }
    if findings.len() > LISTED {
        let _ = writeln!(text, "    … and {} more (`-f concise` lists all)", findings.len() - LISTED);
    }
    let is_shared = |help: &&String| findings.iter().all(|finding| finding.diagnostic.help.contains(*help));
    let mut shared: Vec<String> = first.diagnostic.help.iter().filter(is_shared).cloned().collect();
    if shared.is_empty() {
        shared = of_first(first);
    }
    if let Some(way) = shared.first_mut().filter(|way| way.starts_with("or ")) {
        way.drain(.."or ".len());
    }
    help(text, &shared, look);
    why(text, first, look);
}

/// What helps the first member, as an example of what helps each.
fn of_first(first: &Finding) -> Vec<String> {
    let mut ways = first.diagnostic.help.clone();
    if let (Some(way), Some(subject)) = (ways.first_mut(), first.diagnostic.subjects.first()) {
        *way = format!("for `{}`, and alike for the others: {way}", spaced(subject));
    }
    ways
}

fn line(sources: &SourceMap, finding: &Finding) -> (String, String) {
    let span = finding.diagnostic.primary.span;
    let position = sources.position(span);
    let place = format!("{}:{}:{}", clean(sources.name(span)), position.line, position.column);
    let what = match finding.diagnostic.subjects.as_slice() {
        [] => finding.diagnostic.message.clone(),
        [one] => spaced(one),
        [one, by, ..] => format!("{} (by {})", spaced(one), spaced(by)),
    };
    (place, clean(&what).into_owned())
}

fn help(text: &mut String, help: &[String], look: Look) {
    for (index, way) in help.iter().enumerate() {
        text.push_str(&look.wrap(if index == 0 { "  help: " } else { "        " }, &clean(way)));
    }
}

fn why(text: &mut String, finding: &Finding, look: Look) {
    let _ = writeln!(text, "{}", look.dim(&format!("  why:  topolint explain {}", finding.rule.name)));
}

/// Counts, what is hidden and by what, and what was not analysed.
fn closing(text: &mut String, outcome: &Outcome, look: Look) {
    for topology in &outcome.topologies {
        for gap in &topology.not_analysed {
            let name =
                if outcome.topologies.len() > 1 { format!("{}: ", clean(&topology.name)) } else { String::new() };
            text.push_str(&look.wrap("  not analysed: ", &format!("{name}{gap}")));
        }
    }
    text.push_str(&look.wrap("", &tally::line(outcome, look)));
}
