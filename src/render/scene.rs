//! What a picture shows, apart from how it is drawn and where it goes: boxes, nodes with what they are, calls with their
//! numbers, the findings on what they belong to, and the way that takes longest.

mod badges;
mod choice;
mod groups;
mod sides;
mod versions;
mod waterfall;
mod words;

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;

pub use choice::View;
pub(super) use choice::reached;
pub use groups::{Collapse, GroupBy, boxes};
pub use sides::Sides;
pub use versions::versions;
pub use waterfall::{Bar, Waterfall};

use crate::analysis::Facts;
use crate::change::Mark;
use crate::lint::Outcome;
use crate::metadata::Level;
use crate::model::{CallId, NodeId, OperationId, Phase};
use crate::source::SourceMap;
use crate::syntax::Arrow;
use crate::vocabulary::{ElementKind, Key};

/// How much is written beside nodes and calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Annotate {
    /// Names only.
    Nothing,
    /// Attempts, timeouts, deadlines and worst cases.
    Numbers,
    /// Badges and the table of findings.
    Findings,
    /// Both.
    All,
}

impl Annotate {
    /// Whether numbers are written.
    #[must_use]
    pub fn numbers(self) -> bool {
        matches!(self, Self::Numbers | Self::All)
    }

    /// Whether findings are shown.
    #[must_use]
    pub fn findings(self) -> bool {
        matches!(self, Self::Findings | Self::All)
    }
}

/// Everything that a picture shows.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    /// The name of the topology.
    pub title: String,
    /// What there is in it, in one line.
    pub summary: String,
    /// Boxes; one comes after the one that it lies in.
    pub groups: Vec<Group>,
    /// Nodes.
    pub nodes: Vec<Node>,
    /// Calls between two nodes, drawn as one edge where they look alike.
    pub edges: Vec<Edge>,
    /// What was found, worst first.
    pub findings: Vec<Entry>,
    /// The longest worst case that is known, in one line.
    pub worst: Option<String>,
    /// The flow that is asked for, over time.
    pub waterfall: Option<Waterfall>,
    /// What the picture leaves out.
    pub notes: Vec<String>,
    /// What is written on either side, where two versions are compared.
    pub sides: Option<Sides>,
    /// The ranks of the nodes in a layout of this scene, where they were needed already; else empty.
    pub ranks: Vec<usize>,
}

/// A box.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// The box around it.
    pub parent: Option<usize>,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// A caller outside the system.
    Client,
    /// Our own running code.
    Service,
    /// A database or object store.
    Store,
    /// A store that may forget.
    Cache,
    /// A queue, topic or stream.
    Queue,
    /// Somebody else's system.
    External,
    /// A box that is drawn as one node.
    Collapsed,
}

impl Shape {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Service => "service",
            Self::Store => "store",
            Self::Cache => "cache",
            Self::Queue => "queue",
            Self::External => "external",
            Self::Collapsed => "collapsed",
        }
    }
}

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name, by which calls and findings speak of it.
    pub name: String,
    /// What it is.
    pub shape: Shape,
    /// Whether requests come in here.
    pub entry: bool,
    /// What stands under its name.
    pub lines: Vec<String>,
    /// The nodes of the topology that it stands for.
    pub members: Vec<NodeId>,
    /// The innermost box around it.
    pub group: Option<usize>,
    /// The findings about it.
    pub badges: Vec<usize>,
    /// Whether the way that takes longest leads over it.
    pub on_path: bool,
    /// What became of it, where two versions are compared.
    pub mark: Mark,
}

/// How a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line {
    /// Whether the caller waits.
    pub awaited: bool,
    /// Whether the caller can do without it.
    pub optional: bool,
    /// Whether it is made while serving requests, and not at another time.
    pub serving: bool,
}

/// Calls from one node to another.
#[derive(Clone, Debug)]
pub struct Edge {
    /// Who calls.
    pub from: usize,
    /// Who is called.
    pub to: usize,
    /// How it is made.
    pub line: Line,
    /// The calls.
    pub calls: Vec<Call>,
    /// The findings about it.
    pub badges: Vec<usize>,
    /// Whether the way that takes longest leads over it.
    pub on_path: bool,
    /// What became of it, where two versions are compared.
    pub mark: Mark,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    /// The call of the topology, unless it is one that only a queue makes.
    pub id: Option<CallId>,
    /// Its name, with which one it is among calls of that name.
    pub identity: String,
    /// Its name as people read it.
    pub name: String,
    /// Its operation and its numbers, as far as they are asked for.
    pub text: String,
    /// What became of it, where two versions are compared.
    pub mark: Mark,
}

/// A finding.
#[derive(Clone, Debug)]
pub struct Entry {
    /// How much it matters.
    pub level: Level,
    /// The name of its rule.
    pub rule: &'static str,
    /// What was found.
    pub message: String,
    /// Where: file, line and column.
    pub place: String,
    /// Which finding it is.
    pub fingerprint: String,
    /// What became of it, where two versions are compared.
    pub mark: Mark,
}

/// The scene of a topology.
#[must_use]
pub fn scene(facts: &Facts<'_>, sources: &SourceMap, outcome: &Outcome, view: &View) -> Scene {
    let mut found: Vec<_> = outcome.shown().collect();
    let mut chosen = choice::choose(facts, &found, view);
    let mut path = longest_path(facts, view.flow);
    if view.is_of_a_part() {
        // Of what is not shown, nothing is told.
        let shown: HashSet<CallId> = chosen.calls.iter().copied().collect();
        let is_shown = |call: &CallId| facts.topology().call(*call).implied || shown.contains(call);
        path = if path.iter().all(is_shown) { path } else { Vec::new() };
        let all = found.len();
        found.retain(|finding| {
            let mut subjects = finding.diagnostic.subjects.iter();
            subjects.any(|subject| chosen.shows(facts.topology(), subject))
        });
        let elsewhere = all - found.len();
        chosen.notes.extend((elsewhere > 0).then(|| {
            format!("{} of what is left out: `topolint check` lists all", words::counted(elsewhere, "finding"))
        }));
    }
    let grouping = groups::grouping(facts, sources, view, &chosen.nodes);
    let mut scene = Scene { title: facts.topology().name.clone(), ..Scene::default() };
    scene.groups.clone_from(&grouping.groups);
    scene.nodes = nodes(facts, sources, view, &grouping, &path);
    scene.edges = edges(facts, view, &grouping, &chosen.calls, &path);
    scene.notes = chosen.notes.into_iter().chain(grouping.notes.iter().cloned()).collect();
    if view.annotate.findings() {
        badges::attach(&mut scene, facts, sources, &found, &grouping);
    }
    if view.annotate.numbers() {
        scene.worst = words::worst(facts, &path);
        scene.waterfall = view.flow.and_then(|_| waterfall::waterfall(facts, &path));
    }
    scene.summary = words::summary(facts, outcome, view);
    scene
}

/// From an operation, or the entry that may take longest, at each hop the call that adds most.
fn longest_path(facts: &Facts<'_>, start: Option<OperationId>) -> Vec<CallId> {
    let worst = |operation: &OperationId| facts.times().operation(*operation).at_least;
    let entries = facts.entries().all().iter().copied();
    let longest = entries.max_by_key(|entry| (worst(entry), std::cmp::Reverse(facts.rank(*entry))));
    let (mut path, mut seen) = (Vec::new(), HashSet::new());
    let mut next = start.or(longest);
    while let Some(operation) = next.filter(|operation| seen.insert(*operation)) {
        let parts = facts.times().parts(facts, operation);
        let most = parts.iter().max_by_key(|part| (part.time.at_least, std::cmp::Reverse(facts.call_rank(part.call))));
        path.extend(most.map(|part| part.call));
        next = most.map(|part| facts.topology().callee(part.call));
    }
    path
}

fn nodes(
    facts: &Facts<'_>,
    sources: &SourceMap,
    view: &View,
    grouping: &groups::Grouping,
    path: &[CallId],
) -> Vec<Node> {
    let topology = facts.topology();
    let node_of = |operation: OperationId| grouping.drawn(topology.node_id_of(operation));
    let on_path: HashSet<usize> =
        path.iter().flat_map(|call| [topology.caller(*call), topology.callee(*call)]).filter_map(node_of).collect();
    let draw = |(index, members): (usize, &groups::Members)| {
        let is_entry = |id: &OperationId| facts.entries().contains(*id) && topology.kind_of(*id) != ElementKind::Client;
        let ids = || members.nodes.iter();
        let entry = ids().any(|id| topology.node(*id).operations.iter().any(is_entry));
        let (name, shape, lines) = match (&members.collapsed, members.nodes.as_slice()) {
            (None, [id]) => (
                topology.node_name(*id).to_owned(),
                shape(topology.node(*id).kind),
                words::node(facts, sources, view, *id),
            ),
            (collapsed, all) => {
                let lines = vec![words::counted(all.len(), "node")];
                (collapsed.clone().unwrap_or_default(), Shape::Collapsed, lines)
            }
        };
        let on_path = view.annotate.numbers() && on_path.contains(&index);
        let (members, group) = (members.nodes.clone(), members.group);
        Node { name, shape, entry, lines, members, group, badges: Vec::new(), on_path, mark: Mark::Same }
    };
    grouping.drawn.iter().enumerate().map(draw).collect()
}

fn shape(kind: ElementKind) -> Shape {
    match kind {
        ElementKind::Client => Shape::Client,
        ElementKind::Store => Shape::Store,
        ElementKind::Cache => Shape::Cache,
        ElementKind::Queue => Shape::Queue,
        ElementKind::External => Shape::External,
        _ => Shape::Service,
    }
}

fn edges(facts: &Facts<'_>, view: &View, grouping: &groups::Grouping, calls: &[CallId], path: &[CallId]) -> Vec<Edge> {
    let topology = facts.topology();
    let path: HashSet<CallId> = path.iter().copied().collect();
    let mut edges: IndexMap<(usize, usize, Line), Edge> = IndexMap::new();
    for id in calls {
        let call = topology.call(*id);
        let node = |operation: OperationId| grouping.drawn(topology.node_id_of(operation));
        let (Some(from), Some(to)) = (node(call.from), node(call.to)) else { continue };
        let inside = from == to && grouping.is_collapsed(from);
        if inside {
            continue;
        }
        let serving = call.phase == Phase::Request;
        let line = Line { awaited: call.arrow == Arrow::Sync, optional: !facts.is_hard(*id), serving };
        let new = || Edge { from, to, line, calls: Vec::new(), badges: Vec::new(), on_path: false, mark: Mark::Same };
        let edge = edges.entry((from, to, line)).or_insert_with(new);
        edge.on_path |= view.annotate.numbers() && path.contains(id);
        edge.calls.push(Call {
            id: Some(*id),
            identity: topology.call_identity(*id),
            name: crate::diagnostic::spaced(&topology.call_name(*id)),
            text: words::call(facts, view, *id),
            mark: Mark::Same,
        });
    }
    for (from, to, name) in dead_letters(facts) {
        if let (Some(from), Some(to)) = (grouping.drawn(from), grouping.drawn(to)) {
            let line = Line { awaited: false, optional: true, serving: true };
            let text = "dead letters".to_owned();
            let call = Call { id: None, identity: name.clone(), name, text, mark: Mark::Same };
            let new =
                || Edge { from, to, line, calls: Vec::new(), badges: Vec::new(), on_path: false, mark: Mark::Same };
            edges.entry((from, to, line)).or_insert_with(new).calls.push(call);
        }
    }
    edges.into_values().collect()
}

/// Queues, and where they put what is not taken from them.
fn dead_letters(facts: &Facts<'_>) -> Vec<(NodeId, NodeId, String)> {
    let topology = facts.topology();
    let of = |id: NodeId| {
        let stated = facts.cascade().node(id, Key::DeadLetter).given();
        let to = stated.and_then(|stated| stated.setting.nodes().next())?;
        Some((id, to, format!("{} ->> {}", topology.node_name(id), topology.node_name(to))))
    };
    topology.node_ids().filter_map(of).collect()
}

/// The elements of a scene by the names that findings use.
pub(super) struct Index {
    /// By the name of a call, its edge.
    edges: HashMap<String, usize>,
    /// By the name of a node.
    nodes: HashMap<String, usize>,
}

impl Index {
    fn of(facts: &Facts<'_>, scene: &Scene, grouping: &groups::Grouping) -> Self {
        let topology = facts.topology();
        let calls = scene.edges.iter().enumerate().flat_map(|(index, edge)| {
            edge.calls.iter().map(move |call| (call.identity.split('#').next().unwrap_or("").to_owned(), index))
        });
        let name = |id: NodeId| grouping.drawn(id).map(|index| (topology.node_name(id).to_owned(), index));
        Self { edges: calls.collect(), nodes: topology.node_ids().filter_map(name).collect() }
    }
}
