//! Workers that all wait for one callee, while operations that could do without it find none.

use crate::analysis::{Extent, Facts, Held, Pool};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{CallId, OperationId};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.pools().iter().filter_map(|pool| finding(facts, pool)).collect()
}

/// One a pool: the hang that needs most of its workers, else one of which nothing says how long it holds them.
fn finding(facts: &Facts<'_>, pool: &Pool) -> Option<Diagnostic> {
    let counts = |held: &&Held| held.arriving > 0.0 && !held.innocent.is_empty();
    let proved = pool.hangs.iter().filter(counts).find(|held| held.exceeds(pool));
    if let Some(held) = proved {
        return Some(report(facts, pool, held, Certainty::Proved));
    }
    let open = |held: &&Held| held.calls.iter().any(|call| unstated(facts, *call) && !is_limited(facts, *call));
    let possible = pool.hangs.iter().filter(counts).find(open)?;
    Some(report(facts, pool, possible, Certainty::Possible))
}

/// Nothing says how long a call waits; what could not be read is left alone.
fn unstated(facts: &Facts<'_>, call: CallId) -> bool {
    let unknown = !matches!(facts.times().call(facts, call).at_most, Some(Extent::Finite(_)));
    unknown && !facts.plan(call).is_unreadable()
}

fn is_limited(facts: &Facts<'_>, call: CallId) -> bool {
    facts.cascade().call(call, &[Key::Bulkhead]).given().is_some()
}

fn report(facts: &Facts<'_>, pool: &Pool, held: &Held, certainty: Certainty) -> Diagnostic {
    let topology = facts.topology();
    let owner = owner(facts, pool);
    let callee = topology.node_name(held.callee);
    let workers = prose::count(pool.size, "worker");
    let message = match (certainty, held.needed) {
        (Certainty::Proved, Some(needed)) => {
            format!("a hang of `{callee}` takes all {workers} of `{owner}`: {} would be held", whole(needed))
        }
        (Certainty::Proved, None) => {
            format!("a hang of `{callee}` takes all {workers} of `{owner}`, and never gives them back")
        }
        _ => format!("nothing that is stated keeps a hang of `{callee}` from taking all {workers} of `{owner}`"),
    };
    let stated = match pool.operation {
        Some(operation) => facts.cascade().operation(operation, Key::Concurrency),
        None => facts.cascade().node(pool.node, Key::Concurrency),
    };
    let place = stated.given().and_then(prose::place).unwrap_or(topology.node(pool.node).span);
    let mut diagnostic = Diagnostic::new(place, message).at(workers).subject(owner.clone());
    diagnostic.certainty = certainty;
    diagnostic.witness = held.calls.iter().take(8).map(|call| step(facts, held, *call)).collect();
    diagnostic.consequence = Some(consequence(facts, pool, held));
    diagnostic.cause = Some(owner);
    diagnostic.group = Some("a hang of one callee takes all workers of a service".into());
    diagnostic.help = help(facts, pool, held);
    diagnostic
}

/// A number of workers; what is only wrong in the last digits is no worker more.
fn whole(held: f64) -> String {
    prose::number((held - 1e-6).ceil().max(0.0))
}

fn owner(facts: &Facts<'_>, pool: &Pool) -> String {
    let topology = facts.topology();
    pool.operation.map_or_else(|| topology.node_name(pool.node).to_owned(), |id| topology.operation_name(id))
}

fn step(facts: &Facts<'_>, held: &Held, call: CallId) -> Step {
    let topology = facts.topology();
    let arriving = held.arriving_at(call);
    let rate = prose::number(arriving);
    let plan = facts.plan(call);
    let (text, value) = match facts.times().call(facts, call).at_least {
        Extent::Finite(_) if unstated(facts, call) => (format!("{rate}/s wait, and no timeout is stated"), None),
        Extent::Finite(time) => {
            let wanted = arriving * time.seconds();
            let limit = facts.cascade().call(call, &[Key::Bulkhead]).given().and_then(|stated| stated.setting.count());
            #[allow(clippy::cast_precision_loss, reason = "a number of workers, to compare")]
            let limit = limit.map(|limit| limit as f64).filter(|limit| *limit < wanted);
            match limit {
                Some(limit) => {
                    let text = format!("{rate}/s × {time}, {} at most by its bulkhead", whole(limit));
                    (text, Some(Measure::Times(limit)))
                }
                None => (format!("{rate}/s × {time}: {} held", whole(wanted)), Some(Measure::Times(wanted))),
            }
        }
        Extent::Unbounded => (format!("{rate}/s wait without end"), None),
    };
    let span = plan.timeout.stated().and_then(prose::place).unwrap_or(topology.call(call).span);
    Step { subject: topology.call_name(call), span, text, value }
}

fn consequence(facts: &Facts<'_>, pool: &Pool, held: &Held) -> String {
    let topology = facts.topology();
    let full = held
        .seconds_to_full(pool)
        .map_or_else(String::new, |seconds| format!("full after {} s; ", prose::number(seconds)));
    let named: Vec<String> =
        held.innocent.iter().take(3).map(|id| format!("`{}`", topology.operation_name(*id))).collect();
    let more = if held.innocent.len() > 3 { format!(" and {} more", held.innocent.len() - 3) } else { String::new() };
    let (them, do_without) = if held.innocent.len() == 1 { ("it", "can do") } else { ("they", "can do") };
    let callee = topology.node_name(held.callee);
    let fails = if held.innocent.len() == 1 { "fails" } else { "fail" };
    format!("{full}then {}{more} {fails} too, though {them} {do_without} without `{callee}`", named.join(", "))
}

fn help(facts: &Facts<'_>, pool: &Pool, held: &Held) -> Vec<String> {
    let topology = facts.topology();
    let calls: Vec<String> = held.calls.iter().take(3).map(|call| format!("`{}`", prose::call(facts, *call))).collect();
    let share = (pool.size / 4 / (held.calls.len() as u64).max(1)).max(1);
    let kept = pool.size.saturating_sub(share * held.calls.len() as u64);
    let mut help = Vec::new();
    if kept > 0 {
        help.push(format!(
            "keep workers free of it: `bulkhead {share}` on {} leaves {kept} for the others",
            calls.join(", ")
        ));
    }
    #[allow(clippy::cast_precision_loss, reason = "a number of workers, to divide")]
    let longest = pool.size as f64 / held.arriving;
    let milliseconds = (longest * 500.0).floor();
    if milliseconds >= 1.0 {
        help.push(format!(
            "or wait for `{}` no longer than {} ms in all: that holds half of the workers",
            topology.node_name(held.callee),
            prose::number(milliseconds)
        ));
    }
    let own = |id: &OperationId| topology.operation(*id).name.is_some();
    if pool.operation.is_none() && pool.operations.len() > 1 && pool.operations.iter().all(own) {
        help.push("or give the operations workers of their own: `concurrency N` on each".to_owned());
    }
    help
}
