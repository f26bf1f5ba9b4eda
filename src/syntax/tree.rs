//! The shapes that were read, with their places. Texts are not copied: a place says what is written there.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::source::Span;

/// One file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    /// The statements of the outermost level, in written order.
    pub statements: Vec<Statement>,
    /// What could not be read. No rule complains about a name that stands in there.
    pub unread: Vec<Span>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// `a -> b`.
    Call(Call),
    /// `name value, value { … }`.
    Plain(Plain),
}

/// An arrow with its ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// All of it, the block included.
    pub span: Span,
    /// Who needs it; unstated inside a body.
    pub from: Option<Span>,
    /// Whether the caller waits.
    pub arrow: Arrow,
    /// The arrow itself.
    pub arrow_span: Span,
    /// What is needed.
    pub to: Span,
    /// The label, quotes included.
    pub label: Option<Span>,
    /// What is said of it.
    pub block: Option<Box<Block>>,
    /// Whether a part of it could not be read.
    pub flawed: bool,
}

impl Call {
    /// The arrow with its ends, without label and block.
    #[must_use]
    pub fn head(&self) -> Span {
        self.from.unwrap_or(self.arrow_span).to(self.arrow_span).to(self.to)
    }
}

/// The two kinds of arrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Arrow {
    /// `->`: the caller waits.
    Sync,
    /// `->>`: the caller does not wait.
    Async,
}

/// A word, its values and its block.
#[derive(Clone, Debug, PartialEq)]
pub struct Plain {
    /// All of it, the block included.
    pub span: Span,
    /// The first word.
    pub name: Span,
    /// What follows on the line.
    pub values: Values,
    /// What is said of it.
    pub block: Option<Box<Block>>,
    /// Whether a part of it could not be read.
    pub flawed: bool,
}

impl Plain {
    /// The first word with its values, without the block.
    #[must_use]
    pub fn head(&self) -> Span {
        self.values.last().map_or(self.name, |last| self.name.to(last.span))
    }

    /// The values between commas.
    pub fn groups(&self) -> impl Iterator<Item = &[Value]> {
        let mut rest = self.values.as_slice();
        std::iter::from_fn(move || {
            let tail = rest.get(1..)?;
            let next = tail.iter().position(|value| value.comma).map_or(rest.len(), |found| found + 1);
            let (group, after) = rest.split_at_checked(next)?;
            rest = after;
            Some(group)
        })
    }
}

/// `{ … }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Both braces included.
    pub span: Span,
    /// What stands in it.
    pub statements: Vec<Statement>,
    /// Whether something in it could not be read, apart from what a flawed statement in it says itself.
    pub flawed: bool,
}

/// The values of a statement: nearly always one.
pub type Values = SmallVec<[Value; 1]>;

/// One value token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    /// Where; a string with its quotes.
    pub span: Span,
    /// Which shape.
    pub kind: ValueKind,
    /// Whether a comma stands before it.
    pub comma: bool,
}

/// The shapes of value tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// `"…"`.
    Text,
    /// `300ms`, `3`, `50ms..1s`.
    Quantity,
    /// `p99.9`.
    Quantile,
    /// `USD/GB`.
    Ratio,
    /// `name` or `name.name`.
    Path,
}

/// What a string says: without its quotes, escapes resolved. An unknown escape stands for itself.
#[must_use]
pub fn unescape(quoted: &str) -> Cow<'_, str> {
    let inner = quoted.strip_prefix('"').unwrap_or(quoted);
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut plain = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match (character, character == '\\') {
            (_, true) => match characters.next() {
                Some('n') => plain.push('\n'),
                Some('t') => plain.push('\t'),
                Some(other) => plain.push(other),
                None => plain.push('\\'),
            },
            (other, false) => plain.push(other),
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_resolved() {
        assert_eq!(unescape(r#""a \"b\" \\ \n""#), "a \"b\" \\ \n");
        assert_eq!(unescape("\"plain\""), "plain");
    }
}
