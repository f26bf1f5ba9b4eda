//! The second graph: what is needed to start, to recover, to roll out a change and to be observed. A node needs, in its
//! phase, an operation to be served; to be served, an operation needs its node and what every request needs. A circle
//! means that something is needed for its own beginning.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Facts;
use super::condensation::groups;
use crate::ids::IdMap;
use crate::model::{CallId, NodeId, OperationId, Phase};
use crate::syntax::Arrow;
use crate::vocabulary::ElementKind;

/// Nodes that need themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circle {
    /// The nodes that need something in one of the phases, in the order of the circle.
    pub nodes: Vec<NodeId>,
    /// The calls around the circle, from the first node.
    pub calls: Vec<CallId>,
}

/// A node that fails together with what observes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedFate {
    /// The arrow from what is observed.
    pub observed_by: CallId,
    /// What both need.
    pub shared: NodeId,
    /// The calls from what is observed to what both need.
    pub of_observed: Vec<CallId>,
    /// The calls from what observes.
    pub of_observer: Vec<CallId>,
}

/// So many circles of a group are looked at for the shortest.
const STARTS: usize = 16;

/// So many calls are looked at in all when fates are compared.
const VISITS: usize = 1_000_000;

/// What is needed below some calls: for each node, the call that first led to it, and how many calls lead there.
#[derive(Debug, Default)]
pub(super) struct Needed {
    nodes: BTreeMap<NodeId, (CallId, usize)>,
    /// How many calls were looked at.
    pub(super) visited: usize,
    before: IdMap<OperationId, CallId>,
    first: BTreeSet<CallId>,
}

impl Needed {
    pub(super) fn nodes(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.nodes.keys().copied()
    }

    pub(super) fn contains(&self, node: NodeId) -> bool {
        self.nodes.contains_key(&node)
    }

    /// How many calls lead to a node; none if it is not needed.
    pub(super) fn distance(&self, node: NodeId) -> usize {
        self.nodes.get(&node).map_or(0, |(_, distance)| *distance)
    }

    /// The calls that lead to a node, in order.
    pub(super) fn way(&self, facts: &Facts<'_>, node: NodeId) -> Vec<CallId> {
        let Some((last, _)) = self.nodes.get(&node) else { return Vec::new() };
        let before = |call: &CallId| {
            let from = facts.topology().caller(*call);
            self.before.get(&from).copied().filter(|_| !self.first.contains(call))
        };
        let mut way: Vec<CallId> = std::iter::successors(Some(*last), before).take(self.before.len() + 1).collect();
        way.reverse();
        way
    }
}

impl Facts<'_> {
    /// All that cannot be done without if these calls are needed, nearest first by name.
    pub(super) fn needed_below(&self, calls: impl IntoIterator<Item = CallId>) -> Needed {
        let topology = self.topology();
        let mut needed = Needed::default();
        let mut seen: BTreeSet<OperationId> = BTreeSet::new();
        let mut queue: VecDeque<(CallId, usize)> = calls.into_iter().map(|call| (call, 1)).collect();
        needed.first.extend(queue.iter().map(|(call, _)| call));
        while let Some((call, distance)) = queue.pop_front() {
            needed.visited += 1;
            let to = topology.callee(call);
            for node in self.passed(call).into_iter().chain([topology.node_id_of(to)]) {
                needed.nodes.entry(node).or_insert((call, distance));
            }
            if seen.insert(to) {
                needed.before.insert(to, call);
                queue.extend(self.needed_calls(to).into_iter().map(|call| (call, distance + 1)));
            }
        }
        needed
    }

    /// The calls that every execution of an operation needs, by name.
    pub(super) fn needed_calls(&self, operation: OperationId) -> Vec<CallId> {
        let calls = self.topology().calls_from(operation).filter(|call| self.is_always_needed(*call));
        let mut calls: Vec<CallId> = calls.collect();
        calls.sort_by_key(|call| self.call_rank(*call));
        calls
    }

    /// Whether a node needs what this call asks for in one of these phases. To be observed, it need not wait; what goes
    /// to telemetry is observed.
    #[must_use]
    pub fn is_needed_in(&self, call: CallId, phases: &[Phase]) -> bool {
        let row = self.topology().call(call);
        let plan = self.plan(call);
        let callee = self.topology().node_id_of(row.to);
        let observes = phases.contains(&Phase::Observe);
        let telemetry = observes && row.phase == Phase::Request && self.has_role(callee, "telemetry");
        let waits = row.arrow == Arrow::Sync || observes;
        let certain = !plan.soft && !plan.skippable && row.fallback_of.is_none();
        let in_phase = row.phase != Phase::Request && phases.contains(&row.phase);
        (in_phase || telemetry) && waits && certain && !self.is_spare(call) && !self.is_alternative(call)
    }

    /// Who is observed and who observes, for a call in `phase observe`: it points from what is observed, unless a node
    /// with `role telemetry` makes it, which asks for what it is to know. Of any other call, its ends.
    #[must_use]
    pub fn observation(&self, call: CallId) -> (OperationId, OperationId) {
        let row = self.topology().call(call);
        let telemetry = |id| self.has_role(self.topology().node_id_of(id), "telemetry");
        let asks = row.phase == Phase::Observe && telemetry(row.from) && !telemetry(row.to);
        if asks { (row.to, row.from) } else { (row.from, row.to) }
    }

    /// What needs itself in these phases, one circle a group of nodes that need each other.
    #[must_use]
    pub fn circles(&self, phases: &[Phase]) -> Vec<Circle> {
        let graph = PhaseGraph::of(self, phases);
        let mut circles: Vec<Circle> = graph.circles(self);
        circles.sort_by_key(|circle| circle.calls.first().map(|call| self.call_rank(*call)));
        circles
    }

    /// What fails together with what observes it, because both need a third.
    #[must_use]
    pub fn shared_fates(&self) -> &[SharedFate] {
        &self.all_shared_fates().0
    }

    /// How many observed nodes were not compared with what observes them.
    pub(super) fn fates_left_out(&self) -> usize {
        self.all_shared_fates().1
    }

    fn all_shared_fates(&self) -> &(Vec<SharedFate>, usize) {
        self.shared_fates.get_or_init(|| self.find_shared_fates())
    }

    fn find_shared_fates(&self) -> (Vec<SharedFate>, usize) {
        let topology = self.topology();
        let mut visits = VISITS;
        let (mut found, mut left_out) = (Vec::new(), 0);
        let mut below: IdMap<OperationId, Needed> = IdMap::default();
        // Whoever hands in telemetry from outside is not observed by it.
        let from_outside = |call: CallId| topology.kind_of(topology.caller(call)) == ElementKind::Client;
        let observing =
            topology.call_ids().filter(|call| self.is_needed_in(*call, &[Phase::Observe]) && !from_outside(*call));
        for call in observing {
            if visits == 0 {
                left_out += 1;
                continue;
            }
            let (from, by_operation) = self.observation(call);
            let [node, observer] = [from, by_operation].map(|id| topology.node_id_of(id));
            let observed =
                self.needed_below(topology.node(node).operations.iter().flat_map(|id| self.needed_calls(*id)));
            let needed = || self.needed_below(self.needed_calls(by_operation));
            let by = below.entry(by_operation).or_insert_with(needed);
            let Some(left) = visits.checked_sub(observed.visited + by.nodes.len()) else {
                visits = 0;
                left_out += 1;
                continue;
            };
            visits = left;
            // What the arrow itself passes is needed to observe, too.
            let passed = self.passed(call);
            let way = |shared: NodeId| if passed.contains(&shared) { vec![call] } else { by.way(self, shared) };
            let needed = |shared: NodeId| passed.contains(&shared) || by.contains(shared);
            let both = observed.nodes().filter(|shared| needed(*shared) && ![node, observer].contains(shared));
            let nearest = both.min_by_key(|shared| {
                let to_observer = if passed.contains(shared) { 1 } else { by.distance(*shared) };
                (observed.distance(*shared) + to_observer, topology.node_name(*shared))
            });
            found.extend(nearest.filter(|_| !by.contains(node)).map(|shared| SharedFate {
                observed_by: call,
                shared,
                of_observed: observed.way(self, shared),
                of_observer: way(shared),
            }));
        }
        (found, left_out)
    }
}

/// Operations first, then nodes.
struct PhaseGraph {
    operations: usize,
    edges: Vec<(u32, u32, Option<CallId>)>,
    by_source: IdMap<u32, Vec<usize>>,
}

impl PhaseGraph {
    fn of(facts: &Facts<'_>, phases: &[Phase]) -> Self {
        let topology = facts.topology();
        let mut graph = Self { operations: topology.operations.len(), edges: Vec::new(), by_source: IdMap::default() };
        let mut needed: Vec<CallId> = topology.call_ids().filter(|call| facts.is_needed_in(*call, phases)).collect();
        if needed.is_empty() {
            return graph;
        }
        needed.sort_by_key(|call| facts.call_rank(*call));
        for call in needed {
            let from = graph.node(topology.node_id_of(facts.observation(call).0));
            graph.call(facts, from, call);
        }
        for id in topology.operation_ids() {
            let node = graph.node(topology.node_id_of(id));
            graph.edge(id.0, node, None);
            for call in facts.needed_calls(id) {
                graph.call(facts, id.0, call);
            }
        }
        graph
    }

    fn node(&self, node: NodeId) -> u32 {
        u32::try_from(self.operations + node.index()).unwrap_or(u32::MAX)
    }

    fn call(&mut self, facts: &Facts<'_>, from: u32, call: CallId) {
        self.edge(from, facts.observation(call).1.0, Some(call));
        for passed in facts.passed(call) {
            let passed = self.node(passed);
            self.edge(from, passed, Some(call));
        }
    }

    fn edge(&mut self, from: u32, to: u32, call: Option<CallId>) {
        self.by_source.entry(from).or_default().push(self.edges.len());
        self.edges.push((from, to, call));
    }

    fn circles(&self, facts: &Facts<'_>) -> Vec<Circle> {
        let groups = groups(self.edges.iter().map(|(from, to, _)| (*from, *to)));
        groups.into_iter().filter_map(|group| self.circle(facts, &group.into_iter().collect())).collect()
    }

    /// Of a group, the circle with the fewest nodes that need something, and of those the shortest.
    fn circle(&self, facts: &Facts<'_>, group: &BTreeSet<u32>) -> Option<Circle> {
        let nodes = group.iter().filter_map(|vertex| (*vertex as usize).checked_sub(self.operations).map(NodeId::at));
        let mut starts: Vec<NodeId> = nodes.collect();
        starts.sort_by_key(|node| facts.topology().node_name(*node));
        let circles = starts.into_iter().take(STARTS).filter_map(|start| self.through(group, start));
        circles.min_by_key(|circle| (circle.nodes.len(), circle.calls.len()))
    }

    /// A circle through a node, with as few other nodes in it as can be: the calls of requests come first.
    fn through(&self, group: &BTreeSet<u32>, start: NodeId) -> Option<Circle> {
        let start = self.node(start);
        let mut reached: IdMap<u32, usize> = IdMap::default();
        let (mut operations, mut nodes) = (VecDeque::new(), VecDeque::from([start]));
        // What a node needs for itself is followed last.
        while let Some(at) = operations.pop_front().or_else(|| nodes.pop_front()) {
            for index in self.by_source.get(&at).into_iter().flatten() {
                let Some((_, to, _)) = self.edges.get(*index) else { continue };
                if !group.contains(to) || reached.contains_key(to) {
                    continue;
                }
                reached.insert(*to, *index);
                if *to == start {
                    return Some(self.back(&reached, start));
                }
                if (*to as usize) < self.operations { operations.push_back(*to) } else { nodes.push_back(*to) }
            }
        }
        None
    }

    fn back(&self, reached: &IdMap<u32, usize>, start: u32) -> Circle {
        let (mut calls, mut nodes) = (Vec::new(), Vec::new());
        let mut at = start;
        for _ in 0..=reached.len() {
            let Some((from, _, call)) = reached.get(&at).and_then(|index| self.edges.get(*index)) else { break };
            calls.extend(*call);
            nodes.extend((*from as usize).checked_sub(self.operations).map(NodeId::at));
            at = *from;
            if at == start {
                break;
            }
        }
        calls.reverse();
        nodes.reverse();
        // A call that passes a node is named once.
        calls.dedup();
        Circle { nodes, calls }
    }
}
