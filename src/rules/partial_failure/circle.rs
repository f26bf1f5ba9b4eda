//! How rules speak of what needs itself in a phase.

use crate::analysis::{Circle, Facts};
use crate::diagnostic::{Diagnostic, Step};
use crate::model::{CallId, Phase};
use crate::rules::prose;

/// "`shop`, `config`, `shop`": the way around.
pub(in crate::rules) fn around(facts: &Facts<'_>, circle: &Circle) -> String {
    let names = names(facts, circle);
    let first = names.first().cloned().unwrap_or_default();
    format!("{}, `{first}`", shown(names))
}

/// "`shop`, `config`": who is in it, each once.
pub(in crate::rules) fn members(facts: &Facts<'_>, circle: &Circle) -> String {
    shown(names(facts, circle))
}

/// The nodes in the order of the circle, without the way back to the first.
fn names(facts: &Facts<'_>, circle: &Circle) -> Vec<String> {
    let from = |call: &CallId| node(facts, facts.observation(*call).0);
    let mut names: Vec<String> = circle.calls.iter().map(from).collect();
    names.dedup();
    if names.len() > 1 && names.first() == names.last() {
        names.pop();
    }
    names
}

fn shown(mut names: Vec<String>) -> String {
    let shown: Vec<String> = match names.len() {
        0..=6 => names,
        many => {
            let more = format!("… ({} more)", many - 4);
            let end = names.split_off(many - 1);
            names.truncate(3);
            names.into_iter().chain([more]).chain(end).collect()
        }
    };
    let quoted: Vec<String> =
        shown.into_iter().map(|name| if name.starts_with('…') { name } else { format!("`{name}`") }).collect();
    quoted.join(", ")
}

/// A finding about a circle: each call with the phase in which it is needed.
pub(in crate::rules) fn finding(facts: &Facts<'_>, circle: &Circle, message: String) -> Option<Diagnostic> {
    let topology = facts.topology();
    let first = *circle.calls.first()?;
    let mut diagnostic = Diagnostic::new(topology.call(first).span, message);
    diagnostic.witness = circle.calls.iter().take(12).map(|call| step(facts, *call)).collect();
    let mut members: Vec<String> = circle.nodes.iter().map(|node| topology.node_name(*node).to_owned()).collect();
    members.sort_unstable();
    diagnostic.cause = Some(format!("circle {}", members.join(" ")));
    diagnostic.subjects = members;
    Some(diagnostic)
}

fn step(facts: &Facts<'_>, call: CallId) -> Step {
    let topology = facts.topology();
    let row = topology.call(call);
    let to = topology.operation_name(facts.observation(call).1);
    let text = match row.phase {
        Phase::Request => format!("to work, it needs `{to}`"),
        Phase::Startup => format!("to start, it needs `{to}`"),
        Phase::Recovery => format!("to recover, it needs `{to}`"),
        Phase::Deploy => format!("to be changed, it needs `{to}`"),
        Phase::Observe => format!("to be observed, it needs `{to}`"),
    };
    Step { subject: topology.call_name(call), span: row.span, text, value: None }
}

fn node(facts: &Facts<'_>, operation: crate::model::OperationId) -> String {
    facts.topology().node_name(facts.topology().node_id_of(operation)).to_owned()
}

/// The calls of a circle that are needed in a phase, in words.
pub(in crate::rules) fn in_phase(facts: &Facts<'_>, circle: &Circle) -> Vec<String> {
    let is_phase = |call: &&CallId| facts.topology().call(**call).phase != Phase::Request;
    circle.calls.iter().filter(is_phase).map(|call| format!("`{}`", prose::call(facts, *call))).collect()
}
