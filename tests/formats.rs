//! The formats of `check`: each is what its readers expect, says the same as all others, and lets nothing that is
//! written in a diagram be more than text.

#![allow(clippy::format_collect, reason = "texts of a test are small enough")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may stop")]

#[path = "formats/hostile.rs"]
mod hostile;
mod program;
#[path = "formats/streams.rs"]
mod streams;
mod support;

use std::collections::BTreeSet;
use std::fs;

use program::Folder;
use serde_json::Value;
use support::Texts;
use topolint::config::Config;
use topolint::diagnostic::{Diagnostic, Edit, Fix};
use topolint::lint::{Finding, Fingerprint, Outcome};
use topolint::metadata::Level;
use topolint::report::{self, Base, COMMENT, Page, Verdict};
use topolint::rules::{ALL, Rule};
use topolint::source::{SourceMap, Span};

// ------------------------------------------------------------------------------------------------ What is written

fn text(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).expect("memory");
    String::from_utf8(out).expect("UTF-8")
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn sarif(sources: &SourceMap, outcome: &Outcome) -> Value {
    json(&text(|out| report::sarif(sources, outcome, &Base::default(), true, out)))
}

fn gitlab(sources: &SourceMap, outcome: &Outcome) -> Value {
    json(&text(|out| report::gitlab(sources, outcome, &Base::default(), out)))
}

fn rdjson(sources: &SourceMap, outcome: &Outcome) -> Value {
    json(&text(|out| report::rdjson(sources, outcome, out)))
}

fn jsonl(sources: &SourceMap, outcome: &Outcome) -> Vec<Value> {
    text(|out| report::jsonl(sources, outcome, out)).lines().map(json).collect()
}

fn junit(sources: &SourceMap, outcome: &Outcome, fail_on: Option<Level>) -> String {
    report::junit(sources, outcome, &Base::default(), Verdict { config: &Config::default(), fail_on })
}

fn markdown(sources: &SourceMap, outcome: &Outcome, most: usize) -> String {
    report::markdown(sources, outcome, &Page { base: &Base::default(), most, brief: false })
}

fn github(sources: &SourceMap, outcome: &Outcome) -> String {
    report::github(sources, outcome, &Base::default(), "elsewhere")
}

/// Each example and some texts that are wrong in every way, linted.
fn each_example(look: impl Fn(&SourceMap, &Outcome)) {
    let mut texts = Texts::default();
    for folder in ["examples", "examples/incidents"] {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                texts.0.insert(path.to_string_lossy().into_owned(), fs::read(&path).expect("a file"));
            }
        }
    }
    texts
        .0
        .insert("wrong.topo".to_owned(), "client a\na -> b { timeout 3 }\n-> ->\nälter \"ü\" }\nallow x \"y\"".into());
    texts.0.insert("empty.topo".to_owned(), Vec::new());
    for name in texts.0.keys() {
        support::with_outcome(&texts, name, &Config::default(), &look);
    }
}

fn levels<'a>(words: impl IntoIterator<Item = &'a str>, names: [&str; 3]) -> [usize; 3] {
    let mut counts = [0; 3];
    for word in words {
        counts[names.iter().position(|name| *name == word).expect("a level")] += 1;
    }
    counts
}

fn counted(outcome: &Outcome) -> [usize; 3] {
    Level::ALL.map(|level| outcome.count(level))
}

fn array(value: &Value) -> &[Value] {
    value.as_array().expect("an array")
}

fn word<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic_at(value, pointer))
}

fn panic_at<'a>(value: &Value, pointer: &str) -> &'a str {
    unreachable!("no text at {pointer} of {value}")
}

// ------------------------------------------------------------------------------------------------ What readers expect

const SARIF: &str = "tests/formats/sarif.schema.json";
const GITLAB: &str = "tests/formats/gitlab.schema.json";
const RDJSON: &str = "tests/formats/rdjson.schema.json";
const JSONL: &str = "grammar/jsonl-v1.schema.json";

fn schema(path: &str) -> jsonschema::Validator {
    let text = fs::read_to_string(path).expect("a schema");
    jsonschema::validator_for(&json(&text)).expect("a sound schema")
}

#[track_caller]
fn assert_valid(schema: &jsonschema::Validator, value: &Value) {
    let errors: Vec<String> =
        schema.iter_errors(value).map(|error| format!("{} at {}", error, error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn sarif_of_every_example_is_of_its_shape() {
    let shape = schema(SARIF);
    each_example(|sources, outcome| {
        let log = sarif(sources, outcome);
        assert_valid(&shape, &log);
        let run = &log["runs"][0];
        let rules = array(&run["tool"]["driver"]["rules"]);
        let mut named = BTreeSet::new();
        for result in array(&run["results"]) {
            let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("a small one");
            assert_eq!(rules[index]["id"], result["ruleId"]);
            named.insert(word(result, "/ruleId"));
        }
        assert!(rules.iter().map(|rule| word(rule, "/id")).eq(named), "only rules that occur are described, sorted");
    });
}

#[test]
fn regions_of_sarif_are_places_in_characters() {
    let text = "client web\nservice shop\nweb -> shop \"üä€𝄞\" { timeout none }\n";
    support::with_outcome(&Texts::one(text), support::ROOT, &Config::default(), |sources, outcome| {
        let log = sarif(sources, outcome);
        let results = array(&log["runs"][0]["results"]);
        let found = results.iter().find(|result| result["ruleId"] == "missing-timeout").expect("the finding");
        let region = &found["locations"][0]["physicalLocation"]["region"];
        let column = usize::try_from(region["startColumn"].as_u64().unwrap()).unwrap();
        let end = usize::try_from(region["endColumn"].as_u64().unwrap()).unwrap();
        let line: Vec<char> = text.lines().nth(2).unwrap().chars().collect();
        assert_eq!(line[column - 1..end - 1].iter().collect::<String>(), "timeout none");
        // reviewdog counts bytes.
        let rows = rdjson(sources, outcome);
        let row = array(&rows["diagnostics"]).iter().find(|row| row["code"]["value"] == "missing-timeout").unwrap();
        let start = row["location"]["range"]["start"]["column"].as_u64().unwrap();
        assert_eq!(usize::try_from(start).unwrap(), text.lines().nth(2).unwrap().find("timeout").unwrap() + 1);
    });
}

#[test]
fn a_witness_is_a_flow_and_nothing_found_is_an_empty_list() {
    each_example(|sources, outcome| {
        let log = sarif(sources, outcome);
        for result in array(&log["runs"][0]["results"]) {
            let print = word(result, "/partialFingerprints/topolint~1v1");
            let finding = outcome.findings.iter().find(|finding| finding.fingerprint.to_string() == print).unwrap();
            let hops = result.pointer("/codeFlows/0/threadFlows/0/locations").map_or(0, |hops| array(hops).len());
            assert_eq!(hops, finding.diagnostic.witness.len());
            assert_eq!(result.get("fixes").is_some(), finding.diagnostic.fix.is_some());
        }
    });
    let empty = Outcome::default();
    let log = sarif(&SourceMap::default(), &empty);
    assert_eq!((&log["runs"][0]["results"], &log["runs"][0]["tool"]["driver"]["rules"]), (&json("[]"), &json("[]")));
    assert_eq!(gitlab(&SourceMap::default(), &empty), json("[]"));
}

#[test]
fn gitlab_reviewdog_and_json_lines_are_of_their_shape() {
    let [issues, rows, line_of] = [GITLAB, RDJSON, JSONL].map(schema);
    each_example(|sources, outcome| {
        assert_valid(&issues, &gitlab(sources, outcome));
        assert_valid(&rows, &rdjson(sources, outcome));
        for line in jsonl(sources, outcome) {
            assert_valid(&line_of, &line);
        }
    });
}

#[test]
fn junit_and_checkstyle_are_of_their_shape() {
    each_example(|sources, outcome| {
        let text = junit(sources, outcome, Some(Level::Error));
        let document = roxmltree::Document::parse(&text).expect("XML");
        let root = document.root_element();
        assert_eq!(root.tag_name().name(), "testsuites");
        let number = |node: roxmltree::Node<'_, '_>, name| node.attribute(name).unwrap().parse::<usize>().unwrap();
        let of =
            |node: roxmltree::Node<'_, '_>, name: &str| node.descendants().filter(|n| n.has_tag_name(name)).count();
        for suite in root.children().filter(roxmltree::Node::is_element) {
            assert_eq!(suite.tag_name().name(), "testsuite");
            assert_eq!(number(suite, "tests"), of(suite, "testcase"));
            assert_eq!(number(suite, "failures"), of(suite, "failure"));
            for case in suite.children().filter(roxmltree::Node::is_element) {
                assert!(case.has_tag_name("testcase") && Rule::named(case.attribute("name").unwrap()).is_some());
                assert!(of(case, "failure") <= 1 && of(case, "system-out") <= 1);
            }
        }
        assert_eq!((number(root, "tests"), number(root, "failures")), (of(root, "testcase"), of(root, "failure")));
        assert_eq!(number(root, "tests"), ALL.len(), "a rule without a finding passes");

        let text = report::checkstyle(sources, outcome);
        let document = roxmltree::Document::parse(&text).expect("XML");
        assert_eq!(document.root_element().tag_name().name(), "checkstyle");
        let mut names = BTreeSet::new();
        for file in document.root_element().children().filter(roxmltree::Node::is_element) {
            assert!(file.has_tag_name("file") && names.insert(file.attribute("name").unwrap()), "each file once");
            for row in file.children().filter(roxmltree::Node::is_element) {
                assert!(row.has_tag_name("error") && number(row, "line") > 0 && number(row, "column") > 0);
                assert!(["message", "source", "severity"].into_iter().all(|name| row.attribute(name).is_some()));
            }
        }
    });
}

// ------------------------------------------------------------------------------------------------ All say the same

/// The number of findings by level, as each format has it.
fn by_format(sources: &SourceMap, outcome: &Outcome) -> Vec<(&'static str, [usize; 3])> {
    let names = ["error", "warn", "info"];
    let log = sarif(sources, outcome);
    let results = array(&log["runs"][0]["results"]).iter().filter(|result| result.get("suppressions").is_none());
    let issues = gitlab(sources, outcome);
    let rows = rdjson(sources, outcome);
    let lines = jsonl(sources, outcome);
    let shown = lines.iter().filter(|line| line["kind"] == "finding" && line["hidden_by"].is_null());
    let last = &lines.last().expect("the counts")["counts"];
    let checkstyle = report::checkstyle(sources, outcome);
    let checkstyle = roxmltree::Document::parse(&checkstyle).expect("XML");
    let agent = report::agent(sources, outcome);
    let (agent, _) = agent.trim_end().rsplit_once('\n').unwrap_or_default();
    let junit = junit(sources, outcome, Some(Level::Warn));
    let listed = |line: &str| names.into_iter().find(|name| line.contains(&format!(": {name}[")));
    let page = markdown(sources, outcome, usize::MAX);
    let cell = |line: &str| Some(line.strip_prefix("| ")?.split_once(" | <code>")?.0.to_owned());
    let cells: Vec<String> = page.lines().filter_map(cell).collect();
    vec![
        ("sarif", levels(results.map(|result| word(result, "/level")), ["error", "warning", "note"])),
        ("gitlab", levels(array(&issues).iter().map(|row| word(row, "/severity")), ["critical", "major", "info"])),
        (
            "rdjson",
            levels(array(&rows["diagnostics"]).iter().map(|row| word(row, "/severity")), ["ERROR", "WARNING", "INFO"]),
        ),
        ("jsonl", levels(shown.map(|line| word(line, "/level")), names)),
        ("jsonl, last line", names.map(|name| usize::try_from(last[name].as_u64().unwrap()).unwrap())),
        (
            "checkstyle",
            levels(checkstyle.descendants().filter_map(|row| row.attribute("severity")), ["error", "warning", "info"]),
        ),
        ("agent", levels(agent.lines().map(|line| line.split(' ').nth(1).unwrap()), names)),
        ("junit", levels(junit.lines().filter_map(listed), names)),
        ("markdown", levels(cells.iter().map(String::as_str), ["error", "warning", "note"])),
        ("concise", levels(report::concise(sources, outcome).lines().filter_map(listed), names)),
    ]
}

#[test]
fn all_formats_count_the_same() {
    each_example(|sources, outcome| {
        for (format, counts) in by_format(sources, outcome) {
            assert_eq!(counts, counted(outcome), "{format}");
        }
    });
}

#[test]
fn all_formats_know_a_finding_by_the_same_fingerprint() {
    each_example(|sources, outcome| {
        let prints: BTreeSet<String> = outcome.shown().map(|finding| finding.fingerprint.to_string()).collect();
        let log = sarif(sources, outcome);
        let results = array(&log["runs"][0]["results"]).iter().filter(|result| result.get("suppressions").is_none());
        let in_sarif = results.map(|result| word(result, "/partialFingerprints/topolint~1v1").to_owned());
        assert_eq!(in_sarif.collect::<BTreeSet<_>>(), prints);
        let issues = gitlab(sources, outcome);
        assert_eq!(
            array(&issues).iter().map(|row| word(row, "/fingerprint").to_owned()).collect::<BTreeSet<_>>(),
            prints
        );
        assert_eq!(array(&issues).len(), prints.len(), "GitLab takes each fingerprint once");
        let lines = jsonl(sources, outcome);
        let shown = lines.iter().filter(|line| line["kind"] == "finding" && line["hidden_by"].is_null());
        assert_eq!(shown.map(|line| word(line, "/fingerprint").to_owned()).collect::<BTreeSet<_>>(), prints);
        let junit = junit(sources, outcome, Some(Level::Error));
        let listed = junit.lines().filter_map(|line| line.trim().strip_prefix("fingerprint: "));
        assert_eq!(listed.map(str::to_owned).collect::<BTreeSet<_>>(), prints);
    });
}

const FORMATS: [&str; 13] = [
    "auto",
    "human",
    "concise",
    "json",
    "jsonl",
    "sarif",
    "github",
    "gitlab",
    "junit",
    "checkstyle",
    "rdjson",
    "markdown",
    "agent",
];

#[test]
fn the_exit_code_is_the_same_in_every_format() {
    let warns = "client web\nservice shop { load 10/s }\nweb -> shop\n";
    let folder = Folder::of("client web\nservice shop\nweb -> shop { timeout none }\n").with("warns.topo", warns);
    for (arguments, code) in [("a.topo", 1), ("a.topo --fail-on never", 0), ("warns.topo", 0), ("nope.topo", 2)] {
        for format in FORMATS {
            let run = folder.run(&format!("check {arguments} -f {format}"));
            assert_eq!(run.code, Some(code), "{arguments} -f {format}: {run:?}");
        }
    }
}

// ------------------------------------------------------------------------------------------------ Limits

fn finding(rule: &str, level: Level, diagnostic: Diagnostic) -> Finding {
    Finding {
        rule: Rule::named(rule).expect("a rule"),
        level,
        diagnostic: Box::new(diagnostic),
        hidden: None,
        fingerprint: Fingerprint::default(),
        caused_by: Vec::new(),
    }
}

/// So many findings of each level.
fn many(numbers: [usize; 3]) -> (SourceMap, Outcome) {
    let mut sources = SourceMap::default();
    let source = sources.add("a.topo", "client web\n");
    let span = Span { source, start: 0, end: 6 };
    let of = |(level, number): (Level, usize)| {
        let message = move |index| format!("`web` is wrong in way {index}, at length: {}", "x".repeat(200));
        (0..number).map(move |index| finding("missing-timeout", level, Diagnostic::new(span, message(index))))
    };
    let findings = Level::ALL.into_iter().zip(numbers).flat_map(of).collect();
    (sources, Outcome { findings, topologies: Vec::new() })
}

#[test]
fn github_gets_the_worst_ten_of_each_level_and_a_count_of_the_rest() {
    let (sources, outcome) = many([25, 12, 15]);
    let text = github(&sources, &outcome);
    let of = |command: &str| text.lines().filter(|line| line.starts_with(command)).count();
    assert_eq!((of("::error "), of("::warning "), of("::notice ")), (10, 10, 10));
    let last = text.lines().last().expect("the count");
    assert!(last.starts_with("::notice title=topolint::15 errors, 2 warnings, 6 notes without"), "{last}");
    let (sources, outcome) = many([10, 10, 10]);
    let text = github(&sources, &outcome);
    assert!(text.lines().count() == 30 && !text.contains("title=topolint"), "all fit");
}

#[test]
fn a_comment_fits_and_what_does_not_is_counted() {
    for numbers in [[0, 0, 0], [3, 2, 1], [150, 0, 0], [2000, 2000, 1000]] {
        let (sources, outcome) = many(numbers);
        let page = markdown(&sources, &outcome, COMMENT);
        assert!(page.len() <= COMMENT, "{} bytes", page.len());
        let rows = page.lines().filter(|line| line.contains("<code>missing-timeout</code> |")).count();
        let left = page.lines().find_map(|line| line.strip_prefix("… and ")?.split(' ').next()?.parse::<usize>().ok());
        assert_eq!(rows + left.unwrap_or(0), numbers.iter().sum::<usize>());
        assert_eq!(page.matches("<details>").count(), page.matches("</details>").count());
        assert!(page.contains("| failure is not partial |"), "the bets are in");
    }
    let (sources, outcome) = many([150, 0, 0]);
    let page = markdown(&sources, &outcome, COMMENT);
    let details = page.matches("\n---\n").count();
    assert!(
        details < 150 && page.contains(&format!("The details of {} further findings do not fit here.", 150 - details))
    );
}

#[test]
fn junit_fails_at_or_above_the_level_that_fails_the_run() {
    let (sources, outcome) = many([1, 1, 1]);
    for (fail_on, failing) in [(Some(Level::Error), 1), (Some(Level::Warn), 2), (Some(Level::Info), 3), (None, 0)] {
        let text = junit(&sources, &outcome, fail_on);
        let document = roxmltree::Document::parse(&text).expect("XML");
        let listed = |tag: &str| {
            let node = document.descendants().find(|node| node.has_tag_name(tag));
            node.and_then(|node| node.text()).map_or(0, |text| text.matches("fingerprint: ").count())
        };
        assert_eq!((listed("failure"), listed("system-out")), (failing, 3 - failing), "{fail_on:?}");
    }
}

// ------------------------------------------------------------------------------------------------ Fixes, suppressions

#[test]
fn a_fix_is_a_replacement_that_can_be_applied() {
    let mut sources = SourceMap::default();
    let source = sources.add("a.topo", "client ü; service b\n");
    let span = Span { source, start: 8, end: 10 };
    let mut diagnostic = Diagnostic::new(span, "wrong");
    let edits = vec![
        Edit { span: Span { source, start: 7, end: 9 }, replacement: "u\"".to_owned() },
        Edit { span: Span { source, start: 11, end: 11 }, replacement: "x ".to_owned() },
        Edit { span: Span { source, start: 9, end: 10 }, replacement: String::new() },
    ];
    diagnostic.fix = Some(Fix { title: "write it".to_owned(), safe: false, edits });
    let outcome = Outcome { findings: vec![finding("wrong-value", Level::Error, diagnostic)], topologies: Vec::new() };
    let agent = report::agent(&sources, &outcome);
    let fix = r#"; fix: replace 1:8-1:9 with "u\"" and insert "x " at 1:11 and delete 1:9-1:10 (it changes what the diagram says)"#;
    assert!(agent.lines().next().unwrap().ends_with(fix), "{agent}");
    let rows = rdjson(&sources, &outcome);
    let suggestions = array(&rows["diagnostics"][0]["suggestions"]);
    assert_eq!(
        suggestions[0]["range"],
        json(r#"{"start": {"line": 1, "column": 8}, "end": {"line": 1, "column": 10}}"#)
    );
    let replaced = sarif(&sources, &outcome);
    let replaced = array(&replaced["runs"][0]["results"][0]["fixes"][0]["artifactChanges"]).to_vec();
    assert_eq!((replaced.len(), array(&replaced[0]["replacements"]).len()), (1, 3));
}

#[test]
fn what_is_suppressed_stays_in_sarif_with_its_reason_unless_it_is_not_wanted() {
    let text =
        "client web\nservice shop\nweb -> shop { timeout none; allow missing-timeout \"people press reload\" }\n";
    let folder = Folder::of(text);
    let log = json(&folder.run("check a.topo -f sarif").out);
    let results = array(&log["runs"][0]["results"]);
    let allowed = results.iter().find(|result| result["ruleId"] == "missing-timeout").expect("it is kept");
    let suppression = &allowed["suppressions"][0];
    assert_eq!((&suppression["kind"], &suppression["status"]), (&json("\"inSource\""), &json("\"accepted\"")));
    assert_eq!(suppression["justification"], "people press reload");
    assert_eq!(suppression["location"]["physicalLocation"]["region"]["startLine"], 3);
    let log = json(&folder.run("check a.topo -f sarif --no-suppressed").out);
    assert!(array(&log["runs"][0]["results"]).iter().all(|result| result["ruleId"] != "missing-timeout"));
    assert_eq!(log["runs"][0]["properties"]["counts"]["hidden"]["allow"], 1, "and still counted");
    // What is off or not selected is no result.
    let log = json(&folder.run("check a.topo -f sarif --no-allow --off missing-timeout").out);
    assert!(array(&log["runs"][0]["results"]).iter().all(|result| result["ruleId"] != "missing-timeout"));
}

#[test]
fn what_a_baseline_knows_is_suppressed_from_outside() {
    let folder = Folder::of("client web\nservice shop\nweb -> shop { timeout none }\n");
    let run = folder.run("baseline create a.topo --baseline known.yaml");
    assert_eq!(run.code, Some(0), "{run:?}");
    let run = folder.run("check a.topo -f sarif --baseline known.yaml");
    assert_eq!(run.code, Some(0), "{run:?}");
    let log = json(&run.out);
    assert_valid(&schema(SARIF), &log);
    let results = array(&log["runs"][0]["results"]);
    assert!(!results.is_empty());
    assert!(results.iter().all(|result| result["suppressions"][0]["kind"] == "external"), "{results:?}");
    for (format, empty) in [("gitlab", "[]\n"), ("github", ""), ("concise", "")] {
        assert_eq!(folder.run(&format!("check a.topo -f {format} --baseline known.yaml")).out, empty);
    }
}
