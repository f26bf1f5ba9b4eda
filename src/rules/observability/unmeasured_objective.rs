//! An objective that nothing measures.

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::{Answer, OperationId};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.topology().operation_ids().filter_map(|operation| finding(facts, operation)).collect()
}

fn finding(facts: &Facts<'_>, operation: OperationId) -> Option<Diagnostic> {
    let look = |key| facts.cascade().operation(operation, key);
    let objective = look(Key::Slo).given()?;
    let certainty = match (look(Key::Alert), look(Key::Metrics)) {
        (Answer::Given(_) | Answer::Unreadable, _) | (_, Answer::Unreadable) | (Answer::Unstated, Answer::Given(_)) => {
            return None;
        }
        (Answer::None(_), _) | (Answer::Unstated, Answer::None(_)) => Certainty::Proved,
        (Answer::Unstated, Answer::Unstated) => Certainty::Possible,
    };
    let name = facts.topology().operation_name(operation);
    let message = if certainty == Certainty::Proved {
        format!("`{name}` has an objective, and nothing tells whether it is met")
    } else {
        format!("`{name}` has an objective, and does not state what measures it")
    };
    let span = prose::place(objective).unwrap_or(facts.topology().operation(operation).span);
    let mut diagnostic = Diagnostic::new(span, message).subject(name.clone());
    diagnostic.certainty = certainty;
    diagnostic.cause = Some(name.clone());
    diagnostic.group = Some("objectives have no stated measurement".into());
    Some(
        diagnostic
            .help(format!(
                "measure it where its callers are, and tell somebody when it is missed: `alert NAME` on `{name}`"
            ))
            .help("or, if it is measured where it is served, say so: `metrics`"),
    )
}
