//! A write that may be repeated so late that it overwrites what came after it.

use std::collections::BTreeMap;

use crate::analysis::{Again, Extent, Facts, Horizon, Write};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{Answer, CallId, Duration, NodeId, Stated};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, options: &Options) -> Vec<Diagnostic> {
    let gap = options.duration("gap");
    let mut by_store: BTreeMap<NodeId, (Stated<'_>, CallId, Horizon)> = BTreeMap::new();
    for call in facts.topology().call_ids() {
        let Some((stated, horizon)) = late(facts, call, gap) else { continue };
        let store = facts.topology().callee_node(call);
        if by_store.get(&store).is_none_or(|(_, _, known)| known.time < horizon.time) {
            by_store.insert(store, (stated, call, horizon));
        }
    }
    by_store.into_iter().map(|(store, (stated, call, horizon))| report(facts, store, stated, call, &horizon)).collect()
}

/// An upsert into a store where the last write wins, in an operation that may be run again after more than the gap.
fn late<'a>(facts: &Facts<'a>, call: CallId, gap: Duration) -> Option<(Stated<'a>, Horizon)> {
    let upsert = facts.cascade().call(call, &[Key::Idempotent]).given().is_some();
    let from = facts.topology().caller(call);
    if !facts.is_made(call) || !upsert || facts.write(call) != Some(Write::Data) || facts.dedup(from).is_some() {
        return None;
    }
    let stated = match facts.cascade().node(facts.topology().callee_node(call), Key::ConflictPolicy) {
        Answer::Given(stated) if stated.setting.says("lww") => stated,
        Answer::None(stated) => stated,
        _ => return None,
    };
    let horizon = facts.horizon(from, Again::Any, Certainty::Proved)?;
    (horizon.time > Extent::Finite(gap)).then_some((stated, horizon))
}

fn report(facts: &Facts<'_>, store: NodeId, stated: Stated<'_>, call: CallId, horizon: &Horizon) -> Diagnostic {
    let topology = facts.topology();
    let name = topology.node_name(store);
    let write = prose::call(facts, call);
    let later = horizon
        .time
        .finite()
        .map_or_else(|| "without end".to_owned(), |time| format!("up to {} later", prose::long(time)));
    let message =
        format!("in `{name}` the last write wins, and `{write}` can be repeated {later}: it may overwrite newer data");
    let span = prose::place(stated).unwrap_or(topology.node(store).span);
    let mut diagnostic = Diagnostic::new(span, message).subject(name).subject(topology.call_name(call));
    diagnostic.certainty = Certainty::Possible;
    diagnostic.cause = Some(name.to_owned());
    diagnostic.witness = horizon
        .delays
        .iter()
        .map(|delay| Step {
            subject: topology.call_name(delay.call),
            span: topology.call(delay.call).span,
            text: delay.time.finite().map_or("comes again without end".to_owned(), |time| {
                format!("comes again up to {} later", prose::long(time))
            }),
            value: delay.time.finite().map(|time| Measure::Seconds(time.seconds())),
        })
        .collect();
    let text = "writes what was true when it was first asked".to_owned();
    diagnostic.witness.push(Step {
        subject: topology.call_name(call),
        span: topology.call(call).span,
        text,
        value: None,
    });
    diagnostic
        .help(format!("refuse a write that is older than what is there, by a version or a condition: `conflict-policy cas` on `{name}`"))
        .help("or stop late repeats by their key before the write: `idempotent by-key { window unlimited; recorded-in STORE; atomic }`")
}
