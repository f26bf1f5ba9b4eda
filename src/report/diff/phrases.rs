//! The numbers of a change as people read them.

use crate::analysis::{Count, Extent};
use crate::change::{Comparison, EntryChange, Numbers, TopologyChange, TriesChange};
use crate::diagnostic::percentage;
use crate::lint::Finding;
use crate::metadata::Level;

/// One line an entry whose numbers are others, then one an operation that is tried more or less often.
pub(super) fn numbers(topology: &TopologyChange) -> Vec<String> {
    let entries = topology.entries.iter().filter(|entry| entry.is_changed()).map(entry);
    entries.chain(topology.tries.iter().map(tries)).collect()
}

/// "`checkout` worst case 1.8 s → 5.4 s, p99 300 ms → 900 ms".
fn entry(entry: &EntryChange) -> String {
    let name = &entry.name;
    match (&entry.before, &entry.after) {
        (Some(before), Some(after)) => {
            let changed = parts(before).into_iter().zip(parts(after)).filter(|(before, after)| before != after);
            let said = changed.map(|((what, before), (_, after))| format!("{what} {before} → {after}"));
            format!("`{name}` {}", said.collect::<Vec<_>>().join(", "))
        }
        (None, Some(numbers)) => format!("`{name}` is a new entry: {}", all(numbers)),
        (Some(numbers), None) => format!("`{name}` is no entry any more: it had {}", all(numbers)),
        (None, None) => format!("`{name}`"),
    }
}

fn all(numbers: &Numbers) -> String {
    parts(numbers).into_iter().map(|(what, value)| format!("{what} {value}")).collect::<Vec<_>>().join(", ")
}

fn parts(numbers: &Numbers) -> Vec<(&'static str, String)> {
    vec![
        ("worst case", worst_case(numbers)),
        ("proved p99", numbers.p99.map_or_else(|| "unknown".to_owned(), |time| time.to_string())),
        ("floor", numbers.floor.to_string()),
        ("executions", times(numbers.executions)),
        ("availability", availability(numbers.availability)),
    ]
}

fn worst_case(numbers: &Numbers) -> String {
    match (numbers.worst_case, numbers.at_least) {
        (Some(Extent::Finite(time)), _) => time.to_string(),
        (Some(Extent::Unbounded), _) => "without end".to_owned(),
        (None, Extent::Finite(time)) if time.seconds() > 0.0 => format!("unknown, at least {time}"),
        (None, _) => "unknown".to_owned(),
    }
}

fn availability([low, independent, high]: [Option<f64>; 3]) -> String {
    let percent = |share: f64| format!("{} %", percentage(share));
    match (low, independent, high) {
        (_, Some(share), _) => percent(share),
        (Some(low), None, Some(high)) => format!("{} to {}", percent(low), percent(high)),
        _ => "unknown".to_owned(),
    }
}

/// "amplification on `payments` 4× → 36×".
fn tries(change: &TriesChange) -> String {
    let name = &change.name;
    let (before, after) = change.executions;
    let bound = || format!("at most {} → {}", times(change.bound.0), times(change.bound.1));
    if before == after {
        format!("amplification on `{name}` {}, and if anything may fail {}", times(after), bound())
    } else {
        format!("amplification on `{name}` {} → {}", times(before), times(after))
    }
}

fn times(count: Count) -> String {
    count.finite().map_or_else(|| "without end".to_owned(), |times| format!("{times}×"))
}

/// A finding that was there, and what it says now.
pub(super) fn worse(was: &Finding, now: &Finding) -> String {
    let (before, after) = (&was.diagnostic.message, &now.diagnostic.message);
    let level = if was.level == now.level {
        now.level.name().to_owned()
    } else {
        format!("{} → {}", was.level.name(), now.level.name())
    };
    if before == after {
        let more = if was.level == now.level { ": its numbers have grown" } else { "" };
        format!("{level}[{}] {after}{more}", now.rule.name)
    } else {
        format!("{level}[{}] {after}; before: {before}", now.rule.name)
    }
}

/// "2 new (1 error, 1 warning), 1 worse, 1 fixed, 12 old".
pub(super) fn counts(comparison: &Comparison) -> String {
    let words = [(Level::Error, "error"), (Level::Warn, "warning"), (Level::Info, "note")];
    let counted = words.into_iter().filter_map(|(level, word)| {
        let count = comparison.new_findings().filter(|(finding, _)| finding.level == level).count();
        let ending = if count == 1 { "" } else { "s" };
        (count > 0).then(|| format!("{count} {word}{ending}"))
    });
    let counted: Vec<String> = counted.collect();
    let levels = if counted.is_empty() { String::new() } else { format!(" ({})", counted.join(", ")) };
    format!(
        "{} new{levels}, {} worse, {} fixed, {} old",
        comparison.new.len(),
        comparison.worse.len(),
        comparison.fixed.len(),
        comparison.old
    )
}
