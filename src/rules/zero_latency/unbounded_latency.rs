//! An entry whose worst case has no end, or none that is known.

use crate::analysis::{Extent, Facts, Part};
use crate::diagnostic::{Certainty, Diagnostic, Step};
use crate::ids::IdSet;
use crate::metadata::Options;
use crate::model::OperationId;
use crate::rules::prose;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.entries().all().iter().filter_map(|entry| finding(facts, *entry)).collect()
}

fn finding(facts: &Facts<'_>, entry: OperationId) -> Option<Diagnostic> {
    let time = facts.times().operation(entry);
    let certainty = match (time.at_least, time.at_most) {
        (Extent::Unbounded, _) => Certainty::Proved,
        (_, None | Some(Extent::Unbounded)) => Certainty::Possible,
        _ => return None,
    };
    let topology = facts.topology();
    let name = topology.operation_name(entry);
    let guilty = guilty(facts, entry, certainty);
    let first = guilty.first()?;
    let span = topology.operation(entry).span;
    let message = match certainty {
        Certainty::Proved => format!("nothing ends `{name}` when an answer is lost: its worst case is unbounded"),
        _ => format!("nothing that is stated ends `{name}` when an answer is lost"),
    };
    let mut diagnostic = Diagnostic::new(span, message).at("a request enters here").subject(name.clone());
    diagnostic.certainty = certainty;
    diagnostic.witness = guilty.iter().map(|part| step(facts, *part)).collect();
    diagnostic.path = Some(prose::path(facts, topology.caller(first.call), &[first.call], 0));
    diagnostic.cause = Some(name.clone());
    diagnostic.caused_by = prose::causes(facts, &guilty);
    diagnostic.group = Some("entries may never end".into());
    if let Some(known) = time.at_least.finite().filter(|known| known.nanoseconds() > 0) {
        diagnostic.consequence = Some(format!("what is stated adds up to {known}, and there is more"));
    }
    let calls = prose::count(guilty.len() as u64, "call");
    Some(diagnostic.help(format!(
        "bound the {calls} named here, or write `deadline 2s` on `{name}`: it then answers or gives up by that time"
    )))
}

/// The calls, own or made inside the same process, that have no end or none that is known.
fn guilty(facts: &Facts<'_>, entry: OperationId, certainty: Certainty) -> Vec<Part> {
    let topology = facts.topology();
    let mut found = Vec::new();
    let mut seen = IdSet::from_iter([entry]);
    let mut next = vec![entry];
    while let Some(operation) = next.pop() {
        let mut calls = Vec::new();
        crate::model::Step::each(&topology.operation(operation).body, &mut |call| calls.push(call));
        for call in calls {
            let time = facts.times().call(facts, call);
            let endless =
                time.at_least == Extent::Unbounded || facts.plan(call).times == crate::analysis::Attempts::Unlimited;
            let open = matches!(time.at_most, None | Some(Extent::Unbounded));
            let counts = if certainty == Certainty::Proved { endless } else { open || endless };
            // Of what could not be read nothing is known, and nothing is to be said.
            if !counts || !facts.is_awaited(call) || facts.plan(call).is_unreadable() {
                continue;
            }
            let to = topology.callee(call);
            if facts.is_local(call) && seen.insert(to) {
                next.push(to);
            } else {
                found.push(Part { call, time });
            }
        }
    }
    found
}

fn step(facts: &Facts<'_>, part: Part) -> Step {
    let call = facts.topology().call(part.call);
    let plan = facts.plan(part.call);
    let text = match part.time.at_least {
        _ if plan.times == crate::analysis::Attempts::Unlimited => "made without limit",
        Extent::Unbounded if plan.attempts == crate::analysis::Attempts::Unlimited => "tried without end",
        Extent::Unbounded if facts.is_local(part.call) => "calls itself in a circle",
        Extent::Unbounded => "waits without end",
        Extent::Finite(_) => "no timeout is stated",
    };
    Step { subject: facts.topology().call_name(part.call), span: call.span, text: text.to_owned(), value: None }
}
