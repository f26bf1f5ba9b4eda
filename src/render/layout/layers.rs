//! The columns of a picture and what stands in them: nodes, and between two columns of nodes one of labels; where an
//! edge passes a column it has a place of its own there, and a box has its two sides in each column that it reaches.

use super::{Plan, loops};
use crate::render::geometry::Size;

/// Something in a column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) column: usize,
    /// The innermost box around it; for the side of a box that box itself.
    pub(super) group: Option<usize>,
    pub(super) kind: Kind,
    pub(super) size: Size,
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Node,
    /// An edge passes.
    Way,
    Label,
    Border(Side),
}

/// A side of a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Upper,
    Lower,
}

/// All columns.
#[derive(Debug, Default)]
pub(super) struct Layers {
    /// How many columns there are.
    pub(super) columns: usize,
    /// Nodes first, by their place in the plan.
    pub(super) items: Vec<Item>,
    /// From a thing to one in the next column.
    pub(super) links: Vec<[usize; 2]>,
    /// For each edge where it passes, from left to right.
    pub(super) ways: Vec<Vec<usize>>,
    /// For each box its first and last column.
    pub(super) spans: Vec<Option<(usize, usize)>>,
    /// The box around each box.
    pub(super) parents: Vec<Option<usize>>,
}

impl Layers {
    /// Puts nodes into columns by their ranks, labels between them, and edges through all columns on their way.
    pub(super) fn of(plan: &Plan, ranks: &[usize]) -> Self {
        let columns = Columns::of(plan, ranks);
        let mut layers = Self { columns: columns.count, ..Self::default() };
        layers.parents = plan.groups.iter().map(|group| group.parent).collect();
        let nodes = plan.nodes.iter().zip(loops::rooms(plan)).zip(&columns.nodes);
        let item = |((node, size), column): ((&super::PlannedNode, Size), &usize)| Item {
            column: *column,
            group: node.group,
            kind: Kind::Node,
            size,
        };
        layers.items = nodes.map(item).collect();
        layers.spans = spans(plan, &columns.nodes);
        layers.ways = (0..plan.edges.len()).map(|index| layers.way(plan, &columns, index)).collect();
        layers.borders();
        layers
    }

    /// The label of an edge.
    pub(super) fn label(&self, edge: usize) -> Option<&Item> {
        let way = self.ways.get(edge)?;
        way.iter().filter_map(|index| self.items.get(*index)).find(|item| item.kind == Kind::Label)
    }

    /// Leads an edge through the columns between its ends.
    fn way(&mut self, plan: &Plan, columns: &Columns, index: usize) -> Vec<usize> {
        let ends = plan.edges.get(index).map(|edge| [edge.from, edge.to]);
        let column = |node: usize| columns.nodes.get(node).copied().unwrap_or_default();
        let Some([from, to]) = ends.map(|[from, to]| if column(from) <= column(to) { [from, to] } else { [to, from] })
        else {
            return Vec::new();
        };
        let mut way = Vec::new();
        let mut last = from;
        for column in column(from) + 1..column(to) {
            let label = columns.labels.get(index).copied().flatten().filter(|(place, _)| *place == column);
            let (kind, size) = label.map_or((Kind::Way, Size::default()), |(_, size)| (Kind::Label, size));
            let group = self.box_on_the_way(from, to, column);
            let new = self.items.len();
            self.items.push(Item { column, group, kind, size });
            self.links.push([last, new]);
            way.push(new);
            last = new;
        }
        if column(from) < column(to) {
            self.links.push([last, to]);
        }
        way
    }

    /// An edge stays in the boxes of its start as far as they reach, and is in those of its end as soon as they begin.
    fn box_on_the_way(&self, from: usize, to: usize, column: usize) -> Option<usize> {
        let around = |node: usize| {
            let own = self.items.get(node).and_then(|item| item.group);
            std::iter::successors(own, |group| self.parents.get(*group).copied().flatten())
        };
        let span = |group: usize| self.spans.get(group).copied().flatten().unwrap_or((usize::MAX, 0));
        let is_around = |node: usize, group: usize| around(node).any(|own| own == group);
        let start = around(from).filter(|group| !is_around(to, *group)).find(|group| span(*group).1 >= column);
        let end = || around(to).filter(|group| !is_around(from, *group)).find(|group| span(*group).0 <= column);
        let common = || around(from).find(|group| is_around(to, *group));
        start.or_else(end).or_else(common)
    }

    /// The sides of boxes, each linked to where it goes on.
    fn borders(&mut self) {
        for (group, span) in self.spans.clone().into_iter().enumerate() {
            let Some((first, last)) = span else { continue };
            for side in [Side::Upper, Side::Lower] {
                for column in first..=last {
                    let new = self.items.len();
                    let kind = Kind::Border(side);
                    self.items.push(Item { column, group: Some(group), kind, size: Size::default() });
                    if column > first {
                        self.links.push([new - 1, new]);
                    }
                }
            }
        }
    }
}

/// How many columns lie between the ends of all edges together.
pub(super) fn passed(plan: &Plan, ranks: &[usize]) -> usize {
    let columns = Columns::of(plan, ranks);
    let column = |node: usize| columns.nodes.get(node).copied().unwrap_or_default();
    let between = |edge: &super::PlannedEdge| column(edge.from).abs_diff(column(edge.to)).saturating_sub(1);
    plan.edges.iter().map(between).sum()
}

/// The columns that each box reaches.
fn spans(plan: &Plan, columns: &[usize]) -> Vec<Option<(usize, usize)>> {
    let mut spans: Vec<Option<(usize, usize)>> = vec![None; plan.groups.len()];
    for (node, column) in plan.nodes.iter().zip(columns) {
        for group in std::iter::successors(node.group, |group| plan.groups.get(*group).and_then(|group| group.parent)) {
            if let Some(span) = spans.get_mut(group) {
                let (first, last) = span.unwrap_or((*column, *column));
                *span = Some((first.min(*column), last.max(*column)));
            }
        }
    }
    spans
}

/// Where nodes and labels go.
struct Columns {
    count: usize,
    nodes: Vec<usize>,
    /// The column and size of the label of each edge.
    labels: Vec<Option<(usize, Size)>>,
}

impl Columns {
    /// Between two columns of nodes there is one of labels where an edge needs it: each label is in the middle of its
    /// way.
    fn of(plan: &Plan, ranks: &[usize]) -> Self {
        let mut used = ranks.to_vec();
        used.sort_unstable();
        used.dedup();
        // Even numbers are columns of nodes, odd ones those of labels.
        let of = |node: usize| {
            let rank = ranks.get(node).copied().unwrap_or_default();
            2 * used.partition_point(|other| *other < rank)
        };
        let label = |edge: &super::PlannedEdge| {
            let size = edge.label?;
            let (first, last) = (of(edge.from).min(of(edge.to)), of(edge.from).max(of(edge.to)));
            (first < last).then(|| (usize::midpoint(first, last - 1) | 1, size))
        };
        let nodes: Vec<usize> = (0..plan.nodes.len()).map(of).collect();
        let labels: Vec<Option<(usize, Size)>> = plan.edges.iter().map(label).collect();
        let mut filled: Vec<usize> =
            nodes.iter().copied().chain(labels.iter().flatten().map(|label| label.0)).collect();
        filled.sort_unstable();
        filled.dedup();
        let dense = |column: usize| filled.partition_point(|other| *other < column);
        Self {
            count: filled.len(),
            nodes: nodes.into_iter().map(dense).collect(),
            labels: labels.into_iter().map(|label| label.map(|(column, size)| (dense(column), size))).collect(),
        }
    }
}

#[cfg(test)]
pub(super) mod sample {
    use super::Layers;
    use crate::render::geometry::Size;
    use crate::render::layout::{Plan, PlannedEdge, PlannedGroup, PlannedNode};

    pub(in super::super) const HIGH: f64 = 40.0;

    /// Nodes of one size, each in a column and in a box; the parents of boxes; edges without labels.
    pub(in super::super) fn layers(
        nodes: &[(usize, Option<usize>)],
        parents: &[Option<usize>],
        edges: &[(usize, usize)],
    ) -> Layers {
        let size = Size { width: 80.0, height: HIGH };
        let plan = Plan {
            nodes: nodes.iter().map(|(_, group)| PlannedNode { size, group: *group }).collect(),
            groups: parents.iter().map(|parent| PlannedGroup { parent: *parent, title: Size::default() }).collect(),
            edges: edges.iter().map(|(from, to)| PlannedEdge { from: *from, to: *to, label: None }).collect(),
            ranks: Vec::new(),
        };
        Layers::of(&plan, &nodes.iter().map(|(column, _)| *column).collect::<Vec<_>>())
    }
}
