//! One request of a client, or several, played out under a schedule: operations, calls with their attempts, waits and
//! deadlines, queues, barriers. Everything is written from the rulings; nothing is computed in advance.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::pending;
use std::rc::Rc;

use topolint::model::{CallId, OperationId};
use topolint::vocabulary::ElementKind;

use super::clock::{Boxed, Clock, Instant, NEVER, Promise, Task};
use super::random::Random;
use super::record::{Record, Site, Span, What};
use super::schedule::{Draw, Own, Play, Schedule};
use super::world::{Backoff, Bound, Call, Class, Classes, KeySent, Otherwise, Shape, Step, World};

/// So many requests are sent in one run, at most: circles and attempts without end go no further.
const SENDS: u32 = 600;

/// How an execution fails: by itself, or because something below it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing was done.
    AtOnce,
    /// It may have done something.
    AtLast,
    Below,
}

type Outcome = Result<(), Failure>;

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
}

/// An execution: what its calls know of it.
struct Stage {
    end: Instant,
    key: Option<u64>,
    awaited: bool,
    branches: RefCell<Vec<Task>>,
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
}

/// Plays one request out until nothing happens any more.
pub fn play(world: &Rc<World>, schedule: &Schedule, root: OperationId, left: Instant, logs: bool) -> Record {
    let run = Run::new(world, schedule, SENDS, logs);
    let arrival = Arrival { left, until: NEVER, key: Some(0), path: 0, call: None, awaited: true };
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
        let seed = if let Draw::Seed(seed) = schedule.draw { seed } else { 0 };
        Rc::new(Self {
            world: Rc::clone(world),
            schedule: Rc::new(schedule.clone()),
            clock: Rc::default(),
            record: RefCell::new(Record::new(world, logs)),
            random: RefCell::new(Random::seeded(seed ^ 0x5EED)),
            keys: Cell::new(1),
            left: Cell::new(sends),
            sent: RefCell::new(vec![0; world.calls.len()]),
            claims: RefCell::default(),
        })
    }

    /// Ends what is still going on, for ever.
    pub fn end(self: Rc<Self>) -> Record {
        self.record.borrow_mut().over = true;
        self.clock.stop();
        self.claims.borrow_mut().clear();
        Rc::try_unwrap(self).unwrap_or_else(|_| panic!("something is still going on")).record.into_inner()
    }

    pub fn log(&self, line: impl FnOnce() -> String) {
        if self.record.borrow().logs {
            let at = self.clock.now().div_ceil(1_000);
            self.record.borrow_mut().log.push(format!("{:>12}.{:03} ms  {}", at / 1_000, at % 1_000, line()));
        }
    }

    /// A share of what is possible.
    fn share(&self, most: Instant) -> Instant {
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

    fn between(&self, least: Instant, most: Instant) -> Instant {
        least + self.share(most - least)
    }

    fn times(&self, (least, most): (u64, u64)) -> u64 {
        match self.schedule.draw {
            Draw::Least if most == u64::MAX => least,
            Draw::Most | Draw::Least => most,
            Draw::Seed(_) if most == u64::MAX => self.random.borrow_mut().one_of(&[least, 3, most]),
            Draw::Seed(_) => least + self.random.borrow_mut().up_to(most - least + 1),
        }
    }

    fn takes(&self, call: &Call) -> bool {
        let seeded = matches!(self.schedule.draw, Draw::Seed(_));
        call.made && (call.chance >= 1.0 || !seeded || self.random.borrow_mut().percent(50))
    }

    fn branch(&self, steps: &[Step]) -> usize {
        let onto = |step: &Step| self.world.calls_of(step).iter().any(|call| self.schedule.way.contains(call));
        match (steps.iter().position(onto), self.schedule.draw) {
            (Some(at), _) => at,
            (None, Draw::Most | Draw::Least) => 0,
            (None, Draw::Seed(_)) => self.random.borrow_mut().index(steps.len()),
        }
    }

    /// One more thing is sent; nothing goes on when too many were.
    async fn spend(&self) {
        if self.left.get() == 0 {
            self.record.borrow_mut().exhausted = true;
            self.clock.halt();
            pending::<()>().await;
        }
        self.left.set(self.left.get() - 1);
    }

    fn next_play(&self, id: CallId) -> Play {
        let number = self.sent.borrow()[id.index()];
        self.sent.borrow_mut()[id.index()] += 1;
        let schedule = &self.schedule;
        if schedule.dead.contains(&id) {
            let classes = self.world.call(id).classes;
            let final_one = Class::ALL.into_iter().find(|class| *class != Class::Timeout && !classes.has(*class));
            return Play::Refuse(final_one.unwrap_or(Class::Refused));
        }
        let then = match schedule.then {
            Play::Stall if !schedule.way.is_empty() && !schedule.way.contains(&id) => Play::Answer,
            then => then,
        };
        schedule.plays.get(&id).and_then(|plays| plays.get(number)).copied().unwrap_or(then)
    }

    /// How the next execution of an operation ends.
    fn ends(&self, id: OperationId, number: usize) -> Own {
        let ends = self.schedule.own.get(&id).and_then(|ends| ends.get(number)).copied();
        if self.schedule.broken == Some(id) { Own::FailsAtOnce } else { ends.unwrap_or(Own::Works) }
    }

    fn fails_at_once(&self, id: OperationId) -> bool {
        self.ends(id, self.record.borrow().executions[id.index()]) == Own::FailsAtOnce
    }

    fn fresh_key(&self) -> u64 {
        self.keys.set(self.keys.get() + 1);
        self.keys.get()
    }

    /// What is not stated of a call is the same throughout a run.
    fn unsaid(&self, id: CallId, of: u64) -> u64 {
        let seed = if let Draw::Seed(seed) = self.schedule.draw { seed } else { 1 };
        (seed ^ (u64::from(id.0) + 7).wrapping_mul(0x9E37_79B9_7F4A_7C15)) % of
    }

    fn timeout(&self, id: CallId) -> Instant {
        let call = self.world.call(id);
        match call.timeout {
            Bound::Is(timeout) => timeout,
            Bound::Unsaid if self.schedule.draw == Draw::Least && !call.local => 10_000_000_000,
            Bound::Unsaid if !call.local && !call.delivery && call.deadline == NEVER => match self.unsaid(id, 5) {
                0 | 1 => NEVER,
                some => some * 130_000_000,
            },
            Bound::Unsaid | Bound::None => NEVER,
        }
    }

    /// How a failure of the callee looks to its caller: so that it is tried again, if anything may be chosen.
    fn class(&self, one: Try, failure: Failure) -> Class {
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
        possible.into_iter().max_by_key(|class| one.wanted.has(*class)).unwrap_or(Class::Error)
    }
}

fn further(path: u64, id: CallId, number: u64) -> u64 {
    let mixed = (path ^ (u64::from(id.0) + 1)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 29) ^ (number + 1)).wrapping_mul(0xBF58_476D_1CE4_E5B9)
}

/// Serves a request: answers or gives up by its own bound. The work goes on unless it stops with its caller.
pub fn operation(run: Rc<Run>, id: OperationId, arrival: Arrival) -> Boxed<Outcome> {
    Box::pin(async move {
        let world = Rc::clone(&run.world);
        let own = world.operation(id);
        run.record.borrow_mut().executions[id.index()] += 1;
        if let Some(claimed) = claim(&run, id, arrival.key) {
            return claimed;
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
            let outcome = work(&worker, id, arrival, end).await;
            drop(span);
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
fn claim(run: &Run, id: OperationId, key: Option<u64>) -> Option<Outcome> {
    let (window, key) = (run.world.operation(id).barrier?, key?);
    let now = run.clock.now();
    let mut claims = run.claims.borrow_mut();
    if let Some((at, promise)) = claims.get(&(id, key)) {
        // Whether a failure is remembered as well is nowhere stated.
        let forgotten = run.schedule.broken.is_some() && promise.kept().is_some_and(|outcome| outcome.is_err());
        if now.saturating_sub(*at) <= window && !forgotten {
            return Some(promise.kept().unwrap_or(Err(Failure::Below)));
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

async fn work(run: &Rc<Run>, id: OperationId, arrival: Arrival, end: Instant) -> Outcome {
    let world = Rc::clone(&run.world);
    let own = world.operation(id);
    let number = run.record.borrow().executions[id.index()] - 1;
    let ends = run.ends(id, number);
    if ends == Own::FailsAtOnce {
        return Err(Failure::AtOnce);
    }
    let idle = run.schedule.busy.as_ref().is_some_and(|busy| !busy.contains(&id));
    // Who is waited for in the same process is done just in time, if all takes as long as it can.
    let in_time = arrival.call.is_some_and(|call| world.call(call).local) && run.schedule.draw == Draw::Most;
    let most = if in_time { own.own.min(arrival.until.saturating_sub(run.clock.now() + 1)) } else { own.own };
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
    let shape = if own.kind == ElementKind::Client { Shape::OneOf } else { Shape::Sequence };
    let body = Step::Group(shape, Rc::clone(&own.body));
    let outcome = step(Rc::clone(run), Rc::clone(&stage), body, arrival.path, false).await;
    branches.let_go();
    match outcome {
        Ok(()) if ends == Own::FailsAtLast => Err(Failure::AtLast),
        Ok(()) => Ok(()),
        Err(_) => Err(Failure::Below),
    }
}

/// What an execution runs at once: dropped with it, unless it has come to its end.
struct Branches(Rc<Stage>);

impl Branches {
    fn let_go(&self) {
        self.0.branches.take().into_iter().for_each(Task::let_go);
    }
}

impl Drop for Branches {
    fn drop(&mut self) {
        drop(self.0.branches.take());
    }
}

fn step(run: Rc<Run>, stage: Rc<Stage>, step_: Step, path: u64, at_once: bool) -> Boxed<Outcome> {
    Box::pin(async move {
        match step_ {
            Step::Call(id) => call(run, stage, id, path, at_once).await,
            Step::Group(Shape::Sequence, steps) => {
                for one in steps.iter() {
                    step(Rc::clone(&run), Rc::clone(&stage), one.clone(), path, false).await?;
                }
                Ok(())
            }
            Step::Group(Shape::OneOf, steps) if steps.is_empty() => Ok(()),
            Step::Group(Shape::OneOf, steps) => {
                let one = steps[run.branch(&steps)].clone();
                step(run, stage, one, path, false).await
            }
            Step::Group(Shape::Parallel(enough), steps) => {
                let branch = |one: &Step| step(Rc::clone(&run), Rc::clone(&stage), one.clone(), path, true);
                let branches = steps.iter().map(branch).collect();
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

async fn call(run: Rc<Run>, stage: Rc<Stage>, id: CallId, path: u64, at_once: bool) -> Outcome {
    let world = Rc::clone(&run.world);
    let call = world.call(id);
    if !run.takes(call) {
        return Ok(());
    }
    let times = run.times(call.times);
    let round = |number| once(Rc::clone(&run), Rc::clone(&stage), id, further(path, id, number));
    if at_once && call.waits && times > 1 {
        let times = times.min(u64::from(SENDS));
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

/// All attempts, and what answers when they have failed.
fn once(run: Rc<Run>, stage: Rc<Stage>, id: CallId, path: u64) -> Boxed<Outcome> {
    Box::pin(async move {
        let tried = attempts(&run, &stage, id, path).await;
        let world = Rc::clone(&run.world);
        match &world.call(id).otherwise {
            _ if tried.is_ok() => Ok(()),
            Otherwise::GoesOn => Ok(()),
            Otherwise::Fails => Err(Failure::Below),
            Otherwise::Calls(steps) => {
                step(run, stage, Step::Group(Shape::Sequence, Rc::clone(steps)), path, false).await
            }
        }
    })
}

/// One try of a call, all its copies and layers included.
#[derive(Clone, Copy)]
struct Try {
    id: CallId,
    last: bool,
    /// Whether a proxy would try again.
    early: bool,
    /// The failures that are tried again next, by a proxy or the caller.
    wanted: Classes,
    limit: Instant,
    arrival: Arrival,
    /// What its caller has left.
    end: Instant,
}

async fn attempts(run: &Rc<Run>, stage: &Rc<Stage>, id: CallId, path: u64) -> Result<(), ()> {
    let world = Rc::clone(&run.world);
    let call = world.call(id);
    let _span = (stage.awaited && call.waits).then(|| Span::new(run, What::Called(id), None));
    let limit = if call.inherits { stage.end } else { NEVER };
    let limit = limit.min(run.clock.now().saturating_add(call.deadline));
    let request_key = run.fresh_key();
    let again = call.classes != Classes::NONE;
    let tries = if !again {
        1
    } else if call.open_ended && run.schedule.redelivers {
        3
    } else {
        call.tries
    };
    for number in 1..=tries {
        if run.clock.now() >= limit {
            return Err(());
        }
        let key = match call.key.unwrap_or(KEYS[usize::try_from(run.unsaid(id, 4)).unwrap()]) {
            KeySent::None => None,
            KeySent::PerAttempt => Some(run.fresh_key()),
            KeySent::PerRequest => Some(request_key),
            // A key is forwarded: if none has arrived, one of this execution.
            KeySent::Forwarded => stage.key,
        };
        let awaited = stage.awaited && call.waits;
        let arrival = Arrival { left: NEVER, until: NEVER, key, path, call: Some(id), awaited };
        let one = Try { id, last: number == tries, early: false, wanted: call.classes, limit, arrival, end: stage.end };
        run.log(|| format!("{} try {number}", call.name));
        match attempt(run, one).await {
            Ok(()) => return Ok(()),
            Err(class) if number == tries || !call.classes.has(class) => {
                run.log(|| format!("{} has failed ({class:?})", call.name));
                break;
            }
            Err(class) => run.log(|| format!("{} try {number} failed ({class:?})", call.name)),
        }
        run.clock.before(limit, wait(run, call.backoff, number)).await;
    }
    if let Some(letters) = call.dead_letter.filter(|_| run.schedule.redelivers) {
        let arrival = Arrival {
            left: NEVER,
            until: NEVER,
            key: stage.key,
            path: further(path, id, 1),
            call: None,
            awaited: false,
        };
        run.clock.spawn(drop_outcome(operation(Rc::clone(run), letters, arrival))).let_go();
    }
    Err(())
}

const KEYS: [KeySent; 4] = [KeySent::None, KeySent::PerAttempt, KeySent::PerRequest, KeySent::Forwarded];

async fn drop_outcome(what: Boxed<Outcome>) {
    let _ = what.await;
}

fn wait(run: &Rc<Run>, backoff: Option<Backoff>, number: u64) -> Boxed<()> {
    let (least, most) = backoff.map_or((0, 0), |backoff| backoff.after(number));
    let (time, clock) = (run.between(least, most), Rc::clone(&run.clock));
    Box::pin(async move { clock.sleep(time).await })
}

/// The wait for a connection, then the copies of a hedge: the first good answer wins.
async fn attempt(run: &Rc<Run>, one: Try) -> Result<(), Class> {
    let world = Rc::clone(&run.world);
    let call = world.call(one.id);
    let pooled = run.clock.now().saturating_add(run.share(call.pool_wait));
    run.clock.until(pooled.min(one.limit)).await;
    if pooled >= NEVER && one.limit >= NEVER {
        pending::<()>().await;
    }
    let Some((copies, after)) = call.hedge else { return copy(run, one).await };
    if after >= run.timeout(one.id).min(call.cut) || run.clock.now() + after >= one.limit {
        return copy(run, one).await;
    }
    // A copy is sent only as long as the call is waited for.
    let most = (one.limit - run.clock.now()).saturating_sub(1) / after.max(1) + 1;
    let copies = copies.min(most);
    let (sent, ended, answer) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)), Promise::new());
    let mut sending = Vec::new();
    for number in 1..=copies {
        let (sent, ended, answer, run) = (Rc::clone(&sent), Rc::clone(&ended), Rc::clone(&answer), Rc::clone(run));
        sent.set(number);
        let clock = Rc::clone(&run.clock);
        let (waiting, next) = (Rc::clone(&answer), if number == copies { NEVER } else { clock.now() + after });
        sending.push(Rc::clone(&clock).spawn(async move {
            let result = copy(&run, Try { last: one.last && number == copies, ..one }).await;
            ended.set(ended.get() + 1);
            if result.is_ok() || ended.get() == sent.get() {
                answer.keep(&run.clock, result);
            }
        }));
        if let Some(result) = clock.before(next, waiting.wait(&clock)).await {
            return result;
        }
    }
    Err(Class::Timeout)
}

async fn copy(run: &Rc<Run>, one: Try) -> Result<(), Class> {
    let call = run.world.call(one.id);
    let now = run.clock.now();
    let own = run.timeout(one.id).min(call.cut);
    let until = one.limit.min(now.saturating_add(own));
    // Inside one process the callee knows what its caller has left, whether or not the call ends with that.
    let left = if call.local { until.min(one.end) } else { until };
    // A copy is an attempt of its own.
    let own_key = one.arrival.key.filter(|_| call.key == Some(KeySent::PerAttempt)).map(|_| run.fresh_key());
    let key = own_key.or(one.arrival.key);
    let one = Try { arrival: Arrival { left, until, key, ..one.arrival }, ..one };
    let sent = layered(Rc::clone(run), one, until, 0);
    run.clock.before(until, sent).await.unwrap_or(Err(Class::Timeout))
}

/// The proxies in between try again by themselves, as long as the caller waits.
fn layered(run: Rc<Run>, one: Try, until: Instant, depth: usize) -> Boxed<Result<(), Class>> {
    Box::pin(async move {
        let world = Rc::clone(&run.world);
        let Some(layer) = world.call(one.id).layers.get(depth) else { return send(&run, one, until).await };
        for number in 1..layer.tries {
            let early = Try { early: true, wanted: layer.classes, ..one };
            match layered(Rc::clone(&run), early, until, depth + 1).await {
                Err(class) if layer.classes.has(class) => wait(&run, layer.backoff, number).await,
                result => return result,
            }
        }
        // Whoever has a connection to a proxy hears from it that there was none behind it.
        let last = layered(Rc::clone(&run), one, until, depth + 1).await;
        last.map_err(|class| if class == Class::Connect { Class::Unavailable } else { class })
    })
}

/// One request on its way, and what comes back.
async fn send(run: &Rc<Run>, one: Try, until: Instant) -> Result<(), Class> {
    run.spend().await;
    let world = Rc::clone(&run.world);
    let call = world.call(one.id);
    let play = run.next_play(one.id);
    if play != Play::Answer && !call.local {
        run.log(|| format!("{} {play}", call.name));
    }
    let wait = until - run.clock.now();
    let share =
        |thousandths: u64| if wait >= NEVER / 2 { thousandths * 10_000_000 } else { wait / 1_000 * thousandths };
    match play {
        Play::Echo => return Ok(()),
        Play::Refuse(class) if !call.local || run.schedule.dead.contains(&one.id) => {
            if class == Class::Connect && !run.schedule.dead.contains(&one.id) {
                connect(run, run.share(connecting(call, wait))).await;
            }
            return Err(class);
        }
        Play::Lose if !call.local => pending::<()>().await,
        Play::Slow(there, _) if !call.local => run.clock.sleep(share(there)).await,
        Play::Stall if !call.local => return stall(run, one, until).await,
        Play::Stall if fails_late(run, one) && !again(call).may_be_done() => {
            let callee = world.operation(call.to);
            let left = if callee.inherits { one.arrival.left.saturating_sub(run.clock.now()) } else { wait };
            let most = callee.own.min(callee.deadline).min(wait.min(left).saturating_sub(1));
            run.clock.sleep(most).await;
            return Err(again(call));
        }
        _ => {}
    }
    let done = served(run, one).await;
    match play {
        Play::LoseReply if !call.local => pending::<()>().await,
        Play::Slow(_, back) if !call.local => run.clock.sleep(share(back)).await,
        Play::Crash(class) if !call.local => return Err(class),
        Play::Stall if fails_late(run, one) => return Err(again(call)),
        _ => {}
    }
    done.map_err(|failure| run.class(one, failure))
}

/// A connection fails just before so much time has passed, if it ever does.
async fn connect(run: &Run, time: Instant) {
    let never = time >= NEVER / 2;
    run.clock.until(if never { NEVER } else { run.clock.now() + time.saturating_sub(1) }).await;
}

fn connecting(call: &Call, wait: Instant) -> Instant {
    if let Bound::Is(connect) = call.connect { connect.min(wait) } else { wait }
}

/// The answer comes when the caller has almost given up: a failure that is tried again while there are tries.
async fn stall(run: &Rc<Run>, one: Try, until: Instant) -> Result<(), Class> {
    let call = run.world.call(one.id);
    let fails = fails_late(run, one);
    let repeated = Class::ALL.into_iter().find(|class| *class != Class::Timeout && one.wanted.has(*class));
    if let (true, true, Some(class)) = (fails, one.early, repeated) {
        return Err(class);
    }
    if fails && again(call) == Class::Connect {
        connect(run, connecting(call, until - run.clock.now())).await;
        return Err(Class::Connect);
    }
    // Where all takes as long as it can, somebody else answers: what the callee does is not asked.
    if run.schedule.draw != Draw::Most && (!fails || again(call).may_be_done()) {
        run.clock.spawn(drop_outcome(served(run, one))).let_go();
    }
    let late = fails && again(call) == Class::Timeout || until >= NEVER;
    run.clock.until(if late { NEVER } else { until.saturating_sub(1) }).await;
    if fails { Err(again(call)) } else { Ok(()) }
}

fn fails_late(run: &Run, one: Try) -> bool {
    !one.last || run.schedule.failing.contains(&one.id)
}

/// A failure that is tried again, one after which everything may have been done if there is such a one.
fn again(call: &Call) -> Class {
    let tried = |class: &&Class| call.classes.has(**class);
    Class::ALL.iter().rev().find(tried).copied().unwrap_or(Class::Error)
}

/// The callee serves it. A write that changes nothing more stops a repeat.
fn served(run: &Rc<Run>, one: Try) -> Boxed<Outcome> {
    let call = run.world.call(one.id);
    // Who refuses at once has written nothing.
    let writes = call.writes && !run.fails_at_once(call.to);
    if writes {
        run.log(|| format!("{} writes", call.name));
    }
    let mut record = run.record.borrow_mut();
    if writes {
        record.effect(Site::Write(one.id), one.arrival.path);
    }
    if call.stops && !record.stored.insert((one.id, one.arrival.path)) {
        return Box::pin(async { Ok(()) });
    }
    drop(record);
    operation(Rc::clone(run), call.to, one.arrival)
}
