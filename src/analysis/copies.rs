//! The copies of a store: how many acknowledge a write and answer a read, where they are copied to, how far they lag.

use super::Facts;
use super::interval::{Extent, Time};
use crate::ids::IdSet;
use crate::model::{Answer, CallId, Duration, NodeId, OperationId, Stated};
use crate::syntax::Arrow;
use crate::vocabulary::{ElementKind, Key};

/// How many copies of a store answer.
#[derive(Clone, Copy, Debug)]
pub struct Quorum<'a> {
    /// Copies.
    pub copies: u64,
    /// Those that answer a read.
    pub read: u64,
    /// Those that acknowledge a write.
    pub written: u64,
    /// Whether others may answer in their place.
    pub sloppy: bool,
    /// Where that is stated.
    pub stated: Stated<'a>,
}

impl Quorum<'_> {
    /// Whether each read asks a copy that has the last write: r + w > n.
    #[must_use]
    pub fn overlaps(&self) -> bool {
        !self.sloppy && self.read.saturating_add(self.written) > self.copies
    }

    /// Whether two writes meet in a copy: 2 w > n.
    #[must_use]
    pub fn writes_meet(&self) -> bool {
        !self.sloppy && self.written.saturating_mul(2) > self.copies
    }

    /// The same, of reads that ask one copy.
    pub(super) fn of_one(self) -> Self {
        Self { read: 1, ..self }
    }
}

/// What becomes of the entries of a cache when its store changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Invalidation {
    /// They stay.
    None,
    /// They are removed, unless the message is given up on its way.
    Usual,
    /// They are removed.
    Sure,
}

impl<'a> Facts<'a> {
    /// The quorum of a store, if all three of its numbers are stated.
    #[must_use]
    pub fn quorum(&self, store: NodeId) -> Option<Quorum<'a>> {
        let stated = self.cascade().node(store, Key::Quorum).given()?;
        let count = |key| stated.setting.field(key)?.count();
        let sloppy = stated.setting.field(Key::Sloppy).is_some_and(|field| !field.is_none());
        Some(Quorum {
            copies: count(Key::QuorumN)?,
            read: count(Key::QuorumR)?,
            written: count(Key::QuorumW)?,
            sloppy,
            stated,
        })
    }

    /// Whether a store is stated to have one copy only.
    #[must_use]
    pub fn is_single_copy(&self, store: NodeId) -> bool {
        matches!(self.cascade().node(store, Key::Replication), Answer::None(_))
            || self.instances(store).is_some_and(|(_, most)| most == 1)
    }

    /// How far the copies of a store are behind: `worst` is a bound, `lag` only what is reached. None if it is not
    /// stated to acknowledge writes before they are copied.
    #[must_use]
    pub fn lag(&self, store: NodeId) -> Option<Time> {
        let stated = self.cascade().node(store, Key::Replication).given()?;
        stated.setting.says("async").then(|| lag(Some(stated)))
    }

    /// Where what is written to a store is copied to without its writers: other stores and caches, directly, or through
    /// a queue and a worker.
    #[must_use]
    pub fn copied_to(&self, store: NodeId) -> IdSet<NodeId> {
        self.find_copies(store).0
    }

    /// Whether too much is told of the changes of a store to follow all of it.
    pub(super) fn has_copies_left_out(&self, store: NodeId) -> bool {
        self.find_copies(store).1
    }

    fn find_copies(&self, store: NodeId) -> (IdSet<NodeId>, bool) {
        let mut cut = false;
        let topology = self.topology();
        let mut copied = IdSet::default();
        let mut seen: IdSet<_> = topology.node(store).operations.iter().copied().collect();
        let mut front: Vec<_> = seen.iter().copied().collect();
        for hop in 0..RELAYS {
            let mut next = Vec::new();
            for (index, call) in front.iter().flat_map(|operation| topology.calls_from(*operation)).enumerate() {
                if index >= MOST_SEEN {
                    cut = true;
                    break;
                }
                let to = topology.callee(call);
                let starts = hop > 0 || topology.call(call).arrow == Arrow::Async;
                if !starts || !self.is_made(call) {
                    continue;
                }
                if seen.len() > MOST_SEEN {
                    cut = true;
                    continue;
                }
                match topology.kind_of(to) {
                    ElementKind::Store | ElementKind::Cache if self.write(call).is_none() && hop > 0 => {}
                    ElementKind::Store | ElementKind::Cache => {
                        copied.insert(topology.node_id_of(to));
                    }
                    _ if seen.insert(to) => next.push(to),
                    _ => {}
                }
            }
            front = next;
        }
        copied.remove(&store);
        (copied, cut)
    }

    /// The calls that write to a store by themselves, not to copy another one.
    pub fn writers(&self, store: NodeId) -> impl Iterator<Item = CallId> + '_ {
        let topology = self.topology();
        let arriving = topology.node(store).operations.iter().flat_map(|operation| topology.calls_to(*operation));
        arriving.filter(|call| {
            let from = topology.kind_of(topology.caller(*call));
            let code = !matches!(from, ElementKind::Store | ElementKind::Cache | ElementKind::Queue);
            code && self.is_made(*call) && self.write(*call).is_some()
        })
    }

    /// Whether a change of a store removes what a cache holds of it: it follows from the log of the store, directly, or
    /// through queues that deliver at least once.
    pub(super) fn invalidation(&self, cache: NodeId, store: NodeId) -> Invalidation {
        let topology = self.topology();
        let arriving = topology.node(cache).operations.iter().flat_map(|operation| topology.calls_to(*operation));
        let sets = arriving.filter(|call| self.is_made(*call) && self.write(*call).is_some());
        let by_queue = |queue: Option<NodeId>| queue.map_or(Invalidation::Sure, |queue| self.invalidation_by(queue));
        let each = sets.filter_map(|call| {
            let from = topology.caller(call);
            let told = || self.told_by(from, store).map(by_queue).max();
            if self.tells(call, store) { Some(Invalidation::Sure) } else { told() }
        });
        each.max().unwrap_or(Invalidation::None)
    }

    /// A queue that gives a message up, after so many deliveries, leaves the entry where it is.
    fn invalidation_by(&self, queue: NodeId) -> Invalidation {
        let receives = self.cascade().node(queue, Key::MaxReceives).given();
        let gives_up = receives.is_some_and(|stated| stated.setting.count().is_some())
            || self.cascade().node(queue, Key::DeadLetter).given().is_some();
        match self.cascade().node(queue, Key::Delivery) {
            Answer::Given(stated) if stated.setting.says("at-most-once") => Invalidation::None,
            Answer::Given(_) if gives_up => Invalidation::Usual,
            Answer::Given(_) => Invalidation::Sure,
            _ => Invalidation::None,
        }
    }

    /// Whether a store tells an operation of its changes, directly or through a queue.
    #[must_use]
    pub fn is_told_of(&self, operation: OperationId, store: NodeId) -> bool {
        self.told_by(operation, store).next().is_some()
    }

    /// How a store tells an operation of its changes: directly, or through these queues.
    fn told_by(&self, operation: OperationId, store: NodeId) -> impl Iterator<Item = Option<NodeId>> + '_ {
        let topology = self.topology();
        topology.calls_to(operation).filter(|call| self.is_made(*call)).filter_map(move |call| {
            let from = topology.caller(call);
            let node = topology.node_id_of(from);
            if self.tells(call, store) {
                return Some(None);
            }
            let queue = topology.node(node).kind == ElementKind::Queue;
            (queue && topology.calls_to(from).any(|call| self.tells(call, store))).then_some(Some(node))
        })
    }

    /// Whether a call is made by a store of itself, when it has changed.
    fn tells(&self, call: CallId, store: NodeId) -> bool {
        let call = self.topology().call(call);
        call.arrow == Arrow::Async && self.topology().node_id_of(call.from) == store
    }
}

/// So many relays lie between a store and what is copied from it: a queue, a worker.
const RELAYS: usize = 3;

/// More calls than that are not followed from one store, in each hop.
const MOST_SEEN: usize = 256;

/// How far a copy is behind: `worst` is a bound, `lag` only what is reached.
pub(super) fn lag(replication: Option<Stated<'_>>) -> Time {
    let field = |key| replication.and_then(|stated| stated.setting.field(key)?.duration());
    match (field(Key::Worst), field(Key::Lag)) {
        (Some(worst), _) => Time::exactly(Extent::Finite(worst)),
        (None, lag) => Time::at_least(Extent::Finite(lag.unwrap_or(Duration::ZERO))),
    }
}
