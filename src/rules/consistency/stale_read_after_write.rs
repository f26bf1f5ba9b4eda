//! A read that comes after a write and need not show it.

use super::unmet;
use crate::analysis::{After, Facts, ReadHopKind, StaleRead};
use crate::diagnostic::{Certainty, Diagnostic, Step, spaced};
use crate::metadata::Options;
use crate::model::CallId;
use crate::rules::prose;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.stale_reads().iter().filter_map(|found| report(facts, found)).collect()
}

fn report(facts: &Facts<'_>, found: &StaleRead) -> Option<Diagnostic> {
    let topology = facts.topology();
    let reading = facts.reading(found.read)?;
    let read = spaced(&topology.call_name(found.read));
    let who = match found.after {
        After::Operation(operation) => topology.operation_name(operation),
        After::Message(call) => topology.operation_name(topology.callee(call)),
    };
    let message = match found.after {
        After::Operation(_) => format!("`{who}` may not see its own write: `{read}` can still show what was before"),
        After::Message(_) => {
            format!("`{who}` may be told of a change before it can see it: `{read}` can still show what was before")
        }
    };
    let mut diagnostic = Diagnostic::new(topology.call(found.read).span, message);
    diagnostic.certainty = Certainty::Possible;
    diagnostic.subjects = vec![topology.call_name(found.read), topology.call_name(found.write)];
    diagnostic.cause = Some(prose::cause(facts, found.read));
    diagnostic.group = Some("reads come after a write that they need not show".into());
    diagnostic.witness = vec![step(facts, found.write, format!("writes to `{}`", topology.node_name(found.store)))];
    if let After::Message(call) = found.after {
        diagnostic.witness.push(step(facts, call, "tells of it, as fast as it likes".to_owned()));
    }
    diagnostic.witness.push(step(facts, found.read, "then reads".to_owned()));
    diagnostic.witness.extend(reading.hops.iter().map(|hop| unmet::answer(facts, *hop)));
    let weakening = reading.hops.iter().find(|hop| !matches!(hop.kind, ReadHopKind::Gives(_)));
    let first = weakening.map(|hop| match hop.kind {
        ReadHopKind::Cached => {
            let cache = topology.node_name(hop.node);
            format!("renew the entry before it is read: `{cache}.set` or `{cache}.delete` after the write")
        }
        ReadHopKind::SmallQuorum => unmet::more_copies(topology.node_name(hop.node)),
        ReadHopKind::Replica | ReadHopKind::Gives(_) => {
            format!("ask one that has it: `read-from leader`, or `session-token`, on `{read}`")
        }
    });
    diagnostic.help = first.into_iter().collect();
    diagnostic.help.push(format!("or, if it reads something else, or copes, say so: `needs none` on `{read}`"));
    Some(diagnostic)
}

fn step(facts: &Facts<'_>, call: CallId, text: String) -> Step {
    let topology = facts.topology();
    Step { subject: topology.call_name(call), span: topology.call(call).span, text, value: None }
}
