//! Which effects may happen more than once for one request of a client.
//!
//! Whoever tries again runs everything below once more, earlier and later siblings included. An operation that is
//! idempotent by key stops that, if the key that arrives is the same at every repeat: made at or above the repeater and
//! forwarded from there. So the walk carries what is known of the key, three states, and how certain the repetition is:
//! six states an operation, each reached at most once.

use std::collections::VecDeque;

use super::Facts;
use super::attempts::Attempts;
use super::effects::{Effect, EffectSite, is_data};
use super::repeaters::{Repeater, RepeaterKind};
use crate::diagnostic::Certainty;
use crate::model::{Answer, CallId, OperationId, Topology};
use crate::vocabulary::Key;

/// Why a barrier does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyFault {
    /// The call that decides over the key that arrives there.
    pub call: CallId,
    /// What it does.
    pub kind: KeyFaultKind,
}

/// What is wrong with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFaultKind {
    /// It is another one at every repeat: made for each attempt, or below who repeats.
    Fresh,
    /// It arrives at the caller, and is not known to be handed on.
    Dropped,
    /// Nobody is known to make one.
    Missing,
}

/// An effect that may happen more than once.
#[derive(Clone, Debug)]
pub struct Exposed {
    /// Where it happens.
    pub site: EffectSite,
    /// What is known of it.
    pub effect: Effect,
    /// Who runs it again: of several, the most certain and then the nearest.
    pub repeater: Repeater,
    /// The calls from the repeater down to the effect; the first is the repeater's own. Of a very long way, the first
    /// and the last ones.
    pub path: Vec<CallId>,
    /// How many calls of the way are missing behind the first.
    pub left_out: usize,
    /// A barrier on the way that does not hold, because the key is missing, made anew, or not stated.
    pub barrier: Option<(OperationId, KeyState)>,
    /// Why that does not hold.
    pub fault: Option<KeyFault>,
    /// How certain all of it is.
    pub certainty: Certainty,
}

/// What is known of the idempotency key at a repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyState {
    /// The same every time.
    Constant,
    /// Not stated.
    Unknown,
    /// Another one every time, or none.
    Fresh,
}

/// One state of the walk: an operation that runs again.
#[derive(Clone, Copy)]
struct State {
    operation: OperationId,
    key: KeyState,
    certainty: Certainty,
    repeater: Repeater,
    /// How many calls it is below the repeater's own.
    depth: usize,
    /// The call by which it was reached, and the state before, if that call is not the repeater's own.
    by: CallId,
    /// Whether a queue has put it there after that call, which it could not deliver.
    given_up: bool,
    before: Option<usize>,
    /// The call that decides over the key, and the key with which its caller runs again.
    decides: (CallId, Option<KeyState>),
    barrier: Option<(OperationId, KeyState)>,
    fault: Option<KeyFault>,
}

/// What retries, copies and redelivery repeat.
pub(super) fn exposed(facts: &Facts<'_>) -> Vec<Exposed> {
    let repeaters = facts.topology().call_ids().filter_map(|call| facts.repeater(call));
    exposed_by(facts, repeaters.collect())
}

/// What these repeaters repeat.
pub(super) fn exposed_by(facts: &Facts<'_>, mut repeaters: Vec<Repeater>) -> Vec<Exposed> {
    let topology = facts.topology();
    let mut walk = Walk {
        facts,
        states: Vec::new(),
        seen: vec![false; topology.operations.len() * STATES],
        writes: vec![None; topology.calls.len()],
        queue: VecDeque::new(),
    };
    repeaters.sort_by_key(|repeater| (std::cmp::Reverse(repeater.certainty), facts.call_rank(repeater.call)));
    for repeater in repeaters {
        // Each run of a schedule is a request of its own.
        let arriving = matches!(repeater.kind, RepeaterKind::Overlap(_)).then_some(KeyState::Fresh);
        let key = sent(facts, repeater.call, arriving);
        walk.arrive(repeater.call, key, repeater.certainty, repeater, None);
    }
    walk.run();
    walk.finish()
}

const STATES: usize = 6;

/// So many calls of a way are kept, so that a chain of any length costs no more than its length.
const MAX_PATH: usize = 64;

struct Walk<'a, 'f> {
    facts: &'a Facts<'f>,
    states: Vec<State>,
    seen: Vec<bool>,
    /// For each call into a store, cache or queue, the state in which it is made again.
    writes: Vec<Option<usize>>,
    queue: VecDeque<usize>,
}

impl Walk<'_, '_> {
    fn run(&mut self) {
        while let Some(index) = self.queue.pop_front() {
            let Some(&state) = self.states.get(index) else { continue };
            self.follow(index, state, false);
            self.give_up(index, state);
        }
    }

    /// What a queue could not deliver goes on from where it puts that, with the same key. Whoever gives up nothing by
    /// count may do so by age.
    fn give_up(&mut self, index: usize, state: State) {
        let Some(to) = self.facts.call_order().letters(state.operation) else { return };
        let counted = gives_up_by_count(self.facts, state.operation);
        let certainty = if counted { state.certainty } else { state.certainty.min(Certainty::Possible) };
        if let Some(index) =
            self.enter(State { operation: to, certainty, before: Some(index), given_up: true, ..state })
        {
            // As near as what was given up: what is nearer comes first.
            self.queue.push_front(index);
        }
    }

    /// What a state leads to: calls, or the operations that a bare arrow to a store means.
    fn follow(&mut self, index: usize, state: State, implied: bool) {
        let topology = self.facts.topology();
        let calls = topology.calls_from(state.operation);
        let counts = |call: &CallId| self.facts.is_made(*call) && topology.call(*call).implied == implied;
        let mut calls: Vec<CallId> = calls.filter(counts).collect();
        calls.sort_by_key(|call| self.facts.call_rank(*call));
        for call in calls {
            let key = sent(self.facts, call, Some(state.key));
            self.arrive(call, key, state.certainty, state.repeater, Some(index));
        }
    }

    /// A call is made again.
    fn arrive(&mut self, call: CallId, key: KeyState, certainty: Certainty, repeater: Repeater, before: Option<usize>) {
        let topology = self.facts.topology();
        let to = topology.callee(call);
        let above = before.and_then(|before| self.states.get(before));
        let mut barrier = above.and_then(|state| state.barrier);
        // What a bare arrow to a store means is no call of its own.
        let depth = above.map_or(0, |state| state.depth + usize::from(!topology.call(call).implied));
        let mut certainty = certainty;
        let decides = self.decides(call, above);
        let mut fault = above.and_then(|state| state.fault);
        if matches!(stops(self.facts, to), Barrier::ByKey) {
            fault = Some(self.fault(decides));
        }
        match (stops(self.facts, to), key) {
            (Barrier::Unreadable, _) | (Barrier::ByKey, KeyState::Constant) => return,
            // What could not be read may well have stated a key.
            (Barrier::ByKey, KeyState::Unknown) if self.key_is_unreadable(call) => return,
            (Barrier::ByKey, KeyState::Unknown) => {
                certainty = certainty.min(Certainty::Possible);
                barrier = Some((to, key));
            }
            (Barrier::ByKey, KeyState::Fresh) => barrier = Some((to, key)),
            (Barrier::None, _) => {}
        }
        let given_up = false;
        let state = State {
            operation: to,
            key,
            certainty,
            repeater,
            depth,
            by: call,
            given_up,
            before,
            decides,
            barrier,
            fault,
        };
        let data = is_data(topology.kind_of(to));
        if data && self.keep_write(call, state) {
            return;
        }
        let Some(index) = self.enter(state) else { return };
        self.queue.push_back(index);
        if data {
            self.follow(index, state, true);
        }
    }

    /// Keeps a state that is new.
    fn enter(&mut self, state: State) -> Option<usize> {
        let proved = usize::from(state.certainty == Certainty::Proved);
        let seen = self.seen.get_mut(state.operation.index() * STATES + state.key as usize * 2 + proved)?;
        if std::mem::replace(seen, true) {
            return None;
        }
        self.states.push(state);
        Some(self.states.len() - 1)
    }

    /// The call that decides over the key that this one sends: the last that does not hand on what arrives.
    fn decides(&self, call: CallId, above: Option<&State>) -> (CallId, Option<KeyState>) {
        let Some(above) = above else { return (call, None) };
        let forwards = self.facts.cascade().call(call, &[Key::KeySent]).given();
        let forwards = forwards.is_some_and(|stated| stated.setting.says("forwarded"));
        if forwards || self.facts.topology().call(call).implied { above.decides } else { (call, Some(above.key)) }
    }

    fn fault(&self, (call, arriving): (CallId, Option<KeyState>)) -> KeyFault {
        let from = self.facts.topology().caller(call);
        let kept = match arriving {
            Some(arriving) => arriving == KeyState::Constant,
            // Who stops repeats by a key has one to hand on.
            None => matches!(stops(self.facts, from), Barrier::ByKey),
        };
        let kind = match self.facts.cascade().call(call, &[Key::KeySent]) {
            Answer::Given(_) => KeyFaultKind::Fresh,
            _ if kept => KeyFaultKind::Dropped,
            _ => KeyFaultKind::Missing,
        };
        KeyFault { call, kind }
    }

    fn key_is_unreadable(&self, call: CallId) -> bool {
        matches!(self.facts.cascade().call(call, &[Key::KeySent]), Answer::Unreadable)
    }

    /// Remembers that a write is made again; whether it changes nothing more, so that nothing follows from it.
    fn keep_write(&mut self, call: CallId, state: State) -> bool {
        let better = match self.writes.get(call.index()).copied().flatten().and_then(|index| self.states.get(index)) {
            Some(known) => known.certainty < state.certainty,
            None => true,
        };
        if better && !self.facts.topology().call(call).implied {
            if let Some(slot) = self.writes.get_mut(call.index()) {
                *slot = Some(self.states.len());
            }
            self.states.push(state);
        }
        self.facts.cascade().call(call, &[Key::Idempotent]).given().is_some()
    }

    /// One row an effect, in the order of operations and then of writes.
    fn finish(self) -> Vec<Exposed> {
        let topology = self.facts.topology();
        let mut best: Vec<Option<usize>> = vec![None; topology.operations.len()];
        for (index, state) in
            self.states.iter().enumerate().filter(|(_, state)| !is_data(topology.kind_of(state.operation)))
        {
            let Some(slot) = best.get_mut(state.operation.index()) else { continue };
            let better =
                slot.and_then(|known| self.states.get(known)).is_none_or(|known| known.certainty < state.certainty);
            if better {
                *slot = Some(index);
            }
        }
        let own = topology
            .operation_ids()
            .zip(&best)
            .filter_map(|(id, index)| self.row(EffectSite::Operation(id), (*index)?));
        let writes =
            topology.call_ids().zip(&self.writes).filter_map(|(id, index)| self.row(EffectSite::Write(id), (*index)?));
        own.chain(writes).collect()
    }

    fn row(&self, site: EffectSite, index: usize) -> Option<Exposed> {
        let state = self.states.get(index)?;
        // What is idempotent by key is not, when the key is not the same.
        let effect = match (site, stops(self.facts, state.operation)) {
            (EffectSite::Operation(operation), Barrier::ByKey) => {
                self.facts.effect_past_barrier(operation, state.key == KeyState::Fresh)
            }
            _ => self.facts.effect(site),
        };
        let certainty = match effect {
            Effect::Absent | Effect::Idempotent => return None,
            Effect::Unknown => state.certainty.min(Certainty::Possible),
            Effect::Repeats => state.certainty,
        };
        let states = std::iter::successors(Some(state), |state| self.states.get(state.before?));
        let made = states
            .filter(|state| !state.given_up)
            .map(|state| state.by)
            .filter(|call| !self.facts.topology().call(*call).implied);
        let mut path: Vec<CallId> = made.take(MAX_PATH).collect();
        if state.depth >= MAX_PATH {
            path.push(state.repeater.call);
        }
        path.reverse();
        let left_out = (state.depth + 1).saturating_sub(path.len());
        let (repeater, barrier, fault) =
            (state.repeater, state.barrier, state.fault.filter(|_| state.barrier.is_some()));
        Some(Exposed { site, effect, repeater, path, left_out, barrier, fault, certainty })
    }
}

/// Whether what an operation of a queue cannot deliver is given up after so many deliveries, and not by its age alone.
pub(super) fn gives_up_by_count(facts: &Facts<'_>, operation: OperationId) -> bool {
    let topology = facts.topology();
    facts.receives(topology.node_id_of(operation)) != Attempts::Unlimited
        && topology.calls_from(operation).any(|call| facts.is_made(call))
}

/// Whether a repeat stops at an operation.
pub(super) enum Barrier {
    /// It does not.
    None,
    /// If it comes with the same key.
    ByKey,
    /// What is written could not be read.
    Unreadable,
}

pub(super) fn stops(facts: &Facts<'_>, operation: OperationId) -> Barrier {
    match facts.cascade().operation(operation, Key::Idempotent) {
        Answer::Given(stated) if stated.setting.says("by-key") => Barrier::ByKey,
        Answer::Unreadable => Barrier::Unreadable,
        _ => Barrier::None,
    }
}

/// What is known of the key that a call sends when it is made again. `arriving` is the key with which its caller runs
/// again; none for the repeater's own call, whose caller runs once and so has one key for all its attempts.
pub(super) fn sent(facts: &Facts<'_>, call: CallId, arriving: Option<KeyState>) -> KeyState {
    let topology: &Topology = facts.topology();
    if topology.call(call).implied {
        return arriving.unwrap_or(KeyState::Unknown);
    }
    match (facts.cascade().call(call, &[Key::KeySent]), arriving) {
        (Answer::Given(stated), _) if stated.setting.says("derived") => KeyState::Constant,
        (Answer::Given(stated), None) if !stated.setting.says("per-attempt") => KeyState::Constant,
        (Answer::Given(stated), Some(arriving)) if stated.setting.says("forwarded") => arriving,
        (Answer::Given(_) | Answer::None(_), _) => KeyState::Fresh,
        (Answer::Unstated | Answer::Unreadable, _) => KeyState::Unknown,
    }
}
