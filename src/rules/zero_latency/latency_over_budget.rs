//! An operation that needs longer than it allows itself, or than it promises.

use crate::analysis::{Extent, Facts, Part};
use crate::diagnostic::{Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{Duration, OperationId, Step as CallStep};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

use super::{overtime, promised_quantile};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let ours = facts.topology().operation_ids();
    let ours = ours.filter(|id| facts.topology().kind_of(*id) != ElementKind::Client);
    ours.flat_map(|id| findings(facts, id)).collect()
}

/// What it allows itself and what it promises are two statements, each with a cure of its own.
fn findings(facts: &Facts<'_>, id: OperationId) -> impl Iterator<Item = Diagnostic> {
    let promise = over_promise(facts, id).or_else(|| promised_quantile::broken(facts, id));
    over_deadline(facts, id).into_iter().chain(promise)
}

/// Its calls, in a hang, against its own deadline.
fn over_deadline(facts: &Facts<'_>, id: OperationId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let own = facts.allotted(id).own?;
    let work = facts.times().work(id).at_least;
    let stated = facts.cascade().operation(id, Key::Deadline).given()?;
    if work <= Extent::Finite(own) || facts.is_leaf(id) {
        return None;
    }
    let name = topology.operation_name(id);
    let can = match work {
        Extent::Finite(work) => format!("its work can take {work}"),
        Extent::Unbounded => "its work can take for ever".to_owned(),
    };
    let place = prose::place(stated).unwrap_or(topology.operation(id).span);
    let mut diagnostic = Diagnostic::new(place, format!("`{name}` gives itself {own}, but {can}"));
    diagnostic = diagnostic.at(format!("it answers or gives up by then: {own}")).subject(name.clone());
    let parts: Vec<Part> =
        facts.times().parts(facts, id).into_iter().filter(|part| part.time.at_least > Extent::ZERO).collect();
    diagnostic.witness = waterfall(facts, id, &parts, own);
    diagnostic.path = Some(prose::path(facts, id, &[], 0));
    diagnostic.cause = Some(name.clone());
    if work == Extent::Unbounded {
        diagnostic.caused_by = prose::endless_causes(facts, &parts);
    }
    if let Extent::Finite(work) = work {
        diagnostic.caused_by = overtime::caused_by(facts, id);
        diagnostic.consequence =
            Some(format!("when an answer is lost, up to {} of its work happen after it has given up", work.minus(own)));
    }
    diagnostic.group = Some("operations need longer than their deadline".into());
    diagnostic.help = help(facts, id, work, &parts);
    Some(diagnostic)
}

/// Each call with the time at which it starts, in sequence.
fn waterfall(facts: &Facts<'_>, id: OperationId, parts: &[Part], own: Duration) -> Vec<Step> {
    let topology = facts.topology();
    let mut steps = Vec::new();
    let mut at = Duration::ZERO;
    let latency = facts.cascade().operation(id, Key::Latency).given();
    if let Some((stated, maximum)) = latency.and_then(|stated| Some((stated, stated.setting.maximum()?))) {
        at = maximum;
        let text = format!("its own work may take {maximum}");
        let value = Some(Measure::Seconds(maximum.seconds()));
        steps.push(Step { subject: topology.operation_name(id), span: stated.setting.span, text, value });
    }
    for part in parts {
        let plan = facts.plan(part.call);
        let may = prose::arithmetic(plan, part.time.at_least);
        let late = if at >= own { ", when nobody waits any more" } else { "" };
        let text = format!("from {at} on{late}: may take {may}");
        let stated = plan.timeout.stated().or(plan.deadline.stated()).and_then(prose::place);
        let value = part.time.at_least.finite().map(|time| Measure::Seconds(time.seconds()));
        let span = stated.unwrap_or(topology.call(part.call).span);
        steps.push(Step { subject: topology.call_name(part.call), span, text, value });
        // After what has no end nothing comes.
        let Some(time) = part.time.at_least.finite() else { break };
        at = at.plus(time);
    }
    steps
}

fn help(facts: &Facts<'_>, id: OperationId, work: Extent, parts: &[Part]) -> Vec<String> {
    let name = facts.topology().operation_name(id);
    let mut help = Vec::new();
    let mut calls = Vec::new();
    CallStep::each(&facts.topology().operation(id).body, &mut |call| calls.push(call));
    calls.retain(|call| facts.is_awaited(*call) && !facts.plan(*call).inherits);
    let sharing: Vec<String> = calls.iter().map(|call| format!("`{}`", prose::call(facts, *call))).take(4).collect();
    if !sharing.is_empty() {
        help.push(format!(
            "let its calls share what is left: `deadline inherited` on {}{}{}",
            sharing.join(", "),
            if calls.len() > 4 { " and the others" } else { "" },
            prose::and_below(facts, &calls)
        ));
    }
    if let Extent::Finite(work) = work {
        help.push(format!("or give it the time: `deadline {}` on `{name}`", work.rounded_up().written()));
    }
    if parts.len() > 1 {
        help.push("or make independent calls at once, in `parallel`, or with shorter timeouts".to_owned());
    }
    help
}

/// The round trips of its calls against the time it promises.
fn over_promise(facts: &Facts<'_>, id: OperationId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let (promised, stated) = facts.promised_latency(id)?;
    let floor = facts.floor(id);
    if floor <= promised {
        return None;
    }
    let name = topology.operation_name(id);
    let message = format!("`{name}` promises an answer in {promised}, but the way there and back alone takes {floor}");
    let mut diagnostic = Diagnostic::new(stated.span, message).at("promised here").subject(name.clone());
    let mut calls: Vec<_> = topology.calls_from(id).filter(|call| facts.is_always_needed(*call)).collect();
    calls.sort_by_key(|call| facts.call_rank(*call));
    for call in calls {
        let once = facts.round_trip(call).plus(facts.floor(topology.callee(call)));
        let trip = once.times(facts.plan(call).least_times);
        if trip > Duration::ZERO {
            let text = format!("there and back: at least {trip}");
            let value = Some(Measure::Seconds(trip.seconds()));
            diagnostic.witness.push(Step {
                subject: topology.call_name(call),
                span: topology.call(call).span,
                text,
                value,
            });
        }
    }
    diagnostic.cause = Some(promised_quantile::cause(facts, id));
    diagnostic.consequence = Some("no successful request can be faster, whatever the code does".to_owned());
    diagnostic.help = vec![
        "keep what it needs in one place, or promise more".to_owned(),
        "or make independent calls at once, in `parallel`, and one call in the place of several".to_owned(),
    ];
    Some(diagnostic)
}
