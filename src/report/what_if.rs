//! What becomes of a system while something in it is down, fails, is slow or does not answer: for people as a table,
//! for programs as `what-if-v1`.

use std::fmt::Write as _;
use std::io;

use serde::Serialize;

use super::facts::Bound;
use super::lines;
use super::paint::Look;
use crate::analysis::{Availability, Consequences, Disturbance, Facts, Felt, Held, Late, Pool, Target, Verdict};
use crate::diagnostic::{self, number, percentage, spaced};
use crate::model::OperationId;
use crate::source::clean;

/// What a disturbance does, for people.
#[must_use]
pub fn what_if(facts: &Facts<'_>, disturbances: &[Disturbance], look: Look) -> String {
    let found = facts.consequences(disturbances, usize::MAX);
    let asked: Vec<String> = disturbances.iter().map(|disturbance| sentence(facts, disturbance)).collect();
    let mut text = look.wrap("", &format!("What if {}:", clean(&asked.join(", and "))));
    text.push('\n');
    for late in &found.late {
        text.push_str(&look.wrap_hanging("  ", "    ", &clean(&late_line(facts, late))));
    }
    if !found.late.is_empty() {
        text.push('\n');
    }
    let (felt, untouched): (Vec<&Felt>, Vec<&Felt>) = found.entries.iter().partition(|felt| felt.is_concerned());
    for felt in &felt {
        text.push_str(&entry(facts, felt, look));
    }
    if !untouched.is_empty() {
        let names: Vec<String> =
            untouched.iter().map(|felt| format!("`{}`", facts.topology().operation_name(felt.operation))).collect();
        text.push_str(&look.wrap("  ", &clean(&format!("not concerned: {}", names.join(", ")))));
    }
    if felt.is_empty() && untouched.is_empty() {
        text.push_str("  no entry is drawn: nobody is known to call this system\n");
    }
    let lines = strain(facts, &found);
    if !lines.is_empty() {
        text.push('\n');
    }
    for line in lines {
        text.push_str(&look.wrap_hanging("  ", "    ", &clean(&line)));
    }
    text
}

fn sentence(facts: &Facts<'_>, disturbance: &Disturbance) -> String {
    let what = target(facts, disturbance.target());
    match disturbance {
        Disturbance::Down(_) => format!("`{what}` is down"),
        Disturbance::Fails(_, share) => format!("`{what}` fails {} of what it is asked", percent(*share)),
        Disturbance::Slow(_, factor) => format!("`{what}` takes {factor} times as long"),
        Disturbance::Silent(_) => format!("`{what}` is never answered"),
    }
}

fn target(facts: &Facts<'_>, target: Target) -> String {
    let topology = facts.topology();
    match target {
        Target::Node(node) => topology.node_name(node).to_owned(),
        Target::Operation(operation) => topology.operation_name(operation),
        Target::Call(call) => spaced(&topology.call_name(call)),
    }
}

/// An entry that is concerned: what becomes of it, by which way, and how much of the time it works.
fn entry(facts: &Facts<'_>, felt: &Felt, look: Look) -> String {
    let name = clean(&facts.topology().operation_name(felt.operation)).into_owned();
    let mut said = word(felt.verdict).to_owned();
    if let (Some(before), Some(after)) = (share(felt.before), share(felt.after)) {
        let _ = write!(said, "; availability {before}, then {after}");
    }
    let mut text = format!("  {}  {said}\n", look.bold(&name));
    if !felt.way.is_empty() {
        text.push_str(&look.wrap_hanging("    ", "      ", &clean(&way(facts, felt))));
    }
    text
}

pub(crate) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Works => "works",
        Verdict::Degrades => "degrades: it answers with less",
        Verdict::FailsPartly => "fails in part",
        Verdict::Fails => "fails",
    }
}

fn way(facts: &Facts<'_>, felt: &Felt) -> String {
    let topology = facts.topology();
    let hops = felt.way.iter().map(|call| format!(" -> {}", topology.operation_name(topology.callee(*call))));
    let more = if felt.more > 0 { format!(" and {} more", felt.more) } else { String::new() };
    format!("{}{}{more}", topology.operation_name(felt.operation), hops.collect::<String>())
}

/// What is known of an availability: a number, or the interval.
pub(crate) fn share(availability: Availability) -> Option<String> {
    match (availability.independent, availability.low, availability.high) {
        (Some(share), ..) => Some(percent(share)),
        (None, Some(low), Some(high)) => Some(format!("{} to {}", percent(low), percent(high))),
        (None, None, Some(high)) => Some(format!("at most {}", percent(high))),
        _ => None,
    }
}

fn percent(share: f64) -> String {
    format!("{} %", percentage(share))
}

fn late_line(facts: &Facts<'_>, late: &Late) -> String {
    let name = spaced(&facts.topology().call_name(late.call));
    match (late.quantile, late.waits) {
        (None, _) => format!("`{name}`: of how long its callee works nothing is stated"),
        (Some((quantile, time)), None) => {
            format!("`{name}` waits as long as it takes: {} becomes {time}", diagnostic::quantile(quantile))
        }
        (Some((quantile, time)), Some(waits)) if late.is_given_up => {
            format!("`{name}` gives up after {waits}, {} becomes {time}", diagnostic::quantile(quantile))
        }
        (Some((quantile, time)), Some(waits)) => {
            format!(
                "`{name}` waits {waits}: it still gets its answers, {} becomes {time}",
                diagnostic::quantile(quantile)
            )
        }
    }
}

/// How often what fails is tried, and the workers that wait for it, a line each.
pub(crate) fn strain(facts: &Facts<'_>, found: &Consequences<'_>) -> Vec<String> {
    let tries = found.tries.iter().map(|tries| tries_line(facts, tries.operation, tries.per_request, tries.rates));
    let pools = found.pools.iter().map(|(pool, held)| pool_line(facts, pool, held));
    tries.chain(pools).collect()
}

fn tries_line(
    facts: &Facts<'_>,
    operation: OperationId,
    per_request: Option<u64>,
    rates: Option<(f64, f64)>,
) -> String {
    let name = facts.topology().operation_name(operation);
    let often = match per_request {
        Some(1) => "once for one request".to_owned(),
        Some(tries) => format!("up to {tries} times for one request"),
        None => "without end for one request".to_owned(),
    };
    let load = rates.filter(|(before, after)| after > before);
    let load = load.map(|(before, after)| format!("; {}/s come, then at least {}/s", number(before), number(after)));
    format!("tries: `{name}` is tried {often}{}", load.unwrap_or_default())
}

fn pool_line(facts: &Facts<'_>, pool: &Pool, held: &Held) -> String {
    let topology = facts.topology();
    let whose =
        pool.operation.map_or_else(|| topology.node_name(pool.node).to_owned(), |id| topology.operation_name(id));
    let callee = topology.node_name(held.callee);
    let needed = held.needed.map_or_else(|| "more and more".to_owned(), |needed| format!("up to {}", number(needed)));
    let mut said =
        format!("workers: while `{callee}` does not answer, `{whose}` needs {needed} for it, of {}", pool.size);
    if let Some(seconds) = held.seconds_to_full(pool) {
        let _ = write!(said, ": all are taken after {} s", number(seconds));
    }
    let innocent: Vec<String> = held.innocent.iter().map(|id| format!("`{}`", topology.operation_name(*id))).collect();
    if held.exceeds(pool) && !innocent.is_empty() {
        let more = held.innocents - innocent.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let _ = write!(said, ", though {}{more} could do without `{callee}`", innocent.join(", "));
    }
    said
}

/// Writes what a disturbance does for programs.
///
/// # Errors
/// What keeps it from being written.
pub fn what_if_json(facts: &Facts<'_>, disturbances: &[Disturbance], out: &mut impl io::Write) -> io::Result<()> {
    let found = facts.consequences(disturbances, usize::MAX);
    lines::write(out, &Report::of(facts, disturbances, &found), 2)
}

/// What becomes of the entries while something is disturbed.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Report {
    schema: Version,
    /// What was asked.
    disturbances: Vec<String>,
    entries: Vec<EntryRow>,
    /// Calls into what is slow.
    late: Vec<LateRow>,
    tries: Vec<TriesRow>,
    pools: Vec<PoolRow>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum Version {
    #[serde(rename = "what-if-v1")]
    WhatIfV1,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
enum Becomes {
    Works,
    Degrades,
    FailsInPart,
    Fails,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Share"))]
struct ShareRow {
    low: Option<f64>,
    independent: Option<f64>,
    high: Option<f64>,
}

impl ShareRow {
    fn of(availability: Availability) -> Self {
        Self { low: availability.low, independent: availability.independent, high: availability.high }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Entry"))]
struct EntryRow {
    operation: String,
    becomes: Becomes,
    availability_before: ShareRow,
    availability_after: ShareRow,
    /// The calls on which it reaches what is disturbed; of a long way, the first 64.
    way: Vec<String>,
    /// How many calls follow these.
    way_more: usize,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Late"))]
struct LateRow {
    call: String,
    /// The longest wait for one attempt; null if none is stated.
    waits_s: Option<f64>,
    /// The quantile that decides; null if none is stated.
    quantile: Option<f64>,
    becomes_s: Option<f64>,
    given_up: bool,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Tries"))]
struct TriesRow {
    operation: String,
    /// If it fails at once.
    per_request: Bound,
    rate_before_per_s: Option<f64>,
    rate_after_per_s: Option<f64>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Pool"))]
struct PoolRow {
    node: String,
    /// The operation that has the workers for itself.
    operation: Option<String>,
    size: u64,
    callee: String,
    needed_in_hang: Bound,
    seconds_to_full: Option<f64>,
    /// Operations that could do without it; of many, the first 64.
    innocent: Vec<String>,
    /// How many there are.
    innocents: usize,
}

impl Report {
    fn of(facts: &Facts<'_>, disturbances: &[Disturbance], found: &Consequences<'_>) -> Self {
        let topology = facts.topology();
        let name = |id: OperationId| topology.operation_name(id);
        let entry = |felt: &Felt| EntryRow {
            operation: name(felt.operation),
            becomes: match felt.verdict {
                Verdict::Works => Becomes::Works,
                Verdict::Degrades => Becomes::Degrades,
                Verdict::FailsPartly => Becomes::FailsInPart,
                Verdict::Fails => Becomes::Fails,
            },
            availability_before: ShareRow::of(felt.before),
            availability_after: ShareRow::of(felt.after),
            way: felt.way.iter().map(|call| topology.call_name(*call)).collect(),
            way_more: felt.more,
        };
        let late = |late: &Late| LateRow {
            call: topology.call_name(late.call),
            waits_s: late.waits.map(crate::model::Duration::seconds),
            quantile: late.quantile.map(|(quantile, _)| quantile),
            becomes_s: late.quantile.map(|(_, time)| time.seconds()),
            given_up: late.is_given_up,
        };
        let pool = |(pool, held): &(&Pool, &Held)| PoolRow {
            node: topology.node_name(pool.node).to_owned(),
            operation: pool.operation.map(name),
            size: pool.size,
            callee: topology.node_name(held.callee).to_owned(),
            needed_in_hang: held.needed.map_or(Bound::UNBOUNDED, Bound::Number),
            seconds_to_full: held.seconds_to_full(pool),
            innocent: held.innocent.iter().map(|id| name(*id)).collect(),
            innocents: held.innocents,
        };
        #[allow(clippy::cast_precision_loss, reason = "a number of tries, for programs")]
        let tries = found.tries.iter().map(|tries| TriesRow {
            operation: name(tries.operation),
            per_request: tries.per_request.map_or(Bound::UNBOUNDED, |tries| Bound::Number(tries as f64)),
            rate_before_per_s: tries.rates.map(|(before, _)| before),
            rate_after_per_s: tries.rates.map(|(_, after)| after),
        });
        Self {
            schema: Version::WhatIfV1,
            disturbances: disturbances.iter().map(|disturbance| sentence(facts, disturbance)).collect(),
            entries: found.entries.iter().map(entry).collect(),
            late: found.late.iter().map(late).collect(),
            tries: tries.collect(),
            pools: found.pools.iter().map(pool).collect(),
        }
    }
}
