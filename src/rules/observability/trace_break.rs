//! A hop that splits a trace: context that is dropped, renamed, or perhaps dropped, between traced hops.

use crate::analysis::{Facts, TraceBreak, TraceBreakKind};
use crate::diagnostic::{Certainty, Diagnostic, Step};
use crate::model::{CallId, Stated};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &crate::metadata::Options) -> Vec<Diagnostic> {
    facts.trace_breaks().iter().map(|found| report(facts, found)).collect()
}

fn report(facts: &Facts<'_>, found: &TraceBreak<'_>) -> Diagnostic {
    let topology = facts.topology();
    let call = topology.call(found.call);
    let name = prose::call(facts, found.call);
    let (mut diagnostic, group) = match found.kind {
        TraceBreakKind::Dropped(stated) => {
            let message = format!("the trace ends at `{name}`, and what is below is traced again");
            (prose::about_call(facts, found.call, stated, message), "hops end a trace that goes on below")
        }
        TraceBreakKind::Renamed { stated, .. } => {
            let message = format!(
                "`{name}` carries the trace as `{}`, and it arrives at `{}` as `{}`",
                format(stated),
                topology.operation_name(call.from),
                format(found.above.1)
            );
            (prose::about_call(facts, found.call, stated, message), "hops carry a trace in another format")
        }
        TraceBreakKind::Unstated => {
            let message = format!("`{name}` states no trace context, between hops that do");
            (Diagnostic::new(call.span, message), "hops between traced ones state no trace context")
        }
    };
    diagnostic.certainty = certainty(found);
    diagnostic.group = Some(group.into());
    diagnostic.cause = Some(prose::cause(facts, found.call));
    diagnostic.subjects = vec![topology.call_name(found.call)];
    diagnostic.witness = witness(facts, found, &diagnostic);
    diagnostic.path = Some(prose::path(facts, call.from, &[found.call], 0));
    let becomes = if diagnostic.certainty == Certainty::Proved { "becomes" } else { "may become" };
    diagnostic.consequence = Some(format!("one request {becomes} two traces that nothing connects"));
    help(facts, found, diagnostic)
}

fn certainty(found: &TraceBreak<'_>) -> Certainty {
    match found.kind {
        TraceBreakKind::Dropped(_) | TraceBreakKind::Renamed { translatable: false, .. } => Certainty::Proved,
        TraceBreakKind::Renamed { .. } | TraceBreakKind::Unstated => Certainty::Possible,
    }
}

/// The word that a hop states: `w3c`.
fn format(stated: Stated<'_>) -> &'static str {
    stated.setting.words().next().unwrap_or("none")
}

/// The nearest traced hop above, the break, and what is traced below.
fn witness(facts: &Facts<'_>, found: &TraceBreak<'_>, diagnostic: &Diagnostic) -> Vec<Step> {
    let topology = facts.topology();
    let traced = |(call, stated): (CallId, Stated<'_>)| Step {
        subject: topology.call_name(call),
        span: prose::place(stated)
            .filter(|_| stated.origin == crate::model::Origin::Own)
            .unwrap_or(topology.call(call).span),
        text: format!("`{}` carries {}", prose::call(facts, call), format(stated)),
        value: None,
    };
    let text = match found.kind {
        TraceBreakKind::Dropped(_) => "carries none".to_owned(),
        TraceBreakKind::Renamed { stated, .. } => format!("carries {}", format(stated)),
        TraceBreakKind::Unstated => "not stated".to_owned(),
    };
    let own = Step { subject: topology.call_name(found.call), span: diagnostic.primary.span, text, value: None };
    let below = match (found.kind, found.below) {
        (TraceBreakKind::Renamed { .. }, _) => None,
        (_, Some(below)) => Some(traced(below)),
        (_, None) => expecting(facts, found.call),
    };
    [traced(found.above), own].into_iter().chain(below).collect()
}

/// What the callee insists on.
fn expecting(facts: &Facts<'_>, id: CallId) -> Option<Step> {
    let to = facts.topology().callee(id);
    let stated = facts.cascade().operation(to, Key::Trace).given()?;
    let subject = facts.topology().operation_name(to);
    let text = format!("`{subject}` expects {}", format(stated));
    Some(Step { subject, span: prose::place(stated)?, text, value: None })
}

fn help(facts: &Facts<'_>, found: &TraceBreak<'_>, diagnostic: Diagnostic) -> Diagnostic {
    let topology = facts.topology();
    let call = topology.call(found.call);
    let from = topology.operation_name(call.from);
    let word = format(found.above.1);
    let diagnostic = diagnostic.help(match [call.from, call.to].map(|end| topology.kind_of(end)) {
        [_, ElementKind::Queue] => {
            format!("let `{from}` put the context into the message, and say so: `trace {word}`")
        }
        [ElementKind::Queue | ElementKind::Store, _] => {
            let to = topology.operation_name(call.to);
            format!("let `{to}` take the context from the message, and say so: `trace {word}`")
        }
        _ => format!("let `{from}` hand on the context that it gets, and say so: `trace {word}`"),
    });
    match found.kind {
        TraceBreakKind::Dropped(_) => diagnostic,
        TraceBreakKind::Renamed { translatable: true, .. } => {
            diagnostic.help(format!("or, if `{from}` translates, say that: `allow trace-break \"translates\"`"))
        }
        TraceBreakKind::Renamed { stated, .. } => {
            let producer = topology.operation_name(topology.caller(found.above.0));
            diagnostic.help(format!("or let `{producer}` write what is read: `trace {}`", format(stated)))
        }
        TraceBreakKind::Unstated => diagnostic.help("or `trace none`, if it is known to carry none"),
    }
}
