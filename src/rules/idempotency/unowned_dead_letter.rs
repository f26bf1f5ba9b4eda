//! A queue for what was given up, into which nobody looks.

use super::queue;
use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::{Answer, NodeId, Stated};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.dead_letter_queues().into_iter().filter_map(|(queue, sources)| finding(facts, queue, &sources)).collect()
}

fn finding(facts: &Facts<'_>, queue: NodeId, sources: &[NodeId]) -> Option<Diagnostic> {
    let topology = facts.topology();
    // Whoever takes the messages out again deals with them.
    if !facts.subscriptions(queue).is_empty() {
        return None;
    }
    let (certainty, stated, why) = unowned(facts, queue)?;
    let name = topology.node_name(queue);
    let span = stated.and_then(prose::place).unwrap_or(topology.node(queue).span);
    let mut diagnostic = Diagnostic::new(span, format!("`{name}` takes what was given up, and {why}"));
    diagnostic.certainty = certainty;
    diagnostic.cause = Some(name.to_owned());
    diagnostic.group = Some("queues take what was given up, and nobody is known to look into them".into());
    diagnostic.consequence = Some("messages stay there until they are too old, and are lost".to_owned());
    diagnostic.subjects = vec![name.to_owned()];
    for source in sources.iter().take(3) {
        if let Some(stated) = queue::given(facts, *source, Key::DeadLetter) {
            let text = format!("gives messages up into `{name}`");
            diagnostic.witness.push(queue::step(facts, *source, stated, text));
        }
    }
    let diagnostic = diagnostic.help(format!("write on `{name}` who is told when a message arrives: `alert NAME`"));
    Some(diagnostic.help("or who answers for it, `owner TEAM`, or draw what puts its messages back"))
}

/// Whether it is known that nobody looks into it.
fn unowned<'a>(facts: &Facts<'a>, queue: NodeId) -> Option<(Certainty, Option<Stated<'a>>, &'static str)> {
    let look = |key| facts.cascade().node(queue, key);
    match (look(Key::Alert), look(Key::Owner)) {
        (Answer::None(stated), _) => Some((Certainty::Proved, Some(stated), "nobody is told: `alert none`")),
        (Answer::Unstated, Answer::None(stated)) => {
            Some((Certainty::Proved, Some(stated), "nobody answers for it: `owner none`"))
        }
        (Answer::Unstated, Answer::Unstated) => {
            Some((Certainty::Possible, None, "states nobody who is told or answers for it"))
        }
        (Answer::Given(_) | Answer::Unreadable, _) | (Answer::Unstated, Answer::Given(_) | Answer::Unreadable) => None,
    }
}
