//! Which calls an operation cannot do without. A call is soft if something answers in its place, if it reads a cache
//! before the store that the cache is of, or if enough of its group answer without it.

use std::collections::VecDeque;

use super::Facts;
use crate::ids::IdMap;
use crate::model::{CallId, NodeId, OperationId, Step};
use crate::vocabulary::{ElementKind, Key};

/// What is known of the calls of all operations.
#[derive(Debug)]
pub(super) struct Hardness {
    /// In a group that needs fewer answers than it has branches.
    spare: Vec<bool>,
    /// In a branch of which exactly one is taken.
    alternative: Vec<bool>,
    /// A read of a cache before one of its store.
    cache_read: Vec<bool>,
    /// For a read of a store after one of its cache, that one.
    miss_of: Vec<Option<CallId>>,
}

/// How operations are reached over some of the calls.
#[derive(Debug)]
pub struct Ways {
    by: Vec<Option<Reached>>,
}

/// How an operation is reached: where its way starts, its last call, and how many calls it has.
#[derive(Clone, Copy, Debug)]
struct Reached {
    start: OperationId,
    last: Option<CallId>,
    length: usize,
}

impl Ways {
    /// Whether it is reached.
    #[must_use]
    pub fn reach(&self, operation: OperationId) -> bool {
        self.by.get(operation.index()).is_some_and(Option::is_some)
    }

    /// Where its way starts.
    #[must_use]
    pub fn start(&self, operation: OperationId) -> Option<OperationId> {
        self.by.get(operation.index()).copied().flatten().map(|reached| reached.start)
    }

    /// How many calls a shortest way to it has.
    #[must_use]
    pub fn length(&self, operation: OperationId) -> Option<usize> {
        self.by.get(operation.index()).copied().flatten().map(|reached| reached.length)
    }

    /// The calls of a shortest way to it.
    #[must_use]
    pub fn way(&self, facts: &Facts<'_>, operation: OperationId) -> Vec<CallId> {
        self.last_calls(facts, operation, usize::MAX)
    }

    /// Of a shortest way to it the last calls, at most so many.
    #[must_use]
    pub fn last_calls(&self, facts: &Facts<'_>, operation: OperationId, most: usize) -> Vec<CallId> {
        let before = |id: OperationId| self.by.get(id.index()).copied().flatten().and_then(|reached| reached.last);
        let calls = std::iter::successors(before(operation), |call| before(facts.topology().caller(*call)));
        let mut way: Vec<CallId> = calls.take(most).collect();
        way.reverse();
        way
    }
}

impl Hardness {
    pub(super) fn of(facts: &Facts<'_>) -> Self {
        let topology = facts.topology();
        let count = topology.calls.len();
        let mut found = Self {
            spare: vec![false; count],
            alternative: vec![false; count],
            cache_read: vec![false; count],
            miss_of: vec![None; count],
        };
        for operation in &topology.operations {
            found.find_groups(&operation.body);
            found.find_misses(facts, &operation.body);
        }
        found
    }

    fn find_groups(&mut self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Call(_) => {}
                Step::Any(enough, branches) => {
                    if *enough < branches.len() as u64 {
                        Step::each(branches, &mut |call| mark(&mut self.spare, call));
                    }
                    self.find_groups(branches);
                }
                Step::OneOf(branches) => {
                    Step::each(branches, &mut |call| mark(&mut self.alternative, call));
                    self.find_groups(branches);
                }
                Step::Sequence(steps) | Step::Parallel(steps) => self.find_groups(steps),
            }
        }
    }

    /// A read of a store after a read of its cache, in the same operation, is the miss path.
    fn find_misses(&mut self, facts: &Facts<'_>, body: &[Step]) {
        let topology = facts.topology();
        let mut caches: IdMap<NodeId, Vec<CallId>> = IdMap::default();
        let mut calls = Vec::new();
        Step::each(body, &mut |call| calls.extend(facts.is_made(call).then_some(call)));
        for call in calls {
            let operation = topology.operation(topology.callee(call));
            let node = operation.node;
            let name = operation.name.map(|name| topology.text(name));
            match topology.node(node).kind {
                ElementKind::Cache if matches!(name, None | Some("get")) => {
                    let of = facts.cascade().node(node, Key::Of).given();
                    for store in of.into_iter().flat_map(|stated| stated.setting.nodes()) {
                        caches.entry(store).or_default().push(call);
                    }
                }
                ElementKind::Store if matches!(name, None | Some("read")) => {
                    let Some(before) = caches.get_mut(&node) else { continue };
                    for cache in before.iter() {
                        mark(&mut self.cache_read, *cache);
                    }
                    // What is marked need not be looked at again; the last stands for all.
                    before.drain(..before.len().saturating_sub(1));
                    if let (Some(slot), Some(cache)) = (self.miss_of.get_mut(call.index()), before.last()) {
                        *slot = Some(*cache);
                    }
                }
                _ => {}
            }
        }
    }
}

fn mark(flags: &mut [bool], call: CallId) {
    if let Some(flag) = flags.get_mut(call.index()) {
        *flag = true;
    }
}

impl Facts<'_> {
    /// Whether a call reads a cache before the store that the cache is of: without the cache the store answers.
    #[must_use]
    pub fn is_cache_read(&self, call: CallId) -> bool {
        self.hardness().cache_read.get(call.index()).copied().unwrap_or(false)
    }

    /// Whether a call is in a group that needs fewer answers than it has branches.
    #[must_use]
    pub fn is_spare(&self, call: CallId) -> bool {
        self.hardness().spare.get(call.index()).copied().unwrap_or(false)
    }

    /// Whether every execution that gets so far makes a call, and cannot do without it.
    #[must_use]
    pub fn is_always_needed(&self, call: CallId) -> bool {
        let always = !self.plan(call).skippable && !self.is_alternative(call) && self.miss_of(call).is_none();
        always && self.is_hard(call)
    }

    /// Whether a call is in a branch of which exactly one is taken. A bare arrow to a store means all its operations.
    #[must_use]
    pub fn is_alternative(&self, call: CallId) -> bool {
        let drawn = !self.topology().call(call).implied;
        drawn && self.hardness().alternative.get(call.index()).copied().unwrap_or(false)
    }

    /// The read of a cache before this read of its store: it is made on a miss.
    #[must_use]
    pub fn miss_of(&self, call: CallId) -> Option<CallId> {
        self.hardness().miss_of.get(call.index()).copied().flatten()
    }

    /// Whether its failure fails the operation that makes it. Calls of a fallback are not: they are made when
    /// something else has failed already.
    #[must_use]
    pub fn is_hard(&self, call: CallId) -> bool {
        let plan = self.plan(call);
        self.is_awaited(call)
            && !plan.soft
            && self.topology().call(call).fallback_of.is_none()
            && !self.is_spare(call)
            && !self.is_cache_read(call)
    }

    /// What is reached from some operations over calls that count, with the shortest ways.
    #[must_use]
    pub fn ways_over(&self, starts: impl IntoIterator<Item = OperationId>, counts: impl Fn(CallId) -> bool) -> Ways {
        let topology = self.topology();
        let mut by = vec![None; topology.operations.len()];
        let mut queue = VecDeque::new();
        for start in starts {
            if let Some(slot @ None) = by.get_mut(start.index()) {
                let reached = Reached { start, last: None, length: 0 };
                *slot = Some(reached);
                queue.push_back((start, reached));
            }
        }
        while let Some((id, Reached { start, length, .. })) = queue.pop_front() {
            let mut calls: Vec<CallId> = topology.calls_from(id).filter(|call| counts(*call)).collect();
            calls.sort_by_key(|call| self.call_rank(*call));
            for call in calls {
                let to = topology.callee(call);
                if let Some(slot @ None) = by.get_mut(to.index()) {
                    let reached = Reached { start, last: Some(call), length: length + 1 };
                    *slot = Some(reached);
                    queue.push_back((to, reached));
                }
            }
        }
        Ways { by }
    }
}
