//! A fallback that starts when there is no time left for its answer.

use super::overtime::{Overtime, cause, guilty, overtime, report, waiting};
use crate::analysis::{Extent, Facts, Without};
use crate::diagnostic::{Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{CallId, Fallback, OperationId};
use crate::rules::prose;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.topology().operation_ids().filter_map(|id| finding(facts, id)).collect()
}

fn finding(facts: &Facts<'_>, id: OperationId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let calls = guilty(facts, id, |call| matches!(topology.call(call).fallback, Some(Fallback::Calls(_))));
    let first = *calls.first()?;
    let found = overtime(facts, id, Without::Fallbacks)?;
    let message = format!(
        "the fallback of `{}` comes too late: with it `{}` can take {}, and {}",
        prose::call(facts, first),
        topology.operation_name(id),
        found.work,
        waiting(facts, &found)
    );
    let steps = calls.iter().flat_map(|call| steps(facts, *call)).collect();
    let mut diagnostic = report(facts, id, &found, topology.call(first).span, message, steps);
    diagnostic.cause = Some(cause(facts, id, Without::Fallbacks));
    diagnostic.consequence = Some("when an answer is lost, what should replace it answers nobody".to_owned());
    diagnostic.help = help(facts, first, &found);
    Some(diagnostic)
}

/// The call, then what answers in its place.
fn steps(facts: &Facts<'_>, id: CallId) -> Vec<Step> {
    let topology = facts.topology();
    let mut calls = vec![id];
    if let Some(Fallback::Calls(steps)) = &topology.call(id).fallback {
        crate::model::Step::each(steps, &mut |call| calls.push(call));
    }
    let step = |call: CallId| {
        let time = facts.times().call(facts, call).at_least;
        let may = prose::arithmetic(facts.plan(call), time);
        let text = if call == id { format!("may take {may}") } else { format!("starts only then, and may take {may}") };
        let value = time.finite().map(|time| Measure::Seconds(time.seconds()));
        Step { subject: topology.call_name(call), span: topology.call(call).span, text, value }
    };
    calls.into_iter().map(step).collect()
}

fn help(facts: &Facts<'_>, first: CallId, found: &Overtime) -> Vec<String> {
    let over = found.work.minus(found.limit);
    let name = prose::call(facts, first);
    let shorter = match facts.times().call(facts, first).at_least {
        Extent::Finite(now) if now > over => {
            format!("give `{name}` {over} less, so that the fallback still has its time")
        }
        _ => format!("give `{name}` and its fallback {over} less together"),
    };
    vec![
        shorter,
        "or fall back on something that is at hand: `fallback \"the last known answer\"` takes no time".to_owned(),
        format!("or let the callers wait for {}", found.work.rounded_up()),
    ]
}
