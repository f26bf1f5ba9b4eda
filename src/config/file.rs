//! One `topolint.yaml`: what it says, each mistake at its place with what was probably meant.

use std::collections::HashSet;

use super::pattern::{Pattern, inside};
use super::{Layer, Setting, enter, keys, read_level};
use crate::diagnostic::Diagnostic;
use crate::source::{SourceId, SourceMap, Span};
use crate::vocabulary::{did_you_mean, suggest};
use crate::yaml::{self, Node, Text, Value};

/// What one file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Statements {
    /// What holds for all files.
    pub(super) layer: Layer,
    /// In written order: the later one is stronger.
    pub(super) overrides: Vec<Override>,
    /// Rules and families that nothing may make quieter.
    pub(super) locked: std::collections::BTreeMap<String, Span>,
    /// What is linted where no path is named.
    pub(super) include: Option<Vec<Pattern>>,
    pub(super) exclude: Option<Vec<Pattern>>,
    pub(super) fail_on: Option<Text>,
    pub(super) format: Option<Text>,
    /// From the project root.
    pub(super) baseline: Option<Text>,
    /// From the project root, in written order: the later one is stronger.
    pub(super) extends: Vec<Text>,
    /// The statement that brought the file in.
    pub(super) extended_at: Option<Span>,
    /// All of it.
    pub(super) source: SourceId,
}

/// What holds for some files only.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Override {
    pub(super) files: Vec<Pattern>,
    pub(super) layer: Layer,
}

/// Reads a file; `path` is where it lies, from the project root. What could be read, and all that is wrong.
pub(super) fn read(sources: &SourceMap, id: SourceId, path: &str) -> (Statements, Vec<Diagnostic>) {
    let mut reader = Reader { path, problems: Vec::new() };
    let mut said = Statements { source: id, ..Statements::default() };
    match yaml::read(sources, id, "configuration") {
        Err(problem) => reader.problems.push(*problem),
        Ok(None) => {}
        Ok(Some(Node { value: Value::Map(entries), .. })) => {
            for (key, value) in &entries {
                reader.entry(&mut said, key, value);
            }
        }
        Ok(Some(node)) => reader.wrong(node.span, format!("a configuration is a mapping, not {}", node.kind())),
    }
    (said, reader.problems)
}

struct Reader<'a> {
    path: &'a str,
    problems: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn entry(&mut self, said: &mut Statements, key: &Text, value: &Node) {
        match key.text.as_str() {
            "extends" => said.extends = self.words(key, value).iter().filter_map(|word| self.path(word)).collect(),
            "include" => {
                let mut named = HashSet::new();
                let patterns = self.patterns(key, value).into_iter();
                // What is named twice means nothing more.
                said.include = Some(patterns.filter(|pattern| named.insert(pattern.path.clone())).collect());
            }
            "exclude" => said.exclude = Some(self.patterns(key, value)),
            "baseline" => said.baseline = self.word(key, value).and_then(|word| self.path(&word)),
            "fail-on" => said.fail_on = self.word(key, value),
            "format" => said.format = self.word(key, value),
            "locked" => {
                let names = self.names(key, value);
                said.locked.extend(names.into_iter().map(|name| (name.text, name.span)));
            }
            "overrides" => self.overrides(said, key, value),
            _ => self.layer(&mut said.layer, key, value, &keys::names(false)),
        }
    }

    /// What may be said of all files or of some.
    fn layer(&mut self, layer: &mut Layer, key: &Text, value: &Node, known: &[&'static str]) {
        match key.text.as_str() {
            "select" | "ignore" if known.contains(&"select") => {
                let list = if key.text == "select" { &mut layer.select } else { &mut layer.ignore };
                list.extend(self.names(key, value).into_iter().map(|name| (name.text, name.span)));
            }
            "levels" => {
                for (name, level) in self.pairs(key, value) {
                    self.rule(layer, name, level);
                }
            }
            "unstated" => layer.unstated = self.level(key, value).map(|level| (level, key.span)).or(layer.unstated),
            "options" => {
                for (rule, options) in self.pairs(key, value) {
                    for (option, value) in self.pairs(rule, options) {
                        self.option(layer, rule, option, value);
                    }
                }
            }
            _ => self.unknown(key, known),
        }
    }

    fn overrides(&mut self, said: &mut Statements, key: &Text, value: &Node) {
        let items = match &value.value {
            Value::Nothing => &[][..],
            Value::List(items) => items.as_slice(),
            _ => return self.mistyped(key, value, "a list, one entry for each set of files"),
        };
        for item in items {
            let Value::Map(entries) = &item.value else {
                self.wrong(item.span, format!("an override is a mapping with `files`, not {}", item.kind()));
                continue;
            };
            let mut found = Override::default();
            for (key, value) in entries {
                match key.text.as_str() {
                    "files" => found.files = self.patterns(key, value),
                    _ => self.layer(&mut found.layer, key, value, &keys::names(true)),
                }
            }
            if entries.iter().any(|(key, _)| key.text == "files") {
                said.overrides.push(found);
            } else {
                self.wrong(item.span, "an override says for which `files` it holds".to_owned());
            }
        }
    }

    fn unknown(&mut self, key: &Text, known: &[&'static str]) {
        let near = if key.text == "rules" { vec!["levels"] } else { suggest(&key.text, known.iter().copied()) };
        let all = || format!("the settings here are `{}`", known.join("`, `"));
        let problem = Diagnostic::new(key.span, format!("there is no setting `{}`", key.text));
        self.problems.push(problem.help(did_you_mean(&near).unwrap_or_else(all)));
    }

    fn names(&mut self, key: &Text, value: &Node) -> Vec<Text> {
        let mut names = self.words(key, value);
        names.retain(|name| {
            let known = enter::known(&name.text, name.span);
            let is_known = known.is_ok();
            self.problems.extend(known.err().map(|problem| *problem));
            is_known
        });
        names
    }

    fn patterns(&mut self, key: &Text, value: &Node) -> Vec<Pattern> {
        let words = self.words(key, value);
        let read = words.iter().map(|word| Pattern::read(self.path, word));
        let (found, wrong): (Vec<_>, Vec<_>) = read.partition(Result::is_ok);
        self.problems.extend(wrong.into_iter().filter_map(Result::err).map(|problem| *problem));
        found.into_iter().flatten().collect()
    }

    /// A path, from the project root.
    fn path(&mut self, word: &Text) -> Option<Text> {
        match inside(self.path, word) {
            Ok(path) => Some(Text { span: word.span, text: path }),
            Err(problem) => {
                self.problems.push(*problem);
                None
            }
        }
    }

    fn rule(&mut self, layer: &mut Layer, name: &Text, level: &Node) {
        if let Err(problem) = enter::known(&name.text, name.span) {
            self.problems.push(*problem);
        } else if let Some(level) = self.level(name, level) {
            layer.levels.insert(name.text.clone(), (level, name.span));
        }
    }

    fn option(&mut self, layer: &mut Layer, rule: &Text, option: &Text, value: &Node) {
        let (written, span) = match &value.value {
            Value::Text(text) => (text.as_str(), value.span),
            Value::Nothing => ("", option.span),
            _ => return self.mistyped(option, value, "one value"),
        };
        let entered = layer.option((&rule.text, rule.span), (&option.text, option.span), (written, span));
        self.problems.extend(entered.err().map(|problem| *problem));
    }

    fn level(&mut self, of: &Text, level: &Node) -> Option<Setting> {
        const LEVELS: &str = "the levels are `error`, `warn`, `info` and `off`";
        let (span, message, near) = match &level.value {
            Value::Text(word) => match read_level(word) {
                Some(level) => return Some(level),
                None => (level.span, format!("`{word}` is no level"), suggest(word, ["error", "warn", "info", "off"])),
            },
            Value::Nothing => (of.span, format!("`{}` needs a level", of.text), Vec::new()),
            _ => (level.span, format!("`{}` takes a level, not {}", of.text, level.kind()), Vec::new()),
        };
        let question = did_you_mean(&near).map_or(String::new(), |question| format!("{question} "));
        self.problems.push(Diagnostic::new(span, message).help(format!("{question}{LEVELS}")));
        None
    }

    fn word(&mut self, key: &Text, value: &Node) -> Option<Text> {
        if let Value::Text(text) = &value.value {
            return Some(Text { span: value.span, text: text.clone() });
        }
        self.mistyped(key, value, "one value");
        None
    }

    /// The words of a list; a single word is a list of one.
    fn words(&mut self, key: &Text, value: &Node) -> Vec<Text> {
        let items = match &value.value {
            Value::Nothing => &[][..],
            Value::Text(_) => std::slice::from_ref(value),
            Value::List(items) => items.as_slice(),
            Value::Map(_) => {
                self.mistyped(key, value, "a list");
                &[]
            }
        };
        items.iter().filter_map(|item| self.word(key, item)).collect()
    }

    fn pairs<'a>(&mut self, key: &Text, value: &'a Node) -> &'a [(Text, Node)] {
        match &value.value {
            Value::Map(entries) => entries,
            Value::Nothing => &[],
            _ => {
                self.mistyped(key, value, "a mapping, one entry a line");
                &[]
            }
        }
    }

    fn mistyped(&mut self, key: &Text, value: &Node, expected: &str) {
        self.wrong(value.span, format!("`{}` takes {expected}, not {}", key.text, value.kind()));
    }

    fn wrong(&mut self, span: Span, message: String) {
        self.problems
            .push(Diagnostic::new(span, message).help("`topolint config init` writes an example of every setting"));
    }
}
