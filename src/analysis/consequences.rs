//! What becomes of the entries while something is down, fails, is slow or does not answer.

use std::cell::RefCell;
use std::collections::VecDeque;

use super::Facts;
use super::attempts::Attempts;
use super::availability::{Availability, Failure, Outlook, Target, Verdict};
use super::capacity::{Held, Pool};
use super::ends::Count;
use super::load::{Traffic, rate_of};
use crate::ids::{IdMap, IdSet};
use crate::model::{CallId, Duration, OperationId};
use crate::vocabulary::Key;

/// What is assumed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Disturbance {
    /// It does nothing at all.
    Down(Target),
    /// This share of what it is asked fails.
    Fails(Target, f64),
    /// It takes so many times as long.
    Slow(Target, f64),
    /// A call that is never answered.
    Silent(CallId),
}

impl Disturbance {
    /// What is disturbed.
    #[must_use]
    pub fn target(&self) -> Target {
        match self {
            Self::Down(target) | Self::Fails(target, _) | Self::Slow(target, _) => *target,
            Self::Silent(call) => Target::Call(*call),
        }
    }
}

/// What becomes of one entry.
#[derive(Clone, Debug)]
pub struct Felt {
    /// The entry.
    pub operation: OperationId,
    /// Whether it still answers.
    pub verdict: Verdict,
    /// How much of the time it works.
    pub before: Availability,
    /// How much of the time it works then.
    pub after: Availability,
    /// Whether it reaches what is disturbed.
    pub reaches: bool,
    /// The first calls on which it does, as far as they were asked for.
    pub way: Vec<CallId>,
    /// How many calls follow these.
    pub more: usize,
}

/// So many calls of a way are named: nobody reads on, and there are as many ways as entries.
const MOST_CALLS: usize = 64;

impl Felt {
    /// Whether it fails, or reaches what is disturbed.
    #[must_use]
    pub fn is_concerned(&self) -> bool {
        self.verdict != Verdict::Works || self.reaches
    }
}

/// A call into something slow.
#[derive(Clone, Debug)]
pub struct Late {
    /// The call.
    pub call: CallId,
    /// The longest wait for one attempt.
    pub waits: Option<Duration>,
    /// The lowest stated quantile that comes too late, else the highest, and what it becomes.
    pub quantile: Option<(f64, Duration)>,
    /// Whether that is longer than its caller waits.
    pub is_given_up: bool,
}

/// How often something that fails is tried.
#[derive(Clone, Debug)]
pub struct Tries {
    /// What fails.
    pub operation: OperationId,
    /// For one request, if it fails at once; none if without end.
    pub per_request: Option<u64>,
    /// In a second, while all is well and while it fails, where that is known.
    pub rates: Option<(f64, f64)>,
}

/// What disturbances do.
#[derive(Debug)]
pub struct Consequences<'a> {
    /// The entries, by name.
    pub entries: Vec<Felt>,
    /// The calls into what is slow, by name.
    pub late: Vec<Late>,
    /// How often what fails is tried.
    pub tries: Vec<Tries>,
    /// Workers that wait for what does not answer.
    pub pools: Vec<(&'a Pool, &'a Held)>,
}

impl Facts<'_> {
    /// What disturbances do together, with the ways of so many entries: of those that it concerns most.
    #[must_use]
    pub fn consequences(&self, disturbances: &[Disturbance], ways: usize) -> Consequences<'_> {
        let late: Vec<Late> = disturbances.iter().flat_map(|disturbance| self.late(*disturbance)).collect();
        let lost = |late: &&Late| late.is_given_up;
        let given_up = late.iter().filter(lost).map(|late| {
            let share = late.quantile.map_or(1.0, |(quantile, _)| 1.0 - quantile);
            // Half of all answers and more: as good as none.
            Failure { what: Target::Call(late.call), works: if share >= 0.5 { 0.0 } else { 1.0 - share } }
        });
        let failures: Vec<Failure> = disturbances.iter().filter_map(failure).chain(given_up).collect();
        let entries = self.entries().by_name(self);
        let outlooks = self.outlooks(&failures, entries);
        let whole: Vec<Failure> = failures.iter().copied().filter(|failure| failure.works <= 0.0).collect();
        // Where all that fails fails always, that is the same.
        let certain = if whole.len() == failures.len() { outlooks.clone() } else { self.outlooks(&whole, entries) };
        let touched: IdSet<CallId> =
            disturbances.iter().flat_map(|disturbance| self.calls_to(disturbance.target())).collect();
        // One that the entry cannot do without goes first.
        let is_hard = |call| self.is_hard(call);
        let is_made = |call| self.is_made(call);
        let (hard, any) = (Towards::of(self, &touched, &is_hard), Towards::of(self, &touched, &is_made));
        let felt = |((operation, outlook), certain): ((&OperationId, &Outlook), &Outlook)| {
            let operation = *operation;
            // What only sometimes fails makes nothing fail always.
            let verdict = match certain.verdict {
                Verdict::Fails => Verdict::Fails,
                _ => outlook.verdict.min(Verdict::FailsPartly),
            };
            let reaches = hard.length(operation).or(any.length(operation)).is_some();
            let before = self.availability(operation);
            Felt { operation, verdict, before, after: outlook.availability, reaches, way: Vec::new(), more: 0 }
        };
        let mut entries: Vec<Felt> = entries.iter().zip(&outlooks).zip(&certain).map(felt).collect();
        entries.sort_by_key(|felt| std::cmp::Reverse(felt.verdict));
        let towards = |felt: &Felt| if hard.length(felt.operation).is_some() { &hard } else { &any };
        for felt in entries.iter_mut().filter(|felt| felt.is_concerned()).take(ways) {
            let towards = towards(felt);
            felt.way = towards.way(felt.operation).take(MOST_CALLS).collect();
            felt.more = towards.length(felt.operation).unwrap_or(0) - felt.way.len();
        }
        let hangs = late.iter().any(|late| late.is_given_up)
            || disturbances
                .iter()
                .any(|disturbance| matches!(disturbance, Disturbance::Down(_) | Disturbance::Silent(_)));
        let mut waiting = IdSet::default();
        if hangs {
            let mut passed = [IdSet::default(), IdSet::default()];
            for felt in &entries {
                let is_hard = hard.length(felt.operation).is_some();
                let [by_hard, by_any] = &mut passed;
                towards(felt).pass(felt.operation, if is_hard { by_hard } else { by_any }, &mut waiting);
            }
            waiting.extend(&touched);
        }
        Consequences { entries, late, tries: self.tries(&failures), pools: self.held(&waiting) }
    }

    /// The calls into what is slow, by name: its own work, so many times as long, against the wait of its callers.
    fn late(&self, disturbance: Disturbance) -> Vec<Late> {
        let Disturbance::Slow(target, factor) = disturbance else { return Vec::new() };
        let mut calls: Vec<CallId> = self.calls_to(target).into_iter().filter(|call| self.is_awaited(*call)).collect();
        calls.sort_by_key(|call| self.call_rank(*call));
        let late = |call: CallId| {
            let waits = self.plan(call).attempt_limit().map(|(limit, _)| limit);
            let stated = self.cascade().operation(self.topology().callee(call), Key::Latency).given();
            let mut quantiles: Vec<(f64, Duration)> =
                stated.into_iter().flat_map(|stated| stated.setting.quantiles()).collect();
            quantiles.sort_by(|one, other| one.0.total_cmp(&other.0));
            let slowed = quantiles.into_iter().map(|(quantile, time)| (quantile, stretched(time, factor)));
            let slowed: Vec<(f64, Duration)> = slowed.collect();
            let first = waits.and_then(|waits| slowed.iter().find(|(_, time)| *time > waits).copied());
            Late { call, waits, quantile: first.or(slowed.last().copied()), is_given_up: first.is_some() }
        };
        calls.into_iter().map(late).collect()
    }

    /// The calls that reach a target directly, or pass it.
    fn calls_to(&self, target: Target) -> Vec<CallId> {
        let topology = self.topology();
        let into = |operation: OperationId| topology.calls_to(operation).filter(|call| self.is_made(*call));
        match target {
            Target::Call(call) => vec![call],
            Target::Operation(operation) => into(operation).collect(),
            Target::Node(node) => {
                let into = topology.node(node).operations.iter().flat_map(|operation| into(*operation));
                into.chain(self.drawn_calls_passing(node)).collect()
            }
        }
    }

    /// How often what fails is tried: all of its operations that somebody calls.
    fn tries(&self, failures: &[Failure]) -> Vec<Tries> {
        let mut found = Vec::new();
        for failure in failures {
            let operations = match failure.what {
                Target::Node(node) => self.topology().node(node).operations.clone(),
                Target::Operation(operation) => vec![operation],
                Target::Call(_) => Vec::new(),
            };
            for operation in operations {
                if self.calls_to(Target::Operation(operation)).is_empty() {
                    continue;
                }
                let per_request = self.executions(operation).failing;
                let before = self.rate(operation);
                let is_known = before.known && before.per_second > 0.0;
                let after = || self.rate_while_failing(operation, 1.0 - failure.works);
                let rates = is_known.then(after).flatten().map(|after| (before.per_second, after));
                found.push(Tries { operation, per_request: Count::finite(per_request), rates });
            }
        }
        found
    }

    /// Tries in a second if this share of the tries of an operation fails: of n attempts at each call,
    /// `(1 − pⁿ) / (1 − p)` are made on average; if all fail, those who call its callers try again as well.
    fn rate_while_failing(&self, operation: OperationId, share: f64) -> Option<f64> {
        if share >= 1.0 {
            // All together there may have been too many ways to follow; for one there is more room.
            let alone = || self.amplified(&[vec![operation]], Traffic::Usual).into_iter().next().flatten();
            return self.amplified_rate(operation).or_else(|| alone().map(|amplified| amplified.per_second));
        }
        let calls = self.calls_to(Target::Operation(operation));
        let tries = |call: &CallId| {
            let rate = rate_of(self, *call);
            let tries = match self.tries_of_failure(*call, true) {
                Attempts::AtMost(attempts) => (1.0 - share.powf(attempts_as_number(attempts))) / (1.0 - share),
                Attempts::Unlimited => 1.0 / (1.0 - share),
            };
            rate.known.then_some(rate.per_second * tries)
        };
        calls.iter().map(tries).sum()
    }

    /// Workers that wait on these calls, which need most first.
    fn held(&self, waiting: &IdSet<CallId>) -> Vec<(&Pool, &Held)> {
        let waits =
            |held: &&Held| held.arriving > 0.0 && held.holders.iter().any(|holder| waiting.contains(&holder.call));
        let pools = self.pools().iter().flat_map(|pool| pool.hangs.iter().filter(waits).map(move |held| (pool, held)));
        pools.collect()
    }
}

/// The shortest ways to the nearest of some calls, over calls that count, from everywhere.
struct Towards<'a, 'f> {
    facts: &'a Facts<'f>,
    goals: &'a IdSet<CallId>,
    counts: &'a dyn Fn(CallId) -> bool,
    /// For each operation how many calls its way has.
    lengths: Vec<Option<usize>>,
    /// The first call of the way of each operation that was asked for: ways of many lead through one.
    steps: RefCell<IdMap<OperationId, Option<CallId>>>,
}

impl<'a, 'f> Towards<'a, 'f> {
    fn of(facts: &'a Facts<'f>, goals: &'a IdSet<CallId>, counts: &'a dyn Fn(CallId) -> bool) -> Self {
        let topology = facts.topology();
        let mut lengths = vec![None; topology.operations.len()];
        let mut queue: VecDeque<(OperationId, usize)> =
            goals.iter().filter(|call| counts(**call)).map(|call| (topology.caller(*call), 1)).collect();
        while let Some((operation, length)) = queue.pop_front() {
            if let Some(slot @ None) = lengths.get_mut(operation.index()) {
                *slot = Some(length);
                let before = topology.calls_to(operation).filter(|call| counts(*call));
                queue.extend(before.map(|call| (topology.caller(call), length + 1)));
            }
        }
        Self { facts, goals, counts, lengths, steps: RefCell::default() }
    }

    fn length(&self, operation: OperationId) -> Option<usize> {
        self.lengths.get(operation.index()).copied().flatten()
    }

    /// The first by name of the shortest ways.
    fn way(&self, start: OperationId) -> impl Iterator<Item = CallId> + '_ {
        let mut next = start;
        (0..self.length(start).unwrap_or(0)).rev().map_while(move |left| {
            let step = *self.steps.borrow_mut().entry(next).or_insert_with(|| self.step(next, left));
            next = self.facts.topology().callee(step?);
            step
        })
    }

    /// Adds the calls of the way from an operation: from where another one has passed, they are there.
    fn pass(&self, start: OperationId, passed: &mut IdSet<OperationId>, calls: &mut IdSet<CallId>) {
        let topology = self.facts.topology();
        calls.extend(self.way(start).take_while(|call| passed.insert(topology.caller(*call))));
    }

    /// The first call by name that an operation makes on the way to a goal, with so many calls left after it.
    fn step(&self, from: OperationId, left: usize) -> Option<CallId> {
        let topology = self.facts.topology();
        let leads = |call: &CallId| match left {
            0 => self.goals.contains(call),
            left => self.length(topology.callee(*call)) == Some(left),
        };
        let calls = topology.calls_from(from).filter(|call| (self.counts)(*call) && leads(call));
        calls.min_by_key(|call| self.facts.call_rank(*call))
    }
}

/// What no longer works; what is slow fails only where somebody gives up.
fn failure(disturbance: &Disturbance) -> Option<Failure> {
    match disturbance {
        Disturbance::Down(what) => Some(Failure { what: *what, works: 0.0 }),
        Disturbance::Silent(call) => Some(Failure { what: Target::Call(*call), works: 0.0 }),
        Disturbance::Fails(what, share) => Some(Failure { what: *what, works: 1.0 - share }),
        Disturbance::Slow(..) => None,
    }
}

/// So many times as long.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "to the nanosecond, as far as 53 bits go"
)]
fn stretched(time: Duration, factor: f64) -> Duration {
    Duration::from_nanoseconds((time.nanoseconds() as f64 * factor) as u64)
}

#[allow(clippy::cast_precision_loss, reason = "an exponent")]
fn attempts_as_number(attempts: u64) -> f64 {
    attempts as f64
}
