//! A time that nothing can keep: a wait shorter than the way there and back, quantiles that fall.

use std::collections::BTreeMap;

use crate::analysis::Facts;
use crate::diagnostic::{Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{CallId, Duration, NodeId, OperationId, Stated};
use crate::rules::needed::more_calls;
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let topology = facts.topology();
    let mut short: BTreeMap<NodeId, Vec<ShortWait<'_>>> = BTreeMap::new();
    for wait in topology.call_ids().filter_map(|call| short_wait(facts, call)) {
        short.entry(facts.topology().callee_node(wait.call)).or_default().push(wait);
    }
    let waits = short.into_values().filter_map(|waits| too_far(facts, waits));
    let deadlines = topology.operation_ids().filter_map(|id| short_deadline(facts, id));
    let quantiles = topology.operation_ids().flat_map(|id| falling(facts, id));
    waits.chain(deadlines).chain(quantiles).collect()
}

/// A call that gives up before an answer can have come back.
struct ShortWait<'a> {
    call: CallId,
    limit: Duration,
    stated: Stated<'a>,
    trip: Duration,
    below: Duration,
}

fn short_wait<'a>(facts: &'a Facts<'_>, call: CallId) -> Option<ShortWait<'a>> {
    let plan = facts.plan(call);
    let (limit, stated) = plan.attempt_limit().filter(|_| facts.is_awaited(call) && !facts.is_stream(call))?;
    let (trip, below) = (facts.round_trip(call), facts.floor(facts.topology().callee(call)));
    let least = trip.plus(below);
    (least >= limit && least > Duration::ZERO).then_some(ShortWait { call, limit, stated, trip, below })
}

/// All calls to one node that give up too early: where it stands is the cause, or the wait that they share.
fn too_far(facts: &Facts<'_>, mut waits: Vec<ShortWait<'_>>) -> Option<Diagnostic> {
    waits.sort_by_key(|wait| facts.call_rank(wait.call));
    let calls: Vec<CallId> = waits.iter().map(|wait| wait.call).collect();
    let &ShortWait { call: id, limit, stated, trip, below } = waits.first()?;
    let to = facts.topology().callee(id);
    let least = trip.plus(below);
    let topology = facts.topology();
    let name = prose::call(facts, id);
    let message = format!(
        "no answer to `{name}` can come in time: it waits {limit}, and the way there and back takes {least}{}",
        more_calls(&calls)
    );
    let mut diagnostic = prose::about_call(facts, id, stated, message);
    for call in calls.iter().skip(1).take(3) {
        diagnostic = diagnostic.label(topology.call(*call).span, "nor this one");
    }
    let step = |subject, span, text, time: Duration| Step {
        subject,
        span,
        text,
        value: Some(Measure::Seconds(time.seconds())),
    };
    if trip > Duration::ZERO {
        diagnostic.witness.push(step(
            topology.call_name(id),
            topology.call(id).span,
            format!("there and back: {trip}"),
            trip,
        ));
    }
    if below > Duration::ZERO {
        let text = format!("its own calls go there and back: {below}");
        diagnostic.witness.push(step(topology.operation_name(to), topology.operation(to).span, text, below));
    }
    diagnostic.cause = Some(prose::cause_of(facts, id, Some(stated)));
    diagnostic.help = vec![
        format!("write a `{}` above {least}", stated.setting.key),
        "or `local` on the call, or the places of both ends, if they are nearer than the `network` block says"
            .to_owned(),
    ];
    diagnostic.subjects = calls.iter().map(|call| topology.call_name(*call)).collect();
    Some(diagnostic)
}

/// An operation that gives up before its own calls can have come back.
fn short_deadline(facts: &Facts<'_>, id: OperationId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let stated = facts.cascade().operation(id, Key::Deadline).given()?;
    let own = facts.allotted(id).own?;
    let least = facts.floor(id);
    if least < own || least == Duration::ZERO || topology.kind_of(id) == ElementKind::Client {
        return None;
    }
    let name = topology.operation_name(id);
    let message =
        format!("`{name}` never answers in time: it gives itself {own}, and its calls go there and back for {least}");
    let mut diagnostic = Diagnostic::new(prose::place(stated)?, message).subject(name.clone());
    diagnostic.cause = Some(name);
    diagnostic.help = vec![
        format!("write a `deadline` above {least}"),
        "or keep what it needs in one place, or make independent calls at once, in `parallel`".to_owned(),
    ];
    Some(diagnostic)
}

/// A higher quantile is never the shorter one.
fn falling(facts: &Facts<'_>, id: OperationId) -> Vec<Diagnostic> {
    let keys = [Key::Latency, Key::Observed];
    let stated = keys.into_iter().filter_map(|key| facts.cascade().operation(id, key).given());
    let promised = facts.promised_quantiles(id).map(|(_, setting)| setting);
    let name = facts.topology().operation_name(id);
    let settings = stated.filter_map(|stated: Stated<'_>| prose::place(stated).map(|_| stated.setting)).chain(promised);
    settings
        .filter_map(|setting| {
            let mut quantiles: Vec<(f64, Duration)> = setting.quantiles().collect();
            quantiles.extend(setting.maximum().map(|maximum| (1.0, maximum)));
            quantiles.sort_by(|one, other| one.0.total_cmp(&other.0));
            let falls = quantiles.windows(2).find(|pair| matches!(pair, [low, high] if low.1 > high.1))?;
            let [low, high] = falls else { return None };
            let shown = |quantile: f64| if quantile >= 1.0 { "max".to_owned() } else { prose::quantile(quantile) };
            let (lower, higher) = (shown(low.0), shown(high.0));
            let message = format!("the {higher} of `{name}` cannot be {}: its {lower} is {}", high.1, low.1);
            let mut diagnostic = Diagnostic::new(setting.span, message).subject(name.clone());
            diagnostic.cause = Some(format!("{name} {}", setting.key));
            Some(diagnostic.help(format!("a higher quantile takes at least as long: write `{higher}` above {}", low.1)))
        })
        .collect()
}
