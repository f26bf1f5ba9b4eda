//! Where everything of a picture goes. The layered layout of `dugong` gives nodes, labels and the bends of long edges
//! their places, from left to right; edges are then led so that they run level through every column of nodes and
//! labels and change their height only in the empty gaps between: none crosses a box or a label that is not its own.

mod engine;
mod gaps;
mod heights;
mod layers;
mod loops;
mod order;
mod ports;
mod ranks;
mod titles;
mod tracks;

use std::collections::BTreeMap;

use super::geometry::{Point, Rect, Size};
use layers::Layers;

/// What is to be placed. Everything is named by its place in these lists.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Nodes.
    pub nodes: Vec<PlannedNode>,
    /// Boxes around nodes; one comes after the one that it lies in.
    pub groups: Vec<PlannedGroup>,
    /// Edges.
    pub edges: Vec<PlannedEdge>,
    /// For each node a number that is lower than that of the nodes that it calls, unless they call in a circle; empty
    /// where that is not known yet.
    pub ranks: Vec<usize>,
}

/// A node that is to be placed.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlannedNode {
    /// How large it is.
    pub size: Size,
    /// The innermost box around it.
    pub group: Option<usize>,
}

/// A box that is to be placed.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlannedGroup {
    /// The box around it.
    pub parent: Option<usize>,
    /// How large its title is.
    pub title: Size,
}

/// An edge that is to be placed.
#[derive(Clone, Copy, Debug)]
pub struct PlannedEdge {
    /// The node that it leaves.
    pub from: usize,
    /// The node that it arrives at.
    pub to: usize,
    /// How large its label is, if it has one.
    pub label: Option<Size>,
}

/// Where everything is.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// The whole.
    pub size: Size,
    /// Nodes.
    pub nodes: Vec<Rect>,
    /// Boxes.
    pub groups: Vec<Rect>,
    /// The titles of boxes, on a side of them.
    pub titles: Vec<Rect>,
    /// Edges.
    pub edges: Vec<Route>,
}

/// The way of an edge.
#[derive(Clone, Debug, Default)]
pub struct Route {
    /// Between two points of one height it is straight; else it leaves the first and reaches the second level.
    pub points: Vec<Point>,
    /// Where its label is.
    pub label: Option<Rect>,
}

/// Around the whole.
pub(super) const MARGIN: f64 = 24.0;
/// Between a box and what lies in it.
const PADDING: f64 = 14.0;

/// Places everything.
#[must_use]
pub fn layout(plan: &Plan) -> Layout {
    if plan.nodes.is_empty() {
        return Layout { size: Size { width: 2.0 * MARGIN, height: 2.0 * MARGIN }, ..Layout::default() };
    }
    let found;
    let ranks = if plan.ranks.len() == plan.nodes.len() {
        &plan.ranks
    } else {
        found = ranks::ranks(plan);
        &found
    };
    let layers = Layers::of(plan, ranks);
    let columns = order::order(&layers);
    let places = places(plan, &layers, &heights::heights(&layers, &columns));
    let nodes: Vec<Rect> =
        plan.nodes.iter().zip(&places).map(|(node, place)| Rect { height: node.size.height, ..*place }).collect();
    let mut edges: Vec<Route> = (0..plan.edges.len()).map(|index| route(plan, &layers, &places, index)).collect();
    let mut columns = Columns::of(&nodes, &edges);
    for (column, width) in titled(plan, &layers) {
        let place = layers.items.iter().zip(&places).find(|(item, _)| item.column == column);
        if let Some((_, place)) = place {
            columns.add(place.centre().x, width / 2.0);
        }
    }
    ports::attach(plan, &nodes, &columns, &mut edges);
    tracks::separate(&mut edges);
    loops::turn_back(plan, &nodes, &mut edges);
    let groups = boxes(plan, &layers, &nodes, &edges);
    let mut layout = Layout { size: Size::default(), nodes, groups, titles: Vec::new(), edges };
    layout.titles = titles::titles(plan, &layout);
    layout.settle();
    layout
}

/// How many columns of nodes and labels all edges pass together, and the ranks by which they do.
pub(super) fn passed(plan: &Plan) -> (usize, Vec<usize>) {
    let ranks = ranks::ranks(plan);
    (layers::passed(plan, &ranks), ranks)
}

/// The boxes that a node lies in, however deep: an empty one has no place.
fn occupied(plan: &Plan) -> Vec<(usize, PlannedGroup)> {
    let mut holds = vec![false; plan.groups.len()];
    for node in &plan.nodes {
        let mut next = node.group;
        while let Some(index) = next {
            match holds.get_mut(index) {
                Some(holds) if !*holds => *holds = true,
                _ => break,
            }
            next = plan.groups.get(index).and_then(|group| group.parent);
        }
    }
    plan.groups.iter().copied().enumerate().zip(holds).filter_map(|(group, holds)| holds.then_some(group)).collect()
}

/// The room of everything, given its height: columns stand side by side, each as wide as the widest of it.
fn places(plan: &Plan, layers: &Layers, heights: &[f64]) -> Vec<Rect> {
    let mut widest = vec![0.0_f64; layers.columns];
    for (column, width) in layers.items.iter().map(|item| (item.column, item.size.width)).chain(titled(plan, layers)) {
        if let Some(widest) = widest.get_mut(column) {
            *widest = widest.max(width);
        }
    }
    let mut left = 0.0;
    let columns = widest.iter().zip(gaps::gaps(layers, heights));
    let centre = |(width, gap): (&f64, f64)| {
        left += width + gap;
        left - gap - width / 2.0
    };
    let centres: Vec<f64> = columns.map(centre).collect();
    let place = |(item, y): (&layers::Item, &f64)| {
        let x = centres.get(item.column).copied().unwrap_or_default();
        Rect::around(Point { x, y: *y }, item.size)
    };
    layers.items.iter().zip(heights).map(place).collect()
}

/// Columns that have to be as wide as the title of a box that lies in them alone.
fn titled<'p>(plan: &'p Plan, layers: &'p Layers) -> impl Iterator<Item = (usize, f64)> + 'p {
    let in_one_column = |(group, span): (&PlannedGroup, &Option<(usize, usize)>)| {
        let (first, last) = (*span)?;
        (first == last).then_some((first, titles::room(group) - 2.0 * PADDING))
    };
    plan.groups.iter().zip(&layers.spans).filter_map(in_one_column)
}

/// The bends of an edge without its ends, and its label.
fn route(plan: &Plan, layers: &Layers, places: &[Rect], index: usize) -> Route {
    let (Some(edge), Some(way)) = (plan.edges.get(index), layers.ways.get(index)) else { return Route::default() };
    let place = |item: &usize| places.get(*item).copied().unwrap_or_default();
    let mut points: Vec<Point> = way.iter().map(|item| place(item).centre()).collect();
    let is_label = |item: &&usize| layers.items.get(**item).is_some_and(|item| item.kind == layers::Kind::Label);
    let label = way.iter().find(is_label).map(place);
    if place(&edge.from).x > place(&edge.to).x {
        points.reverse();
    }
    Route { points, label }
}

/// What stands above each other has one centre, and its column is as wide as the widest of it.
pub(super) struct Columns(BTreeMap<i64, f64>);

impl Columns {
    fn of(nodes: &[Rect], edges: &[Route]) -> Self {
        let mut columns = Self(BTreeMap::new());
        for rect in nodes.iter().copied().chain(edges.iter().filter_map(|edge| edge.label)) {
            columns.add(rect.centre().x, rect.width / 2.0);
        }
        columns
    }

    #[allow(clippy::cast_possible_truncation, reason = "a picture is not 10¹⁸ pixels wide")]
    fn key(x: f64) -> i64 {
        (x * 4.0).round() as i64
    }

    fn add(&mut self, centre: f64, half: f64) {
        let widest = self.0.entry(Self::key(centre)).or_default();
        *widest = widest.max(half);
    }

    /// The sides of the column around a point.
    fn sides(&self, x: f64) -> (f64, f64) {
        let key = Self::key(x);
        let near = [key, key - 1, key + 1].into_iter().filter_map(|key| self.0.get(&key));
        let half = near.fold(0.0, |widest: f64, half| widest.max(*half));
        (x - half, x + half)
    }

    /// The way from one node over some bends to another, each with the centre of its column: level inside of columns,
    /// so that each bend becomes the two points where it enters and leaves one.
    fn level(&self, bends: &[Point], (start, from): (Point, f64), (end, to): (Point, f64)) -> Vec<Point> {
        let outer = |end: Point, centre: f64| {
            let (left, right) = self.sides(centre);
            Point { x: if end.x > centre { right } else { left }, ..end }
        };
        let mut way = vec![start, outer(start, from)];
        for bend in bends {
            let (left, right) = self.sides(bend.x);
            let (enters, leaves) = if from <= to { (left, right) } else { (right, left) };
            way.push(Point { x: enters, ..*bend });
            way.push(Point { x: leaves, ..*bend });
        }
        way.push(outer(end, to));
        way.push(end);
        way.dedup();
        way
    }
}

/// The boxes around their nodes, and around the labels that stand between their sides.
fn boxes(plan: &Plan, layers: &Layers, nodes: &[Rect], edges: &[Route]) -> Vec<Rect> {
    let mut boxes: Vec<Option<Rect>> = vec![None; plan.groups.len()];
    let add = |boxes: &mut Vec<Option<Rect>>, group: usize, rect: Rect| {
        if let Some(slot) = boxes.get_mut(group) {
            *slot = Some(slot.map_or(rect, |all| all.union(&rect)));
        }
    };
    for (node, rect) in plan.nodes.iter().zip(nodes) {
        if let Some(group) = node.group {
            add(&mut boxes, group, rect.grown(PADDING));
        }
    }
    for (index, (edge, route)) in plan.edges.iter().zip(edges).enumerate() {
        // The label of an edge to its own node is on no way, and stands below that node.
        let around = layers.label(index).map_or_else(|| plan.nodes.get(edge.from)?.group, |item| item.group);
        if let (Some(group), Some(label)) = (around, route.label) {
            add(&mut boxes, group, label.grown(PADDING / 2.0));
        }
    }
    for (index, group) in plan.groups.iter().enumerate().rev() {
        let lacks = |rect: &Rect| (titles::room(group) - rect.width).max(0.0);
        let inner = boxes.get(index).copied().flatten();
        let inner = inner.map(|rect| Rect { x: rect.x - lacks(&rect) / 2.0, width: rect.width + lacks(&rect), ..rect });
        boxes.get_mut(index).into_iter().for_each(|slot| *slot = inner);
        if let (Some(parent), Some(inner)) = (group.parent, inner) {
            add(&mut boxes, parent, inner.grown(PADDING));
        }
    }
    boxes.into_iter().map(Option::unwrap_or_default).collect()
}

impl Layout {
    /// Moves everything so that it starts at the margin.
    fn settle(&mut self) {
        let points = self.edges.iter().flat_map(|edge| &edge.points);
        let points = points.map(|point| Rect { x: point.x, y: point.y, width: 0.0, height: 0.0 });
        let labels = self.edges.iter().filter_map(|edge| edge.label);
        let real = |rect: &&Rect| rect.width > 0.0;
        let groups = self.groups.iter().filter(real);
        let rects = self.nodes.iter().chain(groups).chain(&self.titles).copied().chain(labels).chain(points);
        let all = rects.reduce(|all, rect| all.union(&rect)).unwrap_or_default();
        let (x, y) = (MARGIN - all.x, MARGIN - all.y);
        for rect in self.nodes.iter_mut().chain(&mut self.groups).chain(&mut self.titles) {
            *rect = rect.moved(x, y);
        }
        for edge in &mut self.edges {
            edge.label = edge.label.map(|label| label.moved(x, y));
            edge.points.iter_mut().for_each(|point| *point = Point { x: point.x + x, y: point.y + y });
        }
        self.size = Size { width: all.width + 2.0 * MARGIN, height: all.height + 2.0 * MARGIN };
    }
}
