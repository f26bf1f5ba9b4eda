//! What is said of a change: the examples on the pages of the rules about change, each compared with what was before,
//! and pairs of topologies that ask one question each.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may stop")]

mod support;

use std::collections::BTreeMap;

use support::{ROOT, Texts};
use topolint::change::{Comparison, Fate, Side, compare};
use topolint::config::Config;
use topolint::lint::Terms;
use topolint::metadata::{Level, built_in_clients};
use topolint::model::Loader;
use topolint::rules::ALL;
use topolint::source::SourceMap;

fn compared<T>(before: &str, after: &str, look: impl FnOnce(&Comparison, &SourceMap) -> T) -> T {
    configured((before, ""), (after, ""), look)
}

/// Two versions, each with its text and its configuration.
fn configured<T>(before: (&str, &str), after: (&str, &str), look: impl FnOnce(&Comparison, &SourceMap) -> T) -> T {
    let (old, new) = (Texts::one(before.0), Texts::one(after.0));
    let mut head = Loader::new(&new);
    let read = |sources: &mut SourceMap, text: &str| {
        let id = sources.add("topolint.yaml", text);
        if text.is_empty() { Config::default() } else { Config::read(sources, id).expect("a configuration") }
    };
    let config = read(&mut head.sources, after.1);
    let head_projects = [head.project(ROOT)];
    let mut base = Loader::new(&old);
    base.sources = head.sources.clone();
    let base_config = read(&mut base.sources, before.1);
    let base_projects = [base.project(ROOT)];
    let terms = Terms { config: &config, today: jiff::civil::date(2026, 11, 22), clients: built_in_clients() };
    let comparison = compare(
        Side { loader: &base, projects: &base_projects, config: &base_config, baseline: None },
        Side { loader: &head, projects: &head_projects, config: &config, baseline: None },
        &terms,
    );
    look(&comparison, &base.sources)
}

/// The rules that find something new, with their messages.
fn new(before: &str, after: &str) -> Vec<(&'static str, String)> {
    compared(before, after, |comparison, _| {
        let found =
            comparison.new_findings().map(|(finding, _)| (finding.rule.name, finding.diagnostic.message.clone()));
        found.collect()
    })
}

/// Messages of one rule.
fn said(before: &str, after: &str, rule: &str) -> Vec<String> {
    new(before, after).into_iter().filter(|(name, _)| *name == rule).map(|(_, message)| message).collect()
}

const HEAD: &str = "client web\nservice shop, stock\nweb -> shop { timeout 3s }\n";

#[test]
fn the_examples_of_the_rules_about_change_give_what_their_pages_say() {
    let pages = ALL.iter().filter_map(|rule| Some((rule, rule.page(), rule.page().before.as_ref()?)));
    let mut count = 0;
    for (rule, page, before) in pages {
        count += 1;
        let loud = |after: &str| {
            compared(before, after, |comparison, _| {
                let loud =
                    comparison.outcome.shown().filter(|one| one.level > Level::Info || one.rule.name == rule.name);
                let mut names: Vec<&str> = loud.map(|finding| finding.rule.name).collect();
                names.sort_unstable();
                names.dedup();
                names
            })
        };
        let mut expected: Vec<&str> = page.also.iter().map(String::as_str).chain([rule.name]).collect();
        expected.sort_unstable();
        assert_eq!(loud(&page.bad), expected, "bad example of {}", rule.name);
        assert_eq!(loud(&page.good), [] as [&str; 0], "good example of {}", rule.name);
        assert_eq!(said(before, before, rule.name), [] as [String; 0], "what has not changed, for {}", rule.name);
    }
    let family = ALL.iter().filter(|rule| rule.family == "change").count();
    assert_eq!((count, family), (6, 6), "every rule about change shows what was before");
}

#[test]
fn a_bound_that_many_calls_follow_is_one_finding() {
    let policy = |bound: &str| {
        format!(
            "{HEAD}policy quick {{ {bound}retry-on none }}\nshop -> stock {{ use quick }}\nstock -> shop2 {{ use quick }}\nservice shop2\n"
        )
    };
    let found = said(&policy("timeout 1s; "), &policy("timeout none; "), "removed-bound");
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("`shop -> stock` and 1 other had the bound `timeout 1s`, and now it is `timeout none`"),
        "{found:?}"
    );
}

#[test]
fn another_bound_of_the_same_kind_will_do() {
    let call = |bound: &str| format!("{HEAD}shop -> stock {{ {bound} }}\n");
    assert_eq!(said(&call("timeout 1s"), &call("deadline 1s"), "removed-bound").len(), 0);
    assert_eq!(said(&call("retries 2"), &call("retries none"), "removed-bound").len(), 0);
    assert_eq!(said(&call("retries 2"), &call("timeout 1s"), "removed-bound").len(), 0);
    assert_eq!(said(&call("timeout 1s; retries 2"), &call("timeout 1s; retries unlimited"), "removed-bound").len(), 1);
    assert_eq!(said(&call("timeout 1s; bulkhead 5"), &call("timeout 1s"), "removed-bound").len(), 1);
    assert_eq!(said(&call("timeout 1s"), &call("timeout 9s"), "removed-bound").len(), 0, "longer is no removal");
    assert_eq!(said(&call("timeout 1s"), &call("timeout 1furlong"), "removed-bound").len(), 0, "unreadable may bound");
    let moved = format!("{}defaults {{ call {{ timeout 1s }} }}\n", call(""));
    assert_eq!(said(&call("timeout 1s"), &moved, "removed-bound").len(), 0, "stated elsewhere");
    assert_eq!(said(&call("via grpc; timeout 1s"), &call("via grpc; timeout 1s; retries 1"), "removed-bound").len(), 0);
}

#[test]
fn bounds_of_nodes_and_operations_count() {
    let shop = |said: &str| format!("client web; service shop {{ {said} }}\nweb -> shop.buy {{ timeout 3s }}\n");
    let found =
        said(&shop("concurrency 5; operation buy"), &shop("concurrency unlimited; operation buy"), "removed-bound");
    assert_eq!(found, ["`shop` had the bound `concurrency 5`, and now it is `concurrency unlimited`"]);
    let found = said(&shop("operation buy { rate-limit 5/s }"), &shop("operation buy"), "removed-bound");
    assert_eq!(found, ["`shop.buy` had the bound `rate-limit 5/s`, and nothing is stated in its place"]);
}

#[test]
fn fewer_are_found_only_where_both_sides_state_how_many() {
    let shop = |said: &str| format!("client web; service shop {{ {said} }}\nweb -> shop {{ timeout 3s }}\n");
    assert_eq!(said(&shop("replicas 5"), &shop("replicas 4"), "lowered-redundancy").len(), 0);
    assert_eq!(said(&shop("replicas 5"), &shop(""), "lowered-redundancy").len(), 0);
    assert_eq!(
        said(&shop("zones a, b"), &shop("zones a"), "lowered-redundancy"),
        ["`shop` had 2 zones, and now has 1 zone"]
    );
    assert_eq!(said(&shop("replicas 2"), &shop("replicas 1"), "lowered-redundancy").len(), 1);
    assert_eq!(said(&shop("replicas 1"), &shop("replicas 2"), "lowered-redundancy").len(), 0);
    let group = |zones: &str| {
        format!("client web\ngroup here {{ zones {zones}; service shop }}\nweb -> shop {{ timeout 3s }}\n")
    };
    assert_eq!(said(&group("a, b"), &group("a"), "lowered-redundancy").len(), 1, "by what a group says");
}

#[test]
fn a_new_dependency_counts_where_an_entry_cannot_do_without_it() {
    let more = |said: &str| format!("{HEAD}shop -> stock {{ timeout 1s }}\nservice fraud, ai\n{said}");
    let rule = "new-hard-dependency";
    let found = said(&more(""), &more("stock -> fraud { timeout 1s }\nfraud -> ai { timeout 1s }"), rule);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("`shop` did without `fraud`"), "{found:?}");
    assert_eq!(said(&more(""), &more("stock ->> fraud"), rule).len(), 0);
    assert_eq!(said(&more(""), &more("fraud -> ai { timeout 1s }"), rule).len(), 0, "no entry needs it");
    let soft = more("stock -> fraud { timeout 1s; fallback \"no\" }");
    assert_eq!(said(&soft, &more("stock -> fraud { timeout 1s }"), rule).len(), 1, "its fallback has gone");
    assert_eq!(said(&more(""), &soft, rule).len(), 0);
    let twice = more("stock -> fraud { timeout 1s }\nshop -> fraud { timeout 1s }");
    assert_eq!(said(&more("stock -> fraud { timeout 1s }"), &twice, rule).len(), 0, "it was needed before");
    let new_entry = more("client app\nservice edge\napp -> edge { timeout 1s }\nedge -> fraud { timeout 1s }");
    assert_eq!(said(&more(""), &new_entry, rule).len(), 0, "the entry is new itself");
}

#[test]
fn another_entry_that_comes_to_need_it_counts_too() {
    let two = |said: &str| {
        format!(
            "client web\nservice a, b, fraud\nweb -> a {{ timeout 1s }}\nweb -> b {{ timeout 1s }}\na -> fraud {{ timeout 1s }}\n{said}"
        )
    };
    let found = said(&two(""), &two("b -> fraud { timeout 1s }\n"), "new-hard-dependency");
    assert_eq!(found, ["`b` did without `fraud`, and now fails whenever that fails"]);
}

#[test]
fn weaker_and_incomparable_models_count_and_stronger_ones_do_not() {
    let store = |said: &str| {
        format!(
            "client web; service shop; store db {{ {said} }}\nweb -> shop {{ timeout 3s }}\nshop -> db.read {{ timeout 1s }}\n"
        )
    };
    let rule = "weakened-consistency";
    assert_eq!(said(&store("model linearizable"), &store("model causal"), rule).len(), 1);
    assert_eq!(said(&store("model causal"), &store("model linearizable"), rule).len(), 0);
    assert_eq!(said(&store("model serializable"), &store("model linearizable"), rule).len(), 1, "incomparable");
    assert_eq!(said(&store("commit flushed"), &store("commit relaxed"), rule).len(), 1);
    assert_eq!(said(&store("commit relaxed"), &store("commit flushed"), rule).len(), 0);
    assert_eq!(said(&store("commit relaxed"), &store(""), rule).len(), 0, "nothing was promised");
    assert_eq!(said(&store("fenced"), &store(""), rule).len(), 1);
    assert_eq!(said(&store("quorum { n 3; r 2; w 2 }"), &store("quorum { n 3; r 1; w 2 }"), rule).len(), 1);
    assert_eq!(said(&store("quorum { n 3; r 2; w 2 }"), &store("quorum { n 5; r 3; w 3 }"), rule).len(), 0);
    assert_eq!(said(&store("model linearizable"), &store("model nonsense"), rule).len(), 0, "unreadable");
}

#[test]
fn calls_that_leave_their_place_count_and_moving_both_ends_does_not() {
    let places = |one: &str, other: &str| {
        format!(
            "client web; service shop {{ {one} }}\nservice stock {{ {other} }}\nweb -> shop {{ timeout 3s }}\nshop -> stock {{ timeout 1s }}\n"
        )
    };
    let rule = "crossed-zone";
    let here = places("zones a", "zones a");
    assert_eq!(said(&here, &places("zones b", "zones b"), rule).len(), 0);
    assert_eq!(
        said(&here, &places("zones a", "zones b"), rule),
        ["every call `shop -> stock` now goes from `a` to `b`; before, not every one left its zone"]
    );
    assert_eq!(said(&here, &places("zones a", "zones a, b"), rule).len(), 0);
    assert_eq!(said(&places("zones a", ""), &places("zones a", "zones b"), rule).len(), 0, "it was not stated");
    let regions = |other: &str| places("region eu; zones a", &format!("region {other}; zones a"));
    assert_eq!(said(&regions("eu"), &regions("us"), rule).len(), 1);
    let uncalled = places("zones a", "zones b").replace("shop -> stock { timeout 1s }\n", "");
    assert_eq!(
        said(&uncalled, &places("zones a", "zones b"), rule),
        ["the new call `shop -> stock` always goes from `a` to `b`"]
    );
}

#[test]
fn every_relaxation_of_the_configuration_is_said() {
    let text = format!("{HEAD}shop -> stock {{ timeout 1s }}\n");
    let relaxed = |before: &str, after: &str| {
        configured((&text, before), (&text, after), |comparison, _| {
            let found = comparison.new_findings().filter(|(finding, _)| finding.rule.name == "relaxed-gate");
            found.map(|(finding, _)| finding.diagnostic.message.clone()).collect::<Vec<_>>()
        })
    };
    assert_eq!(relaxed("levels: { missing-timeout: error }\n", "levels: { missing-timeout: error }\n").len(), 0);
    for (before, after) in [
        ("", "levels: { missing-timeout: warn }\n"),
        ("", "levels: { missing-timeout: off }\n"),
        ("", "ignore: [missing-timeout]\n"),
        ("unstated: error\n", "unstated: warn\n"),
        ("", "options: { lowered-redundancy: { enough: 2 } }\n"),
    ] {
        assert_eq!(relaxed(before, after).len(), 1, "{after}");
    }
    assert_eq!(relaxed("levels: { missing-timeout: warn }\n", "").len(), 0, "stricter");
}

#[test]
fn a_rule_about_change_can_be_silenced_and_configured() {
    let call = |bound: &str| format!("{HEAD}shop -> stock {{ {bound} }}\n");
    let silenced = call("timeout none; allow removed-bound \"the batch\"");
    let found = new(&call("timeout 1s"), &silenced);
    assert!(found.iter().all(|(rule, _)| *rule != "removed-bound" && *rule != "unused-allow"), "{found:?}");
    assert!(support::found(&silenced).iter().all(|found| found.rule != "unused-allow"), "nothing is compared");
    let off = "levels: { removed-bound: off }\n";
    let count = configured((&call("timeout 1s"), off), (&call("timeout none"), off), |comparison, _| {
        comparison.new_findings().filter(|(finding, _)| finding.rule.name == "removed-bound").count()
    });
    assert_eq!(count, 0);
}

/// Edits as people read them.
fn edits(before: &str, after: &str) -> Vec<String> {
    compared(before, after, |comparison, _| {
        comparison
            .topologies
            .iter()
            .flat_map(|topology| &topology.edits)
            .map(topolint::change::Edit::sentence)
            .collect()
    })
}

#[test]
fn what_means_the_same_is_no_change() {
    let before =
        "client web\nservice shop\nstore db\nweb -> shop { timeout 3s; retries 2 }\nshop -> db.read { timeout 1s }\n";
    let after = "store db\nservice shop { -> db.read { timeout 1000ms } } # moved\n\nclient web \"people\"\nweb -> shop \"buys\" { retries 2; timeout 3000ms }\n";
    assert_eq!(edits(before, after), [] as [&str; 0]);
    assert_eq!(edits(before, before), [] as [&str; 0]);
}

#[test]
fn in_no_example_blanks_are_an_edit_and_every_bound_is_one() {
    let mut bounds = 0;
    // Of what cannot be read nothing is known.
    let readable = ALL.iter().filter(|rule| rule.family != "model");
    for text in readable.flat_map(|rule| [&rule.page().bad, &rule.page().good]) {
        assert_eq!(edits(text, &text.replace(' ', "  ").replace("; ", "\n")), [] as [&str; 0], "{text}");
        for (at, _) in text.match_indices(" timeout ") {
            let (before, after) = text.split_at(at + " timeout ".len());
            if after.starts_with(|first: char| first.is_ascii_digit()) {
                bounds += 1;
                let found = edits(text, &format!("{before}9{after}"));
                let is_said = !found.is_empty()
                    && found.iter().all(|edit| edit.contains("`timeout") || edit.contains("timeout` "));
                assert!(is_said, "{found:?}\n{text}");
            }
        }
    }
    assert!(bounds > 300, "{bounds}");
}

#[test]
fn what_is_stated_several_times_is_compared_one_by_one() {
    let shop = |said: &str| format!("service shop {{ {said} }}\n");
    let before = shop("link \"a\"; link \"b\"; link \"c\"; owner core");
    assert_eq!(edits(&before, &shop("owner core; link \"c\"; link \"a\"; link \"b\"")), [] as [&str; 0]);
    assert_eq!(
        edits(&before, &shop("link \"a\"; link \"d\"; link \"c\"; owner shop")),
        ["service `shop`: `link` \"b\" → \"d\", `owner` core → shop"]
    );
    assert_eq!(
        edits(&before, &shop("link \"b\"; owner core")),
        ["service `shop`: `link \"a\"` removed, `link \"c\"` removed"]
    );
}

#[test]
fn each_kind_of_edit_is_said() {
    let shop = |said: &str| format!("client web\nservice shop\nservice stock\nweb -> shop {{ timeout 3s }}\n{said}");
    assert_eq!(edits(&shop(""), &shop("shop -> stock { timeout 1s }")), ["`shop -> stock` added"]);
    assert_eq!(edits(&shop("shop -> stock { timeout 1s }"), &shop("")), ["`shop -> stock` removed"]);
    let text = shop("shop -> stock { timeout 1s; retries 1 }");
    let changed = text.replace("1s; retries 1", "2s; bulkhead 5");
    assert_eq!(edits(&text, &changed), ["`shop -> stock`: `timeout` 1s → 2s, `bulkhead 5` added, `retries 1` removed"]);
    assert_eq!(
        edits(&text, &text.replace("service stock", "external stock")),
        ["external `stock`: `kind` service → external"]
    );
    assert_eq!(
        edits(&text, &text.replace("service stock", "group g { service stock }")),
        ["service `stock`: `group g` added"]
    );
    let policy = "policy p { timeout 1s }\n";
    assert_eq!(edits(&shop(policy), &shop("policy p { timeout 2s }")), ["policy `p`: `timeout` 1s → 2s"]);
    let defaults = "defaults { call { timeout 1s } }\n";
    assert!(
        edits(&shop(""), &shop(defaults))[0].contains("`defaults call timeout 1s`")
            || edits(&shop(""), &shop(defaults))[0].ends_with("added")
    );
}

#[test]
fn the_order_of_calls_is_one() {
    let shop = |body: &str| {
        format!(
            "client web\nservice shop {{ operation buy {{ {body} }} }}\nservice a, b\nweb -> shop.buy {{ timeout 3s }}\n"
        )
    };
    let before = shop("-> a { timeout 1s }; -> b { timeout 1s }");
    let after = shop("parallel { -> a { timeout 1s }; -> b { timeout 1s } }");
    assert_eq!(edits(&before, &after), ["`shop.buy`: `calls` a; b → parallel { a; b }"]);
}

#[test]
fn a_renamed_node_is_one_edit_and_no_finding() {
    let before = "client web\nservice shop, stock { readonly }\nweb -> shop { timeout 3s }\nshop -> stock\n";
    let after = before.replace("stock", "warehouse");
    assert_eq!(edits(before, &after), ["service `warehouse` was `stock`"]);
    compared(before, &after, |comparison, _| {
        assert_eq!((comparison.new.len(), comparison.fixed.len()), (0, 0));
        assert!(comparison.old > 0, "the missing timeout is still there");
        assert_eq!(comparison.topologies[0].edits[0].fate, Fate::Renamed("stock".to_owned()));
    });
}

#[test]
fn what_could_have_been_either_is_not_called_renamed() {
    let before = "client web\nservice shop, one, two\nweb -> shop { timeout 3s }\nshop -> one { timeout 1s }\nshop -> two { timeout 1s }\n";
    let after = before.replace("one", "three").replace("two", "four");
    assert!(edits(before, &after).iter().all(|edit| !edit.contains("was")), "{:?}", edits(before, &after));
}

#[test]
fn a_renamed_operation_is_told_from_a_new_one() {
    let before = "client web\nservice shop { operation buy { readonly } }\nweb -> shop.buy { timeout 3s }\n";
    assert_eq!(edits(before, &before.replace("buy", "order")), ["`shop.order` was `shop.buy`"]);
}

#[test]
fn fixed_and_worse_are_told_apart() {
    let call = |said: &str| format!("{HEAD}shop -> stock {{ {said} }}\n");
    compared(&call("timeout none"), &call("timeout 1s"), |comparison, _| {
        let fixed: Vec<&str> = comparison.fixed_findings().map(|finding| finding.rule.name).collect();
        assert!(fixed.contains(&"missing-timeout"), "{fixed:?}");
    });
    compared(&call(""), &call("timeout none"), |comparison, _| {
        let worse: Vec<&str> =
            comparison.worse.iter().map(|worse| comparison.outcome.findings[worse.finding].rule.name).collect();
        assert_eq!(worse, ["missing-timeout"], "what was possible is proved");
    });
    compared(&call("timeout none"), &call("timeout none; allow missing-timeout \"later\""), |comparison, _| {
        assert_eq!(comparison.fixed.len(), 0, "what is silenced is not fixed");
        assert!(comparison.new_findings().any(|(finding, _)| finding.rule.name == "relaxed-gate"));
    });
}

#[test]
fn a_policy_is_the_cause_of_what_its_calls_do() {
    let text = |timeout: &str| {
        format!(
            "client web\nservice shop, stock\npolicy p {{ timeout {timeout} }}\nweb -> shop {{ timeout 1s }}\nshop -> stock {{ use p }}\n"
        )
    };
    compared(&text("500ms"), &text("5s"), |comparison, _| {
        let (_, new) = comparison.new_findings().find(|(one, _)| one.rule.name == "timeout-inversion").expect("it");
        assert_eq!(new.causes[0].text, "policy `p`: `timeout` 500ms → 5s");
        assert!(new.causes[0].is_named);
    });
}

#[test]
fn the_numbers_of_an_entry_are_compared() {
    let text = |said: &str| {
        format!(
            "client web\nservice shop, stock {{ latency max 10ms }}\nweb -> shop {{ timeout 9s }}\nshop -> stock {{ timeout 1s; {said} }}\n"
        )
    };
    compared(&text(""), &text("retries 2"), |comparison, _| {
        let entry = comparison.topologies[0].entries.iter().find(|entry| entry.name == "shop").expect("the entry");
        let worst = |numbers: &Option<topolint::change::Numbers>| {
            numbers.as_ref().and_then(|numbers| numbers.worst_case?.finite()).map(|time| time.to_string())
        };
        assert_eq!((worst(&entry.before).as_deref(), worst(&entry.after).as_deref()), (Some("1.01 s"), Some("3.01 s")));
        let tries: BTreeMap<&str, _> =
            comparison.topologies[0].tries.iter().map(|tries| (tries.name.as_str(), tries.executions)).collect();
        assert_eq!(tries["stock"].1.finite(), Some(3));
    });
}

#[test]
fn five_hundred_edits_take_no_time() {
    let calls = |timeout: u32| {
        let call = |index| format!("service s{index}\ns{index} -> s{} {{ timeout {timeout}ms }}\n", index + 1);
        format!("client web\nweb -> s0 {{ timeout 3s }}\nservice s500\n{}", (0..500).map(call).collect::<String>())
    };
    let start = std::time::Instant::now();
    let count = compared(&calls(100), &calls(200), |comparison, _| comparison.topologies[0].edits.len());
    assert_eq!(count, 500);
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}
