//! The time that reaches an operation: its own deadline, and what its callers hand down where it honours that.
//!
//! What an operation may still use is the largest, over all ways on which it is reached, of the smallest bound on the
//! way: a widest path, found from the roots in the manner of Dijkstra, so that circles need no special case.

use std::collections::BinaryHeap;

use super::Facts;
use super::attempts::Limit;
use crate::model::{CallId, Duration, OperationId};
use crate::vocabulary::Key;

/// The bound of an operation as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allotted {
    /// Its own stated deadline.
    pub own: Option<Duration>,
    /// Whether it honours the smaller of what arrives.
    pub honours: bool,
    /// The bound that holds on every way; none if on some way nothing bounds it, or nothing is known to.
    pub at_most: Option<Duration>,
    /// The largest bound that is known to be handed down on some way: no finding may assume more. None is no bound.
    pub at_least: Option<Duration>,
}

/// What callers hand down: a bound, or none.
type Handed = Option<Duration>;

pub(super) fn allotted(facts: &Facts<'_>) -> Vec<Allotted> {
    let topology = facts.topology();
    let cascade = facts.cascade();
    let mut rows: Vec<Allotted> = topology
        .operation_ids()
        .map(|id| {
            let stated = cascade.operation(id, Key::Deadline).given();
            let own = stated.and_then(|stated| stated.setting.duration());
            let honours = stated.is_some_and(|stated| stated.setting.says("inherited"));
            Allotted { own, honours, at_most: own, at_least: own }
        })
        .collect();
    if rows.iter().any(|row| row.honours) {
        let most = widest(facts, &rows, None);
        let least = widest(facts, &rows, Some(Duration::ZERO));
        for ((row, most), least) in rows.iter_mut().zip(most).zip(least).filter(|((row, _), _)| row.honours) {
            row.at_most = most;
            row.at_least = least;
        }
    }
    rows
}

/// For each operation the largest bound that reaches it. What a call with nothing stated hands down is `unknown`.
fn widest(facts: &Facts<'_>, rows: &[Allotted], unknown: Handed) -> Vec<Handed> {
    let topology = facts.topology();
    let row = |id: OperationId| rows.get(id.index()).copied().unwrap_or_default();
    let own = |id: OperationId| row(id).own.map_or(u64::MAX, Duration::nanoseconds);
    let awaited = |call: &CallId| facts.is_awaited(*call);
    let reached = reached(facts);
    let mut best: Vec<Option<u64>> = vec![None; rows.len()];
    // First what requests reach, then circles that nothing enters: nothing says that those ever run.
    for round in [true, false] {
        let counts = |id: &OperationId| reached.get(id.index()).copied().unwrap_or(false) == round;
        let mut heap = BinaryHeap::new();
        // What does not depend on what the caller has left is known at once; what does can only shrink on its way, so
        // the widest is settled first.
        for id in topology.operation_ids().filter(counts) {
            if !row(id).honours || !topology.calls_to(id).any(|call| awaited(&call)) {
                heap.push((own(id), id));
            }
            for call in topology.calls_from(id).filter(awaited).filter(|call| !hands_on(facts, *call)) {
                let to = topology.callee(call);
                if row(to).honours {
                    heap.push((stated(facts, call).unwrap_or_else(|| unstated(facts, call, unknown)).min(own(to)), to));
                }
            }
        }
        settle(facts, rows, &mut heap, &mut best);
    }
    let unsettled = topology.operation_ids().filter(|id| best.get(id.index()).is_some_and(Option::is_none));
    let mut heap: BinaryHeap<_> = unsettled.map(|id| (own(id), id)).collect();
    settle(facts, rows, &mut heap, &mut best);
    best.into_iter().map(|width| width.filter(|width| *width < u64::MAX).map(Duration::from_nanoseconds)).collect()
}

/// Settles the widest bound first and hands it on, until nothing is left.
fn settle(facts: &Facts<'_>, rows: &[Allotted], heap: &mut BinaryHeap<(u64, OperationId)>, best: &mut [Option<u64>]) {
    let topology = facts.topology();
    while let Some((width, id)) = heap.pop() {
        match best.get_mut(id.index()) {
            Some(slot @ None) => *slot = Some(width),
            _ => continue,
        }
        let awaited = topology.calls_from(id).filter(|call| facts.is_awaited(*call) && hands_on(facts, *call));
        for call in awaited {
            let to = topology.callee(call);
            let row = rows.get(to.index()).copied().unwrap_or_default();
            if row.honours {
                let own = row.own.map_or(u64::MAX, Duration::nanoseconds);
                heap.push((stated(facts, call).unwrap_or(u64::MAX).min(width).min(own), to));
            }
        }
    }
}

/// The operations that are reached from one that nobody waits for.
fn reached(facts: &Facts<'_>) -> Vec<bool> {
    let topology = facts.topology();
    let awaited = |call: &CallId| facts.is_awaited(*call);
    let mut reached = vec![false; topology.operations.len()];
    let mut next: Vec<OperationId> =
        topology.operation_ids().filter(|id| !topology.calls_to(*id).any(|call| awaited(&call))).collect();
    while let Some(id) = next.pop() {
        match reached.get_mut(id.index()) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        next.extend(topology.calls_from(id).filter(awaited).map(|call| topology.callee(call)));
    }
    reached
}

/// Whether a call ends with what its caller has left; inside one process nothing else is possible.
fn hands_on(facts: &Facts<'_>, call: CallId) -> bool {
    facts.plan(call).inherits || facts.is_local(call)
}

/// The smallest bound that is stated on a call.
fn stated(facts: &Facts<'_>, call: CallId) -> Option<u64> {
    let plan = facts.plan(call);
    [plan.timeout, plan.deadline].into_iter().filter_map(Limit::duration).map(Duration::nanoseconds).min()
}

/// What a call without any bound hands down.
fn unstated(facts: &Facts<'_>, call: CallId, unknown: Handed) -> u64 {
    match facts.plan(call).timeout {
        Limit::None(_) => u64::MAX,
        _ => unknown.map_or(u64::MAX, Duration::nanoseconds),
    }
}

/// For each operation, the caller that waits the shortest for one attempt.
pub(super) fn shortest_waits(facts: &Facts<'_>) -> Vec<Option<(Duration, CallId)>> {
    let topology = facts.topology();
    let mut shortest: Vec<Option<(Duration, CallId)>> = vec![None; topology.operations.len()];
    for call in topology.call_ids().filter(|call| facts.is_awaited(*call)) {
        let Some((limit, _)) = facts.plan(call).attempt_limit() else { continue };
        if let Some(slot) = shortest.get_mut(topology.callee(call).index())
            && slot.is_none_or(|(known, by)| (limit, facts.call_rank(call)) < (known, facts.call_rank(by)))
        {
            *slot = Some((limit, call));
        }
    }
    shortest
}

impl Allotted {
    /// Whether the operation is known to be bounded on every way on which it is reached.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        self.at_most.is_some()
    }
}
