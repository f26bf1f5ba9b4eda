//! Services on one way that decide independently which parts of a trace to keep.

use crate::analysis::Facts;
use crate::diagnostic::{Diagnostic, Step};
use crate::metadata::Options;
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    report(facts).into_iter().collect()
}

fn report(facts: &Facts<'_>) -> Option<Diagnostic> {
    let topology = facts.topology();
    let torn = facts.torn_trace()?;
    let ((first, _), (last, _)) = (torn.deciders.first()?, torn.deciders.last()?);
    let one_in = if torn.whole > 0.0 {
        format!("only one trace in {} is whole", prose::number(1.0 / torn.whole))
    } else {
        "no trace is whole".to_owned()
    };
    let message = format!(
        "{one_in} from `{}` to `{}`: {} decide independently which parts to keep",
        topology.operation_name(*first),
        topology.operation_name(*last),
        prose::count(torn.deciders.len() as u64, "service")
    );
    let place = |id| {
        let stated = facts.cascade().operation(id, Key::Sampling).given();
        stated.and_then(prose::place).unwrap_or(topology.operation(id).span)
    };
    let mut diagnostic = Diagnostic::new(place(*last), message).subject(topology.operation_name(*last));
    diagnostic.cause = Some(topology.operation_name(*last));
    diagnostic.witness = torn
        .deciders
        .iter()
        .map(|(id, share)| Step {
            subject: topology.operation_name(*id),
            span: place(*id),
            text: format!("keeps {} % of its parts", prose::number(share * 100.0)),
            value: None,
        })
        .collect();
    let start = torn.way.first().map_or(*first, |call| topology.caller(*call));
    diagnostic.path = Some(prose::path(facts, start, &torn.way, 0));
    Some(
        diagnostic
            .help("let the first service decide and all others follow what the trace context says: `sampling 10% head`")
            .help("or send all parts to one collector that decides when the trace is complete: `sampling 10% tail`"),
    )
}
