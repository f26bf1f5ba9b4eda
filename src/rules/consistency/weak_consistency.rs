//! A read that gives a weaker consistency than what its readers need.

use super::unmet;
use crate::analysis::{Facts, Model, Need, ReadHop, ReadHopKind, Unmet, Weakness};
use crate::diagnostic::{Certainty, Diagnostic, spaced};
use crate::metadata::Options;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.unmet_needs().iter().filter_map(|unmet| report(facts, unmet)).collect()
}

fn report(facts: &Facts<'_>, unmet: &Unmet<'_>) -> Option<Diagnostic> {
    let Need::Model(model) = unmet.need else { return None };
    let mut diagnostic = unmet::report(facts, unmet, message(facts, unmet, model));
    diagnostic.help = help(facts, unmet, model);
    Some(diagnostic)
}

fn message(facts: &Facts<'_>, unmet: &Unmet<'_>, model: Model) -> String {
    let topology = facts.topology();
    let needs = format!("`{}` needs `{}`", topology.operation_name(unmet::reader(facts, unmet)), model.name());
    let read = spaced(&topology.call_name(unmet.read));
    match (unmet.weakness, unmet.certainty) {
        (Weakness::Session(call), Certainty::Proved) => {
            let call = spaced(&topology.call_name(call));
            format!("{needs}, but its session loses its place on `{call}`: any instance answers")
        }
        (Weakness::Session(call), _) => {
            let call = spaced(&topology.call_name(call));
            format!("{needs}, and nothing that is stated keeps its session at one instance on `{call}`")
        }
        (Weakness::Answer, Certainty::Proved) => {
            format!("{needs}, but `{read}` gives `{}` at best", unmet.reading.guaranteed.name())
        }
        (Weakness::Answer, _) => format!("{needs}, and nothing that is stated makes `{read}` give it"),
    }
}

fn help(facts: &Facts<'_>, unmet: &Unmet<'_>, model: Model) -> Vec<String> {
    let topology = facts.topology();
    let read = spaced(&topology.call_name(unmet.read));
    let given = unmet.reading.guaranteed;
    let (first, enough) = match unmet.weakness {
        Weakness::Session(call) => {
            let call = spaced(&topology.call_name(call));
            (format!("keep a session at one instance: `sticky` on `{call}`"), given.without_session())
        }
        Weakness::Answer => (mend(facts, unmet, model, &read), given),
    };
    vec![first, format!("or, if this reader can do with less, say so: `needs {}` on `{read}`", enough.name())]
}

/// What to write: first where nothing else would help, then where it is not known, then where most is lost.
fn mend(facts: &Facts<'_>, unmet: &Unmet<'_>, model: Model, read: &str) -> String {
    let hops = || unmet.reading.hops.iter();
    let too_weak = hops().rev().find(|hop| matches!(hop.kind, ReadHopKind::Gives(given) if !given.implies(model)));
    let weakening = hops().find(|hop| !matches!(hop.kind, ReadHopKind::Gives(_)));
    match (too_weak, unmet.unstated().next(), weakening) {
        (Some(hop), ..) => other_model(facts, *hop, model),
        (None, Some(unstated), _) => unmet::state(facts, unmet, unstated),
        (None, None, Some(hop)) => ask_another(facts, unmet, *hop, read),
        (None, None, None) => format!("read from a store that gives `{}`", model.name()),
    }
}

fn ask_another(facts: &Facts<'_>, unmet: &Unmet<'_>, hop: ReadHop<'_>, read: &str) -> String {
    let name = facts.topology().node_name(hop.node);
    match hop.kind {
        ReadHopKind::Cached => format!("ask past `{name}`: call the store itself, with `read-from leader`"),
        ReadHopKind::SmallQuorum => unmet::more_copies(name),
        ReadHopKind::Replica | ReadHopKind::Gives(_) => unmet::ask_leader(facts, unmet, hop, read),
    }
}

/// Where what is stated of a store or cache is too weak, whoever is asked: what to read from, or to state.
fn other_model(facts: &Facts<'_>, hop: ReadHop<'_>, model: Model) -> String {
    let name = facts.topology().node_name(hop.node);
    match hop.kind {
        ReadHopKind::Gives(given) if given.partial_cmp(&model).is_none() => {
            format!("if `{name}` gives both, say so: `model {}`", given.join(model).name())
        }
        _ => format!("read from a store that gives `{}`, or correct the `model` of `{name}`", model.name()),
    }
}
