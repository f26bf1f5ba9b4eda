//! What a stranger wrote costs a bounded amount of time and memory: beyond a limit it is refused, in words that name the
//! limit and how to raise it. The slow cases run in a release build: `cargo test --profile measured --test limits`.

#![allow(clippy::format_collect, reason = "texts of a test are small enough")]
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may stop")]

#[path = "generate/large.rs"]
mod large;
mod program;
#[path = "oracle/random.rs"]
mod random;

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use assert_cmd::Command;
use large::Large;
use program::{Folder, LIMIT, Run, SURROUNDINGS, assert_refused};
use random::Random;

const FORMATS: [&str; 12] = [
    "agent",
    "checkstyle",
    "concise",
    "github",
    "gitlab",
    "human",
    "json",
    "jsonl",
    "junit",
    "markdown",
    "rdjson",
    "sarif",
];

/// Runs with so many megabytes of address space, and no longer than that.
fn bounded(folder: &Folder, arguments: &str, megabytes: u64, seconds: u64) -> Run {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v \"$1\" && shift && exec \"$@\"", "sh"]);
    command.args([(megabytes * 1024).to_string().as_str(), env!("CARGO_BIN_EXE_topolint")]);
    command.args(arguments.split_whitespace()).current_dir(folder.path(""));
    for name in SURROUNDINGS {
        command.env_remove(name);
    }
    // What each further thread may use of the address space is no use of memory.
    command.env("RAYON_NUM_THREADS", "2");
    Run::of(command.timeout(Duration::from_secs(seconds)))
}

/// Ran to its end within half a gigabyte.
#[track_caller]
fn ran(folder: &Folder, arguments: &str) -> Run {
    ended(arguments, bounded(folder, arguments, 512, LIMIT.as_secs()))
}

/// Ran to its end as soon as what takes time in proportion; each with each takes longer.
#[track_caller]
fn ran_soon(folder: &Folder, arguments: &str) -> Run {
    ended(arguments, bounded(folder, arguments, 1024, 7))
}

#[track_caller]
fn ended(arguments: &str, run: Run) -> Run {
    assert!(matches!(run.code, Some(0 | 1)), "{arguments}: {:?} {}", run.code, run.err);
    run
}

// ---------------------------------------------------------------------------------------------------- Promises

#[test]
fn every_promise_names_tests_and_they_exist() {
    let promises = fs::read_to_string(".github/SECURITY.md").expect("the promises");
    for promise in promises.split("\n- ").skip(1) {
        let promise = promise.split("\n\n").next().unwrap_or_default();
        let named: Vec<&str> = promise.split('`').filter(|word| word.contains("::")).collect();
        assert!(!named.is_empty(), "this promise names no test: {promise}");
        for name in named {
            let (file, test) = name.split_once("::").expect("a file and a test");
            let text = fs::read_to_string(file).unwrap_or_default();
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            let at = lines.iter().position(|line| line.starts_with(&format!("fn {test}(")));
            let marks = at.map_or(&[][..], |at| &lines[at.saturating_sub(3)..at]);
            assert!(marks.contains(&"#[test]"), "there is no test `{name}`");
        }
    }
}

// -------------------------------------------------------------------------------------------------- Much is shared

/// `p0, p1, …`
fn list(prefix: &str, count: usize) -> String {
    (0..count).map(|number| format!("{prefix}{number}")).collect::<Vec<_>>().join(", ")
}

/// So many services, each called by a client.
fn called(count: usize) -> String {
    (0..count).map(|number| format!("service s{number}\nw -> s{number}\n")).collect()
}

#[test]
fn what_many_ways_share_is_not_followed_way_by_way() {
    let mut random = Random::seeded(1);
    let mut text = String::from("client w\nw -> n0x0\nw -> n0x1\n");
    for (layer, node) in (0..25).flat_map(|layer| (0..10).map(move |node| (layer, node))) {
        let calls = (0..3).map(|_| format!("; -> n{}x{}", layer + 1, random.index(10)));
        let calls: String = calls.filter(|_| layer < 24).collect();
        let _ = writeln!(text, "service n{layer}x{node} {{ availability 99.9%{calls} }}");
    }
    let folder = Folder::of(text);
    for arguments in ["check a.topo", "facts a.topo", "what-if a.topo --kill n24x0", "render a.topo -f mermaid"] {
        ran(&folder, arguments);
    }
}

#[test]
fn what_many_inherit_is_not_multiplied() {
    let policies: String = (1..600).map(|number| format!("policy p{number} {{ timeout {number}s }}\n")).collect();
    let allows: String = (0..25_000).map(|number| format!("allow missing-timeout \"{number}\"\n")).collect();
    let used = list("p", 600);
    let callers: String = (0..20_000).map(|number| format!("service b{number} {{ -> hub }}\n")).collect();
    let passed: String = (0..6_000).map(|number| format!("service g{number}\n")).collect();
    let far = format!("group a {{ zones {}\nservice hub }}\ngroup b {{ zones {}\n", list("y", 400), list("z", 400));
    for (text, services) in [
        (format!("policy p0 {{ timeout 1s }}\n{policies}defaults {{ call {{ use {used} }} }}\n"), 2_000),
        (format!("zones {}\n", list("z", 1_024)), 16_000),
        (format!("data {}\ncleared-for {}\n", list("d", 1_024), list("e", 1_024)), 12_000),
        (allows, 25_000),
        (format!("network {{ between zones {{ rtt 2ms }} }}\n{far}{callers}}}\n"), 0),
        (format!("{passed}defaults {{ call {{ through {} }} }}\n", list("g", 1_024)), 20_000),
    ] {
        ran(&Folder::of(text + "client w\n" + &called(services)), "check a.topo -f concise");
    }
}

#[test]
fn many_links_pools_and_caches_do_not_multiply() {
    const MANY: usize = 40_000;
    let each = |text: fn(usize) -> String| (0..MANY).map(text).collect::<String>();
    let network = each(|at| format!("between z{at} z{} {{ rtt 5ms; bandwidth 1Gbps; price 0.01 USD/GB }}\n", at + 1));
    let last = each(|at| format!("service s{at} {{ zones z{}; -> hub {{ size 1KB }}; -> hub }}\n", MANY - 1));
    let pools = each(|at| format!("operation o{at} {{ load 5/s; -> d{at} {{ timeout 1s }} }}\n"));
    let callees = each(|at| format!("service d{at}\n"));
    let caches = each(|at| format!("cache c{at} {{ of db; ttl 5s; hit-ratio 90% }}\nshop -> c{at}.get\n"));
    for text in [
        format!("network {{\n{network}}}\nservice hub {{ zones z{MANY} }}\n{last}"),
        format!("service shop {{ concurrency 100\n{pools}}}\n{callees}"),
        format!("client w\nstore db\nservice shop\nw -> shop\n{caches}{}", "shop -> db.read\n".repeat(3)),
    ] {
        ran_soon(&Folder::of(text), "check a.topo -f concise");
    }
}

#[test]
fn what_lies_below_many_is_not_followed_for_each() {
    const MANY: usize = 16_000;
    let each = |count: usize, text: fn(usize) -> String| (0..count).map(text).collect::<String>();
    let chain = each(MANY, |at| format!("service s{at} {{ -> s{} }}\n", at + 1));
    let entries = each(MANY, |at| format!("w -> s{at} {{ load 1/s }}\n"));
    let falling = each(MANY / 2, |at| format!("service a{at} {{ -> b {{ fallback {{ -> c }} }} }}\nw -> a{at}\n"));
    let both = "service b { -> s0 }\nservice c { -> s0 }\n";
    let observers = each(MANY / 4, |at| {
        format!("service m{at} {{ role telemetry; -> s{at} {{ phase observe }}; -> h {{ phase observe }} }}\n")
    });
    let longer = each(MANY, |at| {
        let quantile = 50.0 + 49.0 * f64::from(u32::try_from(at).unwrap_or(0)) / 16_000.0;
        format!("service s{at} {{ latency p{quantile:.5} {}us; -> s{} {{ timeout 1h }} }}\n", at + 1, at + 1)
    });
    let promising = each(MANY, |at| {
        format!("service s{at} {{ availability 99.8%; slo {{ availability 99.9% }}; -> s{} }}\n", at + 1)
    });
    let asking = each(MANY, |at| format!("service s{at} {{ -> s{}; -> i }}\n", at + 1));
    let boxes = each(MANY / 2, |at| format!("group g{at} {{ quota 5 instances; cost-budget 1 USD/month }}\n"));
    let inside = format!("{}{}", "group d {\n".repeat(60), each(MANY / 2, |at| format!("service s{at} {{ -> h }}\n")));
    let set = "-> c.set\n".repeat(MANY);
    let offered = each(MANY, |at| format!("operation o{at}\n"));
    let own = each(MANY, |at| format!("operation o{at} {{ load 5/s; -> d{at} {{ timeout 1s; pool-size 9 }} }}\n"));
    let accepting = each(MANY, |at| format!("service d{at} {{ connections 5 }}\n"));
    let opened = each(3 * MANY, |at| format!("-> d{at} {{ timeout 1s; pool-size 9 }}\n"));
    let opening = each(3 * MANY, |at| format!("service d{at} {{ connections 5 }}\n"));
    let half = each(3 * MANY, |at| format!("-> t{}\n", at % 3));
    let three = each(3, |at| format!("service t{at} {{ availability 99.9% }}\n"));
    for (text, arguments) in [
        (format!("{chain}service s{MANY}\n{entries}"), "check a.topo -f concise"),
        (format!("{chain}service s{MANY}\n{entries}"), "what-if a.topo --kill s16000 -f json"),
        (format!("{chain}service s{MANY}\n{falling}{both}"), "check a.topo -f concise"),
        (format!("{chain}service s{MANY}\nservice h {{ -> s0 }}\n{observers}"), "check a.topo -f concise"),
        (format!("{longer}service s{MANY}\nw -> s0\n"), "check a.topo -f concise"),
        (format!("{boxes}{inside}{}service h\n", "}".repeat(60)), "check a.topo -f concise"),
        (format!("w -> s\nstore db\ncache c {{ of db }}\nservice s {{\n{set}}}\n"), "check a.topo -f concise"),
        (format!("service b {{\n{offered}}}\nservice a {{\n{}}}\n", "-> b\n".repeat(MANY)), "check a.topo -f concise"),
        (format!("service a {{ concurrency 9\n{own}}}\n{accepting}"), "check a.topo -f concise"),
        (format!("{promising}service s{MANY}\nw -> s0\n"), "check a.topo -f concise"),
        (
            format!(
                "{asking}service s{MANY}\nservice i {{ role identity }}\nw -> s0.x\nservice s0 {{ operation x {{ slo {{ availability 99.9% }} }} }}\n"
            ),
            "check a.topo -f json",
        ),
        (format!("service a {{\n{opened}}}\n{opening}w -> a\n"), "check a.topo -f concise"),
        (format!("service a {{ parallel any 24000 {{\n{half}}} }}\n{three}w -> a\n"), "check a.topo -f concise"),
    ] {
        ran_soon(&Folder::of(format!("client w\n{text}")), arguments);
    }
}

#[test]
fn many_topologies_in_one_folder_do_not_multiply() {
    let text = |at: usize| format!("client w\nservice s{at}\nw -> s{at}\n");
    let folder = (0..4_000).fold(Folder::new(), |folder, at| folder.with(&format!("f{at}.topo"), text(at)));
    ran_soon(&folder, "check -f concise");
}

#[test]
fn what_a_configuration_would_multiply_is_refused() {
    let overrides = |count: usize| {
        let each =
            |at: usize| format!("  - files: a{at}.topo\n    options: {{ long-tail: {{ ratio: {} }} }}\n", at + 2);
        format!("overrides:\n{}", (0..count).map(each).collect::<String>())
    };
    let folder = Folder::of("service a\n");
    assert_eq!(folder.run("check").code, Some(0));
    let folder = folder.with("topolint.yaml", overrides(32));
    assert_eq!(folder.run("check").code, Some(0), "{:?}", folder.run("check"));
    let folder = folder.with("topolint.yaml", overrides(33));
    assert_refused(&folder.run("check"), &["more than 32 overrides set options of `long-tail`", "the same options"]);
    let patterns = |count| list("a", count).replace(", ", ".topo, ");
    let folder = folder.with("topolint.yaml", format!("exclude: [{}]\n", patterns(1_001)));
    assert_refused(&folder.run("check"), &["more than 1000 patterns choose files", "name folders"]);
}

#[test]
fn folders_that_are_named_again_and_again_list_no_more() {
    let folder = (0..40).fold(Folder::new(), |folder, at| folder.with(&format!("a/b/f{at}.topo"), "service s\n"));
    let again = |path: &str| vec![path; 20_000].join(", ");
    let folder = folder.with("topolint.yaml", format!("include: [{}]\n", again(".")));
    ran_soon(&folder, "check -f concise");
    let known = format!("version: 1\npaths: [{}]\nfindings: []\n", again("a"));
    let folder = folder.with("topolint.yaml", "baseline: known.yaml\n").with("known.yaml", known);
    ran_soon(&folder, "check -f concise");
    let run = folder.run("check a a/b a a/b a a/b --max-files 40 -f concise");
    assert_refused(&run, &["goes beyond the limit of 40 files", "raise `--max-files`, or name fewer"]);
}

#[test]
fn a_list_that_is_too_long_is_a_mistake() {
    let shop =
        |count: usize| format!("client w\nservice shop {{ tags {} }}\nw -> shop {{ timeout 1s }}\n", list("t", count));
    assert_eq!(Folder::of(shop(1_024)).run("check a.topo -f concise").rules(), [] as [&str; 0]);
    let run = Folder::of(shop(1_025)).run("check a.topo");
    assert_eq!(run.code, Some(1));
    assert!(run.flat().contains("`tags` states 1025 values: there are at most 1024"), "{}", run.out);
}

#[test]
fn the_questions_of_a_page_do_not_multiply() {
    let each = |count: usize, text: fn(usize) -> String| (0..count).map(text).collect::<String>();
    let hub = each(2_000, |at| format!("service p{at} {{ -> q; availability 99.9% }}\nservice c{at}\nq -> c{at}\n"));
    let made = each(24_000, |at| format!("-> b.o{at}\n"));
    let offered = each(24_000, |at| format!("operation o{at}\n"));
    let chain = each(24_000, |at| format!("service s{at}\ns{at} -> s{}\n", at + 1));
    let enough = each(1_000, |at| format!("-> t{at}\n"));
    let parts = each(1_000, |at| format!("service t{at} {{ availability 99.{at}% }}\n"));
    for (text, how) in [
        (format!("service q {{ availability 99.9% }}\n{hub}"), "--collapse none"),
        (format!("service a {{\n{made}}}\nservice b {{\n{offered}}}\n"), ""),
        (format!("{chain}service s24000\n"), "--group-by owner --collapse all"),
        (format!("service a {{ parallel any 500 {{\n{enough}}} }}\n{parts}"), "--collapse none"),
    ] {
        ran_soon(&Folder::of(text), &format!("render a.topo -f html -o a.html {how}"));
    }
}

#[test]
fn the_causes_of_many_changes_are_not_multiplied() {
    let before = (0..16_000).map(|at| format!("service s{at} {{ latency p99 {}ms }}\nw -> s{at}\n", at + 1));
    let after = (0..16_000).map(|at| format!("service r{at} {{ owner t{at} }}\nw -> r{at}\n"));
    let folder = Folder::of(format!("client w\n{}", after.collect::<String>()));
    let folder = folder.with("before/a.topo", format!("client w\n{}", before.collect::<String>()));
    ran_soon(&folder, "diff a.topo --against before");
}

// ---------------------------------------------------------------------------------------------------- Too large

#[test]
fn a_gigabyte_of_one_line_is_refused_unread() {
    let folder = Folder::of("");
    let file = fs::File::create(folder.path("a.topo")).expect("a file");
    file.set_len(1 << 30).expect("a file with a hole");
    let run = bounded(&folder, "check a.topo", 256, 5);
    assert_refused(
        &run,
        &["`a.topo` has 1073741824 bytes, more than the limit of 67108864", "raise `--max-file-size`"],
    );
}

#[test]
fn more_files_than_are_read_are_refused() {
    let folder = Folder::new().with("a.topo", "include \"parts/*.topo\"\n");
    let folder = (0..4).fold(folder, |folder, number| folder.with(&format!("parts/{number}.topo"), "service s\n"));
    assert_eq!(folder.run("check a.topo --max-files 5").code, folder.run("check a.topo").code);
    let words = ["goes beyond the limit of 3 files", "raise `--max-files`, or name fewer"];
    for (arguments, name) in
        [("check a.topo", "`parts/*.topo`"), ("check .", "project` goes"), ("facts a.topo", "`parts/*")]
    {
        let run = folder.run(&format!("{arguments} --max-files 3"));
        assert_refused(&run, &words);
        assert_refused(&run, &[name]);
    }
    let run = folder.run("check a.topo --max-files 4");
    assert_refused(&run, &["`parts/3.topo` goes beyond the limit of 4 files"]);
}

#[test]
fn more_statements_than_are_read_are_refused() {
    let folder =
        Folder::of("include \"b.topo\"\nservice a {\n  owner x; replicas 2\n}\n").with("b.topo", "# none\nstore b\n");
    assert_ne!(folder.run("check a.topo --max-statements 5").code, Some(2));
    let words = ["`b.topo` goes beyond the limit of 4 statements in all files", "raise `--max-statements`"];
    assert_refused(&folder.run("check a.topo --max-statements 4"), &words);
    assert_refused(&folder.run("render a.topo --max-statements 4"), &words);
    assert_refused(&folder.run("check a.topo --max-statements 3"), &["`a.topo` goes beyond the limit of 3"]);
}

#[test]
fn what_many_topologies_share_counts_for_each() {
    let shared = (0..100).map(|at| format!("service s{at}\n")).collect::<String>();
    let roots = |count: usize| {
        let root = |folder: Folder, at: usize| folder.with(&format!("r{at}.topo"), "include \"parts/shared.topo\"\n");
        (0..count).fold(Folder::new().with("parts/shared.topo", &shared), root)
    };
    assert_ne!(roots(4).run("check . --max-statements 450").code, Some(2));
    let words = ["goes beyond the limit of 450 statements in all files", "raise `--max-statements`"];
    assert_refused(&roots(5).run("check . --max-statements 450"), &words);
}

#[test]
fn what_takes_the_room_of_a_statement_counts_as_one() {
    let long = "a ".repeat(16 * 101);
    for part in [
        "}",
        "{}",
        "a\n",
        "\"\";",
        "//\n",
        "?\n",
        "/\n",
        "a {",
        &",".repeat(16),
        &"\"\"".repeat(16),
        &"$1".repeat(16),
        &long,
    ] {
        let folder = Folder::of(format!("service a {}", part.repeat(101)));
        let run = bounded(&folder, "check a.topo --max-statements 100", 256, 5);
        assert_refused(&run, &["`a.topo` goes beyond the limit of 100 statements"]);
    }
    let folder = Folder::of("service a\n\n\n# none\nservice b {\n\n}\n".repeat(50));
    assert_ne!(folder.run("check a.topo --max-statements 100").code, Some(2), "what is empty is no statement");
}

#[test]
fn patterns_that_look_at_too_much_are_refused() {
    let includes = (0..80).fold(String::new(), |text, number| text + &format!("include \"none/*x{number}.topo\"\n"));
    let folder = (0..20).fold(Folder::of(includes), |folder, number| folder.with(&format!("none/{number}.topo"), ""));
    let run = folder.run("check a.topo --max-files 20");
    assert_refused(&run, &["goes beyond the limit of 20 files", "raise `--max-files`"]);
}

#[test]
fn blocks_nest_to_a_depth_and_no_deeper() {
    let groups = |depth: usize| {
        let open: String = (0..depth).map(|level| format!("group g{level} {{\n")).collect();
        format!("{open}service a\n{}", "}\n".repeat(depth))
    };
    assert!(ran(&Folder::of(groups(63)), "check -f concise a.topo").of_rule("syntax").is_empty());
    assert!(ran(&Folder::of(groups(64)), "check -f concise a.topo").of_rule("syntax").is_empty());
    for depth in [65, 100_000] {
        let run = ran(&Folder::of(groups(depth)), "check a.topo -f human -q");
        assert!(run.flat().contains("blocks nest deeper than 64 here"), "{run:?}");
        assert!(run.flat().contains("write the inner groups on the outermost level"), "{run:?}");
    }
}

#[test]
fn a_bomb_of_aliases_is_refused() {
    let tens = |from: &str| format!("[{}]", [from; 10].join(", "));
    let mut bomb = format!("a0: &a0 {}\n", tens("x"));
    for level in 1..10 {
        writeln!(bomb, "a{level}: &a{level} {}", tens(&format!("*a{}", level - 1))).expect("memory");
    }
    let folder = Folder::of("service a\n")
        .with("bomb.yaml", format!("{bomb}include: *a9\n"))
        .with("baseline.yaml", format!("version: 1\n{bomb}findings: *a9\n"))
        .with("deep.yaml", format!("include: {}", "[".repeat(1_000_000)));
    let words = ["too large: it repeats more than 100000 values by their names", "write less of it"];
    assert_refused(&bounded(&folder, "check a.topo -c bomb.yaml", 512, 10), &words);
    assert_refused(&bounded(&folder, "check a.topo --baseline baseline.yaml", 512, 10), &words[..1]);
    for arguments in ["check a.topo -c deep.yaml", "check a.topo --baseline deep.yaml"] {
        assert_refused(&bounded(&folder, arguments, 512, 10), &["too large: it nests too deep"]);
    }
}

// ---------------------------------------------------------------------------------------------------- Too many

#[test]
fn numbers_beyond_all_measure_are_mistakes_or_infinite() {
    let digits = "9".repeat(300);
    let calls = ["times 1e300", "retries 1e300", "timeout 9223372036854775807h", "backoff fixed 99999999999999d"];
    let numbers = [format!("times {digits}"), format!("retries {digits}"), format!("timeout {digits}ms")];
    for attribute in calls.into_iter().map(str::to_owned).chain(numbers) {
        let call = format!("client web\nservice a {{ operation go }}\nweb -> a.go {{ {attribute} }}\n");
        let run = ran(&Folder::of(call), "check -f concise a.topo");
        assert!(
            run.code == Some(1) && !run.of_rule("wrong-value").is_empty() || !run.of_rule("wrong-unit").is_empty(),
            "{run:?}"
        );
    }
}

#[test]
fn what_is_divided_by_is_more_than_zero() {
    for (text, attribute) in [
        ("network { between regions { bandwidth 0bps } }\n", "bandwidth"),
        ("service timer, job\ntimer -> job { every 0ms }\n", "every"),
        ("service timer, job\ntimer -> job { every 0.0000001us }\n", "every"),
    ] {
        let run = Folder::of(text).run("check a.topo");
        assert!(run.flat().contains(&format!("`{attribute}` is more than zero")), "{run:?}");
    }
}

#[test]
fn the_largest_numbers_that_are_read_overflow_nothing() {
    let call = "{ times 4294967295; timeout 100000d; retries 4294967295; backoff exponential 1d..100000d }";
    let services: String = (0..40)
        .map(|at| format!("service s{at} {{ operation go {{ load 1000000/s; -> s{}.go {call} }} }}\n", at + 1))
        .collect();
    let text = format!(
        "client web\nweb -> s0.go {call}\n{services}service s40 {{ operation go {{ latency p50 100000d }} }}\n"
    );
    let folder = Folder::of(text);
    ran(&folder, "check a.topo -f json");
    let facts = ran(&folder, "facts a.topo -f json").out;
    assert!(!facts.contains("NaN") && !facts.contains("inf"), "no number that JSON lacks");
    for arguments in ["check a.topo -f concise", "facts a.topo", "path web s40.go a.topo", "render a.topo"] {
        let said = ran(&folder, arguments).out;
        assert!(!said.contains("NaN") && !said.split(|c: char| !c.is_ascii_alphabetic()).any(|word| word == "inf"));
    }
}

#[test]
fn a_long_word_and_a_long_label_stay_out_of_the_report() {
    let long = "x".repeat(1 << 16);
    let folder = Folder::of(format!("service {long}\nservice a \"{long}\" {{ owner \"{long}\" }}\nlink \"{long}\"\n"));
    for format in FORMATS {
        let run = ran(&folder, &format!("check a.topo -f {format}"));
        assert!(run.out.len() < 50_000, "{format}: {} bytes", run.out.len());
    }
    let picture = ran(&folder, "render a.topo").out;
    assert!(picture.len() < 4 * long.len(), "a picture says it once or twice: {} bytes", picture.len());
}

#[test]
fn a_circle_of_calls_takes_time_in_proportion() {
    ran(&Folder::of(circle(1_000)), "check -f concise a.topo");
}

#[test]
fn a_chain_of_includes_takes_time_in_proportion() {
    let folder = (0..1_500).fold(Folder::new(), |folder, at| {
        let include = format!("include \"part-{}.topo\"\ninclude \"part-0.topo\"\nservice s{at}\n", at + 1);
        folder.with(&format!("part-{at}.topo"), include)
    });
    let run = ran(&folder.with("part-1500.topo", "service last\n"), "check part-0.topo -f concise");
    assert_eq!(run.of_rule("broken-include").len(), 1_500);
    assert!(run.out.len() < 1_000_000, "a circle is named in short: {} bytes", run.out.len());
}

#[test]
fn files_that_all_include_all_take_time_in_proportion() {
    let text = |at: usize| format!("include \"*.topo\"\nservice s{at}\n");
    let folder = (0..1_500).fold(Folder::new(), |folder, at| folder.with(&format!("part-{at:04}.topo"), text(at)));
    let run = ran(&folder, "check . -f concise");
    assert_eq!(run.of_rule("broken-include").len(), 1_499, "each of them includes the first, which includes it");
    assert_eq!(run.of_rule("unreachable-node").len(), 1_500, "each is read once");
}

fn circle(services: usize) -> String {
    let service = |at: usize| {
        let next = (at + 1) % services;
        format!("service s{at} {{ operation go {{ -> s{next}.go {{ timeout 100ms; retries 1 }} }} }}\n")
    };
    (0..services).map(service).fold("client web\nweb -> s0.go\n".to_owned(), |text, service| text + &service)
}

// --------------------------------------------------------------------------------------- Large: in release, by hand

/// Ran to its end within these bounds; what it took is printed.
#[track_caller]
fn measured(what: &str, folder: &Folder, arguments: &str, megabytes: u64, seconds: u64) -> Run {
    let start = std::time::Instant::now();
    let run = bounded(folder, arguments, megabytes, seconds);
    println!("{what}: {:.1} s of {seconds} s, within {megabytes} MB: {:?}", start.elapsed().as_secs_f64(), run.code);
    assert!(run.code.is_some(), "{what}: neither {megabytes} MB nor {seconds} s are enough: {}", run.err);
    run
}

#[test]
#[cfg_attr(debug_assertions, ignore = "large: in a release build")]
fn a_million_nodes_are_checked() {
    let text: String = (0..1_000_000).map(|at| format!("service s{at}\n")).collect();
    let run = measured("10^6 nodes", &Folder::of(text), "check a.topo -f concise", 4_000, 300);
    assert_eq!((run.code, run.out.lines().count()), (Some(0), 1_000_000));
}

#[test]
#[cfg_attr(debug_assertions, ignore = "large: in a release build")]
fn a_complete_graph_of_two_thousand_nodes_is_refused() {
    let mut text = String::from("client web\nweb -> s0.go\n");
    for from in 0..2_000 {
        let _ = writeln!(text, "service s{from} {{ operation go {{");
        for to in (0..2_000).filter(|to| *to != from) {
            let _ = writeln!(text, "-> s{to}.go");
        }
        text.push_str("} }\n");
    }
    let run = measured("4 million calls", &Folder::of(text), "check a.topo", 1_000, 30);
    assert_refused(&run, &["`a.topo` goes beyond the limit of 2500000 statements", "raise `--max-statements`"]);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "large: in a release build")]
fn a_circle_of_a_hundred_thousand_services_is_checked() {
    measured("a circle of 10^5", &Folder::of(circle(100_000)), "check a.topo -f concise", 2_000, 300);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "large: in a release build")]
fn a_hundred_thousand_includes_are_followed() {
    let chain = (0..100_000).fold(Folder::new(), |folder, at| {
        folder.with(&format!("parts/{at}.topo"), format!("include \"{}.topo\"\nservice s{at}\n", at + 1))
    });
    let chain = chain.with("parts/100000.topo", "service last\n");
    measured("a chain of 10^5 includes", &chain, "check parts/0.topo -f concise", 2_000, 300);
    let chain = chain.with("a.topo", "include \"parts/*.topo\"\n");
    measured("a pattern of 10^5 files", &chain, "check a.topo -f concise", 2_000, 300);
    let includes: String = (0..100_000).map(|at| format!("include \"parts/{at}.topo\"\n")).collect();
    measured("10^5 includes of one file", &chain.with("a.topo", includes), "check a.topo -f concise", 2_000, 300);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "large: in a release build")]
fn a_pattern_of_too_many_files_is_refused() {
    let folder = Folder::of("include \"parts/*.topo\"\n").with("parts/x.topo", "");
    (0..200_001).for_each(|at| drop(fs::File::create(folder.path(&format!("parts/{at}.topo")))));
    for arguments in ["check a.topo", "check ."] {
        let run = measured("a pattern of too many files", &folder, arguments, 1_000, 60);
        assert_refused(&run, &["goes beyond the limit of 200000 files", "raise `--max-files`"]);
    }
}

#[test]
#[cfg_attr(debug_assertions, ignore = "large: in a release build")]
fn a_hundred_thousand_findings_are_reported_in_every_format() {
    let text = (0..100_000).fold(String::from("client web\n"), |text, at| {
        text + &format!("service s{at}\nweb -> s{at} {{ timeout none }}\n")
    });
    let folder = Folder::of(text);
    for format in FORMATS {
        let run =
            measured(&format!("10^5 findings, {format}"), &folder, &format!("check a.topo -f {format}"), 3_000, 300);
        assert_eq!(run.code, Some(1), "{format}");
    }
    measured("a baseline of 10^5 entries", &folder, "baseline create a.topo --baseline known.yaml", 2_000, 60);
    let run = measured("the same, read", &folder, "check a.topo --baseline known.yaml", 3_000, 300);
    assert_eq!(run.code, Some(0), "{}", run.err);
}

/// A page answers what can be asked of everything that is drawn, as long as it stays of a size that opens.
#[test]
#[cfg_attr(debug_assertions, ignore = "large: in a release build")]
fn a_page_answers_every_question_of_a_large_topology() {
    const LEFT_OUT: &str = "questions are not answered here";
    for (services, arguments) in [(1_000, "--collapse none"), (10_000, "")] {
        let folder = Folder::of(Large::of(services, 7).one_file());
        let what = format!("a page of {services} services");
        measured(&what, &folder, &format!("render a.topo -o a.html {arguments}"), 1_000, 60);
        let page = fs::read_to_string(folder.path("a.html")).unwrap();
        assert!(page.len() < 20_000_000 && !page.contains(LEFT_OUT), "{what}: {} bytes", page.len());
    }
    let chain = (0..3_000).map(|at| format!("service s{at} {{ -> s{} }}\n", at + 1));
    let folder = Folder::of(format!("client web\nweb -> s0\n{}service s3000\n", chain.collect::<String>()));
    measured("a page of a chain", &folder, "render a.topo -o a.html --collapse none", 1_000, 60);
    let page = fs::read_to_string(folder.path("a.html")).unwrap();
    assert!(page.len() < 40_000_000 && page.contains(LEFT_OUT), "{} bytes", page.len());
}

#[test]
#[cfg_attr(debug_assertions, ignore = "large: in a release build")]
fn a_large_file_is_read_whatever_is_in_it() {
    let most = 16 * 1024 * 1024;
    let lines = [
        ("one word", "x".repeat(most - 9), "service "),
        ("one label", "x".repeat(most - 16), "service a \""),
        ("words without end", "a ".repeat(most / 2 - 9), "service "),
        ("braces", "{".repeat(most - 9), "service "),
        ("quotes", "\"".repeat(most - 9), "service "),
        ("arrows", "-> ".repeat(most / 3 - 9), "service a "),
    ];
    for (what, rest, start) in lines {
        let run = measured(what, &Folder::of(format!("{start}{rest}")), "check a.topo -f concise", 3_000, 300);
        assert!(run.out.len() < 10_000, "{what}");
    }
    let run = measured("statements without end", &Folder::of("a;".repeat(most / 2)), "check a.topo", 1_000, 30);
    assert_refused(&run, &["beyond the limit of 2500000 statements"]);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "large: in a release build")]
fn a_label_of_a_hundred_megabytes_is_read_if_it_is_asked_for() {
    let folder = Folder::of(format!("service a \"{}\"\n", "x".repeat(100_000_000)));
    assert_refused(&bounded(&folder, "check a.topo", 256, 5), &["100000013 bytes", "raise `--max-file-size`"]);
    let run = measured("a label of 100 MB", &folder, "check a.topo --max-file-size 200000000 -f concise", 2_000, 300);
    assert!(run.code == Some(0) && run.out.len() < 10_000, "{}", run.err);
}
