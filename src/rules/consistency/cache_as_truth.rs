//! Data that is kept nowhere but in a cache.

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic, Step, spaced};
use crate::metadata::Options;
use crate::model::{Answer, NodeId};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let topology = facts.topology();
    let caches = topology.node_ids().filter(|id| topology.node(*id).kind == ElementKind::Cache);
    caches.filter_map(|cache| report(facts, cache)).collect()
}

fn report(facts: &Facts<'_>, cache: NodeId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let of = facts.cascade().node(cache, Key::Of);
    let name = topology.node_name(cache);
    let (set, why) = match of {
        Answer::Given(stated) => {
            let source = stated.setting.nodes().next()?;
            (facts.uncopied(cache).0?, Some((stated, source)))
        }
        Answer::Unstated => {
            let ttl = facts.cascade().node(cache, Key::Ttl).given();
            ttl.filter(|stated| stated.setting.duration().is_none())?;
            (facts.sets(cache).min_by_key(|call| facts.call_rank(*call))?, None)
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
