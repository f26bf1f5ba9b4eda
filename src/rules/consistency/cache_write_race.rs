//! A cache in which what was replaced can come back, and stay.

use std::collections::BTreeMap;

use crate::analysis::{Change, Facts, Write};
use crate::diagnostic::{Certainty, Diagnostic, Step};
use crate::metadata::Options;
use crate::model::{Answer, CallId, NodeId, OperationId};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let topology = facts.topology();
    let caches = topology.node_ids().filter(|id| topology.node(*id).kind == ElementKind::Cache);
    let races: Vec<Race> = caches.filter_map(|cache| race(facts, cache)).collect();
    if races.is_empty() {
        return Vec::new();
    }
    // Where an update can be lost altogether, that is said, and the same cure helps.
    let lost: Vec<CallId> = facts
        .dual_writes()
        .iter()
        .flat_map(|found| found.calls)
        .filter_map(|(call, change)| (change == Change::Write(Write::Copy)).then_some(call))
        .collect();
    races.iter().filter(|race| !lost.contains(&race.renews)).map(|race| report(facts, race)).collect()
}

struct Race {
    cache: NodeId,
    store: NodeId,
    /// The call that sets or removes an entry when the store has changed.
    renews: CallId,
    /// The read of the store that fills the cache on a miss, if one is drawn.
    fills: Option<CallId>,
}

fn race(facts: &Facts<'_>, cache: NodeId) -> Option<Race> {
    let look = |key| facts.cascade().node(cache, key);
    let store = facts.origin_of(cache)?;
    let goes = match look(Key::Ttl) {
        Answer::Given(stated) => stated.setting.duration().is_some(),
        Answer::Unreadable => true,
        Answer::None(_) | Answer::Unstated => false,
    };
    let says = |key, words: &[&str]| match look(key) {
        Answer::Given(stated) => words.iter().any(|word| stated.setting.says(word)),
        Answer::Unreadable => true,
        Answer::None(_) | Answer::Unstated => false,
    };
    let guarded = says(Key::StampedeGuard, &["lease"]) || says(Key::ConflictPolicy, &["cas", "single-writer", "crdt"]);
    if goes || guarded || !matches!(look(Key::Model), Answer::Unstated) {
        return None;
    }
    let topology = facts.topology();
    let fills =
        topology.node(store).operations.iter().flat_map(|operation| topology.calls_to(*operation)).find(|read| {
            facts.is_made(*read)
                && facts.miss_of(*read).is_some_and(|missed| facts.topology().callee_node(missed) == cache)
        });
    let mut known: BTreeMap<OperationId, bool> = BTreeMap::new();
    let mut follows = |id: OperationId| *known.entry(id).or_insert_with(|| follows(facts, id, store));
    let renews = facts.writers(cache).filter(|call| follows(topology.caller(*call)));
    // To remove an entry does harm only where somebody puts one back.
    let renews =
        renews.filter(|call| fills.is_some() || is_set(facts, *call)).min_by_key(|call| facts.call_rank(*call))?;
    Some(Race { cache, store, renews, fills })
}

/// Whether an operation renews entries because the store has changed: it writes there itself, or is told.
fn follows(facts: &Facts<'_>, operation: OperationId, store: NodeId) -> bool {
    let topology = facts.topology();
    let to_store = |call: CallId| facts.topology().callee_node(call) == store && facts.write(call) == Some(Write::Data);
    topology.calls_from(operation).any(to_store) || facts.is_told_of(operation, store)
}

fn is_set(facts: &Facts<'_>, call: CallId) -> bool {
    let to = facts.topology().operation(facts.topology().callee(call));
    to.name.is_some_and(|name| facts.topology().text(name) == "set")
}

fn report(facts: &Facts<'_>, race: &Race) -> Diagnostic {
    let topology = facts.topology();
    let (cache, store) = (topology.node_name(race.cache), topology.node_name(race.store));
    let unlimited = facts.cascade().node(race.cache, Key::Ttl).given();
    let stays = if unlimited.is_some() { "and it stays for ever" } else { "and nothing that is stated takes it away" };
    let message = match race.fills {
        Some(_) => format!("a miss may put back into `{cache}` what was just replaced in `{store}`, {stays}"),
        None => format!("of two updates the older may come last into `{cache}`, {stays}"),
    };
    let mut diagnostic = Diagnostic::new(topology.node(race.cache).span, message).subject(cache);
    diagnostic.certainty = Certainty::Possible;
    diagnostic.cause = Some(cache.to_owned());
    let step = |call: CallId, text: String| Step {
        subject: topology.call_name(call),
        span: topology.call(call).span,
        text,
        value: None,
    };
    diagnostic.witness.extend(race.fills.map(|call| step(call, "reads the old value, on a miss".to_owned())));
    let does = if is_set(facts, race.renews) { "sets the new one" } else { "removes the entry" };
    diagnostic.witness.push(step(race.renews, format!("{does}, when `{store}` has changed")));
    let last = if race.fills.is_some() { "keeps the old value, put in last" } else { "keeps what is set last" };
    let span = unlimited.and_then(prose::place).unwrap_or(topology.node(race.cache).span);
    diagnostic.witness.push(Step { subject: cache.to_owned(), span, text: last.to_owned(), value: None });
    diagnostic.help = vec![
        format!("let what is wrong go by itself: `ttl 60s` on `{cache}`"),
        format!("or refuse what is older: `stampede-guard lease` or `conflict-policy cas` on `{cache}`"),
    ];
    diagnostic
}
