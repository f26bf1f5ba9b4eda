//! A call that is tried again at once.

use crate::analysis::{Attempts, Backoff, Extent, Facts, Limit, Plan};
use crate::diagnostic::{Certainty, Diagnostic, spaced};
use crate::model::{Answer, CallId, Client, Duration, OperationId, Origin, Stated};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &crate::metadata::Options) -> Vec<Diagnostic> {
    // Of the calls that follow one policy the first by name speaks for all.
    facts.calls_by_name().filter_map(|call| finding(facts, call)).collect()
}

/// What an operation needs with the waits that are proposed here for its calls, one after another.
pub(super) fn with_proposed_waits(facts: &Facts<'_>, id: OperationId, needed: Duration) -> Duration {
    let longer = needed.plus(proposed_waits(facts, id));
    // It gives up by its own deadline all the same.
    facts.allotted(id).at_most.map_or(longer, |cap| longer.min(cap.max(needed)))
}

fn proposed_waits(facts: &Facts<'_>, id: OperationId) -> Duration {
    let topology = facts.topology();
    let calls = topology.calls_from(id).take(MOST_CALLS).filter(|call| facts.is_awaited(*call));
    let waits = calls.filter(|call| is_at_once(facts, *call).is_some()).map(|call| {
        let plan = facts.plan(call);
        let (first, cap) = proposal(plan);
        match (plan.attempts, plan.times) {
            (Attempts::AtMost(attempts), Attempts::AtMost(times)) => {
                Backoff::exponential(first, cap).total(attempts - 1).times(times)
            }
            _ => Duration::ZERO,
        }
    });
    waits.fold(Duration::ZERO, Duration::plus)
}

/// So many calls of a callee are looked at for what is proposed to each of its callers.
const MOST_CALLS: usize = 64;

/// Whether a call is tried again at once, how certain that is, and where it is stated.
fn is_at_once<'a>(facts: &'a Facts<'_>, id: CallId) -> Option<(Certainty, Option<Stated<'a>>)> {
    let plan = facts.plan(id);
    let retries = plan.attempts_stated?;
    if !plan.attempts.repeat()
        || facts.is_local(id)
        || !facts.is_made(id)
        || harmless(facts, id)
        || elsewhere(facts, id)
    {
        return None;
    }
    match plan.backoff_stated {
        Answer::None(stated) => Some((Certainty::Proved, Some(stated))),
        Answer::Given(stated) if is_zero(stated) => Some((Certainty::Proved, Some(stated))),
        // What the client itself waits is not known, and no omission of the diagram.
        Answer::Unstated if waits_by_itself(facts, id, retries) => None,
        Answer::Unstated => Some((Certainty::Possible, None)),
        Answer::Given(_) | Answer::Unreadable => None,
    }
}

fn finding(facts: &Facts<'_>, id: CallId) -> Option<Diagnostic> {
    let plan = facts.plan(id);
    let retries = plan.attempts_stated?;
    let (certainty, stated) = is_at_once(facts, id)?;
    let call = facts.topology().call(id);
    let name = spaced(&facts.topology().call_name(id));
    let attempts = match plan.attempts {
        Attempts::AtMost(count) => format!("up to {count} attempts"),
        Attempts::Unlimited => "attempts without end".to_owned(),
    };
    let message = match certainty {
        Certainty::Proved => format!("`{name}` is tried again at once: {attempts}, and no wait between them"),
        _ => format!("`{name}` makes {attempts} and states no wait between them"),
    };
    let place = stated.and_then(prose::place).or_else(|| prose::place(retries));
    let mut diagnostic = Diagnostic::new(place.unwrap_or(call.span), message).subject(facts.topology().call_name(id));
    if stated.unwrap_or(retries).origin != Origin::Own && place.is_some() {
        diagnostic = diagnostic.label(call.span, "for this call");
    }
    diagnostic.certainty = certainty;
    diagnostic.cause = Some(prose::cause_of(facts, id, stated.or(Some(retries))));
    diagnostic.group = Some(match certainty {
        Certainty::Proved => "calls are tried again at once".into(),
        _ => "calls are tried again and state no `backoff`".into(),
    });
    Some(with_help(facts, id, plan, stated, diagnostic))
}

/// Whether the client makes the tries of its own accord, or is said to wait, if only second-hand.
fn waits_by_itself(facts: &Facts<'_>, id: CallId, retries: Stated<'_>) -> bool {
    let said = |client: &Client| client.default_of(Key::Backoff).is_some();
    matches!(retries.origin, Origin::Client(..)) || facts.cascade().clients(id).any(said)
}

/// What never doubles from nothing, or is said to be nothing.
fn is_zero(backoff: Stated<'_>) -> bool {
    let setting = backoff.setting;
    let longest = setting.duration_range().map(|(first, cap)| first.min(cap)).or_else(|| setting.duration());
    longest == Some(Duration::ZERO)
}

/// So many conflicts in a row are bad luck; more of them are contention, which trying again at once makes worse.
const MOST_CONFLICTS: Attempts = Attempts::AtMost(5);

/// Whether what is tried again asks nothing more of a callee in trouble: connections that it refused or never saw, and
/// a few conflicts with another writer.
fn harmless(facts: &Facts<'_>, id: CallId) -> bool {
    match facts.cascade().call(id, &[Key::RetryOn]) {
        Answer::Given(stated) => stated.setting.words().all(|word| match word {
            "conflict" => facts.plan(id).attempts <= MOST_CONFLICTS,
            _ => matches!(word, "connect" | "refused"),
        }),
        Answer::None(_) | Answer::Unreadable => true,
        Answer::Unstated => false,
    }
}

/// Whether the one retry reaches another instance of a service: several run, and no client keeps its own.
fn elsewhere(facts: &Facts<'_>, id: CallId) -> bool {
    let topology = facts.topology();
    let node = topology.callee_node(id);
    let unread = matches!(facts.cascade().node(node, Key::Replicas), Answer::Unreadable);
    let several = unread || facts.instances(node).is_some_and(|(fewest, _)| fewest > 1);
    let look = |keys| facts.cascade().call(id, keys);
    let same = look(&[Key::Sticky]).given().is_some() || matches!(look(&[Key::Balancing]), Answer::None(_));
    let once = facts.plan(id).attempts == Attempts::AtMost(2);
    once && several && !same && topology.node(node).kind == ElementKind::Service
}

fn with_help(
    facts: &Facts<'_>,
    id: CallId,
    plan: &Plan<'_>,
    stated: Option<Stated<'_>>,
    diagnostic: Diagnostic,
) -> Diagnostic {
    let (first, cap) = proposal(plan);
    let text = format!("backoff exponential {}..{} jitter full", first.written(), cap.written());
    let mut diagnostic = diagnostic.help(format!("write `{text}`{}", checked(facts, id, first, cap)));
    diagnostic.fix = prose::replace(stated, text);
    diagnostic.help("or try again only what never arrived: `retry-on connect, refused`, or not at all: `retries none`")
}

/// A tenth of what one attempt may take, between 10 ms and 1 s, and ten times that: about what Envoy does by default.
fn proposal(plan: &Plan<'_>) -> (Duration, Duration) {
    let timeout = plan.attempt().unwrap_or(Duration::from_milliseconds(500));
    let tenth = Duration::from_milliseconds(timeout.nanoseconds() / 10_000_000);
    let first = tenth.clamp(Duration::from_milliseconds(10), Duration::from_milliseconds(1000));
    (first, first.times(10))
}

/// How long all attempts take with the proposed waits, and whether the caller has that long.
fn checked(facts: &Facts<'_>, id: CallId, first: Duration, cap: Duration) -> String {
    let plan = facts.plan(id);
    let (Attempts::AtMost(attempts), Limit::At(timeout, _)) = (plan.attempts, plan.timeout) else {
        return String::new();
    };
    let Some(tries) = plan.all_attempts(timeout).finite() else { return String::new() };
    let waits = plan.waits().finite().unwrap_or_default();
    let total = tries.minus(waits).plus(Backoff::exponential(first, cap).total(attempts - 1));
    let from = facts.topology().caller(id);
    let caller = facts.topology().operation_name(from);
    match (facts.allotted(from).at_most, Extent::Finite(total)) {
        (Some(bound), Extent::Finite(total)) if total > bound => {
            format!("; all attempts then take up to {total}, and `{caller}` has only {bound}: make fewer")
        }
        (Some(bound), _) => format!(" (all attempts then take up to {total}, `{caller}` has {bound})"),
        (None, _) => format!(" (all attempts then take up to {total})"),
    }
}
