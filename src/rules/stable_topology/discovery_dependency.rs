//! Requests that ask anew each time where their callee is, and fail if nobody tells.

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::{Answer, CallId, NodeId};
use crate::rules::needed::{Requests, more_calls};
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let requests = Requests::all(facts);
    let discovery = facts.topology().node_ids().filter(|node| facts.has_role(*node, "discovery"));
    discovery.filter_map(|node| finding(facts, node, &requests)).collect()
}

fn finding(facts: &Facts<'_>, node: NodeId, requests: &Requests) -> Option<Diagnostic> {
    let topology = facts.topology();
    // What serves discovery itself is all about it.
    let outside = |call: &CallId| !facts.has_role(facts.topology().caller_node(*call), "discovery");
    let mut calls: Vec<CallId> = requests.calls_to(facts, node).into_iter().filter(outside).collect();
    let states_none = |call: &CallId| matches!(facts.cascade().call(*call, &[Key::Fallback]), Answer::None(_));
    calls.sort_by_key(|call| !states_none(call));
    let first = *calls.first()?;
    let (name, caller) = (topology.node_name(node), topology.operation_name(topology.caller(first)));
    let message = format!("each request of `{caller}` asks `{name}` where others are");
    let mut diagnostic = Diagnostic::new(topology.call(first).span, message).subject(topology.call_name(first));
    diagnostic.certainty = if states_none(&first) { Certainty::Proved } else { Certainty::Possible };
    diagnostic.cause = Some(format!("discovery {name}"));
    diagnostic.group = Some("requests ask where others are, and no last good answer is stated".into());
    diagnostic.consequence =
        Some(format!("when `{name}` is down, what is up and has not moved is not found{}", more_calls(&calls)));
    diagnostic.help = vec![
        "go on with the addresses that worked last, and say so: `fallback \"the last addresses\"`".to_owned(),
        "or ask at the start and in the background: `phase startup` on the call, or `->>` for what is pushed"
            .to_owned(),
    ];
    Some(requests.need_over(facts, first)?.shown(facts, diagnostic))
}
