//! A service that every request of an entry needs, and that tells nothing of itself.

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::{Answer, NodeId, OperationId};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let topology = facts.topology();
    let ways = facts.ways_over(facts.entries().all().iter().copied(), |call| facts.is_hard(call));
    let reached = |node: &NodeId| topology.node(*node).operations.iter().any(|operation| ways.reach(*operation));
    let services = topology.node_ids().filter(|node| topology.node(*node).kind == ElementKind::Service);
    let services: Vec<NodeId> = services.collect();
    let stated = [Key::Metrics, Key::Logs].map(|key| services.iter().any(|node| says(facts, *node, key)));
    services.into_iter().filter(reached).filter_map(|node| finding(facts, node, stated)).collect()
}

/// What could not be read is no example for others.
fn says(facts: &Facts<'_>, node: NodeId, key: Key) -> bool {
    let operations = &facts.topology().node(node).operations;
    facts.cascade().node(node, key).given().is_some()
        || operations.iter().any(|operation| facts.cascade().operation(*operation, key).given().is_some())
}

fn has(facts: &Facts<'_>, node: NodeId, key: Key) -> bool {
    let operations = &facts.topology().node(node).operations;
    facts.cascade().node(node, key).may_be_given()
        || operations.iter().any(|operation: &OperationId| facts.cascade().operation(*operation, key).may_be_given())
}

fn finding(facts: &Facts<'_>, node: NodeId, others: [bool; 2]) -> Option<Diagnostic> {
    let topology = facts.topology();
    let missing = |(key, others): (Key, bool)| match facts.cascade().node(node, key) {
        _ if has(facts, node, key) => None,
        Answer::None(stated) => Some((key, Certainty::Proved, prose::place(stated))),
        Answer::Unstated if others => Some((key, Certainty::Possible, None)),
        _ => None,
    };
    let mut missing: Vec<_> = [Key::Metrics, Key::Logs].into_iter().zip(others).filter_map(missing).collect();
    missing.sort_by_key(|(_, certainty, _)| std::cmp::Reverse(*certainty));
    let (_, certainty, place) = *missing.first()?;
    let names: Vec<String> = missing.iter().map(|(key, ..)| format!("`{key}`")).collect();
    let name = topology.node_name(node);
    let message = if certainty == Certainty::Proved {
        format!("requests need `{name}`, which has no {}", names.join(" and no "))
    } else {
        format!("requests need `{name}`, which does not state {}, as others do", names.join(" and "))
    };
    let mut diagnostic = Diagnostic::new(place.unwrap_or(topology.node(node).span), message).subject(name);
    diagnostic.certainty = certainty;
    diagnostic.cause = Some(name.to_owned());
    diagnostic.group = Some("services that requests need do not state their signals".into());
    Some(diagnostic.help(format!("write {} on `{name}`, or in `defaults {{ service {{ … }} }}`", names.join(" and "))))
}
