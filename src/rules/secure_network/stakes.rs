//! What makes the protection of a hop matter, in words and with its places.

use crate::analysis::{Facts, Stake, Zone};
use crate::diagnostic::Diagnostic;
use crate::model::{CallId, NodeId, Origin, Stated};
use crate::rules::prose;

/// "it goes from trust zone `internet` to `internal`".
pub(super) fn clause(facts: &Facts<'_>, call: CallId, stake: &Stake<'_>) -> String {
    let topology = facts.topology();
    match stake {
        Stake::Crossing([from, to]) => {
            format!("it goes from trust zone `{}` to `{}`", topology.text(from.name), topology.text(to.name))
        }
        Stake::Public(node, _) => format!("`{}` is public", topology.node_name(*node)),
        Stake::Outside(inside, zone) => {
            let enters = topology.callee_node(call) == *inside;
            let verb = if enters { "comes from outside into" } else { "leaves" };
            format!("it {verb} trust zone `{}`", topology.text(zone.name))
        }
        Stake::Data(node, stated) => {
            let kinds: Vec<String> =
                stated.setting.texts().iter().map(|name| format!("`{}`", topology.text(*name))).collect();
            format!("`{}` holds {}", topology.node_name(*node), kinds.join(", "))
        }
    }
}

/// Shows where the stake is stated, unless that is on the node itself, where anybody looks first.
pub(super) fn labelled(facts: &Facts<'_>, call: CallId, diagnostic: Diagnostic, stake: &Stake<'_>) -> Diagnostic {
    let topology = facts.topology();
    let [from, to] = [topology.caller(call), topology.callee(call)].map(|end| topology.node_id_of(end));
    match stake {
        Stake::Crossing(zones) => {
            let [first, second] = zones;
            let diagnostic = zone(facts, diagnostic, from, first);
            zone(facts, diagnostic, to, second)
        }
        Stake::Outside(inside, stated) => zone(facts, diagnostic, *inside, stated),
        Stake::Public(_, stated) => at(diagnostic, *stated, "can be reached from outside".to_owned()),
        Stake::Data(node, stated) => at(diagnostic, *stated, format!("held by `{}`", topology.node_name(*node))),
    }
}

fn zone(facts: &Facts<'_>, diagnostic: Diagnostic, node: NodeId, zone: &Zone<'_>) -> Diagnostic {
    let text = format!("`{}` is in `{}`", facts.topology().node_name(node), facts.topology().text(zone.name));
    at(diagnostic, zone.stated, text)
}

fn at(diagnostic: Diagnostic, stated: Stated<'_>, text: String) -> Diagnostic {
    match prose::place(stated) {
        Some(span) if stated.origin != Origin::Own => diagnostic.label(span, text),
        _ => diagnostic,
    }
}
