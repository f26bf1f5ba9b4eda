//! What findings about unmet needs of readers share: who needs what, the way to the read, what each hop takes away.

use crate::analysis::{Extent, Facts, Model, Need, ReadHop, ReadHopKind, Unmet, Unstated, Weakness, Who};
use crate::diagnostic::{Because, Certainty, Diagnostic, Measure, Step, spaced};
use crate::model::{CallId, Duration, OperationId};
use crate::rules::prose;
use crate::vocabulary::Key;

/// A finding about a need that is not met.
pub(super) fn report(facts: &Facts<'_>, unmet: &Unmet<'_>, message: String) -> Diagnostic {
    let topology = facts.topology();
    let at = match unmet.weakness {
        Weakness::Answer => unmet.read,
        Weakness::Session(call) => call,
    };
    let mut diagnostic = Diagnostic::new(topology.call(at).span, message);
    diagnostic.certainty = unmet.certainty;
    diagnostic.subjects = vec![topology.call_name(at)];
    if at != unmet.read {
        diagnostic.subjects.push(topology.call_name(unmet.read));
    }
    diagnostic.cause = Some(prose::cause(facts, at));
    diagnostic.witness = witness(facts, unmet);
    diagnostic.path = Some(prose::path(facts, reader(facts, unmet), &unmet.path, unmet.left_out));
    // Of a store whose quorums do not meet, that is said once.
    let small = unmet.reading.hops.iter().find(|hop| hop.kind == ReadHopKind::SmallQuorum);
    let because =
        |node| Because { rules: &["quorum-without-overlap"], cause: super::quorum_without_overlap::cause(facts, node) };
    diagnostic.caused_by = small.map(|hop| because(hop.node)).into_iter().collect();
    if unmet.certainty == Certainty::Possible {
        diagnostic.group = Some("reads are not known to give what is needed of them".into());
    }
    diagnostic
}

/// The operation that reads.
pub(super) fn reader(facts: &Facts<'_>, unmet: &Unmet<'_>) -> OperationId {
    match unmet.who {
        Who::Operation(operation) => operation,
        Who::Call(call) => facts.topology().caller(call),
    }
}

/// Who needs it, the hops between, and what each hop of the answer takes away.
fn witness(facts: &Facts<'_>, unmet: &Unmet<'_>) -> Vec<Step> {
    let topology = facts.topology();
    let subject = match unmet.who {
        Who::Operation(operation) => topology.operation_name(operation),
        Who::Call(call) => topology.call_name(call),
    };
    let (needed, value) = match unmet.need {
        Need::Model(model) => (format!("`{}` is needed", model.name()), None),
        Need::Age(age) => (format!("at most {age} old is needed"), Some(Measure::Seconds(age.seconds()))),
    };
    let span = prose::place(unmet.stated).unwrap_or(topology.operation(reader(facts, unmet)).span);
    let mut steps = vec![Step { subject, span, text: needed, value }];
    let hops = unmet.path.iter().filter(|call| **call != unmet.read || unmet.weakness == Weakness::Session(unmet.read));
    steps.extend(hops.filter(|call| unmet.who != Who::Call(**call)).map(|call| hop(facts, unmet, *call)));
    if let Weakness::Session(call) = unmet.weakness {
        if unmet.who == Who::Call(call) {
            steps.push(hop(facts, unmet, call));
        }
        return steps;
    }
    steps.extend(unmet.reading.hops.iter().map(|hop| answer(facts, *hop)));
    let read = topology.call(unmet.read).span;
    for unstated in unmet.unstated() {
        let node = topology.node_name(unstated.node);
        let text = format!("`{node}` states no `{}`", unstated.key);
        steps.push(Step { subject: node.to_owned(), span: read, text, value: None });
    }
    if let (Need::Model(model), Some(given)) = (unmet.need, incomparable(unmet)) {
        let text = format!("neither of `{}` and `{}` implies the other", given.name(), model.name());
        steps.push(Step { subject: topology.call_name(unmet.read), span: read, text, value: None });
    }
    steps
}

fn hop(facts: &Facts<'_>, unmet: &Unmet<'_>, call: CallId) -> Step {
    let topology = facts.topology();
    let to = topology.callee_node(call);
    let text = match (unmet.weakness == Weakness::Session(call), unmet.certainty) {
        (true, Certainty::Proved) => format!("any instance of `{}` answers", topology.node_name(to)),
        (true, _) => format!("`sticky` is not stated, and several instances of `{}` run", topology.node_name(to)),
        (false, _) => format!("asks `{}`", topology.operation_name(topology.callee(call))),
    };
    let sticky = facts.cascade().call(call, &[Key::Sticky]).stated().and_then(prose::place);
    let span = sticky.filter(|_| unmet.weakness == Weakness::Session(call)).unwrap_or(topology.call(call).span);
    Step { subject: topology.call_name(call), span, text, value: None }
}

pub(super) fn answer(facts: &Facts<'_>, hop: ReadHop<'_>) -> Step {
    let name = facts.topology().node_name(hop.node).to_owned();
    let old = match (hop.age.at_least, hop.age.at_most) {
        (Extent::Unbounded, _) | (_, Some(Extent::Unbounded)) => "of any age".to_owned(),
        (Extent::Finite(Duration::ZERO), None) => "of an age that is not stated".to_owned(),
        (Extent::Finite(age), None) => format!("{age} old or more"),
        (_, Some(Extent::Finite(age))) => format!("up to {age} old"),
    };
    let text = match hop.kind {
        ReadHopKind::Gives(model) => format!("`{name}` gives `{}`", model.name()),
        ReadHopKind::Replica => format!("a copy answers, {old}"),
        ReadHopKind::SmallQuorum => format!("the copies asked may all lack the last write: {old}"),
        ReadHopKind::Cached => format!("`{name}` keeps answers, so they are {old}"),
    };
    let value = hop.age.at_least.finite().filter(|age| *age > Duration::ZERO);
    let span = hop.stated.and_then(prose::place).unwrap_or(facts.topology().node(hop.node).span);
    Step { subject: name, span, text, value: value.map(|age| Measure::Seconds(age.seconds())) }
}

/// How to state what is not stated and decides.
pub(super) fn state(facts: &Facts<'_>, unmet: &Unmet<'_>, unstated: Unstated) -> String {
    let name = facts.topology().node_name(unstated.node);
    let text = match (unstated.key, unmet.need) {
        (Key::Model, Need::Model(model)) => format!("model {}", model.name()),
        (Key::ReadFrom, _) => "read-from leader".to_owned(),
        (Key::Replication, _) => "replication none` or `replication async { worst 5s }".to_owned(),
        (Key::Quorum, _) => "quorum { n 3; r 2; w 2 }".to_owned(),
        (Key::Ttl, _) => "ttl 60s".to_owned(),
        (Key::Of, _) => "of STORE".to_owned(),
        (Key::SessionToken, _) => {
            let read = spaced(&facts.topology().call_name(unmet.read));
            return format!("if the session takes along what it has seen, say so: `session-token` on `{read}`");
        }
        (key, _) => key.to_string(),
    };
    format!("if it is so, say so: `{text}` on `{name}`")
}

/// What to write where too few copies are asked.
pub(super) fn more_copies(store: &str) -> String {
    format!("ask so many copies that r + w is more than n, and no others, in the `quorum` of `{store}`")
}

/// What to write where a copy answers that may be behind.
pub(super) fn ask_leader(facts: &Facts<'_>, unmet: &Unmet<'_>, hop: ReadHop<'_>, read: &str) -> String {
    let name = facts.topology().node_name(hop.node);
    let here = facts.topology().callee_node(unmet.read) == hop.node;
    let call = if here { format!("`{read}`") } else { format!("the reads of `{name}` that fill the cache") };
    format!("let the leader answer: `read-from leader` on {call}")
}

/// The model that is given, if it can be compared neither way with the one that is needed.
fn incomparable(unmet: &Unmet<'_>) -> Option<Model> {
    let Need::Model(model) = unmet.need else { return None };
    let given = unmet.reading.guaranteed;
    given.partial_cmp(&model).is_none().then_some(given)
}
