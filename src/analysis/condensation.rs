//! Circles of calls, found once. The only place, with the model, that knows the graph library.

use petgraph::algo::kosaraju_scc;
use petgraph::visit::{EdgeFiltered, EdgeRef};

use crate::model::{CallId, OperationId, Topology};

/// Strongly connected groups over some of the calls, callees before callers. Kosaraju's algorithm as the library has
/// it keeps its own stack: a chain of any length is safe.
pub(super) fn components(topology: &Topology, counts: impl Fn(CallId) -> bool) -> Vec<Vec<OperationId>> {
    let some = EdgeFiltered::from_fn(&topology.graph, |edge| counts(CallId::at(edge.id().index())));
    let mut components: Vec<Vec<OperationId>> = kosaraju_scc(&some)
        .into_iter()
        .map(|group| group.into_iter().map(|vertex| OperationId::at(vertex.index())).collect())
        .collect();
    for group in &mut components {
        group.sort_unstable();
    }
    components
}

/// Strongly connected groups of vertices that are numbered by the caller.
pub(super) fn groups(edges: impl IntoIterator<Item = (u32, u32)>) -> Vec<Vec<u32>> {
    let graph = petgraph::Graph::<(), (), petgraph::Directed, u32>::from_edges(edges);
    let numbers = |group: Vec<petgraph::graph::NodeIndex>| {
        group.into_iter().map(|vertex| u32::try_from(vertex.index()).unwrap_or(u32::MAX))
    };
    kosaraju_scc(&graph).into_iter().map(|group| numbers(group).collect()).collect()
}
