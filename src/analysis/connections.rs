//! Connections that callers hold open, against what a node accepts: instances × `pool-size`, summed over callers. Who has
//! fewer workers than that opens no more than they need at once.

use std::collections::{BTreeMap, BTreeSet};

use super::Facts;
use super::attempts::Attempts;
use crate::ids::IdMap;
use crate::model::{CallId, Fallback, NodeId, OperationId, Stated, Step};
use crate::syntax::Arrow;
use crate::vocabulary::Key;

/// A node that states how many connections it accepts.
#[derive(Debug)]
pub struct Connected<'a> {
    /// The node.
    pub node: NodeId,
    /// How many it accepts.
    pub accepts: u64,
    /// Where that is stated.
    pub stated: Stated<'a>,
    /// The callers that state how many they open, those with most first.
    pub callers: Vec<Opened>,
}

/// The connections that one node opens to another one.
#[derive(Clone, Copy, Debug)]
pub struct Opened {
    /// Who opens them.
    pub caller: NodeId,
    /// A call that says so: the one with the largest pool.
    pub call: CallId,
    /// By each instance.
    pub pool_size: u64,
    /// Instances: all that it may be scaled to; none if that is not stated.
    pub instances: Option<u64>,
    /// The most that its workers, those of all instances together, need at once; none if nothing bounds that.
    pub needed: Option<u64>,
}

impl Opened {
    /// By all instances together, at least.
    #[must_use]
    pub fn all(&self) -> u64 {
        let pools = self.pool_size.saturating_mul(self.instances.unwrap_or(1));
        self.needed.map_or(pools, |needed| needed.min(pools))
    }
}

impl Connected<'_> {
    /// What all callers open together, at least.
    #[must_use]
    pub fn opened(&self) -> u64 {
        self.callers.iter().fold(0, |sum, opened| sum.saturating_add(opened.all()))
    }
}

impl<'f> Facts<'f> {
    /// All nodes that state how many connections they accept, with what is opened to them.
    #[must_use]
    pub fn connected(&self) -> Vec<Connected<'f>> {
        let accepting = self.topology().node_ids().filter_map(|node| {
            let stated = self.cascade().node(node, Key::Connections).given()?;
            Some((node, stated.setting.count()?, stated))
        });
        let mut open = IdMap::default();
        accepting
            .map(|(node, accepts, stated)| Connected { node, accepts, stated, callers: self.opened(node, &mut open) })
            .collect()
    }

    /// The pool of a caller serves all its calls to the node; what passes another node first ends there.
    fn opened(&self, node: NodeId, open: &mut IdMap<OperationId, OpenTo>) -> Vec<Opened> {
        let topology = self.topology();
        let calls = topology.node(node).operations.iter().flat_map(|id| topology.calls_to(*id));
        let mut pools: BTreeMap<NodeId, (u64, CallId)> = BTreeMap::new();
        let mut callers: BTreeMap<NodeId, BTreeSet<OperationId>> = BTreeMap::new();
        for call in calls {
            let caller = topology.caller_node(call);
            callers.entry(caller).or_default().insert(topology.caller(call));
            let Some(size) = self.pool_size(call).filter(|_| caller != node) else { continue };
            let pool = pools.entry(caller).or_insert((size, call));
            if size > pool.0 {
                *pool = (size, call);
            }
        }
        let opened = pools.into_iter().map(|(caller, (pool_size, call))| {
            let instances = self.instances(caller).map(|(_, most)| most);
            let operations = callers.get(&caller).into_iter().flatten().copied();
            Opened { caller, call, pool_size, instances, needed: self.needed(operations, node, open) }
        });
        let mut opened: Vec<Opened> = opened.collect();
        opened.sort_by(|one, other| {
            let name = |opened: &Opened| topology.node_name(opened.caller);
            other.all().cmp(&one.all()).then_with(|| name(one).cmp(name(other)))
        });
        opened
    }

    /// How many connections to a node the workers of these operations of its caller need at once; none if their number
    /// is not stated, or what they have sent may outlive the execution.
    fn needed(
        &self,
        operations: impl Iterator<Item = OperationId>,
        node: NodeId,
        open: &mut IdMap<OperationId, OpenTo>,
    ) -> Option<u64> {
        // By the operation that has its workers for itself.
        let mut pools: BTreeMap<Option<OperationId>, (u64, u64)> = BTreeMap::new();
        for id in operations {
            let open = open.entry(id).or_insert_with(|| self.open_after(&self.topology().operation(id).body));
            let at_once = open.get(&node).map_or(Some(0), |open| *open)?;
            if at_once > 0 {
                let own = Some(id).filter(|id| self.has_own_workers(*id));
                let pool = pools.entry(own).or_insert((self.worker_count(id)?, 0));
                pool.1 = pool.1.max(at_once);
            }
        }
        let all = pools.into_values().map(|(workers, at_once)| workers.saturating_mul(at_once));
        Some(all.fold(0, u64::saturating_add))
    }

    /// What some steps have open at once, one after the other.
    fn open_after(&self, steps: &[Step]) -> OpenTo {
        let mut open = OpenTo::default();
        for step in steps {
            join(&mut open, self.open_in(step, false), MOST);
        }
        open
    }

    fn open_in(&self, step: &Step, parallel: bool) -> OpenTo {
        match step {
            Step::Call(id) => self.open_in_call(*id, parallel),
            Step::Sequence(steps) | Step::OneOf(steps) => self.open_after(steps),
            Step::Parallel(branches) => {
                let mut open = OpenTo::default();
                for branch in branches {
                    join(&mut open, self.open_in(branch, true), u64::checked_add);
                }
                open
            }
            // Nobody waits for the slowest.
            Step::Any(_, branches) => {
                let mut open = self.open_after(branches);
                for open in open.values_mut() {
                    *open = open.filter(|open| *open == 0);
                }
                open
            }
        }
    }

    fn open_in_call(&self, id: CallId, parallel: bool) -> OpenTo {
        let (plan, call) = (self.plan(id), self.topology().call(id));
        let mut open = match &call.fallback {
            Some(Fallback::Calls(steps)) => self.open_after(steps),
            _ => OpenTo::default(),
        };
        if self.is_made(id) {
            let copies = plan.hedge.map_or(1, |(copies, ..)| copies);
            let own = match if parallel { plan.times } else { Attempts::AtMost(1) } {
                Attempts::AtMost(rounds) => (call.arrow == Arrow::Sync).then(|| copies.saturating_mul(rounds)),
                Attempts::Unlimited => None,
            };
            join(&mut open, [(self.topology().callee_node(id), own)], MOST);
        }
        open
    }

    fn pool_size(&self, call: CallId) -> Option<u64> {
        let look = |key| self.cascade().call(call, &[key]);
        if self.topology().call(call).implied || self.is_local(call) || look(Key::Through).may_be_given() {
            return None;
        }
        look(Key::PoolSize).given()?.setting.count()
    }
}

/// How many calls to each node are open at once; none if nothing bounds that.
type OpenTo = IdMap<NodeId, Option<u64>>;

/// Adds what else is open; the sum is none where one of both is.
fn join(open: &mut OpenTo, more: impl IntoIterator<Item = (NodeId, Option<u64>)>, sum: fn(u64, u64) -> Option<u64>) {
    for (node, more) in more {
        open.entry(node)
            .and_modify(|open| *open = open.zip(more).and_then(|(open, more)| sum(open, more)))
            .or_insert(more);
    }
}

/// One after the other.
const MOST: fn(u64, u64) -> Option<u64> = |one, other| Some(one.max(other));
