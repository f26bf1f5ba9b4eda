//! The part of a topology that a change concerns: what came, went or changed, and its direct neighbours. Calls between
//! two nodes are one arrow.

use std::collections::{BTreeMap, BTreeSet};

use super::difference::{Difference, Edit, Fate};
use super::elements::{Id, Naming, joined};
use crate::model::{CallId, Topology};
use crate::syntax;

/// A part of both topologies in one.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// Nodes, by name.
    pub boxes: Vec<DrawnNode>,
    /// Calls between them, by name.
    pub arrows: Vec<DrawnCall>,
    /// How many nodes that the change concerns are left out.
    pub left_out: usize,
}

/// A node.
#[derive(Clone, Debug)]
pub struct DrawnNode {
    /// Its name.
    pub name: String,
    /// Which of the six kinds.
    pub kind: &'static str,
    /// What became of it.
    pub mark: Mark,
}

/// The calls of one kind between two nodes.
#[derive(Clone, Debug)]
pub struct DrawnCall {
    /// The name of the caller.
    pub from: String,
    /// The name of the callee.
    pub to: String,
    /// Whether the caller waits.
    pub is_awaited: bool,
    /// What became of them.
    pub mark: Mark,
    /// What is stated otherwise.
    pub text: String,
}

/// What became of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// It is what it was.
    Same,
    /// It was changed.
    Changed,
    /// It came.
    New,
    /// It went.
    Gone,
}

/// More than that nobody can take in.
const MOST: usize = 40;

pub(super) fn picture(base: &Topology, head: &Topology, found: &Difference) -> Picture {
    let mut drawing = Drawing { nodes: BTreeMap::new(), arrows: BTreeMap::new() };
    drawing.calls(head, &Naming::default(), false);
    drawing.calls(base, &found.naming, true);
    let concerned = drawing.mark(head, &found.edits);
    drawing.part(&concerned)
}

type Between = (String, String, bool);

struct Drawing {
    nodes: BTreeMap<String, (&'static str, Mark)>,
    /// Whether any of its calls is on both sides, and what became of them.
    arrows: BTreeMap<Between, Drawn>,
}

#[derive(Default)]
struct Drawn {
    head: usize,
    base: usize,
    edits: Vec<String>,
    came: bool,
    went: bool,
}

impl Drawing {
    fn calls(&mut self, topology: &Topology, naming: &Naming, is_base: bool) {
        for id in topology.node_ids() {
            let kind = topology.node(id).kind.name();
            let mark = if is_base { Mark::Gone } else { Mark::Same };
            self.nodes.entry(naming.node(topology, id)).or_insert((kind, mark));
        }
        for id in topology.call_ids().filter(|id| !topology.call(*id).implied) {
            let drawn = self.arrows.entry(between(topology, naming, id)).or_default();
            *(if is_base { &mut drawn.base } else { &mut drawn.head }) += 1;
        }
    }

    /// Marks what was edited; the nodes that it concerns.
    fn mark(&mut self, head: &Topology, edits: &[Edit]) -> BTreeSet<String> {
        let mut concerned = BTreeSet::new();
        for edit in edits {
            match edit.id {
                Id::Node(_) | Id::Operation(_) => {
                    let name = edit.name.split('.').next().unwrap_or_default().to_owned();
                    let is_whole = matches!(edit.id, Id::Node(_));
                    if let Some((_, mark)) = self.nodes.get_mut(&name) {
                        *mark = match edit.fate {
                            Fate::Added if is_whole => Mark::New,
                            _ if *mark == Mark::Same => Mark::Changed,
                            _ => *mark,
                        };
                    }
                    concerned.insert(name);
                }
                Id::Call(id) if edit.fate != Fate::Removed => {
                    let key = between(head, &Naming::default(), id);
                    concerned.extend([key.0.clone(), key.1.clone()]);
                    let Some(drawn) = self.arrows.get_mut(&key) else { continue };
                    drawn.came |= edit.fate == Fate::Added;
                    let said = edit.attributes.iter().map(|attribute| match (&attribute.before, &attribute.after) {
                        (Some(before), Some(after)) => format!("{} {before} → {after}", attribute.name),
                        (None, Some(after)) => format!("+ {}", joined(&attribute.name, after)),
                        (Some(before), None) => format!("− {}", joined(&attribute.name, before)),
                        (None, None) => attribute.name.clone(),
                    });
                    drawn.edits.extend(said);
                }
                _ => {}
            }
        }
        for (key, drawn) in &mut self.arrows {
            drawn.went = drawn.base > drawn.head;
            if drawn.head == 0 {
                concerned.extend([key.0.clone(), key.1.clone()]);
            }
        }
        concerned
    }

    fn part(self, concerned: &BTreeSet<String>) -> Picture {
        // What is marked comes before what only lies beside it.
        let mut kept: BTreeSet<&String> = concerned.iter().take(MOST).collect();
        let left_out = concerned.len() - kept.len();
        let edges = || self.arrows.keys().filter(|(from, to, _)| concerned.contains(from) || concerned.contains(to));
        for (from, to, _) in edges() {
            for end in [from, to] {
                if kept.len() < MOST {
                    kept.insert(end);
                }
            }
        }
        let arrows = self.arrows.iter().filter(|((from, to, _), _)| {
            kept.contains(from) && kept.contains(to) && (concerned.contains(from) || concerned.contains(to))
        });
        let arrows = arrows.map(|((from, to, is_awaited), drawn)| DrawnCall {
            from: from.clone(),
            to: to.clone(),
            is_awaited: *is_awaited,
            mark: match drawn {
                Drawn { head: 0, .. } => Mark::Gone,
                Drawn { base: 0, .. } => Mark::New,
                Drawn { edits, came, went, .. } if !edits.is_empty() || *came || *went => Mark::Changed,
                _ => Mark::Same,
            },
            text: drawn.edits.iter().take(3).cloned().collect::<Vec<_>>().join(", "),
        });
        let boxes = kept.iter().filter_map(|name| {
            let (kind, mark) = self.nodes.get(*name)?;
            Some(DrawnNode { name: (*name).clone(), kind, mark: *mark })
        });
        Picture { boxes: boxes.collect(), arrows: arrows.collect(), left_out }
    }
}

fn between(topology: &Topology, naming: &Naming, id: CallId) -> Between {
    let call = topology.call(id);
    let [from, to] = [call.from, call.to].map(|end| naming.node(topology, topology.node_id_of(end)));
    (from, to, call.arrow == syntax::Arrow::Sync)
}
