//! A read that asks the leader or a quorum for what any copy could answer.

use crate::analysis::{Extent, Facts, Model};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step, spaced};
use crate::metadata::Options;
use crate::model::{Answer, CallId, Duration};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.topology().call_ids().filter_map(|call| report(facts, call)).collect()
}

fn report(facts: &Facts<'_>, read: CallId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let store = facts.topology().callee_node(read);
    let drawn = facts.is_awaited(read) && !topology.call(read).implied && facts.miss_of(read).is_none();
    if !drawn || topology.node(store).kind != ElementKind::Store || !facts.is_read(read) {
        return None;
    }
    let asked = facts.read_from(store, Some(read)).given().filter(|stated| !stated.setting.says("replica"))?;
    let copies = facts.cascade().node(store, Key::Replication).given()?;
    let lag = facts.lag(store)?.at_most.and_then(Extent::finite)?;
    let needs = enough(facts, read, lag)?;
    let name = spaced(&topology.call_name(read));
    let what = asked.setting.words().next().unwrap_or("leader");
    let message = format!("`{name}` asks the {what}, but {needs}, and copies are at most {lag} behind");
    let mut diagnostic = Diagnostic::new(topology.call(read).span, message).subject(topology.call_name(read));
    diagnostic.certainty = Certainty::Heuristic;
    diagnostic.cause = Some(prose::cause(facts, read));
    let value = Some(Measure::Seconds(lag.seconds()));
    let stated = [(asked, format!("the {what} is asked"), None), (copies, format!("up to {lag} behind"), value)];
    diagnostic.witness = stated
        .into_iter()
        .filter_map(|(stated, text, value)| {
            Some(Step { subject: topology.call_name(read), span: prose::place(stated)?, text, value })
        })
        .collect();
    diagnostic.consequence =
        Some("it pays with the time, the load and the availability of the one that is asked".into());
    diagnostic.help = vec![
        format!("let any copy answer: `read-from replica` on `{name}`"),
        format!("or, if this reader needs more, say so: `needs read-your-writes` on `{name}`"),
    ];
    Some(diagnostic)
}

/// What all readers need, if they say so and a copy that is so far behind gives it.
fn enough(facts: &Facts<'_>, read: CallId, lag: Duration) -> Option<String> {
    let own = facts.cascade().call(read, &[Key::Needs]);
    if matches!(own, Answer::None(_)) {
        return Some("nothing is needed of it".to_owned());
    }
    let of_operation = facts.cascade().operation(facts.topology().caller(read), Key::Needs);
    let demand = facts.demand(read).filter(|_| own.given().or(of_operation.given()).is_some())?;
    if demand.model.is_some_and(|model| model != Model::Eventual) {
        return None;
    }
    match demand.age {
        Some(age) if age < lag => None,
        Some(age) => Some(format!("all that is needed is at most {age} old")),
        None => Some("all that is needed is `eventual`".to_owned()),
    }
}
