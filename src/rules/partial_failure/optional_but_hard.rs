//! A call that is said to be optional, and without which its caller fails.

use crate::analysis::Facts;
use crate::diagnostic::{Diagnostic, Step};
use crate::metadata::Options;
use crate::model::{CallId, Stated};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let has_breaker = |call| facts.cascade().call(call, &[Key::Breaker]).may_be_given();
    let claimed = claimed(facts).into_iter().filter(|(call, _)| !has_breaker(*call));
    claimed.map(|(call, stated)| finding(facts, call, stated)).collect()
}

/// Calls that are said to be optional, but that nothing stands in for.
pub(super) fn claimed<'f>(facts: &Facts<'f>) -> Vec<(CallId, Stated<'f>)> {
    let may_answer = |call| facts.cascade().call(call, &[Key::Fallback]).may_be_given();
    let drawn = facts.topology().call_ids().filter(|call| !facts.topology().call(*call).implied);
    let hard = drawn.filter(|call| facts.is_hard(*call) && !may_answer(*call));
    hard.filter_map(|call| Some((call, facts.cascade().call(call, &[Key::Optional]).given()?))).collect()
}

fn finding(facts: &Facts<'_>, call: CallId, stated: Stated<'_>) -> Diagnostic {
    let (from, to) = ends(facts, call);
    let message = format!("`{}` is said to be optional, but `{from}` fails without `{to}`", prose::call(facts, call));
    let mut diagnostic = prose::about_call(facts, call, stated, message).at("optional, and no `fallback`");
    diagnostic.help = vec![
        "say what the answer is without it: `fallback \"what is shown instead\"`".to_owned(),
        "or do not wait for it: `->>`".to_owned(),
        "or leave `optional` away, if there is no answer without it".to_owned(),
    ];
    finish(facts, call, diagnostic)
}

pub(super) fn ends(facts: &Facts<'_>, call: CallId) -> (String, String) {
    let topology = facts.topology();
    (topology.operation_name(topology.caller(call)), topology.operation_name(topology.callee(call)))
}

pub(super) fn finish(facts: &Facts<'_>, call: CallId, mut diagnostic: Diagnostic) -> Diagnostic {
    let topology = facts.topology();
    let (from, to) = ends(facts, call);
    diagnostic.witness = vec![Step {
        subject: topology.call_name(call),
        span: topology.call(call).span,
        text: format!("without `{to}`, no `{from}`"),
        value: None,
    }];
    diagnostic.cause = Some(prose::cause(facts, call));
    diagnostic.group = Some("calls are said to be optional, and nothing answers without them".into());
    diagnostic.subject(topology.call_name(call))
}
