//! One transaction over systems of different teams.

use crate::analysis::{Facts, SharedTransaction};
use crate::diagnostic::{Diagnostic, Step};
use crate::metadata::Options;
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.transactions_across_owners().iter().filter_map(|found| report(facts, found)).collect()
}

fn report(facts: &Facts<'_>, found: &SharedTransaction) -> Option<Diagnostic> {
    let topology = facts.topology();
    let [(one, its), (other, others)] = found.parts;
    let node = |call| topology.node_name(facts.topology().callee_node(call));
    let stated = facts.cascade().call(other, &[Key::Transaction]).given()?;
    let message = format!(
        "the transaction `{}` spans `{}` of `{}` and `{}` of `{}`: each waits, with its locks held, for the other team's \
         system",
        topology.text(found.transaction),
        node(one),
        topology.text(its),
        node(other),
        topology.text(others)
    );
    let mut diagnostic = prose::about_call(facts, other, stated, message).subject(topology.call_name(other));
    diagnostic.cause = Some(prose::cause_of(facts, other, Some(stated)));
    let step = |call, owner| Step {
        subject: topology.call_name(call),
        span: topology.call(call).span,
        text: format!("owned by `{}`", topology.text(owner)),
        value: None,
    };
    diagnostic.witness = vec![step(one, its), step(other, others)];
    diagnostic.consequence = Some("what is available is what all of them are at once".to_owned());
    Some(
        diagnostic
            .help("commit in one place and let the rest follow: `outbox` on a publish, or change data capture")
            .help("or make it steps that can be undone: `saga NAME` on both, and `compensated-by OPERATION`"),
    )
}
