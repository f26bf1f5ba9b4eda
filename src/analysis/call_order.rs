//! The operations in the order in which one leads to another: by a call that is made, or because a queue puts what it
//! gives up into another one.

use super::Facts;
use super::attempts::Attempts;
use super::condensation::groups;
use super::ends::Count;
use crate::model::OperationId;
use crate::vocabulary::{ElementKind, Key};

/// The operations in the order in which they lead to each other, what is led to first; the same for every search.
#[derive(Debug)]
pub(super) struct CallOrder {
    pub(super) order: Vec<OperationId>,
    position: Vec<usize>,
    /// In a circle, or below one.
    looping: Vec<bool>,
    is_root: Vec<bool>,
    /// Of an operation of a queue, where its messages go that were given up.
    letters: Vec<Option<OperationId>>,
    /// The other way round.
    givers: Vec<Vec<OperationId>>,
}

impl CallOrder {
    pub(super) fn of(facts: &Facts<'_>) -> Self {
        let topology = facts.topology();
        let letters: Vec<Option<OperationId>> = topology.operation_ids().map(|id| letters(facts, id)).collect();
        let mut givers = vec![Vec::new(); topology.operations.len()];
        for (id, letters) in topology.operation_ids().zip(&letters) {
            letters.and_then(|to| givers.get_mut(to.index())).into_iter().for_each(|givers| givers.push(id));
        }
        let is_root = topology.operation_ids().map(|id| is_root(facts, id)).collect();
        let mut all = Self { order: Vec::new(), position: Vec::new(), looping: Vec::new(), is_root, letters, givers };
        let groups = all.groups(facts);
        all.looping = all.looping(facts, &groups);
        all.order = groups.into_iter().flatten().collect();
        all.position = vec![0; all.order.len()];
        for (place, id) in all.order.iter().enumerate() {
            if let Some(slot) = all.position.get_mut(id.index()) {
                *slot = place;
            }
        }
        all
    }

    /// The place of an operation in the order.
    pub(super) fn position(&self, id: OperationId) -> Option<usize> {
        self.position.get(id.index()).copied()
    }

    /// Whether it is in a circle, or below one.
    pub(super) fn loops(&self, id: OperationId) -> bool {
        self.looping.get(id.index()).copied().unwrap_or(false)
    }

    /// Whether requests come in there.
    pub(super) fn is_root(&self, id: OperationId) -> bool {
        self.is_root.get(id.index()).copied().unwrap_or(false)
    }

    /// Where an operation of a queue puts what is given up.
    pub(super) fn letters(&self, id: OperationId) -> Option<OperationId> {
        self.letters.get(id.index()).copied().flatten()
    }

    /// The operations of queues that put there what is given up.
    pub(super) fn givers(&self, id: OperationId) -> &[OperationId] {
        self.givers.get(id.index()).map_or(&[], Vec::as_slice)
    }

    /// What an operation leads to.
    fn next<'a>(&'a self, facts: &'a Facts<'_>, id: OperationId) -> impl Iterator<Item = OperationId> + 'a {
        let topology = facts.topology();
        let made = topology.calls_from(id).filter(|call| facts.is_made(*call));
        made.map(|call| topology.callee(call)).chain(self.letters(id))
    }

    fn groups(&self, facts: &Facts<'_>) -> Vec<Vec<OperationId>> {
        let number = |id: OperationId| u32::try_from(id.index()).unwrap_or(u32::MAX);
        // Each leads to itself here, so that none is missing.
        let edges = facts
            .topology()
            .operation_ids()
            .flat_map(|id| std::iter::once(id).chain(self.next(facts, id)).map(move |to| (number(id), number(to))));
        let groups = groups(edges).into_iter();
        groups.map(|group| group.into_iter().map(|number| OperationId::at(number as usize)).collect()).collect()
    }

    /// What lies in a circle, or below one.
    fn looping(&self, facts: &Facts<'_>, groups: &[Vec<OperationId>]) -> Vec<bool> {
        let mut looping = vec![false; self.letters.len()];
        let mut next: Vec<OperationId> = Vec::new();
        for group in groups {
            let itself = |id: OperationId| self.next(facts, id).any(|to| to == id);
            if group.len() > 1 || group.first().is_some_and(|id| itself(*id)) {
                next.extend(group);
            }
        }
        while let Some(id) = next.pop() {
            match looping.get_mut(id.index()) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            next.extend(self.next(facts, id));
        }
        looping
    }
}

impl Facts<'_> {
    /// How many messages an operation of a queue gives up for one that is put there: each delivery gives up its own, and
    /// without any it may still grow too old.
    pub(super) fn given_up(&self, id: OperationId) -> Attempts {
        let calls = self.topology().calls_from(id).filter(|call| self.is_made(*call));
        let times = calls.map(|call| Count::Times(1).times(self.plan(call).times));
        match times.fold(Count::NONE, Count::plus) {
            Count::Times(times) => Attempts::AtMost(times.max(1)),
            Count::Unbounded => Attempts::Unlimited,
        }
    }
}

fn letters(facts: &Facts<'_>, id: OperationId) -> Option<OperationId> {
    let topology = facts.topology();
    let node = topology.node_id_of(id);
    let queue = topology.node(node).kind == ElementKind::Queue;
    let stated = facts.cascade().node(node, Key::DeadLetter).given().filter(|_| queue)?;
    let to = stated.setting.nodes().next()?;
    topology.node(to).operations.first().copied()
}

fn is_root(facts: &Facts<'_>, id: OperationId) -> bool {
    let topology = facts.topology();
    topology.kind_of(id) == ElementKind::Client
        || facts.entries().contains(id)
        || !topology.calls_to(id).any(|call| facts.is_made(call))
}
