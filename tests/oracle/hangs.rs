//! What one node that no longer answers does to workers, played through: every execution of every operation that waits
//! for it, with every choice that it can make, and who still comes where when that is taken into account.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Count, Fallback, Graph, Kind, Shape, Step};
use super::ways_down::{Arriving, from_outside, hard_calls, healthy_calls, rates, reached};

/// What the hang of one node does to some workers.
#[derive(Clone, Debug, PartialEq)]
pub struct Hang {
    /// Held workers; none if they wait without end.
    pub needed: Option<f64>,
    /// Requests a second that come to wait.
    pub arriving: f64,
    pub known: bool,
    pub innocent: BTreeSet<usize>,
    /// Requests a second of each operation, and how many workers they hold at most.
    pub holders: Vec<(f64, f64)>,
}

/// How long things last in a hang, by their number; in seconds.
pub struct Lasts {
    /// A call, at least; endless if it has no end.
    pub call: Vec<f64>,
    /// A call, at most; none if that is not known.
    pub call_at_most: Vec<Option<f64>>,
    /// The work of an operation, at most.
    pub work_at_most: Vec<Option<f64>>,
}

/// The operations that share workers, by the first of them: their number and who they are.
pub fn pools(graph: &Graph) -> Vec<(u64, Vec<usize>)> {
    let all = || 0..graph.operations.len();
    let own = all().filter_map(|id| Some((graph.operations[id].concurrency?, vec![id])));
    let shared = (0..graph.nodes.len()).filter_map(|node| {
        let without = |id: &usize| graph.operations[*id].node == node && graph.operations[*id].concurrency.is_none();
        Some((graph.nodes[node].concurrency?, all().filter(without).collect::<Vec<_>>()))
    });
    own.chain(shared).filter(|(_, operations)| !operations.is_empty()).collect()
}

/// Whether waiting can come round to where it started: such graphs are not played.
pub fn waits_in_a_circle(graph: &Graph) -> bool {
    let awaited = |from: usize| {
        let calls = graph.made_calls_of(from).into_iter().filter(|call| graph.calls[*call].waits);
        calls.flat_map(|call| graph.callees(call)).collect::<Vec<_>>()
    };
    (0..graph.operations.len()).any(|start| {
        let (mut seen, mut next) = (BTreeSet::new(), awaited(start));
        while let Some(at) = next.pop() {
            next.extend(awaited(at).into_iter().filter(|callee| seen.insert(*callee)));
            seen.insert(at);
        }
        seen.contains(&start)
    })
}

/// For each node what its hang does to the operations of a pool.
pub fn hangs(graph: &Graph, pool: &[usize], lasts: &Lasts) -> Option<BTreeMap<usize, Hang>> {
    let (rates, hard) = (rates(graph)?, hard_calls(graph));
    let shares = shares(graph, &rates, lasts);
    let mut hangs = BTreeMap::new();
    for node in 0..graph.nodes.len() {
        let into = |call: &usize| graph.calls[*call].waits && graph.operations[graph.calls[*call].to].node == node;
        let needs = |from: &usize| reached(graph, *from, &hard).into_iter().any(|id| graph.operations[id].node == node);
        let innocent = pool.iter().copied().filter(|id| !needs(id)).collect();
        let mut hang = Hang { needed: Some(0.0), arriving: 0.0, known: true, holders: Vec::new(), innocent };
        let ended = RefCell::new(vec![None; graph.operations.len()]);
        let play = Played { graph, lasts, node, pool, shares: &shares, ended };
        let mut waits = false;
        for operation in pool {
            let spare = spare_calls(&graph.steps_of(*operation));
            let calls: Vec<(usize, Option<f64>)> = healthy_calls(graph, *operation)
                .into_iter()
                .filter(|(call, _)| into(call) && !spare.contains(call))
                .map(|(call, share)| (call, chance(graph, call, share)))
                .collect();
            waits |= !calls.is_empty();
            let arriving = play.arriving(*operation);
            let each = calls.into_iter().filter(|(call, _)| play.visits(*operation)[call].never_failed);
            let each = each.map(|(call, chance)| {
                let rate = chance.map_or(0.0, |chance| arriving * chance);
                // What a bulkhead holds back is held by nobody.
                let limit = graph.calls[call].bulkhead.map_or(f64::INFINITY, number);
                let holds = if rate > 0.0 { (rate * lasts.call[call]).min(limit) } else { 0.0 };
                let known = rates[*operation].known && chance.is_some() && lasts.call_at_most[call].is_some();
                (holds, rate, known)
            });
            // Of calls that hold alike, the one that fills first counts.
            let each: Vec<_> = each.collect();
            let most =
                each.into_iter().rev().max_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
            let Some((holds, rate, known)) = most else { continue };
            hang.arriving += rate;
            hang.known &= known;
            hang.needed = hang.needed.filter(|_| holds.is_finite()).map(|sum| sum + holds);
            hang.holders.push((rate, holds));
        }
        if waits {
            hangs.insert(node, hang);
        }
    }
    Some(hangs)
}

fn number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

/// Where an execution is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    /// Nothing has been waited for.
    Fresh,
    /// It goes on, but time has passed.
    Late,
    /// It has failed, or waits for ever.
    Lost,
}

/// How executions come to a call.
#[derive(Clone, Copy)]
struct Visit {
    never_failed: bool,
    never_waited: bool,
}

/// The hang of one node, for those who want to know how one pool fills.
struct Played<'a> {
    graph: &'a Graph,
    lasts: &'a Lasts,
    node: usize,
    pool: &'a [usize],
    /// Of each operation, the share of its executions that find workers.
    shares: &'a [f64],
    /// How executions end, as far as it has been played.
    ended: RefCell<Vec<Option<BTreeSet<State>>>>,
}

impl Played<'_> {
    /// How each call of an operation is come to: all executions together.
    fn visits(&self, operation: usize) -> BTreeMap<usize, Visit> {
        let sure = Visit { never_failed: true, never_waited: true };
        let mut visits: BTreeMap<usize, Visit> = self.graph.calls_of(operation).map(|call| (call, sure)).collect();
        self.execute(operation, &mut visits);
        visits
    }

    /// How its executions end.
    fn ends(&self, operation: usize) -> BTreeSet<State> {
        if let Some(known) = &self.ended.borrow()[operation] {
            return known.clone();
        }
        let own = self.graph.operations[operation].node == self.node;
        // Who asks workers that may all be taken may find none free.
        let lost = own || self.is_crowded(operation);
        let ends = if lost { BTreeSet::from([State::Lost]) } else { self.execute(operation, &mut BTreeMap::new()) };
        self.ended.borrow_mut()[operation] = Some(ends.clone());
        ends
    }

    /// Whether some of the workers of an operation may wait for the node, and there may be too few of them.
    fn is_crowded(&self, operation: usize) -> bool {
        self.shares[operation] < 1.0 && {
            let mut seen = BTreeSet::from([operation]);
            let mut next = vec![operation];
            while let Some(at) = next.pop() {
                let mates = if self.shares[at] < 1.0 { mates(self.graph, at) } else { Vec::new() };
                let calls = self.graph.made_calls_of(at).into_iter().filter(|call| self.graph.calls[*call].waits);
                let callees = calls.flat_map(|call| self.graph.callees(call));
                next.extend(callees.chain(mates).filter(|id| seen.insert(*id)));
            }
            seen.into_iter().any(|id| self.graph.operations[id].node == self.node)
        }
    }

    fn execute(&self, operation: usize, visits: &mut BTreeMap<usize, Visit>) -> BTreeSet<State> {
        let steps = self.graph.steps_of(operation);
        if self.graph.kind(operation) == Kind::Queue {
            // Every delivery is its own.
            return steps.iter().flat_map(|step| self.step(step, State::Fresh, visits)).collect();
        }
        self.sequence(&steps, State::Fresh, visits)
    }

    fn sequence(&self, steps: &[Step], from: State, visits: &mut BTreeMap<usize, Visit>) -> BTreeSet<State> {
        let mut now = BTreeSet::from([from]);
        for step in steps {
            now = now.into_iter().flat_map(|state| self.step(step, state, visits)).collect();
        }
        now
    }

    fn step(&self, step: &Step, from: State, visits: &mut BTreeMap<usize, Visit>) -> BTreeSet<State> {
        match step {
            Step::Call(call) => self.call(*call, from, visits),
            Step::Group(Shape::Sequence, steps) => self.sequence(steps, from, visits),
            Step::Group(Shape::OneOf, steps) => steps.iter().flat_map(|step| self.step(step, from, visits)).collect(),
            Step::Group(Shape::Parallel, steps) => self.at_once(steps, steps.len(), from, visits),
            Step::Group(Shape::Any(enough), steps) => self.at_once(steps, *enough, from, visits),
        }
    }

    /// The group is where its branch is that answers last of those that are needed.
    fn at_once(
        &self,
        steps: &[Step],
        enough: usize,
        from: State,
        visits: &mut BTreeMap<usize, Visit>,
    ) -> BTreeSet<State> {
        let mut all = BTreeSet::from([Vec::new()]);
        for step in steps {
            let ends = self.step(step, from, visits);
            all = all.iter().flat_map(|one| ends.iter().map(|end| sorted(one, *end))).collect();
        }
        all.into_iter().filter_map(|ends| ends.get(enough - 1).copied()).collect()
    }

    fn call(&self, id: usize, from: State, visits: &mut BTreeMap<usize, Visit>) -> BTreeSet<State> {
        if !self.graph.is_made(id) {
            return BTreeSet::from([from]);
        }
        if let Some(visit) = visits.get_mut(&id) {
            visit.never_failed &= from != State::Lost;
            visit.never_waited &= from == State::Fresh;
        }
        let call = &self.graph.calls[id];
        // What happens by chance may not happen.
        let mut ends = BTreeSet::from([from]);
        if from == State::Lost || !call.waits {
            return ends;
        }
        let below: BTreeSet<State> = self.graph.callees(id).flat_map(|callee| self.ends(callee)).collect();
        for end in below.into_iter().filter(|end| *end != State::Fresh) {
            if end == State::Late && self.is_in_time(id) {
                ends.insert(State::Late);
            } else if let Fallback::Calls(steps) = &call.fallback {
                ends.extend(self.sequence(steps, State::Late, visits));
            } else {
                let soft = call.fallback == Fallback::Text || self.graph.is_cache_read(id);
                ends.insert(if soft { State::Late } else { State::Lost });
            }
        }
        ends
    }

    /// Whether each try waits for longer than the callee can take.
    fn is_in_time(&self, id: usize) -> bool {
        let limit = self.graph.calls[id].timeout.value().map(|limit| number(*limit) / 1_000.0);
        let longest = self.graph.callees(id).map(|callee| self.lasts.work_at_most[callee]);
        let longest = longest.reduce(|one, other| Some(one?.max(other?))).flatten();
        limit.zip(longest).is_some_and(|(limit, longest)| longest < limit)
    }

    /// Executions a second that come to an operation without anybody having waited.
    fn arriving(&self, operation: usize) -> f64 {
        let mut sum = from_outside(self.graph, operation).rate;
        for from in 0..self.graph.operations.len() {
            for (call, share) in healthy_calls(self.graph, from) {
                if !self.graph.callees(call).any(|callee| callee == operation) || !self.visits(from)[&call].never_waited
                {
                    continue;
                }
                let rounds =
                    if self.may_wait(call) { chance(self.graph, call, share) } else { rounds(self.graph, call, share) };
                let rate = self.arriving(from) * rounds.unwrap_or(0.0);
                let workers = if self.pool.contains(&from) { 1.0 } else { self.shares[from] };
                sum += rate * workers.min(self.let_out(call, rate));
            }
        }
        sum
    }

    /// Whether somebody who makes a call may wait for the node.
    fn may_wait(&self, call: usize) -> bool {
        let mut ends = self.graph.callees(call).flat_map(|callee| self.ends(callee));
        self.graph.calls[call].waits && ends.any(|end| end != State::Fresh)
    }

    fn let_out(&self, call: usize, rate: f64) -> f64 {
        let Some(limit) = self.graph.calls[call].bulkhead else { return 1.0 };
        let longest = self.lasts.call_at_most[call].filter(|longest| longest.is_finite() && rate > 0.0);
        longest.map_or(0.0, |longest| (number(limit) / (rate * longest)).min(1.0))
    }
}

fn sorted(ends: &[State], more: State) -> Vec<State> {
    let mut all = [ends, &[more]].concat();
    all.sort_unstable();
    all
}

/// Of each operation the share of its executions that finds workers, whatever all of them wait for.
fn shares(graph: &Graph, rates: &[Arriving], lasts: &Lasts) -> Vec<f64> {
    let needs = |id: &usize| {
        let longest = lasts.work_at_most[*id].filter(|longest| rates[*id].known && longest.is_finite())?;
        Some(rates[*id].rate * longest)
    };
    let mut shares = vec![1.0; graph.operations.len()];
    for (size, all) in pools(graph) {
        let needed: Option<f64> = all.iter().map(needs).sum();
        for id in &all {
            shares[*id] = needed.map_or(0.0, |needed| (number(size) / needed).min(1.0));
        }
    }
    shares
}

/// With whom an operation shares workers.
fn mates(graph: &Graph, operation: usize) -> Vec<usize> {
    pools(graph).into_iter().find(|(_, all)| all.contains(&operation)).map_or_else(Vec::new, |(_, all)| all)
}

/// The same as often as it is made; at least once without end.
fn rounds(graph: &Graph, id: usize, share: Option<f64>) -> Option<f64> {
    if let Some((_, Count::Unlimited)) = graph.calls[id].times { chance(graph, id, share) } else { share }
}

/// How often an execution makes a call, however many times; none if nothing says how a split divides.
fn chance(graph: &Graph, id: usize, share: Option<f64>) -> Option<f64> {
    let call = &graph.calls[id];
    let endless = matches!(call.times, Some((_, Count::Unlimited)));
    let stated = call.chance.map_or_else(|| graph.unstated_chance(id), |chance| Some(f64::from(chance) / 100.0))?;
    (share.is_some() || endless && call.chance.is_some() || endless && !in_split(graph, id)).then_some(stated)
}

fn in_split(graph: &Graph, id: usize) -> bool {
    fn any(steps: &[Step], id: usize, split: bool) -> bool {
        steps.iter().any(|step| match step {
            Step::Call(call) => split && *call == id,
            Step::Group(shape, steps) => any(steps, id, split || *shape == Shape::OneOf),
        })
    }
    any(&graph.steps_of(graph.calls[id].from), id, false)
}

/// Calls in groups that need fewer answers than they have branches.
fn spare_calls(steps: &[Step]) -> Vec<usize> {
    fn all(steps: &[Step], spare: bool, found: &mut Vec<usize>) {
        for step in steps {
            match step {
                Step::Call(call) => found.extend(spare.then_some(*call)),
                Step::Group(shape, steps) => {
                    let more = matches!(shape, Shape::Any(enough) if *enough < steps.len());
                    all(steps, spare || more, found);
                }
            }
        }
    }
    let mut found = Vec::new();
    all(steps, false, &mut found);
    found
}

/// When so many workers are held, found by halving: each caller holds more and more, up to all that it can.
pub fn seconds_to_full(hang: &Hang, size: f64) -> Option<f64> {
    let held = |seconds: f64| hang.holders.iter().map(|(rate, most)| (rate * seconds).min(*most)).sum::<f64>();
    let (mut early, mut late) = (0.0, 1e12);
    if held(late) < size - 1e-6 {
        return None;
    }
    for _ in 0..200 {
        let middle = f64::midpoint(early, late);
        if held(middle) < size - 1e-9 { early = middle } else { late = middle }
    }
    Some(late)
}
