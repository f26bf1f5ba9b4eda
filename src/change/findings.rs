//! Findings of both sides, subtracted by fingerprint. A finding about something that was renamed is the same one.

use std::collections::{HashMap, HashSet};

use super::cause::{Cause, Causes};
use super::elements::Naming;
use super::{Comparison, TopologyChange};
use crate::diagnostic::Measure;
use crate::lint::{Finding, Fingerprint, Outcome};

/// A finding that was not there before.
#[derive(Clone, Debug)]
pub struct New {
    /// Its place in the outcome of head.
    pub finding: usize,
    /// The edits that it comes from, nearest first; none if that is not known.
    pub causes: Vec<Cause>,
}

impl New {
    /// What it comes from, as a phrase.
    #[must_use]
    pub fn origin(&self) -> String {
        let texts: Vec<&str> = self.causes.iter().map(|cause| cause.text.as_str()).collect();
        match self.causes.first() {
            None => "new, and it is not known which change it comes from".to_owned(),
            Some(cause) if cause.is_named => format!("new because of this change: {}", texts.join("; ")),
            Some(_) => format!("new, and the nearest change is: {}", texts.join("; ")),
        }
    }
}

/// A finding that is worse than before.
#[derive(Clone, Debug)]
pub struct Worse {
    /// Its place in the outcome of head.
    pub finding: usize,
    /// Its place in the outcome of base.
    pub was: usize,
    /// The edits that it comes from, nearest first.
    pub causes: Vec<Cause>,
}

/// What is new, worse and fixed.
pub(super) fn subtract(
    topologies: Vec<TopologyChange>,
    before: Outcome,
    outcome: Outcome,
    causes: &[Causes<'_>],
    names: &[&Naming],
) -> Comparison {
    let same = matched(&before, &outcome, names);
    let behind = |finding: &Finding| -> Vec<Cause> {
        let mut found: Vec<Cause> = causes.iter().flat_map(|causes| causes.behind(&finding.diagnostic)).collect();
        if found.iter().any(|cause| cause.is_named) {
            found.retain(|cause| cause.is_named);
        }
        found.truncate(3);
        found
    };
    let mut new = Vec::new();
    let mut worse = Vec::new();
    let mut old = 0;
    for (index, finding) in shown(&outcome) {
        match same.get(&index) {
            None => new.push(New { finding: index, causes: behind(finding) }),
            Some(was) => {
                old += 1;
                if before.findings.get(*was).is_some_and(|was| is_worse(was, finding)) {
                    worse.push(Worse { finding: index, was: *was, causes: behind(finding) });
                }
            }
        }
    }
    let stayed: HashSet<usize> = same.values().copied().collect();
    let hidden: HashSet<Fingerprint> =
        outcome.findings.iter().filter(|finding| finding.hidden.is_some()).map(|finding| finding.fingerprint).collect();
    // What is only silenced is not fixed.
    let gone = shown(&before).filter(|(index, finding)| {
        !stayed.contains(index) && !hidden.contains(&finding.fingerprint) && finding.rule.family != "suppression"
    });
    let fixed = gone.map(|(index, _)| index).collect();
    let unread = shown(&before).filter(|(_, finding)| finding.rule.name == "syntax").count();
    Comparison { topologies, outcome, before, new, worse, fixed, old, unread }
}

fn shown(outcome: &Outcome) -> impl Iterator<Item = (usize, &Finding)> {
    outcome.findings.iter().enumerate().filter(|(_, finding)| finding.hidden.is_none())
}

/// For each reported finding of head, the same one of base.
fn matched(before: &Outcome, after: &Outcome, names: &[&Naming]) -> HashMap<usize, usize> {
    let prints: HashMap<Fingerprint, usize> =
        shown(before).map(|(index, finding)| (finding.fingerprint, index)).collect();
    let mut same: HashMap<usize, usize> =
        shown(after).filter_map(|(index, finding)| Some((index, *prints.get(&finding.fingerprint)?))).collect();
    for naming in names.iter().filter(|naming| !naming.is_empty()) {
        let taken: HashSet<usize> = same.values().copied().collect();
        let left = shown(before).filter(|(index, _)| !taken.contains(index));
        let mut renamed: HashMap<(&str, String), usize> =
            left.map(|(index, finding)| ((finding.rule.name, renamed(&identity(finding), naming)), index)).collect();
        let unmatched: Vec<(usize, &Finding)> = shown(after).filter(|(index, _)| !same.contains_key(index)).collect();
        for (index, finding) in unmatched {
            if let Some(was) = renamed.remove(&(finding.rule.name, identity(finding))) {
                same.insert(index, was);
            }
        }
    }
    same
}

fn identity(finding: &Finding) -> String {
    let subjects = || finding.diagnostic.subjects.join(" ");
    finding.diagnostic.cause.clone().unwrap_or_else(subjects)
}

/// A text with the new names of what was renamed.
fn renamed(text: &str, naming: &Naming) -> String {
    let mut found = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let length = name_length(rest);
        if length == 0 {
            let next = rest.chars().next().map_or(1, char::len_utf8);
            found.push_str(rest.get(..next).unwrap_or_default());
            rest = rest.get(next..).unwrap_or_default();
            continue;
        }
        let name = rest.get(..length).unwrap_or_default();
        let node = name.split('.').next().unwrap_or(name);
        let of_node = || {
            let new = naming.nodes.get(node)?;
            Some(format!("{new}{}", name.get(node.len()..).unwrap_or_default()))
        };
        found.push_str(&naming.operations.get(name).cloned().or_else(of_node).unwrap_or_else(|| name.to_owned()));
        rest = rest.get(length..).unwrap_or_default();
    }
    found
}

/// How long the name at the start of a text is, with its operation; an arrow ends it.
fn name_length(text: &str) -> usize {
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let is_arrow = character == '-' && characters.peek().is_some_and(|(_, next)| *next == '>');
        if is_arrow || !(character.is_alphanumeric() || "_-.".contains(character)) {
            return at;
        }
    }
    text.len()
}

/// It is reported as more, or more surely, or one of its numbers has grown.
fn is_worse(was: &Finding, now: &Finding) -> bool {
    let largest = |finding: &Finding, unit: &str| {
        let amounts = finding.diagnostic.witness.iter().filter_map(|step| step.value.map(Measure::amount));
        amounts.filter(|(_, of)| *of == unit).map(|(amount, _)| amount).fold(0.0_f64, f64::max)
    };
    let has_grown = |unit| {
        let (before, after) = (largest(was, unit), largest(now, unit));
        before > 0.0 && after > before * (1.0 + 1e-9)
    };
    now.level > was.level
        || now.diagnostic.certainty > was.diagnostic.certainty
        || has_grown(Measure::Seconds(0.0).amount().1)
        || has_grown(Measure::Times(0.0).amount().1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_whole() {
        let nodes = [("a".to_owned(), "z".to_owned())].into();
        let operations = [("b.x".to_owned(), "b.y".to_owned())].into();
        let naming = Naming { nodes, operations };
        assert_eq!(renamed("attempts of a.go->b.x#0", &naming), "attempts of z.go->b.y#0");
        assert_eq!(renamed("a-a->>b.x1 b", &naming), "a-a->>b.x1 b");
        assert_eq!(renamed("a->a", &naming), "z->z");
    }
}
