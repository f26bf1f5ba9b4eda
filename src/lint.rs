//! Runs the rules over a topology and makes an outcome of what they say: names and levels are stamped on, what is
//! silenced is marked and stays in, what only repeats another finding is folded under it, and the order is fixed.

mod fingerprint;
mod reach;

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use indexmap::IndexSet;
use jiff::civil::Date;

pub use fingerprint::Fingerprint;
use fingerprint::Stamp;
use reach::Reach;

use crate::analysis::{Coverage, Facts, Gap};
use crate::config::{Config, Effective, Setting};
use crate::diagnostic::{Because, Certainty, Diagnostic, Problem};
use crate::metadata::{Level, Options};
use crate::model::{Allow, Clients, Loader, Owner, Project, Topology, lower};
use crate::parallel;
use crate::rules::{ALL, FAMILIES, Rule, names};
use crate::source::{SourceId, SourceMap, Span};
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
    pub diagnostic: Box<Diagnostic>,
    /// What keeps it out of the report, if anything does.
    pub hidden: Option<Hidden>,
    /// Which finding it is, through every change that does not concern it.
    pub fingerprint: Fingerprint,
    /// The reported findings of other rules that it follows from.
    pub caused_by: Vec<Fingerprint>,
}

/// Why a finding is not reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// An `allow` in the text, with its reason.
    Allow(Span, String),
    /// Its rule is switched off.
    Off,
    /// Its rule is not selected.
    NotSelected,
    /// Its causes are reported by themselves.
    Folded,
    /// An entry of the baseline, with its reason.
    Baseline(Span, String),
    /// What it is compared with has it too.
    Old,
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
    pub not_analysed: Vec<Gap>,
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

impl Finding {
    /// Whether it is not asked for.
    fn is_unwanted(&self) -> bool {
        matches!(self.hidden, Some(Hidden::Off | Hidden::NotSelected))
    }
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

/// Lints projects that `loader` has read. The trees of their files are let go as soon as topologies are made of them;
/// who asks for one later has it read again.
#[must_use]
pub fn lint(loader: &mut Loader<'_>, projects: &[Project], terms: &Terms<'_>) -> Outcome {
    let mut pass = Pass::of(loader, terms);
    let Some((last, others)) = projects.split_last() else { return pass.outcome(loader) };
    for project in others {
        let lowered = lower(loader, project, terms.clients);
        pass = pass.lint(loader, project, lowered, |pass| pass);
    }
    let lowered = lower(loader, last, terms.clients);
    let trees = loader.let_go_of_trees();
    parallel::aside(|| drop(trees));
    pass.lint(loader, last, lowered, |pass| pass.outcome(loader))
}

/// Lints projects whose facts are there already: each with what is to be said beside what its rules find, and whether
/// the rules of changes have spoken.
pub(crate) fn lint_known<'a, 'b: 'a>(
    loader: &Loader<'_>,
    projects: impl Iterator<Item = (&'a Project, &'a Facts<'b>, Vec<Problem>)>,
    terms: &Terms<'_>,
    compared: bool,
) -> Outcome {
    let mut pass = Pass::of(loader, terms);
    projects.for_each(|(project, facts, problems)| pass.add(loader, project, facts, problems, compared));
    pass.outcome(loader)
}

/// Lints a project whose facts are there already, with what is wrong with its text.
#[must_use]
pub fn lint_facts(
    loader: &Loader<'_>,
    project: &Project,
    facts: &Facts<'_>,
    problems: Vec<Problem>,
    terms: &Terms<'_>,
) -> Outcome {
    let mut pass = Pass::of(loader, terms);
    pass.add(loader, project, facts, problems, false);
    pass.outcome(loader)
}

/// What is found in a topology, and what is to be said of it as a whole.
type Found = (Vec<Finding>, Summary);

/// What is found so far.
struct Pass<'a> {
    terms: &'a Terms<'a>,
    views: Views<'a>,
    drafts: Vec<Draft>,
    topologies: Vec<Summary>,
}

impl<'a> Pass<'a> {
    fn of(loader: &Loader<'_>, terms: &'a Terms<'a>) -> Self {
        Self { terms, views: Views::of(loader, terms.config), drafts: Vec::new(), topologies: Vec::new() }
    }

    /// Lints a project and goes on. To take apart what was known of a large topology takes as long as to put in order
    /// what was found.
    fn lint<R: Send>(
        mut self,
        loader: &Loader<'_>,
        project: &Project,
        (topology, problems): (Topology, Vec<Problem>),
        then: impl FnOnce(Self) -> R + Send,
    ) -> R {
        let facts = Facts::new(&topology, self.terms.clients);
        let found = self.found(loader, project, &facts, problems, false);
        let keep = || {
            self.keep(found);
            then(self)
        };
        let (result, ()) = parallel::both(keep, || drop(facts));
        parallel::aside(|| drop(topology));
        result
    }

    fn add(
        &mut self,
        loader: &Loader<'_>,
        project: &Project,
        facts: &Facts<'_>,
        problems: Vec<Problem>,
        compared: bool,
    ) {
        let found = self.found(loader, project, facts, problems, compared);
        self.keep(found);
    }

    fn found(
        &self,
        loader: &Loader<'_>,
        project: &Project,
        facts: &Facts<'_>,
        problems: Vec<Problem>,
        compared: bool,
    ) -> Found {
        let topology = facts.topology();
        let text_problems = loader.files_of(project).flat_map(|file| file.problems.iter().cloned());
        let sources = &loader.sources;
        let in_force = self.views.in_force(loader.files_of(project).map(|file| file.source));
        let run = Run { sources, topology, terms: self.terms, views: &self.views, in_force, compared };
        let problems = text_problems.chain(problems).collect();
        let (mut findings, (coverage, not_analysed)) = parallel::both(
            || run.findings(facts, problems),
            || {
                // What takes longest is begun first: rules would wait for it.
                let _ = facts.pools();
                (facts.coverage(), facts.not_analysed())
            },
        );
        let suppressions = run.suppress(&mut findings);
        findings.extend(suppressions);
        let summary = Summary {
            name: topology.name.clone(),
            size: (topology.nodes.len(), topology.calls.iter().filter(|call| !call.implied).count()),
            coverage,
            not_analysed,
        };
        (findings, summary)
    }

    fn keep(&mut self, (mut findings, summary): Found) {
        let first = self.drafts.len();
        let causes = fold(&mut findings);
        self.drafts.extend(findings.into_iter().zip(causes).enumerate().map(|(index, (finding, causes))| Draft {
            number: first + index,
            finding,
            causes: causes.into_iter().map(|cause| first + cause).collect(),
        }));
        self.topologies.push(summary);
    }

    fn outcome(self, loader: &Loader<'_>) -> Outcome {
        Outcome { findings: settle(loader, self.drafts), topologies: self.topologies }
    }
}

/// A finding that has no fingerprint yet.
struct Draft {
    number: usize,
    finding: Finding,
    /// The numbers of the findings that it follows from.
    causes: Vec<usize>,
}

/// Puts all findings in order and gives them their fingerprints.
fn settle(loader: &Loader<'_>, mut drafts: Vec<Draft>) -> Vec<Finding> {
    let mut names: Vec<(&str, SourceId)> =
        loader.sources.iter().map(|(id, source)| (source.name.as_str(), id)).collect();
    names.sort_unstable();
    let ranks: HashMap<SourceId, usize> = names.iter().enumerate().map(|(rank, (_, id))| (*id, rank)).collect();
    drafts.sort_by_cached_key(|Draft { finding, .. }| {
        let span = finding.diagnostic.primary.span;
        let rank = ranks.get(&span.source).copied();
        (rank, span, finding.rule.name, finding.diagnostic.message.clone(), finding.hidden.is_some())
    });
    // A file of two topologies says the same in both; what is hidden in one of them only is not hidden.
    let mut stands_for: HashMap<usize, usize> = HashMap::new();
    drafts.dedup_by(|later, first| {
        let key = |draft: &Draft| (draft.finding.rule.name, draft.finding.diagnostic.primary.span);
        let same = key(later) == key(first) && later.finding.diagnostic.message == first.finding.diagnostic.message;
        same && stands_for.insert(later.number, first.number).is_none()
    });
    let mut stamp = Stamp::new(loader, drafts.iter().map(|draft| &*draft.finding.diagnostic));
    let firsts =
        parallel::map_in_chunks(&drafts, |Draft { finding, .. }| stamp.first(finding.rule, &finding.diagnostic));
    let mut fingerprints: HashMap<usize, Fingerprint> = HashMap::new();
    for (draft, first) in drafts.iter_mut().zip(firsts) {
        draft.finding.fingerprint = stamp.next(first, draft.finding.rule, &draft.finding.diagnostic);
        fingerprints.insert(draft.number, draft.finding.fingerprint);
    }
    let settled = drafts.into_iter().map(|Draft { mut finding, causes, .. }| {
        let causes = causes.iter().map(|cause| stands_for.get(cause).unwrap_or(cause));
        finding.caused_by = causes.filter_map(|cause| fingerprints.get(cause).copied()).collect();
        finding
    });
    let mut findings: Vec<Finding> = settled.collect();
    findings.sort_by_cached_key(|finding| Reverse(finding.level));
    findings
}

/// An `allow` that counts.
struct Silencer<'a> {
    allow: &'a Allow,
    /// The rule or family.
    name: &'a str,
    used: bool,
    /// Where a rule is locked that it would silence.
    locked: Option<Span>,
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
    views: &'a Views<'a>,
    /// The views of the files of the topology.
    in_force: Vec<usize>,
    /// Whether what has changed is known, so that the rules of changes have spoken.
    compared: bool,
}

/// What is in force in each file: the one in which a finding stands decides.
struct Views<'a> {
    /// Each once; the first holds where no override says anything else.
    all: Vec<Effective<'a>>,
    by_file: HashMap<SourceId, usize>,
}

/// The options of a rule in the files of a topology: each once, and which of them each view has.
struct Variants {
    options: Vec<Options>,
    of_view: HashMap<usize, usize>,
}

impl<'a> Views<'a> {
    fn of(loader: &Loader<'_>, config: &'a Config) -> Self {
        let mut all = IndexSet::from([config.everywhere()]);
        let by_file = loader.paths().map(|(path, file)| (file.source, all.insert_full(config.at(path)).0)).collect();
        Self { all: all.into_iter().collect(), by_file }
    }

    fn number(&self, span: Span) -> usize {
        self.by_file.get(&span.source).copied().unwrap_or(0)
    }

    #[allow(clippy::indexing_slicing, reason = "numbers are made by the column they index, and there is a first")]
    fn at(&self, span: Span) -> &Effective<'a> {
        &self.all[self.number(span)]
    }

    /// The views of these files, the one that holds elsewhere first.
    fn in_force(&self, files: impl Iterator<Item = SourceId>) -> Vec<usize> {
        let mut numbers: Vec<usize> = files.filter_map(|file| self.by_file.get(&file).copied()).chain([0]).collect();
        // In order, so that the same input gives the same report.
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    fn variants(&self, rule: &Rule, in_force: &[usize]) -> Variants {
        let mut variants = Variants { options: Vec::new(), of_view: HashMap::new() };
        let counted = if rule.has_options() { in_force } else { in_force.get(..1).unwrap_or_default() };
        for number in counted.iter().copied() {
            let Some(options) = self.all.get(number).map(|view| view.options(rule)) else { continue };
            let known = variants.options.iter().position(|known| *known == options);
            variants.of_view.insert(number, known.unwrap_or(variants.options.len()));
            if known.is_none() {
                variants.options.push(options);
            }
        }
        variants
    }
}

impl Run<'_> {
    fn findings(&self, facts: &Facts<'_>, problems: Vec<Problem>) -> Vec<Finding> {
        let written = problems.into_iter();
        let mut findings: Vec<Finding> =
            written.filter_map(|problem| Some(self.stamp(Rule::named(problem.rule)?, problem.diagnostic))).collect();
        let by_rule = parallel::map(ALL.as_slice(), |rule| self.found_by(rule, facts));
        findings.reserve_exact(by_rule.iter().map(Vec::len).sum());
        findings.extend(by_rule.into_iter().flatten());
        findings
    }

    fn found_by(&self, rule: &'static Rule, facts: &Facts<'_>) -> Vec<Finding> {
        let Some(check) = rule.check else { return Vec::new() };
        let mut findings = Vec::new();
        let mut causes = HashSet::new();
        let variants = self.views.variants(rule, &self.in_force);
        for (number, options) in variants.options.iter().enumerate() {
            let here = |diagnostic: &Diagnostic| {
                let view = self.views.number(diagnostic.primary.span);
                variants.options.len() == 1 || variants.of_view.get(&view) == Some(&number)
            };
            // One cause, one finding.
            let found = check(facts, options)
                .into_iter()
                .filter(here)
                .filter(|diagnostic| diagnostic.cause.clone().is_none_or(|cause| causes.insert(cause)));
            findings.extend(found.map(|diagnostic| self.stamp(rule, diagnostic)));
        }
        findings
    }

    /// The level of the rule, capped by how certain the finding is.
    fn stamp(&self, rule: &'static Rule, diagnostic: Diagnostic) -> Finding {
        let view = self.views.at(diagnostic.primary.span);
        let cap: Setting = match diagnostic.certainty {
            Certainty::Proved => Some(Level::Error),
            Certainty::Possible => view.unstated(rule).0,
            Certainty::Heuristic => Some(Level::Info),
        };
        let capped = |level: Level| cap.map_or(level, |cap| level.min(cap));
        let level = view.level(rule).0;
        let hidden = match (view.selection(rule).0, level.zip(cap)) {
            (false, _) => Some(Hidden::NotSelected),
            (true, None) => Some(Hidden::Off),
            (true, Some(_)) => None,
        };
        Finding {
            rule,
            level: capped(level.unwrap_or(rule.page().level)),
            diagnostic: Box::new(diagnostic),
            hidden,
            fingerprint: Fingerprint::default(),
            caused_by: Vec::new(),
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
                valid.push(Silencer { allow, name, used: false, locked: None });
            }
        }
        if !self.terms.config.allows {
            return said;
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
        // Of those that say the same at one place, the first or the last counts.
        let mut ends: HashMap<(&str, Span, Owner), [usize; 2]> = HashMap::new();
        for (index, silencer) in silencers.iter().enumerate() {
            let place = (silencer.name, silencer.allow.inside, silencer.allow.owner);
            ends.entry(place).or_insert([index; 2])[1] = index;
        }
        let mut counted: Vec<usize> = ends.into_values().flatten().collect();
        counted.sort_unstable();
        counted.dedup();
        let allows = counted.iter().filter_map(|index| Some(silencers.get(*index)?.allow));
        let allows: Vec<&Allow> = allows.collect();
        let reach = Reach::of(self.topology, &allows);
        for finding in findings {
            let covering = reach.covering(self.topology, &finding.diagnostic).into_iter();
            let covering = covering.filter_map(|index| counted.get(index).copied());
            let speaking =
                covering.filter(|index| silencers.get(*index).is_some_and(|silencer| silencer.names(finding.rule)));
            let innermost =
                speaking.min_by_key(|index| silencers.get(*index).map_or(0, |silencer| silencer.allow.inside.len()));
            let Some(silencer) = innermost.and_then(|index| silencers.get_mut(index)) else { continue };
            if let Some(lock) = self.terms.config.lock(finding.rule) {
                silencer.locked = Some(lock);
                continue;
            }
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
        let spoke = |rule: &Rule| self.terms.config.runs(rule) && (self.compared || rule.family != "change");
        let on = |silencer: &&Silencer<'_>| ALL.iter().any(|rule| silencer.names(rule) && spoke(rule));
        let unused = silencers.iter().filter(on).filter(|silencer| !used.contains(&silencer.allow.span));
        let mut unused: Vec<&Silencer<'_>> = unused.filter(|silencer| seen.insert(silencer.allow.span)).collect();
        unused.sort_by_key(|silencer| silencer.allow.span);
        unused.into_iter().filter_map(|silencer| self.say("unused-allow", self.silences_nothing(silencer))).collect()
    }

    fn silences_nothing(&self, silencer: &Silencer<'_>) -> Diagnostic {
        let (span, name) = (silencer.allow.span, silencer.name);
        let problem = match silencer.locked {
            Some(lock) => {
                let position = self.sources.position(lock);
                let message = format!("`{name}` is locked by the configuration, so this suppression silences nothing");
                let place = format!("{}:{}:{}", self.sources.name(lock), position.line, position.column);
                Diagnostic::new(span, message).help(format!("mend what it would silence; the lock stands at {place}"))
            }
            None => Diagnostic::new(
                span,
                format!("nothing here is found by `{name}`, so this suppression silences nothing"),
            ),
        };
        let edit = crate::diagnostic::Edit { span, replacement: String::new() };
        problem.help("remove it").fix("remove it", true, vec![edit])
    }

    fn say(&self, rule: &str, diagnostic: Diagnostic) -> Option<Finding> {
        Some(self.stamp(Rule::named(rule)?, diagnostic))
    }
}

/// A finding whose causes are all reported by other rules only repeats them. For each finding, which ones it follows
/// from.
fn fold(findings: &mut [Finding]) -> Vec<Vec<usize>> {
    let mut reported: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, finding) in findings.iter().enumerate().filter(|(_, finding)| !finding.is_unwanted()) {
        if let Some(cause) = &finding.diagnostic.cause {
            reported.entry(cause).or_default().push(index);
        }
    }
    let said = |because: &Because| {
        let found = reported.get(because.cause.as_str()).into_iter().flatten().copied();
        let by = |index: &usize| findings.get(*index).is_some_and(|other| because.rules.contains(&other.rule.name));
        found.filter(by).collect::<Vec<usize>>()
    };
    let causes = |finding: &Finding| finding.diagnostic.caused_by.iter().map(said).collect();
    let causes: Vec<Vec<Vec<usize>>> = findings.iter().map(causes).collect();
    for (finding, causes) in findings.iter_mut().zip(&causes) {
        if finding.hidden.is_none() && !causes.is_empty() && causes.iter().all(|cause| !cause.is_empty()) {
            finding.hidden = Some(Hidden::Folded);
        }
    }
    causes.into_iter().map(|causes| causes.concat()).collect()
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
