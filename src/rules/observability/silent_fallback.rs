//! A fallback that answers, and nobody is told.

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::{Answer, CallId};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let watched = facts.states_signals();
    facts.topology().call_ids().filter_map(|call| finding(facts, call, watched)).collect()
}

fn finding(facts: &Facts<'_>, call: CallId, watched: bool) -> Option<Diagnostic> {
    let topology = facts.topology();
    let plan = facts.plan(call);
    let from = topology.caller(call);
    if !facts.is_made(call) || !plan.soft || topology.kind_of(from) != ElementKind::Service {
        return None;
    }
    let measured = facts.cascade().operation(from, Key::Metrics).may_be_given();
    let (certainty, stated) = match facts.cascade().call(call, &[Key::Alert]) {
        Answer::None(stated) => (Certainty::Proved, Some(stated)),
        Answer::Unstated if watched && !measured => (Certainty::Possible, None),
        _ => return None,
    };
    let name = prose::call(facts, call);
    let told = if certainty == Certainty::Proved { "nobody is told" } else { "it is not stated who is told" };
    let message = format!("when `{name}` falls back, {told}");
    let mut diagnostic = match stated {
        Some(stated) => prose::about_call(facts, call, stated, message),
        None => Diagnostic::new(topology.call(call).span, message),
    };
    diagnostic.certainty = certainty;
    diagnostic.subjects = vec![topology.call_name(call)];
    diagnostic.cause = Some(prose::cause_of(facts, call, stated));
    diagnostic.group = Some("calls fall back, and it is not stated who is told".into());
    Some(
        diagnostic
            .help(format!("count it and tell somebody: `alert NAME` on `{name}`"))
            .help(format!("or, if it is measured, say so: `metrics` on `{}`", topology.operation_name(from))),
    )
}
