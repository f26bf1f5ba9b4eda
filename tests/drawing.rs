//! `topolint render` as people call it.

#![allow(clippy::format_collect, reason = "texts of a test are small enough")]
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod program;

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use program::{Folder, LIMIT, Run};

const SHOP: &str = "client web\nservice shop { operation buy { deadline 2s; -> db { timeout 500ms; retries 1 } } operation look }\nstore db\nweb -> shop.buy { timeout 3s }\n";

#[test]
fn the_ending_of_the_file_tells_the_format() {
    let begins: [(&str, &[u8]); 6] = [
        ("svg", b"<svg "),
        ("png", b"\x89PNG"),
        ("dot", b"digraph "),
        ("mmd", b"%% "),
        ("d2", b"# "),
        ("json", b"{\n  \"schema\": \"scene-v1\""),
    ];
    let folder = Folder::of(SHOP);
    for (ending, begin) in begins {
        let run = folder.run(&format!("render a.topo -o out.{ending}"));
        assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (Some(0), "", ""), "{ending}");
        let drawn = fs::read(folder.path(&format!("out.{ending}"))).expect("a picture");
        assert!(drawn.starts_with(begin), "{ending}: {:?}", &drawn[..drawn.len().min(60)]);
        let flag = if ending == "mmd" { "mermaid" } else { ending };
        let printed = folder.command(&format!("render a.topo --format {flag}")).output().expect("a run").stdout;
        assert_eq!(printed, drawn, "{ending}");
    }
    assert!(folder.run("render a.topo -f mermaid -o out.md").code == Some(0), "the flag is stronger");
}

#[track_caller]
fn assert_refused(run: &Run, error: &str, help: &str) {
    assert_eq!((run.code, run.out.as_str()), (Some(2), ""), "{run:?}");
    assert!(run.err.contains(error) && run.err.contains(help), "{}", run.err);
}

#[test]
fn what_cannot_be_drawn_is_refused_with_the_way_out() {
    let folder = Folder::of(SHOP).with("b.topo", SHOP);
    for (arguments, error, help) in [
        ("a.topo -o out.gif", "no picture ends with `.gif`", ".svg"),
        ("a.topo --focus shpo", "no node `shpo`", "did you mean `shop`?"),
        ("a.topo --focus :1", "`--focus` names no node", "write `--focus orders`"),
        ("a.topo --collapse shpo", "no box `shpo`", "there are no boxes here"),
        ("a.topo --focus shop:far", "states no depth", "--focus shop:2"),
        ("a.topo --flow shop.bux", "no operation `shop.bux`", "did you mean `shop.buy`?"),
        ("a.topo --flow shop", "`shop` has 2 operations", "`shop.buy`"),
        ("a.topo --scale 0 -f png", "--scale 0", "above 0"),
        ("a.topo --scale 1000 -f png", "--scale 1000", "32 at most"),
        ("a.topo --scale nan -f png", "--scale NaN", "above 0"),
        ("a.topo b.topo", "there are 2", "name one of them: `a.topo`, `b.topo`"),
        ("a.topo --engine dot -f json", "Graphviz draws SVG and PNG", "leave `--engine dot` out"),
        ("- --watch -o out.svg", "standard input is never saved", "name files"),
    ] {
        assert_refused(&folder.run(&format!("render {arguments}")), error, help);
    }
    assert_eq!(folder.run("render a.topo --watch").code, Some(2), "watching needs a file to write");
}

#[test]
fn what_is_asked_for_is_shown() {
    let folder = Folder::of(SHOP);
    let nodes = |arguments: &str| {
        let run = folder.run(&format!("render a.topo -f json {arguments}"));
        let json: serde_json::Value = serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{run:?}"));
        json["nodes"]
            .as_array()
            .expect("nodes")
            .iter()
            .map(|node| node["name"].to_string())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(nodes(""), "\"web\" \"shop\" \"db\"");
    assert_eq!(nodes("--focus db"), "\"shop\" \"db\"");
    assert_eq!(nodes("--focus db:0"), "\"db\"");
    assert_eq!(nodes("--focus db:2"), "\"web\" \"shop\" \"db\"");
    assert_eq!(nodes("--flow shop.look"), "\"shop\"");
}

#[test]
fn a_flow_has_its_waterfall() {
    let folder = Folder::of(SHOP);
    let drawn = folder.run("render a.topo --flow shop.buy").out;
    for text in ["Over time", "shop.buy -&gt; db<", "from 0 ms: 2 tries, 500 ms each", "class=\"try\""] {
        assert!(drawn.contains(text), "{text}: {drawn}");
    }
    assert!(!folder.run("render a.topo").out.contains("Over time"));
}

#[test]
fn a_waterfall_has_what_is_waited_for_besides() {
    let text = "client web
web -> a.go
service a { operation go { -> b { timeout 100ms }; -> c { timeout 200ms }; one-of { -> d { timeout 300ms }; -> e } } }
service b
service c
service d
service e { latency max 10ms }
";
    let run = Folder::of(text).run("render a.topo -f json --flow a.go");
    let json: serde_json::Value = serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{run:?}"));
    let bars = json["waterfall"]["bars"].as_array().expect("bars").iter();
    let told: Vec<String> =
        bars.map(|bar| format!("{} {} {}", bar["call"], bar["on_path"], bar["attempts_s"])).collect();
    let expected =
        ["\"a.go -> b\" false [[0.0,0.1]]", "\"a.go -> c\" false [[0.1,0.3]]", "\"a.go -> d\" true [[0.3,0.6]]"];
    assert_eq!(told, expected, "a branch that is not taken has no bar: {json}");
}

#[test]
fn of_a_part_only_its_own_is_told() {
    let shop = fs::read_to_string("examples/shop.topo").expect("the shop");
    let folder = Folder::of(shop);
    let scene = |arguments: &str| {
        let run = folder.run(&format!("render a.topo -f json {arguments}"));
        serde_json::from_str::<serde_json::Value>(&run.out).unwrap_or_else(|_| panic!("{run:?}"))
    };
    let rules = |scene: &serde_json::Value| {
        let findings = scene["findings"].as_array().expect("findings").iter();
        findings.map(|finding| finding["rule"].as_str().expect("a rule").to_owned()).collect::<Vec<_>>()
    };
    let near = scene("--focus payments:1");
    assert_eq!(rules(&near), ["timeout-inversion", "repeated-effect", "retry-without-budget"], "{near}");
    assert!(near["worst"].is_null() && near.to_string().contains("9 findings of what is left out"), "{near}");
    // What is found in another flow is not told of this one.
    assert!(rules(&scene("")).contains(&"repeated-effect".to_owned()));
    assert!(!rules(&scene("--flow gateway.checkout")).contains(&"repeated-effect".to_owned()));
    let entry = scene("--flow gateway.checkout");
    let gateway = entry["nodes"].as_array().expect("nodes").iter().find(|node| node["name"] == "gateway");
    assert_eq!(gateway.expect("it")["lines"], serde_json::json!(["API gateway", "checkout ≤ 2.45 s"]));
}

#[test]
fn what_has_a_badge_is_listed() {
    let nodes =
        (0..300).map(|node| format!("client c{node}\nservice s{node}\nc{node} -> s{node} {{ timeout none }}\n"));
    let folder = Folder::of(nodes.collect::<String>());
    for ending in ["svg", "html"] {
        let run = folder.run(&format!("render a.topo -o out.{ending} --collapse none"));
        let drawn = fs::read_to_string(folder.path(&format!("out.{ending}"))).unwrap_or_else(|_| panic!("{run:?}"));
        let links = drawn.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next());
        let (found, lost): (Vec<&str>, Vec<&str>) = links.partition(|link| drawn.contains(&format!("id=\"{link}\"")));
        assert!(found.len() >= 300 && lost.is_empty(), "{ending}: {} {lost:?}", found.len());
    }
}

#[test]
fn a_text_with_a_mistake_is_drawn_as_far_as_it_is_read() {
    let run = Folder::of(format!("{SHOP}web -> shpo\n")).run("render a.topo -f svg");
    assert_eq!(run.code, Some(0));
    assert!(run.out.contains("what is wrong with the text is left out"), "{run:?}");
    assert!(run.err.contains("notice: what 1 mistake in the text concerns is left out here"), "{run:?}");
}

#[test]
fn very_many_nodes_are_drawn_as_their_boxes() {
    let group = |group: usize| {
        let nodes: String = (0..50).map(|node| format!("  service s{group}-{node}\n")).collect();
        format!("group g{group} {{\n{nodes}}}\n")
    };
    let text: String = (0..20).map(group).collect();
    let run = Folder::of(text).run("render a.topo -f svg");
    for told in [&run.out, &run.err] {
        assert!(told.contains("1000 nodes drawn as 20 boxes; `--collapse none` draws each of them"), "{run:?}");
    }
}

#[test]
fn where_all_call_all_the_picture_says_what_it_leaves_out() {
    let calls = (0..60).flat_map(|from| (from + 1..60).map(move |to| format!("s{from} -> s{to} {{ timeout 1s }}\n")));
    let text: String = (0..60).map(|node| format!("service s{node}\n")).chain(calls).collect();
    let folder = Folder::of(text);
    for ending in ["svg", "html"] {
        let run = folder.run(&format!("render a.topo -o out.{ending}"));
        let said = run.err.starts_with("notice: ") && run.err.contains(" of 1770 lines are drawn");
        assert!(run.code == Some(0) && said, "{run:?}");
        let drawn = fs::read_to_string(folder.path(&format!("out.{ending}"))).expect("a picture");
        let lines = drawn.matches("class=\"line\"").count();
        assert!(drawn.contains(" of 1770 lines are drawn") && (59..300).contains(&lines), "{ending}: {lines}");
    }
    let json = folder.run("render a.topo -f json");
    let scene: serde_json::Value = serde_json::from_str(&json.out).unwrap_or_else(|_| panic!("{json:?}"));
    let edges = scene["edges"].as_array().expect("edges");
    let placed = edges.iter().filter(|edge| edge["points"][0].is_array()).count();
    assert!(json.err.is_empty() && edges.len() == 1770 && (59..300).contains(&placed), "{placed}");
    let dot = folder.run("render a.topo -f dot");
    let lines = dot.out.lines().filter(|line| line.split_whitespace().nth(1) == Some("->"));
    assert_eq!((lines.count(), dot.err.as_str()), (1770, ""));
}

#[test]
fn a_picture_that_is_too_large_says_what_fits() {
    let text: String = (0..200).map(|node| format!("service s{node}\n")).collect();
    let folder = Folder::of(text);
    let run = folder.run("render a.topo -o a.png --scale 32");
    assert_refused(&run, "more than 100000000", "fits, and SVG has no limit");
    let fits = run.err.split("`--scale ").nth(1).and_then(|rest| rest.split('`').next()).expect("a scale");
    assert_eq!(folder.run(&format!("render a.topo -o a.png --scale {fits}")).code, Some(0), "{fits}");
}

#[test]
fn what_png_has_no_letters_for_is_said() {
    let folder = Folder::of("service shop \"Läden → 漢字 漢 ≤\"\n");
    let run = folder.run("render a.topo -o a.png");
    assert_eq!(run.err, "notice: the font of PNG lacks `漢` and 1 more: a box stands for each, and SVG shows them\n");
    assert_eq!(folder.run("render a.topo -o a.svg").err, "");
    assert_eq!(Folder::of(SHOP).run("render a.topo -o a.png").err, "");
}

#[test]
fn several_topologies_are_named_as_far_as_anybody_reads() {
    let folder = (0..30).fold(Folder::new(), |folder, file| folder.with(&format!("f{file:02}.topo"), "service a\n"));
    let run = folder.run("render .");
    assert_refused(&run, "there are 30", "`f00.topo`, `f01.topo`");
    assert!(run.err.contains("`f07.topo` and 22 more\n") && !run.err.contains("f08"), "{run:?}");
}

#[test]
fn against_a_folder_says_what_is_not_there() {
    let folder = Folder::of("service shop\n").with("old/a.topo", "service shop\nservice gone\nshop -> gone\n");
    let run = folder.run("render a.topo --against ./old --focus gone");
    assert_refused(&run, "`gone` is only in `./old`", "name something that is on both sides");
    let near = folder.run("render a.topo --against ./old --focus shop");
    assert!(near.code == Some(0) && near.out.contains(">gone<") && near.err.is_empty(), "{near:?}");
    let other = folder.with("empty/b.topo", "service other\n").run("render a.topo --against ./empty");
    assert_eq!((other.code, &*other.err), (Some(0), "notice: `./empty` has none of these files: everything is new\n"));
}

#[test]
fn many_nodes_without_boxes_are_drawn_with_what_would_help() {
    let text: String = (0..301).map(|node| format!("service s{node}\n")).collect();
    let folder = Folder::of(text);
    let run = folder.run("render a.topo -f svg");
    assert!(run.out.contains("301 nodes are more than anybody reads: `--focus NODE:2`"), "{run:?}");
    let asked = folder.run("render a.topo -f svg --collapse none");
    assert!(!asked.out.contains("more than anybody reads"), "{asked:?}");
}

#[test]
fn a_flow_has_its_times_in_the_scene() {
    let run = Folder::of(SHOP).run("render a.topo -f json --flow shop.buy");
    let json: serde_json::Value = serde_json::from_str(&run.out).unwrap_or_else(|_| panic!("{run:?}"));
    let bars = &json["waterfall"]["bars"];
    assert_eq!(bars[0]["call"], "shop.buy -> db", "{json}");
    assert_eq!(bars[0]["attempts_s"].as_array().map(Vec::len), Some(2), "{json}");
    assert_eq!(json["waterfall"]["length_s"], 1.0, "{json}");
}

#[test]
fn very_many_nodes_without_boxes_are_refused_in_no_time() {
    let text: String = (0..10_000).map(|node| format!("service s{node}\n")).collect();
    let folder = Folder::of(text);
    let start = Instant::now();
    let run = folder.run("render a.topo -f svg");
    assert_refused(&run, "would have 10000 nodes", "`--group-by owner`");
    assert!(start.elapsed() < LIMIT);
    assert_eq!(folder.run("render a.topo -f mermaid").code, Some(0));
}

// -------------------------------------------------------------------------------------------------- An own Graphviz

#[cfg(unix)]
fn with_dot(folder: Folder, script: &str) -> Folder {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder.with("bin/dot", format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(folder.path("bin/dot"), fs::Permissions::from_mode(0o755)).expect("a program");
    folder
}

#[cfg(unix)]
fn engine(folder: &Folder, arguments: &str) -> Run {
    let path = format!("{}:/usr/bin:/bin", folder.path("bin").display());
    Run::of(folder.command(&format!("render a.topo --engine dot {arguments}")).env("PATH", path))
}

#[test]
#[cfg(unix)]
fn an_installed_graphviz_draws_if_it_is_asked() {
    let folder = with_dot(Folder::of(SHOP), "cat > drawn; echo \"$@\"");
    assert_eq!(engine(&folder, "").out, "-Tsvg\n");
    assert!(fs::read_to_string(folder.path("drawn")).expect("DOT").starts_with("digraph "));
    assert_eq!(engine(&folder, "-f png --scale 3").out, "-Tpng -Gdpi=288\n");
}

#[test]
#[cfg(unix)]
fn a_graphviz_that_does_not_draw_is_told() {
    let missing = Run::of(Folder::of(SHOP).command("render a.topo --engine dot").env("PATH", "/nowhere"));
    assert_refused(&missing, "there is no `dot`", "install Graphviz, or leave `--engine dot` out");
    let broken = engine(&with_dot(Folder::of(SHOP), "echo 'no way\x1b' >&2; exit 3"), "");
    assert_refused(&broken, "dot: no way?", "topolint draws by itself");
    let start = Instant::now();
    let slow = engine(&with_dot(Folder::of(SHOP), "sleep 60"), "--engine-timeout 1");
    assert_refused(&slow, "was ended after 1 s", "--engine-timeout");
    assert!(start.elapsed() < Duration::from_secs(15));
}

// --------------------------------------------------------------------------------------------------------- Watching

/// Waits until a file holds something.
fn holds(folder: &Folder, path: &str, text: &str) -> bool {
    let start = Instant::now();
    while start.elapsed() < LIMIT {
        if fs::read_to_string(folder.path(path)).is_ok_and(|drawn| drawn.contains(text)) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

#[test]
fn a_picture_that_is_watched_follows_its_files() {
    let folder = Folder::of("include \"part.topo\"\nclient web\nweb -> shop\n").with("part.topo", "service shop\n");
    let watching = Watching::start(&folder);
    assert!(holds(&folder, "out.mmd", "▶ shop"));
    fs::write(folder.path("part.topo"), "service shop \"Sells\"\n").expect("a file");
    assert!(holds(&folder, "out.mmd", "Sells"));
    // What cannot be read in between does not end it, and neither does what is gone.
    fs::remove_file(folder.path("part.topo")).expect("a file");
    std::thread::sleep(Duration::from_millis(500));
    fs::write(folder.path("part.topo"), "service shop \"Is back\"\n").expect("a file");
    assert!(holds(&folder, "out.mmd", "Is back"));
    fs::write(folder.path("topolint.yaml"), "levels: { nonsense: 1 }\n").expect("a file");
    std::thread::sleep(Duration::from_millis(500));
    fs::remove_file(folder.path("topolint.yaml")).expect("a file");
    std::thread::sleep(Duration::from_millis(500));
    fs::write(folder.path("a.topo"), "service other\n").expect("a file");
    assert!(holds(&folder, "out.mmd", "other"));
    drop(watching);
}

#[test]
fn a_mended_configuration_and_an_included_file_that_comes_later_are_noticed() {
    let folder = Folder::of("include \"part.topo\"\nclient web\nweb -> shop\n").with("topolint.yaml", "nonsense: 1\n");
    let watching = Watching::start(&folder);
    std::thread::sleep(Duration::from_millis(500));
    fs::write(folder.path("topolint.yaml"), "unstated: warn\n").expect("a file");
    assert!(holds(&folder, "out.mmd", "web"));
    fs::write(folder.path("part.topo"), "service shop \"Sells\"\n").expect("a file");
    assert!(holds(&folder, "out.mmd", "Sells"));
    drop(watching);
}

#[test]
fn a_file_that_was_saved_tomorrow_is_drawn_once() {
    let folder = Folder::of("service shop\n");
    let file = fs::File::options().append(true).open(folder.path("a.topo")).expect("a file");
    file.set_modified(std::time::SystemTime::now() + Duration::from_hours(24)).expect("a day");
    let watching = Watching::start(&folder);
    assert!(holds(&folder, "out.mmd", "shop"));
    std::thread::sleep(Duration::from_millis(900));
    let drawn = || fs::metadata(folder.path("out.mmd")).and_then(|about| about.modified()).expect("a picture");
    let settled = drawn();
    std::thread::sleep(Duration::from_millis(900));
    assert_eq!(drawn(), settled);
    drop(watching);
}

/// A picture that is drawn anew whenever its files are saved, until this is dropped.
struct Watching(std::process::Child);

impl Watching {
    fn start(folder: &Folder) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_topolint"));
        command.args(["render", "a.topo", "--watch", "-o", "out.mmd"]).current_dir(folder.path(""));
        Self(command.stderr(Stdio::null()).spawn().expect("a run"))
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let runs = self.0.try_wait().is_ok_and(|ended| ended.is_none());
        let _ = self.0.kill();
        let _ = self.0.wait();
        assert!(runs || std::thread::panicking(), "it has ended by itself");
    }
}

#[cfg(unix)]
#[test]
fn nothing_is_written_over_what_is_checked_nor_through_a_link_out_of_the_project() {
    let folder = Folder::of(SHOP).with("shop.txt", SHOP).with("../secret", "kept\n").with("../elsewhere/x", "");
    let folder = folder.with_link("arch.svg", "a.topo").with_link("out.svg", "../secret");
    let folder = folder.with_link("away", "../elsewhere");
    assert_refused(
        &folder.run("render shop.txt -o shop.txt -f svg"),
        "it would replace what is checked",
        "another name",
    );
    for (link, error, help) in [
        ("arch.svg", "it would replace what is checked", "another name"),
        ("out.svg", "a link on the way leaves the project", "name the place that it leads to"),
        ("away/out.svg", "a link on the way leaves the project", "name the place that it leads to"),
    ] {
        assert_refused(&folder.run(&format!("render a.topo -f svg -o {link}")), error, help);
        assert_refused(&folder.run(&format!("check a.topo --report json={link}")), error, help);
    }
    assert_eq!(fs::read_to_string(folder.path("a.topo")).expect("a file"), SHOP);
    assert_eq!(fs::read_to_string(folder.path("../secret")).expect("a file"), "kept\n");
    assert_eq!(folder.run("render a.topo -o ../elsewhere/out.svg").code, Some(0), "nobody is led astray");
    // Wherever the way into the project begins.
    let folder = folder.with_link("../here", "project");
    for way in ["../here/out.svg", "../project/away/out.svg", "../here/away/../out.svg"] {
        let run = folder.run(&format!("render a.topo -f svg -o {way}"));
        assert_refused(&run, "a link on the way leaves the project", "name the place that it leads to");
    }
    assert_eq!(folder.run("render a.topo -o ../here/drawn.svg").code, Some(0), "it stays inside");
    // Also what it is compared with is not replaced.
    let folder = folder.with("../before/shop.txt", SHOP);
    let run = folder.run("render shop.txt --against ../before -f svg -o ../before/shop.txt");
    assert_refused(&run, "it would replace what is checked", "another name");
    let run = folder.run("check shop.txt --report json=shop.txt");
    assert_refused(&run, "it would replace what is checked", "another name");
}
