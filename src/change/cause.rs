//! Which edit a new finding comes from, though it may stand elsewhere: the edited statements that it names, nearest
//! first; if it names none, the edited element that is nearest in the graph of calls.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::difference::{Edit, Fate};
use super::elements::Id;
use crate::diagnostic::{Diagnostic, spaced};
use crate::model::{OperationId, ScopeId, Topology};
use crate::source::{SourceId, Span};

/// So many edits are named for one finding.
const MOST: usize = 3;

/// An edit from which a finding comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What was done, as a phrase.
    pub text: String,
    /// Where it is written; of what went, where it was.
    pub span: Span,
    /// Whether the finding names it; else it is only the nearest one in the graph of calls.
    pub is_named: bool,
}

/// The edits of one topology, as findings may name them.
pub(super) struct Causes<'a> {
    edits: &'a [Edit],
    head: &'a Topology,
    /// Edits by the elements that they concern.
    by_name: HashMap<String, Vec<usize>>,
    /// What went, by the elements that it hung on.
    went: HashMap<String, Vec<usize>>,
    /// Edited places of each text: where they start, where they end, and by which edit.
    places: HashMap<SourceId, BTreeMap<u32, (u32, usize)>>,
    /// For each operation, how far the nearest edited one is in either direction, and by which edit.
    near: Vec<Option<(u32, usize)>>,
}

impl<'a> Causes<'a> {
    pub(super) fn of(edits: &'a [Edit], head: &'a Topology) -> Self {
        let near = vec![None; head.operations.len()];
        let mut causes =
            Self { edits, head, by_name: HashMap::new(), went: HashMap::new(), places: HashMap::new(), near };
        let mut touched: Vec<(OperationId, usize)> = Vec::new();
        for (index, edit) in edits.iter().enumerate() {
            causes.name(index, edit);
            causes.place(index, edit);
            touched.extend(causes.operations(edit).into_iter().map(|operation| (operation, index)));
        }
        causes.spread();
        causes.walk(&touched);
        causes
    }

    /// The edits that a finding comes from, nearest first; none if that is not known.
    pub(super) fn behind(&self, diagnostic: &Diagnostic) -> Vec<Cause> {
        let named = self.named(diagnostic);
        if !named.is_empty() {
            return named.into_iter().filter_map(|index| self.cause(index, true)).collect();
        }
        let operations = diagnostic.subjects.iter().flat_map(|subject| ends(subject)).filter_map(|end| {
            let node = || self.head.node(self.head.node_named(end)?).operations.first().copied();
            self.head.operation_named(end).or_else(node)
        });
        let nearest = operations.filter_map(|id| self.near.get(id.index()).copied().flatten()).min();
        nearest.and_then(|(_, index)| self.cause(index, false)).into_iter().collect()
    }

    fn cause(&self, index: usize, is_named: bool) -> Option<Cause> {
        let edit = self.edits.get(index)?;
        let span = edit.attributes.first().map_or(edit.span, |attribute| attribute.span);
        Some(Cause { text: edit.sentence(), span, is_named })
    }

    /// The first of them: a hub may have thousands.
    fn named(&self, diagnostic: &Diagnostic) -> Vec<usize> {
        let mut found = Vec::new();
        let mut add = |edits: &[usize]| {
            for index in edits {
                if found.len() == MOST {
                    break;
                }
                if !found.contains(index) {
                    found.push(*index);
                }
            }
        };
        for word in diagnostic.cause.iter().flat_map(|cause| cause.split_whitespace()) {
            add(self.at_name(word));
        }
        diagnostic.cause.iter().for_each(|cause| add(self.at_name(cause)));
        add(&self.at_place(diagnostic.primary.span));
        for label in &diagnostic.labels {
            add(&self.at_place(label.span));
        }
        for step in &diagnostic.witness {
            add(self.at_name(&step.subject));
            add(&self.at_place(step.span));
        }
        for subject in &diagnostic.subjects {
            add(self.at_name(subject));
        }
        let witnesses = diagnostic.witness.iter().map(|step| &step.subject);
        for subject in diagnostic.subjects.iter().chain(witnesses) {
            for end in ends(subject) {
                let node = end.split('.').next().unwrap_or(end);
                for name in [end, node] {
                    add(self.at_name(name));
                    add(self.went.get(name).map_or(&[], Vec::as_slice));
                }
            }
        }
        found
    }

    fn at_name(&self, name: &str) -> &[usize] {
        let plain = name.split('#').next().unwrap_or(name);
        [name, plain].into_iter().find_map(|name| self.by_name.get(name)).map_or(&[], Vec::as_slice)
    }

    fn at_place(&self, span: Span) -> Vec<usize> {
        /// Places lie apart, but for calls in the block of another one.
        const NESTED: usize = 4;
        let Some(places) = self.places.get(&span.source) else { return Vec::new() };
        let before = places.range(..span.end.max(span.start + 1)).rev().take(NESTED);
        before.filter(|(_, (end, _))| *end > span.start).map(|(_, (_, index))| *index).take(1).collect()
    }

    fn name(&mut self, index: usize, edit: &Edit) {
        let mut names = vec![edit.name.clone()];
        match edit.id {
            Id::Policy(_) => names = vec![format!("policy {}", edit.name)],
            Id::Scope(_) | Id::Link => return,
            Id::Call(id) if edit.fate != Fate::Removed => names.insert(0, self.head.call_identity(id)),
            _ => {}
        }
        if edit.fate == Fate::Removed {
            for end in ends(&edit.name) {
                self.went.entry(end.to_owned()).or_default().push(index);
                let node = end.split('.').next().filter(|node| *node != end);
                self.went.entry(node.unwrap_or_default().to_owned()).or_default().push(index);
            }
        }
        for name in names {
            self.by_name.entry(name).or_default().push(index);
        }
    }

    fn place(&mut self, index: usize, edit: &Edit) {
        let whole = (edit.fate != Fate::Changed).then_some(edit.span);
        let stated = edit.attributes.iter().filter(|attribute| attribute.after.is_some());
        for span in whole.into_iter().chain(stated.map(|attribute| attribute.span)) {
            self.places.entry(span.source).or_default().insert(span.start, (span.end, index));
        }
    }

    /// What is said of a policy or a box concerns what follows it or lies inside.
    fn spread(&mut self) {
        let mut policies: HashMap<usize, usize> = HashMap::new();
        let mut scopes: Vec<Option<usize>> = vec![None; self.head.scopes.len()];
        for (index, edit) in self.edits.iter().enumerate().filter(|(_, edit)| edit.fate != Fate::Removed) {
            match edit.id {
                Id::Policy(id) => drop(policies.insert(id.index(), index)),
                Id::Scope(id) => {
                    if let Some(slot) = scopes.get_mut(id.index()) {
                        *slot = Some(index);
                    }
                }
                _ => {}
            }
        }
        // Boxes come after those around them.
        for id in 0..scopes.len() {
            let parent = self.head.scope(ScopeId::at(id)).parent.and_then(|parent| *scopes.get(parent.index())?);
            if let Some(slot @ None) = scopes.get_mut(id) {
                *slot = parent;
            }
        }
        let inside = |scope: ScopeId| scopes.get(scope.index()).copied().flatten();
        let mut reached: Vec<(String, usize)> = Vec::new();
        for id in self.head.call_ids() {
            let call = self.head.call(id);
            let followed = call.policies.iter().filter_map(|policy| policies.get(&policy.index()).copied());
            reached.extend(followed.chain(inside(call.scope)).map(|index| (self.head.call_name(id), index)));
        }
        for id in self.head.node_ids() {
            let node = self.head.node(id);
            let around = node.inner.and_then(inside).or_else(|| inside(node.scope));
            reached.extend(around.map(|index| (self.head.node_name(id).to_owned(), index)));
        }
        for (name, index) in reached {
            self.by_name.entry(name).or_default().push(index);
        }
    }

    /// The operations of head at which an edit is.
    fn operations(&self, edit: &Edit) -> Vec<OperationId> {
        let named = |name: &str| {
            let node = || Some(self.head.node(self.head.node_named(name)?).operations.clone());
            self.head.operation_named(name).map(|id| vec![id]).or_else(node).unwrap_or_default()
        };
        match (edit.id, &edit.fate) {
            (Id::Node(_) | Id::Operation(_) | Id::Call(_), _) => ends(&edit.name).next().map(named).unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    /// From edited operations to their callers, and to their callees, each operation once a direction.
    fn walk(&mut self, touched: &[(OperationId, usize)]) {
        for upward in [true, false] {
            let mut seen = vec![false; self.near.len()];
            let mut queue: VecDeque<(OperationId, u32, usize)> =
                touched.iter().map(|(operation, index)| (*operation, 0, *index)).collect();
            while let Some((at, distance, index)) = queue.pop_front() {
                let Some(slot @ false) = seen.get_mut(at.index()) else { continue };
                *slot = true;
                if let Some(near) = self.near.get_mut(at.index()) {
                    *near = Some(near.map_or((distance, index), |near| near.min((distance, index))));
                }
                let next: Vec<OperationId> = if upward {
                    self.head.calls_to(at).map(|call| self.head.caller(call)).collect()
                } else {
                    self.head.calls_from(at).map(|call| self.head.callee(call)).collect()
                };
                queue.extend(next.into_iter().map(|operation| (operation, distance + 1, index)));
            }
        }
    }
}

impl Edit {
    /// What was done, as a phrase: "`a -> b`: `retries 2` added".
    #[must_use]
    pub fn sentence(&self) -> String {
        let name = self.title();
        match &self.fate {
            Fate::Added => format!("{name} added"),
            Fate::Removed => format!("{name} removed"),
            Fate::Renamed(before) => format!("{name} was `{before}`"),
            Fate::Changed => {
                let code = |text: &str| format!("`{text}`");
                let mut said: Vec<String> =
                    self.attributes.iter().take(MOST).map(|attribute| attribute.sentence(code)).collect();
                let more = self.attributes.len().saturating_sub(MOST);
                said.extend((more > 0).then(|| format!("and {more} more")));
                format!("{name}: {}", said.join(", "))
            }
        }
    }

    /// What it is and its name.
    #[must_use]
    pub fn title(&self) -> String {
        match self.kind {
            "call" => format!("`{}`", spaced(&self.name)),
            "operation" => format!("`{}`", self.name),
            kind if self.name.is_empty() => kind.to_owned(),
            kind => format!("{kind} `{}`", self.name),
        }
    }
}

/// The ends of a call, or an element itself.
fn ends(name: &str) -> impl Iterator<Item = &str> {
    let (from, to) = match name.split_once("->") {
        Some((from, to)) => (from, Some(to.trim_start_matches('>').split('#').next().unwrap_or(to))),
        None => (name, None),
    };
    std::iter::once(from).chain(to)
}
