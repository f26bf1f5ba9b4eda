//! How much of the time an operation works, by the stated availability of all that it needs: each part counts once,
//! wherever and however often it is needed. Sources: Treynor, Dahlin, Rau, Beyer, "The Calculus of Service
//! Availability", 2017; the bounds are Fréchet's.
//!
//! An availability is a share of time: tries do not help against an outage, and consumers of a queue are not waited for.
//! Whether parts fail together is not known unless `independent-of` says so: there is the least, the most, and what
//! holds if they do not. What a request does by `chance` it does alike each time it comes to that call.

mod dependencies;
mod diagram;
mod formula;
mod numbered;
mod request;
mod solved;
mod structure;

use super::Facts;
use crate::ids::IdSet;
use crate::model::{CallId, NodeId, OperationId, Step};
use crate::vocabulary::Key;
pub use dependencies::{Dependencies, Dependency};
pub(super) use solved::Basis;
use solved::{Certain, Solved};

/// How much of the time an operation works, as shares. What a contract promises (`sla`) counts where nothing is
/// measured (`availability`), unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Availability {
    /// At least, whatever fails together; none if something that it needs is not known.
    pub low: Option<f64>,
    /// If parts fail independently; none if something that matters is not known, or there is too much to combine.
    pub independent: Option<f64>,
    /// At most, whatever fails together and whatever is not known; none if nothing is known.
    pub high: Option<f64>,
    /// At most, by what is measured alone, whatever fails together.
    pub proved_at_most: f64,
    /// At most, by what is measured alone, if parts fail independently.
    pub independent_at_most: f64,
    /// At most, by what is measured and promised, if parts fail independently.
    pub promised_at_most: f64,
    /// The share of requests that succeed if each execution of each part fails by itself: tries help, and what is
    /// called twice may fail twice.
    pub per_request: Option<f64>,
    /// Whether all is combined exactly.
    pub exact: bool,
    /// Something that it needs and of which nothing is stated.
    pub unstated: Option<NodeId>,
}

/// What may be up or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A node with all that it offers.
    Node(NodeId),
    /// One operation of a node, apart from the node.
    Operation(OperationId),
    /// One call, apart from its ends.
    Call(CallId),
}

/// Something that fails, for a question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Failure {
    /// What.
    pub what: Target,
    /// The share that still works: 0 is down.
    pub works: f64,
}

/// What becomes of an operation while something is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing that it asks is concerned.
    Works,
    /// It answers, with less: a fallback, or fewer answers than asked for.
    Degrades,
    /// Some of its requests fail.
    FailsPartly,
    /// It fails.
    Fails,
}

/// What an operation is like while something fails.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlook {
    /// If what fails is down altogether.
    pub verdict: Verdict,
    /// With the share of it that still works.
    pub availability: Availability,
}

/// How much is looked at to combine branches of which some are enough.
fn work_of_steps(steps: &[Step]) -> usize {
    /// So many steps of combining take as long as to look at a call.
    const QUICK: usize = 4;
    let of = |step: &Step| match step {
        Step::Call(_) => 0,
        Step::Sequence(steps) | Step::Parallel(steps) | Step::OneOf(steps) => work_of_steps(steps),
        Step::Any(enough, branches) => {
            let needed = usize::try_from(*enough).map_or(branches.len(), |enough| enough.min(branches.len()));
            let combined = needed.saturating_mul(branches.len() - needed + 1).min(diagram::STEPS);
            combined / QUICK + work_of_steps(branches)
        }
    };
    steps.iter().map(of).sum()
}

impl Facts<'_> {
    /// How much of the time an operation works.
    #[must_use]
    #[allow(clippy::indexing_slicing, reason = "one row an operation, and operations are numbered by their column")]
    pub fn availability(&self, operation: OperationId) -> Availability {
        let rows = || {
            let basis = self.basis();
            self.topology().operation_ids().map(|id| basis.availability(&basis.solved, id)).collect()
        };
        self.availabilities.get_or_init(rows)[operation.index()]
    }

    /// What some operations are like while this fails, in their order.
    #[must_use]
    pub fn outlooks(&self, failures: &[Failure], operations: &[OperationId]) -> Vec<Outlook> {
        let basis = self.basis();
        let concerned = self.concerned(failures.iter().map(|failure| failure.what));
        let usual = basis.certain(self);
        let groups = basis.groups_of(self, &concerned);
        let certain = Certain::of(self, failures, Some((usual, &groups)));
        // What fails in part has another share in what does not change: then nothing is left of what was solved.
        let in_part = failures.iter().any(|failure| failure.works > 0.0);
        let solved = Solved::of(self, failures, (!in_part).then_some((&basis.solved, &groups)));
        let outlook = |id: &OperationId| {
            if concerned.contains(id) {
                Outlook { verdict: certain.verdict(*id), availability: basis.availability(&solved, *id) }
            } else {
                Outlook { verdict: usual.verdict(*id), availability: self.availability(*id) }
            }
        };
        operations.iter().map(outlook).collect()
    }

    /// What does not depend on any question.
    fn basis(&self) -> &Basis {
        self.basis.get_or_init(|| Basis::of(self))
    }

    /// How much is looked at to say what some operations are like while this fails: calls, mostly.
    pub(crate) fn work_of_outlooks(&self, failing: impl Iterator<Item = Target>) -> usize {
        /// Of all operations something is copied, which is so many times as quick.
        const COPIED: usize = 32;
        let topology = self.topology();
        let concerned = self.concerned(failing);
        let of = |operation: &OperationId| {
            1 + topology.calls_from(*operation).count() + work_of_steps(&topology.operation(*operation).body)
        };
        topology.operations.len() / COPIED + concerned.iter().map(of).sum::<usize>()
    }

    /// The operations that have something to do with what fails: it is theirs, or they wait for one of those.
    fn concerned(&self, failing: impl Iterator<Item = Target>) -> IdSet<OperationId> {
        let topology = self.topology();
        let own = |what| match what {
            Target::Node(node) => {
                let passing = self.drawn_calls_passing(node).map(|call| topology.caller(call));
                topology.node(node).operations.iter().copied().chain(passing).collect()
            }
            Target::Operation(operation) => vec![operation],
            Target::Call(call) => vec![topology.caller(call)],
        };
        let mut stack: Vec<OperationId> = failing.flat_map(own).collect();
        let mut concerned = IdSet::default();
        while let Some(operation) = stack.pop() {
            if concerned.insert(operation) {
                stack.extend(topology.calls_to(operation).map(|call| topology.caller(call)));
            }
        }
        concerned
    }

    /// The availability that an operation promises to callers outside.
    #[must_use]
    pub fn promised_availability(&self, operation: OperationId) -> Option<f64> {
        self.cascade().operation(operation, Key::Slo).given()?.setting.field(Key::Availability)?.share()
    }

    /// The availability that is measured of a node.
    #[must_use]
    pub fn measured_availability(&self, node: NodeId) -> Option<f64> {
        self.cascade().node(node, Key::Availability).given()?.setting.share()
    }

    /// The availability that a contract promises of a node.
    #[must_use]
    pub fn contracted_availability(&self, node: NodeId) -> Option<f64> {
        self.cascade().node(node, Key::Sla).given()?.setting.share()
    }

    /// Whether the failures of two nodes are stated not to be correlated.
    #[must_use]
    pub fn are_independent(&self, one: NodeId, other: NodeId) -> bool {
        let states = |one, other| {
            let stated = self.cascade().node(one, Key::IndependentOf).given();
            stated.is_some_and(|stated| stated.setting.nodes().any(|node| node == other))
        };
        states(one, other) || states(other, one)
    }
}
