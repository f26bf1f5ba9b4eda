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
    /// The operations that wait for it over any number of calls, and those that share crowded workers with them, by
    /// their places; sorted.
    above: Vec<u32>,
    /// The calls that they come to, whatever is chosen before, and whether without having waited before; sorted.
    reached: Vec<(CallId, bool)>,
}

/// What becomes of the operations above a node while it hangs, played one after another.
struct Play<'a, 'f> {
    facts: &'a Facts<'f>,
    /// Of each operation above it, what may have become of it: lost, until it has been played.
    courses: &'a mut [Option<Course>],
    reached: Vec<(CallId, bool)>,
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
    /// What a play writes down of each operation; nothing between plays.
    courses: Vec<Option<Course>>,
    /// The place of each operation in an order in which callees come before their callers.
    place: Vec<u32>,
    /// Of operations with stated workers, the share of executions that these start.
    shares: IdMap<OperationId, f64>,
    /// What is known of a call and what comes to an operation, whoever hangs: looked up once, asked for very often.
    passages: IdMap<CallId, Option<Passage>>,
    sources: IdMap<OperationId, Arriving>,
    /// The operations of the pool that is asked for: until it is full, it lets everything through.
    pool: IdSet<OperationId>,
    /// What comes to an operation in the hang of a node, for that pool.
    arriving: IdMap<(NodeId, OperationId), Arriving>,
}

impl<'a, 'f> Hangs<'a, 'f> {
    pub(super) fn new(facts: &'a Facts<'f>) -> Self {
        let budget = 40 * facts.topology().calls.len() + 200_000;
        let topology = facts.topology();
        let order = facts.components().iter().flatten().map(|id| id.index());
        let place = super::ranked(topology.operations.len(), order);
        Self {
            facts,
            patience: patience(facts),
            budget,
            known: IdMap::default(),
            courses: vec![None; topology.operations.len()],
            place,
            shares: IdMap::default(),
            passages: IdMap::default(),
            sources: IdMap::default(),
            pool: IdSet::default(),
            arriving: IdMap::default(),
        }
    }

    /// From now on, one pool is asked for.
    pub(super) fn of_pool(&mut self, operations: &[OperationId]) {
        self.pool = operations.iter().copied().collect();
        self.arriving.clear();
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
        let place = self.place(self.facts.topology().caller(call));
        let hang = self.hang(node);
        !hang.is_above(place) || hang.reached(call).is_some()
    }

    /// Whether an operation comes to a call without having waited before: later ones come later.
    fn comes_first(&mut self, call: CallId, node: NodeId) -> bool {
        let place = self.place(self.facts.topology().caller(call));
        let hang = self.hang(node);
        !hang.is_above(place) || hang.reached(call) == Some(true)
    }

    fn is_above(&mut self, id: OperationId, node: NodeId) -> bool {
        let place = self.place(id);
        self.hang(node).is_above(place)
    }

    fn place(&self, id: OperationId) -> u32 {
        self.place.get(id.index()).copied().unwrap_or(u32::MAX)
    }

    fn hang(&mut self, node: NodeId) -> &Hang {
        if !self.known.contains_key(&node) {
            let hang = if self.budget == 0 { Hang::default() } else { self.played(node) };
            self.known.insert(node, hang);
        }
        self.known.entry(node).or_default()
    }

    /// Plays all that wait for a node, each once; in a circle the worst is taken of what comes round.
    fn played(&mut self, node: NodeId) -> Hang {
        let topology = self.facts.topology();
        let mut courses = std::mem::take(&mut self.courses);
        let mut above = self.above(node, &mut courses);
        above.sort_unstable_by_key(|id| self.place(*id));
        let mut play = Play { facts: self.facts, courses: &mut courses, reached: Vec::new() };
        for id in above.iter().copied() {
            let body = &topology.operation(id).body;
            self.budget = self.budget.saturating_sub(topology.calls_from(id).count());
            let course = if topology.kind_of(id) == ElementKind::Queue {
                // Each subscriber has its own.
                let each = |step| play.steps(std::slice::from_ref(step), Course::default());
                body.iter().map(each).fold(Course::default(), Course::join)
            } else {
                play.steps(body, Course::default())
            };
            let lost = topology.node_id_of(id) == node || self.share_of_workers(id) < 1.0;
            play.courses.get_mut(id.index()).into_iter().for_each(|slot| {
                *slot = Some(if lost { Course::LOST } else { course });
            });
        }
        let mut reached = play.reached;
        for id in &above {
            courses.get_mut(id.index()).into_iter().for_each(|course| *course = None);
        }
        self.courses = courses;
        reached.sort_unstable();
        Hang { above: above.into_iter().map(|id| self.place(id)).collect(), reached }
    }

    /// The operations that wait for a node, its own included, and all that share crowded workers with one of them; each
    /// is noted as lost.
    fn above(&mut self, node: NodeId, courses: &mut [Option<Course>]) -> Vec<OperationId> {
        let topology = self.facts.topology();
        let mut enters =
            |id: &OperationId| courses.get_mut(id.index()).is_some_and(|course| course.replace(Course::LOST).is_none());
        let mut above: Vec<OperationId> = topology.node(node).operations.iter().copied().filter(&mut enters).collect();
        let mut looked_at = 0;
        let mut crowded: IdSet<NodeId> = IdSet::default();
        while let Some(at) = above.get(looked_at).copied() {
            looked_at += 1;
            let awaited = topology.calls_to(at).filter(|call| self.facts.is_awaited(*call));
            let mut more: Vec<OperationId> = awaited.map(|call| topology.caller(call)).collect();
            // All that share the workers of a node come with the first of them.
            let shares = !self.facts.has_own_workers(at) && crowded.insert(topology.node_id_of(at));
            if shares && self.share_of_workers(at) < 1.0 {
                more.extend(self.facts.workers_of(at).into_iter().flat_map(|(_, operations)| operations));
            }
            self.budget = self.budget.saturating_sub(more.len());
            above.extend(more.into_iter().filter(&mut enters));
        }
        above
    }

    /// How often an operation is executed in a second while a node hangs, at least.
    pub(super) fn arriving(&mut self, id: OperationId, node: NodeId) -> Arriving {
        if self.budget == 0 {
            return Arriving::default();
        }
        if let Some(known) = self.arriving.get(&(node, id)) {
            return *known;
        }
        // In a circle, what comes round again is not counted.
        self.arriving.insert((node, id), Arriving::default());
        let mut all = self.outside(id);
        for call in self.facts.topology().calls_to(id) {
            self.budget = self.budget.saturating_sub(1);
            let more = self.handed_down(call, node);
            let opens = all.opens.into_iter().chain(more.opens).reduce(Opening::first);
            all = Arriving { rate: all.rate + more.rate, opens };
        }
        self.arriving.insert((node, id), all);
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
        let waits = passage.awaited && self.is_above(written.to, node);
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
    fn is_above(&self, place: u32) -> bool {
        self.above.binary_search(&place).is_ok()
    }

    /// Whether an operation above comes to a call without having waited before; none if it does not come to it.
    fn reached(&self, call: CallId) -> Option<bool> {
        let at = self.reached.binary_search_by_key(&call, |(call, _)| *call).ok()?;
        self.reached.get(at).map(|(_, first)| *first)
    }
}

impl Play<'_, '_> {
    /// What may have happened after steps, one after another.
    fn steps(&mut self, steps: &[Step], from: Course) -> Course {
        steps.iter().fold(from, |at, step| match step {
            _ if at.failed => at,
            Step::Call(call) => self.call(*call, at),
            Step::Sequence(steps) => self.steps(steps, at),
            Step::OneOf(branches) | Step::Parallel(branches) => self.branches(branches, at, 1),
            Step::Any(enough, branches) => {
                let enough = usize::try_from(*enough).unwrap_or(usize::MAX);
                self.branches(branches, at, branches.len().saturating_sub(enough) + 1)
            }
        })
    }

    /// Branches that start at once: so many of them have to wait or fail for all to do so.
    fn branches(&mut self, branches: &[Step], from: Course, many: usize) -> Course {
        let each: Vec<Course> = branches.iter().map(|branch| self.steps(std::slice::from_ref(branch), from)).collect();
        let counts = |happened: fn(&Course) -> bool| each.iter().filter(|course| happened(course)).count() >= many;
        from.join(Course { waited: counts(|course| course.waited), failed: counts(|course| course.failed) })
    }

    fn call(&mut self, id: CallId, from: Course) -> Course {
        let facts = self.facts;
        if !facts.is_made(id) {
            return from;
        }
        // Each call stands in one place.
        if !from.waited || !facts.plan(id).inherits {
            self.reached.push((id, !from.waited));
        }
        let ended = self.courses.get(facts.topology().callee(id).index()).copied().flatten().unwrap_or_default();
        if !facts.is_awaited(id) || !ended.waited {
            return from;
        }
        let after = Course { waited: true, ..from };
        match &facts.topology().call(id).fallback {
            _ if !ended.failed && answers_in_time(facts, id) => after,
            Some(Fallback::Calls(steps)) => self.steps(steps, after),
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
