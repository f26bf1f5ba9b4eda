//! How the rules of this family speak of what runs again: who repeats, over which calls, and what it meets there.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::analysis::{Effect, EffectSite, Exposed, Facts, KeyFaultKind, KeyState, Repeater, RepeaterKind};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step, spaced};
use crate::model::CallId;
use crate::rules::prose;
use crate::source::Span;
use crate::vocabulary::{ElementKind, Key};

/// Where an effect is written, what it is called, and the element to edit.
pub(super) fn site(facts: &Facts<'_>, site: EffectSite) -> (Span, String, String) {
    let topology = facts.topology();
    match site {
        EffectSite::Operation(operation) => {
            let name = topology.operation_name(operation);
            (topology.operation(operation).span, name.clone(), name)
        }
        EffectSite::Write(call) => (topology.call(call).span, topology.call_name(call), prose::cause(facts, call)),
    }
}

pub(super) fn again(repeater: &Repeater) -> String {
    match repeater.kind {
        RepeaterKind::Retry(Some(attempts)) => format!("makes up to {attempts} attempts at"),
        RepeaterKind::Retry(None) => "makes attempts without end at".to_owned(),
        RepeaterKind::Hedge(copies) => format!("sends up to {copies} copies to"),
        RepeaterKind::Proxy(attempts) => format!("goes through a mesh that makes up to {attempts} attempts at"),
        RepeaterKind::Redelivery => "is delivered again".to_owned(),
        RepeaterKind::Overlap(_) => "starts again before it has ended:".to_owned(),
    }
}

/// The repeater with its number, the calls below it, the barrier that does not hold, and the effect.
pub(super) fn witness(facts: &Facts<'_>, exposed: &Exposed) -> Vec<Step> {
    let mut steps = way(facts, exposed);
    let (span, subject, _) = site(facts, exposed.site);
    let known = if exposed.effect == Effect::Repeats {
        "done twice, it changes something twice"
    } else {
        "not stated: what does it change when it is done twice?"
    };
    steps.push(Step { subject, span, text: known.to_owned(), value: None });
    steps
}

/// The calls from the repeater down to the effect.
pub(super) fn calls(exposed: &Exposed) -> Vec<CallId> {
    let below = exposed.path.get(1..).unwrap_or_default();
    std::iter::once(exposed.repeater.call).chain(below.iter().copied()).collect()
}

/// Where requests come from, and the calls from the repeater down.
pub(super) fn path(facts: &Facts<'_>, exposed: &Exposed) -> String {
    let from = facts.topology().caller(exposed.repeater.call);
    prose::path(facts, from, &calls(exposed), exposed.left_out)
}

/// Whether the cause is a call that spoils a key: what makes a new one, or drops it, is reported for itself.
pub(super) fn is_spoiled(exposed: &Exposed) -> bool {
    exposed.fault.is_some_and(|fault| fault.kind != KeyFaultKind::Missing)
}

/// The further effects of one cause.
pub(super) fn others(facts: &Facts<'_>, others: &[&Exposed]) -> Option<String> {
    let (first, more) = others.split_first()?;
    let (_, name, _) = site(facts, first.site);
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    Some(format!("so may `{}`{more}", spaced(&name)))
}

/// The calls that spoil keys in one way, each with the effects that this exposes, the most certain first.
pub(super) fn spoiled<'a>(facts: &'a Facts<'_>, kind: KeyFaultKind) -> Vec<(CallId, Vec<&'a Exposed>)> {
    let mut by_call: BTreeMap<CallId, Vec<&Exposed>> = BTreeMap::new();
    for exposed in facts.exposed() {
        if let Some(fault) = exposed.fault.filter(|fault| fault.kind == kind) {
            by_call.entry(fault.call).or_default().push(exposed);
        }
    }
    for group in by_call.values_mut() {
        group.sort_by_cached_key(|exposed| (Reverse(exposed.certainty), site(facts, exposed.site).2));
    }
    by_call.into_iter().collect()
}

/// A finding about the call that decides over a key.
pub(super) fn about_key(facts: &Facts<'_>, call: CallId, group: &[&Exposed], message: String) -> Option<Diagnostic> {
    let topology = facts.topology();
    let (first, others) = group.split_first()?;
    let stated = facts.cascade().call(call, &[Key::KeySent]).stated();
    let mut diagnostic = match stated {
        Some(stated) => prose::about_call(facts, call, stated, message),
        None => Diagnostic::new(topology.call(call).span, message),
    };
    diagnostic.subjects = vec![topology.call_name(call), site(facts, first.site).1];
    diagnostic.cause = Some(prose::cause_of(facts, call, stated));
    show(facts, &mut diagnostic, first, others);
    Some(diagnostic)
}

/// What proves that an effect runs again, what else does for the same cause, and what a key would do about it.
pub(super) fn show(facts: &Facts<'_>, diagnostic: &mut Diagnostic, first: &Exposed, others: &[&Exposed]) {
    diagnostic.certainty = first.certainty;
    diagnostic.witness = witness(facts, first);
    diagnostic.path = Some(path(facts, first));
    diagnostic.consequence = self::others(facts, others);
    diagnostic.help.extend(key_help(facts, first));
}

/// How the same key gets from the repeater to the barrier.
pub(super) fn key_help(facts: &Facts<'_>, exposed: &Exposed) -> Option<String> {
    let topology = facts.topology();
    let (barrier, _) = exposed.barrier?;
    let below = calls(exposed).into_iter().skip(1).take_while(|call| topology.caller(*call) != barrier);
    let chain: Vec<String> = below
        .filter(|call| !forwards(facts, *call) && !topology.call(*call).implied)
        .map(|call| format!("`{}`", prose::call(facts, call)))
        .collect();
    let forwarded = format!("`key forwarded` on {}", chain.join(", "));
    let from_queue = topology.kind_of(topology.caller(exposed.repeater.call)) == ElementKind::Queue;
    let made = if from_queue { "forwarded" } else { "per-request" };
    let first = format!("`key {made}` on `{}`", prose::call(facts, exposed.repeater.call));
    let stated = facts.cascade().call(exposed.repeater.call, &[Key::KeySent]).given();
    let constant = stated.is_some_and(|stated| !stated.setting.says("per-attempt"));
    Some(match (constant, chain.is_empty()) {
        (true, false) => format!("hand its key on: {forwarded}"),
        (_, true) => format!("send one key for all attempts: {first}"),
        (false, false) => format!("send one key for all attempts: {first}, and {forwarded}"),
    })
}

fn forwards(facts: &Facts<'_>, call: CallId) -> bool {
    facts.cascade().call(call, &[Key::KeySent]).given().is_some_and(|stated| stated.setting.says("forwarded"))
}

fn way(facts: &Facts<'_>, exposed: &Exposed) -> Vec<Step> {
    let topology = facts.topology();
    let mut steps = vec![repeater_step(facts, &exposed.repeater)];
    for call in exposed
        .path
        .iter()
        .skip(1)
        .filter(|call| !topology.call(**call).implied && exposed.site != EffectSite::Write(**call))
    {
        let to = topology.operation_name(topology.callee(*call));
        steps.push(Step {
            subject: topology.call_name(*call),
            span: topology.call(*call).span,
            text: format!("runs `{to}` again"),
            value: None,
        });
    }
    if let Some((barrier, key)) = exposed.barrier {
        let stated = facts.cascade().operation(barrier, Key::Idempotent).given();
        let span = stated.and_then(prose::place).unwrap_or(topology.operation(barrier).span);
        let why = match key {
            KeyState::Fresh => "does not stop it: no key arrives, or a new one each time",
            _ => "stops it only if the same key arrives, and no key is stated",
        };
        steps.push(Step { subject: topology.operation_name(barrier), span, text: why.to_owned(), value: None });
    }
    steps
}

fn repeater_step(facts: &Facts<'_>, repeater: &Repeater) -> Step {
    let topology = facts.topology();
    let call = topology.call(repeater.call);
    let plan = facts.plan(repeater.call);
    let stated = match repeater.kind {
        RepeaterKind::Retry(_) => plan.attempts_stated,
        RepeaterKind::Hedge(_) => plan.hedge.map(|(_, _, stated)| stated),
        RepeaterKind::Proxy(_) => facts.cascade().call(repeater.call, &[Key::Via]).given(),
        RepeaterKind::Overlap(_) => facts.cascade().call(repeater.call, &[Key::Every]).given(),
        RepeaterKind::Redelivery => {
            let node = topology.node_id_of(call.from);
            [Key::Delivery, Key::MaxReceives, Key::Visibility, Key::DeadLetter]
                .into_iter()
                .find_map(|key| facts.cascade().node(node, key).given())
        }
    };
    let (text, number) = match repeater.kind {
        RepeaterKind::Retry(Some(attempts)) if repeater.certainty == Certainty::Possible => (
            format!("up to {attempts} attempts, if what is not stated lets a second one start in time"),
            Some(attempts),
        ),
        RepeaterKind::Retry(Some(attempts)) => (format!("up to {attempts} attempts"), Some(attempts)),
        RepeaterKind::Retry(None) => ("attempts without end".to_owned(), None),
        RepeaterKind::Hedge(copies) => (format!("up to {copies} copies at once"), Some(copies)),
        RepeaterKind::Proxy(attempts) => (mesh(facts, repeater, attempts), Some(attempts)),
        RepeaterKind::Redelivery => ("a message may come again".to_owned(), None),
        RepeaterKind::Overlap(every) => (format!("starts a run every {every}"), None),
    };
    #[allow(clippy::cast_precision_loss, reason = "a number of attempts, for programs")]
    let value = number.map(|number| Measure::Times(number as f64));
    Step {
        subject: topology.call_name(repeater.call),
        span: stated.and_then(prose::place).unwrap_or(call.span),
        text,
        value,
    }
}

fn mesh(facts: &Facts<'_>, repeater: &Repeater, attempts: u64) -> String {
    let layer = facts.plan(repeater.call).proxies.iter().find(|layer| layer.attempts == attempts);
    layer.map_or_else(
        || format!("up to {attempts} attempts"),
        |layer| {
            let date = layer
                .client
                .default_of(Key::Attempts)
                .map_or(String::new(), |default| format!(", read {}", default.date));
            format!("{} {} makes up to {attempts} attempts by default{date}", layer.client.title, layer.client.versions)
        },
    )
}
