//! A call that nothing bounds: no timeout, no deadline, none inherited on every way.

use super::{idle_timeout_only, retry_without_backoff};
use crate::analysis::{Facts, Limit};
use crate::diagnostic::{Certainty, Diagnostic, spaced};
use crate::metadata::Options;
use crate::model::{Answer, CallId, Duration, OperationId, Origin};
use crate::rules::prose;
use crate::source::Span;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.topology().call_ids().filter_map(|call| finding(facts, call)).collect()
}

fn finding(facts: &Facts<'_>, id: CallId) -> Option<Diagnostic> {
    let plan = facts.plan(id);
    let bounded = |limit: Limit<'_>| matches!(limit, Limit::At(..) | Limit::Unreadable);
    if !facts.is_awaited(id)
        || facts.is_local(id)
        || plan.cut.is_some()
        || bounded(plan.timeout)
        || bounded(plan.deadline)
    {
        return None;
    }
    let call = facts.topology().call(id);
    if plan.inherits && facts.allotted(call.from).is_bounded() {
        return None;
    }
    if facts.is_stream(id) {
        return stream(facts, id);
    }
    // What ends only a part of the wait is said by the rule for that.
    if idle_timeout_only::partial(facts, id).is_some() {
        return None;
    }
    let name = spaced(&facts.topology().call_name(id));
    let diagnostic = match plan.timeout {
        Limit::None(stated) => {
            if let Some((client, default)) = stated.entry() {
                let message = format!("`{name}` has no timeout: `{}` sets none", client.name);
                let mut diagnostic =
                    Diagnostic::new(call.span, message).at(format!("{}: {}", client.title, default.meaning));
                diagnostic.group = Some(format!("calls have no timeout: `{}` sets none", client.name).into());
                diagnostic
                    .help(format!("`{}` {}, read {} in {}", client.name, client.versions, default.date, default.source))
            } else {
                let mut diagnostic = Diagnostic::new(
                    stated.setting.span,
                    format!("`{name}` waits for ever: it states that it has no timeout"),
                );
                diagnostic.group = Some("calls wait for ever: `timeout none`".into());
                if stated.origin == Origin::Own { diagnostic } else { diagnostic.label(call.span, "this call") }
            }
        }
        _ => unstated(call.span, &name),
    };
    Some(finish(facts, id, diagnostic))
}

fn unstated(span: Span, name: &str) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(span, format!("`{name}` states no timeout"));
    diagnostic.certainty = Certainty::Possible;
    diagnostic.group = Some("calls state no timeout".into());
    diagnostic
}

/// A stream is meant to stay open; what ends it is silence.
fn stream(facts: &Facts<'_>, id: CallId) -> Option<Diagnostic> {
    let idle = facts.cascade().call(id, &[Key::IdleTimeout]);
    let certainty = match idle {
        Answer::Given(_) | Answer::Unreadable => return None,
        Answer::None(_) => Certainty::Proved,
        Answer::Unstated => Certainty::Possible,
    };
    let name = spaced(&facts.topology().call_name(id));
    let span = facts.topology().call(id).span;
    let mut diagnostic =
        Diagnostic::new(span, format!("the stream `{name}` notices no silence: it states no idle timeout"))
            .help("write `idle-timeout 30s`, and let the callee send heartbeats");
    diagnostic.certainty = certainty;
    diagnostic.group = Some("streams notice no silence: no `idle-timeout`".into());
    Some(with_identity(facts, id, diagnostic))
}

fn finish(facts: &Facts<'_>, id: CallId, diagnostic: Diagnostic) -> Diagnostic {
    let topology = facts.topology();
    let call = topology.call(id);
    // The smallest time in which the callee is proved to be able to work gives a first value.
    let needed = facts.times().operation(call.to).at_least.finite().filter(|needed| needed.nanoseconds() > 0);
    let first = match needed {
        Some(needed) => proposal(facts, call.to, needed),
        None => "write `timeout 1s`, or what the caller can afford".to_owned(),
    };
    let with_bound = facts.allotted(call.from).is_bounded();
    let mut diagnostic = with_identity(facts, id, diagnostic);
    diagnostic.help.insert(0, first);
    if with_bound {
        let caller = topology.operation_name(call.from);
        let below = prose::and_below(facts, &[id]);
        let here = if below.is_empty() { "" } else { " here" };
        diagnostic =
            diagnostic.help(format!("or hand the deadline of `{caller}` down: `deadline inherited`{here}{below}"));
    }
    diagnostic
}

/// A wait for all that the callee can take, with the waits that another rule asks it for.
fn proposal(facts: &Facts<'_>, callee: OperationId, needed: Duration) -> String {
    let longer = retry_without_backoff::with_proposed_waits(facts, callee, needed);
    let name = facts.topology().operation_name(callee);
    let with = if longer > needed {
        format!(", and {} more once it waits between its attempts", longer.minus(needed))
    } else {
        String::new()
    };
    format!("write `timeout {}`: `{name}` can work for {needed}{with}", longer.rounded_up().written())
}

fn with_identity(facts: &Facts<'_>, id: CallId, mut diagnostic: Diagnostic) -> Diagnostic {
    diagnostic.cause = Some(prose::cause(facts, id));
    diagnostic.subject(facts.topology().call_name(id))
}
