//! Vendors that stand in for each other and run on the same infrastructure.

use std::collections::HashMap;

use crate::analysis::{Facts, Redundancy};
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::{Name, NodeId};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.redundancies().iter().filter_map(|group| finding(facts, group)).collect()
}

/// Where a node runs, as far as that is stated.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    provider: Name,
    region: Option<Name>,
}

impl Place {
    fn of(facts: &Facts<'_>, node: NodeId) -> Option<Self> {
        let look = |key| facts.cascade().node(node, key).given().and_then(|stated| stated.setting.word());
        Some(Self { provider: look(Key::Provider)?, region: look(Key::Region) })
    }

    /// Whether what is stated leaves room for one outage of both.
    fn may_fall_with(self, other: Self) -> bool {
        let regions_differ = self.region.zip(other.region).is_some_and(|(one, other)| one != other);
        self.provider == other.provider && !regions_differ
    }
}

fn finding(facts: &Facts<'_>, group: &Redundancy) -> Option<Diagnostic> {
    let topology = facts.topology();
    let spare = group.branches.len().checked_sub(group.enough)?;
    let placed: Vec<(NodeId, Place)> = group
        .branches
        .iter()
        .map(|call| facts.topology().callee_node(*call))
        .filter_map(|node| Some((node, Place::of(facts, node)?)))
        .collect();
    // So many that too few are left.
    let counts = Counts::of(&placed);
    let (_, place) = placed.iter().copied().find(|(_, place)| counts.may_fall_with(*place) > spare)?;
    let all: Vec<(NodeId, Place)> = placed.iter().copied().filter(|(_, other)| place.may_fall_with(*other)).collect();
    let nodes: Vec<NodeId> = all.iter().map(|(node, _)| *node).collect();
    let (first, rest) = nodes.split_first()?;
    let a_vendor = nodes.iter().any(|node| topology.node(*node).kind == ElementKind::External);
    let apart = rest.iter().any(|node| node == first || facts.are_independent(*first, *node));
    // If the caller falls with it anyway, redundancy against that is not what the branches are for.
    let own = Place::of(facts, topology.node_id_of(group.operation));
    if !a_vendor || apart || own.is_some_and(|own| own.may_fall_with(place)) {
        return None;
    }
    let same_region = all.iter().all(|(_, other)| other.region.is_some() && other.region == place.region);
    Some(report(facts, group, &nodes, place, same_region))
}

/// How many branches run where, so that each need not be compared with all others.
struct Counts {
    places: HashMap<Place, usize>,
    providers: HashMap<Name, usize>,
}

impl Counts {
    fn of(placed: &[(NodeId, Place)]) -> Self {
        let mut counts = Self { places: HashMap::new(), providers: HashMap::new() };
        for (_, place) in placed {
            *counts.places.entry(*place).or_default() += 1;
            *counts.providers.entry(place.provider).or_default() += 1;
        }
        counts
    }

    /// How many may fall with what runs there.
    fn may_fall_with(&self, place: Place) -> usize {
        let at = |place: Place| self.places.get(&place).copied().unwrap_or(0);
        match place.region {
            Some(_) => at(place) + at(Place { region: None, ..place }),
            None => self.providers.get(&place.provider).copied().unwrap_or(0),
        }
    }
}

fn report(facts: &Facts<'_>, group: &Redundancy, nodes: &[NodeId], place: Place, same_region: bool) -> Diagnostic {
    let topology = facts.topology();
    let names: Vec<&str> = nodes.iter().map(|node| topology.node_name(*node)).collect();
    let operation = topology.operation_name(group.operation);
    let provider = topology.text(place.provider);
    let region = place.region.filter(|_| same_region).map(|region| format!(", in `{}`", topology.text(region)));
    let region = region.unwrap_or_default();
    let message = format!(
        "{} stand in for each other in `{operation}`, and all run on `{provider}`{region}",
        prose::names(&names)
    );
    let first = group.branches.first().copied();
    let span = first.map_or(topology.operation(group.operation).span, |call| topology.call(call).span);
    let mut diagnostic = Diagnostic::new(span, message);
    diagnostic.subjects = group.branches.iter().map(|call| topology.call_name(*call)).collect();
    diagnostic.certainty = if same_region { Certainty::Proved } else { Certainty::Possible };
    diagnostic.cause = first.map(|call| format!("provider {}", prose::cause(facts, call)));
    diagnostic.group = Some("what stands in for each other runs on the same infrastructure".into());
    for node in nodes.iter().take(4) {
        if let Some(place) = facts.cascade().node(*node, Key::Provider).given().and_then(prose::place) {
            diagnostic = diagnostic.label(place, format!("`{}`", topology.node_name(*node)));
        }
    }
    let outage = if same_region { "this region" } else { "a region that they share, or all," };
    diagnostic.consequence =
        Some(format!("when {outage} of `{provider}` is down, `{operation}` has none of them left"));
    diagnostic.help = vec![
        format!("choose one that runs elsewhere than on `{provider}`"),
        "or state the `region` of each, if they differ".to_owned(),
        format!("or why they do not fail together: `independent-of` on `{}`", names.first().unwrap_or(&"")),
    ];
    diagnostic
}
