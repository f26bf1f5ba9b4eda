//! A barrier that looks keys up somewhere else, and does not say what it does when that fails.

use crate::analysis::{Dedup, Facts, Repetition};
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::{Answer, NodeId};
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.barriers().into_iter().filter_map(|dedup| finding(facts, dedup)).collect()
}

fn finding(facts: &Facts<'_>, dedup: Dedup<'_>) -> Option<Diagnostic> {
    let topology = facts.topology();
    let store = dedup.recorded_in()?;
    let unstated = matches!(facts.cascade().operation(dedup.operation, Key::OnFailure), Answer::Unstated);
    // In one transaction with the work, the lookup fails with the work.
    if dedup.field(Key::OnFailure).is_some() || dedup.atomic().is_some() || !unstated || works_in(facts, dedup, store) {
        return None;
    }
    let name = topology.operation_name(dedup.operation);
    let kept = topology.node_name(store);
    let span = dedup.field(Key::RecordedIn)?.span;
    let message = format!("`{name}` does not state what it does while `{kept}`, where its keys are, does not answer");
    let mut diagnostic = Diagnostic::new(span, message).subject(name.clone()).subject(kept);
    diagnostic.certainty = Certainty::Possible;
    diagnostic.cause = Some(name.clone());
    diagnostic.group = Some("barriers do not state what they do without their keys".into());
    diagnostic.consequence = Some("it may refuse everything then, or let every repeat through".to_owned());
    Some(
        diagnostic
            .help(
                "write `on-failure closed` beside `recorded-in`: it refuses what it cannot look up, as money needs it",
            )
            .help("or `on-failure open`: it would rather do it twice than not at all")
            .help(format!("or, if key and work commit together in `{kept}`, say so: `atomic`")),
    )
}

/// Whether the operation cannot work without that store anyway, or does not need to.
fn works_in(facts: &Facts<'_>, dedup: Dedup<'_>, store: NodeId) -> bool {
    let unprotected = facts.unprotected(dedup.operation);
    let elsewhere = |repetition| {
        unprotected.iter().any(|(call, found)| *found >= repetition && facts.topology().callee_node(*call) != store)
    };
    // Where the effect is known to commit elsewhere, that is said of it already.
    let calls_it = facts.topology().calls_from(dedup.operation).any(|call| facts.topology().callee_node(call) == store);
    calls_it && !elsewhere(Repetition::Unknown) || elsewhere(Repetition::Unsafe)
}
