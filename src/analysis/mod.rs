//! What the diagram implies. Facts are computed once, on first use, in time close to linear in the graph, and come
//! with the places that prove them; no path is ever enumerated. Rules see [`Facts`] and never the graph library.

mod attempts;
mod condensation;
mod coverage;
mod deadlines;
mod effects;
mod entries;
mod exposure;
mod time;

use std::sync::OnceLock;

pub use attempts::{Attempts, Limit, Plan, ProxyLayer};
pub use coverage::{Coverage, Share};
pub use deadlines::Allotted;
pub use effects::{Effect, EffectSite};
pub use entries::{Entries, Way};
pub use exposure::{Exposed, KeyState, Repeater, RepeaterKind};
pub use time::{Extent, Part, Time, Times};

use crate::model::{CallId, Cascade, Clients, Duration, OperationId, Topology};

/// Everything that is computed of one topology.
pub struct Facts<'a> {
    topology: &'a Topology,
    clients: &'a Clients,
    plans: OnceLock<Vec<Plan<'a>>>,
    components: OnceLock<Vec<Vec<OperationId>>>,
    entries: OnceLock<Entries>,
    allotted: OnceLock<Vec<Allotted>>,
    waits: OnceLock<Vec<Option<(Duration, CallId)>>>,
    times: OnceLock<Times>,
    exposed: OnceLock<Vec<Exposed>>,
}

impl<'a> Facts<'a> {
    /// Facts of this topology; nothing is computed yet.
    #[must_use]
    pub fn new(topology: &'a Topology, clients: &'a Clients) -> Self {
        Self {
            topology,
            clients,
            plans: OnceLock::new(),
            components: OnceLock::new(),
            entries: OnceLock::new(),
            allotted: OnceLock::new(),
            waits: OnceLock::new(),
            times: OnceLock::new(),
            exposed: OnceLock::new(),
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
        let plans = self.plans.get_or_init(|| {
            let cascade = self.cascade();
            self.topology.call_ids().map(|call| attempts::plan(self.topology, cascade, call)).collect()
        });
        &plans[call.index()]
    }

    /// Groups of operations that call each other in a circle of synchronous calls, callees before callers; an
    /// operation in no circle is a group of its own.
    #[must_use]
    pub fn components(&self) -> &[Vec<OperationId>] {
        self.components.get_or_init(|| condensation::components(self.topology, |call| self.plan(call).awaited))
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

    /// Of how many elements the diagram states what the rules ask for.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        coverage::coverage(self)
    }
}
