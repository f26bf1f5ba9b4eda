//! What the diagram implies. Facts are computed once, on first use, in time close to linear in the graph, and come
//! with the places that prove them; no path is ever enumerated. Rules see [`Facts`] and never the graph library.

mod amplification;
mod attempts;
mod availability;
mod backoff;
mod barriers;
mod budgets;
mod call_order;
mod capacity;
mod claims;
mod commits;
mod condensation;
mod connections;
mod consequences;
mod consistency;
mod copies;
mod course;
mod coverage;
mod deadlines;
mod demand;
mod effects;
mod ends;
mod entries;
mod exposure;
mod flow;
mod flows;
mod gaps;
mod hang;
mod hardness;
mod horizon;
mod in_flight;
mod instances;
mod interval;
mod latency;
mod links;
mod load;
mod multiplexing;
mod needs;
mod ownership;
mod passing;
mod phases;
mod quantiles;
mod queues;
mod reads;
mod redundancy;
mod repeaters;
mod repetition;
mod sagas;
mod sampling;
mod schedules;
mod starts;
mod time;
mod tracing;
mod trust;
mod uncopied;

use std::sync::OnceLock;

pub use amplification::Executions;
pub use attempts::{Attempts, Limit, Plan, ProxyLayer};
pub use availability::{Availability, Dependencies, Dependency, Failure, Outlook, Target, Verdict};
pub use backoff::Backoff;
pub use barriers::{Dedup, Memory};
pub use budgets::{RetryBudget, expected_tries};
pub use capacity::{Held, HoldLimit, Holder, Opening, Pool};
pub use commits::{Change, DualWrite};
pub use condensation::Groups;
pub use connections::{Connected, Opened};
pub use consequences::{Consequences, Disturbance, Felt, Late, Tries};
pub use consistency::{Model, Models};
pub use copies::Quorum;
pub use coverage::{Coverage, Share};
pub use deadlines::Allotted;
pub use demand::{Amplified, Limited};
pub use effects::{Effect, EffectSite, Write};
pub use ends::Count;
pub use entries::{Entries, Way};
pub use exposure::{Exposed, KeyFault, KeyFaultKind, KeyState};
pub use flow::{Cut, Flow, Leg, Limiter};
pub use flows::{After, StaleRead};
pub use gaps::Gap;
pub use hardness::Ways;
pub use horizon::{Again, Delay, DelayKind, Horizon};
pub use interval::{Extent, Time};
pub use links::{Apart, Bytes, Crossing, loss_limit, on_the_way, window_limit};
pub use load::{Rate, Traffic};
pub use needs::{Demand, Need, Unmet, Weakness, Who};
pub use ownership::{Access, Ownership, Shared};
pub use phases::{Circle, SharedFate};
pub use quantiles::{LatencyQuantile, Promise};
pub use queues::{Backlog, Bottleneck, Handling};
pub use reads::{ReadHop, ReadHopKind, Reading, Unstated};
pub use redundancy::Redundancy;
pub use repeaters::{Repeater, RepeaterKind};
pub use repetition::Repetition;
pub use sagas::{Compensation, CompensationFault, OpenStep, SharedTransaction};
pub use sampling::TornTrace;
pub use time::{Part, Times, Without};
pub use tracing::{TraceBreak, TraceBreakKind};
pub use trust::{Hop, PublicEntry, Stake, Zone};

use call_order::CallOrder;
use hardness::Hardness;
use horizon::Horizons;
use starts::Starts;

use crate::ids::IdMap;
use crate::model::{CallId, Cascade, Clients, Duration, Name, NodeId, OperationId, Topology};

/// Everything that is computed of one topology.
pub struct Facts<'a> {
    topology: &'a Topology,
    clients: &'a Clients,
    flags: OnceLock<Vec<attempts::CallFlags>>,
    plans: OnceLock<Vec<Plan<'a>>>,
    ranks: OnceLock<Vec<u32>>,
    calls_by_name: OnceLock<Vec<CallId>>,
    call_ranks: OnceLock<Vec<u32>>,
    places: OnceLock<Vec<links::Places<'a>>>,
    link_places: OnceLock<IdMap<(Name, Name), usize>>,
    components: OnceLock<Groups>,
    components_of_made: OnceLock<Groups>,
    components_of_all: OnceLock<Groups>,
    repeaters: OnceLock<Vec<Option<Repeater>>>,
    entries: OnceLock<Entries>,
    allotted: OnceLock<Vec<Allotted>>,
    waits: OnceLock<Vec<Option<(Duration, CallId)>>>,
    data_effects: OnceLock<Vec<OnceLock<Effect>>>,
    times: OnceLock<Times>,
    exposed: OnceLock<Vec<Exposed>>,
    hardness: OnceLock<Hardness>,
    executions: OnceLock<Vec<Executions>>,
    call_order: OnceLock<CallOrder>,
    starts: OnceLock<Starts>,
    floors: OnceLock<Vec<Duration>>,
    latencies: OnceLock<quantiles::Latencies<'a>>,
    rates: OnceLock<Vec<Rate>>,
    peak_rates: OnceLock<Vec<Rate>>,
    cold_rates: OnceLock<Vec<Rate>>,
    amplified_rates: OnceLock<Vec<Option<f64>>>,
    passing: OnceLock<passing::Passing>,
    pools: OnceLock<Vec<Pool>>,
    hops: OnceLock<Vec<Option<Hop<'a>>>>,
    changes: OnceLock<Vec<Effect>>,
    repetitions: OnceLock<Vec<Repetition>>,
    sure_horizons: OnceLock<Horizons>,
    possible_horizons: OnceLock<Horizons>,
    availabilities: OnceLock<Vec<Availability>>,
    basis: OnceLock<availability::Basis>,
    cache_readings: OnceLock<IdMap<NodeId, Reading<'a>>>,
    needs: OnceLock<needs::Needs<'a>>,
    stale_reads: OnceLock<flows::StaleReads>,
    uncopied: OnceLock<IdMap<NodeId, uncopied::Uncopied>>,
    redundancies: OnceLock<(Vec<Redundancy>, usize)>,
    shared_fates: OnceLock<(Vec<SharedFate>, usize)>,
}

/// For each of these, which are all below their number, its place among them.
fn ranked(count: usize, sorted: impl Iterator<Item = usize>) -> Vec<u32> {
    let mut ranks = vec![0; count];
    for (rank, index) in (0..).zip(sorted) {
        ranks.get_mut(index).into_iter().for_each(|slot| *slot = rank);
    }
    ranks
}

impl<'a> Facts<'a> {
    /// Facts of this topology; nothing is computed yet.
    #[must_use]
    pub fn new(topology: &'a Topology, clients: &'a Clients) -> Self {
        Self {
            topology,
            clients,
            flags: OnceLock::new(),
            plans: OnceLock::new(),
            ranks: OnceLock::new(),
            calls_by_name: OnceLock::new(),
            call_ranks: OnceLock::new(),
            places: OnceLock::new(),
            link_places: OnceLock::new(),
            components: OnceLock::new(),
            components_of_made: OnceLock::new(),
            components_of_all: OnceLock::new(),
            repeaters: OnceLock::new(),
            entries: OnceLock::new(),
            allotted: OnceLock::new(),
            waits: OnceLock::new(),
            data_effects: OnceLock::new(),
            times: OnceLock::new(),
            exposed: OnceLock::new(),
            hardness: OnceLock::new(),
            executions: OnceLock::new(),
            call_order: OnceLock::new(),
            starts: OnceLock::new(),
            floors: OnceLock::new(),
            latencies: OnceLock::new(),
            rates: OnceLock::new(),
            peak_rates: OnceLock::new(),
            cold_rates: OnceLock::new(),
            amplified_rates: OnceLock::new(),
            passing: OnceLock::new(),
            pools: OnceLock::new(),
            hops: OnceLock::new(),
            changes: OnceLock::new(),
            repetitions: OnceLock::new(),
            sure_horizons: OnceLock::new(),
            possible_horizons: OnceLock::new(),
            availabilities: OnceLock::new(),
            basis: OnceLock::new(),
            cache_readings: OnceLock::new(),
            needs: OnceLock::new(),
            stale_reads: OnceLock::new(),
            uncopied: OnceLock::new(),
            redundancies: OnceLock::new(),
            shared_fates: OnceLock::new(),
        }
    }

    /// The topology itself.
    #[must_use]
    pub fn topology(&self) -> &'a Topology {
        self.topology
    }

    /// Looks up what is stated.
    #[must_use]
    pub fn cascade(&self) -> Cascade<'a> {
        Cascade::new(self.topology, self.clients)
    }

    /// How a call waits and tries again.
    #[must_use]
    #[allow(clippy::indexing_slicing, reason = "one plan a call, and calls are numbered by their column")]
    pub fn plan(&self, call: CallId) -> &Plan<'a> {
        let plans = self.plans.get_or_init(|| attempts::plans(self.topology, self.cascade()));
        &plans[call.index()]
    }

    #[allow(clippy::indexing_slicing, reason = "one row a call, and calls are numbered by their column")]
    fn flags(&self, call: CallId) -> attempts::CallFlags {
        self.flags.get_or_init(|| attempts::flags(self.topology, self.cascade()))[call.index()]
    }

    /// Whether a call can happen while a request is served.
    #[must_use]
    pub fn is_made(&self, call: CallId) -> bool {
        self.flags(call).made
    }

    /// Whether it can, and the caller waits.
    #[must_use]
    pub fn is_awaited(&self, call: CallId) -> bool {
        self.flags(call).awaited
    }

    /// Whether no network lies in between.
    #[must_use]
    pub fn is_local(&self, call: CallId) -> bool {
        self.flags(call).local
    }

    /// Whether a call stays open.
    #[must_use]
    pub fn is_stream(&self, call: CallId) -> bool {
        self.flags(call).stream
    }

    /// Whether an operation makes no calls while it serves a request.
    #[must_use]
    pub fn is_leaf(&self, operation: OperationId) -> bool {
        !self.topology.calls_from(operation).any(|call| self.is_made(call))
    }

    /// The place of an operation in the order of names: where several would do, the first by name is taken, so that the
    /// order of declarations changes nothing.
    #[must_use]
    pub fn rank(&self, operation: OperationId) -> u32 {
        let ranks = self.ranks.get_or_init(|| {
            let topology = self.topology;
            let name = |id: &OperationId| {
                let operation = topology.operation(*id);
                (topology.node_name(operation.node), operation.name.map(|name| topology.text(name)))
            };
            let mut sorted: Vec<OperationId> = topology.operation_ids().collect();
            sorted.sort_by(|one, other| name(one).cmp(&name(other)));
            ranked(sorted.len(), sorted.into_iter().map(OperationId::index))
        });
        ranks.get(operation.index()).copied().unwrap_or(0)
    }

    /// The place of a call in the order of names.
    #[must_use]
    pub fn call_rank(&self, call: CallId) -> u32 {
        let ranks = self.call_ranks.get_or_init(|| {
            let sorted = self.calls_by_name();
            ranked(sorted.len(), sorted.map(CallId::index))
        });
        ranks.get(call.index()).copied().unwrap_or(u32::MAX)
    }

    /// All calls, in the order of names: of the caller, then of the callee.
    pub fn calls_by_name(&self) -> impl ExactSizeIterator<Item = CallId> + '_ {
        let sorted = self.calls_by_name.get_or_init(|| {
            let mut sorted: Vec<CallId> = self.topology.call_ids().collect();
            sorted.sort_by_cached_key(|call| {
                let call = self.topology.call(*call);
                (self.rank(call.from), self.rank(call.to), call.arrow, call.nth)
            });
            sorted
        });
        sorted.iter().copied()
    }

    /// Groups of operations that call each other in a circle of synchronous calls, callees before callers; an
    /// operation in no circle is a group of its own.
    #[must_use]
    pub fn components(&self) -> &Groups {
        self.components.get_or_init(|| self.components_over(|call| self.is_awaited(call)))
    }

    /// The same over all calls that are made, waited for or not.
    fn components_of_made(&self) -> &Groups {
        self.components_of_made.get_or_init(|| self.components_over(|call| self.is_made(call)))
    }

    /// The same over some calls.
    fn components_over(&self, counts: impl Fn(CallId) -> bool) -> Groups {
        self.components_of_all.get_or_init(|| Groups::of(self.topology)).over(self.topology, counts)
    }

    /// Who makes a call again, if anybody does: the most certain first.
    #[must_use]
    pub fn repeater(&self, call: CallId) -> Option<Repeater> {
        let all = || self.topology.call_ids().map(|id| self.repeater_of(id)).collect();
        self.repeaters.get_or_init(all).get(call.index()).copied().flatten()
    }

    /// Where requests come in.
    #[must_use]
    pub fn entries(&self) -> &Entries {
        self.entries.get_or_init(|| entries::entries(self))
    }

    /// The time that an operation has, by its own deadline and what reaches it.
    #[must_use]
    #[allow(clippy::indexing_slicing, reason = "one row an operation, and operations are numbered by their column")]
    pub fn allotted(&self, operation: OperationId) -> &Allotted {
        &self.allotted.get_or_init(|| deadlines::allotted(self))[operation.index()]
    }

    /// The caller of an operation that waits the shortest for one attempt, and how long.
    #[must_use]
    pub fn shortest_wait(&self, operation: OperationId) -> Option<(Duration, CallId)> {
        self.waits.get_or_init(|| deadlines::shortest_waits(self)).get(operation.index()).copied().flatten()
    }

    /// Worst cases in a hang.
    #[must_use]
    pub fn times(&self) -> &Times {
        self.times.get_or_init(|| Times::of(self))
    }

    /// Effects that may happen more than once for one request.
    #[must_use]
    pub fn exposed(&self) -> &[Exposed] {
        self.exposed.get_or_init(|| exposure::exposed(self))
    }

    fn hardness(&self) -> &Hardness {
        self.hardness.get_or_init(|| Hardness::of(self))
    }

    /// The operations in the order of the calls that are made.
    fn call_order(&self) -> &CallOrder {
        self.call_order.get_or_init(|| CallOrder::of(self))
    }

    /// How many attempts of each call are proved to be started.
    fn starts(&self) -> &Starts {
        self.starts.get_or_init(|| Starts::of(self))
    }

    /// How often an operation is executed for one request, at worst.
    #[must_use]
    #[allow(clippy::indexing_slicing, reason = "one row an operation, and operations are numbered by their column")]
    pub fn executions(&self, operation: OperationId) -> Executions {
        self.executions.get_or_init(|| amplification::executions(self))[operation.index()]
    }

    /// For each of these operations its executions by what tries again at once, without redelivery and what a retry
    /// budget bounds, and the way from where a request comes in on which it is executed most often if it fails.
    #[must_use]
    pub fn executions_at_once(&self, operations: &[OperationId]) -> Vec<(Executions, Vec<CallId>)> {
        amplification::at_once(self, operations)
    }

    /// The time that no successful execution of an operation undercuts, by the round trips of its links.
    #[must_use]
    #[allow(clippy::indexing_slicing, reason = "one row an operation, and operations are numbered by their column")]
    pub fn floor(&self, operation: OperationId) -> Duration {
        self.floors.get_or_init(|| latency::floors(self))[operation.index()]
    }

    fn latencies(&self) -> &quantiles::Latencies<'a> {
        self.latencies.get_or_init(quantiles::Latencies::default)
    }

    /// How often an operation is executed in a second while all is well.
    #[must_use]
    pub fn rate(&self, operation: OperationId) -> Rate {
        self.rate_in(operation, Traffic::Usual)
    }

    /// How often an operation is executed in a second while nothing fails.
    #[must_use]
    #[allow(clippy::indexing_slicing, reason = "one row an operation, and operations are numbered by their column")]
    pub fn rate_in(&self, operation: OperationId, traffic: Traffic) -> Rate {
        let rates = match traffic {
            Traffic::Usual => &self.rates,
            Traffic::Peak => &self.peak_rates,
            Traffic::Cold => &self.cold_rates,
        };
        rates.get_or_init(|| load::rates(self, traffic))[operation.index()]
    }

    /// Workers that operations share, and what a hang does to them.
    #[must_use]
    pub fn pools(&self) -> &[Pool] {
        self.pools.get_or_init(|| capacity::pools(self))
    }

    /// What protects a call on the network and what is at stake there; none where no network lies between, or it is
    /// never made.
    #[must_use]
    pub fn hop(&self, call: CallId) -> Option<&Hop<'a>> {
        self.hops.get_or_init(|| trust::hops(self)).get(call.index())?.as_ref()
    }

    /// Operations of public services that no client is drawn to call.
    #[must_use]
    pub fn public_entries(&self) -> Vec<PublicEntry<'a>> {
        trust::public_entries(self)
    }

    /// What running an operation may change, with all that it calls.
    #[must_use]
    pub fn changes(&self, operation: OperationId) -> Effect {
        let all = self.changes.get_or_init(|| trust::changes(self));
        all.get(operation.index()).copied().unwrap_or(Effect::Unknown)
    }

    /// Hops that split a trace.
    #[must_use]
    pub fn trace_breaks(&self) -> Vec<TraceBreak<'a>> {
        tracing::breaks(self)
    }

    /// What happens if an operation, with all that it calls, is run again with the key it was run with.
    #[must_use]
    pub fn repetition(&self, operation: OperationId) -> Repetition {
        self.repetition_with(operation, KeyState::Constant)
    }

    fn horizons(&self, sure: bool) -> &Horizons {
        let cell = if sure { &self.sure_horizons } else { &self.possible_horizons };
        cell.get_or_init(|| Horizons::of_all(self, sure))
    }

    fn repetitions(&self) -> &[Repetition] {
        self.repetitions.get_or_init(|| repetition::repetitions(self))
    }

    /// Effects that overlapping runs of a schedule may do twice.
    #[must_use]
    pub fn overlapping(&self) -> Vec<Exposed> {
        exposure::exposed_by(self, schedules::overlaps(self))
    }

    /// Of how many elements the diagram states what the rules ask for.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        coverage::coverage(self)
    }
}
