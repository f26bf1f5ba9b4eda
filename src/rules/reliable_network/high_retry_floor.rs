//! A retry budget whose floor, times the instances that each have it, is more than the callee can take.

use std::collections::BTreeMap;

use crate::analysis::{Attempts, Facts, Rate};
use crate::diagnostic::{Certainty, Diagnostic, Step};
use crate::metadata::Options;
use crate::model::{CallId, NodeId};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let mut by_callee: BTreeMap<NodeId, Vec<(CallId, f64)>> = BTreeMap::new();
    for call in facts.calls_by_name() {
        let plan = facts.plan(call);
        if let Some(floor) = facts.retry_floor(call).filter(|_| facts.is_made(call) && plan.attempts.repeat()) {
            by_callee.entry(facts.topology().callee_node(call)).or_default().push((call, floor));
        }
    }
    by_callee.into_iter().filter_map(|(node, floors)| finding(facts, node, &floors)).collect()
}

fn finding(facts: &Facts<'_>, node: NodeId, floors: &[(CallId, f64)]) -> Option<Diagnostic> {
    let topology = facts.topology();
    let total: f64 = floors.iter().map(|(_, floor)| floor).sum();
    let sent: f64 = floors.iter().map(|(call, floor)| sent(facts, *call, *floor)).sum();
    let usual = usual(facts, node);
    let capacity = facts.cascade().node(node, Key::Capacity).given().and_then(|stated| stated.setting.rate());
    let name = topology.node_name(node);
    let (certainty, room) = match capacity {
        // What is known of the load is the least of it, so the room is the most there can be.
        Some(capacity) if sent > capacity - usual.per_second => {
            let left = prose::number((capacity - usual.per_second).max(0.0));
            (Certainty::Proved, format!("which has room for {left}/s"))
        }
        None if usual.per_second > 0.0 && sent >= usual.per_second && usual.known => {
            (Certainty::Heuristic, format!("which usually gets {}/s", prose::number(usual.per_second)))
        }
        _ => return None,
    };
    let (first, _) = floors.first()?;
    let budget = facts.cascade().call(*first, &[Key::RetryBudget]).given()?;
    let span = prose::place(budget).unwrap_or(topology.call(*first).span);
    let message = format!("retry budgets allow {}/s at `{name}` whatever happens, {room}", prose::number(total));
    let mut diagnostic = Diagnostic::new(span, message).subject(topology.call_name(*first));
    diagnostic.certainty = certainty;
    diagnostic.witness = floors.iter().take(8).map(|(call, floor)| step(facts, *call, *floor)).collect();
    diagnostic.cause = Some(prose::cause_of(facts, *first, Some(budget)));
    diagnostic.consequence = Some(
        "the share in the budget does not bound this: when it fails, every instance still sends its floor".to_owned(),
    );
    Some(
        diagnostic
            .help("write a smaller `floor`, or none: it is there for callers that make few requests".to_owned())
            .help(format!("or let `{name}` refuse what is too much, and state the `capacity` that it then has")),
    )
}

/// What arrives at a node while all is well, at least. A bare arrow to a store means all its operations, and may be
/// counted at each of them: of those, the busiest.
fn usual(facts: &Facts<'_>, node: NodeId) -> Rate {
    let node = facts.topology().node(node);
    let none = Rate { per_second: 0.0, known: true };
    let data = matches!(node.kind, ElementKind::Store | ElementKind::Cache | ElementKind::Queue);
    node.operations.iter().map(|id| facts.rate(*id)).fold(none, |sum, rate| Rate {
        per_second: if data { sum.per_second.max(rate.per_second) } else { sum.per_second + rate.per_second },
        known: sum.known && rate.known,
    })
}

/// What a floor leads to while everything fails: no more retries than there are requests and tries left.
fn sent(facts: &Facts<'_>, call: CallId, floor: f64) -> f64 {
    let topology = facts.topology();
    let from = topology.caller(call);
    let by_client = topology.kind_of(from) == ElementKind::Client;
    let rate = facts.rate(if by_client { topology.callee(call) } else { from });
    match (facts.plan(call).attempts, facts.plan(call).times) {
        #[allow(clippy::cast_precision_loss, reason = "a number of tries, as a factor")]
        (Attempts::AtMost(tries), Attempts::AtMost(times)) if rate.known => {
            floor.min(rate.per_second * (tries.saturating_sub(1).saturating_mul(times)) as f64)
        }
        _ => floor,
    }
}

fn step(facts: &Facts<'_>, call: CallId, floor: f64) -> Step {
    let node = facts.topology().caller_node(call);
    let most = facts.instances(node).map_or(1, |(_, most)| most);
    let stated = facts.cascade().call(call, &[Key::RetryBudget]).given();
    #[allow(clippy::cast_precision_loss, reason = "a number of instances, as a factor")]
    let each = prose::number(floor / most.max(1) as f64);
    let instances = prose::count(most, "instance");
    Step {
        subject: facts.topology().call_name(call),
        span: stated.and_then(prose::place).unwrap_or(facts.topology().call(call).span),
        text: format!("{each}/s from each of {instances}: {}/s", prose::number(floor)),
        value: None,
    }
}
