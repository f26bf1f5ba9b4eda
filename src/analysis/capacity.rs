//! Workers that operations share, and what a hang of one callee does to them. Little's law, `L = λ·W`: at a rate λ, each
//! execution that waits for W holds a worker, so λ·W of them are held (J. D. C. Little, 1961).

use super::Facts;
use super::hang::{Arriving, Hangs};
use super::interval::Extent;
use super::load::{Traffic, is_undivided, least_chance, rate_of};
use crate::ids::{IdMap, IdSet};
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
    /// How many of its operations have so much below them that none counts as innocent of a hang.
    pub unfollowed: usize,
    /// How many of its hangs hold more than is reckoned, because there is too much to play.
    pub unplayed: usize,
}

/// Workers that are held when one node no longer answers.
#[derive(Debug)]
pub struct Held {
    /// The node.
    pub callee: NodeId,
    /// The calls that wait for it, one an operation: the longest.
    pub holders: Vec<Holder>,
    /// How many workers are held, at least; none if some wait without end.
    pub needed: Option<f64>,
    /// Requests a second that come to wait, at least.
    pub arriving: f64,
    /// Whether all that matters is stated.
    pub known: bool,
    /// Operations of the pool that could do without the node: the first of them.
    pub innocent: Vec<OperationId>,
    /// How many there are.
    pub innocents: usize,
}

/// So many are named for one hang: there may be as many hangs as operations.
const MOST_INNOCENT: usize = 64;

/// A call that waits for a node that no longer answers.
#[derive(Clone, Copy, Debug)]
pub struct Holder {
    /// The call.
    pub call: CallId,
    /// Requests a second.
    pub rate: f64,
    /// The workers that it holds by its rate and its wait; none if without end.
    pub wanted: Option<f64>,
    /// What lets it hold no more than this.
    pub limit: Option<(f64, HoldLimit)>,
    /// When its breaker opens, if it has one that notices.
    pub opens: Option<Opening>,
}

/// What keeps a call from holding more workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldLimit {
    /// Its bulkhead.
    Bulkhead,
    /// The consumers that run its operation.
    Consumers,
}

/// The seconds from the start of a hang until a breaker opens.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// When the first attempt has failed: before that, no breaker knows.
    pub earliest: f64,
    /// When so many of the calls of its window have failed as it waits for, at a steady rate; none if that is not
    /// stated.
    pub steady: Option<f64>,
}

impl Holder {
    /// How many workers it holds at most, if its breaker does not exist.
    #[must_use]
    pub fn without_breaker(&self) -> Option<f64> {
        least(self.wanted, self.limit.map(|(limit, _)| limit))
    }

    /// How many workers it holds, at least: until the earliest time at which its breaker can open.
    #[must_use]
    pub fn most(&self) -> Option<f64> {
        least(self.without_breaker(), self.opens.map(|opens| self.rate * opens.earliest))
    }

    /// How many it holds until its breaker opens at a steady rate.
    #[must_use]
    pub fn until_open(&self) -> Option<f64> {
        let opens = self.opens.map(|opens| self.rate * opens.steady.unwrap_or(opens.earliest));
        least(self.without_breaker(), opens)
    }
}

/// The smaller of two numbers, where none is without end.
fn least(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

impl Pool {
    /// The node or operation whose workers they are.
    #[must_use]
    pub fn owner(&self, facts: &Facts<'_>) -> String {
        let topology = facts.topology();
        self.operation.map_or_else(|| topology.node_name(self.node).to_owned(), |id| topology.operation_name(id))
    }

    /// Where their number is stated.
    #[must_use]
    pub fn stated<'f>(&self, facts: &Facts<'f>) -> Option<Stated<'f>> {
        let of_node = || facts.cascade().node(self.node, Key::Concurrency);
        self.operation.map_or_else(of_node, |id| facts.cascade().operation(id, Key::Concurrency)).given()
    }
}

impl Held {
    /// Whether all workers are needed, as far as is known.
    #[must_use]
    pub fn exceeds(&self, pool: &Pool) -> bool {
        fills(self.needed, pool)
    }

    /// Whether all workers are needed if each call holds so many.
    #[must_use]
    pub fn exceeds_with(&self, pool: &Pool, holds: impl Fn(&Holder) -> Option<f64>) -> bool {
        fills(self.holders.iter().map(holds).sum(), pool)
    }

    /// The seconds until all workers of an idle pool are held; none if they never are. Each caller holds `λ·t` of them
    /// until it holds all that it can; what waits behind a breaker may be gone when the first one has opened.
    #[must_use]
    pub fn seconds_to_full(&self, pool: &Pool) -> Option<f64> {
        let first = first_opening(&self.holders);
        let soon = seconds_to_full(self.holders.iter(), pool).filter(|seconds| *seconds <= first + TOLERANCE);
        soon.or_else(|| seconds_to_full(self.holders.iter().filter(|holder| holder.opens.is_none()), pool))
    }
}

fn seconds_to_full<'a>(holders: impl Iterator<Item = &'a Holder>, pool: &Pool) -> Option<f64> {
    let full_after = |holder: &Holder| holder.most().map_or(f64::INFINITY, |most| most / holder.rate);
    let mut rising: Vec<Holder> = holders.copied().filter(|holder| holder.rate > 0.0).collect();
    rising.sort_by(|one, other| full_after(one).total_cmp(&full_after(other)));
    let mut rate: f64 = rising.iter().map(|holder| holder.rate).sum();
    let mut held = 0.0;
    for holder in rising {
        let seconds = (size(pool) - held) / rate;
        let Some(most) = holder.most().filter(|most| most / holder.rate < seconds - TOLERANCE) else {
            return Some(seconds);
        };
        held += most;
        rate -= holder.rate;
    }
    (held >= size(pool) - TOLERANCE).then_some(0.0)
}

/// When the first breaker may open.
fn first_opening(holders: &[Holder]) -> f64 {
    holders.iter().filter_map(|holder| holder.opens).map(|opens| opens.earliest).fold(f64::INFINITY, f64::min)
}

/// How many workers are held together at one time, at least: when the first breaker may open, or at last, without what
/// is behind breakers.
fn held_together(holders: &[Holder]) -> Option<f64> {
    let first = first_opening(holders);
    let early = |holder: &Holder| holder.most().unwrap_or(f64::INFINITY).min(holder.rate * first);
    let early: f64 = if first.is_finite() { holders.iter().map(early).sum() } else { 0.0 };
    let mut lasting = holders.iter().filter(|holder| holder.opens.is_none()).map(Holder::most);
    let last = lasting.try_fold(0.0, |sum, most| Some(sum + most?));
    last.map(|last: f64| last.max(early))
}

fn fills(needed: Option<f64>, pool: &Pool) -> bool {
    needed.is_none_or(|needed| needed >= size(pool) - TOLERANCE)
}

/// Numbers of workers are compared up to what floating point loses.
const TOLERANCE: f64 = 1e-9;

#[allow(clippy::cast_precision_loss, reason = "a number of workers, to compare")]
fn size(pool: &Pool) -> f64 {
    pool.size as f64
}

pub(super) fn pools(facts: &Facts<'_>) -> Vec<Pool> {
    let topology = facts.topology();
    let mut hangs = Hangs::new(facts);
    let mut pools = Vec::new();
    for node in topology.node_ids().filter(|node| topology.node(*node).kind == ElementKind::Service) {
        let own = |id: &OperationId| size_of_operation(facts, *id).is_some();
        let (separate, shared): (Vec<OperationId>, Vec<OperationId>) =
            topology.node(node).operations.iter().copied().partition(own);
        let common = size_of_node(facts, node).filter(|_| !shared.is_empty());
        pools.extend(common.map(|size| pool(&mut hangs, facts, (node, None), size, shared)));
        for id in separate {
            let size = size_of_operation(facts, id);
            pools.extend(size.map(|size| pool(&mut hangs, facts, (node, Some(id)), size, vec![id])));
        }
    }
    pools
}

fn size_of_node(facts: &Facts<'_>, node: NodeId) -> Option<u64> {
    facts.cascade().node(node, Key::Concurrency).given().and_then(|stated| stated.setting.count())
}

/// What an operation has for itself.
fn size_of_operation(facts: &Facts<'_>, id: OperationId) -> Option<u64> {
    facts.topology().operation(id).name?;
    facts.cascade().operation(id, Key::Concurrency).given().and_then(|stated| stated.setting.count())
}

impl Facts<'_> {
    /// The workers of an operation, and the operations that share them, if their number is stated.
    pub(super) fn workers_of(&self, id: OperationId) -> Option<(f64, Vec<OperationId>)> {
        let size = self.worker_count(id)?;
        let all = &self.topology().node(self.topology().node_id_of(id)).operations;
        let shared = || all.iter().copied().filter(|id| !self.has_own_workers(*id)).collect();
        #[allow(clippy::cast_precision_loss, reason = "a number of workers, to divide")]
        Some((size as f64, if self.has_own_workers(id) { vec![id] } else { shared() }))
    }

    /// Whether an operation shares its workers with no other.
    pub(super) fn has_own_workers(&self, id: OperationId) -> bool {
        size_of_operation(self, id).is_some()
    }

    /// How many workers an operation has, for itself or with others, if that is stated.
    pub(super) fn worker_count(&self, id: OperationId) -> Option<u64> {
        let node = self.topology().node_id_of(id);
        if self.topology().node(node).kind != ElementKind::Service {
            return None;
        }
        size_of_operation(self, id).or_else(|| size_of_node(self, node))
    }
}

fn pool(
    hangs: &mut Hangs<'_, '_>,
    facts: &Facts<'_>,
    (node, operation): (NodeId, Option<OperationId>),
    size: u64,
    operations: Vec<OperationId>,
) -> Pool {
    let topology = facts.topology();
    let waits = |id: OperationId| topology.calls_from(id).filter(|call| waits_in_health(facts, *call));
    let to = |call: CallId| topology.callee_node(call);
    let mut waiting: Vec<Waiting> =
        operations.iter().flat_map(|id| waits(*id).map(|call| (to(call), *id, call))).collect();
    waiting.sort_unstable();
    let dependents = Dependents::of(facts, &operations);
    hangs.of_pool(&operations);
    let (mut all, mut unplayed) = (Vec::new(), 0);
    for by in waiting.chunk_by(|one, other| one.0 == other.0) {
        all.extend(held(hangs, facts, by, &dependents));
        unplayed += usize::from(hangs.is_spent());
    }
    all.sort_by(|one, other| {
        let most = |held: &Held| held.needed.unwrap_or(f64::INFINITY);
        most(other)
            .total_cmp(&most(one))
            .then_with(|| topology.node_name(one.callee).cmp(topology.node_name(other.callee)))
    });
    let unfollowed = operations.len() - dependents.followed.len();
    Pool { node, operation, size, operations, hangs: all, unfollowed, unplayed }
}

/// A call that is made while all else is well, and that nothing in its group can stand in for.
fn waits_in_health(facts: &Facts<'_>, call: CallId) -> bool {
    facts.is_awaited(call)
        && !facts.is_local(call)
        && facts.topology().call(call).fallback_of.is_none()
        && !facts.is_spare(call)
}

/// A call by which an operation waits for a node.
type Waiting = (NodeId, OperationId, CallId);

/// What waits for one node, sorted.
fn held(hangs: &mut Hangs<'_, '_>, facts: &Facts<'_>, by: &[Waiting], dependents: &Dependents) -> Option<Held> {
    let (callee, ..) = *by.first()?;
    let mut found = Held {
        callee,
        holders: Vec::new(),
        needed: Some(0.0),
        arriving: 0.0,
        known: true,
        innocent: Vec::new(),
        innocents: 0,
    };
    for calls in by.chunk_by(|one, other| one.1 == other.1) {
        let Some((_, id, _)) = calls.first().copied() else { continue };
        let arriving = hangs.arriving(id, callee);
        let patience = hangs.patience(id);
        // Of several calls the first may be the last: the one that holds most counts.
        let made = calls.iter().map(|(.., call)| *call).filter(|call| hangs.reaches(*call, callee));
        let holders = made.map(|call| holder(facts, call, (arriving, patience)));
        let weight = |(holder, _): &(Holder, bool)| least(holder.wanted, holder.most()).unwrap_or(f64::INFINITY);
        let most = holders
            .rev()
            .max_by(|one, other| weight(one).total_cmp(&weight(other)).then(one.0.rate.total_cmp(&other.0.rate)));
        let Some((holder, known)) = most else { continue };
        found.known &= known && facts.times().call(facts, holder.call).at_most.is_some();
        found.arriving += holder.rate;
        found.holders.push(holder);
    }
    found.needed = held_together(&found.holders);
    // Asked only where it matters.
    if !found.known || found.needed.is_none_or(|needed| needed > 0.0) {
        (found.innocent, found.innocents) = dependents.without(callee);
    }
    Some(found)
}

/// One of the calls of an operation to one callee, and whether its rate is known; by what comes to the operation in the
/// hang, and how long it works on.
fn holder(facts: &Facts<'_>, call: CallId, (arriving, patience): (Arriving, Extent)) -> (Holder, bool) {
    let known = rate_of(facts, call).known;
    let share = if is_undivided(facts, call) { 0.0 } else { least_chance(facts, call, Traffic::Usual) };
    let rate = arriving.rate * share;
    let wanted = match facts.times().call(facts, call).at_least.min(patience) {
        _ if rate <= 0.0 => Some(0.0),
        Extent::Finite(wait) => Some(rate * wait.seconds()),
        Extent::Unbounded => None,
    };
    let limits = [(bulkhead(facts, call), HoldLimit::Bulkhead), (consumers(facts, call), HoldLimit::Consumers)];
    let limits = limits.into_iter().filter_map(|(limit, kind)| Some((limit.filter(|_| rate > 0.0)?, kind)));
    let limit = limits.min_by(|one, other| one.0.total_cmp(&other.0));
    let opens = arriving.opens.into_iter().chain(opening(facts, call)).reduce(Opening::first);
    (Holder { call, rate, wanted, limit, opens }, known)
}

impl Opening {
    /// The one that may open first.
    pub(super) fn first(self, other: Self) -> Self {
        if other.earliest < self.earliest { other } else { self }
    }
}

impl Facts<'_> {
    /// When the breaker of a call opens in a hang; at once, if nothing says when its first try has failed.
    pub(super) fn breaker_opens(&self, call: CallId) -> Option<Opening> {
        let stated = self.cascade().call(call, &[Key::Breaker]).may_be_given();
        stated.then(|| opening(self, call).unwrap_or(Opening { earliest: 0.0, steady: None }))
    }
}

/// When the breaker of a call opens in a hang. The window is full of successes when it starts: of a window D the part
/// that has failed reaches the share P at `t + P·(D − t)`, if each attempt fails after `t`.
fn opening(facts: &Facts<'_>, call: CallId) -> Option<Opening> {
    let breaker = facts.cascade().call(call, &[Key::Breaker]).given()?;
    let (attempt, _) = facts.plan(call).attempt_limit()?;
    let earliest = attempt.seconds();
    let errors = breaker.setting.field(Key::Errors);
    let stated = errors.and_then(|errors| Some((errors.share()?, errors.duration()?.seconds())));
    let steady = stated.map(|(share, window)| earliest + share * (window - earliest).max(0.0));
    Some(Opening { earliest, steady })
}

/// How many consumers run the operation of a call, if only they do.
fn consumers(facts: &Facts<'_>, call: CallId) -> Option<f64> {
    let topology = facts.topology();
    let operation = topology.caller(call);
    if facts.entries().contains(operation) {
        return None;
    }
    let mut made = topology.calls_to(operation).filter(|call| facts.is_made(*call)).peekable();
    made.peek()?;
    let count = |call: CallId| {
        let by_queue = topology.kind_of(topology.caller(call)) == ElementKind::Queue;
        let stated = facts.cascade().call(call, &[Key::Consumers]).given().filter(|_| by_queue)?;
        #[allow(clippy::cast_precision_loss, reason = "a number of workers, to compare")]
        stated.setting.count().map(|count| count as f64)
    };
    made.map(count).sum()
}

/// So many operations are looked at to see whether one could do without a node.
const MAX_LOOKED_AT: usize = 256;

/// Which operations of a pool cannot do without which nodes: each is followed once, not once for every node.
struct Dependents {
    /// The operations with few enough below them; the others count as guilty of everything.
    followed: Vec<OperationId>,
    /// Those that need a node, ascending.
    by_node: IdMap<NodeId, Vec<OperationId>>,
}

impl Dependents {
    fn of(facts: &Facts<'_>, operations: &[OperationId]) -> Self {
        let mut all = Self { followed: Vec::new(), by_node: IdMap::default() };
        for id in operations {
            let Some(needed) = needed_nodes(facts, *id) else { continue };
            all.followed.push(*id);
            for node in needed {
                all.by_node.entry(node).or_default().push(*id);
            }
        }
        all.by_node.values_mut().for_each(|ids| ids.sort_unstable());
        all
    }

    /// The first operations that reach no operation of a node over hard calls, and how many there are.
    fn without(&self, node: NodeId) -> (Vec<OperationId>, usize) {
        let guilty = self.by_node.get(&node).map_or(&[][..], Vec::as_slice);
        let innocent = self.followed.iter().copied().filter(|id| guilty.binary_search(id).is_err());
        (innocent.take(MOST_INNOCENT).collect(), self.followed.len() - guilty.len())
    }
}

/// The nodes whose operations an operation reaches over hard calls; none if there are very many below it.
fn needed_nodes(facts: &Facts<'_>, id: OperationId) -> Option<IdSet<NodeId>> {
    let topology = facts.topology();
    let mut seen = IdSet::from_iter([id]);
    let mut next = vec![id];
    let mut nodes = IdSet::default();
    while let Some(at) = next.pop() {
        if seen.len() > MAX_LOOKED_AT {
            return None;
        }
        nodes.insert(topology.node_id_of(at));
        let hard = topology.calls_from(at).filter(|call| facts.is_hard(*call)).map(|call| topology.callee(call));
        next.extend(hard.filter(|to| seen.insert(*to)).take(MAX_LOOKED_AT));
    }
    Some(nodes)
}

/// What limits the concurrent calls of one kind: who finds no place goes on, or fails at once.
fn bulkhead(facts: &Facts<'_>, call: CallId) -> Option<f64> {
    #[allow(clippy::cast_precision_loss, reason = "a number of workers, to compare")]
    let number = |limit: u64| limit as f64;
    facts.cascade().call(call, &[Key::Bulkhead]).given()?.setting.count().map(number)
}
