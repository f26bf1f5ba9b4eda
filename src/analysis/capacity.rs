//! Workers that operations share, and what a hang of one callee does to them. Little's law, `L = λ·W`: at a rate λ, each
//! execution that waits for W holds a worker, so λ·W of them are held (J. D. C. Little, 1961).

use std::collections::{BTreeMap, HashSet};

use super::Facts;
use super::interval::Extent;
use super::load::{Rate, rate_of};
use crate::model::{CallId, NodeId, OperationId};
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
    /// For each of these calls, requests a second and how many workers they hold at most; none if without end.
    holders: Vec<(f64, Option<f64>)>,
    /// Whether all that matters is stated.
    pub known: bool,
    /// Operations of the pool that could do without the node.
    pub innocent: Vec<OperationId>,
}

impl Held {
    /// Whether all workers are needed, as far as is known.
    #[must_use]
    pub fn exceeds(&self, pool: &Pool) -> bool {
        self.needed.is_none_or(|needed| needed >= size(pool) - TOLERANCE)
    }

    /// The seconds until all workers of an idle pool are held; none if they never are. Each caller holds `λ·t` of them
    /// until it holds all that it can.
    #[must_use]
    pub fn seconds_to_full(&self, pool: &Pool) -> Option<f64> {
        let full_after = |(rate, most): &(f64, Option<f64>)| most.map_or(f64::INFINITY, |most| most / rate);
        let mut rising: Vec<(f64, Option<f64>)> =
            self.holders.iter().copied().filter(|(rate, _)| *rate > 0.0).collect();
        rising.sort_by(|one, other| full_after(one).total_cmp(&full_after(other)));
        let mut rate: f64 = rising.iter().map(|(rate, _)| rate).sum();
        let mut held = 0.0;
        for (own, most) in rising {
            let seconds = (size(pool) - held) / rate;
            let Some(most) = most.filter(|most| most / own < seconds - TOLERANCE) else { return Some(seconds) };
            held += most;
            rate -= own;
        }
        (held >= size(pool) - TOLERANCE).then_some(0.0)
    }

    /// How many requests of one call wait in a second.
    #[must_use]
    pub fn arriving_at(&self, call: CallId) -> f64 {
        let place = self.calls.iter().position(|waiting| *waiting == call);
        place.and_then(|place| self.holders.get(place)).map_or(0.0, |(rate, _)| *rate)
    }
}

/// Numbers of workers are compared up to what floating point loses.
const TOLERANCE: f64 = 1e-9;

#[allow(clippy::cast_precision_loss, reason = "a number of workers, to compare")]
fn size(pool: &Pool) -> f64 {
    pool.size as f64
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
        let mut calls: Vec<CallId> = topology.calls_from(*id).filter(|call| waits_in_health(facts, *call)).collect();
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

/// A call that is made while all else is well, and that nothing in its group can stand in for.
fn waits_in_health(facts: &Facts<'_>, call: CallId) -> bool {
    let plan = facts.plan(call);
    plan.awaited && !plan.local && facts.topology().call(call).fallback_of.is_none() && !facts.is_spare(call)
}

fn held(
    facts: &Facts<'_>,
    callee: NodeId,
    by: &BTreeMap<OperationId, Vec<CallId>>,
    operations: &[OperationId],
) -> Held {
    let mut found = Held {
        callee,
        calls: Vec::new(),
        needed: Some(0.0),
        arriving: 0.0,
        holders: Vec::new(),
        known: true,
        innocent: Vec::new(),
    };
    for calls in by.values() {
        let all = calls.iter().map(|call| (*call, rate_of(facts, *call)));
        let weight = |(call, rate): &(CallId, Rate)| match facts.times().call(facts, *call).at_least {
            _ if rate.per_second <= 0.0 => 0.0,
            Extent::Finite(wait) => rate.per_second * wait.seconds(),
            Extent::Unbounded => f64::INFINITY,
        };
        // Of several calls the first may be the last: the one that holds most counts.
        let most = all.rev().max_by(|one, other| {
            weight(one).total_cmp(&weight(other)).then(one.1.per_second.total_cmp(&other.1.per_second))
        });
        let Some((call, rate)) = most else { continue };
        let wanted = Some(weight(&(call, rate))).filter(|wanted| wanted.is_finite());
        let limit = bulkheads(facts, calls).filter(|_| rate.per_second > 0.0);
        let holds = match (wanted, limit) {
            (Some(wanted), Some(limit)) => Some(wanted.min(limit)),
            (wanted, limit) => wanted.or(limit),
        };
        found.known &= rate.known && facts.times().call(facts, call).at_most.is_some();
        found.arriving += rate.per_second;
        found.calls.push(call);
        found.holders.push((rate.per_second, holds));
        found.needed = found.needed.zip(holds).map(|(sum, holds)| sum + holds);
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

/// What limits the concurrent calls of an operation to one callee, if all of them are limited.
fn bulkheads(facts: &Facts<'_>, calls: &[CallId]) -> Option<f64> {
    let limit = |call: &CallId| facts.cascade().call(*call, &[Key::Bulkhead]).given()?.setting.count();
    #[allow(clippy::cast_precision_loss, reason = "a number of workers, to compare")]
    calls.iter().map(|call| limit(call).map(|limit| limit as f64)).sum()
}
