//! How often operations are executed while all is well: arrivals from outside, handed down over calls.

use super::Facts;
use super::attempts::Attempts;
use crate::model::{CallId, NodeId, OperationId};
use crate::vocabulary::{ElementKind, Key};

/// Which arrivals count, and what caches answer of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// What is stated as `load`.
    Usual,
    /// What is stated as `peak`, else as `load`.
    Peak,
    /// That of the peak, while all caches are empty.
    Cold,
}

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

pub(super) fn rates(facts: &Facts<'_>, traffic: Traffic) -> Vec<Rate> {
    let topology = facts.topology();
    let mut rates = vec![Rate::NONE; topology.operations.len()];
    let groups = facts.components_over(|call| counts(facts, call));
    for group in groups.iter().rev() {
        for id in group {
            let calls = topology.calls_to(*id).filter(|call| counts(facts, *call));
            let handed = calls.map(|call| {
                let from = rates.get(topology.caller(call).index()).copied().unwrap_or(Rate::UNKNOWN);
                handed_down(facts, call, from, traffic)
            });
            let sum = handed.fold(arrivals(facts, *id, traffic), Rate::plus);
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
    let by_client = topology.kind_of(topology.caller(call)) == ElementKind::Client;
    facts.is_made(call) && topology.call(call).fallback_of.is_none() && !by_client
}

/// How often a call is waited for in a second: as often as its operation runs and makes it, however many times.
pub(super) fn rate_of(facts: &Facts<'_>, call: CallId) -> Rate {
    if is_undivided(facts, call) {
        return Rate::UNKNOWN;
    }
    share_of(facts, call, facts.rate(facts.topology().caller(call)), Traffic::Usual)
}

/// Of how a split divides nothing is known unless its branches state a `chance`.
pub(super) fn is_undivided(facts: &Facts<'_>, call: CallId) -> bool {
    facts.is_alternative(call) && facts.cascade().call(call, &[Key::Chance]).given().is_none()
}

/// What a call hands down of the rate of its caller.
fn handed_down(facts: &Facts<'_>, call: CallId, from: Rate, traffic: Traffic) -> Rate {
    if is_undivided(facts, call) {
        return Rate::UNKNOWN;
    }
    match facts.plan(call).times {
        #[allow(clippy::cast_precision_loss, reason = "a number of calls, as a factor")]
        Attempts::AtMost(times) => share_of(facts, call, from, traffic).times(times as f64),
        Attempts::Unlimited => Rate::UNKNOWN,
    }
}

/// The executions that make a call: how many is not known of a miss path, if nothing says how much its cache answers.
fn share_of(facts: &Facts<'_>, call: CallId, from: Rate, traffic: Traffic) -> Rate {
    known_chance(facts, call, traffic).map_or(Rate::UNKNOWN, |chance| from.times(chance))
}

/// The share of executions that are known to make a call: a cache that does not say how much it answers may answer all.
pub(super) fn least_chance(facts: &Facts<'_>, call: CallId, traffic: Traffic) -> f64 {
    known_chance(facts, call, traffic).unwrap_or(0.0)
}

/// The share of executions that make a call; a miss is made as often as its cache does not answer. None if nothing
/// says how often that is.
pub(super) fn known_chance(facts: &Facts<'_>, call: CallId, traffic: Traffic) -> Option<f64> {
    let cache = facts.miss_of(call);
    if traffic == Traffic::Cold && cache.is_some() {
        return Some(1.0);
    }
    let share = |key| facts.cascade().call(call, &[key]).given().and_then(|stated| stated.setting.share());
    let stated = if facts.topology().call(call).implied { None } else { share(Key::Chance) };
    stated.or_else(|| {
        let Some(cache) = cache else { return Some(1.0) };
        let node = facts.topology().callee_node(cache);
        let hits = facts.cascade().node(node, Key::HitRatio).given().and_then(|stated| stated.setting.share());
        hits.map(|hits| 1.0 - hits)
    })
}

/// All arrivals that an operation states, else the sum of what its clients state.
pub(super) fn arrivals(facts: &Facts<'_>, id: OperationId, traffic: Traffic) -> Rate {
    if let Some(per_second) = stated_arrivals(facts, id, traffic) {
        return Rate { per_second, known: true };
    }
    let sum = client_calls(facts, id).map(|call| of_client(facts, call, traffic)).fold(Rate::NONE, Rate::plus);
    // Somebody outside calls an entry, whether or not anybody is drawn.
    let silent = facts.entries().contains(id) && sum == Rate::NONE;
    if silent { Rate::UNKNOWN } else { sum }
}

/// What an operation itself states of all its arrivals.
pub(super) fn stated_arrivals(facts: &Facts<'_>, id: OperationId, traffic: Traffic) -> Option<f64> {
    let stated = |key| facts.cascade().operation(id, key).given().and_then(|stated| stated.setting.rate());
    let peak = (traffic != Traffic::Usual).then(|| stated(Key::Peak)).flatten();
    peak.or_else(|| stated(Key::Load))
}

/// The calls that clients make to an operation.
pub(super) fn client_calls<'a>(facts: &'a Facts<'_>, id: OperationId) -> impl Iterator<Item = CallId> + 'a {
    let topology = facts.topology();
    let made = topology.calls_to(id).filter(|call| facts.is_made(*call));
    made.filter(|call| topology.kind_of(topology.caller(*call)) == ElementKind::Client)
}

/// How often a client makes a call.
pub(super) fn of_client(facts: &Facts<'_>, call: CallId, traffic: Traffic) -> Rate {
    let stated = |key| facts.cascade().call(call, &[key]).given();
    let rate = |key| stated(key).and_then(|stated| stated.setting.rate());
    let peak = (traffic != Traffic::Usual).then(|| rate(Key::Peak)).flatten();
    let every = || stated(Key::Every).and_then(|stated| stated.setting.duration());
    let per_second = peak.or_else(|| rate(Key::Load)).or_else(|| every().map(|every| 1.0 / every.seconds()));
    per_second.map_or(Rate::UNKNOWN, |per_second| Rate { per_second, known: true })
}

impl Facts<'_> {
    /// How often a call is made in a second while all is well, its loops included.
    #[must_use]
    pub fn call_rate(&self, call: CallId, traffic: Traffic) -> Rate {
        let from = self.topology().caller(call);
        if self.topology().kind_of(from) != ElementKind::Client {
            return handed_down(self, call, self.rate_in(from, traffic), traffic);
        }
        let to = self.topology().callee(call);
        let alone = client_calls(self, to).nth(1).is_none();
        let all = stated_arrivals(self, to, traffic).filter(|_| alone);
        all.map_or_else(|| of_client(self, call, traffic), |per_second| Rate { per_second, known: true })
    }

    /// How often one execution makes a call that it comes to, on average, at least; one without end counts as once.
    #[must_use]
    pub fn rounds(&self, call: CallId) -> f64 {
        match self.plan(call).times {
            #[allow(clippy::cast_precision_loss, reason = "a number of calls, as a factor")]
            Attempts::AtMost(times) => times as f64 * least_chance(self, call, Traffic::Usual),
            Attempts::Unlimited => 1.0,
        }
    }

    /// How often a read of a store would be made at the busiest time if the cache before it were empty.
    #[must_use]
    pub fn rate_without_hits(&self, call: CallId) -> Rate {
        handed_down(self, call, self.rate_in(self.topology().caller(call), Traffic::Peak), Traffic::Cold)
    }

    /// The requests of a second that a node takes while all is well, those that only pass it included.
    #[must_use]
    pub fn node_rate(&self, node: NodeId, traffic: Traffic) -> Rate {
        let topology = self.topology();
        let operations = &topology.node(node).operations;
        let outside = operations.iter().map(|id| arrivals(self, *id, traffic));
        let calls = operations.iter().flat_map(|id| topology.calls_to(*id));
        let called = calls.filter(|call| counts(self, *call) && !topology.call(*call).implied);
        let passing = self.passing_calls(node);
        let handed = called.chain(passing).map(|call| self.call_rate(call, traffic));
        outside.chain(handed).fold(Rate::NONE, Rate::plus)
    }
}
