//! One flow from caller to callee, hop by hop: when each call is made, how often, how long its caller waits, and who
//! gives up first. The scenario is a hang at the end of the flow, as late as possible: all that comes before a call on
//! the way takes its worst case, and the first attempt of each hop leads to the next.

use super::Facts;
use super::attempts::{Attempts, Plan};
use super::ends::Count;
use super::interval::{Extent, Time};
use crate::ids::IdSet;
use crate::model::{CallId, Duration, OperationId};
use crate::syntax::Arrow;
use crate::vocabulary::Key;

/// One call of a flow. All times count from the start of the flow.
#[derive(Clone, Debug)]
pub struct Leg {
    /// The call.
    pub call: CallId,
    /// When it is made at the latest, as far as is known.
    pub starts: Extent,
    /// Whether everything that comes before it is stated.
    pub known: bool,
    /// The longest that its caller waits for one attempt; none if nothing says so.
    pub attempt: Option<Duration>,
    /// How often it is tried.
    pub attempts: Attempts,
    /// When its caller has given up, as far as it decides that itself; none if unstated.
    pub ends: Option<Extent>,
    /// The first on the way to give up, if that is before this call ends.
    pub cut: Option<Cut>,
    /// The start and the end of each of the first attempts.
    pub tries: Vec<(Duration, Duration)>,
}

/// Who gives up first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// When.
    pub at: Duration,
    /// Who.
    pub by: Limiter,
    /// Of the attempts below, so many can start before.
    pub started: u64,
    /// Whether the work below stops then, because it ends with what its caller has left.
    pub stops: bool,
}

/// What ends a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limiter {
    /// The timeout or deadline of a call on the way.
    Call(CallId),
    /// The deadline of an operation on the way.
    Operation(OperationId),
}

/// A flow.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Where it starts.
    pub start: OperationId,
    /// Its calls.
    pub legs: Vec<Leg>,
    /// How often its end is tried for one run of its start if it fails at once: the product of the tries of all hops.
    pub tries: Count,
}

/// So many attempts of a call have a start and an end of their own.
const MAX_TRIES: u64 = 64;

impl Facts<'_> {
    /// A way with the fewest calls that leads over these points, each any of some operations; none if there is none.
    #[must_use]
    pub fn way_over(&self, points: &[Vec<OperationId>]) -> Option<Vec<CallId>> {
        let (first, rest) = points.split_first()?;
        let mut starts = first.clone();
        let mut way = Vec::new();
        for goals in rest {
            let ways = self.ways_over(starts.iter().copied(), |call| self.is_made(call));
            let reached = goals.iter().filter(|goal| ways.reach(**goal));
            let goal = *reached.min_by_key(|goal| (ways.length(**goal), self.rank(**goal)))?;
            way.extend(ways.way(self, goal));
            starts = vec![goal];
        }
        Some(way)
    }

    /// Whether there is another way from where this one starts to where it ends.
    #[must_use]
    pub fn has_other_ways(&self, way: &[CallId]) -> bool {
        let topology = self.topology();
        let (Some(first), Some(last)) = (way.first(), way.last()) else { return false };
        let made = |call: &CallId| self.is_made(*call) && !topology.call(*call).implied;
        let ways = self.ways_over([topology.caller(*first)], |call| made(&call));
        let goal = topology.callee(*last);
        let mut seen = IdSet::from_iter([goal]);
        let mut next = vec![goal];
        while let Some(at) = next.pop() {
            for call in topology.calls_to(at).filter(|call| made(call) && ways.reach(topology.caller(*call))) {
                if !way.contains(&call) {
                    return true;
                }
                if seen.insert(topology.caller(call)) {
                    next.push(topology.caller(call));
                }
            }
        }
        false
    }

    /// The flow over the calls of a way.
    #[must_use]
    pub fn flow(&self, way: &[CallId]) -> Option<Flow> {
        let topology = self.topology();
        let start = topology.caller(*way.first()?);
        let mut legs: Vec<Leg> = Vec::new();
        let mut limits: Vec<(Duration, Limiter)> = Vec::new();
        let mut now = Time::ZERO;
        for id in way {
            let call = topology.call(*id);
            let from = now;
            now = now.plus(self.times().before(self, *id));
            if let (Some(own), Some(start)) = (self.allotted(call.from).own, from.at_least.finite()) {
                limits.push((start.plus(own), Limiter::Operation(call.from)));
            }
            let leg = self.leg(*id, now, &limits);
            if call.arrow == Arrow::Async {
                limits.clear();
            }
            if let Extent::Finite(start) = now.at_least {
                let plan = self.plan(*id);
                let bounds = [leg.attempt, plan.deadline.duration()];
                limits.extend(bounds.into_iter().flatten().min().map(|wait| (start.plus(wait), Limiter::Call(*id))));
            }
            legs.push(leg);
        }
        let last = way.len() - 1;
        let tries = way.iter().enumerate().fold(Count::Times(1), |count, (index, id)| {
            count.times(self.tries_of_failure(*id, index == last)).times(self.plan(*id).times)
        });
        Some(Flow { start, legs, tries })
    }

    /// Whether a call ends when somebody above has given up: it takes what is left, or its caller stops with theirs.
    fn stops(&self, id: CallId) -> bool {
        let from = self.topology().caller(id);
        let inherits = self.plan(id).inherits && self.allotted(from).at_most.is_some();
        inherits || self.cascade().operation(from, Key::Cancels).given().is_some()
    }

    fn leg(&self, id: CallId, now: Time, limits: &[(Duration, Limiter)]) -> Leg {
        let plan = self.plan(id);
        let attempt = plan.attempt();
        let whole = self.times().call(self, id);
        let start = now.at_least.finite();
        let cut = limits.iter().min_by_key(|(at, _)| *at).filter(|_| self.is_awaited(id)).and_then(|(at, by)| {
            // What it would take if nobody above gave up.
            let alone = attempt.map_or(whole.at_least, |wait| plan.all_attempts(wait));
            let alone = plan.deadline.duration().map_or(alone, |deadline| alone.min(Extent::Finite(deadline)));
            let over = now.at_least.plus(alone) > Extent::Finite(*at) || whole.at_most.is_none();
            let started = start.map_or(0, |start| started(plan, start, *at));
            over.then_some(Cut { at: *at, by: *by, started, stops: self.stops(id) })
        });
        let stopped = cut.filter(|cut| cut.stops).map_or(Duration::MAX, |cut| cut.at);
        let tries = start.map_or_else(Vec::new, |start| tries(plan, start, stopped));
        let ends = whole.at_most.map(|_| now.at_least.plus(whole.at_least));
        Leg {
            call: id,
            starts: now.at_least,
            known: now.at_most.is_some(),
            attempt,
            attempts: plan.attempts,
            ends,
            cut,
            tries,
        }
    }
}

/// The first attempts of a call in a hang, with the longest waits between them, up to its own deadline and what stops it.
fn tries(plan: &Plan<'_>, start: Duration, stopped: Duration) -> Vec<(Duration, Duration)> {
    let end = plan.deadline.duration().map_or(stopped, |deadline| stopped.min(start.plus(deadline)));
    let Some(wait) = plan.attempt().or(plan.deadline.duration()) else { return Vec::new() };
    let count = started(plan, start, end).min(MAX_TRIES);
    let bounds = (0..count).map(|nth| {
        let begin = start.plus(plan.start_of(nth, wait));
        (begin, begin.plus(wait).min(end))
    });
    bounds.collect()
}

/// How many attempts of a call can start before a time if each of them lasts as long as it may.
fn started(plan: &Plan<'_>, start: Duration, end: Duration) -> u64 {
    if start >= end {
        return 0;
    }
    let most = match plan.attempts {
        Attempts::AtMost(attempts) => attempts,
        Attempts::Unlimited => u64::MAX,
    };
    let end = plan.deadline.duration().map_or(end, |deadline| end.min(start.plus(deadline)));
    let Some(wait) = plan.attempt() else { return 1 };
    // Of attempts 0 to n, the starts grow: the first that is too late is found by halving.
    let (mut fit, mut late) = (1, most);
    while fit < late {
        let middle = fit + (late - fit).div_ceil(2);
        if start.plus(plan.start_of(middle - 1, wait)) < end { fit = middle } else { late = middle - 1 }
    }
    fit
}
