//! The findings of the examples are pinned. `UPDATE=1 cargo test --test examples` writes them anew, for a change that
//! is meant. Incidents are found by the rules that name their causes; what is mended or designed well is silent.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may stop")]

mod support;

use std::fs;

use support::example_texts;
use topolint::config::Config;
use topolint::lint::Outcome;
use topolint::metadata::Level;
use topolint::report::{Look, concise, human};
use topolint::source::SourceMap;

/// Where examples lie; a folder below belongs to an example that includes it.
const FOLDERS: [&str; 3] = ["", "incidents/", "designs/"];

/// Each incident with the rules that name its cause: found in `-bad`, not in `-mended`.
const INCIDENTS: [(&str, &[&str]); 11] = [
    ("aws-2021", &["circular-recovery", "reconnect-storm", "shared-fate-monitoring"]),
    ("aws-2025", &["late-overwrite", "reconnect-storm"]),
    ("buildkite-2021", &["hot-requeue"]),
    ("cloudflare-2025", &["availability-below-objective", "missing-fail-mode"]),
    ("fortnite-2018", &["pool-exhaustion"]),
    ("github-2018", &["conflicting-writers", "excess-staleness", "failover-loss", "latency-over-budget"]),
    ("incident-io-2022", &["missing-dead-letter"]),
    ("openai-2024", &["circular-recovery", "discovery-dependency", "metastable-load", "unstaged-rollout"]),
    ("slack-2022", &["all-shards-required", "load-bearing-cache"]),
    ("square-2017", &["retry-amplification", "retry-without-backoff"]),
    ("twilio-2013", &["dual-write", "repeated-effect"]),
];

/// The names of the files of a kind in the folders of examples, sorted.
fn names(root: &str, ending: &str) -> Vec<String> {
    let in_folder = |folder: &'static str| {
        let entries = fs::read_dir(format!("{root}/{folder}")).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        names.filter_map(move |name| Some(format!("{folder}{}", name.strip_suffix(ending)?)))
    };
    let mut names: Vec<String> = FOLDERS.into_iter().flat_map(in_folder).collect();
    names.sort();
    names
}

fn examples() -> Vec<String> {
    names("examples", ".topo")
}

fn report<T>(name: &str, render: impl FnOnce(&SourceMap, &Outcome) -> T) -> T {
    support::with_outcome(&example_texts(), &format!("examples/{name}.topo"), &Config::default(), render)
}

/// The rules with findings above `info`, silenced or not, one for each finding.
fn loud(name: &str) -> Vec<&'static str> {
    report(name, |_, outcome| {
        let loud = outcome.findings.iter().filter(|finding| finding.level != Level::Info);
        loud.map(|finding| finding.rule.name).collect()
    })
}

#[test]
fn the_findings_of_the_examples_are_what_they_were() {
    for name in examples() {
        let found = report(&name, concise);
        let path = format!("tests/examples/{name}.txt");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, &found).expect("a pinned report");
        }
        let pinned = fs::read_to_string(&path).unwrap_or_else(|_| format!("{path} is missing"));
        assert_eq!(found, pinned, "the findings of {name} have changed");
    }
    assert_eq!(names("tests/examples", ".txt"), examples(), "nothing is pinned that is no example");
}

#[test]
fn every_incident_is_found_by_the_rules_that_name_its_cause() {
    for (name, causes) in INCIDENTS {
        let found = loud(&format!("incidents/{name}-bad"));
        for cause in causes {
            assert!(found.contains(cause), "{cause} is silent on {name}: {found:?}");
        }
    }
    let pairs = INCIDENTS.iter().flat_map(|(name, _)| ["bad", "mended"].map(|end| format!("incidents/{name}-{end}")));
    let drawn: Vec<String> = examples().into_iter().filter(|name| name.starts_with("incidents/")).collect();
    assert_eq!(pairs.collect::<Vec<_>>(), drawn);
}

#[test]
fn what_is_mended_or_designed_well_has_nothing_above_info_and_silences_nothing() {
    for name in examples() {
        if name.ends_with("-mended") || name.starts_with("designs/") {
            assert_eq!(loud(&name), [""; 0], "{name}");
        }
    }
}

#[test]
fn the_inversion_of_bookinfo_is_on_version_2_with_its_numbers_and_not_on_version_3() {
    let found = report("bookinfo", concise);
    let inversions: Vec<&str> = found.lines().filter(|line| line.contains("timeout-inversion")).collect();
    assert_eq!(inversions.len(), 1, "{found}");
    assert!(inversions[0].ends_with("`productpage` gives up on `reviews-v2` after 3 s, but it can work for 10 s"));
}

#[test]
fn the_report_of_online_boutique_fits_on_two_screens() {
    let text = report("online-boutique", |sources, outcome| human(sources, outcome, Look::default(), false));
    assert!(text.lines().count() <= 80, "{} lines", text.lines().count());
}
