//! What the page looks things up in, as JSON.

use std::collections::HashMap;

use serde::Serialize;

use super::super::scene::{Entry, Scene, reached};
use super::outlook::{Asker, Outlooks};
use super::story::{Story, Teller, safe};
use crate::analysis::Facts;
use crate::lint::Finding;
use crate::model::{CallId, NodeId, OperationId};
use crate::report::facts_table::numbers_of_operation;
use crate::report::lines;
use crate::source::SourceMap;

/// So many entries have a flow.
const MOST_FLOWS: usize = 200;

/// All of it; elements are named by their place in these lists, which is the one in the picture.
#[derive(Serialize)]
struct Data {
    nodes: Vec<NodeRow>,
    edges: Vec<EdgeRow>,
    groups: Vec<GroupRow>,
    findings: Vec<FindingRow>,
    flows: Vec<FlowRow>,
    outlooks: Outlooks,
}

#[derive(Serialize)]
struct NodeRow {
    story: Story,
    group: Option<usize>,
    findings: Vec<usize>,
}

#[derive(Serialize)]
struct EdgeRow {
    from: usize,
    to: usize,
    calls: Vec<CallRow>,
    findings: Vec<usize>,
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
    /// Where each hop of its witness is drawn.
    hops: Vec<Spot>,
    /// Where it is drawn, besides.
    about: Vec<Spot>,
}

impl FindingRow {
    /// One that went: nothing of it is drawn.
    fn gone(entry: &Entry) -> Self {
        let fingerprint = entry.fingerprint.clone();
        Self { fingerprint, family: "", level: entry.level.name(), hops: Vec::new(), about: Vec::new() }
    }
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
    /// The edges on which it goes on, and the nodes that it reaches.
    edges: Vec<usize>,
    nodes: Vec<usize>,
}

/// As text that may stand in an element of HTML that is not run.
pub(super) fn data(scene: &Scene, facts: &Facts<'_>, sources: &SourceMap, found: &[&Finding]) -> String {
    let teller = Teller { facts, sources };
    let spots = Spots::of(facts, scene);
    let nodes = scene.nodes.iter().map(|node| NodeRow {
        story: teller.node(node),
        group: node.group,
        findings: node.badges.clone(),
    });
    let edges = scene.edges.iter().map(|edge| EdgeRow {
        from: edge.from,
        to: edge.to,
        calls: edge
            .calls
            .iter()
            .map(|call| CallRow { identity: safe(&call.identity), story: teller.call(call) })
            .collect(),
        findings: edge.badges.clone(),
    });
    let gone = scene.findings.iter().skip(found.len()).map(FindingRow::gone);
    let findings = found.iter().map(|finding| spots.finding(finding)).chain(gone);
    let data = Data {
        nodes: nodes.collect(),
        edges: edges.collect(),
        groups: scene.groups.iter().map(|group| GroupRow { name: safe(&group.name), parent: group.parent }).collect(),
        findings: findings.collect(),
        flows: facts.entries().all().iter().take(MOST_FLOWS).map(|entry| spots.flow(*entry)).collect(),
        outlooks: Asker::new(facts, scene).all(scene),
    };
    let mut bytes = Vec::new();
    // Into memory, everything can be written.
    let _ = lines::write(&mut bytes, &data, 2);
    harmless(&String::from_utf8_lossy(&bytes))
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
    edges_by_name: HashMap<String, usize>,
}

impl<'a, 'f> Spots<'a, 'f> {
    fn of(facts: &'a Facts<'f>, scene: &Scene) -> Self {
        let nodes = scene.nodes.iter().enumerate();
        let nodes = nodes.flat_map(|(index, node)| node.members.iter().map(move |id| (*id, index)));
        let calls = scene.edges.iter().enumerate();
        let calls = calls.flat_map(|(index, edge)| edge.calls.iter().filter_map(move |call| Some((call.id?, index))));
        let edges: HashMap<CallId, usize> = calls.collect();
        let edges_by_name = edges.iter().map(|(id, index)| (facts.topology().call_name(*id), *index)).collect();
        Self { facts, nodes: nodes.collect(), edges, edges_by_name }
    }

    /// Of `orders.place`, `orders` or `gateway.checkout->orders.place`; of a call that is not drawn, its callee.
    fn spot(&self, subject: &str) -> Spot {
        let subject = subject.split('#').next().unwrap_or(subject);
        if let Some(edge) = self.edges_by_name.get(subject) {
            return Spot { edge: Some(*edge), node: None };
        }
        let end = subject.rsplit("->").next().unwrap_or(subject).trim_start_matches('>').trim();
        let topology = self.facts.topology();
        let node = topology.node_named(end).or_else(|| topology.node_named(end.split('.').next().unwrap_or(end)));
        Spot { edge: None, node: node.and_then(|id| self.nodes.get(&id)).copied() }
    }

    fn finding(&self, finding: &Finding) -> FindingRow {
        FindingRow {
            fingerprint: finding.fingerprint.to_string(),
            family: finding.rule.family,
            level: finding.level.name(),
            hops: finding.diagnostic.witness.iter().map(|step| self.spot(&step.subject)).collect(),
            about: finding.diagnostic.subjects.iter().map(|subject| self.spot(subject)).collect(),
        }
    }

    fn flow(&self, entry: OperationId) -> FlowRow {
        let topology = self.facts.topology();
        let reached = reached(self.facts, entry);
        let drawn = |operation: &OperationId| self.nodes.get(&topology.operation(*operation).node).copied();
        let calls = reached.iter().flat_map(|operation| topology.calls_from(*operation));
        let mut edges: Vec<usize> = calls.filter_map(|call| self.edges.get(&call)).copied().collect();
        let mut nodes: Vec<usize> = reached.iter().filter_map(drawn).collect();
        for list in [&mut edges, &mut nodes] {
            list.sort_unstable();
            list.dedup();
        }
        let numbers = numbers_of_operation(self.facts, entry);
        FlowRow { name: safe(&topology.operation_name(entry)), node: drawn(&entry), numbers, edges, nodes }
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
