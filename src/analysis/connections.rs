//! Connections that callers hold open, against what a node accepts: instances × `pool-size`, summed over callers.

use std::collections::BTreeMap;

use super::Facts;
use crate::model::{CallId, NodeId, Stated};
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
}

impl Opened {
    /// By all instances together, at least.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.pool_size.saturating_mul(self.instances.unwrap_or(1))
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
        accepting
            .map(|(node, accepts, stated)| Connected { node, accepts, stated, callers: self.opened(node) })
            .collect()
    }

    /// The pool of a caller serves all its calls to the node; what passes another node first ends there.
    fn opened(&self, node: NodeId) -> Vec<Opened> {
        let topology = self.topology();
        let calls = topology.node(node).operations.iter().flat_map(|id| topology.calls_to(*id));
        let mut pools: BTreeMap<NodeId, (u64, CallId)> = BTreeMap::new();
        for call in calls {
            let caller = topology.operation(topology.call(call).from).node;
            let Some(size) = self.pool_size(call).filter(|_| caller != node) else { continue };
            let pool = pools.entry(caller).or_insert((size, call));
            if size > pool.0 {
                *pool = (size, call);
            }
        }
        let opened = pools.into_iter().map(|(caller, (pool_size, call))| {
            let instances = self.instances(caller).map(|(_, most)| most);
            Opened { caller, call, pool_size, instances }
        });
        let mut opened: Vec<Opened> = opened.collect();
        opened.sort_by(|one, other| {
            let name = |opened: &Opened| topology.node_name(opened.caller);
            other.all().cmp(&one.all()).then_with(|| name(one).cmp(name(other)))
        });
        opened
    }

    fn pool_size(&self, call: CallId) -> Option<u64> {
        let look = |key| self.cascade().call(call, &[key]);
        if self.topology().call(call).implied || self.plan(call).local || look(Key::Through).may_be_given() {
            return None;
        }
        look(Key::PoolSize).given()?.setting.count()
    }
}
