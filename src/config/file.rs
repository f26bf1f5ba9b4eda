//! `topolint.yaml`, read with byte spans, so that a mistake is shown at its place. The only place that names the YAML
//! reader with spans.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_saphyr::Spanned;

use super::{Config, Setting, enter, read_level};
use crate::diagnostic::Diagnostic;
use crate::source::{SourceId, SourceMap, Span};
use crate::vocabulary::{did_you_mean, suggest};

/// What can be set.
const KEYS: [&str; 5] = ["select", "ignore", "levels", "unstated", "options"];

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
}

/// A mapping, in written order, with the place of each key.
struct Entries(Vec<(Spanned<String>, Value)>);

/// A scalar as written; none where nothing is.
type Written = Option<Spanned<String>>;

enum Value {
    Names(Key, Vec<Spanned<String>>),
    Levels(Vec<(Spanned<String>, Written)>),
    Unstated(Written),
    Options(Vec<(Spanned<String>, Option<Pairs<Written>>)>),
    Unknown,
}

#[derive(Clone, Copy)]
enum Key {
    Select,
    Ignore,
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Top;
        impl<'de> Visitor<'de> for Top {
            type Value = Entries;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "a mapping with `{}`", KEYS.join("`, `"))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(key) = map.next_key::<Spanned<String>>()? {
                    let value = value(&key.value, &mut map)?;
                    entries.push((key, value));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Top)
    }
}

fn value<'de, A: MapAccess<'de>>(key: &str, map: &mut A) -> Result<Value, A::Error> {
    Ok(match key {
        "select" => Value::Names(Key::Select, map.next_value::<Option<_>>()?.unwrap_or_default()),
        "ignore" => Value::Names(Key::Ignore, map.next_value::<Option<_>>()?.unwrap_or_default()),
        "levels" => Value::Levels(map.next_value::<Option<Pairs<_>>>()?.map_or(Vec::new(), |levels| levels.0)),
        "unstated" => Value::Unstated(map.next_value()?),
        "options" => Value::Options(map.next_value::<Option<Pairs<_>>>()?.map_or(Vec::new(), |options| options.0)),
        _ => {
            map.next_value::<IgnoredAny>()?;
            Value::Unknown
        }
    })
}

/// A mapping in written order.
struct Pairs<T>(Vec<(Spanned<String>, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Lines<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Lines<T> {
            type Value = Pairs<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a mapping, one entry a line")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<T>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    pairs.push(entry);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Lines(PhantomData))
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
            Value::Names(list, names) => names.iter().for_each(|name| self.name(list, name)),
            Value::Levels(levels) => levels.into_iter().for_each(|(name, level)| self.rule(&name, level)),
            Value::Unstated(level) => {
                if let Some(level) = self.level(key, level) {
                    self.config.unstated = level;
                }
            }
            Value::Options(rules) => {
                for (rule, options) in rules {
                    for (option, value) in options.map_or(Vec::new(), |options| options.0) {
                        self.option(&rule, &option, value);
                    }
                }
            }
            Value::Unknown => self.unknown(key),
        }
    }

    fn unknown(&mut self, key: &Spanned<String>) {
        let near = if key.value == "rules" { vec!["levels"] } else { suggest(&key.value, KEYS) };
        let problem = Diagnostic::new(self.span(key), format!("there is no setting `{}`", key.value));
        let all = || format!("the settings are `{}`", KEYS.join("`, `"));
        self.problems.push(problem.help(did_you_mean(&near).unwrap_or_else(all)));
    }

    fn name(&mut self, list: Key, name: &Spanned<String>) {
        let span = self.span(name);
        if let Err(problem) = enter::known(&name.value, span) {
            self.problems.push(*problem);
            return;
        }
        let names = match list {
            Key::Select => &mut self.config.file.select,
            Key::Ignore => &mut self.config.file.ignore,
        };
        names.insert(name.value.clone(), span);
    }

    fn rule(&mut self, name: &Spanned<String>, level: Written) {
        let span = self.span(name);
        if let Err(problem) = enter::known(&name.value, span) {
            self.problems.push(*problem);
        } else if let Some(level) = self.level(name, level) {
            self.config.file.levels.insert(name.value.clone(), (level, span));
        }
    }

    fn option(&mut self, rule: &Spanned<String>, option: &Spanned<String>, value: Written) {
        let (rule_span, option_span) = (self.span(rule), self.span(option));
        let (value, value_span) =
            value.map_or((String::new(), option_span), |value| (value.value.clone(), self.span(&value)));
        let rule = (rule.value.as_str(), rule_span);
        let entered = self.config.file.option(rule, (option.value.as_str(), option_span), (value.as_str(), value_span));
        self.problems.extend(entered.err().map(|problem| *problem));
    }

    fn level(&mut self, of: &Spanned<String>, level: Written) -> Option<Setting> {
        let Some(level) = level else {
            let problem = Diagnostic::new(self.span(of), format!("`{}` needs a level", of.value));
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
        .help("`levels` and `options` take one entry a line, `select` and `ignore` a list, `unstated` a level")
}
