//! How many attempts of a call can be started at all, where a deadline ends them together: each starts only when the one
//! before has failed and the wait after it is over. Failures that come at once leave most time to the others, so that
//! waits alone cut them; where only late answers are tried again, each attempt takes all of its own time.
//!
//! Layers that try again one inside the other share what bounds them: an attempt of the outer one lasts as long as all
//! waits of the inner ones. So what is proved to be started counts the waits below with each attempt, and what was spent
//! above with what is left.

use super::Facts;
use super::attempts::{Attempts, Plan};
use super::backoff::Backoff;
use super::interval::{Extent, Known};
use crate::model::{Answer, CallId, Duration, OperationId};
use crate::vocabulary::Key;

impl Plan<'_> {
    /// How many tries can start before `limit` if no answer comes: each lasts `single`, the waits between them are as
    /// short as they can be.
    #[must_use]
    pub fn started_in_a_hang(&self, single: Duration, limit: Duration) -> Attempts {
        self.started_before(limit, single, Known::AtMost)
    }

    /// How many can start before `limit` if each fails after `each`.
    fn started_before(&self, limit: Duration, each: Duration, known: Known) -> Attempts {
        let more = match self.attempts {
            Attempts::AtMost(attempts) => attempts.saturating_sub(1),
            Attempts::Unlimited => u64::MAX,
        };
        let waits = self.backoff.unwrap_or(Backoff::NONE);
        match waits.started_before(Some(limit), each, more, known).0 {
            u64::MAX => Attempts::Unlimited,
            started => Attempts::AtMost(started + 1),
        }
    }
}

/// What is proved to be started of each call if something below it fails at once.
#[derive(Debug)]
pub(super) struct Starts {
    least: Vec<Attempts>,
    /// Whether an operation also runs when nobody waits for it: behind a queue or `->>` no deadline is handed down.
    detached: Vec<bool>,
}

impl Starts {
    pub(super) fn of(facts: &Facts<'_>) -> Self {
        let topology = facts.topology();
        let mut paces = Paces {
            facts,
            operations: vec![Duration::ZERO; topology.operations.len()],
            calls: vec![Duration::ZERO; topology.calls.len()],
            spent: vec![Duration::ZERO; topology.operations.len()],
            stops: vec![Duration::MAX; topology.operations.len()],
        };
        let mut least: Vec<Attempts> = topology.call_ids().map(|id| facts.plan(id).attempts).collect();
        if topology.call_ids().any(|id| facts.plan(id).backoff.is_some_and(|backoff| backoff.waits())) {
            paces.measure();
        }
        for (id, slot) in topology.call_ids().zip(&mut least) {
            *slot = facts.startable_within(id, facts.plan(id).retries_only_late, paces.left(id), paces.callee(id));
        }
        Self { least, detached: detached(facts) }
    }
}

fn detached(facts: &Facts<'_>) -> Vec<bool> {
    let topology = facts.topology();
    let calls = topology.call_ids().filter(|id| facts.is_made(*id) && !facts.is_awaited(*id));
    let mut next: Vec<OperationId> = calls.map(|id| topology.callee(id)).collect();
    let mut detached = vec![false; topology.operations.len()];
    while let Some(id) = next.pop() {
        match detached.get_mut(id.index()) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        let awaited = topology.calls_from(id).filter(|call| facts.is_awaited(*call));
        next.extend(awaited.map(|call| topology.callee(call)));
    }
    detached
}

/// How long failing takes at least where all who try again do, by the waits between tries.
struct Paces<'a, 'f> {
    facts: &'a Facts<'f>,
    operations: Vec<Duration>,
    calls: Vec<Duration>,
    /// What is over of the time that an operation was handed down when it starts for the last time.
    spent: Vec<Duration>,
    /// When an operation is stopped with its caller, counted from its start.
    stops: Vec<Duration>,
}

impl Paces<'_, '_> {
    fn measure(&mut self) {
        let topology = self.facts.topology();
        let order = self.facts.call_order();
        for id in order.order.iter().copied() {
            let mut all = if order.loops(id) { Duration::MAX } else { Duration::ZERO };
            for call in topology.calls_from(id).filter(|call| self.facts.is_awaited(*call)) {
                let time = self.of_call(call);
                self.calls.get_mut(call.index()).into_iter().for_each(|slot| *slot = time);
                all = all.plus(time);
            }
            self.operations.get_mut(id.index()).into_iter().for_each(|slot| *slot = all);
        }
        for id in order.order.iter().rev().copied() {
            let awaited = topology.calls_to(id).filter(|call| self.facts.is_awaited(*call));
            let (mut spent, mut stops) = (Duration::ZERO, Duration::MAX);
            for call in awaited {
                let from = topology.caller(call);
                let before = self.operation(from).minus(self.operation(id));
                if self.facts.plan(call).inherits {
                    spent = spent.max(get(&self.spent, from.index()).plus(before));
                }
                let wait = self.facts.plan(call).attempt_limit().map_or(Duration::MAX, |(limit, _)| limit);
                stops = stops.min(wait).min(get(&self.stops, from.index()).minus(before));
            }
            let cancels = self.facts.cascade().operation(id, Key::Cancels).may_be_given();
            self.spent.get_mut(id.index()).into_iter().for_each(|slot| *slot = spent);
            self.stops
                .get_mut(id.index())
                .into_iter()
                .for_each(|slot| *slot = if cancels { stops } else { Duration::MAX });
        }
    }

    /// All tries of a call with all waits below them, however often it is made.
    fn of_call(&self, id: CallId) -> Duration {
        let plan = self.facts.plan(id);
        let each = self.callee(id);
        let own = plan.deadline.duration();
        let started = self.facts.startable_within(id, false, own, each);
        let (Attempts::AtMost(tries), Attempts::AtMost(times)) = (started, plan.times) else {
            return own.filter(|_| plan.times == Attempts::AtMost(1)).unwrap_or(Duration::MAX);
        };
        let waits = plan.backoff.map_or(Duration::ZERO, |backoff| backoff.shortest_total(tries.saturating_sub(1)));
        each.times(tries).plus(waits).times(times)
    }

    fn callee(&self, id: CallId) -> Duration {
        self.operation(self.facts.topology().callee(id))
    }

    fn operation(&self, id: OperationId) -> Duration {
        get(&self.operations, id.index())
    }

    /// What is left for all tries of a call when all else that its operation does has taken its time.
    fn left(&self, id: CallId) -> Option<Duration> {
        let plan = self.facts.plan(id);
        let from = self.facts.topology().caller(id);
        let others = self.operation(from).minus(get(&self.calls, id.index()));
        let inherited = self.facts.allotted(from).at_least.filter(|_| plan.inherits);
        let inherited = inherited.map(|left| left.minus(get(&self.spent, from.index())).minus(others));
        let stop = get(&self.stops, from.index());
        let stop = (stop < Duration::MAX).then(|| stop.minus(others));
        [plan.deadline.duration(), inherited, stop].into_iter().flatten().min()
    }
}

fn get(durations: &[Duration], index: usize) -> Duration {
    durations.get(index).copied().unwrap_or(Duration::ZERO)
}

impl Facts<'_> {
    /// How many attempts of a call can be started if its callee fails at once whenever it is reached, or as late as it
    /// takes where nothing else is tried again.
    pub(super) fn startable(&self, id: CallId, known: Known) -> Attempts {
        match known {
            Known::AtLeast => self.starts().least.get(id.index()).copied().unwrap_or(Attempts::AtMost(1)),
            Known::AtMost => self.startable_after(id, self.plan(id).retries_only_late, known),
        }
    }

    /// How many can be started if each that fails may have been executed.
    pub(super) fn startable_in_doubt(&self, id: CallId, known: Known) -> Attempts {
        let plan = self.plan(id);
        if plan.retries_only_undone {
            return Attempts::AtMost(1);
        }
        self.startable_after(id, plan.repeats_only_late, known)
    }

    /// Whether it is known that a call may be made with time left: what stands in for another one is made only when that
    /// has failed for good.
    #[must_use]
    pub fn has_its_turn(&self, id: CallId) -> bool {
        let left = self.allotted(self.topology().caller(id)).at_least.filter(|_| self.plan(id).inherits);
        self.soonest_start(id) < left.map_or(Extent::Unbounded, Extent::Finite)
    }

    /// When a call may be made that stands in for others, at the soonest that is known, if all else is answered at once.
    fn soonest_start(&self, id: CallId) -> Extent {
        let replaced = self.topology().call(id).fallback_of;
        replaced.map_or(Extent::ZERO, |id| self.soonest_start(id).plus(self.soonest_failure(id)))
    }

    /// How long it takes at least until a call has failed for good, if nothing says that any failure is final.
    fn soonest_failure(&self, id: CallId) -> Extent {
        let plan = self.plan(id);
        let some_are_final = match self.cascade().call(id, &[Key::RetryOn]) {
            Answer::Given(stated) => !stated.setting.says("any"),
            Answer::None(_) => true,
            Answer::Unstated | Answer::Unreadable => false,
        };
        let waits = match (plan.attempts, plan.backoff) {
            _ if some_are_final => return Extent::ZERO,
            (Attempts::Unlimited, _) => Extent::Unbounded,
            (Attempts::AtMost(_), None) => Extent::ZERO,
            (Attempts::AtMost(tries), Some(waits)) => Extent::Finite(waits.shortest_total(tries.saturating_sub(1))),
        };
        waits.min(self.limit_of(id, Known::AtLeast).map_or(Extent::Unbounded, Extent::Finite))
    }

    /// What bounds all attempts of a call together: its own deadline, and what its caller has left if it ends with
    /// that; of several ways to the caller, what is known to be left on one (`AtLeast`) or on any (`AtMost`).
    pub(super) fn limit_of(&self, id: CallId, known: Known) -> Option<Duration> {
        let plan = self.plan(id);
        let from = self.topology().caller(id);
        let allotted = self.allotted(from);
        let inherited = match known {
            Known::AtLeast => allotted.at_least,
            Known::AtMost if self.starts().detached.get(from.index()) == Some(&true) => allotted.own,
            Known::AtMost => allotted.at_most,
        };
        plan.deadline.duration().into_iter().chain(inherited.filter(|_| plan.inherits)).min()
    }

    fn startable_after(&self, id: CallId, late: bool, known: Known) -> Attempts {
        let limit = self.limit_of(id, known);
        match known {
            Known::AtLeast => self.startable_within(id, late, limit, Duration::ZERO),
            Known::AtMost => {
                let plan = self.plan(id);
                let each = if late { plan.attempt() } else { Some(Duration::ZERO) };
                // Nothing ends an attempt before the deadline does: none is late before that.
                let never_late = each.is_none() && plan.timeout.stated().is_some();
                match limit {
                    None => plan.attempts,
                    Some(_) if never_late => Attempts::AtMost(1),
                    Some(limit) => plan.started_before(limit, each.unwrap_or(Duration::ZERO), known),
                }
            }
        }
    }

    /// How many are proved to be startable within a limit if failing takes their callee so long.
    fn startable_within(&self, id: CallId, late: bool, limit: Option<Duration>, pace: Duration) -> Attempts {
        let plan = self.plan(id);
        let each = match plan.attempt() {
            // A failure that comes too late is none that is tried again.
            Some(single) if !late && pace > Duration::ZERO && pace >= single => return Attempts::AtMost(1),
            _ if !late => pace,
            // Inside one process nothing is lost: that an answer is late is not stated.
            _ if self.is_local(id) => return Attempts::AtMost(1),
            Some(single) => single,
            // Nothing says that one is late at all.
            None => return Attempts::AtMost(1),
        };
        limit.map_or(plan.attempts, |limit| plan.started_before(limit, each, Known::AtLeast))
    }
}
