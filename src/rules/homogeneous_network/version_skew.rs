//! What was sent in an older version, to somebody who understands it no longer.

use crate::analysis::Facts;
use crate::diagnostic::{Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{Answer, CallId, Duration, NodeId, Stated};
use crate::rules::idempotency::queue as queues;
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let queues = facts.queues();
    let kept = queues.flat_map(|queue| facts.subscriptions(queue).into_iter().map(move |call| (queue, call)));
    let old = kept.filter_map(|(queue, call)| kept_too_long(facts, queue, call));
    old.chain(facts.topology().call_ids().filter_map(|call| two_versions_at_once(facts, call))).collect()
}

/// For how long a node understands older versions; none if that is not stated or without end.
fn understands<'a>(facts: &Facts<'a>, node: NodeId) -> Option<(Duration, Stated<'a>)> {
    match facts.cascade().node(node, Key::Compatibility) {
        Answer::Given(stated) => Some((stated.setting.duration()?, stated)),
        Answer::None(stated) => Some((Duration::ZERO, stated)),
        Answer::Unstated | Answer::Unreadable => None,
    }
}

/// A message that may be older than its consumer can read.
fn kept_too_long(facts: &Facts<'_>, queue: NodeId, call: CallId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let consumer = facts.topology().callee_node(call);
    let (window, stated) = understands(facts, consumer)?;
    let retention = facts.cascade().node(queue, Key::Retention).given()?;
    let kept = retention.setting.duration();
    if kept.is_some_and(|kept| kept <= window) {
        return None;
    }
    let (name, to) = (topology.node_name(queue), topology.node_name(consumer));
    let old = kept.map_or_else(|| "of any age".to_owned(), |kept| format!("up to {kept} old"));
    let message = format!("`{name}` delivers messages {old}, and `{to}` {}", reads(window));
    let mut diagnostic = Diagnostic::new(place(facts, consumer, stated), message);
    diagnostic.cause = Some(format!("{name} {to}"));
    diagnostic.group = Some("consumers do not understand all that they may get".into());
    diagnostic.consequence =
        Some("after a change of what is sent, messages that waited can be handled by nobody any more".to_owned());
    let step = |node: NodeId, stated, text: String, time: Option<Duration>| Step {
        subject: topology.node_name(node).to_owned(),
        span: place(facts, node, stated),
        text,
        value: time.map(|time| Measure::Seconds(time.seconds())),
    };
    diagnostic.witness = vec![
        step(
            queue,
            retention,
            kept.map_or_else(|| "keeps messages without end".to_owned(), |kept| format!("keeps messages for {kept}")),
            kept,
        ),
        step(consumer, stated, reads(window), Some(window)),
    ];
    let help = match kept {
        Some(kept) => format!("let `{to}` read what is as old: `compatibility {}`", kept.written()),
        None => format!("let `{to}` read every version there ever was: `compatibility unlimited`"),
    };
    Some(queues::with_defaults(
        diagnostic
            .subject(to)
            .subject(name)
            .help(help)
            .help(format!("or keep messages in `{name}` no longer than that: `retention`")),
        [Some(retention)],
    ))
}

fn reads(window: Duration) -> String {
    if window == Duration::ZERO {
        "understands its own version only".to_owned()
    } else {
        format!("understands older versions for {window}")
    }
}

/// Old and new callers during a staged rollout, to a callee that understands one version.
fn two_versions_at_once(facts: &Facts<'_>, id: CallId) -> Option<Diagnostic> {
    let topology = facts.topology();
    facts.hop(id)?;
    let [from, to] = [topology.caller(id), topology.callee(id)].map(|end| topology.node_id_of(end));
    let services = [from, to].map(|node| topology.node(node).kind == ElementKind::Service);
    let staged = facts.cascade().node(from, Key::Rollout).given().filter(|stated| stated.setting.says("staged"))?;
    let Answer::None(stated) = facts.cascade().node(to, Key::Compatibility) else { return None };
    if services != [true, true] || from == to {
        return None;
    }
    let [caller, callee] = [from, to].map(|node| topology.node_name(node));
    let message = format!(
        "while `{caller}` is rolled out, old and new instances call `{callee}`, which understands its own version only"
    );
    let mut diagnostic = Diagnostic::new(place(facts, to, stated), message);
    diagnostic.cause = Some(callee.to_owned());
    diagnostic.group = Some("callees understand one version while their callers have two".into());
    if let Some(span) = prose::place(staged) {
        diagnostic = diagnostic.label(span, format!("`{caller}` has two versions for a while"));
    }
    let diagnostic = diagnostic.subject(callee).subject(caller);
    Some(diagnostic.help(format!("let `{callee}` understand the version before its own for as long as a rollout and a way back take: `compatibility 7d`")))
}

fn place(facts: &Facts<'_>, node: NodeId, stated: Stated<'_>) -> crate::source::Span {
    prose::place(stated).unwrap_or(facts.topology().node(node).span)
}
