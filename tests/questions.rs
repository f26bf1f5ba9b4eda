//! The questions that people ask of a diagram: `topolint path` and `topolint what-if`.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod program;

use program::Folder;
use serde_json::Value;

/// A gateway with 1 s for orders, which would need 2.15 s for its three tries of payments.
const CHAIN: &str = "client web\nservice gateway, orders, payments, audit\n\
    web -> gateway { timeout 3s }\n\
    gateway -> audit { timeout 100ms }\n\
    gateway -> orders { timeout 1s; retries 1; backoff fixed 50ms }\n\
    orders -> payments { timeout 700ms; attempts 3; backoff fixed 25ms }\n";

fn flow(text: &str, arguments: &str) -> Value {
    answer(text, &format!("path {arguments} a.topo -f json"), "path-v1")
}

fn what_if(text: &str, arguments: &str) -> Value {
    answer(text, &format!("what-if {arguments} a.topo -f json"), "what-if-v1")
}

fn answer(text: &str, command: &str, schema: &str) -> Value {
    let run = Folder::of(text).run(command);
    assert_eq!(run.code, Some(0), "{run:?}");
    let value: Value = serde_json::from_str(&run.out).expect("JSON");
    let schema = std::fs::read_to_string(format!("grammar/{schema}.schema.json")).expect("a schema");
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).expect("JSON")).expect("a sound schema");
    assert!(schema.is_valid(&value), "{value}");
    value
}

#[test]
fn each_hop_starts_after_what_comes_before_it() {
    let flow = flow(CHAIN, "web payments");
    let starts: Vec<f64> =
        flow["hops"].as_array().expect("hops").iter().map(|hop| hop["starts_s"].as_f64().expect("a time")).collect();
    assert_eq!(starts, [0.0, 0.1, 0.1], "the audit comes first");
    assert_eq!(flow["tries"], 6.0);
    assert_eq!(flow["hops"][2]["ends_s"].as_f64().map(|end| (end * 1e3).round()), Some(2250.0));
}

#[test]
fn the_first_to_give_up_cuts_what_is_below() {
    let flow = flow(CHAIN, "web payments");
    let cut = &flow["hops"][2]["cut"];
    assert_eq!((cut["by"].as_str(), cut["at_s"].as_f64()), (Some("gateway->orders"), Some(1.1)));
    assert_eq!(cut["started"], 2, "the third would start at 0.1 + 2 × 0.725 s");
    assert_eq!(cut["stops"], false);
    assert_eq!(flow["hops"][1]["cut"], Value::Null);
}

#[test]
fn an_inherited_deadline_stops_what_is_below() {
    let text = CHAIN.replace("attempts 3;", "attempts 3; deadline inherited;");
    assert_eq!(
        flow(&text, "web payments")["hops"][2]["cut"]["stops"],
        false,
        "nothing reaches orders that it could honour"
    );
    let text = text
        .replace("service gateway, orders", "service orders { operation place { deadline 800ms } }\nservice gateway");
    let text = text.replace("-> orders {", "-> orders.place {").replace("\norders -> pay", "\norders.place -> pay");
    let cut = flow(&text, "web payments")["hops"][2]["cut"].clone();
    assert_eq!((cut["by"].as_str(), cut["stops"].as_bool()), (Some("orders.place"), Some(true)));
    assert_eq!((cut["at_s"].as_f64(), cut["started"].as_u64()), (Some(0.9), Some(2)));
}

#[test]
fn a_way_can_be_chosen() {
    let text = "client web\nservice a, b, c\nweb -> a { timeout 1s }\nweb -> b { timeout 1s }\n\
                a -> c { timeout 1s }\nb -> c { timeout 1s; attempts 4 }\n";
    assert_eq!(flow(text, "web c")["hops"][1]["call"], "a->c");
    assert_eq!(flow(text, "web c")["other_ways"], true);
    let via = flow(text, "web c --via b");
    assert_eq!((&via["hops"][1]["call"], &via["tries"]), (&Value::from("b->c"), &Value::from(4.0)));
    assert_eq!(flow(text, "a c")["other_ways"], false);
}

#[test]
fn what_is_not_stated_is_said() {
    let run = Folder::of("client web\nservice a, b\nweb -> a { timeout 1s }\na -> b\n").run("path web b a.topo");
    assert!(run.flat().contains("not stated: how long `a -> b` waits"), "{run:?}");
    assert!(run.out.lines().all(|line| line.chars().count() <= 80), "{run:?}");
}

#[test]
fn nobody_waits_behind_a_queue() {
    let text = "client web\nservice a, mailer\nqueue events { max-receives 5 }\nstore db\n\
                web -> a { timeout 1s }\na ->> events\nevents ->> mailer\nmailer -> db.write { timeout 9s }\n";
    let flow = flow(text, "web db");
    assert_eq!(flow["hops"][3]["cut"], Value::Null);
    assert_eq!(flow["tries"], 5.0, "the queue hands a message out again");
}

#[test]
fn wrong_questions_have_a_way_out() {
    let folder = Folder::of(CHAIN);
    let unknown = folder.run("path web payment a.topo");
    assert_eq!((unknown.code, unknown.out.as_str()), (Some(2), ""));
    assert!(
        unknown.err.contains("no node or operation `payment`") && unknown.err.contains("`payments`"),
        "{unknown:?}"
    );
    let turned = folder.run("path payments web a.topo");
    assert_eq!(turned.code, Some(2));
    assert!(turned.err.contains("topolint path web payments"), "{turned:?}");
    let same = folder.run("path web web a.topo");
    assert_eq!(same.code, Some(2), "{same:?}");
    let via = folder.run("path web payments a.topo --via audit");
    assert_eq!(via.code, Some(2), "{via:?}");
}

/// A shop that can do without its advice, and whose workers wait for both.
const SHOP: &str = "client web\nservice shop {\n  concurrency 100\n\
    operation buy { load 50/s; slo { availability 99% }; -> payments.charge { timeout 3s; attempts 2; backoff none } }\n\
    operation look { load 10/s; -> advice { timeout 200ms; fallback \"none\" } }\n}\n\
    service payments { availability 99.9%; operation charge { latency p50 20ms, p99 200ms } }\n\
    service advice { availability 99%; latency p99 50ms }\n";

/// What becomes of an entry.
fn becomes<'a>(answer: &'a Value, operation: &str) -> &'a str {
    let entries = answer["entries"].as_array().expect("entries");
    entries.iter().find(|entry| entry["operation"] == operation).expect("an entry")["becomes"].as_str().expect("a word")
}

#[test]
fn what_is_down_fails_who_needs_it_and_degrades_who_does_not() {
    let payments = what_if(SHOP, "--kill payments");
    assert_eq!((becomes(&payments, "shop.buy"), becomes(&payments, "shop.look")), ("fails", "works"));
    assert_eq!(payments["tries"][0]["per_request"], 2.0);
    assert_eq!(payments["tries"][0]["rate_after_per_s"], 100.0, "each of 50/s is tried twice");
    let pool = &payments["pools"][0];
    assert_eq!((&pool["needed_in_hang"], &pool["seconds_to_full"]), (&Value::from(300.0), &Value::from(2.0)));
    assert_eq!(pool["innocent"], serde_json::json!(["shop.look"]));
    let advice = what_if(SHOP, "--kill advice");
    assert_eq!((becomes(&advice, "shop.buy"), becomes(&advice, "shop.look")), ("works", "degrades"));
}

#[test]
fn a_share_that_fails_is_tried_again_and_fails_only_in_part() {
    let answer = what_if(SHOP, "--fail payments.charge=50%");
    assert_eq!(becomes(&answer, "shop.buy"), "fails-in-part");
    assert_eq!(answer["tries"][0]["rate_after_per_s"], 75.0, "1 + 0.5 tries for each of 50/s");
    assert_eq!(answer["pools"], serde_json::json!([]), "what fails at once holds nobody");
}

#[test]
fn what_is_slow_fails_only_where_somebody_gives_up() {
    let patient = what_if(SHOP, "--slow payments=10x");
    assert_eq!((becomes(&patient, "shop.buy"), &patient["late"][0]["given_up"]), ("works", &Value::from(false)));
    let late = what_if(SHOP, "--slow payments=20x");
    assert_eq!(becomes(&late, "shop.buy"), "fails-in-part");
    assert_eq!((&late["late"][0]["quantile"], &late["late"][0]["becomes_s"]), (&Value::from(0.99), &Value::from(4.0)));
    let hopeless = what_if(SHOP, "--slow payments.charge=200x");
    assert_eq!((becomes(&hopeless, "shop.buy"), &hopeless["late"][0]["quantile"]), ("fails", &Value::from(0.5)));
}

#[test]
fn a_call_that_is_never_answered_concerns_its_caller_alone() {
    let text = SHOP.to_owned() + "service desk { operation refund { load 1/s; -> payments.charge { timeout 1s } } }\n";
    let answer = what_if(&text, "--hang shop.buy:payments.charge");
    assert_eq!((becomes(&answer, "shop.buy"), becomes(&answer, "desk.refund")), ("fails", "works"));
}

#[test]
fn several_things_can_go_wrong_at_once() {
    let answer = what_if(SHOP, "--kill advice --fail payments=10%");
    assert_eq!((becomes(&answer, "shop.buy"), becomes(&answer, "shop.look")), ("fails-in-part", "degrades"));
}

#[test]
fn what_cannot_be_asked_has_a_way_out() {
    let folder = Folder::of(SHOP);
    for (arguments, said) in [
        ("--kill payment", "did you mean `payments`"),
        ("--fail payments", "write `--fail payments=30%`"),
        ("--fail payments=130%", "between 0% and 100%"),
        ("--fail payments=nan%", "between 0% and 100%"),
        ("--slow payments=10", "write `--slow payments=10x`"),
        ("--slow payments=0.5x", "between 1x and"),
        ("--hang shop.buy", "no node, operation or call `shop.buy`"),
        ("", "--kill"),
    ] {
        let run = folder.run(&format!("what-if {arguments} a.topo"));
        assert_eq!((run.code, run.out.as_str()), (Some(2), ""), "{arguments}: {run:?}");
        assert!(run.err.contains(said), "{arguments}: {run:?}");
    }
}

#[test]
fn what_mistakes_in_the_text_concern_is_said_to_be_left_out() {
    let folder = Folder::of(CHAIN.to_owned() + "gateway -> nobody { timeout 1s; frobnicate 3 }\nweb -> gateway {\n");
    for question in ["path web payments a.topo", "what-if --kill payments a.topo"] {
        let run = folder.run(question);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert!(run.err.starts_with("notice: what ") && run.err.contains("mistakes in the text"), "{run:?}");
        assert!(!run.out.contains("notice"), "the answer stays an answer: {run:?}");
    }
    assert_eq!(Folder::of(CHAIN).run("path web payments a.topo").err, "");
}
