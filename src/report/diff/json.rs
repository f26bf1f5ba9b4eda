//! What a change does, for programs: `diff-v1`. Fields may be added; none changes its meaning. All units are SI: times in
//! seconds.

use std::io;

use serde::Serialize;

use crate::analysis::Count;
use crate::change::{AttributeEdit, Cause, Comparison, Edit, EntryChange, Fate, Numbers, TopologyChange, TriesChange};
use crate::lint::Finding;
use crate::metadata::Level;
use crate::model::Duration;
use crate::report::facts::Bound;
use crate::report::json::{FindingRow, PlaceRow};
use crate::report::lines;
use crate::source::SourceMap;

/// Writes what is different from `base`.
///
/// # Errors
/// What keeps it from being written.
pub fn diff_json(sources: &SourceMap, comparison: &Comparison, base: &str, out: &mut impl io::Write) -> io::Result<()> {
    let new = comparison.new_findings();
    let new = new.map(|(finding, new)| NewRow {
        finding: FindingRow::of(sources, finding),
        because: CauseRow::all(sources, &new.causes),
    });
    let worse = comparison.worse.iter().filter_map(|worse| {
        let (was, now) = (comparison.before.findings.get(worse.was)?, comparison.outcome.findings.get(worse.finding)?);
        Some(WorseRow {
            finding: FindingRow::of(sources, now),
            was: FindingRow::of(sources, was),
            because: CauseRow::all(sources, &worse.causes),
        })
    });
    let (new, worse): (Vec<_>, Vec<_>) = (new.collect(), worse.collect());
    let report = Report {
        schema: Version::DiffV1,
        base,
        topologies: comparison.topologies.iter().map(|topology| TopologyRow::of(sources, topology)).collect(),
        counts: Counts::of(comparison),
        new,
        worse,
        fixed: comparison.fixed_findings().map(|finding| FindingRow::of(sources, finding)).collect(),
    };
    lines::write(out, &report, 4)
}

/// What `topolint diff` finds.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::report) struct Report<'a> {
    schema: Version,
    /// What it is compared with.
    base: &'a str,
    /// Every topology of either side.
    topologies: Vec<TopologyRow<'a>>,
    counts: Counts,
    /// Found now and not before, worst first.
    new: Vec<NewRow<'a>>,
    /// Found on both sides, and worse now.
    worse: Vec<WorseRow<'a>>,
    /// Found before and not now; places lie in the base.
    fixed: Vec<FindingRow<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum Version {
    #[serde(rename = "diff-v1")]
    DiffV1,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Topology"))]
struct TopologyRow<'a> {
    name: &'a str,
    /// Elements that are not what they were.
    edits: Vec<EditRow<'a>>,
    /// Where requests come in.
    entries: Vec<EntryRow<'a>>,
    /// Operations that are executed more or less often for one request.
    executions: Vec<ExecutionsRow<'a>>,
}

impl<'a> TopologyRow<'a> {
    fn of(sources: &'a SourceMap, topology: &'a TopologyChange) -> Self {
        Self {
            name: &topology.name,
            edits: topology.edits.iter().map(|edit| EditRow::of(sources, edit)).collect(),
            entries: topology.entries.iter().map(EntryRow::of).collect(),
            executions: topology.tries.iter().map(ExecutionsRow::of).collect(),
        }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "ElementEdit"))]
struct EditRow<'a> {
    /// What it is: a kind of node, `operation`, `call`, `policy`, `group`, `defaults`, `file`, `link`, `topology`.
    kind: &'static str,
    /// Its name; of what was removed, the one it had.
    name: &'a str,
    became: FateRow,
    /// Its name before, if it was renamed.
    was: Option<&'a str>,
    /// Where it is written; of what was removed, in the base.
    place: PlaceRow<'a>,
    /// What is stated otherwise of what stayed.
    attributes: Vec<AttributeRow<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Fate"))]
#[serde(rename_all = "kebab-case")]
enum FateRow {
    Added,
    Removed,
    Changed,
    Renamed,
}

impl<'a> EditRow<'a> {
    fn of(sources: &'a SourceMap, edit: &'a Edit) -> Self {
        let (became, was) = match &edit.fate {
            Fate::Added => (FateRow::Added, None),
            Fate::Removed => (FateRow::Removed, None),
            Fate::Changed => (FateRow::Changed, None),
            Fate::Renamed(before) => (FateRow::Renamed, Some(before.as_str())),
        };
        let attributes = edit.attributes.iter().map(|attribute| AttributeRow::of(sources, attribute)).collect();
        let place = PlaceRow::of(sources, edit.span);
        Self { kind: edit.kind, name: &edit.name, became, was, place, attributes }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "AttributeEdit"))]
struct AttributeRow<'a> {
    name: &'a str,
    /// As written; null if it was not stated.
    before: Option<&'a str>,
    /// As written; null if it is no longer stated.
    after: Option<&'a str>,
    /// Where it is written; if it is no longer stated, where its element is.
    place: PlaceRow<'a>,
}

impl<'a> AttributeRow<'a> {
    fn of(sources: &'a SourceMap, edit: &'a AttributeEdit) -> Self {
        let place = PlaceRow::of(sources, edit.span);
        Self { name: &edit.name, before: edit.before.as_deref(), after: edit.after.as_deref(), place }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Entry"))]
struct EntryRow<'a> {
    operation: &'a str,
    /// Null if it is new.
    before: Option<NumbersRow>,
    /// Null if it is no longer an entry.
    after: Option<NumbersRow>,
}

impl<'a> EntryRow<'a> {
    fn of(entry: &'a EntryChange) -> Self {
        let numbers = |side: &Option<Numbers>| side.as_ref().map(NumbersRow::of);
        Self { operation: &entry.name, before: numbers(&entry.before), after: numbers(&entry.after) }
    }
}

/// As in `facts-v1`.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Numbers"))]
struct NumbersRow {
    worst_case_s: Bound,
    at_least_s: Bound,
    /// What 99 % of the requests are proved to stay within; null if that is not known.
    proved_p99_s: Option<f64>,
    floor_s: f64,
    executions: Bound,
    availability: AvailabilityRow,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Availability"))]
struct AvailabilityRow {
    low: Option<f64>,
    independent: Option<f64>,
    high: Option<f64>,
}

impl NumbersRow {
    fn of(numbers: &Numbers) -> Self {
        let [low, independent, high] = numbers.availability;
        Self {
            worst_case_s: Bound::of(numbers.worst_case),
            at_least_s: Bound::of(Some(numbers.at_least)),
            proved_p99_s: numbers.p99.map(Duration::seconds),
            floor_s: numbers.floor.seconds(),
            executions: Bound::times(numbers.executions),
            availability: AvailabilityRow { low, independent, high },
        }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Executions"))]
struct ExecutionsRow<'a> {
    operation: &'a str,
    /// If it fails at once and everything else answers.
    before: Bound,
    after: Bound,
    /// If anything may fail at any attempt: no execution exceeds it.
    bound_before: Bound,
    bound_after: Bound,
}

impl<'a> ExecutionsRow<'a> {
    fn of(change: &'a TriesChange) -> Self {
        let both = |counts: (Count, Count)| (Bound::times(counts.0), Bound::times(counts.1));
        let ((before, after), (bound_before, bound_after)) = (both(change.executions), both(change.bound));
        Self { operation: &change.name, before, after, bound_before, bound_after }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "NewFinding"))]
struct NewRow<'a> {
    #[serde(flatten)]
    finding: FindingRow<'a>,
    /// The edits that it comes from, nearest first; empty if that is not known.
    because: Vec<CauseRow<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "WorseFinding"))]
struct WorseRow<'a> {
    #[serde(flatten)]
    finding: FindingRow<'a>,
    /// What it was before; places lie in the base.
    was: FindingRow<'a>,
    because: Vec<CauseRow<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Cause"))]
struct CauseRow<'a> {
    text: &'a str,
    /// Where it is written; of what was removed, in the base.
    place: PlaceRow<'a>,
    /// Whether the finding names it; else it is only the nearest edit in the graph of calls.
    named: bool,
}

impl<'a> CauseRow<'a> {
    fn all(sources: &'a SourceMap, causes: &'a [Cause]) -> Vec<Self> {
        causes.iter().map(|cause| Self::of(sources, cause)).collect()
    }

    fn of(sources: &'a SourceMap, cause: &'a Cause) -> Self {
        Self { text: &cause.text, place: PlaceRow::of(sources, cause.span), named: cause.is_named }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Counts {
    new: LevelCounts,
    worse: usize,
    fixed: usize,
    /// Found on both sides, what is worse included.
    old: usize,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct LevelCounts {
    error: usize,
    warn: usize,
    info: usize,
}

impl Counts {
    fn of(comparison: &Comparison) -> Self {
        let of =
            |level| comparison.new_findings().filter(|(finding, _): &(&Finding, _)| finding.level == level).count();
        let new = LevelCounts { error: of(Level::Error), warn: of(Level::Warn), info: of(Level::Info) };
        Self { new, worse: comparison.worse.len(), fixed: comparison.fixed.len(), old: comparison.old }
    }
}
