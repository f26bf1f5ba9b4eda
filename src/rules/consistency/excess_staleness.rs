//! A read whose answer may be older than what its readers need, or than what is promised.

use super::unmet;
use crate::analysis::{Extent, Facts, Need, ReadHop, ReadHopKind, Unmet};
use crate::diagnostic::{Certainty, Diagnostic, spaced};
use crate::metadata::Options;
use crate::model::Duration;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.unmet_needs().iter().filter_map(|unmet| report(facts, unmet)).collect()
}

fn report(facts: &Facts<'_>, unmet: &Unmet<'_>) -> Option<Diagnostic> {
    let Need::Age(most) = unmet.need else { return None };
    let mut diagnostic = unmet::report(facts, unmet, message(facts, unmet, most));
    diagnostic.consequence = sum(unmet);
    diagnostic.help = help(facts, unmet, most);
    Some(diagnostic)
}

fn message(facts: &Facts<'_>, unmet: &Unmet<'_>, most: Duration) -> String {
    let topology = facts.topology();
    let who = topology.operation_name(unmet::reader(facts, unmet));
    let read = spaced(&topology.call_name(unmet.read));
    let verb = if unmet.stated.setting.key == Key::Staleness { "promises" } else { "needs" };
    let needs = format!("`{who}` {verb} answers at most {most} old");
    match unmet.reading.age.at_least {
        _ if unmet.certainty != Certainty::Proved => {
            format!("{needs}, and nothing that is stated keeps those of `{read}` so fresh")
        }
        Extent::Finite(age) => format!("{needs}, but those of `{read}` can be {age} old"),
        Extent::Unbounded => format!("{needs}, but those of `{read}` can be of any age"),
    }
}

/// "5 s + 60 s = 65 s": how ages add up.
fn sum(unmet: &Unmet<'_>) -> Option<String> {
    let ages: Vec<Duration> = unmet.reading.hops.iter().filter_map(|hop| hop.age.at_least.finite()).collect();
    let parts: Vec<String> = ages.iter().filter(|age| **age > Duration::ZERO).map(Duration::to_string).collect();
    let total = unmet.reading.age.at_least.finite()?;
    // Of very many hops not all are at hand.
    let whole = ages.iter().fold(Duration::ZERO, |sum, age| sum.plus(*age)) == total;
    (parts.len() > 1 && whole)
        .then(|| format!("{} = {total}: what is kept may have been old already", parts.join(" + ")))
}

fn help(facts: &Facts<'_>, unmet: &Unmet<'_>, most: Duration) -> Vec<String> {
    let topology = facts.topology();
    let read = spaced(&topology.call_name(unmet.read));
    let weakening = unmet.reading.hops.iter().find(|hop| !matches!(hop.kind, ReadHopKind::Gives(_)));
    let first = match (unmet.unstated().next(), weakening) {
        (Some(unstated), _) => unmet::state(facts, unmet, unstated),
        (None, Some(hop)) => mend(facts, unmet, *hop, most, &read),
        (None, None) => format!("say how far the copies behind `{read}` are behind at the worst"),
    };
    let enough = match unmet.reading.age.at_least {
        Extent::Finite(age) if age > Duration::ZERO => format!("needs staleness {}", age.written()),
        _ => "needs none".to_owned(),
    };
    vec![first, format!("or, if this reader can do with less, say so: `{enough}` on `{read}`")]
}

/// What to write where a hop makes an answer older.
fn mend(facts: &Facts<'_>, unmet: &Unmet<'_>, hop: ReadHop<'_>, most: Duration, read: &str) -> String {
    let name = facts.topology().node_name(hop.node);
    match hop.kind {
        ReadHopKind::Cached => match rest(unmet, hop, most) {
            Some(left) => format!("keep answers for less: `ttl {}` on `{name}`", left.written()),
            None => format!("ask past `{name}`: call the store itself, with `read-from leader`"),
        },
        ReadHopKind::SmallQuorum => unmet::more_copies(name),
        ReadHopKind::Replica | ReadHopKind::Gives(_) => unmet::ask_leader(facts, unmet, hop, read),
    }
}

/// What is left of the needed age for one hop, if all the others take what they may.
fn rest(unmet: &Unmet<'_>, hop: ReadHop<'_>, most: Duration) -> Option<Duration> {
    let others = unmet.reading.age.at_most?.finite()?.minus(hop.age.at_least.finite()?);
    Some(most.minus(others)).filter(|left| *left > Duration::ZERO)
}
