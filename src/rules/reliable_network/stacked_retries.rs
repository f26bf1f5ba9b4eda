//! A failure that several layers try again, each for itself.

use std::collections::BTreeMap;

use super::statement::one_each;
use crate::analysis::{Attempts, Facts};
use crate::diagnostic::{Because, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{CallId, OperationId};
use crate::rules::prose;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let above = above(facts);
    let mut by_cause: BTreeMap<(u32, u32, u32), Vec<Stack>> = BTreeMap::new();
    for call in facts.calls_by_name() {
        if let Some(stack) = stack(facts, &above, call) {
            let upper = facts.topology().call(stack.upper);
            let cause = (facts.rank(upper.from), facts.rank(upper.to), upper.nth);
            by_cause.entry(cause).or_default().push(stack);
        }
    }
    let mut reports: Vec<(u64, CallId, Diagnostic)> =
        by_cause.into_values().filter_map(|stacks| report(facts, &stacks)).collect();
    // Where one line says it for many calls, the highest stack speaks.
    reports.sort_by_key(|(product, call, _)| (std::cmp::Reverse(*product), facts.call_rank(*call)));
    one_each(facts, reports.into_iter().map(|(_, call, diagnostic)| (call, diagnostic)))
}

/// Two layers over one failure: the upper one, and the one next to it. The same call, where a mesh adds its own tries.
struct Stack {
    upper: CallId,
    upper_tries: u64,
    lower: CallId,
    lower_tries: u64,
}

/// For each operation, the nearest call above it that is tried again when the operation fails; none where something
/// absorbs the failure before.
fn above(facts: &Facts<'_>) -> Vec<Option<CallId>> {
    let topology = facts.topology();
    let mut above: Vec<Option<CallId>> = vec![None; topology.operations.len()];
    for circle in facts.components().iter().rev() {
        // What a circle does to itself is `sync-cycle`'s; only what comes from outside is above it.
        // Groups are sorted.
        let inside = |id: OperationId| circle.binary_search(&id).is_ok();
        for id in circle {
            let outside = |call: &CallId| facts.is_hard(*call) && !inside(topology.caller(*call));
            let mut calls: Vec<CallId> = topology.calls_to(*id).filter(outside).collect();
            calls.sort_by_key(|call| facts.call_rank(*call));
            let upper = |call: &CallId| {
                let further = || above.get(topology.caller(*call).index()).copied().flatten();
                if tries(facts, *call, false) > 1 { Some(*call) } else { further() }
            };
            let nearest = calls.iter().find_map(upper);
            above.get_mut(id.index()).into_iter().for_each(|slot| *slot = nearest);
        }
    }
    above
}

/// Tries that one failure leads to: what a budget bounds or time spreads counts as one.
fn tries(facts: &Facts<'_>, call: CallId, direct: bool) -> u64 {
    match facts.tries_of_failure(call, direct) {
        Attempts::AtMost(tries) if !facts.is_spread(call) => tries,
        _ => 1,
    }
}

fn stack(facts: &Facts<'_>, above: &[Option<CallId>], id: CallId) -> Option<Stack> {
    let call = facts.topology().call(id);
    let lower_tries = tries(facts, id, true);
    if call.implied || !facts.is_made(id) || lower_tries < 2 {
        return None;
    }
    let from: OperationId = call.from;
    if facts.is_hard(id)
        && let Some(upper) = above.get(from.index()).copied().flatten()
    {
        return Some(Stack { upper, upper_tries: tries(facts, upper, false), lower: id, lower_tries });
    }
    let Attempts::AtMost(own) = facts.plan(id).attempts else { return None };
    let mesh = lower_tries / own.max(1);
    (own > 1 && mesh > 1).then_some(Stack { upper: id, upper_tries: own, lower: id, lower_tries: mesh })
}

fn report(facts: &Facts<'_>, stacks: &[Stack]) -> Option<(u64, CallId, Diagnostic)> {
    let topology = facts.topology();
    let worst = stacks.iter().rev().max_by_key(|stack| stack.upper_tries.saturating_mul(stack.lower_tries))?;
    let (upper, lower) = (prose::call(facts, worst.upper), prose::call(facts, worst.lower));
    let (outer, inner) = (worst.upper_tries, worst.lower_tries);
    let product = outer.saturating_mul(inner);
    let message = if worst.upper == worst.lower {
        let mesh: Vec<&str> = facts.plan(worst.lower).proxies.iter().map(|layer| layer.client.title.as_str()).collect();
        format!("`{upper}` and {} both try one failure again: {outer} × {inner} = {product} tries", mesh.join(", "))
    } else {
        format!("`{upper}` tries again what `{lower}` has tried already: {outer} × {inner} = {product} tries")
    };
    let stated = facts.plan(worst.upper).attempts_stated;
    let span = stated.and_then(prose::place).unwrap_or(topology.call(worst.upper).span);
    let mut diagnostic = Diagnostic::new(span, message).subject(topology.call_name(worst.upper));
    if worst.upper != worst.lower {
        diagnostic.witness = vec![step(facts, worst.upper, outer), step(facts, worst.lower, inner)];
    }
    if stacks.len() > 1 {
        diagnostic.consequence = Some(format!("and of {} like it", prose::count(stacks.len() as u64 - 1, "call")));
    }
    diagnostic.cause = Some(prose::cause(facts, worst.upper));
    let cause = prose::amplification(&prose::cause(facts, worst.upper));
    diagnostic.caused_by = vec![Because { rules: &["retry-amplification"], cause }];
    diagnostic.group = Some("failures are tried again by several layers".into());
    diagnostic.help = vec![
        format!("try again in one layer, the one next to the failure: `attempts 1` on `{upper}`"),
        "or let them try different failures again: `retry-on connect` above, which no failure further down is"
            .to_owned(),
        "or bound what they add for all requests together: `retry-budget 10% per success`".to_owned(),
    ];
    if worst.upper == worst.lower {
        diagnostic.help.truncate(1);
        diagnostic
            .help
            .push("or switch the retries of the mesh off for this route, and leave it out of `via`".to_owned());
    }
    Some((product, worst.upper, diagnostic))
}

fn step(facts: &Facts<'_>, call: CallId, tries: u64) -> Step {
    let span = facts.plan(call).attempts_stated.and_then(prose::place).unwrap_or(facts.topology().call(call).span);
    #[allow(clippy::cast_precision_loss, reason = "a number of attempts, for programs")]
    let value = Some(Measure::Times(tries as f64));
    Step { subject: facts.topology().call_name(call), span, text: format!("tried up to {tries} times"), value }
}
