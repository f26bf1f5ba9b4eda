//! Worst-case time in a hang: no answer comes, every wait runs to its end.
//!
//! A caller waits for what is stated on its own call; a callee's promise never shortens that, because its answer may
//! be lost. So the bound of an operation follows from its own calls, added in sequence and maximised over branches.
//! Only calls inside one process take the time of their callee.

use super::Facts;
use super::attempts::{Attempts, Limit};
use super::course::{Course, Walk};
use super::interval::{Extent, Time};
use crate::model::{CallId, Duration, OperationId, Stated};
use crate::vocabulary::Key;

/// So many calls of an operation are looked at again for a proposal.
const MAX_CALLS: usize = 256;

/// One call that contributes to the worst case of an operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// The call.
    pub call: CallId,
    /// What it takes.
    pub time: Time,
}

/// What a worst case may be asked for without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Without {
    /// The calls that answer where others have failed.
    Fallbacks,
    /// Waits for a free connection.
    PoolWaits,
}

/// The worst cases of all operations and calls.
#[derive(Debug)]
pub struct Times {
    operations: Vec<Row>,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    /// All of its work.
    work: Time,
    /// What callers see of it: cut at its own bound.
    seen: Time,
}

impl Times {
    pub(super) fn of(facts: &Facts<'_>) -> Self {
        let count = facts.topology().operations.len();
        let mut times = Self { operations: vec![Row { work: Time::ZERO, seen: Time::ZERO }; count] };
        let inside = |call| facts.is_awaited(call) && facts.is_local(call);
        let cut_off = |call| facts.plan(call).attempt().is_some() || facts.plan(call).deadline.duration().is_some();
        let mut order = vec![0_usize; count];
        for (place, component) in facts.components_over(|call| inside(call) && !cut_off(call)).iter().enumerate() {
            for operation in component {
                if let Some(slot) = order.get_mut(operation.index()) {
                    *slot = place;
                }
            }
        }
        for component in facts.components_over(inside).iter() {
            for operation in component {
                // Inside a circle the callee is not known yet: without end, as the circle may be.
                times.set(facts, *operation, Time::exactly(Extent::Unbounded));
            }
            // A call that is cut by its own bound needs its callee least, so what it leads to comes last.
            let mut component = component.to_vec();
            component.sort_by_key(|operation| order.get(operation.index()).copied());
            for operation in &component {
                let work = times.work_of(facts, *operation, None, None);
                times.set(facts, *operation, work);
            }
        }
        times
    }

    fn set(&mut self, facts: &Facts<'_>, operation: OperationId, work: Time) {
        if let Some(row) = self.operations.get_mut(operation.index()) {
            *row = Row { work, seen: cut(facts, operation, work) };
        }
    }

    /// The worst case of an operation as its callers see it.
    #[must_use]
    pub fn operation(&self, operation: OperationId) -> Time {
        self.operations.get(operation.index()).map_or(Time::ZERO, |row| row.seen)
    }

    /// All of its work, whoever still waits for it.
    #[must_use]
    pub fn work(&self, operation: OperationId) -> Time {
        self.operations.get(operation.index()).map_or(Time::ZERO, |row| row.work)
    }

    /// Work that goes on after the operation has answered or given up.
    #[must_use]
    pub fn abandoned(&self, operation: OperationId) -> Extent {
        match (self.work(operation).at_least, self.operation(operation).at_least) {
            (Extent::Finite(work), Extent::Finite(seen)) => Extent::Finite(work.minus(seen)),
            (Extent::Unbounded, Extent::Finite(_)) => Extent::Unbounded,
            _ => Extent::ZERO,
        }
    }

    /// The longest that a caller waits for one call: all attempts, once, a fallback not included.
    #[must_use]
    pub fn call(&self, facts: &Facts<'_>, call: CallId) -> Time {
        if !facts.is_awaited(call) {
            return Time::ZERO;
        }
        self.walk(facts, facts.topology().caller(call), None).attempts(call, Attempts::AtMost(1), Time::ZERO).ended
    }

    /// How long an operation works before it makes one of its calls for the first time.
    #[must_use]
    pub(super) fn before(&self, facts: &Facts<'_>, call: CallId) -> Time {
        let from = facts.topology().caller(call);
        let own = own_work(facts, from);
        let start = Course { going: own, ended: own };
        let body = &facts.topology().operation(from).body;
        self.walk(facts, from, None).until(body, start, call).map_or(Time::ZERO, |course| course.going)
    }

    /// The work of an operation if one of its calls had another timeout: for checking a proposal. None for an
    /// operation with so many calls that asking for each of them would take the square of their number.
    #[must_use]
    pub fn work_with(
        &self,
        facts: &Facts<'_>,
        operation: OperationId,
        call: CallId,
        timeout: Duration,
    ) -> Option<Time> {
        let few = facts.topology().calls_from(operation).nth(MAX_CALLS).is_none();
        few.then(|| cut(facts, operation, self.work_of(facts, operation, Some((call, timeout)), None)))
    }

    /// All the work of an operation, something left out.
    #[must_use]
    pub fn work_without(&self, facts: &Facts<'_>, operation: OperationId, without: Without) -> Time {
        self.work_of(facts, operation, None, Some(without))
    }

    fn work_of(
        &self,
        facts: &Facts<'_>,
        operation: OperationId,
        other: Option<(CallId, Duration)>,
        without: Option<Without>,
    ) -> Time {
        let body = &facts.topology().operation(operation).body;
        let own = own_work(facts, operation);
        let walk = Walk { without, ..self.walk(facts, operation, other) };
        walk.steps(body, Course { going: own, ended: own }).last()
    }

    fn walk<'a, 'f>(
        &'a self,
        facts: &'a Facts<'f>,
        operation: OperationId,
        other: Option<(CallId, Duration)>,
    ) -> Walk<'a, 'f> {
        Walk { times: self, facts, operation, other, without: None }
    }

    /// The longest that one attempt lasts, by its timeout, the callee inside the same process, or what bounds the whole.
    pub(super) fn single(&self, facts: &Facts<'_>, call: CallId, timeout: Option<Duration>) -> Time {
        let plan = facts.plan(call);
        let callee = || self.operation(facts.topology().callee(call));
        match (timeout, plan.deadline.duration()) {
            (Some(timeout), _) if facts.is_local(call) => callee().capped(timeout),
            (Some(timeout), _) => Time::exactly(Extent::Finite(timeout)),
            (None, _) if facts.is_local(call) => callee(),
            // A stream is meant to stay open: it takes no time that a request waits for.
            (None, _) if facts.is_stream(call) => Time::ZERO,
            // Without a timeout nothing ends an attempt before the deadline does.
            (None, Some(deadline)) => Time::exactly(Extent::Finite(deadline)),
            (None, None) if matches!(plan.timeout, Limit::None(_)) => Time::exactly(Extent::Unbounded),
            (None, None) => Time::at_least(Extent::ZERO),
        }
    }

    /// The calls that make up the worst case of an operation, in order: of branches, the longest. Of very many, the
    /// first ones.
    #[must_use]
    pub fn parts(&self, facts: &Facts<'_>, operation: OperationId) -> Vec<Part> {
        let mut parts = Vec::new();
        self.walk(facts, operation, None).parts(&facts.topology().operation(operation).body, &mut parts);
        parts
    }
}

/// What callers see of an operation: it answers or gives up by its own deadline, or by what it honours of theirs.
fn cut(facts: &Facts<'_>, operation: OperationId, work: Time) -> Time {
    let allotted = facts.allotted(operation);
    let at_least = allotted.at_least.map_or(work.at_least, |cap| work.at_least.min(Extent::Finite(cap)));
    let at_most = match (work.at_most, allotted.at_most) {
        (most, None) => most,
        (most, Some(cap)) => Some(most.map_or(Extent::Finite(cap), |most| most.min(Extent::Finite(cap)))),
    };
    Time { at_least, at_most }
}

/// Own work counts with its stated maximum; a leaf that states only a deadline may take all of it.
fn own_work(facts: &Facts<'_>, operation: OperationId) -> Time {
    let maximum = own_maximum(facts, operation).and_then(|stated| stated.setting.maximum());
    let topology = facts.topology();
    // A bare arrow to a store means its operations: the work is theirs.
    if topology.calls_from(operation).any(|call| topology.call(call).implied) {
        return Time::ZERO;
    }
    let allotted = facts.allotted(operation).own.filter(|_| facts.is_leaf(operation));
    maximum.or(allotted).map_or(Time::ZERO, |time| Time::exactly(Extent::Finite(time)))
}

fn own_maximum<'a>(facts: &Facts<'a>, operation: OperationId) -> Option<Stated<'a>> {
    facts.cascade().operation(operation, Key::Latency).given()
}
