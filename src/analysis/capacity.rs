//! Workers that operations share, and what a hang of one callee does to them. Little's law, `L = λ·W`: at a rate λ, each
//! execution that waits for W holds a worker, so λ·W of them are held (J. D. C. Little, 1961).

use std::collections::{BTreeMap, HashSet};

use super::Facts;
use super::interval::Extent;
use crate::model::{CallId, NodeId, OperationId, Stated};
use crate::vocabulary::{ElementKind, Key};

/// Workers, and the operations that share them.
#[derive(Debug)]
pub struct Pool {
    /// Whose they are.
    pub node: NodeId,
    /// The operation that has them for itself.
    pub operation: Option<OperationId>,
    /// How many.
    pub size: u64,
    /// The operations that they serve.
    pub operations: Vec<OperationId>,
    /// What a hang of each callee holds, the most first.
    pub hangs: Vec<Held>,
}

/// Workers that are held when one node no longer answers.
#[derive(Debug)]
pub struct Held {
    /// The node.
    pub callee: NodeId,
    /// The calls that wait for it, one an operation: the longest.
    pub calls: Vec<CallId>,
    /// How many workers are held, at least; none if some wait without end.
    pub needed: Option<f64>,
    /// Requests a second that come to wait, at least.
    pub arriving: f64,
    /// Whether all that matters is stated.
    pub known: bool,
    /// Operations of the pool that could do without the node.
    pub innocent: Vec<OperationId>,
}

impl Held {
    /// Whether more workers are needed than there are, as far as is known.
    #[must_use]
    pub fn exceeds(&self, pool: &Pool) -> bool {
        #[allow(clippy::cast_precision_loss, reason = "a number of workers, to compare")]
        self.needed.is_none_or(|needed| needed > pool.size as f64)
    }

    /// The seconds until all workers of an idle pool are held.
    #[must_use]
    pub fn seconds_to_full(&self, pool: &Pool) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "a number of workers, to divide")]
        let size = pool.size as f64;
        size / self.arriving
    }
}

pub(super) fn pools(facts: &Facts<'_>) -> Vec<Pool> {
    let topology = facts.topology();
    let mut pools = Vec::new();
    for (node, row) in topology.node_ids().zip(&topology.nodes) {
        if row.kind != ElementKind::Service {
            continue;
        }
        let own = |id: &OperationId| topology.operation(*id).name.is_some() && size_of_operation(facts, *id).is_some();
        let (separate, shared): (Vec<OperationId>, Vec<OperationId>) = row.operations.iter().copied().partition(own);
        let common = facts.cascade().node(node, Key::Concurrency).given().and_then(|stated| stated.setting.count());
        pools.extend(common.filter(|_| !shared.is_empty()).map(|size| pool(facts, node, None, size, shared)));
        for id in separate {
            let size = size_of_operation(facts, id);
            pools.extend(size.map(|size| pool(facts, node, Some(id), size, vec![id])));
        }
    }
    pools
}

fn size_of_operation(facts: &Facts<'_>, id: OperationId) -> Option<u64> {
    facts.cascade().operation(id, Key::Concurrency).given().and_then(|stated| stated.setting.count())
}

fn pool(
    facts: &Facts<'_>,
    node: NodeId,
    operation: Option<OperationId>,
    size: u64,
    operations: Vec<OperationId>,
) -> Pool {
    let topology = facts.topology();
    let mut waiting: BTreeMap<NodeId, BTreeMap<OperationId, Vec<CallId>>> = BTreeMap::new();
    for id in &operations {
        let mut calls: Vec<CallId> =
            topology.calls_from(*id).filter(|call| facts.plan(*call).awaited && !facts.plan(*call).local).collect();
        calls.sort_unstable();
        for call in calls {
            let callee = topology.operation(topology.call(call).to).node;
            waiting.entry(callee).or_default().entry(*id).or_default().push(call);
        }
    }
    let mut hangs: Vec<Held> = waiting.into_iter().map(|(callee, by)| held(facts, callee, &by, &operations)).collect();
    hangs.sort_by(|one, other| {
        let most = |held: &Held| held.needed.unwrap_or(f64::INFINITY);
        most(other)
            .total_cmp(&most(one))
            .then_with(|| topology.node_name(one.callee).cmp(topology.node_name(other.callee)))
    });
    Pool { node, operation, size, operations, hangs }
}

fn held(
    facts: &Facts<'_>,
    callee: NodeId,
    by: &BTreeMap<OperationId, Vec<CallId>>,
    operations: &[OperationId],
) -> Held {
    let mut found =
        Held { callee, calls: Vec::new(), needed: Some(0.0), arriving: 0.0, known: true, innocent: Vec::new() };
    for (operation, calls) in by {
        let rate = facts.rate(*operation);
        found.known &= rate.known;
        found.arriving += rate.per_second;
        let longest = calls.iter().copied().max_by_key(|call| (waits(facts, *call), std::cmp::Reverse(*call)));
        let Some(longest) = longest else { continue };
        found.calls.push(longest);
        let time = facts.times().call(facts, longest);
        found.known &= time.at_most.is_some();
        let held = match waits(facts, longest) {
            _ if rate.per_second <= 0.0 => Some(0.0),
            Extent::Finite(wait) => Some(rate.per_second * wait.seconds()),
            Extent::Unbounded => None,
        };
        let capped = match (held, bulkheads(facts, calls)) {
            (held, None) => held,
            (held, Some(cap)) => Some(held.map_or(cap, |held| held.min(cap))),
        };
        found.needed = found.needed.zip(capped).map(|(sum, held)| sum + held);
    }
    // Asked only where it matters.
    if !found.known || found.needed.is_none_or(|needed| needed > 0.0) {
        found.innocent = operations.iter().copied().filter(|id| is_innocent(facts, *id, callee)).collect();
    }
    found
}

/// So many operations are looked at to see whether one could do without a node.
const MAX_LOOKED_AT: usize = 256;

/// Whether an operation reaches no operation of a node over hard calls. One with very many below it counts as guilty.
fn is_innocent(facts: &Facts<'_>, id: OperationId, callee: NodeId) -> bool {
    let topology = facts.topology();
    let mut seen = HashSet::from([id]);
    let mut next = vec![id];
    while let Some(at) = next.pop() {
        if topology.operation(at).node == callee || seen.len() > MAX_LOOKED_AT {
            return false;
        }
        let hard = topology.calls_from(at).filter(|call| facts.is_hard(*call)).map(|call| topology.call(call).to);
        next.extend(hard.filter(|to| seen.insert(*to)).take(MAX_LOOKED_AT));
    }
    true
}

/// How long an execution waits for a callee that hangs, at least: of several calls the first may be the last.
fn waits(facts: &Facts<'_>, call: CallId) -> Extent {
    facts.times().call(facts, call).at_least
}

/// What limits the concurrent calls of an operation to one callee, if all of them are limited.
fn bulkheads(facts: &Facts<'_>, calls: &[CallId]) -> Option<f64> {
    let limit = |call: &CallId| bulkhead(facts, *call).and_then(|stated| stated.setting.count());
    #[allow(clippy::cast_precision_loss, reason = "a number of workers, to compare")]
    calls.iter().map(|call| limit(call).map(|limit| limit as f64)).sum()
}

fn bulkhead<'f>(facts: &Facts<'f>, call: CallId) -> Option<Stated<'f>> {
    facts.cascade().call(call, &[Key::Bulkhead]).given()
}
