//! What an operation needs, as a formula: its node, what it passes through, and the calls that it cannot do without.
//! A queue between two is needed by who waits for it, its consumers are not; tries change nothing in an outage.

use super::Target;
use super::formula::{FormulaId, Formulas};
use crate::analysis::Facts;
use crate::model::{CallId, Fallback, NodeId, OperationId, Step};
use crate::vocabulary::{ElementKind, Key};

/// How what is not stated is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// So that most works.
    Most,
    /// So that least works.
    Least,
    /// As if everything that is asked were needed.
    Whole,
}

/// What is known of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Up,
    Down,
    /// Its availability counts.
    Variable,
}

/// Makes formulas of operations.
pub(super) struct Structure<'a, 'f, 'b> {
    pub(super) facts: &'a Facts<'f>,
    pub(super) formulas: &'a mut Formulas<'b>,
    pub(super) reading: Reading,
    /// What a call works like that comes back in a circle.
    pub(super) in_circle: FormulaId,
    pub(super) state: &'a dyn Fn(Target) -> State,
}

impl Structure<'_, '_, '_> {
    /// One formula an operation, callees before callers: those of these groups anew, over what is known of the others.
    pub(super) fn operations(&mut self, mut done: Vec<FormulaId>, groups: &[&[OperationId]]) -> Vec<FormulaId> {
        for group in groups {
            for id in *group {
                set(&mut done, *id, self.in_circle);
            }
            // In a circle the first round has not seen all of it.
            for id in group.iter().chain(group.iter().filter(|_| group.len() > 1)) {
                let formula = self.operation(*id, &done);
                set(&mut done, *id, formula);
            }
        }
        done
    }

    fn operation(&mut self, id: OperationId, done: &[FormulaId]) -> FormulaId {
        let operation = self.facts.topology().operation(id);
        let own = [self.node(operation.node), self.component(Target::Operation(id))];
        let body = self.steps(&operation.body, done);
        self.formulas.all(own.into_iter().chain([body]))
    }

    fn node(&mut self, node: NodeId) -> FormulaId {
        let is_client = self.facts.topology().node(node).kind == ElementKind::Client;
        if is_client { Formulas::ALWAYS } else { self.component(Target::Node(node)) }
    }

    fn component(&mut self, component: Target) -> FormulaId {
        match (self.state)(component) {
            State::Up => Formulas::ALWAYS,
            State::Down => Formulas::NEVER,
            State::Variable => self.formulas.up(component),
        }
    }

    fn steps(&mut self, steps: &[Step], done: &[FormulaId]) -> FormulaId {
        let parts = self.each(steps, done);
        self.formulas.all(parts)
    }

    fn each(&mut self, steps: &[Step], done: &[FormulaId]) -> Vec<FormulaId> {
        steps.iter().map(|step| self.step(step, done)).collect()
    }

    fn step(&mut self, step: &Step, done: &[FormulaId]) -> FormulaId {
        match step {
            Step::Call(call) => self.call(*call, done),
            Step::Sequence(steps) | Step::Parallel(steps) => self.steps(steps, done),
            Step::Any(enough, branches) => {
                let parts = self.each(branches, done);
                if self.reading == Reading::Whole {
                    return self.formulas.all(parts);
                }
                let enough = usize::try_from(*enough).unwrap_or(usize::MAX).min(parts.len());
                self.formulas.enough(enough, parts)
            }
            Step::OneOf(branches) => self.one_of(branches, done),
        }
    }

    /// A bare arrow to a store means all its operations. Of a split whose shares are not stated, any branch may take
    /// all requests.
    fn one_of(&mut self, branches: &[Step], done: &[FormulaId]) -> FormulaId {
        let shares = self.facts.shares_of_split(branches);
        let parts: Vec<FormulaId> = branches.iter().map(|branch| self.branch(branch, done)).collect();
        let implied = first_call(branches).is_some_and(|call| self.facts.topology().call(call).implied);
        match (shares, first_call(branches)) {
            _ if implied || self.reading == Reading::Whole => self.formulas.all(parts),
            (Some(shares), Some(call)) => {
                let shared: Vec<(f64, FormulaId)> = shares.into_iter().zip(parts).collect();
                self.formulas.choice((call, calls_in(branches)), &shared)
            }
            _ if self.reading == Reading::Most => self.formulas.enough(1, parts),
            _ => self.formulas.all(parts),
        }
    }

    /// In a split, `chance` says how often a branch is taken, not whether its call is made.
    fn branch(&mut self, step: &Step, done: &[FormulaId]) -> FormulaId {
        match step {
            Step::Call(call) => self.made(*call, done),
            _ => self.step(step, done),
        }
    }

    fn call(&mut self, id: CallId, done: &[FormulaId]) -> FormulaId {
        let facts = self.facts;
        if self.reading != Reading::Whole && facts.is_cache_read(id) {
            return Formulas::ALWAYS;
        }
        let made = self.made(id, done);
        if made == Formulas::ALWAYS || self.reading == Reading::Whole {
            return made;
        }
        let chance = facts.stated_share(id, Key::Chance);
        if let Some(cache) = facts.miss_of(id) {
            let cache = self.made(cache, done);
            let hit = self.formulas.enough(1, [cache, made]);
            let node = facts.topology().callee_node(facts.miss_of(id).unwrap_or(id));
            let ratio = facts.cascade().node(node, Key::HitRatio).given().and_then(|stated| stated.setting.share());
            let hits = chance.map(|chance| 1.0 - chance).or(ratio);
            return match (hits, self.reading) {
                (Some(hits), _) => self.formulas.choice((id, 0), &[(hits, hit), (1.0 - hits, made)]),
                (None, Reading::Most) => hit,
                (None, _) => made,
            };
        }
        match chance {
            Some(chance) => self.formulas.choice((id, 0), &[(chance, made), (1.0 - chance, Formulas::ALWAYS)]),
            None if facts.plan(id).skippable && self.reading == Reading::Most => Formulas::ALWAYS,
            None => made,
        }
    }

    /// A call that is made: the callee and all that lies between, or what answers instead.
    fn made(&mut self, id: CallId, done: &[FormulaId]) -> FormulaId {
        let facts = self.facts;
        let plan = facts.plan(id);
        if !facts.is_awaited(id) {
            return Formulas::ALWAYS;
        }
        let call = facts.topology().call(id);
        let between: Vec<FormulaId> = facts.passed(id).into_iter().map(|node| self.node(node)).collect();
        let callee = done.get(call.to.index()).copied().unwrap_or(self.in_circle);
        let itself = self.component(Target::Call(id));
        let reached = self.formulas.all(between.into_iter().chain([itself, callee]));
        match &call.fallback {
            _ if self.reading == Reading::Whole => reached,
            _ if self.answers_alone(id) => Formulas::ALWAYS,
            Some(Fallback::Calls(steps)) => {
                let instead = self.steps(steps, done);
                self.formulas.enough(1, [reached, instead])
            }
            _ if plan.soft => Formulas::ALWAYS,
            _ => reached,
        }
    }

    /// What answers openly when its own lookup fails does without it. Which of its calls look something up is known of
    /// those to what has a role for that.
    fn answers_alone(&self, id: CallId) -> bool {
        let open = self.facts.answers_openly(self.facts.topology().caller(id));
        open && (self.reading == Reading::Most || self.facts.is_lookup(id))
    }
}

fn set(done: &mut [FormulaId], id: OperationId, formula: FormulaId) {
    if let Some(slot) = done.get_mut(id.index()) {
        *slot = formula;
    }
}

impl Facts<'_> {
    /// Whether a call asks what may be done, or how: its callee is there for identities, configuration, secrets or the
    /// places of others.
    #[must_use]
    pub fn is_lookup(&self, call: CallId) -> bool {
        let node = self.topology().callee_node(call);
        ["identity", "config", "secrets", "discovery"].into_iter().any(|role| self.has_role(node, role))
    }

    /// Whether an operation goes on when its own lookup fails.
    #[must_use]
    pub fn answers_openly(&self, operation: OperationId) -> bool {
        let stated = self.cascade().operation(operation, Key::OnFailure).given();
        stated.is_some_and(|stated| stated.setting.says("open"))
    }

    /// Whether a node is stated to be there for something.
    #[must_use]
    pub fn has_role(&self, node: NodeId, role: &str) -> bool {
        self.cascade().node(node, Key::Role).given().is_some_and(|stated| stated.setting.says(role))
    }

    pub(super) fn stated_share(&self, call: CallId, key: Key) -> Option<f64> {
        if self.topology().call(call).implied {
            return None;
        }
        self.cascade().call(call, &[key]).given().and_then(|stated| stated.setting.share())
    }

    /// How requests are divided over the branches of a split; none unless all is stated and adds up, or all but one.
    pub(super) fn shares_of_split(&self, branches: &[Step]) -> Option<Vec<f64>> {
        let share = |branch: &Step| match branch {
            Step::Call(call) => self.stated_share(*call, Key::Chance),
            _ => None,
        };
        let shares: Vec<Option<f64>> = branches.iter().map(share).collect();
        let sum: f64 = shares.iter().flatten().sum();
        let silent = shares.iter().filter(|share| share.is_none()).count();
        let rest = 1.0 - sum;
        let adds_up = if silent == 0 { rest.abs() < 1e-9 } else { silent == 1 && rest > -1e-9 };
        adds_up.then(|| shares.into_iter().map(|share| share.unwrap_or(rest.max(0.0))).collect())
    }
}

fn first_call(steps: &[Step]) -> Option<CallId> {
    let mut first = None;
    Step::each(steps, &mut |call| first = first.or(Some(call)));
    first
}

/// Of splits that start with the same call, an outer one has more calls.
fn calls_in(steps: &[Step]) -> usize {
    let mut count = 0;
    Step::each(steps, &mut |_| count += 1);
    count
}
