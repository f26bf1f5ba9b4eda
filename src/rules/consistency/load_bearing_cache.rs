//! A cache without which its store gets more than it takes.

use std::collections::BTreeMap;

use crate::analysis::{Facts, Limited, Traffic};
use crate::diagnostic::{Certainty, Diagnostic, Step};
use crate::metadata::Options;
use crate::model::{CallId, NodeId};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let limited = facts.limited(Key::Capacity);
    let mut found: Vec<Diagnostic> = limited.iter().flat_map(|of| before(facts, of)).collect();
    found.extend(unknown(facts, &limited));
    found
}

/// The reads of a store that are made on a miss, by cache.
fn misses(facts: &Facts<'_>, of: &Limited<'_>) -> BTreeMap<NodeId, Vec<CallId>> {
    let topology = facts.topology();
    let mut by_cache: BTreeMap<NodeId, Vec<CallId>> = BTreeMap::new();
    for call in of.operations(facts).iter().flat_map(|id| topology.calls_to(*id)) {
        if let Some(get) = facts.miss_of(call).filter(|_| facts.is_made(call) && !topology.call(call).implied) {
            by_cache.entry(facts.topology().callee_node(get)).or_default().push(call);
        }
    }
    by_cache
}

fn before(facts: &Facts<'_>, of: &Limited<'_>) -> Vec<Diagnostic> {
    if of.states(facts, Key::Shedding) || of.states(facts, Key::RateLimit) || of.peak.per_second > of.limit {
        return Vec::new();
    }
    misses(facts, of).into_iter().filter_map(|(cache, calls)| finding(facts, of, cache, &calls)).collect()
}

fn finding(facts: &Facts<'_>, of: &Limited<'_>, cache: NodeId, calls: &[CallId]) -> Option<Diagnostic> {
    if calls.iter().all(|call| facts.cascade().call(*call, &[Key::Bulkhead]).may_be_given()) {
        return None;
    }
    let sum = |rate: &dyn Fn(CallId) -> f64| calls.iter().map(|call| rate(*call)).sum::<f64>();
    let warm = sum(&|call| facts.call_rate(call, Traffic::Peak).per_second);
    let reads = sum(&|call| facts.rate_without_hits(call).per_second);
    let cold = of.peak.per_second - warm + reads;
    if cold <= of.limit {
        return None;
    }
    let topology = facts.topology();
    let (name, store) = (topology.node_name(cache), prose::limited(facts, of));
    let message =
        format!("without `{name}`, {} come to `{store}`, which takes {}", prose::rate(cold), prose::rate(of.limit));
    let ratio = facts.cascade().node(cache, Key::HitRatio).given();
    let place = ratio.and_then(prose::place).unwrap_or(topology.node(cache).span);
    let mut diagnostic = Diagnostic::new(place, message).subject(name);
    diagnostic = diagnostic.at(match ratio {
        Some(_) => format!("with it, {} come", prose::rate(of.peak.per_second)),
        None => "empty after a restart".to_owned(),
    });
    if let Some(place) = prose::place(of.stated) {
        diagnostic = diagnostic.label(place, format!("takes {}", prose::rate(of.limit)));
    }
    diagnostic.witness = calls.iter().take(6).map(|call| step(facts, *call)).collect();
    let least = (1.0 - (of.limit - (cold - reads)) / reads).clamp(0.0, 1.0) * 100.0;
    diagnostic.consequence = Some(format!(
        "below {} % of hits the store is overloaded, and while it is, the cache does not fill",
        prose::number(least)
    ));
    diagnostic.help = vec![
        format!("bound what reaches the store: `bulkhead N` on the reads after a miss, or `shedding` on `{store}`"),
        format!("or give the store room for all of it: `capacity {}`", prose::rate(cold.ceil())),
    ];
    diagnostic.cause = Some(name.to_owned());
    diagnostic.group = Some("stores take less than comes without their cache".into());
    Some(diagnostic)
}

fn step(facts: &Facts<'_>, call: CallId) -> Step {
    let warm = prose::rate(facts.call_rate(call, Traffic::Peak).per_second);
    let cold = prose::rate(facts.rate_without_hits(call).per_second);
    let span = facts.topology().call(call).span;
    Step { subject: facts.topology().call_name(call), span, text: format!("{warm} now, {cold} on misses"), value: None }
}

/// Advice where hits and load are stated, and what the store takes is not.
fn unknown(facts: &Facts<'_>, limited: &[Limited<'_>]) -> Vec<Diagnostic> {
    let topology = facts.topology();
    let stated = |node: NodeId| limited.iter().any(|of| of.node == node);
    let mut by_pair: BTreeMap<(NodeId, NodeId), Vec<CallId>> = BTreeMap::new();
    for call in topology.call_ids().filter(|call| facts.is_made(*call) && !topology.call(*call).implied) {
        let store = facts.topology().callee_node(call);
        if let Some(get) = facts.miss_of(call).filter(|_| !stated(store)) {
            by_pair.entry((facts.topology().callee_node(get), store)).or_default().push(call);
        }
    }
    by_pair.into_iter().filter_map(|((cache, store), calls)| advice(facts, cache, store, &calls)).collect()
}

fn advice(facts: &Facts<'_>, cache: NodeId, store: NodeId, calls: &[CallId]) -> Option<Diagnostic> {
    let ratio = facts.cascade().node(cache, Key::HitRatio).given()?;
    let guarded = [Key::Shedding, Key::RateLimit].iter().any(|key| facts.cascade().node(store, *key).may_be_given());
    let reads: f64 = calls.iter().map(|call| facts.rate_without_hits(*call).per_second).sum();
    let warm: f64 = calls.iter().map(|call| facts.call_rate(*call, Traffic::Peak).per_second).sum();
    if guarded || reads <= 2.0 * warm || warm <= 0.0 {
        return None;
    }
    let topology = facts.topology();
    let (name, behind) = (topology.node_name(cache), topology.node_name(store));
    let message = format!(
        "without `{name}`, {} come to `{behind}` instead of {}; whether it takes that is not stated",
        prose::rate(reads),
        prose::rate(warm)
    );
    let mut diagnostic = Diagnostic::new(prose::place(ratio)?, message).subject(name);
    diagnostic.certainty = Certainty::Heuristic;
    diagnostic.witness = calls.iter().take(6).map(|call| step(facts, *call)).collect();
    diagnostic.help = vec![format!("state what it takes: `capacity R` on `{behind}`, or that it refuses: `shedding`")];
    diagnostic.cause = Some(name.to_owned());
    Some(diagnostic)
}
