//! The rules that look at a change itself: each compares what holds of an element that is on both sides, however it came
//! to hold. Their pages are in `rules/change`.

mod crossed_zone;
mod lowered_redundancy;
mod new_hard_dependency;
mod removed_bound;
mod weakened_consistency;

use super::difference::Difference;
use super::gate;
use crate::analysis::Facts;
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Problem};
use crate::metadata::Options;
use crate::model::Stated;
use crate::rules::Rule;
use crate::source::{SourceMap, Span};

/// Both sides, for a rule.
struct Sides<'a, 'f> {
    base: &'a Facts<'f>,
    head: &'a Facts<'f>,
    found: &'a Difference,
    sources: &'a SourceMap,
}

type Check = fn(&Sides<'_, '_>, &Options) -> Vec<Diagnostic>;

/// What looks for what the rules of the family find.
const CHECKS: &[(&str, Check)] = &[
    ("crossed-zone", crossed_zone::check),
    ("lowered-redundancy", lowered_redundancy::check),
    ("new-hard-dependency", new_hard_dependency::check),
    ("removed-bound", removed_bound::check),
    ("weakened-consistency", weakened_consistency::check),
];

/// What is to be said of the change of one topology.
pub(super) fn problems<'f>(
    base: &Facts<'f>,
    head: &Facts<'f>,
    found: &Difference,
    sources: &SourceMap,
    config: &Config,
) -> Vec<Problem> {
    let sides = Sides { base, head, found, sources };
    let mut problems = gate::allows(base.topology(), head.topology(), &found.naming, sources);
    for (name, check) in CHECKS {
        let options = Rule::named(name).map(|rule| config.options(rule)).unwrap_or_default();
        problems.extend(check(&sides, &options).into_iter().map(|diagnostic| Problem::new(name, diagnostic)));
    }
    problems
}

impl Sides<'_, '_> {
    /// A statement as it was written before.
    fn written(&self, stated: Stated<'_>) -> String {
        super::written(self.sources, stated.setting.span)
    }
}

/// Where what is stated now stands; if nothing is, the element.
fn place(stated: Option<Stated<'_>>, element: Span) -> Span {
    stated.filter(|stated| stated.setting.span != Span::default()).map_or(element, |stated| stated.setting.span)
}
