//! How rules speak of elements: names, places and numbers in the words that the diagram uses.

use std::fmt::Write as _;

use crate::analysis::{Attempts, Extent, Facts, Limit, Limited, Part, Plan, Traffic, Ways};
use crate::diagnostic::{Because, Diagnostic, Edit, Fix, Step, decimals, spaced};
pub(super) use crate::diagnostic::{number, percentage, quantile};
use crate::model::{Answer, CallId, Duration, OperationId, Origin, Stated};
use crate::source::Span;
use crate::vocabulary::{ElementKind, Key};

/// A call as an element to edit: its name, and which one it is among twins.
pub(super) fn cause(facts: &Facts<'_>, call: CallId) -> String {
    facts.topology().call_identity(call)
}

/// Where else `deadline inherited` has to stand if it stands on these calls, so that it is not dropped there:
/// ", and on `b` and its calls".
pub(super) fn and_below(facts: &Facts<'_>, calls: &[CallId]) -> String {
    let topology = facts.topology();
    let look = |id, key| facts.cascade().operation(id, key);
    let stops = |id| [Key::Cancels, Key::Detached].into_iter().any(|key| look(id, key).may_be_given());
    let waits = |call: CallId| facts.is_awaited(call) && !facts.is_local(call) && !facts.is_stream(call);
    let drops = |id: &OperationId| {
        matches!(look(*id, Key::Deadline), Answer::Unstated) && !stops(*id) && topology.calls_from(*id).any(waits)
    };
    let mut seen = std::collections::HashSet::new();
    let below = calls.iter().map(|call| topology.callee(*call)).filter(drops).filter(|id| seen.insert(*id));
    let below: Vec<String> = below.map(|id| topology.operation_name(id)).collect();
    match below.as_slice() {
        [] => String::new(),
        [one] => format!(", and on `{one}` and its calls"),
        many => format!(", and on {} and their calls", names(&many.iter().map(String::as_str).collect::<Vec<_>>())),
    }
}

/// A call as people read it: `a -> b`.
pub(super) fn call(facts: &Facts<'_>, call: CallId) -> String {
    spaced(&facts.topology().call_name(call))
}

/// A finding at the statement that decides over a call; where that stands elsewhere, the call is shown too.
pub(super) fn about_call(facts: &Facts<'_>, call: CallId, stated: Stated<'_>, message: String) -> Diagnostic {
    let span = facts.topology().call(call).span;
    match place(stated) {
        None => Diagnostic::new(span, message),
        Some(place) if stated.origin == Origin::Own => Diagnostic::new(place, message),
        Some(place) => Diagnostic::new(place, message).label(span, "this call"),
    }
}

/// The element to edit for what is stated of a call: the policy that says it for many calls, or the call itself.
pub(super) fn cause_of(facts: &Facts<'_>, call: CallId, stated: Option<Stated<'_>>) -> String {
    match stated.map(|stated| stated.origin) {
        Some(Origin::Policy(id)) => format!("policy {}", facts.topology().text(facts.topology().policy(id).name)),
        _ => cause(facts, call),
    }
}

/// What `retry-amplification` says of a call that multiplies what lies below, apart from what others say of the call.
pub(super) fn amplification(cause: &str) -> String {
    format!("attempts of {cause}")
}

/// The rules that report a call for having no end.
pub(super) const ENDLESS: &[&str] = &["idle-timeout-only", "missing-timeout", "unbounded-call-loop", "unbounded-retry"];

/// The calls that other rules report for having no end: the call itself, or the policy that says it.
pub(super) fn causes(facts: &Facts<'_>, parts: &[Part]) -> Vec<Because> {
    let named = |part: &Part| {
        let endless = facts.plan(part.call).times == Attempts::Unlimited;
        let stated = endless.then(|| facts.cascade().call(part.call, &[Key::Times]).given()).flatten();
        Because { rules: ENDLESS, cause: cause_of(facts, part.call, stated) }
    };
    parts.iter().map(named).collect()
}

/// The same, of those parts that have no end.
pub(super) fn endless_causes(facts: &Facts<'_>, parts: &[Part]) -> Vec<Because> {
    let endless: Vec<Part> = parts.iter().copied().filter(|part| part.time.at_least == Extent::Unbounded).collect();
    causes(facts, &endless)
}

/// Where a statement stands, if that is a place in the diagram; what the table of clients says has none.
pub(super) fn place(stated: Stated<'_>) -> Option<Span> {
    (!matches!(stated.origin, Origin::Client(..))).then_some(stated.setting.span)
}

/// So many calls of a way are named; of a longer one, the last.
pub(super) const NAMED: usize = 7;

/// So many calls of a way are shown one by one.
const STEPS: usize = 12;

/// `browser -> shop.checkout -> orders.place`: the way to an operation, then further calls.
pub(super) fn path(facts: &Facts<'_>, from: OperationId, then: &[CallId], left_out: usize) -> String {
    let topology = facts.topology();
    let way = facts.entries().way_to(facts, from, NAMED);
    let all: Vec<CallId> = way.calls.iter().chain(then).copied().filter(|call| !topology.call(*call).implied).collect();
    let shown = all.get(all.len().saturating_sub(NAMED)..).unwrap_or_default();
    let left_out = left_out + way.left_out + all.len() - shown.len();
    let mut text = topology.operation_name(way.start);
    if left_out > 0 {
        let _ = write!(text, " -> … ({} more)", count(left_out as u64, "call"));
    }
    let mut at = None;
    for call in shown {
        let call = topology.call(*call);
        // What a queue has given up goes on from another one.
        if at.is_some_and(|at| at != call.from) && topology.kind_of(call.from) == ElementKind::Queue {
            let _ = write!(text, " ->> {}", topology.operation_name(call.from));
        }
        at = Some(call.to);
        let arrow = if call.arrow == crate::syntax::Arrow::Sync { "->" } else { "->>" };
        let _ = write!(text, " {arrow} {}", topology.operation_name(call.to));
    }
    text
}

/// "2 × 250 ms + 100 ms = 600 ms": how the attempts of a call add up.
pub(super) fn arithmetic(plan: &Plan<'_>, total: Extent) -> String {
    let Some(total) = total.finite() else { return "without end".to_owned() };
    let (Limit::At(timeout, _), Attempts::AtMost(attempts)) = (plan.timeout, plan.attempts) else {
        return total.to_string();
    };
    let waits = plan.waits().finite().unwrap_or_default();
    let tries = plan.all_attempts(timeout).finite();
    let simple = total < Duration::MAX
        && plan.hedge.is_none()
        && !plan.retries_only_connect
        && plan.pool_wait == Extent::ZERO
        && tries == Some(total);
    match (simple, attempts) {
        (false, _) | (true, 1) => total.to_string(),
        (true, _) if waits == Duration::ZERO => format!("{attempts} × {timeout} = {total}"),
        (true, _) => format!("{attempts} × {timeout} + {waits} = {total}"),
    }
}

/// Replaces a value where it is stated on the call itself; what a policy or a default says is for others too.
pub(super) fn replace(stated: Option<Stated<'_>>, text: String) -> Option<Fix> {
    let stated = stated.filter(|stated| stated.origin == Origin::Own)?;
    Some(Fix {
        title: format!("write `{text}`"),
        safe: false,
        edits: vec![Edit { span: stated.setting.span, replacement: text }],
    })
}

/// A word or text of one's own as it is written: in quotes where it is no plain name.
pub(super) fn written(text: &str) -> String {
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) && !text.is_empty();
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")) }
}

/// "17.8 Mbit/s".
pub(super) fn bandwidth(bits: f64) -> String {
    const UNITS: [(f64, &str); 4] = [(1e12, "Tbit/s"), (1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s")];
    let unit = UNITS.iter().find(|(unit, _)| bits >= *unit);
    unit.map_or_else(|| format!("{} bit/s", number(bits)), |(unit, name)| format!("{} {name}", number(bits / unit)))
}

/// A time in seconds that was computed and not stated, with three digits that count.
pub(super) fn seconds(time: f64) -> String {
    if time >= 1.0 { format!("{} s", number(time)) } else { format!("{} ms", number(time * 1_000.0)) }
}

/// How many come, as a whole number.
pub(super) fn count_of(many: f64) -> String {
    number(many.round())
}

/// "200/s", "3/min": in the largest unit of time that needs no zeros in front.
pub(super) fn rate(per_second: f64) -> String {
    const UNITS: [(f64, &str); 4] = [(1.0, "s"), (60.0, "min"), (3_600.0, "h"), (86_400.0, "d")];
    let fits = |(seconds, _): &&(f64, &str)| per_second * seconds >= 0.995;
    let (seconds, unit) = UNITS.iter().find(fits).unwrap_or(&UNITS[0]);
    format!("{}/{unit}", number(per_second * seconds))
}

/// A node or an operation that states how much it takes.
pub(super) fn limited(facts: &Facts<'_>, of: &Limited<'_>) -> String {
    let node = || facts.topology().node_name(of.node).to_owned();
    of.operation.map_or_else(node, |operation| facts.topology().operation_name(operation))
}

/// The calls that bring most to it at the busiest time, each with its rate.
pub(super) fn arrivals(facts: &Facts<'_>, of: &Limited<'_>) -> Vec<Step> {
    let topology = facts.topology();
    let operations = of.operations(facts);
    let calls = operations.iter().flat_map(|id| topology.calls_to(*id)).filter(|call| facts.is_made(*call));
    let passing = facts.passing_calls(of.node).into_iter().filter(|_| of.operation.is_none());
    brought(facts, calls.chain(passing))
}

/// Calls that bring load, those that bring most first, each with its rate at the busiest time.
pub(super) fn brought(facts: &Facts<'_>, calls: impl Iterator<Item = CallId>) -> Vec<Step> {
    brought_at(facts, calls, Traffic::Peak)
}

/// The same, at another time.
pub(super) fn brought_at(facts: &Facts<'_>, calls: impl Iterator<Item = CallId>, traffic: Traffic) -> Vec<Step> {
    const MOST: usize = 6;
    let topology = facts.topology();
    let drawn = calls.filter(|call| !topology.call(*call).implied);
    let mut rated: Vec<(CallId, f64)> = drawn.map(|call| (call, facts.call_rate(call, traffic).per_second)).collect();
    rated.retain(|(_, rate)| *rate > 0.0);
    rated.sort_by(|one, other| {
        other.1.total_cmp(&one.1).then_with(|| facts.call_rank(one.0).cmp(&facts.call_rank(other.0)))
    });
    let step = |(call, per_second): (CallId, f64)| Step {
        subject: topology.call_name(call),
        span: topology.call(call).span,
        text: rate(per_second),
        value: None,
    };
    rated.into_iter().take(MOST).map(step).collect()
}

/// A time that may be long, in days or hours with one decimal: "14.1 d".
pub(super) fn long(time: Duration) -> String {
    const HOUR: f64 = 3600.0;
    let seconds = time.seconds();
    let exact = time.to_string();
    match seconds {
        _ if !exact.ends_with(" s") && !exact.ends_with(" min") || seconds < HOUR / 20.0 => exact,
        _ if seconds < 2.0 * HOUR => format!("{} min", number((seconds / 6.0).round() / 10.0)),
        _ if seconds >= 48.0 * HOUR => format!("{} d", number((seconds / 2.4 / HOUR).round() / 10.0)),
        _ => format!("{} h", number((seconds / 0.1 / HOUR).round() / 10.0)),
    }
}

/// "1 %", "63.4 %", "0.05 %": at most four decimals, three digits that count.
pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    format!("{} %", if percent >= 1.0 { number((percent * 10.0).round() / 10.0) } else { decimals(percent) })
}

/// The calls of a way, each with what it cannot do without.
pub(super) fn needs(facts: &Facts<'_>, calls: &[CallId]) -> Vec<Step> {
    let step = |call: &CallId| {
        let row = facts.topology().call(*call);
        let text = format!("needs `{}`", facts.topology().operation_name(row.to));
        Step { subject: facts.topology().call_name(*call), span: row.span, text, value: None }
    };
    calls.iter().filter(|call| !facts.topology().call(**call).implied).take(STEPS).map(step).collect()
}

/// What each call on a shortest way does; of a long one the last calls, the first of which says how many come before.
pub(super) fn on_the_way(facts: &Facts<'_>, ways: &Ways, to: OperationId, does: &str) -> Vec<Step> {
    let topology = facts.topology();
    let calls = ways.last_calls(facts, to, STEPS);
    let mut before = ways.length(to).unwrap_or(0) - calls.len();
    let mut text = || match std::mem::take(&mut before) {
        0 => does.to_owned(),
        before => format!("{does}, after {} like it", count(before as u64, "call")),
    };
    let step = |call: CallId| Step {
        subject: topology.call_name(call),
        span: topology.call(call).span,
        text: text(),
        value: None,
    };
    calls.into_iter().map(step).collect()
}

/// `a`, `b` and `c`; of many, the first few.
pub(super) fn names(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().take(3).map(|name| format!("`{name}`")).collect();
    match (quoted.split_last(), names.len().saturating_sub(3)) {
        (None, _) => String::new(),
        (Some((last, [])), 0) => last.clone(),
        (Some((last, first)), 0) => format!("{} and {last}", first.join(", ")),
        (Some(_), more) => format!("{} and {more} more", quoted.join(", ")),
    }
}

/// The time in 30 days in which something may be down that is up for this share.
pub(super) fn outage(share: f64) -> String {
    let minutes = (1.0 - share) * 30.0 * 24.0 * 60.0;
    match minutes {
        _ if minutes >= 120.0 => format!("{} h", number(minutes / 60.0)),
        _ if minutes >= 1.0 => format!("{} min", number(minutes)),
        _ => format!("{} s", number(minutes * 60.0)),
    }
}

/// "1 call", "3 calls".
pub(super) fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// "12.5 MB", "4 MiB": in the largest unit that gives a short number, a power of ten before a power of two.
pub(super) fn size(bytes: u64) -> String {
    const TENS: [(u64, &str); 4] = [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    const TWOS: [(u64, &str); 4] = [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let tens = TENS.into_iter().find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(unit / 10));
    let twos = TWOS.into_iter().find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit));
    match tens.or(twos) {
        Some((unit, name)) if bytes.is_multiple_of(unit) => format!("{} {name}", bytes / unit),
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit / (unit / 10)),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes_read_well() {
        let sizes = [0, 999, 256_000, 262_144, 12_500_000, 4_194_304, 1_234_567, u64::MAX];
        let shown = ["0 B", "999 B", "256 kB", "256 KiB", "12.5 MB", "4 MiB", "1234567 B", "18446744073709551615 B"];
        assert_eq!(sizes.map(super::size), shown.map(str::to_owned));
    }
}
