//! A node that runs once, or in one place, and that a promise depends on.

use crate::analysis::Facts;
use crate::diagnostic::Diagnostic;
use crate::metadata::Options;
use crate::model::{NodeId, Stated};
use crate::rules::needed::Requests;
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let promised = Requests::promised(facts);
    facts.topology().node_ids().filter_map(|node| finding(facts, node, &promised)).collect()
}

fn finding(facts: &Facts<'_>, node: NodeId, promised: &Requests) -> Option<Diagnostic> {
    let topology = facts.topology();
    let row = topology.node(node);
    let accepted = |key| facts.cascade().node(node, key).given().is_some();
    if matches!(row.kind, ElementKind::Client | ElementKind::External)
        || accepted(Key::Availability)
        || accepted(Key::Rto)
    {
        return None;
    }
    let (stated, once) = alone(facts, node)?;
    let need = promised.need(facts, node)?;
    let entry = need.entry;
    let share = facts.promised_availability(entry)?;
    let (name, promise) = (topology.node_name(node), topology.operation_name(entry));
    let percent = prose::percentage(share);
    let message = if topology.node_id_of(entry) == node {
        format!("`{name}` runs {once}, and `{promise}` promises {percent} %")
    } else {
        format!("`{name}` runs {once}, and `{promise}`, which promises {percent} %, cannot do without it")
    };
    let place = prose::place(stated).unwrap_or(row.span);
    let mut diagnostic = Diagnostic::new(place, message).at(format!("`{name}` runs {once}")).subject(name);
    diagnostic.consequence = Some(format!(
        "{percent} % leave {} of outage in 30 days for everything together; {} is one",
        prose::outage(share),
        if once == "once" { "a restart or a lost machine" } else { "a lost zone" }
    ));
    diagnostic.cause = Some(name.to_owned());
    diagnostic.group = Some("what a promise depends on runs once".into());
    diagnostic.help = vec![
        if once == "once" {
            format!("run it twice: `replicas 2` on `{name}`, in two `zones`")
        } else {
            format!("run it in two zones: `zones a, b` on `{name}`")
        },
        format!(
            "or say what it achieves as it is: `availability {}%` on `{name}`{}",
            prose::percentage(f64::midpoint(share, 1.0)),
            if row.kind == ElementKind::Store { ", or the outage that is accepted: `rto 1m`" } else { "" }
        ),
        "or let what needs it do without for a while: a `fallback` on the way".to_owned(),
    ];
    Some(need.shown(facts, diagnostic))
}

/// The statement by which it has one instance or one zone.
fn alone<'f>(facts: &Facts<'f>, node: NodeId) -> Option<(Stated<'f>, &'static str)> {
    let look = |key| facts.cascade().node(node, key).given();
    if facts.instances(node) == Some((1, 1)) {
        return look(Key::Autoscale).or_else(|| look(Key::Replicas)).map(|stated| (stated, "once"));
    }
    look(Key::Zones).filter(|stated| stated.setting.texts().len() == 1).map(|stated| (stated, "in one zone"))
}
