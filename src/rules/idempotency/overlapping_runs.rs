//! A schedule whose next run starts before the last has ended: two runs at once may take up the same work.

use std::collections::BTreeMap;

use super::repeats;
use crate::analysis::{Exposed, Extent, Facts};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step, spaced};
use crate::metadata::Options;
use crate::model::CallId;
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let overlapping = facts.overlapping();
    let mut by_schedule: BTreeMap<CallId, Vec<&Exposed>> = BTreeMap::new();
    for exposed in &overlapping {
        by_schedule.entry(exposed.repeater.call).or_default().push(exposed);
    }
    by_schedule.into_iter().filter_map(|(call, group)| report(facts, call, group)).collect()
}

fn report(facts: &Facts<'_>, call: CallId, mut group: Vec<&Exposed>) -> Option<Diagnostic> {
    let topology = facts.topology();
    let (every, run) = facts.overlap(call)?;
    let stated = facts.cascade().call(call, &[Key::Every]).given()?;
    group.sort_by_key(|exposed| std::cmp::Reverse(exposed.effect));
    let (first, others) = group.split_first()?;
    let effect = spaced(&repeats::site(facts, first.site).1);
    let name = prose::call(facts, call);
    let lasts = match run {
        Extent::Finite(run) => format!("can take {}", prose::long(run)),
        Extent::Unbounded => "may never end".to_owned(),
    };
    let message = format!("`{name}` starts every {every}, but a run {lasts}: two at once may both do `{effect}`");
    let mut diagnostic = prose::about_call(facts, call, stated, message).subject(topology.call_name(call));
    diagnostic.certainty = Certainty::Possible;
    diagnostic.cause = Some(prose::cause_of(facts, call, Some(stated)));
    diagnostic.witness = repeats::witness(facts, first);
    let to = topology.callee(call);
    let lasting = Step {
        subject: topology.operation_name(to),
        span: topology.operation(to).span,
        text: format!("a run {lasts}"),
        value: run.finite().map(|run| Measure::Seconds(run.seconds())),
    };
    diagnostic.witness.insert(1, lasting);
    diagnostic.path = Some(repeats::path(facts, first));
    diagnostic.consequence = repeats::others(facts, others);
    Some(
        diagnostic
            .help(format!("let no run start before the last has ended: `every {} overlap none` on `{name}`", every.written()))
            .help("or let each piece of work be claimed first, under a key of its own: `key derived` on the calls, and `idempotent by-key { window 24h; recorded-in STORE; atomic }` where it is done"),
    )
}
