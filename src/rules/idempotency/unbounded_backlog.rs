//! A queue that has no end, or of which nobody says what happens at its end.

use super::queue;
use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::{Answer, NodeId, Stated};
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.queues().filter_map(|queue| finding(facts, queue)).collect()
}

fn finding(facts: &Facts<'_>, queue: NodeId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let name = topology.node_name(queue);
    let (certainty, decides, message, help) = backlog(facts, queue, name)?;
    let mut diagnostic = Diagnostic::new(queue::place(facts, queue, decides), message);
    diagnostic.certainty = certainty;
    diagnostic.cause = Some(name.to_owned());
    diagnostic.group = Some("queues state no end, or not what happens there".into());
    diagnostic.subjects = vec![name.to_owned()];
    let diagnostic = help.into_iter().fold(diagnostic, Diagnostic::help);
    Some(queue::with_defaults(diagnostic, [Some(decides)]))
}

type Found<'a> = (Certainty, Stated<'a>, String, Vec<String>);

fn backlog<'a>(facts: &Facts<'a>, queue: NodeId, name: &str) -> Option<Found<'a>> {
    let look = |key| facts.cascade().node(queue, key);
    let endless = |answer: Answer<'a>| answer.given().filter(|stated| queue::is_unlimited(*stated));
    let (length, age) = (look(Key::MaxLength), look(Key::Retention));
    let grows =
        format!("`{name}` takes every message and keeps it until it is handled: nothing bounds what waits there");
    let help = vec![
        format!("bound it, and say what happens then: `max-length N; overflow reject` on `{name}`"),
        format!("or say how long a message is worth keeping: `retention 7d` on `{name}`"),
    ];
    match (length, age, endless(length), endless(age)) {
        (.., Some(stated), Some(_)) => Some((Certainty::Proved, stated, grows, help)),
        (_, Answer::Unstated, Some(stated), _) => {
            let message = format!("`{name}` holds any number of messages, and states no `retention`");
            Some((Certainty::Possible, stated, message, help))
        }
        (Answer::Unstated, _, _, Some(stated)) => {
            let message = format!("`{name}` keeps messages without end, and states no `max-length`");
            Some((Certainty::Possible, stated, message, help))
        }
        (Answer::Given(stated), _, None, _) if matches!(look(Key::Overflow), Answer::Unstated) => {
            let message = format!("what happens when `{name}` is full is not stated");
            let help = "write `overflow reject`, `overflow drop-oldest` or `overflow block` beside its `max-length`";
            Some((Certainty::Possible, stated, message, vec![help.to_owned()]))
        }
        _ => None,
    }
}
