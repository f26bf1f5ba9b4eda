//! What should tell of a failure fails with it.

use super::circle;
use crate::analysis::{Facts, SharedFate};
use crate::diagnostic::Diagnostic;
use crate::metadata::Options;
use crate::model::Phase;
use crate::rules::prose;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let circles = facts.circles(&[Phase::Observe]);
    let in_circle = circles.iter().filter_map(|found| {
        let name = facts.topology().node_name(*found.nodes.first()?);
        let around = circle::around(facts, found);
        let message = format!("what observes `{name}` needs `{name}` itself: {around}");
        let diagnostic = circle::finding(facts, found, message)?;
        Some(finish(facts, diagnostic, name, *found.calls.first()?))
    });
    let shared = facts.shared_fates();
    in_circle.chain(shared.iter().map(|fate| of_shared(facts, fate))).collect()
}

fn of_shared(facts: &Facts<'_>, fate: &SharedFate) -> Diagnostic {
    let topology = facts.topology();
    let row = topology.call(fate.observed_by);
    let (from, by) = facts.observation(fate.observed_by);
    let [node, observer] = [from, by].map(|id| topology.node_name(topology.node_id_of(id)));
    let shared = topology.node_name(fate.shared);
    let message = format!("`{node}` and what observes it, `{observer}`, both need `{shared}`");
    let mut diagnostic = Diagnostic::new(row.span, message);
    diagnostic.witness =
        fate.of_observed.iter().chain(&fate.of_observer).flat_map(|call| prose::needs(facts, &[*call])).collect();
    // Whoever observes many nodes has one way to mend.
    diagnostic.cause = Some(format!("observed by {observer} over {shared}"));
    diagnostic.subjects = vec![node.to_owned(), observer.to_owned(), shared.to_owned()];
    finish(facts, diagnostic, shared, fate.observed_by)
}

fn finish(facts: &Facts<'_>, mut diagnostic: Diagnostic, name: &str, call: crate::model::CallId) -> Diagnostic {
    diagnostic.group = Some("what should tell of a failure fails with it".into());
    diagnostic.consequence = Some(format!("when `{name}` is down, nobody is told, and nobody can see why"));
    diagnostic.help = vec![
        format!("let what observes do without `{name}`: a way of its own, or a `fallback` on its call"),
        format!(
            "or look from outside as well, and say so: `fallback \"probes from another provider\"` on `{}`",
            prose::call(facts, call)
        ),
    ];
    diagnostic
}
