//! Where edges leave and reach nodes: spread along a side, in the order of where they go, as level as there is room.

use super::{Columns, Plan, Route};
use crate::render::geometry::{Point, Rect};

/// Between the ends of edges on one side of a node, where there is room.
const APART: f64 = 13.0;
/// From the corners of a node.
const INSET: f64 = 8.0;

/// One end of an edge.
#[derive(Clone, Copy, Debug)]
struct End {
    edge: usize,
    is_start: bool,
    /// The height that it comes from or goes to.
    wanted: f64,
}

/// The ends on the left and on the right side of a node.
type Sides = [Vec<End>; 2];

/// Adds both ends to the bends of every edge, and leads it level through the columns on its way.
pub(super) fn attach(plan: &Plan, nodes: &[Rect], columns: &Columns, routes: &mut [Route]) {
    let mut found: Vec<[Option<Point>; 2]> = vec![[None, None]; routes.len()];
    for (node, mut sides) in nodes.iter().zip(sides(plan, nodes, routes)) {
        for (side, ends) in sides.iter_mut().enumerate() {
            ends.sort_by(|one, other| one.wanted.total_cmp(&other.wanted).then(one.edge.cmp(&other.edge)));
            let x = if side == 1 { node.right() } else { node.x };
            let wanted: Vec<f64> = ends.iter().map(|end| end.wanted).collect();
            for (end, y) in ends.iter().zip(spread(node, &wanted)) {
                let slot = found.get_mut(end.edge).and_then(|ends| ends.get_mut(usize::from(!end.is_start)));
                if let Some(slot) = slot {
                    *slot = Some(Point { x, y });
                }
            }
        }
    }
    for ((edge, route), found) in plan.edges.iter().zip(routes).zip(found) {
        if let ([Some(start), Some(end)], Some(from), Some(to)) = (found, nodes.get(edge.from), nodes.get(edge.to)) {
            route.points = columns.level(&route.points, (start, from.centre().x), (end, to.centre().x));
        }
    }
}

fn sides(plan: &Plan, nodes: &[Rect], routes: &[Route]) -> Vec<Sides> {
    let mut all: Vec<Sides> = nodes.iter().map(|_| [Vec::new(), Vec::new()]).collect();
    let edges = plan.edges.iter().zip(routes).enumerate();
    for (index, (edge, route)) in edges.filter(|(_, (edge, _))| edge.from != edge.to) {
        let (Some(from), Some(to)) = (nodes.get(edge.from), nodes.get(edge.to)) else { continue };
        let next = route.points.first().copied().unwrap_or(to.centre());
        let before = route.points.last().copied().unwrap_or(from.centre());
        for (node, own, other, is_start) in [(edge.from, from, next, true), (edge.to, to, before, false)] {
            let right = usize::from(other.x > own.centre().x);
            if let Some(ends) = all.get_mut(node).and_then(|sides| sides.get_mut(right)) {
                ends.push(End { edge: index, is_start, wanted: other.y });
            }
        }
    }
    all
}

/// Heights on the side of a node, near the wanted ones, which ascend: apart, and within its corners.
#[allow(clippy::cast_precision_loss, reason = "a node has fewer than 2⁵² ends")]
fn spread(node: &Rect, wanted: &[f64]) -> Vec<f64> {
    let (top, bottom) = (node.y + INSET, node.bottom() - INSET);
    let gaps = wanted.len().saturating_sub(1) as f64;
    let apart = if gaps > 0.0 { APART.min((bottom - top) / gaps) } else { 0.0 };
    let mut heights: Vec<f64> = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        let least = heights.last().map_or(top, |last| last + apart);
        heights.push(wanted.max(least));
    }
    let mut most = bottom;
    for height in heights.iter_mut().rev() {
        *height = height.min(most);
        most = *height - apart;
    }
    heights
}

#[cfg(test)]
mod tests {
    use super::{INSET, spread};
    use crate::render::geometry::Rect;

    #[test]
    fn ends_keep_their_order_stay_apart_and_inside() {
        let node = Rect { x: 0.0, y: 100.0, width: 80.0, height: 60.0 };
        for wanted in [vec![130.0], vec![0.0, 1.0, 500.0], vec![130.0; 4], vec![900.0; 20], vec![-900.0; 3]] {
            let heights = spread(&node, &wanted);
            assert!(heights.is_sorted(), "{heights:?}");
            let inside = |y: &f64| *y >= node.y + INSET - 1e-9 && *y <= node.bottom() - INSET + 1e-9;
            assert!(heights.iter().all(inside), "{heights:?}");
        }
        assert_eq!(spread(&node, &[130.0]), [130.0]);
    }
}
