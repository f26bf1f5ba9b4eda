//! An effect that may happen more than once for one request.

use super::repeats;
use crate::analysis::{EffectSite, Exposed, Facts, RepeaterKind};
use crate::diagnostic::{Certainty, Diagnostic, spaced};
use crate::ids::IdMap;
use crate::metadata::Options;
use crate::model::{CallId, Origin};
use crate::rules::prose;
use crate::vocabulary::ElementKind;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let mut by_key: IdMap<CallId, usize> = IdMap::default();
    let mut found: Vec<Vec<&Exposed>> = Vec::new();
    for exposed in facts.exposed().iter().filter(|exposed| !speaks_elsewhere(exposed)) {
        // One call without a key is one cause, whatever happens behind the barriers that it opens.
        let known = exposed.fault.and_then(|fault| by_key.get(&fault.call));
        if let Some(group) = known.and_then(|index| found.get_mut(*index)) {
            group.push(exposed);
            continue;
        }
        by_key.extend(exposed.fault.map(|fault| (fault.call, found.len())));
        found.push(vec![exposed]);
    }
    found.into_iter().filter_map(|group| report(facts, group)).collect()
}

/// What makes a new key or drops one is the cause, and so is a hedge.
fn speaks_elsewhere(exposed: &Exposed) -> bool {
    repeats::is_spoiled(exposed) || matches!(exposed.repeater.kind, RepeaterKind::Hedge(_))
}

fn report(facts: &Facts<'_>, mut group: Vec<&Exposed>) -> Option<Diagnostic> {
    let topology = facts.topology();
    group.sort_by_key(|exposed| std::cmp::Reverse(exposed.certainty));
    let (exposed, others) = group.split_first()?;
    let (place, subject, cause) = repeats::site(facts, exposed.site);
    let name = spaced(&subject);
    let repeater = &exposed.repeater;
    let caller = topology.operation_name(topology.caller(repeater.call));
    let callee = topology.operation_name(topology.callee(repeater.call));
    let times = repeats::again(repeater);
    let verb = if exposed.certainty == Certainty::Proved { "can happen" } else { "may happen" };
    let message = match repeater.kind {
        RepeaterKind::Redelivery => {
            format!("`{name}` {verb} more than once for one message: `{caller}` delivers it again")
        }
        _ if is_own(exposed) => format!("`{name}` {verb} more than once for one request: `{caller}` {times} it"),
        _ => format!("`{name}` {verb} more than once for one request: `{caller}` {times} `{callee}`"),
    };
    let mut diagnostic = Diagnostic::new(place, message);
    diagnostic.subjects = vec![subject, topology.call_name(repeater.call)];
    diagnostic.cause = Some(exposed.fault.map_or(cause, |fault| prose::cause(facts, fault.call)));
    repeats::show(facts, &mut diagnostic, exposed, others);
    diagnostic.group = Some("effects may happen more than once for one request".into());
    diagnostic.help.extend(help(facts, exposed, &name));
    Some(diagnostic)
}

fn is_own(exposed: &Exposed) -> bool {
    exposed.site == EffectSite::Write(exposed.repeater.call)
}

fn help(facts: &Facts<'_>, exposed: &Exposed, name: &str) -> Vec<String> {
    let topology = facts.topology();
    let mut help = Vec::new();
    let operation = match exposed.site {
        EffectSite::Write(_) => {
            help.push(format!("if this write changes nothing more when it is repeated (an upsert, not an append), say so: `idempotent` on `{name}`"));
            None
        }
        EffectSite::Operation(operation) => {
            help.push(format!("if `{name}` changes nothing, or nothing more when it is repeated, say so: `readonly` or `idempotent` on it"));
            Some(operation)
        }
    };
    if exposed.barrier.is_none() {
        let at = operation.map_or_else(|| exposed.path.last().map(|call| topology.caller(*call)), Some);
        let at = at
            .filter(|at| topology.kind_of(*at) != ElementKind::Client)
            .map_or_else(|| name.to_owned(), |at| topology.operation_name(at));
        help.push(format!("or stop repeats there: `idempotent by-key {{ window 24h; recorded-in STORE; atomic }}` on `{at}`, and a `key` on the calls from the repeater down"));
    }
    match exposed.repeater.kind {
        RepeaterKind::Proxy(_) => {
            help.push("or switch the retries of the mesh off for this route, and leave it out of `via`".to_owned());
        }
        RepeaterKind::Retry(_)
            if facts
                .plan(exposed.repeater.call)
                .attempts_stated
                .is_some_and(|stated| !matches!(stated.origin, Origin::Client(..))) =>
        {
            help.push("or try again only what was not done: `retry-on connect, refused`".to_owned());
        }
        _ => {}
    }
    help
}
