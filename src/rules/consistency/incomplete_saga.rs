//! A step of a saga that nothing undoes when a later step fails.

use crate::analysis::{Facts, OpenStep};
use crate::diagnostic::{Certainty, Diagnostic, Step};
use crate::metadata::Options;
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.open_steps().iter().map(|open| report(facts, open)).collect()
}

fn report(facts: &Facts<'_>, open: &OpenStep) -> Diagnostic {
    let topology = facts.topology();
    let saga = topology.text(open.saga);
    let step = topology.operation_name(topology.callee(open.step));
    let later = topology.operation_name(topology.callee(open.later));
    let undoes = if open.certainty == Certainty::Proved { "nothing undoes" } else { "it is not stated what undoes" };
    let message = format!("when `{later}` fails in the saga `{saga}`, {undoes} `{step}`");
    let stated = facts.cascade().call(open.step, &[Key::CompensatedBy]).stated();
    let span = topology.call(open.step).span;
    let mut diagnostic = match stated {
        Some(stated) => prose::about_call(facts, open.step, stated, message),
        None => Diagnostic::new(span, message),
    };
    diagnostic.certainty = open.certainty;
    diagnostic.subjects = vec![topology.call_name(open.step), topology.operation_name(open.operation)];
    diagnostic.cause = Some(prose::cause_of(facts, open.step, stated));
    let hop = |call, text: &str| Step {
        subject: topology.call_name(call),
        span: topology.call(call).span,
        text: text.to_owned(),
        value: None,
    };
    diagnostic.witness = vec![hop(open.step, "is done"), hop(open.later, "can fail for good, and ends the saga")];
    let name = prose::call(facts, open.step);
    diagnostic
        .help(format!("name what undoes it: `compensated-by OPERATION` on `{name}`"))
        .help(format!("or make it the last step that can fail: let `{later}` come before it"))
        .help(format!(
            "or let `{later}` be tried until it succeeds: a queue (`->>` with `outbox`), or `attempts unlimited` with a \
             `backoff` if it can be done twice"
        ))
}
