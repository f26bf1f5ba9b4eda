//! A call to somebody else's system whose outcome nobody can find out when no answer comes.

use crate::analysis::{EffectSite, Facts};
use crate::diagnostic::{Certainty, Diagnostic};
use crate::ids::IdSet;
use crate::metadata::Options;
use crate::model::CallId;
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    // Where somebody repeats it blindly, that is said.
    let exposed: IdSet<EffectSite> = facts.exposed().iter().map(|exposed| exposed.site).collect();
    let repeated = |call: CallId| exposed.contains(&EffectSite::Operation(facts.topology().callee(call)));
    let open = facts.unreconciled().into_iter().filter(|(call, _)| !repeated(*call));
    open.map(|(call, certainty)| report(facts, call, certainty)).collect()
}

fn report(facts: &Facts<'_>, call: CallId, certainty: Certainty) -> Diagnostic {
    let topology = facts.topology();
    let from = topology.operation_name(topology.caller(call));
    let to = topology.operation_name(topology.callee(call));
    let node = topology.node_name(facts.topology().callee_node(call));
    let message = format!(
        "when no answer comes from `{to}`, `{from}` may neither repeat it nor ask what became of it: no key, and nothing \
         to look up in `{node}`"
    );
    let stated = facts.cascade().call(call, &[Key::ReconciledBy]).stated();
    let mut diagnostic = match stated {
        Some(stated) => prose::about_call(facts, call, stated, message),
        None => Diagnostic::new(topology.call(call).span, message),
    };
    diagnostic.certainty = certainty;
    diagnostic.subjects = vec![topology.call_name(call)];
    diagnostic.cause = Some(to.clone());
    diagnostic.group = Some("calls have outcomes that nobody can find out".into());
    diagnostic
        .help(format!("send a key that `{node}` knows: `idempotent by-key {{ window 24h; atomic }}` on `{to}`, and a `key` on the call"))
        .help(format!("or draw what can be asked: a `readonly` operation of `{node}`"))
        .help("or name what settles it later, from a report or a file: `reconciled-by OPERATION` on the call")
}
