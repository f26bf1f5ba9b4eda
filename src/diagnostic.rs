//! What is said about a diagram: data only. Knows no rule, no level and no output format.

use std::borrow::Cow;

use serde::Serialize;

use crate::source::Span;

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// A judgement, or derived by a rule of thumb.
    Heuristic,
    /// Depends on something that the diagram does not state.
    Possible,
    /// Follows from what is written.
    Proved,
}

/// A place and what is to be said there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// One short phrase.
    pub text: String,
}

/// One hop of a witness: a place, what happens there and, where there is one, the number it adds.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The qualified element: `orders.place` or `gateway.checkout->orders.place`.
    pub subject: String,
    /// Where it is written.
    pub span: Span,
    /// What happens there.
    pub text: String,
    /// The number it contributes.
    pub value: Option<Measure>,
}

/// A number with its unit, for programs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// Seconds.
    Seconds(f64),
    /// How often something is tried or done.
    Times(f64),
}

impl Measure {
    /// The number and its unit.
    #[must_use]
    pub const fn amount(self) -> (f64, &'static str) {
        match self {
            Self::Seconds(seconds) => (seconds, "s"),
            Self::Times(times) => (times, "times"),
        }
    }
}

/// Replaces the text at `span`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What goes.
    pub span: Span,
    /// What comes.
    pub replacement: String,
}

/// A change to the text that mends what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does, as an order: "write `timeout 1s`".
    pub title: String,
    /// Whether the meaning of the diagram stays what its author said.
    pub safe: bool,
    /// Edits that do not overlap.
    pub edits: Vec<Edit>,
}

/// What another finding says, for one that follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Because {
    /// The rules that may say it.
    pub rules: &'static [&'static str],
    /// The element to edit, as their finding names it.
    pub cause: String,
}

/// One statement about the diagram, with the place it is about. Made by [`Diagnostic::new`], so it always has one.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// One lowercase sentence without a final period.
    pub message: String,
    /// How sure it is.
    pub certainty: Certainty,
    /// The place to look at first.
    pub primary: Label,
    /// Further places that the message speaks of.
    pub labels: Vec<Label>,
    /// The chain of places that proves it, each with what it adds.
    pub witness: Vec<Step>,
    /// The path from where a request enters: `browser -> shop.checkout`.
    pub path: Option<String>,
    /// What follows from it.
    pub consequence: Option<String>,
    /// What to write instead, each a way of its own.
    pub help: Vec<String>,
    /// The change that does it.
    pub fix: Option<Fix>,
    /// The qualified elements it is about.
    pub subjects: Vec<String>,
    /// The element to edit: findings of one rule with the same cause are one finding.
    pub cause: Option<String>,
    /// What this finding only follows from: it is folded where all of that is reported.
    pub caused_by: Vec<Because>,
    /// What findings of one rule share, to say it once for all of them: "calls state no timeout".
    pub group: Option<Cow<'static, str>>,
}

impl Diagnostic {
    /// A statement that follows from what is written at `span`.
    #[must_use]
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Self {
            message: shortened(message.into()),
            certainty: Certainty::Proved,
            primary: Label { span, text: String::new() },
            labels: Vec::new(),
            witness: Vec::new(),
            path: None,
            consequence: None,
            help: Vec::new(),
            fix: None,
            subjects: Vec::new(),
            cause: None,
            caused_by: Vec::new(),
            group: None,
        }
    }

    /// Says something at the primary place.
    #[must_use]
    pub fn at(mut self, text: impl Into<String>) -> Self {
        self.primary.text = text.into();
        self
    }

    /// Adds a further place.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Adds a way to mend it.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(shortened(text.into()));
        self
    }

    /// Adds the element it is about.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subjects.push(subject.into());
        self
    }

    /// Sets the change that mends it.
    #[must_use]
    pub fn fix(mut self, title: impl Into<String>, safe: bool, edits: Vec<Edit>) -> Self {
        self.fix = Some(Fix { title: title.into(), safe, edits });
        self
    }
}

/// A sentence that quotes something very long is cut.
fn shortened(text: String) -> String {
    const MOST: usize = 600;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or("")),
        None => text,
    }
}

/// A qualified element as people read it: `a->b` with blanks around its arrow.
#[must_use]
pub fn spaced(subject: &str) -> String {
    let arrow = if subject.contains("->>") { "->>" } else { "->" };
    subject.split_once(arrow).map_or_else(|| subject.to_owned(), |(from, to)| [from, " ", arrow, " ", to].concat())
}

/// "p99", "p99.9".
#[must_use]
pub fn quantile(quantile: f64) -> String {
    format!("p{}", percentage(quantile))
}

/// A share in percent as people write it, with at most four decimals and without the sign.
#[must_use]
pub fn percentage(share: f64) -> String {
    decimals(share * 100.0)
}

/// What is beyond all that can be counted.
const INFINITE: &str = "∞";

/// At most four decimals, and no zeros behind the last that counts.
#[must_use]
pub fn decimals(value: f64) -> String {
    if value.is_infinite() {
        return INFINITE.to_owned();
    }
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A number as people write it, with three digits that count.
#[must_use]
pub fn number(value: f64) -> String {
    if value.is_infinite() {
        return INFINITE.to_owned();
    }
    let digits = if value >= 100.0 || value.fract() == 0.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A [`Diagnostic`] from reading the text, with the name of the rule of the family `model` that it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The rule, such as `unknown-name`.
    pub rule: &'static str,
    /// What is wrong.
    pub diagnostic: Diagnostic,
}

impl Problem {
    /// A problem of the given rule.
    #[must_use]
    pub fn new(rule: &'static str, diagnostic: Diagnostic) -> Self {
        Self { rule, diagnostic }
    }
}
