//! What people configure in `topolint.yaml`: levels per rule and family, and how loud what is unstated may be. Read
//! with byte spans, so that a mistake is shown at its place. The only place that names the YAML reader with spans.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_saphyr::Spanned;

use crate::diagnostic::{Diagnostic, Edit};
use crate::metadata::Level;
use crate::rules::{FAMILIES, Rule, names};
use crate::source::{SourceId, SourceMap, Span};
use crate::vocabulary::{did_you_mean, suggest};

/// The level at which something is reported, `None` for not at all.
pub type Setting = Option<Level>;

/// A configuration that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Levels by rule or family, and where they are set.
    levels: BTreeMap<String, (Setting, Option<Span>)>,
    /// The highest level of what depends on something unstated.
    pub unstated: Setting,
}

impl Default for Config {
    fn default() -> Self {
        Self { levels: BTreeMap::new(), unstated: Some(Level::Warn) }
    }
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// All that is wrong with it, each with its place.
    pub fn read(sources: &SourceMap, id: SourceId) -> Result<Self, Vec<Diagnostic>> {
        let text = sources.get(id).map_or("", |source| source.text.as_str());
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let file: Option<Entries> = serde_saphyr::from_str(text).map_err(|error| vec![unreadable(&error, text, id)])?;
        let mut reader = Reader { id, config: Self::default(), problems: Vec::new() };
        for (key, value) in file.map_or(Vec::new(), |entries| entries.0) {
            reader.entry(&key, value);
        }
        if reader.problems.is_empty() { Ok(reader.config) } else { Err(reader.problems) }
    }

    /// Sets the level of a rule or family, as a flag does.
    pub fn set(&mut self, name: &str, level: Setting) {
        self.levels.insert(name.to_owned(), (level, None));
    }

    /// The level of a rule before certainty counts, and where it is set: its own, else that of its family, else the
    /// one on its page.
    #[must_use]
    pub fn level(&self, rule: &Rule) -> (Setting, Option<Span>) {
        let stated = self.levels.get(rule.name).or_else(|| self.levels.get(rule.family));
        stated.copied().unwrap_or_else(|| (Some(rule.page().level), None))
    }
}

/// A mapping, in written order, with the place of each key.
struct Entries(Vec<(Spanned<String>, Value)>);

/// A level as written; none where nothing is.
type Written = Option<Spanned<String>>;

enum Value {
    Scalar(Written),
    Map(Vec<(Spanned<String>, Written)>),
    Other,
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Top;
        impl<'de> Visitor<'de> for Top {
            type Value = Entries;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a mapping with `rules` and `unstated`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(key) = map.next_key::<Spanned<String>>()? {
                    let value = match key.value.as_str() {
                        "rules" => {
                            Value::Map(map.next_value::<Option<Levels>>()?.map_or(Vec::new(), |levels| levels.0))
                        }
                        "unstated" => Value::Scalar(map.next_value()?),
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            Value::Other
                        }
                    };
                    entries.push((key, value));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Top)
    }
}

struct Levels(Vec<(Spanned<String>, Written)>);

impl<'de> Deserialize<'de> for Levels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rules;
        impl<'de> Visitor<'de> for Rules {
            type Value = Levels;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a mapping from rules or families to levels")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Levels, A::Error> {
                let mut levels = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    levels.push(entry);
                }
                Ok(Levels(levels))
            }
        }
        deserializer.deserialize_map(Rules)
    }
}

struct Reader {
    id: SourceId,
    config: Config,
    problems: Vec<Diagnostic>,
}

impl Reader {
    fn entry(&mut self, key: &Spanned<String>, value: Value) {
        match value {
            Value::Map(levels) => {
                for (name, level) in levels {
                    self.rule(&name, level);
                }
            }
            Value::Scalar(level) => {
                if let Some(level) = self.level(key, level) {
                    self.config.unstated = level;
                }
            }
            Value::Other => {
                let near = suggest(&key.value, ["rules", "unstated"]);
                let problem = Diagnostic::new(self.span(key), format!("there is no setting `{}`", key.value));
                self.problems.push(
                    problem.help(
                        did_you_mean(&near).unwrap_or_else(|| "the settings are `rules` and `unstated`".to_owned()),
                    ),
                );
            }
        }
    }

    fn rule(&mut self, name: &Spanned<String>, level: Written) {
        let span = self.span(name);
        if Rule::named(&name.value).is_none() && !FAMILIES.iter().any(|(family, _)| *family == name.value) {
            let near = suggest(&name.value, names());
            let mut problem = Diagnostic::new(span, format!("there is no rule or family `{}`", name.value));
            problem = problem.help(
                did_you_mean(&near)
                    .unwrap_or_else(|| "`topolint explain FAMILY` lists the rules of a family".to_owned()),
            );
            if let [only] = near.as_slice() {
                problem =
                    problem.fix(format!("write `{only}`"), false, vec![Edit { span, replacement: (*only).to_owned() }]);
            }
            self.problems.push(problem);
            return;
        }
        if let Some(level) = self.level(name, level) {
            self.config.levels.insert(name.value.clone(), (level, Some(span)));
        }
    }

    fn level(&mut self, key: &Spanned<String>, level: Written) -> Option<Setting> {
        let Some(level) = level else {
            let problem = Diagnostic::new(self.span(key), format!("`{}` needs a level", key.value));
            self.problems.push(problem.help("the levels are `error`, `warn`, `info` and `off`"));
            return None;
        };
        let read = read_level(&level.value);
        if read.is_none() {
            let near = suggest(&level.value, ["error", "warn", "info", "off"]);
            let problem = Diagnostic::new(self.span(&level), format!("`{}` is no level", level.value));
            let question = did_you_mean(&near).map_or(String::new(), |question| format!("{question} "));
            self.problems.push(problem.help(format!("{question}the levels are `error`, `warn`, `info` and `off`")));
        }
        read
    }

    fn span<T>(&self, spanned: &Spanned<T>) -> Span {
        span_of(spanned.referenced, self.id)
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

/// Some errors of the reader come without a length, some without byte offsets; the line is always known.
fn span_of(location: serde_saphyr::Location, id: SourceId) -> Span {
    let start = location.span().byte_offset().and_then(|offset| u32::try_from(offset).ok()).unwrap_or(0);
    let length = location.span().byte_len().and_then(|length| u32::try_from(length).ok()).unwrap_or(0);
    Span { source: id, start, end: start.saturating_add(length) }
}

fn unreadable(error: &serde_saphyr::Error, text: &str, id: SourceId) -> Diagnostic {
    let error = error.without_snippet();
    let span = error.location().map_or(Span { source: id, ..Span::default() }, |location| {
        if location.span().byte_offset().is_some() {
            span_of(location, id)
        } else {
            let line = usize::try_from(location.line()).unwrap_or(1).saturating_sub(1);
            let start = text.split_inclusive('\n').take(line).map(str::len).sum::<usize>();
            let start = u32::try_from(start).unwrap_or(u32::MAX);
            Span { source: id, start, end: start }
        }
    });
    let message = error.to_string();
    // What follows speaks to people who write code against the reader.
    let first = message.lines().next().unwrap_or_default().trim_start_matches("error: ");
    let first = [" at line", ", set ", "; use "].iter().fold(first, |text, end| text.split(end).next().unwrap_or(text));
    Diagnostic::new(span, format!("this is no configuration: {first}"))
        .help("`rules:` takes one `rule: level` a line; `unstated:` takes a level")
}
