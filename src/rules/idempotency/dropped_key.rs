//! A key that arrives at an operation and is not handed on to the barrier below.

use super::repeats;
use crate::analysis::{Exposed, Facts, KeyFaultKind};
use crate::diagnostic::Diagnostic;
use crate::metadata::Options;
use crate::model::{Answer, CallId};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let spoiled = repeats::spoiled(facts, KeyFaultKind::Dropped);
    spoiled.into_iter().filter_map(|(call, group)| report(facts, call, &group)).collect()
}

fn report(facts: &Facts<'_>, call: CallId, group: &[&Exposed]) -> Option<Diagnostic> {
    let topology = facts.topology();
    let exposed = group.first()?;
    let barrier = topology.operation_name(exposed.barrier?.0);
    let from = topology.operation_name(topology.caller(call));
    let name = prose::call(facts, call);
    let message = if matches!(facts.cascade().call(call, &[Key::KeySent]), Answer::None(_)) {
        format!("`{name}` drops the key that `{from}` has, so `{barrier}` takes repeats for new requests")
    } else {
        format!(
            "`{name}` does not state that it hands on the key that `{from}` has: without it `{barrier}` stops no repeats"
        )
    };
    let mut diagnostic = repeats::about_key(facts, call, group, message)?;
    diagnostic.group = Some("keys may not be handed on".into());
    let help = "a key of one's own for each call below works as well, if it follows from the one that arrives: \
                `forwarded` means that too";
    Some(diagnostic.help(help))
}
