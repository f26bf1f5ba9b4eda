//! Which line a value came from, and what it overrode.

use std::fmt::Write as _;

use super::paint::Look;
use crate::model::{CallId, Cascade, NodeId, OperationId, Origin, ScopeId, ScopeKind, Stated, Topology};
use crate::source::{SourceMap, clean};
use crate::vocabulary::{Key, Places};

/// What is asked about.
#[derive(Clone, Copy, Debug)]
pub enum Question {
    /// An attribute of a call.
    Call(CallId),
    /// An attribute of an operation.
    Operation(OperationId),
    /// An attribute of a node.
    Node(NodeId),
}

/// The value, the line it came from, and what it overrode, strongest first.
#[must_use]
pub fn provenance(
    sources: &SourceMap,
    topology: &Topology,
    cascade: Cascade<'_>,
    question: Question,
    key: Key,
    look: Look,
) -> String {
    let keys: &[Key] = match key {
        Key::Retries | Key::Attempts => &[Key::Retries, Key::Attempts],
        _ => std::slice::from_ref(&key),
    };
    let (name, all) = match question {
        Question::Call(id) => (topology.call_name(id), cascade.call_all(id, keys)),
        Question::Operation(id) => (topology.operation_name(id), cascade.operation_all(id, key)),
        Question::Node(id) => (topology.node_name(id).to_owned(), cascade.node_all(id, key)),
    };
    let Some((winner, overridden)) = all.split_first() else {
        let says = match question {
            Question::Call(_) if !key.attribute().on.intersects(Places::CALL) => {
                format!("`{key}` is not said of a call, but of {}", key.attribute().on.names().join(", "))
            }
            _ => format!("`{key}` is stated nowhere, so it is unknown"),
        };
        return format!("{}\n", look.wrap("", &format!("{name}: {says}")).trim_end());
    };
    let mut text = format!("{}\n", look.bold(&clean(&format!("{name}: {}", written(sources, *winner)))));
    line(&mut text, sources, topology, *winner, look);
    if !overridden.is_empty() {
        text.push_str("overrides:\n");
        for stated in overridden {
            line(&mut text, sources, topology, *stated, look);
        }
    }
    text
}

/// A statement as it stands in the text, or as its client states it.
pub(crate) fn written(sources: &SourceMap, stated: Stated<'_>) -> String {
    match stated.entry() {
        Some((_, default)) => format!("{} {}", stated.setting.key, default.written),
        None => sources.text(stated.setting.span).to_owned(),
    }
}

fn line(text: &mut String, sources: &SourceMap, topology: &Topology, stated: Stated<'_>, look: Look) {
    let place = place(sources, stated);
    let _ = writeln!(text, "  {}  {}", clean(&place), clean(&written(sources, stated)));
    let _ = writeln!(text, "    {}", look.dim(&clean(&origin(topology, stated))));
}

/// Where it is written; of what nobody wrote, where it was read.
pub(crate) fn place(sources: &SourceMap, stated: Stated<'_>) -> String {
    if let Some((_, default)) = stated.entry() {
        return format!("{} ({})", default.source, default.date);
    }
    let position = sources.position(stated.setting.span);
    format!("{}:{}:{}", sources.name(stated.setting.span), position.line, position.column)
}

/// What kind of place it stands in.
pub(crate) fn origin(topology: &Topology, stated: Stated<'_>) -> String {
    match stated.origin {
        Origin::Own => "stated on it".to_owned(),
        Origin::Node(node) => format!("stated on `{}`", topology.node_name(node)),
        Origin::Policy(policy) => format!("policy `{}`", topology.text(topology.policy(policy).name)),
        Origin::Callee(None) => "the callee insists on it".to_owned(),
        Origin::Callee(Some(scope)) => format!("the callee insists on it: {}", of(topology, scope)),
        Origin::Box(scope) => format!("stated {}", of(topology, scope)),
        Origin::Defaults(scope) => format!("`defaults` {}", of(topology, scope)),
        Origin::Client(client) => {
            let meaning = stated.entry().map_or("", |(_, default)| default.meaning.as_str());
            format!("default of {} {}: {meaning}", client.title, client.versions)
        }
    }
}

fn of(topology: &Topology, scope: ScopeId) -> String {
    let scope = topology.scope(scope);
    let name = scope.name.map_or("", |name| topology.text(name));
    match scope.kind {
        ScopeKind::Topology => "of the topology".to_owned(),
        ScopeKind::Root => "of the root file".to_owned(),
        ScopeKind::File => "of the file".to_owned(),
        ScopeKind::Group => format!("of the group `{name}`"),
        ScopeKind::Node => format!("of `{name}`"),
    }
}
