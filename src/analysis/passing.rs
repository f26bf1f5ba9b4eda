//! The calls that pass a node without calling it: a gateway, a mesh, a link.

use super::Facts;
use crate::ids::IdMap;
use crate::model::{CallId, NodeId, Setting};
use crate::vocabulary::Key;

/// For each node the calls that pass it. A statement that many calls inherit is kept once.
#[derive(Debug, Default)]
pub(super) struct Passing {
    /// The calls of which each statement speaks.
    calls: Vec<Vec<CallId>>,
    /// The statements that name each node.
    statements: IdMap<NodeId, Vec<usize>>,
}

impl Passing {
    pub(super) fn of(facts: &Facts<'_>) -> Self {
        let mut passing = Self::default();
        let mut known: IdMap<*const Setting, usize> = IdMap::default();
        for call in facts.topology().call_ids().filter(|call| facts.is_made(*call)) {
            let Some(stated) = facts.cascade().call(call, &[Key::Through]).given() else { continue };
            let statement = *known.entry(std::ptr::from_ref(stated.setting)).or_insert_with(|| {
                for node in stated.setting.nodes() {
                    passing.statements.entry(node).or_default().push(passing.calls.len());
                }
                passing.calls.push(Vec::new());
                passing.calls.len() - 1
            });
            passing.calls.get_mut(statement).into_iter().for_each(|calls| calls.push(call));
        }
        passing
    }
}

impl Facts<'_> {
    /// The calls that are made and pass a node without calling it, in their order.
    #[must_use]
    pub fn passing_calls(&self, node: NodeId) -> Vec<CallId> {
        let passing = self.passing.get_or_init(|| Passing::of(self));
        let statements = passing.statements.get(&node).into_iter().flatten();
        let mut calls: Vec<CallId> =
            statements.filter_map(|statement| passing.calls.get(*statement)).flatten().copied().collect();
        calls.sort_unstable();
        calls
    }

    /// The same without what a bare arrow implies.
    pub(crate) fn drawn_calls_passing(&self, node: NodeId) -> impl Iterator<Item = CallId> {
        self.passing_calls(node).into_iter().filter(|call| !self.topology().call(*call).implied)
    }

    /// The nodes that a call passes without calling them.
    #[must_use]
    pub fn passed(&self, call: CallId) -> Vec<NodeId> {
        if self.topology().call(call).implied {
            return Vec::new();
        }
        let through = self.cascade().call(call, &[Key::Through]).given();
        through.into_iter().flat_map(|stated| stated.setting.nodes()).collect()
    }
}
