//! How rules speak of elements: names, places and numbers in the words that the diagram uses.

use std::fmt::Write as _;

use crate::analysis::{Attempts, Extent, Facts, Limit, Plan};
use crate::diagnostic::{Edit, Fix};
use crate::model::{CallId, Duration, OperationId, Origin, Stated};
use crate::source::Span;

/// A call as an element to edit: its name, and which one it is among twins.
pub(super) fn cause(facts: &Facts<'_>, call: CallId) -> String {
    facts.topology().call_identity(call)
}

/// Where a statement stands, if that is a place in the diagram; what the table of clients says has none.
pub(super) fn place(stated: Stated<'_>) -> Option<Span> {
    (!matches!(stated.origin, Origin::Client(..))).then_some(stated.setting.span)
}

/// So many calls of a way are named; of a longer one, the last.
const NAMED: usize = 7;

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
    for call in shown {
        let call = topology.call(*call);
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

/// "1 call", "3 calls".
pub(super) fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}
