//! What is no longer asked for: suppressions that were added, rules that were made quieter, options that were changed.
//! A change that passes because it lowers the gate says so.

use std::collections::HashMap;

use super::elements::Naming;
use super::{Side, start_of};
use crate::baseline::Baseline;
use crate::diagnostic::{Diagnostic, Problem};
use crate::model::{Owner, Topology};
use crate::source::{SourceMap, Span};

/// Suppressions that were not there before.
pub(super) fn allows(base: &Topology, head: &Topology, naming: &Naming, sources: &SourceMap) -> Vec<Problem> {
    let rule = |span: Span| sources.text(span).trim_matches('"').to_owned();
    let mut old: HashMap<(String, String), usize> = HashMap::new();
    for allow in &base.allows {
        *old.entry((rule(allow.rule), owner(base, allow.owner, naming))).or_default() += 1;
    }
    let mut added = Vec::new();
    for allow in &head.allows {
        let key = (rule(allow.rule), owner(head, allow.owner, &Naming::default()));
        if let Some(left @ 1..) = old.get_mut(&key) {
            *left -= 1;
            continue;
        }
        let reason = allow.reason.map_or("no reason", |reason| sources.text(reason));
        let message = format!("`{}` is silenced for {} from now on: {reason}", key.0, key.1);
        let identity = format!("allow {} for {}", key.0, key.1);
        let help = "mend what it silences, or agree on it in the review";
        added.push(relaxed(allow.span, message, identity, help));
    }
    added
}

fn owner(topology: &Topology, owner: Owner, naming: &Naming) -> String {
    match owner {
        Owner::Topology => "the whole topology".to_owned(),
        Owner::Scope(id) => {
            let name = topology.scope(id).name.map(|name| topology.text(name));
            name.map_or_else(|| "all of a file".to_owned(), |name| format!("`{name}` and all in it"))
        }
        Owner::Node(id) => format!("`{}`", naming.node(topology, id)),
        Owner::Operation(id) => format!("`{}`", naming.operation(topology, id)),
        Owner::Call(id) => {
            let name = naming.call(topology, id);
            format!("`{}`", crate::diagnostic::spaced(name.split('#').next().unwrap_or(&name)))
        }
        Owner::Policy(id) => format!("calls that use `{}`", topology.text(topology.policy(id).name)),
    }
}

/// What the configuration lets pass and did not before, and findings that are known and wait from now on.
pub(super) fn configuration(base: Side<'_>, head: Side<'_>) -> Vec<Problem> {
    let nowhere = start_of(head.projects.first(), head);
    let said = head.config.relaxed_since(base.config).into_iter().map(|relaxation| {
        let help = "say it as it was, or agree on it in the review";
        relaxed(relaxation.place.unwrap_or(nowhere), relaxation.what.clone(), relaxation.what, help)
    });
    let nothing = Baseline::default();
    let entries = head.baseline.map(|known| known.relaxed_since(base.baseline.unwrap_or(&nothing)));
    let known = entries.into_iter().flatten().map(|entry| {
        let reason = entry.reason.as_deref().unwrap_or("no reason is given");
        let message = format!("`{}` about `{}` waits in the baseline from now on: {reason}", entry.rule, entry.about);
        let help = "mend what it hides, or agree on it in the review";
        relaxed(entry.place, message, format!("baseline {} {}", entry.rule, entry.fingerprint), help)
    });
    said.chain(known).collect()
}

fn relaxed(span: Span, message: String, identity: String, help: &str) -> Problem {
    let mut diagnostic = Diagnostic::new(span, message).help(help);
    diagnostic.cause = Some(identity);
    Problem::new("relaxed-gate", diagnostic)
}
