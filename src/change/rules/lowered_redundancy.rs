//! Fewer of what can fail alone: instances, zones, copies.

use super::{Sides, place};
use crate::analysis::Facts;
use crate::diagnostic::Diagnostic;
use crate::metadata::Options;
use crate::model::{NodeId, Setting, Stated};
use crate::vocabulary::Key;

pub(super) fn check(sides: &Sides<'_, '_>, options: &Options) -> Vec<Diagnostic> {
    let enough = options.count("enough");
    let pairs = sides.found.nodes.iter();
    pairs.flat_map(|(one, other)| node(sides, *one, *other, enough)).collect()
}

/// An attribute and how many it states.
const COUNTED: &[(Key, &str, &str)] =
    &[(Key::Replicas, "instance", "instances"), (Key::Zones, "zone", "zones"), (Key::Quorum, "copy", "copies")];

fn node(sides: &Sides<'_, '_>, one: NodeId, other: NodeId, enough: u64) -> Vec<Diagnostic> {
    let topology = sides.head.topology();
    let name = topology.node_name(other);
    let mut found = Vec::new();
    for (key, single, several) in COUNTED {
        let (Some(was), Some(now)) = (count(sides.base, one, *key), count(sides.head, other, *key)) else { continue };
        if now.0 >= was.0 || now.0 >= enough {
            continue;
        }
        let unit = |count: u64| if count == 1 { *single } else { *several };
        let message = format!("`{name}` had {} {}, and now has {} {}", was.0, unit(was.0), now.0, unit(now.0));
        let what = if *key == Key::Zones { "zone" } else { *single };
        let rest = match now.0 {
            0 | 1 => format!("when its only {what} fails, all of it does"),
            left => format!("when one {what} fails, {} of its {} are left", left - 1, several),
        };
        let mut diagnostic = Diagnostic::new(place(Some(now.1), topology.node(other).span), message)
            .help(format!("write `{}` again, if it has to outlive the loss of one", sides.written(was.1)));
        diagnostic.consequence = Some(rest);
        diagnostic.cause = Some(format!("{key} of {name}"));
        diagnostic.subjects = vec![name.to_owned()];
        found.push(diagnostic);
    }
    found
}

fn count<'a>(facts: &Facts<'a>, node: NodeId, key: Key) -> Option<(u64, Stated<'a>)> {
    let stated = facts.cascade().node(node, key).given()?;
    let number = match key {
        Key::Zones => Some(stated.setting.texts().len() as u64),
        Key::Quorum => stated.setting.field(Key::QuorumN).and_then(Setting::count),
        _ => stated.setting.count(),
    };
    Some((number?, stated))
}
