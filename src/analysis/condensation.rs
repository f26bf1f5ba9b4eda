//! Circles of calls, found once. The only place, with the model, that knows the graph library.

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{Graph, NodeIndex};

use crate::model::{CallId, OperationId, Topology};

/// Operations in groups, one behind the other: who calls each other in a circle is in one group, everybody else is
/// alone. Callees come before callers, and each group is sorted.
#[derive(Debug, Default)]
pub struct Groups {
    members: Vec<OperationId>,
    /// Where each group ends.
    ends: Vec<usize>,
}

impl Groups {
    /// Over all calls. Kosaraju's algorithm as the library has it keeps its own stack: a chain of any length is safe.
    pub(super) fn of(topology: &Topology) -> Self {
        let mut groups = Self::default();
        for group in kosaraju_scc(&topology.graph) {
            groups.push(group.into_iter().map(|vertex| OperationId::at(vertex.index())));
        }
        groups
    }

    /// Over some of the calls: what is no circle with more calls is none with fewer, and the order holds for both.
    pub(super) fn over(&self, topology: &Topology, counts: impl Fn(CallId) -> bool) -> Self {
        let mut groups = Self { members: Vec::with_capacity(self.members.len()), ends: Vec::new() };
        groups.ends.reserve(self.ends.len());
        for group in self.iter() {
            if let [only] = group {
                groups.push([*only]);
                continue;
            }
            let mut inside: Graph<OperationId, ()> = Graph::new();
            for id in group {
                inside.add_node(*id);
            }
            for (place, id) in group.iter().enumerate() {
                let calls = topology.calls_from(*id).filter(|call| counts(*call));
                let callees = calls.filter_map(|call| group.binary_search(&topology.callee(call)).ok());
                for callee in callees {
                    inside.add_edge(NodeIndex::new(place), NodeIndex::new(callee), ());
                }
            }
            for group in kosaraju_scc(&inside) {
                groups.push(group.into_iter().filter_map(|vertex| inside.node_weight(vertex).copied()));
            }
        }
        groups
    }

    fn push(&mut self, group: impl IntoIterator<Item = OperationId>) {
        let start = self.members.len();
        self.members.extend(group);
        self.members.get_mut(start..).unwrap_or_default().sort_unstable();
        self.ends.push(self.members.len());
    }

    /// One of them, by its place.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<&[OperationId]> {
        let start = place.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.members.get(start..*self.ends.get(place)?)
    }

    /// All of them.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &[OperationId]> + ExactSizeIterator {
        (0..self.ends.len()).map(|place| self.get(place).unwrap_or_default())
    }
}

/// Strongly connected groups of vertices that are numbered by the caller.
pub(super) fn groups(edges: impl IntoIterator<Item = (u32, u32)>) -> Vec<Vec<u32>> {
    let graph = Graph::<(), ()>::from_edges(edges);
    let numbers =
        |group: Vec<NodeIndex>| group.into_iter().map(|vertex| u32::try_from(vertex.index()).unwrap_or(u32::MAX));
    kosaraju_scc(&graph).into_iter().map(|group| numbers(group).collect()).collect()
}
