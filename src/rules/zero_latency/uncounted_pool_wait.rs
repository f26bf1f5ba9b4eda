//! A wait for a free connection that nobody has counted: the call would fit without it.

use super::overtime::{cause, guilty, overtime, report, waiting};
use crate::analysis::{Extent, Facts, Without};
use crate::diagnostic::{Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{CallId, Duration, OperationId};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.topology().operation_ids().filter_map(|id| finding(facts, id)).collect()
}

fn finding(facts: &Facts<'_>, id: OperationId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let waits = |call: CallId| matches!(facts.plan(call).pool_wait, Extent::Finite(wait) if wait > Duration::ZERO);
    let calls = guilty(facts, id, waits);
    let first = *calls.first()?;
    // Of two reasons the fallback is the first.
    if overtime(facts, id, Without::Fallbacks).is_some() {
        return None;
    }
    let found = overtime(facts, id, Without::PoolWaits)?;
    let stated = facts.cascade().call(first, &[Key::PoolWait]).given()?;
    let message = format!(
        "the wait for a connection of `{}` is not counted: with it `{}` can take {}, and {}",
        prose::call(facts, first),
        topology.operation_name(id),
        found.work,
        waiting(facts, &found)
    );
    let span = prose::place(stated).unwrap_or(topology.call(first).span);
    let mut diagnostic =
        report(facts, id, &found, span, message, calls.iter().map(|call| step(facts, *call)).collect());
    diagnostic.cause = Some(cause(facts, id, Without::PoolWaits));
    diagnostic.consequence = Some(format!(
        "without these waits it takes {}; when the pool is empty, {} more",
        found.rest,
        found.work.minus(found.rest)
    ));
    diagnostic.help = vec![
        "fail fast when no connection is free: `pool-wait` of a few milliseconds".to_owned(),
        "or `deadline …` on the call: it bounds the wait for a connection, too".to_owned(),
        format!("or let the callers wait for {}", found.work.rounded_up()),
    ];
    Some(diagnostic)
}

fn step(facts: &Facts<'_>, id: CallId) -> Step {
    let topology = facts.topology();
    let plan = facts.plan(id);
    let wait = plan.pool_wait.finite().unwrap_or_default();
    let text = match plan.attempt() {
        Some(attempt) => format!("waits up to {wait} for a connection, then up to {attempt} for the answer"),
        None => format!("waits up to {wait} for a connection"),
    };
    Step {
        subject: topology.call_name(id),
        span: topology.call(id).span,
        text,
        value: Some(Measure::Seconds(wait.seconds())),
    }
}
