//! Many callers that wait for the same time and then try again together.

use super::statement::one_each;
use crate::analysis::{Backoff, Facts};
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::{Answer, CallId, Origin, Setting};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    one_each(facts, facts.calls_by_name().filter_map(|call| Some((call, finding(facts, call)?))))
}

fn finding(facts: &Facts<'_>, id: CallId) -> Option<Diagnostic> {
    let plan = facts.plan(id);
    let backoff = plan.backoff.filter(Backoff::waits)?;
    let Answer::Given(stated) = plan.backoff_stated else { return None };
    if !plan.attempts.repeat() || !facts.is_made(id) || facts.is_local(id) || backoff.jitters() == Some(true) {
        return None;
    }
    let (callers, counted) = callers(facts, id)?;
    let topology = facts.topology();
    let call = topology.call(id);
    let name = prose::call(facts, id);
    let without = backoff.jitters() == Some(false);
    // Of clients nobody has said how many there are: one unknown is enough.
    if !without && !counted {
        return None;
    }
    let message = if without {
        format!("{callers} wait for exactly the same time before they try `{name}` again")
    } else {
        format!("`{name}` is tried again by {callers}, and its `backoff` states no jitter")
    };
    let place = prose::place(stated);
    let mut diagnostic = Diagnostic::new(place.unwrap_or(call.span), message).subject(topology.call_name(id));
    if stated.origin != Origin::Own && place.is_some() {
        diagnostic = diagnostic.label(call.span, "for this call");
    }
    if !(without && counted) {
        diagnostic.certainty = Certainty::Possible;
    }
    diagnostic.consequence = Some(format!(
        "what fails for all of them at once comes back as a wave at `{}`, again and again",
        topology.operation_name(call.to)
    ));
    diagnostic.cause = Some(prose::cause_of(facts, id, Some(stated)));
    diagnostic.group = Some("calls are tried again without jitter".into());
    let text = with_jitter(stated.setting);
    diagnostic.fix = prose::replace(Some(stated), text.clone());
    let mut diagnostic = diagnostic.help(format!("write `{text}`"));
    if let Some((client, default)) = stated.entry() {
        diagnostic = diagnostic.help(super::statement::source(client, default));
    }
    Some(diagnostic)
}

/// Who tries again at once, and whether their number is stated: people at their clients, or several instances of a
/// service. One job is alone.
fn callers(facts: &Facts<'_>, id: CallId) -> Option<(String, bool)> {
    let topology = facts.topology();
    let node = topology.caller_node(id);
    if topology.node(node).kind == ElementKind::Client {
        let scheduled = facts.cascade().call(id, &[Key::Every]).may_be_given();
        let single = facts.instances(node).is_some_and(|(_, most)| most <= 1);
        return (!scheduled && !single).then(|| (format!("all clients `{}`", topology.node_name(node)), false));
    }
    let (_, most) = facts.instances(node).filter(|(_, most)| *most > 1)?;
    Some((format!("{most} instances of `{}`", topology.node_name(node)), true))
}

fn with_jitter(backoff: &Setting) -> String {
    match (backoff.duration_range(), backoff.duration()) {
        (Some((first, cap)), _) => format!("backoff exponential {}..{} jitter full", first.written(), cap.written()),
        (None, wait) => format!("backoff fixed {} jitter full", wait.unwrap_or_default().written()),
    }
}
