//! A deadline that arrives and goes no further: the callee's own calls run on.

use super::timeout_inversion::inversion;
use crate::analysis::{Extent, Facts, Part};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{Answer, CallId, Duration, OperationId};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let topology = facts.topology();
    let honoured = topology.operation_ids().filter_map(|id| honoured_only_here(facts, id));
    let handed = facts.calls_by_name().filter_map(|call| not_taken_up(facts, call));
    honoured.chain(handed).collect()
}

/// It honours what arrives, but its calls may take longer and do not end with it.
fn honoured_only_here(facts: &Facts<'_>, id: OperationId) -> Option<Diagnostic> {
    let allotted = facts.allotted(id);
    let bound = allotted.at_most.filter(|_| allotted.honours && !stops_or_outlives(facts, id))?;
    let work = facts.times().work(id).at_least;
    // What it allows itself and cannot keep is `latency-over-budget`.
    let own = allotted.own.is_some_and(|own| work > Extent::Finite(own));
    if work <= Extent::Finite(bound) || own {
        return None;
    }
    let topology = facts.topology();
    let parts = facts.times().parts(facts, id);
    let on_their_own: Vec<Part> = parts.into_iter().filter(|part| is_on_its_own(facts, *part)).collect();
    let first = on_their_own.first()?;
    let stated = facts.cascade().operation(id, Key::Deadline).given()?;
    let name = topology.operation_name(id);
    let can = work.finite().map_or_else(|| "without end".to_owned(), |work| format!("up to {work}"));
    let message = format!("`{name}` honours the deadline that arrives, {bound} at most, but its work goes on {can}");
    let mut diagnostic = Diagnostic::new(prose::place(stated).unwrap_or(topology.operation(id).span), message);
    diagnostic = diagnostic.subject(name.clone());
    diagnostic.witness = on_their_own.iter().map(|part| step(facts, *part)).collect();
    diagnostic.path = Some(prose::path(facts, id, &[], 0));
    diagnostic.consequence = work.finite().map(|work| format!("{} of work that nobody waits for", work.minus(bound)));
    if work == Extent::Unbounded {
        diagnostic.caused_by = prose::endless_causes(facts, &on_their_own);
    }
    diagnostic.cause = Some(name.clone());
    diagnostic.group = Some("operations honour a deadline that their calls do not".into());
    let calls: Vec<CallId> = on_their_own.iter().map(|part| part.call).collect();
    let below = prose::and_below(facts, &calls);
    let more = if on_their_own.len() > 1 { ", and on the other calls shown" } else { "" };
    Some(
        diagnostic
            .help(format!("hand it on: `deadline inherited` on `{}`{more}{below}", prose::call(facts, first.call)))
            .help(format!("or, if whatever runs is stopped when the caller has gone: `cancels` on `{name}`")),
    )
}

fn is_on_its_own(facts: &Facts<'_>, part: Part) -> bool {
    let plan = facts.plan(part.call);
    !plan.inherits && !facts.is_local(part.call) && part.time.at_least > Extent::ZERO
}

fn step(facts: &Facts<'_>, part: Part) -> Step {
    let plan = facts.plan(part.call);
    let call = facts.topology().call(part.call);
    Step {
        subject: facts.topology().call_name(part.call),
        span: plan.timeout.stated().or(plan.deadline.stated()).and_then(prose::place).unwrap_or(call.span),
        text: format!("does not end with it: may take {}", prose::arithmetic(plan, part.time.at_least)),
        value: part.time.at_least.finite().map(|time| Measure::Seconds(time.seconds())),
    }
}

/// It stops by itself when the caller has gone, or is meant not to.
fn stops_or_outlives(facts: &Facts<'_>, id: OperationId) -> bool {
    [Key::Cancels, Key::Detached].into_iter().any(|key| facts.cascade().operation(id, key).may_be_given())
}

/// The caller hands its deadline down, and the callee says nothing of it but makes calls that take time.
fn not_taken_up(facts: &Facts<'_>, id: CallId) -> Option<Diagnostic> {
    let plan = facts.plan(id);
    let topology = facts.topology();
    let call = topology.call(id);
    let unsaid = matches!(facts.cascade().operation(call.to, Key::Deadline), Answer::Unstated);
    if !plan.inherits
        || !facts.is_awaited(id)
        || facts.is_local(id)
        || facts.is_stream(id)
        || !unsaid
        || stops_or_outlives(facts, call.to)
    {
        return None;
    }
    let waits = |call: CallId| {
        facts.is_awaited(call)
            && !facts.is_local(call)
            && !facts.is_stream(call)
            && facts.times().call(facts, call).at_least > Extent::ZERO
    };
    let below = topology.calls_from(call.to).filter(|call| waits(*call)).min_by_key(|call| facts.call_rank(*call))?;
    // Where the callee is known to need longer, `timeout-inversion` says so.
    let bounded = facts.allotted(call.from).at_most.is_some();
    if !bounded || inversion(facts, id).is_some() {
        return None;
    }
    let (caller, callee) = (topology.operation_name(call.from), topology.operation_name(call.to));
    let message = format!("`{caller}` hands its deadline to `{callee}`, which does not say that it honours it");
    let stated = facts.cascade().call(id, &[Key::Deadline]).given()?;
    let mut diagnostic = Diagnostic::new(prose::place(stated).unwrap_or(call.span), message);
    if prose::place(stated).is_some_and(|place| place != stated.setting.span)
        || stated.origin != crate::model::Origin::Own
    {
        diagnostic = diagnostic.label(call.span, "for this call");
    }
    diagnostic.certainty = Certainty::Possible;
    diagnostic = diagnostic.subject(topology.call_name(id));
    diagnostic.cause = Some(callee.clone());
    diagnostic.group = Some("operations get a deadline and do not say that they honour it".into());
    diagnostic.consequence =
        Some(format!("when little is left of it, `{}` still takes its time", prose::call(facts, below)));
    let left: Option<Duration> = facts.allotted(call.from).at_most;
    let left = left.map_or_else(String::new, |left| format!(", {left} at most"));
    Some(
        diagnostic
            .help(format!("write `deadline inherited` on `{callee}` and on its calls, if it keeps to what is left{left}"))
            .help("some frameworks hand it on by themselves (gRPC in Go and Java): then it is true, and still has to be written".to_owned())
            .help(format!("or, if its work is meant to outlive the call: `detached` on `{callee}`")),
    )
}
