//! What is kept in a cache and never gets to the store that the cache is stated to be a copy of.

use super::Facts;
use crate::ids::{IdMap, IdSet};
use crate::model::{CallId, NodeId, OperationId};
use crate::vocabulary::ElementKind;

/// So many operations around one are looked at; of what lies further nothing is said.
const MOST: usize = 256;

/// A call that keeps something in a cache only, and how many others could not be followed.
pub(super) type Uncopied = (Option<CallId>, usize);

impl Facts<'_> {
    /// The calls of code that set an entry of a cache.
    pub fn sets(&self, cache: NodeId) -> impl Iterator<Item = CallId> + '_ {
        let topology = self.topology();
        let name = |call: CallId| topology.operation(topology.callee(call)).name.map(|name| topology.text(name));
        self.writers(cache).filter(move |call| name(*call) == Some("set"))
    }

    /// The first call, by name, that sets an entry of a cache in a flow that never gets to the store behind it, and how
    /// many calls lead too far to tell.
    #[must_use]
    pub fn uncopied(&self, cache: NodeId) -> (Option<CallId>, usize) {
        let found = self.uncopied.get_or_init(|| {
            let topology = self.topology();
            let caches = topology.node_ids().filter(|id| topology.node(*id).kind == ElementKind::Cache);
            caches.filter_map(|cache| Some((cache, find(self, cache, self.source_of(cache)?)))).collect()
        });
        found.get(&cache).copied().unwrap_or_default()
    }

    /// How many calls that set an entry of a cache lead too far to tell whether the store behind it gets it.
    pub(super) fn sets_left_out(&self) -> usize {
        self.topology().node_ids().map(|node| self.uncopied(node).1).sum()
    }
}

fn find(facts: &Facts<'_>, cache: NodeId, source: NodeId) -> Uncopied {
    let (mut apart, mut unknown) = (Vec::new(), 0);
    let mut known: IdMap<OperationId, Option<bool>> = IdMap::default();
    for call in facts.sets(cache) {
        let caller = facts.topology().caller(call);
        match *known.entry(caller).or_insert_with(|| is_apart(facts, caller, source)) {
            Some(true) => apart.push(call),
            Some(false) => {}
            None => unknown += 1,
        }
    }
    (apart.into_iter().min_by_key(|call| facts.call_rank(*call)), unknown)
}

/// Whether no flow that runs through an operation gets to a node, in whatever way; none if there is too much to follow.
fn is_apart(facts: &Facts<'_>, operation: OperationId, node: NodeId) -> Option<bool> {
    let topology = facts.topology();
    let made = |call: &CallId| facts.is_made(*call);
    let above = reached(operation, |at| topology.calls_to(at).filter(made).map(|call| topology.caller(call)).collect());
    let mut seen = IdSet::default();
    // Each arrow of a client is a request of its own.
    let within = |at: &OperationId| topology.kind_of(*at) != ElementKind::Client;
    for start in above?.into_iter().filter(within) {
        let below =
            reached(start, |at| topology.calls_from(at).filter(made).map(|call| topology.callee(call)).collect());
        seen.extend(below?);
        if seen.len() > MOST {
            return None;
        }
    }
    Some(!seen.iter().any(|at| topology.node_id_of(*at) == node))
}

fn reached(start: OperationId, next: impl Fn(OperationId) -> Vec<OperationId>) -> Option<IdSet<OperationId>> {
    let mut seen = IdSet::from_iter([start]);
    let mut open = vec![start];
    while let Some(at) = open.pop() {
        for found in next(at) {
            if seen.insert(found) {
                open.push(found);
            }
        }
        if seen.len() > MOST {
            return None;
        }
    }
    Some(seen)
}
