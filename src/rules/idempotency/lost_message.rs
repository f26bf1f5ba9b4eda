//! A message that has to arrive, on a way on which it can be lost.

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic, Step};
use crate::metadata::Options;
use crate::model::{CallId, NodeId};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let publishes = facts.unconfirmed_publishes().into_iter();
    let published = publishes.filter_map(|(call, certainty)| unconfirmed(facts, call, certainty));
    published.chain(facts.topology().node_ids().filter_map(|queue| dropped(facts, queue))).collect()
}

/// Nobody waits until the queue has it.
fn unconfirmed(facts: &Facts<'_>, call: CallId, certainty: Certainty) -> Option<Diagnostic> {
    let topology = facts.topology();
    let queue = topology.node_name(facts.topology().callee_node(call));
    let from = topology.operation_name(topology.caller(call));
    let delivery = facts.cascade().node(facts.topology().callee_node(call), Key::Delivery).given()?;
    let message = format!(
        "`{from}` does not wait until `{queue}` has the message: it is lost if either stops, however `{queue}` delivers"
    );
    let outbox = facts.cascade().call(call, &[Key::Outbox]).stated();
    let mut diagnostic = match outbox {
        Some(stated) => prose::about_call(facts, call, stated, message),
        None => Diagnostic::new(topology.call(call).span, message),
    };
    diagnostic.certainty = certainty;
    diagnostic.cause = Some(prose::cause_of(facts, call, outbox));
    diagnostic.group = Some("publishes are not waited for, though the message has to arrive".into());
    let span = topology.call(call).span;
    let sent = Step { subject: topology.call_name(call), span, text: "sent and forgotten".to_owned(), value: None };
    let kept = Step {
        subject: queue.to_owned(),
        span: prose::place(delivery).unwrap_or(topology.node(facts.topology().callee_node(call)).span),
        text: "keeps each message until it is handled, once it has it".to_owned(),
        value: None,
    };
    diagnostic.witness = vec![sent, kept];
    let first = if topology.kind_of(topology.caller(call)) == ElementKind::Client {
        format!("wait for the queue: `{from} -> {queue}`, with a `timeout`")
    } else {
        format!(
            "wait for the queue: `{from} -> {queue}`, with a `timeout`, or write the message with the data and send it afterwards: `outbox`"
        )
    };
    Some(
        diagnostic
            .subject(topology.call_name(call))
            .help(first)
            .help(format!("or, if a message may be lost, say so: `delivery at-most-once` on `{queue}`")),
    )
}

/// The queue acknowledges before the work is done, and somebody relies on it.
fn dropped(facts: &Facts<'_>, queue: NodeId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let stated = facts.cascade().node(queue, Key::Delivery).given()?;
    if !stated.setting.says("at-most-once") {
        return None;
    }
    let name = topology.node_name(queue);
    let operations = topology.node(queue).operations.iter();
    let calls = operations.flat_map(|operation| topology.calls_to(*operation));
    let outbox = |call: &CallId| facts.is_made(*call) && facts.cascade().call(*call, &[Key::Outbox]).given().is_some();
    let kept = calls.filter(outbox).min_by_key(|call| facts.call_rank(*call));
    let (why, subject, span) = if let Some(call) = kept {
        let from = topology.operation_name(topology.caller(call));
        (format!("`{from}` keeps it in an outbox until it is sent"), topology.call_name(call), topology.call(call).span)
    } else {
        let dead = facts.cascade().node(queue, Key::DeadLetter).given()?;
        let place = prose::place(dead).unwrap_or(topology.node(queue).span);
        ("what fails is to go to its dead-letter queue".to_owned(), name.to_owned(), place)
    };
    let message = format!("`{name}` delivers at most once, so a message is lost if its consumer fails, but {why}");
    let place = prose::place(stated).unwrap_or(topology.node(queue).span);
    let mut diagnostic = Diagnostic::new(place, message).subject(name);
    diagnostic.cause = Some(name.to_owned());
    diagnostic.witness = vec![
        Step { subject, span, text: "the message is not meant to be lost".to_owned(), value: None },
        Step { subject: name.to_owned(), span: place, text: "forgets it when it hands it out".to_owned(), value: None },
    ];
    Some(diagnostic.help(format!("write `delivery at-least-once` on `{name}`, and make its consumers idempotent")))
}
