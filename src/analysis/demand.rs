//! What arrives at a node or an operation that states how much it takes: while all is well, at the busiest time, and
//! while it fails and everybody who may try again does.
//!
//! The last is the expected number of tries in a second if it fails at once and everything else answers: at each call
//! `n·(1 + f + f² + …)` with as many terms as it has attempts, where `f` is the share of executions of the callee that
//! fail by it. It is a lower bound: a retry budget counts as one try, and nobody above a breaker multiplies what is
//! below it, because an open breaker lets nothing through.

use super::Facts;
use super::attempts::Attempts;
use super::load::{Rate, Traffic, arrivals, client_calls, is_undivided, least_chance, of_client, stated_arrivals};
use crate::ids::{IdMap, IdSet};
use crate::model::{CallId, Fallback, NodeId, OperationId, Stated, Step};
use crate::syntax::Arrow;
use crate::vocabulary::Key;

/// A node or an operation that states how much it takes.
#[derive(Debug)]
pub struct Limited<'a> {
    /// The node.
    pub node: NodeId,
    /// The operation, if it is said of one.
    pub operation: Option<OperationId>,
    /// How much, per second.
    pub limit: f64,
    /// Where that is stated.
    pub stated: Stated<'a>,
    /// What arrives usually.
    pub usual: Rate,
    /// What arrives at the busiest time.
    pub peak: Rate,
}

/// What arrives while it fails.
#[derive(Clone, Debug, Default)]
pub struct Amplified {
    /// Tries a second, at least.
    pub per_second: f64,
    /// The calls that are tried again, those next to it first.
    pub repeated: Vec<CallId>,
}

impl Limited<'_> {
    /// The operations that it is said of.
    #[must_use]
    pub fn operations(&self, facts: &Facts<'_>) -> Vec<OperationId> {
        self.operation.map_or_else(|| facts.topology().node(self.node).operations.clone(), |operation| vec![operation])
    }

    /// What is stated of a key for it: on the operation, else on its node.
    #[must_use]
    pub fn states(&self, facts: &Facts<'_>, key: Key) -> bool {
        let of_operation = |id| facts.cascade().operation(id, key).may_be_given();
        facts.cascade().node(self.node, key).may_be_given() || self.operation.is_some_and(of_operation)
    }
}

impl<'f> Facts<'f> {
    /// All that state a rate of this kind.
    #[must_use]
    pub fn limited(&self, key: Key) -> Vec<Limited<'f>> {
        let topology = self.topology();
        let mut found = Vec::new();
        for node in topology.node_ids() {
            let stated = self.cascade().node(node, key).given();
            found.extend(stated.and_then(|stated| self.limited_node(node, stated)));
            for id in topology.node(node).operations.iter().filter(|id| topology.operation(**id).name.is_some()) {
                let stated = self.cascade().operation(*id, key).given();
                found.extend(stated.and_then(|stated| self.limited_operation(node, *id, stated)));
            }
        }
        found
    }

    fn limited_node(&self, node: NodeId, stated: Stated<'f>) -> Option<Limited<'f>> {
        let limit = stated.setting.rate()?;
        let [usual, peak] = [Traffic::Usual, Traffic::Peak].map(|traffic| self.node_rate(node, traffic));
        Some(Limited { node, operation: None, limit, stated, usual: at_most(usual, peak), peak })
    }

    fn limited_operation(&self, node: NodeId, id: OperationId, stated: Stated<'f>) -> Option<Limited<'f>> {
        let limit = stated.setting.rate()?;
        let [usual, peak] = [Traffic::Usual, Traffic::Peak].map(|traffic| self.rate_in(id, traffic));
        Some(Limited { node, operation: Some(id), limit, stated, usual: at_most(usual, peak), peak })
    }

    /// The tries of a second that arrive at an operation while it fails, at least; none where there are too many ways to
    /// follow.
    #[must_use]
    pub fn amplified_rate(&self, operation: OperationId) -> Option<f64> {
        let all = self.amplified_rates.get_or_init(|| {
            let groups: Vec<Vec<OperationId>> = self.topology().operation_ids().map(|id| vec![id]).collect();
            let amplified = self.amplified(&groups, Traffic::Usual);
            amplified.into_iter().map(|found| found.map(|found| found.per_second)).collect()
        });
        all.get(operation.index()).copied().flatten()
    }

    /// What arrives at each of these groups of operations in a second while they fail; none where there are too many
    /// ways to follow.
    #[must_use]
    pub fn amplified(&self, groups: &[Vec<OperationId>], traffic: Traffic) -> Vec<Option<Amplified>> {
        let mut search = Search::new(self, traffic);
        groups.iter().map(|group| search.group(group)).collect()
    }
}

/// What comes usually is no more than what comes at the busiest time, which leaves out what is not proved.
fn at_most(usual: Rate, peak: Rate) -> Rate {
    Rate { per_second: usual.per_second.min(peak.per_second), ..usual }
}

/// For one execution of an operation.
#[derive(Clone, Copy, Debug, Default)]
struct Failing {
    /// Tries of the target that whoever tries again multiplies.
    tries: f64,
    /// Tries that nobody above multiplies.
    capped: f64,
    /// The share of executions that fail by it.
    fails: f64,
}

impl Failing {
    const NONE: Self = Self { tries: 0.0, capped: 0.0, fails: 0.0 };

    fn scaled(self, share: f64) -> Self {
        Self { tries: self.tries * share, capped: self.capped * share, fails: self.fails * share }
    }

    fn absorbed(self) -> Self {
        Self { fails: 0.0, ..self }
    }

    /// First this, then the other, if this has not failed.
    fn then(self, next: Self) -> Self {
        let rest = next.scaled(1.0 - self.fails);
        Self { tries: self.tries + rest.tries, capped: self.capped + rest.capped, fails: self.fails + rest.fails }
    }

    /// Both at once; it fails if one does.
    fn beside(self, other: Self) -> Self {
        Self {
            tries: self.tries + other.tries,
            capped: self.capped + other.capped,
            fails: 1.0 - (1.0 - self.fails) * (1.0 - other.fails),
        }
    }
}

struct Search<'a, 'f> {
    facts: &'a Facts<'f>,
    traffic: Traffic,
    /// Callees before callers.
    position: Vec<usize>,
    budget: usize,
}

impl<'a, 'f> Search<'a, 'f> {
    fn new(facts: &'a Facts<'f>, traffic: Traffic) -> Self {
        let topology = facts.topology();
        let mut position = vec![0; topology.operations.len()];
        for (place, id) in facts.components_of_made().iter().flatten().enumerate() {
            if let Some(slot) = position.get_mut(id.index()) {
                *slot = place;
            }
        }
        Self { facts, traffic, position, budget: 40 * topology.calls.len() + 200_000 }
    }

    fn group(&mut self, group: &[OperationId]) -> Option<Amplified> {
        let callers = self.callers(group)?;
        let (facts, traffic) = (self.facts, self.traffic);
        let mut pass =
            Pass { facts, traffic, group, values: IdMap::default(), repeated: Vec::new(), counted: IdSet::default() };
        pass.values.extend(group.iter().map(|id| (*id, Failing { tries: 1.0, capped: 0.0, fails: 1.0 })));
        for id in &callers {
            let value = pass.steps(&self.facts.topology().operation(*id).body);
            pass.values.insert(*id, value);
        }
        let all = group.iter().chain(&callers);
        let per_second = all.map(|id| pass.arriving(*id)).sum();
        Some(Amplified { per_second, repeated: pass.repeated })
    }

    /// All that reach the group, callees first.
    fn callers(&mut self, group: &[OperationId]) -> Option<Vec<OperationId>> {
        let topology = self.facts.topology();
        let mut seen: IdSet<OperationId> = group.iter().copied().collect();
        let mut next: Vec<OperationId> = group.to_vec();
        let mut callers = Vec::new();
        while let Some(id) = next.pop() {
            for call in topology.calls_to(id).filter(|call| self.facts.is_made(*call)) {
                self.budget = self.budget.checked_sub(1)?;
                let from = topology.caller(call);
                if seen.insert(from) {
                    callers.push(from);
                    next.push(from);
                }
            }
        }
        callers.sort_by_key(|id| self.position.get(id.index()));
        for id in &callers {
            self.budget = self.budget.checked_sub(topology.calls_from(*id).count())?;
        }
        Some(callers)
    }
}

struct Pass<'a, 'f> {
    facts: &'a Facts<'f>,
    traffic: Traffic,
    /// What fails.
    group: &'a [OperationId],
    values: IdMap<OperationId, Failing>,
    repeated: Vec<CallId>,
    /// The same, to ask.
    counted: IdSet<CallId>,
}

impl Pass<'_, '_> {
    /// The tries of a second that arrivals from outside at an operation lead to, the client's own tries included.
    fn arriving(&mut self, id: OperationId) -> f64 {
        let Some(value) = self.values.get(&id).copied() else { return 0.0 };
        let clients: Vec<CallId> = client_calls(self.facts, id).collect();
        let tried = |pass: &mut Self, call: CallId| {
            let tried = pass.tried(call, value);
            tried.tries + tried.capped
        };
        if let Some(all) = stated_arrivals(self.facts, id, self.traffic) {
            let least = clients.into_iter().map(|call| tried(self, call)).reduce(f64::min);
            return all * least.unwrap_or(value.tries + value.capped);
        }
        if clients.is_empty() {
            return arrivals(self.facts, id, self.traffic).per_second * (value.tries + value.capped);
        }
        clients.into_iter().map(|call| of_client(self.facts, call, self.traffic).per_second * tried(self, call)).sum()
    }

    fn steps(&mut self, steps: &[Step]) -> Failing {
        steps.iter().fold(Failing::NONE, |sum, step| {
            let next = self.step(step, false);
            sum.then(next)
        })
    }

    fn step(&mut self, step: &Step, at_once: bool) -> Failing {
        match step {
            Step::Call(call) => self.call(*call, at_once),
            Step::Sequence(steps) => self.steps(steps),
            Step::Parallel(all) => all.iter().fold(Failing::NONE, |sum, step| {
                let next = self.step(step, true);
                sum.beside(next)
            }),
            Step::Any(enough, all) => {
                let branches: Vec<Failing> = all.iter().map(|step| self.step(step, true)).collect();
                let spare = (all.len() as u64).saturating_sub(*enough);
                let sum = branches.iter().fold(Failing::NONE, |sum, next| sum.beside(*next));
                Failing { fails: more_than(spare, &branches), ..sum }
            }
            Step::OneOf(all) => all.iter().fold(Failing::NONE, |sum, step| {
                let next = self.step(step, false);
                Failing {
                    tries: sum.tries + next.tries,
                    capped: sum.capped + next.capped,
                    fails: (sum.fails + next.fails).min(1.0),
                }
            }),
        }
    }

    fn call(&mut self, id: CallId, at_once: bool) -> Failing {
        let call = self.facts.topology().call(id);
        let plan = self.facts.plan(id);
        let Some(value) =
            self.values.get(&call.to).copied().filter(|_| self.facts.is_made(id) && !is_undivided(self.facts, id))
        else {
            return Failing::NONE;
        };
        let tried = self.tried(id, value);
        let ended = match &call.fallback {
            _ if call.arrow == Arrow::Async => tried.absorbed(),
            Some(Fallback::Calls(steps)) => {
                let other = self.steps(steps).scaled(tried.fails);
                Failing { fails: other.fails, tries: tried.tries + other.tries, capped: tried.capped + other.capped }
            }
            _ if plan.soft || self.facts.is_cache_read(id) => tried.absorbed(),
            _ => tried,
        };
        let rounds = match plan.times {
            Attempts::AtMost(times) => times,
            Attempts::Unlimited => 1,
        };
        let made = several(ended, rounds, if at_once { Failing::beside } else { Failing::then });
        made.scaled(least_chance(self.facts, id, self.traffic))
    }

    /// All tries of one call of something of which one execution does this.
    fn tried(&mut self, id: CallId, value: Failing) -> Failing {
        let facts = self.facts;
        let direct = self.group.contains(&facts.topology().callee(id));
        let breaker = facts.cascade().call(id, &[Key::Breaker]).may_be_given();
        let most = match facts.tries_of_failure(id, direct) {
            _ if breaker || facts.is_spread(id) => 1,
            Attempts::AtMost(tries) => tries.min(MOST_TRIES),
            Attempts::Unlimited => 1,
        };
        if most > 1 && value.fails > 0.0 && value.tries > 0.0 && self.counted.insert(id) {
            self.repeated.push(id);
        }
        let tries: f64 = (0..most).map(|before| value.fails.powi(i32::try_from(before).unwrap_or(i32::MAX))).sum();
        let fails = value.fails.powi(i32::try_from(most).unwrap_or(i32::MAX));
        let capped = value.capped;
        if breaker {
            Failing { tries: 0.0, capped: capped + value.tries, fails }
        } else {
            Failing { tries: value.tries * tries, capped, fails }
        }
    }
}

/// More tries than this are counted as so many.
const MOST_TRIES: u64 = 1_000;

fn several(once: Failing, times: u64, with: impl Fn(Failing, Failing) -> Failing) -> Failing {
    const MOST_ROUNDS: u64 = 64;
    if times <= MOST_ROUNDS {
        return (0..times).fold(Failing::NONE, |sum, _| with(sum, once));
    }
    let first = (0..MOST_ROUNDS).fold(Failing::NONE, |sum, _| with(sum, once));
    // What fails ends a sequence early; what does not goes on at the same pace.
    if once.fails > 0.0 { first } else { several_alike(once, times) }
}

#[allow(clippy::cast_precision_loss, reason = "a number of rounds, as a factor")]
fn several_alike(once: Failing, times: u64) -> Failing {
    Failing { tries: once.tries * times as f64, capped: once.capped * times as f64, fails: 0.0 }
}

/// The share of executions in which more than so many branches fail.
fn more_than(spare: u64, branches: &[Failing]) -> f64 {
    let spare = usize::try_from(spare).unwrap_or(usize::MAX).min(branches.len());
    // The share with exactly so many failures so far; what is beyond `spare` is what remains.
    let mut exactly = vec![0.0; spare + 1];
    if let Some(none) = exactly.first_mut() {
        *none = 1.0;
    }
    // Who never fails changes nothing.
    for branch in branches.iter().filter(|branch| branch.fails > 0.0) {
        let mut before = 0.0;
        for share in &mut exactly {
            let here = *share;
            *share = here * (1.0 - branch.fails) + before * branch.fails;
            before = here;
        }
    }
    (1.0 - exactly.iter().sum::<f64>()).clamp(0.0, 1.0)
}
