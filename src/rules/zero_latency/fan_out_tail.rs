//! A join of many calls whose leaves state no quantile that is high enough for what is promised of the whole.

use crate::analysis::{Attempts, Facts};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{CallId, OperationId, Step as CallStep};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, options: &Options) -> Vec<Diagnostic> {
    let least = options.count("leaves");
    facts.topology().operation_ids().filter_map(|id| finding(facts, id, least)).collect()
}

/// A leaf of a join: how often it is called at once, and the highest quantile that is stated of it.
struct Leaf {
    call: CallId,
    times: u64,
    quantile: f64,
}

#[allow(clippy::cast_precision_loss, reason = "a number of calls, as an exponent")]
fn finding(facts: &Facts<'_>, id: OperationId, least: u64) -> Option<Diagnostic> {
    let promise = facts.promise_over(id)?;
    let mut leaves = Vec::new();
    gather(facts, &facts.topology().operation(id).body, &mut leaves);
    let count: u64 = leaves.iter().fold(0, |sum, leaf| sum.saturating_add(leaf.times));
    // Enough for leaves that have nothing to do with each other; if they have, no lower one is enough either.
    let needed = promise.quantile.powf(1.0 / count.max(1) as f64);
    // Of a leaf that states less than what is promised itself, `mixed-quantiles` speaks.
    leaves.retain(|leaf| leaf.quantile < needed - 1e-9 && leaf.quantile >= promise.quantile - 1e-9);
    if count < least || leaves.is_empty() || facts.is_plausible(promise) {
        return None;
    }
    let topology = facts.topology();
    let name = topology.operation_name(id);
    let fast: f64 = leaves.iter().map(|leaf| leaf.quantile.powf(leaf.times as f64)).product();
    let lowest = leaves.iter().min_by(|one, other| one.quantile.total_cmp(&other.quantile))?;
    let message = format!(
        "`{name}` waits for all of {count} answers, so {} of its requests meet one above its {}",
        prose::percent(1.0 - fast),
        prose::quantile(lowest.quantile)
    );
    let mut diagnostic = Diagnostic::new(topology.call(lowest.call).span, message).subject(name.clone());
    diagnostic.certainty = Certainty::Possible;
    diagnostic.witness = leaves.iter().take(8).map(|leaf| step(facts, leaf)).collect();
    let promiser = topology.operation_name(promise.by);
    let promised = prose::quantile(promise.quantile);
    diagnostic.consequence = Some(format!(
        "`{promiser}` promises its {promised} in {}: that rests on the {} of each, which nobody states",
        promise.time,
        prose::quantile(needed)
    ));
    diagnostic.path = Some(prose::path(facts, id, &[], 0));
    diagnostic.cause = Some(name);
    diagnostic.help = vec![
        format!("state what the leaves keep at that height: `latency {} …`, or a `max`", prose::quantile(needed)),
        "or do with fewer answers: `parallel any N`, or a `timeout` with a `fallback` on each".to_owned(),
        "or ask a second copy of a late leaf: `hedge after …`, if asking twice does no harm".to_owned(),
    ];
    Some(diagnostic)
}

/// The calls that are made at once and that no request can do without.
fn gather(facts: &Facts<'_>, steps: &[CallStep], leaves: &mut Vec<Leaf>) {
    for step in steps {
        match step {
            CallStep::Parallel(branches) => {
                for branch in branches {
                    match branch {
                        CallStep::Call(call) => leaves.extend(leaf(facts, *call)),
                        _ => gather(facts, std::slice::from_ref(branch), leaves),
                    }
                }
            }
            CallStep::Sequence(steps) => gather(facts, steps, leaves),
            CallStep::Call(_) | CallStep::Any(..) | CallStep::OneOf(_) => {}
        }
    }
}

fn leaf(facts: &Facts<'_>, call: CallId) -> Option<Leaf> {
    let topology = facts.topology();
    let plan = facts.plan(call);
    let to = topology.callee(call);
    let single = facts.cascade().node(topology.node_id_of(to), Key::Replicas).given();
    // What one instance serves is slow for all of them or for none.
    let together = single.is_some_and(|stated| stated.setting.count() == Some(1));
    if !facts.is_always_needed(call) || plan.hedge.is_some() || facts.is_local(call) || together {
        return None;
    }
    let stated = [Key::Latency, Key::Observed].map(|key| facts.cascade().operation(to, key).given());
    let stated: Vec<_> = stated.into_iter().flatten().collect();
    if stated.iter().any(|stated| stated.setting.maximum().is_some()) {
        return None;
    }
    let quantile =
        stated.iter().flat_map(|stated| stated.setting.quantiles()).map(|(quantile, _)| quantile).reduce(f64::max)?;
    let Attempts::AtMost(times) = plan.times else { return None };
    Some(Leaf { call, times: times.max(1), quantile })
}

#[allow(clippy::cast_precision_loss, reason = "a number of calls, for programs")]
fn step(facts: &Facts<'_>, leaf: &Leaf) -> Step {
    let times = if leaf.times > 1 { format!("{} calls at once, ", leaf.times) } else { String::new() };
    let text = format!("{times}{} is the highest quantile stated", prose::quantile(leaf.quantile));
    let call = facts.topology().call(leaf.call);
    Step {
        subject: facts.topology().call_name(leaf.call),
        span: call.span,
        text,
        value: Some(Measure::Times(leaf.times as f64)),
    }
}
