//! What still arrives where while one node no longer answers: who waits for it, who has failed before, and what workers
//! and bulkheads above let through. All rates are lower bounds.
//!
//! Of a pool of `n` workers whose operations together need `m` of them, each operation that starts gets the share
//! `n / m` of its rate, if that is less than all of it; a bulkhead lets its number of calls through in the time that one
//! takes.

use std::collections::{HashMap, HashSet};

use super::Facts;
use super::capacity::Opening;
use super::condensation::components;
use super::interval::Extent;
use super::load::{Traffic, arrivals, client_calls, is_undivided, least_chance};
use crate::model::{CallId, NodeId, OperationId};
use crate::syntax::Arrow;
use crate::vocabulary::{ElementKind, Key};

/// What a hang of a node does above it.
#[derive(Default)]
pub(super) struct Hang {
    /// The operations that fail by it, those of the node included.
    failing: HashSet<OperationId>,
    /// Those that wait for it, whether or not they fail.
    waiting: HashSet<OperationId>,
    arriving: HashMap<OperationId, Arriving>,
}

/// What comes to an operation in a hang, at least.
#[derive(Clone, Copy, Default)]
pub(super) struct Arriving {
    /// Executions a second.
    pub(super) rate: f64,
    /// When a breaker above may open and let nothing more through: the first one.
    pub(super) opens: Option<Opening>,
}

/// All hangs that are looked at, with one budget.
pub(super) struct Hangs<'a, 'f> {
    facts: &'a Facts<'f>,
    patience: Vec<Extent>,
    budget: usize,
    known: HashMap<NodeId, Hang>,
    /// The operations of the pool that is asked for: until it is full, it lets everything through.
    pool: HashSet<OperationId>,
}

impl<'a, 'f> Hangs<'a, 'f> {
    pub(super) fn new(facts: &'a Facts<'f>) -> Self {
        let budget = 40 * facts.topology().calls.len() + 200_000;
        Self { facts, patience: patience(facts), budget, known: HashMap::new(), pool: HashSet::new() }
    }

    /// From now on, one pool is asked for.
    pub(super) fn of_pool(&mut self, operations: &[OperationId]) {
        self.pool = operations.iter().copied().collect();
        self.known.values_mut().for_each(|hang| hang.arriving.clear());
    }

    /// How long an operation works at least, whoever has gone.
    pub(super) fn patience(&self, id: OperationId) -> Extent {
        self.patience.get(id.index()).copied().unwrap_or(Extent::ZERO)
    }

    /// The calls of an operation that it comes to while a node hangs: none after one that fails by it, and none that
    /// shares a deadline with one that has waited for it.
    pub(super) fn reached(&mut self, id: OperationId, node: NodeId) -> Vec<CallId> {
        let topology = self.facts.topology();
        let mut calls: Vec<CallId> = topology.calls_from(id).collect();
        calls.sort_unstable();
        self.budget = self.budget.saturating_sub(calls.len());
        let facts = self.facts;
        let failing = &self.hang(node).failing;
        let waits = |call: &CallId| failing.contains(&topology.call(*call).to);
        let stops = calls.iter().position(|call| waits(call) && fails(facts, *call));
        let first = calls.iter().position(waits).unwrap_or(calls.len());
        let end = stops.map_or(calls.len(), |stops| stops + 1);
        let late = |(place, call): &(usize, CallId)| *place > first && facts.plan(*call).inherits;
        calls.into_iter().enumerate().take(end).filter(|it| !late(it)).map(|(_, call)| call).collect()
    }

    /// Whether an operation comes to a call without having waited before: later ones come later.
    fn comes_first(&mut self, call: CallId, node: NodeId) -> bool {
        let topology = self.facts.topology();
        let reached = self.reached(topology.call(call).from, node);
        let waiting = &self.hang(node).waiting;
        let earlier = reached.iter().take_while(|other| **other != call);
        let waited = earlier.filter(|other| waiting.contains(&topology.call(**other).to)).count() > 0;
        !waited && reached.contains(&call)
    }

    fn hang(&mut self, node: NodeId) -> &mut Hang {
        if !self.known.contains_key(&node) {
            let facts = self.facts;
            let failing = self.above(node, |call| fails(facts, call));
            let waiting = self.above(node, |call| facts.plan(call).awaited);
            self.known.insert(node, Hang { failing, waiting, arriving: HashMap::new() });
        }
        self.known.entry(node).or_default()
    }

    /// The operations that reach a node over calls that count, its own included.
    fn above(&mut self, node: NodeId, counts: impl Fn(CallId) -> bool) -> HashSet<OperationId> {
        let topology = self.facts.topology();
        let mut above: HashSet<OperationId> = topology.node(node).operations.iter().copied().collect();
        let mut next: Vec<OperationId> = above.iter().copied().collect();
        while let Some(at) = next.pop() {
            for call in topology.calls_to(at) {
                self.budget = self.budget.saturating_sub(1);
                let from = topology.call(call).from;
                if counts(call) && above.insert(from) {
                    next.push(from);
                }
            }
        }
        above
    }

    /// How often an operation is executed in a second while a node hangs, at least.
    pub(super) fn arriving(&mut self, id: OperationId, node: NodeId) -> Arriving {
        if self.budget == 0 {
            return Arriving::default();
        }
        if let Some(known) = self.hang(node).arriving.get(&id) {
            return *known;
        }
        // In a circle, what comes round again is not counted.
        self.hang(node).arriving.insert(id, Arriving::default());
        let topology = self.facts.topology();
        let outside = arrivals(self.facts, id, Traffic::Usual).per_second;
        let clients = client_calls(self.facts, id).map(|call| self.facts.breaker_opens(call));
        let mut all = Arriving { rate: outside, opens: clients.flatten().reduce(Opening::first) };
        for call in topology.calls_to(id) {
            self.budget = self.budget.saturating_sub(1);
            let more = self.handed_down(call, node);
            let opens = all.opens.into_iter().chain(more.opens).reduce(Opening::first);
            all = Arriving { rate: all.rate + more.rate, opens };
        }
        self.hang(node).arriving.insert(id, all);
        all
    }

    fn handed_down(&mut self, call: CallId, node: NodeId) -> Arriving {
        let topology = self.facts.topology();
        let written = topology.call(call);
        let from = topology.node_of(written.from).kind;
        let counts = self.facts.plan(call).made && written.fallback_of.is_none() && from != ElementKind::Client;
        if !counts || is_undivided(self.facts, call) || !self.comes_first(call, node) {
            return Arriving::default();
        }
        let above = self.arriving(written.from, node);
        let rate = above.rate * least_chance(self.facts, call, Traffic::Usual);
        let queued = from == ElementKind::Queue;
        let share = if queued { 1.0 } else { self.let_through(written.from).min(self.let_out(call, rate)) };
        let own = self.facts.breaker_opens(call).filter(|_| rate > 0.0);
        let opens = above.opens.into_iter().chain(own).reduce(Opening::first);
        Arriving { rate: rate * share, opens: opens.filter(|_| rate > 0.0) }
    }

    /// The share of its executions that an operation starts, by the workers that there are.
    fn let_through(&mut self, id: OperationId) -> f64 {
        let facts = self.facts;
        if self.pool.contains(&id) {
            return 1.0;
        }
        let Some((size, operations)) = facts.workers_of(id) else { return 1.0 };
        self.budget = self.budget.saturating_sub(operations.len());
        let mut needed = 0.0;
        for operation in operations {
            let rate = facts.rate(operation);
            let Some(Extent::Finite(longest)) = facts.times().work(operation).at_most.filter(|_| rate.known) else {
                return 0.0;
            };
            needed += rate.per_second * longest.seconds();
        }
        if needed > size { size / needed } else { 1.0 }
    }

    /// The share of calls that a bulkhead lets through.
    fn let_out(&self, call: CallId, rate: f64) -> f64 {
        let bulkhead = self.facts.cascade().call(call, &[Key::Bulkhead]).given();
        let Some(limit) = bulkhead.and_then(|stated| stated.setting.count()) else { return 1.0 };
        match self.facts.times().call(self.facts, call).at_most {
            #[allow(clippy::cast_precision_loss, reason = "a number of calls, as a factor")]
            Some(Extent::Finite(longest)) if rate > 0.0 => (limit as f64 / (rate * longest.seconds())).min(1.0),
            _ => 0.0,
        }
    }
}

/// Whether a failure of the callee may fail the operation that makes the call.
fn fails(facts: &Facts<'_>, call: CallId) -> bool {
    let plan = facts.plan(call);
    plan.awaited && !plan.soft && !facts.is_cache_read(call)
}

/// How long each operation works on at least: one that stops when its caller has gone, as long as the least patient one
/// waits.
fn patience(facts: &Facts<'_>) -> Vec<Extent> {
    let topology = facts.topology();
    let mut all = vec![Extent::Unbounded; topology.operations.len()];
    let groups = components(topology, |call| facts.plan(call).made);
    for group in groups.iter().rev() {
        for id in group.iter().filter(|id| facts.cascade().operation(**id, Key::Cancels).may_be_given()) {
            let waits = |call: CallId| {
                let above = all.get(topology.call(call).from.index()).copied().unwrap_or(Extent::ZERO);
                longest_wait(facts, call).min(above)
            };
            let made = topology.calls_to(*id).filter(|call| facts.plan(*call).made);
            let shortest = made.map(waits).min().filter(|_| group.len() == 1);
            if let Some(slot) = all.get_mut(id.index()) {
                *slot = shortest.unwrap_or(Extent::ZERO);
            }
        }
    }
    all
}

/// How long the callee is waited for, at least: what is not stated may be short.
fn longest_wait(facts: &Facts<'_>, call: CallId) -> Extent {
    let plan = facts.plan(call);
    let left = facts.allotted(facts.topology().call(call).from).at_least.filter(|_| plan.inherits);
    let own = match plan.attempt_limit() {
        _ if facts.topology().call(call).arrow == Arrow::Async => return Extent::Unbounded,
        Some((limit, _)) => Extent::Finite(limit),
        None if matches!(plan.timeout, super::Limit::None(_)) || left.is_some() => Extent::Unbounded,
        None => Extent::ZERO,
    };
    own.min(left.map_or(Extent::Unbounded, Extent::Finite))
}
