//! Chains of calls on which a failure at the end stops everything above it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic, Step};
use crate::metadata::Options;
use crate::model::{Answer, CallId, NodeId, OperationId};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, options: &Options) -> Vec<Diagnostic> {
    let hops = options.count("hops").max(1);
    let below = Below::of(facts, hops);
    let mut by_cut: BTreeMap<(OperationId, NodeId), Vec<End>> = BTreeMap::new();
    for end in below.ends(facts, hops) {
        by_cut.entry((facts.topology().caller(end.cut), facts.topology().callee_node(end.cut))).or_default().push(end);
    }
    by_cut.into_values().filter_map(|ends| report(facts, &below, ends, hops)).collect()
}

/// How an operation is reached from an entry over calls that nothing shields: by the longest chain of them.
#[derive(Clone, Copy)]
struct Reached {
    entry: OperationId,
    /// How many calls the chain has.
    depth: u64,
    /// The last of them.
    last: Option<CallId>,
    /// The one that makes it too long.
    cut: Option<CallId>,
    /// Whether all of them are stated to have neither breaker nor bulkhead.
    bare: bool,
}

/// Where a chain that is too long ends.
#[derive(Clone, Copy)]
struct End {
    entry: OperationId,
    depth: u64,
    last: CallId,
    cut: CallId,
    bare: bool,
}

/// What lies below the entries that count, over calls that nothing shields.
struct Below {
    by: Vec<Option<Reached>>,
    /// Operations that such a call leaves.
    goes_on: Vec<bool>,
}

impl Below {
    /// Callers before callees, so each call is looked at once.
    fn of(facts: &Facts<'_>, hops: u64) -> Self {
        let topology = facts.topology();
        let count = topology.operations.len();
        let mut below = Self { by: vec![None; count], goes_on: vec![false; count] };
        let states = |id: OperationId, key| facts.cascade().operation(id, key).given().is_some();
        let entries = facts.entries().all().iter().copied();
        for entry in entries.filter(|id| states(*id, Key::Slo) || states(*id, Key::Load)) {
            below.set(entry, Reached { entry, depth: 0, last: None, cut: None, bare: true });
        }
        // Circles have a rule of their own.
        for id in facts.components().iter().rev().filter(|group| group.len() == 1).flatten() {
            let Some(reached) = below.at(*id) else { continue };
            let open = |call: &CallId| topology.callee(*call) != *id && is_open(facts, *call);
            for call in topology.calls_from(*id).filter(open) {
                below.follow(facts, reached, call, hops);
            }
        }
        below
    }

    fn follow(&mut self, facts: &Facts<'_>, from: Reached, call: CallId, hops: u64) {
        let row = facts.topology().call(call);
        if let Some(goes_on) = self.goes_on.get_mut(row.from.index()) {
            *goes_on = true;
        }
        let depth = from.depth + 1;
        let cut = if depth == hops { Some(call) } else { from.cut };
        let bare = from.bare && is_bare(facts, call);
        let found = Reached { entry: from.entry, depth, last: Some(call), cut, bare };
        let key = |reached: &Reached| (reached.depth, Reverse(reached.last.map(|call| facts.call_rank(call))));
        if self.at(row.to).is_none_or(|known| key(&known) < key(&found)) {
            self.set(row.to, found);
        }
    }

    /// Nothing below takes more with it.
    fn ends<'b>(&'b self, facts: &'b Facts<'_>, hops: u64) -> impl Iterator<Item = End> + 'b {
        let last = |id: &OperationId| self.goes_on.get(id.index()) == Some(&false);
        let reached = facts.topology().operation_ids().filter(last).filter_map(|id| self.at(id));
        let end = |Reached { entry, depth, last, cut, bare }: Reached| {
            Some(End { entry, depth, last: last?, cut: cut?, bare })
        };
        reached.filter(move |reached| reached.depth >= hops).filter_map(end)
    }

    fn at(&self, id: OperationId) -> Option<Reached> {
        self.by.get(id.index()).copied().flatten()
    }

    fn set(&mut self, id: OperationId, reached: Reached) {
        if let Some(slot) = self.by.get_mut(id.index()) {
            *slot = Some(reached);
        }
    }

    /// The last calls of the chain that ends with this one.
    fn chain(&self, facts: &Facts<'_>, last: CallId) -> Vec<CallId> {
        let before = |call: &CallId| self.at(facts.topology().caller(*call))?.last;
        let mut chain: Vec<CallId> = std::iter::successors(Some(last), before).take(SHOWN).collect();
        chain.reverse();
        chain
    }
}

/// So many calls of a chain are shown, so that chains of any length cost no more than their length.
const SHOWN: usize = 12;

/// A hard call over the network that nothing shields.
fn is_open(facts: &Facts<'_>, call: CallId) -> bool {
    let shielded = |key| matches!(facts.cascade().call(call, &[key]), Answer::Given(_) | Answer::Unreadable);
    facts.is_always_needed(call) && !facts.is_local(call) && !shielded(Key::Breaker) && !shielded(Key::Bulkhead)
}

/// Stated to have neither.
fn is_bare(facts: &Facts<'_>, call: CallId) -> bool {
    [Key::Breaker, Key::Bulkhead].iter().all(|key| matches!(facts.cascade().call(call, &[*key]), Answer::None(_)))
}

/// All ends that lie behind the same callee of the same operation: what shields that from the callee shields it from
/// all of them.
fn report(facts: &Facts<'_>, below: &Below, mut ends: Vec<End>, hops: u64) -> Option<Diagnostic> {
    let topology = facts.topology();
    let name = |end: &End| topology.operation_name(topology.callee(end.last));
    ends.sort_by_cached_key(|end| (Reverse(end.depth), name(end)));
    let (deepest, others) = ends.split_first()?;
    let chain = below.chain(facts, deepest.last);
    let entry = topology.operation_name(deepest.entry);
    let other_names: Vec<String> = others.iter().map(name).collect();
    let others: Vec<&str> = other_names.iter().map(String::as_str).collect();
    let too = if others.is_empty() { String::new() } else { format!(", and so does one of {}", prose::names(&others)) };
    let message = format!(
        "a failure of `{}` stops `{entry}`{too}: {} in a row, and {} breaker, bulkhead or fallback",
        name(deepest),
        prose::count(deepest.depth, "call"),
        if deepest.bare { "no" } else { "none states a" }
    );
    let span = topology.operation(deepest.entry).span;
    let mut diagnostic = Diagnostic::new(span, message).at("stops here").subject(entry);
    diagnostic.certainty = if deepest.bare { Certainty::Proved } else { Certainty::Possible };
    diagnostic.witness = chain.iter().map(|call| step(facts, *call)).collect();
    let left_out = usize::try_from(deepest.depth).unwrap_or(usize::MAX) - chain.len();
    diagnostic.path = Some(prose::path(facts, deepest.entry, &chain, left_out));
    diagnostic.consequence =
        Some("while it is slow, every caller on the way waits with it, and what they share fills up".to_owned());
    let mut cuts: Vec<CallId> = ends.iter().map(|end| end.cut).collect();
    cuts.sort_by_key(|call| facts.call_rank(*call));
    cuts.dedup();
    diagnostic.cause = cuts.first().map(|call| prose::cause(facts, *call));
    diagnostic.group = Some("a failure at the end of a chain of calls stops everything above it".into());
    diagnostic.help = help(facts, &cuts, hops);
    Some(diagnostic)
}

fn help(facts: &Facts<'_>, cuts: &[CallId], hops: u64) -> Vec<String> {
    let shown: Vec<String> = cuts.iter().take(4).map(|call| format!("`{}`", prose::call(facts, *call))).collect();
    let more = if cuts.len() > shown.len() { " and the other calls there" } else { "" };
    vec![
        format!(
            "where something else can answer, a `fallback` with a `breaker`: on {}{more} it leaves no chain of {} here",
            shown.join(", "),
            prose::count(hops, "call")
        ),
        "or a `bulkhead N` there, so that what is slow holds no more than N workers of its caller".to_owned(),
        "or do what need not be done at once behind a queue".to_owned(),
    ]
}

fn step(facts: &Facts<'_>, call: CallId) -> Step {
    let topology = facts.topology();
    let (from, to) = (topology.caller(call), topology.callee(call));
    let text = format!("without `{}`, no `{}`", topology.operation_name(to), topology.operation_name(from));
    Step { subject: topology.call_name(call), span: topology.call(call).span, text, value: None }
}
