//! The identity of a finding: its rule and the element to edit. No path, line or message is in it, so that a finding
//! stays the same one when a file is renamed, a block is moved or a label is reworded, and is another one when a
//! different thing is wrong.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::diagnostic::Diagnostic;
use crate::model::{File, Loader};
use crate::rules::Rule;
use crate::source::{SourceId, SourceMap, Span};
use crate::syntax::{self, Plain, Statement, Tree};

/// The first 128 bits of SHA-256 over `topolint-v1`, the rule, the identity and, from the second of several equal ones
/// on, which one it is in written order, from 1; each but the first preceded by a zero byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 16]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl Fingerprint {
    fn of(rule: &str, identity: &str, nth: u32) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"topolint-v1");
        for part in [rule, identity] {
            hash.update([0]);
            hash.update(part);
        }
        if nth > 0 {
            hash.update([0]);
            hash.update(nth.to_string());
        }
        let mut first = [0; 16];
        first.iter_mut().zip(hash.finalize()).for_each(|(byte, hashed)| *byte = hashed);
        Self(first)
    }
}

/// Gives every finding of a run its fingerprint.
pub(super) struct Stamp<'a> {
    sources: &'a SourceMap,
    trees: HashMap<SourceId, Cow<'a, Tree>>,
    /// How many equal ones there were.
    seen: HashMap<Fingerprint, u32>,
}

impl<'a> Stamp<'a> {
    /// For these findings.
    pub(super) fn new<'d>(loader: &'a Loader<'_>, diagnostics: impl Iterator<Item = &'d Diagnostic>) -> Self {
        let sources = &loader.sources;
        let mut places: HashMap<SourceId, Vec<Span>> = HashMap::new();
        for span in diagnostics.filter(|diagnostic| is_a_place(diagnostic)).map(|diagnostic| diagnostic.primary.span) {
            places.entry(span.source).or_default().push(span);
        }
        let tree = |file: &'a File| {
            let mut places = places.remove(&file.source)?;
            let read_again = || {
                places.sort_unstable();
                Cow::Owned(syntax::parse_around(sources, file.source, &places))
            };
            Some((file.source, file.kept_tree().map_or_else(read_again, Cow::Borrowed)))
        };
        Self { sources, trees: loader.all().filter_map(tree).collect(), seen: HashMap::new() }
    }

    /// The fingerprint of a finding that is the first of its identity.
    pub(super) fn first(&self, rule: &Rule, diagnostic: &Diagnostic) -> Fingerprint {
        Fingerprint::of(rule.name, &self.identity(rule, diagnostic), 0)
    }

    /// The fingerprint of the next finding in written order, by the one that it has if it is the first of its identity.
    pub(super) fn next(&mut self, first: Fingerprint, rule: &Rule, diagnostic: &Diagnostic) -> Fingerprint {
        let nth = *self.seen.entry(first).and_modify(|nth| *nth += 1).or_default();
        if nth == 0 { first } else { Fingerprint::of(rule.name, &self.identity(rule, diagnostic), nth) }
    }

    fn identity<'d>(&self, rule: &Rule, diagnostic: &'d Diagnostic) -> Cow<'d, str> {
        match (&diagnostic.cause, diagnostic.subjects.as_slice()) {
            (Some(cause), _) => cause.as_str().into(),
            (None, [_, ..]) => diagnostic.subjects.join(" ").into(),
            (None, []) => self.written(rule, diagnostic.primary.span).into(),
        }
    }

    /// The identity of what stands at a place: the names around it, then the statement. What cannot be read is its
    /// own text; of everything else labels do not count, and neither do boxes, out of which a block may be moved.
    fn written(&self, rule: &Rule, span: Span) -> String {
        let mut identity = String::new();
        let mut statements = self.trees.get(&span.source).map_or(&[][..], |tree| tree.statements.as_slice());
        let mut innermost = None;
        while let Some(statement) = around(statements, span) {
            self.enclose(&mut identity, innermost.replace(statement));
            statements = block_of(statement);
        }
        match innermost {
            Some(statement) if rule.name != "syntax" => identity.push_str(&self.head(statement, Some(span))),
            Some(statement) if head_of(statement).contains(span) => {
                identity.push_str(self.sources.text(head_of(statement)).trim());
            }
            _ => {
                self.enclose(&mut identity, innermost);
                identity.push_str(&self.rest_of_line(span));
            }
        }
        identity
    }

    /// Adds what is around, unless it is a box.
    fn enclose(&self, identity: &mut String, outer: Option<&Statement>) {
        if let Some(outer) = outer.filter(|outer| !self.is_box(outer)) {
            identity.push_str(&self.head(outer, None));
            identity.push('\0');
        }
    }

    /// What cannot be read, to the end of its line; of a very long one, its start.
    fn rest_of_line(&self, span: Span) -> String {
        const MOST: usize = 1024;
        let text = self.sources.get(span.source).and_then(|source| source.text.get(span.start as usize..));
        let rest: String = text.unwrap_or_default().chars().take(MOST).take_while(|c| *c != '\n').collect();
        rest.trim().to_owned()
    }

    /// What a statement is, without its label: the ends of an arrow, or the first word with the value at a place, else
    /// with its first value.
    fn head(&self, statement: &Statement, at: Option<Span>) -> String {
        let text = |span| self.sources.text(span);
        match statement {
            Statement::Call(call) => {
                let from = call.from.map_or("", text);
                format!("{from}{}{}", text(call.arrow_span), text(call.to))
            }
            Statement::Plain(plain) => {
                let meant = at.and_then(|at| plain.values.iter().find(|value| value.span.contains(at)));
                let value = meant.or(plain.values.first()).map_or("", |value| text(value.span));
                format!("{} {value}", text(plain.name))
            }
        }
    }

    fn is_box(&self, statement: &Statement) -> bool {
        let word = |plain: &Plain| matches!(self.sources.text(plain.name), "group" | "topology");
        matches!(statement, Statement::Plain(plain) if word(plain))
    }
}

/// Whether nothing but its place tells a finding from others of its rule.
fn is_a_place(diagnostic: &Diagnostic) -> bool {
    diagnostic.cause.is_none() && diagnostic.subjects.is_empty()
}

/// The statement that holds a place; statements of one level lie apart, in order.
fn around(statements: &[Statement], span: Span) -> Option<&Statement> {
    let before = statements.partition_point(|statement| span_of(statement).start <= span.start);
    let last = statements.get(before.checked_sub(1)?)?;
    span_of(last).contains(span).then_some(last)
}

fn span_of(statement: &Statement) -> Span {
    match statement {
        Statement::Call(call) => call.span,
        Statement::Plain(plain) => plain.span,
    }
}

fn head_of(statement: &Statement) -> Span {
    match statement {
        Statement::Call(call) => call.head(),
        Statement::Plain(plain) => plain.head(),
    }
}

fn block_of(statement: &Statement) -> &[Statement] {
    let block = match statement {
        Statement::Call(call) => &call.block,
        Statement::Plain(plain) => &plain.block,
    };
    block.as_ref().map_or(&[], |block| &block.statements)
}
