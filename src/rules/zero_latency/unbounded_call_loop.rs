//! One call for each of unboundedly many things.

use crate::analysis::{Attempts, Facts};
use crate::diagnostic::{Diagnostic, Step};
use crate::metadata::Options;
use crate::model::CallId;
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.topology().call_ids().filter_map(|call| finding(facts, call)).collect()
}

fn finding(facts: &Facts<'_>, id: CallId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let plan = facts.plan(id);
    if !facts.is_awaited(id) || plan.times != Attempts::Unlimited {
        return None;
    }
    let stated = facts.cascade().call(id, &[Key::Times]).given()?;
    // The loop ends when the time of its operation does.
    if plan.inherits && facts.allotted(topology.caller(id)).is_bounded() {
        return None;
    }
    let name = prose::call(facts, id);
    let message = format!("nothing bounds how often `{name}` is made for one request");
    let mut diagnostic = prose::about_call(facts, id, stated, message).at("made without limit");
    let trip = facts.round_trip(id);
    let each = plan.attempt_limit().map_or_else(String::new, |(limit, _)| format!(", each up to {limit}"));
    let text = if trip > crate::model::Duration::ZERO {
        format!("made without limit, each at least {trip}{each}")
    } else {
        format!("made without limit{each}")
    };
    diagnostic.witness = vec![Step { subject: topology.call_name(id), span: stated.setting.span, text, value: None }];
    diagnostic.path = Some(prose::path(facts, topology.caller(id), &[id], 0));
    diagnostic.cause = Some(prose::cause_of(facts, id, Some(stated)));
    diagnostic.consequence = Some("the request takes as long as there are things to ask for".to_owned());
    diagnostic.help = vec![
        "write `times 1..100`, and hold to it with a page size or a limit on the batch".to_owned(),
        "or ask for all of them with one call: `times 1`, with a bound on its `response`".to_owned(),
        "or end the loop with its operation: `deadline inherited` here, and a `deadline` there".to_owned(),
    ];
    Some(diagnostic.subject(topology.call_name(id)))
}
