//! What follows from single ways down, each walked by itself from its root and nothing joined: how often something can
//! be executed at the very most, what is needed, how much arrives, and how many workers that keeps.

use std::collections::{BTreeMap, BTreeSet};

use super::failure::ENDLESS;
use super::graph::{Count, Fallback, Graph, Kind, Said, Shape, Step};

/// So many steps are walked before a graph counts as too big.
const MOST_STEPS: u32 = 20_000;

/// Whether each call is hard: by its number.
pub fn hard_calls(graph: &Graph) -> Vec<bool> {
    let mut hard = vec![false; graph.calls.len()];
    for operation in 0..graph.operations.len() {
        mark_hard(graph, &graph.steps_of(operation), &mut hard);
    }
    hard
}

fn mark_hard(graph: &Graph, steps: &[Step], hard: &mut [bool]) {
    for step in steps {
        match step {
            Step::Call(id) => {
                let call = &graph.calls[*id];
                let needed = call.waits && call.fallback == Fallback::Absent && !graph.is_cache_read(*id);
                hard[*id] = needed && graph.is_made(*id);
            }
            Step::Group(Shape::Any(enough), steps) if *enough < steps.len() => {}
            Step::Group(_, steps) => mark_hard(graph, steps, hard),
        }
    }
}

/// What is reached from an operation over such calls, itself included.
pub fn reached(graph: &Graph, from: usize, over: &[bool]) -> BTreeSet<usize> {
    let mut all = BTreeSet::new();
    let mut waiting = vec![vec![from]];
    while let Some(way) = waiting.pop() {
        let at = way[way.len() - 1];
        all.insert(at);
        for call in (0..graph.calls.len()).filter(|call| graph.calls[*call].from == at && over[*call]) {
            let onwards = graph.callees(call).filter(|callee| !way.contains(callee));
            waiting.extend(onwards.map(|callee| [way.as_slice(), &[callee]].concat()));
        }
    }
    all
}

/// For each operation the most executions that any failures can lead to; none if there are too many ways.
pub fn bounds(graph: &Graph) -> Option<Vec<u64>> {
    let mut most = vec![0; graph.operations.len()];
    let mut walk = Walk { graph, steps: 0, visit: BTreeMap::new() };
    for root in graph.roots() {
        for request in graph.requests_of(root) {
            walk.visit.clear();
            walk.repeated(root, 1, Some(&request));
            for (operation, sum) in &walk.visit {
                most[*operation] = most[*operation].max(*sum);
            }
        }
    }
    for (operation, most) in most.iter_mut().enumerate() {
        if graph.is_below_a_circle(operation) {
            *most = ENDLESS;
        }
    }
    (walk.steps < MOST_STEPS).then_some(most)
}

struct Walk<'g> {
    graph: &'g Graph,
    steps: u32,
    visit: BTreeMap<usize, u64>,
}

impl Walk<'_> {
    /// All that an execution leads to, or only these calls of it.
    fn repeated(&mut self, at: usize, times: u64, only: Option<&[usize]>) {
        self.steps += 1;
        if self.steps > MOST_STEPS || self.graph.is_below_a_circle(at) {
            return;
        }
        let sum = self.visit.entry(at).or_insert(0);
        *sum = sum.saturating_add(times).min(ENDLESS);
        let all = only.map_or_else(|| self.graph.made_calls_of(at), <[usize]>::to_vec);
        for call in all {
            let times = times.saturating_mul(factor(self.graph, call)).min(ENDLESS);
            self.graph.callees(call).for_each(|callee| self.repeated(callee, times, None));
        }
        // What is delivered nowhere may still be given up once.
        if let Some(letters) = self.graph.letters_of(at) {
            let each = self.graph.made_calls_of(at).len().max(1);
            self.repeated(letters, times.saturating_mul(each as u64).min(ENDLESS), None);
        }
    }
}

/// How often one call can be executed at the other end, whatever fails.
fn factor(graph: &Graph, id: usize) -> u64 {
    let call = &graph.calls[id];
    let count = |count| if let Count::Of(count) = count { count } else { ENDLESS };
    if graph.kind(call.from).holds_data() {
        return graph.nodes[graph.operations[call.from].node].receives.map_or(1, count);
    }
    let own = match (&call.attempts, &call.retry_on) {
        (Said::Is(attempts), retried) if *retried != Said::None => count(*attempts),
        _ => 1,
    };
    let copies = if let Said::Is((_, copies)) = call.hedge { copies.unwrap_or(2) } else { 1 };
    let meshed = matches!(graph.kind(call.to), Kind::Service | Kind::External) && call.via.contains(&"istio");
    // What stands in for a call does so in every round of it.
    let rounds = std::iter::successors(Some(id), |id| replaced_by(graph, *id));
    let times = rounds.map(|id| graph.calls[id].times.map_or(1, |(_, most)| count(most)));
    let times = times.fold(1, u64::saturating_mul);
    let mesh = if meshed { 3 } else { 1 };
    own.saturating_mul(copies).saturating_mul(mesh).saturating_mul(times).min(ENDLESS)
}

/// The call in the place of which another one is made.
fn replaced_by(graph: &Graph, id: usize) -> Option<usize> {
    (0..graph.calls.len()).find(|other| match &graph.calls[*other].fallback {
        Fallback::Calls(steps) => steps.iter().any(|step| holds(step, id)),
        _ => false,
    })
}

fn holds(step: &Step, id: usize) -> bool {
    match step {
        Step::Call(call) => *call == id,
        Step::Group(_, steps) => steps.iter().any(|step| holds(step, id)),
    }
}

/// What arrives at an operation in a healthy system, in 1/s, and whether that is all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arriving {
    pub rate: f64,
    pub known: bool,
}

/// For each operation; none if there are too many ways.
pub fn rates(graph: &Graph) -> Option<Vec<Arriving>> {
    let mut all = vec![Arriving { rate: 0.0, known: true }; graph.operations.len()];
    let mut left = MOST_STEPS;
    for start in 0..graph.operations.len() {
        let arriving = from_outside(graph, start);
        flow(graph, start, arriving, &mut all, &mut left)?;
    }
    for (operation, arriving) in all.iter_mut().enumerate() {
        arriving.known &= !turns_when_healthy(graph, operation);
    }
    Some(all)
}

/// Whether an operation is in a circle of calls that are made while all is well, or below one.
pub fn turns_when_healthy(graph: &Graph, operation: usize) -> bool {
    let below = |from: usize| {
        let mut seen = BTreeSet::new();
        let mut waiting = vec![from];
        while let Some(at) = waiting.pop() {
            let callees = healthy_calls(graph, at).into_iter().flat_map(|(call, _)| graph.callees(call));
            waiting.extend(callees.filter(|callee| seen.insert(*callee)));
        }
        seen
    };
    (0..graph.operations.len()).any(|at| {
        let all = below(at);
        all.contains(&at) && (at == operation || all.contains(&operation))
    })
}

fn flow(graph: &Graph, at: usize, arriving: Arriving, all: &mut [Arriving], left: &mut u32) -> Option<()> {
    *left = left.checked_sub(1)?;
    all[at].rate += arriving.rate;
    all[at].known &= arriving.known;
    if turns_when_healthy(graph, at) {
        return Some(());
    }
    for (call, share) in healthy_calls(graph, at) {
        let onwards = Arriving { rate: arriving.rate * share.unwrap_or(0.0), known: arriving.known && share.is_some() };
        for callee in graph.callees(call) {
            flow(graph, callee, onwards, all, left)?;
        }
    }
    Some(())
}

/// The calls of a healthy execution, each with how often it is made; none if that has no end.
pub fn healthy_calls(graph: &Graph, operation: usize) -> Vec<(usize, Option<f64>)> {
    if graph.kind(operation) == Kind::Client {
        return Vec::new();
    }
    let mut calls = Vec::new();
    without_fallbacks(graph, &graph.steps_of(operation), false, &mut calls);
    calls
}

/// Of alternatives nothing is known that states no chance.
fn without_fallbacks(graph: &Graph, steps: &[Step], split: bool, calls: &mut Vec<(usize, Option<f64>)>) {
    for step in steps {
        match step {
            Step::Group(shape, steps) => without_fallbacks(graph, steps, split || *shape == Shape::OneOf, calls),
            Step::Call(call) if graph.is_made(*call) => {
                let share = share(graph, *call).filter(|_| !split || graph.calls[*call].chance.is_some());
                calls.push((*call, share));
            }
            Step::Call(_) => {}
        }
    }
}

fn share(graph: &Graph, id: usize) -> Option<f64> {
    let call = &graph.calls[id];
    let chance = match call.chance {
        Some(chance) => f64::from(chance) / 100.0,
        None => graph.unstated_chance(id)?,
    };
    match call.times {
        None => Some(chance),
        Some((_, Count::Of(times))) => Some(chance * f64::from(u32::try_from(times).unwrap())),
        Some((_, Count::Unlimited)) => None,
    }
}

pub fn from_outside(graph: &Graph, operation: usize) -> Arriving {
    if let Some(load) = graph.operations[operation].load {
        return Arriving { rate: f64::from(u32::try_from(load).unwrap()), known: true };
    }
    let mut sum = Arriving { rate: 0.0, known: true };
    let mut drawn = false;
    for client in (0..graph.operations.len()).filter(|id| graph.kind(*id) == Kind::Client) {
        for call in graph.made_calls_of(client) {
            if !graph.callees(call).any(|callee| callee == operation) {
                continue;
            }
            drawn = true;
            match (graph.calls[call].load, graph.calls[call].every) {
                (Some(load), _) => sum.rate += f64::from(u32::try_from(load).unwrap()),
                (None, Some(seconds)) => sum.rate += 1.0 / f64::from(u32::try_from(seconds).unwrap()),
                (None, None) => sum.known = false,
            }
        }
    }
    // Somebody outside calls an entry, drawn or not.
    sum.known &= drawn || !graph.is_entry(operation);
    sum
}
