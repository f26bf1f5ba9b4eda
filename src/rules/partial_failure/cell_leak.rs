//! A cell that needs something outside it.

use std::collections::BTreeMap;

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::{Answer, CallId, Name, NodeId};
use crate::rules::needed::more_calls;
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let topology = facts.topology();
    // One node outside has one finding, whoever needs it.
    let mut leaks: BTreeMap<NodeId, Vec<Leak>> = BTreeMap::new();
    for call in topology.call_ids().filter(|call| needs_its_callee(facts, *call)) {
        for leak in leaks_of(facts, call) {
            leaks.entry(leak.outside).or_default().push(leak);
        }
    }
    leaks.into_values().filter_map(|leaks| finding(facts, leaks)).collect()
}

/// A call that leaves the cell of its caller.
struct Leak {
    call: CallId,
    from: Name,
    outside: NodeId,
    to: Outside,
}

/// Where the other end is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outside {
    /// In another cell.
    Cell(Name),
    /// In none, as is stated.
    Shared,
    /// That is not stated.
    Unstated,
}

/// Its caller fails without the answer. What a cache answers before, or an open door lets pass, it can do without.
fn needs_its_callee(facts: &Facts<'_>, call: CallId) -> bool {
    let row = facts.topology().call(call);
    let may_answer = facts.cascade().call(call, &[Key::Fallback]).may_be_given();
    facts.is_hard(call)
        && !row.implied
        && !may_answer
        && facts.miss_of(call).is_none()
        && !facts.answers_openly(row.from)
}

/// The nodes outside the caller's cell that a call needs: its callee, and what it passes.
fn leaks_of(facts: &Facts<'_>, call: CallId) -> Vec<Leak> {
    let cell = |node| facts.cascade().node(node, Key::Cell);
    let Some(from) = cell(facts.topology().caller_node(call)).given().and_then(|stated| stated.setting.word()) else {
        return Vec::new();
    };
    let callee = facts.topology().callee_node(call);
    let external = |node| facts.topology().node(node).kind == ElementKind::External;
    let passed = facts.passed(call);
    let ends = passed.into_iter().chain([callee]);
    let leak = |outside: NodeId| {
        let to = match cell(outside) {
            Answer::Given(stated) => Outside::Cell(stated.setting.word().filter(|to| *to != from)?),
            Answer::None(_) => Outside::Shared,
            // Somebody else's system is in no cell of ours, and what lies between is often for all.
            Answer::Unstated if outside == callee && !external(outside) => Outside::Unstated,
            Answer::Unstated | Answer::Unreadable => return None,
        };
        Some(Leak { call, from, outside, to })
    };
    ends.filter_map(leak).collect()
}

fn finding(facts: &Facts<'_>, mut leaks: Vec<Leak>) -> Option<Diagnostic> {
    let topology = facts.topology();
    leaks.sort_by_key(|leak| (leak.to == Outside::Unstated, facts.call_rank(leak.call)));
    let first = leaks.first()?;
    let calls: Vec<CallId> = leaks.iter().map(|leak| leak.call).collect();
    let (caller, cell) = (topology.operation_name(topology.caller(first.call)), topology.text(first.from));
    let name = topology.node_name(first.outside);
    let outside = match first.to {
        Outside::Cell(to) => format!("is in cell `{}`", topology.text(to)),
        Outside::Shared => "is in no cell".to_owned(),
        Outside::Unstated => "states no cell".to_owned(),
    };
    let message = format!("`{caller}` in cell `{cell}` cannot do without `{name}`, which {outside}");
    let mut diagnostic =
        Diagnostic::new(topology.call(first.call).span, message).subject(topology.call_name(first.call));
    diagnostic.certainty = if first.to == Outside::Unstated { Certainty::Possible } else { Certainty::Proved };
    diagnostic.cause = Some(format!("cell of {name}"));
    diagnostic.group = Some("cells need something of which no cell is stated".into());
    diagnostic.witness = prose::needs(facts, &calls);
    diagnostic.consequence =
        Some(format!("when `{name}` is down, so is every cell that needs it{}", more_calls(&calls)));
    diagnostic.help = help(facts, first, cell, name);
    Some(diagnostic)
}

fn help(facts: &Facts<'_>, leak: &Leak, cell: &str, name: &str) -> Vec<String> {
    let mut help = vec![
        "give each cell its own, and copy between them without waiting: `->>`".to_owned(),
        format!(
            "or let the cell go on without it: `fallback \"what was known last\"` on `{}`",
            prose::call(facts, leak.call)
        ),
    ];
    if leak.to == Outside::Unstated {
        help.push(format!("or, if `{name}` belongs to the cell, say so: `cell {}`", prose::written(cell)));
    }
    help
}
