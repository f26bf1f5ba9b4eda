//! Everything that was computed, as `facts-v1` for programs and as a table for people. All units are SI: times in
//! seconds. What is not known is null, with the reason beside it; a fact that is not computed at all is not there.
//! Fields may be added; none changes its meaning.

mod availability;
mod latency;
mod pools;
mod queues;

use std::collections::BTreeMap;
use std::io;

use serde::{Serialize, Serializer};

use availability::AvailabilityRow;
use latency::LatencyRow;
pub(super) use latency::p99;
pub(super) use pools::PoolRow;

use queues::QueueRow;

use super::lines;
use crate::analysis::{Attempts, Count, Coverage, Extent, Facts, Gap, Repetition, Time};
use crate::model::{CallId, OperationId, Step};
use crate::syntax::Arrow;
use crate::vocabulary::ElementKind;

/// Writes the facts of some topologies for programs, row by row.
///
/// # Errors
/// What keeps them from being written.
pub fn facts_json(all: &[Facts<'_>], mistakes: &[usize], out: &mut impl io::Write) -> io::Result<()> {
    let topologies = all.iter().zip(mistakes).map(|(facts, mistakes)| TopologyRow::of(facts, *mistakes)).collect();
    lines::write(out, &Report { schema: Version::FactsV1, topologies }, 4)
}

/// What `topolint facts` computes.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Report<'a, 'f> {
    schema: Version,
    topologies: Vec<TopologyRow<'a, 'f>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum Version {
    #[serde(rename = "facts-v1")]
    FactsV1,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Topology"))]
struct TopologyRow<'a, 'f> {
    name: &'a str,
    #[serde(serialize_with = "operations")]
    #[cfg_attr(test, schemars(with = "Vec<OperationRow>"))]
    operations: &'a Facts<'f>,
    #[serde(serialize_with = "calls")]
    #[cfg_attr(test, schemars(with = "Vec<CallRow>"))]
    calls: &'a Facts<'f>,
    /// Workers that operations share, where `concurrency` is stated.
    pools: Vec<PoolRow>,
    /// What queues deliver, where any does.
    queues: Vec<QueueRow>,
    /// Of how many elements the diagram states what the rules ask for, such as `timeout`.
    coverage: BTreeMap<&'static str, ShareRow>,
    /// What could not be analysed.
    not_analysed: Vec<GapRow>,
}

impl<'a, 'f> TopologyRow<'a, 'f> {
    fn of(facts: &'a Facts<'f>, mistakes: usize) -> Self {
        Self {
            name: &facts.topology().name,
            operations: facts,
            calls: facts,
            pools: PoolRow::all(facts),
            queues: QueueRow::all(facts),
            coverage: ShareRow::all(&facts.coverage()),
            not_analysed: gaps(facts, mistakes).into_iter().map(GapRow::of).collect(),
        }
    }
}

/// What could not be analysed: first of all, what could not be read.
pub(super) fn gaps(facts: &Facts<'_>, mistakes: usize) -> Vec<Gap> {
    let what = match mistakes {
        1 => "what 1 mistake in the text concerns".to_owned(),
        _ => format!("what {mistakes} mistakes in the text concern"),
    };
    let unread = (mistakes > 0).then_some(Gap { what, why: "`topolint check` shows what is wrong" });
    unread.into_iter().chain(facts.not_analysed()).chain(unamplified(facts)).collect()
}

/// Only what `facts` shows: `check` does not ask it of every operation.
fn unamplified(facts: &Facts<'_>) -> Option<Gap> {
    let unknown = facts.topology().operation_ids().filter(|id| facts.amplified_rate(*id).is_none()).count();
    let what = format!("what arrives at {unknown} operations while they fail is not known");
    (unknown > 0).then_some(Gap { what, why: "there are too many ways to them" })
}

/// One row is made and written at a time: there may be very many.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a field over by reference")]
fn operations<S: Serializer>(facts: &&Facts<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(facts.topology().operation_ids().map(|id| OperationRow::of(facts, id)))
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a field over by reference")]
fn calls<S: Serializer>(facts: &&Facts<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(drawn(facts).map(|id| CallRow::of(facts, id)))
}

/// The calls that somebody has drawn.
pub(super) fn drawn<'a>(facts: &'a Facts<'_>) -> impl Iterator<Item = CallId> + 'a {
    facts.topology().call_ids().filter(|id| !facts.topology().call(*id).implied)
}

/// A number, `unbounded`, or null where it is not known. Of times, seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(super) enum Bound {
    Number(f64),
    Unbounded(Unbounded),
    Unknown(()),
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum Unbounded {
    Unbounded,
}

impl Bound {
    pub(super) const UNBOUNDED: Self = Self::Unbounded(Unbounded::Unbounded);

    pub(super) fn of(extent: Option<Extent>) -> Self {
        match extent {
            Some(Extent::Finite(time)) => Self::Number(time.seconds()),
            Some(Extent::Unbounded) => Self::Unbounded(Unbounded::Unbounded),
            None => Self::Unknown(()),
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "a number of executions, for programs")]
    pub(super) fn times(count: Count) -> Self {
        count.finite().map_or(Self::Unbounded(Unbounded::Unbounded), |times| Self::Number(times as f64))
    }
}

/// A number of tries.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
enum Tries {
    AtMost(u64),
    Unlimited(Unlimited),
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
enum Unlimited {
    Unlimited,
}

/// Whether it can be run again, all that it calls included, by a caller that sends the same key again.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
enum Repeat {
    Safe,
    Unsafe,
    Unknown,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Operation"))]
struct OperationRow {
    /// `node.operation`, or the node alone for its unnamed one.
    operation: String,
    /// Whether requests come in here.
    entry: bool,
    /// The longest that a caller waits for it if answers are lost, if the caller sets no bound of its own.
    worst_case_s: Bound,
    /// What is proved to be reached, whatever is unstated.
    at_least_s: Bound,
    /// Work that goes on when it has answered or given up.
    abandoned_s: Bound,
    /// The time that no successful execution undercuts: round trips that the `network` block states.
    floor_s: f64,
    /// Quantiles of the time it takes while callees answer: the usual ones, and those that are promised or measured.
    latency: Vec<LatencyRow>,
    /// For one request of a client, if it fails at once and everything else answers.
    executions: Bound,
    /// For one request of a client, if anything may fail at any attempt: no execution exceeds it.
    executions_bound: Bound,
    /// While all is well; null if an arrival is unstated.
    rate_per_s: Option<f64>,
    /// Tries that arrive while it fails at once and everybody who may tries again, at least; null if an arrival is
    /// unstated or there are too many ways to follow.
    amplified_rate_per_s: Option<f64>,
    /// How much of the time it works, by what is stated of all that it needs.
    availability: AvailabilityRow,
    repeat: Repeat,
    /// For a field without a number: the calls that are the reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    witness: BTreeMap<&'static str, Vec<String>>,
    /// For a field without a number, or with one that leaves something out: the reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    why: BTreeMap<&'static str, &'static str>,
}

impl OperationRow {
    fn of(facts: &Facts<'_>, id: OperationId) -> Self {
        let topology = facts.topology();
        let time = facts.times().operation(id);
        let repeat = match facts.repetition(id) {
            Repetition::Safe => Repeat::Safe,
            Repetition::Unknown => Repeat::Unknown,
            Repetition::Unsafe => Repeat::Unsafe,
        };
        let endless = endless(facts, id, time);
        let worst = facts.worst_case(id);
        let reason = match worst {
            Some(Extent::Finite(_)) if facts.states_own_work(id) => None,
            Some(Extent::Finite(_)) => Some("own work is not in it: no `latency max` is stated"),
            Some(Extent::Unbounded) => Some("these calls have no end"),
            None if time.at_most.is_some() => Some("nothing is stated of its own work"),
            None if endless.is_empty() => Some("what it waits for is not known"),
            None => Some("nothing that is stated ends these calls"),
        };
        let executions = facts.executions(id);
        let rate = facts.rate(id);
        let is_client = topology.kind_of(id) == ElementKind::Client;
        let mut why: BTreeMap<&'static str, &'static str> =
            reason.map(|reason| ("worst_case_s", reason)).into_iter().collect();
        if is_client {
            let reason = "requests are counted where they arrive";
            why.extend([("rate_per_s", reason), ("amplified_rate_per_s", reason)]);
        } else if !rate.known {
            let reason = "not all arrivals state a `load`";
            why.extend([("rate_per_s", reason), ("amplified_rate_per_s", reason)]);
        } else if facts.amplified_rate(id).is_none() {
            why.insert("amplified_rate_per_s", "there are too many ways to follow");
        }
        let availability = facts.availability(id);
        if let Some(reason) = AvailabilityRow::reason(&availability) {
            why.insert("availability", reason);
        }
        if !executions.exact {
            why.insert("executions", "an upper bound: there are too many ways to follow all of them");
        }
        let witness = (!endless.is_empty()).then(|| {
            let names = endless.into_iter().map(|call| topology.call_name(call)).collect();
            ("worst_case_s", names)
        });
        Self {
            operation: topology.operation_name(id),
            entry: facts.entries().contains(id),
            worst_case_s: Bound::of(worst),
            at_least_s: Bound::of(Some(time.at_least)),
            abandoned_s: Bound::of(Some(facts.times().abandoned(id))),
            floor_s: facts.floor(id).seconds(),
            latency: LatencyRow::all(facts, id),
            executions: Bound::times(executions.failing),
            executions_bound: Bound::times(executions.bound),
            rate_per_s: (rate.known && !is_client).then_some(rate.per_second),
            amplified_rate_per_s: facts.amplified_rate(id).filter(|_| rate.known && !is_client),
            availability: AvailabilityRow::of(&availability),
            repeat,
            witness: witness.into_iter().collect(),
            why,
        }
    }
}

/// Its own calls that keep a worst case from being a number.
fn endless(facts: &Facts<'_>, operation: OperationId, time: Time) -> Vec<CallId> {
    let mut found = Vec::new();
    if matches!(time.at_most, Some(Extent::Finite(_))) {
        return found;
    }
    Step::each(&facts.topology().operation(operation).body, &mut |call| {
        let plan = facts.plan(call);
        let one = facts.times().call(facts, call);
        let unbounded = one.at_most == Some(Extent::Unbounded) || plan.times == Attempts::Unlimited;
        if facts.is_awaited(call) && (unbounded || (one.at_most.is_none() && time.at_most.is_none())) {
            found.push(call);
        }
    });
    found
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Call"))]
struct CallRow {
    from: String,
    to: String,
    /// The how-manieth it is with these ends and this arrow, from 0.
    nth: u32,
    arrow: ArrowRow,
    /// When it is made: `request`, `startup`, `recovery`, `deploy` or `observe`.
    phase: String,
    /// The first try included.
    attempts: Tries,
    /// The longest that its caller waits for all attempts, once, a fallback not included; 0 where nobody waits.
    worst_case_s: Bound,
    /// What is proved to be reached.
    at_least_s: Bound,
    /// Whether its failure fails the operation that makes it.
    hard: bool,
    /// Calls at the same time in a hang, on average: rate × worst case; null if one of them is not known. What callers
    /// above try again comes on top.
    in_flight: Option<f64>,
    /// For a field without a number, or with one that nothing states: the reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    why: BTreeMap<&'static str, &'static str>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Arrow"))]
enum ArrowRow {
    #[serde(rename = "->")]
    Sync,
    #[serde(rename = "->>")]
    Async,
}

impl CallRow {
    fn of(facts: &Facts<'_>, id: CallId) -> Self {
        let topology = facts.topology();
        let call = topology.call(id);
        let plan = facts.plan(id);
        let time = facts.times().call(facts, id);
        let mut why = BTreeMap::new();
        match time.proved() {
            Some(Extent::Finite(_)) => {}
            Some(Extent::Unbounded) => drop(why.insert("worst_case_s", "nothing ends it")),
            None if plan.is_unreadable() => drop(why.insert("worst_case_s", "its bound cannot be read")),
            None => drop(why.insert("worst_case_s", "nothing that is stated ends it")),
        }
        if plan.attempts_stated.is_none() {
            why.insert("attempts", "not stated: one try is counted");
        }
        Self {
            from: topology.operation_name(call.from),
            to: topology.operation_name(call.to),
            nth: call.nth,
            arrow: if call.arrow == Arrow::Sync { ArrowRow::Sync } else { ArrowRow::Async },
            phase: call.phase.to_string(),
            attempts: match plan.attempts {
                Attempts::AtMost(attempts) => Tries::AtMost(attempts),
                Attempts::Unlimited => Tries::Unlimited(Unlimited::Unlimited),
            },
            worst_case_s: Bound::of(time.proved()),
            at_least_s: Bound::of(Some(time.at_least)),
            hard: facts.is_hard(id),
            in_flight: facts.in_flight(id),
            why,
        }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Share"))]
struct ShareRow {
    /// How many state it.
    stated: usize,
    /// How many there are.
    of: usize,
    /// What is asked for, with its elements: `timeout on calls`.
    what: &'static str,
}

impl ShareRow {
    fn all(coverage: &Coverage) -> BTreeMap<&'static str, Self> {
        let shares = coverage.shares.iter();
        shares.map(|share| (share.key(), Self { stated: share.stated, of: share.of, what: share.what })).collect()
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Gap"))]
struct GapRow {
    what: String,
    why: &'static str,
}

impl GapRow {
    fn of(gap: Gap) -> Self {
        Self { what: gap.what, why: gap.why }
    }
}
