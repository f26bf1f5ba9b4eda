//! Barriers: operations that are idempotent by key, what is stated of their memory, and what a repeat meets behind one.

use super::Facts;
use super::exposure::{Barrier, KeyState, stops};
use super::repetition::Repetition;
use crate::model::{Answer, CallId, Duration, NodeId, OperationId, Setting, Stated};
use crate::vocabulary::Key;

/// An operation that stops repeats by their key.
#[derive(Clone, Copy, Debug)]
pub struct Dedup<'a> {
    /// Which.
    pub operation: OperationId,
    /// What states it.
    pub stated: Stated<'a>,
}

/// How long a key is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// So long.
    For(Duration),
    /// For ever, or something that could not be read.
    Unlimited,
    /// That is not stated.
    Unstated,
}

impl<'a> Dedup<'a> {
    /// How long a key is remembered.
    #[must_use]
    pub fn memory(&self) -> Memory {
        match self.field(Key::Window) {
            Some(window) => window.duration().map_or(Memory::Unlimited, Memory::For),
            None => Memory::Unstated,
        }
    }

    /// The node that remembers the keys.
    #[must_use]
    pub fn recorded_in(&self) -> Option<NodeId> {
        self.field(Key::RecordedIn)?.nodes().next()
    }

    /// Whether key and effect commit together, if that is stated.
    #[must_use]
    pub fn atomic(&self) -> Option<bool> {
        self.field(Key::Atomic).map(|atomic| !atomic.is_none())
    }

    /// What is stated inside.
    #[must_use]
    pub fn field(&self, key: Key) -> Option<&'a Setting> {
        self.stated.setting.field(key)
    }
}

impl<'a> Facts<'a> {
    /// All barriers, in the order of operations.
    #[must_use]
    pub fn barriers(&self) -> Vec<Dedup<'a>> {
        self.topology().operation_ids().filter_map(|operation| self.dedup(operation)).collect()
    }

    /// The barrier that an operation is.
    #[must_use]
    pub fn dedup(&self, operation: OperationId) -> Option<Dedup<'a>> {
        let Answer::Given(stated) = self.cascade().operation(operation, Key::Idempotent) else { return None };
        matches!(stops(self, operation), Barrier::ByKey).then_some(Dedup { operation, stated })
    }

    /// The calls of a barrier that a repeat would make again, if it got past, and that change something more, or may.
    #[must_use]
    pub fn unprotected(&self, operation: OperationId) -> Vec<(CallId, Repetition)> {
        // What leaves by an outbox commits with the data.
        let outbox = |call: &CallId| self.cascade().call(*call, &[Key::Outbox]).may_be_given();
        let calls = self.topology().calls_from(operation);
        let calls = calls.filter(|call| !self.topology().call(*call).implied && !outbox(call));
        let again = calls.map(|call| (call, self.call_repetition(call, KeyState::Constant)));
        let mut again: Vec<(CallId, Repetition)> =
            again.filter(|(_, repetition)| *repetition > Repetition::Safe).collect();
        again.sort_by_key(|(call, repetition)| (std::cmp::Reverse(*repetition), self.call_rank(*call)));
        again
    }

    /// What its own work does when a repeat gets past a barrier.
    #[must_use]
    pub fn past_barrier(&self, operation: OperationId) -> Repetition {
        Repetition::of(self.effect_past_barrier(operation, true))
    }
}
