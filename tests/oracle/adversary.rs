//! The worst case in a hang, found by playing every game. An adversary decides for each attempt whether it is answered
//! at once, fails at once, or is answered or fails at the last instant; a clock runs, deadlines are instants on it.
//! Nothing is added up or maximised in advance: all instants at which a step may end are carried along.
//!
//! Operations are played once for each deadline that can reach them along a concrete chain of callers from a root.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::graph::{Backoff, Call, Count, Deadline, Fallback, Graph, Jitter, Kind, Operation, Said, Shape, Step};

/// Never: later than every instant that a small graph can reach.
pub const FOREVER: u64 = 1 << 50;

/// What stands in for what is unstated.
#[derive(Clone, Copy)]
pub enum Unstated {
    /// Nothing is waited for, nothing tried again.
    Nothing,
    /// It is without end.
    Forever,
    /// Each timeout is a value of its own.
    Drawn,
}

/// The longest times, in milliseconds; none where no chain from a root arrives.
pub struct Worst {
    /// As callers see it, for each operation.
    pub operation: Vec<Option<u64>>,
    /// All of its work.
    pub work: Vec<Option<u64>>,
    /// All attempts, for each call.
    pub call: Vec<Option<u64>>,
    /// Whether each operation is on a chain from a root.
    pub all_reached: bool,
    /// Whether a call that ends with what is left started when nothing was. It might have started a moment earlier, and
    /// so have ended later: only moments at which something happens are played.
    pub overran: bool,
}

impl Worst {
    /// Plays a graph in which all that matters is stated.
    pub fn of(stated: &Stated) -> Self {
        let graph = &stated.graph;
        let mut adversary = Adversary {
            graph,
            unstated: stated.unstated,

            arrived: BTreeSet::new(),
            waiting: Vec::new(),
            calls: vec![None; graph.calls.len()],
            overran: false,
            on_a_chain: true,
            played: HashMap::new(),
            tried: HashMap::new(),
        };
        let mut worst = Self {
            operation: vec![None; graph.operations.len()],
            work: vec![None; graph.operations.len()],
            call: Vec::new(),
            all_reached: false,
            overran: false,
        };
        for root in roots(graph) {
            adversary.arrive(root, FOREVER);
        }
        while let Some((operation, arriving)) = adversary.waiting.pop() {
            worst.take(&mut adversary, operation, arriving);
        }
        worst.all_reached = !worst.work.contains(&None);
        adversary.on_a_chain = false;
        for operation in 0..graph.operations.len() {
            if worst.work[operation].is_none() && !graph.operations[operation].deadline.inherited {
                worst.take(&mut adversary, operation, FOREVER);
            }
        }
        worst.overran = adversary.overran;
        worst.call = adversary.calls;
        worst
    }

    fn take(&mut self, adversary: &mut Adversary<'_>, operation: usize, arriving: u64) {
        let work = adversary.work(operation, arriving, &[]).iter().map(|outcome| outcome.at).max();
        let bound = adversary.bound(operation, arriving);
        self.work[operation] = self.work[operation].max(work);
        self.operation[operation] = self.operation[operation].max(work.map(|work| work.min(bound)));
    }
}

/// A graph in which everything is stated that a worst case depends on.
pub struct Stated {
    pub graph: Graph,
    /// How long a call waits of which nothing is known.
    pub unstated: u64,
}

/// The same graph with something in place of what is unstated.
pub fn stated(graph: &Graph, unstated: Unstated) -> Stated {
    let mut graph = graph.clone();
    for id in 0..graph.operations.len() {
        let latency = match &graph.operations[id] {
            Operation { latency: Some(latency), .. } => *latency,
            _ if matches!(graph.kind(id), Kind::Client | Kind::Queue) => 0,
            Operation { deadline: Deadline { own: Some(own), .. }, .. }
                if !graph.calls_of(id).any(|call| graph.is_made(call)) =>
            {
                *own
            }
            // Ruling 11: own work of which no maximum is stated adds nothing.
            _ => 0,
        };
        graph.operations[id].latency = Some(latency);
    }
    for id in 0..graph.calls.len() {
        if graph.calls[id].waits && graph.is_made(id) {
            graph.calls[id].state(unstated);
            if let Unstated::Drawn = unstated {
                graph.calls[id].draw(50 * (id as u64 * 5 % 11 + 1));
            }
        }
    }
    Stated { graph, unstated: unstated.time().unwrap_or(FOREVER) }
}

impl Unstated {
    fn time(self) -> Option<u64> {
        match self {
            Self::Nothing => Some(0),
            Self::Forever => None,
            Self::Drawn => Some(150),
        }
    }
}

impl Call {
    /// Unstated attempts are one, and unstated waits between them none: only what is stated repeats.
    fn state(&mut self, unstated: Unstated) {
        if self.attempts == Said::Unsaid {
            self.attempts = Said::None;
        }
        if self.backoff == Said::Unsaid {
            self.backoff = Said::Is(Backoff { first: 0, cap: None, jitter: Jitter::Unsaid });
        }
        // Nothing said of jitter may mean all of it.
        if let (Said::Is(Backoff { jitter: jitter @ Jitter::Unsaid, .. }), Unstated::Forever) =
            (&mut self.backoff, unstated)
        {
            *jitter = Jitter::Full;
        }
        if self.connect == Said::Unsaid && self.retries_connecting_only() {
            self.connect = unstated.time().map_or(Said::None, Said::Is);
        }
    }

    /// States a timeout where nothing says how long an attempt lasts.
    fn draw(&mut self, timeout: u64) {
        if self.timeout == Said::Unsaid && !self.local && self.deadline.own.is_none() && !self.deadline.inherited {
            self.timeout = Said::Is(timeout);
        }
    }

    /// When the last copy is sent, if the first is waited for so long.
    fn copies_before(&self, single: u64) -> u64 {
        match self.hedge {
            Said::Is((after, copies)) if after < single => after * (copies.unwrap_or(2) - 1),
            _ => 0,
        }
    }

    fn retries_connecting_only(&self) -> bool {
        self.retry_on == Said::Is(vec!["connect"])
    }

    /// How often it is tried.
    fn tries(&self) -> Count {
        match self.attempts {
            _ if self.retry_on == Said::None => Count::Of(1),
            Said::Is(attempts) => attempts,
            Said::None | Said::Unsaid => Count::Of(1),
        }
    }

    /// The shortest and the longest wait before the try with this number, from 1 for the second.
    fn wait_before(&self, number: u64) -> (u64, u64) {
        let Some(Backoff { first, cap, jitter }) = self.backoff.value() else { return (0, 0) };
        let factor: u64 = if *jitter == Jitter::Decorrelated { 3 } else { 2 };
        let mut wait = *first;
        for _ in u64::from(*jitter != Jitter::Decorrelated)..number {
            wait = wait.saturating_mul(factor);
        }
        let longest = wait.min(cap.unwrap_or(*first));
        let shortest = match jitter {
            Jitter::Full => 0,
            Jitter::Equal => longest / 2,
            Jitter::Decorrelated => longest.min(*first),
            Jitter::None | Jitter::Unsaid => longest,
        };
        (shortest, longest)
    }
}

/// Where requests come from, or in: whom nobody waits for, and who states load that no client is drawn for.
fn roots(graph: &Graph) -> Vec<usize> {
    let calls_it = |from: usize, to: usize| {
        let to = |call: &usize| graph.callees(*call).any(|callee| callee == to);
        graph.calls_of(from).filter(|call| graph.is_made(*call) && graph.calls[*call].waits).any(|call| to(&call))
    };
    let all = || 0..graph.operations.len();
    all().filter(|id| !all().any(|from| calls_it(from, *id))).collect()
}

/// One way in which something ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Outcome {
    at: u64,
    good: bool,
}

/// The operation that is played: its number, the instant by which it has to end, what is running inside its process.
struct Stage<'s> {
    end: u64,
    running: &'s [usize],
}

/// All ways in which something ends.
type Ways = Rc<[Outcome]>;

struct Adversary<'g> {
    graph: &'g Graph,
    unstated: u64,

    arrived: BTreeSet<(usize, u64)>,
    waiting: Vec<(usize, u64)>,
    calls: Vec<Option<u64>>,
    overran: bool,
    /// Whether what is played can be reached from a root, so that what it hands down counts.
    on_a_chain: bool,
    /// What was played before, so that the same game inside a process is not played for each instant.
    played: HashMap<(usize, u64, Vec<usize>), Ways>,
    tried: HashMap<(usize, u64, u64, Vec<usize>), Ways>,
}

impl Adversary<'_> {
    /// A request arrives that has to be answered in so much time.
    fn arrive(&mut self, operation: usize, left: u64) {
        let left = if self.graph.operations[operation].deadline.inherited { left } else { FOREVER };
        if self.on_a_chain && self.arrived.insert((operation, left)) {
            self.waiting.push((operation, left));
        }
    }

    fn bound(&self, operation: usize, arriving: u64) -> u64 {
        let Deadline { own, inherited, .. } = self.graph.operations[operation].deadline;
        own.unwrap_or(FOREVER).min(if inherited { arriving } else { FOREVER })
    }

    /// All ways in which the work of an operation can end, from the instant 0.
    fn work(&mut self, operation: usize, arriving: u64, callers: &[usize]) -> Rc<[Outcome]> {
        let graph = self.graph;
        let arriving = if graph.operations[operation].deadline.inherited { arriving } else { FOREVER };
        let game = (operation, arriving, callers.to_vec());
        if let Some(played) = self.played.get(&game) {
            return Rc::clone(played);
        }
        let running = [callers, &[operation]].concat();
        let stage = Stage { end: self.bound(operation, arriving), running: &running };
        let Operation { body, latency, .. } = &graph.operations[operation];
        let own = latency.unwrap_or(0);
        let mut ways = Vec::new();
        // Its own work lies before its calls, as the formula has it; it fails or succeeds at any time until its end.
        let mut worked = vec![0, own];
        worked.dedup();
        if own > 0 {
            ways.extend([Outcome { at: 0, good: false }, Outcome { at: own, good: false }]);
        }
        // Each arrow of a client is a request of its own.
        let requests = [Step::Group(Shape::OneOf, body.clone())];
        let alone = graph.kind(operation) == Kind::Client && !body.is_empty();
        ways.extend(self.sequence(&stage, if alone { &requests } else { body }, worked));
        let ways: Rc<[Outcome]> = distinct(ways).into();
        self.played.insert(game, Rc::clone(&ways));
        ways
    }

    /// All ways in which steps can end that start at one of these instants, one after the other.
    fn sequence(&mut self, stage: &Stage<'_>, steps: &[Step], starts: Vec<u64>) -> Vec<Outcome> {
        let (mut going, mut ended) = (starts, Vec::new());
        for step in steps {
            let (good, bad) = split(self.step(stage, step, going, false));
            going = good;
            ended.extend(bad);
        }
        distinct(both(&going, &ended).collect())
    }

    fn step(&mut self, stage: &Stage<'_>, step: &Step, starts: Vec<u64>, at_once: bool) -> Vec<Outcome> {
        match step {
            Step::Call(call) => self.call(stage, *call, starts, at_once),
            Step::Group(Shape::Sequence, steps) => self.sequence(stage, steps, starts),
            Step::Group(Shape::OneOf, steps) => {
                let branch = |step| self.step(stage, step, starts.clone(), false);
                distinct(steps.iter().flat_map(branch).collect())
            }
            Step::Group(Shape::Parallel, steps) => self.at_once(stage, steps, steps.len(), &starts),
            Step::Group(Shape::Any(enough), steps) => self.at_once(stage, steps, *enough, &starts),
        }
    }

    /// All of them start together. With enough good ends nobody waits for the others; else all are seen out.
    fn at_once(&mut self, stage: &Stage<'_>, steps: &[Step], enough: usize, starts: &[u64]) -> Vec<Outcome> {
        let mut ended = Vec::new();
        for start in starts {
            // The last end so far, and the earliest good ones.
            let mut ways = vec![(*start, Vec::new())];
            for step in steps {
                let branch = self.step(stage, step, vec![*start], true);
                let mut joined = Vec::new();
                for (at, good) in &ways {
                    for outcome in &branch {
                        let mut good: Vec<u64> = good.clone();
                        good.extend(outcome.good.then_some(outcome.at));
                        good.sort_unstable();
                        good.truncate(enough);
                        joined.push((outcome.at.max(*at), good));
                    }
                }
                joined.sort_unstable();
                joined.dedup();
                ways = joined;
            }
            let none = enough == 0;
            ended.extend(ways.into_iter().map(|(at, good)| match good.get(enough.wrapping_sub(1)) {
                Some(last) => Outcome { at: *last, good: true },
                None => Outcome { at, good: none },
            }));
        }
        distinct(ended)
    }

    fn call(&mut self, stage: &Stage<'_>, id: usize, starts: Vec<u64>, at_once: bool) -> Vec<Outcome> {
        let graph = self.graph;
        let call = &graph.calls[id];
        let passed: Vec<Outcome> = both(&starts, &[]).collect();
        if !call.waits || !graph.is_made(id) {
            return passed;
        }
        let mut ways = match call.times {
            Some((_, Count::Of(times))) if !at_once => {
                let (mut going, mut ended) = (starts, Vec::new());
                for _ in 0..times {
                    let (good, bad) = split(self.once(stage, id, going));
                    going = good;
                    ended.extend(bad);
                }
                both(&going, &ended).collect()
            }
            Some((_, Count::Unlimited)) => {
                let mut ways = self.once(stage, id, starts.clone());
                // Each call takes some time, if ever so little: it goes on until a call has nothing left to wait for.
                for start in starts {
                    let last = start.max(stage.end);
                    let at_last = if last < FOREVER { self.once(stage, id, vec![last]) } else { Vec::new() };
                    let takes_none = last < FOREVER && at_last.iter().all(|way| way.at == last);
                    let ends = takes_none && (call.deadline.inherited || at_last.iter().all(|way| !way.good));
                    let end = if ends { last } else { FOREVER };
                    ways.push(Outcome { at: end, good: false });
                    ways.extend((start < end).then_some(Outcome { at: end, good: true }));
                }
                ways
            }
            _ => self.once(stage, id, starts),
        };
        let none = matches!(call.times, Some((0, _)));
        if none || call.chance.is_some_and(|chance| chance < 100) {
            ways.extend(passed);
        }
        distinct(ways)
    }

    /// All attempts, and the fallback where they fail.
    fn once(&mut self, stage: &Stage<'_>, id: usize, starts: Vec<u64>) -> Vec<Outcome> {
        let graph = self.graph;
        let (good, bad) = split(starts.into_iter().flat_map(|start| self.attempts(stage, id, start)).collect());
        let failed: Vec<u64> = bad.iter().map(|outcome| outcome.at).collect();
        match &graph.calls[id].fallback {
            Fallback::Absent => distinct(both(&good, &bad).collect()),
            Fallback::Text => distinct(both(&good, &[]).chain(both(&failed, &[])).collect()),
            Fallback::Calls(steps) => {
                let fallen_back = self.sequence(stage, steps, failed);
                distinct(both(&good, &fallen_back).collect())
            }
        }
    }

    /// All attempts from now on: nothing but what is left tells one instant from another.
    fn attempts(&mut self, stage: &Stage<'_>, id: usize, now: u64) -> Vec<Outcome> {
        let Deadline { own, inherited, .. } = self.graph.calls[id].deadline;
        let rest = if inherited && stage.end < FOREVER { stage.end.saturating_sub(now) } else { FOREVER };
        let limit = rest.min(own.unwrap_or(FOREVER));
        // However short it is, what is left at the beginning is something.
        if limit == 0 && now > 0 {
            self.overran = true;
            return vec![Outcome { at: now, good: false }];
        }
        // Inside one process the callee knows what its caller has left, whether or not the call ends with that.
        let left = if stage.end < FOREVER { stage.end.saturating_sub(now) } else { FOREVER };
        let left = if self.graph.calls[id].local { left } else { FOREVER };
        // Whether it starts inside the process when nothing is left.
        let late = left == 0 && now > 0;
        let game = (id, limit, left, stage.running.iter().copied().chain(late.then_some(usize::MAX)).collect());
        let tried = self.tried.get(&game).map(Rc::clone);
        let tried = tried.unwrap_or_else(|| {
            let tried: Rc<[Outcome]> = self.attempts_within(stage, id, limit, (left, late)).into();
            self.tried.insert(game, Rc::clone(&tried));
            tried
        });
        // What runs inside the process of a caller is played by itself as well.
        if let Some(last) = tried.iter().map(|outcome| outcome.at).max().filter(|_| stage.running.len() == 1) {
            self.calls[id] = self.calls[id].max(Some(last));
        }
        tried.iter().map(|outcome| Outcome { at: later(now, outcome.at), ..*outcome }).collect()
    }

    fn attempts_within(&mut self, stage: &Stage<'_>, id: usize, limit: u64, left: (u64, bool)) -> Vec<Outcome> {
        let call = &self.graph.calls[id];
        let now = 0;
        let tries = match call.tries() {
            Count::Of(tries) => tries,
            Count::Unlimited if limit < FOREVER => u64::MAX,
            Count::Unlimited => {
                self.attempt(stage, id, now, limit, left);
                return both_at(&[now, limit]);
            }
        };
        let mut ended = Vec::new();
        let mut starts = vec![now];
        for number in 1..=tries {
            let mut next = Vec::new();
            for start in starts.iter().copied() {
                let outcomes = self.attempt(stage, id, start, limit, left);
                let again = if call.retries_connecting_only() {
                    let connecting = call.connect.value().copied().unwrap_or(FOREVER);
                    let connecting = connecting.min(self.timeout(call));
                    let connecting = call.copies_before(connecting).saturating_add(connecting);
                    vec![start, later(later(start, call.pool_wait.unwrap_or(0)), connecting).min(limit)]
                } else {
                    outcomes.iter().filter(|outcome| !outcome.good).map(|outcome| outcome.at).collect()
                };
                ended.extend(outcomes);
                let (shortest, longest) = call.wait_before(number.min(60));
                for at in again {
                    let last_chance = limit.saturating_sub(1).clamp(later(at, shortest), later(at, longest));
                    next.extend([later(at, shortest), last_chance, later(at, longest)]);
                }
            }
            if number < tries && next.iter().any(|at| *at >= limit) {
                // Who is past the limit while waiting gives up there.
                ended.push(Outcome { at: limit, good: false });
            }
            next.retain(|at| *at < limit);
            next.sort_unstable();
            next.dedup();
            if next == starts && tries == u64::MAX {
                // Tries that take no time, without end, take some.
                ended.extend(both_at(&[limit]));
                break;
            }
            starts = next;
            if starts.is_empty() {
                break;
            }
        }
        distinct(ended)
    }

    /// The longest wait for one attempt. Inside one process, or where a deadline bounds the whole, nobody gives up
    /// earlier who does not say so.
    fn timeout(&self, call: &Call) -> u64 {
        match call.timeout {
            Said::Is(timeout) => timeout,
            Said::Unsaid if !call.local && call.deadline.own.is_none() => self.unstated,
            Said::Unsaid | Said::None => FOREVER,
        }
    }

    fn attempt(&mut self, stage: &Stage<'_>, id: usize, start: u64, limit: u64, left: (u64, bool)) -> Vec<Outcome> {
        let (graph, (left, late)) = (self.graph, left);
        let call = &graph.calls[id];
        let timeout = self.timeout(call);
        let handed = if call.timeout == Said::Unsaid && call.deadline.inherited { FOREVER } else { timeout };
        let rest = |until: u64| if until < FOREVER { until.saturating_sub(start) } else { FOREVER };
        let left = handed.min(rest(limit)).min(rest(left));
        graph.callees(id).for_each(|callee| self.arrive(callee, left));
        let at_once = start;
        let start = later(start, call.pool_wait.unwrap_or(0)).min(limit);
        if !call.local {
            let last = call.copies_before(timeout);
            return both_at(&[at_once, later(later(start, last), timeout).min(limit)]);
        }
        if left == 0 && (late || start > 0) && graph.callees(id).all(|id| graph.operations[id].deadline.inherited) {
            // Whether who has nothing left to do gives up all the same is not stated.
            self.overran = true;
            if self.unstated == 0 {
                return vec![Outcome { at: at_once, good: false }, Outcome { at: start, good: false }];
            }
        }
        let mut ways = both_at(&[at_once]);
        for callee in graph.callees(id) {
            let bound = self.bound(callee, left).min(timeout);
            if stage.running.iter().filter(|running| **running == callee).count() > 1 {
                // Round and round it goes.
                ways.extend(both_at(&[start, later(start, bound).min(limit)]));
                continue;
            }
            for outcome in self.work(callee, left, stage.running).iter() {
                // Who would take longer may just as well be done at the last instant.
                let at = later(start, outcome.at.min(bound)).min(limit);
                ways.extend(both_at(&[at]));
            }
        }
        distinct(ways)
    }
}

fn later(at: u64, by: u64) -> u64 {
    at.saturating_add(by).min(FOREVER)
}

/// The instants of the good outcomes, and the bad ones.
fn split(outcomes: Vec<Outcome>) -> (Vec<u64>, Vec<Outcome>) {
    let (good, bad): (Vec<Outcome>, Vec<Outcome>) = distinct(outcomes).into_iter().partition(|outcome| outcome.good);
    (good.into_iter().map(|outcome| outcome.at).collect(), bad)
}

/// Good outcomes at these instants, and those others.
fn both(good: &[u64], others: &[Outcome]) -> impl Iterator<Item = Outcome> {
    let good: Vec<Outcome> = good.iter().map(|at| Outcome { at: *at, good: true }).collect();
    good.into_iter().chain(others.to_vec())
}

fn both_at(instants: &[u64]) -> Vec<Outcome> {
    distinct(instants.iter().flat_map(|at| [true, false].map(|good| Outcome { at: *at, good })).collect())
}

fn distinct(mut outcomes: Vec<Outcome>) -> Vec<Outcome> {
    outcomes.sort_unstable();
    outcomes.dedup();
    outcomes
}
