//! An operation that is executed far more often when it fails, because several layers try again.

use std::collections::BTreeMap;

use crate::analysis::{Attempts, Executions, Facts, Plan};
use crate::diagnostic::{Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{CallId, OperationId, Origin};
use crate::rules::prose;

pub(in crate::rules) fn check(facts: &Facts<'_>, options: &Options) -> Vec<Diagnostic> {
    let most = options.count("threshold");
    let targets: Vec<OperationId> =
        facts.topology().operation_ids().filter(|id| factor(facts.executions(*id)) > most).collect();
    let at_once = facts.executions_at_once(&targets);
    let mut by_cause: BTreeMap<CallId, Vec<Amplified>> = BTreeMap::new();
    for (target, (executions, way)) in targets.into_iter().zip(at_once) {
        let found = Amplified { target, executions, layers: layers(facts, &way), way };
        if factor(executions) > most
            && let Some((first, _)) = found.layers.first()
            && !found.layers.iter().any(|(call, _)| facts.plan(*call).attempts == Attempts::Unlimited)
        {
            by_cause.entry(*first).or_default().push(found);
        }
    }
    by_cause.into_values().filter_map(|found| report(facts, found)).collect()
}

/// By how much a failure multiplies the executions: what fan-out and loops do is no retry. Without end is said of the
/// call that is tried without end.
fn factor(executions: Executions) -> u64 {
    match (executions.failing.finite(), executions.healthy.finite()) {
        (Some(failing), Some(healthy)) if executions.exact => failing / healthy.max(1),
        _ => 0,
    }
}

/// An operation, and the way on which it is executed most often.
struct Amplified {
    target: OperationId,
    executions: Executions,
    way: Vec<CallId>,
    /// The calls of the way that are tried again, each with its tries.
    layers: Vec<(CallId, u64)>,
}

impl Amplified {
    fn times(&self) -> u64 {
        self.executions.failing.finite().unwrap_or(0)
    }
}

/// The calls that multiply: those from the last one on that absorbs the failure.
fn layers(facts: &Facts<'_>, way: &[CallId]) -> Vec<(CallId, u64)> {
    let last = way.last().copied();
    let tries = |call: CallId| match facts.tries_of_failure(call, Some(call) == last) {
        _ if facts.is_spread(call) => 1,
        Attempts::AtMost(tries) => tries,
        Attempts::Unlimited => 1,
    };
    let absorbed = way.iter().rposition(|call| !facts.is_hard(*call)).unwrap_or(0);
    let multiplying = way.iter().skip(absorbed);
    multiplying.map(|call| (*call, tries(*call))).filter(|(_, tries)| *tries > 1).collect()
}

fn report(facts: &Facts<'_>, mut found: Vec<Amplified>) -> Option<Diagnostic> {
    let topology = facts.topology();
    found.sort_by_key(|one| (std::cmp::Reverse(one.times()), facts.rank(one.target)));
    let (worst, others) = found.split_first()?;
    let name = topology.operation_name(worst.target);
    let (first, _) = worst.layers.first()?;
    let mut diagnostic = Diagnostic::new(
        topology.operation(worst.target).span,
        match worst.executions.healthy.finite() {
            Some(healthy) if healthy > 1 => {
                format!(
                    "`{name}` is executed up to {} times for one request when it fails, {healthy} when not",
                    worst.times()
                )
            }
            _ => format!("`{name}` is executed up to {} times for one request when it fails", worst.times()),
        },
    );
    diagnostic = diagnostic.at(arithmetic(worst)).subject(name.clone());
    diagnostic.witness = worst.layers.iter().map(|(call, tries)| layer(facts, *call, *tries)).collect();
    diagnostic.path = Some(prose::path(facts, topology.caller(*worst.way.first()?), &worst.way, 0));
    diagnostic.consequence = Some(consequence(worst, others.len()));
    diagnostic.cause = Some(prose::amplification(&prose::cause(facts, *first)));
    diagnostic.group = Some("operations are executed many times for one request when they fail".into());
    diagnostic.help = help(facts, worst);
    Some(diagnostic)
}

/// "4 × 4 × 4", if that is all.
fn arithmetic(worst: &Amplified) -> String {
    let product = worst.layers.iter().fold(1_u64, |product, (_, tries)| product.saturating_mul(*tries));
    let factors: Vec<String> = worst.layers.iter().map(|(_, tries)| tries.to_string()).collect();
    match (factors.len() > 1, product == worst.times()) {
        (true, true) => format!("{} = {product} executions", factors.join(" × ")),
        (true, false) => format!("{} = {product} on this way, {} on all", factors.join(" × "), worst.times()),
        (false, true) => format!("{product} executions"),
        (false, false) => format!("{product} on this way, {} on all", worst.times()),
    }
}

fn layer(facts: &Facts<'_>, call: CallId, tries: u64) -> Step {
    let topology = facts.topology();
    let plan = facts.plan(call);
    let text = format!("tried up to {} times", by_layer(plan, tries));
    let span = plan.attempts_stated.and_then(prose::place).unwrap_or(topology.call(call).span);
    #[allow(clippy::cast_precision_loss, reason = "a number of attempts, for programs")]
    let value = Some(Measure::Times(tries as f64));
    Step { subject: topology.call_name(call), span, text, value }
}

/// "4 × 3 by Istio = 12": the caller's own tries, and those of each mesh that counts here.
fn by_layer(plan: &Plan<'_>, tries: u64) -> String {
    let mut left = tries;
    let mut meshes = Vec::new();
    for layer in &plan.proxies {
        // What does not divide the whole is not in it: a mesh may leave a failure from further below alone.
        if left > 1 && left.is_multiple_of(layer.attempts) {
            left /= layer.attempts;
            meshes.push(format!("{} by {}", layer.attempts, layer.client.title));
        }
    }
    match (meshes.is_empty(), left) {
        (true, _) => tries.to_string(),
        (false, 1) => meshes.join(" × "),
        (false, own) => format!("{own} × {} = {tries}", meshes.join(" × ")),
    }
}

fn consequence(worst: &Amplified, others: usize) -> String {
    let load = format!("it gets {} times its load when it can take least", factor(worst.executions));
    let bound = match worst.executions.bound.finite() {
        Some(bound) if bound > worst.times() => format!("; if others fail too, at most {bound} executions"),
        _ => String::new(),
    };
    match others {
        0 => format!("{load}{bound}"),
        _ => format!("{load}{bound}; and {} like it", prose::count(others as u64, "operation")),
    }
}

fn help(facts: &Facts<'_>, worst: &Amplified) -> Vec<String> {
    let Some((&(last, tries), upper)) = worst.layers.split_last() else { return Vec::new() };
    let name = |call: CallId| format!("`{}`", prose::call(facts, call));
    let mut help = Vec::new();
    if upper.is_empty() {
        let fewer = if tries > 3 { 3 } else { 1 };
        help.push(format!(
            "write fewer tries on {}: `attempts {fewer}`, and let a `breaker` stop them when it is down",
            name(last)
        ));
    } else {
        let names: Vec<String> = upper.iter().map(|(call, _)| name(*call)).collect();
        let left = upper.iter().fold(worst.times(), |times, (_, tries)| times / tries);
        help.push(format!(
            "try again in one layer only, the one next to the failure: keep the {tries} attempts of {} and write `attempts 1` on {}: {} are left",
            name(last),
            names.join(", "),
            left.max(1)
        ));
    }
    let by_mesh = |call: &CallId| {
        facts.plan(*call).attempts_stated.is_some_and(|stated| matches!(stated.origin, Origin::Client(..)))
    };
    if worst.layers.iter().any(|(call, _)| by_mesh(call) || !facts.plan(*call).proxies.is_empty()) {
        help.push("or switch the retries of the mesh off for this route, and leave it out of `via`".to_owned());
    }
    help.push(
        "or bound what retries may add for all requests together: `retry-budget 10% per success` on these calls"
            .to_owned(),
    );
    help
}
