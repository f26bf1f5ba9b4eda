//! What programs read: the report as `json-v1`, fingerprints, `facts-v1` and `rules-v1`, held against their published
//! schemas for every example and fixture.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod program;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use program::Folder;
use serde_json::Value;
use support::Texts;
use topolint::analysis::Facts;
use topolint::config::Config;
use topolint::lint::Finding;
use topolint::metadata::built_in_clients;
use topolint::model::{Loader, lower};
use topolint::report;
use topolint::rules::ALL;

// ------------------------------------------------------------------------------------------------ The schemas

fn schema(name: &str) -> Validator {
    let text = fs::read_to_string(format!("grammar/{name}.schema.json")).expect("a schema");
    jsonschema::validator_for(&serde_json::from_str(&text).expect("JSON")).expect("a sound schema")
}

#[track_caller]
fn assert_valid(schema: &Validator, text: &str, what: &str) -> Value {
    let value: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{what}: {error}"));
    let wrong: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).take(3).collect();
    assert!(wrong.is_empty(), "{what}: {wrong:?}");
    value
}

/// All `.topo` files below a folder.
fn topologies(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut found: Vec<PathBuf> = entries
        .flat_map(|path| if path.is_dir() { topologies(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|ending| ending == "topo"))
        .collect();
    found.sort();
    found
}

/// Texts that reach every corner of a report.
const CORNERS: [&str; 6] = [
    "",
    "{{{",
    "client web\nservice shop \"\u{9b}31m\u{202e}\"\nweb -> shop { timeout 5; allow missing-timeout }\nweb -> nope\n",
    "client web\nservice shop\nweb -> shop { timeout none; allow missing-timeout \"by \\\"hand\\\"\" until 2020-01-01 }\n",
    "client web\nservice a, b\nweb -> a { timeout 1s }\na -> b { timeout none; retries unlimited; times unlimited }\n",
    "service a { -> b { local } }\nservice b { -> a { local } }\ninclude \"nope.topo\"\n",
];

fn all_texts() -> Vec<(String, String)> {
    let files = ["examples", "tests/rules"].iter().flat_map(|folder| topologies(Path::new(folder)));
    let files = files.map(|path| (path.display().to_string(), fs::read_to_string(&path).expect("a file")));
    let pages = ALL
        .iter()
        .flat_map(|rule| [rule.page().bad.clone(), rule.page().good.clone()].map(|text| (rule.name.to_owned(), text)));
    files.chain(pages).chain(CORNERS.iter().map(|text| ("corner".to_owned(), (*text).to_owned()))).collect()
}

fn json(text: &str, config: &Config) -> String {
    support::with_outcome(&Texts::one(text), support::ROOT, config, |sources, outcome| {
        let mut out = Vec::new();
        report::json(sources, outcome, &mut out).expect("memory");
        String::from_utf8(out).expect("UTF-8")
    })
}

#[test]
fn every_report_obeys_its_schema() {
    let schema = schema("json-v1");
    let texts = all_texts();
    assert!(texts.len() > 100, "only {} texts were found", texts.len());
    for (name, text) in texts {
        let value = assert_valid(&schema, &json(&text, &Config::default()), &name);
        for finding in value["findings"].as_array().expect("findings") {
            let labels = finding["labels"]
                .as_array()
                .expect("labels")
                .iter()
                .chain(finding["witness"].as_array().expect("hops"));
            let places = labels.map(|label| label.get("place").unwrap_or(label)).chain([&finding["place"]]);
            let here = places.filter(|place| place["file"] == support::ROOT);
            for end in here.flat_map(|place| [&place["start"], &place["end"]]) {
                let number = |key: &str| usize::try_from(end[key].as_u64().expect("a number")).expect("small");
                assert_eq!(offset(&text, number("line"), number("column")), number("offset"), "{name}: {finding}");
            }
        }
    }
}

/// The bytes before a position.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let inside: usize = text[before..].chars().take(column - 1).map(char::len_utf8).sum();
    before + inside
}

#[test]
fn all_facts_obey_their_schema() {
    let schema = schema("facts-v1");
    for (name, text) in all_texts() {
        assert_valid(&schema, &facts(&text), &name);
    }
}

fn facts(text: &str) -> String {
    let files = Texts::one(text);
    let mut loader = Loader::new(&files);
    let project = loader.project(support::ROOT);
    let (topology, problems) = lower(&loader, &project, built_in_clients());
    let mut out = Vec::new();
    let facts = [Facts::new(&topology, built_in_clients())];
    report::facts_json(&facts, &[problems.len()], &mut out).expect("memory");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn the_program_prints_what_the_schemas_say() {
    let folder = Folder::of(MIXED).with("topolint.yaml", "levels:\n  sync-cycle: info\n");
    for (command, name) in [("check -f json", "json-v1"), ("facts -f json", "facts-v1"), ("rules -f json", "rules-v1")]
    {
        let run = folder.run(command);
        assert_eq!(run.err, "", "{command}");
        assert_eq!(assert_valid(&schema(name), &run.out, command)["schema"], name);
    }
}

// ------------------------------------------------------------------------------------------------- The report

/// One of each: proved, possible, silenced, and one that only follows.
const MIXED: &str = "client web
service shop, stock, prices
web -> shop { timeout none }
shop -> stock
shop -> prices { allow missing-timeout \"they are fast\" }
";

fn mixed() -> Value {
    serde_json::from_str(&json(MIXED, &Config::default())).expect("JSON")
}

fn about<'a>(report: &'a Value, rule: &str, subject: &str) -> &'a Value {
    let findings = report["findings"].as_array().expect("findings");
    let found = findings.iter().find(|finding| finding["rule"] == rule && finding["subjects"][0] == subject);
    found.unwrap_or_else(|| panic!("no {rule} of {subject} in {report:#}"))
}

#[test]
fn a_finding_has_level_certainty_place_and_help() {
    let report = mixed();
    let finding = about(&report, "missing-timeout", "web->shop");
    assert_eq!((&finding["level"], &finding["certainty"]), (&"error".into(), &"proved".into()));
    assert_eq!(finding["place"]["start"], serde_json::json!({"line": 3, "column": 15, "offset": 53}));
    assert_eq!(finding["place"]["end"], serde_json::json!({"line": 3, "column": 27, "offset": 65}));
    assert_eq!(finding["family"], "reliable-network");
    assert!(finding["help"][0].as_str().expect("help").starts_with("write `timeout "));
    let possible = about(&report, "missing-timeout", "shop->stock");
    assert_eq!((&possible["level"], &possible["certainty"]), (&"warn".into(), &"possible".into()));
}

#[test]
fn what_is_hidden_is_in_it_with_what_hides_it() {
    let report = mixed();
    let silenced = &about(&report, "missing-timeout", "shop->prices")["hidden_by"];
    assert_eq!((&silenced["by"], &silenced["reason"]), (&"allow".into(), &"they are fast".into()));
    assert_eq!(silenced["place"]["start"]["line"], 5);
    let folded = about(&report, "unbounded-latency", "shop");
    assert_eq!(folded["hidden_by"]["by"], "causes");
    let causes: BTreeSet<&str> =
        folded["caused_by"].as_array().expect("causes").iter().filter_map(Value::as_str).collect();
    let print = |call| about(&report, "missing-timeout", call)["fingerprint"].as_str().expect("text");
    let expected = ["shop->stock", "shop->prices"].map(print);
    assert_eq!(causes, BTreeSet::from(expected), "causes are named by their fingerprints");
    assert_eq!(
        report["counts"]["hidden"],
        serde_json::json!({ "allow": 1, "baseline": 0, "configuration": 0, "selection": 0, "causes": 1, "base": 0})
    );
    assert_eq!((&report["counts"]["error"], &report["counts"]["warn"]), (&1.into(), &1.into()));
}

#[test]
fn a_witness_has_numbers_with_units() {
    let text = fs::read_to_string("examples/bookinfo.topo").expect("an example");
    let report: Value = serde_json::from_str(&json(&text, &Config::default())).expect("JSON");
    let inversion = about(&report, "timeout-inversion", "productpage->reviews-v2");
    assert_eq!(inversion["witness"][0]["value"], serde_json::json!({"amount": 3.0, "unit": "s"}));
    assert_eq!(inversion["witness"][1]["place"]["start"]["line"], 44);
    assert_eq!(inversion["fix"], Value::Null, "the browser would not wait so long");
}

#[test]
fn a_fix_replaces_what_is_written_where_the_caller_can_afford_it() {
    let text = |wait: &str| {
        format!(
            "client web\nservice a, b, c\nweb -> a {{ timeout {wait} }}\na -> b {{ timeout 1s }}\nb -> c {{ timeout 2s }}\n"
        )
    };
    let fix = |wait| {
        let report: Value = serde_json::from_str(&json(&text(wait), &Config::default())).expect("JSON");
        about(&report, "timeout-inversion", "a->b")["fix"].clone()
    };
    assert_eq!(fix("9s")["edits"][0]["replacement"], "timeout 2.5s");
    assert_eq!(fix("1.5s"), Value::Null);
}

#[test]
fn offsets_are_bytes_and_columns_are_characters() {
    let text = "client web\nservice shop\nweb -> shop \"ü\" { timeout 1s }; web -> nope\n";
    let report: Value = serde_json::from_str(&json(text, &Config::default())).expect("JSON");
    let place = &report["findings"][0]["place"];
    let end = |end: &str| usize::try_from(place[end]["offset"].as_u64().expect("one")).expect("small");
    assert_eq!(&text[end("start")..end("end")], "nope");
    assert_eq!((&place["start"]["line"], &place["start"]["column"]), (&3.into(), &40.into()));
}

#[test]
fn the_counts_and_the_exit_code_are_those_of_the_other_formats() {
    let folder = Folder::of(MIXED);
    let (json, human) = (folder.run("check -f json"), folder.run("check -f human -q"));
    assert_eq!((json.code, human.code), (Some(1), Some(1)));
    assert!(human.flat().contains("1 error, 1 warning in 4 nodes and 3 calls"), "{human:?}");
    assert!(human.flat().contains("hidden: 1 by `allow`, 1 that only follow from these"), "{human:?}");
    assert_eq!(folder.run("check -f json --fail-on never").code, Some(0));
    let concise = folder.run("check").out;
    let report: Value = serde_json::from_str(&json.out).expect("JSON");
    let shown =
        report["findings"].as_array().expect("findings").iter().filter(|finding| finding["hidden_by"].is_null());
    let lines: Vec<String> = shown
        .map(|finding| {
            let (start, text) = (&finding["place"]["start"], |key: &str| finding[key].as_str().expect("text"));
            format!(
                "a.topo:{}:{}: {}[{}] {}\n",
                start["line"],
                start["column"],
                text("level"),
                text("rule"),
                text("message")
            )
        })
        .collect();
    assert_eq!(lines.concat(), concise);
}

// --------------------------------------------------------------------------------------------- The fingerprints

/// How often each fingerprint of a rule is found, hidden or not.
fn prints(files: &Texts, root: &str) -> BTreeMap<String, usize> {
    support::with_outcome(files, root, &Config::default(), |_, outcome| {
        let print = |finding: &Finding| format!("{} {}", finding.rule.name, finding.fingerprint);
        let mut prints = BTreeMap::new();
        for finding in &outcome.findings {
            *prints.entry(print(finding)).or_insert(0) += 1;
        }
        assert!(prints.values().all(|count| *count == 1), "a fingerprint belongs to one finding: {prints:#?}");
        prints
    })
}

fn of(text: &str) -> BTreeMap<String, usize> {
    prints(&Texts::one(text), support::ROOT)
}

/// Findings of the graph, of the text and of suppressions.
const SEVERAL: &str = "client web \"The web\"
service shop \"Shop\" {
  -> stock \"looks\" { retries 2 }
  -> prices { timeout 5 }
  -> prices
}
service stock { -> shop }
service prices, lonely, lost
policy spare { timeout 1s }
store db \"The store\"
web -> shop \"asks\" { timeout none }
web -> nope
stock -> db \"writes\"
stock -> db.write { allow missing-timeout }
prices -> db.read { timeout 1s; allow sync-cycle \"never\" }
bogus thing
";

#[test]
fn renaming_a_file_changes_no_fingerprint() {
    let files = Texts([("other/place.topo".to_owned(), SEVERAL.as_bytes().to_vec())].into());
    assert!(of(SEVERAL).len() > 15, "{:#?}", of(SEVERAL));
    assert_eq!(prints(&files, "other/place.topo"), of(SEVERAL));
}

#[test]
fn moving_a_block_changes_no_fingerprint() {
    let block = &SEVERAL[SEVERAL.find("service shop").expect("it")..SEVERAL.find("service stock").expect("it")];
    let grouped = SEVERAL.replace(block, &format!("group inner \"Box\" {{ group innermost {{\n{block}}} }}\n"));
    assert_eq!(of(&grouped), of(SEVERAL));
    let included = Texts::several([SEVERAL.replace(block, "include \"part-1.topo\"\n"), block.to_owned()]);
    assert_eq!(prints(&included, support::ROOT), of(SEVERAL));
}

#[test]
fn rewording_a_label_changes_no_fingerprint() {
    let reworded = ["The web", "Shop", "looks", "The store", "asks", "writes", "never"]
        .iter()
        .fold(SEVERAL.to_owned(), |text, label| text.replace(&format!("\"{label}\""), "\"another one\""));
    assert_ne!(reworded, SEVERAL);
    assert_eq!(of(&reworded), of(SEVERAL));
    assert_eq!(of(&SEVERAL.replace(" \"asks\"", "")), of(SEVERAL));
}

#[test]
fn reordering_declarations_changes_no_fingerprint() {
    let mut blocks: Vec<String> = Vec::new();
    for line in SEVERAL.lines() {
        match blocks.last_mut().filter(|block| block.matches('{').count() > block.matches('}').count()) {
            Some(block) => block.extend([line, "\n"]),
            None => blocks.push(format!("{line}\n")),
        }
    }
    blocks.reverse();
    assert_eq!(of(&blocks.concat()), of(SEVERAL), "{blocks:#?}");
}

#[test]
fn a_circle_is_the_same_wherever_it_starts() {
    let calls = ["a -> b\n", "b -> c\n", "c -> a\n"];
    let found = |order: [usize; 3]| {
        let calls: String = order.iter().map(|index| calls[*index]).collect();
        let all = of(&format!("service c, a, b\nclient web\nweb -> b {{ timeout 1s }}\n{calls}"));
        all.into_keys().filter(|print| print.starts_with("sync-cycle")).collect::<Vec<_>>()
    };
    assert_eq!(found([0, 1, 2]).len(), 1);
    assert_eq!(found([0, 1, 2]), found([1, 2, 0]));
    assert_eq!(found([0, 1, 2]), found([2, 1, 0]));
}

/// What is found in one text and not in the other.
fn new(before: &str, after: &str) -> Vec<String> {
    let before = of(before);
    of(after)
        .into_keys()
        .filter(|print| !before.contains_key(print))
        .map(|print| print.split(' ').next().expect("a rule").to_owned())
        .collect()
}

#[test]
fn one_violation_is_not_another() {
    let swaps = [
        ("missing-timeout", "a -> b\na -> c { timeout 1s }\n", "a -> b { timeout 1s }\na -> c\n"),
        ("unknown-name", "a -> shpo { timeout 1s }\n", "a -> shopp { timeout 1s }\n"),
        ("unknown-name", "a -> b { use qick; timeout 1s }\n", "a -> b { use quik; timeout 1s }\n"),
        (
            "wrong-unit",
            "a -> b { timeout 5 }\na -> c { timeout 1s }\n",
            "a -> b { timeout 1s }\na -> c { timeout 5 }\n",
        ),
        ("wrong-unit", "a -> b { timeout 5; deadline 1s }\n", "a -> b { timeout 5s; deadline 1 }\n"),
        ("unreachable-node", "service d, e\na -> d { timeout 1s }\n", "service d, e\na -> e { timeout 1s }\n"),
        ("broken-include", "include \"x.topo\"\n", "include \"y.topo\"\n"),
        (
            "unused-allow",
            "a -> b { timeout 1s; allow sync-cycle \"x\" }\n",
            "a -> b { timeout 1s; allow timeout-inversion \"x\" }\n",
        ),
        ("syntax", "a -> b { timeout: 1s }\n", "a -> b { deadline: 1s }\n"),
        ("syntax", "a <- b\n", "a <- c\n"),
        ("syntax", "service x ]\n", "service y ]\n"),
    ];
    let start = "client web\nservice a, b, c\nweb -> a { timeout 9s }\nb -> c { timeout 1s }\n";
    for (rule, before, after) in swaps {
        let fresh = new(&format!("{start}{before}"), &format!("{start}{after}"));
        assert!(fresh.iter().any(|fresh| fresh == rule), "{before}{after}{fresh:?}");
    }
}

#[test]
fn equal_ones_are_told_apart_in_written_order() {
    let twice = "client web\nservice a, b\nweb -> a { timeout 9s }\na -> b { timeout 5 }\na -> b { timeout 5 }\n";
    assert_eq!(
        new(&twice.replacen(" { timeout 5 }", " { timeout 1s }", 1), twice),
        ["wrong-unit"],
        "one more, one new"
    );
    assert_eq!(
        new(twice, &twice.replacen(" { timeout 5 }", " { timeout 1s }", 1)),
        [] as [&str; 0],
        "one less, none new"
    );
}

#[test]
fn silencing_and_levels_change_no_fingerprint() {
    let silenced = SEVERAL.replace("{ timeout none }", "{ timeout none; allow missing-timeout \"x\" }");
    assert_eq!(of(&silenced), of(SEVERAL));
    let folder = Folder::of(SEVERAL);
    let of = |arguments: &str| {
        let report: Value = serde_json::from_str(&folder.run(arguments).out).expect("JSON");
        let findings = report["findings"].as_array().expect("findings").iter();
        findings.map(|finding| finding["fingerprint"].to_string()).collect::<BTreeSet<_>>()
    };
    let plain = of("check -f json");
    for flags in
        ["--off reliable-network", "--select sync-cycle", "--strict", "--error unused-policy", "--info missing-timeout"]
    {
        assert_eq!(of(&format!("check -f json {flags}")), plain, "{flags}");
    }
}

#[test]
fn topologies_that_say_the_same_have_findings_of_their_own() {
    let folder = Folder::of(SEVERAL).with("b.topo", SEVERAL);
    let report: Value = serde_json::from_str(&folder.run("check -f json").out).expect("JSON");
    let findings = report["findings"].as_array().expect("findings");
    let fingerprints: BTreeSet<String> = findings.iter().map(|finding| finding["fingerprint"].to_string()).collect();
    assert_eq!((fingerprints.len(), findings.len()), (findings.len(), 2 * of(SEVERAL).len()));
    assert_eq!(report["topologies"].as_array().map(Vec::len), Some(2));
}

#[test]
fn what_only_one_of_two_topologies_silences_is_reported() {
    let shared = "service shop, stock\nshop -> stock { timeout none }\n";
    let roots = ["topology t { allow missing-timeout \"known\" }\n", ""];
    let folder =
        roots.iter().zip(["a", "b"]).fold(Folder::new().with("parts/shared.topo", shared), |folder, (allow, name)| {
            folder.with(
                &format!("{name}.topo"),
                format!("include \"parts/*.topo\"\n{allow}client web\nweb -> shop {{ timeout 1s }}\n"),
            )
        });
    let run = folder.run("check");
    assert_eq!(run.of_rule("missing-timeout").len(), 1, "{run:?}");
    assert_eq!(folder.run("check a.topo").of_rule("missing-timeout").len(), 0);
}

/// `printf 'topolint-v1\0missing-timeout\0web->shop#0' | sha256sum | head -c 32`
#[test]
fn a_fingerprint_is_what_its_definition_says() {
    let all = of("client web\nservice shop\nweb -> shop\n");
    assert!(all.contains_key("missing-timeout 6c8e7e610fbdb8af460ec3b48272144b"), "{all:#?}");
}

// --------------------------------------------------------------------------------------------------- The facts

const CHAIN: &str = "client web
service shop { operation buy { deadline 2s; -> stock.take { timeout 500ms; retries 1; backoff fixed 100ms } } }
service stock { operation take { -> db.write { timeout 1s } } operation look { readonly; -> db.read } }
store db
web -> shop.buy { timeout 5s }
shop.buy -> stock.look
";

fn row<'a>(facts: &'a Value, list: &str, name: &str) -> &'a Value {
    let rows = facts["topologies"][0][list].as_array().expect("rows");
    let named = |row: &&Value| match list {
        "calls" => format!("{}->{}", row["from"].as_str().expect("text"), row["to"].as_str().expect("text")) == name,
        _ => row["operation"] == name,
    };
    rows.iter().find(named).unwrap_or_else(|| panic!("no {name} in {facts:#}"))
}

#[test]
fn facts_have_numbers_in_seconds_and_reasons_where_there_are_none() {
    let facts: Value = serde_json::from_str(&facts(CHAIN)).expect("JSON");
    let take = row(&facts, "operations", "stock.take");
    assert_eq!((&take["worst_case_s"], &take["at_least_s"]), (&1.0.into(), &1.0.into()));
    assert_eq!(take["repeat"], "unknown", "what is written twice?");
    let look = row(&facts, "operations", "stock.look");
    assert_eq!((&look["worst_case_s"], &look["repeat"]), (&Value::Null, &"safe".into()));
    assert_eq!(look["witness"]["worst_case_s"], serde_json::json!(["stock.look->db.read"]));
    assert_eq!(look["why"]["worst_case_s"], "nothing that is stated ends these calls");
    let buy = row(&facts, "operations", "shop.buy");
    assert_eq!((&buy["entry"], &buy["worst_case_s"]), (&true.into(), &2.0.into()), "it gives up by its deadline");
    let call = row(&facts, "calls", "shop.buy->stock.take");
    assert_eq!((&call["attempts"], &call["worst_case_s"]), (&2.into(), &1.1.into()));
    let bare = row(&facts, "calls", "shop.buy->stock.look");
    assert_eq!((&bare["worst_case_s"], &bare["at_least_s"]), (&Value::Null, &0.0.into()));
    assert_eq!(bare["why"]["attempts"], "not stated: one try is counted");
    let read = row(&facts, "operations", "db.read");
    assert_eq!(
        (&read["worst_case_s"], &read["why"]["worst_case_s"]),
        (&Value::Null, &"nothing is stated of its own work".into())
    );
    assert_eq!(facts["topologies"][0]["coverage"]["timeout"]["stated"], 3);
}

#[test]
fn what_has_no_end_is_said_with_its_witness() {
    let facts: Value = serde_json::from_str(&facts(
        "client web\nservice a, b\nweb -> a { timeout 1s }\na -> b { timeout none; retries unlimited }\n",
    ))
    .expect("JSON");
    let a = row(&facts, "operations", "a");
    assert_eq!((&a["worst_case_s"], &a["at_least_s"]), (&"unbounded".into(), &"unbounded".into()));
    assert_eq!(a["witness"]["worst_case_s"], serde_json::json!(["a->b"]));
    assert_eq!(row(&facts, "calls", "a->b")["attempts"], "unlimited");
}

#[test]
fn whether_an_operation_may_run_again_follows_from_all_that_it_calls() {
    let repeat = |text: &str| {
        let facts: Value = serde_json::from_str(&facts(text)).expect("JSON");
        row(&facts, "operations", "a")["repeat"].as_str().expect("a word").to_owned()
    };
    let deep = |end: &str| format!("service a {{ -> b }}\nservice b {{ -> c }}\n{end}");
    assert_eq!(repeat(&deep("service c { -> db.write { idempotent } }\nstore db")), "safe");
    assert_eq!(repeat(&deep("service c { -> db.write { idempotent none } }\nstore db")), "unsafe");
    assert_eq!(repeat(&deep("service c { ->> q }\nqueue q\nq ->> d\nservice d { idempotent none }")), "unsafe");
    assert_eq!(repeat(&deep("external c")), "unknown");
    assert_eq!(repeat(&deep("service c { -> a }")), "safe", "a circle that writes nothing");
    assert_eq!(repeat("service a { idempotent by-key; -> db.write { idempotent none } }\nstore db"), "safe");
    let barrier = |key: &str| {
        repeat(&format!(
            "service a {{ -> b {{ key {key} }} }}\nservice b {{ idempotent by-key; -> c }}\nexternal c {{ idempotent none }}"
        ))
    };
    assert_eq!(barrier("forwarded"), "safe");
    assert_eq!(barrier("per-request"), "unsafe", "another key at every run of `a`");
    assert_eq!(
        repeat("service a { -> b }\nservice b { idempotent by-key; -> c }\nexternal c { idempotent none }"),
        "unknown"
    );
    let startup = "-> b { phase startup } }\nexternal b { idempotent none }";
    assert_eq!(repeat(&format!("service a {{ readonly; {startup}")), "safe");
    assert_eq!(repeat(&format!("service a {{ {startup}")), "unknown", "what a request makes it do is not drawn");
}

#[test]
fn the_table_of_facts_fits_and_says_what_is_missing() {
    for name in ["bare", "bookinfo", "online-boutique", "shop"] {
        let text = fs::read_to_string(format!("examples/{name}.topo")).expect("an example");
        let run = Folder::of(text).run("facts");
        assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
        let wide: Vec<&str> = run.out.lines().filter(|line| line.chars().count() > 80).collect();
        assert_eq!(wide, [] as [&str; 0], "{name}");
        assert!(run.out.contains("timeout on calls"), "{}", run.out);
    }
    let broken = Folder::of(format!("{CHAIN}web -> nope\nbogus\n")).run("facts");
    assert!(broken.flat().contains("not analysed: what 2 mistakes in the text concern"), "{broken:?}");
    let broken = Folder::of(format!("{CHAIN}web -> nope\n")).run("facts -f json");
    assert!(broken.out.contains("what 1 mistake in the text concerns"), "{broken:?}");
}

#[test]
fn facts_refuse_what_check_refuses() {
    let folder = Folder::of(CHAIN);
    assert_eq!(folder.run("facts nope.topo").code, Some(2));
    assert_eq!(folder.run("facts -f yaml").code, Some(2));
    assert_eq!(folder.run("facts a.topo").code, Some(0));
}

// ------------------------------------------------------------------------------------------- The list of rules

#[test]
fn the_list_of_rules_is_complete_and_fits() {
    let run = Folder::new().run("rules");
    for rule in &ALL {
        assert!(run.out.lines().any(|line| line.starts_with(&format!("  {} ", rule.name))), "{}", rule.name);
    }
    let wide: Vec<&str> = run.out.lines().filter(|line| line.chars().count() > 80).collect();
    assert_eq!(wide, [] as [&str; 0]);
    let report: Value = serde_json::from_str(&Folder::new().run("rules -f json").out).expect("JSON");
    assert_eq!(report["rules"].as_array().map(Vec::len), Some(ALL.len()));
}

#[test]
fn the_list_of_rules_shows_one_family_and_the_level_in_force() {
    let folder = Folder::new().with("topolint.yaml", "levels:\n  missing-timeout: info\nignore: [timeout-inversion]\n");
    let run = folder.run("rules --family reliable-network");
    assert!(run.out.starts_with("reliable-network: the network is reliable\n"), "{run:?}");
    assert!(run.flat().contains("missing-timeout info a synchronous call"), "{run:?}");
    assert!(run.flat().contains("timeout-inversion off a caller"), "{run:?}");
    assert!(!run.out.contains("sync-cycle"), "{run:?}");
    assert!(folder.run("rules --isolated").flat().contains("missing-timeout error"));
    let report: Value = serde_json::from_str(&folder.run("rules -f json --family reliable-network").out).expect("JSON");
    let rules = report["rules"].as_array().expect("rules");
    let rule = rules.iter().find(|rule| rule["rule"] == "missing-timeout").expect("a rule");
    assert_eq!((&rule["level"], &rule["in_force"]), (&"error".into(), &"info".into()));
    let unknown = folder.run("rules --family reliable-netwrok");
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("did you mean `reliable-network`?"), "{unknown:?}");
}

#[test]
fn amplified_rates_count_the_tries_of_everybody_above() {
    let text = "client web\nservice shop { load 50/s; -> orders { timeout 1s; retries 1 } }\nservice orders \
                { -> bank { timeout 300ms; retries 2 } }\nservice bank\nservice other\nweb -> shop { timeout 5s }\nweb -> other { timeout 5s }\n";
    let facts: Value = serde_json::from_str(&facts(text)).expect("JSON");
    let rate = |name: &str| row(&facts, "operations", name)["amplified_rate_per_s"].as_f64();
    assert_eq!(rate("shop"), Some(50.0));
    assert_eq!(rate("orders"), Some(100.0));
    assert_eq!(rate("bank"), Some(300.0));
    assert_eq!(rate("other"), None);
    let why = &row(&facts, "operations", "other")["why"]["amplified_rate_per_s"];
    assert_eq!(why, "not all arrivals state a `load`");
}
