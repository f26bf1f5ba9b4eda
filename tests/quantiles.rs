//! Golden vectors of latency quantiles, computed by hand: what is proved, and what is estimated.

#![allow(clippy::expect_used, reason = "a test may stop")]

mod support;

use topolint::analysis::Facts;
use topolint::model::Duration;

fn milliseconds(time: Duration) -> u64 {
    (time.nanoseconds() + 500_000) / 1_000_000
}

/// What is known of a quantile of `shop`: proved, proved of what is stated, estimated, and reached at least.
#[derive(Debug, PartialEq)]
struct Known {
    whole: Option<u64>,
    proved: Option<u64>,
    estimate: Option<u64>,
    least: u64,
}

fn shop(text: &str, quantile: f64) -> Known {
    support::with_facts(text, |facts: &Facts<'_>, problems| {
        assert_eq!(problems, [], "{text}");
        let id = facts.topology().operation_named("shop").expect("an operation");
        Known {
            whole: facts.proved_latency(id, quantile).map(milliseconds),
            proved: facts.latency_of_what_is_stated(id, quantile).map(milliseconds),
            estimate: facts.estimated_latency(id, quantile).map(milliseconds),
            least: milliseconds(facts.least_latency(id, quantile)),
        }
    })
}

/// So many calls one after another, to operations with a p50 of 20 ms and a p99 of 200 ms.
fn series(count: usize) -> String {
    let names: Vec<String> = (0..count).map(|index| format!("a{index}")).collect();
    format!(
        "service shop {{\n-> {}\n}}\nservice {} {{ readonly; latency p50 20ms, p99 200ms }}\n",
        names.join("\n-> "),
        names.join(", ")
    )
}

fn near(found: Option<u64>, expected: u64, percent: u64) {
    let found = found.expect("an estimate");
    assert!(found.abs_diff(expected) * 100 <= expected * percent, "{found} is not near {expected}");
}

#[test]
fn p99s_in_sequence_add_up_to_a_lower_quantile_and_no_p99() {
    // Vectors 9 and 10: the p99 of the sum is estimated; a bound would need quantiles that nobody states.
    for (count, p99, p50) in [(2, 294, 50), (5, 499, 142), (10, 772, 302)] {
        let text = series(count);
        let known = shop(&text, 0.99);
        assert_eq!((known.proved, known.least), (None, 200));
        near(known.estimate, p99, 2);
        near(shop(&text, 0.5).estimate, p50, 3);
    }
    // The corollary: the sum of n p99s is a guaranteed p(100 − n).
    assert_eq!(shop(&series(5), 0.95).proved, Some(1_000));
    assert_eq!(shop(&series(10), 0.9).proved, Some(2_000));
    assert_eq!(shop(&series(5), 0.96).proved, None);
}

#[test]
fn what_is_stated_high_enough_is_proved() {
    let text = "network { within zone { rtt 1ms } }\nzones z
service shop { latency max 3ms; -> a; -> b }
service a, b { latency p99 100ms, p99.5 200ms, p99.9 900ms }";
    assert_eq!(shop(text, 0.99).whole, Some(405), "0.5 % each, two ways and the own work");
    assert_eq!(shop(text, 0.98).whole, Some(205));
    assert_eq!(shop(text, 0.99).least, 102, "one of them, and both ways");
}

#[test]
fn what_is_not_stated_makes_a_bound_incomplete() {
    let text = "service shop { -> a }\nservice a { latency p99 100ms }";
    let known = shop(text, 0.99);
    assert_eq!((known.whole, known.proved), (None, Some(100)), "own work of `shop`, and the network");
    assert_eq!(shop("service shop { -> a }\nservice a { readonly }", 0.99).proved, None);
}

#[test]
fn timeouts_and_deadlines_cap_every_quantile() {
    let capped = |call: &str| {
        shop(&format!("service shop {{ latency max 0ms; -> a {{ {call} }} }}\nservice a {{ latency p90 50ms }}"), 0.99)
            .whole
    };
    assert_eq!(capped("timeout 300ms"), Some(300));
    assert_eq!(capped("timeout 300ms; retries 1; backoff fixed 100ms jitter none"), Some(700));
    assert_eq!(capped("timeout 300ms; retries 1; deadline 400ms"), Some(400));
    assert_eq!(capped("timeout 300ms; fallback \"at hand\""), Some(300));
    assert_eq!(capped("deadline 1s; pool-wait 200ms"), Some(1_000));
    assert_eq!(shop("service shop { deadline 250ms; -> a }\nservice a", 0.99).whole, Some(250));
}

#[test]
fn joins_loops_and_misses_have_their_own_quantiles() {
    let of = |calls: &str, quantile: f64| {
        shop(
            &format!(
                "service shop {{ {calls} }}\nservice a, b {{ latency p50 10ms, p99 100ms, p99.5 150ms, p99.9 400ms }}
cache near {{ of db; hit-ratio 98%; latency max 1ms }}\nstore db {{ latency p50 30ms, p99 300ms }}"
            ),
            quantile,
        )
        .proved
    };
    assert_eq!(of("parallel { -> a; -> b }; -> near.get; -> db.read", 0.95), Some(101), "1 % each, 2 % of misses");
    assert_eq!(of("parallel { -> a; -> b }; -> near.get", 0.99), Some(151));
    assert_eq!(of("parallel any 1 { -> a; -> b }; -> near.get", 0.99), Some(101));
    assert_eq!(of("one-of { -> a; -> b }; -> near.get", 0.99), Some(101));
    assert_eq!(of("parallel { -> a { times 10 } }; -> near.get; -> b { chance 0% }", 0.99), Some(401));
    assert_eq!(of("-> a { times 10 }; -> near.get; -> b { chance 0% }", 0.9), Some(1_001));
    // The p99 over a cache with 98 % of hits is the median of its misses.
    assert_eq!(of("-> near.get; -> db.read; -> a { chance 0% }; -> b { chance 0% }", 0.99), Some(31));
}

#[test]
fn what_a_request_can_do_without_is_no_lower_bound() {
    let least = |call: &str| {
        shop(&format!("service shop {{ -> a {{ {call} }} }}\nservice a {{ latency p99 200ms }}"), 0.99).least
    };
    assert_eq!(least("timeout 1s"), 200);
    assert_eq!(least("timeout 150ms"), 150, "what is cut off took until then");
    for spared in ["chance 50%", "fallback \"at hand\"", "hedge after 20ms", "times 0..3"] {
        assert_eq!(least(spared), 0, "{spared}");
    }
}
