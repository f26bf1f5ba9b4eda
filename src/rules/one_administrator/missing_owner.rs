//! A node that nobody answers for.

use crate::analysis::{Facts, Ownership};
use crate::diagnostic::{Certainty, Diagnostic};
use crate::ids::IdSet;
use crate::metadata::Options;
use crate::model::NodeId;
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let topology = facts.topology();
    // Who answers for what was given up is for another rule.
    let dead: IdSet<NodeId> = facts.dead_letter_queues().into_keys().collect();
    let own = |node: &NodeId| {
        !matches!(topology.node(*node).kind, ElementKind::Client | ElementKind::External) && !dead.contains(node)
    };
    let nodes: Vec<NodeId> = topology.node_ids().filter(own).collect();
    // Where hardly any of them has an owner, owners are no matter of this diagram.
    let some = nodes.iter().filter(|node| matches!(facts.owner(**node), Ownership::Team(_))).nth(1).is_some();
    let finding = |node: &NodeId| match facts.owner(*node) {
        Ownership::Nobody => Some(report(facts, *node, Certainty::Proved)),
        Ownership::Unstated if some => Some(report(facts, *node, Certainty::Possible)),
        _ => None,
    };
    nodes.iter().filter_map(finding).collect()
}

fn report(facts: &Facts<'_>, node: NodeId, certainty: Certainty) -> Diagnostic {
    let name = facts.topology().node_name(node);
    let message = match certainty {
        Certainty::Proved => format!("nobody answers for `{name}`"),
        _ => format!("nothing says who answers for `{name}`, as it does of others"),
    };
    let stated = facts.cascade().node(node, Key::Owner).stated().and_then(prose::place);
    let place = stated.unwrap_or(facts.topology().node(node).span);
    let mut diagnostic = Diagnostic::new(place, message).subject(name);
    diagnostic.certainty = certainty;
    diagnostic.cause = Some(format!("owner {name}"));
    diagnostic.group = Some("nothing says who answers for these".into());
    diagnostic.consequence = Some("when it fails, nobody is called, and nobody may change it".to_owned());
    diagnostic.help = vec![format!("write who answers for it: `owner TEAM` on `{name}` or on its group")];
    diagnostic
}
