//! A store that services of different owners use directly.

use crate::analysis::{Access, Facts, Ownership, Shared};
use crate::diagnostic::{Certainty, Diagnostic, Step};
use crate::rules::prose;
use crate::vocabulary::Key;

/// So many uses by others are shown.
const SHOWN: usize = 4;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &crate::metadata::Options) -> Vec<Diagnostic> {
    facts.shared_stores().iter().filter_map(|shared| report(facts, shared)).collect()
}

fn report(facts: &Facts<'_>, shared: &Shared) -> Option<Diagnostic> {
    let topology = facts.topology();
    let store = topology.node_name(shared.store);
    let home = topology.text(shared.home);
    let first = shared.foreign.first()?;
    let caller = topology.operation_name(topology.caller(first.call));
    let does = verb(*first);
    let message = match first.owner {
        Ownership::Team(team) => {
            format!(
                "`{store}` holds the data of `{home}`, but `{caller}` of `{}` {does} it directly",
                topology.text(team)
            )
        }
        _ => format!("`{store}` holds the data of `{home}`, and `{caller}`, which {does} it directly, states no owner"),
    };
    let mut diagnostic = Diagnostic::new(topology.node(shared.store).span, message).subject(store);
    diagnostic.certainty = shared.certainty;
    diagnostic.cause = Some(store.to_owned());
    diagnostic.subjects.extend(shared.foreign.iter().map(|access| topology.call_name(access.call)));
    diagnostic.witness = witness(facts, shared);
    diagnostic.consequence = Some(
        "a change of its tables breaks code of another team, and no service can keep its rules for the data".to_owned(),
    );
    diagnostic.group = Some("stores are used by more than one side".into());
    diagnostic.help = help(facts, shared, *first);
    Some(diagnostic)
}

fn verb(access: Access) -> &'static str {
    match access.writes {
        Some(true) => "writes to",
        Some(false) => "reads",
        None => "uses",
    }
}

/// Whose it is, then who else uses it.
fn witness(facts: &Facts<'_>, shared: &Shared) -> Vec<Step> {
    let topology = facts.topology();
    let home = topology.text(shared.home);
    let stated = facts.cascade().node(shared.store, Key::Owner).given().and_then(prose::place);
    let mut steps = Vec::new();
    if let Some(span) = stated {
        let subject = topology.node_name(shared.store).to_owned();
        steps.push(Step { subject, span, text: format!("it belongs to `{home}`"), value: None });
    } else if let Some(access) = shared.through {
        steps.push(step(facts, access));
    }
    steps.extend(shared.foreign.iter().take(SHOWN).map(|access| step(facts, *access)));
    steps
}

fn step(facts: &Facts<'_>, access: Access) -> Step {
    let topology = facts.topology();
    let who = match access.owner {
        Ownership::Team(team) => format!("`{}`", topology.text(team)),
        _ => "an unstated owner".to_owned(),
    };
    let text = format!("a service of {who} {} it", verb(access));
    Step { subject: topology.call_name(access.call), span: topology.call(access.call).span, text, value: None }
}

fn help(facts: &Facts<'_>, shared: &Shared, first: Access) -> Vec<String> {
    let topology = facts.topology();
    let (store, home) = (topology.node_name(shared.store), topology.text(shared.home));
    let caller_id = topology.caller(first.call);
    let caller = topology.operation_name(caller_id);
    let through = shared.through.map(|access| topology.node_of(topology.caller(access.call)).name);
    let ask = through.map_or_else(
        || format!("a service of `{home}`, which alone uses `{store}`"),
        |service| format!("`{}`, which then alone uses `{store}`", topology.text(service)),
    );
    let mut help = Vec::new();
    if first.owner == Ownership::Unstated {
        help.push(format!("if `{home}` answers for it too, say so: `owner {home}` on `{}`", node(facts, first)));
    }
    help.push(format!("let `{caller}` ask {ask}"));
    if shared.certainty == Certainty::Possible && first.writes != Some(true) {
        help.push(format!(
            "or, if what it reads is published for others, say so: `contract \"…\"` on `{store}`, and `-> {store}.read`"
        ));
    } else if first.owner != Ownership::Unstated {
        help.push(format!(
            "or, if one team answers for both sides, state one `owner` on `{}` and `{store}`",
            node(facts, first)
        ));
    }
    help
}

fn node<'a>(facts: &'a Facts<'_>, access: Access) -> &'a str {
    let topology = facts.topology();
    topology.node_name(topology.caller_node(access.call))
}
