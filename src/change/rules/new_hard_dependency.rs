//! Something that an entry did without, and now cannot.

use std::collections::{HashMap, HashSet};

use super::Sides;
use crate::analysis::{Facts, Ways};
use crate::diagnostic::{Diagnostic, Step, spaced};
use crate::metadata::Options;
use crate::model::{CallId, NodeId, OperationId};

/// Of so many entries it is known which nodes each of them needed; of further ones, what any of them did.
const ENTRIES: usize = 64;

pub(super) fn check(sides: &Sides<'_, '_>, _: &Options) -> Vec<Diagnostic> {
    let (head, topology) = (sides.head, sides.head.topology());
    let before: HashMap<OperationId, OperationId> =
        sides.found.operations.iter().map(|(one, other)| (*other, *one)).collect();
    let entries: Vec<OperationId> = head.entries().all().iter().copied().filter(|id| before.contains_key(id)).collect();
    let ways = head.ways_over(entries.iter().copied(), |call| head.is_hard(call));
    let was_hard: HashSet<CallId> =
        sides.found.calls.iter().filter(|(one, _)| sides.base.is_hard(*one)).map(|(_, other)| *other).collect();
    let mut needs = Needs { sides, before: &before, of: HashMap::new() };
    let mut seen: HashSet<NodeId> = HashSet::new();
    let mut found = Vec::new();
    for call in topology.call_ids().filter(|id| head.is_hard(*id) && !was_hard.contains(id)) {
        let callee = topology.callee_node(call);
        let Some(entry) = ways.start(topology.caller(call)) else { continue };
        let is_own = topology.caller_node(call) == callee;
        if is_own || topology.call(call).implied || needs.had(entry, callee) || !seen.insert(callee) {
            continue;
        }
        found.push(finding(head, &ways, entry, call));
    }
    found
}

/// Which nodes entries needed before.
struct Needs<'a, 'b> {
    sides: &'a Sides<'a, 'b>,
    before: &'a HashMap<OperationId, OperationId>,
    of: HashMap<Option<OperationId>, HashSet<NodeId>>,
}

impl Needs<'_, '_> {
    fn had(&mut self, entry: OperationId, node: NodeId) -> bool {
        let base = self.sides.base;
        let before = self.before.get(&entry).copied();
        let key = before.filter(|id| self.of.len() < ENTRIES || self.of.contains_key(&Some(*id)));
        let sides = self.sides;
        let needed = self.of.entry(key).or_insert_with(|| {
            let starts = key.map_or_else(|| base.entries().all().to_vec(), |id| vec![id]);
            let ways = base.ways_over(starts, |call| base.is_hard(call));
            let topology = base.topology();
            let reached = topology.operation_ids().filter(|id| ways.reach(*id));
            let nodes: HashSet<NodeId> = reached.map(|id| topology.node_id_of(id)).collect();
            sides.found.nodes.iter().filter(|(one, _)| nodes.contains(one)).map(|(_, other)| *other).collect()
        });
        needed.contains(&node)
    }
}

fn finding(head: &Facts<'_>, ways: &Ways, entry: OperationId, call: CallId) -> Diagnostic {
    /// Longer ways are shown from where they end.
    const MOST: usize = 12;
    let topology = head.topology();
    let row = topology.call(call);
    let (callee, entry) = (topology.node_name(topology.node_id_of(row.to)), topology.operation_name(entry));
    let message = format!("`{entry}` did without `{callee}`, and now fails whenever that fails");
    let mut calls = ways.last_calls(head, row.from, MOST);
    calls.push(call);
    let step = |id: &CallId| Step {
        subject: topology.call_name(*id),
        span: topology.call(*id).span,
        text: if *id == call { "this call is new, or had a fallback".to_owned() } else { "needed".to_owned() },
        value: None,
    };
    let mut diagnostic = Diagnostic::new(row.span, message)
        .help(format!(
            "`fallback \"…\"` on `{}`, if an answer without it is worth something",
            spaced(&topology.call_name(call))
        ))
        .help("or `->>`, if its outcome is not needed for the answer");
    diagnostic.witness = calls.iter().map(step).collect();
    let names = calls.iter().map(|id| topology.operation_name(topology.callee(*id)));
    let first = calls.first().map(|id| topology.operation_name(topology.caller(*id)));
    diagnostic.path = Some(first.into_iter().chain(names).collect::<Vec<_>>().join(" -> "));
    diagnostic.cause = Some(format!("{entry} needs {callee}"));
    diagnostic.subjects = vec![topology.call_name(call), entry];
    diagnostic
}
