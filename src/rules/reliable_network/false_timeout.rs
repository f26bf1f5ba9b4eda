//! A caller that gives up while its callee is healthy: what is stated of the callee takes longer than that too often.

use crate::analysis::Facts;
use crate::diagnostic::{Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{CallId, Duration};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, options: &Options) -> Vec<Diagnostic> {
    if !facts.states_any_latency() {
        return Vec::new();
    }
    let accepted = options.percentage("accepted");
    facts.topology().call_ids().filter_map(|call| finding(facts, call, accepted)).collect()
}

fn finding(facts: &Facts<'_>, id: CallId, accepted: f64) -> Option<Diagnostic> {
    let plan = facts.plan(id);
    // A second copy, or something that answers instead, is why one may give up early.
    if !facts.is_awaited(id) || facts.is_stream(id) || plan.soft || plan.hedge.is_some() {
        return None;
    }
    let stated = facts.cascade().call(id, &[Key::FalseTimeouts]);
    let accepted = stated.given().and_then(|stated| stated.setting.share()).unwrap_or(accepted);
    let (limit, limited) = plan.attempt_limit()?;
    let to = facts.topology().callee(id);
    let trip = facts.round_trip(id);
    let (quantile, reached) = facts.reaches(to, limit.minus(trip)).filter(|_| limit > trip)?;
    let cut = 1.0 - quantile;
    // What no answer can meet is impossible, not early.
    if quantile <= 0.0 || cut <= accepted * (1.0 + 1e-9) {
        return None;
    }
    let topology = facts.topology();
    let (caller, callee) = (topology.operation_name(topology.caller(id)), topology.operation_name(to));
    let message = format!(
        "`{caller}` gives up on `{callee}` after {limit}, where {} of its healthy answers take {} or more",
        prose::percent(cut),
        reached.plus(trip)
    );
    let mut diagnostic = prose::about_call(facts, id, limited, message);
    diagnostic.witness = witness(facts, id, limit, quantile, reached);
    diagnostic.consequence = Some(if plan.attempts.repeat() {
        format!("{} of all calls run at least twice while nothing is wrong", prose::percent(cut))
    } else {
        format!("{} of all calls fail while nothing is wrong", prose::percent(cut))
    });
    diagnostic.help = help(facts, id, cut);
    diagnostic.cause = Some(prose::cause_of(facts, id, Some(limited)));
    diagnostic.group = Some("calls give up on healthy callees".into());
    Some(diagnostic.subject(topology.call_name(id)))
}

fn witness(facts: &Facts<'_>, id: CallId, limit: Duration, quantile: f64, reached: Duration) -> Vec<Step> {
    let topology = facts.topology();
    let call = topology.call(id);
    let step = |subject, span, text, time: Duration| Step {
        subject,
        span,
        text,
        value: Some(Measure::Seconds(time.seconds())),
    };
    let mut steps = vec![step(topology.call_name(id), call.span, format!("every attempt ends here: {limit}"), limit)];
    let trip = facts.round_trip(id);
    if trip > Duration::ZERO {
        steps.push(step(topology.call_name(id), call.span, format!("there and back: {trip}"), trip));
    }
    let said =
        [Key::Latency, Key::Observed].into_iter().find_map(|key| facts.cascade().operation(call.to, key).given());
    let span = said.and_then(prose::place).unwrap_or(topology.operation(call.to).span);
    let text = format!("its {} is at least {reached}", prose::quantile(quantile));
    steps.push(step(topology.operation_name(call.to), span, text, reached));
    steps
}

/// The longest quantile that is stated is what a timeout has to leave time for.
fn help(facts: &Facts<'_>, id: CallId, cut: f64) -> Vec<String> {
    let to = facts.topology().callee(id);
    let longest = facts.longest_reached(to).plus(facts.round_trip(id));
    vec![
        format!("write `timeout {}`, above the highest quantile that is stated", longest.rounded_up().written()),
        format!("or `false-timeouts {}%`, if that share may be given up", prose::percent(cut).trim_end_matches(" %")),
        "or a `hedge` or `fallback`, if that is why it gives up early".to_owned(),
    ]
}
