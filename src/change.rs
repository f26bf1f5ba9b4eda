//! What a change does: two versions of the same topologies, linted whole, and what is not on both sides. Findings are
//! subtracted by fingerprint, elements by name, and every new finding is traced to the edit that it comes from.

mod cause;
mod difference;
mod elements;
mod findings;
mod gate;
mod numbers;
mod pairs;
mod picture;
mod renames;
mod rules;

pub use cause::Cause;
pub use difference::{AttributeEdit, Edit, Fate};
pub use findings::{New, Worse};
pub use numbers::{EntryChange, Numbers, TriesChange};
pub use picture::{DrawnCall, DrawnNode, Mark, Picture};

use std::collections::HashMap;

use crate::analysis::Facts;
use crate::baseline::Baseline;
use crate::config::Config;
use crate::diagnostic::Problem;
use crate::lint::{Finding, Hidden, Outcome, Terms, lint_known};
use crate::model::{Loader, Project, Topology, lower};
use crate::parallel;
use crate::source::SourceMap;

use cause::Causes;
use difference::{Difference, difference};

/// One version.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// The files that were read. Those of base have read theirs after those of head, into the same texts.
    pub loader: &'a Loader<'a>,
    /// The topologies.
    pub projects: &'a [Project],
    /// Its own configuration; both sides are linted with that of head.
    pub config: &'a Config,
    /// Its own baseline; that of head hides on both sides.
    pub baseline: Option<&'a Baseline>,
}

/// What is different between two versions.
#[derive(Debug)]
pub struct Comparison {
    /// Each topology that is on either side.
    pub topologies: Vec<TopologyChange>,
    /// All that is found in head.
    pub outcome: Outcome,
    /// All that was found in base.
    pub before: Outcome,
    /// What is found in head only.
    pub new: Vec<New>,
    /// What is found on both sides, and is worse now.
    pub worse: Vec<Worse>,
    /// What was found in base only, by its place in `before`.
    pub fixed: Vec<usize>,
    /// How many findings of head were there before.
    pub old: usize,
    /// How many statements of base could not be read.
    pub unread: usize,
}

/// What became of one topology.
#[derive(Debug)]
pub struct TopologyChange {
    /// Its name.
    pub name: String,
    /// Elements that are not what they were.
    pub edits: Vec<Edit>,
    /// Where requests come in, with the numbers before and after.
    pub entries: Vec<EntryChange>,
    /// Operations that are tried more or less often.
    pub tries: Vec<TriesChange>,
    /// The part that the edits concern.
    pub picture: Picture,
}

impl TopologyChange {
    /// Whether anything is different.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        !self.edits.is_empty() || !self.tries.is_empty() || self.entries.iter().any(EntryChange::is_changed)
    }
}

/// Compares two versions.
#[must_use]
pub fn compare(base: Side<'_>, head: Side<'_>, terms: &Terms<'_>) -> Comparison {
    let sources = &base.loader.sources;
    let ((old, old_problems), (new, mut problems)) = parallel::both(|| lowered(base, terms), || lowered(head, terms));
    let nothing = Topology::default();
    let mut differences: Vec<(Difference, Option<usize>, Option<usize>)> = Vec::new();
    for (before, after) in pairs::pairs(&old, base.projects, &new, head.projects) {
        let one = before.and_then(|index| old.get(index)).unwrap_or(&nothing);
        let other = after.and_then(|index| new.get(index)).unwrap_or(&nothing);
        differences.push((difference(one, other, sources), before, after));
    }
    // What is worked out for the numbers is there for the rules.
    let (old_facts, new_facts) = (facts(&old, terms), facts(&new, terms));
    let no_facts = Facts::new(&nothing, terms.clients);
    let mut topologies = Vec::new();
    for (found, before, after) in &differences {
        let one = before.and_then(|index| old_facts.get(index)).unwrap_or(&no_facts);
        let other = after.and_then(|index| new_facts.get(index)).unwrap_or(&no_facts);
        let (change, said) = parallel::both(
            || changed(one, other, found, if after.is_some() { other } else { one }),
            || match (before, after) {
                (Some(_), Some(_)) => rules::problems(one, other, found, sources, terms.config),
                _ => Vec::new(),
            },
        );
        topologies.push(change);
        if let Some(problems) = after.and_then(|index| problems.get_mut(index)) {
            problems.extend(said);
        }
    }
    if let (Some(first), false) = (problems.first_mut(), base.projects.is_empty()) {
        first.extend(gate::configuration(base, head));
    }
    let of_base = base.projects.iter().zip(&old_facts).zip(old_problems).map(flat);
    let of_head = head.projects.iter().zip(&new_facts).zip(problems).map(flat);
    let (mut before, mut outcome) = parallel::both(
        || lint_known(base.loader, of_base, terms, false),
        || lint_known(head.loader, of_head, terms, true),
    );
    if let Some(baseline) = head.baseline {
        for side in [&mut before, &mut outcome] {
            let _ = baseline.hide(side, terms.config, terms.today);
        }
    }
    let subtracted = || {
        let nothing = Topology::default();
        let head = |after: &Option<usize>| after.and_then(|index| new.get(index)).unwrap_or(&nothing);
        let causes: Vec<Causes<'_>> =
            differences.iter().map(|(found, _, after)| Causes::of(&found.edits, head(after))).collect();
        let names: Vec<_> = differences.iter().map(|(found, ..)| &found.naming).collect();
        findings::subtract(topologies, before, outcome, &causes, &names)
    };
    let (comparison, ()) = parallel::both(subtracted, || drop((old_facts, new_facts)));
    parallel::aside(|| drop((old, new, differences)));
    comparison
}

impl Comparison {
    /// Only what is new is reported, with what it comes from; the rest is marked as old.
    #[must_use]
    pub fn since(mut self) -> Outcome {
        let new: HashMap<usize, &New> = self.new.iter().map(|new| (new.finding, new)).collect();
        for (index, finding) in self.outcome.findings.iter_mut().enumerate() {
            match new.get(&index) {
                // What a rule says of the change itself needs no further cause.
                Some(new) if finding.rule.family != "change" => {
                    let consequence = finding.diagnostic.consequence.take();
                    let said = consequence.into_iter().chain([new.origin()]).collect::<Vec<_>>();
                    finding.diagnostic.consequence = Some(said.join("; "));
                }
                None if finding.hidden.is_none() => finding.hidden = Some(Hidden::Old),
                _ => {}
            }
        }
        self.outcome
    }

    /// The new findings with what they come from, worst first.
    pub fn new_findings(&self) -> impl Iterator<Item = (&Finding, &New)> {
        self.new.iter().filter_map(|new| Some((self.outcome.findings.get(new.finding)?, new)))
    }

    /// What is found no more.
    pub fn fixed_findings(&self) -> impl Iterator<Item = &Finding> {
        self.fixed.iter().filter_map(|index| self.before.findings.get(*index))
    }
}

fn changed(base: &Facts<'_>, head: &Facts<'_>, found: &Difference, named: &Facts<'_>) -> TopologyChange {
    TopologyChange {
        name: named.topology().name.clone(),
        entries: numbers::entries(base, head, &found.operations),
        tries: numbers::tries(base, head, &found.operations),
        picture: picture::picture(base.topology(), head.topology(), found),
        edits: found.edits.clone(),
    }
}

/// The topologies of a version, and what is wrong with each.
fn lowered(side: Side<'_>, terms: &Terms<'_>) -> (Vec<Topology>, Vec<Vec<Problem>>) {
    side.projects.iter().map(|project| lower(side.loader, project, terms.clients)).unzip()
}

fn facts<'a>(topologies: &'a [Topology], terms: &Terms<'a>) -> Vec<Facts<'a>> {
    topologies.iter().map(|topology| Facts::new(topology, terms.clients)).collect()
}

fn flat<A, B, C>(((one, other), third): ((A, B), C)) -> (A, B, C) {
    (one, other, third)
}

/// Where a text is named that no place points into.
fn start_of(topology: Option<&Project>, side: Side<'_>) -> crate::source::Span {
    let file = topology.and_then(|project| side.loader.loaded(&project.root).ok());
    file.map_or_else(Default::default, |file| crate::source::Span { source: file.source, start: 0, end: 0 })
}

/// Words of a text, for rules.
fn written(sources: &SourceMap, span: crate::source::Span) -> String {
    sources.text(span).split_whitespace().collect::<Vec<_>>().join(" ")
}
