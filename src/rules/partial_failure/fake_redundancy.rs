//! Branches that stand in for each other and fail together.

use crate::analysis::{Facts, Redundancy};
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::NodeId;
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let topology = facts.topology();
    let promises = topology.operation_ids().filter_map(|id| facts.promised_availability(id));
    let highest = promises.reduce(f64::max);
    let found = facts.redundancies();
    found.iter().filter_map(|group| by_part(facts, group, highest).or_else(|| by_zone(facts, group))).collect()
}

/// All branches need the same thing.
fn by_part(facts: &Facts<'_>, group: &Redundancy, highest: Option<f64>) -> Option<Diagnostic> {
    let (shared, ways) = group.shared.as_ref()?;
    if is_good_enough(facts, *shared, highest) {
        return None;
    }
    let topology = facts.topology();
    let name = topology.node_name(*shared);
    let operation = topology.operation_name(group.operation);
    let itself = group.branches.iter().all(|call| facts.topology().callee_node(*call) == *shared);
    let message = if itself {
        format!("what stands in for `{name}` in `{operation}` is `{name}` again")
    } else {
        format!("{} of `{operation}` need `{name}`: without it none is enough", branches(facts, group))
    };
    let mut diagnostic = start(facts, group, message)?;
    if itself {
        diagnostic.certainty = Certainty::Heuristic;
    }
    diagnostic.witness = ways.iter().flat_map(|way| prose::needs(facts, way)).collect();
    let more = match group.more {
        0 => String::new(),
        more => format!(", and so with {} below it", prose::count(more as u64, "more part")),
    };
    diagnostic.consequence =
        Some(format!("when `{name}` is down, `{operation}` fails as if there were one branch{more}"));
    diagnostic.help = vec![
        format!(
            "give one branch a way that does without `{name}`: a copy of its own, or a `fallback \"what was known last\"`"
        ),
        format!(
            "or state how often `{name}` is up: `availability {}%` makes it no concern",
            prose::percentage(1.0 - (1.0 - highest.unwrap_or(0.999)) / 10.0)
        ),
    ];
    Some(diagnostic)
}

/// A part that is up far more often than what depends on it is no concern.
fn is_good_enough(facts: &Facts<'_>, node: NodeId, highest: Option<f64>) -> bool {
    let enough = highest.map(|promise| 1.0 - (1.0 - promise) / 10.0);
    facts.measured_availability(node).is_some_and(|share| enough.is_none_or(|enough| share >= enough - 1e-9))
}

/// All branches lie in one zone.
fn by_zone(facts: &Facts<'_>, group: &Redundancy) -> Option<Diagnostic> {
    let nodes: Vec<NodeId> = group.branches.iter().map(|call| facts.topology().callee_node(*call)).collect();
    let (first, rest) = nodes.split_first()?;
    let apart = rest.iter().any(|node| node == first || facts.are_independent(*first, *node));
    let zone = facts.only_place(&nodes, Key::Zones).filter(|_| !apart)?;
    let zone = facts.topology().text(zone);
    let operation = facts.topology().operation_name(group.operation);
    let message = format!("{} of `{operation}` run only in zone `{zone}`", branches(facts, group));
    let mut diagnostic = start(facts, group, message)?;
    for node in nodes.iter().take(4) {
        let stated = facts.cascade().node(*node, Key::Zones).given().and_then(prose::place);
        if let Some(place) = stated {
            diagnostic = diagnostic.label(place, format!("`{}`", facts.topology().node_name(*node)));
        }
    }
    diagnostic.consequence = Some(format!("when zone `{zone}` is lost, all of them are"));
    diagnostic.help = vec![
        format!("run one of them elsewhere: `zones` other than `{zone}`"),
        "or state why they do not fail together: `independent-of` on one of them".to_owned(),
    ];
    Some(diagnostic)
}

fn branches(facts: &Facts<'_>, group: &Redundancy) -> String {
    let mut names: Vec<String> =
        group.branches.iter().map(|call| facts.topology().operation_name(facts.topology().callee(*call))).collect();
    names.dedup();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    format!("the redundant calls {}", prose::names(&names))
}

fn start(facts: &Facts<'_>, group: &Redundancy, message: String) -> Option<Diagnostic> {
    let first = *group.branches.first()?;
    let mut diagnostic = Diagnostic::new(facts.topology().call(first).span, message);
    diagnostic.subjects = group.branches.iter().map(|call| facts.topology().call_name(*call)).collect();
    diagnostic.cause = Some(format!("redundancy {}", prose::cause(facts, first)));
    diagnostic.group = Some("redundant calls fail together".into());
    Some(diagnostic)
}
