//! Many requests, as many in a second as is stated, evenly spaced or by chance.

use std::rc::Rc;

use topolint::metadata::built_in_clients;
use topolint::model::{CallId, Cascade, OperationId, Topology};
use topolint::vocabulary::{ElementKind, Key};

use super::calls::once;
use super::clock::{Boxed, Instant, NEVER};
use super::crowd::{Crowd, Places};
use super::outage::Goal;
use super::random::Random;
use super::record::Record;
use super::run::{Arrival, Outcome, Run, Stage, operation};
use super::schedule::Schedule;
use super::world::World;

const SECOND: f64 = 1_000_000_000.0;

/// Requests that come from outside.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    pub to: OperationId,
    /// The call of a client that sends them, with its waits and tries; none if nobody is drawn.
    pub by: Option<CallId>,
    pub per_second: f64,
}

/// All that is stated of what comes from outside.
pub fn streams(topology: &Topology) -> Vec<Stream> {
    let cascade = Cascade::new(topology, built_in_clients());
    let mut streams = Vec::new();
    for to in topology.operation_ids() {
        let by_client = |call: &CallId| topology.node_of(topology.call(*call).from).kind == ElementKind::Client;
        let clients: Vec<CallId> = topology.calls_to(to).filter(by_client).collect();
        let load = cascade.operation(to, Key::Load).given().and_then(|it| it.setting.rate());
        if let Some(load) = load {
            let each = load / clients.len().max(1) as f64;
            streams.extend(clients.iter().map(|call| Stream { to, by: Some(*call), per_second: each }));
            streams.extend(clients.is_empty().then_some(Stream { to, by: None, per_second: load }));
            continue;
        }
        streams.extend(clients.into_iter().filter_map(|call| {
            let per_second = cascade.call(call, &[Key::Load]).given()?.setting.rate()?;
            Some(Stream { to, by: Some(call), per_second })
        }));
    }
    streams
}

/// How requests come.
#[derive(Clone, Copy)]
pub struct Traffic {
    /// For so long.
    pub seconds: f64,
    /// Evenly spaced, if nothing is drawn.
    pub drawn: Option<u64>,
}

/// Plays all streams until nothing happens any more.
pub fn play(
    world: &Rc<World>,
    (places, limited, unsaid): (&Rc<Places>, bool, f64),
    schedule: &Schedule,
    streams: &[Stream],
    traffic: Traffic,
) -> (Record, Crowd) {
    let crowd = Crowd::new(places, limited, unsaid);
    let run = Run::with_crowd(world, schedule, crowd);
    for (number, stream) in streams.iter().enumerate() {
        let seed = traffic.drawn.map(|seed| seed * 100 + number as u64);
        // No two streams come at the same instants.
        let phase = (number as f64 * 0.381 + 0.1).fract();
        let (sender, stream) = (Rc::clone(&run), *stream);
        run.clock.spawn(send(sender, stream, instants(stream.per_second, traffic.seconds, phase, seed))).let_go();
    }
    run.clock.run(NEVER - 1);
    run.end_crowd()
}

async fn send(run: Rc<Run>, stream: Stream, instants: Vec<Instant>) {
    for at in instants {
        run.clock.until(at).await;
        run.crowd.as_ref().unwrap().sent.update(|sent| sent + 1);
        let (one, clock) = (Rc::clone(&run), Rc::clone(&run.clock));
        let request = async move {
            if request(&one, stream).await.is_err() {
                one.crowd.as_ref().unwrap().failed.borrow_mut()[stream.to.index()] += 1;
            }
        };
        clock.spawn(request).let_go();
    }
}

fn request(run: &Rc<Run>, stream: Stream) -> Boxed<Outcome> {
    let key = run.fresh_key();
    if let Some(call) = stream.by {
        return once(Rc::clone(run), Stage::outside(key), (call, Goal::default()), key);
    }
    let goal = Goal::default();
    let arrival = Arrival { left: NEVER, until: NEVER, key: Some(key), path: key, call: None, awaited: true, goal };
    operation(Rc::clone(run), stream.to, arrival)
}

/// The instants at which requests come: each interval has one, at the same place or anywhere.
fn instants(per_second: f64, seconds: f64, phase: f64, seed: Option<u64>) -> Vec<Instant> {
    let mut random = seed.map(Random::seeded);
    let mut at = move || random.as_mut().map_or(phase, |random| random.up_to(1_000) as f64 / 1_000.0);
    let count = (per_second * seconds).floor();
    let mut instants = Vec::new();
    while (instants.len() as f64) < count {
        let place = instants.len() as f64 + at();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an instant of a short play")]
        instants.push((place / per_second * SECOND) as Instant);
    }
    instants
}
