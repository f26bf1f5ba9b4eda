//! A store, cache or queue that can be reached from outside, past all that would check who asks for what.

use super::stakes;
use crate::analysis::{Facts, Stake};
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::{Answer, CallId, NodeId};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let topology = facts.topology();
    let open = topology.node_ids().filter_map(|node| open(facts, node));
    open.chain(topology.call_ids().filter_map(|call| direct(facts, call))).collect()
}

fn is_data(kind: ElementKind) -> bool {
    matches!(kind, ElementKind::Store | ElementKind::Cache | ElementKind::Queue)
}

fn open(facts: &Facts<'_>, node: NodeId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let kind = topology.node(node).kind;
    let public = facts.cascade().node(node, Key::Public).given().filter(|_| is_data(kind))?;
    let (certainty, holds) = match facts.cascade().node(node, Key::Data) {
        Answer::Given(stated) => {
            let kinds: Vec<String> =
                stated.setting.texts().iter().map(|name| format!("`{}`", topology.text(*name))).collect();
            (Certainty::Proved, format!("and it holds {}", kinds.join(", ")))
        }
        Answer::Unstated => (Certainty::Possible, "and what it holds is not stated".to_owned()),
        Answer::None(_) | Answer::Unreadable => return None,
    };
    let name = topology.node_name(node);
    let message = format!("the {} `{name}` can be reached from outside, {holds}", kind.name());
    let mut diagnostic = Diagnostic::new(prose::place(public).unwrap_or(topology.node(node).span), message);
    diagnostic.certainty = certainty;
    diagnostic.cause = Some(name.to_owned());
    diagnostic.group = Some("stores can be reached from outside".into());
    diagnostic.consequence = Some("one mistake in its own settings, and everybody reads all of it".to_owned());
    let diagnostic = diagnostic.subject(name);
    let diagnostic = diagnostic
        .help(format!("let a service stand before it, which is `public` in its place: `public none` on `{name}`"));
    Some(match certainty {
        Certainty::Proved => diagnostic,
        _ => diagnostic.help(format!("or, if it holds only what anybody may read, say so: `data none` on `{name}`")),
    })
}

/// A client of another trust zone that asks a store itself, with nothing between them.
fn direct(facts: &Facts<'_>, id: CallId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let stake = facts.hop(id)?.reached.filter(|stake| matches!(stake, Stake::Crossing(_)))?;
    let [from, to] = [facts.topology().caller_node(id), facts.topology().callee_node(id)];
    let look = |key| facts.cascade().node(to, key).given();
    let is_meant = topology.node(from).kind == ElementKind::Client && is_data(topology.node(to).kind);
    // What is public is reported as such.
    if !is_meant || look(Key::Public).is_some() || facts.cascade().call(id, &[Key::Through]).may_be_given() {
        return None;
    }
    look(Key::Data)?;
    let (name, kind) = (prose::call(facts, id), topology.node(to).kind.name());
    let message = format!("`{name}` asks a {kind} itself, and {}", stakes::clause(facts, id, &stake));
    let mut diagnostic =
        Diagnostic::new(topology.call(id).span, message).at("not stated: whether anything stands between them");
    diagnostic.certainty = Certainty::Possible;
    diagnostic.cause = Some(prose::cause(facts, id));
    diagnostic.group = Some("clients of other trust zones ask stores themselves".into());
    let diagnostic = stakes::labelled(facts, id, diagnostic.subject(topology.call_name(id)), &stake);
    Some(diagnostic.help("let a service ask for it, or say what stands between: `through NODE` on the call"))
}
