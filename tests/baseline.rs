//! `topolint baseline` and `check` with one, end to end: what is known is hidden and nothing else, through every change
//! that does not concern it.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod program;
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use program::{Folder, Run, assert_refused};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::Value;
use support::Texts;
use topolint::baseline::Baseline;
use topolint::config::Config;
use topolint::lint::{Terms, lint};
use topolint::metadata::built_in_clients;
use topolint::model::Loader;

const TWO: &str = "client web\nservice a, b\nweb -> a { timeout none }\na -> b { timeout 1s }\n";
const FILE: &str = "topolint-baseline.yaml";

fn folder() -> Folder {
    Folder::of(TWO).with("topolint.yaml", format!("baseline: {FILE}\n"))
}

/// With a baseline of what is found.
fn known() -> Folder {
    let folder = folder();
    let run = folder.run("baseline create");
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{run:?}");
    folder
}

fn text(folder: &Folder) -> String {
    fs::read_to_string(folder.path(FILE)).expect("a baseline")
}

/// The baseline with another text.
fn edited(folder: Folder, edit: impl FnOnce(String) -> String) -> Folder {
    let text = edit(text(&folder));
    folder.with(FILE, text)
}

/// The baseline with something more said of the entry of a rule.
fn saying(folder: Folder, rule: &str, more: &str) -> Folder {
    edited(folder, |text| {
        let line = text.lines().find(|line| line.contains(rule)).expect("an entry").to_owned();
        text.replace(&line, &line.replace("},", &format!(", {more}}},")))
    })
}

#[track_caller]
fn assert_says(run: &Run, code: i32, words: &[&str]) {
    assert_eq!(run.code, Some(code), "{run:?}");
    for word in words {
        assert!(run.err.contains(word), "`{word}` is not in {run:?}");
    }
}

// ------------------------------------------------------------------------------------------- What it hides

#[test]
fn nothing_is_written_that_would_not_be_read() {
    let folder = known();
    let before = text(&folder);
    let limit = TWO.len() + 20;
    for how in ["update", "create --force"] {
        let run = folder.run(&format!("baseline {how} --max-file-size {limit}"));
        assert_refused(&run, &["--max-file-size"]);
        assert_eq!(text(&folder), before);
    }
    let run = folder.run(&format!("check --max-file-size {limit}"));
    assert_refused(&run, &[FILE, "more than the limit", "raise `--max-file-size`"]);
}

#[test]
fn what_is_known_is_hidden_and_counted_and_what_is_new_is_not() {
    let folder = known();
    let run = folder.run("check");
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (Some(0), "", ""), "{run:?}");
    let human = folder.run("check -f human -q").flat();
    assert!(human.starts_with("nothing found in 3 nodes and 2 calls; hidden: 1 by the baseline"), "{human}");
    let json: Value = serde_json::from_str(&folder.run("check -f json").out).expect("JSON");
    assert_eq!(json["counts"]["hidden"]["baseline"], 1);
    let hidden = &json["findings"][0]["hidden_by"];
    assert_eq!((hidden["by"].as_str(), hidden["place"]["file"].as_str()), (Some("baseline"), Some(FILE)));
    assert_eq!(folder.run("check --no-baseline").code, Some(1));

    let folder = folder.with("a.topo", TWO.replace("1s", "none"));
    let run = folder.run("check");
    assert_eq!((run.code, run.of_rule("missing-timeout").len()), (Some(1), 1), "{run:?}");
    assert!(run.out.contains("a.topo:4:"), "{run:?}");
}

#[test]
fn a_violation_that_takes_the_place_of_another_one_is_seen() {
    let folder = known();
    let swapped = TWO.replace("none", "2s").replace("timeout 1s", "timeout none");
    let run = folder.with("a.topo", swapped).run("check");
    assert_eq!((run.code, run.of_rule("missing-timeout").len()), (Some(1), 1), "{run:?}");
    assert_says(&run, 1, &["1 entry of", "finds nothing any more", "missing-timeout web->a"]);
}

#[test]
fn an_entry_hides_no_finding_of_another_rule() {
    let folder = edited(known(), |text| text.replace("rule: missing-timeout", "rule: missing-owner"));
    assert_eq!(folder.run("check").of_rule("missing-timeout").len(), 1);
}

#[test]
fn a_flag_names_another_baseline_also_outside_of_the_project() {
    let folder = Folder::of(TWO);
    for place in ["known.yaml", "../known.yaml"] {
        let run = folder.run(&format!("baseline create --baseline {place}"));
        assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{run:?}");
        assert_eq!(folder.run("check").code, Some(1));
        let run = folder.run(&format!("check --baseline {place}"));
        assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{run:?}");
    }
}

#[test]
fn reasons_are_shown_to_programs() {
    let folder = saying(known(), "missing-timeout", "reason: \"until the \\\"move\\\"\"");
    let json: Value = serde_json::from_str(&folder.run("check -f json").out).expect("JSON");
    assert_eq!(json["findings"][0]["hidden_by"]["reason"], "until the \"move\"");
}

#[test]
fn an_entry_hides_until_the_end_of_its_day() {
    let folder = saying(known(), "missing-timeout", "until: 2027-03-31");
    assert_eq!(folder.run("check --today 2027-03-31").code, Some(0));
    let run = folder.run("check --today 2027-04-01 -f human -q");
    assert_says(&run, 1, &["notice: 1 entry of", "ended"]);
    assert!(run.flat().contains("its entry in the baseline ended on 2027-03-31"), "{run:?}");
}

#[test]
fn a_locked_rule_has_no_entry_and_none_hides_it() {
    let folder = known().with("topolint.yaml", format!("baseline: {FILE}\nlocked: [missing-timeout]\n"));
    let run = folder.run("check");
    assert_says(&run, 1, &["hides nothing: its rule is locked"]);
    assert_eq!(run.of_rule("missing-timeout").len(), 1);
    let run = folder.run("baseline create --force");
    assert_says(&run, 0, &["notice: 1 finding has no entry: the rule is locked"]);
    assert!(!text(&folder).contains("missing-timeout"), "{}", text(&folder));
}

// ------------------------------------------------------------------------------------------------ Stale entries

#[test]
fn what_finds_nothing_is_listed_and_fails_where_that_is_asked_for() {
    let folder = known().with("a.topo", TWO.replace("none", "2s"));
    assert_says(&folder.run("check"), 0, &["notice: 1 entry of", "prune", "missing-timeout web->a"]);
    assert_says(&folder.run("check --strict-baseline"), 1, &["error: 1 entry of"]);
    assert_eq!(known().run("check --strict-baseline").code, Some(0));
}

#[test]
fn of_what_was_not_looked_at_nothing_is_known() {
    let folder = folder().with("b.topo", TWO);
    assert_eq!(folder.run("baseline create").code, Some(0));
    let folder = folder.with("b.topo", TWO.replace("none", "2s"));
    assert_eq!(folder.run("check a.topo --strict-baseline").err, "");
    assert_says(&folder.run("check a.topo b.topo --strict-baseline"), 1, &["error: 1 entry"]);
    assert_says(&folder.run("check --strict-baseline"), 1, &["error: 1 entry"]);
}

#[test]
fn an_entry_whose_rule_is_off_is_not_stale() {
    let run = known().run("check --strict-baseline --off missing-timeout");
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{run:?}");
}

// ------------------------------------------------------------------------------------- create, update, prune

#[test]
fn the_file_is_sorted_with_one_entry_a_line() {
    let folder = folder().with("b.topo", "client x\nservice y\nx -> y { timeout none }\n");
    assert_eq!(folder.run("baseline create").out, format!("{FILE}: 2 entries written\n"));
    let text = text(&folder);
    let lines: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("findings")).collect();
    let entries = &lines[1..lines.len() - 1];
    let mut sorted = entries.to_vec();
    sorted.sort_unstable();
    assert_eq!((entries, lines[0], lines[lines.len() - 1]), (sorted.as_slice(), "findings: [", "  ]"), "{text}");
    for entry in entries {
        assert!(
            entry.starts_with("  {rule: ") && entry.ends_with("},") && entry.contains("fingerprint: \""),
            "{entry}"
        );
    }
    assert!(text.contains("about: \"web->a\"") && text.contains("\npaths: [\".\"]\n"), "{text}");
    let again = Folder::of(TWO).with("b.topo", "service y\nclient x\nx -> y { timeout none }\n");
    assert_eq!(again.with("topolint.yaml", format!("baseline: {FILE}\n")).run("baseline create").code, Some(0));
}

#[test]
fn two_sides_that_each_add_a_line_merge_by_keeping_both() {
    let folder = known();
    let one = edited(known().with("a.topo", TWO.replace("1s", "none")), |text| text);
    assert_eq!(one.run("baseline update").code, Some(0));
    let union: BTreeSet<String> = text(&one)
        .lines()
        .chain(text(&folder).lines())
        .filter(|line| line.contains("rule: "))
        .map(str::to_owned)
        .collect();
    let doubled: String = text(&folder)
        .lines()
        .chain([""])
        .flat_map(|line| [line; 2].into_iter().take(if line.contains("rule: ") { 2 } else { 1 }))
        .fold(String::new(), |text, line| text + line + "\n");
    assert!(union.len() == 2, "{union:?}");
    let run = folder.with(FILE, doubled).run("check --strict-baseline");
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "the same line twice is one entry: {run:?}");
}

#[test]
fn create_replaces_nothing_unless_it_is_asked_to() {
    let folder = saying(known(), "missing-timeout", "reason: mine");
    let before = text(&folder);
    assert_refused(&folder.run("baseline create"), &["a baseline already", "`topolint baseline update`", "--force"]);
    assert_eq!(text(&folder), before);
    assert_eq!(folder.run("baseline create --force").code, Some(0));
    assert!(!text(&folder).contains("mine"));
}

#[test]
fn create_says_how_to_use_what_it_wrote() {
    let folder = Folder::of(TWO);
    let run = folder.run("baseline create");
    assert_says(&run, 0, &["notice: write `baseline: topolint-baseline.yaml` into `topolint.yaml`"]);
    let nothing = Folder::of("client web\nservice a { owner x; replicas 3 }\n").run("baseline create");
    assert_eq!(nothing.code, Some(0), "{nothing:?}");
}

#[test]
fn update_adds_and_removes_and_keeps_reasons() {
    let folder = saying(known(), "missing-timeout", "reason: \"a; b: {c}\", until: 2030-01-01");
    let folder = folder.with("a.topo", TWO.replace("1s", "none"));
    assert_eq!(folder.run("baseline update").out, format!("{FILE}: 1 added, 0 removed, 2 entries now\n"));
    assert!(text(&folder).contains("reason: \"a; b: {c}\", until: 2030-01-01},"), "{}", text(&folder));
    assert_eq!(folder.run("check --strict-baseline").code, Some(0));
    let before = text(&folder);
    assert_eq!(folder.run("baseline update").code, Some(0));
    assert_eq!(text(&folder), before, "nothing changes twice");
    let folder = folder.with("a.topo", TWO.replace("none", "2s"));
    assert_eq!(folder.run("baseline update").out, format!("{FILE}: 0 added, 2 removed, 0 entries now\n"));
    assert!(!text(&folder).contains("2030"));
}

#[test]
fn update_does_not_renew_what_ended() {
    let folder = saying(known(), "missing-timeout", "until: 2027-03-31");
    assert_says(&folder.run("baseline update --today 2027-04-01"), 0, &["1 entry ended and hides nothing"]);
    assert!(text(&folder).contains("until: 2027-03-31"));
    assert_eq!(folder.run("check --today 2027-04-01").code, Some(1));
}

#[test]
fn prune_only_removes() {
    let folder = known().with("a.topo", TWO.replace("none", "2s").replace("1s", "none"));
    assert_eq!(folder.run("baseline prune").out, format!("{FILE}: 1 removed, 0 entries now\n"));
    assert_eq!(folder.run("check").of_rule("missing-timeout").len(), 1, "what is new stays reported");
    assert_refused(&Folder::of(TWO).run("baseline prune"), &["no baseline is configured", "--baseline FILE"]);
}

#[test]
fn a_baseline_of_a_path_that_is_gone_says_so() {
    let folder = folder().with("topolint.yaml", "baseline: known.yaml\n");
    for (paths, help) in [
        ("gone", "name in `paths` of `known.yaml` what took its place"),
        ("a.topo, gone", "remove it from `paths` of `known.yaml`"),
    ] {
        let text = format!("version: 1\npaths: [{paths}]\nfindings: []\n");
        std::fs::write(folder.path("known.yaml"), text).expect("a file");
        for how in ["update", "prune"] {
            let run = folder.run(&format!("baseline {how}"));
            assert_refused(&run, &["`known.yaml` was made from `gone`", help]);
        }
    }
}

#[test]
fn without_a_repository_the_project_of_a_baseline_is_the_folder_that_it_is_in() {
    let folder = Folder::new().with("../bare/parts/a.topo", TWO).with("../bare/parts/deep/b.topo", "service b\n");
    let run = |arguments: &str| Run::of(folder.command(arguments).current_dir(folder.path("../bare")));
    let created = run("baseline create parts/a.topo");
    assert_eq!(created.out, "parts/topolint-baseline.yaml: 1 entry written\n", "{created:?}");
    assert_says(&created, 0, &["`baseline: topolint-baseline.yaml` into `parts/topolint.yaml`"]);
    for command in ["baseline update", "baseline prune", "check parts/a.topo"] {
        let after = run(&format!("{command} --baseline parts/topolint-baseline.yaml"));
        assert_eq!(after.code, Some(0), "{after:?}");
    }
    // A baseline beside the project says nothing of where that is.
    assert_eq!(run("baseline create parts/a.topo --baseline known.yaml").code, Some(0));
    let apart = run("baseline update --baseline known.yaml");
    assert_refused(&apart, &["`known.yaml` was made from `a.topo`", "or call it in the project it is of"]);
    let inside =
        folder.command("baseline update --baseline ../known.yaml").current_dir(folder.path("../bare/parts")).output();
    assert!(inside.expect("a run").status.success());
}

#[test]
fn a_baseline_of_some_paths_is_updated_from_these() {
    let folder = Folder::new()
        .with("arch/a.topo", TWO)
        .with("other/b.topo", TWO)
        .with("topolint.yaml", "baseline: ci/known.yaml\n");
    fs::create_dir(folder.path("ci")).expect("a folder");
    assert_eq!(folder.run("baseline create arch").out, "ci/known.yaml: 1 entry written\n");
    assert!(fs::read_to_string(folder.path("ci/known.yaml")).expect("it").contains("paths: [\"../arch\"]"));
    let mut elsewhere = folder.command("baseline update");
    let run = Run::of(elsewhere.current_dir(folder.path("other")));
    assert_eq!(run.out, "../ci/known.yaml: 0 added, 0 removed, 1 entry now\n", "{run:?}");
}

#[test]
fn the_baseline_of_the_readme_can_be_read() {
    let readme = fs::read_to_string("README.md").expect("the README");
    let block =
        readme.split("```yaml baseline\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a baseline");
    let mut sources = topolint::source::SourceMap::default();
    let id = sources.add("baseline.yaml", block);
    let baseline = Baseline::read(&sources, id, "baseline.yaml").expect("a baseline");
    let again = baseline.text(&[".".to_owned()]);
    assert!(again.ends_with(block), "{again}");
}

#[test]
fn what_a_baseline_hides_more_than_another_is_listed() {
    let of = |entries: &[(&str, Option<i8>)]| {
        let entry = |(print, day): &(&str, Option<i8>)| topolint::baseline::Entry {
            rule: "sync-cycle".to_owned(),
            fingerprint: (*print).to_owned(),
            until: day.map(|day| jiff::civil::date(2027, 3, day)),
            ..Default::default()
        };
        Baseline { paths: Vec::new(), entries: entries.iter().map(entry).collect() }
    };
    let base = of(&[("a", Some(5)), ("b", None), ("c", Some(5)), ("d", Some(5)), ("e", None)]);
    let head = of(&[("a", Some(5)), ("b", Some(9)), ("c", Some(6)), ("d", None), ("new", Some(1))]);
    let more: Vec<&str> = head.relaxed_since(&base).iter().map(|entry| entry.fingerprint.as_str()).collect();
    assert_eq!(more, ["c", "d", "new"]);
}

// ------------------------------------------------------------------------------------------------- Broken files

#[test]
fn a_broken_baseline_is_refused_with_place_and_way_out() {
    let entry = "  {rule: sync-cycle, fingerprint: \"0123456789abcdef0123456789abcdef\"},\n";
    let of = |entries: &str| format!("version: 1\nfindings: [\n{entries}  ]\n");
    let way_out = "bring back the last version that was right and run `topolint baseline update`";
    for (text, words) in [
        (String::new(), &["it is empty", way_out][..]),
        ("version: 1\n".to_owned(), &["ends before its `findings`", way_out]),
        (format!("version: 1\nfindings: [\n{entry}"), &["topolint-baseline.yaml:", "this is no baseline", way_out]),
        (
            of(entry).replace("version: 1", "version: 2"),
            &["topolint-baseline.yaml:1:1", "is of version 2", "reads version 1", way_out],
        ),
        (
            of(&format!("<<<<<<< HEAD\n{entry}=======\n>>>>>>> x\n")),
            &["topolint-baseline.yaml:3:1", "a conflict that was not resolved", way_out],
        ),
        (of("\t{rule: a}\n"), &["topolint-baseline.yaml:"]),
        (of("  {rule: sync-cycle},\n"), &["topolint-baseline.yaml:3:3", "no `fingerprint`"]),
        (of(&entry.replace("0123", "xyz")), &["topolint-baseline.yaml:3:35", "is no fingerprint"]),
        (
            of(&entry.replace("sync-cycle", "sync-cycel")),
            &["topolint-baseline.yaml:3:10", "did you mean `sync-cycle`?"],
        ),
        (of(&entry.replace('}', ", until: soon}")), &["`soon` is no day", "2027-03-31"]),
        (of(&entry.replace('}', ", until: 2027-02-30}")), &["`2027-02-30` is no day"]),
        (of(&entry.replace('}', ", raeson: x}")), &["did you mean `reason`?"]),
        (of(&entry.replace('}', ", reason: [x]}")), &["`reason` takes one value, not a list"]),
        (
            of(&format!("{entry}{}", entry.replace('}', ", reason: x}"))),
            &["topolint-baseline.yaml:4:3", "stands here twice", "keep one"],
        ),
        ("findings: []\n".to_owned(), &["has no `version`", way_out]),
        ("version: 1\nfindings: {}\n".to_owned(), &["topolint-baseline.yaml:2:11", "takes a list, not a mapping"]),
        ("version: 1\nfindings: []\nmore: 1\n".to_owned(), &["topolint-baseline.yaml:3:1", "no `more`"]),
        ("version: 1\npaths: [../x]\nfindings: []\n".to_owned(), &["`../x` leaves the project"]),
        ("version: 1\npaths: []\nfindings: []\n".to_owned(), &["topolint-baseline.yaml:2:8", "`paths` names nothing"]),
    ] {
        let folder = folder().with(FILE, &text);
        for command in ["check", "baseline update", "baseline prune"] {
            assert_refused(&folder.run(command), words);
        }
        assert_eq!(self::text(&folder), text, "nothing is written");
    }
    assert_refused(&folder().run("check"), &["`topolint-baseline.yaml` cannot be read", "`topolint baseline create`"]);
    assert_refused(&Folder::of(TWO).run("check --baseline nope.yaml"), &["`nope.yaml`"]);
}

#[cfg(unix)]
#[test]
fn a_baseline_is_written_whole_or_not_at_all() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::of(TWO).with("topolint.yaml", "baseline: gone/known.yaml\n");
    assert_refused(&folder.run("baseline create"), &["cannot write", "known.yaml"]);
    let folder = known().with("../elsewhere.yaml", "precious\n");
    fs::set_permissions(folder.path(FILE), fs::Permissions::from_mode(0o640)).expect("permissions");
    assert_eq!(folder.run("baseline update").code, Some(0));
    assert_eq!(fs::metadata(folder.path(FILE)).expect("it").permissions().mode() & 0o777, 0o640);
    fs::remove_file(folder.path(FILE)).expect("it");
    let folder = folder.with_link(FILE, "../elsewhere.yaml");
    assert_refused(&folder.run("baseline update"), &["outside"]);
    assert_eq!(folder.run("baseline create --force").code, Some(0));
    assert_eq!(
        fs::read_to_string(folder.path("../elsewhere.yaml")).expect("it"),
        "precious\n",
        "a link is not followed"
    );
    let left = fs::read_dir(folder.path(""))
        .expect("a folder")
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().ends_with(".tmp"));
    assert_eq!(left.count(), 0);
}

// -------------------------------------------------------------------------------------- Ten kinds of harmless edits

/// What is found in a topology, hidden or not, as rule and fingerprint.
fn prints(files: &Texts, root: &str) -> BTreeSet<String> {
    support::with_outcome(files, root, &Config::default(), |_, outcome| {
        outcome.findings.iter().map(|finding| format!("{} {}", finding.rule.name, finding.fingerprint)).collect()
    })
}

/// A line up to its comment.
fn code(line: &str) -> &str {
    let mut quoted = false;
    let comment = line.char_indices().find(|(_, character)| {
        quoted ^= *character == '"';
        *character == '#' && !quoted
    });
    comment.map_or(line, |(at, _)| &line[..at]).trim_end()
}

/// Every part of a text that is no string and no comment, changed.
fn outside_strings(text: &str, change: impl Fn(&str) -> String) -> String {
    let line = |line: &str| {
        let parts = code(line)
            .split('"')
            .enumerate()
            .map(|(index, part)| if index % 2 == 0 { change(part) } else { part.to_owned() });
        parts.collect::<Vec<_>>().join("\"") + "\n"
    };
    text.lines().map(line).collect()
}

/// The statements of the outermost level.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    for line in text.lines().map(code).filter(|line| !line.trim().is_empty()) {
        let depth = |text: &str| text.matches('{').count() > text.matches('}').count();
        match blocks.last_mut().filter(|block| depth(block)) {
            Some(block) => block.extend([line, "\n"]),
            None => blocks.push(format!("{line}\n")),
        }
    }
    blocks
}

fn is_arrow(block: &str) -> bool {
    block.lines().next().is_some_and(|line| line.split('{').next().is_some_and(|head| head.contains("->")))
}

/// `1s` as `1000ms`.
fn other_units(part: &str) -> String {
    let words = part.split_inclusive(|character: char| !character.is_ascii_alphanumeric() && character != '.');
    let word = |word: &str| {
        let end = word.trim_end_matches(|character: char| !character.is_ascii_alphanumeric());
        let seconds = end.strip_suffix('s').and_then(|number| number.parse::<u64>().ok());
        seconds.map_or(word.to_owned(), |seconds| word.replacen(end, &format!("{}ms", seconds * 1000), 1))
    };
    words.map(word).collect()
}

/// Labels of nodes and calls, in other words.
fn reworded(text: &str) -> String {
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let kind = words.first().copied().unwrap_or("");
        let is_labelled = ["client", "service", "store", "queue", "group", "topology", "external", "job"]
            .contains(&kind)
            || line.contains("->");
        let labelled = line.split('{').next().is_some_and(|head| head.matches('"').count() == 2 && is_labelled);
        let mut parts: Vec<&str> = line.splitn(3, '"').collect();
        if labelled && parts.len() == 3 {
            parts[1] = "in other words";
        }
        parts.join("\"") + "\n"
    };
    text.lines().map(code).map(line).collect()
}

/// The same topology ten times, each written in another way.
fn edits(text: &str) -> Vec<(&'static str, Texts, &'static str)> {
    let (root, blocks) = (support::ROOT, blocks(text));
    let one = |name, text: String| (name, Texts::one(text), root);
    let line_by_line = |line: &dyn Fn(&str) -> String| text.lines().map(line).collect::<String>();
    let (arrows, others): (Vec<&String>, Vec<&String>) = blocks.iter().partition(|block| is_arrow(block));
    let reordered: String = others.iter().rev().chain(&arrows).map(|block| block.as_str()).collect();
    // `defaults` reach what stands behind them and in other files: they stay where they are.
    let moves =
        |block: &&String| ["service", "store", "queue", "external", "group"].iter().any(|kind| block.starts_with(kind));
    let kept: String = blocks.iter().filter(|block| !moves(block)).map(String::as_str).collect();
    let moved: String = blocks.iter().filter(moves).map(String::as_str).collect();
    let boxed: String = blocks
        .iter()
        .map(|block| if moves(&block) { format!("group box \"Box\" {{\n{block}}}\n") } else { block.clone() })
        .collect();
    let boxed = boxed.replacen("group box", "group first-box", 1);
    vec![
        one("comments", line_by_line(&|line| format!("# a note\n{line}   # and one more\n"))),
        one("no comments", line_by_line(&|line| format!("{}\n", code(line)))),
        one("indentation", line_by_line(&|line| format!("\t   {}  \n\n", line.trim()))),
        one("line endings", format!("\u{FEFF}{}", text.replace('\n', "\r\n"))),
        one("one statement a line", outside_strings(text, |part| part.replace(';', "\n"))),
        one("units", outside_strings(text, other_units)),
        one("labels", reworded(text)),
        one("order", reordered),
        (
            "another file name",
            Texts([("other/name.topo".to_owned(), text.as_bytes().to_vec())].into()),
            "other/name.topo",
        ),
        ("files", Texts::several([format!("{kept}include \"part-1.topo\"\n"), moved]), root),
        one("boxes", boxed),
    ]
}

fn examples(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    found.sort();
    let (folders, files): (Vec<_>, Vec<_>) = found.into_iter().partition(|path| path.is_dir());
    let topo = files.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "topo"));
    topo.chain(folders.iter().flat_map(|folder| examples(folder))).collect()
}

#[test]
fn the_same_finding_keeps_its_fingerprint_through_every_harmless_edit() {
    let mut findings = 0;
    let mut changed = BTreeSet::new();
    for path in examples(Path::new("examples")) {
        let text = fs::read_to_string(&path).expect("an example");
        // Those in which there is something to find.
        if path.to_string_lossy().contains("designs") || path.to_string_lossy().contains("mended") {
            continue;
        }
        let before = prints(&Texts::one(text.as_str()), support::ROOT);
        findings += before.len();
        for (edit, files, root) in edits(&text) {
            if files.0 != Texts::one(text.as_str()).0 {
                changed.insert(edit);
            }
            let after = prints(&files, root);
            let (gone, new): (Vec<_>, Vec<_>) =
                (before.difference(&after).collect(), after.difference(&before).collect());
            assert!(gone.is_empty() && new.is_empty(), "{}, {edit}: gone {gone:#?}, new {new:#?}", path.display());
        }
        let more = format!("{text}\nservice something-that-nobody-knew-of\n");
        let after = prints(&Texts::one(more), support::ROOT);
        let gone: Vec<_> = before.difference(&after).collect();
        assert!(gone.is_empty(), "{}, an unrelated node: gone {gone:#?}", path.display());
    }
    assert!(findings > 60, "only {findings} findings");
    assert_eq!(changed.len(), 11, "{changed:?}");
}

// ------------------------------------------------------------------------------------- One violation for another

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, rng_seed: RngSeed::Fixed(20_261_123), failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is mended and broken at the same time in one file: what is reported is what was not broken before.
    #[test]
    fn no_violation_hides_behind_another_one(calls in prop::collection::vec((any::<bool>(), any::<bool>()), 1..9)) {
        let text = |broken: &dyn Fn(usize) -> bool| {
            let bound = |index| if broken(index) { "none" } else { "1s" };
            let calls = (0..calls.len()).map(|index| format!("service s{index}\nweb -> s{index} {{ timeout {} }}\n", bound(index)));
            format!("client web\n{}", calls.collect::<String>())
        };
        let config = Config::default();
        let today = jiff::civil::date(2026, 11, 22);
        let linted = |text: String, known: &Baseline| {
            let files = Texts::one(text);
            let mut loader = Loader::new(&files);
            let project = loader.project(support::ROOT);
            let terms = Terms { config: &config, today, clients: built_in_clients() };
            let mut outcome = lint(&mut loader, &[project], &terms);
            known.hide(&mut outcome, &config, today);
            outcome
        };
        let before = linted(text(&|index| calls[index].0), &Baseline::default());
        let known = Baseline::default().updated(&before, &config);
        let after = linted(text(&|index| calls[index].1), &known);
        let endless = after.shown().filter(|finding| finding.rule.name == "missing-timeout");
        let reported: BTreeSet<String> = endless.filter_map(|finding| finding.diagnostic.subjects.first().cloned()).collect();
        let new = (0..calls.len()).filter(|index| calls[*index] == (false, true)).map(|index| format!("web->s{index}"));
        prop_assert_eq!(reported, new.collect::<BTreeSet<_>>());
    }
}

#[cfg(unix)]
#[test]
fn a_baseline_is_never_written_over_what_is_checked_or_outside_of_the_project() {
    let folder = folder().with("topolint.yaml", "baseline: sub/link/known.yaml\n").with("sub/x.topo", "service x\n");
    std::fs::create_dir(folder.path("../out")).expect("a folder");
    let folder = folder.with_link("sub/link", "../../out");
    assert_refused(&folder.run("baseline create a.topo"), &["outside"]);
    assert!(!folder.path("../out/known.yaml").exists());
    for file in ["a.topo", "sub/x.topo", "topolint.yaml"] {
        let before = std::fs::read(folder.path(file)).expect("a file");
        let run = folder.run(&format!("baseline create a.topo --force --baseline {file}"));
        assert_refused(&run, &["it would replace what is checked", "give it another name"]);
        assert_eq!(std::fs::read(folder.path(file)).expect("a file"), before, "{file}");
    }
}
