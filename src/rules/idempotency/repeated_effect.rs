//! An effect that may happen more than once for one request.

use crate::analysis::{Effect, EffectSite, Exposed, Facts, KeyState, Repeater, RepeaterKind};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step, spaced};
use crate::metadata::Options;
use crate::model::{CallId, Origin};
use crate::rules::prose;
use crate::source::Span;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.exposed().iter().map(|exposed| report(facts, exposed)).collect()
}

fn report(facts: &Facts<'_>, exposed: &Exposed) -> Diagnostic {
    let topology = facts.topology();
    let (place, subject, cause) = site(facts, exposed.site);
    let name = spaced(&subject);
    let repeater = &exposed.repeater;
    let caller = topology.operation_name(topology.call(repeater.call).from);
    let callee = topology.operation_name(topology.call(repeater.call).to);
    let times = repetition(repeater);
    let verb = if exposed.certainty == Certainty::Proved { "can happen" } else { "may happen" };
    let message = match repeater.kind {
        RepeaterKind::Redelivery => {
            format!("`{name}` {verb} more than once for one message: `{caller}` delivers it again")
        }
        _ if is_own(exposed) => format!("`{name}` {verb} more than once for one request: `{caller}` {times} it"),
        _ => format!("`{name}` {verb} more than once for one request: `{caller}` {times} `{callee}`"),
    };
    let known = if exposed.effect == Effect::Repeats {
        "done twice, it changes something twice"
    } else {
        "not stated: what does it change when it is done twice?"
    };
    let mut diagnostic = Diagnostic::new(place, message);
    diagnostic.certainty = exposed.certainty;
    diagnostic.subjects = vec![subject.clone(), topology.call_name(repeater.call)];
    diagnostic.cause = Some(cause);
    diagnostic.witness = witness(facts, exposed);
    diagnostic.witness.push(Step { subject, span: place, text: known.to_owned(), value: None });
    let below = exposed.path.get(1..).unwrap_or_default();
    let all: Vec<CallId> = std::iter::once(repeater.call).chain(below.iter().copied()).collect();
    diagnostic.path = Some(prose::path(facts, topology.call(repeater.call).from, &all, exposed.left_out));
    diagnostic.group = Some("effects may happen more than once for one request".into());
    diagnostic.help = help(facts, exposed, &name);
    diagnostic
}

fn is_own(exposed: &Exposed) -> bool {
    exposed.site == EffectSite::Write(exposed.repeater.call)
}

/// Where an effect is written, what it is called, and the element to edit.
fn site(facts: &Facts<'_>, site: EffectSite) -> (Span, String, String) {
    let topology = facts.topology();
    match site {
        EffectSite::Operation(operation) => {
            let name = topology.operation_name(operation);
            (topology.operation(operation).span, name.clone(), name)
        }
        EffectSite::Write(call) => (topology.call(call).span, topology.call_name(call), prose::cause(facts, call)),
    }
}

fn repetition(repeater: &Repeater) -> String {
    match repeater.kind {
        RepeaterKind::Retry(Some(attempts)) => format!("makes up to {attempts} attempts at"),
        RepeaterKind::Retry(None) => "makes attempts without end at".to_owned(),
        RepeaterKind::Hedge(copies) => format!("sends up to {copies} copies to"),
        RepeaterKind::Proxy(attempts) => format!("goes through a mesh that makes up to {attempts} attempts at"),
        RepeaterKind::Redelivery => "is delivered again".to_owned(),
    }
}

/// The repeater with its number, the calls below it, and the barrier that does not hold.
fn witness(facts: &Facts<'_>, exposed: &Exposed) -> Vec<Step> {
    let topology = facts.topology();
    let mut steps = vec![repeater_step(facts, &exposed.repeater)];
    for call in exposed
        .path
        .iter()
        .skip(1)
        .filter(|call| !topology.call(**call).implied && exposed.site != EffectSite::Write(**call))
    {
        let to = topology.operation_name(topology.call(*call).to);
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
        RepeaterKind::Redelivery => {
            let node = topology.operation(call.from).node;
            [Key::Delivery, Key::MaxReceives, Key::Visibility, Key::DeadLetter]
                .into_iter()
                .find_map(|key| facts.cascade().node(node, key).given())
        }
    };
    let (text, number) = match repeater.kind {
        RepeaterKind::Retry(Some(attempts)) => (format!("up to {attempts} attempts"), Some(attempts)),
        RepeaterKind::Retry(None) => ("attempts without end".to_owned(), None),
        RepeaterKind::Hedge(copies) => (format!("up to {copies} copies at once"), Some(copies)),
        RepeaterKind::Proxy(attempts) => (mesh(facts, repeater, attempts), Some(attempts)),
        RepeaterKind::Redelivery => ("a message may come again".to_owned(), None),
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

fn forwards(facts: &Facts<'_>, call: CallId) -> bool {
    facts.cascade().call(call, &[Key::KeySent]).given().is_some_and(|stated| stated.setting.says("forwarded"))
}

fn help(facts: &Facts<'_>, exposed: &Exposed, name: &str) -> Vec<String> {
    let topology = facts.topology();
    let mut help = Vec::new();
    if let Some((barrier, _)) = exposed.barrier {
        let chain: Vec<String> = exposed
            .path
            .iter()
            .skip(1)
            .take_while(|call| topology.call(**call).from != barrier)
            .filter(|call| !forwards(facts, **call))
            .map(|call| format!("`{}`", prose::call(facts, *call)))
            .collect();
        let forwarded = format!("`key forwarded` on {}", chain.join(", "));
        let made = if topology.node_of(topology.call(exposed.repeater.call).from).kind == ElementKind::Queue {
            "forwarded"
        } else {
            "per-request"
        };
        let first = format!("`key {made}` on `{}`", prose::call(facts, exposed.repeater.call));
        let stated = facts.cascade().call(exposed.repeater.call, &[Key::KeySent]).given();
        let constant = stated.is_some_and(|stated| !stated.setting.says("per-attempt"));
        help.push(match (constant, chain.is_empty()) {
            (true, false) => format!("hand its key on: {forwarded}"),
            (_, true) => format!("send one key for all attempts: {first}"),
            (false, false) => format!("send one key for all attempts: {first}, and {forwarded}"),
        });
    }
    let operation = match exposed.site {
        EffectSite::Write(_) => {
            help.push(format!("if this write changes nothing more when it is repeated (an upsert, not an append), say so: `idempotent` on `{name}`"));
            None
        }
        EffectSite::Operation(operation) => {
            help.push(format!("if `{name}` changes nothing, or nothing more when it is repeated, say so: `readonly` or `idempotent` on it"));
            Some(operation)
        }
    };
    if exposed.barrier.is_none() {
        let at = operation.map_or_else(|| exposed.path.last().map(|call| topology.call(*call).from), Some);
        let at = at
            .filter(|at| topology.node_of(*at).kind != ElementKind::Client)
            .map_or_else(|| name.to_owned(), |at| topology.operation_name(at));
        help.push(format!("or stop repeats there: `idempotent by-key {{ window 24h; recorded-in STORE; atomic }}` on `{at}`, and a `key` on the calls from the repeater down"));
    }
    match exposed.repeater.kind {
        RepeaterKind::Proxy(_) => {
            help.push("or switch the retries of the mesh off for this route, and leave it out of `via`".to_owned());
        }
        RepeaterKind::Retry(_)
            if facts
                .plan(exposed.repeater.call)
                .attempts_stated
                .is_some_and(|stated| !matches!(stated.origin, Origin::Client(..))) =>
        {
            help.push("or try again only what was not done: `retry-on connect, refused`".to_owned());
        }
        _ => {}
    }
    help
}
