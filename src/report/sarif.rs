//! SARIF 2.1.0, which code scanning of GitHub, Azure DevOps and many viewers read. A result has the places of its witness
//! as a flow, its fix as replacements, and our fingerprint; what a suppression hides stays in, with its reason.
//!
//! Only rules that occur are described. What is off, not selected or only follows from other results is no result: it
//! is counted in the properties of the run. Columns count characters (`unicodeCodePoints`), from 1; ends lie behind.

mod document;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use document::{
    Artifact, BaseId, Change, Configuration, Driver, Fix, Flow, FlowLocation, Help, Invocation, Kept, Location, Log,
    Logical, Notification, Physical, Region, Replacement, ResultProperties, ResultRow, RuleProperties, RuleRow, Run,
    RunProperties, Suppression, Text, ThreadFlow, Tool,
};

use super::base::Base;
use super::json::Counts;
use super::lines;
use crate::diagnostic::{self, Certainty, Diagnostic, Label, Step};
use crate::lint::{Finding, Hidden, Outcome};
use crate::metadata::Level;
use crate::rules::Rule;
use crate::source::{SourceMap, Span};

/// How SARIF names the folder from which paths count.
const ROOT: &str = "%SRCROOT%";

/// Writes the report. Without `suppressed`, what is suppressed is left out: code scanning of GitHub opens an alert for
/// each result, suppressed or not.
///
/// # Errors
/// What keeps it from being written.
pub fn sarif(
    sources: &SourceMap,
    outcome: &Outcome,
    base: &Base,
    suppressed: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let results = |finding: &&Finding| match &finding.hidden {
        None => true,
        Some(hidden) => suppressed && suppression(sources, hidden, base).is_some(),
    };
    let findings: Vec<&Finding> = outcome.findings.iter().filter(results).collect();
    let rules = rules(&findings);
    let result = |finding: &&Finding| result(sources, finding, base, &rules);
    let run = Run {
        tool: Tool {
            driver: Driver {
                name: "topolint",
                version: env!("CARGO_PKG_VERSION"),
                semantic_version: env!("CARGO_PKG_VERSION"),
                rules: rules.iter().map(|(rule, certainty)| described(rule, *certainty)).collect(),
            },
        },
        column_kind: "unicodeCodePoints",
        original_uri_base_ids: BTreeMap::from([(
            ROOT,
            BaseId { description: Text::of("the root of the repository; without one, where topolint was called") },
        )]),
        invocations: [Invocation { execution_successful: true, tool_execution_notifications: notifications(outcome) }],
        results: findings.iter().map(result).collect(),
        properties: RunProperties { counts: Counts::of(outcome) },
    };
    let schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
    lines::write(out, &Log { schema, version: "2.1.0", runs: [run] }, 4)
}

/// The rules that occur, sorted, each with how sure the least sure of its results is.
fn rules(findings: &[&Finding]) -> Vec<(&'static Rule, Certainty)> {
    let mut rules: BTreeMap<&str, (&'static Rule, Certainty)> = BTreeMap::new();
    for finding in findings {
        let certainty = finding.diagnostic.certainty;
        let entry = rules.entry(finding.rule.name).or_insert((finding.rule, certainty));
        entry.1 = entry.1.min(certainty);
    }
    rules.into_values().collect()
}

fn described(rule: &'static Rule, certainty: Certainty) -> RuleRow {
    let page = rule.page();
    let paragraphs = [Some(&page.why), Some(&page.fix), page.silenced_by.as_ref()];
    let text = paragraphs.into_iter().flatten().map(|text| text.trim()).collect::<Vec<_>>().join("\n\n");
    let markdown = format!("{text}\n\n```\n{}\n```", page.bad.trim());
    let (precision, severity) = (precision(certainty), problem_severity(page.level));
    RuleRow {
        id: rule.name,
        short_description: Text::of(&page.summary),
        full_description: Text::of(page.why.trim()),
        help: Help { text, markdown },
        default_configuration: Configuration { level: level(page.level) },
        properties: RuleProperties { tags: vec!["topology", rule.family], precision, severity },
    }
}

const fn precision(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Proved => "very-high",
        Certainty::Possible => "medium",
        Certainty::Heuristic => "low",
    }
}

const fn problem_severity(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Info => "recommendation",
    }
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Info => "note",
    }
}

/// What could not be analysed.
fn notifications(outcome: &Outcome) -> Vec<Notification> {
    let gaps = outcome.topologies.iter().flat_map(|topology| &topology.not_analysed);
    gaps.map(|gap| Notification { level: "note", message: message(&format!("not analysed: {gap}")) }).collect()
}

fn result(sources: &SourceMap, finding: &Finding, base: &Base, rules: &[(&Rule, Certainty)]) -> ResultRow {
    let diagnostic: &Diagnostic = &finding.diagnostic;
    let places = Places { sources, base };
    let suppression = finding.hidden.as_ref().and_then(|hidden| suppression(sources, hidden, base));
    ResultRow {
        rule_id: finding.rule.name,
        rule_index: rules.iter().position(|(rule, _)| rule.name == finding.rule.name).unwrap_or(0),
        level: level(finding.level),
        message: message(&sentences(diagnostic)),
        locations: [Location {
            logical_locations: BTreeSet::from_iter(&diagnostic.subjects)
                .into_iter()
                .map(|name| logical(name))
                .collect(),
            ..places.of(diagnostic.primary.span, &diagnostic.primary.text)
        }],
        related_locations: diagnostic.labels.iter().enumerate().map(|label| places.related(label)).collect(),
        code_flows: places.flows(&diagnostic.witness),
        partial_fingerprints: BTreeMap::from([("topolint/v1", finding.fingerprint.to_string())]),
        fixes: diagnostic.fix.iter().map(|fix| places.fix(fix)).collect(),
        suppressions: suppression.into_iter().collect(),
        properties: ResultProperties {
            certainty: diagnostic.certainty,
            caused_by: finding.caused_by.iter().map(ToString::to_string).collect(),
        },
    }
}

/// Message, consequence and ways to mend it: a viewer shows nothing else.
fn sentences(diagnostic: &Diagnostic) -> String {
    let path = diagnostic.path.iter().map(|path| format!("path: {path}"));
    let consequence = diagnostic.consequence.iter().map(|consequence| format!("so: {consequence}"));
    let help = diagnostic.help.iter().map(|help| format!("help: {help}"));
    let message = std::iter::once(diagnostic.message.clone());
    message.chain(path).chain(consequence).chain(help).collect::<Vec<String>>().join("\n")
}

/// Text with nothing that a viewer takes for a link.
fn message(text: &str) -> Text {
    Text::of(&text.replace("](", "] ("))
}

/// What keeps a result from counting: a decision that somebody wrote down.
fn suppression(sources: &SourceMap, hidden: &Hidden, base: &Base) -> Option<Suppression> {
    match hidden {
        Hidden::Allow(span, reason) => Some(Suppression {
            kind: "inSource",
            status: "accepted",
            justification: reason.clone(),
            location: Some(Places { sources, base }.of(*span, "")),
        }),
        Hidden::Baseline(span, reason) => Some(Suppression {
            kind: "external",
            status: "accepted",
            justification: reason.clone(),
            location: Some(Places { sources, base }.of(*span, "")),
        }),
        Hidden::Off | Hidden::NotSelected | Hidden::Folded | Hidden::Old => None,
    }
}

fn logical(subject: &str) -> Logical {
    let kind = match subject {
        subject if subject.contains("->") => "call",
        subject if subject.contains('.') => "operation",
        _ => "node",
    };
    Logical { fully_qualified_name: subject.to_owned(), kind }
}

/// Places in files, as SARIF writes them.
struct Places<'a> {
    sources: &'a SourceMap,
    base: &'a Base,
}

impl Places<'_> {
    fn of(&self, span: Span, text: &str) -> Location {
        Location {
            id: None,
            physical_location: Physical { artifact_location: self.artifact(span), region: self.region(span) },
            logical_locations: Vec::new(),
            message: (!text.is_empty()).then(|| message(text)),
        }
    }

    fn artifact(&self, span: Span) -> Artifact {
        Artifact { uri: super::escape::address(&self.base.path(self.sources, span)), uri_base_id: ROOT }
    }

    fn region(&self, span: Span) -> Region {
        let (start, end) = (self.sources.position(span), self.sources.end(span));
        Region { start_line: start.line, start_column: start.column, end_line: end.line, end_column: end.column }
    }

    fn related(&self, (index, label): (usize, &Label)) -> Location {
        Location { id: Some(index + 1), ..self.of(label.span, &label.text) }
    }

    fn flows(&self, witness: &[Step]) -> Vec<Flow> {
        let hop = |(index, step): (usize, &Step)| FlowLocation {
            location: Location { logical_locations: vec![logical(&step.subject)], ..self.of(step.span, &step.text) },
            execution_order: index + 1,
            importance: "essential",
            properties: step.value.map(|value| {
                let (amount, unit) = value.amount();
                Kept { amount, unit }
            }),
        };
        let locations: Vec<FlowLocation> = witness.iter().enumerate().map(hop).collect();
        if locations.is_empty() { Vec::new() } else { vec![Flow { thread_flows: [ThreadFlow { locations }] }] }
    }

    /// The edits of a fix, file by file.
    fn fix(&self, fix: &diagnostic::Fix) -> Fix {
        let mut changes: Vec<(crate::source::SourceId, Change)> = Vec::new();
        for edit in &fix.edits {
            let replacement =
                Replacement { deleted_region: self.region(edit.span), inserted_content: Text::of(&edit.replacement) };
            if let Some((_, change)) = changes.iter_mut().find(|(source, _)| *source == edit.span.source) {
                change.replacements.push(replacement);
            } else {
                let artifact_location = self.artifact(edit.span);
                changes.push((edit.span.source, Change { artifact_location, replacements: vec![replacement] }));
            }
        }
        let artifact_changes = changes.into_iter().map(|(_, change)| change).collect();
        Fix { description: message(&fix.title), artifact_changes }
    }
}
