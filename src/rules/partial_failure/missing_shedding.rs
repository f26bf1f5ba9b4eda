//! A public entry that can be overloaded, and that refuses nothing.

use crate::analysis::{Facts, Limited};
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::{Answer, OperationId};
use crate::rules::prose;
use crate::vocabulary::Key;

/// What keeps too much out.
const ADMISSION: [Key; 2] = [Key::Shedding, Key::RateLimit];

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.limited(Key::Capacity).iter().filter_map(|of| finding(facts, of)).collect()
}

fn finding(facts: &Facts<'_>, of: &Limited<'_>) -> Option<Diagnostic> {
    let topology = facts.topology();
    let public = facts.cascade().node(of.node, Key::Public).given()?;
    let operations = of.operations(facts);
    let entry = operations.iter().copied().find(|id| facts.entries().contains(*id))?;
    let kept_out = ADMISSION.iter().any(|key| of.states(facts, *key)) || is_limited(facts, of, &operations);
    if kept_out || is_guarded(facts, entry) {
        return None;
    }
    let name = prose::limited(facts, of);
    let none = |key: &Key| matches!(facts.cascade().operation(entry, *key), Answer::None(_));
    let proved = ADMISSION.iter().all(none);
    let takes = prose::rate(of.limit);
    let refuses = if proved { "refuses nothing" } else { "does not state that it refuses what is more" };
    let message = format!("`{name}` is public, takes {takes}, and {refuses}");
    let mut diagnostic =
        Diagnostic::new(prose::place(of.stated)?, message).at(format!("takes {takes}")).subject(name.clone());
    if let Some(place) = prose::place(public) {
        diagnostic = diagnostic.label(place, "anybody may come");
    }
    diagnostic.certainty = if proved { Certainty::Proved } else { Certainty::Possible };
    diagnostic.witness = prose::arrivals(facts, of);
    diagnostic.consequence =
        Some("beyond that everybody waits longer and longer, until nobody is answered in time".to_owned());
    diagnostic.help = vec![
        format!(
            "let it refuse early what it cannot do, `shedding` on `{name}`, or what comes too often, `rate-limit R`"
        ),
        format!("or bound what is let in at the same time: `concurrency N` on `{}`", topology.node_name(of.node)),
        "or name what does so before it: `through NODE` on the calls, with a `rate-limit` there".to_owned(),
    ];
    diagnostic.cause = Some(name);
    diagnostic.group = Some("public entries do not state that they refuse what is too much".into());
    Some(diagnostic)
}

/// Whether only so many are let in at the same time.
fn is_limited(facts: &Facts<'_>, of: &Limited<'_>, operations: &[OperationId]) -> bool {
    let counted = |answer: Answer<'_>| match answer {
        Answer::Given(stated) => stated.setting.count().is_some(),
        other => other.may_be_given(),
    };
    counted(facts.cascade().node(of.node, Key::Concurrency))
        || operations.iter().all(|id| counted(facts.cascade().operation(*id, Key::Concurrency)))
}

/// Whether everything that is drawn to come from outside passes something that refuses.
fn is_guarded(facts: &Facts<'_>, entry: OperationId) -> bool {
    let refuses = |node| ADMISSION.iter().any(|key| facts.cascade().node(node, *key).may_be_given());
    let guarded = |call| {
        let through = facts.cascade().call(call, &[Key::Through]).given();
        through.is_some_and(|stated| stated.setting.nodes().any(refuses))
    };
    let mut calls = facts.topology().calls_to(entry).filter(|call| facts.is_made(*call)).peekable();
    calls.peek().is_some() && calls.all(guarded)
}
