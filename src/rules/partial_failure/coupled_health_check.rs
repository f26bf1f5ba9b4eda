//! A health check that fails with what a service calls, in all its instances at once.

use std::collections::BTreeMap;

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::{CallId, NodeId};
use crate::rules::prose;
use crate::source::Span;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    // One statement may speak of many services: it is the one thing to edit.
    let mut by_statement: BTreeMap<Span, Vec<Coupled>> = BTreeMap::new();
    for (place, coupled) in facts.topology().node_ids().filter_map(|node| coupled(facts, node)) {
        by_statement.entry(place).or_default().push(coupled);
    }
    by_statement.into_iter().filter_map(|(place, nodes)| finding(facts, place, nodes)).collect()
}

/// A node whose check fails with others, and a call to each of them.
struct Coupled {
    node: NodeId,
    calls: Vec<CallId>,
}

fn coupled(facts: &Facts<'_>, node: NodeId) -> Option<(Span, Coupled)> {
    let topology = facts.topology();
    let stated = facts.cascade().node(node, Key::Health).given()?;
    let says = |word| stated.setting.says(word);
    if !says("deep") || says("alerting") || says("fail-open") {
        return None;
    }
    let operations = topology.node(node).operations.iter();
    let hard =
        |call: &CallId| facts.is_hard(*call) && !facts.is_local(*call) && facts.topology().callee_node(*call) != node;
    let mut calls: Vec<CallId> = operations.flat_map(|id| topology.calls_from(*id)).filter(hard).collect();
    calls.sort_by_key(|call| (topology.node_name(facts.topology().callee_node(*call)), facts.call_rank(*call)));
    calls.dedup_by_key(|call| facts.topology().callee_node(*call));
    let place = prose::place(stated)?;
    (!calls.is_empty()).then_some((place, Coupled { node, calls }))
}

fn finding(facts: &Facts<'_>, place: Span, mut nodes: Vec<Coupled>) -> Option<Diagnostic> {
    let topology = facts.topology();
    let more = nodes.len().saturating_sub(1);
    nodes.sort_by_key(|coupled| topology.node_name(coupled.node));
    let Coupled { node, calls } = nodes.into_iter().next()?;
    let name = topology.node_name(node);
    let called: Vec<&str> = calls.iter().map(|call| topology.node_name(facts.topology().callee_node(*call))).collect();
    let called = if called.len() > 1 { format!("one of {}", prose::names(&called)) } else { prose::names(&called) };
    let message = format!("the health check of `{name}` is deep: it fails in all instances at once when {called} does");
    let mut diagnostic = Diagnostic::new(place, message).subject(name);
    diagnostic.certainty = Certainty::Possible;
    diagnostic.witness = prose::needs(facts, &calls);
    diagnostic.cause = Some(format!("health {name}"));
    diagnostic.group = Some("health checks fail with what is called".into());
    let same = match more {
        0 => String::new(),
        more => format!("; the same is said of {}", prose::count(more as u64, "more node")),
    };
    diagnostic.consequence = Some(format!(
        "where traffic or restarts hang on it, all of `{name}` is taken out or started anew, though it is well itself{same}"
    ));
    diagnostic.help = vec![
        format!("check what belongs to the instance alone: `health shallow` on `{name}`"),
        "or let it count for nothing when all instances fail it: `health deep fail-open`".to_owned(),
        "or, if nothing but an alert hangs on it, say so: `health deep alerting`".to_owned(),
    ];
    Some(diagnostic)
}
