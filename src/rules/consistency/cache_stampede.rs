//! An entry that many want at the same time: when it ends, all of them read the store.

use std::collections::BTreeMap;

use crate::analysis::{Facts, Traffic};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{Answer, CallId, Duration, NodeId, Stated};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, options: &Options) -> Vec<Diagnostic> {
    let topology = facts.topology();
    let caches = topology.node_ids().filter(|node| topology.node(*node).kind == ElementKind::Cache);
    let unguarded = caches.filter(|node| !facts.cascade().node(*node, Key::StampedeGuard).may_be_given());
    let misses = misses(facts);
    let found = unguarded.filter_map(|cache| finding(facts, cache, misses.get(&cache)?, options.rate("threshold")));
    found.collect()
}

fn finding(facts: &Facts<'_>, cache: NodeId, misses: &[CallId], threshold: f64) -> Option<Diagnostic> {
    let topology = facts.topology();
    let hot = facts.cascade().node(cache, Key::HotKey).given();
    if let Some((stated, rate)) = hot.and_then(|stated| Some((stated, stated.setting.rate()?))) {
        return misses.iter().find_map(|call| hot_entry(facts, cache, *call, stated, rate));
    }
    let Answer::None(guard) = facts.cascade().node(cache, Key::StampedeGuard) else { return None };
    let reads: f64 = misses.iter().map(|call| facts.rate_without_hits(*call).per_second).sum();
    let store = topology.node_name(facts.topology().callee_node(*misses.first()?));
    (reads > threshold).then(|| unguarded(facts, cache, guard, store, reads, misses))
}

/// For each cache the reads of a store after a miss of it that nothing limits, in the order of names.
fn misses(facts: &Facts<'_>) -> BTreeMap<NodeId, Vec<CallId>> {
    let mut misses: BTreeMap<NodeId, Vec<CallId>> = BTreeMap::new();
    for call in facts.calls_by_name() {
        let Some(get) = facts.miss_of(call).filter(|_| facts.is_made(call)) else { continue };
        if !facts.cascade().call(call, &[Key::Bulkhead]).may_be_given() {
            misses.entry(facts.topology().callee_node(get)).or_default().push(call);
        }
    }
    misses
}

/// `λ·T` readers of one entry while it is read anew, against what the store takes.
fn hot_entry(facts: &Facts<'_>, cache: NodeId, call: CallId, hot: Stated<'_>, rate: f64) -> Option<Diagnostic> {
    let topology = facts.topology();
    let store = facts.topology().callee_node(call);
    let recompute = latency(facts, call)?;
    let readers = rate * recompute.seconds();
    let (limit, stated) = exceeded(facts, store, rate, readers)?;
    let guard = facts.cascade().node(cache, Key::StampedeGuard);
    let (name, behind) = (topology.node_name(cache), topology.node_name(store));
    let message = format!(
        "when the most wanted entry of `{name}` ends, {} read `{behind}` at once, and it {limit}",
        prose::count_of(readers)
    );
    let mut diagnostic = Diagnostic::new(prose::place(hot)?, message).at(prose::rate(rate)).subject(name);
    if let Some(place) = prose::place(stated) {
        diagnostic = diagnostic.label(place, limit);
    }
    diagnostic.certainty = if matches!(guard, Answer::None(_)) { Certainty::Proved } else { Certainty::Possible };
    diagnostic.witness = vec![Step {
        subject: topology.call_name(call),
        span: topology.call(call).span,
        text: format!("{} × {recompute} until it is there again", prose::rate(rate)),
        value: Some(Measure::Times(readers)),
    }];
    Some(finish(facts, cache, diagnostic))
}

/// What the store cannot take of it.
fn exceeded<'f>(facts: &Facts<'f>, store: NodeId, rate: f64, readers: f64) -> Option<(String, Stated<'f>)> {
    let look = |key| facts.cascade().node(store, key).given();
    let connections = look(Key::Connections).and_then(|stated| Some((stated.setting.count()?, stated)));
    #[allow(clippy::cast_precision_loss, reason = "a number of connections, to compare")]
    if let Some((count, stated)) = connections.filter(|(count, _)| readers > *count as f64) {
        return Some((format!("accepts {}", prose::count(count, "connection")), stated));
    }
    let capacity = look(Key::Capacity).and_then(|stated| Some((stated.setting.rate()?, stated)));
    let (capacity, stated) = capacity.filter(|(capacity, _)| rate > *capacity && readers >= 2.0)?;
    Some((format!("takes {}", prose::rate(capacity)), stated))
}

/// How long half of the reads take at least: the smallest quantile that is stated.
fn latency(facts: &Facts<'_>, call: CallId) -> Option<Duration> {
    facts.cascade().operation(facts.topology().callee(call), Key::Latency).given()?.setting.duration()
}

fn unguarded(
    facts: &Facts<'_>,
    cache: NodeId,
    guard: Stated<'_>,
    store: &str,
    reads: f64,
    misses: &[CallId],
) -> Diagnostic {
    let topology = facts.topology();
    let name = topology.node_name(cache);
    let message = format!(
        "whenever a wanted entry of `{name}` ends, all that ask for it read `{store}`: {} ask, for how few entries is not stated",
        prose::rate(reads)
    );
    let place = prose::place(guard).unwrap_or(topology.node(cache).span);
    let mut diagnostic = Diagnostic::new(place, message).at("no guard").subject(name);
    diagnostic.certainty = Certainty::Possible;
    diagnostic.witness = prose::brought_at(facts, misses.iter().copied(), Traffic::Cold);
    diagnostic.help.push(format!("state how often the most wanted entry is read: `hot-key R` on `{name}`"));
    finish(facts, cache, diagnostic)
}

fn finish(facts: &Facts<'_>, cache: NodeId, mut diagnostic: Diagnostic) -> Diagnostic {
    let name = facts.topology().node_name(cache);
    diagnostic.help.insert(
        0,
        format!("let one read it for all, `stampede-guard coalesce` on `{name}`, or renew it before it ends: `early-refresh`"),
    );
    diagnostic.help.push("or bound the reads after a miss: `bulkhead N`".to_owned());
    diagnostic.cause = Some(name.to_owned());
    diagnostic.group = Some("all who want an entry that has ended read the store".into());
    diagnostic
}
