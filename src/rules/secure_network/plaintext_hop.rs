//! A hop that anyone on the way can read and change.

use std::collections::HashMap;

use super::stakes;
use crate::analysis::{Facts, Hop};
use crate::diagnostic::{Certainty, Diagnostic};
use crate::model::{Answer, CallId, NodeId, Origin};
use crate::rules::prose;
use crate::source::Span;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &crate::metadata::Options) -> Vec<Diagnostic> {
    let open: Vec<(CallId, &Hop<'_>)> =
        facts.topology().call_ids().filter_map(|call| Some((call, facts.hop(call)?))).filter(is_open).collect();
    let mut together: HashMap<Place, u64> = HashMap::new();
    for (call, hop) in &open {
        *together.entry(place(facts, *call, hop)).or_default() += 1;
    }
    let shared = |call, hop: &Hop<'_>| together.get(&place(facts, call, hop)).copied().unwrap_or(1);
    open.into_iter().map(|(call, hop)| help(facts, call, hop, shared(call, hop), report(facts, call, hop))).collect()
}

/// Stated to be plain, or unstated where something is at stake.
fn is_open((_, hop): &(CallId, &Hop<'_>)) -> bool {
    match hop.encryption {
        Answer::None(_) => true,
        Answer::Unstated => hop.read.is_some(),
        Answer::Given(_) | Answer::Unreadable => false,
    }
}

/// Where one statement mends several calls.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    /// At the statement that decides over them.
    Statement(Span),
    /// On their callee.
    Callee(NodeId),
}

fn place(facts: &Facts<'_>, call: CallId, hop: &Hop<'_>) -> Place {
    let stated = hop.encryption.stated().and_then(prose::place);
    stated.map_or_else(|| Place::Callee(facts.topology().callee_node(call)), Place::Statement)
}

fn report(facts: &Facts<'_>, id: CallId, hop: &Hop<'_>) -> Diagnostic {
    let topology = facts.topology();
    let name = prose::call(facts, id);
    let because = hop.read.map(|stake| format!(", and {}", stakes::clause(facts, id, &stake))).unwrap_or_default();
    let mut diagnostic = if let Some(stated) = hop.encryption.stated() {
        let mut plain = prose::about_call(facts, id, stated, format!("`{name}` is sent in plain text{because}"));
        plain.group = Some("calls are sent in plain text".into());
        plain.fix = prose::replace(Some(stated), "encryption tls".to_owned());
        plain
    } else {
        let message = format!("`{name}` states no encryption{because}");
        let mut unknown = Diagnostic::new(topology.call(id).span, message);
        unknown.certainty = Certainty::Possible;
        unknown.group = Some("calls state no encryption where it matters".into());
        unknown
    };
    if let Some(stake) = &hop.read {
        diagnostic = stakes::labelled(facts, id, diagnostic, stake);
    }
    diagnostic.cause = Some(prose::cause(facts, id));
    diagnostic.subject(topology.call_name(id))
}

fn help(facts: &Facts<'_>, id: CallId, hop: &Hop<'_>, shared: u64, diagnostic: Diagnostic) -> Diagnostic {
    let diagnostic =
        diagnostic.help("write `encryption tls`, or `encryption mtls` where both ends are to prove who they are");
    let own = hop.encryption.stated().is_some_and(|stated| stated.origin == Origin::Own);
    let callee = facts.topology().node_name(facts.topology().callee_node(id));
    let diagnostic = match place(facts, id, hop) {
        Place::Statement(_) if shared > 1 => {
            diagnostic.help(format!("said in the place of `none`, it holds for the {shared} calls that state it there"))
        }
        Place::Callee(_) if shared > 1 => {
            diagnostic.help(format!("said on `{callee}`, it holds for the {shared} calls here that arrive there"))
        }
        _ if own => diagnostic,
        _ => diagnostic.help(format!("said on `{callee}`, it holds for all calls that arrive there")),
    };
    diagnostic.help("or `local`, if both ends run on one host and no network lies between")
}
