//! Somebody else's system that a promise depends on, and of which nothing is promised.

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::{Answer, NodeId};
use crate::rules::needed::Requests;
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let promised = Requests::promised(facts);
    let topology = facts.topology();
    let externals = topology.node_ids().filter(|node| topology.node(*node).kind == ElementKind::External);
    externals.filter_map(|node| finding(facts, node, &promised)).collect()
}

fn finding(facts: &Facts<'_>, node: NodeId, promised: &Requests) -> Option<Diagnostic> {
    let topology = facts.topology();
    // Whoever measures it knows more than a contract says.
    if facts.cascade().node(node, Key::Availability).may_be_given() {
        return None;
    }
    let (certainty, contract, stated) = match facts.cascade().node(node, Key::Sla) {
        Answer::None(stated) => (Certainty::Proved, "no contract promises anything", prose::place(stated)),
        Answer::Unstated => (Certainty::Possible, "no contract is stated", None),
        Answer::Given(_) | Answer::Unreadable => return None,
    };
    let need = promised.need(facts, node)?;
    let (name, entry) = (topology.node_name(node), topology.operation_name(need.entry));
    let promise = prose::percentage(facts.promised_availability(need.entry)?);
    let message = format!("{contract} of `{name}`, and `{entry}`, which promises {promise} %, cannot do without it");
    let mut diagnostic = Diagnostic::new(stated.unwrap_or(topology.node(node).span), message).subject(name);
    diagnostic.certainty = certainty;
    diagnostic.cause = Some(format!("sla {name}"));
    diagnostic.group = Some("a promise depends on others of whom no contract is stated".into());
    diagnostic.consequence =
        Some("the promise rests on somebody who has given none, and who may change or stop it".to_owned());
    diagnostic.help = vec![
        format!(
            "write on `{name}` what its contract promises, `sla 99.9%`, or what is measured, `availability 99.95%`"
        ),
        "or do without it for a while: a `fallback` on the way".to_owned(),
    ];
    Some(need.shown(facts, diagnostic))
}
