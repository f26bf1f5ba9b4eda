//! What each operation needs, and how much of the time that works: once for a topology, and for each question only what
//! has to do with what fails, above what it leaves as it is.

use std::sync::OnceLock;

use super::diagram::{Diagrams, Variable};
use super::formula::{Bounds, FormulaId, Formulas};
use super::numbered::Column;
use super::structure::{Reading, State, Structure};
use super::{Availability, Failure, Target, Verdict, request};
use crate::analysis::Facts;
use crate::ids::{IdMap, IdSet};
use crate::model::{NodeId, OperationId};
use crate::vocabulary::{ElementKind, Key};

/// What counts as up, and how often.
struct Beliefs<'a, 'f> {
    facts: &'a Facts<'f>,
    /// The share of what fails that still works.
    works: IdMap<Target, f64>,
}

impl<'a, 'f> Beliefs<'a, 'f> {
    fn of(facts: &'a Facts<'f>, failures: &[Failure]) -> Self {
        let mut works = IdMap::default();
        for failure in failures {
            *works.entry(failure.what).or_insert(1.0) *= failure.works.clamp(0.0, 1.0);
        }
        Self { facts, works }
    }

    /// The share of time that a component works; what a contract says counts if `contracts`.
    fn share(&self, component: Target, contracts: bool) -> f64 {
        let stated = match component {
            Target::Node(node) => self
                .facts
                .measured_availability(node)
                .or_else(|| self.facts.contracted_availability(node).filter(|_| contracts)),
            Target::Operation(_) | Target::Call(_) => None,
        };
        stated.unwrap_or(1.0) * self.works(component)
    }

    fn works(&self, component: Target) -> f64 {
        self.works.get(&component).copied().unwrap_or(1.0)
    }

    /// What is not stated is read as `otherwise`.
    fn state(&self, component: Target, otherwise: State) -> State {
        let stated = match component {
            Target::Node(node) => {
                self.facts.measured_availability(node).or_else(|| self.facts.contracted_availability(node)).is_some()
            }
            Target::Operation(_) | Target::Call(_) => true,
        };
        match component {
            _ if self.works(component) == 0.0 => State::Down,
            _ if !stated && otherwise == State::Down => State::Down,
            Target::Node(_) if stated => State::Variable,
            _ if self.works(component) < 1.0 => State::Variable,
            _ => State::Up,
        }
    }
}

/// All that questions have in common.
#[derive(Debug)]
pub(in crate::analysis) struct Basis {
    independence: Independence,
    unstated: Vec<Option<NodeId>>,
    /// For each operation, which of the circles it is in.
    group_of: Vec<usize>,
    certain: OnceLock<Certain<'static>>,
    pub(super) solved: Solved<'static>,
}

impl Basis {
    pub(super) fn of(facts: &Facts<'_>) -> Self {
        Self {
            independence: Independence::of(facts),
            unstated: unstated(facts),
            group_of: group_of(facts),
            certain: OnceLock::new(),
            solved: Solved::of(facts, &[], None),
        }
    }

    /// What each operation is like if nothing fails.
    pub(super) fn certain(&self, facts: &Facts<'_>) -> &Certain<'static> {
        self.certain.get_or_init(|| Certain::of(facts, &[], None))
    }

    /// The groups of some operations, callees before callers. Who waits for one of a circle is all of it.
    pub(super) fn groups_of<'a>(
        &self,
        facts: &'a Facts<'_>,
        operations: &IdSet<OperationId>,
    ) -> Vec<&'a [OperationId]> {
        let mut groups: Vec<usize> =
            operations.iter().filter_map(|id| self.group_of.get(id.index()).copied()).collect();
        groups.sort_unstable();
        groups.dedup();
        groups.into_iter().filter_map(|group| facts.components().get(group)).collect()
    }

    pub(super) fn availability(&self, solved: &Solved<'_>, id: OperationId) -> Availability {
        let of = |all: &[FormulaId]| all.get(id.index()).copied().unwrap_or_default();
        let row = solved.availability(&self.independence, of(&solved.most), of(&solved.least));
        let per_request = solved.requests.get(id.index()).copied().flatten();
        Availability { per_request, unstated: self.unstated.get(id.index()).copied().flatten(), ..row }
    }
}

/// What a question leaves as it is, and the operations that it does not, in the groups of [`Facts::components`], callees
/// before callers.
pub(super) type Below<'b, T> = Option<(&'b T, &'b [&'b [OperationId]])>;

/// What is to be read anew: all that is concerned, without anything below all there is.
fn concerned<'a>(facts: &'a Facts<'_>, groups: Option<&[&'a [OperationId]]>) -> Vec<&'a [OperationId]> {
    groups.map_or_else(|| facts.components().iter().collect(), <[_]>::to_vec)
}

/// What each operation needs, with its values; what a question changes lies above what holds without it.
#[derive(Debug)]
pub(super) struct Solved<'b> {
    formulas: Formulas<'b>,
    diagrams: Diagrams<'b>,
    most: Vec<FormulaId>,
    least: Vec<FormulaId>,
    measured: Bounds<'b>,
    bounds: Bounds<'b>,
    measured_exactly: Column<'b, f64>,
    exactly: Column<'b, f64>,
    requests: Vec<Option<f64>>,
}

impl<'b> Solved<'b> {
    pub(super) fn of(facts: &Facts<'_>, failures: &[Failure], below: Below<'b, Self>) -> Self {
        let beliefs = Beliefs::of(facts, failures);
        let groups = concerned(facts, below.map(|(_, groups)| groups));
        let below = below.map(|(below, _)| below);
        let count = facts.topology().operations.len();
        let mut formulas = Formulas::above(below.map(|below| &below.formulas));
        let mut read = |reading, in_circle, otherwise, done: Option<&Vec<FormulaId>>| {
            let state = |component| beliefs.state(component, otherwise);
            let done = done.cloned().unwrap_or_else(|| vec![in_circle; count]);
            Structure { facts, formulas: &mut formulas, reading, in_circle, state: &state }.operations(done, &groups)
        };
        let most = read(Reading::Most, Formulas::ALWAYS, State::Up, below.map(|below| &below.most));
        let least = read(Reading::Least, Formulas::NEVER, State::Down, below.map(|below| &below.least));
        let diagrams = Diagrams::of(&formulas, below.map(|below| &below.diagrams), order(facts));
        let (measured, all) =
            (|component: Target| beliefs.share(component, false), |component: Target| beliefs.share(component, true));
        let requests = below.map_or_else(|| vec![None; count], |below| below.requests.clone());
        Self {
            measured: formulas.bounds(below.map(|below| &below.measured), measured),
            bounds: formulas.bounds(below.map(|below| &below.bounds), all),
            measured_exactly: diagrams.probabilities(below.map(|below| &below.measured_exactly), measured),
            exactly: diagrams.probabilities(below.map(|below| &below.exactly), all),
            requests: request::shares(facts, requests, &groups, &all),
            formulas,
            diagrams,
            most,
            least,
        }
    }

    fn availability(&self, independence: &Independence, most: FormulaId, least: FormulaId) -> Availability {
        let bound = |all: &Bounds<'_>, id: FormulaId| all.get(id).unwrap_or((0.0, 1.0));
        let exact = |all: &Column<'_, f64>, id: FormulaId| self.diagrams.value(all, id);
        let (low, high) = (bound(&self.bounds, least).0, bound(&self.bounds, most).1);
        let proved = bound(&self.measured, most).1;
        let independent_at_most = exact(&self.measured_exactly, most).unwrap_or(proved);
        let promised_at_most = exact(&self.exactly, most).unwrap_or(high);
        let all_independent = independence.holds(&self.diagrams, most);
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
#[derive(Debug)]
struct Independence(IdSet<(NodeId, NodeId)>);

impl Independence {
    fn of(facts: &Facts<'_>) -> Self {
        let mut pairs = IdSet::default();
        for node in facts.topology().node_ids() {
            let stated = facts.cascade().node(node, Key::IndependentOf).given();
            let others = stated.into_iter().flat_map(|stated| stated.setting.nodes());
            pairs.extend(others.filter(|other| *other != node).map(|other| (node.min(other), node.max(other))));
        }
        Self(pairs)
    }

    /// Whether any two nodes that a formula depends on are.
    fn holds(&self, diagrams: &Diagrams<'_>, formula: FormulaId) -> bool {
        if self.0.is_empty() || !diagrams.has(formula) {
            return false;
        }
        let components = diagrams.components(formula).into_iter();
        let mut nodes: Vec<NodeId> = components
            .filter_map(|component| if let Target::Node(node) = component { Some(node) } else { None })
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
    callers_first.map(|id| Variable::Up(Target::Node(topology.node_id_of(*id))))
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
        let own = Some(topology.node_id_of(*id)).filter(silent);
        let below = || {
            let mut calls: Vec<_> = topology.calls_from(*id).filter(|call| facts.is_awaited(*call)).collect();
            calls.sort_by_key(|call| (!facts.is_hard(*call), facts.call_rank(*call)));
            calls.into_iter().find_map(|call| {
                let passed = facts.passed(call).into_iter().find(silent);
                passed.or_else(|| found.get(topology.callee(call).index()).copied().flatten())
            })
        };
        let first = own.or_else(below);
        if let Some(slot) = found.get_mut(id.index()) {
            *slot = first;
        }
    }
    found
}

/// For each operation the number of its group among [`Facts::components`].
fn group_of(facts: &Facts<'_>) -> Vec<usize> {
    let mut group_of = vec![0; facts.topology().operations.len()];
    for (group, members) in facts.components().iter().enumerate() {
        for id in members {
            if let Some(slot) = group_of.get_mut(id.index()) {
                *slot = group;
            }
        }
    }
    group_of
}

/// What becomes of each operation if what fails is down and all else is up.
#[derive(Debug)]
pub(super) struct Certain<'b> {
    formulas: Formulas<'b>,
    most: Vec<FormulaId>,
    least: Vec<FormulaId>,
    whole: Vec<FormulaId>,
}

impl<'b> Certain<'b> {
    pub(super) fn of(facts: &Facts<'_>, failures: &[Failure], below: Below<'b, Self>) -> Self {
        let down: Vec<Failure> = failures.iter().map(|failure| Failure { works: 0.0, ..*failure }).collect();
        let beliefs = Beliefs::of(facts, &down);
        let state = |component| if beliefs.works(component) == 0.0 { State::Down } else { State::Up };
        let groups = concerned(facts, below.map(|(_, groups)| groups));
        let below = below.map(|(below, _)| below);
        let in_circle = Formulas::ALWAYS;
        let mut formulas = Formulas::above(below.map(|below| &below.formulas));
        let mut read = |reading, done: Option<&Vec<FormulaId>>| {
            let done = done.cloned().unwrap_or_else(|| vec![in_circle; facts.topology().operations.len()]);
            Structure { facts, formulas: &mut formulas, reading, in_circle, state: &state }.operations(done, &groups)
        };
        let most = read(Reading::Most, below.map(|below| &below.most));
        let least = read(Reading::Least, below.map(|below| &below.least));
        let whole = read(Reading::Whole, below.map(|below| &below.whole));
        Self { formulas, most, least, whole }
    }

    pub(super) fn verdict(&self, id: OperationId) -> Verdict {
        let of = |all: &[FormulaId]| all.get(id.index()).copied().unwrap_or_default();
        match (of(&self.most), of(&self.least), of(&self.whole)) {
            (Formulas::NEVER, ..) => Verdict::Fails,
            (_, Formulas::ALWAYS, Formulas::ALWAYS) => Verdict::Works,
            (_, Formulas::ALWAYS, _) => Verdict::Degrades,
            _ => Verdict::FailsPartly,
        }
    }
}
