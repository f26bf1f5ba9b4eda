//! Messages that are larger than one end takes.

use super::protocol_mismatch::{Difference, own};
use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic};
use crate::model::{CallId, OperationId, Origin, Stated};
use crate::rules::prose;
use crate::vocabulary::Key;

/// A request or response of a call that does not fit.
pub(super) fn sent<'a>(facts: &Facts<'a>, id: CallId, key: Key) -> Option<Difference<'a>> {
    let to = facts.topology().callee(id);
    let look = |key| facts.cascade().call(id, &[key]).given();
    let of_callee = |key| facts.cascade().operation(to, key).given();
    let paged = look(Key::Page).or(of_callee(Key::Page)).is_some();
    let does_not_fit = |(message, limit): &(Stated<'_>, Stated<'_>)| exceeds(*message, *limit, paged);
    // What the callee says of both is its own contradiction, found once for all its callers.
    let callee_refuses = look(key).zip(of_callee(Key::MaxSize)).filter(does_not_fit);
    let own_limit = look(Key::MaxSize).filter(|limit| !matches!(limit.origin, Origin::Callee(_)));
    let caller_refuses = look(key).or(of_callee(key)).zip(own_limit).filter(does_not_fit);
    let (message, limit) = callee_refuses.or(caller_refuses)?;
    let name = prose::call(facts, id);
    let (large, most) = (written(message), written(limit));
    let verb = if key == Key::Request { "sends" } else { "gets" };
    let of_message = (message, format!("{key} of {large}"));
    let of_limit = (limit, format!("{most} allowed"));
    let (text, [here, there]) = if callee_refuses.is_some() {
        let callee = facts.topology().operation_name(to);
        (format!("`{name}` {verb} {large}, and `{callee}` allows {most}"), [of_message, of_limit])
    } else {
        (format!("`{name}` {verb} {large}, and allows {most} itself"), [of_limit, of_message])
    };
    let help = help(key, message);
    Some(Difference { certainty: Certainty::Proved, message: text, of_call: true, here, there, help, fix: None })
}

/// A caller that may send more than its callee takes; how much it does send is not stated.
pub(super) fn limits<'a>(facts: &Facts<'a>, id: CallId) -> Option<Difference<'a>> {
    let to = facts.topology().callee(id);
    let mine = own(facts, id, Key::MaxSize)?;
    let theirs = facts.cascade().operation(to, Key::MaxSize).given()?;
    let request = facts.cascade().call(id, &[Key::Request]).stated();
    if request.or(facts.cascade().operation(to, Key::Request).stated()).is_some() || !exceeds(mine, theirs, false) {
        return None;
    }
    let (large, most) = (written(mine), written(theirs));
    let name = prose::call(facts, id);
    let callee = facts.topology().operation_name(to);
    Some(Difference {
        certainty: Certainty::Possible,
        message: format!("`{name}` may send {large}, and `{callee}` allows {most}"),
        of_call: true,
        here: (mine, format!("{large} may be sent")),
        there: (theirs, format!("{most} allowed")),
        help: vec![
            format!("state what is sent, `request {}` or less", compact(theirs.setting.size()?)),
            "or the same `max-size` on both ends".to_owned(),
        ],
        fix: None,
    })
}

/// An operation whose messages are larger than it allows.
pub(super) fn within(facts: &Facts<'_>, operation: OperationId) -> Option<Diagnostic> {
    let look = |key| facts.cascade().operation(operation, key).given();
    let limit = look(Key::MaxSize)?;
    let paged = look(Key::Page).is_some();
    let of = |key| Some((key, look(key).filter(|message| exceeds(*message, limit, paged))?));
    let (key, message) = of(Key::Request).or_else(|| of(Key::Response))?;
    let name = facts.topology().operation_name(operation);
    let (large, most) = (written(message), written(limit));
    let diagnostic =
        Diagnostic::new(message.setting.span, format!("`{name}` states a {key} of {large}, and allows {most}"))
            .label(limit.setting.span, format!("{most} allowed"));
    let mut diagnostic = help(key, message).into_iter().fold(diagnostic, Diagnostic::help);
    diagnostic.cause = Some(name.clone());
    Some(diagnostic.subject(name))
}

/// Whether a message does not fit into a limit. One without end does not, unless it comes in pages.
fn exceeds(message: Stated<'_>, limit: Stated<'_>, paged: bool) -> bool {
    match (message.setting.size(), limit.setting.size()) {
        (Some(size), Some(limit)) => size > limit,
        (None, Some(_)) => !paged,
        (_, None) => false,
    }
}

/// "up to 8 MB".
fn written(stated: Stated<'_>) -> String {
    stated
        .setting
        .size()
        .map_or_else(|| "messages without end".to_owned(), |bytes| format!("up to {}", prose::size(bytes)))
}

fn help(key: Key, message: Stated<'_>) -> Vec<String> {
    let first = match message.setting.size() {
        Some(bytes) => format!("let both ends take it, `max-size {}`", compact(bytes)),
        None => format!("bound it: `page 100`, or a size for `{key}`"),
    };
    vec![first, "or send less at a time: in parts, or put it into a store and send where it is".to_owned()]
}

/// A size as it is written in the topo language: `4MiB`.
fn compact(bytes: u64) -> String {
    prose::size(bytes).replace(' ', "")
}
