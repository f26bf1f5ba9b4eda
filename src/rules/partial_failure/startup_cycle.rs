//! Nodes that wait for each other before they have started.

use super::circle;
use crate::analysis::Facts;
use crate::diagnostic::Diagnostic;
use crate::metadata::Options;
use crate::model::Phase;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let circles = facts.circles(&[Phase::Startup]);
    let found = circles.iter().filter_map(|found| {
        let members = circle::members(facts, found);
        let message = match found.nodes.as_slice() {
            [_] if !members.contains(", ") => format!("{members} cannot start: it needs itself for that"),
            _ => format!("none of these can start first: {members}"),
        };
        let mut diagnostic = circle::finding(facts, found, message)?;
        diagnostic.consequence = Some("if all are down at once, none of them comes up again by itself".to_owned());
        let calls = circle::in_phase(facts, found);
        diagnostic.help = vec![
            format!(
                "let one of them start with what it knows: `fallback \"the configuration of the last start\"` on {}",
                calls.first().cloned().unwrap_or_default()
            ),
            "or do after the start what is not needed for it: `->>`, or a call in `phase request`".to_owned(),
        ];
        Some(diagnostic)
    });
    found.collect()
}
