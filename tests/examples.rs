//! The findings of the examples are pinned. `UPDATE=1 cargo test --test examples` writes them anew, for a change that
//! is meant.

#![allow(clippy::expect_used, reason = "a test may stop")]

mod support;

use std::fs;

use support::Texts;
use topolint::config::Config;
use topolint::report::{Look, concise, human};

const EXAMPLES: &[&str] = &["bare", "bookinfo", "online-boutique", "shop"];

fn report(name: &str, render: impl FnOnce(&topolint::source::SourceMap, &topolint::lint::Outcome) -> String) -> String {
    let path = format!("examples/{name}.topo");
    let text = fs::read(&path).expect("an example");
    let files = Texts([(path.clone(), text)].into());
    support::with_outcome(&files, &path, &Config::default(), render)
}

#[test]
fn every_example_is_pinned() {
    let mut found: Vec<String> = fs::read_dir("examples")
        .expect("the examples")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().replace(".topo", ""))
        .collect();
    found.sort();
    assert_eq!(found, EXAMPLES);
}

#[test]
fn the_findings_of_the_examples_are_what_they_were() {
    for name in EXAMPLES {
        let found = report(name, concise);
        let path = format!("tests/examples/{name}.txt");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, &found).expect("a pinned report");
        }
        let pinned = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(found, pinned, "the findings of {name} have changed");
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
