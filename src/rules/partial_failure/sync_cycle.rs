//! Operations that wait for each other in a circle.

use std::collections::VecDeque;

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic, Step};
use crate::metadata::Options;
use crate::model::{CallId, OperationId};
use crate::rules::prose;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> =
        facts.components().iter().filter_map(|component| finding(facts, component)).collect();
    found.sort_by_key(|diagnostic| diagnostic.primary.span);
    found
}

fn finding(facts: &Facts<'_>, component: &[OperationId]) -> Option<Diagnostic> {
    let topology = facts.topology();
    // Nearly every component: seen at once.
    if let [alone] = component
        && !topology.calls_from(*alone).any(|call| topology.callee(call) == *alone)
    {
        return None;
    }
    let start = component.iter().copied().min_by_key(|id| facts.rank(*id))?;
    let cycle = cycle(facts, component, start)?;
    let names: Vec<String> = cycle.iter().map(|call| topology.operation_name(topology.caller(*call))).collect();
    let circle = format!("{} -> {}", names.join(" -> "), names.first()?);
    let shown = shorten(&names);
    let first = *cycle.first()?;
    let mut diagnostic =
        Diagnostic::new(topology.call(first).span, format!("these operations wait for each other: {shown}"));
    diagnostic.witness = cycle.iter().map(|call| step(facts, *call)).collect();
    // A box that declares no operations may have several: the circle may be one of boxes only.
    let boxes = component.iter().filter(|id| topology.operation(**id).name.is_none()).count();
    let mut members = component.to_vec();
    members.sort_by_key(|id| facts.rank(*id));
    diagnostic.subjects = members.iter().map(|id| topology.operation_name(*id)).collect();
    diagnostic.cause = Some(circle);
    diagnostic.consequence =
        Some("a slow answer anywhere makes all of them wait, and their workers with them".to_owned());
    if component.len() > cycle.len() {
        let more = prose::count((component.len() - cycle.len()) as u64, "operation");
        diagnostic.consequence =
            Some(format!("{more} more hang on this circle; a slow answer anywhere makes all of them wait"));
    }
    if boxes > 0 {
        diagnostic.certainty = Certainty::Possible;
        diagnostic = diagnostic.help("if these are different operations, declare them: `operation NAME { … }`; only operations can wait for each other");
    }
    Some(
        diagnostic
            .help("let one of these calls not be waited for: `->>`, or move what both need into a third operation"),
    )
}

/// A shortest circle through an operation, within its group.
fn cycle(facts: &Facts<'_>, component: &[OperationId], start: OperationId) -> Option<Vec<CallId>> {
    let topology = facts.topology();
    let mut reached: std::collections::HashMap<OperationId, CallId> = std::collections::HashMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        let mut calls: Vec<CallId> = topology.calls_from(at).filter(|call| facts.is_awaited(*call)).collect();
        calls.sort_by_key(|call| facts.call_rank(*call));
        for call in calls {
            let to = topology.callee(call);
            if to == start {
                return Some(back(facts, &reached, start, call));
            }
            if component.binary_search(&to).is_ok() && !reached.contains_key(&to) {
                reached.insert(to, call);
                queue.push_back(to);
            }
        }
    }
    None
}

fn back(
    facts: &Facts<'_>,
    reached: &std::collections::HashMap<OperationId, CallId>,
    start: OperationId,
    last: CallId,
) -> Vec<CallId> {
    let mut calls = vec![last];
    let mut at = facts.topology().caller(last);
    while at != start {
        let Some(call) = reached.get(&at) else { break };
        calls.push(*call);
        at = facts.topology().caller(*call);
    }
    calls.reverse();
    calls
}

fn step(facts: &Facts<'_>, call: CallId) -> Step {
    let topology = facts.topology();
    let to = topology.operation_name(topology.callee(call));
    Step {
        subject: topology.call_name(call),
        span: topology.call(call).span,
        text: format!("waits for `{to}`"),
        value: None,
    }
}

/// The names of a circle; of a long one, its start and its end.
fn shorten(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let first = quoted.first().cloned().unwrap_or_default();
    match quoted.as_slice() {
        [one] => format!("{one} calls itself"),
        [start @ .., last] if quoted.len() > 6 => {
            format!("{}, … ({} more), {last}, {first}", start.get(..3).unwrap_or(start).join(", "), quoted.len() - 4)
        }
        _ => format!("{}, {first}", quoted.join(", ")),
    }
}
