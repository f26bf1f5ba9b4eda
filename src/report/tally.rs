//! How many findings there are, and how many are hidden by what: the same words in every report for people.

use super::paint::Look;
use crate::lint::{Hidden, Outcome};
use crate::metadata::Level;

/// "2 errors, 1 note in 12 nodes and 19 calls; hidden: 1 by `allow`".
pub(super) fn line(outcome: &Outcome, look: Look) -> String {
    let nodes: usize = outcome.topologies.iter().map(|topology| topology.size.0).sum();
    let calls: usize = outcome.topologies.iter().map(|topology| topology.size.1).sum();
    let found = levels(|level| outcome.count(level), look);
    format!("{found} in {} and {}{}", count(nodes, "node"), count(calls, "call"), hidden(outcome))
}

/// "2 errors, 1 note", by the number of findings of each level.
pub(super) fn levels(number: impl Fn(Level) -> usize, look: Look) -> String {
    let words = [(Level::Error, "error"), (Level::Warn, "warning"), (Level::Info, "note")];
    let counted = words.into_iter().filter(|(level, _)| number(*level) > 0);
    let counted: Vec<String> = counted.map(|(level, word)| look.level(level, &count(number(level), word))).collect();
    if counted.is_empty() { "nothing found".to_owned() } else { counted.join(", ") }
}

/// "1 node", "2 nodes".
pub(super) fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// "; hidden: 2 by `allow`, 1 by configuration".
fn hidden(outcome: &Outcome) -> String {
    let count = |which: fn(&Hidden) -> bool| {
        outcome.findings.iter().filter(|finding| finding.hidden.as_ref().is_some_and(which)).count()
    };
    let by = [
        (count(|hidden| matches!(hidden, Hidden::Allow(..))), "by `allow`"),
        (count(|hidden| matches!(hidden, Hidden::Baseline(..))), "by the baseline"),
        (count(|hidden| *hidden == Hidden::Off), "by configuration"),
        (count(|hidden| *hidden == Hidden::NotSelected), "by selection"),
        (count(|hidden| *hidden == Hidden::Folded), "that only follow from these"),
        (count(|hidden| *hidden == Hidden::Old), "old"),
    ];
    let by: Vec<String> =
        by.into_iter().filter(|(count, _)| *count > 0).map(|(count, by)| format!("{count} {by}")).collect();
    if by.is_empty() { String::new() } else { format!("; hidden: {}", by.join(", ")) }
}
