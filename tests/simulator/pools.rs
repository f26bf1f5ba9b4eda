//! Work in flight and workers that run out: systems under load, one callee of which no longer answers.
//!
//! Three kinds of numbers are compared with three kinds of readings. `in_flight` is an average: by Little's law no
//! schedule in which nobody above tries again brings more calls at once than the rate of the call × its worst case, over
//! the time in which requests come; at one instant there may be more, where several come together. `needed` and
//! `seconds_to_full` are about one scenario, a hang of one callee while all else is well: so many workers are held, at
//! least, and all are taken by then, at the latest; nothing says that no more are held in other schedules. `rate` is
//! that of a healthy system: exact where it is known, else a lower bound.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::rc::Rc;

use topolint::analysis::{Extent, Facts, Held, Pool};
use topolint::model::{CallId, NodeId, OperationId};

use super::arrivals::{Stream, Traffic, play, streams};
use super::crowd::Places;
use super::graph::Written;
use super::schedule::{Draw, Play, Schedule};
use super::subject::Subject;
use super::world::World;
use super::{asked, found, loaded};

/// So many topologies, if nothing else is asked for.
const TOPOLOGIES: u64 = 200;

/// More requests than that are not sent in one run.
const REQUESTS: f64 = 200.0;

/// A topology, ready to be played.
struct System<'a, 'f> {
    facts: &'a Facts<'f>,
    world: Rc<World>,
    places: Rc<Places>,
    streams: Vec<Stream>,
    seed: u64,
    text: &'a str,
}

fn each_system(look: impl Fn(&System<'_, '_>)) -> u64 {
    let all = asked("SIMULATIONS").map_or(TOPOLOGIES, |wanted| wanted / 50);
    let first = asked("SEED").unwrap_or(0);
    for seed in first..first + all {
        let text = loaded::written(seed);
        Subject::read(&Written { text: text.clone(), places: Vec::new() }).with(|facts| {
            let world = Rc::new(World::read(facts.topology()));
            let places = Rc::new(Places::read(facts.topology(), &world));
            let streams = streams(facts.topology());
            look(&System { facts, world, places, streams, seed, text: &text });
        });
    }
    all
}

impl System<'_, '_> {
    /// Requests of a second, all together.
    fn arriving(&self) -> f64 {
        self.streams.iter().map(|stream| stream.per_second).sum()
    }

    /// The longest that is played.
    fn most_seconds(&self) -> f64 {
        REQUESTS / self.arriving().max(1.0)
    }

    /// A node no longer answers; all else is well, and takes no time.
    fn hang(&self, callee: NodeId) -> Schedule {
        let topology = self.facts.topology();
        let into = |id: &CallId| topology.operation(self.world.call(*id).to).node == callee;
        let way: BTreeSet<CallId> = self.world.call_ids().filter(into).collect();
        let failing = way.clone();
        Schedule { then: Play::Stall, way, failing, busy: Some(BTreeSet::new()), ..Schedule::healthy(Draw::Most) }
    }

    fn name(&self, node: NodeId) -> &str {
        self.facts.topology().node_name(node)
    }

    fn operation(&self, id: OperationId) -> String {
        self.facts.topology().operation_name(id)
    }
}

/// Above it, somebody may send again what he has sent.
fn repeated_above(world: &World, id: OperationId) -> bool {
    let mut seen = BTreeSet::from([id]);
    let mut next = vec![id];
    while let Some(at) = next.pop() {
        for call in world.calls.iter().filter(|call| call.made && call.to == at) {
            if call.tries > 1 || call.hedge.is_some() || !call.layers.is_empty() || call.open_ended {
                return true;
            }
            next.extend(seen.insert(call.from).then_some(call.from));
        }
    }
    false
}

#[test]
fn no_more_is_in_flight_than_is_said() {
    let checked = RefCell::new([0_u64; 2]);
    each_system(|system| {
        let said: Vec<(CallId, f64)> =
            system.world.call_ids().filter_map(|id| Some((id, system.facts.in_flight(id)?))).collect();
        let (bounds, repeated): (Vec<_>, Vec<_>) =
            said.into_iter().partition(|(id, _)| !repeated_above(&system.world, system.world.call(*id).from));
        checked.borrow_mut()[1] += repeated.len() as u64;
        for run in 0..2 {
            let seed = system.seed * 10 + run;
            let schedule = match run {
                0 => Schedule::random(&system.world, seed),
                _ => Schedule { then: Play::Stall, busy: Some(BTreeSet::new()), ..Schedule::healthy(Draw::Most) },
            };
            let seconds = (system.most_seconds() / 4.0).min(10.0).floor();
            let traffic = Traffic { seconds, drawn: (run == 0).then_some(seed) };
            let how = (&system.places, run == 0, 1.0);
            let (_, crowd) = play(&system.world, how, &schedule, &system.streams, traffic);
            for (id, most) in &bounds {
                let waits = crowd.calls.borrow()[id.index()].sum as f64 / 1e9;
                // Shares are even: one call more than its share may have been made for each way.
                let once =
                    system.facts.times().call(system.facts, *id).at_most.and_then(Extent::finite).unwrap().seconds();
                assert!(
                    waits <= most * seconds + once * 2.0 * system.streams.len() as f64 * 2.0,
                    "seed {}, run {run}: {:.3} calls of {} in flight on average, {most:.3} were said\n{}\n{}",
                    system.seed,
                    waits / seconds,
                    system.world.call(*id).name,
                    system.text,
                    schedule.written(&system.world),
                );
                checked.borrow_mut()[0] += 1;
            }
        }
    });
    let [bounds, repeated] = *checked.borrow();
    println!("{bounds} times no more in flight than was said; {repeated} calls are sent again from above");
    assert!(bounds > 300, "{bounds}");
}

#[test]
fn rates_are_what_arrives_while_all_is_well() {
    let checked = RefCell::new([0_u64; 2]);
    each_system(|system| {
        let seconds = (system.most_seconds() / 2.0).min(10.0).floor();
        let schedule = Schedule { busy: Some(BTreeSet::new()), ..Schedule::healthy(Draw::Most) };
        for unsaid in [0.0, 1.0] {
            let how = (&system.places, true, unsaid);
            let (record, _) = play(&system.world, how, &schedule, &system.streams, Traffic { seconds, drawn: None });
            for id in system.world.operation_ids() {
                let rate = system.facts.rate(id);
                let (said, came) = (rate.per_second * seconds, record.executions[id.index()] as f64);
                let slack = 4.0 + said * 0.05;
                let (fits, kind) =
                    if rate.known { ((came - said).abs() <= slack, 0) } else { (came >= said - slack, 1) };
                let known = if rate.known { "exactly" } else { "at least" };
                assert!(
                    fits,
                    "seed {}: {} is executed {came} times, {known} {said:.1} were said\n{}",
                    system.seed,
                    system.operation(id),
                    system.text
                );
                checked.borrow_mut()[kind] += u64::from(said > 0.0);
            }
        }
    });
    let [exact, least] = *checked.borrow();
    println!("{exact} rates are exact, {least} are lower bounds");
    assert!(exact > 300, "{exact}");
}

/// What was tried of hangs: how near what happened came to what was said.
#[derive(Default)]
struct Tried {
    rows: BTreeMap<&'static str, [usize; 4]>,
    missed: BTreeMap<&'static str, Vec<String>>,
    shown: u64,
}

impl Tried {
    /// A share of what was said has happened: 1 for all of it.
    fn note(&mut self, kind: &'static str, share: f64, tell: impl Fn() -> String) {
        let place = [0.999_999, 0.99, 0.95].iter().position(|least| share >= *least).unwrap_or(3);
        self.rows.entry(kind).or_default()[place] += 1;
        if place == 3 {
            self.missed.entry(kind).or_default().push(tell());
        } else if asked("SHOW").is_some_and(|most| self.shown < most) {
            self.shown += 1;
            println!("{kind}: {}\n", tell());
        }
    }
}

#[test]
fn a_hang_holds_the_workers_that_it_is_said_to_hold() {
    let tried = RefCell::new(Tried::default());
    let all = each_system(|system| {
        let proved: BTreeSet<String> = found(system.text)
            .into_iter()
            .filter(|(rule, _)| rule == "pool-exhaustion")
            .map(|(_, owner)| owner)
            .collect();
        let mut reached = BTreeSet::new();
        for (number, pool) in system.facts.pools().iter().enumerate() {
            for held in pool.hangs.iter().filter(|held| held.arriving > 0.0) {
                let mut tried = tried.borrow_mut();
                workers(system, (number, pool, held), &mut tried);
                if held.exceeds(pool) && full(system, (number, pool, held), &mut tried) {
                    reached.insert(pool.owner(system.facts));
                }
            }
        }
        for owner in &proved {
            let share = f64::from(u8::from(reached.contains(owner)));
            tried
                .borrow_mut()
                .note("pool-exhaustion", share, || format!("seed {}: {owner}\n{}", system.seed, system.text));
        }
    });
    let Tried { rows, missed, .. } = tried.into_inner();
    println!("of {all} topologies        exactly  within 1 %  within 5 %  further off");
    for (kind, row) in &rows {
        println!("{kind:<24} {:>12} {:>11} {:>11} {:>12}", row[0], row[1], row[2], row[3]);
    }
    let mut wrong = String::new();
    for (kind, mut missed) in missed {
        missed.sort_by_key(String::len);
        let _ = writeln!(wrong, "{kind}: {} did not happen\n{}\n", missed.len(), missed[0]);
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(rows.values().all(|row| row.iter().sum::<usize>() >= 20), "{rows:?}");
}

/// The place of a pool among those that are played.
fn place(system: &System<'_, '_>, pool: &Pool) -> usize {
    system.places.of[pool.operations[0].index()].unwrap()
}

fn tell(system: &System<'_, '_>, pool: &Pool, held: &Held, what: &str) -> String {
    let (owner, callee) = (pool.owner(system.facts), system.name(held.callee));
    let streams: Vec<String> = system
        .streams
        .iter()
        .map(|stream| format!("{}/s to {}", stream.per_second, system.operation(stream.to)))
        .collect();
    format!(
        "seed {}: while `{callee}` hangs, {what} of `{owner}`, which has {}\n{}\n{}",
        system.seed,
        pool.size,
        system.text,
        streams.join(", ")
    )
}

/// So many workers are held, if there are enough of them.
fn workers(system: &System<'_, '_>, (_, pool, held): (usize, &Pool, &Held), tried: &mut Tried) {
    let waits = |call: CallId| {
        system.facts.times().call(system.facts, call).at_least.finite().map(topolint::model::Duration::seconds)
    };
    let longest = held.holders.iter().map(|holder| waits(holder.call).unwrap_or(f64::INFINITY)).fold(0.0, f64::max);
    let seconds = (longest * 1.05 + 1.0).min(system.most_seconds());
    if held.needed.is_some() && seconds < longest {
        return;
    }
    let how = (&system.places, false, 0.0);
    let traffic = Traffic { seconds, drawn: None };
    let (_, crowd) = play(&system.world, how, &system.hang(held.callee), &system.streams, traffic);
    let most = crowd.pools.borrow()[place(system, pool)].most as f64;
    // What waits without end is held as long as it comes, and nothing behind a breaker that has opened.
    let lasting = held.holders.iter().filter(|holder| holder.opens.is_none());
    let each = lasting.map(|holder| holder.most().unwrap_or(f64::INFINITY).min(holder.rate * seconds));
    let said: f64 = held.needed.unwrap_or_else(|| each.sum());
    // Of each stream one may not have come yet.
    let slack = 2.0 * held.holders.len() as f64 + 1.0;
    tried.note("needed_in_hang", if most + slack >= said { 1.0 } else { most / said }, || {
        tell(system, pool, held, &format!("{most} workers are held, {said:.1} were said"))
    });
}

/// All workers are taken, and in so many seconds.
fn full(system: &System<'_, '_>, (_, pool, held): (usize, &Pool, &Held), tried: &mut Tried) -> bool {
    let Some(said) = held.seconds_to_full(pool) else { return false };
    // Of what is just enough, the last request may come when the first has gone.
    if held.needed.is_some_and(|needed| needed < pool.size as f64 + 2.0 * held.holders.len() as f64 + 1.0) {
        return true;
    }
    let rates: f64 = held.holders.iter().map(|holder| holder.rate).sum();
    let slack = (2.0 * held.holders.len() as f64 + 1.0) / rates;
    let how = (&system.places, true, 0.0);
    let traffic = Traffic { seconds: said + slack + 0.1, drawn: None };
    let (_, crowd) = play(&system.world, how, &system.hang(held.callee), &system.streams, traffic);
    let full = crowd.pools.borrow()[place(system, pool)].full.map(|at| at as f64 / 1e9);
    let share = full.map_or(0.0, |full| if full <= said + slack { 1.0 } else { said / full });
    tried.note("seconds_to_full", share, || {
        let when = full.map_or("never".to_owned(), |full| format!("after {full:.3} s"));
        tell(system, pool, held, &format!("all workers are taken {when}, after {said:.3} s was said,"))
    });
    share >= 0.95
}
