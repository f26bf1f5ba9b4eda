//! What a change does to the numbers: of each entry, and of how often operations are tried.

use std::collections::HashMap;

use crate::analysis::{Count, Extent, Facts};
use crate::model::{Duration, OperationId};
use crate::parallel;

/// The numbers of an entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbers {
    /// The longest that a caller waits; none if that is not known.
    pub worst_case: Option<Extent>,
    /// What is proved to be reached.
    pub at_least: Extent,
    /// The p99 that it is proved not to exceed.
    pub p99: Option<Duration>,
    /// What no successful execution undercuts.
    pub floor: Duration,
    /// Executions for one request, if it fails at once and everything else answers.
    pub executions: Count,
    /// The share of time that it works if parts fail independently, else the least and the most.
    pub availability: [Option<f64>; 3],
}

/// An entry before and after.
#[derive(Clone, Debug)]
pub struct EntryChange {
    /// Its name; of one that went, the one it had.
    pub name: String,
    /// None if it is new.
    pub before: Option<Numbers>,
    /// None if it went.
    pub after: Option<Numbers>,
}

/// How often an operation is executed for one request, before and after.
#[derive(Clone, Debug)]
pub struct TriesChange {
    /// The operation.
    pub name: String,
    /// If it fails at once and everything else answers.
    pub executions: (Count, Count),
    /// If anything may fail at any attempt.
    pub bound: (Count, Count),
}

impl EntryChange {
    /// Whether any number is another one.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.before != self.after
    }
}

/// All entries of both sides, those of head first, in declared order.
pub(super) fn entries(
    base: &Facts<'_>,
    head: &Facts<'_>,
    same: &HashMap<OperationId, OperationId>,
) -> Vec<EntryChange> {
    let all = |facts: &Facts<'_>| -> HashMap<OperationId, Numbers> {
        facts.entries().all().iter().map(|entry| (*entry, numbers(facts, *entry))).collect()
    };
    let (mut of_base, mut of_head) = parallel::both(|| all(base), || all(head));
    let before: HashMap<OperationId, OperationId> = same.iter().map(|(one, other)| (*other, *one)).collect();
    let mut found: Vec<EntryChange> = Vec::new();
    for entry in head.entries().all() {
        found.push(EntryChange {
            name: head.topology().operation_name(*entry),
            before: before.get(entry).and_then(|id| of_base.remove(id)),
            after: of_head.remove(entry),
        });
    }
    let stays = |id: &OperationId| same.get(id).is_some_and(|id| head.entries().contains(*id));
    for entry in base.entries().all().iter().filter(|id| !stays(id)) {
        let name = base.topology().operation_name(*entry);
        found.push(EntryChange { name, before: of_base.remove(entry), after: None });
    }
    found
}

fn numbers(facts: &Facts<'_>, id: OperationId) -> Numbers {
    let availability = facts.availability(id);
    let rounded = |share: Option<f64>| share.map(|share| (share * 1e12).round() / 1e12);
    Numbers {
        worst_case: facts.worst_case(id),
        at_least: facts.times().operation(id).at_least,
        p99: facts.proved_latency(id, 0.99),
        floor: facts.floor(id),
        executions: facts.executions(id).failing,
        availability: [availability.low, availability.independent, availability.high].map(rounded),
    }
}

/// Operations that are executed more or less often than before: the largest change first.
pub(super) fn tries(base: &Facts<'_>, head: &Facts<'_>, same: &HashMap<OperationId, OperationId>) -> Vec<TriesChange> {
    let of = |(one, other): (&OperationId, &OperationId)| {
        let (before, after) = (base.executions(*one), head.executions(*other));
        let executions = (before.failing, after.failing);
        let bound = (before.bound, after.bound);
        let name = head.topology().operation_name(*other);
        (executions.0 != executions.1 || bound.0 != bound.1).then_some(TriesChange { name, executions, bound })
    };
    let mut found: Vec<TriesChange> = same.iter().filter_map(of).collect();
    found.sort_by(|one, other| {
        let most = |change: &TriesChange| change.executions.1.finite().unwrap_or(u64::MAX);
        (most(other), &one.name).cmp(&(most(one), &other.name))
    });
    found
}
