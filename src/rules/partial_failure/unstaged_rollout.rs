//! A change that reaches all places at once, of something that requests need.

use std::collections::BTreeMap;

use crate::analysis::Facts;
use crate::diagnostic::Diagnostic;
use crate::metadata::Options;
use crate::model::{NodeId, Stated};
use crate::rules::needed::{Need, Requests};
use crate::rules::prose;
use crate::source::Span;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let requests = Requests::all(facts);
    // One statement may speak of many nodes: it is the one thing to edit.
    let mut by_statement: BTreeMap<Span, Vec<Changed<'_>>> = BTreeMap::new();
    for changed in facts.topology().node_ids().filter_map(|node| changed(facts, node, &requests)) {
        by_statement.entry(changed.place).or_default().push(changed);
    }
    by_statement.into_values().filter_map(|nodes| finding(facts, nodes)).collect()
}

/// A node that requests need and that changes everywhere at once.
struct Changed<'a> {
    node: NodeId,
    place: Span,
    stated: Stated<'a>,
    need: Need,
}

fn changed<'f>(facts: &Facts<'f>, node: NodeId, requests: &Requests) -> Option<Changed<'f>> {
    let stated = facts.cascade().node(node, Key::Rollout).given().filter(|stated| stated.setting.says("at-once"))?;
    // What runs once cannot be changed in one place first, unless it is asked how others should work.
    let once = facts.instances(node) == Some((1, 1)) && facts.cascade().node(node, Key::Role).given().is_none();
    let place = prose::place(stated).filter(|_| !once)?;
    Some(Changed { node, place, stated, need: requests.need(facts, node)? })
}

fn finding(facts: &Facts<'_>, mut nodes: Vec<Changed<'_>>) -> Option<Diagnostic> {
    let topology = facts.topology();
    let more = nodes.len().saturating_sub(1);
    nodes.sort_by_key(|changed| (changed.need.length(), topology.node_name(changed.node)));
    let Changed { node, place, stated, need } = nodes.into_iter().next()?;
    let (name, entry) = (topology.node_name(node), topology.operation_name(need.entry));
    let message = if topology.node_id_of(need.entry) == node {
        format!("a change of `{name}` reaches all places at once, and requests come in there")
    } else {
        format!("a change of `{name}` reaches all places at once, and `{entry}` cannot do without it")
    };
    let mut diagnostic = Diagnostic::new(place, message).subject(name);
    if stated.origin != crate::model::Origin::Own {
        diagnostic = diagnostic.label(topology.node(node).span, format!("`{name}`"));
    }
    diagnostic.cause = Some(format!("rollout {name}"));
    let same = match more {
        0 => String::new(),
        more => format!("; the same is said of {}", prose::count(more as u64, "more node")),
    };
    diagnostic.consequence = Some(format!("one bad change is an outage everywhere before anybody has seen it{same}"));
    diagnostic.help = vec![
        format!("let a change reach one place first, and wait: `rollout staged` on `{name}`"),
        "or let what needs it go on with the last good state: a `fallback` on the way".to_owned(),
        format!(
            "where it has to be at once, such as a block list, say why: `allow unstaged-rollout \"…\"` on `{name}`"
        ),
    ];
    Some(need.shown(facts, diagnostic))
}
