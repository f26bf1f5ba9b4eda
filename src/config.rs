//! Which rules speak, how loud and with which options: flags before `topolint.yaml`, that before what it extends, that
//! before the page of the rule. Within one file an override is stronger than what holds for all files; within one layer
//! a rule beats its family. What is locked is never quieter than where it is locked: see [`Config::load`].

mod enter;
mod file;
mod keys;
mod limits;
mod load;
mod locks;
mod pattern;
mod relaxed;

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use crate::metadata::{Level, OptionValue, Options};
use crate::rules::Rule;
use crate::source::Span;
use crate::yaml::Text;

pub use enter::Flag;
use file::Statements;
pub use keys::{KEYS, Key, STARTER, Shape};
pub use pattern::Pattern;
pub use relaxed::Relaxation;

/// The level at which something is reported, `None` for not at all.
pub type Setting = Option<Level>;

/// What was read, from files and from flags.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// What is stronger than all files.
    flags: Layer,
    /// The configuration, then what it extends: what is stronger first.
    files: Vec<Statements>,
    /// Whether suppressions in the text count.
    pub allows: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { flags: Layer::default(), files: Vec::new(), allows: true }
    }
}

/// What one source says of rules.
#[derive(Clone, Debug, Default, PartialEq)]
struct Layer {
    /// By rule or family.
    levels: BTreeMap<String, (Setting, Span)>,
    /// Rules and families that speak; all, if there is none.
    select: BTreeMap<String, Span>,
    /// Rules and families that do not.
    ignore: BTreeMap<String, Span>,
    /// By rule and option.
    options: BTreeMap<(&'static str, String), (OptionValue, Span)>,
    /// The highest level of what depends on something unstated.
    unstated: Option<(Setting, Span)>,
}

/// What is in force for one file, or where no override says anything else.
#[derive(Clone, Debug)]
pub struct Effective<'a> {
    config: &'a Config,
    /// What is stronger first.
    layers: Vec<&'a Layer>,
}

impl PartialEq for Effective<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.places().eq(other.places())
    }
}

impl Eq for Effective<'_> {}

impl Hash for Effective<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.places().for_each(|place| place.hash(state));
    }
}

impl Config {
    /// What is in force where no override says anything else.
    #[must_use]
    pub fn everywhere(&self) -> Effective<'_> {
        let layers = std::iter::once(&self.flags).chain(self.files.iter().map(|file| &file.layer));
        Effective { config: self, layers: layers.collect() }
    }

    /// What is in force for a file, named from the project root.
    #[must_use]
    pub fn at(&self, path: &str) -> Effective<'_> {
        let files = self.files.iter().flat_map(|file| {
            let holds = |entry: &&file::Override| entry.files.iter().any(|pattern| pattern.matches(path));
            let overrides = file.overrides.iter().rev().filter(holds).map(|entry| &entry.layer);
            overrides.chain([&file.layer])
        });
        Effective { config: self, layers: std::iter::once(&self.flags).chain(files).collect() }
    }

    /// What is in force for the files of each override alone, with its patterns.
    pub(crate) fn exceptions(&self) -> impl Iterator<Item = (&[Pattern], Effective<'_>)> {
        self.files.iter().enumerate().flat_map(move |(index, file)| {
            file.overrides.iter().map(move |entry| {
                let mut view = self.everywhere();
                // Behind the flags and the files that are stronger.
                view.layers.insert(index + 1, &entry.layer);
                (entry.files.as_slice(), view)
            })
        })
    }

    /// The patterns that choose files.
    pub fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        let overrides = self.files.iter().flat_map(|file| &file.overrides).flat_map(|entry| &entry.files);
        overrides.chain(self.exclude())
    }

    /// The level of a rule before certainty counts, and where it is set; if nowhere, it is the one on its page.
    #[must_use]
    pub fn level(&self, rule: &Rule) -> (Setting, Option<Span>) {
        self.everywhere().level(rule)
    }

    /// Whether a rule speaks, and where that is said; if nowhere, it does.
    #[must_use]
    pub fn selection(&self, rule: &Rule) -> (bool, Option<Span>) {
        self.everywhere().selection(rule)
    }

    /// Whether a rule is selected and not off.
    #[must_use]
    pub fn runs(&self, rule: &Rule) -> bool {
        self.everywhere().runs(rule)
    }

    /// The options of a rule.
    #[must_use]
    pub fn options(&self, rule: &Rule) -> Options {
        self.everywhere().options(rule)
    }

    /// Where an option is set, if it is.
    #[must_use]
    pub fn option_place(&self, rule: &Rule, name: &str) -> Option<Span> {
        self.everywhere().option_place(rule, name)
    }

    /// What is unstated counts as much as what is proved.
    pub fn strict(&mut self) {
        self.flags.unstated = Some((Some(Level::Error), Span::default()));
    }

    /// Where a rule is locked, if it is.
    #[must_use]
    pub fn lock(&self, rule: &Rule) -> Option<Span> {
        self.files.iter().find_map(|file| of(&file.locked, rule)).copied()
    }

    /// What is linted where no path is named, if that is said.
    #[must_use]
    pub fn include(&self) -> Option<&[Pattern]> {
        self.files.iter().find_map(|file| file.include.as_deref())
    }

    /// What is left out of folders.
    #[must_use]
    pub fn exclude(&self) -> &[Pattern] {
        self.files.iter().find_map(|file| file.exclude.as_deref()).unwrap_or_default()
    }

    /// The lowest level at which the exit code is 1, as it is written, if that is said.
    #[must_use]
    pub fn fail_on(&self) -> Option<&Text> {
        self.files.iter().find_map(|file| file.fail_on.as_ref())
    }

    /// How the report looks, as it is written, if that is said.
    #[must_use]
    pub fn format(&self) -> Option<&Text> {
        self.files.iter().find_map(|file| file.format.as_ref())
    }

    /// The baseline, from the project root, if one is named.
    #[must_use]
    pub fn baseline(&self) -> Option<&Text> {
        self.files.iter().find_map(|file| file.baseline.as_ref())
    }

    /// The files that were read, what is stronger first, each with the statement that brought it in.
    pub fn files(&self) -> impl Iterator<Item = (crate::source::SourceId, Option<Span>)> {
        self.files.iter().map(|file| (file.source, file.extended_at))
    }
}

impl Effective<'_> {
    /// Where its layers lie: what is the same layer holds for both.
    fn places(&self) -> impl Iterator<Item = *const Layer> {
        self.layers.iter().map(|layer| std::ptr::from_ref(*layer))
    }

    /// The level of a rule before certainty counts, and where it is set; if nowhere, it is the one on its page.
    #[must_use]
    pub fn level(&self, rule: &Rule) -> (Setting, Option<Span>) {
        if let Some((level, place)) = of(&self.config.flags.levels, rule) {
            return (*level, Some(*place));
        }
        let page = || (Some(rule.page().level), None);
        let said = |layers: &[&Layer]| {
            let stated = layers.iter().find_map(|layer| of(&layer.levels, rule));
            stated.map_or_else(page, |(level, place)| (*level, Some(*place)))
        };
        self.kept(rule, said(&self.layers), said)
    }

    /// Whether nothing is said of the level of a rule, so that it is the one on its page.
    fn leaves_level(&self, rule: &Rule) -> bool {
        self.layers.iter().all(|layer| of(&layer.levels, rule).is_none()) && self.config.lock(rule).is_none()
    }

    /// Whether nothing is said of the options of a rule.
    fn leaves_options(&self, rule: &Rule) -> bool {
        self.layers.iter().all(|layer| layer.options.keys().all(|(name, _)| *name != rule.name))
    }

    /// The highest level of what a rule finds that depends on something unstated, and where it is set.
    #[must_use]
    pub fn unstated(&self, rule: &Rule) -> (Setting, Option<Span>) {
        if let Some((level, place)) = self.config.flags.unstated {
            return (level, Some(place));
        }
        let said = |layers: &[&Layer]| {
            let stated = layers.iter().find_map(|layer| layer.unstated);
            stated.map_or((Some(Level::Warn), None), |(level, place)| (level, Some(place)))
        };
        self.kept(rule, said(&self.layers), said)
    }

    /// The highest level of what depends on something unstated, where no lock says more.
    #[must_use]
    pub fn cap(&self) -> (Setting, Option<Span>) {
        let stated = self.layers.iter().find_map(|layer| layer.unstated);
        stated.map_or((Some(Level::Warn), None), |(level, place)| (level, Some(place)))
    }

    /// What a locked rule is at least: what holds where it is locked.
    fn kept<'b>(
        &'b self,
        rule: &Rule,
        here: (Setting, Option<Span>),
        said: impl Fn(&[&'b Layer]) -> (Setting, Option<Span>),
    ) -> (Setting, Option<Span>) {
        let files = &self.config.files;
        let locks = files.iter().enumerate().filter_map(|(index, file)| Some((index, *of(&file.locked, rule)?)));
        locks.fold(here, |loudest, (index, lock)| {
            let layers: Vec<&Layer> = files.iter().skip(index).map(|file| &file.layer).collect();
            let (level, place) = said(&layers);
            if level > loudest.0 { (level, place.or(Some(lock))) } else { loudest }
        })
    }

    /// Whether a rule speaks, and where that is said; if nowhere, it does. A locked one does, unless a flag says no.
    #[must_use]
    pub fn selection(&self, rule: &Rule) -> (bool, Option<Span>) {
        let flags = self.config.flags.selection(rule);
        let locked = || self.config.lock(rule).map(|place| (true, place));
        let said = flags.or_else(locked).or_else(|| self.layers.iter().find_map(|layer| layer.selection(rule)));
        said.map_or((true, None), |(speaks, place)| (speaks, Some(place)))
    }

    /// Whether a rule is selected and not off.
    #[must_use]
    pub fn runs(&self, rule: &Rule) -> bool {
        self.selection(rule).0 && self.level(rule).0.is_some()
    }

    /// The options of a rule.
    #[must_use]
    pub fn options(&self, rule: &Rule) -> Options {
        if !rule.has_options() {
            return Options::default();
        }
        let mut options = Options::of(&rule.page().options);
        for option in &rule.page().options {
            if let Some((value, _)) = self.option(rule, &option.name) {
                options.set(&option.name, value.clone());
            }
        }
        options
    }

    /// Where an option is set, if it is.
    #[must_use]
    pub fn option_place(&self, rule: &Rule, name: &str) -> Option<Span> {
        self.option(rule, name).map(|(_, place)| *place)
    }

    fn option(&self, rule: &Rule, name: &str) -> Option<&(OptionValue, Span)> {
        let key = (rule.name, name.to_owned());
        self.layers.iter().find_map(|layer| layer.options.get(&key))
    }
}

impl Layer {
    /// The name of the rule decides before that of its family. What is wrong with the text itself stays selected
    /// unless it is ignored: of what could not be read a selected rule knows nothing.
    fn selection(&self, rule: &Rule) -> Option<(bool, Span)> {
        let named = [rule.name, rule.family].into_iter().find_map(|name| {
            let ignored = self.ignore.get(name).map(|place| (false, *place));
            ignored.or_else(|| self.select.get(name).map(|place| (true, *place)))
        });
        let others = || self.select.values().next().map(|place| (rule.family == "model", *place));
        named.or_else(others)
    }
}

/// What is said of a rule, else of its family.
fn of<'a, T>(said: &'a BTreeMap<String, T>, rule: &Rule) -> Option<&'a T> {
    said.get(rule.name).or_else(|| said.get(rule.family))
}

/// The word for a level.
#[must_use]
pub const fn level_name(level: Setting) -> &'static str {
    match level {
        Some(level) => level.name(),
        None => "off",
    }
}

/// A level as people write it; `off` is none.
#[must_use]
pub fn read_level(word: &str) -> Option<Setting> {
    match word {
        "error" => Some(Some(Level::Error)),
        "warn" => Some(Some(Level::Warn)),
        "info" => Some(Some(Level::Info)),
        "off" => Some(None),
        _ => None,
    }
}
