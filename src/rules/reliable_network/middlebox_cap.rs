//! Something between the ends that ends a call before its own bound does.

use super::statement::{is_written, one_each, source};
use super::timeout_inversion::copes;
use crate::analysis::{Extent, Facts, Limit};
use crate::diagnostic::Diagnostic;
use crate::metadata::Options;
use crate::model::{CallId, Client, ClientDefault, ClientKind, Duration, NodeId, Origin, Stated};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    one_each(facts, facts.calls_by_name().filter_map(|call| Some((call, finding(facts, call)?))))
}

/// What ends a call on its way.
#[derive(Clone, Copy)]
enum Cap<'a> {
    /// A node ends every call.
    Deadline(NodeId, Stated<'a>),
    /// A node closes what is silent.
    Silence(NodeId, Stated<'a>),
    /// A proxy does, by default.
    Proxy(&'a Client, &'a ClientDefault),
}

fn finding(facts: &Facts<'_>, id: CallId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let call = topology.call(id);
    if !facts.is_awaited(id) || facts.is_local(id) || call.implied {
        return None;
    }
    let (wait, stated) = wait(facts, id)?;
    let (cap, by) = shortest(facts, id)?;
    let needed = facts.times().operation(call.to).at_least;
    // A callee that needs longer than a node allows is `timeout-inversion`, at that node.
    let reported = matches!(by, Cap::Deadline(..)) && needed > Extent::Finite(cap) && !copes(facts, id);
    let detached = facts.cascade().operation(call.to, Key::Detached).given().is_some();
    if cap >= wait || reported || detached {
        return None;
    }
    let name = prose::call(facts, id);
    let mut diagnostic =
        Diagnostic::new(prose::place(stated).unwrap_or(call.span), message(facts, &name, wait, cap, by));
    if stated.origin != Origin::Own {
        diagnostic = diagnostic.label(call.span, "for this call");
    }
    diagnostic = match by {
        Cap::Deadline(_, stated) | Cap::Silence(_, stated) => {
            diagnostic.label(prose::place(stated).unwrap_or(call.span), format!("it ends here: {cap}"))
        }
        Cap::Proxy(client, default) => {
            diagnostic.label(call.span, format!("{}: {} by default", client.title, default.written))
        }
    };
    diagnostic = diagnostic.subject(topology.call_name(id));
    diagnostic.cause = Some(prose::cause_of(facts, id, Some(stated)));
    diagnostic.group = Some("calls are ended on their way before their own bound".into());
    diagnostic.consequence = Some(match needed {
        Extent::Finite(needed) if needed > cap => {
            format!(
                "`{}` can work for {needed}: what it answers after {cap} reaches nobody",
                topology.operation_name(call.to)
            )
        }
        _ => {
            "what takes longer ends in an error that neither end has written, and its own bound never counts".to_owned()
        }
    });
    diagnostic.help = help(facts, stated, cap, wait, by);
    Some(diagnostic)
}

fn message(facts: &Facts<'_>, name: &str, wait: Duration, cap: Duration, by: Cap<'_>) -> String {
    match by {
        Cap::Deadline(node, _) => {
            format!("`{name}` waits {wait}, but `{}` ends it after {cap}", facts.topology().node_name(node))
        }
        Cap::Silence(node, _) => {
            let node = facts.topology().node_name(node);
            format!("`{name}` waits {wait}, but `{node}` closes what is silent for {cap}")
        }
        Cap::Proxy(client, _) => format!("`{name}` waits {wait}, but `{}` ends it after {cap} by default", client.name),
    }
}

/// How long one attempt waits by what is written; of a stream, how long a silence.
fn wait<'a>(facts: &'a Facts<'_>, id: CallId) -> Option<(Duration, Stated<'a>)> {
    let plan = facts.plan(id);
    if facts.is_stream(id) {
        let stated = facts.cascade().call(id, &[Key::IdleTimeout]).given()?;
        return Some((stated.setting.duration()?, stated));
    }
    let limits = [plan.timeout, plan.deadline].into_iter();
    let stated =
        limits.filter_map(|limit| if let Limit::At(wait, stated) = limit { Some((wait, stated)) } else { None });
    stated.filter(|(_, stated)| is_written(Some(*stated))).min_by_key(|(wait, _)| *wait)
}

/// The shortest bound on the way. What bounds only silence bounds a stream, too.
fn shortest<'a>(facts: &Facts<'a>, id: CallId) -> Option<(Duration, Cap<'a>)> {
    let cascade = facts.cascade();
    let stream = facts.is_stream(id);
    let through = cascade.call(id, &[Key::Through]).given();
    let nodes = through.into_iter().flat_map(|stated| stated.setting.nodes());
    let of_nodes = nodes.flat_map(|node| {
        let look = move |key| {
            let stated = cascade.node(node, key).given()?;
            Some((stated.setting.duration()?, stated))
        };
        let deadline = look(Key::Deadline).filter(|_| !stream).map(|(cap, stated)| (cap, Cap::Deadline(node, stated)));
        let silence = look(Key::IdleLimit).map(|(cap, stated)| (cap, Cap::Silence(node, stated)));
        deadline.into_iter().chain(silence)
    });
    let kind = facts.topology().kind_of(facts.topology().callee(id));
    let behind_mesh = matches!(kind, ElementKind::Service | ElementKind::External) && !stream;
    let proxies = cascade.clients(id).filter(|client| client.kind == ClientKind::Proxy && behind_mesh);
    let of_proxies = proxies.filter_map(|client| {
        let default = client.known(Key::Deadline)?;
        Some((default.setting.duration()?, Cap::Proxy(client, default)))
    });
    of_nodes.chain(of_proxies).min_by_key(|(cap, _)| *cap)
}

fn help(facts: &Facts<'_>, stated: Stated<'_>, cap: Duration, wait: Duration, by: Cap<'_>) -> Vec<String> {
    let key = stated.setting.key;
    let mut help = vec![format!("write what holds: `{key} {}`, or less", cap.written())];
    match by {
        Cap::Deadline(node, _) => {
            help.push(format!(
                "or let `{}` wait as long: `deadline {}` on it",
                facts.topology().node_name(node),
                wait.written()
            ));
        }
        Cap::Silence(node, _) => {
            help.push(format!(
                "or let `{}` wait as long: `idle-limit {}` on it",
                facts.topology().node_name(node),
                wait.written()
            ));
        }
        Cap::Proxy(client, default) => {
            help.push(format!(
                "or, if its route allows more, draw it: `through` a node with `deadline {}`, and leave `{}` out of `via`",
                wait.written(),
                client.name
            ));
            help.push(source(client, default));
        }
    }
    help.push("or answer at once and let the caller come back for the result: `detached` on the callee".to_owned());
    help
}
