//! A lookup of what may be done, or how, and nothing says what happens when it fails.

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::{Answer, CallId, NodeId};
use crate::rules::needed::{Requests, more_calls};
use crate::vocabulary::Key;

/// What is looked up here: who may do what, and how things are set.
const ROLES: [&str; 2] = ["identity", "config"];

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let (all, promised) = (Requests::all(facts), Requests::promised(facts));
    let asked = facts.topology().node_ids().filter(|node| ROLES.iter().any(|role| facts.has_role(*node, role)));
    asked.filter_map(|node| finding(facts, node, &all, &promised)).collect()
}

fn finding(facts: &Facts<'_>, node: NodeId, all: &Requests, promised: &Requests) -> Option<Diagnostic> {
    let topology = facts.topology();
    // Where an availability is promised, `online-authz` speaks of asking who may do what.
    let elsewhere = |call: &CallId| facts.has_role(node, "identity") && promised.need_call(facts, *call);
    let counts = |call: &CallId| is_silent(facts, *call) && !elsewhere(call);
    let calls: Vec<CallId> = all.calls_to(facts, node).into_iter().filter(counts).collect();
    let first = *calls.first()?;
    let (name, caller) = (topology.node_name(node), topology.operation_name(topology.caller(first)));
    let message = format!("nothing says what `{caller}` does when `{name}` does not answer");
    let mut diagnostic = Diagnostic::new(topology.call(first).span, message).subject(topology.call_name(first));
    diagnostic.certainty = Certainty::Possible;
    diagnostic.cause = Some(format!("lookup {name}"));
    diagnostic.group = Some("nothing says what happens when a lookup fails".into());
    diagnostic.consequence = Some(format!(
        "as drawn it stops with it; whether it does, or lets everything pass, shows in the next outage{}",
        more_calls(&calls)
    ));
    diagnostic.help = vec![
        format!("decide, and say so: `on-failure closed` on `{caller}` where money or access is at stake"),
        format!("or `on-failure open` on `{caller}`, where going on without an answer does less harm than stopping"),
        "or go on with the last good answer: `fallback \"what was known last, for at most 1 h\"`".to_owned(),
    ];
    Some(all.need_over(facts, first)?.shown(facts, diagnostic))
}

/// Neither its caller states what it does without an answer, nor the call, and the caller is none that is asked itself.
fn is_silent(facts: &Facts<'_>, call: CallId) -> bool {
    let unstated = |answer: Answer<'_>| matches!(answer, Answer::Unstated);
    let asked_itself = ROLES.iter().any(|role| facts.has_role(facts.topology().caller_node(call), role));
    unstated(facts.cascade().operation(facts.topology().caller(call), Key::OnFailure))
        && unstated(facts.cascade().call(call, &[Key::Fallback]))
        && !asked_itself
}
