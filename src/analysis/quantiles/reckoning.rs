//! One walk over the calls of all operations, for every way to reckon with times: what cannot be exceeded, what cannot
//! be undercut, what is to be expected.
//!
//! All of it is about operation in which callees answer, early or late: a call is tried again because it took too
//! long, not because it failed at once.

use super::super::Facts;
use super::super::attempts::Attempts;
use super::super::load::{self, Traffic};
use crate::model::{CallId, Duration, Fallback, OperationId, Setting, Step};
use crate::vocabulary::{ElementKind, Key};

/// One way to reckon with times that differ from request to request.
pub(super) trait Reckoning {
    /// What is known of such a time.
    type Time: Clone;

    /// Nothing is known.
    fn unknown(&self) -> Self::Time;
    /// What counts for own work and links of which nothing is stated.
    fn unstated(&self) -> Self::Time;
    /// Always the same.
    fn constant(&self, time: Duration) -> Self::Time;
    /// By stated quantiles.
    fn stated(&self, setting: &Setting) -> Self::Time;
    /// One after the other.
    fn sum(&self, one: &Self::Time, other: &Self::Time) -> Self::Time;
    /// At once, until so many have ended.
    fn latest(&self, enough: usize, branches: &[Self::Time]) -> Self::Time;
    /// The same several times at once, until all have ended.
    fn at_once(&self, times: u64, time: Self::Time) -> Self::Time;
    /// Exactly one of them, with its share of all requests where that is stated.
    fn split(&self, branches: &[(Option<f64>, Self::Time)]) -> Self::Time;
    /// A share of requests only; none if nothing says how many.
    fn sometimes(&self, share: Option<f64>, time: Self::Time) -> Self::Time;
    /// Cut off.
    fn cut(&self, time: Self::Time, at: Duration) -> Self::Time;
    /// All attempts of a call, by the time that one would take if nothing cut it: what is answered, and what has
    /// failed in the end.
    fn attempts(&self, facts: &Facts<'_>, call: CallId, one: Self::Time) -> (Self::Time, Self::Time);
    /// What is answered and what has failed, together.
    fn either(&self, answered: Self::Time, failed: Self::Time) -> Self::Time;
    /// How many calls count, if one execution makes several.
    fn times(&self, facts: &Facts<'_>, call: CallId) -> Option<u64>;
    /// What was measured, beside what is drawn.
    fn measured(&self, drawn: &Self::Time, observed: Self::Time) -> Self::Time;
}

/// What is known of an operation.
#[derive(Clone, Debug)]
pub(super) struct Row<T> {
    /// By what is drawn.
    pub(super) drawn: T,
    /// By what was measured, too.
    pub(super) seen: T,
}

/// One row for each operation.
pub(super) fn rows<R: Reckoning>(facts: &Facts<'_>, reckoning: &R) -> Vec<Row<R::Time>> {
    let unknown = Row { drawn: reckoning.unknown(), seen: reckoning.unknown() };
    let mut rows = vec![unknown; facts.topology().operations.len()];
    for circle in facts.components().iter() {
        // Inside a circle no callee is known yet, whichever comes first.
        let known: Vec<Row<R::Time>> =
            circle.iter().map(|id| Walk { facts, reckoning, rows: &rows }.operation(*id)).collect();
        for (id, row) in circle.iter().zip(known) {
            if let Some(slot) = rows.get_mut(id.index()) {
                *slot = row;
            }
        }
    }
    rows
}

struct Walk<'a, 'f, R: Reckoning> {
    facts: &'a Facts<'f>,
    reckoning: &'a R,
    rows: &'a [Row<R::Time>],
}

impl<R: Reckoning> Walk<'_, '_, R> {
    fn operation(&self, id: OperationId) -> Row<R::Time> {
        let body = self.steps(&self.facts.topology().operation(id).body);
        let all = self.reckoning.sum(&self.own(id), &body);
        let drawn = self.facts.allotted(id).at_most.map_or(all.clone(), |bound| self.reckoning.cut(all, bound));
        let observed = self.facts.cascade().operation(id, Key::Observed).given();
        let seen = observed
            .map_or(drawn.clone(), |observed| self.reckoning.measured(&drawn, self.reckoning.stated(observed.setting)));
        Row { drawn, seen }
    }

    fn own(&self, id: OperationId) -> R::Time {
        let topology = self.facts.topology();
        let is_client = topology.kind_of(id) == ElementKind::Client;
        // A bare arrow to a store means its operations: the work is theirs.
        if is_client || topology.calls_from(id).any(|call| topology.call(call).implied) {
            return self.reckoning.constant(Duration::ZERO);
        }
        match self.facts.cascade().operation(id, Key::Latency).given() {
            Some(stated) => self.reckoning.stated(stated.setting),
            None if !topology.calls_from(id).any(|call| self.facts.is_awaited(call)) => self.reckoning.unknown(),
            None => self.reckoning.unstated(),
        }
    }

    fn steps(&self, steps: &[Step]) -> R::Time {
        let nothing = self.reckoning.constant(Duration::ZERO);
        steps.iter().fold(nothing, |sum, step| self.reckoning.sum(&sum, &self.step(step, false)))
    }

    fn step(&self, step: &Step, at_once: bool) -> R::Time {
        let all =
            |branches: &[Step]| -> Vec<R::Time> { branches.iter().map(|branch| self.step(branch, true)).collect() };
        match step {
            Step::Call(call) => {
                let share = load::known_chance(self.facts, *call, Traffic::Usual);
                self.reckoning.sometimes(share, self.call(*call, at_once))
            }
            Step::Sequence(steps) => self.steps(steps),
            Step::Parallel(branches) => self.reckoning.latest(branches.len(), &all(branches)),
            Step::Any(enough, branches) => {
                let enough = usize::try_from(*enough).unwrap_or(usize::MAX).min(branches.len());
                self.reckoning.latest(enough, &all(branches))
            }
            Step::OneOf(branches) => {
                let branches: Vec<_> = branches.iter().map(|branch| self.alternative(branch)).collect();
                self.reckoning.split(&branches)
            }
        }
    }

    /// In a split, a `chance` is the share of the branch.
    fn alternative(&self, branch: &Step) -> (Option<f64>, R::Time) {
        let Step::Call(call) = branch else { return (None, self.step(branch, false)) };
        let stated = self.facts.cascade().call(*call, &[Key::Chance]).given();
        (stated.and_then(|stated| stated.setting.share()), self.call(*call, false))
    }

    fn call(&self, id: CallId, at_once: bool) -> R::Time {
        let nothing = self.reckoning.constant(Duration::ZERO);
        // A stream is meant to stay open: it takes no time that a request waits for.
        if !self.facts.is_awaited(id) || self.facts.is_stream(id) {
            return nothing;
        }
        let Some(times) = self.reckoning.times(self.facts, id) else { return self.reckoning.unknown() };
        let once = self.once(id);
        if at_once && times > 0 { self.reckoning.at_once(times, once) } else { self.repeated(once, times) }
    }

    /// One after the other, by doubling.
    fn repeated(&self, once: R::Time, times: u64) -> R::Time {
        let (mut sum, mut power, mut left) = (self.reckoning.constant(Duration::ZERO), once, times);
        while left > 0 {
            if left % 2 == 1 {
                sum = self.reckoning.sum(&sum, &power);
            }
            left /= 2;
            if left > 0 {
                power = self.reckoning.sum(&power, &power);
            }
        }
        sum
    }

    fn once(&self, id: CallId) -> R::Time {
        let call = self.facts.topology().call(id);
        let callee = self.rows.get(call.to.index()).map_or_else(|| self.reckoning.unknown(), |row| row.seen.clone());
        let link = match self.facts.link_time(id) {
            Some(round_trip) => self.reckoning.constant(round_trip),
            None => self.reckoning.unstated(),
        };
        let (answered, failed) = self.reckoning.attempts(self.facts, id, self.reckoning.sum(&link, &callee));
        let failed = match &call.fallback {
            Some(Fallback::Calls(steps)) => self.reckoning.sum(&failed, &self.steps(steps)),
            _ => failed,
        };
        self.reckoning.either(answered, failed)
    }
}

/// How often a call is made by one execution, at most.
pub(super) fn most_times(facts: &Facts<'_>, call: CallId) -> Option<u64> {
    if let Attempts::AtMost(times) = facts.plan(call).times { Some(times) } else { None }
}
