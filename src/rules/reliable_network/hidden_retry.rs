//! A call that its client or mesh tries again, though the diagram says nothing of it.

use super::statement::{one_each, rests_on, source};
use crate::analysis::Facts;
use crate::diagnostic::Diagnostic;
use crate::metadata::Options;
use crate::model::{Answer, CallId, Client, ClientDefault, ClientKind, Origin};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    one_each(facts, facts.calls_by_name().filter_map(|call| Some((call, finding(facts, call)?))))
}

fn finding(facts: &Facts<'_>, id: CallId) -> Option<Diagnostic> {
    let call = facts.topology().call(id);
    if !facts.is_made(id) || facts.is_local(id) || call.implied || is_said(facts, id) {
        return None;
    }
    let (client, default, times) = default_retries(facts, id)?;
    let name = prose::call(facts, id);
    let message = format!("`{name}` states no retries, but `{}` makes {times} by default", client.name);
    let mut diagnostic = rests_on(facts, id, client, default, message);
    diagnostic.group = Some("calls are tried again by the defaults of their client or mesh".into());
    diagnostic.help = match client.kind {
        ClientKind::Library | ClientKind::Broker => vec![
            "write the number that is meant, also where that is one: `attempts 1`, and configure the client so"
                .to_owned(),
        ],
        ClientKind::Proxy => vec![
            "write what the caller itself does: `attempts 1`; the layer of the mesh is counted all the same".to_owned(),
            format!("or switch its retries off for this route, and leave `{}` out of `via`", client.name),
        ],
    };
    diagnostic.help.push(source(client, default));
    Some(diagnostic)
}

/// Whether the diagram speaks of retries; what could not be read may.
fn is_said(facts: &Facts<'_>, id: CallId) -> bool {
    let none_tried = matches!(facts.cascade().call(id, &[Key::RetryOn]), Answer::None(_));
    none_tried
        || match facts.cascade().call(id, &[Key::Retries, Key::Attempts]) {
            Answer::Given(stated) | Answer::None(stated) => !matches!(stated.origin, Origin::Client(..)),
            Answer::Unreadable => true,
            Answer::Unstated => false,
        }
}

/// The first client that tries again by itself. A mesh sits before services and external systems only.
fn default_retries<'a>(facts: &Facts<'a>, id: CallId) -> Option<(&'a Client, &'a ClientDefault, String)> {
    let topology = facts.topology();
    let kind = topology.kind_of(topology.callee(id));
    let behind_mesh = matches!(kind, ElementKind::Service | ElementKind::External);
    let clients = facts.cascade().clients(id).filter(|client| client.kind == ClientKind::Library || behind_mesh);
    let mut retries = clients.filter_map(|client| {
        let default = client.default_of(Key::Attempts)?;
        let times = match default.setting.count() {
            None if default.setting.says("unlimited") => "attempts without end".to_owned(),
            Some(count) if count > 1 => format!("up to {count} attempts"),
            _ => return None,
        };
        Some((client, default, times))
    });
    retries.next()
}
