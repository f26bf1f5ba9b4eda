//! Runs the rules over a topology and makes an outcome of what they say: names and levels are stamped on, what is
//! silenced is marked and stays in, what only repeats another finding is folded under it, and the order is fixed.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;

use crate::analysis::{Coverage, Facts};
use crate::config::{Config, Setting};
use crate::diagnostic::{Certainty, Diagnostic, Problem};
use crate::metadata::Level;
use crate::model::{Allow, Clients, Loader, Owner, Project, ScopeId, Topology, lower};
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

    /// Marks what an `allow` silences; says which of them are wrong, past their day, or silence nothing.
    fn suppress(&self, findings: &mut [Finding]) -> Vec<Finding> {
        let mut said = Vec::new();
        let mut valid: HashMap<&str, Vec<(&Allow, bool)>> = HashMap::new();
        for allow in &self.topology.allows {
            let name = self.sources.text(allow.rule).trim_matches('"');
            let rule = Rule::named(name);
            if rule.is_none() && !FAMILIES.iter().any(|(family, _)| *family == name) {
                said.extend(self.say("unknown-rule", unknown_rule(allow, name)));
            } else if let Some((day, place)) = allow.until.filter(|(day, _)| *day < self.terms.today) {
                said.extend(self.say("expired-allow", expired(allow, name, day, place)));
            } else {
                valid.entry(name).or_default().push((allow, false));
            }
        }
        if !valid.is_empty() {
            for finding in findings.iter_mut().filter(|finding| finding.hidden.is_none()) {
                for name in [finding.rule.name, finding.rule.family] {
                    let Some(allows) = valid.get_mut(name) else { continue };
                    // The innermost that covers it has silenced it.
                    let covering = allows.iter_mut().filter(|(allow, _)| self.covers(allow, &finding.diagnostic));
                    if let Some((allow, used)) = covering.min_by_key(|(allow, _)| allow.inside.len()) {
                        *used = true;
                        let reason = allow
                            .reason
                            .map_or(String::new(), |reason| syntax::unescape(self.sources.text(reason)).into_owned());
                        finding.hidden = finding.hidden.take().or(Some(Hidden::Allow(allow.span, reason)));
                    }
                }
            }
        }
        let mut unused: Vec<(&Allow, &str)> = Vec::new();
        for (name, allows) in &valid {
            let mut meant = ALL.iter().filter(|rule| rule.name == *name || rule.family == *name);
            let off = meant.all(|rule| self.terms.config.level(rule).0.is_none());
            unused.extend(allows.iter().filter(|(_, used)| !used && !off).map(|(allow, _)| (*allow, *name)));
        }
        unused.sort_by_key(|(allow, _)| allow.span);
        said.extend(
            unused.into_iter().filter_map(|(allow, name)| self.say("unused-allow", silences_nothing(allow, name))),
        );
        said
    }

    fn say(&self, rule: &str, diagnostic: Diagnostic) -> Option<Finding> {
        Some(self.stamp(Rule::named(rule)?, diagnostic))
    }

    /// Whether an `allow` speaks of a finding: it is written inside, or about an element that belongs to its element.
    fn covers(&self, allow: &Allow, diagnostic: &Diagnostic) -> bool {
        if allow.owner == Owner::Topology || allow.inside.contains(diagnostic.primary.span) {
            return true;
        }
        let Some(subject) = diagnostic.subjects.first() else { return false };
        let source = subject.split("->").next().unwrap_or(subject);
        let operation = self.topology.operation_named(source);
        let node = operation.map(|id| self.topology.operation(id).node).or_else(|| self.topology.node_named(source));
        let Some(node) = node else { return false };
        match allow.owner {
            Owner::Topology => true,
            Owner::Operation(owner) => Some(owner) == operation,
            Owner::Node(owner) => owner == node,
            Owner::Scope(owner) => self.scopes(self.topology.node(node).scope).any(|scope| scope == owner),
            Owner::Call(owner) => {
                diagnostic.cause.as_ref().is_some_and(|cause| *cause == self.topology.call_identity(owner))
            }
        }
    }

    fn scopes(&self, from: ScopeId) -> impl Iterator<Item = ScopeId> + '_ {
        std::iter::successors(Some(from), |id| self.topology.scope(*id).parent)
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
