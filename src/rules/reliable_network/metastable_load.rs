//! More load than something takes: while all is well, or as soon as it fails and everybody tries again.

use crate::analysis::{Amplified, Facts, Limited, Traffic};
use crate::diagnostic::{Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{CallId, OperationId};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let protected = |of: &Limited<'_>| of.states(facts, Key::Shedding) || of.states(facts, Key::RateLimit);
    let all: Vec<Limited<'_>> =
        facts.limited(Key::Capacity).into_iter().filter(|of| !protected(of) && !is_fed(facts, of)).collect();
    let groups: Vec<Vec<OperationId>> = all.iter().map(|of| of.operations(facts)).collect();
    let amplified = facts.amplified(&groups, Traffic::Peak);
    all.iter().zip(amplified).filter_map(|(of, amplified)| finding(facts, of, amplified)).collect()
}

/// Whether only queues bring its work: a consumer takes what it can, and the rest waits in the queue.
fn is_fed(facts: &Facts<'_>, of: &Limited<'_>) -> bool {
    let topology = facts.topology();
    let operations = of.operations(facts);
    let mut calls =
        operations.iter().flat_map(|id| topology.calls_to(*id)).filter(|call| facts.is_made(*call)).peekable();
    calls.peek().is_some() && calls.all(|call| topology.kind_of(topology.caller(call)) == ElementKind::Queue)
}

fn finding(facts: &Facts<'_>, of: &Limited<'_>, amplified: Option<Amplified>) -> Option<Diagnostic> {
    let (usual, peak) = (of.usual.per_second, of.peak.per_second);
    let name = prose::limited(facts, of);
    let most = prose::rate(of.limit);
    let (message, consequence) = if usual > of.limit {
        (format!("`{name}` takes {most}, and {} come", prose::rate(usual)), None)
    } else if peak > of.limit {
        (format!("`{name}` takes {most}, and {} come at the peak", prose::rate(peak)), None)
    } else {
        let while_failing = amplified.as_ref()?.per_second;
        if while_failing <= of.limit {
            return None;
        }
        (
            format!("once `{name}` fails, {} come, and it takes {most}", prose::rate(while_failing)),
            Some(format!(
                "{} come while all is well; after a short failure the retries alone can keep it from recovering",
                prose::rate(peak)
            )),
        )
    };
    let place = prose::place(of.stated)?;
    let mut diagnostic = Diagnostic::new(place, message).at(format!("takes {most}")).subject(name.clone());
    let repeated = amplified.map_or_else(Vec::new, |amplified| amplified.repeated);
    let retried: &[CallId] = if consequence.is_some() { &repeated } else { &[] };
    diagnostic.witness = prose::arrivals(facts, of);
    diagnostic.witness.extend(retried.iter().take(6).map(|call| retry(facts, *call)));
    diagnostic.help = help(facts, of, retried);
    diagnostic.consequence = consequence;
    diagnostic.cause = Some(name);
    diagnostic.group = Some("more load comes than is taken".into());
    Some(diagnostic)
}

fn retry(facts: &Facts<'_>, call: CallId) -> Step {
    let topology = facts.topology();
    let text = "tries again when it fails".to_owned();
    let stated = facts.plan(call).attempts_stated.and_then(prose::place);
    let span = stated.unwrap_or(topology.call(call).span);
    let tries = match facts.plan(call).attempts {
        crate::analysis::Attempts::AtMost(tries) if tries > 1 => Some(tries),
        _ => None,
    };
    #[allow(clippy::cast_precision_loss, reason = "a number of tries, for programs")]
    let value = tries.map(|tries| Measure::Times(tries as f64));
    let text = tries.map_or(text, |tries| format!("tried up to {tries} times when it fails"));
    Step { subject: topology.call_name(call), span, text, value }
}

fn help(facts: &Facts<'_>, of: &Limited<'_>, retried: &[CallId]) -> Vec<String> {
    let name = prose::limited(facts, of);
    let mut help = Vec::new();
    if let Some(call) = retried.first() {
        help.push(format!(
            "bound what retries add: `retry-budget 10% per success` or a `breaker` on `{}`, or fewer attempts",
            prose::call(facts, *call)
        ));
    }
    help.push(format!("let it refuse what is too much, and say so: `shedding` or `rate-limit R` on `{name}`"));
    help.push("or state what it takes today, if it takes more: `capacity R`".to_owned());
    help
}
