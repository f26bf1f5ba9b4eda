//! An operation that honours a deadline, and whose own work goes on for longer.

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{Answer, OperationId};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.topology().operation_ids().filter_map(|id| finding(facts, id)).collect()
}

fn finding(facts: &Facts<'_>, id: OperationId) -> Option<Diagnostic> {
    let cascade = facts.cascade();
    let allotted = facts.allotted(id);
    let bound = allotted.at_most.filter(|_| allotted.honours)?;
    let latency = cascade.operation(id, Key::Latency).given()?;
    let work = latency.setting.maximum().filter(|work| *work > bound)?;
    let certainty = match cascade.operation(id, Key::Cancels) {
        Answer::None(_) => Certainty::Proved,
        Answer::Unstated => Certainty::Possible,
        Answer::Given(_) | Answer::Unreadable => return None,
    };
    if cascade.operation(id, Key::Detached).may_be_given() {
        return None;
    }
    let topology = facts.topology();
    let name = topology.operation_name(id);
    let stops = match certainty {
        Certainty::Proved => "does not stop with it",
        _ => "is not said to stop with it",
    };
    let message = format!(
        "`{name}` honours the deadline that arrives, {bound} at most, but its own work of up to {work} {stops}"
    );
    let stated = cascade.operation(id, Key::Deadline).given()?;
    let span = prose::place(stated).unwrap_or(topology.operation(id).span);
    let mut diagnostic = Diagnostic::new(span, message).subject(name.clone());
    diagnostic.certainty = certainty;
    diagnostic.witness = vec![Step {
        subject: name.clone(),
        span: prose::place(latency).unwrap_or(span),
        text: format!("its own work may take {work}"),
        value: Some(Measure::Seconds(work.seconds())),
    }];
    diagnostic.cause = Some(name.clone());
    diagnostic.group = Some("operations honour a deadline and are not said to stop their own work".into());
    diagnostic.consequence =
        Some(format!("up to {} of work for nobody, each time a caller gives up", work.minus(bound)));
    Some(
        diagnostic
            .help(format!("write `cancels` on `{name}`, if its code looks at the deadline while it works"))
            .help("a library that ends the call does not end the work: the code has to check, in every loop".to_owned())
            .help("or, if it is meant to finish: `detached`".to_owned()),
    )
}
