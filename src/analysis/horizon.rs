//! How long after its first execution an operation may be run again, and how long with the same key: what a barrier has
//! to remember. Formula: along a way, the waits of all who repeat add up; of several ways, the longest counts.
//!
//! One pass over the groups of calls, callers first, in two readings: what is sure by what is stated, and what is
//! possible where it is not stated whether messages are put back. Calls within a circle add nothing, so that the sure
//! reading stays a lower bound.

use super::Facts;
use super::attempts::Attempts;
use super::interval::Extent;
use super::repeaters::RepeaterKind;
use crate::diagnostic::Certainty;
use crate::model::{Answer, CallId, Duration, NodeId, OperationId};
use crate::vocabulary::{ElementKind, Key};

/// Why the same comes again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DelayKind {
    /// The caller or a mesh makes attempts for so long.
    Attempts,
    /// The queue hands the message out so often, so long after each other.
    Receives(u64, Duration),
    /// The queue hands the message out as long as it keeps it.
    Kept,
    /// What was given up may be put back from this queue.
    Replay(NodeId),
    /// A run of a schedule goes on while the next ones start.
    Overlap(Duration),
}

/// What one call adds to a horizon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay {
    /// The call.
    pub call: CallId,
    /// Why.
    pub kind: DelayKind,
    /// How long.
    pub time: Extent,
    /// Whether all of it is stated.
    pub stated: bool,
}

/// How long after its first execution an operation may be run again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Horizon {
    /// So long at least, in the world that `certainty` speaks of.
    pub time: Extent,
    /// What adds up to it, outermost first; of a very long way, the last ones.
    pub delays: Vec<Delay>,
}

/// Which executions count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// All.
    Any,
    /// Those that come with the key of the first.
    SameKey,
}

/// So many calls of a way are looked at for a witness.
const MAX_WAY: usize = 64;

#[derive(Clone, Copy)]
struct Reached {
    time: Extent,
    /// The last call of the way, and which way of its caller it goes on; none if it starts here.
    by: Option<(CallId, Option<Again>)>,
}

/// The horizons of all operations.
pub(super) struct Horizons {
    any: Vec<Reached>,
    same_key: Vec<Option<Reached>>,
}

impl Facts<'_> {
    /// How long after its first execution an operation may be run again; none if it is not known to be.
    #[must_use]
    pub fn horizon(&self, operation: OperationId, again: Again, certainty: Certainty) -> Option<Horizon> {
        let horizons = self.horizons(certainty == Certainty::Proved);
        let reached = horizons.of(operation, again).filter(|reached| reached.time > Extent::ZERO)?;
        let mut delays = Vec::new();
        let mut at = Some(reached);
        for _ in 0..MAX_WAY {
            let Some(Reached { by: Some((call, before)), .. }) = at else { break };
            delays.extend(self.delays(call, certainty == Certainty::Proved).into_iter().rev());
            let from = self.topology().caller(call);
            at = before.and_then(|before| horizons.of(from, before));
        }
        delays.reverse();
        Some(Horizon { time: reached.time, delays })
    }

    /// What a call adds, in the order in which it happens.
    fn delays(&self, call: CallId, sure: bool) -> Vec<Delay> {
        let from = self.topology().caller_node(call);
        if self.topology().node(from).kind == ElementKind::Queue {
            return self.deliveries(call, from, sure);
        }
        let delay = |kind, time| vec![Delay { call, kind, time, stated: sure }];
        if let Some((period, run)) = self.overlap(call) {
            return delay(DelayKind::Overlap(period), run);
        }
        match self.repeater(call) {
            Some(repeater)
                if repeater.kind != RepeaterKind::Redelivery && (!sure || repeater.certainty == Certainty::Proved) =>
            {
                delay(DelayKind::Attempts, self.times().call(self, call).at_least)
            }
            _ => Vec::new(),
        }
    }

    /// `(max-receives) · visibility`, no longer than the message is kept, then the time until it is put back.
    fn deliveries(&self, call: CallId, queue: NodeId, sure: bool) -> Vec<Delay> {
        if !self.is_redelivered(call) {
            return Vec::new();
        }
        let look = |key| self.cascade().node(queue, key).given();
        let time = |key| look(key).and_then(|stated| stated.setting.duration());
        let kept = match look(Key::Retention) {
            Some(stated) => stated.setting.duration().map_or(Extent::Unbounded, Extent::Finite),
            None => Extent::Unbounded,
        };
        let limited = look(Key::Retention).is_some();
        let counted = |kind, time, stated| Some(Delay { call, kind, time, stated });
        let handed_out = match (look(Key::MaxReceives), self.receives(queue), time(Key::Visibility)) {
            (Some(_), Attempts::AtMost(count), Some(visibility)) => {
                let all = Extent::Finite(visibility.times(count)).min(kept);
                counted(DelayKind::Receives(count, visibility), all, true)
            }
            (Some(_), Attempts::Unlimited, _) if limited => counted(DelayKind::Kept, kept, true),
            (None, ..) if limited && !sure => counted(DelayKind::Kept, kept, false),
            _ => None,
        };
        handed_out.into_iter().chain(self.replay(call, queue, sure)).collect()
    }

    fn replay(&self, call: CallId, queue: NodeId, sure: bool) -> Option<Delay> {
        let dead = self.cascade().node(queue, Key::DeadLetter).given()?.setting.nodes().next()?;
        let time = |key| self.cascade().node(dead, key).given().and_then(|stated| stated.setting.duration());
        let (time, stated) = match self.cascade().node(dead, Key::Replay) {
            Answer::Given(stated) => (stated.setting.duration()?, true),
            Answer::Unstated if !sure => (time(Key::Retention)?, false),
            Answer::Unstated | Answer::None(_) | Answer::Unreadable => return None,
        };
        Some(Delay { call, kind: DelayKind::Replay(dead), time: Extent::Finite(time), stated })
    }
}

impl Horizons {
    pub(super) fn of_all(facts: &Facts<'_>, sure: bool) -> Self {
        let topology = facts.topology();
        let count = topology.operations.len();
        let start = Reached { time: Extent::ZERO, by: None };
        let mut found = Self { any: vec![start; count], same_key: vec![None; count] };
        let made = |call: CallId| facts.is_made(call);
        for group in facts.components_of_made().iter().rev() {
            for operation in group {
                // Groups are sorted.
                let outside = |call: &CallId| group.binary_search(&topology.caller(*call)).is_err();
                let mut calls: Vec<CallId> =
                    topology.calls_to(*operation).filter(|call| made(*call) && outside(call)).collect();
                calls.sort_by_key(|call| facts.call_rank(*call));
                for call in calls {
                    found.arrive(facts, call, sure);
                }
            }
        }
        found
    }

    fn of(&self, operation: OperationId, again: Again) -> Option<Reached> {
        match again {
            Again::Any => self.any.get(operation.index()).copied(),
            Again::SameKey => self.same_key.get(operation.index()).copied().flatten(),
        }
    }

    fn arrive(&mut self, facts: &Facts<'_>, id: CallId, sure: bool) {
        let call = facts.topology().call(id);
        let added = facts.delays(id, sure).iter().fold(Extent::ZERO, |sum, delay| sum.plus(delay.time));
        let after = |before: Extent| added_up(facts, id, before, added);
        let from = |again| self.of(call.from, again).map_or(Extent::ZERO, |reached| reached.time);
        let any = Reached { time: after(from(Again::Any)), by: Some((id, Some(Again::Any))) };
        let key = facts.cascade().call(id, &[Key::KeySent]).given();
        let says = |word| key.is_some_and(|stated| stated.setting.says(word));
        let same_key = if says("derived") {
            Some(any)
        } else if facts.overlap(id).is_some() {
            // Each run of a schedule has keys of its own.
            None
        } else if call.implied || says("forwarded") {
            Some(Reached { time: after(from(Again::SameKey)), by: Some((id, Some(Again::SameKey))) })
        } else if says("per-request") {
            Some(Reached { time: added, by: Some((id, None)) })
        } else {
            None
        };
        if let Some(slot) = self.any.get_mut(call.to.index())
            && any.time > slot.time
        {
            *slot = any;
        }
        if let (Some(slot), Some(same_key)) = (self.same_key.get_mut(call.to.index()), same_key)
            && slot.is_none_or(|known| same_key.time > known.time)
        {
            *slot = Some(same_key);
        }
    }
}

/// The waits on a way. A call that shares the time of its caller, and one of an operation that stops with its caller,
/// ends with what is above it.
fn added_up(facts: &Facts<'_>, call: CallId, before: Extent, added: Extent) -> Extent {
    let from = facts.topology().caller(call);
    let cancels = facts.cascade().operation(from, Key::Cancels).may_be_given();
    if facts.plan(call).inherits || cancels { before.max(added) } else { before.plus(added) }
}
