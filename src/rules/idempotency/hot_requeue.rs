//! A message that failed and comes back at once: a loop without a wait.

use super::queue;
use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic, Step};
use crate::metadata::Options;
use crate::model::{Answer, NodeId, Stated};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.queues().filter(|queue| facts.redelivers(*queue)).filter_map(|queue| finding(facts, queue)).collect()
}

fn finding(facts: &Facts<'_>, queue: NodeId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let consumer = facts.subscriptions(queue).first().copied()?;
    let receives = queue::given(facts, queue, Key::MaxReceives);
    let endless = receives.filter(|stated| queue::is_unlimited(*stated));
    let (certainty, decides) = match (facts.cascade().node(queue, Key::Backoff), endless) {
        (Answer::None(stated), _) => (Certainty::Proved, stated),
        // A message that nobody acknowledged waits for its visibility; one that was refused may not.
        (Answer::Unstated, Some(stated)) if queue::given(facts, queue, Key::Visibility).is_none() => {
            (Certainty::Possible, stated)
        }
        _ => return None,
    };
    let (name, to) = (topology.node_name(queue), queue::consumer(facts, consumer));
    let message = if certainty == Certainty::Proved {
        format!("a message that `{to}` fails on comes back from `{name}` at once")
    } else {
        format!("a message that `{to}` fails on comes back from `{name}` without end, and no wait is stated")
    };
    let mut diagnostic = Diagnostic::new(queue::place(facts, queue, decides), message);
    diagnostic.certainty = certainty;
    diagnostic.cause = Some(name.to_owned());
    diagnostic.group = Some("queues hand messages that failed out again at once".into());
    diagnostic.consequence = Some(fate(receives, endless.is_some(), &to));
    diagnostic.subjects = vec![name.to_owned()];
    diagnostic.witness = witness(
        facts,
        queue,
        receives,
        decides,
        queue::call_step(facts, consumer, format!("as long as `{to}` fails on it")),
    );
    diagnostic.fix = prose::replace(Some(decides).filter(|_| certainty == Certainty::Proved), WAIT.to_owned());
    Some(diagnostic.help(format!("write the wait before the next try on `{name}`: `{WAIT}`")))
}

const WAIT: &str = "backoff exponential 1s..5m jitter full";

fn fate(receives: Option<Stated<'_>>, endless: bool, to: &str) -> String {
    match receives.and_then(|stated| stated.setting.count()) {
        _ if endless => format!("while `{to}` cannot handle it, it does nothing else"),
        Some(count) => format!("its {count} tries are over in a moment: a short outage gives up every message"),
        None => "its tries follow each other without a wait, however many there are".to_owned(),
    }
}

fn witness(
    facts: &Facts<'_>,
    queue: NodeId,
    receives: Option<Stated<'_>>,
    decides: Stated<'_>,
    fails: Step,
) -> Vec<Step> {
    let many = receives.filter(|stated| stated.setting.key != decides.setting.key);
    let many = many.map(|stated| {
        let text = match stated.setting.count() {
            Some(count) => format!("hands a message out {count} times"),
            None => "hands a message out without end".to_owned(),
        };
        queue::step(facts, queue, stated, text)
    });
    let again = queue::step(facts, queue, decides, "hands it out again".to_owned());
    std::iter::once(again).chain(many).chain([fails]).collect()
}
