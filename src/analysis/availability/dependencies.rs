//! The nodes that operations cannot do without, by how often they are up, and the ways to them. Each operation takes the
//! worst of what it calls, so that nothing below is followed once for everybody above it.

use std::collections::VecDeque;

use super::super::{Facts, Way};
use crate::model::{CallId, NodeId, OperationId, Setting};
use crate::vocabulary::Key;

/// A node that an operation cannot do without, and says how often it is up.
#[derive(Clone, Copy, Debug)]
pub struct Dependency<'f> {
    /// The node.
    pub node: NodeId,
    /// The share of time for which it is up.
    pub share: f64,
    /// Where that is measured, else promised.
    pub stated: &'f Setting,
}

/// What all operations cannot do without.
#[derive(Debug)]
pub struct Dependencies<'f> {
    /// For each operation the least available ones, the worst first.
    worst: Vec<Vec<Dependency<'f>>>,
    /// For each operation how the way to the worst of all begins.
    ways: Vec<Option<Start>>,
}

/// How the shortest way from an operation begins.
#[derive(Clone, Copy, Debug)]
struct Start {
    call: CallId,
    /// How many drawn calls there are on it.
    drawn: usize,
    /// Where its last calls begin.
    last: OperationId,
}

impl<'f> Facts<'f> {
    /// What operations cannot do without and is up least: so many nodes of each, and so many calls at the end of the way
    /// to the first of them.
    #[must_use]
    pub fn dependencies(&self, nodes: usize, calls: usize) -> Dependencies<'f> {
        let worst = worst(self, nodes);
        let ways = ways(self, &worst, calls);
        Dependencies { worst, ways }
    }
}

impl<'f> Dependencies<'f> {
    /// The least available nodes that an operation cannot do without, its own included, the worst first.
    #[must_use]
    pub fn of(&self, operation: OperationId) -> &[Dependency<'f>] {
        self.worst.get(operation.index()).map_or(&[], Vec::as_slice)
    }

    /// The shortest way to the first of them, without what is not drawn.
    #[must_use]
    pub fn way(&self, facts: &Facts<'_>, operation: OperationId) -> Way {
        let topology = facts.topology();
        let start = |operation: OperationId| self.ways.get(operation.index()).copied().flatten();
        let begin = start(operation);
        let steps = std::iter::successors(begin.and_then(|begin| start(begin.last)), |step| {
            // The way ends where a node is passed, or its operation is called.
            if self.ends(facts, step.call) { None } else { start(topology.callee(step.call)) }
        });
        let calls: Vec<CallId> = steps.map(|step| step.call).filter(|call| !topology.call(*call).implied).collect();
        Way { start: operation, left_out: begin.map_or(0, |begin| begin.drawn) - calls.len(), calls }
    }

    /// Whether a call leads to the worst of its caller by itself.
    fn ends(&self, facts: &Facts<'_>, call: CallId) -> bool {
        let worst = self.of(facts.topology().caller(call)).first().map(|dependency| dependency.node);
        worst.is_some_and(|node| leads_to(facts, call, node))
    }
}

fn leads_to(facts: &Facts<'_>, call: CallId, node: NodeId) -> bool {
    facts.topology().callee_node(call) == node || facts.passed(call).contains(&node)
}

/// For each operation the least available nodes of all that every execution needs. Who needs each other needs the same.
fn worst<'f>(facts: &Facts<'f>, most: usize) -> Vec<Vec<Dependency<'f>>> {
    let topology = facts.topology();
    let mut worst: Vec<Vec<Dependency<'f>>> = vec![Vec::new(); topology.operations.len()];
    for group in facts.components_over(|call| facts.is_always_needed(call)).iter() {
        let mut all: Vec<Dependency<'f>> = Vec::new();
        for operation in group {
            all.extend(dependency(facts, topology.node_id_of(*operation)));
            for call in topology.calls_from(*operation).filter(|call| facts.is_always_needed(*call)) {
                all.extend(facts.passed(call).into_iter().filter_map(|node| dependency(facts, node)));
                all.extend(worst.get(topology.callee(call).index()).into_iter().flatten());
            }
        }
        all.sort_by(|one, other| {
            let name = |dependency: &Dependency<'_>| topology.node_name(dependency.node);
            one.share.total_cmp(&other.share).then_with(|| name(one).cmp(name(other)))
        });
        all.dedup_by_key(|dependency| dependency.node);
        all.truncate(most);
        for operation in group {
            worst.get_mut(operation.index()).into_iter().for_each(|slot| slot.clone_from(&all));
        }
    }
    worst
}

fn dependency<'f>(facts: &Facts<'f>, node: NodeId) -> Option<Dependency<'f>> {
    let look = |key| facts.cascade().node(node, key).given();
    let stated = look(Key::Availability).or_else(|| look(Key::Sla))?.setting;
    Some(Dependency { node, share: stated.share()?, stated })
}

/// For each operation the shortest way to the worst of all, the first by name. What is worst for an operation is so for
/// whatever lies on the way, so one search from all ends finds all ways.
fn ways(facts: &Facts<'_>, worst: &[Vec<Dependency<'_>>], most: usize) -> Vec<Option<Start>> {
    let topology = facts.topology();
    let target = |operation: OperationId| {
        worst.get(operation.index()).and_then(|all| all.first()).map(|dependency| dependency.node)
    };
    let needed = |operation| topology.calls_from(operation).filter(|call| facts.is_always_needed(*call));
    let leads = |call: CallId| target(topology.caller(call)).is_some_and(|node| leads_to(facts, call, node));
    let mut distances: Vec<Option<usize>> = vec![None; worst.len()];
    let is_there = |operation: &OperationId| target(*operation) == Some(topology.node_id_of(*operation));
    let arrives = |operation: &OperationId| !is_there(operation) && needed(*operation).any(leads);
    let there = topology.operation_ids().filter(is_there).map(|operation| (operation, 0));
    let mut queue: VecDeque<(OperationId, usize)> =
        there.chain(topology.operation_ids().filter(arrives).map(|operation| (operation, 1))).collect();
    let mut nearest_first = Vec::new();
    while let Some((operation, distance)) = queue.pop_front() {
        let Some(slot) = distances.get_mut(operation.index()).filter(|slot| slot.is_none()) else { continue };
        *slot = Some(distance);
        nearest_first.push((operation, distance));
        let callers = topology.calls_to(operation).filter(|call| facts.is_always_needed(*call));
        let alike = callers.map(|call| topology.caller(call)).filter(|caller| target(*caller) == target(operation));
        queue.extend(alike.map(|caller| (caller, distance + 1)));
    }
    let mut ways: Vec<Option<Start>> = vec![None; worst.len()];
    for (operation, distance) in nearest_first.into_iter().filter(|(_, distance)| *distance > 0) {
        let is_nearer = |call: &CallId| {
            let callee = topology.callee(*call);
            let onward =
                distances.get(callee.index()).copied().flatten().filter(|_| target(callee) == target(operation));
            if distance == 1 { leads(*call) } else { onward == Some(distance - 1) }
        };
        let Some(call) = needed(operation).filter(is_nearer).min_by_key(|call| facts.call_rank(*call)) else {
            continue;
        };
        let onward = ways.get(topology.callee(call).index()).copied().flatten().filter(|_| distance > 1);
        let behind = onward.map_or(0, |onward| onward.drawn);
        let start = Start {
            call,
            drawn: behind + usize::from(!topology.call(call).implied),
            last: onward.filter(|_| behind >= most).map_or(operation, |onward| onward.last),
        };
        ways.get_mut(operation.index()).into_iter().for_each(|slot| *slot = Some(start));
    }
    ways
}
