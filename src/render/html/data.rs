//! What the page looks things up in, as JSON.

use std::collections::HashMap;

use serde::Serialize;

use super::super::font::Ruler;
use super::super::measure::{NodeText, label};
use super::super::scene::{Call, Edge, Entry, Node, Scene, reached};
use super::outlook::{Asker, Outlooks};
use super::story::{Story, Teller, safe};
use crate::analysis::Facts;
use crate::change::Mark;
use crate::lint::Finding;
use crate::model::{CallId, NodeId, OperationId};
use crate::report::facts_table::numbers_of_operation;
use crate::report::lines;
use crate::source::SourceMap;
use crate::vocabulary::ElementKind;

/// So many entries have a flow.
const MOST_FLOWS: usize = 200;

/// All of it; elements are named by their place in these lists, which is the one in the picture.
#[derive(Serialize)]
struct Data {
    /// Whether two versions are compared.
    compared: bool,
    nodes: Vec<NodeRow>,
    edges: Vec<EdgeRow>,
    groups: Vec<GroupRow>,
    findings: Vec<FindingRow>,
    flows: Vec<FlowRow>,
    /// How many more there are.
    more_flows: usize,
    outlooks: Outlooks,
}

#[derive(Serialize)]
struct NodeRow {
    story: Story,
    group: Option<usize>,
    findings: Vec<usize>,
    sides: Option<Lines>,
}

/// What is written of it before and after, line by line, where two versions are compared; none where it is not.
type Lines = [Option<Vec<String>>; 2];

#[derive(Serialize)]
struct EdgeRow {
    from: usize,
    to: usize,
    calls: Vec<CallRow>,
    findings: Vec<usize>,
    sides: Option<Lines>,
}

#[derive(Serialize)]
struct CallRow {
    /// Its name, with which one it is among calls of that name.
    identity: String,
    story: Story,
}

#[derive(Serialize)]
struct GroupRow {
    name: String,
    parent: Option<usize>,
}

#[derive(Serialize)]
struct FindingRow {
    fingerprint: String,
    family: &'static str,
    level: &'static str,
    /// The side on which it is found, if not on both.
    only: Option<&'static str>,
    /// Where each hop of its witness is drawn.
    hops: Vec<Spot>,
    /// Where it is drawn, besides.
    about: Vec<Spot>,
}

/// Where something is drawn: at an edge, at a node, or nowhere.
#[derive(Clone, Copy, Default, Serialize)]
struct Spot {
    edge: Option<usize>,
    node: Option<usize>,
}

#[derive(Serialize)]
struct FlowRow {
    name: String,
    node: Option<usize>,
    numbers: Vec<(&'static str, String)>,
    /// The edges on which clients start it.
    callers: Vec<usize>,
    /// The edges on which it goes on, and the nodes that it reaches.
    edges: Vec<usize>,
    nodes: Vec<usize>,
}

/// As text that may stand in an element of HTML that is not run.
pub(super) fn data(scene: &Scene, facts: &Facts<'_>, sources: &SourceMap, found: &[Option<&Finding>]) -> String {
    let teller = Teller { facts, sources };
    let spots = Spots::of(facts, scene);
    let ruler = Ruler::new();
    let nodes = scene.nodes.iter().enumerate().map(|(index, node)| NodeRow {
        story: teller.node(node),
        group: node.group,
        findings: node.badges.clone(),
        sides: scene.sides.as_ref().and_then(|sides| Some(of_node(node, sides.nodes.get(index)?, &ruler))),
    });
    let edges = scene.edges.iter().enumerate().map(|(index, edge)| EdgeRow {
        from: edge.from,
        to: edge.to,
        calls: edge
            .calls
            .iter()
            .map(|call| CallRow { identity: safe(&call.identity), story: teller.call(call) })
            .collect(),
        findings: edge.badges.clone(),
        sides: scene.sides.as_ref().and_then(|sides| Some(of_edge(edge, sides.edges.get(index)?, &ruler))),
    });
    let findings = scene.findings.iter().zip(found).map(|(entry, finding)| spots.finding(entry, *finding));
    let data = Data {
        compared: scene.sides.is_some(),
        nodes: nodes.collect(),
        edges: edges.collect(),
        groups: scene.groups.iter().map(|group| GroupRow { name: safe(&group.name), parent: group.parent }).collect(),
        findings: findings.collect(),
        more_flows: facts.entries().all().len().saturating_sub(MOST_FLOWS),
        flows: facts.entries().all().iter().take(MOST_FLOWS).map(|entry| spots.flow(*entry)).collect(),
        outlooks: Asker::new(facts, scene).all(scene),
    };
    let mut bytes = Vec::new();
    // Into memory, everything can be written.
    let _ = lines::write(&mut bytes, &data, 2);
    harmless(&String::from_utf8_lossy(&bytes))
}

/// The lines of a node on either side, as wide as they are drawn.
fn of_node(node: &Node, sides: &[Option<Vec<String>>; 2], ruler: &Ruler) -> Lines {
    sides.each_ref().map(|lines| {
        let node = Node { lines: lines.clone()?, ..node.clone() };
        Some(NodeText::of(&node, ruler).lines.iter().map(|line| safe(line)).collect())
    })
}

/// The label of an edge on either side.
fn of_edge(edge: &Edge, sides: &[[Option<String>; 2]], ruler: &Ruler) -> Lines {
    [0, 1].map(|side| {
        let calls = edge.calls.iter().zip(sides);
        let on_it = |(call, texts): (&Call, &[Option<String>; 2])| {
            Some(Call { text: texts.get(side)?.clone()?, ..call.clone() })
        };
        let calls: Vec<Call> = calls.filter_map(on_it).collect();
        let is_there = !calls.is_empty();
        let edge = Edge { calls, ..edge.clone() };
        is_there.then(|| label(&edge, ruler).iter().map(|line| safe(line)).collect())
    })
}

/// Nothing in it ends the element, or a line where JSON knows none.
fn harmless(json: &str) -> String {
    json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// Where things are drawn, by the names that findings use.
struct Spots<'a, 'f> {
    facts: &'a Facts<'f>,
    nodes: HashMap<NodeId, usize>,
    edges: HashMap<CallId, usize>,
    nodes_by_name: HashMap<&'a str, usize>,
    edges_by_name: HashMap<&'a str, usize>,
}

impl<'a, 'f> Spots<'a, 'f> {
    fn of(facts: &'a Facts<'f>, scene: &'a Scene) -> Self {
        let nodes = scene.nodes.iter().enumerate();
        let nodes = nodes.flat_map(|(index, node)| node.members.iter().map(move |id| (*id, index)));
        let calls = scene.edges.iter().enumerate();
        let calls = calls.flat_map(|(index, edge)| edge.calls.iter().filter_map(move |call| Some((call.id?, index))));
        // What went is known by its name only.
        let nodes_by_name = scene.nodes.iter().zip(0..).map(|(node, index)| (node.name.as_str(), index));
        let named =
            scene.edges.iter().zip(0..).flat_map(|(edge, index)| edge.calls.iter().map(move |call| (call, index)));
        let named = named.map(|(call, index)| (call.identity.split('#').next().unwrap_or_default(), index));
        Self {
            facts,
            nodes: nodes.collect(),
            edges: calls.collect(),
            nodes_by_name: nodes_by_name.collect(),
            edges_by_name: named.collect(),
        }
    }

    /// Of `orders.place`, `orders` or `gateway.checkout->orders.place`; of a call that is not drawn, its callee.
    fn spot(&self, subject: &str) -> Spot {
        let subject = subject.split('#').next().unwrap_or(subject);
        if let Some(edge) = self.edges_by_name.get(subject) {
            return Spot { edge: Some(*edge), node: None };
        }
        let end = subject.rsplit("->").next().unwrap_or(subject).trim_start_matches('>').trim();
        let topology = self.facts.topology();
        let drawn = |name: &str| {
            let id = topology.node_named(name);
            id.and_then(|id| self.nodes.get(&id)).or_else(|| self.nodes_by_name.get(name)).copied()
        };
        Spot { edge: None, node: drawn(end).or_else(|| drawn(end.split('.').next().unwrap_or(end))) }
    }

    fn finding(&self, entry: &Entry, finding: Option<&Finding>) -> FindingRow {
        let diagnostic = finding.map(|finding| &finding.diagnostic);
        let witness = diagnostic.into_iter().flat_map(|diagnostic| &diagnostic.witness);
        let subjects = diagnostic.into_iter().flat_map(|diagnostic| &diagnostic.subjects);
        FindingRow {
            fingerprint: entry.fingerprint.clone(),
            family: finding.map_or("", |finding| finding.rule.family),
            level: entry.level.name(),
            only: match entry.mark {
                Mark::New => Some("after"),
                Mark::Gone => Some("before"),
                Mark::Changed | Mark::Same => None,
            },
            hops: witness.map(|step| self.spot(&step.subject)).collect(),
            about: subjects.map(|subject| self.spot(subject)).collect(),
        }
    }

    fn flow(&self, entry: OperationId) -> FlowRow {
        let topology = self.facts.topology();
        let reached = reached(self.facts, entry);
        let drawn = |operation: &OperationId| self.nodes.get(&topology.node_id_of(*operation)).copied();
        let is_client = |call: &CallId| topology.kind_of(topology.caller(*call)) == ElementKind::Client;
        let calls = reached.iter().flat_map(|operation| topology.calls_from(*operation));
        let edge = |call: CallId| self.edges.get(&call).copied();
        let mut callers: Vec<usize> = topology.calls_to(entry).filter(is_client).filter_map(edge).collect();
        let mut edges: Vec<usize> = calls.filter_map(edge).collect();
        let mut nodes: Vec<usize> = reached.iter().filter_map(drawn).collect();
        for list in [&mut callers, &mut edges, &mut nodes] {
            list.sort_unstable();
            list.dedup();
        }
        let numbers = numbers_of_operation(self.facts, entry);
        FlowRow { name: safe(&topology.operation_name(entry)), node: drawn(&entry), numbers, callers, edges, nodes }
    }
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn no_text_ends_the_element() {
        let text = harmless("{\"a\": \"</script><!--\u{2028}\"}");
        assert_eq!(text, r#"{"a": "\u003c/script>\u003c!--\u2028"}"#);
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["a"], "</script><!--\u{2028}");
    }
}
