//! An executable model: small random topologies run under random faults, and nothing that happens may exceed what the
//! analyses say. Written from the rulings, not from the analyses. `SIMULATIONS=1000000` runs so many, `SEED=7` one
//! topology, `SHOW=1` prints what is played.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a test may fail"
)]

#[path = "simulator/arrivals.rs"]
mod arrivals;
#[path = "simulator/calls.rs"]
mod calls;
#[path = "simulator/claims.rs"]
mod claims;
#[path = "simulator/clock.rs"]
mod clock;
#[path = "simulator/connections.rs"]
mod connections;
#[path = "simulator/crowd.rs"]
mod crowd;
#[path = "oracle/generate.rs"]
mod drawn;
#[path = "simulator/freshness.rs"]
mod freshness;
#[path = "simulator/generate.rs"]
mod generate;
#[allow(dead_code, reason = "shared with the other oracles")]
#[path = "oracle/graph.rs"]
mod graph;
#[path = "simulator/loaded.rs"]
mod loaded;
#[path = "simulator/outage.rs"]
mod outage;
#[path = "simulator/pools.rs"]
mod pools;
#[path = "simulator/properties.rs"]
mod properties;
#[path = "oracle/random.rs"]
mod random;
#[path = "simulator/reading.rs"]
mod reading;
#[path = "simulator/record.rs"]
mod record;
#[path = "simulator/run.rs"]
mod run;
#[path = "simulator/schedule.rs"]
mod schedule;
#[path = "oracle/shrink.rs"]
mod shrink;
#[path = "simulator/staleness.rs"]
mod staleness;
#[allow(dead_code, reason = "shared with the other oracles")]
#[path = "oracle/subject.rs"]
mod subject;
mod support;
#[path = "oracle/traffic.rs"]
mod traffic;
#[path = "simulator/witness.rs"]
mod witness;
#[path = "simulator/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::env;

use claims::claims;
use graph::{Graph, Written};
use properties::Said;
use subject::Subject;
use topolint::config::Config;
use topolint::diagnostic::Certainty;
use topolint::source::SourceMap;

/// So many runs, if nothing else is asked for.
const SIMULATIONS: u64 = 60_000;

/// So many topologies, of which all that is claimed is tried.
const TOPOLOGIES: u64 = 600;

/// Schedules for one topology.
const SCHEDULES: u64 = 6;

/// So many of each kind are tried at least.
const LEAST: [(&str, usize); 6] = [
    ("worst case", 2_000),
    ("repeated-effect", 100),
    ("retry-amplification", 100),
    ("timeout-inversion", 200),
    ("unbounded-latency", 30),
    ("latency-over-budget", 80),
];

/// Of so many claims of a kind, no more than one may be apart.
const APART: usize = 50;

#[test]
fn nothing_that_happens_exceeds_what_is_proved() {
    let wanted = asked("SIMULATIONS").unwrap_or(SIMULATIONS);
    let (mut played, mut reports) = (0, Vec::new());
    let first = asked("SEED").unwrap_or(0);
    let mut seed = first;
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
    println!("{played} simulations of {} topologies", seed - first);
    assert!(reports.is_empty(), "{}", reports.join("\n\n"));
}

#[test]
fn what_is_proved_to_be_possible_happens() {
    let shown = asked("SEED").is_some() && asked("SHOW").is_some();
    let topologies = asked("SIMULATIONS").map_or(if shown { 1 } else { TOPOLOGIES }, |wanted| wanted / 20);
    let first = asked("SEED").unwrap_or(0);
    let mut table: BTreeMap<&'static str, [usize; 4]> = BTreeMap::new();
    let mut apart: BTreeMap<(&'static str, &'static str), Vec<u64>> = BTreeMap::new();
    let mut missed: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for seed in first..first + topologies {
        let graph = generate::graph(seed);
        let text = generate::written(&graph);
        let found = found(&text);
        subject(&graph).with(|facts| {
            let world = Said::of(facts).world;
            for claim in claims(facts, &world, &found) {
                let trial = claim.tried(facts, &world, false);
                if shown && topologies == 1 {
                    let root = &world.operation(trial.root).name;
                    let schedule = trial.schedule.written(&world);
                    println!("{}: {:.3} of it, from {root}:\n{schedule}\n", claim.written(&world), trial.share);
                }
                let place = [0.999_999, 0.99, 0.95].iter().position(|share| trial.share >= *share).unwrap_or(3);
                if let Some(why) = claim.undecided(&trial).filter(|_| place == 3) {
                    apart.entry((claim.kind(), why)).or_default().push(seed);
                    continue;
                }
                table.entry(claim.kind()).or_default()[place] += 1;
                if place == 3 {
                    let trial = claim.tried(facts, &world, true);
                    let (what, schedule) = (claim.written(&world), trial.schedule.written(&world));
                    let log: Vec<String> = trial.record.log.into_iter().take(30).collect();
                    let root = &world.operation(trial.root).name;
                    missed.entry(claim.kind()).or_default().push(format!(
                        "seed {seed}: {what}, reached {:.3}\n{text}\nfrom {root}:\n{schedule}\n\n{}",
                        trial.share,
                        log.join("\n")
                    ));
                }
            }
        });
    }
    println!("of {topologies} topologies        exactly  within 1 %  within 5 %  further off");
    for (kind, row) in &table {
        println!("{kind:<24} {:>12} {:>11} {:>11} {:>12}", row[0], row[1], row[2], row[3]);
    }
    for ((kind, why), seeds) in &apart {
        println!("{kind}: {} apart, seeds {:?}: {why}", seeds.len(), &seeds[..seeds.len().min(8)]);
    }
    for (kind, all) in &mut missed {
        all.sort_by_key(String::len);
        let shown = all.iter().take(usize::try_from(asked("SHOW").unwrap_or(0)).unwrap());
        println!("{kind}: {}\n{}", all.len(), shown.cloned().collect::<Vec<_>>().join("\n\n"));
    }
    for (kind, least) in LEAST.into_iter().filter(|_| topologies >= TOPOLOGIES) {
        let all: usize = table.get(kind).map_or(0, |row| row.iter().sum());
        assert!(all >= least, "only {all} of {kind} were tried");
    }
    for (kind, [exactly, near, close, off]) in table {
        let all = exactly + near + close + off;
        assert!(off == 0, "{kind}: {off} of {all} did not happen\n{}", missed[kind][0]);
        let apart: usize = apart.iter().filter(|((of, _), _)| *of == kind).map(|(_, seeds)| seeds.len()).sum();
        assert!(apart * APART <= all, "{kind}: {apart} of {all} are apart");
    }
}

/// What is reported as proved: rule, and what it is about.
fn found(text: &str) -> Vec<(String, String)> {
    support::with_outcome(&support::Texts::one(text), support::ROOT, &config(), |_, outcome| {
        let proved = outcome.findings.iter().filter(|finding| finding.diagnostic.certainty == Certainty::Proved);
        let subject = |finding: &topolint::lint::Finding| finding.diagnostic.subjects.first().cloned();
        proved.filter_map(|it| Some((it.rule.name.to_owned(), subject(it)?))).collect()
    })
}

/// Rules with a threshold speak early, so that there is more to try.
fn config() -> Config {
    let mut sources = SourceMap::default();
    let id = sources.add("topolint.yaml", "options:\n  retry-amplification:\n    threshold: 1\n");
    Config::read(&sources, id).expect("a configuration")
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
