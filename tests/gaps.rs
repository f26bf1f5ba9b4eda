//! Where an analysis stops before it takes too long, it says what it left out.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod program;

use std::fmt::Write as _;

use program::Folder;
use serde_json::Value;

/// What is said not to be analysed.
fn gaps(text: &str) -> String {
    let run = Folder::of(text).run("check -f json a.topo");
    let report: Value = serde_json::from_str(&run.out).expect("JSON");
    let gaps = report["not_analysed"].as_array().expect("gaps").iter();
    let text = |gap: &Value, key: &str| gap[key].as_str().expect("text").to_owned();
    gaps.map(|gap| text(gap, "what") + ": " + &text(gap, "why")).collect::<Vec<_>>().join("\n")
}

/// A flow that writes to so many stores and then reads the first from a copy.
fn writes(stores: usize) -> String {
    let mut text = "client web { -> shop { timeout 9s } }\nservice shop {\n".to_owned();
    for store in 0..stores {
        let _ = writeln!(text, "  -> s{store}.write {{ timeout 9ms; idempotent }}");
    }
    text += "  -> s0.read { timeout 9ms; read-from replica }\n}\n";
    for store in 0..stores {
        let _ = writeln!(text, "store s{store} {{ replication async {{ lag 1s }} }}");
    }
    text
}

#[test]
fn a_flow_that_writes_in_very_many_places() {
    assert_eq!(gaps(&writes(32)), "");
    let found = gaps(&writes(33));
    assert!(
        found.contains("reads after writes in 2 flows: in one, more than 32 places are written or read"),
        "{found}"
    );
    let nothing_late = writes(33).replace("; read-from replica", "; read-from leader");
    assert_eq!(gaps(&nothing_late), "", "where no read is late, nothing is missed");
}

#[test]
fn an_operation_with_very_many_sagas() {
    let sagas = |count: usize| {
        let steps: String = (0..count).fold(String::new(), |mut text, saga| {
            let _ = writeln!(text, "  -> s.write {{ timeout 9ms; idempotent; saga s{saga} }}");
            text
        });
        format!("client web {{ -> shop {{ timeout 9s }} }}\nservice shop {{\n{steps}}}\nstore s\n")
    };
    assert_eq!(gaps(&sagas(16)), "");
    assert!(gaps(&sagas(18)).contains("the steps of 2 sagas: of one operation no more than 16 are looked at"));
}

#[test]
fn a_cache_around_which_very_much_lies() {
    let around = |count: usize| {
        let mut text = "client web { -> shop { timeout 9s } }\nservice shop {\n  -> c.set { timeout 9ms }\n".to_owned();
        let mut callees = String::new();
        for callee in 0..count {
            let _ = writeln!(text, "  -> b{callee} {{ timeout 9ms }}");
            let _ = writeln!(callees, "service b{callee} {{ readonly }}");
        }
        text + "}\ncache c { of s; ttl 1m }\nstore s\nservice r { -> s.read { timeout 9ms } }\nweb -> r { timeout 1s }\n"
            + &callees
    };
    assert_eq!(gaps(&around(100)), "");
    let found = gaps(&around(300));
    assert!(found.contains("where else it is kept what is set by 1 call into a cache: more than 256"), "{found}");
}

#[test]
fn caches_behind_caches() {
    let chain = |count: usize| {
        let mut text =
            "client web { -> shop { timeout 9s } }\nservice shop { -> c0.get { timeout 9ms } }\nstore s\n".to_owned();
        for cache in 0..count {
            let of = if cache + 1 == count { "s".to_owned() } else { format!("c{}", cache + 1) };
            let _ = writeln!(text, "cache c{cache} {{ of {of}; ttl 1m }}");
        }
        text
    };
    assert_eq!(gaps(&chain(32)), "");
    let found = gaps(&chain(34));
    assert!(found.contains("the store behind 2 caches: more than 32 caches lie one behind another"), "{found}");
}

#[test]
fn what_a_method_promises_far_above() {
    let chain = |count: usize| {
        let mut text = "client web { -> o0.put { timeout 9s } }\nservice o0 { operation put { method PUT; -> o1 { timeout 9s } } }\n".to_owned();
        for operation in 1..count {
            let _ = writeln!(text, "service o{operation} {{ -> o{} {{ timeout 9s }} }}", operation + 1);
        }
        let _ = writeln!(text, "service o{count} {{ -> s.write {{ timeout 9s; idempotent none }} }}\nstore s");
        text
    };
    assert_eq!(gaps(&chain(40)), "");
    let found = gaps(&chain(70));
    assert!(
        found.contains("what an HTTP method promises of 1 operation: what repeats lies more than 64 calls"),
        "{found}"
    );
}

#[test]
fn a_pool_above_very_much() {
    let below = |count: usize| {
        let mut text =
            "client web { -> shop { timeout 9s } }\nservice shop { load 9/s; concurrency 9; -> b0 { timeout 9s } }\n"
                .to_owned();
        for callee in 0..count {
            let _ = writeln!(text, "service b{callee} {{ -> b{} {{ timeout 9s }} }}", callee + 1);
        }
        let _ = writeln!(text, "service b{count} {{ readonly }}");
        text
    };
    assert_eq!(gaps(&below(100)), "");
    let found = gaps(&below(300));
    assert!(
        found.contains("whose hang does not concern 1 operation of a pool: more than 256 operations lie below it"),
        "{found}"
    );
}

#[test]
fn pools_below_very_much() {
    let chain = |count: usize| {
        let mut text = "client web { -> s0 { timeout 9s; load 1/s } }\n".to_owned();
        for service in 0..count {
            let _ = writeln!(text, "service s{service} {{ concurrency 9; -> s{} {{ timeout 9s }} }}", service + 1);
        }
        let _ = writeln!(text, "service s{count} {{ readonly }}");
        text
    };
    assert_eq!(gaps(&chain(20)), "");
    let found = gaps(&chain(520));
    assert!(found.contains("the workers that are held by"), "{found}");
    assert!(found.contains("hangs: there is too much above all of them together"), "{found}");
}

#[test]
fn a_call_between_very_many_zones() {
    let apart = |zones: usize| {
        let list = |letter: char| (0..zones).map(|zone| format!("{letter}{zone}")).collect::<Vec<_>>().join(", ");
        format!(
            "network {{ between zones {{ rtt 2ms }} }}\nclient web {{ -> shop {{ timeout 9s }} }}\n\
             service shop {{ zones {}; -> stock {{ timeout 9ms }} }}\nservice stock {{ zones {}; readonly }}\n",
            list('a'),
            list('b')
        )
    };
    assert_eq!(gaps(&apart(32)), "");
    let found = gaps(&apart(33));
    assert!(found.contains("the round trip of 1 call: its ends lie in more than 1,024 pairs of zones"), "{found}");
    let near = apart(33).replace("stock { zones ", "stock { zones a0, ");
    assert_eq!(gaps(&near), "", "one zone that both have is the nearest");
    let inside = apart(33).replace("stock { timeout", "stock { local; timeout");
    assert_eq!(gaps(&inside), "", "no network is crossed");
    let unstated = apart(33).replace("between zones {", "between regions {");
    assert_eq!(gaps(&unstated), "", "nothing would be known of any of the pairs");
    let regions = apart(33).replace("service shop {", "service shop { region a;");
    let regions = regions.replace("service stock {", "service stock { region b;");
    assert_eq!(gaps(&regions), "", "regions decide where they are told apart");
}
