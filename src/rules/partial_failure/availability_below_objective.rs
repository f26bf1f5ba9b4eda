//! A promise of availability that what it needs cannot keep.

use std::collections::BTreeMap;

use crate::analysis::{Availability, Facts};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{CallId, NodeId, OperationId};
use crate::rules::prose;
use crate::source::Span;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let promising = facts.topology().operation_ids();
    promising.filter_map(|id| finding(facts, id, facts.promised_availability(id)?)).collect()
}

/// Sums of shares end in noise.
const NOISE: f64 = 1e-9;

/// How sure it is that a promise cannot be kept, the most that can be reached, and on what that rests.
fn breach(row: &Availability, promise: f64) -> Option<(Certainty, f64, &'static str)> {
    let ways = [
        (Certainty::Proved, row.proved_at_most, ""),
        (Certainty::Possible, row.independent_at_most, ", if its parts fail independently"),
        (Certainty::Possible, row.promised_at_most, ", going by the contracts of others"),
    ];
    ways.into_iter().find(|(_, most, _)| *most < promise - NOISE)
}

fn finding(facts: &Facts<'_>, id: OperationId, promise: f64) -> Option<Diagnostic> {
    let topology = facts.topology();
    let (certainty, most, rests_on) = breach(&facts.availability(id), promise)?;
    let name = topology.operation_name(id);
    let parts = parts(facts, id);
    let setting = facts.cascade().operation(id, Key::Slo).given()?.setting.field(Key::Availability)?;
    let message = format!(
        "`{name}` promises {} %, but what it needs is up for {} % of the time at most{rests_on}",
        prose::percentage(promise),
        prose::percentage(most)
    );
    let mut diagnostic = Diagnostic::new(setting.span, message).at("promised").subject(name.clone());
    diagnostic.certainty = certainty;
    diagnostic.witness = parts.iter().take(8).map(|part| part.step(facts)).collect();
    diagnostic.path =
        parts.first().filter(|part| !part.way.is_empty()).map(|part| prose::path(facts, id, &part.way, 0));
    diagnostic.consequence = Some(format!(
        "the promise leaves {} of outage in 30 days, what it needs takes {}",
        prose::outage(promise),
        prose::outage(most)
    ));
    diagnostic.cause = Some(format!("availability {name}"));
    diagnostic.group = Some("what a promise needs is not up often enough".into());
    diagnostic.help = help(facts, &name, promise, most, parts.first());
    Some(diagnostic)
}

/// A node that it cannot do without, and how often it is up.
struct Part {
    node: NodeId,
    share: f64,
    place: Span,
    way: Vec<CallId>,
}

impl Part {
    fn step(&self, facts: &Facts<'_>) -> Step {
        let text = format!("up for {} %: {} in 30 days", prose::percentage(self.share), prose::outage(self.share));
        let down = (1.0 - self.share) * 30.0 * 86_400.0;
        let subject = facts.topology().node_name(self.node).to_owned();
        Step { subject, span: self.place, text, value: Some(Measure::Seconds(down)) }
    }
}

/// What is stated of what it needs, worst first.
fn parts(facts: &Facts<'_>, id: OperationId) -> Vec<Part> {
    let topology = facts.topology();
    let mut ways: BTreeMap<NodeId, Vec<CallId>> = facts.needed_by(id).into_iter().collect();
    ways.insert(topology.node_id_of(id), Vec::new());
    let part = |(node, way): (NodeId, Vec<CallId>)| {
        let look = |key| facts.cascade().node(node, key).given();
        let stated = look(Key::Availability).or_else(|| look(Key::Sla))?;
        Some(Part { node, share: stated.setting.share()?, place: stated.setting.span, way })
    };
    let mut parts: Vec<Part> = ways.into_iter().filter_map(part).collect();
    parts.sort_by(|one, other| {
        let name = |part: &Part| topology.node_name(part.node);
        one.share.total_cmp(&other.share).then_with(|| name(one).cmp(name(other)))
    });
    parts
}

fn help(facts: &Facts<'_>, name: &str, promise: f64, most: f64, worst: Option<&Part>) -> Vec<String> {
    let mut help = Vec::new();
    if let Some(worst) = worst {
        let part = facts.topology().node_name(worst.node);
        // If the rest stays as it is, and fails independently.
        let needed = (promise * worst.share / most.min(worst.share).max(f64::MIN_POSITIVE) * 1e6).ceil() / 1e6;
        let tenth = 1.0 - (1.0 - promise) / 10.0;
        if needed < 1.0 {
            help.push(format!(
                "`{part}` costs most: it would have to reach {} %; as a rule, what cannot be done without should be down for a tenth of what the promise leaves: `availability {}%`",
                prose::percentage(needed.max(promise)),
                prose::percentage(tenth)
            ));
        } else {
            help.push(format!(
                "`{part}` costs most, but mending it alone is not enough: what cannot be done without should be down for a tenth of what the promise leaves: `availability {}%` on each",
                prose::percentage(tenth)
            ));
        }
        if !worst.way.is_empty() {
            help.push(format!("or let what needs `{part}` do without for a while: a `fallback` on the way"));
        }
    }
    let reached = (most * 1e4).floor() / 1e4;
    help.push(format!(
        "or promise what can be kept: `availability {}%` in the `slo` of `{name}`",
        prose::percentage(reached)
    ));
    help
}
