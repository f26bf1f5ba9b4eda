//! What `dugong` does for a layout: it tells which column each node belongs to (cycles broken, boxes kept together,
//! edges short), and at which height the things of ordered columns stand so that long edges are straight.

use dugong::graphlib::{Graph, GraphOptions};
use dugong::{EdgeLabel, GraphLabel, NodeLabel, position, rank};

use super::Plan;
use super::layers::{Kind, Layers, Side};

/// Between the nodes of a column.
pub(super) const NODE_GAP: f64 = 26.0;
/// Between edges that pass a column.
pub(super) const EDGE_GAP: f64 = 14.0;

type Engine = Graph<NodeLabel, EdgeLabel, GraphLabel>;

/// The same as [`ranks`](super::ranks::ranks), with the shortest edges of all.
pub(super) fn ranks(plan: &Plan) -> Vec<usize> {
    let mut graph = Engine::new(GraphOptions { multigraph: true, compound: true, directed: true });
    graph.set_graph(GraphLabel::default());
    for index in 0..plan.nodes.len() {
        graph.set_node(node_name(index), NodeLabel::default());
    }
    for (index, group) in super::occupied(plan) {
        graph.set_node(group_name(index), NodeLabel::default());
        if let Some(parent) = group.parent {
            graph.set_parent(group_name(index), group_name(parent));
        }
    }
    for (index, node) in plan.nodes.iter().enumerate() {
        if let Some(group) = node.group {
            graph.set_parent(node_name(index), group_name(group));
        }
    }
    // A call in each direction is a circle of its own; several calls in one direction are one.
    for edge in plan.edges.iter().filter(|edge| edge.from != edge.to) {
        let (from, to) = (node_name(edge.from), node_name(edge.to));
        let weight = graph.edge(&from, &to, None).map_or(1.0, |known| known.weight + 1.0);
        graph.set_edge_named(from, to, None::<String>, Some(EdgeLabel { weight, ..EdgeLabel::default() }));
    }
    // What the engine refuses is drawn in the order of the text.
    let Ok(ranked) = rank::plan(&graph) else { return (0..plan.nodes.len()).collect() };
    let known = ranked.nodes.iter().filter_map(|node| {
        let index = node.id.strip_prefix('n')?.parse::<usize>().ok()?;
        Some((index, usize::try_from(node.rank?).ok()?))
    });
    let mut ranks = vec![0; plan.nodes.len()];
    for (index, rank) in known {
        ranks.get_mut(index).into_iter().for_each(|slot| *slot = rank);
    }
    ranks
}

fn node_name(index: usize) -> String {
    format!("n{index}")
}

fn group_name(index: usize) -> String {
    format!("g{index}")
}

/// The height of the middle of each thing, given each column from top to bottom.
pub(super) fn heights(layers: &Layers, columns: &[Vec<usize>]) -> Vec<f64> {
    let mut graph = Engine::new(GraphOptions { multigraph: false, compound: false, directed: true });
    graph.set_graph(GraphLabel { nodesep: NODE_GAP, edgesep: EDGE_GAP, ..GraphLabel::default() });
    let name = |index: usize| format!("i{index}");
    for (column, items) in columns.iter().enumerate() {
        for (order, index) in items.iter().enumerate() {
            let Some(item) = layers.items.get(*index) else { continue };
            let (dummy, border) = match item.kind {
                Kind::Node => (None, None),
                Kind::Way => (Some("edge"), None),
                Kind::Label => (Some("edge-label"), None),
                Kind::Border(Side::Upper) => (Some("border"), Some("borderLeft")),
                Kind::Border(Side::Lower) => (Some("border"), Some("borderRight")),
            };
            let label = NodeLabel {
                // The engine's columns lie on their side.
                width: item.size.height,
                rank: i32::try_from(column).ok(),
                order: Some(order),
                dummy: dummy.map(str::to_owned),
                border_type: border.map(str::to_owned),
                ..NodeLabel::default()
            };
            graph.set_node(name(*index), label);
        }
    }
    for [from, to] in &layers.links {
        graph.set_edge(name(*from), name(*to));
    }
    let columns: Vec<Vec<String>> =
        columns.iter().map(|items| items.iter().map(|index| name(*index)).collect()).collect();
    let found = position::bk::position_x_with_layering(&graph, &columns);
    (0..layers.items.len()).map(|index| found.get(&name(index)).copied().unwrap_or_default()).collect()
}
