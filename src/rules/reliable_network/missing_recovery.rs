//! Calls that an objective rests on, that may safely be made again, and that nobody makes again.

use crate::analysis::{Effect, EffectSite, Facts, Repetition};
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::{CallId, OperationId};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

use super::statement::is_written;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let topology = facts.topology();
    let promising = topology.operation_ids().filter(|id| facts.cascade().operation(*id, Key::Slo).given().is_some());
    let mut promising: Vec<OperationId> = promising.collect();
    if promising.is_empty() {
        return Vec::new();
    }
    promising.sort_by_key(|id| facts.rank(*id));
    let ways = facts.ways_over(promising.iter().copied(), |call| facts.is_hard(call));
    let layers = Layers::of(facts);
    let mut by_entry: Vec<(OperationId, Vec<CallId>)> = Vec::new();
    for call in facts.calls_by_name().filter(|call| is_unrecovered(facts, &layers, *call)) {
        let Some(entry) = ways.start(topology.caller(call)) else { continue };
        match by_entry.iter_mut().find(|(known, _)| *known == entry) {
            Some((_, calls)) => calls.push(call),
            None => by_entry.push((entry, vec![call])),
        }
    }
    by_entry.into_iter().filter_map(|(entry, calls)| report(facts, entry, &calls)).collect()
}

/// Where a failure is tried again or absorbed: above an operation on every way, or somewhere below it.
struct Layers {
    above: Vec<bool>,
    below: Vec<bool>,
}

impl Layers {
    fn of(facts: &Facts<'_>) -> Self {
        let topology = facts.topology();
        let count = topology.operations.len();
        let (mut above, mut below) = (vec![false; count], vec![false; count]);
        let at = |column: &[bool], id: OperationId| column.get(id.index()).copied().unwrap_or(false);
        for id in facts.components().iter().flatten() {
            let calls = topology.calls_from(*id).filter(|call| facts.is_hard(*call));
            let retried = calls.into_iter().any(|call| recovers(facts, call) || at(&below, topology.callee(call)));
            below.get_mut(id.index()).into_iter().for_each(|slot| *slot = retried);
        }
        for id in facts.components().iter().rev().flatten() {
            let mut calls = topology.calls_to(*id).filter(|call| facts.is_awaited(*call)).peekable();
            let retried =
                calls.peek().is_some() && calls.all(|call| recovers(facts, call) || at(&above, topology.caller(call)));
            above.get_mut(id.index()).into_iter().for_each(|slot| *slot = retried);
        }
        Self { above, below }
    }
}

/// Whether somebody tries a call again, or something answers in its place.
fn recovers(facts: &Facts<'_>, id: CallId) -> bool {
    let plan = facts.plan(id);
    plan.attempts.repeat() || plan.hedge.is_some() || plan.soft || !plan.proxies.is_empty()
}

fn is_unrecovered(facts: &Facts<'_>, layers: &Layers, id: CallId) -> bool {
    let topology = facts.topology();
    let call = topology.call(id);
    let plan = facts.plan(id);
    let at = |column: &[bool], id: OperationId| column.get(id.index()).copied().unwrap_or(true);
    let covered = recovers(facts, id) || at(&layers.above, call.from) || at(&layers.below, call.to);
    let data = matches!(topology.kind_of(call.to), ElementKind::Store | ElementKind::Cache | ElementKind::Queue);
    let written = !data || matches!(facts.effect(EffectSite::Write(id)), Effect::Absent | Effect::Idempotent);
    facts.is_hard(id)
        && !covered
        && !facts.is_local(id)
        && !call.implied
        && !is_written(plan.attempts_stated)
        && written
        && facts.repetition(call.to) == Repetition::Safe
}

fn report(facts: &Facts<'_>, entry: OperationId, calls: &[CallId]) -> Option<Diagnostic> {
    let topology = facts.topology();
    let first = calls.first()?;
    let name = topology.operation_name(entry);
    let slo = facts.cascade().operation(entry, Key::Slo).given()?;
    let message = match calls.len() {
        1 => format!("one failure of `{}` fails `{name}`, though it could be tried again", prose::call(facts, *first)),
        count => format!("one failure of any of {count} calls fails `{name}`, though they could be tried again"),
    };
    let mut diagnostic = Diagnostic::new(prose::place(slo).unwrap_or(topology.operation(entry).span), message);
    diagnostic = diagnostic.at("rests on each of them").subject(name.clone());
    for call in calls.iter().take(3) {
        diagnostic = diagnostic.label(topology.call(*call).span, "changes nothing more when it is made again");
    }
    diagnostic.certainty = Certainty::Heuristic;
    diagnostic.cause = Some(name);
    Some(
        diagnostic
            .help(format!(
                "try once more where it failed: `retries 1` with `backoff exponential 10ms..100ms jitter full` and `retry-budget 10%` on `{}`",
                prose::call(facts, *first)
            ))
            .help("or answer without it: `fallback \"what then\"`; or say that one try is meant: `attempts 1`".to_owned()),
    )
}
