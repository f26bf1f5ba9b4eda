//! Which rules speak, how loud and with which options: flags before `topolint.yaml`, that before the page of the rule.
//! Rules and families share one selection; within one layer a rule beats its family.

mod enter;
mod file;

use std::collections::BTreeMap;

use crate::metadata::{Level, OptionValue, Options};
use crate::rules::Rule;
use crate::source::Span;

pub use enter::Flag;

/// The level at which something is reported, `None` for not at all.
pub type Setting = Option<Level>;

/// What was read, from a file and from flags.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// What is stronger.
    flags: Layer,
    file: Layer,
    /// The highest level of what depends on something unstated.
    pub unstated: Setting,
    /// Whether suppressions in the text count.
    pub allows: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { flags: Layer::default(), file: Layer::default(), unstated: Some(Level::Warn), allows: true }
    }
}

/// What one source says.
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
}

impl Config {
    /// The level of a rule before certainty counts, and where it is set; if nowhere, it is the one on its page.
    #[must_use]
    pub fn level(&self, rule: &Rule) -> (Setting, Option<Span>) {
        let stated = self.layers().find_map(|layer| of(&layer.levels, rule));
        stated.map_or_else(|| (Some(rule.page().level), None), |(level, place)| (*level, Some(*place)))
    }

    /// Whether a rule speaks, and where that is said; if nowhere, it does.
    #[must_use]
    pub fn selection(&self, rule: &Rule) -> (bool, Option<Span>) {
        let said = self.layers().find_map(|layer| layer.selection(rule));
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
        self.layers().find_map(|layer| layer.options.get(&key))
    }

    fn layers(&self) -> impl Iterator<Item = &Layer> {
        [&self.flags, &self.file].into_iter()
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
