//! A chain of calls on which a failure at the end stops everything above it.

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic, Step};
use crate::metadata::Options;
use crate::model::{Answer, CallId, OperationId};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, options: &Options) -> Vec<Diagnostic> {
    let hops = options.count("hops").max(1);
    let next = longest(facts);
    let states = |id: OperationId, key| facts.cascade().operation(id, key).given().is_some();
    let entries = facts.entries().all().iter().copied();
    let counted = entries.filter(|id| states(*id, Key::Slo) || states(*id, Key::Load));
    counted.filter_map(|entry| report(facts, entry, &chain(facts, entry, &next), hops)).collect()
}

/// For each operation the length of the longest unprotected chain below it, and its first call.
fn longest(facts: &Facts<'_>) -> Vec<(u64, Option<CallId>)> {
    let topology = facts.topology();
    let mut next: Vec<(u64, Option<CallId>)> = vec![(0, None); topology.operations.len()];
    // Circles have a rule of their own.
    for id in facts.components().iter().filter(|group| group.len() == 1).flatten() {
        let calls = topology.calls_from(*id).filter(|call| is_open(facts, *call) && topology.call(*call).to != *id);
        let length = |call: &CallId| next.get(topology.call(*call).to.index()).map_or(1, |(length, _)| length + 1);
        let first = calls.map(|call| (length(&call), std::cmp::Reverse(facts.call_rank(call)), call)).max();
        if let (Some((length, _, call)), Some(slot)) = (first, next.get_mut(id.index())) {
            *slot = (length, Some(call));
        }
    }
    next
}

/// A hard call over the network that nothing shields.
fn is_open(facts: &Facts<'_>, call: CallId) -> bool {
    let shielded = |key| matches!(facts.cascade().call(call, &[key]), Answer::Given(_) | Answer::Unreadable);
    facts.is_always_needed(call) && !facts.plan(call).local && !shielded(Key::Breaker) && !shielded(Key::Bulkhead)
}

fn chain(facts: &Facts<'_>, entry: OperationId, next: &[(u64, Option<CallId>)]) -> Vec<CallId> {
    let first = |id: OperationId| next.get(id.index()).and_then(|(_, call)| *call);
    std::iter::successors(first(entry), |call| first(facts.topology().call(*call).to)).collect()
}

fn report(facts: &Facts<'_>, entry: OperationId, chain: &[CallId], hops: u64) -> Option<Diagnostic> {
    let topology = facts.topology();
    if (chain.len() as u64) < hops {
        return None;
    }
    let (first, last) = (chain.first()?, chain.last()?);
    let name = topology.operation_name(entry);
    let end = topology.operation_name(topology.call(*last).to);
    let none = |key| chain.iter().all(|call| matches!(facts.cascade().call(*call, &[key]), Answer::None(_)));
    let proved = none(Key::Breaker) && none(Key::Bulkhead);
    let calls = prose::count(chain.len() as u64, "call");
    let message = if proved {
        format!("a failure of `{end}` stops `{name}`: {calls} in a row, and no breaker, bulkhead or fallback")
    } else {
        format!(
            "a failure of `{end}` stops `{name}`: {calls} in a row, and none states a breaker, bulkhead or fallback"
        )
    };
    let mut diagnostic = Diagnostic::new(topology.operation(entry).span, message).at("stops here").subject(name);
    diagnostic.certainty = if proved { Certainty::Proved } else { Certainty::Possible };
    diagnostic.witness = chain.iter().take(12).map(|call| step(facts, *call)).collect();
    diagnostic.path = Some(prose::path(facts, topology.call(*first).from, chain, 0));
    diagnostic.consequence =
        Some("while it is slow, every caller on the way waits with it, and what they share fills up".to_owned());
    diagnostic.cause = Some(prose::cause(facts, *last));
    diagnostic.group = Some("a failure at the end of a chain of calls stops everything above it".into());
    let each = usize::try_from(hops).unwrap_or(usize::MAX);
    let cuts: Vec<String> =
        chain.iter().skip(each - 1).step_by(each).take(4).map(|call| prose::call(facts, *call)).collect();
    let cuts = cuts.join("`, `");
    diagnostic.help = vec![
        format!(
            "where something else can answer, a `fallback` with a `breaker`: on `{cuts}` it leaves no chain of {hops} calls here"
        ),
        "or a `bulkhead N` there, so that what is slow holds no more than N workers of its caller".to_owned(),
        "or do what need not be done at once behind a queue".to_owned(),
    ];
    Some(diagnostic)
}

fn step(facts: &Facts<'_>, call: CallId) -> Step {
    let topology = facts.topology();
    let (from, to) = (topology.call(call).from, topology.call(call).to);
    let text = format!("without `{}`, no `{}`", topology.operation_name(to), topology.operation_name(from));
    Step { subject: topology.call_name(call), span: topology.call(call).span, text, value: None }
}
