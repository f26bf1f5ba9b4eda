//! Connections that are open at once: systems under load whose workers are all taken, because a store answers at the
//! last instant. No more are open than the workers are said to need, and as many, where nothing else ends a call early.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::rc::Rc;

use super::arrivals::{Traffic, play, streams};
use super::asked;
use super::crowd::Places;
use super::graph::Written;
use super::random::Random;
use super::schedule::{Draw, Play, Schedule};
use super::subject::Subject;
use super::world::World;

/// So many topologies, if nothing else is asked for.
const TOPOLOGIES: u64 = 100;

/// The text of a service that calls a store, by its seed.
fn written(seed: u64) -> String {
    let mut random = Random::seeded(seed);
    let mut text = "store db { connections 1 }\nexternal x\n".to_owned();
    let workers = random.one_of(&[2, 3, 7]);
    let _ = writeln!(text, "service shop {{ concurrency {workers}");
    for operation in 0..=random.up_to(3) {
        let own = random.one_of(&["", "", "; concurrency 4"]);
        let _ = writeln!(text, "  operation o{operation} {{ load 20/s{own}");
        for _ in 0..=random.up_to(3) {
            let step = step(&mut random);
            let _ = writeln!(text, "    {step}");
        }
        text.push_str("  }\n");
    }
    text + "}\n"
}

fn step(random: &mut Random) -> String {
    let mut calls = || [call(random), call(random)].join("; ");
    let both = calls();
    match random.up_to(8) {
        0..=1 => format!("parallel {{ {both} }}"),
        2 => format!("one-of {{ {both} }}"),
        3 => format!("-> x {{ timeout 200ms; fallback {{ {both} }} }}"),
        4 => format!("parallel {{ sequence {{ {both} }}; {} }}", call(random)),
        _ => call(random),
    }
}

fn call(random: &mut Random) -> String {
    let to = random.one_of(&["db.read", "db.read", "db.write", "x"]);
    let more =
        ["", "", "", "; attempts 2; backoff none", "; hedge after 100ms max 3", "; times 2", "; fallback \"none\""];
    let more = random.one_of(&more);
    let name = random.up_to(1_000_000);
    format!("-> {to} \"{name}\" {{ timeout {}; pool-size 1000{more} }}", random.one_of(&["500ms", "2s"]))
}

#[test]
fn no_more_connections_are_open_than_the_workers_need() {
    let all = asked("SIMULATIONS").map_or(TOPOLOGIES, |wanted| wanted / 50);
    let first = asked("SEED").unwrap_or(0);
    let reached = RefCell::new([0_u64; 2]);
    for seed in first..first + all {
        let text = written(seed);
        Subject::read(&Written { text: text.clone(), places: Vec::new() }).with(|facts| {
            let topology = facts.topology();
            let world = Rc::new(World::read(topology));
            let places = Rc::new(Places::read(topology, &world));
            let hang = Schedule { then: Play::Stall, busy: Some(BTreeSet::new()), ..Schedule::healthy(Draw::Most) };
            let all_fail = Schedule { failing: world.call_ids().collect(), ..hang.clone() };
            let schedules = [hang, all_fail, Schedule::random(&world, seed)];
            for opened in facts.connected().iter().flat_map(|connected| &connected.callers) {
                let Some(needed) = opened.needed else { continue };
                let to = topology.operation(topology.call(opened.call).to).node;
                let most = schedules.iter().map(|schedule| {
                    let traffic = Traffic { seconds: 4.0, drawn: None };
                    let (_, crowd) = play(&world, (&places, true, 1.0), schedule, &streams(topology), traffic);
                    crowd.connections.borrow().get(&(opened.caller, to)).map_or(0, |open| open.1)
                });
                let most = most.max().unwrap();
                assert!(most <= needed, "seed {seed}: {most} connections are open, {needed} were said\n{text}");
                reached.borrow_mut()[usize::from(most < needed)] += 1;
            }
        });
    }
    let [exactly, fewer] = *reached.borrow();
    println!("{exactly} times as many connections as were said, {fewer} times fewer");
    assert!(exactly > 30, "{exactly} {fewer}");
}
