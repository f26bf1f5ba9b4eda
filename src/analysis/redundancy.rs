//! Branches that stand in for each other, and what several of them need.

use std::collections::BTreeMap;

use super::Facts;
use super::phases::Needed;
use crate::model::{CallId, Fallback, Name, NodeId, OperationId, Step};
use crate::vocabulary::Key;

/// Branches of which fewer are needed than there are: a group that waits for some, or a call with its fallback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redundancy {
    /// The operation that has them.
    pub operation: OperationId,
    /// The first call of each branch that is needed for it.
    pub branches: Vec<CallId>,
    /// How many of them are enough.
    pub enough: usize,
    /// The nearest node without which too few are left, and the calls to it from two branches.
    pub shared: Option<(NodeId, [Vec<CallId>; 2])>,
    /// How many more such nodes there are.
    pub more: usize,
}

/// So many nodes are visited in all.
const VISITS: usize = 500_000;

impl Facts<'_> {
    /// All redundant branches.
    #[must_use]
    pub fn redundancies(&self) -> &[Redundancy] {
        &self.all_redundancies().0
    }

    /// How many groups of redundant branches were not compared.
    pub(super) fn redundancies_left_out(&self) -> usize {
        self.all_redundancies().1
    }

    fn all_redundancies(&self) -> &(Vec<Redundancy>, usize) {
        self.redundancies.get_or_init(|| {
            let topology = self.topology();
            let mut search = Search { facts: self, visits: VISITS, found: Vec::new(), left_out: 0 };
            for id in topology.operation_ids() {
                search.steps(id, &topology.operation(id).body);
            }
            (search.found, search.left_out)
        })
    }

    /// The one place that all these nodes state to be in, such as a zone; none if one has several or none.
    #[must_use]
    pub fn only_place(&self, nodes: &[NodeId], key: Key) -> Option<Name> {
        let place = |node: &NodeId| match self.cascade().node(*node, key).given()?.setting.texts() {
            [one] => Some(*one),
            _ => None,
        };
        let first = place(nodes.first()?)?;
        nodes.iter().all(|node| place(node) == Some(first)).then_some(first)
    }
}

struct Search<'a, 'f> {
    facts: &'a Facts<'f>,
    visits: usize,
    found: Vec<Redundancy>,
    left_out: usize,
}

impl Search<'_, '_> {
    fn steps(&mut self, operation: OperationId, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Call(call) => self.fallback(operation, *call),
                Step::Sequence(steps) | Step::Parallel(steps) | Step::OneOf(steps) => self.steps(operation, steps),
                Step::Any(enough, branches) => {
                    let needed: Vec<Vec<CallId>> =
                        branches.iter().map(|branch| self.direct(std::slice::from_ref(branch))).collect();
                    let enough = usize::try_from(*enough).unwrap_or(usize::MAX);
                    if enough < branches.len() && enough > 0 {
                        self.group(operation, enough, &needed);
                    }
                    self.steps(operation, branches);
                }
            }
        }
    }

    fn fallback(&mut self, operation: OperationId, call: CallId) {
        let row = self.facts.topology().call(call);
        if let Some(Fallback::Calls(steps)) = &row.fallback
            && self.facts.is_awaited(call)
        {
            let needed = [vec![call], self.direct(steps)];
            self.group(operation, 1, &needed);
            self.steps(operation, steps);
        }
    }

    /// The calls that these steps cannot do without.
    fn direct(&self, steps: &[Step]) -> Vec<CallId> {
        let facts = self.facts;
        let is_needed = |call: &CallId| {
            let plan = facts.plan(*call);
            facts.is_awaited(*call)
                && !plan.soft
                && !plan.skippable
                && !facts.is_cache_read(*call)
                && facts.miss_of(*call).is_none()
        };
        let of = |step: &Step| match step {
            Step::Call(call) => Some(*call).filter(is_needed).into_iter().collect(),
            Step::Sequence(steps) | Step::Parallel(steps) => self.direct(steps),
            Step::Any(..) | Step::OneOf(_) => Vec::new(),
        };
        steps.iter().flat_map(of).collect()
    }

    fn group(&mut self, operation: OperationId, enough: usize, needed: &[Vec<CallId>]) {
        let branches: Option<Vec<CallId>> = needed.iter().map(|calls| calls.first().copied()).collect();
        // Of a branch that needs nothing for sure, nothing can be said.
        let Some(branches) = branches else { return };
        if self.visits == 0 {
            self.left_out += 1;
            return;
        }
        let below: Vec<Needed> = needed.iter().map(|calls| self.facts.needed_below(calls.iter().copied())).collect();
        let besides = self.facts.needed_below(self.facts.needed_calls(operation));
        let visited: usize = below.iter().chain([&besides]).map(|needed| needed.visited).sum();
        let Some(left) = self.visits.checked_sub(visited) else {
            self.visits = 0;
            self.left_out += 1;
            return;
        };
        self.visits = left;
        let own = self.facts.topology().node_id_of(operation);
        let mut counts: BTreeMap<NodeId, usize> = BTreeMap::new();
        for node in below.iter().flat_map(Needed::nodes) {
            *counts.entry(node).or_default() += 1;
        }
        let spare = branches.len() - enough;
        let fatal =
            counts.into_iter().filter(|(node, count)| *count > spare && *node != own && !besides.contains(*node));
        let fatal: Vec<NodeId> = fatal.map(|(node, _)| node).collect();
        let nearest = fatal.iter().copied().min_by_key(|node| {
            let distance: usize = below.iter().map(|needed| needed.distance(*node)).sum();
            (distance, self.facts.topology().node_name(*node))
        });
        let shared = nearest.and_then(|node| {
            let mut ways =
                below.iter().filter(|needed| needed.contains(node)).map(|needed| needed.way(self.facts, node));
            Some((node, [ways.next()?, ways.next()?]))
        });
        let more = fatal.len().saturating_sub(1);
        self.found.push(Redundancy { operation, branches, enough, shared, more });
    }
}
