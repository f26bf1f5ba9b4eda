//! A call whose callee knows who calls, and does not ask what they may do.

use super::stakes;
use crate::analysis::{Effect, Facts, Hop, Stake};
use crate::diagnostic::{Certainty, Diagnostic};
use crate::ids::IdMap;
use crate::metadata::Options;
use crate::model::{Answer, CallId, NodeId, Stated};
use crate::rules::prose;
use crate::syntax::Arrow;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let topology = facts.topology();
    let mut authorised: IdMap<NodeId, CallId> = IdMap::default();
    for call in topology.call_ids().filter(|call| facts.hop(*call).is_some()) {
        if authz(facts, call).given().is_some() {
            let first = authorised.entry(facts.topology().callee_node(call)).or_insert(call);
            *first = std::cmp::min_by_key(*first, call, |call| facts.call_rank(*call));
        }
    }
    topology.call_ids().filter_map(|call| finding(facts, call, facts.hop(call)?, &authorised)).collect()
}

fn authz<'a>(facts: &Facts<'a>, call: CallId) -> Answer<'a> {
    facts.cascade().call(call, &[Key::Authz])
}

fn finding(facts: &Facts<'_>, id: CallId, hop: &Hop<'_>, authorised: &IdMap<NodeId, CallId>) -> Option<Diagnostic> {
    let topology = facts.topology();
    let callee = facts.topology().callee_node(id);
    // Who is not known cannot be allowed anything: that has a rule of its own.
    if hop.peer().given().is_none() || is_delivered(facts, id) || is_harmless(facts, id) || is_decided_before(facts, id)
    {
        return None;
    }
    let name = prose::call(facts, id);
    let because = hop.reached.map(|stake| format!(", and {}", stakes::clause(facts, id, &stake))).unwrap_or_default();
    let mut diagnostic = match authz(facts, id) {
        Answer::None(stated) => none(
            facts,
            id,
            hop,
            stated,
            &format!("`{name}` is known by name, and nobody checks what it may do{because}"),
        ),
        Answer::Unstated => {
            let other = authorised.get(&callee).filter(|_| hop.reached.is_some())?;
            let message = format!(
                "`{name}` states no authorisation{because}, and other calls to `{}` do",
                topology.node_name(callee)
            );
            let mut unknown = Diagnostic::new(topology.call(id).span, message);
            unknown.certainty = Certainty::Possible;
            unknown.group = Some("calls state no authorisation where others do".into());
            unknown.label(topology.call(*other).span, "states who may call")
        }
        Answer::Given(_) | Answer::Unreadable => return None,
    };
    if let Some(stake) = &hop.reached {
        diagnostic = stakes::labelled(facts, id, diagnostic, stake);
    }
    diagnostic.cause = Some(prose::cause(facts, id));
    let diagnostic = diagnostic.subject(topology.call_name(id));
    let diagnostic = diagnostic
        .help("write by what it is decided who may do this: `authz roles`, `authz scopes`, `authz policy-service`");
    let callee = topology.node_name(callee);
    Some(diagnostic.help(format!("said on `{callee}`, it holds for all calls that arrive there")))
}

fn none(facts: &Facts<'_>, id: CallId, hop: &Hop<'_>, stated: Stated<'_>, message: &str) -> Diagnostic {
    let mut diagnostic = prose::about_call(facts, id, stated, message.to_owned());
    let to = facts.topology().callee(id);
    let holds = facts.cascade().node(facts.topology().callee_node(id), Key::Data).given().is_some();
    diagnostic.certainty = match hop.reached {
        // Within one zone, without data, whoever is inside may be trusted with it.
        None => Certainty::Heuristic,
        Some(Stake::Outside(..)) => Certainty::Possible,
        Some(_) if !holds && facts.changes(to) == Effect::Unknown => Certainty::Possible,
        Some(_) => Certainty::Proved,
    };
    if diagnostic.certainty == Certainty::Possible {
        diagnostic = diagnostic.at(match hop.reached {
            Some(Stake::Outside(..)) => "not stated: the trust zone of the other end",
            _ => "not stated: what it changes, with all that it calls",
        });
    }
    diagnostic.group = Some("callers are known, and nobody checks what they may do".into());
    diagnostic
}

/// What changes nothing and shows nothing worth protecting.
fn is_harmless(facts: &Facts<'_>, id: CallId) -> bool {
    let callee = facts.topology().callee_node(id);
    let holds = facts.cascade().node(callee, Key::Data).may_be_given();
    let is_data =
        matches!(facts.topology().node(callee).kind, ElementKind::Store | ElementKind::Cache | ElementKind::Queue);
    !holds && !is_data && facts.changes(facts.topology().callee(id)) == Effect::Absent
}

/// What a queue or a store hands out is asked for by its reader: whoever gets it need not decide about the broker.
fn is_delivered(facts: &Facts<'_>, id: CallId) -> bool {
    let call = facts.topology().call(id);
    let kind = facts.topology().kind_of(call.from);
    call.arrow == Arrow::Async && matches!(kind, ElementKind::Queue | ElementKind::Store)
}

/// A node on the way decides: it is there for that, or says by what it does.
fn is_decided_before(facts: &Facts<'_>, id: CallId) -> bool {
    let through = facts.cascade().call(id, &[Key::Through]).given();
    through.into_iter().flat_map(|stated| stated.setting.nodes()).any(|node| {
        let role = facts.cascade().node(node, Key::Role).given();
        role.is_some_and(|role| role.setting.says("identity")) || facts.cascade().node(node, Key::Authz).may_be_given()
    })
}
