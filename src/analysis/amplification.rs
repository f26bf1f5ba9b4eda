//! How often an operation is executed for one request of a client, at worst.
//!
//! Fast failure (`failing`): that operation fails at once whenever it is executed, everything else answers. Retries
//! multiply along hard calls up to the nearest one that absorbs the failure, a hard call that has failed ends its
//! sequence, and who tries again executes earlier siblings again (Google, "Site Reliability Engineering", chapter 22:
//! three layers with four attempts each give 4³ = 64). The `bound` lets any node fail at any attempt: every attempt of
//! every layer multiplies, and no execution exceeds it.
//!
//! Both are found by one pass over the callers of an operation, callees first. All passes together have a budget that
//! grows with the diagram; past it, the sum over all ways stands for both, and says so.

use super::Facts;
use super::attempts::{Attempts, Plan};
use super::call_order::CallOrder;
use super::ends::{Count, Ends, all_of, most_with, one_by_one};
use super::interval::Known;
use crate::model::{CallId, Fallback, OperationId, Step};
use crate::parallel;
use crate::syntax::Arrow;
use crate::vocabulary::{ElementKind, Key};

/// How often an operation is executed for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Executions {
    /// If it fails fast and nothing else does; an upper bound where not `exact`.
    pub failing: Count,
    /// If nothing fails: fan-out and loops alone.
    pub healthy: Count,
    /// If anything may fail at any attempt: no execution exceeds it.
    pub bound: Count,
    /// Where the request comes in that leads to most; none if no request reaches it.
    pub root: Option<OperationId>,
    /// Whether all ways were followed one root at a time.
    pub exact: bool,
}

/// The executions of all operations.
pub(super) fn executions(facts: &Facts<'_>) -> Vec<Executions> {
    let topology = facts.topology();
    let mut search = Search::new(facts);
    let mut rows = search.sums();
    let mut budget = 40 * topology.calls.len() + 200_000;
    // What lies near the roots has few callers, so that the budget reaches far.
    for id in facts.call_order().order.iter().copied().rev() {
        if budget == 0 {
            break;
        }
        if let Some(row) = rows.get_mut(id.index()).filter(|row| !row.exact) {
            budget = budget.saturating_sub(search.pass(id));
            *row = search.row(id);
        }
    }
    rows
}

/// For each of these operations, how often it is executed by what tries again at once, and the way on which that is
/// most, from where the request comes in.
pub(super) fn at_once(facts: &Facts<'_>, targets: &[OperationId]) -> Vec<(Executions, Vec<CallId>)> {
    let parts: Vec<&[OperationId]> = targets.chunks(targets.len().div_ceil(2 * parallel::width()).max(1)).collect();
    // A rule asks for this: no fact is worked out here.
    let found = parallel::map(&parts, |targets| {
        let mut search = Search::new(facts);
        (search.at_once_only, search.asks_for_ways) = (true, true);
        targets.iter().map(|target| search.worst_way(*target)).collect::<Vec<_>>()
    });
    found.into_iter().flatten().collect()
}

/// What a pass knows of a caller.
#[derive(Clone, Copy)]
struct Value {
    ends: Ends,
    healthy: Count,
    bound: Count,
    /// The call that leads to most executions, where ways are asked for.
    by: Option<CallId>,
}

/// How often a call is tried, whatever it leads to.
#[derive(Clone, Copy)]
struct Tries {
    /// If the callee itself fails at once, and if something below it does.
    direct: Attempts,
    indirect: Attempts,
    /// Every attempt of every layer, every copy and every round of a loop.
    most: Attempts,
}

struct Search<'a, 'f> {
    facts: &'a Facts<'f>,
    shape: &'a CallOrder,
    /// Of all calls; none of those that are never made.
    tries: Vec<Option<Tries>>,
    /// What the present pass knows; only what its callers list names is of this pass.
    values: Vec<Option<Value>>,
    callers: Vec<OperationId>,
    target: OperationId,
    /// Whether tries that are spread over time or over requests count as one.
    at_once_only: bool,
    asks_for_ways: bool,
}

impl<'a, 'f> Search<'a, 'f> {
    fn new(facts: &'a Facts<'f>) -> Self {
        Self {
            facts,
            shape: facts.call_order(),
            tries: facts.topology().call_ids().map(|call| tries(facts, call)).collect(),
            values: vec![None; facts.topology().operations.len()],
            callers: Vec::new(),
            target: OperationId(0),
            at_once_only: false,
            asks_for_ways: false,
        }
    }

    fn value(&self, id: OperationId) -> Option<&Value> {
        self.values.get(id.index())?.as_ref()
    }

    /// None if it is never made.
    fn tries(&self, call: CallId) -> Option<&Tries> {
        self.tries.get(call.index())?.as_ref()
    }

    /// The sum over all ways from all roots, callers first: an upper bound of everything.
    fn sums(&self) -> Vec<Executions> {
        let topology = self.facts.topology();
        let mut sums = vec![Count::NONE; topology.operations.len()];
        for id in self.shape.order.iter().rev() {
            let own = if self.shape.is_root(*id) { Count::Times(1) } else { Count::NONE };
            let calls = topology.calls_to(*id).filter_map(|call| Some((call, self.tries(call)?)));
            let arriving = calls.map(|(call, tries)| {
                let from = sums.get(topology.caller(call).index()).copied().unwrap_or(Count::NONE);
                from.times(tries.most)
            });
            let letters = self.shape.givers(*id).iter().map(|giver| {
                sums.get(giver.index()).copied().unwrap_or(Count::NONE).times(self.facts.given_up(*giver))
            });
            let sum = arriving.chain(letters).fold(own, Count::plus);
            if let Some(slot) = sums.get_mut(id.index()) {
                *slot = if self.shape.loops(*id) { Count::Unbounded } else { sum };
            }
        }
        let rows = topology.operation_ids().zip(sums);
        rows.map(|(id, sum)| Executions {
            failing: sum,
            healthy: sum,
            bound: sum,
            root: None,
            exact: self.shape.loops(id),
        })
        .collect()
    }

    /// Follows all callers of an operation; how much work that was.
    fn pass(&mut self, target: OperationId) -> usize {
        for id in self.callers.drain(..) {
            if let Some(slot) = self.values.get_mut(id.index()) {
                *slot = None;
            }
        }
        let topology = self.facts.topology();
        self.target = target;
        let mut next = vec![target];
        while let Some(id) = next.pop() {
            match self.values.get_mut(id.index()) {
                Some(slot @ None) => {
                    let once = Count::Times(1);
                    *slot = Some(Value { ends: Ends::UNTOUCHED, healthy: once, bound: once, by: None });
                }
                _ => continue,
            }
            self.callers.push(id);
            let calls = topology.calls_to(id).filter(|call| self.tries(*call).is_some());
            next.extend(calls.map(|call| topology.caller(call)));
            next.extend(self.shape.givers(id));
        }
        let mut callers = std::mem::take(&mut self.callers);
        callers.sort_unstable_by_key(|id| self.shape.position(*id));
        let mut work = 0;
        for id in callers.iter().copied().filter(|id| *id != target) {
            work += 1 + topology.calls_from(id).count();
            let value = self.caller(id);
            if let Some(slot) = self.values.get_mut(id.index()) {
                *slot = Some(value);
            }
        }
        self.callers = callers;
        work + 1
    }

    fn caller(&self, id: OperationId) -> Value {
        let topology = self.facts.topology();
        let body = &topology.operation(id).body;
        // Each arrow of a client is a request of its own.
        let bound = match body.as_slice() {
            [Step::OneOf(requests)] if topology.kind_of(id) == ElementKind::Client => {
                let bounds = requests.iter().map(|request| self.bound(std::slice::from_ref(request)));
                bounds.max().unwrap_or(Count::NONE)
            }
            _ => self.bound(body),
        };
        let letters = self.letters(id).map_or(Count::NONE, |value| value.bound.times(self.facts.given_up(id)));
        let bound = bound.plus(letters);
        // What comes back in a circle is not known yet, so that no way does.
        let by = if self.asks_for_ways { self.by(id) } else { None };
        Value { ends: self.steps(body), healthy: self.healthy(body), bound, by }
    }

    /// The call of a caller that leads to most executions.
    fn by(&self, id: OperationId) -> Option<CallId> {
        let weight = |call: &CallId| {
            let through = self.value(self.facts.topology().callee(*call))?.bound.times(self.tries(*call)?.most);
            Some((self.call(*call, false).most(), through, std::cmp::Reverse(self.facts.call_rank(*call))))
        };
        let calls = self.facts.topology().calls_from(id).filter_map(|call| Some((weight(&call)?, call)));
        calls.max_by(|(one, _), (other, _)| one.cmp(other)).map(|(_, call)| call)
    }

    /// What is known of where the messages of an operation go that are given up.
    fn letters(&self, id: OperationId) -> Option<&Value> {
        self.value(self.shape.letters(id)?)
    }

    /// All that these steps can lead to, fallbacks and every branch included.
    fn bound(&self, steps: &[Step]) -> Count {
        let topology = self.facts.topology();
        let through = |call: CallId| {
            let value = self.value(topology.callee(call)).zip(self.tries(call));
            let own = value.map_or(Count::NONE, |(value, tries)| value.bound.times(tries.most));
            match &topology.call(call).fallback {
                Some(Fallback::Calls(steps)) => own.plus(self.bound(steps)),
                _ => own,
            }
        };
        let mut sum = Count::NONE;
        Step::each(steps, &mut |call| sum = sum.plus(through(call)));
        sum
    }

    /// How often the target is executed when nothing fails, at most.
    fn healthy(&self, steps: &[Step]) -> Count {
        let one = |step: &Step| match step {
            Step::Call(call) => {
                let value = self.value(self.facts.topology().callee(*call)).filter(|_| self.tries(*call).is_some());
                value.map_or(Count::NONE, |value| value.healthy.times(self.facts.plan(*call).times))
            }
            Step::Sequence(steps) | Step::Parallel(steps) | Step::Any(_, steps) => self.healthy(steps),
            Step::OneOf(branches) => {
                branches.iter().map(|branch| self.healthy(std::slice::from_ref(branch))).max().unwrap_or(Count::NONE)
            }
        };
        steps.iter().map(one).fold(Count::NONE, Count::plus)
    }

    /// The most of all roots, for the target of the last pass.
    fn row(&self, target: OperationId) -> Executions {
        let mut row =
            Executions { failing: Count::NONE, healthy: Count::NONE, bound: Count::NONE, root: None, exact: true };
        let mut best = None;
        for id in self.callers.iter().copied().filter(|id| self.shape.is_root(*id)) {
            let Some(value) = self.value(id) else { continue };
            let most = if id == target { Count::Times(1) } else { value.ends.most() };
            row.bound = row.bound.max(value.bound);
            let weight = (most, value.bound, std::cmp::Reverse(self.facts.rank(id)));
            if best.is_none_or(|known| known < weight) {
                best = Some(weight);
                (row.failing, row.healthy, row.root) = (most, value.healthy, Some(id));
            }
        }
        row
    }

    fn worst_way(&mut self, target: OperationId) -> (Executions, Vec<CallId>) {
        self.pass(target);
        let executions = self.row(target);
        let by = |id: OperationId| self.value(id).and_then(|value| value.by);
        let topology = self.facts.topology();
        let way = std::iter::successors(executions.root.and_then(by), |call| by(topology.callee(*call)));
        (executions, way.collect())
    }

    fn steps(&self, steps: &[Step]) -> Ends {
        steps.iter().fold(Ends::UNTOUCHED, |ends, step| ends.then(self.step(step, false)))
    }

    fn step(&self, step: &Step, at_once: bool) -> Ends {
        match step {
            Step::Call(call) => self.call(*call, at_once),
            Step::Sequence(steps) => self.steps(steps),
            Step::Parallel(branches) => self.at_once(branches, branches.len()),
            Step::Any(enough, branches) => self.at_once(branches, usize::try_from(*enough).unwrap_or(usize::MAX)),
            Step::OneOf(branches) => {
                branches.iter().map(|branch| self.step(branch, false)).reduce(Ends::either).unwrap_or(Ends::UNTOUCHED)
            }
        }
    }

    /// All run, whichever fails. The most with at least `enough` good ends, and with fewer.
    fn at_once(&self, branches: &[Step], enough: usize) -> Ends {
        let ends: Vec<Ends> = branches.iter().map(|branch| self.step(branch, true)).collect();
        let good = most_with(&ends, enough, |ends| (ends.good, ends.bad));
        let bad = most_with(&ends, (ends.len() + 1).saturating_sub(enough), |ends| (ends.bad, ends.good));
        Ends { good, bad }
    }

    fn call(&self, id: CallId, at_once: bool) -> Ends {
        let call = self.facts.topology().call(id);
        let Some((value, known)) = self.value(call.to).zip(self.tries(id)) else { return Ends::UNTOUCHED };
        let plan = self.facts.plan(id);
        let exactly = call.to == self.target;
        let direct = exactly || self.means(call.to, self.target);
        let single = if exactly { Ends { good: None, bad: Some(Count::Times(1)) } } else { value.ends };
        let spread = self.at_once_only && self.facts.is_spread(id);
        let tries = if direct { known.direct } else { known.indirect };
        let tries = if spread { Attempts::AtMost(1) } else { tries };
        let before = match tries {
            Attempts::AtMost(tries) => Attempts::AtMost(tries.saturating_sub(1)),
            Attempts::Unlimited => Attempts::Unlimited,
        };
        let repeated = single.bad.map(|bad| bad.times(before));
        let good = single.good.map(|good| good.plus(repeated.unwrap_or(Count::NONE)));
        let tried = Ends { good, bad: single.bad.map(|bad| bad.times(tries)) };
        let tried = match &call.fallback {
            _ if call.arrow == Arrow::Async => self.given_up(call.from, tried).absorbed(),
            Some(Fallback::Calls(steps)) => {
                let failed = Ends { good: tried.bad, bad: None };
                Ends { good: tried.good, bad: None }.either(failed.then(self.steps(steps)))
            }
            _ if plan.soft || self.facts.is_cache_read(id) => tried.absorbed(),
            _ => tried,
        };
        let made = if at_once { all_of(tried, plan.times) } else { one_by_one(tried, plan.times) };
        // What is read on a miss only may not be read at all.
        let skippable = plan.skippable || self.facts.miss_of(id).is_some();
        if skippable { made.either(Ends::UNTOUCHED) } else { made }
    }

    /// What a queue could not deliver goes elsewhere, when time has passed.
    fn given_up(&self, queue: OperationId, tried: Ends) -> Ends {
        let Some(letters) = self.letters(queue).filter(|_| !self.at_once_only) else { return tried };
        let exactly = self.shape.letters(queue) == Some(self.target);
        let letters = if exactly { Count::Times(1) } else { letters.ends.most() };
        Ends { bad: tried.bad.map(|bad| bad.plus(letters)), ..tried }
    }

    /// Whether a bare arrow to the first means the other one too.
    fn means(&self, bare: OperationId, operation: OperationId) -> bool {
        let topology = self.facts.topology();
        let (bare, operation) = (topology.operation(bare), topology.operation(operation));
        bare.name.is_none()
            && bare.node == operation.node
            && matches!(topology.node(bare.node).kind, ElementKind::Store | ElementKind::Cache)
    }
}

/// How often a call is tried, whatever it leads to; none if it is never made.
fn tries(facts: &Facts<'_>, id: CallId) -> Option<Tries> {
    let of_failure = |direct| facts.tries_of_failure(id, direct);
    facts.is_made(id).then(|| Tries { direct: of_failure(true), indirect: of_failure(false), most: most(facts, id) })
}

/// Every attempt of every layer, every copy and every round of a loop; what stands in for a call does so in every round
/// of it.
fn most(facts: &Facts<'_>, id: CallId) -> Attempts {
    let plan = facts.plan(id);
    let attempts = facts.handed_out(id).unwrap_or_else(|| facts.startable(id, Known::AtMost));
    let attempts = plan.proxies.iter().fold(attempts, |attempts, layer| multiplied(attempts, layer.attempts));
    let attempts = multiplied(attempts, plan.hedge.map_or(1, |(copies, ..)| copies));
    let looped = std::iter::successors(Some(id), |id| facts.topology().call(*id).fallback_of);
    looped.fold(attempts, |attempts, id| match facts.plan(id).times {
        Attempts::AtMost(times) => multiplied(attempts, times),
        Attempts::Unlimited => Attempts::Unlimited,
    })
}

impl Facts<'_> {
    /// How often a call is tried when its callee fails at once: `direct` if the callee itself fails, and not something
    /// below it, which is no failed connection.
    #[must_use]
    pub fn tries_of_failure(&self, id: CallId, direct: bool) -> Attempts {
        let plan = self.plan(id);
        let attempts = match self.handed_out(id) {
            Some(_) if !self.is_redelivered(id) => Attempts::AtMost(1),
            Some(receives) => receives,
            None if plan.retries_on_failure(direct) => self.startable(id, Known::AtLeast),
            None => Attempts::AtMost(1),
        };
        let layers = plan.proxies.iter().filter(|layer| direct || layer.repeats_work == Some(true));
        layers.fold(attempts, |attempts, layer| multiplied(attempts, layer.attempts))
    }

    /// Whether the tries of a call are spread: a queue hands a message out again when time has passed, and a retry
    /// budget bounds the tries of all requests together.
    #[must_use]
    pub fn is_spread(&self, id: CallId) -> bool {
        self.handed_out(id).is_some() || self.cascade().call(id, &[Key::RetryBudget]).given().is_some()
    }

    /// How often a queue hands a message out, as far as that is stated.
    fn handed_out(&self, id: CallId) -> Option<Attempts> {
        let topology = self.topology();
        let from = topology.caller(id);
        (topology.kind_of(from) == ElementKind::Queue).then(|| self.receives(topology.node_id_of(from)))
    }
}

fn multiplied(attempts: Attempts, by: u64) -> Attempts {
    match attempts {
        Attempts::AtMost(attempts) => Attempts::AtMost(attempts.saturating_mul(by)),
        Attempts::Unlimited => Attempts::Unlimited,
    }
}

impl Plan<'_> {
    /// Whether a failure is tried again that comes at once: of the callee itself, or of something below it.
    fn retries_on_failure(&self, direct: bool) -> bool {
        // Who has a connection to a proxy hears from it that there was none behind it.
        let unseen = self.retries_only_connect && !self.proxies.is_empty();
        if direct { !self.retries_only_late && !unseen } else { !self.retries_only_near }
    }
}
