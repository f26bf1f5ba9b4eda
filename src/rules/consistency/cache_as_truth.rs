//! Data that is kept nowhere but in a cache.

use std::collections::HashSet;

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic, Step, spaced};
use crate::metadata::Options;
use crate::model::{Answer, CallId, NodeId, OperationId};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let topology = facts.topology();
    let caches = topology.node_ids().filter(|id| topology.node(*id).kind == ElementKind::Cache);
    caches.filter_map(|cache| report(facts, cache)).collect()
}

fn report(facts: &Facts<'_>, cache: NodeId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let sets = facts.writers(cache).filter(|call| operation_is(facts, *call, "set"));
    let of = facts.cascade().node(cache, Key::Of);
    let name = topology.node_name(cache);
    let (set, why) = match of {
        Answer::Given(stated) => {
            let source = stated.setting.nodes().next()?;
            let set = sets.filter(|call| is_apart(facts, topology.call(*call).from, source));
            (set.min_by_key(|call| facts.call_rank(*call))?, Some((stated, source)))
        }
        Answer::Unstated => {
            let ttl = facts.cascade().node(cache, Key::Ttl).given();
            ttl.filter(|stated| stated.setting.duration().is_none())?;
            (sets.min_by_key(|call| facts.call_rank(*call))?, None)
        }
        Answer::None(_) | Answer::Unreadable => return None,
    };
    let call = spaced(&topology.call_name(set));
    let message = match why {
        Some((_, source)) => {
            let source = topology.node_name(source);
            format!("what `{call}` keeps never gets to `{source}`, and a cache may forget it")
        }
        None => format!("what `{call}` keeps is to stay for ever, and a cache may forget it"),
    };
    let mut diagnostic =
        Diagnostic::new(topology.call(set).span, message).subject(topology.call_name(set)).subject(name);
    diagnostic.certainty = Certainty::Possible;
    diagnostic.cause = Some(name.to_owned());
    let step = |span, text: String| Step { subject: name.to_owned(), span, text, value: None };
    diagnostic
        .witness
        .push(Step { subject: topology.call_name(set), ..step(topology.call(set).span, "kept here only".into()) });
    let stated = match why {
        Some((stated, source)) => prose::place(stated).map(|span| {
            step(span, format!("said to be a copy of `{}`, which no way from here reaches", topology.node_name(source)))
        }),
        None => facts
            .cascade()
            .node(cache, Key::Ttl)
            .given()
            .and_then(prose::place)
            .map(|span| step(span, "nothing is to take it away; no store is stated behind it".to_owned())),
    };
    diagnostic.witness.extend(stated);
    diagnostic.help = match why {
        Some((_, source)) => vec![
            format!("write to `{}` too, before or after the cache", topology.node_name(source)),
            format!("if `{name}` keeps what it is given, declare it as `store {name}`"),
        ],
        None => vec![
            format!(
                "if `{name}` keeps what it is given, declare it as `store {name}`; if it is a copy, say of what: `of STORE`"
            ),
            format!("if it may be forgotten, say when: `ttl 30m` on `{name}`"),
        ],
    };
    Some(diagnostic)
}

fn operation_is(facts: &Facts<'_>, call: CallId, wanted: &str) -> bool {
    let to = facts.topology().operation(facts.topology().call(call).to);
    to.name.is_some_and(|name| facts.topology().text(name) == wanted)
}

/// So many operations around one are looked at; of what lies further nothing is said.
const MOST: usize = 256;

/// Whether no flow that runs through an operation gets to a node, in whatever way.
fn is_apart(facts: &Facts<'_>, operation: OperationId, node: NodeId) -> bool {
    let topology = facts.topology();
    let made = |call: &CallId| facts.plan(*call).made;
    let above =
        reached(operation, |at| topology.calls_to(at).filter(made).map(|call| topology.call(call).from).collect());
    let Some(above) = above else { return false };
    let mut seen = HashSet::new();
    // Each arrow of a client is a request of its own.
    let within = |at: &OperationId| topology.node_of(*at).kind != ElementKind::Client;
    above.into_iter().filter(within).all(|start| {
        let below =
            reached(start, |at| topology.calls_from(at).filter(made).map(|call| topology.call(call).to).collect());
        below.is_some_and(|below| {
            seen.extend(below);
            seen.len() <= MOST
        })
    }) && !seen.iter().any(|at| topology.operation(*at).node == node)
}

fn reached(start: OperationId, next: impl Fn(OperationId) -> Vec<OperationId>) -> Option<HashSet<OperationId>> {
    let mut seen = HashSet::from([start]);
    let mut open = vec![start];
    while let Some(at) = open.pop() {
        for found in next(at) {
            if seen.insert(found) {
                open.push(found);
            }
        }
        if seen.len() > MOST {
            return None;
        }
    }
    Some(seen)
}
