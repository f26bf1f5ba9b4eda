//! How much of the time an operation works, by the stated availability of all that it needs: each part counts once,
//! wherever and however often it is needed. Sources: Treynor, Dahlin, Rau, Beyer, "The Calculus of Service
//! Availability", 2017; the bounds are Fréchet's.
//!
//! An availability is a share of time: tries do not help against an outage, and consumers of a queue are not waited for.
//! Whether parts fail together is not known unless `independent-of` says so: there is the least, the most, and what
//! holds if they do not. What a request does by `chance` it does alike each time it comes to that call.

mod diagram;
mod formula;
mod request;
mod structure;

use std::collections::HashSet;

use super::Facts;
use crate::model::{CallId, NodeId, OperationId};
use crate::vocabulary::{ElementKind, Key};
use diagram::{Diagrams, Variable};
use formula::{Component, FormulaId, Formulas};
use structure::{Reading, State, Structure};

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

/// What a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A node with all that it offers.
    Node(NodeId),
    /// One operation.
    Operation(OperationId),
    /// One call.
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

impl Facts<'_> {
    /// How much of the time an operation works.
    #[must_use]
    #[allow(clippy::indexing_slicing, reason = "one row an operation, and operations are numbered by their column")]
    pub fn availability(&self, operation: OperationId) -> Availability {
        self.availabilities.get_or_init(|| availabilities(self, &[]))[operation.index()]
    }

    /// What all operations are like while this fails, in the order of their numbers.
    #[must_use]
    pub fn outlooks(&self, failures: &[Failure]) -> Vec<Outlook> {
        let verdicts = verdicts(self, failures);
        let availabilities = availabilities(self, failures);
        verdicts
            .into_iter()
            .zip(availabilities)
            .map(|(verdict, availability)| Outlook { verdict, availability })
            .collect()
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

/// What counts as up, and how often.
struct Beliefs<'a, 'f> {
    facts: &'a Facts<'f>,
    failures: &'a [Failure],
}

impl Beliefs<'_, '_> {
    /// The share of time that a component works; what a contract says counts if `contracts`.
    fn share(&self, component: Component, contracts: bool) -> f64 {
        let stated = match component {
            Component::Node(node) => self
                .facts
                .measured_availability(node)
                .or_else(|| self.facts.contracted_availability(node).filter(|_| contracts)),
            Component::Operation(_) | Component::Call(_) => None,
        };
        stated.unwrap_or(1.0) * self.works(component)
    }

    fn works(&self, component: Component) -> f64 {
        let concerned = self.failures.iter().filter(|failure| match component {
            Component::Node(node) => failure.what == Target::Node(node),
            Component::Operation(operation) => failure.what == Target::Operation(operation),
            Component::Call(call) => failure.what == Target::Call(call),
        });
        concerned.map(|failure| failure.works.clamp(0.0, 1.0)).product()
    }

    /// What is not stated is read as `otherwise`.
    fn state(&self, component: Component, otherwise: State) -> State {
        let stated = match component {
            Component::Node(node) => {
                self.facts.measured_availability(node).or_else(|| self.facts.contracted_availability(node)).is_some()
            }
            Component::Operation(_) | Component::Call(_) => true,
        };
        match component {
            _ if self.works(component) == 0.0 => State::Down,
            _ if !stated && otherwise == State::Down => State::Down,
            Component::Node(_) if stated => State::Variable,
            _ if self.works(component) < 1.0 => State::Variable,
            _ => State::Up,
        }
    }
}

fn availabilities(facts: &Facts<'_>, failures: &[Failure]) -> Vec<Availability> {
    let beliefs = Beliefs { facts, failures };
    let mut formulas = Formulas::new();
    let mut read = |reading, in_circle, otherwise| {
        let state = |component| beliefs.state(component, otherwise);
        Structure { facts, formulas: &mut formulas, reading, in_circle, state: &state }.operations()
    };
    let most = read(Reading::Most, Formulas::ALWAYS, State::Up);
    let least = read(Reading::Least, Formulas::NEVER, State::Down);
    let diagrams = Diagrams::of(&formulas, order(facts));
    let solved = Solved {
        independence: Independence::of(facts),
        measured: formulas.bounds(|component| beliefs.share(component, false)),
        bounds: formulas.bounds(|component| beliefs.share(component, true)),
        measured_exactly: diagrams.probabilities(|component| beliefs.share(component, false)),
        exactly: diagrams.probabilities(|component| beliefs.share(component, true)),
        diagrams,
    };
    let requests = request::shares(facts, &|component| beliefs.share(component, true));
    let unstated = unstated(facts);
    let ids = facts.topology().operation_ids();
    ids.zip(most.into_iter().zip(least))
        .map(|(id, (most, least))| {
            let row = solved.availability(most, least);
            let of = |all: &[Option<f64>]| all.get(id.index()).copied().flatten();
            let unstated = unstated.get(id.index()).copied().flatten();
            Availability { per_request: of(&requests), unstated, ..row }
        })
        .collect()
}

/// All formulas with their values.
struct Solved {
    independence: Independence,
    measured: Vec<(f64, f64)>,
    bounds: Vec<(f64, f64)>,
    measured_exactly: Vec<Option<f64>>,
    exactly: Vec<Option<f64>>,
    diagrams: Diagrams,
}

impl Solved {
    fn availability(&self, most: FormulaId, least: FormulaId) -> Availability {
        let bound = |all: &[(f64, f64)], id: FormulaId| all.get(id).copied().unwrap_or((0.0, 1.0));
        let exact = |all: &[Option<f64>], id: FormulaId| all.get(id).copied().flatten();
        let (low, high) = (bound(&self.bounds, least).0, bound(&self.bounds, most).1);
        let proved = bound(&self.measured, most).1;
        let independent_at_most = exact(&self.measured_exactly, most).unwrap_or(proved);
        let promised_at_most = exact(&self.exactly, most).unwrap_or(high);
        let all_independent = self.independence.holds(&self.diagrams, most);
        let known = |value: f64, formula, silent| (formula != silent).then_some(value);
        let mut row = Availability {
            low: known(low, least, Formulas::NEVER).or_else(|| (most == Formulas::NEVER).then_some(0.0)),
            independent: exact(&self.exactly, most).filter(|_| most == least),
            high: known(high, most, Formulas::ALWAYS).or_else(|| (least == Formulas::ALWAYS).then_some(1.0)),
            proved_at_most: proved,
            independent_at_most,
            promised_at_most,
            per_request: None,
            exact: self.diagrams.has(most),
            unstated: None,
        };
        if all_independent {
            row.proved_at_most = independent_at_most;
            row.high = row.high.map(|_| promised_at_most);
            row.low = row.independent.or(row.low);
        }
        row
    }
}

/// The pairs of nodes that are stated to fail independently.
struct Independence(HashSet<(NodeId, NodeId)>);

impl Independence {
    fn of(facts: &Facts<'_>) -> Self {
        let mut pairs = HashSet::new();
        for node in facts.topology().node_ids() {
            let stated = facts.cascade().node(node, Key::IndependentOf).given();
            let others = stated.into_iter().flat_map(|stated| stated.setting.nodes());
            pairs.extend(others.filter(|other| *other != node).map(|other| (node.min(other), node.max(other))));
        }
        Self(pairs)
    }

    /// Whether any two nodes that a formula depends on are.
    fn holds(&self, diagrams: &Diagrams, formula: FormulaId) -> bool {
        if self.0.is_empty() || !diagrams.has(formula) {
            return false;
        }
        let components = diagrams.components(formula).into_iter();
        let mut nodes: Vec<NodeId> = components
            .filter_map(|component| if let Component::Node(node) = component { Some(node) } else { None })
            .collect();
        nodes.sort_unstable();
        let pairs = nodes.len() * nodes.len().saturating_sub(1) / 2;
        let pair =
            |(index, one): (usize, &NodeId)| nodes.iter().skip(index + 1).all(|other| self.0.contains(&(*one, *other)));
        pairs > 0 && pairs <= self.0.len() && nodes.iter().enumerate().all(pair)
    }
}

/// Callers decide before callees: then what is added to a chain is added at its top.
fn order(facts: &Facts<'_>) -> impl Iterator<Item = Variable> {
    let topology = facts.topology();
    let callers_first = facts.components().iter().rev().flatten();
    callers_first.map(|id| Variable::Up(Component::Node(topology.operation(*id).node)))
}

/// Something that each operation needs and of which nothing is stated: itself, or the first below.
fn unstated(facts: &Facts<'_>) -> Vec<Option<NodeId>> {
    let topology = facts.topology();
    let silent = |node: &NodeId| {
        let known = facts.measured_availability(*node).or_else(|| facts.contracted_availability(*node));
        known.is_none() && topology.node(*node).kind != ElementKind::Client
    };
    let mut found: Vec<Option<NodeId>> = vec![None; topology.operations.len()];
    for id in facts.components().iter().flatten() {
        let own = Some(topology.operation(*id).node).filter(silent);
        let below = || {
            let mut calls: Vec<_> = topology.calls_from(*id).filter(|call| facts.plan(*call).awaited).collect();
            calls.sort_by_key(|call| (!facts.is_hard(*call), facts.call_rank(*call)));
            calls.into_iter().find_map(|call| {
                let passed = facts.passed(call).into_iter().find(silent);
                passed.or_else(|| found.get(topology.call(call).to.index()).copied().flatten())
            })
        };
        let first = own.or_else(below);
        if let Some(slot) = found.get_mut(id.index()) {
            *slot = first;
        }
    }
    found
}

/// What becomes of each operation if what fails is down and all else is up.
fn verdicts(facts: &Facts<'_>, failures: &[Failure]) -> Vec<Verdict> {
    let down: Vec<Failure> = failures.iter().map(|failure| Failure { works: 0.0, ..*failure }).collect();
    let beliefs = Beliefs { facts, failures: &down };
    let state = |component| if beliefs.works(component) == 0.0 { State::Down } else { State::Up };
    let mut formulas = Formulas::new();
    let mut read = |reading| {
        let in_circle = Formulas::ALWAYS;
        Structure { facts, formulas: &mut formulas, reading, in_circle, state: &state }.operations()
    };
    let (most, least, whole) = (read(Reading::Most), read(Reading::Least), read(Reading::Whole));
    let rows = most.into_iter().zip(least).zip(whole);
    rows.map(|((most, least), whole)| match (most, least, whole) {
        (Formulas::NEVER, ..) => Verdict::Fails,
        (_, Formulas::ALWAYS, Formulas::ALWAYS) => Verdict::Works,
        (_, Formulas::ALWAYS, _) => Verdict::Degrades,
        _ => Verdict::FailsPartly,
    })
    .collect()
}
