//! `topolint.yaml` end to end: where it is found, what it extends, what holds for some files only, what is locked, and
//! what is said of one that cannot be right.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod program;
mod support;

use program::{Folder, Run, assert_refused};
use serde_json::Value;
use support::Texts;
use topolint::config::{Config, STARTER};
use topolint::source::SourceMap;

/// One proved finding: a call that states that it has no timeout.
const ENDLESS: &str = "client web\nservice a\nweb -> a { timeout none }\n";
/// One possible finding: a call that states nothing.
const UNSTATED: &str = "client web\nservice a\nweb -> a\n";

/// The levels of `missing-timeout`, as `file level`.
fn levels(run: &Run) -> Vec<String> {
    assert_eq!(run.err, "", "{run:?}");
    let lines = run.of_rule("missing-timeout");
    lines.iter().filter_map(|line| program::grammar(line)).map(|line| format!("{} {}", line.file, line.level)).collect()
}

fn folder(configuration: &str) -> Folder {
    Folder::of(ENDLESS).with("topolint.yaml", configuration)
}

// ---------------------------------------------------------------------------------------------- Where it is found

#[test]
fn the_search_ends_at_the_root_of_the_repository() {
    let folder = Folder::new().with("../topolint.yaml", "levels: { missing-timeout: off }\n");
    let folder = folder.with("deep/er/a.topo", ENDLESS);
    assert_eq!(levels(&folder.run("check deep/er")), ["deep/er/a.topo error"]);
    let folder = folder.with("topolint.yaml", "levels: { missing-timeout: info }\n");
    assert_eq!(levels(&folder.run("check deep/er")), ["deep/er/a.topo info"]);
    let folder = folder.with("deep/topolint.yaml", "{}\n");
    assert_eq!(levels(&folder.run("check deep/er")), ["deep/er/a.topo error"], "the nearest one counts alone");
    let folder = folder.with("deep/.git", "gitdir: elsewhere\n");
    std::fs::remove_file(folder.path("deep/topolint.yaml")).expect("a file");
    assert_eq!(
        levels(&folder.run("check deep/er")),
        ["deep/er/a.topo error"],
        "the root of a worktree ends the search"
    );
}

#[test]
fn a_nested_configuration_does_not_keep_files_from_what_lies_beside_its_folder() {
    let folder = Folder::new().with("shared.topo", "service a\n").with("part/topolint.yaml", "{}\n");
    let folder = folder.with("part/a.topo", "include \"../shared.topo\"\nclient web\nweb -> a { timeout 1s }\n");
    assert_eq!(folder.run("check part/a.topo").out, "");
}

#[cfg(unix)]
#[test]
fn a_configuration_behind_a_link_that_leaves_the_project_is_not_read() {
    let folder = Folder::of(ENDLESS).with("../secret", "password\n").with_link("topolint.yaml", "../secret");
    let run = folder.run("check");
    assert_refused(&run, &["topolint.yaml", "outside"]);
    assert!(!run.err.contains("password"), "{run:?}");
}

#[test]
fn without_paths_the_configuration_says_what_is_linted() {
    let folder = Folder::new().with("arch/a.topo", ENDLESS).with("arch/drafts/b.topo", ENDLESS).with("c.topo", ENDLESS);
    let folder = folder.with("sub/d.topo", ENDLESS);
    let files = |folder: &Folder, arguments: &str| {
        levels(&folder.run(arguments)).iter().map(|level| level.replace(" error", "")).collect::<Vec<_>>()
    };
    assert_eq!(files(&folder, "check"), ["arch/a.topo", "arch/drafts/b.topo", "c.topo", "sub/d.topo"]);
    let folder = folder.with("topolint.yaml", "include: [arch, c.topo]\nexclude: [\"**/drafts/**\"]\n");
    assert_eq!(files(&folder, "check"), ["arch/a.topo", "c.topo"]);
    assert_eq!(files(&folder, "check ."), ["arch/a.topo", "c.topo", "sub/d.topo"], "a path is stronger");
    assert_eq!(files(&folder, "check arch/drafts/b.topo"), ["arch/drafts/b.topo"], "what is named is linted");
    let mut below = folder.command("check");
    let run = Run::of(below.current_dir(folder.path("sub")));
    assert_eq!(run.of_rule("missing-timeout").len(), 2, "the same from every folder: {run:?}");
    let folder = folder.with("topolint.yaml", "include: arch/*.topo\n");
    assert_eq!(files(&folder, "check"), ["arch/a.topo"]);
    assert_refused(
        &folder.with("topolint.yaml", "include: [arch, nope]\n").run("check"),
        &["topolint.yaml:1:17", "`nope` matches no `.topo` file"],
    );
}

#[test]
fn a_configuration_that_is_named_may_lie_outside_and_then_its_patterns_start_at_the_project() {
    let org = "extends: [more.yaml]\noverrides:\n  - files: [old]\n    levels: { missing-timeout: info }\n";
    let folder = folder("levels: { missing-timeout: off }\n").with("old/a.topo", ENDLESS).with("../org/org.yaml", org);
    let folder = folder.with("../org/more.yaml", "levels: { missing-timeout: warn }\n");
    assert_eq!(levels(&folder.run("check -c ../org/org.yaml")), ["a.topo warn", "old/a.topo info"]);
    let folder = folder.with("../org/org.yaml", "extends: [../secret.yaml]\n");
    assert_refused(&folder.run("check -c ../org/org.yaml"), &["leaves the project"]);
}

// ------------------------------------------------------------------------------------------------------- extends

#[test]
fn what_extends_is_stronger_and_a_later_one_is_too() {
    let folder = folder("extends: [one.yaml, ci/two.yaml]\n").with("one.yaml", "levels: { missing-timeout: warn }\n");
    let folder = folder.with("ci/two.yaml", "extends: ../three.yaml\n");
    let folder = folder.with("three.yaml", "levels: { missing-timeout: info }\n");
    assert_eq!(levels(&folder.run("check")), ["a.topo info"], "the later one, with what it extends");
    let folder = folder.with("ci/two.yaml", "levels: { reliable-network: error }\n");
    assert_eq!(levels(&folder.run("check")), ["a.topo error"], "even for a family");
    let own = "extends: [one.yaml, ci/two.yaml]\nlevels: { missing-timeout: off }\n";
    assert_eq!(levels(&folder.with("topolint.yaml", own).run("check")), [""; 0]);
}

#[test]
fn what_a_file_extends_stays_inside_the_project() {
    let out = folder("extends: [../outside.yaml]\n").with("../outside.yaml", "levels: { missing-timeout: off }\n");
    assert_refused(&out.run("check"), &["topolint.yaml:1:11", "`../outside.yaml` leaves the project"]);
    assert_refused(&folder("extends: [/etc/passwd]\n").run("check"), &["leaves the project"]);
    let missing = folder("extends:\n  - nope.yaml\n").run("check");
    assert_refused(&missing, &["topolint.yaml:2:5", "`nope.yaml` cannot be read"]);
    assert_refused(&folder("extends: [.]\n").run("check"), &["`.` cannot be read: it is no file"]);
    let wrong = folder("extends: [b.yaml]\n").with("b.yaml", "levles: {}\n").run("check");
    assert_refused(&wrong, &["b.yaml:1:1", "did you mean `levels`?"]);
}

#[cfg(unix)]
#[test]
fn what_a_file_extends_behind_a_link_stays_inside_the_project() {
    let folder = folder("extends: [b.yaml]\n").with("../secret", "password\n").with_link("b.yaml", "../secret");
    let run = folder.run("check");
    assert_refused(&run, &["`b.yaml` lies outside the project root"]);
    assert!(!run.err.contains("password"), "{run:?}");
}

#[test]
fn configurations_in_a_circle_and_in_towers_are_refused() {
    let circle = folder("extends: [b.yaml]\n").with("b.yaml", "extends: [topolint.yaml]\n").run("check");
    assert_refused(&circle, &["b.yaml:1:11", "topolint.yaml -> b.yaml -> topolint.yaml"]);
    assert_refused(&folder("extends: [topolint.yaml]\n").run("check"), &["topolint.yaml -> topolint.yaml"]);
    let mut tower = folder("extends: [c1.yaml]\n");
    for level in 1..20 {
        tower = tower.with(&format!("c{level}.yaml"), format!("extends: [c{}.yaml]\n", level + 1));
    }
    assert_refused(&tower.run("check"), &["c7.yaml:1:11", "more than 8 configurations extend each other in a row"]);
    let mut wide = folder("extends: [b1.yaml, b1.yaml, b1.yaml, b1.yaml, b1.yaml, b1.yaml]\n");
    for level in 1..6 {
        let next = format!("b{}.yaml", level + 1);
        wide = wide.with(&format!("b{level}.yaml"), format!("extends: [{}]\n", [next.as_str(); 6].join(", ")));
    }
    let run = wide.with("b6.yaml", "").run("check");
    assert_refused(&run, &["more than 32 configurations are extended"]);
    assert_eq!(run.err.matches("more than 32").count(), 1, "{run:?}");
}

// ----------------------------------------------------------------------------------------------------- overrides

#[test]
fn an_override_holds_for_the_file_in_which_a_finding_stands() {
    let yaml = "overrides:\n  - files: [\"old/**\"]\n    levels: { missing-timeout: warn }\n  - files: old/dead.topo\n    levels: { missing-timeout: off }\n";
    let folder = folder(yaml).with("old/a.topo", ENDLESS).with("old/dead.topo", ENDLESS);
    assert_eq!(levels(&folder.run("check")), ["a.topo error", "old/a.topo warn"], "a later one is stronger");
    assert_eq!(levels(&folder.run("check --info missing-timeout")).len(), 3, "a flag is stronger still");
    let human = folder.run("check -f human -q").flat();
    assert!(human.contains("1 by configuration"), "{human}");
}

#[test]
fn an_override_counts_in_the_file_where_an_included_part_stands() {
    let folder = Folder::new().with("a.topo", "include \"part/b.topo\"\nclient web\nweb -> a { timeout none }\n");
    let folder = folder.with("part/b.topo", "service a, b\na -> b { timeout none }\n");
    let folder = folder.with("topolint.yaml", "overrides:\n  - files: [part]\n    levels: { missing-timeout: info }\n");
    assert_eq!(levels(&folder.run("check a.topo")), ["a.topo error", "part/b.topo info"]);
}

#[test]
fn an_override_says_what_is_unstated_and_sets_options() {
    let folder = Folder::of(UNSTATED).with("old/a.topo", UNSTATED);
    let folder = folder.with("topolint.yaml", "unstated: error\noverrides:\n  - files: [old]\n    unstated: info\n");
    assert_eq!(levels(&folder.run("check")), ["a.topo error", "old/a.topo info"]);

    let retries = "client web\nservice a, b\nweb -> a { timeout 9s; retries 2; backoff fixed 1ms }\na -> b { timeout 1s; retries 2; backoff fixed 1ms }\n";
    let folder = Folder::of(retries).with("old/a.topo", retries);
    let yaml = |main: u32, old: u32| {
        let option = |most| format!("options: {{ retry-amplification: {{ threshold: {most} }} }}");
        format!("{}\noverrides:\n  - files: [old]\n    {}\n", option(main), option(old))
    };
    let found = |folder: &Folder| folder.run("check").of_rule("retry-amplification").join("\n");
    let folder = folder.with("topolint.yaml", yaml(3, 100));
    assert!(found(&folder).contains("a.topo") && !found(&folder).contains("old/a.topo"), "{}", found(&folder));
    let folder = folder.with("topolint.yaml", yaml(100, 3));
    assert!(found(&folder).starts_with("old/a.topo") && !found(&folder).contains("\na.topo"), "{}", found(&folder));
}

#[test]
fn patterns_are_relative_to_the_file_that_states_them() {
    let folder = folder("extends: [ci/shared.yaml]\n").with("old/a.topo", ENDLESS);
    let shared =
        |pattern: &str| format!("overrides:\n  - files: [\"{pattern}\"]\n    levels: {{ missing-timeout: info }}\n");
    let folder = folder.with("ci/shared.yaml", shared("../old/**"));
    assert_eq!(levels(&folder.run("check")), ["a.topo error", "old/a.topo info"]);
    let run = folder.with("ci/shared.yaml", shared("old/**")).run("check");
    assert_eq!(run.of_rule("missing-timeout").len(), 2, "{run:?}");
    assert_eq!(run.err, "notice: ci/shared.yaml:2:13: `old/**` matches no file\n");
}

#[test]
fn a_pattern_that_matches_nothing_is_reported_and_one_that_matches_elsewhere_is_not() {
    let yaml = "exclude: [gone]\noverrides:\n  - files: [old, \"x*.topo\"]\n    unstated: info\n";
    let folder = folder(yaml).with("old/b.topo", ENDLESS);
    let run = folder.run("check a.topo");
    let expected =
        "notice: topolint.yaml:3:18: `x*.topo` matches no file\nnotice: topolint.yaml:1:11: `gone` matches no file\n";
    assert_eq!((run.code, run.err.as_str()), (Some(1), expected), "`old` is not linted, but it is there");
}

#[test]
fn what_extends_is_stronger_than_the_overrides_of_what_it_extends() {
    let base = "overrides:\n  - files: [a.topo]\n    levels: { missing-timeout: info }\n";
    let folder = folder("extends: [base.yaml]\n").with("base.yaml", base);
    assert_eq!(levels(&folder.run("check")), ["a.topo info"]);
    let folder = folder.with("topolint.yaml", "extends: [base.yaml]\nlevels: { missing-timeout: warn }\n");
    assert_eq!(levels(&folder.run("check")), ["a.topo warn"]);
    let page = folder.run("explain missing-timeout").flat();
    assert!(page.ends_with("`missing-timeout` is `warn`, set at topolint.yaml:2:11"), "{page}");
}

// -------------------------------------------------------------------------------------------------------- locked

const ALLOWED: &str = "client web\nservice a\nweb -> a { timeout none; allow missing-timeout \"we wait\" }\n";

#[test]
fn no_allow_silences_a_locked_rule_and_the_allow_is_reported() {
    let folder = Folder::of(ALLOWED);
    assert_eq!(levels(&folder.run("check")), [""; 0]);
    for locked in ["locked: [missing-timeout]\n", "locked: reliable-network\n"] {
        let run = Folder::of(ALLOWED).with("topolint.yaml", locked).run("check");
        assert_eq!((run.code, levels(&run)), (Some(1), vec!["a.topo error".to_owned()]));
        let said = run.of_rule("unused-allow").join("");
        assert!(said.contains("`missing-timeout` is locked by the configuration"), "{run:?}");
    }
    let json = Folder::of(ALLOWED).with("topolint.yaml", "locked: [missing-timeout]\n").run("check -f json");
    let report: Value = serde_json::from_str(&json.out).expect("JSON");
    let found =
        report["findings"].as_array().expect("findings").iter().find(|found| found["rule"] == "missing-timeout");
    assert_eq!(found.expect("a finding")["hidden_by"], Value::Null);
}

#[test]
fn an_allow_of_a_family_silences_what_is_not_locked() {
    let text = "client web\nservice a\nweb -> a { timeout none; retries 1; allow reliable-network \"x\" }\n";
    let free = Folder::of(text).run("check");
    assert_eq!(free.of_rule("retry-without-backoff").len() + free.of_rule("missing-timeout").len(), 0, "{free:?}");
    let run = Folder::of(text).with("topolint.yaml", "locked: [missing-timeout]\n").run("check");
    assert_eq!(run.of_rule("missing-timeout").len(), 1);
    assert_eq!(run.of_rule("retry-without-backoff").len() + run.of_rule("unused-allow").len(), 0, "{run:?}");
}

#[test]
fn a_locked_rule_is_not_made_quieter_further_down() {
    let org = "levels: { missing-timeout: error }\nlocked: [missing-timeout, secure-network]\n";
    let with = |yaml: &str| folder(&format!("extends: [org.yaml]\n{yaml}")).with("org.yaml", org).run("check");
    for (yaml, words) in [
        (
            "levels: { missing-timeout: warn }\n",
            ["topolint.yaml:2:11", "`warn` is quieter than `error`", "org.yaml:2:10"],
        ),
        ("levels: { missing-authz: off }\n", ["topolint.yaml:2:11", "`missing-authz` is locked", "org.yaml:2:27"]),
        ("ignore: [missing-timeout]\n", ["topolint.yaml:2:10", "cannot be ignored", "org.yaml:2:10"]),
        ("ignore: [secure-network]\n", ["topolint.yaml:2:10", "cannot be ignored", "org.yaml:2:27"]),
        (
            "overrides:\n  - files: [a.topo]\n    levels: { missing-timeout: info }\n",
            ["topolint.yaml:4:15", "locked", "org.yaml"],
        ),
    ] {
        assert_refused(&with(yaml), &words);
    }
    for loosens_more in
        ["levels: { reliable-network: off }\n", "ignore: [reliable-network]\n", "select: [sync-cycle]\n"]
    {
        assert_eq!(levels(&with(loosens_more)), ["a.topo error"], "what is locked stays: {loosens_more}");
    }
    let own = "levels: { missing-timeout: warn }\nlocked: [missing-timeout]\n";
    assert_eq!(levels(&folder(own).run("check")), ["a.topo warn"], "who locks decides the level");
    let raised = folder("extends: [own.yaml]\nlevels: { missing-timeout: error }\n").with("own.yaml", own);
    assert_eq!(levels(&raised.run("check")), ["a.topo error"], "louder is fine");
    assert_eq!(levels(&raised.run("check --off missing-timeout")), [""; 0], "who calls the program is stronger");
    let own = "locked: [missing-timeout]\noverrides:\n  - files: [a.topo]\n    levels: { missing-timeout: off }\n";
    assert_refused(&folder(own).run("check"), &["topolint.yaml:4:15", "topolint.yaml:1:10"]);
    assert_refused(
        &folder("locked: [missing-timeout]\nignore: [missing-timeout]\n").run("check"),
        &["topolint.yaml:2:10"],
    );
}

#[test]
fn what_is_unstated_stays_as_loud_for_a_locked_rule() {
    let org = "unstated: error\nlocked: [missing-timeout]\n";
    for yaml in ["unstated: off\n", "overrides:\n  - files: [a.topo]\n    unstated: off\n"] {
        let folder = Folder::of(UNSTATED).with("topolint.yaml", format!("extends: [org.yaml]\n{yaml}"));
        assert_eq!(levels(&folder.with("org.yaml", org).run("check")), ["a.topo error"], "{yaml}");
    }
}

#[test]
fn options_of_a_locked_rule_are_set_where_it_is_locked() {
    let org = "locked: [retry-amplification]\noptions: { retry-amplification: { threshold: 3 } }\n";
    let folder = folder("extends: [org.yaml]\noptions: { retry-amplification: { threshold: 99 } }\n");
    assert_refused(&folder.with("org.yaml", org).run("check"), &["topolint.yaml:2:35", "its option `threshold`"]);
}

// ---------------------------------------------------------------------------------------- format and exit code

#[test]
fn flag_then_environment_then_configuration_then_detection() {
    let folder = folder("format: json\nfail-on: never\n");
    let run = folder.run("check");
    assert!(run.out.starts_with('{') && run.code == Some(0), "{run:?}");
    assert!(!folder.run("check -f concise").out.starts_with('{'));
    let mut environment = folder.command("check");
    let run = Run::of(environment.env("TOPOLINT_FORMAT", "concise").env("TOPOLINT_FAIL_ON", "error"));
    assert!(!run.out.starts_with('{') && run.code == Some(1), "{run:?}");
    assert_eq!(folder.run("check --fail-on error").code, Some(1));
    let unstated = Folder::of(UNSTATED).with("topolint.yaml", "fail-on: warn\n");
    assert_eq!((unstated.run("check").code, unstated.run("check --fail-on error").code), (Some(1), Some(0)));
    for (yaml, words) in [
        ("format: josn\n", ["topolint.yaml:1:9", "did you mean `json`?"]),
        ("fail-on: eror\n", ["topolint.yaml:1:10", "did you mean `error`?"]),
        ("fail-on: [error]\n", ["topolint.yaml:1:10", "`fail-on` takes one value, not a list"]),
    ] {
        assert_refused(&self::folder(yaml).run("check"), &words);
    }
}

// ------------------------------------------------------------------------------------------------- Broken files

#[test]
fn a_broken_configuration_is_refused_with_place_and_way_out() {
    for (yaml, words) in [
        (
            "<<<<<<< HEAD\nunstated: off\n=======\n>>>>>>> x\n",
            &["topolint.yaml:1:1", "a conflict", "remove the marks"][..],
        ),
        ("overrides: {}\n", &["topolint.yaml:1:12", "`overrides` takes a list", "not a mapping"]),
        ("overrides:\n  - levels: { sync-cycle: off }\n", &["topolint.yaml:2:5", "for which `files`"]),
        ("overrides:\n  - file: [a]\n", &["topolint.yaml:2:5", "did you mean `files`?"]),
        (
            "overrides:\n  - files: [a]\n    ignore: [model]\n",
            &["topolint.yaml:3:5", "no setting `ignore`", "`levels`"],
        ),
        ("overrides:\n  - files: [\"a/[\"]\n", &["topolint.yaml:2:13", "`a/[` is no pattern"]),
        ("exclude: [{}]\n", &["topolint.yaml:1:11", "`exclude` takes one value"]),
        ("select: { a: b }\n", &["topolint.yaml:1:9", "`select` takes a list"]),
        ("levels: [off]\n", &["topolint.yaml:1:9", "`levels` takes a mapping"]),
        ("options:\n  retry-amplification: 3\n", &["topolint.yaml:2:24", "takes a mapping"]),
        ("options:\n  retry-amplification: { threshold: [3] }\n", &["topolint.yaml:2:37", "one value, not a list"]),
        ("locked: [missing-timout]\n", &["topolint.yaml:1:10", "did you mean `missing-timeout`?"]),
        ("baseline: ../b.yaml\n", &["topolint.yaml:1:11", "leaves the project"]),
        ("extend: [a]\n", &["topolint.yaml:1:1", "did you mean `extends`?"]),
        ("just words\n", &["topolint.yaml:1:1", "a configuration is a mapping"]),
        ("a: b\n---\nc: d\n", &["topolint.yaml:", "this is no configuration"]),
    ] {
        assert_refused(&folder(yaml).run("check"), words);
    }
    assert_refused(
        &Folder::of(ENDLESS).with("topolint.yaml", b"a: \xff\n").run("check"),
        &["are not UTF-8", "save the file"],
    );
}

// -------------------------------------------------------------------------------------------- topolint config

#[test]
fn the_first_configuration_changes_nothing_and_is_not_replaced() {
    let folder = Folder::of(UNSTATED);
    let before = folder.run("check").out;
    let run = folder.run("config init");
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{run:?}");
    assert_eq!(std::fs::read_to_string(folder.path("topolint.yaml")).expect("a file"), STARTER);
    assert_eq!(folder.run("check").out, before);
    let folder = folder.with("topolint.yaml", "mine: 1\n");
    assert_refused(&folder.run("config init"), &["a `topolint.yaml` already", "--force"]);
    assert_eq!(std::fs::read_to_string(folder.path("topolint.yaml")).expect("a file"), "mine: 1\n");
    assert_eq!(folder.run("config init --force").code, Some(0));
    let left: Vec<_> =
        std::fs::read_dir(folder.path("")).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left.len(), 3, "nothing else is left: {left:?}");
}

/// Every line of the example that stands in comments, without them.
fn uncommented() -> String {
    let is_setting =
        |line: &&str| line.starts_with("# ") && (line.contains(": ") || line.ends_with(':') || line.contains(" - "));
    let prose =
        |line: &&str| line.ends_with('.') || line.contains("What ") || line.contains("How ") || line.contains("The ");
    let lines = STARTER.lines().filter(|line| !line.starts_with('#') || (is_setting(line) && !prose(line)));
    lines.map(|line| line.strip_prefix("# ").unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_examples_of_the_first_configuration_can_be_read() {
    let mut sources = SourceMap::default();
    let text = uncommented().replace("../shared", "shared");
    let id = sources.add("topolint.yaml", text.as_str());
    Config::read(&sources, id).unwrap_or_else(|problems| panic!("{problems:?}\n{text}"));
    for key in topolint::config::KEYS {
        assert!(text.contains(&format!("{}:", key.name)), "{text}");
    }
}

#[test]
fn the_schema_takes_what_is_read_and_refuses_what_is_not() {
    let schema: Value = serde_json::from_str(&folder("").run("config schema").out).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let valid = |text: &str| validator.is_valid(&serde_yaml::from_str::<Value>(text).expect("YAML"));
    assert!(valid(&uncommented()) && valid(STARTER));
    for right in
        ["{}", "levels: { model: off }", "extends: a.yaml", "select:", "overrides: [{files: [a], unstated: info}]"]
    {
        assert!(valid(right), "{right}");
    }
    for wrong in
        ["levles: {}", "levels: { modle: off }", "unstated: loud", "overrides: [{levels: {}}]", "locked: [x]", "[]"]
    {
        assert!(!valid(wrong), "{wrong}");
    }
}

#[test]
fn show_prints_what_is_in_force_and_where_each_value_comes_from() {
    let yaml =
        "extends: [org.yaml]\nunstated: error\noverrides:\n  - files: [old]\n    levels: { missing-timeout: info }\n";
    let org = "fail-on: warn\nignore: [sync-cycle]\nlocked: [missing-authz]\noptions: { retry-amplification: { threshold: 3 } }\n";
    let folder = folder(yaml).with("org.yaml", org).with("old/a.topo", ENDLESS);
    let shown = folder.run("config show old/a.topo");
    assert_eq!((shown.code, shown.err.as_str()), (Some(0), ""), "{shown:?}");
    for line in [
        "topolint.yaml",
        "org.yaml, extended at topolint.yaml:1:11",
        "For old/a.topo",
        "unstated error topolint.yaml:2:1",
        "fail-on warn org.yaml:1:10",
        "format auto default",
        "baseline none default",
        "missing-timeout info topolint.yaml:5:15",
        "sync-cycle not selected org.yaml:2:10",
        "missing-authz locked org.yaml:3:10",
        "retry-amplification threshold: 3 org.yaml:4:35",
    ] {
        let lines: Vec<String> =
            shown.out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert!(lines.iter().any(|found| found == line), "{line}: {shown:?}");
    }
    assert!(!folder.run("config show a.topo").out.contains("missing-timeout"));
    assert!(folder.run("config show").out.contains("\nEverywhere\n"));
    assert!(folder.run("config show --isolated a.topo").out.starts_with("no configuration"));
    assert_refused(&folder.run("config show nope.topo"), &["`nope.topo`"]);
    let page = folder.run("explain missing-timeout").flat();
    assert!(page.ends_with("`missing-timeout` is `error`, as on this page: nothing configures it in `old`: `info`, set at topolint.yaml:5:15"), "{page}");
    let page = folder.run("explain missing-authz").flat();
    assert!(page.contains("locked at org.yaml:3:10"), "{page}");
}

// --------------------------------------------------------------------------------------------- What is relaxed

fn config(files: &[(&str, &str)]) -> Config {
    let texts = Texts(files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect());
    let mut sources = SourceMap::default();
    Config::load(&texts, &mut sources, "topolint.yaml").unwrap_or_else(|problems| panic!("{problems:?}"))
}

#[test]
fn what_a_configuration_lets_pass_is_listed() {
    let relaxed = |now: &str, before: &str| {
        let (now, before) = (config(&[("topolint.yaml", now)]), config(&[("topolint.yaml", before)]));
        now.relaxed_since(&before).into_iter().map(|relaxed| relaxed.what).collect::<Vec<_>>().join("; ")
    };
    for (now, before, expected) in [
        ("levels: { missing-timeout: off }", "", "`missing-timeout` is `off`, was `error`"),
        ("ignore: [missing-timeout]", "", "`missing-timeout` is `off`, was `error`"),
        ("", "levels: { missing-owner: error }", "`missing-owner` is `info`, was `error`"),
        ("unstated: off", "", "`unstated` is `off`, was `warn`"),
        ("fail-on: never", "", "`fail-on` is `never`, was `error`"),
        ("", "locked: [missing-authz]", "`missing-authz` is no longer locked"),
        ("exclude: [old]", "", "`old` is excluded"),
        ("include: [a]", "", "`include` leaves out what was linted"),
        ("baseline: b.yaml", "", "`b.yaml` is a new baseline"),
        (
            "options: { retry-amplification: { threshold: 99 } }",
            "",
            "the option `retry-amplification.threshold` is another one",
        ),
        ("overrides: [{files: [old], levels: {missing-timeout: off}}]", "", "`missing-timeout` is `off` in `old`"),
        ("overrides: [{files: [old], unstated: off}]", "", "`unstated` is `off` in `old`"),
        ("levels: { missing-timeout: error, missing-owner: warn }", "", ""),
        ("locked: [missing-timeout]\nunstated: error\nfail-on: warn", "", ""),
        ("include: [a, b]", "include: [a]", ""),
        ("unstated: off", "unstated: off", ""),
        ("overrides: [{files: [old], levels: {missing-timeout: error}}]", "", ""),
    ] {
        assert_eq!(relaxed(now, before), expected, "{now} after {before}");
    }
    let family = relaxed("levels: { suppression: off }", "");
    assert!(family.starts_with("4 rules of `suppression` (`allow-without-reason`, "), "{family}");
    let extended = config(&[("topolint.yaml", "extends: [b.yaml]"), ("b.yaml", "levels: { missing-timeout: info }")]);
    assert_eq!(extended.relaxed_since(&Config::default()).len(), 1);
}
