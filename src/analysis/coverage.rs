//! Of how many elements the diagram says what the rules ask for: what is not said cannot be checked.

use super::Facts;
use super::attempts::Limit;
use super::effects::Effect;
use super::interval::Extent;
use crate::model::{CallId, NodeId, OperationId, Origin, Phase};
use crate::syntax::Arrow;
use crate::vocabulary::{ElementKind, Key};

/// One measure a bet, in the order of the bets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The measures.
    pub shares: Vec<Share>,
}

/// Of how many elements something is stated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The family of rules that asks for it.
    pub family: &'static str,
    /// What is asked for, with its elements: `timeout on calls`.
    pub what: &'static str,
    /// How many state it.
    pub stated: usize,
    /// How many there are.
    pub of: usize,
}

impl Share {
    /// The first word of what is asked for, by which programs know it: `timeout`.
    #[must_use]
    pub fn key(&self) -> &'static str {
        self.what.split(' ').next().unwrap_or(self.what)
    }
}

pub(super) fn coverage(facts: &Facts<'_>) -> Coverage {
    let topology = facts.topology();
    let calls: Vec<CallId> = topology
        .call_ids()
        .filter(|id| !topology.call(*id).implied && topology.call(*id).phase == Phase::Request)
        .collect();
    let awaited: Vec<CallId> =
        calls.iter().copied().filter(|id| topology.call(*id).arrow == Arrow::Sync && !facts.is_local(*id)).collect();
    let nodes: Vec<NodeId> = topology.node_ids().filter(|id| topology.node(*id).kind != ElementKind::Client).collect();
    let stores: Vec<NodeId> =
        nodes.iter().copied().filter(|id| topology.node(*id).kind == ElementKind::Store).collect();
    let of_calls = |family, what, keys: &[Key]| {
        let stated = calls.iter().filter(|id| facts.cascade().call(**id, keys).stated().is_some()).count();
        Share { family, what, stated, of: calls.len() }
    };
    let of_nodes = |family, what, nodes: &[NodeId], key| {
        let stated = nodes.iter().filter(|id| facts.cascade().node(**id, key).stated().is_some()).count();
        Share { family, what, stated, of: nodes.len() }
    };
    let bounded = awaited.iter().filter(|id| is_bounded(facts, **id)).count();
    let operations: Vec<_> =
        topology.operation_ids().filter(|id| topology.kind_of(*id) != ElementKind::Client).collect();
    let timed = operations.iter().filter(|id| facts.cascade().operation(**id, Key::Latency).stated().is_some()).count();
    let sites: Vec<_> =
        facts.effect_sites().map(|site| facts.effect(site)).filter(|effect| *effect != Effect::Absent).collect();
    let known = sites.iter().filter(|effect| **effect != Effect::Unknown).count();
    Coverage {
        shares: vec![
            Share { family: "reliable-network", what: "timeout on calls", stated: bounded, of: awaited.len() },
            Share { family: "zero-latency", what: "latency of operations", stated: timed, of: operations.len() },
            of_calls("infinite-bandwidth", "size of calls", &[Key::Request, Key::Response]),
            of_calls("secure-network", "encryption of calls", &[Key::Encryption]),
            of_calls("stable-topology", "address of calls", &[Key::Address]),
            of_nodes("one-administrator", "owner of nodes", &nodes, Key::Owner),
            of_nodes("zero-transport-cost", "region of nodes", &nodes, Key::Region),
            of_calls("homogeneous-network", "protocol of calls", &[Key::Protocol]),
            of_nodes("partial-failure", "replicas of nodes", &nodes, Key::Replicas),
            of_nodes("consistency", "model of stores", &stores, Key::Model),
            Share { family: "idempotency", what: "idempotency of effects", stated: known, of: sites.len() },
            of_calls("observability", "trace on calls", &[Key::Trace]),
        ],
    }
}

/// Whether the diagram states a bound for a call, even that there is none. What a table of defaults says does not count.
fn is_bounded(facts: &Facts<'_>, id: CallId) -> bool {
    let plan = facts.plan(id);
    let stated = |limit: Limit<'_>| limit.stated().is_some_and(|stated| !matches!(stated.origin, Origin::Client(..)));
    stated(plan.timeout)
        || stated(plan.deadline)
        || (plan.inherits && facts.allotted(facts.topology().caller(id)).is_bounded())
}

impl Facts<'_> {
    /// The worst case of an operation as far as it is known: of one that waits for nobody and states nothing of its own
    /// work, nothing is.
    #[must_use]
    pub fn worst_case(&self, operation: OperationId) -> Option<Extent> {
        let is_client = self.topology().kind_of(operation) == ElementKind::Client;
        let silent = !is_client && !self.states_own_work(operation);
        self.times().operation(operation).proved().filter(|most| *most != Extent::ZERO || !silent)
    }

    /// Whether it is stated how long the own work of an operation may take: if not, it counts as nothing.
    #[must_use]
    pub fn states_own_work(&self, operation: OperationId) -> bool {
        let latency = self.cascade().operation(operation, Key::Latency).given();
        latency.is_some_and(|stated| stated.setting.maximum().is_some())
            || (self.is_leaf(operation) && self.allotted(operation).own.is_some())
    }
}
