//! A bounded queue with several consumers: the slowest of them fills it for all.

use super::queue;
use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic};
use crate::ids::IdSet;
use crate::metadata::Options;
use crate::model::{CallId, NodeId, Stated};
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.queues().filter_map(|queue| finding(facts, queue)).collect()
}

fn finding(facts: &Facts<'_>, queue: NodeId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let overflow = queue::given(facts, queue, Key::Overflow)?;
    if !overflow.setting.says("block") && !overflow.setting.says("reject") {
        return None;
    }
    let length = queue::given(facts, queue, Key::MaxLength).filter(|stated| !queue::is_unlimited(*stated))?;
    let mut seen: IdSet<NodeId> = IdSet::default();
    let mut calls = facts.subscriptions(queue);
    calls.retain(|call| seen.insert(topology.callee_node(*call)));
    let [first, second, ..] = calls.as_slice() else { return None };
    Some(report(facts, queue, [overflow, length], [*first, *second], calls.len()))
}

fn report(facts: &Facts<'_>, queue: NodeId, stated: [Stated<'_>; 2], calls: [CallId; 2], count: usize) -> Diagnostic {
    let topology = facts.topology();
    let name = topology.node_name(queue);
    let [overflow, length] = stated;
    let refuses = if overflow.setting.says("block") { "lets nobody publish" } else { "refuses new messages" };
    let [one, other] = calls.map(|call| queue::consumer(facts, call));
    let message = format!("if `{one}` falls behind, `{name}` fills up and {refuses}: `{other}` gets none either");
    let mut diagnostic = Diagnostic::new(queue::place(facts, queue, overflow), message);
    diagnostic.certainty = Certainty::Possible;
    diagnostic = diagnostic.at("not stated: whether each consumer has room of its own");
    diagnostic.cause = Some(name.to_owned());
    diagnostic.group = Some("the slowest of several consumers fills a queue for all".into());
    diagnostic.subjects = vec![name.to_owned()];
    diagnostic.witness = vec![queue::step(facts, queue, length, format!("is bounded, for all its {count} consumers"))];
    diagnostic
        .witness
        .extend(calls.map(|call| queue::call_step(facts, call, "takes every message in its own time".to_owned())));
    diagnostic
        .help("draw a queue for each consumer, fed by the same producers: `orders-mail`, `orders-stock`")
        .help(format!("or bound it by age alone: `retention 7d; max-length unlimited` on `{name}`"))
}
