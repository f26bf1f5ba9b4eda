//! An executable model: small random topologies run under random faults, and nothing that happens may exceed what the
//! analyses say. Written from the rulings, not from the analyses. `SIMULATIONS=1000000` runs so many, `SEED=7` one
//! topology, `SHOW=1` prints what is played.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

#[path = "simulator/clock.rs"]
mod clock;
#[path = "oracle/generate.rs"]
mod drawn;
#[path = "simulator/generate.rs"]
mod generate;
#[allow(dead_code, reason = "shared with the other oracles")]
#[path = "oracle/graph.rs"]
mod graph;
#[path = "simulator/properties.rs"]
mod properties;
#[path = "oracle/random.rs"]
mod random;
#[path = "simulator/record.rs"]
mod record;
#[path = "simulator/run.rs"]
mod run;
#[path = "simulator/schedule.rs"]
mod schedule;
#[path = "oracle/shrink.rs"]
mod shrink;
#[allow(dead_code, reason = "shared with the other oracles")]
#[path = "oracle/subject.rs"]
mod subject;
#[path = "oracle/traffic.rs"]
mod traffic;
#[path = "simulator/world.rs"]
mod world;

use std::env;

use graph::{Graph, Written};
use properties::Said;
use subject::Subject;

/// So many runs, if nothing else is asked for.
const SIMULATIONS: u64 = 60_000;

/// Schedules for one topology.
const SCHEDULES: u64 = 6;

#[test]
fn nothing_that_happens_exceeds_what_is_proved() {
    let wanted = asked("SIMULATIONS").unwrap_or(SIMULATIONS);
    let (mut played, mut reports) = (0, Vec::new());
    let mut seed = asked("SEED").unwrap_or(0);
    while played < wanted && reports.len() < 4 {
        let graph = generate::graph(seed);
        let (runs, wrong) = disagreement(&graph, seed, SCHEDULES);
        played += runs.max(1);
        if wrong.is_some() {
            let graph = shrink::shrink(graph, |graph| disagreement(graph, seed, 20).1.is_some());
            let report = disagreement(&graph, seed, 20).1.unwrap();
            reports.push(format!("seed {seed}\n{}\n{report}", generate::written(&graph)));
        }
        seed += 1;
    }
    println!("{played} simulations of {seed} topologies");
    assert!(reports.is_empty(), "{}", reports.join("\n\n"));
}

/// How much was played, and what is wrong.
fn disagreement(graph: &Graph, seed: u64, schedules: u64) -> (u64, Option<String>) {
    subject(graph).with(|facts| {
        let said = Said::of(facts);
        let seeds = (0..schedules).map(|number| seed * 1_000 + number);
        let (played, wrong) = said.first_wrong(facts, seeds);
        (played, wrong.map(|wrong| said.report(&wrong)))
    })
}

fn subject(graph: &Graph) -> Subject {
    Subject::read(&Written { text: generate::written(graph), places: Vec::new() })
}

fn asked(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}
