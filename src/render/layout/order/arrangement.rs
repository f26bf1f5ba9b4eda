//! One order of all columns. Each box has a list of what stands in it for each of its columns: things, and boxes as a
//! whole; so a box is never torn apart.

use super::Random;
use crate::render::layout::layers::{Kind, Layers, Side};

/// What stands in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    Item(usize),
    Box(usize),
}

/// An order of all columns.
#[derive(Clone)]
pub(super) struct Arrangement<'s> {
    shape: &'s Shape<'s>,
    /// The lists: those of the columns themselves, then those of each box.
    lists: Vec<Vec<Entry>>,
    /// Which of two boxes in one box comes first.
    ranks: Vec<usize>,
    /// The place of each thing in its column.
    places: Vec<usize>,
}

/// What is the same in all arrangements.
pub(super) struct Shape<'l> {
    layers: &'l Layers,
    /// For each thing those that it is linked to in the column before and in the next one.
    near: [Vec<Vec<usize>>; 2],
    /// Where the lists of a box begin.
    first: Vec<usize>,
    /// The upper and lower side of a box, by its lists.
    sides: Vec<[usize; 2]>,
}

impl<'l> Shape<'l> {
    pub(super) fn of(layers: &'l Layers) -> Self {
        let mut first = Vec::with_capacity(layers.spans.len());
        let mut count = layers.columns;
        for span in &layers.spans {
            first.push(count);
            count += span.map_or(0, |(first, last)| last - first + 1);
        }
        let nobody = || vec![Vec::new(); layers.items.len()];
        let mut near = [nobody(), nobody()];
        for [from, to] in layers.links.iter().copied() {
            let [before, next] = &mut near;
            next.get_mut(from).into_iter().for_each(|all| all.push(to));
            before.get_mut(to).into_iter().for_each(|all| all.push(from));
        }
        let mut shape = Self { layers, near, first, sides: vec![[0, 0]; count] };
        for (index, item) in layers.items.iter().enumerate() {
            let list = shape.list_of(item.group, item.column);
            if let (Kind::Border(side), Some([upper, lower])) = (item.kind, shape.sides.get_mut(list)) {
                *(if side == Side::Upper { upper } else { lower }) = index;
            }
        }
        shape
    }

    /// The list of what stands in a column directly in a box, or in no box.
    fn list_of(&self, group: Option<usize>, column: usize) -> usize {
        let inner = group.and_then(|group| {
            let (first, _) = self.layers.spans.get(group).copied().flatten()?;
            Some(self.first.get(group)? + column.checked_sub(first)?)
        });
        inner.unwrap_or(column)
    }

    /// What a thing is linked to in the column before or in the next one.
    fn near(&self, side: usize, index: usize) -> &[usize] {
        self.near.get(side).and_then(|near| near.get(index)).map_or(&[], Vec::as_slice)
    }
}

impl<'s> Arrangement<'s> {
    /// A start: things in an order that leads from each to its neighbours, another one for each number.
    pub(super) fn new(shape: &'s Shape<'_>, ranks: Vec<usize>, number: u64) -> Self {
        let (lists, places) = (vec![Vec::new(); shape.sides.len()], vec![0; shape.layers.items.len()]);
        let mut new = Self { shape, lists, ranks, places };
        new.fill(number);
        new
    }

    fn fill(&mut self, number: u64) {
        let layers = self.shape.layers;
        for index in self.walk(number) {
            if let Some(item) = layers.items.get(index).filter(|item| !matches!(item.kind, Kind::Border(_))) {
                self.push(item.group, item.column, Entry::Item(index));
            }
        }
        let mut groups: Vec<usize> = (0..layers.spans.len()).collect();
        groups.sort_by_key(|group| self.ranks.get(*group));
        for group in groups {
            let Some((first, last)) = layers.spans.get(group).copied().flatten() else { continue };
            let parent = layers.parents.get(group).copied().flatten();
            (first..=last).for_each(|column| self.push(parent, column, Entry::Box(group)));
        }
        (0..layers.columns).for_each(|column| self.number(column));
    }

    fn push(&mut self, group: Option<usize>, column: usize, entry: Entry) {
        let list = self.shape.list_of(group, column);
        self.lists.get_mut(list).into_iter().for_each(|all| all.push(entry));
    }

    /// All things: from each that has no neighbour before it to those behind it.
    fn walk(&self, number: u64) -> Vec<usize> {
        let count = self.shape.layers.items.len();
        let mut starts: Vec<usize> = (0..count).collect();
        starts.sort_by_key(|index| self.shape.layers.items.get(*index).map(|item| item.column));
        if number > 0 {
            let mut random = Random::new(number);
            for index in (1..count).rev() {
                starts.swap(index, random.below(index + 1));
            }
        }
        let mut seen = vec![false; count];
        let mut order = Vec::with_capacity(count);
        for start in starts {
            let mut open = vec![start];
            while let Some(index) = open.pop() {
                if seen.get_mut(index).is_none_or(|seen| std::mem::replace(seen, true)) {
                    continue;
                }
                order.push(index);
                // Every second walk turns back, too.
                let sides = [1, 0].into_iter().take(1 + usize::from(number % 2 == 1));
                open.extend(sides.flat_map(|side| self.shape.near(side, index)).rev());
            }
        }
        order
    }

    /// Tells the things of a column their places.
    fn number(&mut self, column: usize) {
        for (place, index) in self.column(column).into_iter().enumerate() {
            self.places.get_mut(index).into_iter().for_each(|slot| *slot = place);
        }
    }

    fn column(&self, column: usize) -> Vec<usize> {
        let mut items = Vec::new();
        self.gather(column, column, &mut items);
        items
    }

    /// What stands in a list, with what stands in its boxes and their sides.
    fn gather(&self, list: usize, column: usize, items: &mut Vec<usize>) {
        for entry in self.lists.get(list).into_iter().flatten() {
            self.open(*entry, column, items);
        }
    }

    fn open(&self, entry: Entry, column: usize, items: &mut Vec<usize>) {
        match entry {
            Entry::Item(index) => items.push(index),
            Entry::Box(group) => {
                let list = self.shape.list_of(Some(group), column);
                let [upper, lower] = self.shape.sides.get(list).copied().unwrap_or_default();
                items.push(upper);
                self.gather(list, column, items);
                items.push(lower);
            }
        }
    }

    /// Each column from top to bottom.
    pub(super) fn columns(&self) -> Vec<Vec<usize>> {
        (0..self.shape.layers.columns).map(|column| self.column(column)).collect()
    }

    pub(super) fn ranks(&self) -> &[usize] {
        &self.ranks
    }

    pub(super) fn links(&self) -> usize {
        self.shape.layers.links.len()
    }

    /// How often links cross, and how far they lead up or down.
    pub(super) fn cost(&self) -> (usize, usize) {
        let (mut crossings, mut length) = (0, 0);
        let mut ends = Vec::new();
        for column in 0..self.shape.layers.columns {
            ends.clear();
            for (place, index) in self.column(column).into_iter().enumerate() {
                let start = ends.len();
                ends.extend(self.near(1, index));
                if let Some(own) = ends.get_mut(start..) {
                    own.sort_unstable();
                    length += own.iter().map(|end| place.abs_diff(*end)).sum::<usize>();
                }
            }
            crossings += inversions(&ends);
        }
        (crossings, length)
    }

    /// The places of the neighbours of a thing.
    fn near(&self, side: usize, index: usize) -> impl Iterator<Item = usize> + '_ {
        self.shape.near(side, index).iter().filter_map(|other| self.places.get(*other).copied())
    }

    /// Sorts every column by where its neighbours stand, those on the left or those on the right.
    pub(super) fn sort(&mut self, by_left: bool, equal_turn: bool) {
        let columns = self.shape.layers.columns;
        for step in 0..columns {
            let column = if by_left { step } else { columns - 1 - step };
            self.sort_list(column, column, usize::from(!by_left), equal_turn);
            self.number(column);
        }
    }

    /// The sum and number of the places of neighbours of what stands in a list.
    fn sort_list(&mut self, list: usize, column: usize, side: usize, equal_turn: bool) -> (usize, usize) {
        let entries = self.lists.get(list).cloned().unwrap_or_default();
        let mut found: Vec<(Entry, usize, usize)> = Vec::with_capacity(entries.len());
        for entry in entries {
            let (sum, count) = match entry {
                Entry::Item(index) => self.sum(side, index),
                Entry::Box(group) => {
                    let inner = self.shape.list_of(Some(group), column);
                    let (mut sum, mut count) = self.sort_list(inner, column, side, equal_turn);
                    for border in self.shape.sides.get(inner).copied().unwrap_or_default() {
                        let (more, of) = self.sum(side, border);
                        sum += more;
                        count += of;
                    }
                    (sum, count)
                }
            };
            found.push((entry, sum, count));
        }
        // What has no neighbours keeps its place.
        let mut moved: Vec<(Entry, usize, usize)> = found.iter().copied().filter(|(.., count)| *count > 0).collect();
        if equal_turn {
            moved.reverse();
        }
        moved.sort_by(|one, other| (one.1 * other.2).cmp(&(other.1 * one.2)));
        let mut moved = moved.into_iter();
        let mut sorted: Vec<Entry> = found
            .iter()
            .filter_map(|old| if old.2 > 0 { moved.next().map(|new| new.0) } else { Some(old.0) })
            .collect();
        self.keep_boxes_in_order(&mut sorted);
        self.lists.get_mut(list).into_iter().for_each(|slot| slot.clone_from(&sorted));
        found.iter().fold((0, 0), |all, (_, sum, count)| (all.0 + sum, all.1 + count))
    }

    fn sum(&self, side: usize, index: usize) -> (usize, usize) {
        self.near(side, index).fold((0, 0), |(sum, count), place| (sum + place, count + 1))
    }

    fn keep_boxes_in_order(&self, entries: &mut [Entry]) {
        let rank = |entry: &Entry| match entry {
            Entry::Box(group) => self.ranks.get(*group).copied(),
            Entry::Item(_) => None,
        };
        let mut boxes: Vec<Entry> = entries.iter().copied().filter(|entry| rank(entry).is_some()).collect();
        boxes.sort_by_key(rank);
        let mut boxes = boxes.into_iter();
        for entry in entries.iter_mut().filter(|entry| rank(entry).is_some()) {
            *entry = boxes.next().unwrap_or(*entry);
        }
    }

    /// Lets neighbours in a list change places as long as fewer edges cross then.
    pub(super) fn change_places(&mut self, left: &mut usize) {
        let mut better = true;
        while better && *left > 0 {
            better = false;
            for column in 0..self.shape.layers.columns {
                let mut lists = vec![column];
                while let Some(list) = lists.pop() {
                    better |= self.change_in(list, column, left);
                    lists.extend(self.lists.get(list).into_iter().flatten().filter_map(|entry| match entry {
                        Entry::Box(group) => Some(self.shape.list_of(Some(*group), column)),
                        Entry::Item(_) => None,
                    }));
                }
            }
        }
    }

    fn change_in(&mut self, list: usize, column: usize, left: &mut usize) -> bool {
        let mut better = false;
        let count = self.lists.get(list).map_or(0, Vec::len);
        for at in 1..count {
            let pair = self.lists.get(list).and_then(|all| Some((*all.get(at - 1)?, *all.get(at)?)));
            let Some((one, other)) = pair else { continue };
            if let (Entry::Box(_), Entry::Box(_)) = (one, other) {
                continue;
            }
            let (mut now, mut then) = (0, 0);
            for side in [0, 1] {
                let (first, second) = (self.all_near(one, column, side), self.all_near(other, column, side));
                *left = left.saturating_sub(first.len() + second.len());
                now += above(&first, &second);
                then += above(&second, &first);
            }
            if then < now {
                self.lists.get_mut(list).into_iter().for_each(|all| all.swap(at - 1, at));
                self.number(column);
                better = true;
            }
        }
        better
    }

    /// The places of all neighbours of what stands in an entry, in order.
    fn all_near(&self, entry: Entry, column: usize, side: usize) -> Vec<usize> {
        let mut items = Vec::new();
        self.open(entry, column, &mut items);
        let mut near: Vec<usize> = items.into_iter().flat_map(|index| self.near(side, index)).collect();
        near.sort_unstable();
        near
    }
}

/// How many pairs there are of one of the first that is above one of the second; both ascend.
fn above(first: &[usize], second: &[usize]) -> usize {
    let mut smaller = 0;
    let mut pairs = 0;
    for one in first {
        while second.get(smaller).is_some_and(|other| other < one) {
            smaller += 1;
        }
        pairs += smaller;
    }
    pairs
}

/// How many pairs stand in the wrong order.
fn inversions(numbers: &[usize]) -> usize {
    let most = numbers.iter().max().map_or(0, |most| most + 1);
    let mut tree = vec![0_usize; most + 1];
    let mut count = 0;
    for (seen, number) in numbers.iter().enumerate() {
        let (mut at, mut smaller) = (number + 1, 0);
        while at > 0 {
            smaller += tree.get(at).copied().unwrap_or_default();
            at &= at - 1;
        }
        count += seen - smaller;
        let mut at = number + 1;
        while let Some(slot) = tree.get_mut(at) {
            *slot += 1;
            at += at & at.wrapping_neg();
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::{above, inversions};

    #[test]
    fn pairs_in_the_wrong_order_are_counted() {
        assert_eq!(inversions(&[]), 0);
        assert_eq!(inversions(&[0, 1, 1, 2]), 0, "ends at one place do not cross");
        assert_eq!(inversions(&[3, 2, 1, 0]), 6);
        assert_eq!(inversions(&[1, 0, 2, 2, 0]), 4);
    }

    #[test]
    fn who_changes_places_crosses_whom_it_passed() {
        assert_eq!(above(&[1, 3], &[2, 4]), 1);
        assert_eq!(above(&[2, 4], &[1, 3]), 3);
        assert_eq!(above(&[5, 5], &[5]), 0);
        assert_eq!(above(&[], &[1]), 0);
    }
}
