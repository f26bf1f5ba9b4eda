//! Pictures that other programs draw, and what hostile text does in any picture: nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod browser;
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use browser::Browser;
use graphviz_rust::dot_structures::{Attribute, Edge as DotEdge, Graph, GraphAttributes, Id, Stmt};
use proptest::prelude::*;
use support::{ROOT, Texts, example_texts, scene};
use topolint::change::Mark;
use topolint::metadata::Level;
use topolint::render::{self, Call, Edge, Entry, Group, Line, Node, Scene, Shape, Theme, View};
use topolint::source::clean;

/// Texts that mean something in one of the formats, or to who reads them.
const HOSTILE: [&str; 14] = [
    "<script>window.ran=1</script>",
    "]]>",
    "\"><img src=x onerror=window.ran=2>",
    "a\"]; click n0 href \"javascript:window.ran=3\"",
    "\u{1b}[31m\u{0}\u{7}\u{85}\r\n",
    "\\N\\G\\l\\\"",
    "&lt;b&gt; &#60; &amp;",
    "${x} $x `y` #quot; %%{init: {}}%%",
    "<b>a</b>>",
    "משפט ארוך \u{202E}txet",
    "👩‍👩‍👧 · ≤ ∞ ﬂ°°60¶ß",
    "1. one\n- two\n# three\n    four",
    "end subgraph --> /* // # \\",
    "'; shape: circle }",
];

/// A scene in which everything is called like that.
fn called(names: &[String]) -> Scene {
    let node = |(index, name): (usize, &String)| Node {
        name: name.clone(),
        shape: Shape::Service,
        entry: false,
        lines: Vec::new(),
        members: Vec::new(),
        group: (index % 2 == 1).then_some(0),
        badges: Vec::new(),
        on_path: false,
        mark: Mark::Same,
    };
    let line = Line { awaited: true, optional: false, serving: true };
    let edge = |(index, name): (usize, &String)| Edge {
        from: index,
        to: (index + 1) % names.len(),
        line,
        calls: vec![Call {
            id: None,
            identity: name.clone(),
            name: name.clone(),
            text: name.clone(),
            mark: Mark::Same,
        }],
        badges: vec![index],
        on_path: index == 0,
        mark: Mark::Same,
    };
    let entry = |name: &String| Entry {
        level: Level::Error,
        rule: "missing-timeout",
        message: name.clone(),
        place: name.clone(),
        fingerprint: "0".to_owned(),
        mark: Mark::Same,
    };
    Scene {
        title: names[0].clone(),
        summary: names[0].clone(),
        groups: vec![Group { name: names[0].clone(), parent: None }],
        nodes: names.iter().enumerate().map(node).collect(),
        edges: names.iter().enumerate().map(edge).collect(),
        findings: names.iter().map(entry).collect(),
        worst: Some(names[0].clone()),
        notes: names.to_vec(),
        ..Scene::default()
    }
}

fn hostile() -> Scene {
    let long = "x<".repeat(5_000);
    called(&HOSTILE.iter().map(|text| (*text).to_owned()).chain([long]).collect::<Vec<_>>())
}

/// What a text is as one line of a picture.
fn one_line(text: &str) -> String {
    clean(text).replace(['\n', '\t'], " ")
}

// ------------------------------------------------------------------------------------------------------------- DOT

/// The text that a value of DOT stands for.
fn value(id: &Id) -> String {
    let Id::Escaped(quoted) = id else { panic!("{id:?} is not quoted") };
    let mut characters = quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).expect("quotes").chars();
    let mut text = String::new();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.push(characters.next().map(|next| if next == 'n' { '\n' } else { next }).expect("an escape")),
            other => text.push(other),
        }
    }
    text.replace("&amp;", "&")
}

fn label(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find(|attribute| attribute.0 == Id::Plain("label".to_owned())).map(|found| value(&found.1))
}

/// The labels of nodes and edges by their names in DOT, and those of boxes.
fn labels(stmts: &[Stmt], found: &mut BTreeMap<String, String>) {
    for stmt in stmts {
        match stmt {
            Stmt::Node(node) => {
                let Id::Plain(name) = &node.id.0 else { panic!("{node:?}") };
                found.extend(label(&node.attributes).map(|text| (name.clone(), text)));
            }
            Stmt::Edge(DotEdge { attributes, .. }) => {
                let name = format!("edge {}", found.keys().filter(|name| name.starts_with("edge")).count());
                found.extend(label(attributes).map(|text| (name, text)));
            }
            Stmt::Subgraph(inner) => labels(&inner.stmts, found),
            Stmt::GAttribute(GraphAttributes::Graph(attributes)) if !found.contains_key("graph") => {
                found.extend(label(attributes).map(|text| ("graph".to_owned(), text)));
            }
            _ => {}
        }
    }
}

fn parsed(dot: &str) -> BTreeMap<String, String> {
    let graph = graphviz_rust::parse(dot).unwrap_or_else(|error| panic!("{error}\n{dot}"));
    let Graph::DiGraph { stmts, .. } = graph else { panic!("no directed graph") };
    let mut found = BTreeMap::new();
    labels(&stmts, &mut found);
    found
}

/// What an installed Graphviz draws as text: for each node its lines. None if it is not installed.
fn drawn(dot: &str) -> Option<BTreeMap<String, String>> {
    let mut child =
        Command::new("dot").arg("-Tjson").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok().or_else(|| {
            assert!(std::env::var_os("TOOLS_ARE_THERE").is_none(), "there is no `dot`: .ci/run installs Graphviz");
            eprintln!("NOT TESTED: there is no Graphviz; TOOLS_ARE_THERE=1 makes that a failure");
            None
        })?;
    let mut input = child.stdin.take().unwrap();
    let dot = dot.to_owned();
    let feeding = std::thread::spawn(move || input.write_all(dot.as_bytes()));
    let out = child.wait_with_output().unwrap();
    feeding.join().unwrap().unwrap();
    assert!(out.status.success());
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
    let lines = |object: &serde_json::Value| {
        let drawn = object["_ldraw_"].as_array().cloned().unwrap_or_default();
        let texts = drawn.iter().filter(|step| step["op"] == "T").map(|step| step["text"].as_str().unwrap().to_owned());
        texts.collect::<Vec<_>>().join("\n")
    };
    let objects = json["objects"].as_array().expect("objects");
    Some(objects.iter().map(|object| (object["name"].as_str().unwrap().to_owned(), lines(object))).collect())
}

fn text() -> impl Strategy<Value = String> {
    let nasty = prop::sample::select("\"\\\n\t<>&;{}|[]#$%`'אبé😀lNG ".chars().collect::<Vec<_>>());
    prop::collection::vec(prop_oneof![3 => nasty, 1 => any::<char>()], 1..30)
        .prop_map(|characters| characters.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_comes_back_from_dot(names in prop::collection::vec(text(), 1..20)) {
        let found = parsed(&render::dot(&called(&names)));
        for (index, name) in names.iter().enumerate() {
            prop_assert_eq!(&found[&format!("n{index}")], &one_line(name));
        }
    }

    #[test]
    fn nothing_in_a_text_is_a_mark_of_mermaid_or_d2(name in text()) {
        let scene = called(std::slice::from_ref(&name));
        let quotes = |text: &str| text.replace("\\\\", "").replace("\\\"", "").matches('"').count();
        let plain = called(&["a".to_owned()]);
        for draw in [render::mermaid, render::d2] {
            let (drawn, usual) = (draw(&scene), draw(&plain));
            prop_assert_eq!(drawn.lines().count(), usual.lines().count(), "{}", drawn);
        }
        prop_assert_eq!(quotes(&render::mermaid(&scene)), quotes(&render::mermaid(&plain)));
    }
}

#[test]
fn graphviz_draws_the_text_that_was_written() {
    let names: Vec<String> = HOSTILE.iter().map(|text| (*text).to_owned()).collect();
    let dot = render::dot(&called(&names));
    let Some(drawn) = drawn(&dot) else { return };
    for (index, name) in names.iter().enumerate() {
        assert_eq!(drawn[&format!("n{index}")].trim(), one_line(name).trim(), "{name:?}");
    }
}

#[test]
fn graphviz_reads_every_example() {
    let texts = example_texts();
    for root in ["examples/shop.topo", "examples/online-boutique.topo", "examples/designs/ride-hailing.topo"] {
        let scene = scene(&texts, root, &View::default());
        let dot = render::dot(&scene);
        assert_eq!(parsed(&dot).keys().filter(|name| name.starts_with('n')).count(), scene.nodes.len(), "{root}");
        if let Some(drawn) = drawn(&dot) {
            assert_eq!(drawn.keys().filter(|name| name.starts_with('n')).count(), scene.nodes.len(), "{root}");
        }
    }
}

// --------------------------------------------------------------------------------------------------------- Mermaid

/// So many nodes, each of which calls the next three.
fn many(nodes: usize, name: &str) -> Scene {
    let mut scene = called(&(0..nodes).map(|index| format!("{name}-{index}")).collect::<Vec<_>>());
    let edges = scene.edges.clone();
    let shifted = |by: usize| edges.iter().map(move |edge| Edge { to: (edge.to + by) % nodes, ..edge.clone() });
    scene.edges.extend((1..3).flat_map(shifted));
    scene.notes.clear();
    scene
}

#[test]
fn mermaid_is_given_no_more_than_it_draws() {
    for (nodes, name) in [(20, "n"), (200, "orders"), (3_000, "payments"), (300, &"long-name".repeat(8))] {
        let scene = many(nodes, name);
        let text = render::mermaid(&scene);
        let edges = text.lines().filter(|line| line.contains("-->") || line.contains("==>")).count();
        assert!(text.chars().count() <= 50_000 && edges <= 500, "{nodes}: {} characters, {edges} edges", text.len());
        let more = text.lines().find(|line| line.contains("more calls"));
        assert_eq!(more.is_some(), nodes > 20, "{nodes}");
        let missing =
            more.map_or(0, |line| line.split(" and ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap());
        assert_eq!(edges + missing, scene.edges.len(), "{nodes}");
        assert_eq!(text.matches("subgraph").count(), text.lines().filter(|line| line.trim() == "end").count());
    }
}

/// Where Mermaid lies, as browsers load it: `.ci/run` gets it.
const MERMAID: &str = "TOPOLINT_MERMAID";

/// The file that defines it, if this machine has it. Where `TOOLS_ARE_THERE` is set, it must.
fn mermaid_script() -> Option<PathBuf> {
    let script = std::env::var_os(MERMAID).map(|folder| PathBuf::from(folder).join("mermaid.min.js"));
    if script.is_none() {
        let required = std::env::var_os("TOOLS_ARE_THERE").is_some();
        assert!(!required, "`{MERMAID}` names no folder with `mermaid.min.js` of the npm package: .ci/run sets it");
        eprintln!("NOT TESTED: `{MERMAID}` names no folder with Mermaid; TOOLS_ARE_THERE=1 makes that a failure");
    }
    script
}

#[test]
fn mermaid_itself_reads_what_is_written_for_it() {
    let Some((script, program)) = mermaid_script().zip(browser::installed()) else { return };
    let texts = example_texts();
    let roots =
        texts.0.keys().filter(|path| path.strip_suffix(".topo").is_some_and(|name| !name.contains("bank-ledger/")));
    let mut scenes: Vec<Scene> = roots.map(|root| scene(&texts, root, &View::default())).collect();
    let empty = scene(&Texts::one("service a\n"), ROOT, &View::default());
    scenes.extend([hostile(), many(200, "orders"), many(3_000, "payments"), empty]);
    let mut browser = Browser::start(program, "mermaid", (1400, 900));
    let page = format!(
        "<!doctype html><meta charset=utf-8><p id=out></p><script src=\"file://{}\"></script>",
        script.display()
    );
    browser.open(&page, "");
    browser.ask("mermaid.initialize({ startOnLoad: false, securityLevel: 'strict' })");
    for scene in &scenes {
        let text = serde_json::json!(render::mermaid(scene));
        browser.ask(&format!("mermaid.parse({text})"));
    }
    // As pages show it; no text does anything there, either.
    for scene in [&scenes[0], &hostile()] {
        let text = serde_json::json!(render::mermaid(scene));
        let drawn = format!("mermaid.render('drawn', {text}).then(({{ svg }}) => {{ out.innerHTML = svg; return 0 }})");
        browser.ask(&drawn);
        assert_eq!(browser.ask("out.querySelectorAll('.node').length"), scene.nodes.len());
    }
    browser.ask("new Promise((done) => setTimeout(done, 100))");
    assert_eq!(browser.ask("String(window.ran)"), "undefined");
    assert_eq!((&browser.complaints, browser.requests.len()), (&Vec::new(), 2), "{:?}", browser.requests);
}

// ------------------------------------------------------------------------------------------------------------ JSON

#[test]
fn the_scene_is_as_its_schema_says() {
    let schema = fs::read_to_string("grammar/scene-v1.schema.json").unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let texts = example_texts();
    for scene in [hostile(), scene(&texts, "examples/shop.topo", &View::default()), Scene::default()] {
        let mut out = Vec::new();
        render::scene_json(&scene, &mut out).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        schema.validate(&json).unwrap();
        assert_eq!(json["nodes"].as_array().unwrap().len(), scene.nodes.len());
    }
}

// ---------------------------------------------------------------------------------------------------- Hostile text

#[test]
fn hostile_text_is_text_in_svg_and_pixels_in_png() {
    let svg = render::svg(&hostile(), Theme::Auto);
    let document = roxmltree::Document::parse(&svg).expect("XML");
    let allowed = ["svg", "title", "desc", "style", "g", "rect", "path", "text", "a"];
    for element in document.descendants().filter(roxmltree::Node::is_element) {
        assert!(allowed.contains(&element.tag_name().name()), "<{}>", element.tag_name().name());
        for attribute in element.attributes() {
            assert!(!attribute.name().starts_with("on"), "{}", attribute.name());
            assert!(attribute.name() != "href" || attribute.value().starts_with('#'), "{}", attribute.value());
        }
    }
    assert!(!svg.contains("url(") && !svg.contains("@import"));
    assert!(render::png(&svg, 1.0).expect("a picture").starts_with(b"\x89PNG"));
}

#[test]
fn nothing_in_an_opened_svg_runs_and_nothing_is_fetched() {
    let Some(program) = browser::installed() else { return };
    let mut browser = Browser::start(program, "svg", (1400, 900));
    let svg = render::svg(&hostile(), Theme::Auto);
    // By itself it is read as XML, within a page as HTML.
    for (name, content) in [("hostile.svg", svg.clone()), ("page.html", format!("<!doctype html>{svg}"))] {
        browser.open_file(name, &content, "");
        browser.ask("for (const link of document.querySelectorAll('a')) link.dispatchEvent(new MouseEvent('click', { bubbles: true })); 0");
        browser.ask("new Promise((done) => setTimeout(done, 100))");
        assert!(browser.count("a") > 0, "{name}");
        assert_eq!(browser.ask("String(window.ran)"), "undefined", "{name}");
        assert_eq!(
            browser.ask("document.querySelectorAll('script, img, image, iframe, foreignObject, use').length"),
            0
        );
        assert_eq!((&browser.complaints, browser.requests.len()), (&Vec::new(), 1), "{name}: {:?}", browser.requests);
    }
    // What would run is noticed.
    browser.open_file("runs.svg", "<svg xmlns='http://www.w3.org/2000/svg'><script>window.ran = 9</script></svg>", "");
    assert_eq!(browser.ask("String(window.ran)"), "9");
}

#[test]
fn no_format_holds_what_a_terminal_would_obey() {
    let scene = hostile();
    let mut json = Vec::new();
    render::scene_json(&scene, &mut json).unwrap();
    let all = [render::svg(&scene, Theme::Auto), render::dot(&scene), render::mermaid(&scene), render::d2(&scene)];
    for text in all.into_iter().chain([String::from_utf8(json).unwrap()]) {
        let harmful = text.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202E}');
        assert_eq!(harmful, None, "{text}");
    }
}
