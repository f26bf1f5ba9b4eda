//! A request that waits until it has been measured or logged.

use crate::analysis::Facts;
use crate::diagnostic::Diagnostic;
use crate::metadata::Options;
use crate::model::{Answer, CallId, NodeId};
use crate::rules::needed::{Requests, more_calls};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let requests = Requests::all(facts);
    let telemetry = facts.topology().node_ids().filter(|node| facts.has_role(*node, "telemetry"));
    telemetry.filter_map(|node| finding(facts, node, &requests)).collect()
}

fn finding(facts: &Facts<'_>, node: NodeId, requests: &Requests) -> Option<Diagnostic> {
    let topology = facts.topology();
    let calls: Vec<CallId> =
        requests.calls_to(facts, node).into_iter().filter(|call| is_handed_over(facts, *call)).collect();
    let first = *calls.first()?;
    let (name, caller) = (topology.node_name(node), topology.operation_name(topology.caller(first)));
    let message = format!("`{caller}` waits for `{name}`, which is there for telemetry");
    let mut diagnostic = Diagnostic::new(topology.call(first).span, message).subject(topology.call_name(first));
    diagnostic.cause = Some(format!("telemetry {name}"));
    diagnostic.consequence =
        Some(format!("when `{name}` is slow or down, so is what it only watches{}", more_calls(&calls)));
    diagnostic.help = vec![
        format!("hand it over without waiting: `->>` instead of `->` in `{}`", prose::call(facts, first)),
        "or drop it when it cannot be delivered: `fallback \"dropped and counted\"`".to_owned(),
        "or, if nothing may happen that is not recorded, as in an audit, say so: `fallback none`".to_owned(),
    ];
    Some(requests.need_over(facts, first)?.shown(facts, diagnostic))
}

/// Whether something is handed over and may be lost. What is read from telemetry is asked for; what serves telemetry
/// itself may wait for it; who says that nothing answers instead means it; and of what is said to be optional another
/// rule speaks.
fn is_handed_over(facts: &Facts<'_>, call: CallId) -> bool {
    let topology = facts.topology();
    let to = topology.callee(call);
    let reads = topology.operation(to).name.is_some_and(|name| matches!(topology.text(name), "read" | "get"));
    let asks = reads || facts.cascade().operation(to, Key::Readonly).may_be_given();
    let meant = matches!(facts.cascade().call(call, &[Key::Fallback]), Answer::None(_));
    let optional = facts.cascade().call(call, &[Key::Optional]).may_be_given();
    !asks && !meant && !optional && !facts.has_role(facts.topology().caller_node(call), "telemetry")
}
