//! The examples on the pages of the rules are run: the bad one gives its rule, the good one gives nothing. Those of rules
//! about change need what was before: see `tests/change.rs`.

mod support;

use topolint::metadata::Level;
use topolint::rules::ALL;

/// The rules that speak above `info`, and this one if it speaks at all.
fn loud(text: &str, own: &str) -> Vec<&'static str> {
    let counts = |found: &support::Found| found.level > Level::Info || found.rule == own;
    let mut rules: Vec<_> = support::found(text).into_iter().filter(counts).map(|found| found.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

#[test]
fn every_bad_example_gives_its_rule_and_those_its_page_names() {
    for rule in ALL.iter().filter(|rule| rule.page().before.is_none()) {
        let page = rule.page();
        let mut expected: Vec<&str> = page.also.iter().map(String::as_str).chain([rule.name]).collect();
        expected.sort_unstable();
        assert_eq!(loud(&page.bad, rule.name), expected, "bad example of {}:\n{}", rule.name, page.bad);
    }
}

#[test]
fn no_good_example_gives_anything() {
    for rule in &ALL {
        let good = &rule.page().good;
        assert_eq!(loud(good, rule.name), [] as [&str; 0], "good example of {}:\n{good}", rule.name);
    }
}
