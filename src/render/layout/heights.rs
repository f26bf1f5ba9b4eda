//! At which height everything stands, given each column from top to bottom: apart from each other, the sides of boxes
//! straight, and else near to where the engine puts it. Where the engine tears a large picture far apart, things move
//! towards what they are linked to instead, all at once, again and again.

use super::engine::{self, EDGE_GAP, NODE_GAP};
use super::layers::{Kind, Layers, Side};

/// More things than that are not given to the engine.
const MANY: usize = 4_000;
/// So many times as high as its fullest column is a picture that is torn apart.
const TORN: f64 = 1.6;
/// So often everything moves.
const ROUNDS: usize = 60;

/// The height of the middle of each thing.
pub(super) fn heights(layers: &Layers, columns: &[Vec<usize>]) -> Vec<f64> {
    let field = Field::of(layers, columns);
    if layers.items.len() > MANY {
        return field.spread(&field.relaxed(layers));
    }
    let placed = field.settled(&field.gathered(&engine::heights(layers, columns)));
    let is_torn = field.extent(&placed) > TORN * field.fullest(columns);
    let relaxed = is_torn.then(|| field.relaxed(layers));
    let better = relaxed.filter(|relaxed| TORN * field.extent(relaxed) < field.extent(&placed));
    field.spread(better.as_ref().unwrap_or(&placed))
}

/// What may move: things, and the whole side of a box as one.
struct Field {
    /// For each thing what it moves with.
    part: Vec<usize>,
    /// For each part half its height, and the gap around it.
    room: Vec<(f64, f64)>,
    /// Parts in an order in which each comes behind those above it.
    order: Vec<usize>,
    /// The next parts above and below each one.
    above: Vec<Vec<usize>>,
    below: Vec<Vec<usize>>,
}

impl Field {
    fn of(layers: &Layers, columns: &[Vec<usize>]) -> Self {
        let mut part: Vec<usize> = Vec::with_capacity(layers.items.len());
        let mut room: Vec<(f64, f64)> = Vec::new();
        let mut sides = vec![[None, None]; layers.spans.len()];
        for item in &layers.items {
            let known = match (item.kind, item.group.and_then(|group| sides.get_mut(group))) {
                (Kind::Border(Side::Upper), Some([upper, _])) => Some(upper),
                (Kind::Border(Side::Lower), Some([_, lower])) => Some(lower),
                _ => None,
            };
            let gap = if item.kind == Kind::Node { NODE_GAP } else { EDGE_GAP };
            let next = room.len();
            let own = known.map_or(next, |known| *known.get_or_insert(next));
            if own == next {
                room.push((item.size.height / 2.0, gap / 2.0));
            }
            part.push(own);
        }
        let count = room.len();
        let mut field =
            Self { part, room, order: Vec::new(), above: vec![Vec::new(); count], below: vec![Vec::new(); count] };
        for items in columns {
            for pair in items.windows(2) {
                let parts: Vec<usize> = pair.iter().filter_map(|index| field.part.get(*index).copied()).collect();
                if let [upper, lower] = *parts {
                    field.below.get_mut(upper).into_iter().for_each(|all| all.push(lower));
                    field.above.get_mut(lower).into_iter().for_each(|all| all.push(upper));
                }
            }
        }
        field.sort();
        field
    }

    fn sort(&mut self) {
        let mut open: Vec<usize> = self.above.iter().map(Vec::len).collect();
        let mut next: Vec<usize> = (0..open.len()).filter(|part| open.get(*part) == Some(&0)).collect();
        while let Some(part) = next.pop() {
            self.order.push(part);
            for lower in self.below.get(part).into_iter().flatten() {
                if let Some(open) = open.get_mut(*lower) {
                    *open -= 1;
                    next.extend((*open == 0).then_some(*lower));
                }
            }
        }
    }

    /// How far the middles of two parts that follow each other are apart at least.
    fn apart(&self, one: usize, other: usize) -> f64 {
        [one, other].into_iter().filter_map(|part| self.room.get(part)).map(|(half, gap)| half + gap).sum()
    }

    /// Heights of parts, near to the wanted ones, with everything apart: the middle between what is had by pushing only
    /// down and by pushing only up, which both are apart.
    fn settled(&self, wanted: &[f64]) -> Vec<f64> {
        let (mut down, mut up) = (wanted.to_vec(), wanted.to_vec());
        for part in self.order.iter().copied() {
            for upper in self.above.get(part).into_iter().flatten().copied() {
                let bound = down.get(upper).map(|height| height + self.apart(upper, part));
                push(&mut down, part, bound, f64::max);
            }
        }
        for part in self.order.iter().rev().copied() {
            for lower in self.below.get(part).into_iter().flatten().copied() {
                let bound = up.get(lower).map(|height| height - self.apart(part, lower));
                push(&mut up, part, bound, f64::min);
            }
        }
        down.iter().zip(&up).map(|(down, up)| f64::midpoint(*down, *up)).collect()
    }

    /// The heights of parts, given those of things.
    #[allow(clippy::cast_precision_loss, reason = "fewer than 2⁵² columns")]
    fn gathered(&self, heights: &[f64]) -> Vec<f64> {
        let mut sums = vec![(0.0, 0_usize); self.room.len()];
        for (part, height) in self.part.iter().zip(heights) {
            if let Some((sum, count)) = sums.get_mut(*part) {
                *sum += height;
                *count += 1;
            }
        }
        sums.into_iter().map(|(sum, count): (f64, usize)| sum / count.max(1) as f64).collect()
    }

    /// The heights of things, given those of parts.
    fn spread(&self, heights: &[f64]) -> Vec<f64> {
        self.part.iter().map(|part| heights.get(*part).copied().unwrap_or_default()).collect()
    }

    fn extent(&self, heights: &[f64]) -> f64 {
        let ends = |sign: f64| {
            heights.iter().zip(&self.room).map(move |(height, room)| sign * height + room.0).fold(f64::MIN, f64::max)
        };
        if heights.is_empty() { 0.0 } else { ends(1.0) + ends(-1.0) }
    }

    /// How high the column is that holds most.
    fn fullest(&self, columns: &[Vec<usize>]) -> f64 {
        let room = |index: &usize| self.part.get(*index).and_then(|part| self.room.get(*part));
        let height = |items: &Vec<usize>| items.iter().filter_map(room).map(|(half, gap)| 2.0 * (half + gap)).sum();
        columns.iter().map(height).fold(0.0, f64::max)
    }

    /// Everything moves to the middle of what it is linked to, as far as there is room.
    fn relaxed(&self, layers: &Layers) -> Vec<f64> {
        let links: Vec<[usize; 2]> =
            layers.links.iter().filter_map(|[from, to]| Some([*self.part.get(*from)?, *self.part.get(*to)?])).collect();
        let mut heights = self.settled(&vec![0.0; self.room.len()]);
        for round in 0..ROUNDS {
            let wanted = Self::wanted(&links, &heights, round);
            heights = self.settled(&wanted);
        }
        heights
    }

    #[allow(clippy::cast_precision_loss, reason = "fewer than 2⁵² links")]
    fn wanted(links: &[[usize; 2]], heights: &[f64], round: usize) -> Vec<f64> {
        let mut sums = vec![(0.0, 0_usize); heights.len()];
        // By turns towards both sides, the left and the right one.
        let by = [[true, true], [true, false], [false, true]];
        let [left, right] = by.get(round % 3).copied().unwrap_or([true, true]);
        for [from, to] in links.iter().copied().filter(|[from, to]| from != to) {
            for (part, other) in [right.then_some((from, to)), left.then_some((to, from))].into_iter().flatten() {
                if let (Some((sum, count)), Some(height)) = (sums.get_mut(part), heights.get(other)) {
                    *sum += height;
                    *count += 1;
                }
            }
        }
        let wanted =
            |((sum, count), height): ((f64, usize), &f64)| if count == 0 { *height } else { sum / count as f64 };
        sums.into_iter().zip(heights).map(wanted).collect()
    }
}

fn push(heights: &mut [f64], part: usize, bound: Option<f64>, pick: fn(f64, f64) -> f64) {
    if let (Some(height), Some(bound)) = (heights.get_mut(part), bound) {
        *height = pick(*height, bound);
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a test may fail")]
mod tests {
    use super::{Field, heights};
    use crate::render::layout::engine::NODE_GAP;
    use crate::render::layout::layers::sample::{HIGH, layers};
    use crate::render::layout::layers::{Kind, Layers, Side};
    use crate::render::layout::order::order;

    /// From the middle of a node to that of the next one, if they stand as near as they may.
    const STEP: f64 = HIGH + NODE_GAP;

    fn settled(layers: &Layers, wanted: &[f64]) -> Vec<f64> {
        Field::of(layers, &order(layers)).settled(wanted)
    }

    #[test]
    fn what_wants_one_place_is_moved_apart_by_what_is_needed() {
        let column = layers(&[(0, None), (0, None), (0, None)], &[], &[]);
        assert_eq!(settled(&column, &[7.0; 3]), [7.0 - STEP, 7.0, 7.0 + STEP]);
        assert_eq!(settled(&column, &[-500.0, 0.0, 10.0]), [-500.0, 5.0 - STEP / 2.0, 5.0 + STEP / 2.0]);
        assert_eq!(settled(&column, &[-500.0, 0.0, 500.0]), [-500.0, 0.0, 500.0], "who has room stays");
    }

    #[test]
    fn what_is_linked_stands_level_and_who_calls_two_between_them() {
        let chain = layers(&[(0, None), (1, None), (2, None)], &[], &[(0, 1), (1, 2)]);
        let found = heights(&chain, &order(&chain));
        assert!(found.iter().all(|height| (height - found[0]).abs() < 1e-6), "{found:?}");
        let fork = layers(&[(0, None), (1, None), (1, None)], &[], &[(0, 1), (0, 2)]);
        let relaxed = Field::of(&fork, &order(&fork)).relaxed(&fork);
        assert!((relaxed[0] - f64::midpoint(relaxed[1], relaxed[2])).abs() < 1e-6, "{relaxed:?}");
        assert!((relaxed[2] - relaxed[1]).abs() >= STEP - 1e-6, "{relaxed:?}");
    }

    #[test]
    fn the_sides_of_a_box_are_straight_and_around_it() {
        // A box over two columns, with two nodes in the second, and somebody else there.
        let nodes = [(0, Some(0)), (1, Some(0)), (1, Some(0)), (1, None)];
        let layers = layers(&nodes, &[None], &[(0, 1), (0, 2), (0, 3)]);
        let found = heights(&layers, &order(&layers));
        let side = |side: Side| -> Vec<f64> {
            let items = layers.items.iter().zip(&found);
            items.filter(|(item, _)| item.kind == Kind::Border(side)).map(|(_, height)| *height).collect()
        };
        let (upper, lower) = (side(Side::Upper), side(Side::Lower));
        assert!((upper[0] - upper[1]).abs() < 1e-6 && (lower[0] - lower[1]).abs() < 1e-6, "{found:?}");
        let is_inside = |height: f64| upper[0] < height && height < lower[0];
        assert_eq!([0, 1, 2, 3].map(|node| is_inside(found[node])), [true, true, true, false], "{found:?}");
    }

    #[test]
    fn a_column_is_as_high_as_all_that_stands_in_it() {
        let layers = layers(&[(0, None), (0, None), (1, None)], &[], &[(0, 2)]);
        let columns = order(&layers);
        let field = Field::of(&layers, &columns);
        assert!((field.fullest(&columns) - 2.0 * STEP).abs() < 1e-6);
        assert!((field.extent(&[-10.0, 90.0, 0.0]) - (100.0 + HIGH)).abs() < 1e-6);
        assert!(field.extent(&[]).abs() < 1e-6);
    }
}
