//! A call that states something else than what its callee insists on.

use crate::analysis::Facts;
use crate::diagnostic::Diagnostic;
use crate::metadata::Options;
use crate::model::{Answer, CallId, Origin, Stated};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let drawn = facts.topology().call_ids().filter(|call| !facts.topology().call(*call).implied);
    drawn
        .flat_map(|call| [Key::Encryption, Key::Authn, Key::Authz].map(|key| finding(facts, call, key)))
        .flatten()
        .collect()
}

fn finding(facts: &Facts<'_>, call: CallId, key: Key) -> Option<Diagnostic> {
    let own = |stated: Stated<'_>| matches!(stated.origin, Origin::Own | Origin::Policy(_));
    match facts.cascade().call(call, &[key]) {
        Answer::Given(stated) | Answer::None(stated) if own(stated) => {}
        Answer::Unreadable => {}
        _ => return None,
    }
    let all = facts.cascade().call_all(call, &[key]);
    let (mine, rest) = all.split_first()?;
    let theirs = rest.iter().find(|stated| matches!(stated.origin, Origin::Callee(_)))?;
    if !own(*mine) || !theirs.setting.is_given() || !contradicts(facts, key, *mine, *theirs) {
        return None;
    }
    let topology = facts.topology();
    let name = prose::call(facts, call);
    let callee = topology.operation_name(topology.callee(call));
    let (here, there) = (said(facts, *mine), said(facts, *theirs));
    let message = format!("`{name}` states `{key} {here}`, and `{callee}` insists on `{key} {there}`");
    let mut diagnostic = prose::about_call(facts, call, *mine, message).at("what the caller does");
    if let Some(place) = prose::place(*theirs) {
        diagnostic = diagnostic.label(place, "what the callee insists on");
    }
    diagnostic.consequence =
        Some("either the callee refuses the call, or it does not insist: one of the two is not true".into());
    diagnostic.help = vec![
        format!("let the caller do what is asked: write `{key} {there}`, or leave it away on the call"),
        format!("or let `{callee}` insist on less, if that is what it takes"),
    ];
    diagnostic.fix = prose::replace(Some(*mine), format!("{key} {there}"));
    diagnostic.cause = Some(format!("{} {key}", prose::cause(facts, call)));
    Some(diagnostic.subject(topology.call_name(call)))
}

/// Weaker, or another name. What is said to be absent altogether is for the rules of a secure network, except for who may
/// do what.
fn contradicts(facts: &Facts<'_>, key: Key, mine: Stated<'_>, theirs: Stated<'_>) -> bool {
    if mine.setting.is_none() {
        return key == Key::Authz;
    }
    if !mine.setting.is_given() {
        return false;
    }
    match key {
        Key::Encryption => theirs.setting.says("mtls") && !mine.setting.says("mtls"),
        _ => !said(facts, mine).eq_ignore_ascii_case(&said(facts, theirs)),
    }
}

/// The value as it is written.
fn said(facts: &Facts<'_>, stated: Stated<'_>) -> String {
    let word = stated.setting.words().next().map(str::to_owned);
    let own = || stated.setting.word().map(|word| prose::written(facts.topology().text(word)));
    word.or_else(own).unwrap_or_else(|| "none".to_owned())
}
