//! A busy callee that several callers try again, each request by itself and nothing for all of them together.

use crate::analysis::{Attempts, Facts, expected_tries};
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::{CallId, OperationId};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, options: &Options) -> Vec<Diagnostic> {
    let busy = options.rate("load");
    facts.topology().operation_ids().filter_map(|id| finding(facts, id, busy)).collect()
}

fn finding(facts: &Facts<'_>, id: OperationId, busy: f64) -> Option<Diagnostic> {
    let topology = facts.topology();
    let kind = topology.kind_of(id);
    let rate = facts.rate(id).per_second;
    if rate < busy || matches!(kind, ElementKind::Client | ElementKind::Queue) || is_guarded(facts, id) {
        return None;
    }
    let mut calls: Vec<(CallId, u64)> =
        topology.calls_to(id).filter_map(|call| Some((call, unbounded(facts, call)?))).collect();
    calls.sort_by_key(|(call, _)| facts.call_rank(*call));
    let (worst, tries) = calls.iter().copied().rev().max_by_key(|(_, tries)| *tries)?;
    if !is_shared(facts, &calls) {
        return None;
    }
    let name = topology.operation_name(id);
    let per_second = prose::number(rate);
    let message =
        format!("`{name}` gets {per_second}/s, up to {tries} times that when it fails, and no budget limits it");
    let span = facts.plan(worst).attempts_stated.and_then(prose::place).unwrap_or(topology.call(worst).span);
    let mut diagnostic = Diagnostic::new(span, message).subject(name.clone());
    diagnostic = diagnostic.label(topology.operation(id).span, "states no capacity and refuses nothing");
    diagnostic.certainty = Certainty::Heuristic;
    diagnostic.consequence = Some(format!(
        "hardly anything while 1 in 100 fails ({} tries a request), and {tries} when all do: the load grows when it can take least",
        prose::number(expected_tries(tries, 0.01))
    ));
    diagnostic.cause = Some(name.clone());
    Some(
        diagnostic
            .help(format!(
                "bound what retries may add for all requests: `retry-budget 10% per success` on `{}`, which ends them when more than 9.1 % fail",
                prose::call(facts, worst)
            ))
            .help("or a `breaker` on the calls that are tried again".to_owned())
            .help(format!("or let `{name}` refuse what is too much, `shedding`, or state that it can take it: `capacity`")),
    )
}

/// How often a call is tried, if nothing bounds that for many requests together.
fn unbounded(facts: &Facts<'_>, call: CallId) -> Option<u64> {
    let guarded =
        [Key::RetryBudget, Key::Breaker].into_iter().any(|key| facts.cascade().call(call, &[key]).may_be_given());
    match facts.tries_of_failure(call, true) {
        Attempts::AtMost(tries)
            if tries > 1 && facts.is_made(call) && !facts.is_local(call) && !guarded && !facts.is_spread(call) =>
        {
            Some(tries)
        }
        _ => None,
    }
}

/// It refuses what is too much, or states how much it takes: whether that is enough is another rule's question.
fn is_guarded(facts: &Facts<'_>, id: OperationId) -> bool {
    let keys = [Key::Shedding, Key::RateLimit, Key::Capacity, Key::Quota];
    let node = facts.topology().node_id_of(id);
    keys.into_iter().any(|key| {
        facts.cascade().node(node, key).may_be_given()
            || key != Key::Quota && facts.cascade().operation(id, key).may_be_given()
    })
}

/// Whether its callers are many: several nodes, or several instances of one.
fn is_shared(facts: &Facts<'_>, calls: &[(CallId, u64)]) -> bool {
    let topology = facts.topology();
    let nodes = calls.iter().map(|(call, _)| topology.caller_node(*call));
    let mut nodes: Vec<_> = nodes.collect();
    nodes.sort_unstable();
    nodes.dedup();
    let several = |node| facts.instances(node).is_some_and(|(_, most)| most > 1);
    nodes.len() > 1 || nodes.into_iter().any(|node| topology.node(node).kind == ElementKind::Client || several(node))
}
