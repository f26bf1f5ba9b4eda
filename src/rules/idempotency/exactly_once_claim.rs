//! A queue that claims to deliver exactly once, above an effect that is no part of its transaction.

use std::collections::BTreeMap;

use super::repeats;
use crate::analysis::{Effect, Exposed, Facts};
use crate::diagnostic::{Diagnostic, spaced};
use crate::metadata::Options;
use crate::model::NodeId;
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let outside = facts.outside_of_exactly_once();
    let mut by_queue: BTreeMap<NodeId, Vec<&Exposed>> = BTreeMap::new();
    for exposed in &outside {
        by_queue.entry(facts.topology().caller_node(exposed.repeater.call)).or_default().push(exposed);
    }
    by_queue.into_iter().filter_map(|(queue, group)| report(facts, queue, group)).collect()
}

fn report(facts: &Facts<'_>, queue: NodeId, mut group: Vec<&Exposed>) -> Option<Diagnostic> {
    let topology = facts.topology();
    group.sort_by_key(|exposed| std::cmp::Reverse(exposed.certainty));
    let (first, others) = group.split_first()?;
    let stated = facts.cascade().node(queue, Key::Delivery).given()?;
    let name = topology.node_name(queue);
    let effect = spaced(&repeats::site(facts, first.site).1);
    let lies = if first.effect == Effect::Repeats { "lies outside of that" } else { "may lie outside of that" };
    let message = format!(
        "`{name}` claims to deliver exactly once, but `{effect}` {lies}: after a crash before the message is \
         acknowledged it happens again"
    );
    let span = prose::place(stated).unwrap_or(topology.node(queue).span);
    let mut diagnostic = Diagnostic::new(span, message).subject(name);
    diagnostic.cause = Some(name.to_owned());
    repeats::show(facts, &mut diagnostic, first, others);
    Some(
        diagnostic
            .help(format!("let repeats stop at the effect: `idempotent` or `idempotent by-key {{ window 24h; atomic }}` on `{effect}`, and `key forwarded` on the way"))
            .help("or, if effect and acknowledgement are one transaction, say so: `transaction NAME` on the call that has the effect")
            .help(format!("or say what it does: `delivery at-least-once` on `{name}`")),
    )
}
