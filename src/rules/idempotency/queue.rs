//! How rules speak of queues: what is stated of them, and what their broker fills in.

use crate::analysis::Facts;
use crate::diagnostic::{Diagnostic, Step};
use crate::model::{CallId, NodeId, Stated};
use crate::rules::prose;
use crate::source::Span;
use crate::vocabulary::Key;

/// What is stated of a queue, or filled in by its broker.
pub(in crate::rules) fn given<'a>(facts: &Facts<'a>, queue: NodeId, key: Key) -> Option<Stated<'a>> {
    facts.cascade().node(queue, key).given()
}

/// Whether a value is stated, and is one of the words for "without end".
pub(in crate::rules) fn is_unlimited(stated: Stated<'_>) -> bool {
    stated.setting.says("unlimited")
}

/// "`visibility` is 30 s by default of Amazon SQS (standard queues), read 2026-11-22"; nothing for what is written here.
pub(in crate::rules) fn default_of(stated: Stated<'_>) -> Option<String> {
    let (client, default) = stated.entry()?;
    let (key, written, title, versions) = (stated.setting.key, &default.written, &client.title, &client.versions);
    Some(format!(
        "`{key} {written}` is the default of {title} ({versions}): {}, read {}",
        default.meaning, default.date
    ))
}

/// The place of a statement, or of the queue if its broker fills it in.
pub(in crate::rules) fn place(facts: &Facts<'_>, queue: NodeId, stated: Stated<'_>) -> Span {
    prose::place(stated).unwrap_or(facts.topology().node(queue).span)
}

/// A hop of a witness on a queue.
pub(in crate::rules) fn step(facts: &Facts<'_>, queue: NodeId, stated: Stated<'_>, text: String) -> Step {
    let subject = facts.topology().node_name(queue).to_owned();
    Step { subject, span: place(facts, queue, stated), text, value: None }
}

/// A hop of a witness on a call.
pub(in crate::rules) fn call_step(facts: &Facts<'_>, call: CallId, text: String) -> Step {
    let topology = facts.topology();
    Step { subject: topology.call_name(call), span: topology.call(call).span, text, value: None }
}

/// Says what the broker fills in, where that decides.
pub(in crate::rules) fn with_defaults<'a>(
    diagnostic: Diagnostic,
    deciding: impl IntoIterator<Item = Option<Stated<'a>>>,
) -> Diagnostic {
    deciding.into_iter().flatten().filter_map(default_of).fold(diagnostic, Diagnostic::help)
}

/// "`mailer.send`": who handles what a call delivers.
pub(in crate::rules) fn consumer(facts: &Facts<'_>, delivery: CallId) -> String {
    facts.topology().operation_name(facts.topology().callee(delivery))
}
