//! What is stated on one side and not on the other: elements that came, went, were renamed, and attributes of those that
//! stayed.

use std::collections::{HashMap, HashSet};

use super::elements::{Attribute, Element, Id, Naming, elements, joined, order};
use super::renames::renames;
use crate::model::{CallId, NodeId, OperationId, Topology};
use crate::parallel;
use crate::source::{SourceMap, Span};

/// What became of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It came.
    Added,
    /// It went.
    Removed,
    /// It stayed, and something else is stated of it.
    Changed,
    /// It was called so before.
    Renamed(String),
}

/// An element that is not what it was.
#[derive(Clone, Debug)]
pub struct Edit {
    /// What it is, such as `service`, `call` or `policy`.
    pub kind: &'static str,
    /// Its name; of what went, the one it had.
    pub name: String,
    /// What became of it.
    pub fate: Fate,
    /// Where it is written; of what went, where it was.
    pub span: Span,
    /// What is stated otherwise of an element that stayed.
    pub attributes: Vec<AttributeEdit>,
    pub(super) id: Id,
}

/// An attribute that is not what it was.
#[derive(Clone, Debug)]
pub struct AttributeEdit {
    /// Its name, such as `timeout`.
    pub name: String,
    /// Its value before, as written; none if it was not stated.
    pub before: Option<String>,
    /// Its value after, as written; none if it is no longer stated.
    pub after: Option<String>,
    /// Where it is written; if it is no longer stated, where its element is.
    pub span: Span,
}

impl AttributeEdit {
    /// "`timeout` 1s → 3s", "`retries 2` added", "`deadline 2s` removed", without what is code.
    #[must_use]
    pub fn sentence(&self, code: impl Fn(&str) -> String) -> String {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) if before.is_empty() || after.is_empty() => {
                format!("{} → {}", code(&joined(&self.name, before)), code(&joined(&self.name, after)))
            }
            (Some(before), Some(after)) => format!("{} {before} → {after}", code(&self.name)),
            (None, Some(after)) => format!("{} added", code(&joined(&self.name, after))),
            (Some(before), None) => format!("{} removed", code(&joined(&self.name, before))),
            (None, None) => code(&self.name),
        }
    }
}

/// Two topologies, element by element.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) edits: Vec<Edit>,
    pub(super) naming: Naming,
    /// Elements that are on both sides: before and after.
    pub(super) nodes: Vec<(NodeId, NodeId)>,
    pub(super) operations: HashMap<OperationId, OperationId>,
    pub(super) calls: Vec<(CallId, CallId)>,
}

/// What has changed from `base` to `head`, whose texts `sources` holds all.
pub(super) fn difference(base: &Topology, head: &Topology, sources: &SourceMap) -> Difference {
    let naming = renames(base, head, sources);
    let (before, after) =
        parallel::both(|| elements(base, sources, &naming), || elements(head, sources, &Naming::default()));
    let old: HashMap<(&str, &str), &Element> = before.iter().map(|element| (key(element), element)).collect();
    let new: HashSet<(&str, &str)> = after.iter().map(key).collect();
    let mut found = Difference {
        edits: Vec::new(),
        nodes: Vec::new(),
        operations: same_operations(base, head, &naming),
        calls: Vec::new(),
        naming,
    };
    for element in &after {
        match old.get(&key(element)) {
            Some(old) => found.stayed(old, element),
            None => found.edits.push(edit(element, Fate::Added, Vec::new())),
        }
    }
    let gone = before.iter().filter(|element| !new.contains(&key(element)));
    found.edits.extend(gone.map(|element| edit(element, Fate::Removed, Vec::new())));
    found.reordered(base, head);
    found
}

/// Kinds of nodes are attributes: a service that becomes an external is the same node.
fn key(element: &Element) -> (&str, &str) {
    let kind = if matches!(element.id, Id::Node(_)) { "node" } else { element.kind };
    (kind, &element.identity)
}

fn edit(element: &Element, fate: Fate, attributes: Vec<AttributeEdit>) -> Edit {
    Edit { kind: element.kind, name: element.name.clone(), fate, span: element.span, attributes, id: element.id }
}

fn same_operations(base: &Topology, head: &Topology, naming: &Naming) -> HashMap<OperationId, OperationId> {
    let same = |id| Some((id, head.operation_named(&naming.operation(base, id))?));
    base.operation_ids().filter_map(same).collect()
}

impl Difference {
    fn stayed(&mut self, old: &Element, new: &Element) {
        match (old.id, new.id) {
            (Id::Node(one), Id::Node(other)) => self.nodes.push((one, other)),
            (Id::Call(one), Id::Call(other)) => self.calls.push((one, other)),
            _ => {}
        }
        let attributes = attributes(old, new);
        // The ends of a call are renamed by themselves.
        let renamed = old.name != new.name && matches!(new.id, Id::Node(_) | Id::Operation(_));
        let own = |name: &str| name.rsplit('.').next().map(str::to_owned);
        let by_itself = !matches!(new.id, Id::Operation(_)) || own(&old.name) != own(&new.name);
        if renamed && by_itself {
            self.edits.push(edit(new, Fate::Renamed(old.name.clone()), attributes));
        } else if !attributes.is_empty() {
            self.edits.push(edit(new, Fate::Changed, attributes));
        }
    }

    /// Operations that make the same calls in another order.
    fn reordered(&mut self, base: &Topology, head: &Topology) {
        let old: HashMap<CallId, CallId> = self.calls.iter().copied().collect();
        let kept: HashSet<CallId> = old.values().copied().collect();
        let mut pairs: Vec<(OperationId, OperationId)> =
            self.operations.iter().map(|(one, other)| (*one, *other)).collect();
        pairs.sort_by_key(|(_, id)| *id);
        for (one, id) in pairs {
            let callee = |topology: &Topology, call| topology.operation_name(topology.callee(call));
            let before = order(&base.operation(one).body, &|call| Some(callee(head, *old.get(&call)?)));
            let after = order(&head.operation(id).body, &|call| kept.contains(&call).then(|| callee(head, call)));
            if before == after {
                continue;
            }
            let span = head.operation(id).span;
            let calls = AttributeEdit {
                name: "calls".to_owned(),
                before: Some(before.join("; ")),
                after: Some(after.join("; ")),
                span,
            };
            match self.edits.iter_mut().find(|edit| edit.id == Id::Operation(id)) {
                Some(edit) => edit.attributes.push(calls),
                None => self.edits.push(Edit {
                    kind: "operation",
                    name: head.operation_name(id),
                    fate: Fate::Changed,
                    span,
                    attributes: vec![calls],
                    id: Id::Operation(id),
                }),
            }
        }
    }
}

fn attributes(old: &Element, new: &Element) -> Vec<AttributeEdit> {
    let find = |all: &[Attribute], name: &str| all.iter().find(|attribute| attribute.name == name).cloned();
    let mut found = Vec::new();
    for attribute in &new.attributes {
        let before = find(&old.attributes, &attribute.name);
        if before.as_ref().is_none_or(|before| before.meaning != attribute.meaning) {
            found.push(AttributeEdit {
                name: attribute.name.clone(),
                before: before.map(|before| before.value),
                after: Some(attribute.value.clone()),
                span: attribute.span,
            });
        }
    }
    let gone = old.attributes.iter().filter(|attribute| find(&new.attributes, &attribute.name).is_none());
    found.extend(gone.map(|attribute| AttributeEdit {
        name: attribute.name.clone(),
        before: Some(attribute.value.clone()),
        after: None,
        span: new.span,
    }));
    found
}
