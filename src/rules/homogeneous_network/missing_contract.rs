//! What teams send to each other, and nobody has written down what it looks like.

use std::collections::BTreeMap;

use crate::analysis::{Facts, Ownership};
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::{Answer, CallId, Name, NodeId};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let topology = facts.topology();
    let mut used: BTreeMap<NodeId, Vec<CallId>> = BTreeMap::new();
    for call in facts.calls_by_name().filter(|call| facts.hop(*call).is_some() && facts.is_made(*call)) {
        used.entry(facts.topology().callee_node(call)).or_default().push(call);
    }
    let agreed = topology.node_ids().any(|node| facts.cascade().node(node, Key::Contract).given().is_some())
        || topology.call_ids().any(|call| facts.cascade().call(call, &[Key::Version]).given().is_some());
    used.into_iter().filter_map(|(node, calls)| finding(facts, node, &calls, agreed)).collect()
}

/// Where no service states what it offers, nothing is said of one that does not; who reads from a queue is known to
/// nobody who writes, and there it is.
fn finding(facts: &Facts<'_>, node: NodeId, calls: &[CallId], agreed: bool) -> Option<Diagnostic> {
    let topology = facts.topology();
    let kind = topology.node(node).kind;
    if !matches!(kind, ElementKind::Service | ElementKind::Queue) {
        return None;
    }
    let (certainty, stated) = match facts.cascade().node(node, Key::Contract) {
        Answer::None(stated) => (Certainty::Proved, Some(stated)),
        Answer::Unstated if agreed || kind == ElementKind::Queue => (Certainty::Possible, None),
        Answer::Given(_) | Answer::Unstated | Answer::Unreadable => return None,
    };
    let name = topology.node_name(node);
    let (call, [sender, receiver]) = match kind {
        ElementKind::Queue => over_a_queue(facts, node, calls)?,
        _ => between_services(facts, node, calls)?,
    };
    let [sender, receiver] = [sender, receiver].map(|team| topology.text(team));
    let states = if stated.is_some() { "which has no contract" } else { "which states no contract" };
    let message = match kind {
        ElementKind::Queue => format!("`{sender}` sends to `{receiver}` over `{name}`, {states}"),
        _ => format!("`{sender}` calls `{name}` of `{receiver}`, {states}"),
    };
    let span = stated.and_then(prose::place).unwrap_or(topology.node(node).span);
    let mut diagnostic = Diagnostic::new(span, message).label(topology.call(call).span, format!("by `{sender}`"));
    diagnostic.certainty = certainty;
    diagnostic.cause = Some(name.to_owned());
    diagnostic.group = Some("teams send to each other without a contract".into());
    let diagnostic = diagnostic.subject(name);
    Some(diagnostic.help(format!(
        "write where it says what is sent and how it may change: `contract \"…\"` on `{name}`, or `version NAME`"
    )))
}

fn team(facts: &Facts<'_>, node: NodeId) -> Option<Name> {
    if let Ownership::Team(name) = facts.owner(node) { Some(name) } else { None }
}

fn is_versioned(facts: &Facts<'_>, call: CallId) -> bool {
    facts.cascade().call(call, &[Key::Version]).may_be_given()
}

fn between_services(facts: &Facts<'_>, node: NodeId, calls: &[CallId]) -> Option<(CallId, [Name; 2])> {
    let topology = facts.topology();
    let own = team(facts, node)?;
    let of_services = calls
        .iter()
        .copied()
        .filter(|call| topology.node(facts.topology().caller_node(*call)).kind == ElementKind::Service);
    let mut foreign = of_services.filter_map(|call| {
        let other = team(facts, facts.topology().caller_node(call)).filter(|team| *team != own)?;
        (!is_versioned(facts, call)).then_some((call, [other, own]))
    });
    foreign.next()
}

/// A team that publishes, and another one that consumes.
fn over_a_queue(facts: &Facts<'_>, queue: NodeId, calls: &[CallId]) -> Option<(CallId, [Name; 2])> {
    let unversioned = |call: &CallId| !is_versioned(facts, *call);
    let sent = calls.iter().copied().filter(unversioned);
    let senders: Vec<(CallId, Name)> =
        sent.filter_map(|call| Some((call, team(facts, facts.topology().caller_node(call))?))).collect();
    let delivered = facts.subscriptions(queue).into_iter().filter(unversioned);
    let receivers: Vec<Name> =
        delivered.filter_map(|delivery| team(facts, facts.topology().callee_node(delivery))).collect();
    // If all who consume are of the first sender's team, any other sender will do with any of them.
    let (first, other) =
        (receivers.first()?, receivers.iter().find(|team| **team != senders.first().map_or(**team, |(_, own)| *own)));
    match other {
        Some(other) => senders.first().map(|(call, sender)| (*call, [*sender, *other])),
        None => senders.iter().find(|(_, sender)| sender != first).map(|(call, sender)| (*call, [*sender, *first])),
    }
}
