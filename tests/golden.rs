//! The golden vectors that worst-case time concerns, computed by hand.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod support;

use topolint::analysis::{Again, Extent, Facts};
use topolint::diagnostic::Certainty;
use topolint::metadata::Options;
use topolint::model::Duration;
use topolint::rules::Rule;

/// Looks at the facts of a text with which nothing is wrong.
fn with_facts<T>(text: &str, look: impl FnOnce(&Facts<'_>) -> T) -> T {
    support::with_facts(text, |facts, problems| {
        assert_eq!(problems, [], "{text}");
        look(facts)
    })
}

/// The worst case of `shop` in milliseconds, where it has an end and is known.
fn worst_case(text: &str) -> Option<u64> {
    with_facts(text, |facts| {
        let time = facts.times().operation(facts.topology().operation_named("shop").expect("an operation"));
        assert!(time.at_most.is_none_or(|most| most == time.at_least), "{text}");
        match time.at_most? {
            Extent::Finite(time) => Some(time.nanoseconds() / Duration::from_milliseconds(1).nanoseconds()),
            Extent::Unbounded => None,
        }
    })
}

fn of_call(attributes: &str) -> Option<u64> {
    worst_case(&format!("service shop {{ -> stock {{ {attributes} }} }}\nservice stock\n"))
}

#[test]
fn attempts_and_exponential_waits_add_up() {
    assert_eq!(of_call("timeout 2s; attempts 3; backoff exponential 100ms..1s"), Some(6_300));
    assert_eq!(of_call("timeout 2s; attempts 3; backoff exponential 100ms..1s; deadline 5s"), Some(5_000));
    assert_eq!(of_call("timeout 1s; attempts 3; backoff exponential 50ms..250ms"), Some(3_150));
}

#[test]
fn every_kind_of_jitter_has_its_bound() {
    for jitter in ["none", "full", "equal"] {
        assert_eq!(
            of_call(&format!("timeout 1s; retries 3; backoff exponential 100ms..250ms jitter {jitter}")),
            Some(4_550)
        );
    }
    // min(cap, base × 3^k): 300 ms, then the cap.
    assert_eq!(of_call("timeout 1s; retries 3; backoff exponential 100ms..500ms jitter decorrelated"), Some(5_300));
}

#[test]
fn hedges_connections_and_pools_have_their_own_waits() {
    assert_eq!(of_call("timeout 1s; hedge after 200ms max 3"), Some(1_400));
    assert_eq!(of_call("timeout 1s; attempts 3; retry-on connect; connect-timeout 100ms"), Some(1_200));
    assert_eq!(of_call("timeout 1s; attempts 2; pool-wait 500ms"), Some(3_000));
}

#[test]
fn what_comes_after_a_call_waits_for_its_latest_success() {
    // The deadline ends the wait between two tries: the first can succeed after 100 ms, failing takes 300 ms.
    let two = "-> stock { timeout 100ms; retries 1; backoff fixed 500ms jitter none; deadline 300ms }";
    let shop = |calls: &str| worst_case(&format!("service shop {{\n{calls}\n}}\nservice stock\n"));
    assert_eq!(shop(&format!("{two}\n-> stock {{ timeout 1s }}")), Some(1_100));
    assert_eq!(shop(&format!("{two}\n-> stock {{ timeout 100ms }}")), Some(300));
    // What answers instead starts when all has failed.
    let soft = two.replace("jitter none", "jitter none; fallback \"the last known\"");
    assert_eq!(shop(&format!("{soft}\n-> stock {{ timeout 100ms }}")), Some(400));
}

#[test]
fn nothing_is_tried_again_by_a_caller_that_says_so() {
    assert_eq!(of_call("timeout 1s; retries 3; retry-on none"), Some(1_000));
    assert_eq!(of_call("timeout 1s; attempts unlimited; retry-on none"), Some(1_000));
}

#[test]
fn a_store_without_an_operation_takes_as_long_as_its_slowest() {
    let text = "service shop { -> stock-db { local } }\nstore stock-db { latency max 100ms }\n";
    assert_eq!(worst_case(text), Some(100));
}

#[test]
fn calls_inside_one_process_share_what_is_left() {
    let text = "service shop { deadline 600ms; -> stock { local }; -> stock { local } }
service stock { deadline inherited; latency max 700ms }";
    assert_eq!(worst_case(text), Some(600));
}

#[test]
fn a_caller_that_waits_1_s_is_inverted_above_3_15_s() {
    let text = "client web { -> shop { timeout 1s } }
service shop { -> stock { timeout 1s; attempts 3; backoff exponential 50ms..250ms } }
service stock { readonly }";
    with_facts(text, |facts| {
        let check = Rule::named("timeout-inversion").and_then(|rule| rule.check).expect("a rule");
        let messages: Vec<String> =
            check(facts, &Options::default()).into_iter().map(|finding| finding.message).collect();
        assert_eq!(messages, ["`web` gives up on `shop` after 1 s, but it can work for 3.15 s"]);
    });
}

#[test]
fn what_is_without_end_or_unknown_has_no_number() {
    assert_eq!(of_call("timeout none"), None);
    assert_eq!(of_call("timeout 1s; attempts unlimited"), None);
    assert_eq!(of_call("timeout 1s; times unlimited"), None);
    assert_eq!(of_call("times unlimited"), None);
    assert_eq!(of_call("retries 2"), None);
}

#[test]
fn the_shop_takes_what_the_language_page_says() {
    let orders = "-> a { timeout 200ms; retries 1; backoff exponential 20ms..200ms jitter full }
        parallel { -> b { timeout 500ms }; -> c { timeout 150ms; fallback \"accept below 50 EUR\" } }
        -> d.write { timeout 100ms; idempotent }\n->> q";
    let text = format!("service shop {{\n{orders}\n}}\nservice a, b, c\nstore d\nqueue q\n");
    assert_eq!(worst_case(&text), Some(1_020));
}

/// The executions of an operation for one request, if it fails fast and if anything may fail.
fn executions(text: &str, operation: &str) -> (Option<u64>, Option<u64>) {
    with_facts(text, |facts| {
        let found = facts.executions(facts.topology().operation_named(operation).expect("an operation"));
        assert!(found.exact);
        (found.failing.finite(), found.bound.finite())
    })
}

fn layers(calls: &[&str]) -> String {
    let names = ["web", "shop", "orders", "stock", "prices", "rates"];
    let pairs = names.windows(2).zip(calls);
    let lines = pairs.map(|(pair, call)| format!("service {}\n{} -> {} {{ {call} }}\n", pair[1], pair[0], pair[1]));
    format!("client web\n{}", lines.collect::<String>())
}

#[test]
fn attempts_of_all_layers_multiply() {
    assert_eq!(executions(&layers(&["attempts 4"; 3]), "stock"), (Some(64), Some(64)));
    assert_eq!(executions(&layers(&["attempts 3"; 5]), "rates"), (Some(243), Some(243)));
    assert_eq!(executions(&layers(&["attempts 3; via istio"]), "shop"), (Some(9), Some(9)));
}

#[test]
fn what_absorbs_a_failure_ends_the_multiplication_above_it() {
    let text = layers(&["attempts 4", "attempts 4; fallback \"none left\"", "attempts 4"]);
    assert_eq!(executions(&text, "stock"), (Some(16), Some(64)));
}

#[test]
fn a_sibling_is_executed_again_by_who_tries_again() {
    let text = "client web { -> shop { retries 2 } }
service shop { -> orders; -> stock }\nservice orders, stock\n";
    assert_eq!(executions(text, "orders"), (Some(3), Some(3)));
    assert_eq!(executions(text, "stock"), (Some(3), Some(3)));
}

#[test]
fn a_hang_of_30_s_needs_6000_workers_and_fills_100_in_half_a_second() {
    let text = "client web { -> shop.list; -> shop.buy }
service shop {
  concurrency 100
  operation list { load 200/s; -> prices { timeout 30s } }
  operation buy { -> stock { timeout 50ms } }
}
service prices, stock\n";
    with_facts(text, |facts| {
        let [pool] = facts.pools() else { panic!("one pool") };
        let hang = pool.hangs.first().expect("a hang");
        assert_eq!((pool.size, hang.needed, hang.seconds_to_full(pool)), (100, Some(6_000.0), Some(0.5)));
        let innocent: Vec<String> = hang.innocent.iter().map(|id| facts.topology().operation_name(*id)).collect();
        assert_eq!(innocent, ["shop.buy"]);
    });
}

#[test]
fn ten_minutes_at_900_of_1000_a_second_are_made_good_after_ninety() {
    let text =
        "service shop { operation order { load 900/s; ->> q } }\nqueue q\nservice w { capacity 1000/s }\nq ->> w\n";
    with_facts(text, |facts| {
        let queue = facts.queues().next().expect("a queue");
        let delivery = facts.subscriptions(queue)[0];
        let backlog = facts.backlog(delivery).expect("rates");
        let time = backlog.catching_up(Duration::from_milliseconds(600_000));
        assert_eq!(time, Some(Duration::from_milliseconds(5_400_000)));
    });
}

#[test]
fn a_dead_letter_queue_of_14_d_outlasts_a_key_of_24_h() {
    let queue = |replay: &str| {
        format!(
            "client web {{ -> jobs {{ timeout 1s }} }}
queue jobs {{ visibility 30m; max-receives 5; dead-letter given-up }}
queue given-up {{ retention 14d; {replay} }}
jobs ->> worker {{ key forwarded }}
service worker {{ -> psp.charge {{ timeout 1s; key forwarded }} }}
external psp {{ operation charge {{ method POST; idempotent by-key {{ window 24h; atomic }} }} }}\n"
        )
    };
    let horizon = |replay: &str, certainty| {
        with_facts(&queue(replay), |facts| {
            let charge = facts.topology().operation_named("psp.charge").expect("an operation");
            let horizon = facts.horizon(charge, Again::SameKey, certainty).expect("it comes again");
            horizon.time.finite().map(|time| time.seconds() / 3_600.0)
        })
    };
    assert_eq!(horizon("", Certainty::Possible), Some(14.0 * 24.0 + 2.5));
    assert_eq!(horizon("", Certainty::Proved), Some(2.5));
    assert_eq!(horizon("replay 14d", Certainty::Proved), Some(14.0 * 24.0 + 2.5));
    assert_eq!(horizon("replay none", Certainty::Possible), Some(2.5));
    with_facts(&queue(""), |facts| {
        let rule = Rule::named("short-dedup-window").expect("a rule");
        let found = rule.check.expect("a check")(facts, &Options::of(&rule.page().options));
        assert_eq!(found.len(), 1);
    });
}

#[test]
fn five_services_that_keep_a_tenth_each_leave_one_trace_in_100000() {
    let calls = ["a -> b", "b -> c", "c -> d", "d -> e"].join("\n");
    let text = format!("defaults {{ service {{ sampling 10% independent }} }}\nservice a, b, c, d, e\n{calls}\n");
    with_facts(&text, |facts| {
        let torn = facts.torn_trace().expect("parts of traces");
        assert_eq!(torn.deciders.len(), 5);
        assert!((torn.whole - 1e-5).abs() < 1e-12);
    });
}
