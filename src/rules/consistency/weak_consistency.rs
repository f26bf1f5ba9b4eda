//! A read that gives less than what its readers need.

use crate::analysis::{Extent, Facts, Model, Need, ReadHop, ReadHopKind, Unmet, Unstated, Weakness, Who};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step, spaced};
use crate::model::{CallId, Duration, OperationId};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &crate::metadata::Options) -> Vec<Diagnostic> {
    facts.unmet_needs().iter().map(|unmet| report(facts, unmet)).collect()
}

fn report(facts: &Facts<'_>, unmet: &Unmet<'_>) -> Diagnostic {
    let topology = facts.topology();
    let at = match unmet.weakness {
        Weakness::Answer => unmet.read,
        Weakness::Session(call) => call,
    };
    let mut diagnostic = Diagnostic::new(topology.call(at).span, message(facts, unmet));
    diagnostic.certainty = unmet.certainty;
    diagnostic.subjects = vec![topology.call_name(at)];
    if at != unmet.read {
        diagnostic.subjects.push(topology.call_name(unmet.read));
    }
    diagnostic.cause = Some(prose::cause(facts, at));
    diagnostic.witness = witness(facts, unmet);
    diagnostic.path = Some(prose::path(facts, reader(facts, unmet), &unmet.path, unmet.left_out));
    diagnostic.consequence = sum(unmet);
    if unmet.certainty == Certainty::Possible {
        diagnostic.group = Some("reads are not known to give what is needed of them".into());
    }
    diagnostic.help = help(facts, unmet);
    diagnostic
}

/// The operation that reads.
fn reader(facts: &Facts<'_>, unmet: &Unmet<'_>) -> OperationId {
    match unmet.who {
        Who::Operation(operation) => operation,
        Who::Call(call) => facts.topology().call(call).from,
    }
}

fn message(facts: &Facts<'_>, unmet: &Unmet<'_>) -> String {
    let topology = facts.topology();
    let who = topology.operation_name(reader(facts, unmet));
    let read = spaced(&topology.call_name(unmet.read));
    let proved = unmet.certainty == Certainty::Proved;
    match (unmet.need, unmet.weakness) {
        (Need::Age(most), _) => {
            let needs = format!("`{who}` needs answers at most {most} old");
            match unmet.reading.age.at_least {
                Extent::Finite(age) if proved => format!("{needs}, but those of `{read}` can be {age} old"),
                Extent::Unbounded if proved => format!("{needs}, but those of `{read}` can be of any age"),
                _ => format!("{needs}, and nothing that is stated keeps those of `{read}` so fresh"),
            }
        }
        (Need::Model(model), Weakness::Session(call)) => {
            let needs = format!("`{who}` needs `{}`", model.name());
            let call = spaced(&topology.call_name(call));
            if proved {
                format!("{needs}, but its session loses its place on `{call}`: any instance answers")
            } else {
                format!("{needs}, and nothing that is stated keeps its session at one instance on `{call}`")
            }
        }
        (Need::Model(model), Weakness::Answer) => {
            let needs = format!("`{who}` needs `{}`", model.name());
            if proved {
                format!("{needs}, but `{read}` gives `{}` at best", unmet.reading.guaranteed.name())
            } else {
                format!("{needs}, and nothing that is stated makes `{read}` give it")
            }
        }
    }
}

/// Who needs it, the hops between, and what each hop of the answer takes away.
fn witness(facts: &Facts<'_>, unmet: &Unmet<'_>) -> Vec<Step> {
    let topology = facts.topology();
    let subject = match unmet.who {
        Who::Operation(operation) => topology.operation_name(operation),
        Who::Call(call) => topology.call_name(call),
    };
    let (needed, value) = match unmet.need {
        Need::Model(model) => (format!("`{}` is needed", model.name()), None),
        Need::Age(age) => (format!("at most {age} old is needed"), Some(Measure::Seconds(age.seconds()))),
    };
    let span = prose::place(unmet.stated).unwrap_or(topology.operation(reader(facts, unmet)).span);
    let mut steps = vec![Step { subject, span, text: needed, value }];
    let hops = unmet.path.iter().filter(|call| **call != unmet.read || unmet.weakness == Weakness::Session(unmet.read));
    steps.extend(hops.filter(|call| unmet.who != Who::Call(**call)).map(|call| hop(facts, unmet, *call)));
    if let Weakness::Session(call) = unmet.weakness {
        if unmet.who == Who::Call(call) {
            steps.push(hop(facts, unmet, call));
        }
        return steps;
    }
    steps.extend(unmet.reading.hops.iter().map(|hop| answer(facts, *hop)));
    let read = topology.call(unmet.read).span;
    for unstated in unmet.unstated() {
        let node = topology.node_name(unstated.node);
        let text = format!("`{node}` states no `{}`", unstated.key);
        steps.push(Step { subject: node.to_owned(), span: read, text, value: None });
    }
    if let (Need::Model(model), Some(given)) = (unmet.need, incomparable(unmet)) {
        let text = format!("neither of `{}` and `{}` implies the other", given.name(), model.name());
        steps.push(Step { subject: topology.call_name(unmet.read), span: read, text, value: None });
    }
    steps
}

fn hop(facts: &Facts<'_>, unmet: &Unmet<'_>, call: CallId) -> Step {
    let topology = facts.topology();
    let to = topology.operation(topology.call(call).to).node;
    let text = match (unmet.weakness == Weakness::Session(call), unmet.certainty) {
        (true, Certainty::Proved) => format!("any instance of `{}` answers", topology.node_name(to)),
        (true, _) => format!("`sticky` is not stated, and several instances of `{}` run", topology.node_name(to)),
        (false, _) => format!("asks `{}`", topology.operation_name(topology.call(call).to)),
    };
    let sticky = facts.cascade().call(call, &[Key::Sticky]).stated().and_then(prose::place);
    let span = sticky.filter(|_| unmet.weakness == Weakness::Session(call)).unwrap_or(topology.call(call).span);
    Step { subject: topology.call_name(call), span, text, value: None }
}

fn answer(facts: &Facts<'_>, hop: ReadHop<'_>) -> Step {
    let name = facts.topology().node_name(hop.node).to_owned();
    let old = match (hop.age.at_least, hop.age.at_most) {
        (Extent::Unbounded, _) => "of any age".to_owned(),
        (Extent::Finite(Duration::ZERO), None) => "of an age that is not stated".to_owned(),
        (Extent::Finite(age), None) => format!("{age} old or more"),
        (Extent::Finite(age), Some(_)) => format!("up to {age} old"),
    };
    let text = match hop.kind {
        ReadHopKind::Gives(model) => format!("`{name}` gives `{}`", model.name()),
        ReadHopKind::Replica => format!("a copy answers, {old}"),
        ReadHopKind::SmallQuorum => format!("the copies asked may all lack the last write: {old}"),
        ReadHopKind::Cached => format!("`{name}` keeps answers, so they are {old}"),
    };
    let value = hop.age.at_least.finite().filter(|age| *age > Duration::ZERO);
    let span = hop.stated.and_then(prose::place).unwrap_or(facts.topology().node(hop.node).span);
    Step { subject: name, span, text, value: value.map(|age| Measure::Seconds(age.seconds())) }
}

/// The model that is given, if it can be compared neither way with the one that is needed.
fn incomparable(unmet: &Unmet<'_>) -> Option<Model> {
    let Need::Model(model) = unmet.need else { return None };
    let given = unmet.reading.guaranteed;
    given.partial_cmp(&model).is_none().then_some(given)
}

/// "5 s + 60 s = 65 s": how ages add up.
fn sum(unmet: &Unmet<'_>) -> Option<String> {
    let ages: Vec<Duration> = unmet.reading.hops.iter().filter_map(|hop| hop.age.at_least.finite()).collect();
    let parts: Vec<String> = ages.iter().filter(|age| **age > Duration::ZERO).map(Duration::to_string).collect();
    let total = unmet.reading.age.at_least.finite()?;
    // Of very many hops not all are at hand.
    let whole = ages.iter().fold(Duration::ZERO, |sum, age| sum.plus(*age)) == total;
    (matches!(unmet.need, Need::Age(_)) && parts.len() > 1 && whole)
        .then(|| format!("{} = {total}: what is kept may have been old already", parts.join(" + ")))
}

fn help(facts: &Facts<'_>, unmet: &Unmet<'_>) -> Vec<String> {
    let topology = facts.topology();
    let read = spaced(&topology.call_name(unmet.read));
    let mut help = Vec::new();
    if let Weakness::Session(call) = unmet.weakness {
        let call = spaced(&topology.call_name(call));
        help.push(format!("keep a session at one instance: `sticky` on `{call}`"));
    } else {
        let weakening = unmet.reading.hops.iter().find(|hop| !matches!(hop.kind, ReadHopKind::Gives(_)));
        help.push(match (unmet.unstated().next(), weakening) {
            (Some(unstated), _) => state(facts, unmet, unstated),
            (None, Some(hop)) => mend(facts, unmet, *hop, &read),
            (None, None) => other_model(facts, unmet),
        });
    }
    let enough = match (unmet.need, unmet.reading.age.at_least) {
        (Need::Age(_), Extent::Finite(age)) if age > Duration::ZERO => format!("needs staleness {}", age.written()),
        (Need::Age(_), _) => "needs none".to_owned(),
        (Need::Model(_), _) => match unmet.weakness {
            Weakness::Answer => format!("needs {}", unmet.reading.guaranteed.name()),
            Weakness::Session(_) => format!("needs {}", unmet.reading.guaranteed.without_session().name()),
        },
    };
    help.push(format!("or, if this reader can do with less, say so: `{enough}` on `{read}`"));
    help
}

fn place(facts: &Facts<'_>, call: CallId) -> String {
    let topology = facts.topology();
    topology.text(topology.node_of(topology.call(call).to).name).to_owned()
}

/// What to write where a hop takes something away.
fn mend(facts: &Facts<'_>, unmet: &Unmet<'_>, hop: ReadHop<'_>, read: &str) -> String {
    let name = facts.topology().node_name(hop.node);
    match hop.kind {
        ReadHopKind::Cached => match (unmet.need, rest(unmet, hop)) {
            (Need::Age(_), Some(left)) => format!("keep answers for less: `ttl {}` on `{name}`", left.written()),
            _ => format!("ask past `{name}`: call the store itself, with `read-from leader`"),
        },
        ReadHopKind::SmallQuorum => {
            format!("ask so many copies that r + w is more than n, in the `quorum` of `{name}`")
        }
        ReadHopKind::Replica | ReadHopKind::Gives(_) => {
            let call = if place(facts, unmet.read) == name {
                format!("`{read}`")
            } else {
                format!("the reads of `{name}` that fill the cache")
            };
            format!("let the leader answer: `read-from leader` on {call}")
        }
    }
}

/// What is left of the needed age for one hop, if all the others take what they may.
fn rest(unmet: &Unmet<'_>, hop: ReadHop<'_>) -> Option<Duration> {
    let (Need::Age(most), Some(total)) = (unmet.need, unmet.reading.age.at_most?.finite()) else { return None };
    let others = total.minus(hop.age.at_least.finite()?);
    Some(most.minus(others)).filter(|left| *left > Duration::ZERO)
}

/// Where the stated model of the store is all that is missing: what to read from, or to state.
fn other_model(facts: &Facts<'_>, unmet: &Unmet<'_>) -> String {
    let place = place(facts, unmet.read);
    match (unmet.need, incomparable(unmet)) {
        (Need::Model(model), Some(given)) => {
            format!("if `{place}` gives both, say so: `model {}`", given.join(model).name())
        }
        (Need::Model(model), None) => {
            format!("read from a store that gives `{}`, or correct the `model` of `{place}`", model.name())
        }
        (Need::Age(_), _) => format!("say how far the copies of `{place}` are behind at the worst"),
    }
}

/// How to state what is not stated and decides.
fn state(facts: &Facts<'_>, unmet: &Unmet<'_>, unstated: Unstated) -> String {
    let name = facts.topology().node_name(unstated.node);
    let text = match (unstated.key, unmet.need) {
        (Key::Model, Need::Model(model)) => format!("model {}", model.name()),
        (Key::ReadFrom, _) => "read-from leader".to_owned(),
        (Key::Replication, _) => "replication none` or `replication async { worst 5s }".to_owned(),
        (Key::Quorum, _) => "quorum { n 3; r 2; w 2 }".to_owned(),
        (Key::Ttl, _) => "ttl 60s".to_owned(),
        (Key::Of, _) => "of STORE".to_owned(),
        (key, _) => key.to_string(),
    };
    format!("if it is so, say so: `{text}` on `{name}`")
}
