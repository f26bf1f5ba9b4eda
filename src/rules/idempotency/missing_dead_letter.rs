//! A queue that hands messages out again, and has no place for those that never succeed.

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic, Step};
use crate::ids::IdSet;
use crate::model::{Answer, CallId, NodeId, Stated};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &crate::metadata::Options) -> Vec<Diagnostic> {
    let topology = facts.topology();
    let last: IdSet<NodeId> = topology
        .node_ids()
        .filter_map(|id| facts.cascade().node(id, Key::DeadLetter).given())
        .flat_map(|stated| stated.setting.nodes())
        .collect();
    let queues = topology.node_ids().filter(|id| facts.redelivers(*id) && !last.contains(id));
    queues.filter_map(|queue| finding(facts, queue)).collect()
}

fn finding(facts: &Facts<'_>, queue: NodeId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let look = |key| facts.cascade().node(queue, key);
    let (certainty, none) = match look(Key::DeadLetter) {
        Answer::None(stated) => (Certainty::Proved, Some(stated)),
        Answer::Unstated => (Certainty::Possible, None),
        Answer::Given(_) | Answer::Unreadable => return None,
    };
    let consumer = consumer(facts, queue)?;
    if may_lose(facts, queue) || blocks_on_purpose(facts, queue) {
        return None;
    }
    let name = topology.node_name(queue);
    let to = topology.operation_name(topology.callee(consumer));
    let message = match none {
        Some(_) => format!("`{name}` has no place for a message that `{to}` can never handle: `dead-letter none`"),
        None => format!("`{name}` states no place for a message that `{to}` can never handle"),
    };
    let span = none.and_then(prose::place).unwrap_or(topology.node(queue).span);
    let mut diagnostic = Diagnostic::new(span, message).subject(name);
    diagnostic.certainty = certainty;
    diagnostic.cause = Some(name.to_owned());
    diagnostic.group = Some(match certainty {
        Certainty::Proved => "queues hand messages out again, and `dead-letter none`".into(),
        _ => "queues hand messages out again and state no `dead-letter`".into(),
    });
    let receives = look(Key::MaxReceives).given();
    diagnostic.consequence = Some(fate(receives, certainty));
    diagnostic.witness = witness(facts, queue, consumer);
    diagnostic.help = help(facts, queue, receives);
    Some(diagnostic)
}

/// Its first consumer by name.
fn consumer(facts: &Facts<'_>, queue: NodeId) -> Option<CallId> {
    let topology = facts.topology();
    let calls = topology.node(queue).operations.iter().flat_map(|operation| topology.calls_from(*operation));
    calls.filter(|call| facts.is_made(*call)).min_by_key(|call| facts.call_rank(*call))
}

/// Messages that may be lost: those of telemetry, and those of a queue that drops the oldest when it is full.
fn may_lose(facts: &Facts<'_>, queue: NodeId) -> bool {
    let says = |key, word| match facts.cascade().node(queue, key) {
        Answer::Given(stated) => stated.setting.says(word),
        Answer::Unreadable => true,
        Answer::None(_) | Answer::Unstated => false,
    };
    says(Key::Role, "telemetry") || says(Key::Overflow, "drop-oldest")
}

/// An ordered stream that never gives up: what comes later is meant to wait.
fn blocks_on_purpose(facts: &Facts<'_>, queue: NodeId) -> bool {
    let receives = facts.cascade().node(queue, Key::MaxReceives).given();
    let unlimited = receives.is_some_and(|stated| stated.setting.says("unlimited"));
    unlimited && facts.cascade().node(queue, Key::Ordered).may_be_given()
}

fn fate(receives: Option<Stated<'_>>, certainty: Certainty) -> String {
    let count = receives.and_then(|stated| stated.setting.count());
    match (receives, count) {
        (_, Some(count)) => format!("handed out {count} times, it is given up and lost"),
        (Some(_), None) => "it comes back without end, and holds a consumer each time".to_owned(),
        (None, None) if certainty == Certainty::Proved => {
            "it comes back without end, or is given up and lost".to_owned()
        }
        (None, None) => "it comes back without end, or is lost: which, is not stated".to_owned(),
    }
}

fn witness(facts: &Facts<'_>, queue: NodeId, consumer: CallId) -> Vec<Step> {
    let topology = facts.topology();
    let again = [Key::Delivery, Key::MaxReceives, Key::Visibility]
        .into_iter()
        .find_map(|key| facts.cascade().node(queue, key).given());
    let again = again.and_then(prose::place).map(|span| Step {
        subject: topology.node_name(queue).to_owned(),
        span,
        text: "a message may be handed out again".to_owned(),
        value: None,
    });
    let to = topology.operation_name(topology.callee(consumer));
    let handles = Step {
        subject: topology.call_name(consumer),
        span: topology.call(consumer).span,
        text: format!("as long as `{to}` fails on it"),
        value: None,
    };
    again.into_iter().chain([handles]).collect()
}

fn help(facts: &Facts<'_>, queue: NodeId, receives: Option<Stated<'_>>) -> Vec<String> {
    let name = facts.topology().node_name(queue);
    let limit = match receives {
        Some(stated) if stated.setting.count().is_some() => "",
        _ => "max-receives 5; ",
    };
    let ordered = facts.cascade().node(queue, Key::Ordered).may_be_given();
    let order = if ordered { "" } else { "`ordered by KEY` and " };
    vec![
        format!(
            "declare `queue {name}-dead {{ owner TEAM; retention 14d }}`, and on `{name}` write `{limit}dead-letter {name}-dead`"
        ),
        format!("or, if a message may be lost, say so: `delivery at-most-once` on `{name}`"),
        format!("or, if later messages are to wait for it: {order}`max-receives unlimited` on `{name}`"),
    ]
}
