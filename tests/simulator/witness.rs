//! Schedules under which what was said comes true: everything hangs on the chain that is said to be the worst, or
//! exactly what a finding speaks of goes wrong.

use std::collections::BTreeSet;
use std::rc::Rc;

use topolint::analysis::{EffectSite, Exposed, Facts, RepeaterKind};
use topolint::model::{CallId, OperationId};

use super::clock::{Instant, NEVER};
use super::outage::Outage;
use super::record::Site;
use super::schedule::{Draw, Own, Play, Schedule};
use super::world::{Class, Otherwise, Shape, Step, World};

/// An operation takes as long as it can: all calls that are said to make up its worst case answer at the last instant,
/// what runs in its own process included.
pub fn hang(facts: &Facts<'_>, world: &World, id: OperationId) -> Schedule {
    let mut schedule = Schedule { then: Play::Stall, ..Schedule::healthy(Draw::Most) };
    let mut busy = BTreeSet::new();
    stall(facts, world, id, &mut schedule, &mut busy);
    if schedule.way.is_empty() {
        schedule.then = Play::Answer;
    }
    schedule.busy = Some(busy);
    schedule
}

/// Ways in which an operation may take as long as it can: with the branch that is said to take longest, with all that
/// start together, and each of them where own work leaves all of the time to the calls.
pub fn hangs(facts: &Facts<'_>, world: &World, id: OperationId) -> Vec<Schedule> {
    let plain = hang(facts, world, id);
    let mut all = plain.clone();
    let body = &world.operation(id).body;
    together(world, body, &mut all.way);
    let busy = plain.busy.clone().map(|busy| busy.into_iter().filter(|own| *own != id).collect());
    let free = |schedule: &Schedule| Schedule { busy: busy.clone(), ..schedule.clone() };
    vec![free(&plain), free(&all), all, plain].into_iter().rev().collect()
}

/// The same with one thing decided otherwise: what is not made, what fails, what is slow, who works himself.
pub fn changes(world: &World, schedule: &Schedule) -> Vec<Schedule> {
    let busy = schedule.busy.clone().unwrap_or_default();
    let inside = |id: &CallId| world.call(*id).made && busy.contains(&world.call(*id).from);
    let mut all = Vec::new();
    for id in world.call_ids().filter(inside) {
        let call = world.call(id);
        let skippable = call.chance < 1.0 || call.miss || call.times.0 == 0;
        let sets: [fn(&mut Schedule) -> &mut BTreeSet<CallId>; 4] =
            [|it| &mut it.skipped, |it| &mut it.way, |it| &mut it.failing, |it| &mut it.dead];
        for set in &sets[usize::from(!skippable)..] {
            let mut changed = schedule.clone();
            toggle(set(&mut changed), id);
            all.push(changed);
        }
    }
    for id in &busy {
        choices(world, &world.operation(*id).body, schedule, &mut all);
    }
    for id in world.operation_ids().filter(|id| world.operation(*id).own > 0) {
        let mut changed = schedule.clone();
        toggle(changed.busy.get_or_insert_default(), id);
        all.push(changed);
    }
    all
}

/// Where one of several is chosen, each of them.
fn choices(world: &World, steps: &[Step], schedule: &Schedule, all: &mut Vec<Schedule>) {
    for step in steps {
        match step {
            Step::Group(shape, inner) => {
                for branch in inner.iter().filter(|_| *shape == Shape::OneOf) {
                    let mut changed = schedule.clone();
                    world.calls_of(step).iter().for_each(|id| _ = changed.taken.remove(id));
                    changed.taken.extend(world.calls_of(branch));
                    changed.way.extend(world.calls_of(branch));
                    all.push(changed);
                }
                choices(world, inner, schedule, all);
            }
            Step::Call(id) => {
                if let Otherwise::Calls(inner) = &world.call(*id).otherwise {
                    choices(world, inner, schedule, all);
                }
            }
        }
    }
}

fn toggle<T: Ord>(set: &mut BTreeSet<T>, one: T) {
    if !set.remove(&one) {
        set.insert(one);
    }
}

fn together(world: &World, steps: &[Step], way: &mut BTreeSet<CallId>) {
    for step in steps {
        match step {
            Step::Group(Shape::Parallel(_), branches) => {
                let calls: Vec<CallId> = branches.iter().flat_map(|branch| world.calls_of(branch)).collect();
                if calls.iter().any(|call| way.contains(call)) {
                    way.extend(calls);
                }
            }
            Step::Group(_, inner) => together(world, inner, way),
            Step::Call(_) => {}
        }
    }
}

fn stall(facts: &Facts<'_>, world: &World, id: OperationId, schedule: &mut Schedule, busy: &mut BTreeSet<OperationId>) {
    if !busy.insert(id) {
        return;
    }
    for part in facts.times().parts(facts, id) {
        schedule.way.insert(part.call);
        instead(facts, part.call, &mut schedule.failing);
        if world.call(part.call).local {
            stall(facts, world, world.call(part.call).to, schedule, busy);
        }
    }
    fail_others(world, &world.operation(id).body, schedule);
}

/// What a call stands in for has to fail.
fn instead(facts: &Facts<'_>, id: CallId, failing: &mut BTreeSet<CallId>) {
    let replaced =
        std::iter::successors(facts.topology().call(id).fallback_of, |id| facts.topology().call(*id).fallback_of);
    failing.extend(replaced);
}

/// Where some of several are enough, nobody waits for the slowest unless the others fail.
fn fail_others(world: &World, steps: &[Step], schedule: &mut Schedule) {
    for step in steps {
        match step {
            Step::Group(Shape::Parallel(enough), branches) if *enough < branches.len() => {
                let others = branches.iter().filter(|branch| {
                    !world.calls_of(branch).iter().any(|id| schedule.way.contains(id)) && can_fail(world, branch)
                });
                let others: Vec<&Step> = others.take(branches.len() - enough).collect();
                for branch in others {
                    fail(world, branch, schedule);
                }
                fail_others(world, branches, schedule);
            }
            Step::Group(_, inner) => fail_others(world, inner, schedule),
            Step::Call(id) => {
                if let Otherwise::Calls(inner) = &world.call(*id).otherwise {
                    fail_others(world, inner, schedule);
                }
            }
        }
    }
}

/// All calls of a step fail at once, and where one of several is chosen it is one that can.
fn fail(world: &World, step: &Step, schedule: &mut Schedule) {
    match step {
        Step::Call(_) => schedule.dead.extend(world.calls_of(step)),
        Step::Group(Shape::OneOf, branches) => {
            let chosen = branches.iter().find(|branch| can_fail(world, branch)).into_iter();
            for branch in chosen {
                schedule.taken.extend(world.calls_of(branch));
                fail(world, branch, schedule);
            }
        }
        Step::Group(_, inner) => inner.iter().for_each(|step| fail(world, step, schedule)),
    }
}

fn can_fail(world: &World, step: &Step) -> bool {
    match step {
        Step::Call(id) => {
            let call = world.call(*id);
            let fails = match &call.otherwise {
                Otherwise::Fails => true,
                Otherwise::GoesOn => false,
                Otherwise::Calls(steps) => steps.iter().any(|step| can_fail(world, step)),
            };
            call.made && call.waits && call.times.1 > 0 && fails
        }
        Step::Group(Shape::Parallel(enough), steps) => {
            steps.iter().filter(|step| !can_fail(world, step)).count() < *enough
        }
        Step::Group(_, steps) => steps.iter().any(|step| can_fail(world, step)),
    }
}

/// The callee of a call hangs while its caller waits for it.
pub fn inversion(facts: &Facts<'_>, world: &World, call: CallId) -> Schedule {
    let mut schedule = hang(facts, world, world.call(call).to);
    let caller = world.call(call).from;
    let others = || world.call_ids().filter(|id| world.call(*id).from == caller && *id != call);
    schedule.answered.extend(others());
    schedule.plays.insert(call, vec![Play::Answer]);
    schedule.busy.get_or_insert_default().remove(&caller);
    schedule.way.insert(call);
    let mut dead = BTreeSet::new();
    instead(facts, call, &mut dead);
    schedule.seldom.extend(others().filter(|id| !dead.contains(id)));
    schedule.dead.extend(dead);
    schedule
}

/// Everything works, but the first answer on the way to an effect is lost or a failure.
pub fn repetition(facts: &Facts<'_>, world: &World, exposed: &Exposed) -> Schedule {
    let mut schedule = Schedule { busy: Some(BTreeSet::new()), redelivers: true, ..Schedule::healthy(Draw::Least) };
    schedule.way = exposed.path.iter().copied().collect();
    for pair in exposed.path.windows(2) {
        between(facts, world, pair[0], pair[1], &mut schedule);
    }
    // An arrow to a whole store may mean each of its operations.
    if let EffectSite::Operation(id) = exposed.site {
        let last = exposed.path[exposed.path.len() - 1];
        schedule.way.extend(implied(facts, world.call(last).to).filter(|call| world.call(*call).to == id));
    }
    for id in &exposed.path {
        instead(facts, *id, &mut schedule.dead);
    }
    let id = exposed.repeater.call;
    let call = world.call(id);
    let tried = |class: &&Class| match exposed.repeater.kind {
        RepeaterKind::Proxy(_) => call.layers.iter().any(|layer| layer.classes.has(**class)),
        _ => call.classes.has(**class),
    };
    let class = Class::ALL.iter().rev().find(|class| class.may_be_done() && tried(class)).copied();
    let first = match (exposed.repeater.kind, class) {
        (RepeaterKind::Hedge(_), _) | (_, None | Some(Class::Timeout)) => Play::LoseReply,
        (_, Some(class)) => Play::Crash(class),
    };
    // All that is not on the way is answered by somebody else, circles end.
    schedule.then = Play::Echo;
    let on_the_way = |id: &CallId| schedule.way.contains(id) || facts.topology().call(*id).implied;
    schedule.plays = world.call_ids().filter(on_the_way).map(|id| (id, vec![Play::Answer; 12])).collect();
    schedule.plays.get_mut(&id).unwrap()[0] = first;
    if call.local {
        schedule.own.insert(call.to, vec![Own::FailsAtLast]);
    }
    schedule
}

/// What leads from the end of one call to the start of the next: what an arrow to a whole store means, and the letters
/// of queues of which no delivery works.
fn between(facts: &Facts<'_>, world: &World, call: CallId, next: CallId, schedule: &mut Schedule) {
    let (mut at, goal) = (world.call(call).to, world.call(next).from);
    schedule.way.extend(implied(facts, at).filter(|call| world.call(*call).to == goal));
    for _ in 0..world.operations.len() {
        let from = |id: &CallId| world.call(*id).from == at && world.call(*id).delivery;
        let deliveries: Vec<CallId> = world.call_ids().filter(from).collect();
        let letters = deliveries.iter().find_map(|id| world.call(*id).dead_letter);
        let Some(letters) = letters.filter(|_| at != goal) else { return };
        schedule.dead.extend(deliveries);
        at = letters;
    }
}

fn implied<'f>(facts: &'f Facts<'_>, from: OperationId) -> impl Iterator<Item = CallId> + 'f {
    facts.topology().calls_from(from).filter(|call| facts.topology().call(*call).implied)
}

pub fn site(exposed: &Exposed) -> Site {
    match exposed.site {
        EffectSite::Operation(id) => Site::Own(id),
        EffectSite::Write(id) => Site::Write(id),
    }
}

/// The longest that whoever waits for an operation may have left when it starts.
pub fn longest_left(world: &World, id: OperationId) -> Instant {
    left(world, id, &mut BTreeSet::new())
}

fn left(world: &World, id: OperationId, seen: &mut BTreeSet<OperationId>) -> Instant {
    if !world.operation(id).inherits || !seen.insert(id) {
        return NEVER;
    }
    let waiting = world.call_ids().filter(|call| world.call(*call).to == id && world.call(*call).made);
    let mut most = None;
    for call in waiting.map(|id| world.call(id)).filter(|call| call.waits) {
        let caller = world.operation(call.from).deadline.min(left(world, call.from, seen));
        let inherited = if call.inherits || call.local { caller } else { NEVER };
        let timeout = if let super::world::Bound::Is(timeout) = call.timeout { timeout } else { NEVER };
        most = most.max(Some(timeout.min(call.cut).min(call.deadline).min(inherited)));
    }
    seen.remove(&id);
    most.unwrap_or(NEVER)
}

/// One operation fails at once, whenever it is executed; all that is open is chosen so that this happens most often.
pub fn outage(choices: &Rc<Outage>) -> Schedule {
    let (broken, choices) = (Some(choices.broken), Some(Rc::clone(choices)));
    Schedule { broken, busy: Some(BTreeSet::new()), choices, ..Schedule::healthy(Draw::Least) }
}
