//! A promise of availability that what it needs cannot keep.

use crate::analysis::{Availability, Dependencies, Dependency, Facts};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::OperationId;
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let promising = facts.topology().operation_ids();
    let breached = promising.filter_map(|id| {
        let promise = facts.promised_availability(id)?;
        Some((id, promise, breach(&facts.availability(id), promise)?))
    });
    let breached: Vec<(OperationId, f64, Breach)> = breached.collect();
    if breached.is_empty() {
        return Vec::new();
    }
    let dependencies = facts.dependencies(8, prose::NAMED);
    breached
        .into_iter()
        .filter_map(|(id, promise, breach)| finding(facts, &dependencies, id, promise, breach))
        .collect()
}

/// How sure it is that a promise cannot be kept, the most that can be reached, and on what that rests.
type Breach = (Certainty, f64, &'static str);

/// Sums of shares end in noise.
const NOISE: f64 = 1e-9;

fn breach(row: &Availability, promise: f64) -> Option<Breach> {
    let ways = [
        (Certainty::Proved, row.proved_at_most, ""),
        (Certainty::Possible, row.independent_at_most, ", if its parts fail independently"),
        (Certainty::Possible, row.promised_at_most, ", going by the contracts of others"),
    ];
    ways.into_iter().find(|(_, most, _)| *most < promise - NOISE)
}

fn finding(
    facts: &Facts<'_>,
    dependencies: &Dependencies<'_>,
    id: OperationId,
    promise: f64,
    (certainty, most, rests_on): Breach,
) -> Option<Diagnostic> {
    let name = facts.topology().operation_name(id);
    let (parts, way) = (dependencies.of(id), dependencies.way(facts, id));
    let worst = parts.first().map(|worst| (worst, !way.calls.is_empty()));
    let setting = facts.cascade().operation(id, Key::Slo).given()?.setting.field(Key::Availability)?;
    let message = format!(
        "`{name}` promises {} %, but what it needs is up for {} % of the time at most{rests_on}",
        prose::percentage(promise),
        prose::percentage(most)
    );
    let mut diagnostic = Diagnostic::new(setting.span, message).at("promised").subject(name.clone());
    diagnostic.certainty = certainty;
    diagnostic.witness = parts.iter().map(|part| step(facts, part)).collect();
    diagnostic.path = worst.filter(|(_, is_below)| *is_below).map(|_| prose::path(facts, id, &way.calls, way.left_out));
    diagnostic.consequence = Some(format!(
        "the promise leaves {} of outage in 30 days, what it needs takes {}",
        prose::outage(promise),
        prose::outage(most)
    ));
    diagnostic.cause = Some(format!("availability {name}"));
    diagnostic.group = Some("what a promise needs is not up often enough".into());
    diagnostic.help = help(facts, &name, promise, most, worst);
    Some(diagnostic)
}

fn step(facts: &Facts<'_>, part: &Dependency<'_>) -> Step {
    let text = format!("up for {} %: {} in 30 days", prose::percentage(part.share), prose::outage(part.share));
    let down = (1.0 - part.share) * 30.0 * 86_400.0;
    let subject = facts.topology().node_name(part.node).to_owned();
    Step { subject, span: part.stated.span, text, value: Some(Measure::Seconds(down)) }
}

/// What helps, by what is worst and whether it lies below.
fn help(facts: &Facts<'_>, name: &str, promise: f64, most: f64, worst: Option<(&Dependency<'_>, bool)>) -> Vec<String> {
    let mut help = Vec::new();
    if let Some((worst, is_below)) = worst {
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
        if is_below {
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
