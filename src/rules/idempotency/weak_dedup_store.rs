//! Keys that are kept where they can be lost, or where two repeats at once can both find none.

use std::collections::BTreeMap;

use crate::analysis::{Dedup, Facts, Repetition};
use crate::diagnostic::{Certainty, Diagnostic, Step};
use crate::metadata::Options;
use crate::model::{NodeId, Stated};
use crate::rules::prose;
use crate::source::Span;
use crate::vocabulary::{ElementKind, Key};

/// Models under which two repeats at once can both find no key.
const WEAK: [&str; 7] =
    ["causal", "pram", "read-your-writes", "monotonic-reads", "monotonic-writes", "writes-follow-reads", "eventual"];

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let mut by_store: BTreeMap<NodeId, Vec<(Dedup<'_>, Weakness<'_>, Certainty)>> = BTreeMap::new();
    for dedup in facts.barriers() {
        let Some(store) = dedup.recorded_in() else { continue };
        let Some(weakness) = weakness(facts, store) else { continue };
        if let Some(certainty) = stake(facts, dedup, store, weakness) {
            by_store.entry(store).or_default().push((dedup, weakness, certainty));
        }
    }
    by_store.into_iter().filter_map(|(store, found)| report(facts, store, &found)).collect()
}

#[derive(Clone, Copy)]
enum Weakness<'a> {
    Forgets,
    Lags(Stated<'a>),
    Loses(Stated<'a>),
    Disagrees(Stated<'a>),
}

fn weakness<'a>(facts: &Facts<'a>, store: NodeId) -> Option<Weakness<'a>> {
    if facts.topology().node(store).kind == ElementKind::Cache {
        return Some(Weakness::Forgets);
    }
    let says = |key, words: &[&str]| {
        let stated = facts.cascade().node(store, key).given();
        stated.filter(|stated| words.iter().any(|word| stated.setting.says(word)))
    };
    let resolved = says(Key::ConflictPolicy, &["cas", "single-writer"]).is_some();
    if let Some(stated) = says(Key::Model, &WEAK).filter(|_| !resolved) {
        return Some(Weakness::Disagrees(stated));
    }
    says(Key::Replication, &["async"])
        .map(Weakness::Lags)
        .or_else(|| says(Key::Commit, &["relaxed"]).map(Weakness::Loses))
}

/// Whether a repeat that gets through does something again; none if it does not. What is lost together with its key is
/// done again once, and no more.
fn stake(facts: &Facts<'_>, dedup: Dedup<'_>, store: NodeId, weakness: Weakness<'_>) -> Option<Certainty> {
    let together = dedup.atomic() == Some(true) && matches!(weakness, Weakness::Lags(_) | Weakness::Loses(_));
    let own = if together { Repetition::Safe } else { facts.past_barrier(dedup.operation) };
    let below = facts.unprotected(dedup.operation).into_iter();
    let below = below.filter(|(call, _)| !(together && facts.topology().callee_node(*call) == store));
    match below.map(|(_, repetition)| repetition).fold(own, Repetition::max) {
        Repetition::Safe => None,
        Repetition::Unknown => Some(Certainty::Possible),
        Repetition::Unsafe => Some(Certainty::Proved),
    }
}

fn report(facts: &Facts<'_>, store: NodeId, found: &[(Dedup<'_>, Weakness<'_>, Certainty)]) -> Option<Diagnostic> {
    let topology = facts.topology();
    let ((dedup, weakness, certainty), others) = found.split_first()?;
    let name = topology.operation_name(dedup.operation);
    let kept = topology.node_name(store);
    let (why, stated) = match weakness {
        Weakness::Forgets => ("a cache, which may forget them before their window ends", None),
        Weakness::Lags(stated) => ("which loses the last ones at a failover: its copies follow later", Some(*stated)),
        Weakness::Loses(stated) => {
            ("which loses the last ones in a crash: it acknowledges before they are on disk", Some(*stated))
        }
        Weakness::Disagrees(stated) => ("where two repeats at once can both find none", Some(*stated)),
    };
    let span = dedup.field(Key::RecordedIn).map_or(topology.operation(dedup.operation).span, |field| field.span);
    let mut diagnostic =
        Diagnostic::new(span, format!("`{name}` keeps its keys in `{kept}`, {why}")).subject(name.clone());
    diagnostic = diagnostic.subject(kept);
    diagnostic.certainty = *certainty;
    diagnostic.cause = Some(kept.to_owned());
    let step = |subject: &str, span: Span, text: &str| Step {
        subject: subject.to_owned(),
        span,
        text: text.to_owned(),
        value: None,
    };
    let place = stated.and_then(prose::place).unwrap_or(topology.node(store).span);
    diagnostic.witness = vec![
        step(&name, span, "a repeat is stopped by what is found here"),
        step(kept, place, "what is kept here may be gone, or not seen"),
    ];
    if !others.is_empty() {
        diagnostic.consequence = Some(format!("so does {}", prose::count(others.len() as u64, "other operation")));
    }
    diagnostic.help = help(*weakness, kept, &name);
    Some(diagnostic)
}

fn help(weakness: Weakness<'_>, kept: &str, name: &str) -> Vec<String> {
    let first = format!("record the keys where the effect is committed: `recorded-in STORE; atomic` on `{name}`");
    let then = match weakness {
        Weakness::Forgets => format!("or, if `{kept}` keeps all it is given until it expires, declare it as a `store`"),
        Weakness::Lags(_) => format!("or acknowledge only what all copies have: `replication sync` on `{kept}`"),
        Weakness::Loses(_) => format!("or acknowledge only what is on disk: `commit flushed` on `{kept}`"),
        Weakness::Disagrees(_) => format!("or claim a key by comparing and setting: `conflict-policy cas` on `{kept}`"),
    };
    vec![first, then]
}
