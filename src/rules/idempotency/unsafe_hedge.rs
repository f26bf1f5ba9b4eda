//! Copies of one request that are at work at once, above something that is not safe from that.

use std::collections::BTreeMap;

use super::repeats;
use crate::analysis::{Attempts, Effect, Exposed, Facts, RepeaterKind};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step, spaced};
use crate::metadata::Options;
use crate::model::{CallId, OperationId};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let mut by_hedge: BTreeMap<CallId, Vec<&Exposed>> = BTreeMap::new();
    for exposed in facts.exposed().iter().filter(|exposed| !repeats::is_spoiled(exposed)) {
        if matches!(exposed.repeater.kind, RepeaterKind::Hedge(_)) {
            by_hedge.entry(exposed.repeater.call).or_default().push(exposed);
        }
    }
    let effects = by_hedge.into_iter().filter_map(|(call, group)| repeated(facts, call, group));
    let races = facts.raced_barriers().into_iter().filter_map(|found| raced(facts, found));
    let loads = facts.topology().call_ids().filter_map(|call| unthrottled(facts, call));
    effects.chain(races).chain(loads).collect()
}

/// A finding at the statement of a hedge.
fn about(facts: &Facts<'_>, call: CallId, message: String) -> Option<Diagnostic> {
    let (.., stated) = facts.plan(call).hedge?;
    let mut diagnostic = prose::about_call(facts, call, stated, message).subject(facts.topology().call_name(call));
    diagnostic.cause = Some(prose::cause_of(facts, call, Some(stated)));
    Some(diagnostic)
}

fn copies(facts: &Facts<'_>, call: CallId) -> u64 {
    facts.plan(call).hedge.map_or(1, |(copies, ..)| copies)
}

fn repeated(facts: &Facts<'_>, call: CallId, mut group: Vec<&Exposed>) -> Option<Diagnostic> {
    let topology = facts.topology();
    group.sort_by_key(|exposed| std::cmp::Reverse(exposed.certainty));
    let (first, others) = group.split_first()?;
    let from = topology.operation_name(topology.caller(call));
    let to = topology.operation_name(topology.callee(call));
    let effect = spaced(&repeats::site(facts, first.site).1);
    let verb = if first.effect == Effect::Repeats { "changes" } else { "may change" };
    let message = format!(
        "`{from}` sends up to {} copies of one request to `{to}`, and `{effect}` {verb} something with each",
        copies(facts, call)
    );
    let mut diagnostic = about(facts, call, message)?;
    repeats::show(facts, &mut diagnostic, first, others);
    Some(
        diagnostic
            .help(format!("hedge only what changes nothing: `hedge none` on `{}`", prose::call(facts, call)))
            .help(format!(
                "or let the copies race for one key: `idempotent by-key {{ window 24h; atomic }}` on `{to}`, and \
                 `key per-request` on the call"
            )),
    )
}

fn raced(facts: &Facts<'_>, (call, barrier, certainty): (CallId, OperationId, Certainty)) -> Option<Diagnostic> {
    let name = facts.topology().operation_name(barrier);
    let from = facts.topology().operation_name(facts.topology().caller(call));
    let how =
        if certainty == Certainty::Proved { "apart from its work" } else { "and its work together, is not stated" };
    let message = if certainty == Certainty::Proved {
        format!("`{from}` sends copies that race to `{name}`, which records a key {how}: both can find none")
    } else {
        format!("`{from}` sends copies that race to `{name}`; whether that claims a key {how}")
    };
    let mut diagnostic = about(facts, call, message)?;
    diagnostic.certainty = certainty;
    let field = facts.dedup(barrier).and_then(|dedup| dedup.field(Key::Atomic));
    let span = field.map_or(facts.topology().operation(barrier).span, |field| field.span);
    diagnostic.witness.push(Step {
        subject: facts.topology().call_name(call),
        span: diagnostic.primary.span,
        text: format!("up to {} copies at once", copies(facts, call)),
        value: Some(times(copies(facts, call))),
    });
    diagnostic.witness.push(Step {
        subject: name.clone(),
        span,
        text: "a second copy may look the key up before the first has recorded it".to_owned(),
        value: None,
    });
    Some(diagnostic.help(format!("claim the key and do the work in one transaction: `atomic` on `{name}`")))
}

/// Copies for a callee that cannot take them: when all of it is slow, each request is sent so many times.
fn unthrottled(facts: &Facts<'_>, call: CallId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let (plan, to) = (facts.plan(call), topology.callee(call));
    let (copies, ..) = plan.hedge.filter(|_| facts.is_made(call) && plan.times == Attempts::AtMost(1))?;
    let stated = |key| facts.cascade().operation(to, key).may_be_given();
    let throttled = stated(Key::Shedding)
        || stated(Key::RateLimit)
        || facts.cascade().call(call, &[Key::RetryBudget]).may_be_given();
    let alone = topology.calls_to(to).filter(|call| facts.is_made(*call)).nth(1).is_none();
    if throttled || !alone {
        return None;
    }
    let capacity = facts.cascade().operation(to, Key::Capacity).given()?;
    let (limit, rate) = (capacity.setting.rate()?, facts.rate(to).per_second);
    #[allow(clippy::cast_precision_loss, reason = "a number of copies, as a factor")]
    let all = rate * copies as f64;
    if rate > limit || all <= limit {
        return None;
    }
    let name = topology.operation_name(to);
    let message = format!(
        "when `{name}` is slow, `{}` sends every request {copies} times: {}/s, above its capacity of {}/s",
        topology.operation_name(topology.caller(call)),
        prose::number(all),
        prose::number(limit)
    );
    let mut diagnostic = about(facts, call, message)?;
    diagnostic.witness.push(Step {
        subject: name,
        span: prose::place(capacity).unwrap_or(topology.operation(to).span),
        text: format!("{}/s arrive while all is well", prose::number(rate)),
        value: Some(times(copies)),
    });
    Some(
        diagnostic
            .help(format!("bound the copies of all requests: `retry-budget 10%` on `{}`", prose::call(facts, call))),
    )
}

#[allow(clippy::cast_precision_loss, reason = "a number of copies, for programs")]
fn times(number: u64) -> Measure {
    Measure::Times(number as f64)
}
