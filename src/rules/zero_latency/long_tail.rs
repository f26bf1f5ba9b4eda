//! An operation whose slow answers are so much slower than its usual ones that sums of medians mislead.

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::{Duration, OperationId};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, options: &Options) -> Vec<Diagnostic> {
    let most = options.count("ratio");
    facts.topology().operation_ids().filter_map(|id| finding(facts, id, most)).collect()
}

fn finding(facts: &Facts<'_>, id: OperationId, most: u64) -> Option<Diagnostic> {
    let topology = facts.topology();
    let stated = facts.cascade().operation(id, Key::Latency).given()?;
    let quantiles = || stated.setting.quantiles();
    let (_, median) = quantiles().find(|(quantile, _)| (quantile - 0.5).abs() < 1e-9)?;
    let (high, slow) =
        quantiles().filter(|(quantile, _)| *quantile <= 0.99 + 1e-9).max_by(|one, other| one.0.total_cmp(&other.0))?;
    if median == Duration::ZERO || slow <= median.times(most) {
        return None;
    }
    // It misleads where it is added to something else.
    let needed =
        topology.calls_to(id).filter(|call| facts.is_always_needed(*call) && facts.plan(*call).hedge.is_none());
    let callers = needed.map(|call| topology.caller(call));
    let adds =
        |from: &OperationId| topology.calls_from(*from).filter(|call| facts.is_always_needed(*call)).nth(1).is_some();
    let caller = callers
        .filter(|from| topology.kind_of(*from) != ElementKind::Client && adds(from))
        .min_by_key(|from| facts.rank(*from))?;
    let name = topology.operation_name(id);
    let ratio = prose::number((slow.seconds() / median.seconds() * 10.0).round() / 10.0);
    let message =
        format!("the {} of `{name}` is {ratio} times its p50: sums of medians say little", prose::quantile(high));
    let mut diagnostic = Diagnostic::new(prose::place(stated)?, message).subject(name.clone());
    diagnostic.certainty = Certainty::Heuristic;
    diagnostic.cause = Some(name);
    diagnostic.group = Some("operations have a long tail".into());
    let caller = topology.operation_name(caller);
    diagnostic.help = vec![
        format!("reckon with its {} in what `{caller}` promises, or shorten the tail", prose::quantile(high)),
        "or cut it off where it is called: `timeout` with a `fallback`, or a `hedge`".to_owned(),
    ];
    Some(diagnostic)
}
