//! How wide the gaps between columns are: wide where many edges change their height or boxes end, else narrow.

use super::PADDING;
use super::layers::{Kind, Layers};

/// Where every edge goes straight on: enough for the head of an arrow.
const LEAST: f64 = 22.0;
/// For each edge that changes its height,
const TURN: f64 = 3.0;
/// so many at most.
const MOST_TURNS: usize = 10;
/// What is nearly level does not count.
const LEVEL: f64 = 12.0;

/// The gap behind each column but the last, given the height of everything.
pub(super) fn gaps(layers: &Layers, heights: &[f64]) -> Vec<f64> {
    let mut turns = vec![0_usize; layers.columns];
    for [from, to] in layers.links.iter().copied() {
        let height = |index: usize| heights.get(index).copied().unwrap_or_default();
        let is_border = layers.items.get(from).is_none_or(|item| matches!(item.kind, Kind::Border(_)));
        if !is_border && (height(from) - height(to)).abs() > LEVEL {
            let column = layers.items.get(from).map_or(0, |item| item.column);
            turns.get_mut(column).into_iter().for_each(|turns| *turns += 1);
        }
    }
    let sides = sides(layers);
    let gap = |(column, turns): (usize, usize)| {
        let ends = sides.get(column).map_or(0, |sides| sides[1]);
        let begins = sides.get(column + 1).map_or(0, |sides| sides[0]);
        #[allow(clippy::cast_precision_loss, reason = "fewer than 2⁵² edges")]
        let (turns, sides) = (turns.min(MOST_TURNS) as f64, (ends + begins) as f64);
        (LEAST + TURN * turns).max(LEAST / 2.0 + PADDING * sides)
    };
    turns.into_iter().enumerate().map(gap).collect()
}

/// How many boxes in each other begin and end with each column, at most.
fn sides(layers: &Layers) -> Vec<[usize; 2]> {
    let mut most = vec![[0, 0]; layers.columns];
    for item in layers.items.iter().filter(|item| item.kind == Kind::Node) {
        let around = std::iter::successors(item.group, |group| layers.parents.get(*group).copied().flatten());
        let spans = || around.clone().filter_map(|group| layers.spans.get(group).copied().flatten());
        let begins = spans().filter(|span| span.0 == item.column).count();
        let ends = spans().filter(|span| span.1 == item.column).count();
        if let Some(most) = most.get_mut(item.column) {
            *most = [most[0].max(begins), most[1].max(ends)];
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::gaps;
    use crate::render::layout::layers::sample::layers;

    #[test]
    fn where_everything_is_level_there_is_room_for_an_arrow() {
        let layers = layers(&[(0, None), (1, None), (2, None)], &[], &[(0, 1), (1, 2)]);
        assert_eq!(gaps(&layers, &[0.0; 3]), [22.0; 3]);
        assert_eq!(gaps(&layers, &[0.0, 12.0, 24.0]), [22.0; 3], "nearly level");
    }

    #[test]
    fn each_edge_that_turns_has_room_as_far_as_there_is_some() {
        let fan = |count: usize| {
            let nodes: Vec<_> = (0..=count).map(|node| (usize::from(node > 0), None)).collect();
            let edges: Vec<_> = (1..=count).map(|node| (0, node)).collect();
            let heights: Vec<f64> = (0..=count).map(|node| if node > 0 { 100.0 } else { 0.0 }).collect();
            gaps(&layers(&nodes, &[], &edges), &heights)
        };
        assert_eq!(fan(1), [25.0, 22.0]);
        assert_eq!(fan(4), [34.0, 22.0]);
        assert_eq!(fan(10), fan(50));
    }

    #[test]
    fn boxes_that_end_and_begin_have_room_for_their_sides() {
        let apart = layers(&[(0, Some(0)), (1, Some(1))], &[None, None], &[(0, 1)]);
        assert_eq!(gaps(&apart, &[0.0; 6]), [11.0 + 2.0 * 14.0, 11.0 + 14.0]);
        let nested = layers(&[(0, Some(1)), (1, Some(0))], &[None, Some(0)], &[(0, 1)]);
        // Only the inner one ends behind the first column.
        assert_eq!(gaps(&nested, &[0.0; 8]), [11.0 + 14.0, 11.0 + 14.0]);
    }
}
