//! A caller that gives up while something below it may still happen that is not to happen twice.

use std::collections::VecDeque;

use super::timeout_inversion::{Inversion, inversion};
use crate::analysis::{Effect, EffectSite, Extent, Facts, Repetition};
use crate::diagnostic::{Diagnostic, Measure, Step};
use crate::ids::IdSet;
use crate::metadata::Options;
use crate::model::{CallId, OperationId, Origin};
use crate::rules::prose;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    // What may be repeated is reported as such: there somebody asks again by himself.
    let repeated: IdSet<EffectSite> = facts.exposed().iter().map(|exposed| exposed.site).collect();
    let ways = Ways::of(facts);
    let found = facts.topology().call_ids().filter_map(|call| inversion(facts, call));
    found
        .filter_map(|found| {
            let (way, site) = ways.from(facts, facts.topology().callee(found.call))?;
            (!repeated.contains(&site)).then(|| report(facts, &found, &way, site))
        })
        .collect()
}

/// For each operation that is not to be run twice, the next step to the nearest effect that makes it so.
struct Ways {
    next: Vec<Option<Next>>,
}

#[derive(Clone, Copy)]
enum Next {
    Effect(EffectSite),
    Call(CallId),
}

impl Ways {
    /// Breadth first from the effects against the calls.
    fn of(facts: &Facts<'_>) -> Self {
        let topology = facts.topology();
        let mut next: Vec<Option<Next>> = vec![None; topology.operations.len()];
        let unsafe_to_repeat = |id: OperationId| facts.repetition(id) == Repetition::Unsafe;
        let mut queue = VecDeque::new();
        let mut sites: Vec<EffectSite> =
            facts.effect_sites().filter(|site| facts.effect(*site) == Effect::Repeats).collect();
        sites.sort_by_key(|site| match site {
            EffectSite::Operation(id) => (facts.rank(*id), 0),
            EffectSite::Write(call) => (facts.rank(topology.caller(*call)), facts.rank(topology.callee(*call)) + 1),
        });
        for site in sites {
            let at = match site {
                EffectSite::Operation(id) => id,
                EffectSite::Write(call) if facts.is_made(call) => topology.caller(call),
                EffectSite::Write(_) => continue,
            };
            if let Some(slot @ None) = next.get_mut(at.index()).filter(|_| unsafe_to_repeat(at)) {
                *slot = Some(Next::Effect(site));
                queue.push_back(at);
            }
        }
        while let Some(id) = queue.pop_front() {
            let mut calls: Vec<CallId> = topology.calls_to(id).filter(|call| facts.is_made(*call)).collect();
            calls.sort_by_key(|call| facts.call_rank(*call));
            for call in calls {
                let from = topology.caller(call);
                if let Some(slot @ None) = next.get_mut(from.index()).filter(|_| unsafe_to_repeat(from)) {
                    *slot = Some(Next::Call(call));
                    queue.push_back(from);
                }
            }
        }
        Self { next }
    }

    fn from(&self, facts: &Facts<'_>, mut at: OperationId) -> Option<(Vec<CallId>, EffectSite)> {
        let mut way = Vec::new();
        loop {
            match self.next.get(at.index()).copied().flatten()? {
                Next::Effect(site) => return Some((way, site)),
                Next::Call(call) => {
                    way.push(call);
                    at = facts.topology().callee(call);
                }
            }
        }
    }
}

fn report(facts: &Facts<'_>, found: &Inversion<'_>, way: &[CallId], site: EffectSite) -> Diagnostic {
    let topology = facts.topology();
    let call = topology.call(found.call);
    let (caller, callee) = (topology.operation_name(call.from), topology.operation_name(call.to));
    let effect = match site {
        EffectSite::Operation(id) => topology.operation_name(id),
        EffectSite::Write(call) => prose::call(facts, call),
    };
    let message =
        format!("`{caller}` gives up on `{callee}` after {} and cannot know whether `{effect}` happens", found.limit);
    let span = prose::place(found.stated).unwrap_or(call.span);
    let mut diagnostic = Diagnostic::new(span, message).subject(topology.call_name(found.call));
    if found.stated.origin != Origin::Own {
        diagnostic = diagnostic.label(call.span, "for this call");
    }
    diagnostic.witness = witness(facts, found, way, site);
    diagnostic.path = Some(prose::path(facts, call.from, &[found.call], 0));
    diagnostic.consequence =
        Some("whoever then asks again does it twice, and whoever does not may have lost it".to_owned());
    diagnostic.cause = Some(prose::cause(facts, found.call));
    diagnostic
        .help(format!(
            "let `{callee}` know a repeat: `idempotent by-key {{ window 24h }}` on it, and `key per-request` on `{}`: then asking again is safe",
            prose::call(facts, found.call)
        ))
        .help(format!("or let `{callee}` stop before it, when its caller has gone: `deadline inherited` or `cancels` on it"))
        .help(format!("or take the order now and carry it out later, where one can ask what became of it: `detached` on `{callee}`"))
}

/// The wait that ends, the calls below it, and the effect.
fn witness(facts: &Facts<'_>, found: &Inversion<'_>, way: &[CallId], site: EffectSite) -> Vec<Step> {
    let topology = facts.topology();
    let needed = match found.needed {
        Extent::Finite(needed) => format!("ends here after {}; what is below may take {needed}", found.limit),
        Extent::Unbounded => format!("ends here after {}; what is below may take for ever", found.limit),
    };
    let mut steps = vec![Step {
        subject: topology.call_name(found.call),
        span: prose::place(found.stated).unwrap_or(topology.call(found.call).span),
        text: needed,
        value: Some(Measure::Seconds(found.limit.seconds())),
    }];
    for call in way.iter().filter(|call| !topology.call(**call).implied) {
        let text = format!("runs `{}`, whoever still waits", topology.operation_name(topology.callee(*call)));
        steps.push(Step { subject: topology.call_name(*call), span: topology.call(*call).span, text, value: None });
    }
    let (subject, span) = match site {
        EffectSite::Operation(id) => (topology.operation_name(id), topology.operation(id).span),
        EffectSite::Write(call) => (topology.call_name(call), topology.call(call).span),
    };
    steps.push(Step { subject, span, text: "done twice, it changes something twice".to_owned(), value: None });
    steps
}
