//! What holds for every text: nothing panics, every place lies in its text, all that was written is accounted for, the
//! same input gives the same bytes, and the order of what need not be in order changes no finding.
//!
//! The cases are the same in every run; `PROPTEST_RNG_SEED` chooses others and `PROPTEST_CASES` more.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod generate;
mod support;

use generate::Diagram;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use support::{Texts, with_facts};
use topolint::analysis::{Facts, Repetition};
use topolint::config::Config;
use topolint::diagnostic::Certainty;
use topolint::lint::{Outcome, Terms, lint, lint_facts};
use topolint::metadata::built_in_clients;
use topolint::model::{Answer, Loader, Stated, lower};
use topolint::rules::ALL;
use topolint::source::{SourceMap, Span};
use topolint::syntax::{Block, Statement, Tree};
use topolint::vocabulary::{ATTRIBUTES, ElementKind, Key};

fn settings() -> ProptestConfig {
    let default = ProptestConfig::default();
    let seed = if default.rng_seed == RngSeed::Random { RngSeed::Fixed(20_261_122) } else { default.rng_seed };
    ProptestConfig { cases: default.cases.max(2_000), rng_seed: seed, failure_persistence: None, ..default }
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn any_text_is_read_to_its_end(text in any::<String>()) {
        accounts_for_all(&text);
    }

    #[test]
    fn any_row_of_tokens_is_read_to_its_end(text in generate::tokens()) {
        accounts_for_all(&text);
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        support::lint(&Texts::one(bytes), |loader, outcome| {
            support::assert_all_in_text(loader, outcome);
            support::reports(&loader.sources, outcome);
        });
    }

    #[test]
    fn what_was_broken_in_a_sound_text_is_read_to_its_end(
        diagram in generate::diagram(),
        place in any::<prop::sample::Index>(),
        token in generate::token(),
    ) {
        let mut text = diagram.text();
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        text.insert_str(*place.get(&places), token);
        accounts_for_all(&text);
    }

    #[test]
    fn what_must_not_run_again_is_what_a_repeater_above_would_expose(diagram in generate::diagram()) {
        let text = once(&diagram.text());
        for (name, repetition) in repetitions(&text).into_iter().take(4) {
            let repeated = format!("{text}\nclient again\nagain -> {name} {{ retries 1; key per-request }}\n");
            let worst = with_facts(&repeated, |facts, _| facts.exposed().iter().map(|exposed| exposed.certainty).max());
            let expected = match worst {
                None => Repetition::Safe,
                Some(Certainty::Proved) => Repetition::Unsafe,
                Some(_) => Repetition::Unknown,
            };
            prop_assert_eq!(repetition, expected, "{}\n{}", name, text);
        }
    }

    #[test]
    fn nothing_that_is_stated_anywhere_is_overlooked(diagram in generate::diagram()) {
        nothing_that_is_stated_is_overlooked(&diagram.text());
    }

    #[test]
    fn the_same_text_gives_the_same_report(
        text in prop_oneof![generate::tokens(), generate::diagram().prop_map(|diagram| diagram.text())],
    ) {
        let report = || support::lint(&Texts::one(text.as_str()), |loader, outcome| {
            format!("{:?}\n{}", outcome.findings, support::reports(&loader.sources, outcome))
        });
        prop_assert_eq!(report(), report());
    }

    #[test]
    fn the_order_of_declarations_and_attributes_changes_no_finding(
        diagram in generate::diagram(),
        keys in generate::keys(),
    ) {
        let (text, reordered) = (diagram.text(), diagram.reordered(keys).text());
        let (one, other) = (sound_findings(&Texts::one(text)), sound_findings(&Texts::one(reordered.as_str())));
        prop_assert_eq!(one, other, "in another order:\n{}", reordered);
    }

    #[test]
    fn a_second_file_changes_no_finding(diagram in generate::diagram(), keys in generate::keys()) {
        let files = diagram.split(keys);
        let one = sound_findings(&Texts::one(diagram.text()));
        prop_assert_eq!(one, sound_findings(&Texts::several(files.clone())), "in two files:\n{}", files.join("--\n"));
    }
}

/// Fails unless a text is read to its end, and what is said of it lies in it and is not too much.
/// What is asked of one bit is never less than what is found by looking at every place.
fn nothing_that_is_stated_is_overlooked(text: &str) -> usize {
    with_facts(text, |facts, _| {
        let (topology, cascade) = (facts.topology(), facts.cascade());
        let mut stated = 0;
        let mut compare = |answer: Answer<'_>, all: Vec<Stated<'_>>, key: Key| {
            assert!(!matches!(answer, Answer::Unstated) || all.is_empty(), "`{key}` is stated: {all:?}\n{text}");
            stated += all.len();
        };
        for key in ATTRIBUTES.iter().map(|attribute| attribute.key) {
            for id in topology.call_ids() {
                compare(cascade.call(id, &[key]), cascade.call_all(id, &[key]), key);
            }
            for id in topology.operation_ids() {
                compare(cascade.operation(id, key), cascade.operation_all(id, key), key);
            }
            for id in topology.node_ids() {
                compare(cascade.node(id, key), cascade.node_all(id, key), key);
            }
        }
        stated
    })
}

#[test]
fn nothing_that_an_example_states_is_overlooked() {
    let pages = ALL.iter().flat_map(|rule| [&rule.page().bad, &rule.page().good]);
    let stated: usize = pages.map(|text| nothing_that_is_stated_is_overlooked(text)).sum();
    assert!(stated > 1_000, "{stated}");
}

fn accounts_for_all(text: &str) {
    support::lint(&Texts::one(text), |loader, outcome| {
        support::assert_all_in_text(loader, outcome);
        support::reports(&loader.sources, outcome);
        is_bounded(text, loader, outcome);
        let source = loader.sources.iter().next().map(|(id, _)| id).unwrap();
        let tree = loader.loaded(support::ROOT).unwrap().tree(&loader.sources);
        for span in &tree.unread {
            support::assert_in_text(&loader.sources, *span, "unread");
        }
        let whole = Span { source, start: 0, end: u32::try_from(text.len()).unwrap() };
        Coverage { sources: &loader.sources, tree }.level(whole, &tree.statements, "};");
    });
}

fn is_bounded(text: &str, loader: &Loader<'_>, outcome: &Outcome) {
    let syntax = loader.loaded(support::ROOT).unwrap().problems.len();
    assert!(syntax <= 202, "{syntax} problems with the syntax");
    assert!(outcome.findings.len() <= text.len() + 1, "{} findings in {} bytes", outcome.findings.len(), text.len());
}

/// Holds every byte of a text against its tree.
struct Coverage<'a> {
    sources: &'a SourceMap,
    tree: &'a Tree,
}

impl Coverage<'_> {
    /// The statements of one level lie in it one behind the other, and between them stands nothing that says anything.
    fn level(&self, range: Span, statements: &[Statement], between: &str) {
        let mut parts = Vec::new();
        let mut end = range.start;
        for statement in statements {
            let (span, block) = match statement {
                Statement::Call(call) => (call.span, &call.block),
                Statement::Plain(plain) => (plain.span, &plain.block),
            };
            support::assert_in_text(self.sources, span, "a statement");
            assert!(range.contains(span) && end <= span.start, "{span:?} lies outside its level or over another one");
            end = span.end;
            parts.push(span);
            self.head(statement, span, block.as_deref());
            if let Some(block) = block {
                self.block(block, span);
            }
        }
        self.gaps(range, &parts, between);
    }

    /// The tokens of a statement before its block.
    fn head(&self, statement: &Statement, span: Span, block: Option<&Block>) {
        let range = Span { end: block.map_or(span.end, |block| block.span.start), ..span };
        let mut parts = Vec::new();
        match statement {
            Statement::Call(call) => {
                parts.extend([call.from, Some(call.arrow_span), Some(call.to), call.label].into_iter().flatten());
            }
            Statement::Plain(plain) => {
                parts.extend(std::iter::once(plain.name).chain(plain.values.iter().map(|value| value.span)));
            }
        }
        for part in &parts {
            support::assert_in_text(self.sources, *part, "a token");
            assert!(range.contains(*part) && !part.is_empty(), "{part:?} lies outside its statement {range:?}");
        }
        self.gaps(range, &parts, ",:=");
    }

    fn block(&self, block: &Block, statement: Span) {
        assert!(statement.contains(block.span), "{:?} lies outside its statement", block.span);
        assert!(self.sources.text(block.span).starts_with('{'), "a block starts with its brace");
        // A brace that is missing leaves the last one to the last statement.
        let end = block.statements.last().map_or(block.span.start + 1, end_of);
        let closed = end < block.span.end && self.sources.text(block.span).ends_with('}');
        let inside = Span { start: block.span.start + 1, end: block.span.end - u32::from(closed), ..block.span };
        self.level(inside, &block.statements, ";");
    }

    /// Between the parts of a range, and what could not be read, stand only blanks, comments and these characters.
    fn gaps(&self, range: Span, parts: &[Span], between: &str) {
        let mut covered: Vec<Span> = parts.iter().chain(&self.tree.unread).copied().collect();
        covered.sort_unstable();
        let mut at = range.start;
        for part in covered.into_iter().filter(|part| part.start < range.end && part.end > range.start) {
            if at < part.start {
                self.gap(Span { start: at, end: part.start, ..range }, between);
            }
            at = at.max(part.end);
        }
        if at < range.end {
            self.gap(Span { start: at, ..range }, between);
        }
    }

    fn gap(&self, gap: Span, between: &str) {
        for line in self.sources.text(gap).split('\n') {
            let code = line.split('#').next().unwrap().split("//").next().unwrap();
            let said = code.trim_matches([' ', '\t', '\r', '\u{FEFF}']).replace(|c| between.contains(c), "");
            let said = said.trim_matches([' ', '\t', '\r', '\u{FEFF}']);
            assert!(said.is_empty(), "{said:?} at {gap:?} is neither in the tree nor unread");
        }
    }
}

fn end_of(statement: &Statement) -> u32 {
    match statement {
        Statement::Call(call) => call.span.end,
        Statement::Plain(plain) => plain.span.end,
    }
}

/// A diagram in which nobody runs anything again.
fn once(text: &str) -> String {
    let repeaters = ["retries 1", "retries 2", "retries unlimited", "attempts 3", "via grpc", "via istio"];
    let repeaters = repeaters.iter().chain(&["hedge after 50ms", "visibility 30s", "max-receives unlimited"]);
    let text = repeaters.fold(text.to_owned(), |text, repeater| text.replace(repeater, "tags once"));
    let text = text.replace("at-least-once", "at-most-once").replace("max-receives 5", "max-receives 1");
    assert!(with_facts(&text, |facts, _| facts.exposed().is_empty()), "something is still run again:\n{text}");
    text
}

/// What happens if each service and external system runs again.
fn repetitions(text: &str) -> Vec<(String, Repetition)> {
    with_facts(text, |facts, _| {
        let topology = facts.topology();
        let ours = topology
            .operation_ids()
            .filter(|id| matches!(topology.node_of(*id).kind, ElementKind::Service | ElementKind::External));
        ours.map(|id| (topology.operation_name(id), facts.repetition(id))).collect()
    })
}

/// Everything found in a sound topology, with its fingerprint and without its place.
fn sound_findings(files: &Texts) -> Vec<String> {
    support::lint(files, |loader, outcome| {
        let mut found: Vec<String> = Vec::new();
        for finding in &outcome.findings {
            let (rule, said) = (finding.rule, &finding.diagnostic);
            let sound = rule.family != "model" || matches!(rule.name, "unreachable-node" | "unused-policy");
            assert!(sound, "the generator made an error: {}", topolint::report::concise(&loader.sources, outcome));
            let hidden = if finding.hidden.is_some() { " (hidden)" } else { "" };
            let (subjects, message, print) = (&said.subjects, &said.message, finding.fingerprint);
            found.push(format!("{:?} {}{hidden} {subjects:?}: {message} {print}", said.certainty, rule.name));
        }
        found.sort();
        found
    })
}

#[test]
fn two_defaults_of_one_box_that_state_the_same_are_a_mistake() {
    // Else the order of two declarations would decide.
    let nodes = "service a, b\na -> b\n";
    let (one, other) = ("defaults { call { timeout 1s } }\n", "defaults { call { timeout none } }\n");
    let said = |text: String| {
        support::lint(&Texts::one(text), |_, outcome| {
            outcome.shown().map(|finding| finding.rule.name).collect::<Vec<_>>()
        })
    };
    assert_eq!(said(format!("{nodes}{one}{other}")), said(format!("{nodes}{other}{one}")));
}

#[test]
fn many_policies_that_state_the_same_are_not_a_problem_for_each_pair() {
    let names: Vec<String> = (0..100).map(|index| format!("p{index}")).collect();
    let policies: Vec<String> = names.iter().map(|name| format!("policy {name} {{ timeout 1s }}")).collect();
    let text = format!("service a, b\n{}\na -> b {{ use {} }}\n", policies.join("\n"), names.join(", "));
    support::lint(&Texts::one(text.as_str()), |loader, outcome| is_bounded(&text, loader, outcome));
}

#[test]
fn what_was_let_go_is_read_again_where_a_finding_stands() {
    let blocks = (0..2_000).map(|at| match at % 10 {
        3 => format!("group g{at} {{\n  service s{at} {{ nonsense 1; operation o {{ timeout x }} }}\n}}\n"),
        5 => format!("service s{at} {{ allow missing-owner \"x\" }}\n}}\n"),
        7 => format!("service s{at} {{ -> }}\n{{ }}\nservice \"s\" s\n"),
        _ => format!("service s{at} {{ -> s0 {{ timeout 1s }} }}\n"),
    });
    let text = blocks.collect::<String>();
    for text in [text.clone(), format!("{text}service last {{\n"), format!("service first {{\n{text}")] {
        let files = Texts::one(text);
        let mut loader = Loader::new(&files);
        let project = loader.project(support::ROOT);
        let config = Config::default();
        let terms = Terms { config: &config, today: jiff::civil::date(2026, 11, 22), clients: built_in_clients() };
        let (topology, problems) = lower(&loader, &project, terms.clients);
        let kept = lint_facts(&loader, &project, &Facts::new(&topology, terms.clients), problems, &terms);
        let let_go = lint(&mut loader, &[project], &terms);
        let prints = |outcome: &Outcome| outcome.findings.iter().map(|finding| finding.fingerprint).collect::<Vec<_>>();
        assert_eq!(prints(&let_go), prints(&kept));
        assert!(let_go.findings.iter().filter(|finding| finding.diagnostic.subjects.is_empty()).count() > 400);
    }
}

#[test]
fn generated_diagrams_have_something_to_find() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::new(settings());
    let mut rules = std::collections::BTreeSet::new();
    for _ in 0..300 {
        let diagram: Diagram = generate::diagram().new_tree(&mut runner).unwrap().current();
        support::lint(&Texts::one(diagram.text()), |_, outcome| {
            rules.extend(outcome.findings.iter().map(|finding| finding.rule.name));
        });
    }
    for rule in [
        "missing-timeout",
        "timeout-inversion",
        "repeated-effect",
        "sync-cycle",
        "unbounded-latency",
        "unused-allow",
        "plaintext-hop",
        "unauthenticated-call",
        "hard-coded-address",
        "protocol-mismatch",
        "trace-break",
    ] {
        assert!(rules.contains(rule), "no `{rule}` in 300 diagrams, only {rules:?}");
    }
}
