//! Everything that was computed, as a table for people: the same facts as `facts-v1`, with units that read well.

use std::fmt::Write as _;

use super::facts::{Bound, PoolRow, drawn, gaps, p99};
use super::paint::Look;
use crate::analysis::{Attempts, Availability, Count, Extent, Facts, Repetition};
use crate::diagnostic::{number, percentage, spaced};
use crate::model::OperationId;
use crate::source::clean;
use crate::vocabulary::ElementKind;

/// The facts of one topology. Operations that nobody calls and that call nobody are left out.
#[must_use]
pub fn facts_table(facts: &Facts<'_>, mistakes: usize, look: Look) -> String {
    let topology = facts.topology();
    let mut text = format!("{}\n", look.bold(&clean(&topology.name)));
    let connected =
        |id: &OperationId| topology.calls_from(*id).chain(topology.calls_to(*id)).any(|id| !topology.call(id).implied);
    let spread = facts.states_any_latency();
    let rows = topology.operation_ids().filter(connected).map(|id| operation(facts, id, spread));
    let mut operations: Vec<Row> = rows.collect();
    // A column that knows nothing is left out.
    let mut heading = vec!["operation", "entry", "worst case", "abandoned", "runs", "rate", "repeat"];
    if spread {
        heading.insert(3, "p99");
    }
    let ups: Vec<String> = topology.operation_ids().filter(connected).map(|id| up(facts.availability(id))).collect();
    if ups.iter().any(|up| up != "?") {
        heading.insert(heading.len() - 1, "up");
        for (row, up) in operations.iter_mut().zip(ups) {
            row.cells.insert(row.cells.len().saturating_sub(1), up);
        }
    }
    if let Some(after) = heading.iter().position(|heading| *heading == "runs").filter(|_| heading.len() > 7) {
        // What takes time, then how often and how well it runs: all of it does not fit beside each other.
        let (times, rest) = heading.split_at(after);
        let split = |row: Row| {
            let mut cells = row.cells;
            let rest = cells.split_off((after - 1).min(cells.len()));
            (Row { name: row.name.clone(), cells }, Row { name: row.name, cells: rest })
        };
        let (first, second): (Vec<Row>, Vec<Row>) = operations.into_iter().map(split).unzip();
        table(&mut text, times, &first, look);
        table(&mut text, &[&["operation"], rest].concat(), &second, look);
    } else {
        table(&mut text, &heading, &operations, look);
    }
    let calls: Vec<Row> = drawn(facts).map(|id| call(facts, id)).collect();
    table(&mut text, &["call", "attempts", "worst case", "hard"], &calls, look);
    let pools: Vec<Row> = PoolRow::all(facts).iter().map(pool).collect();
    table(&mut text, &["workers", "size", "a hang of", "holds", "full after"], &pools, look);
    let shares = facts.coverage().shares.into_iter().filter(|share| share.of > 0);
    let shares: Vec<Row> = shares
        .map(|share| Row { name: share.what.to_owned(), cells: vec![format!("{} of {}", share.stated, share.of)] })
        .collect();
    table(&mut text, &["coverage", "stated"], &shares, look);
    for gap in gaps(facts, mistakes) {
        text.push_str(&look.wrap("  not analysed: ", &gap.to_string()));
    }
    text
}

struct Row {
    name: String,
    cells: Vec<String>,
}

fn operation(facts: &Facts<'_>, id: OperationId, spread: bool) -> Row {
    let time = facts.times().operation(id);
    let repeat = match facts.repetition(id) {
        Repetition::Safe => "safe",
        Repetition::Unknown => "?",
        Repetition::Unsafe => "unsafe",
    };
    let rate = facts.rate(id);
    let is_client = facts.topology().kind_of(id) == ElementKind::Client;
    let entry = if facts.entries().contains(id) { "yes" } else { "" };
    let mut cells = vec![
        entry.to_owned(),
        interval(facts.worst_case(id), time.at_least),
        extent(Some(facts.times().abandoned(id))),
        runs(facts.executions(id).failing),
        if is_client {
            String::new()
        } else if rate.known {
            format!("{}/s", number(rate.per_second))
        } else {
            "?".to_owned()
        },
        repeat.to_owned(),
    ];
    if spread {
        cells.insert(2, p99(facts, id));
    }
    Row { name: facts.topology().operation_name(id), cells }
}

fn call(facts: &Facts<'_>, id: crate::model::CallId) -> Row {
    let plan = facts.plan(id);
    let time = facts.times().call(facts, id);
    let attempts = match plan.attempts {
        Attempts::Unlimited => "no end".to_owned(),
        Attempts::AtMost(_) if plan.attempts_stated.is_none() => "1 ?".to_owned(),
        Attempts::AtMost(attempts) => attempts.to_string(),
    };
    let name = spaced(&facts.topology().call_name(id));
    let hard = if facts.is_hard(id) { "hard" } else { "soft" };
    if facts.is_awaited(id) {
        Row { name, cells: vec![attempts, interval(time.proved(), time.at_least), hard.to_owned()] }
    } else {
        Row { name, cells: vec![attempts, "no wait".to_owned(), hard.to_owned()] }
    }
}

/// The numbers of an operation, by name.
pub(crate) fn numbers_of_operation(facts: &Facts<'_>, id: OperationId) -> Vec<(&'static str, String)> {
    let names = ["worst case", "p99", "abandoned", "runs", "rate", "repeat"];
    // Whether it is an entry is no number.
    let cells = names.into_iter().zip(operation(facts, id, true).cells.into_iter().skip(1));
    cells.chain([("available", up(facts.availability(id)))]).filter(|(_, said)| !said.is_empty()).collect()
}

/// The numbers of a call, by name.
pub(crate) fn numbers_of_call(facts: &Facts<'_>, id: crate::model::CallId) -> Vec<(&'static str, String)> {
    ["attempts", "worst case", "failure"].into_iter().zip(call(facts, id).cells).collect()
}

fn pool(row: &PoolRow) -> Row {
    let holds = match row.needed_in_hang {
        Bound::Number(needed) => number(needed),
        Bound::Unbounded(_) => "no end".to_owned(),
        Bound::Unknown(()) => "?".to_owned(),
    };
    let full = row.seconds_to_full.map_or_else(String::new, |seconds| format!("{} s", number(seconds)));
    Row { name: row.name().to_owned(), cells: vec![row.size.to_string(), row.callee.clone(), holds, full] }
}

/// What is known of a worst case: a number, or the least that is proved.
fn interval(most: Option<Extent>, least: Extent) -> String {
    match (most, least) {
        (None, Extent::Finite(least)) if least > crate::model::Duration::ZERO => format!(">= {least}"),
        _ => extent(most),
    }
}

/// How much of the time it works, if parts fail independently, or at most.
fn up(availability: Availability) -> String {
    let percent = |share: f64| percentage(share) + " %";
    match (availability.independent, availability.high) {
        (Some(share), _) => percent(share),
        (None, Some(most)) => format!("<= {}", percent(most)),
        (None, None) => "?".to_owned(),
    }
}

fn runs(count: Count) -> String {
    count.finite().map_or_else(|| "no end".to_owned(), |times| times.to_string())
}

/// A question mark is what is not known.
fn extent(extent: Option<Extent>) -> String {
    match extent {
        Some(Extent::Finite(time)) => time.to_string(),
        Some(Extent::Unbounded) => "no end".to_owned(),
        None => "?".to_owned(),
    }
}

/// Cells to the right of names; a name that is too long has a line of its own.
fn table(text: &mut String, heading: &[&str], rows: &[Row], look: Look) {
    let Some((first, others)) = heading.split_first() else { return };
    if rows.is_empty() {
        return;
    }
    let width = |text: &str| textwrap::core::display_width(text);
    let widths: Vec<usize> = others
        .iter()
        .enumerate()
        .map(|(column, heading)| {
            let cells = rows.iter().filter_map(|row| row.cells.get(column));
            cells.map(|cell| width(cell)).chain([width(heading)]).max().unwrap_or(0)
        })
        .collect();
    let room = look.width.saturating_sub(2 + widths.iter().map(|width| width + 2).sum::<usize>()).max(12);
    let names = rows.iter().map(|row| width(&row.name)).filter(|name| *name <= room);
    let names = names.chain([width(first)]).max().unwrap_or(0);
    let cells = |cells: &[String]| {
        cells.iter().zip(&widths).fold(String::new(), |line, (cell, width)| format!("{line}  {cell:>width$}"))
    };
    let others: Vec<String> = others.iter().map(ToString::to_string).collect();
    let _ = writeln!(text, "  {}", look.bold(&format!("{first:<names$}{}", cells(&others))));
    for row in rows {
        let name = clean(&row.name);
        if width(&name) > names {
            let _ = writeln!(text, "  {name}");
            let _ = writeln!(text, "  {}", format!("{:<names$}{}", "", cells(&row.cells)).trim_end());
        } else {
            let _ = writeln!(text, "  {}", format!("{name:<names$}{}", cells(&row.cells)).trim_end());
        }
    }
    text.push('\n');
}
