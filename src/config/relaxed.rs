//! What one configuration lets pass that another one does not: a change to the gate is itself to be reviewed.

use std::collections::{BTreeMap, BTreeSet};

use super::file::Override;
use super::{Config, Effective, Setting, level_name};
use crate::rules::{ALL, FAMILIES, Rule};
use crate::source::Span;

/// Something that was reported, and is now less loud or not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relaxation {
    /// One phrase: "`missing-timeout` is `off`, was `error`".
    pub what: String,
    /// Where the configuration says so, if it does: what was there before may be gone.
    pub place: Option<Span>,
}

impl Config {
    /// What this configuration lets pass and `base` does not. Overrides count apart from what holds everywhere; an
    /// option that changes is named, for nobody knows in which direction it is looser.
    #[must_use]
    pub fn relaxed_since(&self, base: &Self) -> Vec<Relaxation> {
        let mut found = levels(&self.everywhere(), &base.everywhere());
        found.extend(self.overrides_since(base));
        found.extend(options(&self.everywhere(), &base.everywhere()));
        found.extend(self.unlocked_since(base));
        found.extend(self.unread_since(base));
        let looser = |config: &Self| config.fail_on().map_or(2, |word| rank(&word.text));
        if looser(self) > looser(base) {
            let (now, before) = (written(self.fail_on()), written(base.fail_on()));
            found.push(said(format!("`fail-on` is `{now}`, was `{before}`"), self.fail_on().map(|word| word.span)));
        }
        if let Some(baseline) = self.baseline().filter(|_| base.baseline().is_none()) {
            found.push(said(format!("`{}` is a new baseline", baseline.text), Some(baseline.span)));
        }
        found
    }

    fn overrides_since(&self, base: &Self) -> Vec<Relaxation> {
        let everywhere = self.everywhere();
        let known: BTreeSet<(Vec<&str>, &str, Setting)> = base.overrides().flat_map(quieter).collect();
        let mut found = Vec::new();
        for entry in self.overrides() {
            let paths: Vec<&str> = entry.files.iter().map(|pattern| pattern.written.as_str()).collect();
            let files = paths.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ");
            for key in quieter(entry).filter(|key| !known.contains(key)) {
                let (_, name, level) = key;
                let place = entry.layer.levels.get(name).or(entry.layer.unstated.as_ref()).map(|(_, place)| *place);
                let rules = ALL.iter().filter(|rule| rule.name == name || rule.family == name);
                let is_looser = |rule: &Rule| level < everywhere.level(rule).0;
                if name == UNSTATED && level < everywhere.cap().0 || { rules }.any(is_looser) {
                    found.push(said(format!("`{name}` is `{}` in {files}", level_name(level)), place));
                }
            }
            let changed =
                |key: &(&'static str, String)| !base.overrides().any(|entry| entry.layer.options.contains_key(key));
            for (key, (_, place)) in entry.layer.options.iter().filter(|(key, _)| changed(key)) {
                found.push(said(format!("the option `{}.{}` is another one in {files}", key.0, key.1), Some(*place)));
            }
        }
        found
    }

    fn overrides(&self) -> impl Iterator<Item = &Override> {
        self.files.iter().flat_map(|file| &file.overrides)
    }

    fn unlocked_since(&self, base: &Self) -> Vec<Relaxation> {
        let locked = base.files.iter().flat_map(|file| file.locked.keys());
        let names: BTreeSet<&String> = locked
            .filter(|name| {
                let mut rules = ALL.iter().filter(|rule| rule.name == **name || rule.family == **name);
                rules.any(|rule| self.lock(rule).is_none())
            })
            .collect();
        names.into_iter().map(|name| said(format!("`{name}` is no longer locked"), None)).collect()
    }

    fn unread_since(&self, base: &Self) -> Vec<Relaxation> {
        let known: BTreeSet<&str> = base.exclude().iter().map(|pattern| pattern.path.as_str()).collect();
        let new = self.exclude().iter().filter(|pattern| !known.contains(pattern.path.as_str()));
        let mut found: Vec<Relaxation> =
            new.map(|pattern| said(format!("`{}` is excluded", pattern.written), Some(pattern.span))).collect();
        let paths =
            |config: &Self| config.include().map(|list| list.iter().map(|pattern| pattern.path.clone()).collect());
        let (now, before): (Option<BTreeSet<String>>, Option<BTreeSet<String>>) = (paths(self), paths(base));
        let gone = |now: &BTreeSet<String>| before.as_ref().is_none_or(|before| !before.is_subset(now));
        if now.as_ref().is_some_and(gone) {
            let place = self.include().and_then(|list| list.first()).map(|pattern| pattern.span);
            found.push(said("`include` leaves out what was linted".to_owned(), place));
        }
        found
    }
}

const UNSTATED: &str = "unstated";

/// What an override says of levels: its files, the name, the level.
fn quieter(entry: &Override) -> impl Iterator<Item = (Vec<&str>, &str, Setting)> {
    let unstated = entry.layer.unstated.iter().map(|(level, _)| (UNSTATED, *level));
    let levels = entry.layer.levels.iter().map(|(name, (level, _))| (name.as_str(), *level));
    let paths = || entry.files.iter().map(|pattern| pattern.path.as_str()).collect();
    unstated.chain(levels).map(move |(name, level)| (paths(), name, level))
}

fn said(what: String, place: Option<Span>) -> Relaxation {
    Relaxation { what, place }
}

/// Rules that are quieter; those that one statement makes quieter are one.
fn levels(now: &Effective<'_>, before: &Effective<'_>) -> Vec<Relaxation> {
    let level = |view: &Effective<'_>, rule: &Rule| view.level(rule).0.filter(|_| view.selection(rule).0);
    // Seen without reading the page of every rule.
    let is_left = |rule: &&Rule| {
        now.leaves_level(rule) && before.leaves_level(rule) && now.selection(rule).0 == before.selection(rule).0
    };
    let mut found: BTreeMap<(Option<Span>, Setting, Setting), Vec<&Rule>> = BTreeMap::new();
    for rule in ALL.iter().filter(|rule| !is_left(rule)) {
        let (is, was) = (level(now, rule), level(before, rule));
        if is < was {
            let place = if now.selection(rule).0 { now.level(rule).1 } else { now.selection(rule).1 };
            found.entry((place, is, was)).or_default().push(rule);
        }
    }
    let mut all: Vec<Relaxation> = found
        .into_iter()
        .map(|((place, is, was), rules)| {
            let (is, was) = (level_name(is), level_name(was));
            match rules.as_slice() {
                [rule] => said(format!("`{}` is `{is}`, was `{was}`", rule.name), place),
                rules => said(format!("{} are `{is}`, were `{was}`", several(rules)), place),
            }
        })
        .collect();
    let ((is, place), (was, _)) = (now.cap(), before.cap());
    if is < was {
        all.push(said(format!("`{UNSTATED}` is `{}`, was `{}`", level_name(is), level_name(was)), place));
    }
    all
}

fn several(rules: &[&Rule]) -> String {
    let family = rules.first().map_or("", |rule| rule.family);
    let shared = rules.iter().all(|rule| rule.family == family) && FAMILIES.iter().any(|(name, _)| *name == family);
    let names = rules.iter().map(|rule| format!("`{}`", rule.name)).collect::<Vec<_>>().join(", ");
    if shared {
        format!("{} rules of `{family}` ({names})", rules.len())
    } else {
        format!("{} rules ({names})", rules.len())
    }
}

fn options(now: &Effective<'_>, before: &Effective<'_>) -> Vec<Relaxation> {
    let set = ALL.iter().filter(|rule| !now.leaves_options(rule) || !before.leaves_options(rule));
    let all = set.flat_map(|rule| rule.page().options.iter().map(move |option| (rule, option)));
    let changed = all.filter(|(rule, option)| {
        let value = |view: &Effective<'_>| {
            view.option(rule, &option.name).map_or(option.default.clone(), |(value, _)| value.clone())
        };
        value(now) != value(before)
    });
    changed
        .map(|(rule, option)| {
            let what = format!("the option `{}.{}` is another one", rule.name, option.name);
            said(what, now.option_place(rule, &option.name))
        })
        .collect()
}

/// The later, the looser.
fn rank(word: &str) -> usize {
    ["info", "warn", "error", "never"].iter().position(|known| word.ends_with(known)).unwrap_or(2)
}

fn written(word: Option<&crate::yaml::Text>) -> &str {
    word.map_or("error", |word| &word.text)
}
