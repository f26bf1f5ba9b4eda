//! A promise about a quantile, over parts of which only lower quantiles are stated.

use crate::analysis::{Facts, Promise};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{Duration, OperationId};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.topology().operation_ids().filter_map(|id| finding(facts, id)).collect()
}

fn finding(facts: &Facts<'_>, id: OperationId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let promise = facts.promise_over(id)?;
    let stated = facts.cascade().operation(id, Key::Latency).given()?;
    let (highest, time) = stated.setting.quantiles().max_by(|one, other| one.0.total_cmp(&other.0))?;
    let observed = facts.cascade().operation(id, Key::Observed).given();
    let measured =
        observed.is_some_and(|stated| stated.setting.quantiles().any(|(quantile, _)| quantile >= promise.quantile));
    let known = stated.setting.maximum().is_some() || highest >= promise.quantile || measured;
    if known || facts.is_plausible(promise) {
        return None;
    }
    let name = topology.operation_name(id);
    Some(report(facts, &promise, &name, (highest, time), prose::place(stated)?))
}

fn report(
    facts: &Facts<'_>,
    promise: &Promise<'_>,
    name: &str,
    (highest, time): (f64, Duration),
    place: crate::source::Span,
) -> Diagnostic {
    let promiser = facts.topology().operation_name(promise.by);
    let (promised, stated) = (prose::quantile(promise.quantile), prose::quantile(highest));
    let who = if promiser == name { "it".to_owned() } else { format!("`{promiser}`, which needs it,") };
    let message = format!("of `{name}` only the {stated} is known, and {who} promises a {promised}");
    let mut diagnostic = Diagnostic::new(place, message).subject(name.to_owned());
    diagnostic.certainty = Certainty::Possible;
    let step = |subject: &str, span, text, time: Duration| Step {
        subject: subject.to_owned(),
        span,
        text,
        value: Some(Measure::Seconds(time.seconds())),
    };
    let within = format!("promised: {promised} within {}", promise.time);
    diagnostic.witness = vec![
        step(&promiser, promise.stated.span, within, promise.time),
        step(name, place, format!("known: {stated} of {time}"), time),
    ];
    diagnostic.consequence =
        Some(format!("how slow the slowest {} of its answers are is not said", prose::percent(1.0 - highest)));
    diagnostic.cause = Some(name.to_owned());
    diagnostic.group = Some("promises rest on lower quantiles".into());
    diagnostic.help = vec![
        format!("add its {promised}: `latency {stated} {}, {promised} …`, or a `max`", time.written()),
        format!("or promise what is known: `slo {{ latency {stated} … }}` on `{promiser}`"),
        "or bound the calls to it: timeouts that fit into the promise".to_owned(),
    ];
    diagnostic
}
