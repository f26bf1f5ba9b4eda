//! The report for programs, `json-v1`. Fields may be added; none changes its meaning. What is hidden is in it, with
//! what hides it. The published schema is made from the types here.

use std::io::{self, Write};

use serde::{Serialize, Serializer};

use super::lines;
use crate::analysis::Gap;
use crate::diagnostic::{Certainty, Diagnostic, Fix, Label, Step};
use crate::lint::{Finding, Hidden, Outcome, Summary};
use crate::metadata::Level;
use crate::source::{Source, SourceMap, Span};

/// Writes the report, finding by finding.
///
/// # Errors
/// What keeps it from being written.
pub fn json(sources: &SourceMap, outcome: &Outcome, out: &mut impl Write) -> io::Result<()> {
    let summaries = &outcome.topologies;
    let report = Report {
        schema: Version::JsonV1,
        topologies: summaries.iter().map(TopologyRow::of).collect(),
        findings: Findings { sources, findings: &outcome.findings },
        counts: Counts::of(outcome),
        coverage: summaries.iter().flat_map(ShareRow::of).collect(),
        not_analysed: summaries.iter().flat_map(GapRow::of).collect(),
    };
    lines::write(out, &report, 2)
}

/// The outcome of one run of `topolint check`.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Report<'a> {
    schema: Version,
    /// What was looked at.
    topologies: Vec<TopologyRow<'a>>,
    /// Everything that was found, hidden or not: worst first, then by place.
    #[serde(serialize_with = "each")]
    #[cfg_attr(test, schemars(with = "Vec<FindingRow<'a>>"))]
    findings: Findings<'a>,
    counts: Counts,
    /// Of how many elements the diagrams state what the rules ask for.
    coverage: Vec<ShareRow<'a>>,
    /// What could not be analysed.
    not_analysed: Vec<GapRow<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum Version {
    #[serde(rename = "json-v1")]
    JsonV1,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Topology"))]
struct TopologyRow<'a> {
    name: &'a str,
    nodes: usize,
    calls: usize,
}

impl<'a> TopologyRow<'a> {
    fn of(summary: &'a Summary) -> Self {
        Self { name: &summary.name, nodes: summary.size.0, calls: summary.size.1 }
    }
}

struct Findings<'a> {
    sources: &'a SourceMap,
    findings: &'a [Finding],
}

/// One row is made and written at a time: there may be very many.
fn each<S: Serializer>(findings: &Findings<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(findings.findings.iter().map(|finding| FindingRow::of(findings.sources, finding)))
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Finding"))]
pub(super) struct FindingRow<'a> {
    /// The permanent name of the rule.
    rule: &'static str,
    /// The fallacy or principle that the rule guards.
    family: &'static str,
    /// How much it matters here; of a finding whose rule is off, how much it would.
    level: Level,
    /// Whether it follows from what is written, depends on something unstated, or is a judgement.
    certainty: Certainty,
    /// One sentence.
    message: &'a str,
    /// What to write instead, each a way of its own.
    help: &'a [String],
    /// The qualified elements it is about, such as `orders.place` or `gateway.checkout->orders.place`.
    subjects: &'a [String],
    /// Where to look first.
    place: LabelRow<'a>,
    /// Further places that it speaks of.
    labels: Vec<LabelRow<'a>>,
    /// What proves it, hop by hop.
    witness: Vec<HopRow<'a>>,
    /// A change to the text that mends it.
    fix: Option<FixRow<'a>>,
    /// Identity, the same after moving, renaming files and rewording; 32 hexadecimal digits.
    fingerprint: String,
    /// The fingerprints of findings of other rules that this one follows from.
    caused_by: Vec<String>,
    /// What keeps it out of the reports for people; null if nothing does.
    hidden_by: Option<HiddenRow<'a>>,
}

impl<'a> FindingRow<'a> {
    pub(super) fn of(sources: &'a SourceMap, finding: &'a Finding) -> Self {
        let diagnostic: &Diagnostic = &finding.diagnostic;
        let label = |label: &'a Label| LabelRow::of(sources, label.span, &label.text);
        Self {
            rule: finding.rule.name,
            family: finding.rule.family,
            level: finding.level,
            certainty: diagnostic.certainty,
            message: &diagnostic.message,
            help: &diagnostic.help,
            subjects: &diagnostic.subjects,
            place: label(&diagnostic.primary),
            labels: diagnostic.labels.iter().map(label).collect(),
            witness: diagnostic.witness.iter().map(|step| HopRow::of(sources, step)).collect(),
            fix: diagnostic.fix.as_ref().map(|fix| FixRow::of(sources, fix)),
            fingerprint: finding.fingerprint.to_string(),
            caused_by: finding.caused_by.iter().map(ToString::to_string).collect(),
            hidden_by: finding.hidden.as_ref().map(|hidden| HiddenRow::of(sources, hidden)),
        }
    }
}

/// A stretch of a file, half open.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Place"))]
pub(super) struct PlaceRow<'a> {
    /// The path, relative to where the tool was called, with `/`.
    file: &'a str,
    start: PositionRow,
    /// Behind the last character.
    end: PositionRow,
}

/// A position between two characters.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Position"))]
struct PositionRow {
    /// From 1.
    #[cfg_attr(test, schemars(range(min = 1)))]
    line: usize,
    /// In characters (Unicode scalar values), from 1.
    #[cfg_attr(test, schemars(range(min = 1)))]
    column: usize,
    /// In bytes of UTF-8 from the start of the text, a byte order mark not counted, from 0.
    offset: u32,
}

impl<'a> PlaceRow<'a> {
    pub(super) fn of(sources: &'a SourceMap, span: Span) -> Self {
        let source = sources.get(span.source);
        let position = |offset| {
            let position = source.map(|source: &Source| source.position(offset));
            let (line, column) = position.map_or((1, 1), |position| (position.line, position.column));
            PositionRow { line, column, offset }
        };
        Self { file: sources.name(span), start: position(span.start), end: position(span.end) }
    }
}

/// A place, and what is to be said there.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Label"))]
struct LabelRow<'a> {
    #[serde(flatten)]
    place: PlaceRow<'a>,
    /// One phrase; empty where the message says all.
    text: &'a str,
}

impl<'a> LabelRow<'a> {
    fn of(sources: &'a SourceMap, span: Span, text: &'a str) -> Self {
        Self { place: PlaceRow::of(sources, span), text }
    }
}

/// One hop of a witness.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Hop"))]
struct HopRow<'a> {
    /// The qualified element.
    subject: &'a str,
    /// What happens there.
    text: &'a str,
    /// The number that it contributes.
    value: Option<ValueRow>,
    place: PlaceRow<'a>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Value"))]
struct ValueRow {
    amount: f64,
    /// `s` for seconds, `times` for a number of executions.
    unit: &'static str,
}

impl<'a> HopRow<'a> {
    fn of(sources: &'a SourceMap, step: &'a Step) -> Self {
        let value = step.value.map(|value| {
            let (amount, unit) = value.amount();
            ValueRow { amount, unit }
        });
        Self { subject: &step.subject, text: &step.text, value, place: PlaceRow::of(sources, step.span) }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Fix"))]
struct FixRow<'a> {
    /// What it does, as an order.
    title: &'a str,
    /// Whether the meaning of the diagram stays what its author said.
    safe: bool,
    /// Edits that do not overlap.
    edits: Vec<EditRow<'a>>,
}

/// Replaces the text of a place.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Edit"))]
struct EditRow<'a> {
    #[serde(flatten)]
    place: PlaceRow<'a>,
    replacement: &'a str,
}

impl<'a> FixRow<'a> {
    fn of(sources: &'a SourceMap, fix: &'a Fix) -> Self {
        let edits = fix.edits.iter();
        let edits =
            edits.map(|edit| EditRow { place: PlaceRow::of(sources, edit.span), replacement: &edit.replacement });
        Self { title: &fix.title, safe: fix.safe, edits: edits.collect() }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Hidden"))]
#[serde(tag = "by", rename_all = "kebab-case")]
enum HiddenRow<'a> {
    /// An `allow` in the text.
    Allow { reason: &'a str, place: PlaceRow<'a> },
    /// An entry of the baseline; the reason is empty if it gives none.
    Baseline { reason: &'a str, place: PlaceRow<'a> },
    /// Its rule is off, or what is unstated is.
    Configuration,
    /// Its rule is not selected.
    Selection,
    /// What it follows from is reported: see `caused_by`.
    Causes,
    /// What it is compared with has it too.
    Base,
}

impl<'a> HiddenRow<'a> {
    fn of(sources: &'a SourceMap, hidden: &'a Hidden) -> Self {
        match hidden {
            Hidden::Allow(span, reason) => Self::Allow { reason, place: PlaceRow::of(sources, *span) },
            Hidden::Baseline(span, reason) => Self::Baseline { reason, place: PlaceRow::of(sources, *span) },
            Hidden::Off => Self::Configuration,
            Hidden::NotSelected => Self::Selection,
            Hidden::Folded => Self::Causes,
            Hidden::Old => Self::Base,
        }
    }
}

/// How many findings there are.
#[derive(Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Counts {
    /// Reported, by level.
    error: usize,
    warn: usize,
    info: usize,
    /// Not reported, by what hides them.
    hidden: HiddenCounts,
}

#[derive(Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct HiddenCounts {
    allow: usize,
    baseline: usize,
    configuration: usize,
    selection: usize,
    causes: usize,
    base: usize,
}

impl Counts {
    pub(super) fn of(outcome: &Outcome) -> Self {
        let mut counts = Self::default();
        for finding in &outcome.findings {
            *match (&finding.hidden, finding.level) {
                (Some(Hidden::Allow(..)), _) => &mut counts.hidden.allow,
                (Some(Hidden::Baseline(..)), _) => &mut counts.hidden.baseline,
                (Some(Hidden::Off), _) => &mut counts.hidden.configuration,
                (Some(Hidden::NotSelected), _) => &mut counts.hidden.selection,
                (Some(Hidden::Folded), _) => &mut counts.hidden.causes,
                (Some(Hidden::Old), _) => &mut counts.hidden.base,
                (None, Level::Error) => &mut counts.error,
                (None, Level::Warn) => &mut counts.warn,
                (None, Level::Info) => &mut counts.info,
            } += 1;
        }
        counts
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Share"))]
struct ShareRow<'a> {
    topology: &'a str,
    /// The family of rules that asks for it.
    family: &'static str,
    /// What is asked for, with its elements: `timeout on calls`.
    what: &'static str,
    /// How many state it.
    stated: usize,
    /// How many there are.
    of: usize,
}

impl<'a> ShareRow<'a> {
    fn of(summary: &'a Summary) -> impl Iterator<Item = Self> {
        summary.coverage.shares.iter().map(|share| Self {
            topology: &summary.name,
            family: share.family,
            what: share.what,
            stated: share.stated,
            of: share.of,
        })
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Gap"))]
struct GapRow<'a> {
    topology: &'a str,
    what: &'a str,
    why: &'a str,
}

impl<'a> GapRow<'a> {
    fn of(summary: &'a Summary) -> impl Iterator<Item = Self> {
        let row = |gap: &'a Gap| Self { topology: &summary.name, what: &gap.what, why: gap.why };
        summary.not_analysed.iter().map(row)
    }
}
