//! What a finding tells to write leads to no other finding.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod program;

use program::Folder;
use serde_json::Value;

/// The help of the first finding of a rule.
fn help(text: &str, rule: &str) -> String {
    let run = Folder::of(text).run("check -f json a.topo");
    let report: Value = serde_json::from_str(&run.out).expect("JSON");
    let findings = report["findings"].as_array().expect("findings");
    let finding =
        findings.iter().find(|finding| finding["rule"] == rule).unwrap_or_else(|| panic!("no {rule}: {run:?}"));
    let help = finding["help"].as_array().expect("help").iter().map(|way| way.as_str().expect("text"));
    help.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_deadline_that_is_handed_down_has_to_be_taken_up() {
    let text = "client web { -> a { timeout 2s } }\nservice a { deadline 1s; -> b }\n\
                service b { -> c { timeout 300ms } }\nservice c { readonly }\n";
    assert!(help(text, "missing-timeout").contains("`deadline inherited` here, and on `b` and its calls"));
    let leaf = text.replace("-> c { timeout 300ms }", "readonly");
    let leaf = help(&leaf, "missing-timeout");
    assert!(leaf.contains("`deadline inherited`") && !leaf.contains("and its calls"), "{leaf}");
}

#[test]
fn a_proposed_timeout_leaves_room_for_the_proposed_waits() {
    let text = "client web { -> a { timeout 9s } }\nservice a { -> b }\n\
                service b { -> c { timeout 500ms; retries 2 } }\nservice c { readonly }\n";
    assert!(help(text, "retry-without-backoff").contains("`backoff exponential 50ms..500ms jitter full`"));
    assert!(help(text, "missing-timeout").contains("`timeout 1.8s`: `b` can work for 1.5 s, and 150 ms more"));
    let written = text.replace("-> b }", "-> b { timeout 1.8s } }");
    let written = written.replace("retries 2", "retries 2; backoff exponential 50ms..500ms jitter full");
    let report = Folder::of(written).run("check -f concise a.topo");
    assert!(!report.out.contains("timeout-inversion"), "{report:?}");
}

#[test]
fn what_is_stated_already_is_not_proposed() {
    let text = "client web { -> a { timeout 9s } }\nservice a { ->> jobs }\n\
                queue jobs { max-receives 5; ordered by customer }\njobs ->> b\nservice b { idempotent }\n";
    let ordered = help(text, "missing-dead-letter");
    assert!(ordered.contains("`max-receives unlimited`") && !ordered.contains("`ordered by"), "{ordered}");
    let plain = help(&text.replace("; ordered by customer", ""), "missing-dead-letter");
    assert!(plain.contains("`ordered by KEY` and `max-receives unlimited`"), "{plain}");
}

#[test]
fn a_group_whose_members_differ_shows_the_help_of_the_first() {
    let callees: String = [1, 2, 3].map(|n| format!("service s{n} {{ -> db.read {{ timeout {n}00ms }} }}\n")).concat();
    let text =
        format!("client web {{ -> a {{ timeout 9s }} }}\nservice a {{ -> s1; -> s2; -> s3 }}\n{callees}store db\n");
    let report = Folder::of(text).run("check -f human a.topo");
    let flat = report.flat();
    assert!(flat.contains("3 calls state no timeout"), "{report:?}");
    assert!(flat.contains("help: for `a -> s1`, and alike for the others: write `timeout 110ms`"), "{report:?}");
}

#[test]
fn a_long_line_is_cut_around_what_is_said_of_it() {
    let names: Vec<String> = (1..=60).map(|n| format!("s{n}")).collect();
    let text = format!(
        "client web\nservice a\nservice {} # {}\nweb -> a {{ timeout 1s }}\n{}; a -> s60 {{ timeout none }}; a -> s1 {{ timeout 1s }} # {}\n",
        names.join(", "),
        "x".repeat(200),
        "a -> s2 { timeout 1s }; a -> s3 { timeout 1s }; a -> s4 { timeout 1s }; a -> s5 { timeout 1s }",
        "ü".repeat(200),
    );
    let report = Folder::of(text).run("check -f human --select missing-timeout a.topo");
    assert!(report.out.contains("timeout none") && report.out.contains('…'), "{report:?}");
    assert!(report.out.lines().all(|line| line.chars().count() <= 80), "{report:?}");
    assert!(report.out.contains("a.topo:5:"), "the place stays that of the text: {report:?}");
}
