//! What is written in a picture.

use std::cmp::Reverse;

use super::choice::View;
use crate::analysis::{Attempts, Extent, Facts, Limit};
use crate::lint::Outcome;
use crate::metadata::Level;
use crate::model::{CallId, Duration, NodeId, OperationId, Scope, Setting};
use crate::source::{SourceMap, Span};
use crate::syntax::{Arrow, unescape};
use crate::vocabulary::{ElementKind, Key};

/// So many operations of an entry have a line.
const MOST_LINES: usize = 3;

/// "1 node", "3 nodes".
pub(super) fn counted(count: usize, what: &str) -> String {
    let plural = if what.ends_with('x') { "es" } else { "s" };
    format!("{count} {what}{}", if count == 1 { "" } else { plural })
}

/// A text without its quotes.
fn text(sources: &SourceMap, span: Span) -> String {
    unescape(sources.text(span)).into_owned()
}

/// What an attribute says, without its name.
pub(super) fn value(sources: &SourceMap, setting: &Setting) -> String {
    let written = sources.text(setting.span);
    let value = written.split_once(char::is_whitespace).map_or(written, |(_, value)| value);
    value.trim().trim_matches('"').to_owned()
}

/// The title of a group.
pub(super) fn scope(facts: &Facts<'_>, sources: &SourceMap, scope: &Scope) -> String {
    let name = scope.name.map_or("", |name| facts.topology().text(name));
    scope.label.map_or_else(|| name.to_owned(), |label| text(sources, label))
}

/// What stands under the name of a node: its label, and what its entries may take.
pub(super) fn node(facts: &Facts<'_>, sources: &SourceMap, view: &View, id: NodeId) -> Vec<String> {
    let node = facts.topology().node(id);
    let label = node.label.map(|label| text(sources, label));
    let numbers = node.operations.iter().filter(|_| view.annotate.numbers() && node.kind != ElementKind::Client);
    let is_asked = |id: &OperationId| view.flow.is_none_or(|flow| flow == *id);
    let mut entries: Vec<(usize, OperationId)> =
        numbers.copied().filter(|id| facts.entries().contains(*id) && is_asked(id)).enumerate().collect();
    let more = entries.len().saturating_sub(MOST_LINES);
    // Those that may take longest are told, in written order.
    entries.sort_by_key(|(_, id)| Reverse(facts.times().operation(*id).at_least));
    entries.truncate(MOST_LINES);
    entries.sort_unstable();
    let mut lines: Vec<String> = label.into_iter().collect();
    lines.extend(entries.into_iter().map(|(_, id)| entry(facts, id)));
    lines.extend((more > 0).then(|| format!("and {more} more")));
    lines
}

/// `checkout: worst case 2.5 s, p99 at most 800 ms`.
fn entry(facts: &Facts<'_>, id: OperationId) -> String {
    let time = facts.times().operation(id);
    let most = time.at_most.filter(|most| *most != Extent::Unbounded || time.at_least == Extent::Unbounded);
    let worst = match most {
        Some(Extent::Finite(time)) if time.nanoseconds() > 0 => format!("≤ {time}"),
        Some(Extent::Unbounded) => "∞".to_owned(),
        _ => "?".to_owned(),
    };
    let name = facts.topology().operation(id).name.map_or("worst case", |name| facts.topology().text(name));
    // What nothing exceeds, a quantile does not either.
    let is_news =
        |time: &Duration| !matches!(most, Some(Extent::Finite(most)) if most.nanoseconds() > 0 && most <= *time);
    let p99 = facts.proved_latency(id, 0.99).filter(is_news);
    let p99 = p99.map(|time| format!(" · p99 ≤ {time}")).unwrap_or_default();
    format!("{name} {worst}{p99}")
}

/// `reserve 2 × 200 ms`.
pub(super) fn call(facts: &Facts<'_>, view: &View, id: CallId) -> String {
    let topology = facts.topology();
    let call = topology.call(id);
    let name = topology.operation(call.to).name.map_or("", |name| topology.text(name));
    if !view.annotate.numbers() || call.arrow == Arrow::Async {
        return name.to_owned();
    }
    let plan = facts.plan(id);
    let attempts = match plan.attempts {
        _ if plan.attempts_stated.is_none() => "?".to_owned(),
        Attempts::AtMost(attempts) => attempts.to_string(),
        Attempts::Unlimited => "∞".to_owned(),
    };
    let timeout = match plan.timeout {
        Limit::At(timeout, _) => timeout.to_string(),
        Limit::None(_) => "∞".to_owned(),
        Limit::Unstated | Limit::Unreadable => "?".to_owned(),
    };
    let deadline = plan.deadline.duration().map(|deadline| format!(" ≤ {deadline}")).unwrap_or_default();
    let observed = facts.cascade().call(id, &[Key::Observed]).given();
    let quantiles = observed.into_iter().flat_map(|observed| observed.setting.quantiles());
    let p99 = quantiles.filter(|(quantile, _)| (*quantile - 0.99).abs() < 1e-9).map(|(_, time)| time).max();
    let p99 = p99.map(|time| format!(" · p99 {time}")).unwrap_or_default();
    format!("{name} {attempts} × {timeout}{deadline}{p99}").trim().to_owned()
}

/// The longest worst case of an entry.
pub(super) fn worst(facts: &Facts<'_>, path: &[CallId]) -> Option<String> {
    let topology = facts.topology();
    let start = topology.caller(*path.first()?);
    let hops = path.iter().map(|call| format!(" → {}", topology.operation_name(topology.callee(*call))));
    let time = match facts.times().operation(start).at_least {
        Extent::Unbounded => "without end".to_owned(),
        Extent::Finite(time) if time.nanoseconds() == 0 => "nothing is stated of it".to_owned(),
        Extent::Finite(time) => time.to_string(),
    };
    Some(format!("Longest: {time}, over {}{}", topology.operation_name(start), hops.collect::<String>()))
}

/// "17 nodes, 25 calls: 5 errors, 3 warnings".
pub(super) fn summary(facts: &Facts<'_>, outcome: &Outcome, view: &View) -> String {
    let topology = facts.topology();
    let calls = topology.calls.iter().filter(|call| !call.implied).count();
    let size = format!("{}, {}", counted(topology.nodes.len(), "node"), counted(calls, "call"));
    if !view.annotate.findings() {
        return size;
    }
    let levels = [(Level::Error, "error"), (Level::Warn, "warning"), (Level::Info, "note")];
    let counts = levels.map(|(level, word)| (outcome.count(level), word));
    let said: Vec<String> =
        counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| counted(count, word)).collect();
    if said.is_empty() { format!("{size}: nothing found") } else { format!("{size}: {}", said.join(", ")) }
}
