//! A call that is tried again whatever the answer was, refusals included.

use super::statement::one_each;
use crate::analysis::Facts;
use crate::diagnostic::Diagnostic;
use crate::metadata::Options;
use crate::model::{CallId, Origin};
use crate::rules::prose;
use crate::vocabulary::Key;

/// What may go well another time.
const TRANSIENT: &str = "retry-on connect, refused, reset, timeout, throttled, unavailable";

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    one_each(facts, facts.calls_by_name().filter_map(|call| Some((call, finding(facts, call)?))))
}

fn finding(facts: &Facts<'_>, id: CallId) -> Option<Diagnostic> {
    let plan = facts.plan(id);
    let stated = facts.cascade().call(id, &[Key::RetryOn]).given().filter(|stated| stated.setting.says("any"))?;
    if !facts.is_made(id) || !plan.attempts.repeat() {
        return None;
    }
    let call = facts.topology().call(id);
    let name = prose::call(facts, id);
    let message = format!("`{name}` is tried again after any failure, also after those that come again");
    let mut diagnostic = Diagnostic::new(prose::place(stated).unwrap_or(call.span), message);
    if stated.origin != Origin::Own {
        diagnostic = diagnostic.label(call.span, "for this call");
    }
    diagnostic = diagnostic.subject(facts.topology().call_name(id));
    diagnostic.cause = Some(prose::cause_of(facts, id, Some(stated)));
    diagnostic.group = Some("calls are tried again after any failure".into());
    diagnostic.consequence = Some(
        "what is malformed, not allowed, not found or over its quota is refused each time: more load, no other answer"
            .to_owned(),
    );
    diagnostic.fix = prose::replace(Some(stated), TRANSIENT.to_owned());
    Some(diagnostic.help(format!("name the failures that may pass: `{TRANSIENT}`")))
}
