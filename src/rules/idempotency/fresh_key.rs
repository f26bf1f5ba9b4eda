//! A key that is another one at every repeat, so that the barrier below takes repeats for new requests.

use super::repeats;
use crate::analysis::{Exposed, Facts, KeyFaultKind, RepeaterKind};
use crate::diagnostic::Diagnostic;
use crate::metadata::Options;
use crate::model::CallId;
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let spoiled = repeats::spoiled(facts, KeyFaultKind::Fresh);
    spoiled.into_iter().filter_map(|(call, group)| report(facts, call, &group)).collect()
}

fn report(facts: &Facts<'_>, call: CallId, group: &[&Exposed]) -> Option<Diagnostic> {
    let topology = facts.topology();
    let exposed = group.first()?;
    let barrier = topology.operation_name(exposed.barrier?.0);
    let from = topology.operation_name(topology.caller(call));
    let name = prose::call(facts, call);
    let key = facts.cascade().call(call, &[Key::KeySent]).given()?;
    let message = if key.setting.says("per-attempt") {
        format!("`{name}` sends another key with each attempt, so `{barrier}` takes repeats for new requests")
    } else {
        let repeats = match exposed.repeater.kind {
            RepeaterKind::Redelivery => {
                format!("`{}` delivers again", topology.node_name(facts.topology().caller_node(exposed.repeater.call)))
            }
            _ => format!("`{}` repeats", prose::call(facts, exposed.repeater.call)),
        };
        format!("`{name}` makes its key anew when `{from}` runs again, so `{barrier}` does not know what {repeats}")
    };
    let mut diagnostic = repeats::about_key(facts, call, group, message)?;
    diagnostic.group = Some("keys are new at every repeat".into());
    let help = format!("or derive the key from what is asked for, such as an order number: `key derived` on `{name}`");
    Some(diagnostic.help(help))
}
