//! What is stated on one side and not on the other: elements that came, went, were renamed, and attributes of those that
//! stayed.

use std::collections::{HashMap, HashSet, VecDeque};

use super::elements::{Attribute, Element, Id, Naming, elements, joined, order};
use super::renames::renames;
use crate::model::{CallId, NodeId, OperationId, Step, Topology};
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
    let own = Naming::default();
    let (before, after) = parallel::both(|| elements(base, sources, &naming), || elements(head, sources, &own));
    let mut old: HashMap<(&str, &str), (&Element<'_>, bool)> =
        before.iter().map(|element| (key(element), (element, false))).collect();
    let mut found = Difference {
        edits: Vec::new(),
        nodes: Vec::new(),
        operations: same_operations(base, head, &naming),
        calls: Vec::new(),
        naming: Naming::default(),
    };
    for element in &after {
        match old.get_mut(&key(element)) {
            Some((old, is_there)) => {
                *is_there = true;
                found.stayed(old, element);
            }
            None => found.edits.push(edit(element, Fate::Added, Vec::new())),
        }
    }
    let gone = before.iter().filter(|element| old.get(&key(element)).is_some_and(|(_, is_there)| !is_there));
    found.edits.extend(gone.map(|element| edit(element, Fate::Removed, Vec::new())));
    found.reordered(base, head);
    Difference { naming, ..found }
}

/// Kinds of nodes are attributes: a service that becomes an external is the same node.
fn key<'a>(element: &'a Element<'_>) -> (&'a str, &'a str) {
    let kind = if matches!(element.id, Id::Node(_)) { "node" } else { element.kind };
    (kind, &element.identity)
}

fn edit(element: &Element<'_>, fate: Fate, attributes: Vec<AttributeEdit>) -> Edit {
    Edit { kind: element.kind, name: element.name.clone(), fate, span: element.span, attributes, id: element.id }
}

fn same_operations(base: &Topology, head: &Topology, naming: &Naming) -> HashMap<OperationId, OperationId> {
    let same = |id| Some((id, head.operation_named(&naming.operation(base, id))?));
    base.operation_ids().filter_map(same).collect()
}

impl Difference {
    fn stayed(&mut self, old: &Element<'_>, new: &Element<'_>) {
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
            if is_same_order(&base.operation(one).body, &head.operation(id).body, &old) {
                continue;
            }
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

/// Whether the same calls are made in the same steps, as nearly always.
fn is_same_order(before: &[Step], after: &[Step], same: &HashMap<CallId, CallId>) -> bool {
    before.len() == after.len()
        && before.iter().zip(after).all(|steps| match steps {
            (Step::Call(one), Step::Call(other)) => same.get(one) == Some(other),
            (Step::Any(enough, one), Step::Any(also, other)) => enough == also && is_same_order(one, other, same),
            (Step::Sequence(one), Step::Sequence(other))
            | (Step::Parallel(one), Step::Parallel(other))
            | (Step::OneOf(one), Step::OneOf(other)) => is_same_order(one, other, same),
            _ => false,
        })
}

/// What is stated otherwise. Where an attribute may be stated several times, the next one that came was the next that
/// went.
fn attributes(old: &Element<'_>, new: &Element<'_>) -> Vec<AttributeEdit> {
    if old.says_the_same(new) {
        return Vec::new();
    }
    let (before, after) = (old.attributes(), new.attributes());
    let (went, came) = (only(&before, &after), only(&after, &before));
    let mut former: HashMap<&str, VecDeque<usize>> = HashMap::new();
    for (index, attribute) in went.iter().enumerate() {
        former.entry(&attribute.name).or_default().push_back(index);
    }
    let mut found = Vec::new();
    for attribute in came {
        let former = former.get_mut(attribute.name.as_str()).and_then(VecDeque::pop_front);
        found.push(AttributeEdit {
            name: attribute.name.clone(),
            before: former.and_then(|index| went.get(index)).map(|attribute| attribute.value.clone()),
            after: Some(attribute.value.clone()),
            span: attribute.span,
        });
    }
    let mut gone: Vec<usize> = former.into_values().flatten().collect();
    gone.sort_unstable();
    found.extend(gone.into_iter().filter_map(|index| went.get(index)).map(|attribute| AttributeEdit {
        name: attribute.name.clone(),
        before: Some(attribute.value.clone()),
        after: None,
        span: new.span,
    }));
    found
}

/// What one side states and the other does not.
fn only<'a>(these: &'a [Attribute], others: &[Attribute]) -> Vec<&'a Attribute> {
    let others: HashSet<(&str, &str)> = others.iter().map(Attribute::said).collect();
    these.iter().filter(|attribute| !others.contains(&attribute.said())).collect()
}
