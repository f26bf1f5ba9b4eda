//! A caller and its callee that give up at the same time: whose error comes back is chance.

use super::statement::one_each;
use super::timeout_inversion::{caller_limit, copes};
use crate::analysis::{Extent, Facts};
use crate::diagnostic::Diagnostic;
use crate::ids::IdMap;
use crate::metadata::Options;
use crate::model::{CallId, Duration, OperationId, Origin};
use crate::rules::prose;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let mut waiting: IdMap<OperationId, bool> = IdMap::default();
    let found = facts.calls_by_name().filter_map(|call| Some((call, finding(facts, call, &mut waiting)?)));
    one_each(facts, found)
}

fn finding(facts: &Facts<'_>, id: CallId, waiting: &mut IdMap<OperationId, bool>) -> Option<Diagnostic> {
    let topology = facts.topology();
    let call = topology.call(id);
    let (limit, stated) = caller_limit(facts, id)?;
    let Extent::Finite(needed) = facts.times().operation(call.to).at_least else { return None };
    let margin = limit.minus(needed);
    let fits = needed > Duration::ZERO && needed <= limit && margin <= facts.round_trip(id);
    if !fits || !facts.is_awaited(id) || facts.is_local(id) || facts.is_stream(id) || copes(facts, id) {
        return None;
    }
    // Equal numbers mean nothing where the callee waits for nobody.
    if !*waiting.entry(call.to).or_insert_with(|| waits(facts, call.to)) {
        return None;
    }
    let (caller, callee) = (topology.operation_name(call.from), topology.operation_name(call.to));
    let message = if margin == Duration::ZERO {
        format!("`{caller}` and `{callee}` give up at the same time, after {limit}")
    } else {
        format!("`{callee}` gives up after {needed}, less than a round trip before `{caller}` does at {limit}")
    };
    let mut diagnostic = Diagnostic::new(prose::place(stated).unwrap_or(call.span), message);
    if stated.origin != Origin::Own {
        diagnostic = diagnostic.label(call.span, "for this call");
    }
    diagnostic = diagnostic.subject(topology.call_name(id));
    diagnostic.cause = Some(prose::cause_of(facts, id, Some(stated)));
    diagnostic.group = Some("callers give up together with their callees".into());
    diagnostic.consequence =
        Some(format!("what `{callee}` says of its failure arrives too late, and its last try is wasted"));
    let longer = needed.plus(facts.round_trip(id)).rounded_up();
    diagnostic.help = vec![
        format!(
            "leave `{callee}` time to answer: `{} {}` on `{}`",
            stated.setting.key,
            longer.written(),
            prose::call(facts, id)
        ),
        format!("or let `{callee}` follow: `deadline inherited` on it and on its calls"),
    ];
    Some(diagnostic)
}

fn waits(facts: &Facts<'_>, operation: OperationId) -> bool {
    let parts = facts.times().parts(facts, operation);
    parts.iter().any(|part| part.time.at_least > Extent::ZERO && !facts.is_local(part.call))
}
