//! A dead-letter queue that keeps messages no longer than the queue they come from, and counts from the same moment.

use super::queue;
use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic, Measure};
use crate::metadata::Options;
use crate::model::{Answer, Duration, NodeId, Stated};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let targets = facts.dead_letter_queues().into_iter();
    targets
        .flat_map(|(target, sources)| sources.into_iter().map(move |source| (source, target)))
        .filter_map(|(source, target)| finding(facts, source, target))
        .collect()
}

/// How long messages are kept: for so long, or without end.
fn kept(stated: Stated<'_>) -> Option<Duration> {
    if queue::is_unlimited(stated) { Some(Duration::MAX) } else { stated.setting.duration() }
}

fn finding(facts: &Facts<'_>, source: NodeId, target: NodeId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let [before, after] = [source, target].map(|node| queue::given(facts, node, Key::Retention));
    let (before, after) = (before?, after?);
    let (first, last) = (kept(before)?, kept(after)?);
    let from = facts.cascade().node(target, Key::RetentionFrom);
    let certainty = match from {
        Answer::Given(stated) if stated.setting.says("publish") => Certainty::Proved,
        Answer::Unstated => Certainty::Possible,
        _ => return None,
    };
    if last > first || last == Duration::MAX {
        return None;
    }
    let [from_name, name] = [source, target].map(|node| topology.node_name(node));
    let long = if first == Duration::MAX { "without end".to_owned() } else { format!("for {first}") };
    let message = format!("`{name}` keeps a message for {last} in all, and `{from_name}`, which it comes from, {long}");
    let mut diagnostic = Diagnostic::new(queue::place(facts, target, after), message);
    diagnostic.certainty = certainty;
    if certainty == Certainty::Possible {
        diagnostic =
            diagnostic.at("not stated: whether its age counts from when it was published or from when it arrived");
    }
    diagnostic.cause = Some(format!("{from_name} {name}"));
    diagnostic.group = Some("dead-letter queues keep messages no longer than the queues they come from".into());
    diagnostic.consequence =
        Some(format!("one that is given up late has little time left in `{name}`, or none, and is lost unseen"));
    diagnostic.subjects = vec![name.to_owned(), from_name.to_owned()];
    let mut early = queue::step(facts, source, before, format!("keeps a message {long}"));
    early.value = (first < Duration::MAX).then(|| Measure::Seconds(first.seconds()));
    let mut late = queue::step(facts, target, after, format!("deletes it {last} after it was published"));
    late.value = Some(Measure::Seconds(last.seconds()));
    diagnostic.witness = vec![early, late];
    let longer = if first < Duration::MAX { first.times(2) } else { last.times(2) };
    let text = format!("retention {}", longer.written());
    diagnostic.fix = prose::replace(Some(after), text.clone()).filter(|_| first < Duration::MAX);
    let diagnostic = diagnostic.help(if first < Duration::MAX {
        format!("write a longer one on `{name}`: `{text}`")
    } else {
        format!("state a `retention` with an end on `{from_name}`, and a longer one on `{name}`")
    });
    let diagnostic = diagnostic
        .help(format!("or, if the broker counts anew for what it moves, say so: `retention-from arrival` on `{name}`"));
    Some(queue::with_defaults(diagnostic, [Some(before), Some(after), from.given()]))
}
