//! What takes an operation beyond the wait of its callers, though all the rest would fit: fallbacks and pools.

use crate::analysis::{Extent, Facts, Without};
use crate::diagnostic::{Because, Diagnostic, Measure, Step};
use crate::model::{CallId, Duration, OperationId, Step as CallStep};
use crate::rules::prose;
use crate::source::Span;
use crate::vocabulary::{ElementKind, Key};

/// An operation that would fit without something.
pub(super) struct Overtime {
    /// The time in which it has to answer.
    pub(super) limit: Duration,
    /// Who says so: a caller, or the operation itself.
    pub(super) caller: Option<CallId>,
    /// All of its work.
    pub(super) work: Duration,
    /// What is left of it without.
    pub(super) rest: Duration,
}

pub(super) fn overtime(facts: &Facts<'_>, id: OperationId, without: Without) -> Option<Overtime> {
    let detached = facts.cascade().operation(id, Key::Detached).given().is_some();
    if detached || facts.topology().kind_of(id) == ElementKind::Client {
        return None;
    }
    let own = facts.allotted(id).own.map(|own| (own, None));
    let waiting = facts.shortest_wait(id).map(|(limit, call)| (limit, Some(call)));
    let (limit, caller) = own.into_iter().chain(waiting).min_by_key(|(limit, _)| *limit)?;
    let work = facts.times().work(id).at_least;
    if work <= Extent::Finite(limit) {
        return None;
    }
    let rest = facts.times().work_without(facts, id, without).at_least.finite().filter(|rest| *rest <= limit)?;
    Some(Overtime { limit, caller, work: work.finite()?, rest })
}

/// The calls of an operation that have what is left out.
pub(super) fn guilty(facts: &Facts<'_>, id: OperationId, has: impl Fn(CallId) -> bool) -> Vec<CallId> {
    let mut calls = Vec::new();
    CallStep::each(&facts.topology().operation(id).body, &mut |call| calls.push(call));
    calls.retain(|call| facts.is_awaited(*call) && has(*call));
    calls
}

/// The cause of such a finding: what the longer worst case of its operation follows from.
pub(super) fn cause(facts: &Facts<'_>, id: OperationId, without: Without) -> String {
    let what = match without {
        Without::Fallbacks => Key::Fallback,
        Without::PoolWaits => Key::PoolWait,
    };
    format!("{} {}", facts.topology().operation_name(id), what)
}

/// What another finding about the length of an operation's work follows from, if it does.
pub(in crate::rules) fn caused_by(facts: &Facts<'_>, id: OperationId) -> Vec<Because> {
    let because = |kind| Because { rules: &["late-fallback", "uncounted-pool-wait"], cause: cause(facts, id, kind) };
    let kinds = [Without::Fallbacks, Without::PoolWaits].into_iter();
    kinds.filter(|kind| overtime(facts, id, *kind).is_some()).take(1).map(because).collect()
}

/// The finding, at the place of the first guilty call, with a step for each of them.
pub(super) fn report(
    facts: &Facts<'_>,
    id: OperationId,
    found: &Overtime,
    span: Span,
    message: String,
    steps: Vec<Step>,
) -> Diagnostic {
    let topology = facts.topology();
    let mut diagnostic = Diagnostic::new(span, message);
    let (place, text) = if let Some(call) = found.caller {
        let place = facts.plan(call).attempt_limit().and_then(|(_, stated)| prose::place(stated));
        (place.unwrap_or(topology.call(call).span), format!("every attempt ends here: {}", found.limit))
    } else {
        let stated = facts.cascade().operation(id, Key::Deadline).given();
        let place = stated.and_then(prose::place).unwrap_or(topology.operation(id).span);
        (place, format!("it answers or gives up by then: {}", found.limit))
    };
    let name = topology.operation_name(id);
    let subject = found.caller.map_or(name.clone(), |call| topology.call_name(call));
    let limit = Step { subject, span: place, text, value: Some(Measure::Seconds(found.limit.seconds())) };
    diagnostic.witness = std::iter::once(limit).chain(steps).collect();
    diagnostic.path = Some(prose::path(facts, id, &[], 0));
    diagnostic.subject(name)
}

/// Who waits, and how long: "`web` waits 1 s", "its deadline is 1 s".
pub(super) fn waiting(facts: &Facts<'_>, found: &Overtime) -> String {
    match found.caller {
        Some(call) => {
            let topology = facts.topology();
            format!("`{}` waits only {}", topology.operation_name(topology.caller(call)), found.limit)
        }
        None => format!("its deadline is {}", found.limit),
    }
}
