//! A call that is tried again without end.

use crate::analysis::{Attempts, Facts, Limit};
use crate::diagnostic::{Certainty, Diagnostic, spaced};
use crate::model::{Answer, CallId, Duration, Origin};
use crate::rules::prose;
use crate::syntax::Arrow;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &crate::metadata::Options) -> Vec<Diagnostic> {
    facts.topology().call_ids().filter_map(|call| finding(facts, call)).collect()
}

fn finding(facts: &Facts<'_>, id: CallId) -> Option<Diagnostic> {
    let plan = facts.plan(id);
    let stated = plan.attempts_stated.filter(|_| plan.attempts == Attempts::Unlimited)?;
    let nothing = matches!(facts.cascade().call(id, &[Key::RetryOn]), Answer::None(_) | Answer::Unreadable);
    if nothing || !facts.is_made(id) || kept(facts, id) {
        return None;
    }
    let certainty = match plan.deadline {
        Limit::At(..) | Limit::Unreadable => return None,
        Limit::None(_) | Limit::Unstated => inherited(facts, id)?,
    };
    let topology = facts.topology();
    let call = topology.call(id);
    let name = spaced(&topology.call_name(id));
    let message = match certainty {
        Certainty::Proved => format!("`{name}` is tried again without end: no deadline bounds its attempts"),
        _ => format!("`{name}` is tried again without end, unless a deadline that is not stated reaches it"),
    };
    let mut diagnostic = Diagnostic::new(prose::place(stated).unwrap_or(call.span), message);
    if stated.origin != Origin::Own {
        diagnostic = diagnostic.label(call.span, "for this call");
    }
    diagnostic.certainty = certainty;
    // What has no end because of this call is folded under it, so the call is the cause, whoever states it.
    diagnostic.cause = Some(prose::cause(facts, id));
    diagnostic.group = Some("calls are tried again without end".into());
    diagnostic.subjects = vec![topology.call_name(id)];
    diagnostic.consequence = Some(consequence(facts, id));
    diagnostic.fix = prose::replace(Some(stated), "retries 2".to_owned());
    diagnostic.help = help(facts, id);
    Some(diagnostic)
}

/// A message that is kept until it is sent keeps nobody waiting.
fn kept(facts: &Facts<'_>, id: CallId) -> bool {
    facts.topology().call(id).arrow == Arrow::Async && facts.cascade().call(id, &[Key::Outbox]).may_be_given()
}

/// How certain it is that no inherited deadline ends it; none if one does on every way.
fn inherited(facts: &Facts<'_>, id: CallId) -> Option<Certainty> {
    let allotted = facts.allotted(facts.topology().caller(id));
    match (facts.plan(id).inherits, allotted.at_most, allotted.at_least) {
        (false, ..) | (true, None, None) => Some(Certainty::Proved),
        (true, None, Some(_)) => Some(Certainty::Possible),
        (true, Some(_), _) => None,
    }
}

fn consequence(facts: &Facts<'_>, id: CallId) -> String {
    let call = facts.topology().call(id);
    let callee = facts.topology().operation_name(call.to);
    if call.arrow == Arrow::Sync {
        format!("while `{callee}` fails, each request holds its worker, and all of them keep asking")
    } else {
        format!("while `{callee}` fails, what is to be sent piles up, and all of it is tried again and again")
    }
}

/// Three attempts and the waits that are usual, but no less than 2 s.
fn room(facts: &Facts<'_>, id: CallId) -> Duration {
    let least = Duration::from_milliseconds(2_000);
    facts.plan(id).attempt().map_or(least, |single| single.times(3).rounded_up().max(least))
}

fn help(facts: &Facts<'_>, id: CallId) -> Vec<String> {
    let topology = facts.topology();
    let from = topology.caller(id);
    let caller = topology.operation_name(from);
    let waits = facts.shortest_wait(from).map(|(limit, by)| (limit, topology.operation_name(topology.caller(by))));
    let bound = match (facts.allotted(from).at_most, waits) {
        (Some(bound), _) => {
            let below = prose::and_below(facts, &[id]);
            format!("hand down what `{caller}` has, {bound}: `deadline inherited` here{below}")
        }
        (None, Some((limit, by))) => {
            format!("`deadline {}` here: `{by}` waits no longer for `{caller}`", limit.written())
        }
        (None, None) => format!("`deadline {}` here, or what `{caller}` can afford", room(facts, id).written()),
    };
    let mut help = vec![bound, "or a number: `retries 2`".to_owned()];
    let shortest = facts.allotted(from).at_most.or(facts.shortest_wait(from).map(|(limit, _)| limit));
    if let (Some(single), Some(limit)) = (facts.plan(id).attempt(), shortest)
        && single >= limit
    {
        help.push(format!("and a `timeout` below {limit}: one attempt alone takes {single}"));
    }
    if topology.call(id).arrow == Arrow::Async {
        help.push("or, if it is kept until it is sent, say so: `outbox`".to_owned());
    }
    help
}
