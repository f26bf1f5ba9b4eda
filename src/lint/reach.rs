//! How far a suppression reaches: what is written inside the statement that it stands in, and what is said elsewhere of
//! the element that it belongs to. Indexed, so that many suppressions and many findings do not multiply.

use std::collections::HashMap;

use crate::diagnostic::Diagnostic;
use crate::model::{Allow, Owner, Topology};
use crate::source::Span;

/// Which suppressions cover a place or an element; they are named by their index.
pub(super) struct Reach {
    /// The stretches of text, by start; stretches lie in each other or apart.
    stretches: Vec<Stretch>,
    by_owner: HashMap<Owner, Vec<usize>>,
    /// By the identity of the call.
    by_call: HashMap<String, Vec<usize>>,
}

struct Stretch {
    span: Span,
    index: usize,
    /// The stretch around it.
    parent: Option<usize>,
}

impl Reach {
    pub(super) fn of(topology: &Topology, allows: &[&Allow]) -> Self {
        let mut reach = Self { stretches: stretches(allows), by_owner: HashMap::new(), by_call: HashMap::new() };
        let mut policies = HashMap::new();
        for (index, allow) in allows.iter().enumerate() {
            match allow.owner {
                Owner::Call(call) => reach.by_call.entry(topology.call_identity(call)).or_default().push(index),
                Owner::Policy(policy) => policies.entry(policy).or_insert_with(Vec::new).push(index),
                owner => reach.by_owner.entry(owner).or_default().push(index),
            }
        }
        if !policies.is_empty() {
            for id in topology.call_ids() {
                let indices = topology.call(id).policies.iter().filter_map(|policy| policies.get(policy)).flatten();
                let indices: Vec<usize> = indices.copied().collect();
                if !indices.is_empty() {
                    reach.by_call.entry(topology.call_identity(id)).or_default().extend(indices);
                }
            }
        }
        reach
    }

    /// The suppressions that cover a finding.
    pub(super) fn covering(&self, topology: &Topology, diagnostic: &Diagnostic) -> Vec<usize> {
        let mut found: Vec<usize> = self.around(diagnostic.primary.span).collect();
        found.extend(self.owned(Owner::Topology));
        found.extend(diagnostic.cause.as_ref().and_then(|cause| self.by_call.get(cause)).into_iter().flatten());
        let Some(subject) = diagnostic.subjects.first() else { return found };
        let source = subject.split("->").next().unwrap_or(subject);
        let operation = topology.operation_named(source);
        found.extend(operation.into_iter().flat_map(|id| self.owned(Owner::Operation(id))));
        let node = operation.map(|id| topology.node_id_of(id)).or_else(|| topology.node_named(source));
        if let Some(node) = node {
            found.extend(self.owned(Owner::Node(node)));
            let scopes = topology.outwards(topology.node(node).scope);
            found.extend(scopes.flat_map(|scope| self.owned(Owner::Scope(scope))));
        }
        found
    }

    fn owned(&self, owner: Owner) -> impl Iterator<Item = usize> + '_ {
        self.by_owner.get(&owner).into_iter().flatten().copied()
    }

    /// The suppressions whose stretch holds a place: the last one that starts before it, and those around that one.
    fn around(&self, span: Span) -> impl Iterator<Item = usize> + '_ {
        let before = self
            .stretches
            .partition_point(|stretch| (stretch.span.source, stretch.span.start) <= (span.source, span.start));
        let chain = std::iter::successors(before.checked_sub(1), |at| self.stretches.get(*at)?.parent);
        chain
            .filter_map(|at| self.stretches.get(at))
            .filter(move |stretch| stretch.span.contains(span))
            .map(|stretch| stretch.index)
    }
}

fn stretches(allows: &[&Allow]) -> Vec<Stretch> {
    let mut order: Vec<usize> = (0..allows.len()).collect();
    let span = |index: &usize| allows.get(*index).map_or(Span::default(), |allow| allow.inside);
    // The outer one first, where two start together.
    order.sort_by_key(|index| (span(index).source, span(index).start, std::cmp::Reverse(span(index).end)));
    let mut stretches: Vec<Stretch> = Vec::with_capacity(order.len());
    let mut open: Vec<usize> = Vec::new();
    for index in order {
        let span = span(&index);
        while open.last().and_then(|at| stretches.get(*at)).is_some_and(|outer| !outer.span.contains(span)) {
            open.pop();
        }
        let parent = open.last().copied();
        open.push(stretches.len());
        stretches.push(Stretch { span, index, parent });
    }
    stretches
}
