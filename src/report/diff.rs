//! What a change does, for a person at a terminal: what was edited, what that does to the numbers, and which findings
//! are new, worse and gone.

mod json;
mod markdown;
mod mermaid;
mod phrases;

#[cfg(test)]
pub(super) use json::Report;
pub use json::diff_json;
pub use markdown::{MARKER, diff_markdown};

use std::fmt::Write as _;

use super::human;
use super::paint::Look;
use crate::change::{Comparison, Edit, Fate, TopologyChange};
use crate::lint::Finding;
use crate::source::{SourceMap, clean};

/// So many edits are listed for one topology.
const LISTED: usize = 40;

/// What is different from `base`, as people call it.
#[must_use]
pub fn diff(sources: &SourceMap, comparison: &Comparison, base: &str, look: Look) -> String {
    let mut text = String::new();
    for topology in comparison.topologies.iter().filter(|topology| topology.is_changed()) {
        one(&mut text, topology, look);
    }
    for (finding, new) in comparison.new_findings() {
        human::single(&mut text, sources, finding, look);
        if finding.rule.family != "change" {
            text.push_str(&look.wrap("  from: ", &clean(&new.origin())));
        }
        text.push('\n');
    }
    for worse in &comparison.worse {
        let both = comparison.before.findings.get(worse.was).zip(comparison.outcome.findings.get(worse.finding));
        let Some((was, now)) = both else { continue };
        let line = phrases::worse(was, now);
        text.push_str(&look.wrap_hanging("worse: ", "       ", &clean(&line)));
    }
    for finding in comparison.fixed_findings() {
        text.push_str(&look.wrap_hanging("fixed: ", "       ", &clean(&line(finding))));
    }
    if !comparison.worse.is_empty() || !comparison.fixed.is_empty() {
        text.push('\n');
    }
    let summary = format!("{} (compared with `{base}`)", phrases::counts(comparison));
    text + &look.wrap("", &clean(&summary))
}

/// "`error[timeout-inversion]` …".
fn line(finding: &Finding) -> String {
    format!("{}[{}] {}", finding.level.name(), finding.rule.name, finding.diagnostic.message)
}

fn one(text: &mut String, topology: &TopologyChange, look: Look) {
    let _ = writeln!(text, "{}", look.bold(&clean(&topology.name)));
    for edit in topology.edits.iter().take(LISTED) {
        text.push_str(&look.wrap_hanging(&format!("  {} ", sign(edit)), "    ", &clean(&edit.sentence())));
    }
    if topology.edits.len() > LISTED {
        let _ = writeln!(text, "    … and {} more (`-f json` lists all)", topology.edits.len() - LISTED);
    }
    let numbers: Vec<String> = phrases::numbers(topology);
    if !numbers.is_empty() {
        text.push('\n');
    }
    for line in numbers.iter().take(LISTED) {
        text.push_str(&look.wrap_hanging("  ", "    ", &clean(line)));
    }
    if numbers.len() > LISTED {
        let _ = writeln!(text, "    … and {} more (`-f json` lists all)", numbers.len() - LISTED);
    }
    text.push('\n');
}

/// What became of an element, as one character.
fn sign(edit: &Edit) -> char {
    match edit.fate {
        Fate::Added => '+',
        Fate::Removed => '-',
        Fate::Changed => '~',
        Fate::Renamed(_) => '>',
    }
}
