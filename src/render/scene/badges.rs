//! The findings of a picture: each has a number, and stands on what it belongs to.

use super::groups::Grouping;
use super::{Entry, Index, Scene};
use crate::analysis::Facts;
use crate::change::Mark;
use crate::lint::Finding;
use crate::source::{SourceMap, clean};

/// Puts the findings into a scene.
pub(super) fn attach(
    scene: &mut Scene,
    facts: &Facts<'_>,
    sources: &SourceMap,
    found: &[&Finding],
    grouping: &Grouping,
) {
    let index = Index::of(facts, scene, grouping);
    for (number, finding) in found.iter().enumerate() {
        scene.findings.push(entry(sources, finding));
        let subjects = || finding.diagnostic.subjects.iter();
        let edge = subjects().find_map(|subject| index.edges.get(subject)).copied();
        let node = || {
            let ends = subjects().map(|subject| subject.split("->").next().unwrap_or(subject));
            ends.map(|end| end.split('.').next().unwrap_or(end)).find_map(|name| index.nodes.get(name)).copied()
        };
        if let Some(edge) = edge.and_then(|edge| scene.edges.get_mut(edge)) {
            edge.badges.push(number);
        } else if let Some(node) = node().and_then(|node| scene.nodes.get_mut(node)) {
            node.badges.push(number);
        }
    }
}

fn entry(sources: &SourceMap, finding: &Finding) -> Entry {
    let span = finding.diagnostic.primary.span;
    let position = sources.position(span);
    Entry {
        level: finding.level,
        rule: finding.rule.name,
        message: clean(&finding.diagnostic.message).into_owned(),
        place: clean(&format!("{}:{}:{}", sources.name(span), position.line, position.column)).into_owned(),
        fingerprint: finding.fingerprint.to_string(),
        mark: Mark::Same,
    }
}
