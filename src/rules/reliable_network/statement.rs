//! One statement may decide over many calls: a policy, `defaults`, `via` with a row of the table. It is mended once, so
//! it is said once.

use std::collections::HashMap;

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic};
use crate::model::{CallId, Client, ClientDefault, Origin, Stated};
use crate::rules::prose;
use crate::source::Span;
use crate::vocabulary::Key;

/// So many of the other calls are named.
const NAMED: usize = 3;

/// Of findings at one place, the first speaks for all.
pub(super) fn one_each(facts: &Facts<'_>, found: impl IntoIterator<Item = (CallId, Diagnostic)>) -> Vec<Diagnostic> {
    let mut places: HashMap<Span, usize> = HashMap::new();
    let mut all: Vec<(Diagnostic, Vec<CallId>)> = Vec::new();
    for (call, diagnostic) in found {
        let place = diagnostic.primary.span;
        if let Some((_, others)) = places.get(&place).and_then(|index| all.get_mut(*index)) {
            others.push(call);
        } else {
            places.insert(place, all.len());
            all.push((diagnostic, Vec::new()));
        }
    }
    all.into_iter().map(|(diagnostic, others)| with_others(facts, diagnostic, &others)).collect()
}

fn with_others(facts: &Facts<'_>, mut diagnostic: Diagnostic, others: &[CallId]) -> Diagnostic {
    if others.is_empty() {
        return diagnostic;
    }
    let named: Vec<String> = others.iter().take(NAMED).map(|call| format!("`{}`", prose::call(facts, *call))).collect();
    let more = if others.len() > NAMED { ", …" } else { "" };
    let count = prose::count(others.len() as u64, "other call");
    let same = format!("the same line decides over {count}: {}{more}", named.join(", "));
    diagnostic.consequence = Some(match diagnostic.consequence.take() {
        Some(consequence) => format!("{consequence}; {same}"),
        None => same,
    });
    diagnostic
}

/// A finding about a call that rests on a row of the table: at the `via` that names it, with the source; a judgement
/// only, if that was read second-hand.
pub(super) fn rests_on(
    facts: &Facts<'_>,
    call: CallId,
    client: &Client,
    default: &ClientDefault,
    message: String,
) -> Diagnostic {
    let span = facts.topology().call(call).span;
    let via = facts.cascade().call(call, &[Key::Via]).given();
    let place = via.and_then(prose::place);
    let mut diagnostic = Diagnostic::new(place.unwrap_or(span), message).subject(facts.topology().call_name(call));
    if via.is_some_and(|via| via.origin != Origin::Own) {
        diagnostic = diagnostic.label(span, "for this call");
    }
    diagnostic = diagnostic.at(format!("what {} does by default", client.title));
    if !default.primary {
        diagnostic.certainty = Certainty::Heuristic;
    }
    diagnostic.cause = Some(prose::cause_of(facts, call, via));
    diagnostic
}

/// Where a value of the table was read.
pub(super) fn source(client: &Client, default: &ClientDefault) -> String {
    let how = if default.primary { "" } else { "second-hand, " };
    format!(
        "{}, {}: {}; read {how}on {} in {}",
        client.title, client.versions, default.meaning, default.date, default.source
    )
}

/// Whether somebody wrote it, and no table fills it in.
pub(super) fn is_written(stated: Option<Stated<'_>>) -> bool {
    stated.is_some_and(|stated| !matches!(stated.origin, Origin::Client(..)))
}
