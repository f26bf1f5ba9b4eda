//! A call whose only bounds end silence or connecting, and never the whole answer.

use super::retry_without_backoff;
use super::statement::one_each;
use crate::analysis::{Facts, Limit};
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::{CallId, Origin, Stated};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    one_each(facts, facts.calls_by_name().filter_map(|call| Some((call, finding(facts, call)?))))
}

fn finding(facts: &Facts<'_>, id: CallId) -> Option<Diagnostic> {
    let stated = partial(facts, id)?;
    let topology = facts.topology();
    let call = topology.call(id);
    let name = prose::call(facts, id);
    let idle = stated.setting.key == Key::IdleTimeout;
    let limit = stated.setting.duration()?;
    let ends = if idle { "silence" } else { "connecting" };
    let message = format!(
        "nothing bounds the whole answer of `{name}`: `{} {}` ends only {ends}",
        stated.setting.key,
        limit.written()
    );
    let mut diagnostic = Diagnostic::new(prose::place(stated).unwrap_or(call.span), message);
    if stated.origin != Origin::Own && prose::place(stated).is_some() {
        diagnostic = diagnostic.label(call.span, "for this call");
    }
    diagnostic = diagnostic.subject(topology.call_name(id));
    if matches!(facts.plan(id).timeout, Limit::Unstated) {
        diagnostic.certainty = Certainty::Possible;
    }
    if hardly_drips(facts, id, stated) {
        diagnostic.certainty = Certainty::Heuristic;
    }
    // What has no end because of this call is folded under it.
    diagnostic.cause = Some(prose::cause(facts, id));
    diagnostic.group = Some(format!("calls have no bound on the whole answer: `{}` only", stated.setting.key).into());
    diagnostic.consequence = Some(if idle {
        format!("an answer that drips in, a byte before every {limit} are over, holds the caller for ever")
    } else {
        "once it is connected, the caller waits for ever".to_owned()
    });
    diagnostic.help = help(facts, id, stated);
    Some(diagnostic)
}

fn help(facts: &Facts<'_>, id: CallId, stated: Stated<'_>) -> Vec<String> {
    let call = facts.topology().call(id);
    let total = facts.times().operation(call.to).at_least.finite().filter(|needed| needed.nanoseconds() > 0);
    let total = total.map(|needed| retry_without_backoff::with_proposed_waits(facts, call.to, needed));
    let total = total.map_or_else(|| "1s".to_owned(), |needed| needed.rounded_up().written());
    let mut help = vec![format!("write a bound on the whole as well: `timeout {total}`")];
    if facts.allotted(call.from).is_bounded() {
        let caller = facts.topology().operation_name(call.from);
        let below = prose::and_below(facts, &[id]);
        let here = if below.is_empty() { "" } else { " here" };
        help.push(format!("or hand the deadline of `{caller}` down: `deadline inherited`{here}{below}"));
    }
    if stated.setting.key == Key::IdleTimeout {
        help.push("or say that the answer comes in one packet: `response 1kB`".to_owned());
    }
    if let Some((client, default)) = stated.entry() {
        help.push(super::statement::source(client, default));
    }
    help
}

/// The idle or connect timeout of a call that has no total one: nobody states any, or its client is known to have none.
pub(super) fn partial<'a>(facts: &'a Facts<'_>, id: CallId) -> Option<Stated<'a>> {
    let plan = facts.plan(id);
    let unbounded = match plan.timeout {
        Limit::Unstated => true,
        Limit::None(stated) => matches!(stated.origin, Origin::Client(..)),
        Limit::At(..) | Limit::Unreadable => false,
    };
    let total = matches!(plan.deadline, Limit::At(..) | Limit::Unreadable) || plan.cut.is_some();
    let inherited = plan.inherits && facts.allotted(facts.topology().caller(id)).is_bounded();
    if !unbounded || total || inherited || !facts.is_awaited(id) || facts.is_local(id) || facts.is_stream(id) {
        return None;
    }
    let look = |key| facts.cascade().call(id, &[key]).given();
    // A connect timeout is the weakest of bounds: a client known to have no other is left to `missing-timeout`.
    let connect = || look(Key::ConnectTimeout).filter(|_| matches!(plan.timeout, Limit::Unstated));
    look(Key::IdleTimeout).or_else(connect)
}

/// Whether an answer hardly takes longer than its first byte: a cache's, or of a callee that ends by itself.
fn hardly_drips(facts: &Facts<'_>, id: CallId, stated: Stated<'_>) -> bool {
    let topology = facts.topology();
    let to = topology.callee(id);
    let ends = facts.allotted(to).own.is_some();
    stated.setting.key == Key::IdleTimeout && (ends || topology.kind_of(to) == ElementKind::Cache)
}
