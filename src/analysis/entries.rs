//! Where requests come in, and how one gets from there to any operation.

use std::collections::VecDeque;
use std::sync::OnceLock;

use super::Facts;
use crate::model::{CallId, OperationId, Phase};
use crate::syntax::Arrow;
use crate::vocabulary::{ElementKind, Key};

/// The entries of a topology, and the shortest way from one to every operation.
#[derive(Debug)]
pub struct Entries {
    all: Vec<OperationId>,
    by_name: OnceLock<Vec<OperationId>>,
    is_entry: Vec<bool>,
    /// For each operation, the call by which it is first reached.
    reached_by: Vec<Option<CallId>>,
    /// For each operation that is reached, where its way starts and how many calls it has.
    starts: Vec<Option<(OperationId, u32)>>,
}

impl Entries {
    /// The entries, in declared order.
    #[must_use]
    pub fn all(&self) -> &[OperationId] {
        &self.all
    }

    /// The entries, by name.
    pub(super) fn by_name(&self, facts: &Facts<'_>) -> &[OperationId] {
        self.by_name.get_or_init(|| {
            let mut sorted = self.all.clone();
            sorted.sort_by_key(|operation| facts.rank(*operation));
            sorted
        })
    }

    /// Whether an operation is one.
    #[must_use]
    pub fn contains(&self, operation: OperationId) -> bool {
        self.is_entry.get(operation.index()).copied().unwrap_or(false)
    }

    /// The way from outside to an operation: where it starts, and its last calls, at most `most`, outermost first.
    #[must_use]
    pub fn way_to(&self, facts: &Facts<'_>, operation: OperationId, most: usize) -> Way {
        let topology = facts.topology();
        let steps = std::iter::successors(self.reached_by(operation), |call| self.reached_by(topology.caller(*call)));
        let mut calls: Vec<CallId> = steps.take(most).collect();
        calls.reverse();
        let (start, depth) = self.starts.get(operation.index()).copied().flatten().unwrap_or((operation, 0));
        Way { start, left_out: (depth as usize).saturating_sub(calls.len()), calls }
    }

    fn reached_by(&self, operation: OperationId) -> Option<CallId> {
        self.reached_by.get(operation.index()).copied().flatten()
    }
}

/// A way from outside to an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Where it starts.
    pub start: OperationId,
    /// How many calls there are before the first one here.
    pub left_out: usize,
    /// The last calls of the way, outermost first.
    pub calls: Vec<CallId>,
}

/// An entry is an operation that a client calls, or that states `load` or `slo`, or one of a `public` node (or with a
/// `deadline`) that nobody calls; without any, every operation that nobody calls.
pub(super) fn entries(facts: &Facts<'_>) -> Entries {
    let topology = facts.topology();
    let cascade = facts.cascade();
    let is_client = |id: OperationId| topology.kind_of(id) == ElementKind::Client;
    let own = |id: OperationId| {
        // A queue's consumers are roots for load and effects; only what clients ask for is waited for.
        let by_client = topology
            .calls_to(id)
            .any(|call| is_client(topology.caller(call)) && topology.call(call).phase == Phase::Request);
        let states = |key| cascade.operation(id, key).given().is_some();
        let called = || {
            topology
                .calls_to(id)
                .any(|call| topology.call(call).phase == Phase::Request && !topology.call(call).implied)
        };
        let public = || cascade.node(topology.node_id_of(id), Key::Public).given().is_some();
        by_client || states(Key::Load) || states(Key::Slo) || ((public() || states(Key::Deadline)) && !called())
    };
    let candidates = || topology.operation_ids().filter(|id| !is_client(*id));
    let mut entries: Vec<OperationId> = candidates().filter(|id| own(*id)).collect();
    if entries.is_empty() {
        let uncalled =
            |id: &OperationId| topology.calls_to(*id).next().is_none() && topology.calls_from(*id).next().is_some();
        entries = candidates().filter(uncalled).collect();
    }
    let mut is_entry = vec![false; topology.operations.len()];
    for entry in &entries {
        if let Some(flag) = is_entry.get_mut(entry.index()) {
            *flag = true;
        }
    }
    let (reached_by, starts) = reach(facts, &entries);
    Entries { all: entries, by_name: OnceLock::new(), is_entry, reached_by, starts }
}

type Reached = (Vec<Option<CallId>>, Vec<Option<(OperationId, u32)>>);

/// Breadth first from clients, then from entries that no client reaches.
fn reach(facts: &Facts<'_>, entries: &[OperationId]) -> Reached {
    let topology = facts.topology();
    let mut reached_by = vec![None; topology.operations.len()];
    let mut starts: Vec<Option<(OperationId, u32)>> = vec![None; topology.operations.len()];
    let clients = topology.operation_ids().filter(|id| topology.kind_of(*id) == ElementKind::Client);
    let rest = topology.operation_ids().filter(|id| topology.calls_to(*id).next().is_none());
    let by_name = |mut starts: Vec<OperationId>| {
        starts.sort_by_key(|id| facts.rank(*id));
        starts
    };
    let roots = [by_name(clients.collect()), by_name(entries.to_vec()), by_name(rest.collect())];
    for start in roots.into_iter().flatten() {
        match starts.get_mut(start.index()) {
            Some(slot @ None) => *slot = Some((start, 0)),
            _ => continue,
        }
        let mut queue = VecDeque::from([(start, 0)]);
        while let Some((at, depth)) = queue.pop_front() {
            let requests = topology.calls_from(at).filter(|call| topology.call(*call).phase == Phase::Request);
            let mut calls: Vec<CallId> = requests.collect();
            calls.sort_by_key(|call| (topology.call(*call).arrow == Arrow::Async, facts.call_rank(*call)));
            for call in calls {
                let to = topology.callee(call);
                if let (Some(slot @ None), Some(reached)) = (starts.get_mut(to.index()), reached_by.get_mut(to.index()))
                {
                    *slot = Some((start, depth + 1));
                    *reached = Some(call);
                    queue.push_back((to, depth + 1));
                }
            }
        }
    }
    (reached_by, starts)
}
