//! One operation fails whenever it is executed, all else answers: what has to be chosen so that it is executed as often
//! as it can be. For each execution and each way to end, the most that can come of it; then each choice on the way.

use std::cell::RefCell;
use std::rc::Rc;

use topolint::model::{CallId, OperationId};

use super::clock::{Instant, NEVER};
use super::run::SENDS;
use super::world::{Call, Class, Classes, Otherwise, Shape, Step, World};

/// How something is to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Goal {
    #[default]
    Works,
    Fails,
}

/// The most executions of what is broken, by how something ends; none if it cannot end so.
#[derive(Clone, Copy, Debug)]
struct Most {
    works: Option<u64>,
    fails: Option<u64>,
}

/// What is chosen.
#[derive(Debug)]
pub struct Outage {
    world: Rc<World>,
    pub broken: OperationId,
    known: RefCell<Vec<Option<Most>>>,
}

impl Most {
    const UNTOUCHED: Self = Self { works: Some(0), fails: None };

    fn of(self, goal: Goal) -> Option<u64> {
        if goal == Goal::Works { self.works } else { self.fails }
    }

    fn goal(self) -> Goal {
        if self.fails > self.works { Goal::Fails } else { Goal::Works }
    }

    fn most(self) -> u64 {
        self.works.max(self.fails).unwrap_or(0)
    }

    fn by(end: impl Fn(Goal) -> Option<u64>) -> Self {
        Self { works: end(Goal::Works), fails: end(Goal::Fails) }
    }
}

impl Outage {
    pub fn of(world: &Rc<World>, broken: OperationId) -> Rc<Self> {
        let known = RefCell::new(vec![None; world.operations.len()]);
        Rc::new(Self { world: Rc::clone(world), broken, known })
    }

    /// The best end of a request that comes in here, and how often the operation is then executed.
    pub fn best(&self, root: OperationId) -> (Goal, u64) {
        let most = self.operation(root);
        (most.goal(), most.most())
    }

    fn operation(&self, id: OperationId) -> Most {
        if id == self.broken {
            return Most { works: None, fails: Some(1) };
        }
        let known = self.known.borrow()[id.index()];
        known.unwrap_or_else(|| {
            // What comes round in a circle is not counted.
            self.known.borrow_mut()[id.index()] = Some(Most::UNTOUCHED);
            let most = self.step(&self.world.body(id), false);
            self.known.borrow_mut()[id.index()] = Some(most);
            most
        })
    }

    fn step(&self, step: &Step, at_once: bool) -> Most {
        match step {
            Step::Call(id) => self.call(*id, at_once),
            Step::Group(Shape::Sequence, steps) => {
                let all = self.each(steps, false);
                Most::by(|goal| total(&all, &in_order(&all, goal)?, goal))
            }
            Step::Group(Shape::OneOf, steps) if steps.is_empty() => Most::UNTOUCHED,
            Step::Group(Shape::OneOf, steps) => {
                let all = self.each(steps, false);
                Most::by(|goal| all.iter().filter_map(|most| most.of(goal)).max())
            }
            Step::Group(Shape::Parallel(enough), steps) => {
                let all = self.each(steps, true);
                Most::by(|goal| sum(&all, &at_once_ends(&all, *enough, goal)?))
            }
        }
    }

    fn each(&self, steps: &[Step], at_once: bool) -> Vec<Most> {
        steps.iter().map(|step| self.step(step, at_once)).collect()
    }

    fn call(&self, id: CallId, at_once: bool) -> Most {
        if !self.world.call(id).made {
            return Most::UNTOUCHED;
        }
        let once = self.once(id);
        Most::by(|goal| {
            let rounds = self.rounds(id, at_once, goal)?;
            let all = vec![once; rounds.len()];
            let parallel = at_once || !self.world.call(id).waits;
            if parallel { sum(&all, &rounds) } else { total(&all, &rounds, goal) }
        })
    }

    /// One round: all tries, and what stands in for them.
    fn once(&self, id: CallId) -> Most {
        let tried = self.tries(id);
        match &self.world.call(id).otherwise {
            Otherwise::Fails => tried,
            Otherwise::GoesOn => Most { works: Some(tried.most()), fails: None },
            Otherwise::Calls(steps) => {
                let instead = self.step(&Step::Group(Shape::Sequence, Rc::clone(steps)), false);
                let after = |goal| Some(tried.fails?.saturating_add(instead.of(goal)?));
                Most { works: tried.works.max(after(Goal::Works)), fails: after(Goal::Fails) }
            }
        }
    }

    fn tries(&self, id: CallId) -> Most {
        let call = self.world.call(id);
        let single = self.operation(call.to);
        let tries = self.tries_of(id);
        let earlier = single.fails.unwrap_or(0).saturating_mul(tries - 1);
        let letters = call.dead_letter.map_or(0, |letters| self.operation(letters).most());
        let fails = single.fails.map(|once| once.saturating_add(earlier).saturating_add(letters));
        Most { works: single.works.map(|once| once.saturating_add(earlier)), fails }
    }

    /// How often a call is tried if each try fails, by itself and by proxies; waits are as short as they can be.
    fn tries_of(&self, id: CallId) -> u64 {
        let call = self.world.call(id);
        let layers = &call.layers;
        let by_proxy = layers.iter().enumerate().map(|(depth, layer)| {
            if self.is_tried_again(id, layer.classes, depth + 1 < layers.len()) { layer.tries } else { 1 }
        });
        let own = if self.is_tried_again(id, call.classes, !layers.is_empty()) { self.started(call) } else { 1 };
        by_proxy.fold(own, u64::saturating_mul)
    }

    /// Whether there is a failure of the callee that is tried again.
    pub fn is_tried_again(&self, id: CallId, classes: Classes, through_proxy: bool) -> bool {
        let direct = self.fails_by_itself(self.world.call(id).to);
        let fits = |class: Class| direct || class.may_be_done() || class == Class::Throttled;
        let seen = |class: Class| class != Class::Timeout && !(through_proxy && class == Class::Connect);
        Class::ALL.into_iter().any(|class| fits(class) && seen(class) && classes.has(class))
    }

    /// Whether it is what is broken, or what an arrow to a whole store means is.
    fn fails_by_itself(&self, to: OperationId) -> bool {
        let means = |call: &Call| call.implied && call.from == to && call.to == self.broken;
        to == self.broken || self.world.calls.iter().any(means)
    }

    /// How many tries start before what bounds all of them.
    fn started(&self, call: &Call) -> u64 {
        let left = if call.inherits { self.world.operation(call.from).deadline } else { NEVER };
        let limit = call.deadline.min(left);
        let Some(backoff) = call.backoff.filter(|backoff| limit < NEVER && backoff.cap > 0) else { return call.tries };
        let (mut at, mut started): (Instant, u64) = (0, 1);
        while started < call.tries.min(u64::from(SENDS)) {
            at = at.saturating_add(backoff.after(started).0);
            if at >= limit {
                break;
            }
            started += 1;
        }
        started
    }

    /// How each step of a sequence ends.
    pub fn sequence(&self, steps: &[Step], goal: Goal) -> Vec<Goal> {
        let works = || vec![Goal::Works; steps.len()];
        let ends = in_order(&self.each(steps, false), goal).unwrap_or_else(works);
        ends.into_iter().chain(works()).take(steps.len()).collect()
    }

    /// Which of several.
    pub fn branch(&self, steps: &[Step], goal: Goal) -> usize {
        let all = self.each(steps, false);
        (0..all.len()).max_by_key(|at| all[*at].of(goal)).unwrap_or(0)
    }

    /// How each of several ends that start together.
    pub fn together(&self, steps: &[Step], enough: usize, goal: Goal) -> Vec<Goal> {
        let all = self.each(steps, true);
        at_once_ends(&all, enough, goal).unwrap_or_else(|| all.iter().map(|most| most.goal()).collect())
    }

    /// How each round of a call ends; none are made where it may as well not be made. Nothing if it cannot end so.
    pub fn rounds(&self, id: CallId, at_once: bool, goal: Goal) -> Option<Vec<Goal>> {
        let call = self.world.call(id);
        let (least, most) = call.times;
        let none = || {
            let skippable = !call.made || call.chance < 1.0 || call.miss || least == 0;
            (skippable && goal == Goal::Works).then(Vec::new)
        };
        if !call.made || most == 0 {
            return none();
        }
        let once = self.once(id);
        let most = if most == u64::MAX { least.max(1) } else { most.min(u64::from(SENDS) + 1) };
        let all = vec![once; usize::try_from(most).unwrap()];
        match goal {
            Goal::Fails if !call.waits => None,
            Goal::Works if !call.waits => Some(vec![once.goal(); all.len()]),
            _ if at_once => at_once_ends(&all, all.len(), goal).or_else(none),
            _ => in_order(&all, goal).or_else(none),
        }
    }

    /// How all tries of a round end, before anything stands in for them.
    pub fn primary(&self, id: CallId, goal: Goal) -> Goal {
        let tried = self.tries(id);
        match &self.world.call(id).otherwise {
            Otherwise::Fails => goal,
            Otherwise::GoesOn => tried.goal(),
            Otherwise::Calls(_) if goal == Goal::Fails => Goal::Fails,
            Otherwise::Calls(_) => {
                if tried.works >= self.once(id).works {
                    Goal::Works
                } else {
                    Goal::Fails
                }
            }
        }
    }

    /// How one try ends, if all of them are to end so and `more` follow a failure.
    pub fn one_try(&self, id: CallId, goal: Goal, more: bool) -> Goal {
        let single = self.operation(self.world.call(id).to);
        match goal {
            Goal::Works if more && single.fails.is_some() => Goal::Fails,
            Goal::Works if single.works.is_none() => Goal::Fails,
            Goal::Fails if single.fails.is_none() => Goal::Works,
            goal => goal,
        }
    }
}

/// One after the other until one fails: how each ends.
fn in_order(all: &[Most], goal: Goal) -> Option<Vec<Goal>> {
    let works = |until: usize| all[..until].iter().try_fold(0, |sum: u64, most| Some(sum.saturating_add(most.works?)));
    if goal == Goal::Works {
        works(all.len())?;
        return Some(vec![Goal::Works; all.len()]);
    }
    let fails = |at: &usize| Some(works(*at)?.saturating_add(all[*at].fails?));
    let last = (0..all.len()).filter(|at| fails(at).is_some()).max_by_key(fails)?;
    Some((0..=last).map(|at| if at == last { Goal::Fails } else { Goal::Works }).collect())
}

/// All start together, and the whole works if enough of them do: how each ends.
fn at_once_ends(all: &[Most], enough: usize, goal: Goal) -> Option<Vec<Goal>> {
    let mut ends: Vec<Goal> = all.iter().map(|most| most.goal()).collect();
    let needed = if goal == Goal::Works { enough } else { (all.len() + 1).saturating_sub(enough) };
    while ends.iter().filter(|end| **end == goal).count() < needed {
        let loss = |at: &usize| Some(all[*at].most() - all[*at].of(goal)?);
        let others = (0..all.len()).filter(|at| ends[*at] != goal && loss(at).is_some());
        let next = others.min_by_key(loss)?;
        ends[next] = goal;
    }
    Some(ends)
}

fn sum(all: &[Most], ends: &[Goal]) -> Option<u64> {
    all.iter().zip(ends).try_fold(0, |sum: u64, (most, end)| Some(sum.saturating_add(most.of(*end)?)))
}

fn total(all: &[Most], ends: &[Goal], goal: Goal) -> Option<u64> {
    let ended = ends.last().copied().unwrap_or_default();
    sum(all, ends).filter(|_| ended == goal)
}
