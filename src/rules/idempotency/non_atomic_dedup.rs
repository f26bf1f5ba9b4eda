//! A barrier whose key and effect commit apart, so that a crash between them lets a repeat through.

use crate::analysis::{Dedup, Facts, Repetition};
use crate::diagnostic::{Certainty, Diagnostic, Step};
use crate::metadata::Options;
use crate::model::{CallId, NodeId};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.barriers().into_iter().filter_map(|dedup| finding(facts, dedup)).collect()
}

fn finding(facts: &Facts<'_>, dedup: Dedup<'_>) -> Option<Diagnostic> {
    if dedup.atomic() == Some(false) { stated_apart(facts, dedup) } else { elsewhere(facts, dedup) }
}

/// It is stated that they commit apart, and a repeat that gets through does something again.
fn stated_apart(facts: &Facts<'_>, dedup: Dedup<'_>) -> Option<Diagnostic> {
    let unprotected = facts.unprotected(dedup.operation);
    let below = unprotected.first().map(|(call, repetition)| (Some(*call), *repetition));
    let own = (None, facts.past_barrier(dedup.operation));
    let (call, worst) = [Some(own), below].into_iter().flatten().max_by_key(|(_, repetition)| *repetition)?;
    let certainty = match worst {
        Repetition::Safe => return None,
        Repetition::Unknown => Certainty::Possible,
        Repetition::Unsafe => Certainty::Proved,
    };
    let name = facts.topology().operation_name(dedup.operation);
    let message = format!(
        "`{name}` records the key apart from its work (`atomic none`): after a crash between the two a repeat is not \
         stopped, or nothing was done"
    );
    Some(report(facts, dedup, call, certainty, message))
}

/// The keys are in one place, and what must not happen twice commits in another one.
fn elsewhere(facts: &Facts<'_>, dedup: Dedup<'_>) -> Option<Diagnostic> {
    let topology = facts.topology();
    // Of a cache it is said that it forgets.
    let store = dedup.recorded_in().filter(|store| topology.node(*store).kind != ElementKind::Cache)?;
    let unprotected = facts.unprotected(dedup.operation);
    let mut apart = unprotected.iter().filter(|(_, repetition)| *repetition == Repetition::Unsafe);
    let (call, _) = apart.find(|(call, _)| commits_apart(facts, *call, store))?;
    let name = topology.operation_name(dedup.operation);
    let callee = topology.operation_name(topology.callee(*call));
    let message = format!(
        "`{name}` keeps its keys in `{}`, but what `{callee}` does commits elsewhere: after a crash between the two a \
         repeat does it again",
        topology.node_name(store)
    );
    Some(report(facts, dedup, Some(*call), Certainty::Possible, message))
}

/// Messages are left to what is said of writing and publishing apart.
fn commits_apart(facts: &Facts<'_>, call: CallId, store: NodeId) -> bool {
    let callee = facts.topology().callee_node(call);
    let node = facts.topology().node(callee);
    let telemetry = facts.cascade().node(callee, Key::Role).given();
    let telemetry = telemetry.is_some_and(|stated| stated.setting.says("telemetry"));
    let together = facts.cascade().call(call, &[Key::Transaction]).may_be_given();
    callee != store && node.kind != ElementKind::Queue && !telemetry && !together
}

fn report(
    facts: &Facts<'_>,
    dedup: Dedup<'_>,
    call: Option<CallId>,
    certainty: Certainty,
    message: String,
) -> Diagnostic {
    let topology = facts.topology();
    let name = topology.operation_name(dedup.operation);
    let own = topology.operation(dedup.operation).span;
    let field = dedup.field(Key::Atomic).or_else(|| dedup.field(Key::RecordedIn));
    let place = field.map(|field| field.span).or_else(|| prose::place(dedup.stated)).unwrap_or(own);
    let mut diagnostic = Diagnostic::new(place, message).subject(name.clone());
    diagnostic.certainty = certainty;
    diagnostic.cause = Some(name.clone());
    diagnostic.group = Some("keys and effects commit apart".into());
    let step = |subject: String, span, text: &str| Step { subject, span, text: text.to_owned(), value: None };
    diagnostic.witness.push(step(name.clone(), place, "the key is recorded here"));
    if let Some(call) = call {
        let span = topology.call(call).span;
        diagnostic.witness.push(step(topology.call_name(call), span, "made again, it changes something again"));
        let callee = topology.operation_name(topology.callee(call));
        let shown = prose::call(facts, call);
        if topology.node(facts.topology().callee_node(call)).kind == ElementKind::Store {
            diagnostic
                .help
                .push(format!("keep the keys in `{callee}` and commit both at once: `recorded-in` and `atomic`"));
            diagnostic.help.push(format!("or say that both are one transaction: `transaction NAME` on `{shown}`"));
        } else {
            diagnostic.help.push(format!(
                "let `{callee}` stop the repeat itself: `idempotent by-key {{ window 24h; atomic }}` on it, and \
                 `key forwarded` on `{shown}`"
            ));
        }
        diagnostic.help.push(format!("or, if doing it twice changes nothing more, say so: `idempotent` on `{callee}`"));
    } else {
        diagnostic
            .help
            .push(format!("commit the key with the work, in one transaction, and write `atomic` on `{name}`"));
    }
    diagnostic
}
