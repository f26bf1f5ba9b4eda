//! An entry with an objective that asks an identity provider at every request.

use crate::analysis::{Facts, Ways};
use crate::diagnostic::{Because, Certainty, Diagnostic, Step};
use crate::metadata::Options;
use crate::model::{CallId, OperationId};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let topology = facts.topology();
    let promising: Vec<OperationId> =
        facts.entries().all().iter().copied().filter(|entry| objective(facts, *entry).is_some()).collect();
    if promising.is_empty() {
        return Vec::new();
    }
    let every = |call: CallId| facts.is_awaited(call) && facts.is_always_needed(call) && !facts.plan(call).skippable;
    let ways = facts.ways_over(promising, every);
    let asked = topology.call_ids().filter(|call| every(*call) && ways.reach(topology.caller(*call)));
    asked
        .filter_map(|call| {
            let entry = ways.start(topology.caller(call))?;
            finding(facts, &ways, call, entry)
        })
        .collect()
}

/// The availability that an entry promises.
fn objective(facts: &Facts<'_>, entry: OperationId) -> Option<f64> {
    facts.cascade().operation(entry, Key::Slo).given()?.setting.field(Key::Availability)?.share()
}

fn finding(facts: &Facts<'_>, ways: &Ways, id: CallId, entry: OperationId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let node = facts.topology().callee_node(id);
    let look = |key| facts.cascade().node(node, key).given();
    look(Key::Role).filter(|role| role.setting.says("identity"))?;
    if topology.caller_node(id) == node {
        return None;
    }
    let target = objective(facts, entry)?;
    let given = look(Key::Availability).or_else(|| look(Key::Sla)).and_then(|stated| stated.setting.share());
    if given.is_some_and(|share| share >= target) {
        return None;
    }
    let (name, provider) = (topology.operation_name(entry), topology.node_name(node));
    let known = match given {
        Some(share) => format!("which promises {} %", prose::number(share * 100.0)),
        None => "of which no availability is stated".to_owned(),
    };
    let message = format!("every `{name}` waits for `{provider}`, {known}");
    let mut diagnostic = Diagnostic::new(topology.call(id).span, message);
    diagnostic.certainty = if given.is_some() { Certainty::Proved } else { Certainty::Possible };
    diagnostic.consequence = Some(format!("when `{provider}` is down, nobody gets in, whatever else works"));
    diagnostic.cause = Some(prose::cause(facts, id));
    if given.is_some() {
        // What is promised is held against what it needs by a rule of its own.
        diagnostic.caused_by =
            vec![Because { rules: &["availability-below-objective"], cause: format!("availability {name}") }];
    }
    diagnostic.group = Some("every request waits for an identity provider".into());
    let asks = "is made at every request";
    diagnostic.witness = prose::on_the_way(facts, ways, topology.caller(id), asks);
    diagnostic.witness.push(Step {
        subject: topology.call_name(id),
        span: topology.call(id).span,
        text: asks.to_owned(),
        value: None,
    });
    let diagnostic = diagnostic.subject(topology.call_name(id));
    let diagnostic = diagnostic.help("verify signed tokens where they arrive, and leave the call out");
    let call = prose::call(facts, id);
    Some(diagnostic.help(format!(
        "or remember answers for a while, and say how many ask: `chance 2%` on `{call}`, or a `fallback`"
    )))
}
