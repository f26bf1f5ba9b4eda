//! YAML that people write (`topolint.yaml`, baselines), read as a tree in which everything has its place, so that a
//! mistake is shown where it stands. Knows no key. The only place that names the reader with spans.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Options, Spanned};

use crate::diagnostic::Diagnostic;
use crate::source::{SourceId, SourceMap, Span};

/// So many values are read of one text; an entry of a baseline has seven.
const MOST_VALUES: usize = 2_000_000;

/// So many values may stand for others by `*name`: what is written once and read a thousand times costs a thousand times
/// as much.
const MOST_REPEATED: usize = 100_000;

/// One value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// What stands there.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Nothing,
    /// As it is written, without quotes: `off` is no truth value here.
    Text(String),
    /// One after the other.
    List(Vec<Node>),
    /// In written order.
    Map(Vec<(Text, Node)>),
}

/// A word with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// Where it stands.
    pub span: Span,
    /// The word.
    pub text: String,
}

impl Node {
    /// What kind of value it is, for people.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self.value {
            Value::Nothing => "nothing",
            Value::Text(_) => "a single value",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

/// Reads a text; nothing if it says nothing. `what` is what it should be: "configuration".
///
/// # Errors
/// What is wrong with it, at its place.
pub fn read(sources: &SourceMap, id: SourceId, what: &str) -> Result<Option<Node>, Box<Diagnostic>> {
    let text = sources.get(id).map_or("", |source| source.text.as_str());
    if let Some(problem) = conflict(text, id, what) {
        return Err(Box::new(problem));
    }
    if text.trim().is_empty() {
        return Ok(None);
    }
    let read: Result<Option<Spanned<Raw>>, _> = serde_saphyr::from_str_with_options(text, limits());
    let raw = read.map_err(|error| Box::new(unreadable(&error, text, id, what)))?;
    Ok(raw.map(|raw| node(raw, text, id)))
}

fn limits() -> Options {
    serde_saphyr::options! {
        // A list is two events, so there are at most twice as many.
        budget: serde_saphyr::budget! {
            max_nodes: MOST_VALUES, max_events: 2 * MOST_VALUES, max_total_scalar_bytes: usize::MAX,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MOST_REPEATED },
    }
}

/// What is too much of it, if that is why it cannot be read. The reader wraps some of its errors, so it goes by its words.
fn excess(said: &str) -> Option<String> {
    let known = [
        ("budget breached: Nodes", format!("it has more than {MOST_VALUES} values")),
        ("budget breached: Events", format!("it has more than {MOST_VALUES} values")),
        ("budget breached: Depth", "it nests too deep".to_owned()),
        ("recursion limit exceeded", "it nests too deep".to_owned()),
        ("budget breached", "it has more names of values than are read".to_owned()),
        ("alias replay", format!("it repeats more than {MOST_REPEATED} values by their names")),
    ];
    known.into_iter().find(|(words, _)| said.contains(words)).map(|(_, excess)| excess)
}

/// The marks that a merge leaves where two sides changed the same.
fn conflict(text: &str, id: SourceId, what: &str) -> Option<Diagnostic> {
    let is_mark = |line: &str| {
        ["<<<<<<<", "=======", ">>>>>>>", "|||||||"]
            .iter()
            .any(|mark| line.strip_prefix(mark).is_some_and(|rest| rest.trim_end().is_empty() || rest.starts_with(' ')))
    };
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        if is_mark(line) {
            let span = between(id, offset, offset + line.trim_end().len());
            let message = format!("this {what} holds a conflict that was not resolved");
            return Some(Diagnostic::new(span, message).help("resolve it, and remove the marks"));
        }
        offset += line.len();
    }
    None
}

/// What the reader hands over.
enum Raw {
    Nothing,
    Text(String),
    /// The reader took it for a number or a truth value; its text stands in the source.
    Plain,
    List(Vec<Spanned<Self>>),
    Map(Vec<(Spanned<String>, Spanned<Self>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Raw;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value, a list or a mapping")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Plain)
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

fn node(raw: Spanned<Raw>, text: &str, id: SourceId) -> Node {
    let span = span_of(raw.referenced, id);
    let value = match raw.value {
        Raw::Nothing => Value::Nothing,
        Raw::Text(text) => Value::Text(text),
        Raw::Plain => {
            let written = span_of(raw.defined, id);
            Value::Text(text.get(written.start as usize..written.end as usize).unwrap_or("").trim().to_owned())
        }
        Raw::List(items) => Value::List(items.into_iter().map(|item| node(item, text, id)).collect()),
        Raw::Map(entries) => {
            let entry = |(key, value): (Spanned<String>, _)| {
                (Text { span: span_of(key.referenced, id), text: key.value }, node(value, text, id))
            };
            Value::Map(entries.into_iter().map(entry).collect())
        }
    };
    Node { span, value }
}

fn between(source: SourceId, start: usize, end: usize) -> Span {
    let at = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
    Span { source, start: at(start), end: at(end) }
}

/// Some errors of the reader come without a length, some without byte offsets; the line is always known.
fn span_of(location: Location, id: SourceId) -> Span {
    let start = location.span().byte_offset().and_then(|offset| u32::try_from(offset).ok()).unwrap_or(0);
    let length = location.span().byte_len().and_then(|length| u32::try_from(length).ok()).unwrap_or(0);
    Span { source: id, start, end: start.saturating_add(length) }
}

fn unreadable(error: &serde_saphyr::Error, text: &str, id: SourceId, what: &str) -> Diagnostic {
    let error = error.without_snippet();
    let span = error.location().map_or(Span { source: id, ..Span::default() }, |location| {
        if location.span().byte_offset().is_some() {
            span_of(location, id)
        } else {
            let line = usize::try_from(location.line()).unwrap_or(1).saturating_sub(1);
            let start = text.split_inclusive('\n').take(line).map(str::len).sum::<usize>();
            between(id, start, start)
        }
    });
    let message = error.to_string();
    if let Some(excess) = excess(&message) {
        return Diagnostic::new(span, format!("this {what} is too large: {excess}")).help("write less of it");
    }
    // What follows speaks to people who write code against the reader.
    let first = message.lines().next().unwrap_or_default().trim_start_matches("error: ");
    let first = [" at line", ", set ", "; use "].iter().fold(first, |text, end| text.split(end).next().unwrap_or(text));
    let help = if first.contains("tab") { "YAML is indented with spaces" } else { "write it as YAML" };
    Diagnostic::new(span, format!("this is no {what}: {first}")).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Value {
        let mut sources = SourceMap::default();
        let id = sources.add("x.yaml", text);
        read(&sources, id, "thing").expect("YAML").map_or(Value::Nothing, |node| node.value)
    }

    fn refused(text: &str) -> (String, u32) {
        let mut sources = SourceMap::default();
        let id = sources.add("x.yaml", text);
        let problem = read(&sources, id, "thing").expect_err("no YAML");
        (problem.message, problem.primary.span.start)
    }

    #[test]
    fn a_value_is_what_is_written() {
        for written in ["off", "yes", "0.5", "10", "1_000", "2027-03-31", "0x10", "300ms", "1e3", "-1"] {
            let Value::Map(entries) = tree(&format!("ä: {written}\n")) else { panic!("no mapping") };
            assert_eq!(entries[0].1.value, Value::Text(written.to_owned()));
            assert_eq!(
                (entries[0].1.span.start, entries[0].1.span.end),
                (4, 4 + u32::try_from(written.len()).unwrap())
            );
        }
        assert_eq!(tree("# nothing\n"), Value::Nothing);
        let Value::Map(entries) = tree("a: \"x: y\"\nb: ~\nc: [1, {d: e}]\n") else { panic!("no mapping") };
        assert_eq!(entries[0].1.value, Value::Text("x: y".to_owned()));
        assert_eq!(entries[1].1.value, Value::Nothing);
        assert!(
            matches!(&entries[2].1.value, Value::List(items) if items.len() == 2 && items[1].kind() == "a mapping")
        );
    }

    #[test]
    fn what_is_no_yaml_is_refused_at_its_place() {
        assert_eq!(
            refused("a: 1\n<<<<<<< HEAD\nb: 2\n=======\n"),
            ("this thing holds a conflict that was not resolved".to_owned(), 5)
        );
        let (message, start) = refused("a:\n\tb: 1\n");
        assert!(message.contains("tab") && start == 3, "{message} {start}");
        let (message, start) = refused("a: 1\na: 2\n");
        assert!(message.contains("duplicate") && start == 5, "{message} {start}");
        let (message, _) = refused("findings: [\n  {rule: a, b: c},\n  {rule: a, b");
        assert!(message.starts_with("this is no thing"), "{message}");
    }

    #[test]
    fn what_is_too_large_says_so() {
        let tens = |from: &str| format!("[{}]", [from; 10].join(", "));
        let level = |level: usize| {
            let below = level.checked_sub(1).map_or("x".to_owned(), |below| format!("*a{below}"));
            format!("a{level}: &a{level} {}\n", tens(&below))
        };
        let bomb: Vec<String> = (0..9).map(level).collect();
        let (message, _) = refused(&bomb.concat());
        assert_eq!(message, "this thing is too large: it repeats more than 100000 values by their names");
        let (message, _) = refused(&format!("a: {}", "[".repeat(100_000)));
        assert_eq!(message, "this thing is too large: it nests too deep");
    }

    #[test]
    fn a_list_with_one_entry_a_line_is_read() {
        let Value::Map(entries) = tree("version: 1\nfindings: [\n  {rule: a, until: 2027-03-31},\n  {rule: b},\n  ]\n")
        else {
            panic!("no mapping")
        };
        assert!(matches!(&entries[1].1.value, Value::List(items) if items.len() == 2));
    }
}
