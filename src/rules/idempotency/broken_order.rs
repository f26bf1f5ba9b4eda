//! A consumer that relies on an order that its queue, or itself, does not keep.

use super::queue;
use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::{Answer, CallId, NodeId, Stated};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let all = facts.queues().flat_map(|queue| facts.subscriptions(queue).into_iter().map(move |call| (queue, call)));
    all.filter_map(|(queue, call)| finding(facts, queue, call)).collect()
}

/// What breaks an order, and where that is stated.
struct Broken<'a> {
    why: String,
    stated: Option<Stated<'a>>,
    certainty: Certainty,
    help: String,
}

fn finding(facts: &Facts<'_>, queue: NodeId, call: CallId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let needed = facts.cascade().call(call, &[Key::Ordered]);
    let (needs, broken) = match needed {
        Answer::Given(stated) => (Some(stated), not_kept(facts, queue, call, stated)?),
        Answer::Unstated => (None, at_once(facts, queue, call)?),
        Answer::None(_) | Answer::Unreadable => return None,
    };
    let (name, to) = (topology.node_name(queue), queue::consumer(facts, call));
    let message = match needs {
        Some(_) => format!("`{to}` relies on the order of `{name}`, but {}", broken.why),
        None => format!("`{name}` keeps an order, but {}", broken.why),
    };
    let span = broken.stated.and_then(prose::place).unwrap_or(topology.call(call).span);
    let mut diagnostic = Diagnostic::new(span, message);
    diagnostic.certainty = broken.certainty;
    if needs.is_none() {
        diagnostic = diagnostic.at(format!("not stated: whether `{to}` relies on the order"));
    }
    diagnostic.cause = Some(prose::cause(facts, call));
    diagnostic.group = Some("consumers rely on an order that is not kept".into());
    diagnostic.subjects = vec![topology.call_name(call), name.to_owned()];
    let relies = needs.map(|_| queue::call_step(facts, call, "relies on the order".to_owned()));
    let breaks = broken.stated.map(|stated| queue::step(facts, queue, stated, broken.why.clone()));
    diagnostic.witness = relies.into_iter().chain(breaks).collect();
    let diagnostic = diagnostic.help(broken.help);
    Some(diagnostic.help(format!(
        "or, if `{to}` can do without the order (it compares versions, or what it does commutes), say so: `ordered none` on `{}`",
        prose::call(facts, call)
    )))
}

/// An order that is relied on: the queue has to keep it, and nobody may be overtaken.
fn not_kept<'a>(facts: &Facts<'a>, queue: NodeId, call: CallId, needs: Stated<'a>) -> Option<Broken<'a>> {
    let topology = facts.topology();
    let name = topology.node_name(queue);
    let key = needs.setting.word().map_or("KEY", |word| topology.text(word));
    let state = format!("write `ordered by {}` on `{name}`, if it keeps it", prose::written(key));
    match facts.cascade().node(queue, Key::Ordered) {
        Answer::None(stated) => {
            let why = format!("`{name}` keeps none");
            Some(Broken { why, stated: Some(stated), certainty: Certainty::Proved, help: state })
        }
        Answer::Unstated => {
            let why = format!("`{name}` states none");
            Some(Broken { why, stated: None, certainty: Certainty::Possible, help: state })
        }
        Answer::Unreadable => None,
        Answer::Given(kept) if kept.setting.word() != needs.setting.word() => {
            let other = kept.setting.word().map_or("another key", |word| topology.text(word));
            let why = format!("`{name}` keeps that of each `{other}`, not of each `{key}`");
            Some(Broken { why, stated: Some(kept), certainty: Certainty::Possible, help: state })
        }
        Answer::Given(_) => at_once(facts, queue, call)
            .map(|broken| Broken { certainty: Certainty::Proved, ..broken })
            .or_else(|| overtaken(facts, queue)),
    }
}

/// Messages of one key that are handled at the same time.
fn at_once<'a>(facts: &Facts<'a>, queue: NodeId, call: CallId) -> Option<Broken<'a>> {
    queue::given(facts, queue, Key::Ordered)?;
    let handling = facts.handling(call);
    if handling.sequential != Some(false) {
        return None;
    }
    let to = queue::consumer(facts, call);
    Some(Broken {
        why: format!("`{to}` handles the {} messages of a batch at the same time", handling.batch),
        stated: facts.cascade().call(call, &[Key::Batch]).given(),
        certainty: Certainty::Possible,
        help: format!("let it handle them one after another: `batch {} sequential`", handling.batch),
    })
}

/// A message that is given up is overtaken by those behind it.
fn overtaken<'a>(facts: &Facts<'a>, queue: NodeId) -> Option<Broken<'a>> {
    let name = facts.topology().node_name(queue);
    let last = queue::given(facts, queue, Key::DeadLetter)?;
    let count = queue::given(facts, queue, Key::MaxReceives)?.setting.count()?;
    Some(Broken {
        why: format!("`{name}` gives a message up after {count} tries, and those behind it overtake it"),
        stated: Some(last),
        certainty: Certainty::Proved,
        help: format!(
            "let later ones wait for it, and somebody know: `max-receives unlimited; alert NAME` on `{name}`, without `dead-letter`"
        ),
    })
}
