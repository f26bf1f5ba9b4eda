//! A call that gives up before its callee has had its time: attempts, waits, fallbacks and sequences included.

use super::retry_without_backoff;
use super::statement::one_each;
use crate::ids::IdMap;

use crate::analysis::{Attempts, Extent, Facts, Part};
use crate::diagnostic::{Because, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{CallId, Duration, OperationId, Stated};
use crate::rules::prose;
use crate::rules::zero_latency::overtime;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    // Many callers of one operation wait for the same things.
    let mut callees: IdMap<OperationId, Callee> = IdMap::default();
    let mut found: Vec<Inversion<'_>> = facts.calls_by_name().filter_map(|call| inversion(facts, call)).collect();
    // Where one line says it for many calls, the one that falls shortest speaks.
    found.sort_by_key(|found| std::cmp::Reverse(found.short_by()));
    let reports = found.into_iter().map(|found| {
        let to = facts.topology().callee(found.call);
        let callee = callees.entry(to).or_insert_with(|| Callee::of(facts, to));
        (found.call, report(facts, &found, callee))
    });
    one_each(facts, reports)
}

/// What all callers of an operation wait for.
struct Callee {
    parts: Vec<Part>,
    caused_by: Vec<Because>,
}

impl Callee {
    fn of(facts: &Facts<'_>, id: OperationId) -> Self {
        let parts = facts.times().parts(facts, id);
        // What has no end below is the cause; where it is reported, this follows from it.
        let caused_by = match facts.times().operation(id).at_least {
            Extent::Unbounded => prose::endless_causes(facts, &parts),
            Extent::Finite(_) => overtime::caused_by(facts, id),
        };
        Self { parts, caused_by }
    }
}

/// The attempt and the time that its callee may take, if the attempt ends first.
pub(super) struct Inversion<'a> {
    pub(super) call: CallId,
    pub(super) limit: Duration,
    pub(super) stated: Stated<'a>,
    pub(super) needed: Extent,
}

impl Inversion<'_> {
    fn short_by(&self) -> Extent {
        self.needed.finite().map_or(Extent::Unbounded, |needed| Extent::Finite(needed.minus(self.limit)))
    }
}

pub(super) fn inversion<'a>(facts: &'a Facts<'_>, id: CallId) -> Option<Inversion<'a>> {
    let (limit, stated) = caller_limit(facts, id)?;
    let to = facts.topology().callee(id);
    let needed = facts.times().operation(to).at_least;
    if !facts.is_awaited(id)
        || facts.is_local(id)
        || facts.is_stream(id)
        || needed <= Extent::Finite(limit)
        || copes(facts, id)
    {
        return None;
    }
    if !facts.has_its_turn(id) {
        return None;
    }
    Some(Inversion { call: id, limit, stated, needed })
}

/// The longest that a caller waits for one attempt, what its call inherits included.
pub(super) fn caller_limit<'a>(facts: &'a Facts<'_>, id: CallId) -> Option<(Duration, Stated<'a>)> {
    let plan = facts.plan(id);
    let inherited = facts.allotted(facts.topology().caller(id)).at_most.filter(|_| plan.inherits);
    let stated = facts.cascade().call(id, &[Key::Deadline]).given();
    let limits = [plan.attempt_limit(), inherited.zip(stated)];
    limits.into_iter().flatten().min_by_key(|(limit, _)| *limit)
}

/// A callee that knows of the caller's deadline, stops when the caller has gone, or is meant to work on.
pub(super) fn copes(facts: &Facts<'_>, id: CallId) -> bool {
    let to = facts.topology().callee(id);
    let states = |key| facts.cascade().operation(to, key).given().is_some();
    facts.allotted(to).honours || states(Key::Cancels) || states(Key::Detached)
}

fn report(facts: &Facts<'_>, found: &Inversion<'_>, callee: &Callee) -> Diagnostic {
    let topology = facts.topology();
    let Callee { parts, caused_by } = callee;
    let total = total(facts, found);
    let affordable = is_affordable(facts, found, total);
    let call = topology.call(found.call);
    let (caller, callee) = (topology.operation_name(call.from), topology.operation_name(call.to));
    let can = match found.needed {
        Extent::Finite(needed) => format!("it can work for {needed}"),
        Extent::Unbounded => "it can work without end".to_owned(),
    };
    let span = prose::place(found.stated).unwrap_or(call.span);
    let message = format!("`{caller}` gives up on `{callee}` after {}, but {can}", found.limit);
    let mut diagnostic = Diagnostic::new(span, message);
    if found.stated.origin != crate::model::Origin::Own {
        diagnostic = diagnostic.label(call.span, "for this call");
    }
    diagnostic.subjects = vec![topology.call_name(found.call)];
    diagnostic.witness = witness(facts, found, parts);
    diagnostic.path = Some(prose::path(facts, call.from, &[found.call], 0));
    diagnostic.consequence = Some(consequence(facts, found));
    diagnostic.cause = Some(prose::cause(facts, found.call));
    diagnostic.caused_by.clone_from(caused_by);
    diagnostic.help = help(facts, found, parts, total);
    if let (Some(proposed), Key::Timeout, true) = (proposed(facts, found), found.stated.setting.key, affordable) {
        diagnostic.fix = prose::replace(Some(found.stated), format!("timeout {}", proposed.written()));
    }
    diagnostic
}

/// The attempt, then what the callee waits for, call by call.
fn witness(facts: &Facts<'_>, found: &Inversion<'_>, parts: &[Part]) -> Vec<Step> {
    let topology = facts.topology();
    let to = topology.callee(found.call);
    let mut steps = vec![Step {
        subject: topology.call_name(found.call),
        span: prose::place(found.stated).unwrap_or(topology.call(found.call).span),
        text: format!("every attempt ends here: {}", found.limit),
        value: Some(Measure::Seconds(found.limit.seconds())),
    }];
    let maximum = facts.cascade().operation(to, Key::Latency).given();
    if let Some((stated, maximum)) = maximum.and_then(|stated| Some((stated, stated.setting.maximum()?))) {
        let value = Some(Measure::Seconds(maximum.seconds()));
        steps.push(Step {
            subject: topology.operation_name(to),
            span: stated.setting.span,
            text: format!("its own work may take {maximum}"),
            value,
        });
    }
    for part in parts {
        let plan = facts.plan(part.call);
        if part.time.at_least == Extent::ZERO {
            continue;
        }
        let own = plan.timeout.stated().or(plan.deadline.stated()).and_then(prose::place);
        let text = format!("may take {}", prose::arithmetic(plan, part.time.at_least));
        let value = part.time.at_least.finite().map(|time| Measure::Seconds(time.seconds()));
        steps.push(Step {
            subject: topology.call_name(part.call),
            span: own.unwrap_or(topology.call(part.call).span),
            text,
            value,
        });
    }
    if steps.len() == 1 {
        let stated = facts.cascade().operation(to, Key::Deadline).given();
        let span = stated.and_then(prose::place).unwrap_or(topology.operation(to).span);
        steps.push(Step {
            subject: topology.operation_name(to),
            span,
            text: "it answers or gives up only by then".to_owned(),
            value: None,
        });
    }
    steps
}

fn consequence(facts: &Facts<'_>, found: &Inversion<'_>) -> String {
    let wasted = match found.needed {
        Extent::Finite(needed) => format!("{} of work that nobody waits for", needed.minus(found.limit)),
        Extent::Unbounded => "work that nobody waits for, without end".to_owned(),
    };
    match overlapping(facts, found) {
        Some(executions) => format!("{wasted}, and up to {executions} executions of one request at the same time"),
        None => wasted,
    }
}

/// An attempt that was given up goes on while the next ones run: at most `min(n, ⌈W / t⌉)` at once.
fn overlapping(facts: &Facts<'_>, found: &Inversion<'_>) -> Option<u64> {
    let limit = found.limit.nanoseconds().max(1);
    let fits = found.needed.finite().map_or(u64::MAX, |needed| needed.nanoseconds().div_ceil(limit));
    let attempts = match facts.plan(found.call).attempts {
        Attempts::AtMost(attempts) => attempts,
        Attempts::Unlimited => u64::MAX,
    };
    Some(attempts.min(fits)).filter(|executions| *executions > 1 && *executions < u64::MAX)
}

fn help(facts: &Facts<'_>, found: &Inversion<'_>, parts: &[Part], total: Option<Duration>) -> Vec<String> {
    let callee = facts.topology().operation_name(facts.topology().callee(found.call));
    let longer = proposed(facts, found).map(|proposed| longer(facts, found, proposed, total));
    let shorter = (!parts.is_empty()).then(|| shorter(facts, found, parts));
    let mut ways: Vec<String> = longer.into_iter().chain(shorter).collect();
    // What the caller's own callers do not wait for is no cure by itself.
    if !is_affordable(facts, found, total) {
        ways.reverse();
    }
    ways.push(format!("let `{callee}` stop in time: `deadline inherited` on it and on its calls"));
    let numbered = ways.into_iter().enumerate();
    numbered.map(|(index, way)| if index == 0 { way } else { format!("or {way}") }).collect()
}

fn longer(facts: &Facts<'_>, found: &Inversion<'_>, proposed: Duration, total: Option<Duration>) -> String {
    let key = found.stated.setting.key;
    // A longer value for all calls of a policy would let the callees take longer, too.
    let place = match found.stated.origin {
        crate::model::Origin::Own => "here".to_owned(),
        _ => format!("on `{}` itself", prose::call(facts, found.call)),
    };
    let waits = if found.needed.finite().is_some_and(|needed| needed.rounded_up() < proposed) {
        ", with room for the waits that are missing below,"
    } else {
        ""
    };
    format!("`{key} {}` {place}{waits}{}", proposed.written(), checked(facts, found, total))
}

/// A shorter wait below: of the largest part, if that alone does it.
fn shorter(facts: &Facts<'_>, found: &Inversion<'_>, parts: &[Part]) -> String {
    let topology = facts.topology();
    let to = topology.callee(found.call);
    let callee = topology.operation_name(to);
    let alone = parts.iter().max_by_key(|part| part.time.at_least).and_then(|part| {
        let each = share(facts, found, *part)?;
        let work = facts.times().work_with(facts, to, part.call, each)?;
        (work.at_least <= Extent::Finite(found.limit)).then_some((part.call, each))
    });
    match alone {
        Some((call, each)) => {
            let call = prose::call(facts, call);
            format!("`timeout {}` on `{call}`: then `{callee}` ends within {}", each.written(), found.limit)
        }
        None => format!("less below: what `{callee}` waits for must end within {}", found.limit),
    }
}

/// What is left for each try of one call, if everything beside it takes its time, in whole tens of milliseconds.
fn share(facts: &Facts<'_>, found: &Inversion<'_>, part: Part) -> Option<Duration> {
    let plan = facts.plan(part.call);
    let to = facts.topology().callee(found.call);
    let needed = retry_without_backoff::with_proposed_waits(facts, to, found.needed.finite()?);
    let time = part.time.at_least.finite()?;
    let Attempts::AtMost(tries) = plan.attempts else { return None };
    let taken = needed.minus(time).plus(plan.waits().finite()?);
    let each = found.limit.minus(taken).nanoseconds() / tries.max(1);
    let each = Duration::from_milliseconds(each / 10_000_000 * 10);
    (each > Duration::ZERO && plan.timeout.duration().is_some()).then_some(each)
}

/// Long enough for all that the callee can take, with the waits that another rule asks it for.
fn proposed(facts: &Facts<'_>, found: &Inversion<'_>) -> Option<Duration> {
    let to = facts.topology().callee(found.call);
    Some(retry_without_backoff::with_proposed_waits(facts, to, found.needed.finite()?).rounded_up())
}

/// The time of the caller if it waited long enough.
fn total(facts: &Facts<'_>, found: &Inversion<'_>) -> Option<Duration> {
    let proposed = proposed(facts, found)?;
    let from = facts.topology().caller(found.call);
    facts.times().work_with(facts, from, found.call, proposed)?.at_least.finite()
}

/// Whether no bound of the caller that is known would be exceeded by a long enough wait.
fn is_affordable(facts: &Facts<'_>, found: &Inversion<'_>, total: Option<Duration>) -> bool {
    let bound = tightest(facts, facts.topology().caller(found.call));
    total.zip(bound).is_none_or(|(total, (bound, _))| total <= bound)
}

/// The shortest time that an operation has: by its own deadline, or by who waits for it.
fn tightest(facts: &Facts<'_>, id: OperationId) -> Option<(Duration, String)> {
    let topology = facts.topology();
    let own = facts.allotted(id).own.map(|deadline| (deadline, "its deadline is".to_owned()));
    let waiting = facts
        .shortest_wait(id)
        .map(|(limit, call)| (limit, format!("`{}` waits", topology.operation_name(topology.caller(call)))));
    own.into_iter().chain(waiting).min_by_key(|(bound, _)| *bound)
}

/// What a proposed timeout does to the caller, and whether the caller may take that long.
fn checked(facts: &Facts<'_>, found: &Inversion<'_>, total: Option<Duration>) -> String {
    let from = facts.topology().caller(found.call);
    let caller = facts.topology().operation_name(from);
    let Some(total) = total else { return String::new() };
    match tightest(facts, from) {
        Some((bound, whose)) if total > bound => {
            format!(" would make `{caller}` need {total}, and {whose} only {bound}: raise that too")
        }
        Some((bound, whose)) => format!(" (then `{caller}` needs {total} in the worst case, {whose} {bound})"),
        None => format!(" (then `{caller}` needs {total} in the worst case)"),
    }
}
