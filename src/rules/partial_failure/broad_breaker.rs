//! One circuit breaker over many parts: the failure of one part takes all of them away.

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic, Step};
use crate::metadata::Options;
use crate::model::{CallId, Stated};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let drawn = facts.topology().call_ids().filter(|call| !facts.topology().call(*call).implied);
    drawn.filter_map(|call| finding(facts, call)).collect()
}

fn finding(facts: &Facts<'_>, call: CallId) -> Option<Diagnostic> {
    if !facts.is_awaited(call) {
        return None;
    }
    let breaker = facts.cascade().call(call, &[Key::Breaker]).given()?;
    let callee = facts.topology().callee_node(call);
    let shards = facts.cascade().node(callee, Key::Shards).given()?;
    let count = shards.setting.count().filter(|count| *count > 1)?;
    let (certainty, scope) = match breaker.setting.field(Key::Scope) {
        None => (Certainty::Possible, "whose scope is not stated"),
        Some(scope) if scope.says("node") || scope.says("call") => (Certainty::Proved, "which is one for all"),
        Some(_) => return None,
    };
    let name = prose::call(facts, call);
    let to = facts.topology().node_name(callee);
    let message = match certainty {
        Certainty::Proved => format!("one breaker of `{name}` covers all {count} shards of `{to}`"),
        _ => format!("the breaker of `{name}` may cover all {count} shards of `{to}`: its scope is not stated"),
    };
    let mut diagnostic = prose::about_call(facts, call, breaker, message).at("when one shard fails, it opens for all");
    if let Some(place) = prose::place(shards) {
        diagnostic = diagnostic.label(place, format!("{count} parts"));
    }
    diagnostic.certainty = certainty;
    diagnostic.witness = vec![witness(facts, call, breaker, scope)];
    diagnostic.consequence =
        Some(format!("what fails for 1 in {count} then fails for everybody, or the breaker never opens for the one"));
    diagnostic.help = vec![
        "one breaker for each part: `breaker { scope shard }`".to_owned(),
        format!("or, if one part serves all of it, leave `shards` of `{to}` away"),
    ];
    diagnostic.cause = Some(prose::cause_of(facts, call, Some(breaker)));
    diagnostic.group = Some("breakers do not tell the shards of a callee apart".into());
    Some(diagnostic.subject(facts.topology().call_name(call)))
}

fn witness(facts: &Facts<'_>, call: CallId, breaker: Stated<'_>, scope: &str) -> Step {
    let span = prose::place(breaker).unwrap_or(facts.topology().call(call).span);
    Step { subject: facts.topology().call_name(call), span, text: format!("a breaker, {scope}"), value: None }
}
