//! Tries that can never run when the callee hangs, because what bounds them all together is over before.

use super::statement::{is_written, one_each};
use crate::analysis::{Attempts, Extent, Facts, Limit};
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::{Answer, CallId, Duration, Origin, Stated};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    one_each(facts, facts.calls_by_name().filter_map(|call| Some((call, finding(facts, call)?))))
}

fn finding(facts: &Facts<'_>, id: CallId) -> Option<Diagnostic> {
    let plan = facts.plan(id);
    let Attempts::AtMost(attempts) = plan.attempts else { return None };
    let written = is_written(plan.attempts_stated);
    if attempts < 2 || !written || !facts.is_awaited(id) || facts.is_local(id) || plan.hedge.is_some() {
        return None;
    }
    let late = tries_late_answers(facts, id)?;
    let (bound, stated) = bound(facts, id)?;
    let name = prose::call(facts, id);
    let (message, started, certainty) = match (plan.attempt(), plan.timeout) {
        (Some(single), _) => {
            let Attempts::AtMost(started) = plan.started_in_a_hang(single, bound) else { return None };
            let message = format!(
                "only {started} of the {attempts} tries of `{name}` can start in a hang: all of them together have {bound}"
            );
            (message, started, Certainty::Proved)
        }
        (None, Limit::None(_)) if late => (endless_try(&name, bound), 1, Certainty::Proved),
        (None, Limit::Unstated) if late => (endless_try(&name, bound), 1, Certainty::Possible),
        (None, _) => return None,
    };
    if started >= attempts {
        return None;
    }
    let call = facts.topology().call(id);
    let mut diagnostic = Diagnostic::new(prose::place(stated).unwrap_or(call.span), message);
    if stated.origin != Origin::Own {
        diagnostic = diagnostic.label(call.span, "for this call");
    }
    diagnostic = diagnostic.subject(facts.topology().call_name(id));
    diagnostic.certainty = certainty;
    diagnostic.cause = Some(prose::cause_of(facts, id, Some(stated)));
    diagnostic.group = Some("calls have tries that never run in a hang".into());
    diagnostic.help = help(facts, id, attempts, started, bound);
    Some(diagnostic)
}

fn endless_try(name: &str, bound: Duration) -> String {
    format!("a try of `{name}` that gets no answer takes all of its {bound}, so no other one follows")
}

/// Whether `retry-on` names answers that do not come in time; none if it leaves them out: then the tries are for
/// failures that come fast.
fn tries_late_answers(facts: &Facts<'_>, id: CallId) -> Option<bool> {
    match facts.cascade().call(id, &[Key::RetryOn]) {
        Answer::Given(stated) => (stated.setting.says("timeout") || stated.setting.says("any")).then_some(true),
        Answer::Unstated => Some(false),
        Answer::None(_) | Answer::Unreadable => None,
    }
}

/// What bounds all tries together: the call's own deadline, or the most that its caller has on any way.
fn bound<'a>(facts: &'a Facts<'_>, id: CallId) -> Option<(Duration, Stated<'a>)> {
    let plan = facts.plan(id);
    let own = if let Limit::At(deadline, stated) = plan.deadline { Some((deadline, stated)) } else { None };
    let inherited = facts.allotted(facts.topology().caller(id)).at_most.filter(|_| plan.inherits);
    let stated = facts.cascade().call(id, &[Key::Deadline]).given();
    own.into_iter().chain(inherited.zip(stated)).min_by_key(|(bound, _)| *bound)
}

fn help(facts: &Facts<'_>, id: CallId, attempts: u64, started: u64, bound: Duration) -> Vec<String> {
    let plan = facts.plan(id);
    let mut help = Vec::new();
    let waits = plan.waits();
    if let Extent::Finite(waits) = waits
        && let Some(each) = share(bound.minus(waits), attempts)
    {
        help.push(format!("`timeout {}` for each try lets all {attempts} run", each.written()));
    }
    help.push(format!("or fewer of them: `attempts {started}`"));
    help.push("or say that they are for failures that come fast: `retry-on connect, refused, unavailable`".to_owned());
    help
}

/// An equal share, in whole milliseconds.
fn share(time: Duration, parts: u64) -> Option<Duration> {
    let each = Duration::from_milliseconds(time.nanoseconds() / parts.max(1) / 1_000_000);
    (each > Duration::ZERO).then_some(each)
}
