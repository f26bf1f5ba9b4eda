//! Which attributes may have been said of which elements: most questions are answered by one bit. A table a kind of
//! element, a row of bits an attribute, because one attribute is asked of all elements in turn.

use super::DefaultsFor;
use super::topology::{CallId, NodeId, OperationId, Topology};
use crate::parallel;
use crate::vocabulary::{ATTRIBUTES, Cascade as Reach, Key, KeySet};

/// What may have been said, by an element itself or by a place that speaks of it; never less than what was.
#[derive(Debug, Default)]
pub(super) struct StatedIndex {
    calls: Table,
    operations: Table,
    nodes: Table,
}

/// For each attribute, of which elements it may have been said; no row if of none.
#[derive(Debug, Default)]
struct Table(Vec<Vec<u64>>);

impl StatedIndex {
    /// Whether one of these was said of a call.
    pub(super) fn of_call(&self, id: CallId, keys: &[Key]) -> bool {
        keys.iter().any(|key| self.calls.has(id.index(), *key))
    }

    /// Whether it was said of an operation.
    pub(super) fn of_operation(&self, id: OperationId, key: Key) -> bool {
        self.operations.has(id.index(), key)
    }

    /// Whether it was said of a node.
    pub(super) fn of_node(&self, id: NodeId, key: Key) -> bool {
        self.nodes.has(id.index(), key)
    }

    /// Finds it out, once everything has been read and every box knows what is said around it.
    pub(super) fn of(topology: &Topology) -> Self {
        let mut insisted = KeySet::default();
        let attributes = ATTRIBUTES.iter().filter(|attribute| attribute.cascade == Reach::Insisted);
        attributes.for_each(|attribute| insisted.insert(attribute.key));
        let of_node = |id: NodeId| {
            let node = topology.node(id);
            node.settings.said().union(topology.scope(node.scope).said_of_nodes)
        };
        let of_operation = |id: OperationId| {
            let operation = topology.operation(id);
            let inner = topology.node(operation.node).inner.map(|inner| topology.scope(inner));
            let inner = inner.map(|inner| inner.said_of_nodes).unwrap_or_default();
            operation.settings.said().union(inner).union(of_node(operation.node))
        };
        let of_call = |id: CallId| {
            let call = topology.call(id);
            let policies = call.policies.iter().map(|id| topology.policy(*id).settings.said());
            let own = policies.fold(call.settings.said(), KeySet::union);
            let said = own.union(topology.scope(call.scope).said_of_calls);
            through_clients(said.union(of_operation(call.to).intersection(insisted)))
        };
        let (calls, (operations, nodes)) = parallel::both(
            || Table::of(topology.call_ids().map(of_call)),
            || {
                let nodes = topology.node_ids().map(|id| through_clients(of_node(id)));
                (Table::of(topology.operation_ids().map(of_operation)), Table::of(nodes))
            },
        );
        Self { calls, operations, nodes }
    }
}

/// Clients and brokers fill in anything.
fn through_clients(said: KeySet) -> KeySet {
    if said.contains(Key::Via) { KeySet::ALL } else { said }
}

impl Table {
    fn of(elements: impl ExactSizeIterator<Item = KeySet>) -> Self {
        let mut table = Self(vec![Vec::new(); ATTRIBUTES.len()]);
        let words = elements.len().div_ceil(64);
        for (index, said) in elements.enumerate() {
            for key in said.numbers() {
                let Some(row) = table.0.get_mut(key) else { continue };
                row.resize(words, 0);
                row.get_mut(index / 64).into_iter().for_each(|word| *word |= 1 << (index % 64));
            }
        }
        table
    }

    fn has(&self, index: usize, key: Key) -> bool {
        let word = self.0.get(key as usize).and_then(|row| row.get(index / 64));
        word.is_some_and(|word| word >> (index % 64) & 1 == 1)
    }
}

impl Topology {
    /// Notes what is stated at all, once everything has been read.
    pub(super) fn index_stated(&mut self) {
        // A box is made before those in it.
        for index in 0..self.scopes.len() {
            let around = self.scopes.get(index).and_then(|scope| scope.parent).map(|around| self.scope(around));
            let (mut of_calls, mut of_nodes) =
                around.map(|around| (around.said_of_calls, around.said_of_nodes)).unwrap_or_default();
            let Some(scope) = self.scopes.get_mut(index) else { continue };
            of_nodes = of_nodes.union(scope.settings.said());
            for (what, settings) in &scope.defaults {
                let said = if *what == DefaultsFor::Calls { &mut of_calls } else { &mut of_nodes };
                *said = said.union(settings.said());
            }
            (scope.said_of_calls, scope.said_of_nodes) = (of_calls, of_nodes);
        }
        self.stated = StatedIndex::of(self);
    }
}
