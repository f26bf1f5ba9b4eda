//! The boxes of a picture, and which of them are drawn as one node.

use std::collections::{BTreeSet, HashMap};

use super::choice::View;
use super::{Group, words};
use crate::analysis::Facts;
use crate::model::{NodeId, ScopeKind};
use crate::source::SourceMap;
use crate::vocabulary::Key;

/// So many nodes are drawn one by one unless it is asked otherwise.
const MANY: usize = 300;

/// What the boxes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// The groups of the text.
    Group,
    /// Who owns it.
    Owner,
    /// Where it runs.
    Region,
    /// The zones that it runs in.
    Zone,
    /// How far it is trusted.
    Trust,
}

/// Which boxes are drawn as one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Collapse {
    /// The outermost ones, if there are very many nodes.
    Auto,
    /// None.
    Nothing,
    /// The outermost ones.
    All,
    /// Those of these names.
    Only(Vec<String>),
}

/// Which nodes stand together.
#[derive(Debug, Default)]
pub(super) struct Grouping {
    pub(super) groups: Vec<Group>,
    /// What is drawn, in the order of the topology.
    pub(super) drawn: Vec<Members>,
    /// What is left out, and what would leave out more.
    pub(super) notes: Vec<String>,
    /// For each node of the topology what it is drawn as.
    index: Vec<Option<usize>>,
}

/// A node that is drawn.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// The nodes of the topology that it stands for.
    pub(super) nodes: Vec<NodeId>,
    /// The name of the box that it stands for.
    pub(super) collapsed: Option<String>,
    /// The innermost box around it.
    pub(super) group: Option<usize>,
}

impl Grouping {
    /// What a node is drawn as.
    pub(super) fn drawn(&self, node: NodeId) -> Option<usize> {
        self.index.get(node.index()).copied().flatten()
    }

    /// Whether that stands for a box.
    pub(super) fn is_collapsed(&self, index: usize) -> bool {
        self.drawn.get(index).is_some_and(|members| members.collapsed.is_some())
    }
}

/// Puts the shown nodes into boxes.
pub(super) fn grouping(facts: &Facts<'_>, sources: &SourceMap, view: &View, shown: &[bool]) -> Grouping {
    let topology = facts.topology();
    let count = shown.iter().filter(|shown| **shown).count();
    let collapse = match &view.collapse {
        Collapse::Auto if count > MANY => &Collapse::All,
        Collapse::Auto => &Collapse::Nothing,
        asked => asked,
    };
    let mut grouping = Grouping { index: vec![None; topology.nodes.len()], ..Grouping::default() };
    let mut known: HashMap<Vec<String>, usize> = HashMap::new();
    let mut collapsed: HashMap<Vec<String>, usize> = HashMap::new();
    let mut folded = 0;
    for id in topology.node_ids().filter(|id| shown.get(id.index()).copied().unwrap_or(false)) {
        let boxes = boxes_of(facts, sources, view.group_by, id);
        let folds = boxes.iter().position(|name| match collapse {
            Collapse::All => true,
            Collapse::Only(names) => names.contains(name),
            Collapse::Auto | Collapse::Nothing => false,
        });
        let outer = boxes.get(..folds.unwrap_or(boxes.len())).unwrap_or_default();
        let group = open(&mut grouping.groups, &mut known, outer);
        let name = folds.and_then(|depth| boxes.get(depth));
        let new = grouping.drawn.len();
        let index = match folds.and_then(|depth| boxes.get(..=depth)) {
            Some(path) => *collapsed.entry(path.to_vec()).or_insert(new),
            None => new,
        };
        if index == new {
            grouping.drawn.push(Members { nodes: Vec::new(), collapsed: name.cloned(), group });
        }
        folded += usize::from(name.is_some());
        if let Some(members) = grouping.drawn.get_mut(index) {
            members.nodes.push(id);
        }
        if let Some(slot) = grouping.index.get_mut(id.index()) {
            *slot = Some(index);
        }
    }
    let boxes = words::counted(collapsed.len(), "box");
    let is_folded = (folded > 0)
        .then(|| format!("{} drawn as {boxes}; `--collapse none` draws each of them", words::counted(folded, "node")));
    let drawn = grouping.drawn.len();
    let is_much = (view.collapse == Collapse::Auto && drawn > MANY).then(|| {
        format!(
            "{drawn} nodes are more than anybody reads: `--focus NODE:2` draws what is near a node, `--group-by owner` \
             an owner as one node"
        )
    });
    grouping.notes = is_folded.into_iter().chain(is_much).collect();
    grouping
}

/// The innermost of these boxes, made where it is new.
fn open(groups: &mut Vec<Group>, known: &mut HashMap<Vec<String>, usize>, path: &[String]) -> Option<usize> {
    let mut parent = None;
    for depth in 1..=path.len() {
        let path = path.get(..depth).unwrap_or_default();
        let index = *known.entry(path.to_vec()).or_insert_with(|| {
            groups.push(Group { name: path.last().cloned().unwrap_or_default(), parent });
            groups.len() - 1
        });
        parent = Some(index);
    }
    parent
}

/// The names of all boxes.
#[must_use]
pub fn boxes(facts: &Facts<'_>, sources: &SourceMap, group_by: GroupBy) -> BTreeSet<String> {
    facts.topology().node_ids().flat_map(|id| boxes_of(facts, sources, group_by, id)).collect()
}

/// The boxes around a node, outermost first.
fn boxes_of(facts: &Facts<'_>, sources: &SourceMap, group_by: GroupBy, id: NodeId) -> Vec<String> {
    let topology = facts.topology();
    let key = match group_by {
        GroupBy::Group => {
            let scopes = topology.outwards(topology.node(id).scope);
            let groups = scopes.map(|id| topology.scope(id)).filter(|scope| scope.kind == ScopeKind::Group);
            let mut names: Vec<String> = groups.map(|scope| words::scope(facts, sources, scope)).collect();
            names.reverse();
            return names;
        }
        GroupBy::Owner => Key::Owner,
        GroupBy::Region => Key::Region,
        GroupBy::Zone => Key::Zones,
        GroupBy::Trust => Key::Trust,
    };
    let stated = facts.cascade().node(id, key).given();
    let name = stated.map(|stated| words::value(sources, stated.setting));
    vec![name.unwrap_or_else(|| format!("no {key} stated"))]
}
