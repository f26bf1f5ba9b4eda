//! Calls that share one long connection, over a balancer that spreads connections: one instance gets them all.

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::{Answer, CallId};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.topology().call_ids().filter_map(|call| finding(facts, call)).collect()
}

fn finding(facts: &Facts<'_>, id: CallId) -> Option<Diagnostic> {
    let topology = facts.topology();
    facts.hop(id)?;
    let look = |key| facts.cascade().call(id, &[key]);
    let balancing = look(Key::Balancing).given().filter(|stated| stated.setting.says("l4"))?;
    // Whoever keeps its instance on purpose is not spread.
    if look(Key::Sticky).may_be_given() || !facts.is_multiplexed(id) {
        return None;
    }
    let node = facts.topology().callee_node(id);
    let instances = facts.instances(node);
    if instances.is_some_and(|(_, most)| most <= 1) {
        return None;
    }
    let (kept, is_known) = match look(Key::ConnectionMaxAge) {
        Answer::None(_) => ("for ever", true),
        Answer::Unstated => ("for a time that is not stated", false),
        Answer::Given(_) | Answer::Unreadable => return None,
    };
    let (name, callee) = (prose::call(facts, id), topology.node_name(node));
    let many = match instances {
        Some((_, most)) => format!("one of {most} instances of `{callee}`"),
        None => format!("one instance of `{callee}`"),
    };
    let message =
        format!("`{name}` sends many calls over each connection, and `balancing l4` ties it to {many} {kept}");
    let mut diagnostic = prose::about_call(facts, id, balancing, message);
    let unknown = match instances {
        Some((least, _)) if least > 1 && is_known => None,
        Some((least, _)) if least > 1 => Some("how long a connection is kept".to_owned()),
        _ => Some(format!("how many instances of `{callee}` there are")),
    };
    if let Some(unknown) = unknown {
        diagnostic.certainty = Certainty::Possible;
        diagnostic = diagnostic.at(format!("not stated: {unknown}"));
    }
    diagnostic.cause = Some(prose::cause_of(facts, id, Some(balancing)));
    diagnostic.group = Some("long connections are balanced as if they were calls".into());
    diagnostic.consequence = Some(
        "instances that come later get nothing from callers that are connected: scaling out relieves nobody".to_owned(),
    );
    diagnostic.fix = prose::replace(Some(balancing), "balancing client".to_owned());
    let diagnostic = diagnostic.subject(topology.call_name(id));
    let diagnostic = diagnostic.help("balance calls, not connections: `balancing l7` or `balancing client`");
    Some(diagnostic.help("or open connections anew from time to time: `connection-max-age 5m`"))
}
