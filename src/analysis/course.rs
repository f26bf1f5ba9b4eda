//! How far the calls of one operation take it in a hang: the arithmetic of sequences, branches, fallbacks and loops.
//!
//! What comes after a call is made only if that has succeeded or something answers in its place, so two times are
//! carried along: the latest at which it goes on, and the latest at which it may have ended with a failure.

use super::Facts;
use super::attempts::{Attempts, Plan};
use super::interval::{Extent, Known, Time};
use super::time::{Part, Times, Without};
use crate::model::{CallId, Duration, Fallback, OperationId, Step};

/// So many parts of a worst case are named.
const MAX_PARTS: usize = 24;

/// All attempts and waits without any bound on the whole.
fn all_attempts(plan: &Plan<'_>, single: Time) -> Time {
    let at_least = single.at_least.finite().map_or(Extent::Unbounded, |least| plan.least_of_all_attempts(least));
    let at_most = single.at_most.map(|most| most.finite().map_or(Extent::Unbounded, |most| plan.all_attempts(most)));
    Time::both(at_least, at_most)
}

/// How far one has come: the latest time at which it goes on, and the latest at which it may have ended for good.
#[derive(Clone, Copy)]
pub(super) struct Course {
    pub(super) going: Time,
    pub(super) ended: Time,
}

impl Course {
    /// The latest time at all.
    pub(super) fn last(self) -> Time {
        self.going.max(self.ended)
    }

    /// The same if it is not known to begin in time: nothing is proved but how long one has waited.
    fn but_from(self, waited: Time) -> Self {
        let going = Time::both(Extent::ZERO, self.going.at_most);
        Self { going, ended: Time::both(waited.at_least, self.ended.at_most) }
    }

    /// The later of both, each.
    fn join(self, other: Self) -> Self {
        Self { going: self.going.max(other.going), ended: self.ended.max(other.ended) }
    }
}

/// A walk over the steps of one operation.
pub(super) struct Walk<'a, 'f> {
    pub(super) times: &'a Times,
    pub(super) facts: &'a Facts<'f>,
    pub(super) operation: OperationId,
    /// A timeout to try in the place of the stated one.
    pub(super) other: Option<(CallId, Duration)>,
    /// What is left out.
    pub(super) without: Option<Without>,
}

impl Walk<'_, '_> {
    /// How far one is after these steps.
    pub(super) fn steps(&self, steps: &[Step], from: Course) -> Course {
        steps.iter().fold(from, |course, step| self.step(step, course, false))
    }

    /// How far one is when a call is made for the first time; none if it is not among these steps.
    pub(super) fn until(&self, steps: &[Step], from: Course, call: CallId) -> Option<Course> {
        let mut course = from;
        for step in steps {
            let found = match step {
                Step::Call(id) if *id == call => Some(course),
                Step::Call(id) => match &self.facts.topology().call(*id).fallback {
                    Some(Fallback::Calls(steps)) => {
                        let failed = self.attempts(*id, Attempts::AtMost(1), course.going).ended;
                        self.until(steps, Course { going: failed, ended: course.going }, call)
                    }
                    _ => None,
                },
                Step::Sequence(steps) => self.until(steps, course, call),
                Step::Parallel(branches) | Step::Any(_, branches) | Step::OneOf(branches) => {
                    branches.iter().find_map(|branch| self.until(std::slice::from_ref(branch), course, call))
                }
            };
            if found.is_some() {
                return found;
            }
            course = self.step(step, course, false);
        }
        None
    }

    fn step(&self, step: &Step, from: Course, at_once: bool) -> Course {
        match step {
            Step::Call(call) => self.call(*call, from, at_once),
            Step::Sequence(steps) => self.steps(steps, from),
            // Even when only some answers are needed, in a hang they may be the last ones.
            Step::Parallel(branches) => self.at_once(branches, branches.len(), from),
            Step::Any(enough, branches) => self.at_once(branches, usize::try_from(*enough).unwrap_or(usize::MAX), from),
            Step::OneOf(branches) => {
                branches.iter().map(|branch| self.step(branch, from, false)).reduce(Course::join).unwrap_or(from)
            }
        }
    }

    /// Branches that start together. A branch that cannot start at the latest time any more, because nothing is left of
    /// what it inherits, starts earlier: if it is needed, all others start then as well, and may be answered at once.
    fn at_once(&self, branches: &[Step], enough: usize, from: Course) -> Course {
        let courses: Vec<Course> = branches.iter().map(|branch| self.step(branch, from, true)).collect();
        if let Some(last) = self.last_needed(branches, enough, &courses) {
            return Course { going: last, ended: from.ended };
        }
        let all = courses.iter().copied().reduce(Course::join).unwrap_or(from);
        let start = from.going.at_least;
        let bound = self.facts.allotted(self.operation).at_least.map_or(Extent::Unbounded, Extent::Finite);
        let over = bound <= start;
        let inherits = |call| self.facts.is_awaited(call) && self.facts.plan(call).inherits;
        let starts = |(branch, course): &(&Step, &Course)| {
            course.going.at_least >= start && !(over && self.any(std::slice::from_ref(*branch), &inherits))
        };
        let (late, early): (Vec<_>, Vec<_>) = branches.iter().zip(&courses).partition(starts);
        let at_least = if late.len() >= enough {
            late.iter().map(|(_, course)| course.going.at_least).max().unwrap_or(start)
        } else {
            early
                .iter()
                .map(|(_, course)| course.going.at_least)
                .filter(|end| *end <= bound)
                .max()
                .unwrap_or(Extent::ZERO)
        };
        Course { going: Time::both(at_least, all.going.at_most), ..all }
    }

    /// When as many branches as are needed have answered of those that cannot fail, if there are so many: then nobody
    /// waits for the others, however long they would take.
    fn last_needed(&self, branches: &[Step], enough: usize, courses: &[Course]) -> Option<Time> {
        let sure = branches.iter().zip(courses).filter(|(branch, _)| !self.can_fail(branch));
        let times: Vec<Time> = sure.map(|(_, course)| course.going).collect();
        let nth = enough.checked_sub(1)?;
        let mut at_least: Vec<Extent> = times.iter().map(|time| time.at_least).collect();
        let mut at_most: Vec<Extent> = times.iter().filter_map(|time| time.at_most).collect();
        at_least.sort_unstable();
        at_most.sort_unstable();
        Some(Time::both(at_least.get(nth).copied()?, at_most.get(nth).copied()))
    }

    /// Whether a step can end with a failure.
    fn can_fail(&self, step: &Step) -> bool {
        let any = |steps: &[Step]| steps.iter().any(|step| self.can_fail(step));
        match step {
            Step::Call(id) => {
                let fallback = self.facts.topology().call(*id).fallback.as_ref();
                let fallback = fallback.filter(|_| self.without != Some(Without::Fallbacks));
                self.facts.is_awaited(*id)
                    && match fallback {
                        Some(Fallback::Calls(steps)) => any(steps),
                        _ => !self.is_soft(*id),
                    }
            }
            Step::Sequence(steps) | Step::Parallel(steps) | Step::OneOf(steps) => any(steps),
            Step::Any(enough, steps) => {
                let sure = steps.iter().filter(|step| !self.can_fail(step)).count();
                u64::try_from(sure).unwrap_or(u64::MAX) < *enough
            }
        }
    }

    /// Whether it goes on where a call has failed.
    fn is_soft(&self, id: CallId) -> bool {
        self.facts.plan(id).soft || self.facts.is_cache_read(id)
    }

    fn call(&self, id: CallId, from: Course, at_once: bool) -> Course {
        let plan = self.facts.plan(id);
        if !self.facts.is_awaited(id) {
            return from;
        }
        // Made at once, a number of calls takes as long as one of them; without end they never end.
        let times = if at_once && plan.times != Attempts::Unlimited { Attempts::AtMost(1) } else { plan.times };
        let fallback =
            self.facts.topology().call(id).fallback.as_ref().filter(|_| self.without != Some(Without::Fallbacks));
        let made = if let Some(Fallback::Calls(steps)) = fallback {
            self.with_fallback(id, steps, times, from)
        } else {
            let after = self.attempts(id, times, from.going);
            let ended = from.ended.max(after.ended);
            // Where something else answers, it goes on after the last attempt has failed.
            Course { going: if self.is_soft(id) { after.ended } else { after.going }, ended }
        };
        // What is read on a miss only may not be read at all.
        let skippable = plan.skippable || self.facts.miss_of(id).is_some();
        if skippable { made.join(from) } else { made }
    }

    /// A fallback starts when all attempts have failed. In a loop that may happen each time; the more time has passed,
    /// the less a call takes that ends with what its caller has left, so that the first run bounds all others.
    fn with_fallback(&self, id: CallId, steps: &[Step], times: Attempts, from: Course) -> Course {
        let primary = self.attempts(id, Attempts::AtMost(1), from.going);
        let instead = self.steps(steps, Course { going: primary.ended, ended: from.going });
        let late = self.any(steps, &|call| self.facts.is_awaited(call) && !self.facts.has_its_turn(call));
        let instead = if late { instead.but_from(primary.ended) } else { instead };
        let first = Course { going: primary.going.max(instead.going), ended: instead.ended };
        let (more, all) = match times {
            Attempts::AtMost(1) => return Course { ended: from.ended.max(first.ended), ..first },
            Attempts::AtMost(times) => (Attempts::AtMost(times - 1), Attempts::AtMost(times)),
            Attempts::Unlimited => (Attempts::Unlimited, Attempts::Unlimited),
        };
        let once = first.going.since(from.going);
        let last = first.ended.since(from.going);
        let going = from.going.plus(once.repeated(all));
        let ended = from.ended.max(from.going.plus(once.repeated(more)).plus(last));
        if self.shares(id) || self.any(steps, &|call| self.shares(call)) {
            let first_run = |first: Time, all: Time| Time::both(first.at_least, all.at_most);
            let once = from.ended.max(first.ended);
            return Course { going: first_run(first.going, going), ended: first_run(once, ended) };
        }
        Course { going, ended }
    }

    /// Whether a call takes the less the later it starts.
    fn shares(&self, id: CallId) -> bool {
        let plan = self.facts.plan(id);
        self.facts.is_awaited(id)
            && (plan.inherits
                || self.facts.is_local(id) && self.facts.allotted(self.facts.topology().callee(id)).honours)
    }

    /// Whether this is true of any call in these steps, fallbacks included.
    fn any(&self, steps: &[Step], is: &impl Fn(CallId) -> bool) -> bool {
        let topology = self.facts.topology();
        let mut calls = Vec::new();
        Step::each(steps, &mut |call| calls.push(call));
        calls.into_iter().any(|call| {
            let fallback = topology.call(call).fallback.as_ref();
            is(call) || matches!(fallback, Some(Fallback::Calls(steps)) if self.any(steps, is))
        })
    }

    /// All attempts of a call, made so many times one after the other, from the time at which one goes on. How it goes
    /// on and how it ends are kept apart, fallbacks are not looked at.
    pub(super) fn attempts(&self, id: CallId, times: Attempts, from: Time) -> Course {
        let plan = self.facts.plan(id);
        let unpooled =
            (self.without == Some(Without::PoolWaits)).then(|| Plan { pool_wait: Extent::ZERO, ..plan.clone() });
        let plan = unpooled.as_ref().unwrap_or(plan);
        let other = self.other.filter(|(call, _)| *call == id).map(|(_, timeout)| timeout);
        let single = self.times.single(self.facts, id, other.or(plan.attempt()));
        let all = all_attempts(plan, single);
        let deadline = plan.deadline.duration();
        let good = within(plan, single, all, deadline);
        let all = deadline.map_or(all, |deadline| all.capped(deadline));
        let before = match times {
            Attempts::AtMost(times) => Attempts::AtMost(times.saturating_sub(1)),
            Attempts::Unlimited => Attempts::Unlimited,
        };
        let last = from.plus(good.repeated(before));
        let course = Course { going: last.plus(good), ended: last.plus(all) };
        let allotted = self.facts.allotted(self.operation);
        if plan.inherits {
            let good = |limit: Duration| within(plan, single, all, Some(deadline.map_or(limit, |own| own.min(limit))));
            return inherited(from, last, course, (allotted.at_least, allotted.at_most), good);
        }
        if self.facts.is_local(id) && self.shares(id) {
            let waits = all_attempts(plan, Time::ZERO);
            let once = deadline.map_or(waits, |deadline| waits.capped(deadline));
            // Only one round fails; those that end well do so before.
            let waits = Time::both(once.at_least, once.repeated(times).at_most);
            let ended = handed(from, course.ended, waits, (allotted.at_least, allotted.at_most));
            // Of several tries, the first is sure to find something left; none does if all time is over, unless all
            // before is answered at once.
            let over = allotted.at_least.is_some_and(|bound| Extent::Finite(bound) <= from.at_least);
            let first = if over { Extent::ZERO } else { from.at_least }.plus(single.at_least);
            let first = allotted.at_least.map_or(first, |bound| first.min(Extent::Finite(bound)));
            let reached = ended.at_least.min(course.going.at_least);
            let reached = if over || plan.attempts.repeat() { reached.min(first) } else { reached };
            return Course { going: Time::both(reached, ended.at_most), ended };
        }
        course
    }

    pub(super) fn parts(&self, steps: &[Step], parts: &mut Vec<Part>) {
        for step in steps {
            if parts.len() >= MAX_PARTS {
                return;
            }
            match step {
                Step::Call(call) => self.part(*call, parts),
                Step::Sequence(steps) => self.parts(steps, parts),
                Step::Parallel(branches) | Step::Any(_, branches) | Step::OneOf(branches) => {
                    if let Some(branch) = self.deciding(step, branches) {
                        self.parts(std::slice::from_ref(branch), parts);
                    }
                }
            }
        }
    }

    /// The branch that takes longest of those that are waited for.
    fn deciding<'s>(&self, step: &Step, branches: &'s [Step]) -> Option<&'s Step> {
        let at_once = !matches!(step, Step::OneOf(_));
        let start = Course { going: Time::ZERO, ended: Time::ZERO };
        let time = |branch: &Step| self.step(branch, start, at_once).last().at_least;
        if let Step::Any(enough, _) = step {
            let mut sure: Vec<&Step> = branches.iter().filter(|branch| !self.can_fail(branch)).collect();
            sure.sort_by_cached_key(|branch| time(branch));
            let nth = usize::try_from(*enough).ok().and_then(|enough| enough.checked_sub(1));
            if let Some(branch) = nth.and_then(|nth| sure.get(nth)) {
                return Some(branch);
            }
        }
        branches.iter().rev().max_by_key(|branch| time(branch))
    }

    fn part(&self, call: CallId, parts: &mut Vec<Part>) {
        if !self.facts.is_awaited(call) {
            return;
        }
        let time = self.times.call(self.facts, call).repeated(self.facts.plan(call).times);
        parts.push(Part { call, time });
        if let Some(Fallback::Calls(steps)) = &self.facts.topology().call(call).fallback {
            self.parts(steps, parts);
        }
    }
}

/// The latest success of a call whose attempts take `all`, if it ends at a limit.
fn within(plan: &Plan<'_>, single: Time, all: Time, limit: Option<Duration>) -> Time {
    let Some(limit) = limit else { return all };
    let end = Extent::Finite(limit);
    let good = |all: Extent, single: Extent, known| match single {
        _ if all < end => all,
        Extent::Finite(single) => Extent::Finite(plan.latest_success(single, limit, known)),
        Extent::Unbounded => end,
    };
    let at_most = match (all.at_most, single.at_most) {
        (Some(all), Some(single)) => good(all, single, Known::AtMost),
        _ => end,
    };
    Time::both(good(all.at_least, single.at_least, Known::AtLeast), Some(at_most))
}

/// Calls that end with what their caller has left, the last one started at `last`: in sequence they share the rest, and
/// one that starts after the end takes nothing. A success is proved for the latest start and for one at the beginning,
/// if all before is answered at once.
fn inherited(
    from: Time,
    last: Time,
    alone: Course,
    (least, most): (Option<Duration>, Option<Duration>),
    good: impl Fn(Duration) -> Time,
) -> Course {
    let end = |start: Extent, end: Extent, bound: Option<Duration>| {
        bound.map_or(end, |bound| start.max(end.min(Extent::Finite(bound))))
    };
    let ended_at_most = match (from.at_most, alone.ended.at_most, most) {
        (Some(start), Some(ended), bound) => Some(end(start, ended, bound)),
        // However long the call would take, it ends at the bound.
        (Some(start), None, Some(bound)) => Some(start.max(Extent::Finite(bound))),
        _ => None,
    };
    let ended = Time::both(end(from.at_least, alone.ended.at_least, least), ended_at_most);
    let at_least = least.map_or(alone.going.at_least, |bound| {
        let starts = [last.at_least, from.at_least, Extent::ZERO];
        let successes = starts.into_iter().filter_map(Extent::finite).filter(|start| *start < bound);
        let successes = successes.map(|start| Extent::Finite(start).plus(good(bound.minus(start)).at_least));
        successes.max().unwrap_or(Extent::ZERO)
    });
    let at_most = match most {
        Some(bound) => Some(alone.going.at_most.map_or(Extent::Finite(bound), |most| most.min(Extent::Finite(bound)))),
        None => alone.going.at_most,
    };
    Course { going: Time::both(at_least, at_most), ended }
}

/// Calls inside one process to a callee that honours what is left: it works until the end at most, and only waits
/// between tries can come after it.
fn handed(from: Time, ended: Time, waits: Time, (least, most): (Option<Duration>, Option<Duration>)) -> Time {
    let at_least = least.map_or(ended.at_least, |bound| {
        from.at_least.plus(waits.at_least).max(ended.at_least.min(Extent::Finite(bound)))
    });
    let after = |start: Extent| {
        let waits = waits.at_most.unwrap_or(Extent::Unbounded);
        most.map(|bound| start.max(Extent::Finite(bound)).plus(waits))
    };
    let at_most = match (ended.at_most, from.at_most.and_then(after)) {
        (Some(ended), Some(after)) => Some(ended.min(after)),
        (ended, after) => ended.or(after),
    };
    Time::both(at_least, at_most)
}
