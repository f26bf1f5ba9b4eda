//! Whether an operation may be run again, with all that it calls, whoever would do so.
//!
//! What is below is repeated too, with the key that then arrives there: so there is a row for each operation and each
//! state of the key. A row is as bad as the worst of its own work and of the rows that it leads to; rows only get worse,
//! at most twice, so the time is linear in the calls. What a queue is given twice it may give up twice.

use super::Facts;
use super::effects::{Effect, EffectSite, is_data};
use super::exposure::{Barrier, KeyState, gives_up_by_count, sent, stops};
use crate::ids::IdSet;
use crate::model::{CallId, OperationId};
use crate::vocabulary::Key;

/// What happens if an operation is run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Repetition {
    /// It changes nothing more.
    Safe,
    /// Not known.
    Unknown,
    /// It changes something twice.
    Unsafe,
}

impl Repetition {
    pub(super) const fn of(effect: Effect) -> Self {
        match effect {
            Effect::Absent | Effect::Idempotent => Self::Safe,
            Effect::Unknown => Self::Unknown,
            Effect::Repeats => Self::Unsafe,
        }
    }
}

const KEYS: [KeyState; 3] = [KeyState::Constant, KeyState::Unknown, KeyState::Fresh];

pub(super) const fn row(operation: OperationId, key: KeyState) -> usize {
    operation.index() * KEYS.len() + key as usize
}

/// One for each operation and key with which it is run again, by [`row`].
pub(super) fn repetitions(facts: &Facts<'_>) -> Vec<Repetition> {
    let topology = facts.topology();
    let rows = topology.operations.len() * KEYS.len();
    let mut found = vec![Repetition::Safe; rows];
    let mut callers: Vec<Vec<(usize, Repetition)>> = vec![Vec::new(); rows];
    let mut raised = Vec::new();
    for operation in topology.operation_ids() {
        for key in KEYS {
            let most = most(facts, operation, key);
            let mut own = own(facts, operation, key);
            for call in topology.calls_from(operation).filter(|call| facts.is_made(*call)) {
                own = own.max(written(facts, call));
                if facts.cascade().call(call, &[Key::Idempotent]).given().is_none() {
                    let below = row(topology.callee(call), sent(facts, call, Some(key)));
                    callers.get_mut(below).into_iter().for_each(|callers| callers.push((row(operation, key), most)));
                }
            }
            if let Some(letters) = facts.call_order().letters(operation) {
                let callers = callers.get_mut(row(letters, key)).into_iter();
                callers.for_each(|callers| callers.push((row(operation, key), most.min(of_letters(facts, operation)))));
            }
            raise(&mut found, &mut raised, row(operation, key), own.min(most));
        }
    }
    while let Some(index) = raised.pop() {
        let reached = found.get(index).copied().unwrap_or(Repetition::Safe);
        for (caller, most) in callers.get(index).into_iter().flatten() {
            raise(&mut found, &mut raised, *caller, reached.min(*most));
        }
    }
    found
}

fn raise(found: &mut [Repetition], raised: &mut Vec<usize>, index: usize, to: Repetition) {
    if let Some(known) = found.get_mut(index).filter(|known| **known < to) {
        *known = to;
        raised.push(index);
    }
}

/// The worst that can come of what a queue could not deliver: who gives up nothing by count may do so by age.
fn of_letters(facts: &Facts<'_>, operation: OperationId) -> Repetition {
    if gives_up_by_count(facts, operation) { Repetition::Unsafe } else { Repetition::Unknown }
}

/// The worst that a repeat with such a key can come to: a barrier stops the same key, and one that it does not know
/// of.
fn most(facts: &Facts<'_>, operation: OperationId, key: KeyState) -> Repetition {
    match (stops(facts, operation), key) {
        (Barrier::ByKey, KeyState::Constant) => Repetition::Safe,
        (Barrier::ByKey, KeyState::Unknown) | (Barrier::Unreadable, _) => Repetition::Unknown,
        (Barrier::ByKey, KeyState::Fresh) | (Barrier::None, _) => Repetition::Unsafe,
    }
}

/// What its own work does; what is written to a store, cache or queue is judged by the call.
fn own(facts: &Facts<'_>, operation: OperationId, key: KeyState) -> Repetition {
    let topology = facts.topology();
    if is_data(topology.kind_of(operation)) {
        return Repetition::Safe;
    }
    match stops(facts, operation) {
        Barrier::Unreadable => Repetition::Unknown,
        // What is idempotent by key is not, when the key is not the same.
        Barrier::ByKey if key != KeyState::Constant => {
            Repetition::of(facts.effect_past_barrier(operation, key == KeyState::Fresh))
        }
        Barrier::ByKey | Barrier::None => Repetition::of(facts.effect(EffectSite::Operation(operation))),
    }
}

impl Facts<'_> {
    /// What happens if an operation, with all that it calls, is run again with such a key.
    #[must_use]
    pub fn repetition_with(&self, operation: OperationId, key: KeyState) -> Repetition {
        self.repetitions().get(row(operation, key)).copied().unwrap_or(Repetition::Unknown)
    }

    /// What happens if a call is made again by an operation that runs again with such a key, barriers of its own not
    /// counted.
    #[must_use]
    pub fn call_repetition(&self, call: CallId, key: KeyState) -> Repetition {
        if !self.is_made(call) {
            return Repetition::Safe;
        }
        let written = written(self, call);
        if self.cascade().call(call, &[Key::Idempotent]).given().is_some() {
            return written;
        }
        written.max(self.repetition_with(self.topology().callee(call), sent(self, call, Some(key))))
    }

    /// An effect that happens again if an operation is run again with the same key, and the calls that lead to it.
    #[must_use]
    pub fn repeated_below(&self, operation: OperationId) -> Option<(Vec<CallId>, EffectSite)> {
        self.find_repeated_below(operation).ok().flatten()
    }

    /// Whether the way to such an effect is too long to be followed.
    pub(super) fn is_repeated_far_below(&self, operation: OperationId) -> bool {
        self.find_repeated_below(operation).is_err()
    }

    /// An error if it is too far below.
    fn find_repeated_below(&self, operation: OperationId) -> Result<Option<(Vec<CallId>, EffectSite)>, ()> {
        const MAX_WAY: usize = 64;
        let (mut at, mut key, mut way) = (operation, KeyState::Constant, Vec::new());
        let mut seen = IdSet::default();
        while way.len() < MAX_WAY && seen.insert((at, key)) {
            if own(self, at, key) == Repetition::Unsafe {
                return Ok(Some((way, EffectSite::Operation(at))));
            }
            let again = |call: &CallId| self.call_repetition(*call, key) == Repetition::Unsafe;
            let calls = self.topology().calls_from(at).filter(again);
            let Some(call) = calls.min_by_key(|call| self.call_rank(*call)) else {
                // What is below is given up by a queue, and goes on from elsewhere.
                let Some(letters) = self.call_order().letters(at) else { return Ok(None) };
                at = letters;
                continue;
            };
            way.push(call);
            if written(self, call) == Repetition::Unsafe {
                return Ok(Some((way, EffectSite::Write(call))));
            }
            (at, key) = (self.topology().callee(call), sent(self, call, Some(key)));
        }
        if way.len() < MAX_WAY { Ok(None) } else { Err(()) }
    }
}

fn written(facts: &Facts<'_>, call: CallId) -> Repetition {
    let topology = facts.topology();
    if topology.call(call).implied || !is_data(topology.kind_of(topology.callee(call))) {
        return Repetition::Safe;
    }
    Repetition::of(facts.effect(EffectSite::Write(call)))
}
