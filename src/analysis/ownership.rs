//! Who answers for what, and which stores services of different owners use directly.

use super::Facts;
use super::effects::Write;
use crate::diagnostic::Certainty;
use crate::model::{Answer, CallId, Name, NodeId, Phase};
use crate::vocabulary::{ElementKind, Key};

/// Who answers for a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// This team.
    Team(Name),
    /// Nobody, as is stated.
    Nobody,
    /// Nothing is said of it.
    Unstated,
    /// Something was said that could not be read.
    Unreadable,
}

/// How a node uses a store directly.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// Who answers for the node.
    pub owner: Ownership,
    /// The call; of several, one that writes.
    pub call: CallId,
    /// Whether it writes; none if a bare arrow leaves it open.
    pub writes: Option<bool>,
}

/// A store that services of different owners use directly.
#[derive(Clone, Debug)]
pub struct Shared {
    /// The store.
    pub store: NodeId,
    /// The team whose data it holds: the store's own owner, or that of the first service that writes.
    pub home: Name,
    /// A service of that team that uses it.
    pub through: Option<Access>,
    /// The uses by others, writers first.
    pub foreign: Vec<Access>,
    /// Proved if another stated owner writes.
    pub certainty: Certainty,
}

impl Facts<'_> {
    /// Who answers for a node.
    #[must_use]
    pub fn owner(&self, node: NodeId) -> Ownership {
        match self.cascade().node(node, Key::Owner) {
            Answer::Given(stated) => stated.setting.word().map_or(Ownership::Unreadable, Ownership::Team),
            Answer::None(_) => Ownership::Nobody,
            Answer::Unstated => Ownership::Unstated,
            Answer::Unreadable => Ownership::Unreadable,
        }
    }

    /// The stores that are used from more than one side. A store with a `role` is there for all.
    #[must_use]
    pub fn shared_stores(&self) -> Vec<Shared> {
        let topology = self.topology();
        let stores = topology.node_ids().filter(|id| topology.node(*id).kind == ElementKind::Store);
        stores
            .filter(|id| matches!(self.cascade().node(*id, Key::Role), Answer::Unstated))
            .filter_map(|id| self.shared(id))
            .collect()
    }

    fn shared(&self, store: NodeId) -> Option<Shared> {
        let uses = self.uses(store);
        let team = |owner| if let Ownership::Team(name) = owner { Some(name) } else { None };
        let own = team(self.owner(store));
        let writer = uses.iter().filter(|access| access.writes == Some(true)).find_map(|access| team(access.owner));
        let home = own.or(writer)?;
        let through = uses.iter().copied().find(|access| access.owner == Ownership::Team(home));
        let others = uses.iter().copied().filter(|access| access.owner != Ownership::Team(home));
        let (stated, unstated): (Vec<Access>, Vec<Access>) = others
            .filter(|access| matches!(access.owner, Ownership::Team(_) | Ownership::Unstated))
            .partition(|access| access.owner != Ownership::Unstated);
        if stated.iter().any(|access| access.writes == Some(true)) {
            return Some(Shared { store, home, through, foreign: stated, certainty: Certainty::Proved });
        }
        // Readers may use what is published for them.
        let published = self.cascade().node(store, Key::Contract).may_be_given();
        let mut foreign: Vec<Access> =
            stated.into_iter().filter(|access| !(published && access.writes == Some(false))).collect();
        // One service alone may just belong to the owner of its store.
        foreign.extend(unstated.into_iter().filter(|access| through.is_some() && access.writes == Some(true)));
        let shared = Shared { store, home, through, foreign, certainty: Certainty::Possible };
        (!shared.foreign.is_empty()).then_some(shared)
    }

    /// The services and external systems that use a store directly, one row each, writers first, then by name.
    fn uses(&self, store: NodeId) -> Vec<Access> {
        let topology = self.topology();
        let calls = topology.node(store).operations.iter().flat_map(|operation| topology.calls_to(*operation));
        let by_code = |call: &CallId| {
            let kind = topology.kind_of(topology.caller(*call));
            let happens = topology.call(*call).phase != Phase::Request || self.is_made(*call);
            happens && matches!(kind, ElementKind::Service | ElementKind::External)
        };
        let caller = |access: &Access| topology.caller_node(access.call);
        let mut uses: Vec<Access> = calls.filter(by_code).map(|call| self.access(call)).collect();
        uses.sort_by_key(|access| (caller(access), rank(*access), self.call_rank(access.call)));
        uses.dedup_by_key(|access| caller(access));
        uses.sort_by_key(|access| (rank(*access), self.call_rank(access.call)));
        uses
    }

    fn access(&self, call: CallId) -> Access {
        let topology = self.topology();
        let writes = match (self.write(call), topology.operation(topology.callee(call)).name) {
            (Some(Write::Data), _) => Some(true),
            (_, Some(name)) if topology.text(name) == "read" => Some(false),
            _ => None,
        };
        Access { owner: self.owner(topology.caller_node(call)), call, writes }
    }
}

/// Writers come first, then those of which nothing is known.
fn rank(access: Access) -> u8 {
    match access.writes {
        Some(true) => 0,
        None => 1,
        Some(false) => 2,
    }
}
