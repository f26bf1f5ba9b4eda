//! An ordered queue that never gives a message up: one that can never be handled stops all behind it.

use super::queue;
use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::{Answer, NodeId};
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.queues().filter(|queue| facts.redelivers(*queue)).filter_map(|queue| finding(facts, queue)).collect()
}

fn finding(facts: &Facts<'_>, queue: NodeId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let ordered = queue::given(facts, queue, Key::Ordered)?;
    let receives = queue::given(facts, queue, Key::MaxReceives).filter(|stated| queue::is_unlimited(*stated))?;
    let consumer = facts.subscriptions(queue).first().copied()?;
    // Consumers may put aside themselves what they cannot handle.
    if facts.cascade().node(queue, Key::DeadLetter).may_be_given() {
        return None;
    }
    let (certainty, told) = match facts.cascade().node(queue, Key::Alert) {
        Answer::None(_) => (Certainty::Proved, "nobody is told"),
        Answer::Unstated => (Certainty::Possible, "nobody is known to be told"),
        Answer::Given(_) | Answer::Unreadable => return None,
    };
    let (name, to) = (topology.node_name(queue), queue::consumer(facts, consumer));
    let key = ordered.setting.word().map_or("key", |word| topology.text(word));
    let message = format!("a message that `{to}` can never handle stops all behind it in `{name}`, and {told}");
    let mut diagnostic = Diagnostic::new(queue::place(facts, queue, receives), message);
    diagnostic.certainty = certainty;
    diagnostic.cause = Some(name.to_owned());
    diagnostic.group = Some("one message that can never be handled stops an ordered queue".into());
    diagnostic.subjects = vec![name.to_owned()];
    diagnostic.consequence = Some(format!("everything with its `{key}` waits until somebody takes it out by hand"));
    diagnostic.witness = vec![
        queue::step(facts, queue, ordered, format!("keeps the order of each `{key}`")),
        queue::step(facts, queue, receives, "never gives a message up".to_owned()),
        queue::call_step(facts, consumer, format!("as long as `{to}` fails on it")),
    ];
    let diagnostic = diagnostic.help(format!("if it is meant to wait, say who is told: `alert NAME` on `{name}`"));
    Some(diagnostic.help(format!(
        "or give it up after some tries, which breaks the order: `max-receives 5; dead-letter {name}-dead`"
    )))
}
