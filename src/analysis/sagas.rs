//! Steps that have to hold together and are undone when one fails, what undoes them, and transactions over several
//! owners.

use std::collections::BTreeSet;

use super::Facts;
use super::attempts::Attempts;
use super::effects::{Effect, Write, is_data};
use super::ownership::Ownership;
use super::repetition::Repetition;
use crate::diagnostic::Certainty;
use crate::ids::IdMap;
use crate::model::{Answer, CallId, Name, OperationId, Reference, Step};
use crate::syntax::Arrow;
use crate::vocabulary::{ElementKind, Key};

/// So many sagas of one operation are looked at.
const MAX_SAGAS: usize = 16;

/// A step that nothing undoes when a later one fails.
#[derive(Clone, Copy, Debug)]
pub struct OpenStep {
    /// The operation that runs the saga.
    pub operation: OperationId,
    /// The saga.
    pub saga: Name,
    /// The step.
    pub step: CallId,
    /// The later one.
    pub later: CallId,
    /// Proved if it is stated that it cannot be undone, and that it changes something.
    pub certainty: Certainty,
}

/// What undoes steps, and may not.
#[derive(Clone, Copy, Debug)]
pub struct Compensation {
    /// The operation that undoes.
    pub operation: OperationId,
    /// A step that it undoes.
    pub step: CallId,
    /// What is wrong with it.
    pub fault: CompensationFault,
}

/// Why what undoes may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompensationFault {
    /// It changes something each time.
    Repeats,
    /// Whether it can be done twice is not stated.
    Unknown,
    /// Who calls it gives up after so many attempts.
    GivenUp(CallId, u64),
}

/// Two parts of one transaction that different teams own.
#[derive(Clone, Copy, Debug)]
pub struct SharedTransaction {
    /// Its name.
    pub transaction: Name,
    /// A call of each, with the owner of its callee.
    pub parts: [(CallId, Name); 2],
}

/// What some steps leave open.
#[derive(Clone, Copy, Default)]
struct Part {
    open: Option<(CallId, Certainty)>,
    failing: Option<CallId>,
}

type Pair = ((CallId, Certainty), CallId);

impl Facts<'_> {
    /// Steps of sagas that nothing undoes, one a saga and operation.
    #[must_use]
    pub fn open_steps(&self) -> Vec<OpenStep> {
        let operations = self.topology().operation_ids().filter(|operation| !self.is_run_until_done(*operation));
        operations.flat_map(|operation| self.open_steps_of(operation)).collect()
    }

    /// How many sagas are not looked at: of operations that have very many.
    pub(super) fn sagas_left_out(&self) -> usize {
        let operations = self.topology().operation_ids().filter(|operation| !self.is_run_until_done(*operation));
        operations.map(|operation| self.sagas_of(operation).len().saturating_sub(MAX_SAGAS)).sum()
    }

    fn sagas_of(&self, operation: OperationId) -> BTreeSet<Name> {
        let mut sagas = BTreeSet::new();
        Step::each(&self.topology().operation(operation).body, &mut |call| sagas.extend(self.saga(call)));
        sagas
    }

    fn open_steps_of(&self, operation: OperationId) -> Vec<OpenStep> {
        let body = &self.topology().operation(operation).body;
        let sagas = self.sagas_of(operation);
        let open = |saga| {
            let ((step, certainty), later) = self.pair(body, saga).err()?;
            Some(OpenStep { operation, saga, step, later, certainty })
        };
        sagas.into_iter().take(MAX_SAGAS).filter_map(open).collect()
    }

    fn saga(&self, call: CallId) -> Option<Name> {
        self.cascade().call(call, &[Key::Saga]).given().and_then(|stated| stated.setting.word())
    }

    /// What these steps of a saga leave open; an error if a later one can fail. Of branches at once, each is later than
    /// each other; of alternatives, only one is taken.
    fn pair(&self, steps: &[Step], saga: Name) -> Result<Part, Pair> {
        let mut all = Part::default();
        for step in steps {
            let part = match step {
                Step::Call(call) if self.saga(*call) == Some(saga) => self.part(*call),
                Step::Call(_) => Part::default(),
                Step::Sequence(steps) => self.pair(steps, saga)?,
                Step::Parallel(branches) | Step::Any(_, branches) => self.branches(branches, saga)?,
                Step::OneOf(branches) => self.alternatives(branches, saga)?,
            };
            if let (Some(open), Some(failing)) = (all.open, part.failing) {
                return Err((open, failing));
            }
            all = Part { open: all.open.or(part.open), failing: all.failing.or(part.failing) };
        }
        Ok(all)
    }

    fn branches(&self, branches: &[Step], saga: Name) -> Result<Part, Pair> {
        let mut all = Part::default();
        for branch in branches {
            let part = self.pair(std::slice::from_ref(branch), saga)?;
            let clash = |open: Option<(CallId, Certainty)>, failing: Option<CallId>| open.zip(failing);
            if let Some(pair) = clash(all.open, part.failing).or(clash(part.open, all.failing)) {
                return Err(pair);
            }
            all = Part { open: all.open.or(part.open), failing: all.failing.or(part.failing) };
        }
        Ok(all)
    }

    fn alternatives(&self, branches: &[Step], saga: Name) -> Result<Part, Pair> {
        let mut all = Part::default();
        for branch in branches {
            let part = self.pair(std::slice::from_ref(branch), saga)?;
            all = Part { open: all.open.or(part.open), failing: all.failing.or(part.failing) };
        }
        Ok(all)
    }

    fn part(&self, call: CallId) -> Part {
        let plan = self.plan(call);
        if !self.is_made(call) {
            return Part::default();
        }
        let to = self.topology().callee(call);
        let until_done = plan.attempts == Attempts::Unlimited && self.repetition(to) == Repetition::Safe;
        let outbox = self.cascade().call(call, &[Key::Outbox]).may_be_given();
        let certain = self.topology().call(call).arrow == Arrow::Async || plan.soft || until_done || outbox;
        Part { open: self.open(call), failing: Some(call).filter(|_| !certain) }
    }

    fn open(&self, call: CallId) -> Option<(CallId, Certainty)> {
        let known = self.leaves(call)?;
        match self.cascade().call(call, &[Key::CompensatedBy]) {
            Answer::Given(_) | Answer::Unreadable => None,
            Answer::None(_) if known => Some((call, Certainty::Proved)),
            Answer::None(_) | Answer::Unstated => Some((call, Certainty::Possible)),
        }
    }

    /// Whether a call leaves something behind that is to be undone, and whether that is stated; none if it does not.
    fn leaves(&self, call: CallId) -> Option<bool> {
        let to = self.topology().callee(call);
        if is_data(self.topology().kind_of(to)) {
            return matches!(self.write(call)?, Write::Data | Write::Message).then_some(true);
        }
        match self.changes(to) {
            Effect::Absent => None,
            Effect::Unknown => Some(false),
            Effect::Idempotent | Effect::Repeats => Some(true),
        }
    }

    /// An operation that only queues call which deliver again: it is run until all steps have succeeded.
    fn is_run_until_done(&self, operation: OperationId) -> bool {
        let mut calls = self.topology().calls_to(operation).filter(|call| self.is_made(*call)).peekable();
        calls.peek().is_some() && calls.all(|call| self.is_redelivered(call))
    }

    /// What undoes steps and cannot be relied on, one row an operation.
    #[must_use]
    pub fn unsafe_compensations(&self) -> Vec<Compensation> {
        let mut steps: IdMap<OperationId, CallId> = IdMap::default();
        for step in self.topology().call_ids().filter(|call| self.is_made(*call)) {
            let stated = self.cascade().call(step, &[Key::CompensatedBy]).given();
            for reference in stated.into_iter().flat_map(|stated| stated.setting.references()) {
                if let Reference::Operation(operation) = reference {
                    steps.entry(*operation).or_insert(step);
                }
            }
        }
        let mut steps: Vec<(OperationId, CallId)> = steps.into_iter().collect();
        steps.sort_unstable();
        let fault = |(operation, step)| {
            Some(Compensation { operation, step, fault: self.compensation_fault(operation, step)? })
        };
        steps.into_iter().filter_map(fault).collect()
    }

    fn compensation_fault(&self, operation: OperationId, step: CallId) -> Option<CompensationFault> {
        match self.repetition(operation) {
            Repetition::Unsafe => return Some(CompensationFault::Repeats),
            Repetition::Unknown => return Some(CompensationFault::Unknown),
            Repetition::Safe => {}
        }
        // Who takes a step forward by it undoes nothing with that call.
        let forward =
            |call: &CallId| self.topology().caller(*call) == self.topology().caller(step) && self.saga(*call).is_some();
        let made = |call: &CallId| self.is_made(*call) && !forward(call);
        let mut calls: Vec<CallId> = self.topology().calls_to(operation).filter(made).collect();
        calls.sort_by_key(|call| self.call_rank(*call));
        let given_up = |call: &CallId| match (self.plan(*call).attempts, self.plan(*call).attempts_stated) {
            (Attempts::AtMost(attempts), Some(_)) if !self.is_handed_out_again(*call) => Some((*call, attempts)),
            _ => None,
        };
        let given_up: Option<Vec<(CallId, u64)>> = calls.iter().map(given_up).collect();
        given_up?.first().map(|(call, attempts)| CompensationFault::GivenUp(*call, *attempts))
    }

    /// Whether a queue repeats a call until it succeeds: its own delivery, or what runs its caller.
    fn is_handed_out_again(&self, call: CallId) -> bool {
        self.is_redelivered(call) || self.is_run_until_done(self.topology().caller(call))
    }

    /// Transactions whose parts different teams own, one row an operation and name.
    #[must_use]
    pub fn transactions_across_owners(&self) -> Vec<SharedTransaction> {
        let mut first: IdMap<(OperationId, Name), (CallId, Name)> = IdMap::default();
        let mut found: IdMap<(OperationId, Name), SharedTransaction> = IdMap::default();
        for call in self.topology().call_ids().filter(|call| self.is_made(*call)) {
            let stated = self.cascade().call(call, &[Key::Transaction]).given();
            let Some(transaction) = stated.and_then(|stated| stated.setting.word()) else { continue };
            let to = self.topology().callee_node(call);
            let Ownership::Team(owner) = self.owner(to) else { continue };
            let key = (self.topology().caller(call), transaction);
            let other = *first.entry(key).or_insert((call, owner));
            if other.1 != owner {
                found.entry(key).or_insert(SharedTransaction { transaction, parts: [other, (call, owner)] });
            }
        }
        let mut found: Vec<SharedTransaction> = found.into_values().collect();
        found.sort_by_key(|found| found.parts[1].0);
        found
    }

    /// Calls to somebody else's system whose outcome nobody can find out when no answer comes: the effect repeats, no
    /// key stops it, and nothing there can be asked. Proved if it is stated that nobody settles it.
    #[must_use]
    pub fn unreconciled(&self) -> Vec<(CallId, Certainty)> {
        let topology = self.topology();
        let mut seen = BTreeSet::new();
        let calls = topology.call_ids().filter(|call| self.is_awaited(*call));
        let mut calls: Vec<CallId> = calls.filter(|call| self.is_blind(*call)).collect();
        calls.sort_by_key(|call| self.call_rank(*call));
        let open = calls.into_iter().filter_map(|call| {
            let undone = self.cascade().call(call, &[Key::CompensatedBy]).may_be_given();
            match self.cascade().call(call, &[Key::ReconciledBy]) {
                Answer::None(_) => Some((call, Certainty::Proved)),
                Answer::Unstated if !undone => Some((call, Certainty::Possible)),
                _ => None,
            }
        });
        open.filter(|(call, _)| seen.insert(topology.callee(*call))).collect()
    }

    fn is_blind(&self, call: CallId) -> bool {
        let topology = self.topology();
        let (from, to) = (topology.caller(call), topology.callee(call));
        let repeats = self.repetition(to) == Repetition::Unsafe;
        let code = topology.kind_of(from) == ElementKind::Service;
        let asked =
            |other: &OperationId| self.repetition(*other) == Repetition::Safe && self.changes(*other) == Effect::Absent;
        let node = topology.node_of(to);
        code && repeats && node.kind == ElementKind::External && !node.operations.iter().any(asked)
    }
}
