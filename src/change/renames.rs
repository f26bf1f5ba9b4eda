//! What was renamed: something has gone, something of the same kind with the same neighbours has come, and nothing else
//! that has gone or come looks like either.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::elements::{Element, Id, Naming, elements};
use crate::model::{NodeId, OperationId, Topology};
use crate::source::SourceMap;
use crate::syntax::Arrow;

/// The new names of what was renamed between two topologies.
pub(super) fn renames(base: &Topology, head: &Topology, sources: &SourceMap) -> Naming {
    let mut naming = Naming::default();
    let missing = |one: &Topology, other: &Topology| -> Vec<NodeId> {
        one.node_ids().filter(|id| other.node_named(one.node_name(*id)).is_none()).collect()
    };
    let (mut gone, mut come) = (missing(base, head), missing(head, base));
    if !gone.is_empty() && !come.is_empty() {
        let before = Looks::of(base, head, sources);
        let after = Looks::of(head, base, sources);
        for with_attributes in [true, false] {
            let pairs =
                alike(&gone, &come, |id| before.node(id, with_attributes), |id| after.node(id, with_attributes));
            gone.retain(|id| pairs.iter().all(|(one, _)| one != id));
            come.retain(|id| pairs.iter().all(|(_, other)| other != id));
            let names = pairs.into_iter().map(|(one, other)| (one, head.node_name(other).to_owned()));
            naming.nodes.extend(names.map(|(one, other)| (base.node_name(one).to_owned(), other)));
        }
    }
    naming.operations = operations(base, head, sources, &naming);
    naming
}

/// Of operations, only those of a node that is on both sides.
fn operations(base: &Topology, head: &Topology, sources: &SourceMap, naming: &Naming) -> HashMap<String, String> {
    let named = |topology: &Topology| -> Vec<OperationId> {
        topology.operation_ids().filter(|id| topology.operation(*id).name.is_some()).collect()
    };
    let (mut gone, mut come) = (named(base), named(head));
    let mut stayed = HashSet::new();
    gone.retain(|id| head.operation_named(&naming.operation(base, *id)).is_none_or(|same| !stayed.insert(same)));
    come.retain(|id| !stayed.contains(id));
    if gone.is_empty() || come.is_empty() {
        return HashMap::new();
    }
    let before = Looks::of(base, head, sources);
    let after = Looks::of(head, base, sources);
    let pairs = alike(&gone, &come, |id| before.operation(id, naming), |id| after.operation(id, &Naming::default()));
    pairs.into_iter().map(|(one, other)| (base.operation_name(one), head.operation_name(other))).collect()
}

/// Pairs that look alike, where nothing else on either side does.
fn alike<T: Copy>(
    gone: &[T],
    come: &[T],
    before: impl Fn(T) -> Option<String>,
    after: impl Fn(T) -> Option<String>,
) -> Vec<(T, T)> {
    let mut looks: BTreeMap<String, (Vec<T>, Vec<T>)> = BTreeMap::new();
    for id in gone {
        looks.entry(before(*id).unwrap_or_default()).or_default().0.push(*id);
    }
    for id in come {
        looks.entry(after(*id).unwrap_or_default()).or_default().1.push(*id);
    }
    looks.remove("");
    let only = looks.into_values().filter_map(|sides| match (sides.0.as_slice(), sides.1.as_slice()) {
        ([one], [other]) => Some((*one, *other)),
        _ => None,
    });
    only.collect()
}

/// What elements look like apart from their names.
struct Looks<'a> {
    topology: &'a Topology,
    /// Names of nodes that both sides have.
    shared: HashSet<&'a str>,
    nodes: HashMap<NodeId, String>,
    operations: HashMap<OperationId, String>,
}

impl<'a> Looks<'a> {
    fn of(topology: &'a Topology, other: &Topology, sources: &SourceMap) -> Self {
        let names = topology.node_ids().map(|id| topology.node_name(id));
        let shared = names.filter(|name| other.node_named(name).is_some()).collect();
        let mut looks = Self { topology, shared, nodes: HashMap::new(), operations: HashMap::new() };
        let said = |element: &Element<'_>| {
            let all = element.attributes().into_iter().filter(|attribute| attribute.name != "group");
            let mut said: Vec<String> =
                all.map(|attribute| format!("{}={}", attribute.name, attribute.meaning)).collect();
            said.sort();
            format!("{said:?}")
        };
        for element in elements(topology, sources, &Naming::default()) {
            match element.id {
                Id::Node(id) => drop(looks.nodes.insert(id, said(&element))),
                Id::Operation(id) => drop(looks.operations.insert(id, said(&element))),
                _ => {}
            }
        }
        looks
    }

    /// None if there is too little to tell it by.
    fn node(&self, id: NodeId, with_attributes: bool) -> Option<String> {
        let node = self.topology.node(id);
        let mut known = 0;
        let mut calls: Vec<String> = Vec::new();
        for operation in &node.operations {
            let own = self.topology.operation(*operation).name.map_or("", |name| self.topology.text(name));
            calls.push(own.to_owned());
            for (call, outward) in self.calls(*operation) {
                let end = if outward { self.topology.callee(call) } else { self.topology.caller(call) };
                let other = self.topology.operation(end);
                let name = self.topology.node_name(other.node);
                let is_known = self.shared.contains(name);
                known += usize::from(is_known);
                let arrow = if self.topology.call(call).arrow == Arrow::Sync { "->" } else { "->>" };
                let shown = if is_known { self.topology.operation_name(end) } else { "?".to_owned() };
                calls.push(format!("{own} {outward} {arrow} {shown}"));
            }
        }
        calls.sort();
        let said = self.nodes.get(&id).filter(|_| with_attributes).map_or("", String::as_str);
        (known > 0).then(|| format!("{} {calls:?} {said}", node.kind.name()))
    }

    fn operation(&self, id: OperationId, naming: &Naming) -> Option<String> {
        let node = naming.node(self.topology, self.topology.node_id_of(id));
        let mut calls: Vec<String> = Vec::new();
        for (call, outward) in self.calls(id) {
            let call = self.topology.call(call);
            let end = if outward { call.to } else { call.from };
            calls.push(format!("{outward} {:?} {}", call.arrow, naming.operation(self.topology, end)));
        }
        calls.sort();
        let said = self.operations.get(&id).map_or("", String::as_str);
        (!calls.is_empty()).then(|| format!("{node} {calls:?} {said}"))
    }

    /// Calls from and to an operation, and whether they are from it.
    fn calls(&self, id: OperationId) -> impl Iterator<Item = (crate::model::CallId, bool)> + '_ {
        let out = self.topology.calls_from(id).map(|call| (call, true));
        let calls = out.chain(self.topology.calls_to(id).map(|call| (call, false)));
        calls.filter(|(call, _)| !self.topology.call(*call).implied)
    }
}
