//! A connection that is too slow for what it has to carry: by its window and the distance, or by what is lost.

use crate::analysis::{Facts, Traffic, loss_limit, on_the_way, window_limit};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{CallId, Duration};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let drawn = facts.topology().call_ids().filter(|call| !facts.topology().call(*call).implied);
    drawn.filter(|call| facts.is_made(*call)).filter_map(|call| finding(facts, call)).collect()
}

/// How fast one connection can be, and by what.
struct Speed {
    bytes_per_second: f64,
    text: String,
    certainty: Certainty,
}

fn speeds(facts: &Facts<'_>, call: CallId, round_trip: Duration) -> Vec<Speed> {
    let window = facts.cascade().call(call, &[Key::ReceiveWindow]).given().and_then(|stated| stated.setting.size());
    let by_window = window.map(|window| Speed {
        bytes_per_second: window_limit(window, round_trip),
        text: format!("{} in each round trip of {round_trip}", prose::size(window)),
        certainty: Certainty::Proved,
    });
    let loss = facts.crossing(call).filter(|crossing| crossing.share >= 1.0).and_then(|crossing| crossing.loss());
    let by_loss = loss.map(|loss| Speed {
        bytes_per_second: loss_limit(loss, round_trip),
        text: format!("{} % of the packets are lost, over {round_trip}", prose::number(loss * 100.0)),
        certainty: Certainty::Heuristic,
    });
    by_window.into_iter().chain(by_loss).collect()
}

fn finding(facts: &Facts<'_>, call: CallId) -> Option<Diagnostic> {
    let round_trip = Some(facts.round_trip(call)).filter(|round_trip| *round_trip > Duration::ZERO)?;
    speeds(facts, call, round_trip).into_iter().find_map(|speed| {
        let message = late(facts, call, &speed).or_else(|| slow(facts, call, &speed))?;
        Some(report(facts, call, round_trip, &speed, message))
    })
}

/// One message takes longer than the caller waits.
fn late(facts: &Facts<'_>, call: CallId, speed: &Speed) -> Option<String> {
    let plan = facts.plan(call);
    let (limit, _) = plan.attempt_limit().filter(|_| facts.is_awaited(call) && !facts.is_stream(call))?;
    let bytes = facts.bytes(call);
    let size = bytes.request.max(bytes.response);
    let seconds = float(size) / speed.bytes_per_second;
    (seconds > limit.seconds()).then(|| {
        format!(
            "`{}` waits {limit}, and {} over one connection take {}",
            prose::call(facts, call),
            prose::size(size),
            prose::seconds(seconds)
        )
    })
}

/// All connections together carry less than is to be sent.
fn slow(facts: &Facts<'_>, call: CallId, speed: &Speed) -> Option<String> {
    let topology = facts.topology();
    let pool = facts.cascade().call(call, &[Key::PoolSize]).given()?.setting.count()?;
    let (_, instances) = facts.instances(topology.caller_node(call))?;
    let bytes = facts.bytes(call);
    let needed = facts.call_rate(call, Traffic::Peak).per_second * float(bytes.request.max(bytes.response));
    let possible = float(pool.saturating_mul(instances)) * speed.bytes_per_second;
    (needed > possible).then(|| {
        format!(
            "`{}` needs {}, and its {} carry {}",
            prose::call(facts, call),
            prose::bandwidth(needed * 8.0),
            prose::count(pool.saturating_mul(instances), "connection"),
            prose::bandwidth(possible * 8.0)
        )
    })
}

#[allow(clippy::cast_precision_loss, reason = "a number of bytes or connections, to divide")]
fn float(number: u64) -> f64 {
    number as f64
}

fn report(facts: &Facts<'_>, call: CallId, round_trip: Duration, speed: &Speed, message: String) -> Diagnostic {
    let topology = facts.topology();
    let bits = speed.bytes_per_second * 8.0;
    let window = facts.cascade().call(call, &[Key::ReceiveWindow]).given().and_then(prose::place);
    let span = window.filter(|_| speed.certainty == Certainty::Proved).unwrap_or(topology.call(call).span);
    let mut diagnostic = Diagnostic::new(span, message).at(format!("{} a connection", prose::bandwidth(bits)));
    diagnostic.certainty = speed.certainty;
    diagnostic.witness = vec![Step {
        subject: topology.call_name(call),
        span: topology.call(call).span,
        text: format!("{}: {}", speed.text, prose::bandwidth(bits)),
        value: Some(Measure::Times(speed.bytes_per_second)),
    }];
    let bandwidth = facts.crossing(call).and_then(|crossing| crossing.bandwidth().map(|(bits, _)| bits));
    let full = bandwidth.map(|bits| on_the_way(bits, round_trip));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of bytes, rounded up")]
    let window = full
        .map_or_else(|| "SIZE".to_owned(), |bytes| prose::size((bytes / 1e5).ceil() as u64 * 100_000).replace(' ', ""));
    diagnostic.help = vec![
        "send less, or several parts side by side".to_owned(),
        format!("or a larger window: `receive-window {window}`{}", if full.is_some() { " fills the link" } else { "" }),
        "or keep a copy near the caller".to_owned(),
    ];
    diagnostic.cause = Some(prose::cause(facts, call));
    diagnostic.group = Some("connections are too slow for what they carry".into());
    diagnostic.subject(topology.call_name(call))
}
