//! Where edges change their height between two columns: side by side and not on top of each other. Of those that go
//! down, the upper ones turn later, of those that go up, the lower ones: so that none crosses another without need.

use std::collections::BTreeMap;

use super::Route;
use crate::render::geometry::Point;

/// The part of a gap in which one edge turns, if it is not alone.
const TURN: f64 = 0.55;
/// What counts as level.
const LEVEL: f64 = 1.0;

/// A piece of an edge that turns.
struct Turn {
    edge: usize,
    /// Its first point.
    at: usize,
    /// Its heights at the left and at the right side of the gap.
    left: f64,
    right: f64,
}

/// Gives every turn its part of the gap.
pub(super) fn separate(routes: &mut [Route]) {
    let mut gaps: BTreeMap<(i64, i64, bool), Vec<Turn>> = BTreeMap::new();
    for (edge, route) in routes.iter().enumerate() {
        for (at, ends) in route.points.windows(2).enumerate() {
            let [from, to] = ends else { continue };
            let (left, right) = if from.x <= to.x { (from, to) } else { (to, from) };
            if (left.y - right.y).abs() > LEVEL && right.x - left.x > LEVEL {
                let turn = Turn { edge, at, left: left.y, right: right.y };
                gaps.entry((key(left.x), key(right.x), right.y > left.y)).or_default().push(turn);
            }
        }
    }
    // A piece that is replaced makes the pieces behind it move on: the last ones of an edge come first.
    let mut parts: Vec<(usize, usize, f64)> = Vec::new();
    for ((.., down), mut turns) in gaps {
        let sign = if down { -1.0 } else { 1.0 };
        turns.sort_by(|one, other| {
            let by = |turn: &Turn| (turn.left * sign, turn.right * sign);
            by(one).partial_cmp(&by(other)).unwrap_or(std::cmp::Ordering::Equal).then(one.edge.cmp(&other.edge))
        });
        let count = turns.len();
        #[allow(clippy::cast_precision_loss, reason = "fewer than 2⁵² edges")]
        for (index, turn) in turns.iter().enumerate().filter(|_| count > 1) {
            parts.push((turn.edge, turn.at, index as f64 / (count - 1) as f64));
        }
    }
    parts.sort_by_key(|(edge, at, _)| std::cmp::Reverse((*edge, *at)));
    for (edge, at, part) in parts {
        if let Some(points) = routes.get_mut(edge).map(|route| &mut route.points) {
            turn(points, at, part);
        }
    }
}

/// Two points that are this near have one place.
#[allow(clippy::cast_possible_truncation, reason = "a picture is not 10¹⁸ pixels wide")]
fn key(x: f64) -> i64 {
    (x * 4.0).round() as i64
}

/// Makes one piece of a way turn in a part of its width, counted from the left.
fn turn(points: &mut Vec<Point>, at: usize, part: f64) {
    let (Some(from), Some(to)) = (points.get(at).copied(), points.get(at + 1).copied()) else { return };
    let (left, right) = if from.x <= to.x { (from, to) } else { (to, from) };
    let width = right.x - left.x;
    let starts = left.x + width * (1.0 - TURN) * part;
    let ends = starts + width * TURN;
    let mut inner = [Point { x: starts, y: left.y }, Point { x: ends, y: right.y }];
    if from.x > to.x {
        inner.reverse();
    }
    points.splice(at + 1..=at, inner);
    points.dedup();
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]
mod tests {
    use super::separate;
    use crate::render::geometry::Point;
    use crate::render::layout::Route;

    fn route(points: &[(f64, f64)]) -> Route {
        Route { points: points.iter().map(|(x, y)| Point { x: *x, y: *y }).collect(), label: None }
    }

    #[test]
    fn parallel_edges_turn_side_by_side() {
        let mut routes = [route(&[(0.0, 0.0), (40.0, 100.0)]), route(&[(0.0, 10.0), (40.0, 110.0)])];
        separate(&mut routes);
        // Where each begins to turn.
        let begins = routes.iter().map(|route| {
            let level = route.points.iter().take_while(|point| (point.y - route.points[0].y).abs() < 1.0);
            level.last().unwrap().x
        });
        let begins: Vec<f64> = begins.collect();
        assert!(begins[0] > begins[1], "{routes:?}");
    }

    #[test]
    fn an_edge_alone_uses_all_of_the_gap() {
        let mut routes = [route(&[(0.0, 0.0), (40.0, 100.0)])];
        separate(&mut routes);
        assert_eq!(routes[0].points.len(), 2);
    }
}
