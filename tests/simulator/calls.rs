//! One call: its attempts, copies and layers, what is sent and what comes back.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;

use topolint::model::{CallId, OperationId};

use super::clock::{Boxed, Instant, NEVER, Promise};
use super::crowd::{Calling, Connection, consumer, failed, is_open};
use super::outage::Goal;
use super::record::{Site, Span, What};
use super::run::{Arrival, Failure, Outcome, Run, Stage, further, operation, step};
use super::schedule::{Draw, Play};
use super::world::{Backoff, Bound, Call, Class, Classes, KeySent, Otherwise, Shape, Step};

/// All attempts, and what answers when they have failed.
pub fn once(run: Rc<Run>, stage: Rc<Stage>, (id, goal): (CallId, Goal), path: u64) -> Boxed<Outcome> {
    Box::pin(async move {
        let primary = run.schedule.choices.as_ref().map_or(goal, |choices| choices.primary(id, goal));
        let tried = attempts(&run, &stage, (id, primary), path).await;
        let world = Rc::clone(&run.world);
        match &world.call(id).otherwise {
            _ if tried.is_ok() => Ok(()),
            Otherwise::GoesOn => Ok(()),
            Otherwise::Fails if is_meant(&run, id) => Err(Failure::AtOnce),
            Otherwise::Fails => Err(Failure::Below),
            Otherwise::Calls(steps) => {
                step(run, stage, (Step::Group(Shape::Sequence, Rc::clone(steps)), goal), path, false).await
            }
        }
    })
}

/// Whether what is broken is what an arrow to a whole store means.
fn is_meant(run: &Run, id: CallId) -> bool {
    let call = run.world.call(id);
    call.implied && run.schedule.broken == Some(call.to)
}

/// One try of a call, all its copies and layers included.
#[derive(Clone, Copy)]
pub struct Try {
    pub id: CallId,
    last: bool,
    /// Whether a proxy would try again.
    early: bool,
    /// Whether another copy follows.
    copied: bool,
    /// The failures that are tried again next, by a proxy or the caller.
    pub wanted: Classes,
    limit: Instant,
    arrival: Arrival,
    /// What its caller has left.
    end: Instant,
    /// The shortest time from its failure to the start of the next try.
    pause: Instant,
}

async fn attempts(run: &Rc<Run>, stage: &Rc<Stage>, (id, goal): (CallId, Goal), path: u64) -> Result<(), ()> {
    let world = Rc::clone(&run.world);
    let call = world.call(id);
    let _consumer = consumer(run, id).await;
    let Some(_calling) = Calling::start(run, id) else { return Err(()) };
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
            run.record.borrow_mut().late = true;
            return Err(());
        }
        let key = match call.key.unwrap_or_else(|| run.unsaid_key(id)) {
            KeySent::None => None,
            KeySent::PerAttempt => Some(run.fresh_key()),
            KeySent::PerRequest => Some(request_key),
            KeySent::Derived => Some(path),
            // A key is forwarded: if none has arrived, one of this execution.
            KeySent::Forwarded => stage.key,
        };
        let awaited = stage.awaited && call.waits;
        let least = call.backoff.map_or(0, |backoff| backoff.after(number).0);
        let more = number < tries && run.clock.now().saturating_add(least) < limit;
        let goal = run.one_try((id, goal), more, (call.classes, !call.layers.is_empty()));
        let arrival = Arrival { left: NEVER, until: NEVER, key, path, call: Some(id), awaited, goal };
        let (last, wanted, end) = (number == tries, call.classes, stage.end);
        let one = Try { id, last, early: false, copied: false, wanted, limit, arrival, end, pause: least };
        run.log(|| format!("{} try {number}", call.name));
        match attempt(run, one).await {
            Ok(()) => return Ok(()),
            Err(class) if number == tries || !call.classes.has(class) => {
                run.log(|| format!("{} has failed ({class:?})", call.name));
                failed(run, id);
                break;
            }
            Err(class) => {
                run.log(|| format!("{} try {number} failed ({class:?})", call.name));
                failed(run, id);
            }
        }
        if is_open(run, id) {
            break;
        }
        run.clock.before(limit, wait(run, call.backoff, number, limit)).await;
    }
    if let Some(letters) = call.dead_letter {
        let arrival = Arrival {
            left: NEVER,
            until: NEVER,
            key: stage.key,
            path: further(path, id, 1),
            call: None,
            awaited: false,
            goal: run.schedule.choices.as_ref().map_or(goal, |choices| choices.best(letters).0),
        };
        run.clock.spawn(drop_outcome(operation(Rc::clone(run), letters, arrival))).let_go();
    }
    Err(())
}

async fn drop_outcome(what: Boxed<Outcome>) {
    let _ = what.await;
}

/// The wait after a try; as long as it can be, it still leaves time to start the next one before a limit, if chance may
/// have it so.
fn wait(run: &Rc<Run>, backoff: Option<Backoff>, number: u64, limit: Instant) -> Boxed<()> {
    let (least, most) = backoff.map_or((0, 0), |backoff| backoff.after(number));
    let left = limit.saturating_sub(run.clock.now() + 2);
    let most = if run.schedule.draw == Draw::Most { most.min(left).max(least) } else { most };
    let (time, clock) = (run.between(least, most), Rc::clone(&run.clock));
    Box::pin(async move { clock.sleep(time).await })
}

/// The wait for a connection, then the copies of a hedge: the first good answer wins.
async fn attempt(run: &Rc<Run>, one: Try) -> Result<(), Class> {
    let world = Rc::clone(&run.world);
    let call = world.call(one.id);
    // What is not on the way is answered at once.
    let idle = run.schedule.draw == Draw::Most && !run.schedule.way.is_empty() && !run.schedule.way.contains(&one.id);
    // If all takes as long as it can, a free connection still comes in time.
    let now = run.clock.now();
    let in_time = if run.schedule.hangs() { one.limit.saturating_sub(now + 2) } else { NEVER };
    let pooled = now.saturating_add(if idle { 0 } else { run.share(call.pool_wait).min(in_time) });
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
            let copied = number < copies;
            let last = one.last && (!copied || run.schedule.hangs());
            let result = copy(&run, Try { last, copied, ..one }).await;
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
    let _connection = Connection::open(run, one.id);
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
    let result = run.clock.before(until, sent).await;
    run.record.borrow_mut().late |= result.is_none();
    result.unwrap_or(Err(Class::Timeout))
}

/// The proxies in between try again by themselves, as long as the caller waits.
fn layered(run: Rc<Run>, one: Try, until: Instant, depth: usize) -> Boxed<Result<(), Class>> {
    Box::pin(async move {
        let world = Rc::clone(&run.world);
        // Where all takes as long as it can, it is the proxy that does.
        let layers = if run.schedule.hangs() { &[] } else { world.call(one.id).layers.as_slice() };
        let Some(layer) = layers.get(depth) else { return send(&run, one, until).await };
        for number in 1..layer.tries {
            let goal = run.one_try((one.id, one.arrival.goal), true, (layer.classes, depth + 1 < layers.len()));
            let arrival = Arrival { goal, ..one.arrival };
            let early = Try { early: true, wanted: layer.classes, arrival, ..one };
            match layered(Rc::clone(&run), early, until, depth + 1).await {
                Err(class) if layer.classes.has(class) => wait(&run, layer.backoff, number, NEVER).await,
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
    let started = run.clock.now();
    let wait = until - started;
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
        Play::Stall if run.schedule.hangs() => return stall_inside(run, one, until).await,
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
        // Inside one process nothing is late that has been done.
        Play::Stall if fails_late(run, one) && again(call) != Class::Timeout => return Err(again(call)),
        _ => {}
    }
    // What comes back later than a connection may take has had one.
    let late = !call.local && run.clock.now() - started >= connecting(call, wait);
    done.map_err(|failure| match run.class(one, failure) {
        Class::Connect if late => Class::Unavailable,
        class => class,
    })
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
    let next = next_in_time(run, one, until);
    let more = !one.last && next == Next::Never;
    let one = Try { last: one.last || more, ..one };
    let fails = fails_late(run, one);
    let repeated = Class::ALL.into_iter().find(|class| *class != Class::Timeout && one.wanted.has(*class));
    if let (true, true, Some(class)) = (fails, one.early, repeated) {
        return Err(class);
    }
    if let (true, Next::After(at)) = (fails && !one.last, next) {
        run.clock.until(at).await;
        return Err(again(call));
    }
    if fails && again(call) == Class::Connect && !one.last {
        connect(run, connecting(call, until - run.clock.now())).await;
        return Err(Class::Connect);
    }
    if one.copied && run.schedule.hangs() {
        pending::<()>().await;
    }
    // Where all takes as long as it can, somebody else answers: what the callee does is not asked.
    if run.schedule.draw != Draw::Most && (!fails || again(call).may_be_done()) {
        run.clock.spawn(drop_outcome(served(run, one))).let_go();
    }
    // Who would try again after the end of all tries waits for that end.
    let tried = fails && (!one.last || more && run.schedule.hangs());
    let late = tried && again(call) == Class::Timeout || until >= NEVER;
    run.clock.until(if late { NEVER } else { until.saturating_sub(1) }).await;
    match (fails, tried) {
        (false, _) => Ok(()),
        (true, true) => Err(again(call)),
        // Nothing is tried again: any failure will do.
        (true, false) => Err(Class::Error),
    }
}

/// The same inside one process: the callee works, and what it waits for answers at the last instant at the latest.
async fn stall_inside(run: &Rc<Run>, one: Try, until: Instant) -> Result<(), Class> {
    let call = run.world.call(one.id);
    let next = next_in_time(run, one, until);
    let one = Try { last: one.last || next == Next::Never, ..one };
    let fails = fails_late(run, one);
    let end = if let (Next::After(at), false) = (next, one.last) { at } else { until.saturating_sub(1) };
    // What gives up by itself before then answers just before.
    let callee = run.world.operation(call.to);
    let left = if callee.inherits { one.arrival.left } else { NEVER };
    let gives_up = left.min(run.clock.now().saturating_add(callee.deadline));
    let end = if fails { end } else { end.min(gives_up.saturating_sub(1)) };
    let end = if end >= NEVER - 1 { NEVER } else { end };
    let done = run.clock.before(end, served(run, one)).await;
    match (fails, done) {
        (true, _) => Err(if one.last { Class::Error } else { again(call) }),
        (false, Some(Err(failure))) => Err(run.class(one, failure)),
        (false, _) => Ok(()),
    }
}

/// Whether there is another try before what bounds all of them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// However late this one fails.
    Anyway,
    /// If this one fails then, so that the next one starts just before the end.
    After(Instant),
    Never,
}

fn next_in_time(run: &Run, one: Try, until: Instant) -> Next {
    let call = run.world.call(one.id);
    let now = run.clock.now();
    let fails_at = match again(call) {
        Class::Connect => now.saturating_add(connecting(call, until - now)),
        _ => until,
    };
    let at = one.limit.saturating_sub(one.pause.saturating_add(2));
    match again(call) {
        _ if one.limit >= NEVER || fails_at <= at => Next::Anyway,
        // Inside one process a callee may say itself that it came too late.
        Class::Timeout if !call.local => Next::Never,
        _ if now < at => Next::After(at),
        _ => Next::Never,
    }
}

fn fails_late(run: &Run, one: Try) -> bool {
    !one.last || run.schedule.failing.contains(&one.id)
}

/// A failure that is tried again, one after which everything may have been done if there is such a one.
fn again(call: &Call) -> Class {
    let tried = |class: &&Class| call.classes.has(**class);
    Class::ALL.iter().rev().find(tried).copied().unwrap_or(Class::Error)
}

fn meant(run: &Run, bare: OperationId) -> impl Iterator<Item = CallId> {
    let calls = run.world.call_ids();
    calls.filter(move |id| run.world.call(*id).implied && run.world.call(*id).from == bare)
}

/// The callee serves it. A write that changes nothing more stops a repeat.
fn served(run: &Rc<Run>, one: Try) -> Boxed<Outcome> {
    let call = run.world.call(one.id);
    // Who refuses at once has written nothing.
    let writes = call.writes && !run.fails_at_once(call.to);
    if writes {
        run.log(|| format!("{} writes", call.name));
    }
    // What fails at once has stored nothing, and where all takes as long as it can the first try may have failed too.
    let breaks = run.schedule.broken == Some(call.to) || meant(run, call.to).any(|id| is_meant(run, id));
    let stored = call.stops && !breaks && !run.schedule.hangs();
    let mut record = run.record.borrow_mut();
    if writes {
        record.effect(Site::Write(one.id), one.arrival.path);
    }
    if stored && !record.stored.insert((one.id, one.arrival.path)) {
        record.stopped = true;
        return Box::pin(async { Ok(()) });
    }
    drop(record);
    operation(Rc::clone(run), call.to, one.arrival)
}
