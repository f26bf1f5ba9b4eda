//! A call whose callee does not know who calls; entries of public services that nobody is drawn to call included.

use super::stakes;
use crate::analysis::{Effect, Facts, Hop, PublicEntry, Stake};
use crate::diagnostic::{Certainty, Diagnostic};
use crate::ids::IdSet;
use crate::model::{Answer, CallId, OperationId};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &crate::metadata::Options) -> Vec<Diagnostic> {
    let entries = facts.public_entries();
    let open: IdSet<OperationId> = entries.iter().map(|entry| entry.operation).collect();
    let calls = facts.topology().call_ids().filter_map(|id| {
        let hop = facts.hop(id)?;
        // What anybody may do is said of the operation, not once more of each of our own calls to it.
        let said = matches!(hop.reached, Some(Stake::Public(..))) && open.contains(&facts.topology().callee(id));
        if said && hop.peer().stated().is_none() { None } else { call(facts, id, hop) }
    });
    calls.chain(entries.iter().filter_map(|public| entry(facts, public))).collect()
}

fn call(facts: &Facts<'_>, id: CallId, hop: &Hop<'_>) -> Option<Diagnostic> {
    let topology = facts.topology();
    let (certainty, unknown) = certainty(facts, id, hop)?;
    let name = prose::call(facts, id);
    let because = hop.reached.map(|stake| format!(", and {}", stakes::clause(facts, id, &stake))).unwrap_or_default();
    let stated = hop.peer().stated();
    let mut diagnostic = match stated {
        Some(stated) => prose::about_call(facts, id, stated, format!("nobody checks who calls in `{name}`{because}")),
        None => Diagnostic::new(topology.call(id).span, format!("`{name}` states no authentication{because}")),
    };
    diagnostic.certainty = certainty;
    if let Some(unknown) = unknown {
        diagnostic = diagnostic.at(format!("not stated: {unknown}"));
    }
    diagnostic.group = Some(if stated.is_some() {
        "calls are not authenticated".into()
    } else {
        "calls state no authentication where it matters".into()
    });
    if let Some(stake) = &hop.reached {
        diagnostic = stakes::labelled(facts, id, diagnostic, stake);
    }
    diagnostic.cause = Some(prose::cause(facts, id));
    let callee = topology.node_name(facts.topology().callee_node(id));
    diagnostic = diagnostic.subject(topology.call_name(id)).help(proof(facts, id));
    diagnostic = diagnostic.help(format!("said on `{callee}`, it holds for all calls that arrive there"));
    Some(if matches!(hop.reached, Some(Stake::Public(..))) {
        open(facts, topology.callee(id), diagnostic)
    } else {
        diagnostic
    })
}

/// How certain it is that somebody unknown reaches what they should not, and what is not known of it.
fn certainty(facts: &Facts<'_>, id: CallId, hop: &Hop<'_>) -> Option<(Certainty, Option<String>)> {
    let peer = hop.peer();
    if matches!(peer, Answer::Given(_) | Answer::Unreadable) {
        return None;
    }
    let content = content(facts, facts.topology().callee(id));
    match (peer, hop.reached, content) {
        (_, _, Some(Effect::Absent)) | (Answer::Unstated, _, Some(Effect::Unknown)) | (Answer::Unstated, None, _) => {
            None
        }
        (Answer::Unstated, Some(_), _) => Some((Certainty::Possible, None)),
        (_, _, Some(Effect::Unknown)) => {
            Some((Certainty::Possible, Some("what it changes, with all that it calls".to_owned())))
        }
        (_, Some(Stake::Crossing(_) | Stake::Public(..) | Stake::Data(..)), _) => Some((Certainty::Proved, None)),
        (_, None, _) if hop.is_within_a_zone() => Some((Certainty::Heuristic, None)),
        (_, Some(Stake::Outside(..)) | None, _) => Some((Certainty::Possible, Some(unplaced(facts, id, hop)))),
    }
}

/// "the trust zone of `shop` and of `orders`".
fn unplaced(facts: &Facts<'_>, id: CallId, hop: &Hop<'_>) -> String {
    let call = facts.topology().call(id);
    let ends = [call.from, call.to].into_iter().zip(&hop.zones).filter(|(_, zone)| zone.is_none());
    let mut names: Vec<String> =
        ends.map(|(end, _)| format!("of `{}`", facts.topology().node_name(facts.topology().node_id_of(end)))).collect();
    names.dedup();
    format!("the trust zone {}", names.join(" and "))
}

/// What an operation may change that is read-only content of a public node: neither data nor effects of its own.
fn content(facts: &Facts<'_>, operation: OperationId) -> Option<Effect> {
    let node = facts.topology().node_id_of(operation);
    let of_node = |key| facts.cascade().node(node, key).given().is_some();
    let readonly = facts.cascade().operation(operation, Key::Readonly).given().is_some();
    (readonly && of_node(Key::Public) && !of_node(Key::Data)).then(|| facts.changes(operation))
}

/// What the caller can prove itself with.
fn proof(facts: &Facts<'_>, id: CallId) -> &'static str {
    let call = facts.topology().call(id);
    match [call.from, call.to].map(|end| facts.topology().kind_of(end)) {
        [ElementKind::Client, _] => {
            "write `authn oidc` for people, `authn api-key` or `encryption mtls` for programs of others"
        }
        [_, ElementKind::External] => "write how we are known there: `authn api-key`, or `encryption mtls`",
        [ElementKind::Service, ElementKind::Service] => {
            "write `encryption mtls`, by which both ends prove who they are, or `authn workload`"
        }
        _ => "write `authn password`, or `encryption mtls`, by which both ends prove who they are",
    }
}

/// Content that anybody may read needs no authentication.
fn open(facts: &Facts<'_>, operation: OperationId, diagnostic: Diagnostic) -> Diagnostic {
    let name = facts.topology().operation_name(operation);
    if facts.cascade().operation(operation, Key::Readonly).given().is_some() {
        return diagnostic;
    }
    diagnostic.help(format!("or `readonly` on `{name}`, if it serves content that anybody may read"))
}

fn entry(facts: &Facts<'_>, public: &PublicEntry<'_>) -> Option<Diagnostic> {
    let name = facts.topology().operation_name(public.operation);
    let span = facts.topology().operation(public.operation).span;
    let content = content(facts, public.operation);
    let (mut diagnostic, certainty) = match (public.peer, content) {
        (Answer::Given(_) | Answer::Unreadable, _)
        | (_, Some(Effect::Absent))
        | (Answer::Unstated, Some(Effect::Unknown)) => return None,
        (Answer::None(stated), content) => {
            let unknown = content == Some(Effect::Unknown);
            let span = prose::place(stated).unwrap_or(span);
            let message = format!("anybody can call `{name}`: it is public, and nobody checks who calls");
            (Diagnostic::new(span, message), if unknown { Certainty::Possible } else { Certainty::Proved })
        }
        (Answer::Unstated, _) => {
            let message = format!("`{name}` is public, and states no authentication");
            (Diagnostic::new(span, message), Certainty::Possible)
        }
    };
    diagnostic.certainty = certainty;
    diagnostic.group = Some("operations are public, and state no authentication".into());
    diagnostic.cause = Some(name.clone());
    if let Some(place) = prose::place(public.public) {
        diagnostic = diagnostic.label(place, "can be reached from outside");
    }
    let help = "write on it how its callers are known, such as `authn oidc`, or draw the client that calls it";
    Some(open(facts, public.operation, diagnostic.subject(name).help(help)))
}
