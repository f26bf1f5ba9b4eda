//! What is needed to mend a node needs that node.

use super::circle;
use crate::analysis::{Circle, Facts};
use crate::diagnostic::{Certainty, Diagnostic};
use crate::metadata::Options;
use crate::model::Phase;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let circles = facts.circles(&[Phase::Recovery, Phase::Deploy]);
    circles.iter().filter_map(|found| finding(facts, found)).collect()
}

fn finding(facts: &Facts<'_>, found: &Circle) -> Option<Diagnostic> {
    let (first, others) = found.nodes.split_first()?;
    let name = facts.topology().node_name(*first);
    let around = circle::around(facts, found);
    let (message, certainty) = if others.is_empty() {
        (format!("what is needed to mend `{name}` needs `{name}` itself: {around}"), Certainty::Proved)
    } else if others.iter().any(|other| facts.are_independent(*first, *other)) {
        return None;
    } else {
        (format!("if these fail together, none can be mended: {}", circle::members(facts, found)), Certainty::Possible)
    };
    let mut diagnostic = circle::finding(facts, found, message)?;
    diagnostic.certainty = certainty;
    diagnostic.consequence = Some(format!("while `{name}` is down, the tools that should bring it back are down too"));
    let call = circle::in_phase(facts, found).first().cloned().unwrap_or_default();
    diagnostic.help = vec![
        format!(
            "keep a way in that needs none of them, and say so: `fallback \"break-glass: console and runbook\"` on {call}"
        ),
        "or give the tools what they need for themselves: a copy outside of this circle".to_owned(),
    ];
    if !others.is_empty() {
        diagnostic.help.push("or state that they do not fail together: `independent-of`".to_owned());
    }
    Some(diagnostic)
}
