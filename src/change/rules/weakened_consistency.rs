//! A weaker promise about what is read and written.

use super::{Sides, place};
use crate::analysis::{Facts, Model};
use crate::diagnostic::{Certainty, Diagnostic, spaced};
use crate::metadata::Options;
use crate::model::{Answer, CallId, NodeId, Stated};
use crate::source::Span;
use crate::vocabulary::Key;

/// Words of which the first are stronger than the last ones; equals share a place.
const ORDERED: &[(Key, &[&[&str]])] = &[
    (Key::ReadFrom, &[&["leader", "quorum"], &["replica"]]),
    (Key::Replication, &[&["sync"], &["async"]]),
    (Key::Commit, &[&["flushed"], &["relaxed"]]),
    (Key::ConflictPolicy, &[&["cas", "crdt", "single-writer"], &["lww"]]),
];

/// What guards, if it is stated.
const GUARDS: &[Key] = &[Key::Fenced, Key::SessionToken];

pub(super) fn check(sides: &Sides<'_, '_>, _: &Options) -> Vec<Diagnostic> {
    let nodes = sides.found.nodes.iter().flat_map(|(one, other)| node(sides, *one, *other));
    let calls = sides.found.calls.iter().flat_map(|(one, other)| call(sides, *one, *other));
    nodes.chain(calls).collect()
}

fn node(sides: &Sides<'_, '_>, one: NodeId, other: NodeId) -> Vec<Diagnostic> {
    let topology = sides.head.topology();
    let element = Element { name: topology.node_name(other).to_owned(), span: topology.node(other).span };
    let answers = |key| (sides.base.cascade().node(one, key), sides.head.cascade().node(other, key));
    let keys = [Key::Model, Key::ReadFrom, Key::Replication, Key::Commit, Key::ConflictPolicy, Key::Fenced];
    let words = keys.into_iter().filter_map(|key| element.compare(sides, key, answers(key)));
    words.chain(quorum(sides, &element, one, other)).collect()
}

fn call(sides: &Sides<'_, '_>, one: CallId, other: CallId) -> Vec<Diagnostic> {
    let topology = sides.head.topology();
    let element = Element { name: topology.call_name(other), span: topology.call(other).span };
    let answers = |key| (sides.base.cascade().call(one, &[key]), sides.head.cascade().call(other, &[key]));
    let keys = [Key::Needs, Key::ReadFrom, Key::SessionToken].into_iter();
    keys.filter_map(|key| element.compare(sides, key, answers(key))).collect()
}

/// Reads no longer meet the last write in any copy.
fn quorum(sides: &Sides<'_, '_>, element: &Element, one: NodeId, other: NodeId) -> Option<Diagnostic> {
    let overlaps = |facts: &Facts<'_>, node| facts.quorum(node).map(|quorum| quorum.overlaps());
    let has_torn = overlaps(sides.base, one) == Some(true) && overlaps(sides.head, other) == Some(false);
    let now = sides.head.cascade().node(other, Key::Quorum).given().filter(|_| has_torn)?;
    let message = format!("`{}` no longer asks a copy that has the last write: r + w is not above n now", element.name);
    Some(element.finding(Key::Quorum, Some(now), message).help("raise `r` or `w` until r + w > n"))
}

/// What is looked at.
struct Element {
    name: String,
    span: Span,
}

impl Element {
    fn compare(
        &self,
        sides: &Sides<'_, '_>,
        key: Key,
        (before, after): (Answer<'_>, Answer<'_>),
    ) -> Option<Diagnostic> {
        let was = before.given()?;
        if matches!(after, Answer::Unreadable) {
            return None;
        }
        let now = after.given();
        let is_weaker = match now {
            None => after.stated().is_some() || GUARDS.contains(&key) || strength(key, was) > 0,
            Some(now) if matches!(key, Key::Model | Key::Needs) => {
                let model = |stated: Stated<'_>| stated.setting.words().find_map(Model::named);
                model(was).zip(model(now)).is_some_and(|(was, now)| !now.implies(was))
            }
            Some(now) => strength(key, now) < strength(key, was),
        };
        if !is_weaker {
            return None;
        }
        let (name, was) = (spaced(&self.name), sides.written(was));
        let said = match after.stated() {
            Some(now) => format!("now has `{}`", sides.written(now)),
            None => "nothing is stated in its place".to_owned(),
        };
        let message = format!("`{name}` had `{was}`, and {said}");
        let mut diagnostic = self.finding(key, after.stated(), message);
        if after.stated().is_none() {
            diagnostic.certainty = Certainty::Possible;
        }
        let help = format!("write `{was}` again, or make sure that no reader or writer relied on it");
        Some(diagnostic.help(help))
    }

    fn finding(&self, key: Key, now: Option<Stated<'_>>, message: String) -> Diagnostic {
        let mut diagnostic = Diagnostic::new(place(now, self.span), message).subject(&self.name);
        diagnostic.cause = Some(format!("{key} of {}", self.name));
        diagnostic
    }
}

/// How strong a word is among those of its attribute; a model that is stated is stronger than none.
fn strength(key: Key, stated: Stated<'_>) -> usize {
    let Some((_, places)) = ORDERED.iter().find(|(ordered, _)| *ordered == key) else { return 1 };
    let place = places.iter().position(|words| words.iter().any(|word| stated.setting.says(word)));
    place.map_or(0, |place| places.len() - 1 - place)
}
