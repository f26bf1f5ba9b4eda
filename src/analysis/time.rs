//! Worst-case time in a hang: no answer comes, every wait runs to its end.
//!
//! A caller waits for what is stated on its own call; a callee's promise never shortens that, because its answer may
//! be lost. So the bound of an operation follows from its own calls, added in sequence and maximised over branches.
//! Only calls inside one process take the time of their callee.

use super::Facts;
use super::attempts::{Attempts, Limit, Plan};
use super::condensation::components;
use crate::model::{CallId, Duration, Fallback, OperationId, Stated, Step};
use crate::vocabulary::Key;

/// So many calls of an operation are looked at again for a proposal.
const MAX_CALLS: usize = 256;

/// So many parts of a worst case are named.
const MAX_PARTS: usize = 24;

/// A time that may be without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// This long.
    Finite(Duration),
    /// Without end.
    Unbounded,
}

impl Extent {
    /// No time.
    pub const ZERO: Self = Self::Finite(Duration::ZERO);

    /// One after the other.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Finite(one), Self::Finite(other)) => Self::Finite(one.plus(other)),
            _ => Self::Unbounded,
        }
    }

    /// So many times.
    #[must_use]
    pub fn repeated(self, times: Attempts) -> Self {
        match (self, times) {
            (_, Attempts::AtMost(0)) | (Self::ZERO, _) => Self::ZERO,
            (Self::Finite(one), Attempts::AtMost(times)) => Self::Finite(one.times(times)),
            _ => Self::Unbounded,
        }
    }

    /// The time, where it has an end.
    #[must_use]
    pub fn finite(self) -> Option<Duration> {
        if let Self::Finite(duration) = self { Some(duration) } else { None }
    }
}

/// What is known of a worst case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// It is proved to reach this.
    pub at_least: Extent,
    /// It is proved not to exceed this; none if something that matters is unstated.
    pub at_most: Option<Extent>,
}

impl Time {
    /// No time.
    pub const ZERO: Self = Self::exactly(Extent::ZERO);

    /// Known exactly.
    #[must_use]
    pub const fn exactly(extent: Extent) -> Self {
        Self { at_least: extent, at_most: Some(extent) }
    }

    /// Nothing is known but what is proved to be reached.
    const fn from(at_least: Extent) -> Self {
        Self { at_least, at_most: None }
    }

    /// One after the other. What is without end stays so, whatever else is unknown.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self::both(
            self.at_least.plus(other.at_least),
            self.at_most.zip(other.at_most).map(|(one, other)| one.plus(other)),
        )
    }

    /// The longer of both.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self::both(
            self.at_least.max(other.at_least),
            self.at_most.zip(other.at_most).map(|(one, other)| one.max(other)),
        )
    }

    fn repeated(self, times: Attempts) -> Self {
        Self::both(self.at_least.repeated(times), self.at_most.map(|most| most.repeated(times)))
    }

    /// Cut at a bound that is known to hold.
    fn capped(self, cap: Duration) -> Self {
        let cap = Extent::Finite(cap);
        Self { at_least: self.at_least.min(cap), at_most: Some(self.at_most.map_or(cap, |most| most.min(cap))) }
    }

    fn both(at_least: Extent, at_most: Option<Extent>) -> Self {
        let proved = (at_least == Extent::Unbounded).then_some(Extent::Unbounded);
        Self { at_least, at_most: proved.or(at_most) }
    }
}

/// One call that contributes to the worst case of an operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// The call.
    pub call: CallId,
    /// What it takes.
    pub time: Time,
}

/// The worst cases of all operations and calls.
#[derive(Debug)]
pub struct Times {
    operations: Vec<Row>,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    /// All of its work.
    work: Time,
    /// What callers see of it: cut at its own bound.
    seen: Time,
}

impl Times {
    pub(super) fn of(facts: &Facts<'_>) -> Self {
        let count = facts.topology().operations.len();
        let mut times = Self { operations: vec![Row { work: Time::ZERO, seen: Time::ZERO }; count] };
        let inside = |call| facts.plan(call).awaited && facts.plan(call).local;
        let cut_off = |call| facts.plan(call).attempt().is_some() || facts.plan(call).deadline.duration().is_some();
        let mut order = vec![0_usize; count];
        for (place, component) in components(facts.topology(), |call| inside(call) && !cut_off(call)).iter().enumerate()
        {
            for operation in component {
                if let Some(slot) = order.get_mut(operation.index()) {
                    *slot = place;
                }
            }
        }
        for component in components(facts.topology(), inside) {
            for operation in &component {
                // Inside a circle the callee is not known yet: without end, as the circle may be.
                times.set(facts, *operation, Time::exactly(Extent::Unbounded));
            }
            // A call that is cut by its own bound needs its callee least, so what it leads to comes last.
            let mut component = component;
            component.sort_by_key(|operation| order.get(operation.index()).copied());
            for operation in &component {
                let work = times.work_of(facts, *operation, None);
                times.set(facts, *operation, work);
            }
        }
        times
    }

    fn set(&mut self, facts: &Facts<'_>, operation: OperationId, work: Time) {
        if let Some(row) = self.operations.get_mut(operation.index()) {
            *row = Row { work, seen: cut(facts, operation, work) };
        }
    }

    /// The worst case of an operation as its callers see it.
    #[must_use]
    pub fn operation(&self, operation: OperationId) -> Time {
        self.operations.get(operation.index()).map_or(Time::ZERO, |row| row.seen)
    }

    /// All of its work, whoever still waits for it.
    #[must_use]
    pub fn work(&self, operation: OperationId) -> Time {
        self.operations.get(operation.index()).map_or(Time::ZERO, |row| row.work)
    }

    /// Work that goes on after the operation has answered or given up.
    #[must_use]
    pub fn abandoned(&self, operation: OperationId) -> Extent {
        match (self.work(operation).at_least, self.operation(operation).at_least) {
            (Extent::Finite(work), Extent::Finite(seen)) => Extent::Finite(work.minus(seen)),
            (Extent::Unbounded, Extent::Finite(_)) => Extent::Unbounded,
            _ => Extent::ZERO,
        }
    }

    /// The longest that a caller waits for one call: all attempts, once, a fallback not included.
    #[must_use]
    pub fn call(&self, facts: &Facts<'_>, call: CallId) -> Time {
        let plan = facts.plan(call);
        if !plan.awaited {
            return Time::ZERO;
        }
        let time = self.alone(facts, call, None);
        let allotted = facts.allotted(facts.topology().call(call).from);
        if plan.inherits { inherited(Time::ZERO, time, allotted.at_least, allotted.at_most) } else { time }
    }

    /// The work of an operation if one of its calls had another timeout: for checking a proposal. None for an
    /// operation with so many calls that asking for each of them would take the square of their number.
    #[must_use]
    pub fn work_with(
        &self,
        facts: &Facts<'_>,
        operation: OperationId,
        call: CallId,
        timeout: Duration,
    ) -> Option<Time> {
        let few = facts.topology().calls_from(operation).nth(MAX_CALLS).is_none();
        few.then(|| cut(facts, operation, self.work_of(facts, operation, Some((call, timeout)))))
    }

    fn work_of(&self, facts: &Facts<'_>, operation: OperationId, other: Option<(CallId, Duration)>) -> Time {
        let body = &facts.topology().operation(operation).body;
        let walk = Walk { times: self, facts, operation, other };
        walk.steps(body, own_work(facts, operation))
    }

    /// A call by itself: its attempts and waits, cut at its own deadline, without what it inherits.
    fn alone(&self, facts: &Facts<'_>, call: CallId, other: Option<Duration>) -> Time {
        let plan = facts.plan(call);
        let callee = || self.operation(facts.topology().call(call).to);
        let timeout = other.or(plan.attempt());
        let time = match timeout {
            Some(timeout) if plan.local => attempts_of(plan, callee().capped(timeout)),
            Some(timeout) => Time::both(plan.least_of_all_attempts(timeout), Some(plan.all_attempts(timeout))),
            None if plan.local => attempts_of(plan, callee()),
            // A stream is meant to stay open: it takes no time that a request waits for.
            None if plan.stream => Time::ZERO,
            None if matches!(plan.timeout, Limit::None(_)) => Time::exactly(Extent::Unbounded),
            None => Time::from(plan.all_attempts(Duration::ZERO)),
        };
        match plan.deadline.duration() {
            // Without a timeout nothing ends an attempt before the deadline does.
            Some(deadline) if timeout.is_none() && !plan.local && !plan.stream => {
                Time::exactly(Extent::Finite(deadline))
            }
            Some(deadline) => time.capped(deadline),
            None => time,
        }
    }

    /// The calls that make up the worst case of an operation, in order: of branches, the longest. Of very many, the
    /// first ones.
    #[must_use]
    pub fn parts(&self, facts: &Facts<'_>, operation: OperationId) -> Vec<Part> {
        let walk = Walk { times: self, facts, operation, other: None };
        let mut parts = Vec::new();
        walk.parts(&facts.topology().operation(operation).body, &mut parts);
        parts
    }
}

fn attempts_of(plan: &Plan<'_>, single: Time) -> Time {
    let at_least = single.at_least.finite().map_or(Extent::Unbounded, |least| plan.least_of_all_attempts(least));
    let at_most = single.at_most.map(|most| most.finite().map_or(Extent::Unbounded, |most| plan.all_attempts(most)));
    Time::both(at_least, at_most)
}

/// What callers see of an operation: it answers or gives up by its own deadline, or by what it honours of theirs.
fn cut(facts: &Facts<'_>, operation: OperationId, work: Time) -> Time {
    let allotted = facts.allotted(operation);
    let at_least = allotted.at_least.map_or(work.at_least, |cap| work.at_least.min(Extent::Finite(cap)));
    let at_most = match (work.at_most, allotted.at_most) {
        (most, None) => most,
        (most, Some(cap)) => Some(most.map_or(Extent::Finite(cap), |most| most.min(Extent::Finite(cap)))),
    };
    Time { at_least, at_most }
}

/// Own work counts with its stated maximum; a leaf that states only a deadline may take all of it.
fn own_work(facts: &Facts<'_>, operation: OperationId) -> Time {
    let maximum = own_maximum(facts, operation).and_then(|stated| stated.setting.maximum());
    let leaf = facts.topology().operation(operation).body.is_empty();
    let allotted = facts.allotted(operation).own.filter(|_| leaf);
    maximum.or(allotted).map_or(Time::ZERO, |time| Time::exactly(Extent::Finite(time)))
}

fn own_maximum<'a>(facts: &Facts<'a>, operation: OperationId) -> Option<Stated<'a>> {
    facts.cascade().operation(operation, Key::Latency).given()
}

/// A call that ends with what its caller has left, started when `elapsed` has passed: inherited calls in sequence share
/// the rest, and one that starts after the end takes nothing.
fn inherited(elapsed: Time, time: Time, least: Option<Duration>, most: Option<Duration>) -> Time {
    let end = |elapsed: Extent, time: Extent, bound: Option<Duration>| match bound {
        Some(bound) => elapsed.max(elapsed.plus(time).min(Extent::Finite(bound))),
        None => elapsed.plus(time),
    };
    let at_least = end(elapsed.at_least, time.at_least, least);
    let at_most = match (elapsed.at_most, time.at_most, most) {
        (Some(elapsed), Some(time), bound) => Some(end(elapsed, time, bound)),
        // However long the call would take, it ends at the bound.
        (Some(elapsed), None, Some(bound)) => Some(elapsed.max(Extent::Finite(bound))),
        _ => None,
    };
    Time::both(at_least, at_most)
}

/// A walk over the steps of one operation.
struct Walk<'a, 'f> {
    times: &'a Times,
    facts: &'a Facts<'f>,
    operation: OperationId,
    other: Option<(CallId, Duration)>,
}

impl Walk<'_, '_> {
    /// The time that has passed after these steps.
    fn steps(&self, steps: &[Step], start: Time) -> Time {
        steps.iter().fold(start, |elapsed, step| self.step(step, elapsed, false))
    }

    fn step(&self, step: &Step, elapsed: Time, at_once: bool) -> Time {
        match step {
            Step::Call(call) => self.call(*call, elapsed, at_once),
            Step::Sequence(steps) => self.steps(steps, elapsed),
            // Even when only some answers are needed, in a hang they may be the last ones.
            Step::Parallel(branches) | Step::Any(_, branches) => self.longest(branches, elapsed, true),
            Step::OneOf(branches) => self.longest(branches, elapsed, false),
        }
    }

    fn longest(&self, branches: &[Step], elapsed: Time, at_once: bool) -> Time {
        branches.iter().map(|branch| self.step(branch, elapsed, at_once)).reduce(Time::max).unwrap_or(elapsed)
    }

    fn call(&self, id: CallId, elapsed: Time, at_once: bool) -> Time {
        let plan = self.facts.plan(id);
        if !plan.awaited {
            return elapsed;
        }
        let other = self.other.filter(|(call, _)| *call == id).map(|(_, timeout)| timeout);
        let once = self.times.alone(self.facts, id, other);
        // Made at once, a number of calls takes as long as one of them; without end they never end.
        let times = match plan.times {
            Attempts::AtMost(0) => Attempts::AtMost(0),
            Attempts::AtMost(_) if at_once => Attempts::AtMost(1),
            times => times,
        };
        let time = once.repeated(times);
        let end = if plan.inherits {
            let allotted = self.facts.allotted(self.operation);
            inherited(elapsed, time, allotted.at_least, allotted.at_most)
        } else {
            elapsed.plus(time)
        };
        match &self.facts.topology().call(id).fallback {
            Some(Fallback::Calls(steps)) => self.fallback(steps, end, times),
            Some(Fallback::Ready) | None => end,
        }
    }

    /// A fallback starts when all attempts have failed. In a loop it may run each time; what it inherits is then not
    /// followed, so only its first run is proved.
    fn fallback(&self, steps: &[Step], end: Time, times: Attempts) -> Time {
        let first = self.steps(steps, end);
        match times {
            Attempts::AtMost(0) => end,
            Attempts::AtMost(1) => first,
            times => Time {
                at_least: first.at_least,
                at_most: end.plus(self.steps(steps, Time::ZERO).repeated(times)).at_most,
            },
        }
    }

    fn parts(&self, steps: &[Step], parts: &mut Vec<Part>) {
        for step in steps {
            if parts.len() >= MAX_PARTS {
                return;
            }
            match step {
                Step::Call(call) => self.part(*call, parts),
                Step::Sequence(steps) => self.parts(steps, parts),
                Step::Parallel(branches) | Step::Any(_, branches) | Step::OneOf(branches) => {
                    let at_once = !matches!(step, Step::OneOf(_));
                    let longest =
                        branches.iter().rev().max_by_key(|branch| self.step(branch, Time::ZERO, at_once).at_least);
                    if let Some(branch) = longest {
                        self.parts(std::slice::from_ref(branch), parts);
                    }
                }
            }
        }
    }

    fn part(&self, call: CallId, parts: &mut Vec<Part>) {
        if !self.facts.plan(call).awaited {
            return;
        }
        let time = self.times.call(self.facts, call).repeated(self.facts.plan(call).times);
        parts.push(Part { call, time });
        if let Some(Fallback::Calls(steps)) = &self.facts.topology().call(call).fallback {
            self.parts(steps, parts);
        }
    }
}
