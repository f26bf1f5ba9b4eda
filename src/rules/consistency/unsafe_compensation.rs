//! What undoes a step of a saga, and cannot be relied on.

use crate::analysis::{Compensation, CompensationFault, Facts};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.unsafe_compensations().iter().map(|found| report(facts, found)).collect()
}

fn report(facts: &Facts<'_>, found: &Compensation) -> Diagnostic {
    let topology = facts.topology();
    let name = topology.operation_name(found.operation);
    let step = topology.operation_name(topology.callee(found.step));
    let (message, certainty) = match found.fault {
        CompensationFault::Repeats => (
            format!(
                "`{name}` undoes `{step}` and has to be tried until it succeeds, but it changes something each time"
            ),
            Certainty::Proved,
        ),
        CompensationFault::Unknown => (
            format!("`{name}` undoes `{step}`, and does not state whether it can be tried until it succeeds"),
            Certainty::Possible,
        ),
        CompensationFault::GivenUp(call, attempts) => (
            format!(
                "`{name}` undoes `{step}`, but `{}` gives up after {}: then it is never undone",
                topology.operation_name(topology.caller(call)),
                prose::count(attempts, "attempt")
            ),
            Certainty::Possible,
        ),
    };
    let mut diagnostic = Diagnostic::new(topology.operation(found.operation).span, message).subject(name.clone());
    diagnostic.certainty = certainty;
    diagnostic.cause = Some(name.clone());
    let stated = facts.cascade().call(found.step, &[Key::CompensatedBy]).given().and_then(prose::place);
    diagnostic.witness.push(Step {
        subject: topology.call_name(found.step),
        span: stated.unwrap_or(topology.call(found.step).span),
        text: format!("is undone by `{name}`"),
        value: None,
    });
    if let CompensationFault::GivenUp(call, attempts) = found.fault {
        #[allow(clippy::cast_precision_loss, reason = "a number of attempts, for programs")]
        let value = Some(Measure::Times(attempts as f64));
        let text = format!("up to {}", prose::count(attempts, "attempt"));
        let span = topology.call(call).span;
        diagnostic.witness.push(Step { subject: topology.call_name(call), span, text, value });
        return diagnostic
            .help(format!(
                "let a queue that delivers again run `{name}`, with a `dead-letter` queue that somebody watches"
            ))
            .help("or try until it succeeds: `attempts unlimited`, with a `backoff`");
    }
    diagnostic
        .help(format!(
            "let it be done twice: `idempotent by-key {{ window 30d; recorded-in STORE; atomic }}` on `{name}`"
        ))
        .help(format!(
            "or, if it changes nothing more when it is repeated, say so: `idempotent` on `{name}` and on what it writes"
        ))
}
