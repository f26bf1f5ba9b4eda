//! In which order things stand in their columns, so that few edges cross: columns are sorted by where their neighbours
//! stand, to and fro, then neighbours change places as long as that helps, and all that is tried again from other starts
//! while it costs little. What belongs to a box stays together, and two boxes have one order in all columns.

mod arrangement;

use super::layers::Layers;
use arrangement::{Arrangement, Shape};

/// So many steps are taken at most: a step looks at one end of an edge.
const STEPS: usize = 200_000;
/// So often all columns are sorted, from one start.
const SWEEPS: usize = 8;
/// From so many starts at most.
const STARTS: u64 = 40;

/// Each column from top to bottom.
pub(super) fn order(layers: &Layers) -> Vec<Vec<usize>> {
    let shape = Shape::of(layers);
    let ranks = apart(layers);
    let mut left = STEPS;
    let mut best = settled(Arrangement::new(&shape, ranks.clone(), 0), &mut left);
    let mut start = 0;
    while best.0.0 > 0 && left > 0 && start < STARTS {
        start += 1;
        let mut ranks = if start % 4 == 0 { ranks.clone() } else { best.1.ranks().to_vec() };
        swap_two(layers, &mut ranks, start);
        let found = settled(Arrangement::new(&shape, ranks, start), &mut left);
        if found.0 < best.0 {
            best = found;
        }
    }
    best.1.columns()
}

/// How often edges cross, and how long they are.
type Cost = (usize, usize);

/// The best that is found from one start.
fn settled<'l>(mut arrangement: Arrangement<'l>, left: &mut usize) -> (Cost, Arrangement<'l>) {
    let mut best: Option<(Cost, Arrangement<'l>)> = None;
    for sweep in 0..SWEEPS {
        arrangement.sort(sweep % 2 == 0, sweep % 4 >= 2);
        let cost = arrangement.cost();
        *left = left.saturating_sub(2 * arrangement.links());
        if best.as_ref().is_none_or(|best| cost < best.0) {
            best = Some((cost, arrangement.clone()));
        }
        if cost.0 == 0 || (sweep > 1 && *left == 0) {
            break;
        }
    }
    let (_, mut best) = best.unwrap_or(((usize::MAX, 0), arrangement));
    best.change_places(left);
    (best.cost(), best)
}

/// An order of boxes in their parents: where they would be if they did not hold their nodes together.
fn apart(layers: &Layers) -> Vec<usize> {
    let items = layers.items.iter().map(|item| super::layers::Item { group: None, ..*item }).collect();
    let spans = vec![None; layers.spans.len()];
    let (links, parents) = (layers.links.clone(), layers.parents.clone());
    let free = Layers { columns: layers.columns, items, links, ways: Vec::new(), spans, parents };
    let shape = Shape::of(&free);
    let (_, found) = settled(Arrangement::new(&shape, (0..layers.spans.len()).collect(), 0), &mut 0);
    let mut sums = vec![(0.0, 0.0); layers.spans.len()];
    for column in found.columns() {
        let length = column.len().max(1);
        for (place, index) in column.into_iter().enumerate() {
            let own = layers.items.get(index).and_then(|item| item.group);
            for group in std::iter::successors(own, |group| layers.parents.get(*group).copied().flatten()) {
                if let Some((sum, count)) = sums.get_mut(group) {
                    #[allow(clippy::cast_precision_loss, reason = "fewer than 2⁵² things")]
                    let part = (place as f64 + 0.5) / length as f64;
                    *sum += part;
                    *count += 1.0;
                }
            }
        }
    }
    let mut groups: Vec<usize> = (0..sums.len()).collect();
    let mean = |group: &usize| sums.get(*group).map_or(0.0, |(sum, count): &(f64, f64)| sum / count.max(1.0));
    groups.sort_by(|one, other| mean(one).total_cmp(&mean(other)));
    let mut ranks = vec![0; groups.len()];
    for (rank, group) in groups.into_iter().enumerate() {
        ranks.get_mut(group).into_iter().for_each(|slot| *slot = rank);
    }
    ranks
}

/// Makes two boxes in one box change their order, others each time.
fn swap_two(layers: &Layers, ranks: &mut [usize], seed: u64) {
    let mut random = Random::new(seed);
    let count = ranks.len();
    for _ in 0..=random.below(2) {
        if count < 2 {
            return;
        }
        let (one, other) = (random.below(count), random.below(count));
        if layers.parents.get(one) == layers.parents.get(other) {
            ranks.swap(one, other);
        }
    }
}

/// Numbers without an order that anybody sees, the same each time.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Below a number above 0.
    pub(super) fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % most.max(1) as u64).unwrap_or(0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail")]
mod tests {
    use super::order;
    use crate::render::layout::layers::Layers;
    use crate::render::layout::layers::sample::layers;

    /// The nodes of a column, from top to bottom, without the sides of boxes.
    fn column(layers: &Layers, columns: &[Vec<usize>], column: usize, nodes: usize) -> Vec<usize> {
        assert!(columns.iter().flatten().count() == layers.items.len(), "{columns:?}");
        columns[column].iter().copied().filter(|item| *item < nodes).collect()
    }

    #[test]
    fn what_need_not_cross_does_not() {
        // Each calls the one that stands on the other side.
        let nodes: Vec<_> = (0..8).map(|node| (node / 4, None)).collect();
        let layers = layers(&nodes, &[], &[(0, 7), (1, 6), (2, 5), (3, 4)]);
        let columns = order(&layers);
        let callees: Vec<usize> = column(&layers, &columns, 0, 8).into_iter().map(|caller| 7 - caller).collect();
        assert_eq!(column(&layers, &columns, 1, 8), callees);
    }

    #[test]
    fn who_belongs_to_a_box_is_not_torn_from_it() {
        // Who stands between them in the text, and is called by the one in the middle, is not in the box.
        let nodes = [(0, None), (0, None), (0, None), (1, Some(0)), (1, None), (1, Some(0))];
        let layers = layers(&nodes, &[None], &[(0, 3), (1, 4), (2, 5)]);
        let found = column(&layers, &order(&layers), 1, 6);
        let place = |node: usize| found.iter().position(|other| *other == node).unwrap();
        assert_eq!(place(3).abs_diff(place(5)), 1, "{found:?}");
    }

    #[test]
    fn two_boxes_have_one_order_in_all_columns() {
        // The upper box calls into the lower one, and the other way round.
        let nodes = [(0, Some(0)), (0, Some(1)), (1, Some(0)), (1, Some(1))];
        let layers = layers(&nodes, &[None, None], &[(0, 3), (1, 2)]);
        let columns = order(&layers);
        let is_first = |column_of: usize, node: usize| column(&layers, &columns, column_of, 4)[0] == node;
        assert_eq!(is_first(0, 0), is_first(1, 2), "{columns:?}");
    }

    #[test]
    fn the_same_plan_has_the_same_order() {
        let nodes: Vec<_> = (0..60).map(|node| (node / 10, (node % 3 == 0).then_some(node % 2))).collect();
        let edges: Vec<_> = (0..50).flat_map(|node| [(node, node + 10), (node, (node * 7) % 10 + 50)]).collect();
        let make = || layers(&nodes, &[None, None], &edges);
        assert_eq!(order(&make()), order(&make()));
    }
}
