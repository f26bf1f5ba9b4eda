//! Edges from a node to itself: they swing out below it, in room that the node is given for that.

use super::{Plan, Route};
use crate::render::geometry::{Point, Rect, Size};

/// How far an edge swings out, its label not counted.
const DROP: f64 = 16.0;
/// How far its ends are from the corners of the node, and from its label.
const INSET: f64 = 16.0;

/// The room of every node: its size, and below it that for the edges to itself, one under the other.
pub(super) fn rooms(plan: &Plan) -> Vec<Size> {
    let mut rooms: Vec<Size> = plan.nodes.iter().map(|node| node.size).collect();
    for edge in plan.edges.iter().filter(|edge| edge.from == edge.to) {
        if let Some(room) = rooms.get_mut(edge.from) {
            let label = edge.label.unwrap_or_default();
            room.height += DROP + label.height;
            room.width = room.width.max(label.width + 4.0 * INSET);
        }
    }
    rooms
}

/// Leads every edge to its own node out of its lower side and back.
pub(super) fn turn_back(plan: &Plan, nodes: &[Rect], routes: &mut [Route]) {
    let mut lowest: Vec<f64> = nodes.iter().map(Rect::bottom).collect();
    for (edge, route) in plan.edges.iter().zip(routes).filter(|(edge, _)| edge.from == edge.to) {
        let (Some(node), Some(lowest)) = (nodes.get(edge.from), lowest.get_mut(edge.from)) else { continue };
        let label = edge.label.unwrap_or_default();
        let y = *lowest + DROP / 2.0 + label.height / 2.0;
        *lowest += DROP + label.height;
        let (left, right) = (node.x + INSET, node.right() - INSET);
        let corners = [(right, node.bottom()), (right, y), (left, y), (left, node.bottom())];
        route.points = corners.map(|(x, y)| Point { x, y }).to_vec();
        route.label = edge.label.map(|size| Rect::around(Point { x: node.centre().x, y }, size));
    }
}
