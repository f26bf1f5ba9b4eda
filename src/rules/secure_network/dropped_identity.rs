//! Work for a user that is done with the rights of a service: the user's identity gets lost on the way.

use crate::analysis::{Effect, Facts};
use crate::diagnostic::{Certainty, Diagnostic, Step};
use crate::metadata::Options;
use crate::model::{Answer, CallId, OperationId, Stated};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let calls = facts.topology().call_ids().filter(|call| facts.is_made(*call));
    calls.filter_map(|call| dropped(facts, call).or_else(|| invented(facts, call))).collect()
}

fn identity<'a>(facts: &Facts<'a>, call: CallId) -> Answer<'a> {
    facts.cascade().call(call, &[Key::Identity])
}

/// The first call by name by which a user's identity arrives.
fn user_arrives(facts: &Facts<'_>, operation: OperationId) -> Option<CallId> {
    let brings = |call: &CallId| identity(facts, *call).given().is_some_and(|stated| stated.setting.says("user"));
    let calls = facts.topology().calls_to(operation).filter(|call| facts.is_made(*call));
    calls.filter(brings).min_by_key(|call| facts.call_rank(*call))
}

fn dropped(facts: &Facts<'_>, id: CallId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let (from, to) = (topology.caller(id), topology.callee(id));
    let callee = facts.topology().callee_node(id);
    // Whose rows a service may read in its own store is its own business; the systems of others know no users of ours,
    // and what is there for all of us (telemetry, configuration, identity itself) serves no user.
    let serves_users = topology.node(callee).kind == ElementKind::Service
        && matches!(facts.cascade().node(callee, Key::Role), Answer::Unstated | Answer::None(_));
    if !serves_users || !is_of_a_network(facts, id) {
        return None;
    }
    let stated = match identity(facts, id) {
        Answer::Given(stated) if stated.setting.says("service") => stated,
        Answer::None(stated) => stated,
        _ => return None,
    };
    let arrives = user_arrives(facts, from)?;
    let (certainty, unknown) = certainty(facts, id)?;
    let name = prose::call(facts, id);
    let by = if stated.setting.is_none() { "without any" } else { "with that of the service" };
    let message = format!("a user's identity reaches `{}`, and `{name}` goes on {by}", topology.operation_name(from));
    let mut diagnostic = prose::about_call(facts, id, stated, message);
    diagnostic.certainty = certainty;
    if let Some(unknown) = unknown {
        diagnostic = diagnostic.at(format!("not stated: {unknown}"));
    }
    diagnostic.group = Some("work for a user is done with the rights of a service".into());
    let callee = topology.operation_name(to);
    diagnostic.consequence =
        Some(format!("`{callee}` does for any user what the service may do: it cannot tell whose data it is"));
    diagnostic.witness = vec![step(facts, arrives, "brings a user's identity"), step(facts, id, "does not hand it on")];
    diagnostic.cause = Some(prose::cause(facts, id));
    diagnostic.fix = prose::replace(Some(stated), "identity user".to_owned());
    let diagnostic = diagnostic.subject(topology.call_name(id));
    Some(diagnostic.help("hand the user on, in a token made for this callee, and say so: `identity user`"))
}

/// How certain it is that somebody's data is at stake, and what is not known of it; none if nothing is.
fn certainty(facts: &Facts<'_>, id: CallId) -> Option<(Certainty, Option<&'static str>)> {
    let decides = facts.cascade().call(id, &[Key::Authz]).may_be_given();
    let holds = facts.cascade().node(facts.topology().callee_node(id), Key::Data).given().is_some();
    let possible = |unknown| Some((Certainty::Possible, Some(unknown)));
    match facts.changes(facts.topology().callee(id)) {
        _ if holds && decides => possible("whether what decides there asks for which user"),
        _ if holds => Some((Certainty::Proved, None)),
        // What this service may do there is decided, and nobody's data is stated to be there.
        _ if decides => None,
        Effect::Repeats | Effect::Idempotent => possible("whether what it changes belongs to a user: `data`"),
        Effect::Unknown => possible("what it changes, with all that it calls"),
        Effect::Absent => None,
    }
}

/// A call that states a user's identity, though none arrives.
fn invented(facts: &Facts<'_>, id: CallId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let from = topology.caller(id);
    let stated = identity(facts, id).given().filter(|stated| stated.setting.says("user"))?;
    let node = topology.node_id_of(from);
    let makes = facts.cascade().node(node, Key::Role).given().is_some_and(|role| role.setting.says("identity"));
    if topology.node(node).kind == ElementKind::Client || makes {
        return None;
    }
    let arriving: Vec<CallId> = topology.calls_to(from).filter(|call| facts.is_made(*call)).collect();
    let without = |stated: Stated<'_>| stated.setting.is_none() || stated.setting.says("service");
    let none = arriving.iter().all(|call| identity(facts, *call).stated().is_some_and(without));
    let first = arriving.iter().copied().min_by_key(|call| facts.call_rank(*call)).filter(|_| none)?;
    let name = prose::call(facts, id);
    let message =
        format!("`{name}` goes on with a user's identity, and none arrives at `{}`", topology.operation_name(from));
    let mut diagnostic = prose::about_call(facts, id, stated, message).at("not stated: where it comes from");
    diagnostic.certainty = Certainty::Possible;
    diagnostic.group = Some("calls go on with a user's identity that never arrived".into());
    diagnostic.witness = vec![step(facts, first, "brings no user's identity"), step(facts, id, "states one")];
    diagnostic.cause = Some(prose::cause(facts, id));
    let diagnostic = diagnostic.subject(topology.call_name(id));
    Some(diagnostic.help(format!(
        "write `identity user` on `{}`, if it brings one, or `identity service` here",
        prose::call(facts, first)
    )))
}

fn is_of_a_network(facts: &Facts<'_>, id: CallId) -> bool {
    !facts.topology().call(id).implied && !facts.is_local(id)
}

fn step(facts: &Facts<'_>, call: CallId, text: &str) -> Step {
    let topology = facts.topology();
    Step { subject: topology.call_name(call), span: topology.call(call).span, text: text.to_owned(), value: None }
}
