//! Runs the rules over a topology and makes an outcome of what they say: names and levels are stamped on, what is
//! silenced is marked and stays in, what only repeats another finding is folded under it, and the order is fixed.

mod reach;

use std::collections::HashSet;

use jiff::civil::Date;

use reach::Reach;

use crate::analysis::{Coverage, Facts};
use crate::config::{Config, Setting};
use crate::diagnostic::{Certainty, Diagnostic, Problem};
use crate::metadata::Level;
use crate::model::{Allow, Clients, Loader, Project, Topology, lower};
use crate::rules::{ALL, FAMILIES, Rule, names};
use crate::source::{SourceMap, Span};
use crate::syntax;
use crate::vocabulary::{did_you_mean, suggest};

/// Something found, ready to be reported.
#[derive(Debug)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// How much it matters.
    pub level: Level,
    /// What was found.
    pub diagnostic: Diagnostic,
    /// What keeps it out of the report, if anything does.
    pub hidden: Option<Hidden>,
}

/// Why a finding is not reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// An `allow` in the text, with its reason.
    Allow(Span, String),
    /// Its rule is switched off.
    Off,
    /// Its causes are reported by themselves.
    Folded,
}

/// What was found in one run.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Everything found, hidden or not: worst first, then by place.
    pub findings: Vec<Finding>,
    /// One entry a topology.
    pub topologies: Vec<Summary>,
}

/// What is to be said of a topology as a whole.
#[derive(Debug)]
pub struct Summary {
    /// Its name.
    pub name: String,
    /// Nodes and calls.
    pub size: (usize, usize),
    /// Of how many elements the diagram states what the rules ask for.
    pub coverage: Coverage,
    /// What could not be analysed, and why.
    pub not_analysed: Vec<String>,
}

/// What a run is told apart from the text.
#[derive(Debug)]
pub struct Terms<'a> {
    /// Levels.
    pub config: &'a Config,
    /// The day, for suppressions that end.
    pub today: Date,
    /// The table of client defaults.
    pub clients: &'a Clients,
}

impl Outcome {
    /// The findings that are reported.
    pub fn shown(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.hidden.is_none())
    }

    /// How many reported findings have a level.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        self.shown().filter(|finding| finding.level == level).count()
    }
}

/// Lints projects that `loader` has read.
#[must_use]
pub fn lint(loader: &Loader<'_>, projects: &[Project], terms: &Terms<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    for project in projects {
        let (topology, problems) = lower(loader, project, terms.clients);
        let text_problems = files_of(loader, project).flat_map(|file| file.problems.iter().cloned());
        let facts = Facts::new(&topology, terms.clients);
        let run = Run { sources: &loader.sources, topology: &topology, terms };
        let mut findings = run.findings(&facts, text_problems.chain(problems));
        let suppressions = run.suppress(&mut findings);
        findings.extend(suppressions);
        fold(&mut findings);
        outcome.findings.extend(findings);
        outcome.topologies.push(Summary {
            name: topology.name.clone(),
            size: (topology.nodes.len(), topology.calls.iter().filter(|call| !call.implied).count()),
            coverage: facts.coverage(),
            not_analysed: facts.not_analysed(),
        });
    }
    // A file of two topologies says the same in both.
    let mut seen = HashSet::new();
    outcome.findings.retain(|finding| {
        seen.insert((finding.rule.name, finding.diagnostic.primary.span, finding.diagnostic.message.clone()))
    });
    outcome.findings.sort_by_cached_key(|finding| {
        let span = finding.diagnostic.primary.span;
        (
            std::cmp::Reverse(finding.level),
            loader.sources.name(span).to_owned(),
            span,
            finding.rule.name,
            finding.diagnostic.message.clone(),
        )
    });
    outcome
}

fn files_of<'a>(loader: &'a Loader<'_>, project: &'a Project) -> impl Iterator<Item = &'a crate::model::File> {
    let included = project.includes.values().flatten();
    std::iter::once(&project.root).chain(included).filter_map(|path| loader.loaded(path).ok())
}

/// An `allow` that counts.
struct Silencer<'a> {
    allow: &'a Allow,
    /// The rule or family.
    name: &'a str,
    used: bool,
}

impl Silencer<'_> {
    fn names(&self, rule: &Rule) -> bool {
        self.name == rule.name || self.name == rule.family
    }
}

struct Run<'a> {
    sources: &'a SourceMap,
    topology: &'a Topology,
    terms: &'a Terms<'a>,
}

impl Run<'_> {
    fn findings(&self, facts: &Facts<'_>, problems: impl Iterator<Item = Problem>) -> Vec<Finding> {
        let mut findings: Vec<Finding> =
            problems.filter_map(|problem| Some(self.stamp(Rule::named(problem.rule)?, problem.diagnostic))).collect();
        for rule in &ALL {
            let Some(check) = rule.check else { continue };
            let mut causes = HashSet::new();
            // One cause, one finding.
            let found = check(facts)
                .into_iter()
                .filter(|diagnostic| diagnostic.cause.clone().is_none_or(|cause| causes.insert(cause)));
            findings.extend(found.map(|diagnostic| self.stamp(rule, diagnostic)));
        }
        findings
    }

    /// The level of the rule, capped by how certain the finding is.
    fn stamp(&self, rule: &'static Rule, diagnostic: Diagnostic) -> Finding {
        let config = self.terms.config;
        let cap: Setting = match diagnostic.certainty {
            Certainty::Proved => Some(Level::Error),
            Certainty::Possible => config.unstated,
            Certainty::Heuristic => Some(Level::Info),
        };
        let level = config.level(rule).0.zip(cap).map(|(level, cap)| level.min(cap));
        Finding {
            rule,
            level: level.unwrap_or(Level::Info),
            diagnostic,
            hidden: level.is_none().then_some(Hidden::Off),
        }
    }

    /// Marks what an `allow` silences; says which of them are wrong, past their day, or silence nothing. What is said
    /// of suppressions can itself be suppressed.
    fn suppress(&self, findings: &mut [Finding]) -> Vec<Finding> {
        let mut said = Vec::new();
        let mut valid: Vec<Silencer<'_>> = Vec::new();
        for allow in &self.topology.allows {
            let name = self.sources.text(allow.rule).trim_matches('"');
            let rule = Rule::named(name);
            if rule.is_none() && !FAMILIES.iter().any(|(family, _)| *family == name) {
                said.extend(self.say("unknown-rule", unknown_rule(allow, name)));
            } else if let Some((day, place)) = allow.until.filter(|(day, _)| *day < self.terms.today) {
                said.extend(self.say("expired-allow", expired(allow, name, day, place)));
            } else {
                valid.push(Silencer { allow, name, used: false });
            }
        }
        let of_suppressions =
            |silencer: &Silencer<'_>| ALL.iter().any(|rule| rule.family == "suppression" && silencer.names(rule));
        let (mut later, mut first): (Vec<_>, Vec<_>) = valid.into_iter().partition(of_suppressions);
        self.silence(findings, &mut first);
        said.extend(self.unused(&first));
        self.silence(&mut said, &mut later);
        said.extend(self.unused(&later));
        said
    }

    /// Hides what is silenced by the innermost `allow` that covers it.
    fn silence(&self, findings: &mut [Finding], silencers: &mut [Silencer<'_>]) {
        if silencers.is_empty() {
            return;
        }
        let allows: Vec<&Allow> = silencers.iter().map(|silencer| silencer.allow).collect();
        let reach = Reach::of(self.topology, &allows);
        for finding in findings {
            let covering = reach.covering(self.topology, &finding.diagnostic).into_iter();
            let speaking =
                covering.filter(|index| silencers.get(*index).is_some_and(|silencer| silencer.names(finding.rule)));
            let innermost = speaking.min_by_key(|index| allows.get(*index).map_or(0, |allow| allow.inside.len()));
            let Some(silencer) = innermost.and_then(|index| silencers.get_mut(index)) else { continue };
            silencer.used = true;
            let reason = silencer.allow.reason.map_or("", |reason| self.sources.text(reason));
            let hidden = Hidden::Allow(silencer.allow.span, syntax::unescape(reason).into_owned());
            finding.hidden = finding.hidden.take().or(Some(hidden));
        }
    }

    /// What silences nothing. One statement may be read for several nodes: it is used if it is for one of them. Of
    /// rules that are off nothing is known.
    fn unused(&self, silencers: &[Silencer<'_>]) -> Vec<Finding> {
        let used: HashSet<Span> =
            silencers.iter().filter(|silencer| silencer.used).map(|silencer| silencer.allow.span).collect();
        let mut seen = HashSet::new();
        let on = |silencer: &&Silencer<'_>| {
            ALL.iter().any(|rule| silencer.names(rule) && self.terms.config.level(rule).0.is_some())
        };
        let unused = silencers.iter().filter(on).filter(|silencer| !used.contains(&silencer.allow.span));
        let mut unused: Vec<&Silencer<'_>> = unused.filter(|silencer| seen.insert(silencer.allow.span)).collect();
        unused.sort_by_key(|silencer| silencer.allow.span);
        unused
            .into_iter()
            .filter_map(|silencer| self.say("unused-allow", silences_nothing(silencer.allow, silencer.name)))
            .collect()
    }

    fn say(&self, rule: &str, diagnostic: Diagnostic) -> Option<Finding> {
        Some(self.stamp(Rule::named(rule)?, diagnostic))
    }
}

/// A finding whose causes are all reported by other rules only repeats them.
fn fold(findings: &mut [Finding]) {
    let reported: HashSet<(String, &str)> = findings
        .iter()
        .filter(|finding| finding.hidden != Some(Hidden::Off))
        .filter_map(|finding| Some((finding.diagnostic.cause.clone()?, finding.rule.name)))
        .collect();
    for finding in
        findings.iter_mut().filter(|finding| finding.hidden.is_none() && !finding.diagnostic.caused_by.is_empty())
    {
        let elsewhere = |cause: &String| {
            ALL.iter().any(|rule| rule.name != finding.rule.name && reported.contains(&(cause.clone(), rule.name)))
        };
        if finding.diagnostic.caused_by.iter().all(elsewhere) {
            finding.hidden = Some(Hidden::Folded);
        }
    }
}

fn unknown_rule(allow: &Allow, name: &str) -> Diagnostic {
    let near = suggest(name, names());
    let diagnostic =
        Diagnostic::new(allow.rule, format!("there is no rule or family `{name}`, so this silences nothing"));
    diagnostic
        .help(did_you_mean(&near).unwrap_or_else(|| "the name of a rule stands in brackets in its finding".to_owned()))
}

fn expired(allow: &Allow, name: &str, day: Date, place: Span) -> Diagnostic {
    Diagnostic::new(place, format!("this suppression of `{name}` ended on {day}"))
        .label(allow.rule, "no longer silenced")
        .help("mend what it silenced, or decide anew and write another day")
}

fn silences_nothing(allow: &Allow, name: &str) -> Diagnostic {
    let edit = crate::diagnostic::Edit { span: allow.span, replacement: String::new() };
    Diagnostic::new(allow.span, format!("nothing here is found by `{name}`, so this suppression silences nothing"))
        .help("remove it")
        .fix("remove it", true, vec![edit])
}
