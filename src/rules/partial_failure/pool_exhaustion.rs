//! Workers that all wait for one callee, while operations that could do without it find none.

use crate::analysis::{Extent, Facts, Held, HoldLimit, Holder, Opening, Pool};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{CallId, OperationId};
use crate::rules::prose;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.pools().iter().filter_map(|pool| finding(facts, pool)).collect()
}

/// One a pool: all hangs that need all of its workers, else one of which nothing says how long it holds them.
fn finding(facts: &Facts<'_>, pool: &Pool) -> Option<Diagnostic> {
    let all: Vec<&Held> = pool.hangs.iter().filter(|held| takes_all(pool, held)).collect();
    if !all.is_empty() {
        return report(facts, pool, &all, Certainty::Proved);
    }
    let counts = |held: &&Held| held.arriving > 0.0 && !held.innocent.is_empty();
    let possible = pool.hangs.iter().filter(counts).find(|held| is_open(facts, pool, held))?;
    report(facts, pool, &[possible], Certainty::Possible)
}

/// Whether a hang is known to take all workers of a pool from operations that could do without the callee.
pub(super) fn takes_all(pool: &Pool, held: &Held) -> bool {
    held.arriving > 0.0 && !held.innocent.is_empty() && held.exceeds(pool)
}

/// Whether nothing that is stated keeps it from taking all workers: a wait without bound, or a breaker of which nothing
/// says when it opens.
fn is_open(facts: &Facts<'_>, pool: &Pool, held: &Held) -> bool {
    let waits = |holder: &Holder| unstated(facts, holder.call) && holder.limit.is_none() && holder.opens.is_none();
    let breaker = |holder: &Holder| match holder.opens {
        Some(Opening { steady: None, .. }) => holder.without_breaker(),
        _ => holder.most(),
    };
    held.holders.iter().any(waits) || held.exceeds_with(pool, breaker)
}

/// Nothing says how long a call waits; what could not be read is left alone.
fn unstated(facts: &Facts<'_>, call: CallId) -> bool {
    let unknown = !matches!(facts.times().call(facts, call).at_most, Some(Extent::Finite(_)));
    unknown && !facts.plan(call).is_unreadable()
}

fn report(facts: &Facts<'_>, pool: &Pool, all: &[&Held], certainty: Certainty) -> Option<Diagnostic> {
    let topology = facts.topology();
    let (held, others) = all.split_first()?;
    let owner = pool.owner(facts);
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
    let also = also(facts, others);
    let place = pool.stated(facts).and_then(prose::place).unwrap_or(topology.node(pool.node).span);
    let mut diagnostic = Diagnostic::new(place, message + &also).at(workers).subject(owner.clone());
    diagnostic.certainty = certainty;
    let holders = all.iter().flat_map(|held| &held.holders).filter(|holder| holder.rate > 0.0);
    diagnostic.witness = holders.take(8).map(|holder| step(facts, holder)).collect();
    diagnostic.consequence = Some(consequence(facts, pool, held));
    diagnostic.cause = Some(owner);
    diagnostic.group = Some("a hang of one callee takes all workers of a service".into());
    diagnostic.help = help(facts, pool, all);
    Some(diagnostic)
}

/// "; so does one of `a`, `b` and 2 more".
fn also(facts: &Facts<'_>, others: &[&Held]) -> String {
    const NAMED: usize = 3;
    if others.is_empty() {
        return String::new();
    }
    let name = |held: &&Held| format!("`{}`", facts.topology().node_name(held.callee));
    let named: Vec<String> = others.iter().take(NAMED).map(name).collect();
    let more = if others.len() > NAMED { format!(" and {} more", others.len() - NAMED) } else { String::new() };
    format!("; so does one of {}{more}", named.join(", "))
}

/// A number of workers; what is only wrong in the last digits is no worker more.
fn whole(held: f64) -> String {
    prose::number((held - 1e-6).ceil().max(0.0))
}

fn step(facts: &Facts<'_>, holder: &Holder) -> Step {
    let call = holder.call;
    let rate = prose::rate(holder.rate);
    let wait = facts.times().call(facts, call).at_least;
    let (text, value) = match (wait, holder.wanted) {
        (Extent::Finite(_), _) if unstated(facts, call) => (format!("{rate} wait, and no timeout is stated"), None),
        (Extent::Finite(time), Some(wanted)) => {
            let limit = holder.limit.filter(|(limit, _)| *limit < wanted);
            let breaker = holder.opens.filter(|_| holder.most() < holder.without_breaker());
            let held = Some(Measure::Times(holder.most().unwrap_or(wanted)));
            match (limit, breaker) {
                (_, Some(opens)) => {
                    let (earliest, most) = (prose::number(opens.earliest), whole(holder.most().unwrap_or(wanted)));
                    (format!("{rate} × {time}: {most} before a breaker can open, after {earliest} s"), held)
                }
                (Some((limit, kind)), None) => {
                    (format!("{rate} × {time}, {} at most {}", whole(limit), by(kind)), held)
                }
                (None, None) => (format!("{rate} × {time}: {} held", whole(wanted)), held),
            }
        }
        _ => (format!("{rate} wait without end"), None),
    };
    let span = facts.plan(call).timeout.stated().and_then(prose::place).unwrap_or(facts.topology().call(call).span);
    Step { subject: facts.topology().call_name(call), span, text, value }
}

fn by(kind: HoldLimit) -> &'static str {
    match kind {
        HoldLimit::Bulkhead => "by its bulkhead",
        HoldLimit::Consumers => "by its consumers",
    }
}

fn consequence(facts: &Facts<'_>, pool: &Pool, held: &Held) -> String {
    let topology = facts.topology();
    let full = held
        .seconds_to_full(pool)
        .map_or_else(String::new, |seconds| format!("full after {} s; ", prose::number(seconds)));
    let named: Vec<String> =
        held.innocent.iter().take(3).map(|id| format!("`{}`", topology.operation_name(*id))).collect();
    let more = if held.innocents > 3 { format!(" and {} more", held.innocents - 3) } else { String::new() };
    let (them, do_without) = if held.innocents == 1 { ("it", "can do") } else { ("they", "can do") };
    let callee = topology.node_name(held.callee);
    let fails = if held.innocents == 1 { "fails" } else { "fail" };
    format!("{full}then {}{more} {fails} too, though {them} {do_without} without `{callee}`", named.join(", "))
}

fn help(facts: &Facts<'_>, pool: &Pool, all: &[&Held]) -> Vec<String> {
    let topology = facts.topology();
    let waiting: Vec<&Holder> = all.iter().flat_map(|held| &held.holders).filter(|holder| holder.rate > 0.0).collect();
    let calls: Vec<String> =
        waiting.iter().take(3).map(|holder| format!("`{}`", prose::call(facts, holder.call))).collect();
    let share = (pool.size / 4 / (waiting.len() as u64).max(1)).max(1);
    let kept = pool.size.saturating_sub(share * waiting.len() as u64);
    let more = if waiting.len() > calls.len() { " and the others" } else { "" };
    let mut help = Vec::new();
    if kept > 0 {
        help.push(format!(
            "keep workers free of it: `bulkhead {share}` on {}{more} leaves {kept} for the others",
            calls.join(", ")
        ));
    }
    let arriving = all.iter().map(|held| held.arriving).fold(0.0, f64::max);
    #[allow(clippy::cast_precision_loss, reason = "a number of workers, to divide")]
    let longest = pool.size as f64 / arriving;
    let milliseconds = (longest * 500.0).floor();
    if milliseconds >= 1.0 {
        let names: Vec<String> =
            all.iter().take(4).map(|held| format!("`{}`", topology.node_name(held.callee))).collect();
        help.push(format!(
            "or wait for {} no longer than {} ms in all: that holds half of the workers",
            names.join(", "),
            prose::number(milliseconds)
        ));
    }
    let own = |id: &OperationId| topology.operation(*id).name.is_some();
    if pool.operation.is_none() && pool.operations.len() > 1 && pool.operations.iter().all(own) {
        help.push("or give the operations workers of their own: `concurrency N` on each".to_owned());
    }
    help
}
