//! An operation whose durable changes commit apart.

use crate::analysis::{Change, DualWrite, Facts, Write};
use crate::diagnostic::{Certainty, Diagnostic, Step, spaced};
use crate::model::CallId;
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &crate::metadata::Options) -> Vec<Diagnostic> {
    facts.dual_writes().iter().map(|found| report(facts, found)).collect()
}

fn report(facts: &Facts<'_>, found: &DualWrite<'_>) -> Diagnostic {
    let topology = facts.topology();
    let name = topology.operation_name(found.operation);
    let [one, other] = found.calls;
    let does = format!("`{name}` {} and {}", verb(facts, one), verb(facts, other));
    let message = match found.certainty() {
        Certainty::Proved => format!("{does}, and the two commit apart"),
        _ => format!("{does}, and nothing that is stated makes both happen or none"),
    };
    let mut diagnostic = Diagnostic::new(topology.call(other.0).span, message).subject(name.clone());
    diagnostic.certainty = found.certainty();
    diagnostic.cause = Some(name.clone());
    diagnostic.subjects.extend(found.calls.iter().map(|(call, _)| topology.call_name(*call)));
    diagnostic.witness = found.calls.iter().map(|call| step(facts, *call)).collect();
    if let Some(stated) = found.apart
        && let Some(span) = prose::place(stated)
    {
        let key = stated.setting.key;
        let text = match key {
            Key::Transaction if stated.setting.is_given() => "a transaction of its own".to_owned(),
            Key::Ttl => "nothing takes it away".to_owned(),
            _ => format!("`{key} none`: they commit apart"),
        };
        diagnostic.witness.push(Step { subject: name.clone(), span, text, value: None });
    }
    let places = found.calls.map(|(call, _)| place(facts, call));
    diagnostic.consequence =
        Some(format!("if `{name}` stops between the two, `{}` has what `{}` never gets", places[0], places[1]));
    diagnostic.group = Some(match found.certainty() {
        Certainty::Proved => "operations change two things that commit apart".into(),
        _ => "operations change two things, and nothing that is stated holds them together".into(),
    });
    diagnostic.help = help(facts, found);
    diagnostic
}

fn place(facts: &Facts<'_>, call: CallId) -> String {
    let to = facts.topology().callee(call);
    facts.topology().text(facts.topology().node_of(to).name).to_owned()
}

fn verb(facts: &Facts<'_>, (call, change): (CallId, Change)) -> String {
    let place = place(facts, call);
    match change {
        Change::Write(Write::Data) => format!("writes to `{place}`"),
        Change::Write(Write::Message) => format!("publishes to `{place}`"),
        Change::Write(Write::Copy) => format!("updates its copy in `{place}`"),
        Change::Effect => {
            format!("runs `{}`", facts.topology().operation_name(facts.topology().callee(call)))
        }
    }
}

fn step(facts: &Facts<'_>, (call, change): (CallId, Change)) -> Step {
    let topology = facts.topology();
    let text = match change {
        Change::Write(Write::Data) => "what is written here stays",
        Change::Write(Write::Message) => "what is sent here is on its way",
        Change::Write(Write::Copy) => "a copy that nothing takes away",
        Change::Effect => "what is done there is done",
    };
    Step { subject: topology.call_name(call), span: topology.call(call).span, text: text.to_owned(), value: None }
}

fn help(facts: &Facts<'_>, found: &DualWrite<'_>) -> Vec<String> {
    let topology = facts.topology();
    let [one, other] = found.calls;
    let of = |wanted: Change| found.calls.iter().find(|(_, change)| *change == wanted).map(|(call, _)| *call);
    let call = |call: CallId| spaced(&topology.call_name(call));
    let (data, message) = (of(Change::Write(Write::Data)), of(Change::Write(Write::Message)));
    if let Some(copy) = of(Change::Write(Write::Copy)) {
        return vec![format!("let what was missed go by itself: `ttl 60s` on `{}`", place(facts, copy))];
    }
    if let Some(effect) = of(Change::Effect) {
        let to = topology.operation_name(topology.callee(effect));
        return vec![
            format!("make it a step that can be undone: `saga NAME; compensated-by OPERATION` on `{}`", call(effect)),
            format!(
                "or one that is repeated until it is done: `idempotent by-key {{ window 24h }}` on `{}` and on `{to}`, `key forwarded` between",
                topology.operation_name(found.operation)
            ),
        ];
    }
    match (data, message) {
        (Some(data), Some(message)) => vec![
            format!("store the message with the data and send it afterwards: `outbox` on `{}`", call(message)),
            format!(
                "or let the store tell: `{} ->> {}` in the place of this call",
                place(facts, data),
                place(facts, message)
            ),
        ],
        (None, Some(message)) => vec![
            format!("store both messages and send them afterwards: `outbox` on `{}` and the other call", call(message)),
            format!(
                "or, if one transaction covers both, say so: `transaction NAME` on `{}` and `{}`",
                call(one.0),
                call(other.0)
            ),
        ],
        _ => vec![
            format!(
                "if one transaction covers both, say so: `transaction NAME` on `{}` and `{}`",
                call(one.0),
                call(other.0)
            ),
            format!("or let the second follow from the first: `{} ->> {}`", place(facts, one.0), place(facts, other.0)),
            "or undo the first when the second fails: `saga NAME` on both, `compensated-by OPERATION` on the first"
                .to_owned(),
        ],
    }
}
