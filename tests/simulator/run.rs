//! One request of a client, played out under a schedule: operations with their deadlines, steps and branches, what is
//! open and how it is decided, barriers. Everything is written from the rulings; nothing is computed in advance.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::future::pending;
use std::rc::Rc;

use topolint::model::{CallId, OperationId};

use super::calls::{Try, once};
use super::clock::{Boxed, Clock, Instant, NEVER, Promise, Task};
use super::crowd::{Crowd, worker as free_worker};
use super::outage::Goal;
use super::random::Random;
use super::record::{Record, Site, Span, What};
use super::schedule::{Draw, Own, Play, Schedule};
use super::world::{Bound, Call, Class, Classes, KeySent, Shape, Step, World};

/// So many requests are sent in one run, at most: circles and attempts without end go no further.
pub const SENDS: u32 = 600;

/// How an execution fails: by itself, or because something below it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing was done.
    AtOnce,
    /// It may have done something.
    AtLast,
    Below,
}

pub type Outcome = Result<(), Failure>;

/// Since when a key is known, and what came of it.
type Claim = (Instant, Rc<Promise<Outcome>>);

/// What an operation is given.
#[derive(Clone, Copy)]
pub struct Arrival {
    /// When who waits for it stops.
    pub left: Instant,
    /// When the one try ends that it belongs to.
    pub until: Instant,
    pub key: Option<u64>,
    /// Which step of the business request it is, however often it is tried.
    pub path: u64,
    pub call: Option<CallId>,
    /// Whether all callers above wait: behind a queue or `->>`, nobody has to have an answer in time.
    pub awaited: bool,
    /// How it is to end, if anything may be chosen.
    pub goal: Goal,
}

/// An execution: what its calls know of it.
pub struct Stage {
    pub end: Instant,
    pub key: Option<u64>,
    pub awaited: bool,
    branches: RefCell<Vec<Task>>,
}

impl Stage {
    /// Whoever sends requests from outside, and waits as long as is stated.
    pub fn outside(key: u64) -> Rc<Self> {
        Rc::new(Self { end: NEVER, key: Some(key), awaited: true, branches: RefCell::default() })
    }
}

pub struct Run {
    pub world: Rc<World>,
    pub schedule: Rc<Schedule>,
    pub clock: Rc<Clock>,
    pub record: RefCell<Record>,
    random: RefCell<Random>,
    keys: Cell<u64>,
    left: Cell<u32>,
    sent: RefCell<Vec<usize>>,
    claims: RefCell<HashMap<(OperationId, u64), Claim>>,
    /// What requests share, where there are many.
    pub crowd: Option<Crowd>,
}

/// Plays one request out until nothing happens any more.
pub fn play(world: &Rc<World>, schedule: &Schedule, root: OperationId, left: Instant, logs: bool) -> Record {
    let run = Run::new(world, schedule, SENDS, logs);
    let goal = schedule.choices.as_ref().map_or_else(Goal::default, |choices| choices.best(root).0);
    let arrival = Arrival { left, until: NEVER, key: Some(0), path: 0, call: None, awaited: true, goal };
    let (first, clock) = (Rc::clone(&run), Rc::clone(&run.clock));
    let root = async move {
        let outcome = operation(Rc::clone(&first), root, arrival).await;
        first.log(|| format!("answered: {}", if outcome.is_ok() { "it worked" } else { "it failed" }));
        first.record.borrow_mut().answered = Some(first.clock.now());
    };
    clock.spawn(root).let_go();
    clock.run(NEVER - 1);
    run.end()
}

impl Run {
    pub fn new(world: &Rc<World>, schedule: &Schedule, sends: u32, logs: bool) -> Rc<Self> {
        Rc::new(Self::of(world, schedule, sends, logs))
    }

    /// Many requests, which share what is stated of places.
    pub fn with_crowd(world: &Rc<World>, schedule: &Schedule, crowd: Crowd) -> Rc<Self> {
        Rc::new(Self { crowd: Some(crowd), ..Self::of(world, schedule, u32::MAX, false) })
    }

    fn of(world: &Rc<World>, schedule: &Schedule, sends: u32, logs: bool) -> Self {
        let seed = if let Draw::Seed(seed) = schedule.draw { seed } else { 0 };
        Self {
            world: Rc::clone(world),
            schedule: Rc::new(schedule.clone()),
            clock: Rc::default(),
            record: RefCell::new(Record::new(world, logs)),
            random: RefCell::new(Random::seeded(seed ^ 0x5EED)),
            keys: Cell::new(1),
            left: Cell::new(sends),
            sent: RefCell::new(vec![0; world.calls.len()]),
            claims: RefCell::default(),
            crowd: None,
        }
    }

    /// Ends what is still going on, for ever.
    pub fn end(self: Rc<Self>) -> Record {
        self.ended().record.into_inner()
    }

    /// The same of many requests.
    pub fn end_crowd(self: Rc<Self>) -> (Record, Crowd) {
        let run = self.ended();
        (run.record.into_inner(), run.crowd.unwrap())
    }

    fn ended(self: Rc<Self>) -> Self {
        self.record.borrow_mut().over = true;
        self.clock.stop();
        self.claims.borrow_mut().clear();
        Rc::try_unwrap(self).unwrap_or_else(|_| panic!("something is still going on"))
    }

    pub fn log(&self, line: impl FnOnce() -> String) {
        if self.record.borrow().logs {
            let at = self.clock.now().div_ceil(1_000);
            self.record.borrow_mut().log.push(format!("{:>12}.{:03} ms  {}", at / 1_000, at % 1_000, line()));
        }
    }

    /// A share of what is possible.
    pub fn share(&self, most: Instant) -> Instant {
        match self.schedule.draw {
            Draw::Most => return most,
            Draw::Least => return 0,
            Draw::Seed(_) if most == 0 => return 0,
            Draw::Seed(_) => {}
        }
        let mut random = self.random.borrow_mut();
        let some = if most >= NEVER { most } else { random.up_to(most) };
        random.one_of(&[0, most, some])
    }

    pub fn between(&self, least: Instant, most: Instant) -> Instant {
        least + self.share(most - least)
    }

    pub fn times(&self, id: CallId) -> u64 {
        let (least, most) = self.world.call(id).times;
        match self.schedule.draw {
            _ if self.schedule.seldom.contains(&id) => least,
            Draw::Least if most == u64::MAX => least.max(1),
            Draw::Most | Draw::Least => most,
            Draw::Seed(_) if most == u64::MAX => self.random.borrow_mut().one_of(&[least, 3, most]),
            Draw::Seed(_) => self.random.borrow_mut().up_to(most - least + 1) + least,
        }
    }

    pub fn takes(&self, id: CallId, call: &Call) -> bool {
        if let Some(crowd) = &self.crowd {
            return call.made && crowd.takes(id);
        }
        let seeded = matches!(self.schedule.draw, Draw::Seed(_));
        call.made
            && !self.schedule.skipped.contains(&id)
            && (call.chance >= 1.0 && !call.miss || !seeded || self.random.borrow_mut().percent(50))
    }

    pub fn branch(&self, steps: &[Step]) -> usize {
        let onto = |chosen: &BTreeSet<CallId>| {
            steps.iter().position(|step| self.world.calls_of(step).iter().any(|call| chosen.contains(call)))
        };
        match (onto(&self.schedule.taken).or_else(|| onto(&self.schedule.way)), self.schedule.draw) {
            (Some(at), _) => at,
            (None, Draw::Most | Draw::Least) => 0,
            (None, Draw::Seed(_)) => self.random.borrow_mut().index(steps.len()),
        }
    }

    /// One more thing is sent; nothing goes on when too many were.
    pub async fn spend(&self) {
        if self.left.get() == 0 {
            self.record.borrow_mut().exhausted = true;
            self.clock.halt();
            pending::<()>().await;
        }
        self.left.set(self.left.get() - 1);
    }

    pub fn next_play(&self, id: CallId) -> Play {
        let number = self.sent.borrow()[id.index()];
        self.sent.borrow_mut()[id.index()] += 1;
        let schedule = &self.schedule;
        if schedule.dead.contains(&id) {
            let classes = self.world.call(id).classes;
            let final_one = Class::ALL.into_iter().find(|class| *class != Class::Timeout && !classes.has(*class));
            return Play::Refuse(final_one.unwrap_or(Class::Refused));
        }
        if schedule.answered.contains(&id) {
            return Play::Echo;
        }
        let then = match schedule.then {
            Play::Stall if !schedule.way.is_empty() && !schedule.way.contains(&id) => Play::Answer,
            then => then,
        };
        schedule.plays.get(&id).and_then(|plays| plays.get(number)).copied().unwrap_or(then)
    }

    /// How the next execution of an operation ends.
    pub fn ends(&self, id: OperationId, number: usize) -> Own {
        let ends = self.schedule.own.get(&id).and_then(|ends| ends.get(number)).copied();
        if self.schedule.broken == Some(id) { Own::FailsAtOnce } else { ends.unwrap_or(Own::Works) }
    }

    pub fn fails_at_once(&self, id: OperationId) -> bool {
        self.ends(id, self.record.borrow().executions[id.index()]) == Own::FailsAtOnce
    }

    pub fn fresh_key(&self) -> u64 {
        self.keys.set(self.keys.get() + 1);
        self.keys.get()
    }

    /// What is not stated of a call is the same throughout a run.
    pub fn unsaid(&self, id: CallId, of: u64) -> u64 {
        let seed = if let Draw::Seed(seed) = self.schedule.draw { seed } else { 1 };
        (seed ^ (u64::from(id.0) + 7).wrapping_mul(0x9E37_79B9_7F4A_7C15)) % of
    }

    /// Where one thing is broken, no barrier stands in the way that need not.
    pub fn unsaid_key(&self, id: CallId) -> KeySent {
        if self.schedule.choices.is_some() {
            return KeySent::PerAttempt;
        }
        [KeySent::None, KeySent::PerAttempt, KeySent::PerRequest, KeySent::Forwarded]
            [usize::try_from(self.unsaid(id, 4)).unwrap()]
    }

    /// How one try ends, of a call that tries these failures again.
    pub fn one_try(&self, (id, goal): (CallId, Goal), more: bool, (classes, proxies): (Classes, bool)) -> Goal {
        let Some(choices) = &self.schedule.choices else { return goal };
        choices.one_try(id, goal, more && choices.is_tried_again(id, classes, proxies))
    }

    pub fn timeout(&self, id: CallId) -> Instant {
        let call = self.world.call(id);
        match call.timeout {
            Bound::Is(timeout) => timeout,
            Bound::Unsaid if self.schedule.broken.is_some() => NEVER,
            Bound::Unsaid if self.schedule.draw == Draw::Least && !call.local => 10_000_000_000,
            Bound::Unsaid if !call.local && !call.delivery && call.deadline == NEVER => match self.unsaid(id, 5) {
                0 | 1 => NEVER,
                some => some * 130_000_000,
            },
            Bound::Unsaid | Bound::None => NEVER,
        }
    }

    /// How a failure of the callee looks to its caller: so that it is tried again, if anything may be chosen.
    pub fn class(&self, one: Try, failure: Failure) -> Class {
        // Whoever passes a refusal on has done nothing, either; who knows what he did before.
        let fits = |class: &Class| match failure {
            Failure::AtOnce => true,
            Failure::AtLast => class.may_be_done(),
            Failure::Below => class.may_be_done() || *class == Class::Throttled && self.schedule.broken.is_some(),
        };
        let possible = Class::ALL.into_iter().filter(|class| *class != Class::Timeout && fits(class));
        let possible: Vec<Class> = possible.collect();
        if matches!(self.schedule.draw, Draw::Seed(_)) && self.schedule.broken.is_none() {
            return self.random.borrow_mut().one_of(&possible);
        }
        let again = self.world.call(one.id).classes;
        possible.into_iter().max_by_key(|class| (one.wanted.has(*class), again.has(*class))).unwrap_or(Class::Error)
    }
}

pub fn further(path: u64, id: CallId, number: u64) -> u64 {
    let mixed = (path ^ (u64::from(id.0) + 1)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 29) ^ (number + 1)).wrapping_mul(0xBF58_476D_1CE4_E5B9)
}

/// Serves a request: answers or gives up by its own bound. The work goes on unless it stops with its caller.
pub fn operation(run: Rc<Run>, id: OperationId, arrival: Arrival) -> Boxed<Outcome> {
    Box::pin(async move {
        let world = Rc::clone(&run.world);
        let own = world.operation(id);
        let number = run.record.borrow().executions[id.index()];
        run.record.borrow_mut().executions[id.index()] += 1;
        while let Some(claimed) = claim(&run, id, arrival.key) {
            // The repeat may have come when the first was through.
            if let (None, true) = (claimed.kept(), run.schedule.broken.is_some()) {
                let _ = claimed.wait(&run.clock).await;
                continue;
            }
            run.record.borrow_mut().stopped = true;
            return claimed.kept().unwrap_or(Err(Failure::Below));
        }
        let _seen = arrival.awaited.then(|| Span::new(&run, What::Seen(id), None));
        let arriving = if own.inherits { arrival.left } else { NEVER };
        let end = arriving.min(run.clock.now().saturating_add(own.deadline));
        let answer = Promise::new();
        let given_up = Rc::new(Cell::new(None));
        let waiting = Waiting { run: Rc::clone(&run), gone: Rc::clone(&given_up), answered: Cell::new(false) };
        let (worker, kept) = (Rc::clone(&run), Rc::clone(&answer));
        let task = run.clock.spawn(async move {
            let by = arrival.call.map(|call| (call, given_up));
            let span = arrival.awaited.then(|| Span::new(&worker, What::Worked(id), by));
            let place = free_worker(&worker, id).await;
            let outcome = work(&worker, (id, number), arrival, end).await;
            drop((span, place));
            settle(&worker, id, arrival.key, outcome);
            kept.keep(&worker.clock, outcome);
        });
        let task = if own.cancels {
            Some(task)
        } else {
            task.let_go();
            None
        };
        let clock = Rc::clone(&run.clock);
        let outcome = clock.before(end, answer.wait(&clock)).await;
        run.record.borrow_mut().late |= outcome.is_none();
        waiting.answered.set(true);
        if let (None, Some(task)) = (&outcome, task) {
            // Its own bound is no caller that has gone.
            task.let_go();
        }
        outcome.unwrap_or(Err(Failure::Below))
    })
}

/// Somebody waits for an answer; if this is dropped before, nobody does any more.
struct Waiting {
    run: Rc<Run>,
    gone: Rc<Cell<Option<Instant>>>,
    answered: Cell<bool>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.answered.get() {
            self.gone.set(Some(self.run.clock.now()));
        }
    }
}

/// A repeat of a key stops where the key is known: with what came of it, if that is known by now.
fn claim(run: &Run, id: OperationId, key: Option<u64>) -> Option<Rc<Promise<Outcome>>> {
    let (window, key) = (run.world.operation(id).barrier?, key?);
    let now = run.clock.now();
    let mut claims = run.claims.borrow_mut();
    if let Some((at, promise)) = claims.get(&(id, key)) {
        // Whether a failure is remembered as well is nowhere stated.
        let failed = promise.kept().is_some_and(|outcome| outcome.is_err());
        let forgotten = run.schedule.broken.is_some() && failed || run.schedule.hangs();
        if now.saturating_sub(*at) <= window && !forgotten {
            return Some(Rc::clone(promise));
        }
        run.record.borrow_mut().expired |= !forgotten;
    }
    claims.insert((id, key), (now, Promise::new()));
    None
}

fn settle(run: &Run, id: OperationId, key: Option<u64>, outcome: Outcome) {
    let claims = run.claims.borrow();
    if let Some((_, promise)) = key.and_then(|key| claims.get(&(id, key))) {
        promise.keep(&run.clock, outcome);
    }
}

/// All that an execution does, which has this number.
async fn work(run: &Rc<Run>, (id, number): (OperationId, usize), arrival: Arrival, end: Instant) -> Outcome {
    let world = Rc::clone(&run.world);
    let own = world.operation(id);
    let ends = run.ends(id, number);
    if ends == Own::FailsAtOnce {
        return Err(Failure::AtOnce);
    }
    let idle = run.schedule.busy.as_ref().is_some_and(|busy| !busy.contains(&id));
    // Who is waited for in the same process is done just in time, if all takes as long as it can.
    let in_time = arrival.call.is_some_and(|call| world.call(call).local) && run.schedule.draw == Draw::Most;
    let most = if in_time { own.own.min(arrival.until.min(end).saturating_sub(run.clock.now() + 1)) } else { own.own };
    // Done at the very end of its time, it would leave none to its calls.
    let most = if most == end.saturating_sub(run.clock.now()) { most.saturating_sub(1) } else { most };
    run.clock.sleep(if idle { 0 } else { run.share(most) }).await;
    if own.works {
        run.log(|| format!("{} has its effect", own.name));
        run.record.borrow_mut().effect(Site::Own(id), arrival.path);
    }
    if ends == Own::FailsAtWork {
        return Err(Failure::AtLast);
    }
    let key = arrival.key.unwrap_or_else(|| run.fresh_key());
    let stage = Rc::new(Stage { end, key: Some(key), awaited: arrival.awaited, branches: RefCell::default() });
    let branches = Branches(Rc::clone(&stage));
    let body = (world.body(id), arrival.goal);
    let outcome = step(Rc::clone(run), Rc::clone(&stage), body, arrival.path, false).await;
    branches.let_go();
    match outcome {
        Ok(()) if ends == Own::FailsAtLast => Err(Failure::AtLast),
        Ok(()) => Ok(()),
        // It was this operation that was meant.
        Err(Failure::AtOnce) => Err(Failure::AtOnce),
        Err(_) => Err(Failure::Below),
    }
}

/// What an execution runs at once: dropped with it, unless it has come to its end.
struct Branches(Rc<Stage>);

impl Branches {
    pub fn let_go(&self) {
        self.0.branches.take().into_iter().for_each(Task::let_go);
    }
}

impl Drop for Branches {
    fn drop(&mut self) {
        drop(self.0.branches.take());
    }
}

/// A step, and how it is to end.
pub fn step(run: Rc<Run>, stage: Rc<Stage>, step_: (Step, Goal), path: u64, at_once: bool) -> Boxed<Outcome> {
    Box::pin(async move {
        let (step_, goal) = step_;
        let choices = run.schedule.choices.clone();
        let works = |steps: &[Step]| vec![Goal::Works; steps.len()];
        match step_ {
            Step::Call(id) => call(run, stage, (id, goal), path, at_once).await,
            Step::Group(Shape::Sequence, steps) => {
                let ends = choices.map_or_else(|| works(&steps), |choices| choices.sequence(&steps, goal));
                for one in steps.iter().cloned().zip(ends) {
                    step(Rc::clone(&run), Rc::clone(&stage), one, path, false).await?;
                }
                Ok(())
            }
            Step::Group(Shape::OneOf, steps) if steps.is_empty() => Ok(()),
            Step::Group(Shape::OneOf, steps) => {
                let at = choices.map_or_else(|| run.branch(&steps), |choices| choices.branch(&steps, goal));
                step(run, stage, (steps[at].clone(), goal), path, false).await
            }
            Step::Group(Shape::Parallel(enough), steps) => {
                let ends = choices.map_or_else(|| works(&steps), |choices| choices.together(&steps, enough, goal));
                let branch = |one| step(Rc::clone(&run), Rc::clone(&stage), one, path, true);
                let branches = steps.iter().cloned().zip(ends).map(branch).collect();
                parallel(&run, &stage, branches, enough).await
            }
        }
    })
}

/// All run, whatever becomes of the others; with enough good ends nobody waits for the rest.
async fn parallel(run: &Rc<Run>, stage: &Stage, branches: Vec<Boxed<Outcome>>, enough: usize) -> Outcome {
    let (all, tally, done) = (branches.len(), Rc::new(Cell::new((0, 0))), Promise::new());
    for branch in branches {
        let (tally, done, clock) = (Rc::clone(&tally), Rc::clone(&done), Rc::clone(&run.clock));
        let task = run.clock.spawn(async move {
            let good = branch.await.is_ok();
            let (ended, well) = tally.get();
            let (ended, well) = (ended + 1, well + usize::from(good));
            tally.set((ended, well));
            if ended == all || enough < all && well >= enough {
                done.keep(&clock, if well >= enough { Ok(()) } else { Err(Failure::Below) });
            }
        });
        stage.branches.borrow_mut().push(task);
    }
    if all == 0 { Ok(()) } else { done.wait(&run.clock).await }
}

async fn call(run: Rc<Run>, stage: Rc<Stage>, (id, goal): (CallId, Goal), path: u64, at_once: bool) -> Outcome {
    let world = Rc::clone(&run.world);
    let call = world.call(id);
    let chosen = run.schedule.choices.as_ref().map(|choices| choices.rounds(id, at_once, goal).unwrap_or_default());
    if chosen.is_none() && !run.takes(id, call) {
        return Ok(());
    }
    let times = chosen.as_ref().map_or_else(|| run.times(id), |chosen| chosen.len() as u64);
    let end = |number| chosen.as_ref().map_or_else(Goal::default, |chosen| chosen[usize::try_from(number).unwrap()]);
    let round = |number| once(Rc::clone(&run), Rc::clone(&stage), (id, end(number)), further(path, id, number));
    if at_once && call.waits && times > 1 {
        let times = times.min(u64::from(SENDS) + 1);
        let rounds: Vec<Boxed<Outcome>> = (0..times).map(round).collect();
        return parallel(&run, &stage, rounds, usize::try_from(times).unwrap()).await;
    }
    for number in 0..times {
        let round = round(number);
        run.spend().await;
        if call.waits {
            round.await?;
        } else {
            run.clock
                .spawn(async move {
                    let _ = round.await;
                })
                .let_go();
        }
    }
    Ok(())
}
