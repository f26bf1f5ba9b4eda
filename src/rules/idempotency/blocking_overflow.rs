//! A full queue that makes somebody wait who is waited for.

use super::queue;
use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic, Step};
use crate::metadata::Options;
use crate::model::{CallId, NodeId, Stated};
use crate::rules::prose;
use crate::syntax::Arrow;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let blocking: Vec<(NodeId, Stated<'_>)> = facts.queues().filter_map(|queue| blocks(facts, queue)).collect();
    if blocking.is_empty() {
        return Vec::new();
    }
    let ways = facts.ways_of_waiting();
    let producers =
        |queue| facts.publications(queue).into_iter().filter(|call| ways.reach(facts.topology().caller(*call)));
    blocking
        .into_iter()
        .filter_map(|(queue, stated)| {
            let mut calls: Vec<CallId> = producers(queue).filter(|call| !facts.plan(*call).soft).collect();
            calls.sort_by_key(|call| (facts.topology().call(*call).arrow == Arrow::Async, facts.call_rank(*call)));
            let first = calls.first().copied()?;
            let way = prose::on_the_way(facts, &ways, facts.topology().caller(first), "waits for its answer");
            Some(report(facts, (queue, stated), first, calls.len(), way))
        })
        .collect()
}

/// A queue that makes its producers wait when it is full, unless it never is.
fn blocks<'a>(facts: &Facts<'a>, queue: NodeId) -> Option<(NodeId, Stated<'a>)> {
    let stated = queue::given(facts, queue, Key::Overflow).filter(|stated| stated.setting.says("block"))?;
    let never = queue::given(facts, queue, Key::MaxLength).is_some_and(queue::is_unlimited);
    (!never).then_some((queue, stated))
}

fn report(
    facts: &Facts<'_>,
    (queue, stated): (NodeId, Stated<'_>),
    call: CallId,
    count: usize,
    way: Vec<Step>,
) -> Diagnostic {
    let topology = facts.topology();
    let name = topology.node_name(queue);
    let producer = topology.operation_name(topology.caller(call));
    let waits = topology.call(call).arrow == Arrow::Sync;
    let message = if waits {
        format!("when `{name}` is full, `{producer}` waits, and whoever waits for it")
    } else {
        format!("when `{name}` is full, `{producer}` may have to wait, and whoever waits for it")
    };
    let mut diagnostic = Diagnostic::new(queue::place(facts, queue, stated), message);
    diagnostic.certainty = if waits { Certainty::Proved } else { Certainty::Possible };
    if !waits {
        diagnostic = diagnostic.at("not stated: what the producer does while there is no room");
    }
    diagnostic.cause = Some(name.to_owned());
    diagnostic.group = Some("full queues make those wait who are waited for".into());
    diagnostic.subjects = vec![name.to_owned(), topology.call_name(call)];
    diagnostic.consequence = Some("a slow consumer stops what users do, as if it were called directly".to_owned());
    diagnostic.witness = way;
    diagnostic.witness.push(queue::call_step(facts, call, "waits for room".to_owned()));
    diagnostic.witness.push(queue::step(facts, queue, stated, "has no room until a consumer has made some".to_owned()));
    let more = if count > 1 { format!(", and on the {} others like it", count - 1) } else { String::new() };
    let call = prose::call(facts, call);
    diagnostic
        .help(format!("refuse what does not fit, and say what happens then: `overflow reject` on `{name}`, `fallback \"…\"` on `{call}`{more}"))
        .help(format!("or keep the newest: `overflow drop-oldest` on `{name}`"))
}
