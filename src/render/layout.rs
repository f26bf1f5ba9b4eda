//! Where everything of a picture goes. The layered layout of `dugong` gives nodes, labels and the bends of long edges
//! their places, from left to right; edges are then led so that they run level through every column of nodes and
//! labels and change their height only in the empty gaps between: none crosses a box or a label that is not its own.

mod loops;
mod ports;
mod titles;
mod tracks;

use std::collections::BTreeMap;

use dugong::graphlib::{Graph, GraphOptions};
use dugong::{EdgeLabel, GraphLabel, NodeLabel, RankDir};

use super::geometry::{Point, Rect, Size};

/// What is to be placed. Everything is named by its place in these lists.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Nodes.
    pub nodes: Vec<PlannedNode>,
    /// Boxes around nodes; one comes after the one that it lies in.
    pub groups: Vec<PlannedGroup>,
    /// Edges.
    pub edges: Vec<PlannedEdge>,
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
    /// The titles of boxes, on their upper side.
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

/// Between the nodes of a column.
const NODE_GAP: f64 = 26.0;
/// Between edges that pass a column.
const EDGE_GAP: f64 = 14.0;
/// Between columns.
const COLUMN_GAP: f64 = 72.0;
/// Around the whole.
pub(super) const MARGIN: f64 = 24.0;
/// Between a box and what lies in it.
const PADDING: f64 = 14.0;

type Engine = Graph<NodeLabel, EdgeLabel, GraphLabel>;

/// Places everything.
#[must_use]
pub fn layout(plan: &Plan) -> Layout {
    if plan.nodes.is_empty() {
        return Layout { size: Size { width: 2.0 * MARGIN, height: 2.0 * MARGIN }, ..Layout::default() };
    }
    let mut engine = engine(plan);
    // What the engine refuses is placed without its boxes, and if that is refused, too, in one column.
    let placed = dugong::layout(&mut engine).is_ok();
    let nodes = if placed { nodes_of(plan, &engine) } else { in_one_column(plan) };
    let mut edges: Vec<Route> = (0..plan.edges.len()).map(|index| route(plan, &engine, index)).collect();
    let columns = Columns::of(&nodes, &edges);
    ports::attach(plan, &nodes, &columns, &mut edges);
    tracks::separate(&mut edges);
    loops::turn_back(plan, &nodes, &mut edges);
    let groups = boxes(plan, &nodes, &edges);
    let mut layout = Layout { size: Size::default(), nodes, groups, titles: Vec::new(), edges };
    layout.titles = titles::titles(plan, &layout);
    layout.settle();
    layout
}

fn node_name(index: usize) -> String {
    format!("n{index}")
}

fn group_name(index: usize) -> String {
    format!("g{index}")
}

/// What the engine is asked.
fn engine(plan: &Plan) -> Engine {
    let mut graph = Engine::new(GraphOptions { multigraph: true, compound: true, directed: true });
    graph.set_graph(GraphLabel {
        rankdir: RankDir::LR,
        nodesep: NODE_GAP,
        edgesep: EDGE_GAP,
        ranksep: COLUMN_GAP,
        ..GraphLabel::default()
    });
    for index in occupied(plan) {
        graph.set_node(group_name(index), NodeLabel::default());
    }
    for (index, room) in loops::rooms(plan).into_iter().enumerate() {
        let Size { width, height } = room;
        graph.set_node(node_name(index), NodeLabel { width, height, ..NodeLabel::default() });
    }
    for index in occupied(plan) {
        if let Some(parent) = plan.groups.get(index).and_then(|group| group.parent) {
            graph.set_parent(group_name(index), group_name(parent));
        }
    }
    for (index, node) in plan.nodes.iter().enumerate() {
        if let Some(group) = node.group {
            graph.set_parent(node_name(index), group_name(group));
        }
    }
    for (index, edge) in plan.edges.iter().enumerate().filter(|(_, edge)| edge.from != edge.to) {
        let Size { width, height } = edge.label.unwrap_or_default();
        let label = EdgeLabel { width, height, weight: 1.0, ..EdgeLabel::default() };
        graph.set_edge_named(node_name(edge.from), node_name(edge.to), Some(format!("e{index}")), Some(label));
    }
    graph
}

/// The boxes that a node lies in, however deep: an empty one has no place.
fn occupied(plan: &Plan) -> Vec<usize> {
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
    holds.iter().enumerate().filter_map(|(index, holds)| holds.then_some(index)).collect()
}

fn nodes_of(plan: &Plan, engine: &Engine) -> Vec<Rect> {
    let place = |(index, (node, room)): (usize, (&PlannedNode, Size))| {
        let placed = engine.node(&node_name(index));
        let centre = placed.and_then(|placed| Some(Point { x: placed.x?, y: placed.y? }));
        let all = Rect::around(centre.unwrap_or_default(), room);
        Rect { height: node.size.height, ..all }
    };
    plan.nodes.iter().zip(loops::rooms(plan)).enumerate().map(place).collect()
}

fn in_one_column(plan: &Plan) -> Vec<Rect> {
    let mut y = 0.0;
    let place = |node: &PlannedNode| {
        y += node.size.height + NODE_GAP;
        Rect::around(Point { x: 0.0, y: y - node.size.height / 2.0 }, node.size)
    };
    plan.nodes.iter().map(place).collect()
}

/// The bends of an edge without its ends, and its label.
fn route(plan: &Plan, engine: &Engine, index: usize) -> Route {
    let Some(edge) = plan.edges.get(index) else { return Route::default() };
    let name = format!("e{index}");
    let placed = engine.edge(&node_name(edge.from), &node_name(edge.to), Some(&name));
    let Some(placed) = placed else { return Route::default() };
    let inner = placed.points.len().saturating_sub(2);
    let points = placed.points.iter().skip(1).take(inner).map(|point| Point { x: point.x, y: point.y }).collect();
    let centre = placed.x.zip(placed.y).map(|(x, y)| Point { x, y });
    let label = edge.label.zip(centre).map(|(size, centre)| Rect::around(centre, size));
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

/// The boxes around their nodes, and around the labels and bends of edges between two nodes of theirs.
fn boxes(plan: &Plan, nodes: &[Rect], edges: &[Route]) -> Vec<Rect> {
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
    for (edge, route) in plan.edges.iter().zip(edges) {
        let group_of = |node: usize| plan.nodes.get(node).and_then(|node| node.group);
        let common = group_of(edge.from).filter(|group| group_of(edge.to) == Some(*group));
        if let (Some(group), Some(label)) = (common, route.label) {
            add(&mut boxes, group, label.grown(PADDING / 2.0));
        }
    }
    for (index, group) in plan.groups.iter().enumerate().rev() {
        let inner = boxes.get(index).copied().flatten();
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
