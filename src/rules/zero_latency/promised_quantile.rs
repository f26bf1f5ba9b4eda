//! A promised quantile against the quantiles of what it needs: what is reached at least, and what is to be expected.

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::model::{CallId, Duration, OperationId, Step as CallStep};
use crate::rules::prose;
use crate::vocabulary::Key;

/// A promise that the quantiles of its parts break, or are to be expected to break.
pub(super) fn broken(facts: &Facts<'_>, id: OperationId) -> Option<Diagnostic> {
    let (promised, setting) = facts.promised_quantiles(id)?;
    let surely = promised.iter().find_map(|(quantile, limit)| surely(facts, id, *quantile, *limit));
    let found =
        surely.or_else(|| promised.iter().find_map(|(quantile, limit)| expected(facts, id, *quantile, *limit)))?;
    let name = facts.topology().operation_name(id);
    let shown = prose::quantile(found.quantile);
    let message = format!("`{name}` promises its {shown} in {}, but {}", found.limit, found.what);
    let mut diagnostic = Diagnostic::new(setting.span, message).at("promised here").subject(name.clone());
    diagnostic.certainty = found.certainty;
    diagnostic.witness = witness(facts, id, found.quantile);
    diagnostic.path = Some(prose::path(facts, id, &[], 0));
    diagnostic.consequence = Some(found.follows);
    diagnostic.cause = Some(cause(facts, id));
    diagnostic.help = vec![
        format!("promise what can be kept: `latency {shown} {}`", found.needed.rounded_up().written()),
        "or cut slow parts off: a shorter `timeout` with a `fallback`, or a `hedge`".to_owned(),
        "or make independent calls at once, in `parallel`".to_owned(),
    ];
    Some(diagnostic)
}

/// What an operation promises, as the element to edit: apart from what it allows itself.
pub(super) fn cause(facts: &Facts<'_>, id: OperationId) -> String {
    format!("latency of {}", facts.topology().operation_name(id))
}

struct Broken {
    quantile: f64,
    limit: Duration,
    certainty: Certainty,
    what: String,
    follows: String,
    /// What can be kept.
    needed: Duration,
}

/// One part alone is too slow too often.
fn surely(facts: &Facts<'_>, id: OperationId, quantile: f64, limit: Duration) -> Option<Broken> {
    let needed = facts.least_latency(id, quantile);
    let shown = prose::quantile(quantile);
    (needed > limit).then(|| Broken {
        quantile,
        limit,
        certainty: Certainty::Proved,
        what: format!("that of what it needs is {needed} or more"),
        follows: format!("the {shown} of a sum is never below that of one of its parts"),
        needed,
    })
}

/// All parts together are: how slow they are together depends on how they coincide.
fn expected(facts: &Facts<'_>, id: OperationId, quantile: f64, limit: Duration) -> Option<Broken> {
    let needed = facts.estimated_latency(id, quantile).filter(|needed| *needed > limit)?;
    let bound = facts.proved_latency(id, quantile);
    let follows = match bound {
        Some(bound) => format!("only {bound} is proved, which holds however slow answers coincide"),
        None => "nothing is proved: the quantiles that are stated are too low for a bound".to_owned(),
    };
    Some(Broken {
        quantile,
        limit,
        certainty: if bound.is_some() { Certainty::Possible } else { Certainty::Heuristic },
        what: format!("{needed} is to be expected of its parts, if they are slow independently"),
        follows,
        needed,
    })
}

/// Own work and each call that every request needs, with what its quantile is at least.
fn witness(facts: &Facts<'_>, id: OperationId, quantile: f64) -> Vec<Step> {
    let topology = facts.topology();
    let shown = prose::quantile(quantile);
    let own = facts.cascade().operation(id, Key::Latency).given();
    let own = own.and_then(|stated| {
        let known = stated.setting.quantiles().filter(|(own, _)| *own <= quantile + 1e-9);
        Some((stated, known.max_by(|one, other| one.0.total_cmp(&other.0))?))
    });
    let step = |subject, span, text, time: Duration| Step {
        subject,
        span,
        text,
        value: Some(Measure::Seconds(time.seconds())),
    };
    let mut steps: Vec<Step> = own
        .into_iter()
        .map(|(stated, (known, time))| {
            step(
                topology.operation_name(id),
                stated.setting.span,
                format!("its own work: {} {time}", prose::quantile(known)),
                time,
            )
        })
        .collect();
    let mut calls: Vec<CallId> = Vec::new();
    CallStep::each(&topology.operation(id).body, &mut |call| calls.push(call));
    for call in calls.into_iter().filter(|call| facts.is_always_needed(*call)) {
        let least = facts.round_trip(call).plus(facts.least_latency(topology.callee(call), quantile));
        if least > Duration::ZERO && steps.len() < 12 {
            steps.push(step(
                topology.call_name(call),
                topology.call(call).span,
                format!("its {shown} is at least {least}"),
                least,
            ));
        }
    }
    steps
}
