//! A bulkhead as large as what it should protect.

use super::pool_exhaustion::takes_all;
use crate::analysis::{Facts, Held, Pool};
use crate::diagnostic::{Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{CallId, Stated};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.pools().iter().flat_map(|pool| in_pool(facts, pool)).collect()
}

/// The bulkheads on calls of a pool that let all of its workers through.
fn in_pool(facts: &Facts<'_>, pool: &Pool) -> Vec<Diagnostic> {
    // Where one operation with one callee has the workers for itself, there is nobody to protect.
    let callees = pool.hangs.len();
    if callees < 2 && pool.operations.len() < 2 {
        return Vec::new();
    }
    let calls = pool.operations.iter().flat_map(|id| facts.topology().calls_from(*id));
    let mut limited: Vec<(CallId, u64, Stated<'_>)> = calls
        .filter(|call| facts.is_awaited(*call) && !facts.topology().call(*call).implied)
        .filter_map(|call| {
            let stated = facts.cascade().call(call, &[Key::Bulkhead]).given()?;
            Some((call, stated.setting.count()?, stated))
        })
        .filter(|(call, limit, _)| *limit >= pool.size && !is_reported(pool, *call))
        .collect();
    limited.sort_by_key(|(call, ..)| facts.call_rank(*call));
    limited.into_iter().map(|(call, limit, stated)| finding(facts, pool, call, limit, stated)).collect()
}

/// Where the rates are stated, the pool says what it comes to.
fn is_reported(pool: &Pool, call: CallId) -> bool {
    let holds = |held: &Held| held.holders.iter().any(|holder| holder.call == call);
    pool.hangs.iter().any(|held| holds(held) && takes_all(pool, held))
}

fn finding(facts: &Facts<'_>, pool: &Pool, call: CallId, limit: u64, stated: Stated<'_>) -> Diagnostic {
    let topology = facts.topology();
    let owner = pool.owner(facts);
    let name = prose::call(facts, call);
    let workers = prose::count(pool.size, "worker");
    let message = format!("the bulkhead of `{name}` lets {limit} calls through, and `{owner}` has {workers}");
    let mut diagnostic = prose::about_call(facts, call, stated, message).at("keeps nothing free");
    if let Some(place) = pool.stated(facts).and_then(prose::place) {
        diagnostic = diagnostic.label(place, workers.clone());
    }
    #[allow(clippy::cast_precision_loss, reason = "a number of workers, for programs")]
    let value = Some(Measure::Times(limit as f64));
    diagnostic.witness = vec![Step {
        subject: topology.call_name(call),
        span: stated.setting.span,
        text: format!("may hold {limit} of {workers}"),
        value,
    }];
    diagnostic.consequence = Some(format!(
        "when `{}` hangs, all workers can wait for it, as if there were no bulkhead",
        topology.node_name(facts.topology().callee_node(call))
    ));
    if pool.size > 1 {
        diagnostic.help.push(format!("let it hold a part of them only: `bulkhead {}`", (pool.size / 4).max(1)));
    }
    diagnostic.help.push(format!("or state the workers that there are: `concurrency N` on `{owner}`"));
    diagnostic.cause = Some(prose::cause_of(facts, call, Some(stated)));
    diagnostic.group = Some("bulkheads let all workers through".into());
    diagnostic.subject(topology.call_name(call))
}
