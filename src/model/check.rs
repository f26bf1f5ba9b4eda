//! What is wrong with a topology as a whole, once everything is connected.

use std::collections::HashSet;

use super::topology::{NodeId, Topology};
use crate::diagnostic::{Diagnostic, Problem};
use crate::source::SourceMap;

/// Policies that nothing follows and nodes that nothing speaks of. Silent about names in unread text.
pub(super) fn check(topology: &Topology, sources: &SourceMap, unread: &HashSet<&str>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for policy in topology.policies.iter().filter(|policy| !policy.used && !unread.contains(topology.text(policy.name)))
    {
        let name = topology.text(policy.name);
        let diagnostic = Diagnostic::new(policy.span, format!("no call follows the policy `{name}`"));
        let help = format!("write `use {name}` on a call or in `defaults {{ call {{ … }} }}`, or remove it");
        problems.push(Problem::new("unused-policy", diagnostic.help(help)));
    }
    for id in topology.node_ids().filter(|id| is_alone(topology, *id)) {
        let node = topology.node(id);
        let name = topology.node_name(id);
        let flawed = node.operations.iter().any(|id| topology.operation(*id).settings.flawed);
        if unread.contains(name) || node.settings.flawed || flawed || sources.text(node.span).is_empty() {
            continue;
        }
        let diagnostic = Diagnostic::new(node.span, format!("nothing calls `{name}`, and it calls nothing"));
        problems.push(Problem::new(
            "unreachable-node",
            diagnostic.subject(name).help("draw the calls that reach it, or remove it"),
        ));
    }
    problems
}

fn is_alone(topology: &Topology, id: NodeId) -> bool {
    let node = topology.node(id);
    let connected = |operation: &super::OperationId| {
        topology.calls_from(*operation).chain(topology.calls_to(*operation)).any(|call| !topology.call(call).implied)
    };
    !node.mentioned && !node.operations.iter().any(connected)
}
