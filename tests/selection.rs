//! Which rules speak, how loud and with which options: flags before the configuration, that before the page.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod program;

use std::collections::BTreeSet;

use program::{Folder, Run, assert_refused, grammar};
use topolint::rules::{ALL, names};

/// One finding of each of four rules, all proved, and one of the text.
const TEXT: &str = "client web
service a, b, c
web -> a { timeout 1s }
a -> b { timeout none }
b -> a { timeout 1s }
policy spare { timeout 1s }
service lonely
";

fn folder() -> Folder {
    Folder::of(TEXT)
}

/// The rules that are reported, as `level rule`.
fn said(run: &Run) -> BTreeSet<String> {
    assert_eq!(run.err, "", "{run:?}");
    let lines = run.out.lines().map(|line| grammar(line).unwrap_or_else(|| panic!("not concise: {line}")));
    lines.map(|line| format!("{} {}", line.level, line.rule)).collect()
}

fn check(arguments: &str) -> BTreeSet<String> {
    said(&folder().run(&format!("check {arguments}")))
}

fn configured(configuration: &str, arguments: &str) -> BTreeSet<String> {
    said(&folder().with("topolint.yaml", configuration).run(&format!("check {arguments}")))
}

fn set(found: &[&str]) -> BTreeSet<String> {
    found.iter().map(|found| (*found).to_owned()).collect()
}

// ------------------------------------------------------------------------------------------------- The flags

/// What is found without any selection.
fn everything() -> BTreeSet<String> {
    let found = check("");
    for rule in ["missing-timeout", "sync-cycle", "unused-policy", "unreachable-node"] {
        assert!(found.iter().any(|said| said.ends_with(rule)), "{found:?}");
    }
    found
}

#[test]
fn select_reports_only_what_is_named_and_what_is_wrong_with_the_text() {
    let found = check("--select sync-cycle");
    assert!(
        found.iter().all(|said| said.ends_with("sync-cycle")
            || said.ends_with("unused-policy")
            || said.ends_with("unreachable-node")),
        "{found:?}"
    );
    assert!(found.iter().any(|said| said.ends_with("sync-cycle")));
    assert_eq!(check("--select sync-cycle --ignore model"), set(&["warn sync-cycle"]));
    let broken = Folder::of(format!("{TEXT}web -> nope\n")).run("check --select sync-cycle");
    assert_eq!(broken.of_rule("unknown-name").len(), 1, "what cannot be read is not passed over: {broken:?}");
}

#[test]
fn select_takes_families_lists_and_repeats() {
    let family = check("--select reliable-network --ignore model");
    assert_eq!(family, set(&["error missing-timeout"]));
    let both = set(&["error missing-timeout", "warn sync-cycle"]);
    assert_eq!(check("--select missing-timeout,sync-cycle --ignore model"), both);
    assert_eq!(check("--select missing-timeout --select sync-cycle --ignore model"), both);
}

#[test]
fn ignore_leaves_out_what_is_named() {
    let mut expected = everything();
    expected.retain(|said| !said.ends_with("sync-cycle"));
    assert_eq!(check("--ignore sync-cycle"), expected);
    assert_eq!(check("--ignore partial-failure"), expected);
}

#[test]
fn a_rule_that_is_named_is_stronger_than_its_family() {
    assert_eq!(check("--select missing-timeout --ignore reliable-network,model"), set(&["error missing-timeout"]));
    let others = check("--select reliable-network --ignore missing-timeout,model");
    assert_eq!(others, set(&["error timeout-inversion"]), "the call without end makes others give up early");
}

#[test]
fn what_is_not_selected_is_counted_and_kept_for_programs() {
    let human = folder().run("check -f human -q --select missing-timeout --ignore model");
    assert!(human.flat().contains("by selection"), "{human:?}");
    let json = folder().run("check -f json --select missing-timeout --ignore model");
    let report: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!(report["counts"]["error"], 1);
    let hidden =
        report["findings"].as_array().expect("findings").iter().filter(|found| found["hidden_by"]["by"] == "selection");
    assert!(hidden.count() >= 3, "{}", json.out);
}

#[test]
fn a_flag_gives_a_level_to_rules_and_families() {
    assert!(check("--warn missing-timeout").contains("warn missing-timeout"));
    assert!(check("--info reliable-network").contains("info missing-timeout"));
    assert!(check("--error unused-policy").contains("error unused-policy"));
    assert!(check("--error model --warn unused-policy").contains("warn unused-policy"), "a rule beats its family");
    let mut expected = everything();
    expected.retain(|said| !said.ends_with("missing-timeout"));
    let found = check("--off missing-timeout");
    assert!(found.is_superset(&expected) && !found.contains("error missing-timeout"), "{found:?}");
}

#[test]
fn a_level_lifts_no_cap_but_strict_does() {
    let unstated = Folder::of("client web\nservice a\nweb -> a\n");
    let said = |arguments: &str| said(&unstated.run(&format!("check {arguments}")));
    assert!(said("--error missing-timeout").contains("warn missing-timeout"));
    assert!(said("--strict").contains("error missing-timeout"));
    assert!(said("--strict --info missing-timeout").contains("info missing-timeout"));
}

#[test]
fn no_allow_shows_what_is_silenced_and_says_nothing_of_suppressions_that_do_nothing() {
    let folder = Folder::of(
        "client web\nservice a, b\nweb -> a { timeout none; allow missing-timeout \"x\" }\na -> b { timeout 1s; allow sync-cycle \"x\" }\n",
    );
    assert!(!said(&folder.run("check")).contains("error missing-timeout"));
    let found = said(&folder.run("check --no-allow"));
    assert!(found.contains("error missing-timeout"), "{found:?}");
    assert!(!found.iter().any(|said| said.ends_with("unused-allow")), "{found:?}");
}

#[test]
fn a_suppression_of_what_is_not_selected_is_not_called_useless() {
    let folder = Folder::of("client web\nservice a\nweb -> a { timeout 1s; allow missing-timeout \"x\" }\n");
    assert!(said(&folder.run("check")).contains("warn unused-allow"));
    assert_eq!(said(&folder.run("check --select unused-allow,sync-cycle")), set(&[]));
    assert_eq!(said(&folder.run("check --select unused-allow,missing-timeout")), set(&["warn unused-allow"]));
}

#[test]
fn the_day_can_be_given() {
    let folder =
        Folder::of("client web\nservice a\nweb -> a { timeout none; allow missing-timeout \"x\" until 2027-03-31 }\n");
    assert_eq!(folder.run("check --today 2027-03-31").code, Some(0), "the last day is included");
    assert!(said(&folder.run("check --today 2027-04-01")).contains("error missing-timeout"));
    assert_eq!(folder.run("check --today tomorrow").code, Some(2));
}

#[test]
fn a_name_that_does_not_exist_is_shown_with_what_was_meant() {
    for flag in ["--select", "--ignore", "--error", "--warn", "--info", "--off"] {
        let run = folder().run(&format!("check {flag} sync-cycle,missing-timout"));
        assert_refused(&run, &[&format!("{flag}:1:12"), "`missing-timout`", "did you mean `missing-timeout`?"]);
    }
    assert_refused(&folder().run("check --select zero-latensy"), &["did you mean `zero-latency`?"]);
    assert_refused(&folder().run("check --select nothing-like-it"), &["`topolint rules`"]);
    assert_refused(&folder().run("check --select a,,b"), &["``"]);
    let all = folder().run("check --select foo --off bar --option baz");
    assert_refused(&all, &["`foo`", "`bar`", "`baz`"]);
}

#[test]
fn two_levels_for_one_name_are_refused() {
    let run = folder().run("check --error sync-cycle --off sync-cycle");
    assert_refused(&run, &["`sync-cycle` is given two levels: `--error` and `--off`"]);
    assert_eq!(folder().run("check --off sync-cycle --off sync-cycle,model --fail-on never").code, Some(0));
}

// ----------------------------------------------------------------------------------------- The configuration

#[test]
fn the_configuration_selects_as_flags_do() {
    assert_eq!(configured("select: [sync-cycle]\nignore: [model]\n", ""), check("--select sync-cycle --ignore model"));
    assert_eq!(configured("ignore:\n  - partial-failure\n", ""), check("--ignore partial-failure"));
    assert_eq!(configured("levels:\n  reliable-network: info\n", ""), check("--info reliable-network"));
    for nothing in ["select:\n", "select: []\nignore: []\n", "levels:\noptions:\n"] {
        assert_eq!(configured(nothing, ""), everything(), "{nothing}");
    }
}

#[test]
fn a_flag_is_stronger_than_the_configuration() {
    let off = "levels:\n  missing-timeout: off\n";
    assert!(configured(off, "--warn missing-timeout").contains("warn missing-timeout"));
    assert!(configured(off, "--warn reliable-network").contains("warn missing-timeout"), "even for a family");
    assert!(configured("ignore: [sync-cycle, model]\n", "--select sync-cycle").contains("warn sync-cycle"));
    assert_eq!(
        configured("select: [missing-timeout]\n", "--select sync-cycle --ignore model"),
        set(&["warn sync-cycle"])
    );
    assert!(configured("unstated: off\n", "--strict").contains("error sync-cycle"));
    assert_eq!(configured(off, "--isolated"), everything());
}

#[test]
fn a_flag_that_says_nothing_of_a_rule_leaves_it_to_the_configuration() {
    let found = configured("levels:\n  missing-timeout: info\nignore: [sync-cycle]\n", "--error unused-policy");
    assert!(found.contains("info missing-timeout") && found.contains("error unused-policy"), "{found:?}");
    assert!(!found.contains("warn sync-cycle"), "{found:?}");
}

#[test]
fn what_is_wrong_with_a_selection_is_shown_at_its_place() {
    let wrong = [
        ("select: [sync-cycel]\n", "topolint.yaml:1:10", "did you mean `sync-cycle`?"),
        ("ignore:\n  - modle\n", "topolint.yaml:2:5", "did you mean `model`?"),
        ("rules:\n  sync-cycle: off\n", "topolint.yaml:1:1", "did you mean `levels`?"),
        ("selct: []\n", "topolint.yaml:1:1", "did you mean `select`?"),
        ("levels:\n  sync-cycle: of\n", "topolint.yaml:2:15", "did you mean `off`?"),
    ];
    for (configuration, place, help) in wrong {
        assert_refused(&folder().with("topolint.yaml", configuration).run("check"), &[place, help]);
    }
}

// ------------------------------------------------------------------------------------------------- The options

#[test]
fn an_option_that_does_not_exist_is_refused_at_its_place() {
    let wrong = [
        ("missing-timout.margin=1s", "--option:1:1", "did you mean `missing-timeout`?"),
        ("reliable-network.margin=1s", "--option:1:1", "a family"),
        ("missing-timeout.margin=1s", "--option:1:17", "no option `margin`"),
        ("missing-timeout=1s", "--option:1:1", "RULE.KEY=VALUE"),
        ("missing-timeout.margin", "--option:1:1", "RULE.KEY=VALUE"),
        ("", "--option", "RULE.KEY=VALUE"),
    ];
    for (option, place, help) in wrong {
        let mut command = folder().command("check");
        let here = folder();
        let run = Run::of(command.current_dir(here.path("")).args(["--option", option]));
        assert_refused(&run, &[place, help]);
    }
    let file = "options:\n  missing-timout:\n    margin: 1s\n  missing-timeout:\n    margin: 1s\n";
    let run = folder().with("topolint.yaml", file).run("check");
    assert_refused(
        &run,
        &["topolint.yaml:2:3", "did you mean `missing-timeout`?", "topolint.yaml:5:5", "no option `margin`"],
    );
}

/// Every option of every page can be set to its default, in both ways, and to nothing of another type.
#[test]
fn every_option_is_read_from_a_flag_and_from_the_configuration() {
    for rule in &ALL {
        for option in &rule.page().options {
            let (name, value) = (&option.name, &option.written);
            let flag = format!("{}.{name}={value}", rule.name);
            let here = folder();
            let mut command = here.command("check --fail-on never --option");
            assert_eq!(Run::of(command.arg(&flag)).code, Some(0), "{flag}");
            let yaml = format!("options:\n  {}:\n    {name}: \"{value}\"\n", rule.name);
            assert_eq!(folder().with("topolint.yaml", yaml).run("check --fail-on never").code, Some(0), "{flag}");
            let wrong = format!("options:\n  {}:\n    {name}: \"=\"\n", rule.name);
            let place = format!("topolint.yaml:3:{}", name.len() + 7);
            assert_refused(
                &folder().with("topolint.yaml", wrong).run("check"),
                &[&place, &format!("`{}.{name}`", rule.name)],
            );
        }
    }
}

/// A rule asks only for options that its page declares, with the type that is declared, and for all of them.
#[test]
fn rules_and_pages_agree_on_options() {
    for rule in &ALL {
        let folder = match rule.family {
            "change" => "change/rules".to_owned(),
            family => format!("rules/{}", family.replace('-', "_")),
        };
        let path = format!("src/{folder}/{}.rs", rule.name.replace('-', "_"));
        let code = std::fs::read_to_string(&path).unwrap_or_default();
        let code: String = code.split("#[cfg(test)]").next().unwrap_or("").split_whitespace().collect();
        let asked: BTreeSet<(String, String)> = code
            .split("options.")
            .skip(1)
            .filter_map(|rest| {
                let (getter, rest) = rest.split_once("(\"")?;
                Some((getter.to_owned(), rest.split_once("\")")?.0.to_owned()))
            })
            .collect();
        let declared: BTreeSet<(String, String)> =
            rule.page().options.iter().map(|option| (option.kind.name().to_owned(), option.name.clone())).collect();
        assert_eq!(asked, declared, "{path} and its page");
        assert_eq!(code.matches("options.").count(), declared.len(), "{path} asks for its options by name");
    }
}

// ---------------------------------------------------------------------------------------------------- explain

#[test]
fn explain_ends_with_what_is_in_force_and_the_line_that_says_so() {
    let ends = |run: &Run, end: &str| {
        assert_eq!(run.code, Some(0), "{run:?}");
        assert!(run.flat().ends_with(end), "{run:?}");
    };
    let plain = folder();
    ends(
        &plain.run("explain missing-timeout"),
        "In force `missing-timeout` is `error`, as on this page: nothing configures it",
    );
    let file = "unstated: warn\nlevels:\n  reliable-network: info\nignore: [sync-cycle]\n";
    let configured = folder().with("topolint.yaml", file).with("other.yaml", "levels:\n  missing-timeout: off\n");
    ends(&configured.run("explain missing-timeout"), "In force `missing-timeout` is `info`, set at topolint.yaml:3:3");
    ends(&configured.run("explain missing-timeout -c other.yaml"), "is `off`, set at other.yaml:2:3");
    ends(&configured.run("explain missing-timeout --isolated"), "nothing configures it");
    ends(&configured.run("explain sync-cycle"), "`sync-cycle` is not selected, by topolint.yaml:4:10");
    let family = configured.run("explain reliable-network");
    assert!(family.flat().contains("missing-timeout info a synchronous call"), "{family:?}");
    let broken = folder().with("topolint.yaml", "levels:\n  x: off\n").run("explain missing-timeout");
    assert_refused(&broken, &["topolint.yaml:2:3"]);
    let attribute = folder().with("topolint.yaml", "levels:\n  x: off\n").run("explain timeout");
    assert_eq!(attribute.code, Some(0), "the page of an attribute needs no configuration: {attribute:?}");
}

#[test]
fn explain_where_takes_no_configuration() {
    let run = folder().with("x.yaml", "").run("explain a.topo --where a->b.timeout -c x.yaml");
    assert_refused(&run, &["--where"]);
}

#[test]
fn every_rule_and_every_family_has_a_page() {
    for name in names() {
        let run = folder().run(&format!("explain {name}"));
        assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{name}");
        assert!(run.out.starts_with(name), "{name}");
    }
}
