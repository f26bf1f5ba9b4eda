//! A queue whose messages have to be fresh, and nobody sees how old they are.

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic, Step};
use crate::metadata::Options;
use crate::model::{Answer, CallId, NodeId, Stated};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.queues().filter_map(|queue| finding(facts, queue)).collect()
}

fn finding(facts: &Facts<'_>, queue: NodeId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let (certainty, none) = unobserved(facts, queue)?;
    let (call, needs) =
        facts.subscriptions(queue).into_iter().find_map(|call| Some((call, freshness(facts, call)?)))?;
    let name = topology.node_name(queue);
    let to = topology.operation_name(topology.callee(call));
    let age = needs.setting.duration().or_else(|| needs.setting.field(Key::Staleness)?.duration())?;
    let nobody = match certainty {
        Certainty::Proved => "nobody sees how old they are in",
        _ => "nothing is stated by which their age is seen in",
    };
    let message = format!("`{to}` needs messages that are {age} old at most, and {nobody} `{name}`");
    let span = none.and_then(prose::place).unwrap_or(topology.node(queue).span);
    let mut diagnostic = Diagnostic::new(span, message);
    diagnostic.certainty = certainty;
    diagnostic.cause = Some(name.to_owned());
    diagnostic.group = Some("messages have to be fresh, and nobody sees their age".into());
    diagnostic.subjects = vec![name.to_owned(), topology.call_name(call)];
    let text = format!("needs what is {age} old at most");
    let place = prose::place(needs).unwrap_or(topology.call(call).span);
    diagnostic.witness = vec![Step { subject: topology.call_name(call), span: place, text, value: None }];
    Some(diagnostic.help(format!(
        "watch the age of the oldest message, not only their number, and say so: `metrics` or `alert NAME` on `{name}`"
    )))
}

/// Whether nobody is known to see it.
fn unobserved<'a>(facts: &Facts<'a>, queue: NodeId) -> Option<(Certainty, Option<Stated<'a>>)> {
    match [Key::Metrics, Key::Alert].map(|key| facts.cascade().node(queue, key)) {
        [metrics, alert] if metrics.may_be_given() || alert.may_be_given() => None,
        [Answer::None(stated), Answer::None(_)] => Some((Certainty::Proved, Some(stated))),
        [Answer::None(stated), _] | [_, Answer::None(stated)] => Some((Certainty::Possible, Some(stated))),
        _ => Some((Certainty::Possible, None)),
    }
}

/// What a consumer needs, or promises of what it shows.
fn freshness<'a>(facts: &Facts<'a>, call: CallId) -> Option<Stated<'a>> {
    let is_age = |stated: &Stated<'a>| stated.setting.duration().is_some();
    let to = facts.topology().callee(call);
    let needs = facts.cascade().call(call, &[Key::Needs]).given();
    let needs = needs.or_else(|| facts.cascade().operation(to, Key::Needs).given()).filter(is_age);
    let promised =
        || facts.cascade().operation(to, Key::Slo).given().filter(|slo| slo.setting.field(Key::Staleness).is_some());
    needs.or_else(promised)
}
