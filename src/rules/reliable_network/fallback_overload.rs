//! A fallback that sends more to something than it takes.

use std::collections::BTreeMap;

use crate::analysis::{Facts, Limited, Traffic};
use crate::diagnostic::{Diagnostic, Step};
use crate::metadata::Options;
use crate::model::{CallId, NodeId};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.limited(Key::Capacity).iter().filter_map(|of| finding(facts, of)).collect()
}

/// Calls of fallbacks that arrive somewhere, by the node whose failure leads to them.
fn diverted(facts: &Facts<'_>, of: &Limited<'_>) -> BTreeMap<NodeId, Vec<(CallId, f64)>> {
    let topology = facts.topology();
    let mut by_failing: BTreeMap<NodeId, Vec<(CallId, f64)>> = BTreeMap::new();
    for call in of.operations(facts).iter().flat_map(|id| topology.calls_to(*id)) {
        let limited = facts.cascade().call(call, &[Key::Bulkhead]).may_be_given();
        let Some(failing) = topology.call(call).fallback_of.filter(|_| facts.is_made(call) && !limited) else {
            continue;
        };
        let tried = facts.call_rate(failing, Traffic::Peak).per_second;
        let node = facts.topology().callee_node(failing);
        if tried > 0.0 && node != of.node {
            by_failing.entry(node).or_default().push((call, tried * facts.rounds(call)));
        }
    }
    by_failing
}

fn finding(facts: &Facts<'_>, of: &Limited<'_>) -> Option<Diagnostic> {
    let usual = of.peak.per_second;
    if of.states(facts, Key::Shedding) || of.states(facts, Key::RateLimit) || usual > of.limit {
        return None;
    }
    let topology = facts.topology();
    let total = |calls: &[(CallId, f64)]| usual + calls.iter().map(|(_, rate)| rate).sum::<f64>();
    let (failing, calls) = diverted(facts, of).into_iter().max_by(|(one, calls), (other, others)| {
        let name = |node: &NodeId| topology.node_name(*node);
        total(calls).total_cmp(&total(others)).then_with(|| name(other).cmp(name(one)))
    })?;
    if total(&calls) <= of.limit {
        return None;
    }
    let name = prose::limited(facts, of);
    let most = prose::rate(of.limit);
    let message = format!(
        "when `{}` fails, {} come to `{name}`, which takes {most}",
        topology.node_name(failing),
        prose::rate(total(&calls))
    );
    let mut diagnostic = Diagnostic::new(prose::place(of.stated)?, message).at(format!("takes {most}"));
    diagnostic.witness = calls.iter().take(8).map(|(call, rate)| step(facts, *call, *rate)).collect();
    diagnostic.consequence = Some(format!(
        "{} come as long as nothing fails; then one failure becomes two",
        if usual > 0.0 { prose::rate(usual) } else { "none".to_owned() }
    ));
    diagnostic.help = vec![
        "let the fallback need nobody: `fallback \"the last known\"`".to_owned(),
        format!(
            "or let `{name}` refuse what is too much, `shedding`, or bound the detour: `bulkhead N` in the fallback"
        ),
        format!("or give it room for all: `capacity {}`", prose::rate(total(&calls).ceil())),
    ];
    diagnostic.cause = Some(name.clone());
    diagnostic.group = Some("fallbacks lead more load to something than it takes".into());
    Some(diagnostic.subject(name))
}

fn step(facts: &Facts<'_>, call: CallId, rate: f64) -> Step {
    let topology = facts.topology();
    let text = format!("{} instead", prose::rate(rate));
    Step { subject: topology.call_name(call), span: topology.call(call).span, text, value: None }
}
