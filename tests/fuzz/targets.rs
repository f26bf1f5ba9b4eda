//! What is fuzzed, without the fuzzer: each function takes any bytes, and fails where a promise is broken. Nothing
//! panics, every place that is named lies in its text, and what calls itself JSON or XML is that. A zero byte starts the
//! next file.

#![allow(dead_code, reason = "each crate that includes this file uses a part of it")]
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may stop")]

use std::hint::black_box;

use roxmltree::{Document, ParsingOptions};
use topolint::analysis::{Disturbance, Facts, Target};
use topolint::baseline::Baseline;
use topolint::change::{Comparison, Side, compare};
use topolint::config::Config;
use topolint::lint::{self, Finding, Outcome, Terms};
use topolint::metadata::{Level, Page, built_in_clients, clients, prices};
use topolint::model::{Loader, OperationId, Project, Topology, lower};
use topolint::render::{self, Annotate, Collapse, GroupBy, Scene, Theme, View};
use topolint::report::{self, Base, Look, Verdict};
use topolint::source::SourceMap;

use crate::support::{self, ROOT, Texts};

/// Takes any bytes.
type Takes = fn(&[u8]);

/// What a target is called, and what it does.
pub const ALL: &[(&str, Takes)] =
    &[("lint", lint), ("render", render), ("configuration", configuration), ("change", change)];

/// What a configuration and a baseline are tried on.
const SHOP: &str = include_str!("../../examples/shop.topo");

const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 22);

/// Topologies, `example.topo`, `part-1.topo` and so on, in every report.
pub fn lint(bytes: &[u8]) {
    let files = Texts::several(bytes.split(|byte| *byte == 0));
    support::lint(&files, |loader, outcome| {
        support::assert_all_in_text(loader, outcome);
        reports(&loader.sources, outcome, &Config::default());
    });
}

/// The same in every picture, and the answers of every question. The length of the text chooses what is asked.
pub fn render(bytes: &[u8]) {
    let files = Texts::several(bytes.split(|byte| *byte == 0));
    let mut loader = Loader::new(&files);
    let project = loader.project(ROOT);
    let terms = Terms { config: &Config::default(), today: TODAY, clients: built_in_clients() };
    let outcome = lint::lint(&mut loader, std::slice::from_ref(&project), &terms);
    let (topology, _) = lower(&loader, &project, terms.clients);
    let facts = Facts::new(&topology, terms.clients);
    let scene = render::scene(&facts, &loader.sources, &outcome, &view(&topology, bytes.len()));
    pictures(&scene, bytes.len());
    let found: Vec<&Finding> = outcome.shown().collect();
    assert_xml("svg", svg_of(&render::html(&scene, &facts, &loader.sources, &found, Theme::Auto)));
    answers(&facts, bytes.len());
}

/// A configuration with what it extends, a baseline, a page of a rule, tables of clients and prices.
pub fn configuration(bytes: &[u8]) {
    let mut files = Texts::one(SHOP);
    for (number, part) in bytes.split(|byte| *byte == 0).enumerate() {
        let name = if number == 0 { "topolint.yaml".to_owned() } else { format!("part-{number}.yaml") };
        files.0.insert(name, part.to_vec());
    }
    let text = String::from_utf8_lossy(bytes);
    black_box((Page::read(&text).is_ok(), clients(&[&text]).is_ok(), prices(&text).is_ok()));
    let mut sources = SourceMap::default();
    match Config::load(&files, &mut sources, "topolint.yaml") {
        Ok(config) => {
            black_box(report::settings(&config, Some(("topolint.yaml", "found")), &sources, Look::default()));
            support::with_outcome(&files, ROOT, &config, |sources, outcome| reports(sources, outcome, &config));
        }
        Err(problems) => problems.iter().for_each(|problem| {
            support::places(problem).for_each(|place| support::assert_in_text(&sources, place, &problem.message));
            black_box(report::show(&sources, problem, Look::default()));
        }),
    }
    baseline(&files, &text);
}

/// What a baseline says survives writing.
fn baseline(files: &Texts, text: &str) {
    let mut sources = SourceMap::default();
    let id = sources.add("topolint-baseline.yaml", text);
    let known = match Baseline::read(&sources, id, "topolint-baseline.yaml") {
        Ok(known) => known,
        Err(problems) => {
            return problems.iter().for_each(|problem| {
                support::places(problem).for_each(|place| support::assert_in_text(&sources, place, &problem.message));
            });
        }
    };
    let config = Config::default();
    let mut loader = Loader::new(files);
    let project = loader.project(ROOT);
    let terms = Terms { config: &config, today: TODAY, clients: built_in_clients() };
    let mut outcome = lint::lint(&mut loader, &[project], &terms);
    black_box(known.hide(&mut outcome, &config, TODAY));
    let updated = known.updated(&outcome, &config);
    for written in [known.without(&[]), updated] {
        let id = sources.add("topolint-baseline.yaml", written.text(&written.paths));
        let read = Baseline::read(&sources, id, "topolint-baseline.yaml").expect("a baseline that we wrote");
        let keys = |baseline: &Baseline| -> Vec<_> {
            baseline.entries.iter().map(|entry| (entry.rule.clone(), entry.fingerprint.clone(), entry.until)).collect()
        };
        assert_eq!(keys(&read), keys(&written), "what is written is read back");
    }
}

/// Two versions of one topology: all before the first zero byte, and all after it.
pub fn change(bytes: &[u8]) {
    let (before, after) = match bytes.iter().position(|byte| *byte == 0) {
        Some(at) => (bytes.get(..at).unwrap_or_default(), bytes.get(at + 1..).unwrap_or_default()),
        None => (SHOP.as_bytes(), bytes),
    };
    let (old, new) = (Texts::one(before), Texts::several(after.split(|byte| *byte == 0)));
    let mut head = Loader::new(&new);
    let projects = [head.project(ROOT)];
    let mut base = Loader::new(&old);
    base.sources = head.sources.clone();
    let olds = [base.project(ROOT)];
    let config = Config::default();
    let terms = Terms { config: &config, today: TODAY, clients: built_in_clients() };
    let side = |loader, projects| Side { loader, projects, config: &config, baseline: None };
    let found = compare(side(&base, &olds), side(&head, &projects), &terms);
    comparison(&base, &olds, &head, &projects, &found, bytes.len());
    let since = found.since();
    reports(&base.sources, &since, &config);
}

fn comparison(
    base: &Loader<'_>,
    olds: &[Project],
    head: &Loader<'_>,
    projects: &[Project],
    found: &Comparison,
    choice: usize,
) {
    let mut json = Vec::new();
    report::diff_json(&base.sources, found, "main", &mut json).expect("memory");
    assert_json("diff-v1", &json);
    black_box(report::diff(&base.sources, found, "main", Look { color: true, width: 80 }));
    black_box(report::diff_markdown(&base.sources, found, "main"));
    let drawn = |loader: &Loader<'_>, projects: &[Project], outcome: &Outcome| {
        let (topology, _) = lower(loader, &projects[0], built_in_clients());
        let facts = Facts::new(&topology, built_in_clients());
        render::scene(&facts, &base.sources, outcome, &View::default())
    };
    let (before, after) = (drawn(base, olds, &found.before), drawn(head, projects, &found.outcome));
    if let Some(change) = found.topologies.first() {
        pictures(&render::versions(&before, &after, change, found), choice);
    }
}

/// Every report of a run.
fn reports(sources: &SourceMap, outcome: &Outcome, config: &Config) {
    let base = Base::new("/project", "/project");
    let mut out = Vec::new();
    report::json(sources, outcome, &mut out).expect("memory");
    assert_json("json", &out);
    out.clear();
    report::sarif(sources, outcome, &base, true, &mut out).expect("memory");
    assert_json("sarif", &out);
    out.clear();
    report::gitlab(sources, outcome, &base, &mut out).expect("memory");
    assert_json("gitlab", &out);
    out.clear();
    report::rdjson(sources, outcome, &mut out).expect("memory");
    assert_json("rdjson", &out);
    out.clear();
    report::jsonl(sources, outcome, &mut out).expect("memory");
    out.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).for_each(|line| assert_json("jsonl", line));
    assert_xml("checkstyle", &report::checkstyle(sources, outcome));
    assert_xml("junit", &report::junit(sources, outcome, &base, Verdict { config, fail_on: Some(Level::Warn) }));
    for look in [Look::default(), Look { color: true, width: 60 }] {
        black_box(report::human(sources, outcome, look, false));
        black_box(report::statistics(outcome, look));
    }
    let page = report::Page { base: &base, most: report::COMMENT, brief: false };
    assert!(report::markdown(sources, outcome, &page).len() <= report::COMMENT, "a comment has a largest size");
    let lines = [report::concise(sources, outcome), report::agent(sources, outcome)];
    for text in &lines {
        assert_harmless(text);
    }
    assert_harmless(&report::github(sources, outcome, &base, "rest"));
}

/// Every picture.
fn pictures(scene: &Scene, choice: usize) {
    let svg = render::svg(scene, Theme::Light);
    assert_xml("svg", &svg);
    if choice.is_multiple_of(16) {
        black_box(render::png(&svg, 0.25).is_ok());
    }
    black_box((render::dot(scene), render::mermaid(scene), render::d2(scene)));
    let mut json = Vec::new();
    render::scene_json(scene, &mut json).expect("memory");
    assert_json("scene", &json);
}

/// What is answered of facts, as tables and as JSON.
fn answers(facts: &Facts<'_>, choice: usize) {
    let (topology, look, mut out) = (facts.topology(), Look::default(), Vec::new());
    report::facts_json(std::slice::from_ref(facts), &[0], &mut out).expect("memory");
    assert_json("facts", &out);
    black_box(report::facts_table(facts, 0, look));
    let operations: Vec<OperationId> = topology.operation_ids().collect();
    let (Some(first), Some(last)) = (operations.first(), operations.get(choice % operations.len().max(1))) else {
        return;
    };
    let target = Target::Operation(*last);
    let call = topology.call_ids().last().map(Disturbance::Silent);
    let all = [Disturbance::Down(target), Disturbance::Fails(target, 0.3), Disturbance::Slow(target, 1e9)];
    for disturbance in all.into_iter().chain(call) {
        out.clear();
        report::what_if_json(facts, &[disturbance], &mut out).expect("memory");
        assert_json("what-if", &out);
        black_box(report::what_if(facts, &[disturbance], look));
    }
    if let Some(way) = facts.way_over(&[vec![*first], vec![*last]]).filter(|way| !way.is_empty()) {
        out.clear();
        report::path_json(facts, &way, &mut out).expect("memory");
        assert_json("path", &out);
        black_box(report::path_waterfall(facts, &way, look));
    }
}

fn view(topology: &Topology, choice: usize) -> View {
    let annotate = [Annotate::All, Annotate::Nothing, Annotate::Numbers, Annotate::Findings];
    let groups = [GroupBy::Group, GroupBy::Owner, GroupBy::Region, GroupBy::Zone, GroupBy::Trust];
    let collapse = [Collapse::Nothing, Collapse::Auto, Collapse::All];
    View {
        annotate: annotate[choice % annotate.len()],
        group_by: groups[choice % groups.len()],
        collapse: collapse[choice % collapse.len()].clone(),
        focus: topology.node_ids().nth(choice % 7).filter(|_| choice.is_multiple_of(7)).map(|node| (node, choice % 3)),
        flow: topology.operation_ids().nth(choice % 11).filter(|_| choice.is_multiple_of(11)),
        only_findings: choice.is_multiple_of(13),
    }
}

/// The picture that a page holds.
fn svg_of(html: &str) -> &str {
    let (Some(start), Some(end)) = (html.find("<svg"), html.find("</svg>")) else { return "<svg/>" };
    html.get(start..end + "</svg>".len()).unwrap_or_default()
}

#[track_caller]
fn assert_json(what: &str, bytes: &[u8]) {
    let read: Result<serde_json::Value, _> = serde_json::from_slice(bytes);
    assert!(read.is_ok(), "{what} is no JSON: {:?}\n{}", read.err(), String::from_utf8_lossy(bytes));
}

#[track_caller]
fn assert_xml(what: &str, text: &str) {
    let options = ParsingOptions { nodes_limit: u32::MAX, ..ParsingOptions::default() };
    let read = Document::parse_with_options(text, options);
    assert!(read.is_ok(), "{what} is no XML: {:?}\n{text}", read.err());
}

/// Nothing in it that a terminal or a runner would obey.
#[track_caller]
fn assert_harmless(text: &str) {
    let harmful = text.chars().find(|character| character.is_control() && !matches!(character, '\n' | '\t'));
    assert!(harmful.is_none(), "{harmful:?} reaches a terminal:\n{text}");
}
