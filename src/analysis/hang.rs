//! What still arrives where while one node no longer answers: who waits for it, who has failed before, and what workers
//! and bulkheads above let through. All rates are lower bounds.
//!
//! Of a pool of `n` workers whose operations together need `m` of them, each operation that starts gets the share
//! `n / m` of its rate, if that is less than all of it; a bulkhead lets its number of calls through in the time that one
//! takes.

use super::Facts;
use super::capacity::Opening;
use super::interval::Extent;
use super::load::{Traffic, arrivals, client_calls, is_undivided, least_chance};
use crate::ids::{IdMap, IdSet};
use crate::model::{CallId, Fallback, NodeId, OperationId, Step};
use crate::syntax::Arrow;
use crate::vocabulary::{ElementKind, Key};

/// What a hang of a node does above it.
#[derive(Default)]
pub(super) struct Hang {
    /// The operations that wait for it over any number of calls, and those that share crowded workers with them, with
    /// what may have become of them: lost, until they have been played.
    above: IdMap<OperationId, Course>,
    /// The calls that they come to, whatever is chosen before, and whether without having waited before.
    reached: IdMap<CallId, bool>,
    arriving: IdMap<OperationId, Arriving>,
    /// The how-manieth pool was asked for when that was reckoned.
    asked: usize,
}

/// What may have happened on the way to a place in an execution.
#[derive(Clone, Copy, Default)]
struct Course {
    /// It may have waited for the node.
    waited: bool,
    /// It may have failed by that, or still wait.
    failed: bool,
}

impl Course {
    const LOST: Self = Self { waited: true, failed: true };
}

/// What comes to an operation in a hang, at least.
#[derive(Clone, Copy, Default)]
pub(super) struct Arriving {
    /// Executions a second.
    pub(super) rate: f64,
    /// When a breaker above may open and let nothing more through: the first one.
    pub(super) opens: Option<Opening>,
}

/// What a call hands down, whoever hangs.
#[derive(Clone, Copy)]
struct Passage {
    /// Whether a queue hands out by it.
    is_delivery: bool,
    awaited: bool,
    /// The share of the executions of its caller that are known to make it.
    chance: f64,
    /// How often it is made at least in an execution of its caller, its loops included.
    rounds: f64,
    /// What its bulkhead or its consumers let through.
    limit: Concurrency,
    opens: Option<Opening>,
}

/// So many may be under way at once of what lasts so long.
#[derive(Clone, Copy)]
struct Concurrency {
    most: Option<u64>,
    longest: Option<Extent>,
}

/// All hangs that are looked at, with one budget.
pub(super) struct Hangs<'a, 'f> {
    facts: &'a Facts<'f>,
    patience: Vec<Extent>,
    budget: usize,
    known: IdMap<NodeId, Hang>,
    /// Callees come before their callers.
    rank: Vec<usize>,
    /// Of operations with stated workers, the share of executions that these start.
    shares: IdMap<OperationId, f64>,
    /// What is known of a call and what comes to an operation, whoever hangs: looked up once, asked for very often.
    passages: IdMap<CallId, Option<Passage>>,
    sources: IdMap<OperationId, Arriving>,
    /// The operations of the pool that is asked for: until it is full, it lets everything through.
    pool: IdSet<OperationId>,
    /// The how-manieth one it is.
    asked: usize,
}

impl<'a, 'f> Hangs<'a, 'f> {
    pub(super) fn new(facts: &'a Facts<'f>) -> Self {
        let budget = 40 * facts.topology().calls.len() + 200_000;
        let topology = facts.topology();
        let mut rank = vec![0; topology.operations.len()];
        for (place, group) in facts.components().iter().enumerate() {
            for id in group {
                rank.get_mut(id.index()).into_iter().for_each(|slot| *slot = place);
            }
        }
        Self {
            facts,
            patience: patience(facts),
            budget,
            known: IdMap::default(),
            rank,
            shares: IdMap::default(),
            passages: IdMap::default(),
            sources: IdMap::default(),
            pool: IdSet::default(),
            asked: 0,
        }
    }

    /// From now on, one pool is asked for.
    pub(super) fn of_pool(&mut self, operations: &[OperationId]) {
        self.pool = operations.iter().copied().collect();
        self.asked += 1;
    }

    /// Whether there was too much to play: rates are then as low as nothing.
    pub(super) fn is_spent(&self) -> bool {
        self.budget == 0
    }

    /// How long an operation works at least, whoever has gone.
    pub(super) fn patience(&self, id: OperationId) -> Extent {
        self.patience.get(id.index()).copied().unwrap_or(Extent::ZERO)
    }

    /// Whether an operation comes to a call while a node hangs: not after one that may have failed by it, and not if it
    /// shares a deadline with one that has waited for it.
    pub(super) fn reaches(&mut self, call: CallId, node: NodeId) -> bool {
        let from = self.facts.topology().caller(call);
        let hang = self.hang(node);
        !hang.above.contains_key(&from) || hang.reached.contains_key(&call)
    }

    /// Whether an operation comes to a call without having waited before: later ones come later.
    fn comes_first(&mut self, call: CallId, node: NodeId) -> bool {
        let from = self.facts.topology().caller(call);
        let hang = self.hang(node);
        !hang.above.contains_key(&from) || hang.reached.get(&call) == Some(&true)
    }

    fn hang(&mut self, node: NodeId) -> &mut Hang {
        if !self.known.contains_key(&node) {
            let hang = if self.budget == 0 { Hang::default() } else { self.played(node) };
            self.known.insert(node, hang);
        }
        let hang = self.known.entry(node).or_default();
        if hang.asked != self.asked {
            hang.arriving.clear();
            hang.asked = self.asked;
        }
        hang
    }

    /// Plays all that wait for a node, each once; in a circle the worst is taken of what comes round.
    fn played(&mut self, node: NodeId) -> Hang {
        let topology = self.facts.topology();
        let mut hang = Hang { above: self.above(node), ..Hang::default() };
        let mut all: Vec<OperationId> = hang.above.keys().copied().collect();
        all.sort_unstable_by_key(|id| (self.rank.get(id.index()).copied(), *id));
        for id in all {
            let operation = topology.operation(id);
            self.budget = self.budget.saturating_sub(topology.calls_from(id).count());
            let course = if topology.node(operation.node).kind == ElementKind::Queue {
                // Each subscriber has its own.
                let each = |step| hang.play(self.facts, std::slice::from_ref(step), Course::default());
                operation.body.iter().map(each).fold(Course::default(), Course::join)
            } else {
                hang.play(self.facts, &operation.body, Course::default())
            };
            let lost = operation.node == node || self.share_of_workers(id) < 1.0;
            hang.above.insert(id, if lost { Course::LOST } else { course });
        }
        hang
    }

    /// The operations that wait for a node, its own included, and all that share crowded workers with one of them.
    fn above(&mut self, node: NodeId) -> IdMap<OperationId, Course> {
        let topology = self.facts.topology();
        let mut next: Vec<OperationId> = topology.node(node).operations.clone();
        let mut above: IdMap<OperationId, Course> = next.iter().map(|id| (*id, Course::LOST)).collect();
        let mut crowded: IdSet<NodeId> = IdSet::default();
        while let Some(at) = next.pop() {
            let awaited = topology.calls_to(at).filter(|call| self.facts.is_awaited(*call));
            let mut more: Vec<OperationId> = awaited.map(|call| topology.caller(call)).collect();
            // All that share the workers of a node come with the first of them.
            let shares = !self.facts.has_own_workers(at) && crowded.insert(topology.node_id_of(at));
            if shares && self.share_of_workers(at) < 1.0 {
                more.extend(self.facts.workers_of(at).into_iter().flat_map(|(_, operations)| operations));
            }
            self.budget = self.budget.saturating_sub(more.len());
            next.extend(more.into_iter().filter(|id| above.insert(*id, Course::LOST).is_none()));
        }
        above
    }

    /// How often an operation is executed in a second while a node hangs, at least.
    pub(super) fn arriving(&mut self, id: OperationId, node: NodeId) -> Arriving {
        if self.budget == 0 {
            return Arriving::default();
        }
        if let Some(known) = self.hang(node).arriving.get(&id) {
            return *known;
        }
        // In a circle, what comes round again is not counted.
        self.hang(node).arriving.insert(id, Arriving::default());
        let mut all = self.outside(id);
        for call in self.facts.topology().calls_to(id) {
            self.budget = self.budget.saturating_sub(1);
            let more = self.handed_down(call, node);
            let opens = all.opens.into_iter().chain(more.opens).reduce(Opening::first);
            all = Arriving { rate: all.rate + more.rate, opens };
        }
        self.hang(node).arriving.insert(id, all);
        all
    }

    /// What comes from clients and from what is not drawn.
    fn outside(&mut self, id: OperationId) -> Arriving {
        let facts = self.facts;
        *self.sources.entry(id).or_insert_with(|| {
            let clients = client_calls(facts, id).map(|call| facts.breaker_opens(call));
            let opens = clients.flatten().reduce(Opening::first);
            Arriving { rate: arrivals(facts, id, Traffic::Usual).per_second, opens }
        })
    }

    fn handed_down(&mut self, call: CallId, node: NodeId) -> Arriving {
        let facts = self.facts;
        let Some(passage) = *self.passages.entry(call).or_insert_with(|| Passage::of(facts, call)) else {
            return Arriving::default();
        };
        if !self.comes_first(call, node) {
            return Arriving::default();
        }
        let written = facts.topology().call(call);
        let above = self.arriving(written.from, node);
        let waits = passage.awaited && self.hang(node).above.contains_key(&written.to);
        let rate = above.rate * if waits { passage.chance } else { passage.rounds };
        let share = match passage.is_delivery {
            true if self.pool.contains(&written.to) => 1.0,
            true => passage.limit.share(rate),
            false => self.let_through(written.from).min(passage.limit.share(rate)),
        };
        let own = passage.opens.filter(|_| rate > 0.0);
        let opens = above.opens.into_iter().chain(own).reduce(Opening::first);
        Arriving { rate: rate * share, opens: opens.filter(|_| rate > 0.0) }
    }

    /// The share of its executions that an operation starts, by the workers that there are.
    fn let_through(&mut self, id: OperationId) -> f64 {
        if self.pool.contains(&id) { 1.0 } else { self.share_of_workers(id) }
    }

    /// The same of any pool, the one that is asked for included; each is reckoned once.
    fn share_of_workers(&mut self, id: OperationId) -> f64 {
        if let Some(known) = self.shares.get(&id) {
            return *known;
        }
        let facts = self.facts;
        let Some((size, operations)) = facts.workers_of(id) else { return 1.0 };
        self.budget = self.budget.saturating_sub(operations.len());
        let needs = |id: &OperationId| {
            let rate = facts.rate(*id);
            let longest = facts.times().work(*id).at_most.filter(|_| rate.known)?.finite()?;
            Some(rate.per_second * longest.seconds())
        };
        let needed: Option<f64> = operations.iter().map(needs).sum();
        let share = needed.map_or(0.0, |needed| if needed > size { size / needed } else { 1.0 });
        self.shares.extend(operations.into_iter().map(|id| (id, share)));
        share
    }
}

impl Passage {
    /// None if nothing is known to come over a call.
    fn of(facts: &Facts<'_>, call: CallId) -> Option<Self> {
        let topology = facts.topology();
        let written = topology.call(call);
        let from = topology.kind_of(written.from);
        let counts = facts.is_made(call) && written.fallback_of.is_none() && from != ElementKind::Client;
        if !counts || is_undivided(facts, call) {
            return None;
        }
        let is_delivery = from == ElementKind::Queue;
        let (key, longest) = if is_delivery {
            (Key::Consumers, facts.times().work(written.to).at_most)
        } else {
            (Key::Bulkhead, facts.times().call(facts, call).at_most)
        };
        let stated = facts.cascade().call(call, &[key]).given();
        Some(Self {
            is_delivery,
            awaited: facts.is_awaited(call),
            chance: least_chance(facts, call, Traffic::Usual),
            rounds: facts.rounds(call),
            limit: Concurrency { most: stated.and_then(|stated| stated.setting.count()), longest },
            opens: facts.breaker_opens(call),
        })
    }
}

impl Concurrency {
    /// The share that begins of what comes so often a second.
    fn share(self, rate: f64) -> f64 {
        let Some(most) = self.most else { return 1.0 };
        match self.longest {
            #[allow(clippy::cast_precision_loss, reason = "a number of calls, as a factor")]
            Some(Extent::Finite(longest)) if rate > 0.0 => (most as f64 / (rate * longest.seconds())).min(1.0),
            _ => 0.0,
        }
    }
}

impl Course {
    fn join(self, other: Self) -> Self {
        Self { waited: self.waited || other.waited, failed: self.failed || other.failed }
    }
}

impl Hang {
    /// What may have happened after steps, one after another.
    fn play(&mut self, facts: &Facts<'_>, steps: &[Step], from: Course) -> Course {
        steps.iter().fold(from, |at, step| match step {
            _ if at.failed => at,
            Step::Call(call) => self.play_call(facts, *call, at),
            Step::Sequence(steps) => self.play(facts, steps, at),
            Step::OneOf(branches) | Step::Parallel(branches) => self.branches(facts, branches, at, 1),
            Step::Any(enough, branches) => {
                let enough = usize::try_from(*enough).unwrap_or(usize::MAX);
                self.branches(facts, branches, at, branches.len().saturating_sub(enough) + 1)
            }
        })
    }

    /// Branches that start at once: so many of them have to wait or fail for all to do so.
    fn branches(&mut self, facts: &Facts<'_>, branches: &[Step], from: Course, many: usize) -> Course {
        let each: Vec<Course> =
            branches.iter().map(|branch| self.play(facts, std::slice::from_ref(branch), from)).collect();
        let counts = |happened: fn(&Course) -> bool| each.iter().filter(|course| happened(course)).count() >= many;
        from.join(Course { waited: counts(|course| course.waited), failed: counts(|course| course.failed) })
    }

    fn play_call(&mut self, facts: &Facts<'_>, id: CallId, from: Course) -> Course {
        if !facts.is_made(id) {
            return from;
        }
        if !from.waited {
            self.reached.insert(id, true);
        } else if !facts.plan(id).inherits {
            self.reached.entry(id).or_insert(false);
        }
        let ended = self.above.get(&facts.topology().callee(id)).copied().unwrap_or_default();
        if !facts.is_awaited(id) || !ended.waited {
            return from;
        }
        let after = Course { waited: true, ..from };
        match &facts.topology().call(id).fallback {
            _ if !ended.failed && answers_in_time(facts, id) => after,
            Some(Fallback::Calls(steps)) => self.play(facts, steps, after),
            _ if facts.plan(id).soft || facts.is_cache_read(id) => after,
            _ => Course::LOST,
        }
    }
}

/// Whether what comes late comes within every attempt: what the callee does at most is stated, and is less.
fn answers_in_time(facts: &Facts<'_>, call: CallId) -> bool {
    let plan = facts.plan(call);
    let Some(Extent::Finite(longest)) = facts.times().work(facts.topology().callee(call)).at_most else {
        return false;
    };
    let ends = plan.attempt_limit().map(|(limit, _)| limit);
    !plan.inherits && ends.map_or(matches!(plan.timeout, super::Limit::None(_)), |limit| longest < limit)
}

/// How long each operation works on at least: one that stops when its caller has gone, as long as the least patient one
/// waits.
fn patience(facts: &Facts<'_>) -> Vec<Extent> {
    let topology = facts.topology();
    let mut all = vec![Extent::Unbounded; topology.operations.len()];
    for group in facts.components_of_made().iter().rev() {
        for id in group.iter().filter(|id| facts.cascade().operation(**id, Key::Cancels).may_be_given()) {
            let waits = |call: CallId| {
                let above = all.get(topology.caller(call).index()).copied().unwrap_or(Extent::ZERO);
                longest_wait(facts, call).min(above)
            };
            let made = topology.calls_to(*id).filter(|call| facts.is_made(*call));
            let shortest = made.map(waits).min().filter(|_| group.len() == 1);
            if let Some(slot) = all.get_mut(id.index()) {
                *slot = shortest.unwrap_or(Extent::ZERO);
            }
        }
    }
    all
}

/// How long the callee is waited for, at least: what is not stated may be short.
fn longest_wait(facts: &Facts<'_>, call: CallId) -> Extent {
    let plan = facts.plan(call);
    let left = facts.allotted(facts.topology().caller(call)).at_least.filter(|_| plan.inherits);
    let own = match plan.attempt_limit() {
        _ if facts.topology().call(call).arrow == Arrow::Async => return Extent::Unbounded,
        Some((limit, _)) => Extent::Finite(limit),
        None if matches!(plan.timeout, super::Limit::None(_)) || left.is_some() => Extent::Unbounded,
        None => Extent::ZERO,
    };
    own.min(left.map_or(Extent::Unbounded, Extent::Finite))
}
