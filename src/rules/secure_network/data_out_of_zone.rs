//! Data in a place that is not cleared for it.

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic};
use crate::ids::one_of;
use crate::metadata::Options;
use crate::model::{Answer, CallId, Name, NodeId, Stated};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let topology = facts.topology();
    let held = topology.node_ids().filter_map(|node| held(facts, node));
    let calls = topology.call_ids().filter(|call| facts.hop(*call).is_some());
    let carried = calls.filter_map(|call| match facts.cascade().call(call, &[Key::Data]) {
        Answer::Given(stated) => carried(facts, call, stated),
        Answer::Unstated => read(facts, call).or_else(|| given_away(facts, call)),
        Answer::None(_) | Answer::Unreadable => None,
    });
    held.chain(carried).collect()
}

/// The kinds that a node is not cleared for, with the statement that says so; none if nothing is said.
fn beyond<'a>(facts: &Facts<'a>, node: NodeId, kinds: &[Name]) -> Option<(Vec<Name>, Stated<'a>)> {
    let (cleared, stated): (&[Name], _) = match facts.cascade().node(node, Key::ClearedFor) {
        Answer::Given(stated) => (stated.setting.texts(), stated),
        Answer::None(stated) => (&[], stated),
        Answer::Unstated | Answer::Unreadable => return None,
    };
    let is_cleared = one_of(cleared);
    let beyond: Vec<Name> = kinds.iter().copied().filter(|kind| !is_cleared(kind)).collect();
    (!beyond.is_empty()).then_some((beyond, stated))
}

/// What a node is said to hold.
fn holds<'f>(facts: &Facts<'f>, node: NodeId) -> &'f [Name] {
    facts.cascade().node(node, Key::Data).given().map(|stated| stated.setting.texts()).unwrap_or_default()
}

fn held(facts: &Facts<'_>, node: NodeId) -> Option<Diagnostic> {
    let stated = facts.cascade().node(node, Key::Data).given()?;
    let (beyond, cleared) = beyond(facts, node, stated.setting.texts())?;
    let name = facts.topology().node_name(node);
    let kinds = names(facts, &beyond);
    let message = format!("`{name}` holds {kinds}, and is not cleared for it");
    let mut diagnostic = Diagnostic::new(prose::place(stated).unwrap_or(facts.topology().node(node).span), message);
    diagnostic.cause = Some(name.to_owned());
    let diagnostic = labelled(diagnostic.subject(name), cleared);
    Some(diagnostic.help(format!("keep it elsewhere, or clear `{name}` for it: `cleared-for` with {kinds}")))
}

/// What a call is said to carry reaches both of its ends.
fn carried(facts: &Facts<'_>, id: CallId, stated: Stated<'_>) -> Option<Diagnostic> {
    let topology = facts.topology();
    let call = topology.call(id);
    let kinds = stated.setting.texts();
    for end in [call.to, call.from].map(|end| topology.node_id_of(end)) {
        let own = holds(facts, end);
        let is_own = one_of(own);
        let news: Vec<Name> = kinds.iter().copied().filter(|kind| !is_own(kind)).collect();
        let (certainty, out, cleared) = match beyond(facts, end, &news) {
            Some((out, cleared)) => (Certainty::Proved, out, Some(cleared)),
            None if is_unknown_stranger(facts, end) && !news.is_empty() => (Certainty::Possible, news, None),
            None => continue,
        };
        let (name, end_name, kinds) = (prose::call(facts, id), topology.node_name(end), names(facts, &out));
        let message = match cleared {
            Some(_) => format!("`{name}` carries {kinds}, and `{end_name}` is not cleared for it"),
            None => format!("`{name}` carries {kinds} out of the system, and `{end_name}` states not what it may hold"),
        };
        let mut diagnostic = prose::about_call(facts, id, stated, message);
        diagnostic.certainty = certainty;
        diagnostic.cause = Some(prose::cause(facts, id));
        diagnostic.group = Some("data leaves for where nothing says that it may be held".into());
        diagnostic = diagnostic.subject(topology.call_name(id));
        if let Some(cleared) = cleared {
            diagnostic = labelled(diagnostic, cleared);
        }
        let diagnostic = diagnostic.help(format!("send it without {kinds}, and leave them out of `data` on the call"));
        return Some(diagnostic.help(format!("or, if `{end_name}` may hold it, say so: `cleared-for` with {kinds}")));
    }
    None
}

/// Somebody else's system of which nothing is said.
fn is_unknown_stranger(facts: &Facts<'_>, node: NodeId) -> bool {
    facts.topology().node(node).kind == ElementKind::External
        && matches!(facts.cascade().node(node, Key::ClearedFor), Answer::Unstated)
}

/// A caller that may not hold what is held where it reads.
fn read(facts: &Facts<'_>, id: CallId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let [from, to] = [topology.caller(id), topology.callee(id)].map(|end| topology.node_id_of(end));
    let is_store = matches!(topology.node(to).kind, ElementKind::Store | ElementKind::Cache);
    // What it says that it holds is all that it keeps of it.
    if !is_store || !facts.is_read(id) || facts.cascade().node(from, Key::Data).stated().is_some() {
        return None;
    }
    let (out, cleared) = beyond(facts, from, holds(facts, to))?;
    let (name, reader, kinds) = (prose::call(facts, id), topology.node_name(from), names(facts, &out));
    let message = format!("`{name}` reads where {kinds} is held, and `{reader}` is not cleared for it");
    let mut diagnostic = Diagnostic::new(topology.call(id).span, message).at("not stated: what it gets of it");
    diagnostic.certainty = Certainty::Possible;
    diagnostic.cause = Some(prose::cause(facts, id));
    diagnostic.group = Some("callers read where data is held that they are not cleared for".into());
    let diagnostic = labelled(diagnostic.subject(topology.call_name(id)), cleared);
    Some(
        diagnostic
            .help("state what it gets: `data` with those kinds on the call, or `data none` if it gets nothing of it"),
    )
}

/// Somebody else's system, or telemetry, that may not hold what its caller holds, and nothing says what it gets.
fn given_away(facts: &Facts<'_>, id: CallId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let [from, to] = [facts.topology().caller_node(id), facts.topology().callee_node(id)];
    let role = facts.cascade().node(to, Key::Role).given();
    let elsewhere =
        topology.node(to).kind == ElementKind::External || role.is_some_and(|role| role.setting.says("telemetry"));
    let code = topology.node(from).kind == ElementKind::Service;
    let (out, cleared) = beyond(facts, to, holds(facts, from)).filter(|_| elsewhere && code)?;
    let (name, callee, kinds) = (prose::call(facts, id), topology.node_name(to), names(facts, &out));
    let caller = topology.node_name(from);
    let message = format!(
        "`{name}` does not state what it carries: `{caller}` holds {kinds}, and `{callee}` is not cleared for it"
    );
    let mut diagnostic = Diagnostic::new(topology.call(id).span, message).at("not stated: `data`");
    diagnostic.certainty = Certainty::Possible;
    diagnostic.cause = Some(prose::cause(facts, id));
    diagnostic.group = Some("calls to others do not state what they carry".into());
    let diagnostic = labelled(diagnostic.subject(topology.call_name(id)), cleared);
    Some(diagnostic.help("state what it carries: `data none`, if all of it is left out or made unreadable on the way, or `data` with those kinds"))
}

fn labelled(diagnostic: Diagnostic, cleared: Stated<'_>) -> Diagnostic {
    match prose::place(cleared) {
        Some(span) => diagnostic.label(span, "what may be held there"),
        None => diagnostic,
    }
}

fn names(facts: &Facts<'_>, kinds: &[Name]) -> String {
    let names: Vec<String> = kinds.iter().map(|kind| format!("`{}`", facts.topology().text(*kind))).collect();
    names.join(", ")
}
