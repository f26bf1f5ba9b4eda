//! How often operations are executed while all is well: arrivals from outside, handed down over calls.

use super::Facts;
use super::attempts::Attempts;
use super::condensation::components;
use crate::model::{CallId, OperationId};
use crate::vocabulary::{ElementKind, Key};

/// How often something happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Times a second, at least.
    pub per_second: f64,
    /// Whether it is no more than that: all arrivals are stated.
    pub known: bool,
}

impl Rate {
    const NONE: Self = Self { per_second: 0.0, known: true };
    const UNKNOWN: Self = Self { per_second: 0.0, known: false };

    fn plus(self, other: Self) -> Self {
        Self { per_second: self.per_second + other.per_second, known: self.known && other.known }
    }

    fn times(self, factor: f64) -> Self {
        Self { per_second: self.per_second * factor, ..self }
    }
}

pub(super) fn rates(facts: &Facts<'_>) -> Vec<Rate> {
    let topology = facts.topology();
    let mut rates = vec![Rate::NONE; topology.operations.len()];
    let groups = components(topology, |call| counts(facts, call));
    for group in groups.iter().rev() {
        for id in group {
            let calls = topology.calls_to(*id).filter(|call| counts(facts, *call));
            let handed = calls.map(|call| {
                let from = rates.get(topology.call(call).from.index()).copied().unwrap_or(Rate::UNKNOWN);
                handed_down(facts, call, from)
            });
            let sum = handed.fold(arrivals(facts, *id), Rate::plus);
            let rate = if group.len() > 1 { Rate { known: false, ..sum } } else { sum };
            if let Some(slot) = rates.get_mut(id.index()) {
                *slot = rate;
            }
        }
    }
    rates
}

/// A fallback is not made while all is well; what clients send is counted as arrivals.
fn counts(facts: &Facts<'_>, call: CallId) -> bool {
    let topology = facts.topology();
    let by_client = topology.node_of(topology.call(call).from).kind == ElementKind::Client;
    facts.plan(call).made && topology.call(call).fallback_of.is_none() && !by_client
}

/// How often a call is waited for in a second: as often as its operation runs and makes it, however many times.
pub(super) fn rate_of(facts: &Facts<'_>, call: CallId) -> Rate {
    if is_undivided(facts, call) {
        return Rate::UNKNOWN;
    }
    facts.rate(facts.topology().call(call).from).times(chance(facts, call))
}

/// Of how a split divides nothing is known unless its branches state a `chance`.
fn is_undivided(facts: &Facts<'_>, call: CallId) -> bool {
    facts.is_alternative(call) && facts.cascade().call(call, &[Key::Chance]).given().is_none()
}

/// What a call hands down of the rate of its caller.
fn handed_down(facts: &Facts<'_>, call: CallId, from: Rate) -> Rate {
    if is_undivided(facts, call) {
        return Rate::UNKNOWN;
    }
    match facts.plan(call).times {
        #[allow(clippy::cast_precision_loss, reason = "a number of calls, as a factor")]
        Attempts::AtMost(times) => from.times(times as f64 * chance(facts, call)),
        Attempts::Unlimited => Rate::UNKNOWN,
    }
}

/// The share of executions that make a call; a miss is made as often as its cache does not answer.
fn chance(facts: &Facts<'_>, call: CallId) -> f64 {
    let share = |key| facts.cascade().call(call, &[key]).given().and_then(|stated| stated.setting.share());
    let stated = if facts.topology().call(call).implied { None } else { share(Key::Chance) };
    stated.unwrap_or_else(|| {
        let Some(cache) = facts.miss_of(call) else { return 1.0 };
        let node = facts.topology().operation(facts.topology().call(cache).to).node;
        let hits = facts.cascade().node(node, Key::HitRatio).given().and_then(|stated| stated.setting.share());
        1.0 - hits.unwrap_or(0.0)
    })
}

/// All arrivals that an operation states, else the sum of what its clients state.
fn arrivals(facts: &Facts<'_>, id: OperationId) -> Rate {
    let topology = facts.topology();
    let cascade = facts.cascade();
    let stated = cascade.operation(id, Key::Load).given().and_then(|stated| stated.setting.rate());
    if let Some(per_second) = stated {
        return Rate { per_second, known: true };
    }
    let made = topology.calls_to(id).filter(|call| facts.plan(*call).made);
    let by_clients = made.filter(|call| topology.node_of(topology.call(*call).from).kind == ElementKind::Client);
    let of_client = |call: CallId| {
        let load = cascade.call(call, &[Key::Load]).given().and_then(|stated| stated.setting.rate());
        let every = cascade.call(call, &[Key::Every]).given().and_then(|stated| stated.setting.duration());
        let per_second = load.or_else(|| every.map(|every| 1.0 / every.seconds()));
        per_second.map_or(Rate::UNKNOWN, |per_second| Rate { per_second, known: true })
    };
    let sum = by_clients.map(of_client).fold(Rate::NONE, Rate::plus);
    // Somebody outside calls an entry, whether or not anybody is drawn.
    let silent = facts.entries().contains(id) && sum == Rate::NONE;
    if silent { Rate::UNKNOWN } else { sum }
}
