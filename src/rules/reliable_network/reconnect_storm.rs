//! Long-lived connections that break together and come back together.

use crate::analysis::{Attempts, Facts, Limited};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{Answer, CallId, Duration};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, options: &Options) -> Vec<Diagnostic> {
    let limited = facts.limited(Key::Capacity);
    limited.iter().filter_map(|of| finding(facts, of, options.duration("within"))).collect()
}

/// The streams of one caller.
struct Streams {
    call: CallId,
    connections: f64,
    /// The time over which they come back; none if it is not stated.
    spread: Option<Duration>,
}

fn streams(facts: &Facts<'_>, call: CallId) -> Option<Streams> {
    let plan = facts.plan(call);
    let tried_once = plan.attempts_stated.is_some() && plan.attempts == Attempts::AtMost(1);
    if !facts.is_made(call) || !facts.is_stream(call) || tried_once {
        return None;
    }
    let topology = facts.topology();
    let (_, instances) = facts.instances(topology.caller_node(call))?;
    let each = facts.cascade().call(call, &[Key::PoolSize]).given().and_then(|stated| stated.setting.count());
    #[allow(clippy::cast_precision_loss, reason = "a number of connections, to divide")]
    let connections = instances.saturating_mul(each.unwrap_or(1)) as f64;
    let spread = match plan.backoff_stated {
        Answer::None(_) => Some(Duration::ZERO),
        Answer::Given(_) => plan.backoff.and_then(|backoff| backoff.spread()),
        Answer::Unreadable => return None,
        Answer::Unstated => None,
    };
    Some(Streams { call, connections, spread })
}

fn finding(facts: &Facts<'_>, of: &Limited<'_>, within: Duration) -> Option<Diagnostic> {
    if of.states(facts, Key::Shedding) || of.states(facts, Key::RateLimit) {
        return None;
    }
    let topology = facts.topology();
    let operations = of.operations(facts);
    let passing = facts.drawn_calls_passing(of.node).filter(|_| of.operation.is_none());
    let mut calls: Vec<CallId> = operations.iter().flat_map(|id| topology.calls_to(*id)).chain(passing).collect();
    calls.sort_by_key(|call| facts.call_rank(*call));
    let all: Vec<Streams> = calls.into_iter().filter_map(|call| streams(facts, call)).collect();
    let rate = |streams: &Streams| streams.connections / streams.spread.unwrap_or_default().max(within).seconds();
    let total: f64 = all.iter().map(rate).sum();
    if total <= of.limit {
        return None;
    }
    let connections: f64 = all.iter().map(|streams| streams.connections).sum();
    let known: f64 = all.iter().filter(|streams| streams.spread.is_some()).map(rate).sum();
    let (name, most) = (prose::limited(facts, of), prose::rate(of.limit));
    let message = format!(
        "when `{name}` restarts, {} connections come back at once, and it takes {most}",
        prose::count_of(connections)
    );
    let mut diagnostic = Diagnostic::new(prose::place(of.stated)?, message).at(format!("takes {most}"));
    diagnostic.certainty = if known > of.limit { Certainty::Proved } else { Certainty::Possible };
    diagnostic.witness = all.iter().take(6).map(|streams| step(facts, streams)).collect();
    let needed = connections / of.limit;
    diagnostic.consequence =
        Some(format!("it needs {} s until all are back, if none comes twice", prose::number(needed)));
    let call = all.first()?.call;
    diagnostic.help = vec![
        format!(
            "spread them over more than that: `backoff exponential {0}s..{1}s jitter full` on `{2}`",
            prose::number(needed.ceil()),
            prose::number((needed * 4.0).ceil()),
            prose::call(facts, call)
        ),
        format!("or let `{name}` accept only so many at a time: `rate-limit R` or `shedding`"),
    ];
    diagnostic.cause = Some(name.clone());
    diagnostic.group = Some("connections that break together come back together".into());
    Some(diagnostic.subject(name))
}

fn step(facts: &Facts<'_>, streams: &Streams) -> Step {
    let topology = facts.topology();
    let spread = match streams.spread {
        Some(Duration::ZERO) => "at once".to_owned(),
        Some(spread) => format!("over {spread}"),
        None => "over a time that is not stated".to_owned(),
    };
    let text = format!("{} come back {spread}", prose::count_of(streams.connections));
    let span = topology.call(streams.call).span;
    Step { subject: topology.call_name(streams.call), span, text, value: Some(Measure::Times(streams.connections)) }
}
