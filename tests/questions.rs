//! The questions that people ask of a diagram: `topolint path`, answered by the program.

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
    let run = Folder::of(text).run(&format!("path {arguments} a.topo -f json"));
    assert_eq!(run.code, Some(0), "{run:?}");
    let value: Value = serde_json::from_str(&run.out).expect("JSON");
    let schema = std::fs::read_to_string("grammar/path-v1.schema.json").expect("a schema");
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
