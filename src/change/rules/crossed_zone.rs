//! Calls that stayed in one place and now leave it.

use std::collections::{HashMap, HashSet};

use super::Sides;
use crate::analysis::Facts;
use crate::diagnostic::{Diagnostic, spaced};
use crate::metadata::Options;
use crate::model::{CallId, NodeId};
use crate::vocabulary::Key;

pub(super) fn check(sides: &Sides<'_, '_>, _: &Options) -> Vec<Diagnostic> {
    let (head, topology) = (sides.head, sides.head.topology());
    let nodes: HashMap<NodeId, NodeId> = sides.found.nodes.iter().map(|(one, other)| (*other, *one)).collect();
    let before: HashMap<CallId, CallId> = sides.found.calls.iter().map(|(one, other)| (*other, *one)).collect();
    let mut seen: HashSet<(NodeId, NodeId)> = HashSet::new();
    let mut found = Vec::new();
    let made = topology.call_ids().filter(|id| head.is_made(*id) && !head.is_local(*id));
    for id in made.filter(|id| !topology.call(*id).implied) {
        let call = topology.call(id);
        let [from, to] = [call.from, call.to].map(|end| topology.node_id_of(end));
        let Some(now) = always_apart(head, from, to) else { continue };
        let (Some(from_before), Some(to_before)) = (nodes.get(&from), nodes.get(&to)) else { continue };
        let has_left = match before.get(&id) {
            Some(_) => {
                let are_placed = are_placed(sides.base, *from_before, *to_before, now.0);
                are_placed && always_apart(sides.base, *from_before, *to_before).is_none_or(|was| now.0 && !was.0)
            }
            None => true,
        };
        if has_left && seen.insert((from, to)) {
            found.push(finding(sides, id, now, before.contains_key(&id)));
        }
    }
    found
}

/// Whether every call between two nodes leaves a region, or else a zone.
fn always_apart(facts: &Facts<'_>, from: NodeId, to: NodeId) -> Option<(bool, Option<[String; 2]>)> {
    let (regions, ends, share) = facts.places_apart(from, to)?;
    let names = ends.map(|(one, other)| [one, other].map(|name| facts.topology().text(name).to_owned()));
    (share >= 1.0).then_some((regions, names))
}

fn are_placed(facts: &Facts<'_>, from: NodeId, to: NodeId, regions: bool) -> bool {
    let key = if regions { Key::Region } else { Key::Zones };
    [from, to].into_iter().all(|node| facts.cascade().node(node, key).given().is_some())
}

fn finding(sides: &Sides<'_, '_>, id: CallId, now: (bool, Option<[String; 2]>), was_there: bool) -> Diagnostic {
    let topology = sides.head.topology();
    let name = spaced(&topology.call_name(id));
    let place = if now.0 { "region" } else { "zone" };
    let ways = now
        .1
        .map_or_else(|| format!("from one {place} to another"), |[one, other]| format!("from `{one}` to `{other}`"));
    let message = if was_there {
        format!("every call `{name}` now goes {ways}; before, not every one left its {place}")
    } else {
        format!("the new call `{name}` always goes {ways}")
    };
    let mut diagnostic = Diagnostic::new(topology.call(id).span, message)
        .help(format!("run both ends in one {place}, if the answer cannot wait for a longer way or survive its loss"))
        .subject(topology.call_name(id));
    diagnostic.cause = Some(format!("{place} of {}", topology.call_identity(id)));
    diagnostic
}
