//! Which part of a topology is shown.

use std::collections::{HashSet, VecDeque};

use super::groups::{Collapse, GroupBy};
use super::{Annotate, words};
use crate::analysis::Facts;
use crate::lint::Finding;
use crate::model::{CallId, NodeId, OperationId, Topology};

/// What is asked of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// How much is written beside nodes and calls.
    pub annotate: Annotate,
    /// Only what lies so many calls around a node.
    pub focus: Option<(NodeId, usize)>,
    /// Only what something is found on.
    pub only_findings: bool,
    /// Only what one operation leads to.
    pub flow: Option<OperationId>,
    /// What the boxes are.
    pub group_by: GroupBy,
    /// Which boxes are drawn as one node.
    pub collapse: Collapse,
}

impl Default for View {
    fn default() -> Self {
        Self {
            annotate: Annotate::All,
            focus: None,
            only_findings: false,
            flow: None,
            group_by: GroupBy::Group,
            collapse: Collapse::Auto,
        }
    }
}

impl View {
    /// Whether something is left out because it is asked for.
    pub(super) fn is_of_a_part(&self) -> bool {
        self.focus.is_some() || self.only_findings || self.flow.is_some()
    }
}

/// What is shown.
pub(super) struct Choice {
    /// For each node of the topology whether it is.
    pub(super) nodes: Vec<bool>,
    /// Calls.
    pub(super) calls: Vec<CallId>,
    /// The operations of the flow that is asked for.
    flow: Option<(OperationId, HashSet<OperationId>)>,
    /// What is left out.
    pub(super) notes: Vec<String>,
}

impl Choice {
    /// Whether something that a finding speaks of is shown: a node, an operation, or a call, which may be drawn with
    /// others or inside of a box.
    pub(super) fn shows(&self, topology: &Topology, subject: &str) -> bool {
        let subject = subject.split('#').next().unwrap_or(subject);
        let (from, to) = subject.split_once("->").unwrap_or((subject, subject));
        let to = to.trim_start_matches('>');
        let is_shown = |end: &str| {
            let node = topology.node_named(end.split('.').next().unwrap_or(end));
            node.is_some_and(|node| self.nodes.get(node.index()).copied().unwrap_or(false))
        };
        let is_of_flow = self.flow.as_ref().is_none_or(|(entry, reached)| {
            let operation = |end: &str| topology.operation_named(end);
            let is_reached = |end: &str| operation(end).is_none_or(|operation| reached.contains(&operation));
            is_reached(to) && (is_reached(from) || operation(to) == Some(*entry))
        });
        is_shown(from) && is_shown(to) && is_of_flow
    }
}

/// Follows what is asked; each wish leaves out more.
pub(super) fn choose(facts: &Facts<'_>, found: &[&Finding], view: &View) -> Choice {
    let topology = facts.topology();
    let mut nodes = vec![true; topology.nodes.len()];
    let mut calls: Vec<CallId> = topology.call_ids().filter(|id| !topology.call(*id).implied).collect();
    let mut keep = |wanted: &HashSet<NodeId>| {
        for id in topology.node_ids().filter(|id| !wanted.contains(id)) {
            nodes.get_mut(id.index()).into_iter().for_each(|shown| *shown = false);
        }
    };
    let flow = view.flow.map(|entry| (entry, reached(facts, entry)));
    if let Some((entry, reached)) = &flow {
        calls.retain(|id| reached.contains(&topology.caller(*id)) || topology.callee(*id) == *entry);
        let ends = calls.iter().flat_map(|id| ends(facts, *id));
        keep(&ends.chain([topology.node_id_of(*entry)]).collect());
    }
    if let Some((node, depth)) = view.focus {
        keep(&around(facts, node, depth, &calls));
    }
    if view.only_findings {
        keep(&found_on(facts, found));
    }
    let shown = |id: NodeId| nodes.get(id.index()).copied().unwrap_or(false);
    calls.retain(|id| ends(facts, *id).into_iter().all(shown));
    let left_out = nodes.iter().filter(|shown| !**shown).count();
    let said = format!("{} left out, as asked", words::counted(left_out, "node"));
    Choice { nodes, calls, flow, notes: (left_out > 0).then_some(said).into_iter().collect() }
}

fn ends(facts: &Facts<'_>, call: CallId) -> [NodeId; 2] {
    let call = facts.topology().call(call);
    [call.from, call.to].map(|operation| facts.topology().node_id_of(operation))
}

/// The operations that one leads to, itself included.
pub(in crate::render) fn reached(facts: &Facts<'_>, start: OperationId) -> HashSet<OperationId> {
    let mut reached = HashSet::from([start]);
    let mut next = vec![start];
    while let Some(operation) = next.pop() {
        for call in facts.topology().calls_from(operation) {
            let to = facts.topology().callee(call);
            if reached.insert(to) {
                next.push(to);
            }
        }
    }
    reached
}

/// The nodes that are so many calls away at most, in either direction.
fn around(facts: &Facts<'_>, start: NodeId, depth: usize, calls: &[CallId]) -> HashSet<NodeId> {
    let mut neighbours: Vec<Vec<NodeId>> = vec![Vec::new(); facts.topology().nodes.len()];
    for call in calls {
        let [from, to] = ends(facts, *call);
        for (one, other) in [(from, to), (to, from)] {
            neighbours.get_mut(one.index()).into_iter().for_each(|all| all.push(other));
        }
    }
    let mut found = HashSet::from([start]);
    let mut next = VecDeque::from([(start, 0)]);
    while let Some((node, away)) = next.pop_front() {
        for other in neighbours.get(node.index()).into_iter().flatten().filter(|_| away < depth) {
            if found.insert(*other) {
                next.push_back((*other, away + 1));
            }
        }
    }
    found
}

/// The nodes that findings speak of, both ends of calls included.
fn found_on(facts: &Facts<'_>, found: &[&Finding]) -> HashSet<NodeId> {
    let topology = facts.topology();
    let subjects = found.iter().flat_map(|finding| &finding.diagnostic.subjects);
    let names = subjects.flat_map(|subject| subject.split("->").map(|end| end.trim_start_matches('>')));
    let nodes = names.filter_map(|name| topology.node_named(name.split('.').next().unwrap_or(name)));
    nodes.collect()
}
