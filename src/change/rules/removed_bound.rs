//! A bound that was stated and is no longer there.

use indexmap::IndexMap;

use super::{Sides, place};
use crate::diagnostic::{Certainty, Diagnostic, spaced};
use crate::metadata::Options;
use crate::model::{Answer, Origin, Stated};
use crate::source::Span;
use crate::vocabulary::Key;

/// Attributes of calls of which one bounds as well as the other, and whether nothing stated means no bound.
const OF_CALLS: &[(&[Key], bool)] = &[
    (&[Key::Timeout, Key::Deadline], true),
    (&[Key::Retries, Key::Attempts], false),
    (&[Key::RetryBudget], true),
    (&[Key::Bulkhead], true),
    (&[Key::PoolSize], true),
    (&[Key::PoolWait], true),
    (&[Key::Times], false),
];

const OF_OPERATIONS: &[Key] = &[Key::Deadline, Key::Concurrency, Key::RateLimit];

const OF_NODES: &[Key] = &[
    Key::Concurrency,
    Key::Connections,
    Key::RateLimit,
    Key::Shedding,
    Key::MaxReceives,
    Key::MaxLength,
    Key::MaxSize,
];

/// A bound that has gone.
struct Gone<'a> {
    /// Where it was stated; what many elements followed is one edit.
    was: Stated<'a>,
    /// What is stated now.
    now: Option<Stated<'a>>,
    /// The element, its identity and where it is.
    name: String,
    identity: String,
    span: Span,
}

pub(super) fn check(sides: &Sides<'_, '_>, _: &Options) -> Vec<Diagnostic> {
    let mut all: IndexMap<Span, Vec<Gone<'_>>> = IndexMap::new();
    for gone in calls(sides).into_iter().chain(operations(sides)).chain(nodes(sides)) {
        all.entry(gone.was.setting.span).or_default().push(gone);
    }
    all.into_values().filter_map(|gone| finding(sides, &gone)).collect()
}

fn calls<'a>(sides: &Sides<'_, 'a>) -> Vec<Gone<'a>> {
    let topology = sides.head.topology();
    let mut found = Vec::new();
    for (one, other) in &sides.found.calls {
        for (keys, silence_is_none) in OF_CALLS {
            let answers = |facts: &crate::analysis::Facts<'a>, call| -> Vec<Answer<'a>> {
                keys.iter().map(|key| facts.cascade().call(call, &[*key])).collect()
            };
            let (before, after) = (answers(sides.base, *one), answers(sides.head, *other));
            if let Some((was, now)) = gone(&before, &after, *silence_is_none)
                && (*keys != [Key::RetryBudget] || sides.head.plan(*other).attempts_stated.is_some())
            {
                let (name, identity) = (topology.call_name(*other), topology.call_identity(*other));
                found.push(Gone { was, now, name, identity, span: topology.call(*other).span });
            }
        }
    }
    found
}

fn operations<'a>(sides: &Sides<'_, 'a>) -> Vec<Gone<'a>> {
    let topology = sides.head.topology();
    let mut pairs: Vec<_> = sides.found.operations.iter().collect();
    pairs.sort_by_key(|(_, id)| **id);
    let mut found = Vec::new();
    for (one, other) in pairs {
        for key in OF_OPERATIONS {
            let before = [sides.base.cascade().operation(*one, *key)];
            let after = [sides.head.cascade().operation(*other, *key)];
            if let Some((was, now)) = gone(&before, &after, true).filter(|(was, _)| was.origin == Origin::Own) {
                let name = topology.operation_name(*other);
                found.push(Gone { was, now, identity: name.clone(), name, span: topology.operation(*other).span });
            }
        }
    }
    found
}

fn nodes<'a>(sides: &Sides<'_, 'a>) -> Vec<Gone<'a>> {
    let topology = sides.head.topology();
    let mut found = Vec::new();
    for (one, other) in &sides.found.nodes {
        for key in OF_NODES {
            let before = [sides.base.cascade().node(*one, *key)];
            let after = [sides.head.cascade().node(*other, *key)];
            if let Some((was, now)) = gone(&before, &after, true) {
                let name = topology.node_name(*other).to_owned();
                found.push(Gone { was, now, identity: name.clone(), name, span: topology.node(*other).span });
            }
        }
    }
    found
}

/// What bounded before, and what is stated now that nothing does. What cannot be read may bound.
fn gone<'a>(
    before: &[Answer<'a>],
    after: &[Answer<'a>],
    silence_is_none: bool,
) -> Option<(Stated<'a>, Option<Stated<'a>>)> {
    let bounds = |answer: &Answer<'a>| answer.given().filter(|stated| !stated.setting.says("unlimited"));
    let was = before.iter().find_map(bounds).filter(|was| !matches!(was.origin, Origin::Client(..)))?;
    let may_bound = |answer: &Answer<'a>| bounds(answer).is_some() || matches!(answer, Answer::Unreadable);
    if after.iter().any(may_bound) {
        return None;
    }
    let now = after.iter().find_map(|answer| answer.stated());
    // `retries none` is the smallest bound of all.
    let is_open = now.map_or(silence_is_none, |now| silence_is_none || now.setting.says("unlimited"));
    is_open.then_some((was, now))
}

fn finding(sides: &Sides<'_, '_>, gone: &[Gone<'_>]) -> Option<Diagnostic> {
    let first = gone.first()?;
    let was = sides.written(first.was);
    let key = first.was.setting.key.name();
    let more = match gone.len() - 1 {
        0 => String::new(),
        1 => " and 1 other".to_owned(),
        more => format!(" and {more} others"),
    };
    let now = match first.now {
        Some(now) => format!("now it is `{}`", sides.written(now)),
        None => "nothing is stated in its place".to_owned(),
    };
    let name = spaced(&first.name);
    let message = format!("`{name}`{more} had the bound `{was}`, and {now}");
    let mut diagnostic = Diagnostic::new(place(first.now, first.span), message)
        .help(format!("write `{was}` again, or the bound that is right now"));
    if first.now.is_some_and(|now| now.origin != Origin::Own) {
        diagnostic = diagnostic.label(first.span, "for this one");
    }
    // A client library or a server may have a bound that is not drawn.
    diagnostic.certainty = if first.now.is_some() { Certainty::Proved } else { Certainty::Possible };
    diagnostic.cause = Some(format!("{key} of {}", first.identity));
    diagnostic.subjects = gone.iter().take(20).map(|gone| gone.name.clone()).collect();
    Some(diagnostic)
}
