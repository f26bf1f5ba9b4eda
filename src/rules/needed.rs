//! What requests cannot do without, called or passed on the way, and how one gets there from where they come in.

use crate::analysis::{Facts, Ways};
use crate::diagnostic::{Diagnostic, Step};
use crate::model::{Answer, CallId, NodeId, OperationId};
use crate::rules::prose;
use crate::vocabulary::Key;

/// Requests, and what each of them needs.
pub(super) struct Requests {
    ways: Ways,
}

/// The nearest need of a node.
pub(super) struct Need {
    /// Where the requests come in.
    pub(super) entry: OperationId,
    /// The last calls of the way.
    calls: Vec<CallId>,
    /// Calls of the way, at most so many are kept.
    length: usize,
    /// Whether the last call only passes it.
    passed: bool,
}

/// So many calls of a way are shown as its witness.
const SHOWN: usize = 12;

impl Requests {
    /// All requests from outside.
    pub(super) fn all(facts: &Facts<'_>) -> Self {
        Self::from(facts, facts.entries().all().to_vec())
    }

    /// Those of which an availability is promised; the highest promise counts where several meet.
    pub(super) fn promised(facts: &Facts<'_>) -> Self {
        let share = |id: &OperationId| facts.promised_availability(*id);
        let mut promising: Vec<OperationId> =
            facts.entries().all().iter().copied().filter(|id| share(id).is_some()).collect();
        promising.sort_by(|one, other| {
            let of = |id| share(id).unwrap_or_default();
            of(other).total_cmp(&of(one)).then_with(|| facts.rank(*one).cmp(&facts.rank(*other)))
        });
        Self::from(facts, promising)
    }

    fn from(facts: &Facts<'_>, entries: Vec<OperationId>) -> Self {
        Self { ways: facts.ways_over(entries, |call| is_needed(facts, call)) }
    }

    /// Whether some requests cannot do without a call.
    pub(super) fn need_call(&self, facts: &Facts<'_>, call: CallId) -> bool {
        is_needed(facts, call) && self.ways.reach(facts.topology().caller(call))
    }

    /// The calls to a node from elsewhere that requests cannot do without, by name.
    pub(super) fn calls_to(&self, facts: &Facts<'_>, node: NodeId) -> Vec<CallId> {
        let topology = facts.topology();
        let all = topology.node(node).operations.iter().flat_map(|id| topology.calls_to(*id));
        let counts = |call: &CallId| self.need_call(facts, *call) && facts.topology().caller_node(*call) != node;
        let mut calls: Vec<CallId> = all.filter(counts).collect();
        calls.sort_by_key(|call| facts.call_rank(*call));
        calls
    }

    /// The nearest need of a node; none if requests do without it.
    pub(super) fn need(&self, facts: &Facts<'_>, node: NodeId) -> Option<Need> {
        let topology = facts.topology();
        let own = topology.node(node).operations.iter().filter_map(|id| Some((self.ways.length(*id)?, *id, None)));
        let passing = facts.passing_calls(node).into_iter().filter(|call| self.need_call(facts, *call));
        let passing = passing.filter_map(|call| {
            let from = topology.caller(call);
            Some((self.ways.length(from)? + 1, from, Some(call)))
        });
        let key = |(length, id, call): &(usize, OperationId, Option<CallId>)| {
            (*length, facts.rank(*id), call.map(|call| facts.call_rank(call)))
        };
        let (length, operation, passing) = own.chain(passing).min_by_key(key)?;
        let mut calls = self.ways.last_calls(facts, operation, SHOWN);
        calls.extend(passing);
        Some(Need { entry: self.ways.start(operation)?, calls, length, passed: passing.is_some() })
    }

    /// The need of the caller that ends with this call.
    pub(super) fn need_over(&self, facts: &Facts<'_>, call: CallId) -> Option<Need> {
        let from = facts.topology().caller(call);
        let mut calls = self.ways.last_calls(facts, from, SHOWN);
        calls.push(call);
        Some(Need { entry: self.ways.start(from)?, calls, length: self.ways.length(from)? + 1, passed: false })
    }
}

impl Need {
    /// How many calls lie between.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// A finding with the way as its witness.
    pub(super) fn shown(&self, facts: &Facts<'_>, mut diagnostic: Diagnostic) -> Diagnostic {
        let left_out = self.length - self.calls.len().min(self.length);
        let steps = self.calls.iter().enumerate().map(|(index, call)| {
            let row = facts.topology().call(*call);
            let last = index + 1 == self.calls.len();
            let text = if last && self.passed { "passes it".to_owned() } else { without(facts, row.to) };
            Step { subject: facts.topology().call_name(*call), span: row.span, text, value: None }
        });
        diagnostic.witness.extend(steps);
        if !self.calls.is_empty() {
            diagnostic.path = Some(prose::path(facts, self.entry, &self.calls, left_out));
        }
        diagnostic
    }
}

fn without(facts: &Facts<'_>, operation: OperationId) -> String {
    format!("fails without `{}`", facts.topology().operation_name(operation))
}

/// Every execution that gets so far makes the call, and fails without it. Who answers openly when a lookup fails may do
/// without any of its calls.
fn is_needed(facts: &Facts<'_>, call: CallId) -> bool {
    let unreadable = matches!(facts.cascade().call(call, &[Key::Fallback]), Answer::Unreadable);
    facts.is_always_needed(call) && !unreadable && !facts.answers_openly(facts.topology().caller(call))
}

/// "; 3 more calls like it", if there are more.
pub(super) fn more_calls(calls: &[CallId]) -> String {
    match calls.len().saturating_sub(1) {
        0 => String::new(),
        more => format!("; {} like it", prose::count(more as u64, "more call")),
    }
}
