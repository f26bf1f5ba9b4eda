//! A circuit breaker that opens when all workers are gone.

use crate::analysis::{Facts, Held, Holder, Pool};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.pools().iter().flat_map(|pool| pool.hangs.iter().filter_map(|held| finding(facts, pool, held))).collect()
}

fn finding(facts: &Facts<'_>, pool: &Pool, held: &Held) -> Option<Diagnostic> {
    let matters = held.arriving > 0.0 && !held.innocent.is_empty() && !held.exceeds(pool);
    if !matters || !held.exceeds_with(pool, Holder::until_open) {
        return None;
    }
    let slow = |holder: &&Holder| holder.until_open() > holder.most();
    let slowest = held.holders.iter().filter(slow).max_by(|one, other| {
        let holds = |holder: &Holder| holder.until_open().unwrap_or(f64::INFINITY);
        holds(one).total_cmp(&holds(other))
    })?;
    let topology = facts.topology();
    let call = slowest.call;
    let breaker = facts.cascade().call(call, &[Key::Breaker]).given()?;
    let opens = prose::number(slowest.opens?.steady?);
    #[allow(clippy::cast_precision_loss, reason = "a number of workers, to divide")]
    let full = prose::number(pool.size as f64 / held.arriving);
    let (name, owner) = (prose::call(facts, call), pool.owner(facts));
    let workers = prose::count(pool.size, "worker");
    let message = format!(
        "the breaker of `{name}` opens after {opens} s of a hang, and all {workers} of `{owner}` are held after {full} s"
    );
    let mut diagnostic = prose::about_call(facts, call, breaker, message).at(format!("opens after {opens} s"));
    diagnostic.certainty = Certainty::Possible;
    diagnostic.witness =
        held.holders.iter().filter(|holder| holder.rate > 0.0).take(6).map(|one| step(facts, one)).collect();
    let named: Vec<String> =
        held.innocent.iter().take(3).map(|id| format!("`{}`", topology.operation_name(*id))).collect();
    diagnostic.consequence = Some(format!(
        "until it opens, {} find no worker, though they could do without `{}`; how it fills its window is not stated",
        named.join(", "),
        topology.node_name(held.callee)
    ));
    diagnostic.help = vec![
        format!("bound what it can hold meanwhile: `bulkhead {}` on `{name}`", (pool.size / 4).max(1)),
        "or let it open sooner: a smaller share or a shorter window, `errors 50% over 1s`, or a shorter `timeout`"
            .to_owned(),
    ];
    diagnostic.cause = Some(prose::cause_of(facts, call, Some(breaker)));
    diagnostic.group = Some("breakers open when all workers are gone".into());
    Some(diagnostic.subject(topology.call_name(call)))
}

fn step(facts: &Facts<'_>, holder: &Holder) -> Step {
    let stated = facts.cascade().call(holder.call, &[Key::Breaker]).given();
    let span = stated.and_then(prose::place).unwrap_or(facts.topology().call(holder.call).span);
    let held = holder.until_open();
    let number = held.map_or_else(|| "all".to_owned(), |held| prose::number(held.ceil()));
    let text = match holder.opens.and_then(|opens| opens.steady) {
        Some(opens) => {
            format!("{} × {} s until it opens: {number} held", prose::rate(holder.rate), prose::number(opens))
        }
        None => format!("{} hold {number}", prose::rate(holder.rate)),
    };
    Step { subject: facts.topology().call_name(holder.call), span, text, value: held.map(Measure::Times) }
}
