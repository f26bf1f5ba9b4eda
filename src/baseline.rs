//! Findings that are known and wait: a file with one entry a line, each the fingerprint of one finding, so that an entry
//! hides that finding and no other one, wherever it moves. Sorted, so that a change to it can be read and merged.

mod write;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use indexmap::IndexSet;
use jiff::civil::Date;

use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::lint::{Finding, Hidden, Outcome};
use crate::model::join;
use crate::rules::Rule;
use crate::source::{SourceId, SourceMap, Span};
use crate::vocabulary::{did_you_mean, suggest};
use crate::yaml::{self, Node, Text, Value};

/// The form of the file that is read and written.
const VERSION: &str = "1";

/// What may be said of an entry.
const KEYS: [&str; 5] = ["rule", "about", "fingerprint", "reason", "until"];

/// A baseline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Baseline {
    /// What was linted when it was made, from the project root; if nothing, what the configuration says.
    pub paths: Vec<String>,
    /// By rule, then by what they are about, then by fingerprint.
    pub entries: Vec<Entry>,
}

/// One finding that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The rule: an entry hides nothing of another one.
    pub rule: String,
    /// The element, for people.
    pub about: String,
    /// The identity of the finding, as it is printed.
    pub fingerprint: String,
    /// Why it waits.
    pub reason: Option<String>,
    /// The last day on which it hides anything.
    pub until: Option<Date>,
    /// Where it stands.
    pub place: Span,
}

impl Entry {
    fn key(&self) -> (&str, &str) {
        (&self.rule, &self.fingerprint)
    }
}

/// What became of the entries in one run.
#[derive(Debug, Default)]
pub struct Used<'a> {
    /// Nothing was found that they could hide.
    pub stale: Vec<&'a Entry>,
    /// What they hid is reported again, because their day has passed.
    pub ended: Vec<&'a Entry>,
    /// They hide nothing, because their rule is locked.
    pub locked: Vec<&'a Entry>,
}

impl Baseline {
    /// Reads a baseline; `path` is where it lies, from the project root.
    ///
    /// # Errors
    /// All that is wrong with it, each at its place.
    pub fn read(sources: &SourceMap, id: SourceId, path: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut reader = Reader { path, problems: Vec::new() };
        let baseline = match yaml::read(sources, id, "baseline") {
            Err(problem) => return Err(vec![said(*problem)]),
            Ok(Some(Node { value: Value::Map(entries), span })) => reader.baseline(&entries, span),
            Ok(_) => {
                let problem =
                    Diagnostic::new(Span { source: id, ..Span::default() }, "this is no baseline: it is empty");
                return Err(vec![said(problem)]);
            }
        };
        if reader.problems.is_empty() { Ok(baseline) } else { Err(reader.problems) }
    }

    /// Hides the findings that are known, except those of locked rules, and says what became of the entries.
    pub fn hide(&self, outcome: &mut Outcome, config: &Config, today: Date) -> Used<'_> {
        let known: HashMap<(&str, &str), &Entry> = self.entries.iter().map(|entry| (entry.key(), entry)).collect();
        let mut found = BTreeSet::new();
        let mut used = Used::default();
        for finding in &mut outcome.findings {
            let fingerprint = finding.fingerprint.to_string();
            let Some(entry) = known.get(&(finding.rule.name, fingerprint.as_str())) else { continue };
            found.insert(entry.key());
            if finding.hidden.is_some() {
                continue;
            }
            if config.lock(finding.rule).is_some() {
                used.locked.push(entry);
            } else if let Some(day) = entry.until.filter(|day| *day < today) {
                finding.diagnostic.help.push(format!("its entry in the baseline ended on {day}"));
                used.ended.push(entry);
            } else {
                finding.hidden = Some(Hidden::Baseline(entry.place, entry.reason.clone().unwrap_or_default()));
            }
        }
        used.stale = self.entries.iter().filter(|entry| !found.contains(&entry.key())).collect();
        used
    }

    /// The baseline of an outcome in which this one has hidden what it knows: reasons and days of entries stay. Locked
    /// rules have no entry.
    #[must_use]
    pub fn updated(&self, outcome: &Outcome, config: &Config) -> Self {
        let known: HashMap<(&str, &str), &Entry> = self.entries.iter().map(|entry| (entry.key(), entry)).collect();
        let counts = |finding: &&Finding| {
            matches!(finding.hidden, None | Some(Hidden::Baseline(..))) && config.lock(finding.rule).is_none()
        };
        let entries = outcome.findings.iter().filter(counts).map(|finding| {
            let fingerprint = finding.fingerprint.to_string();
            let known = known.get(&(finding.rule.name, fingerprint.as_str()));
            Entry {
                rule: finding.rule.name.to_owned(),
                about: finding.diagnostic.subjects.first().cloned().unwrap_or_default(),
                reason: known.and_then(|entry| entry.reason.clone()),
                until: known.and_then(|entry| entry.until),
                place: Span::default(),
                fingerprint,
            }
        });
        Self { paths: self.paths.clone(), entries: entries.collect() }.sorted()
    }

    /// This baseline without some of its entries.
    #[must_use]
    pub fn without(&self, gone: &[&Entry]) -> Self {
        let gone: BTreeSet<(&str, &str)> = gone.iter().map(|entry| entry.key()).collect();
        let kept = self.entries.iter().filter(|entry| !gone.contains(&entry.key()));
        Self { paths: self.paths.clone(), entries: kept.cloned().collect() }.sorted()
    }

    /// The entries that hide more than `base` does: those that are new, and those that end later or no longer end.
    #[must_use]
    pub fn relaxed_since<'a>(&'a self, base: &Self) -> Vec<&'a Entry> {
        let known: BTreeMap<(&str, &str), Option<Date>> =
            base.entries.iter().map(|entry| (entry.key(), entry.until)).collect();
        let last = |until: Option<Date>| until.unwrap_or(Date::MAX);
        let hides_more = |entry: &&Entry| known.get(&entry.key()).is_none_or(|until| last(entry.until) > last(*until));
        self.entries.iter().filter(hides_more).collect()
    }

    fn sorted(mut self) -> Self {
        self.entries.sort();
        self.entries.dedup_by(|later, first| later.key() == first.key());
        self
    }
}

struct Reader<'a> {
    path: &'a str,
    problems: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn baseline(&mut self, entries: &[(Text, Node)], span: Span) -> Baseline {
        let mut baseline = Baseline::default();
        let version = entries.iter().find(|(key, _)| key.text == "version");
        match version.map(|(key, value)| (key, &value.value)) {
            Some((_, Value::Text(version))) if version == VERSION => {}
            Some((key, Value::Text(version))) => {
                let message =
                    format!("this baseline is of version {version}, and this topolint reads version {VERSION}");
                self.problems.push(said(Diagnostic::new(key.span, message)));
                return baseline;
            }
            _ => {
                self.wrong(span, "this is no baseline: it has no `version`");
                return baseline;
            }
        }
        if entries.iter().all(|(key, _)| key.text != "findings") {
            self.wrong(span, "this baseline ends before its `findings`");
        }
        for (key, value) in entries {
            match (key.text.as_str(), &value.value) {
                ("version", _) => {}
                ("paths", Value::List(items)) if items.is_empty() => {
                    let problem = Diagnostic::new(value.span, "`paths` names nothing");
                    let help = "name what was checked, or leave `paths` out: then it is what `topolint check` checks without a path";
                    self.problems.push(problem.help(help));
                }
                ("paths", Value::List(items)) => baseline.paths = self.paths(items),
                ("findings", Value::List(items)) => {
                    baseline.entries = items.iter().filter_map(|item| self.entry(item)).collect();
                }
                ("paths" | "findings", _) => {
                    self.wrong(value.span, format!("`{}` takes a list, not {}", key.text, value.kind()));
                }
                (word, _) => self.unknown(word, key.span, &["version", "paths", "findings"]),
            }
        }
        self.twice(&mut baseline);
        baseline.sorted()
    }

    /// Two sides that merged may have added the same entry; what differs is for people to decide.
    fn twice(&mut self, baseline: &mut Baseline) {
        let mut first: HashMap<(&str, &str), &Entry> = HashMap::new();
        for entry in &baseline.entries {
            let other = *first.entry(entry.key()).or_insert(entry);
            if (&other.reason, other.until) != (&entry.reason, entry.until) {
                let message = format!("this finding of `{}` stands here twice, and differs", entry.rule);
                let problem = Diagnostic::new(entry.place, message).label(other.place, "first here");
                self.problems.push(problem.help("keep one of the two lines"));
            }
        }
    }

    fn paths(&mut self, items: &[Node]) -> Vec<String> {
        // What is named twice means nothing more.
        let mut paths = IndexSet::new();
        for item in items {
            match &item.value {
                Value::Text(text) => match join(self.path, text) {
                    Some(path) => drop(paths.insert(path)),
                    None => self.wrong(item.span, format!("`{text}` leaves the project")),
                },
                _ => self.wrong(item.span, format!("`paths` takes paths, not {}", item.kind())),
            }
        }
        paths.into_iter().collect()
    }

    fn entry(&mut self, item: &Node) -> Option<Entry> {
        let Value::Map(pairs) = &item.value else {
            self.wrong(item.span, format!("an entry is a mapping, not {}", item.kind()));
            return None;
        };
        let before = self.problems.len();
        let mut entry = Entry { place: item.span, ..Entry::default() };
        for (key, value) in pairs {
            let Value::Text(text) = &value.value else {
                self.wrong(value.span, format!("`{}` takes one value, not {}", key.text, value.kind()));
                continue;
            };
            entry.place = entry.place.to(value.span);
            self.value(&mut entry, key, value.span, text);
        }
        for (name, value) in [("rule", &entry.rule), ("fingerprint", &entry.fingerprint)] {
            if value.is_empty() && before == self.problems.len() {
                self.wrong(item.span, format!("this entry has no `{name}`"));
            }
        }
        (before == self.problems.len()).then_some(entry)
    }

    fn value(&mut self, entry: &mut Entry, key: &Text, span: Span, text: &str) {
        match key.text.as_str() {
            "rule" => {
                if Rule::named(text).is_none() {
                    let near = suggest(text, crate::rules::ALL.iter().map(|rule| rule.name));
                    let help = did_you_mean(&near).unwrap_or_else(|| UPDATE.to_owned());
                    self.problems.push(Diagnostic::new(span, format!("there is no rule `{text}`")).help(help));
                }
                text.clone_into(&mut entry.rule);
            }
            "about" => text.clone_into(&mut entry.about),
            "fingerprint" => {
                if text.len() != 32 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
                    self.wrong(span, format!("`{text}` is no fingerprint: 32 hexadecimal digits"));
                }
                text.clone_into(&mut entry.fingerprint);
            }
            "reason" => entry.reason = Some(text.to_owned()).filter(|reason| !reason.is_empty()),
            "until" => {
                entry.until = text.parse().ok();
                if entry.until.is_none() {
                    let problem = Diagnostic::new(span, format!("`{text}` is no day"));
                    self.problems.push(problem.help("write it as 2027-03-31"));
                }
            }
            word => self.unknown(word, key.span, &KEYS),
        }
    }

    fn unknown(&mut self, word: &str, span: Span, known: &[&str]) {
        let near = suggest(word, known.iter().copied());
        let help = did_you_mean(&near).unwrap_or_else(|| format!("it takes `{}`", known.join("`, `")));
        self.problems.push(Diagnostic::new(span, format!("a baseline has no `{word}` here")).help(help));
    }

    fn wrong(&mut self, span: Span, message: impl Into<String>) {
        self.problems.push(said(Diagnostic::new(span, message)));
    }
}

const UPDATE: &str = "bring back the last version that was right and run `topolint baseline update`";

/// A problem with the way out.
fn said(mut problem: Diagnostic) -> Diagnostic {
    problem.help.clear();
    problem.help(format!("{UPDATE}, or write it anew with `topolint baseline create --force`"))
}
