//! From text to tree. The only file that names pest; what the grammar gives is taken apart piece by piece, so that no
//! parse tree of a whole file is ever held.

use pest::Parser as _;
use pest::iterators::{Pair, Pairs};

use super::foreign;
use super::layout::{self, Layout, Missing, Piece};
use super::tree::{Arrow, Block, Call, Plain, Statement, Tree, Value, ValueKind, Values};
use crate::diagnostic::{Diagnostic, Edit, Problem};
use crate::parallel;
use crate::source::{SourceId, SourceMap, Span};

/// After so many syntax problems in one file the rest are counted and not shown.
const MAX_PROBLEMS: usize = 200;

mod generated {
    #![allow(missing_docs, reason = "written by the derive")]
    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/topo.pest"]
    pub(super) struct Grammar;
}
use generated::{Grammar, Rule};

/// A tree and what was wrong with its text.
#[derive(Debug, Default, PartialEq)]
pub struct Parsed {
    /// What could be read.
    pub tree: Tree,
    /// One problem a mistake, in written order.
    pub problems: Vec<Problem>,
}

/// Reads one text. Never fails and never panics; memory beyond the tree is bounded by the size of a piece.
#[must_use]
pub fn parse(sources: &SourceMap, id: SourceId) -> Parsed {
    let text = sources.get(id).map_or("", |source| source.text.as_str());
    parse_laid_out(sources, id, &layout::layout(text))
}

/// Reads again what stands around these places of a text, sorted: of the outermost level some statements are left out.
pub(crate) fn parse_around(sources: &SourceMap, id: SourceId, places: &[Span]) -> Tree {
    let text = sources.get(id).map_or("", |source| source.text.as_str());
    let mut layout = layout::layout(text);
    // Where braces are missing, pieces end elsewhere.
    if layout.unclosed.is_empty() {
        layout.pieces.retain(|piece| {
            let from = places.partition_point(|place| (place.start as usize) < piece.start);
            places.get(from).is_some_and(|place| place.start as usize <= piece.end)
        });
    }
    parse_laid_out(sources, id, &layout).tree
}

/// Reads one text of which the layout is known.
pub(crate) fn parse_laid_out(sources: &SourceMap, id: SourceId, layout: &Layout) -> Parsed {
    let text = sources.get(id).map_or("", |source| source.text.as_str());
    let (repaired, repaired_layout);
    let mut layout = layout;
    let mut missing = Vec::new();
    let mut parsed_text = text;
    if !layout.unclosed.is_empty() {
        // A brace put in at the end may not fall into a comment on the last line.
        let ended = if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
        missing = missing_braces(&ended, &layout.unclosed);
        repaired = with_braces(&ended, &missing);
        repaired_layout = layout::layout(&repaired);
        layout = &repaired_layout;
        parsed_text = &repaired;
    }
    let builder = || Builder {
        source: id,
        text: parsed_text,
        length: text.len(),
        base: 0,
        missing: &missing,
        parsed: Parsed::default(),
        unshown: 0,
    };
    let mut whole = builder();
    // A short text is one stretch; of a longer one every processor takes some.
    let stretch = if layout.pieces.len() < 4 { 4 } else { layout.pieces.len().div_ceil(4 * parallel::width()) };
    let stretches: Vec<&[Piece]> = layout.pieces.chunks(stretch).collect();
    for part in parallel::map(&stretches, |pieces| builder().read_pieces(pieces)) {
        whole.take_in(part);
    }
    whole.report_missing(text);
    whole.finish()
}

/// Trusts indentation only where it explains exactly the braces that are missing; else they are missing at the end.
fn missing_braces(text: &str, unclosed: &[usize]) -> Vec<Missing> {
    let by_indentation = layout::missing(text);
    if by_indentation.len() == unclosed.len() {
        return by_indentation;
    }
    unclosed.iter().rev().map(|&open| Missing { open, close: text.len() }).collect()
}

fn with_braces(text: &str, missing: &[Missing]) -> String {
    let mut repaired = String::with_capacity(text.len() + missing.len());
    let mut copied = 0;
    for brace in missing {
        repaired.push_str(text.get(copied..brace.close).unwrap_or(""));
        repaired.push('}');
        copied = brace.close;
    }
    repaired.push_str(text.get(copied..).unwrap_or(""));
    repaired
}

struct Builder<'a> {
    source: SourceId,
    /// The text that is parsed: as written, or with the missing braces put in.
    text: &'a str,
    /// The length of the text as written.
    length: usize,
    base: usize,
    missing: &'a [Missing],
    parsed: Parsed,
    unshown: usize,
}

impl<'a> Builder<'a> {
    fn read_pieces(mut self, pieces: &[Piece]) -> Self {
        for piece in pieces {
            self.base = piece.start;
            if let Some(brace) = piece.too_deep {
                self.refuse(piece, brace);
                continue;
            }
            let Some(slice) = self.text.get(piece.start..piece.end) else { continue };
            match Grammar::parse(Rule::file, slice) {
                Ok(mut pairs) => {
                    if let Some(file) = pairs.next() {
                        let (statements, _) = self.statements(file.into_inner());
                        self.parsed.tree.statements.extend(statements);
                    }
                }
                // INVARIANT: the grammar is total. Should it ever not be, the piece is unread and says so.
                Err(error) => {
                    let span = self.place(piece.start, piece.end);
                    self.unread(span);
                    self.problem(Diagnostic::new(
                        span.before(),
                        format!("cannot be read from here: {}", error.variant.message()),
                    ));
                }
            }
        }
        self
    }

    /// Appends what was read of the pieces behind these.
    fn take_in(&mut self, later: Self) {
        self.parsed.tree.statements.extend(later.parsed.tree.statements);
        self.parsed.tree.unread.extend(later.parsed.tree.unread);
        self.unshown += later.unshown;
        for problem in later.parsed.problems {
            self.problem(problem.diagnostic);
        }
    }

    fn refuse(&mut self, piece: &Piece, brace: usize) {
        let depth = super::MAX_DEPTH;
        let span = self.place(piece.start, piece.end);
        self.unread(span);
        let at = self.place(brace, brace + 1);
        self.problem(
            Diagnostic::new(at, format!("blocks nest deeper than {depth} here, so this statement is not read"))
                .at(format!("level {}", depth + 1))
                .help("write the inner groups on the outermost level: names are flat, so no reference changes"),
        );
    }

    /// The place of an offset range of the parsed text in the text as written.
    fn place(&self, start: usize, end: usize) -> Span {
        Span { source: self.source, start: self.unshift(start), end: self.unshift(end) }
    }

    fn unshift(&self, offset: usize) -> u32 {
        let inserted =
            self.missing.iter().enumerate().take_while(|(index, brace)| brace.close + index < offset).count();
        u32::try_from((offset - inserted).min(self.length)).unwrap_or(u32::MAX)
    }

    fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        let span = pair.as_span();
        self.place(self.base + span.start(), self.base + span.end())
    }

    fn problem(&mut self, diagnostic: Diagnostic) {
        if self.parsed.problems.len() < MAX_PROBLEMS {
            self.parsed.problems.push(Problem::new("syntax", diagnostic));
        } else {
            self.unshown += 1;
        }
    }

    fn unread(&mut self, span: Span) {
        self.parsed.tree.unread.push(span);
    }

    /// The statements of one level, and whether something between them could not be read.
    fn statements(&mut self, mut pairs: Pairs<'_, Rule>) -> (Vec<Statement>, bool) {
        // The brace or the end of the text is none.
        let mut statements = Vec::with_capacity(pairs.len().saturating_sub(1));
        let mut flawed = false;
        while let Some(pair) = pairs.next() {
            let span = self.span(&pair);
            match pair.as_rule() {
                Rule::statement => {
                    let written = pair.as_span();
                    let parts = pair.into_inner();
                    // The pair also holds the blanks and the line's end behind it.
                    let end = parts.clone().next_back().map_or(written.end(), |last| last.as_span().end());
                    let behind = written.get_input().get(end..).unwrap_or("");
                    let later = Self::block_on_a_later_line(&parts, behind, &mut pairs);
                    let whole = self.place(self.base + written.start(), self.base + end);
                    let whole = later.last().map_or(whole, |block| whole.to(self.span(block)));
                    if parts.clone().take(2).any(|part| part.as_rule() == Rule::arrow) {
                        let call = self.call(whole, parts, later);
                        flawed |= call.is_none();
                        statements.extend(call.map(Statement::Call));
                    } else {
                        statements.push(Statement::Plain(self.plain(whole, parts, later)));
                    }
                }
                Rule::slashes => self.slashes(span),
                Rule::broken => {
                    flawed = true;
                    self.broken(span, pair);
                }
                Rule::nameless => {
                    flawed = true;
                    self.unread(span);
                    let brace = Span { end: span.start + 1, ..span };
                    self.problem(
                        Diagnostic::new(brace, "a block without a name")
                            .help("write what it belongs to before the `{`, such as `group backend { … }`"),
                    );
                }
                Rule::stray => self.problem(
                    Diagnostic::new(span, "this `}` closes nothing")
                        .help("remove it, or look for a `}` too many above"),
                ),
                _ => {}
            }
        }
        // The tree stays until the end.
        statements.shrink_to_fit();
        (statements, flawed)
    }

    /// The block of a statement of these parts that has none on its line, if nothing but blanks and comments stand before it, and what
    /// of these is no comment of ours.
    fn block_on_a_later_line<'p>(
        parts: &Pairs<'p, Rule>,
        behind: &str,
        pairs: &mut Pairs<'p, Rule>,
    ) -> Vec<Pair<'p, Rule>> {
        // Nearly always another statement follows: that is seen without looking at pairs.
        if !behind.trim_start_matches([' ', '\t', '\r', '\n', '\u{FEFF}']).starts_with(['{', '#', '/']) {
            return Vec::new();
        }
        let mut ahead = pairs.clone();
        let mut later: Vec<Pair<'p, Rule>> = Vec::new();
        for pair in ahead.by_ref() {
            let is_slashes = pair.as_rule() == Rule::slashes;
            later.push(pair);
            if !is_slashes {
                break;
            }
        }
        let Some(last) = later.pop_if(|last| last.as_rule() == Rule::nameless) else { return Vec::new() };
        let to_the_end = last.get_input().len() - last.as_span().start();
        let between = behind.get(..behind.len() - to_the_end).unwrap_or("");
        let has_block = parts.clone().next_back().is_some_and(|part| part.as_rule() == Rule::block);
        if has_block || between.lines().any(|line| code(line).contains(';')) {
            return Vec::new();
        }
        later.extend(last.into_inner().next());
        *pairs = ahead;
        later
    }

    /// What is no statement is not read, and neither is its block.
    fn broken(&mut self, span: Span, pair: Pair<'_, Rule>) {
        self.unread(span);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::junk => {
                    let span = self.span(&part);
                    self.junk(span, part.as_str(), foreign::statement(part.as_str(), span));
                }
                Rule::slashes => {
                    let span = self.span(&part);
                    self.slashes(span);
                }
                _ => {}
            }
        }
    }

    /// Text that is no statement. Bytes that were not UTF-8 have been reported already.
    fn junk(&mut self, span: Span, text: &str, diagnostic: Diagnostic) {
        self.unread(span);
        if !text.contains('\u{FFFD}') {
            self.problem(diagnostic);
        }
    }

    fn slashes(&mut self, span: Span) {
        let marker = Span { end: span.start + 2, ..span };
        self.problem(Diagnostic::new(marker, "a comment starts with `#` here, not with `//`").help("write `#`").fix(
            "write `#`",
            true,
            vec![Edit { span: marker, replacement: "#".to_owned() }],
        ));
    }

    fn call<'p>(&mut self, whole: Span, parts: Pairs<'p, Rule>, later: Vec<Pair<'p, Rule>>) -> Option<Call> {
        let (mut from, mut to, mut label, mut block) = (None, None, None, None);
        let mut arrow = ("", whole.before());
        let mut rest = None;
        let reported = self.parsed.problems.len();
        for part in parts.chain(later) {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::path if arrow.0.is_empty() => from = Some(span),
                Rule::path => to = Some(span),
                Rule::arrow => arrow = (part.as_str(), span),
                Rule::string => label = Some(self.text(&part)),
                Rule::rest => rest = Some((part.as_str(), span)),
                Rule::block => block = Some(Box::new(self.block(part))),
                Rule::slashes => self.slashes(span),
                _ => {}
            }
        }
        let head = foreign::Head { whole, from, arrow, to, rest };
        let verdict = foreign::call(&head, |span| self.written(span), block.as_deref());
        if let Some(diagnostic) = verdict.problem {
            let text = rest.map_or("", |(text, _)| text);
            if verdict.readable {
                if let Some((_, span)) = rest {
                    self.unread(span);
                }
            } else {
                self.unread(whole);
                // What is wrong inside of what is not read is the same mistake.
                self.parsed.problems.truncate(reported);
            }
            if !text.contains('\u{FFFD}') {
                self.problem(diagnostic);
            }
        }
        if !verdict.readable {
            return None;
        }
        if verdict.reversed {
            (from, to) = (to, from);
        }
        let kind = if arrow.0.contains(">>") || arrow.0.contains("<<") { Arrow::Async } else { Arrow::Sync };
        Some(Call {
            span: whole,
            from,
            arrow: kind,
            arrow_span: arrow.1,
            to: to?,
            label,
            block,
            flawed: rest.is_some(),
        })
    }

    fn written(&self, span: Span) -> &'a str {
        // Shifts only ever remove braces that lie before the place, so a path is found by searching from its own start.
        let shifted =
            self.missing.iter().enumerate().take_while(|(_, brace)| brace.close <= span.start as usize).count();
        self.text.get(span.start as usize + shifted..span.end as usize + shifted).unwrap_or("")
    }

    fn plain<'p>(&mut self, span: Span, parts: Pairs<'p, Rule>, later: Vec<Pair<'p, Rule>>) -> Plain {
        let mut plain = Plain { span, name: span.before(), values: Values::new(), block: None, flawed: false };
        let mut comma: Option<Span> = None;
        for part in parts.chain(later) {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::path => plain.name = span,
                Rule::separator => self.problem(foreign::separator(part.as_str(), span)),
                Rule::value => match kind(part.as_str()) {
                    Some(kind) => {
                        if kind == ValueKind::Text {
                            self.text(&part);
                        }
                        plain.values.push(Value { span, kind, comma: comma.take().is_some() });
                    }
                    None => {
                        if comma.replace(span).is_some() {
                            self.problem(foreign::comma(span));
                        }
                    }
                },
                Rule::rest => {
                    plain.flawed = true;
                    self.junk(span, part.as_str(), foreign::rest(part.as_str(), span));
                    comma = None;
                }
                Rule::block => plain.block = Some(Box::new(self.block(part))),
                Rule::slashes => self.slashes(span),
                _ => {}
            }
        }
        if let Some(span) = comma {
            self.problem(foreign::comma(span));
        }
        plain
    }

    /// The place of a string; reports one that its line ends.
    fn text(&mut self, pair: &Pair<'_, Rule>) -> Span {
        let span = self.span(pair);
        let text = pair.as_str();
        let escaped = text.strip_suffix('"').map_or(0, |head| head.chars().rev().take_while(|c| *c == '\\').count());
        if text.len() < 2 || !text.ends_with('"') || escaped % 2 == 1 {
            self.problem(foreign::open_text(text, span));
        }
        span
    }

    fn block(&mut self, pair: Pair<'_, Rule>) -> Block {
        let span = self.span(&pair);
        let inner = pair.into_inner();
        if inner.clone().next_back().is_none_or(|last| last.as_rule() != Rule::close) {
            let brace = Span { end: span.start + 1, ..span };
            self.problem(Diagnostic::new(brace, "this block is never closed").help("add a `}`"));
        }
        let (statements, flawed) = self.statements(inner);
        Block { span, statements, flawed }
    }

    fn report_missing(&mut self, text: &str) {
        // These offsets are those of the text as written.
        for &Missing { open, close } in std::mem::take(&mut self.missing) {
            let brace = self.place(open, open + 1);
            let mut diagnostic = Diagnostic::new(brace, "this block is never closed").at("opened here");
            let indent: String = {
                let line = text.get(..open).and_then(|head| head.rfind('\n')).map_or(0, |end| end + 1);
                text.get(line..open).unwrap_or("").chars().take_while(|c| matches!(c, ' ' | '\t')).collect()
            };
            let end = self.place(close, close);
            let (place, replacement) = if close >= text.len() {
                let line_end = if text.ends_with('\n') { "" } else { "\n" };
                ("at the end of the file".to_owned(), format!("{line_end}{indent}}}\n"))
            } else {
                let line = text.get(..close).unwrap_or("").matches('\n').count();
                let next = text.get(close..).and_then(|tail| tail.find(|c| !matches!(c, ' ' | '\t'))).unwrap_or(0);
                let start = u32::try_from(close + next).unwrap_or(u32::MAX);
                let first = text.get(close + next..).and_then(|tail| tail.chars().next()).map_or(0, char::len_utf8);
                let end = start + u32::try_from(first).unwrap_or(0);
                diagnostic = diagnostic.label(Span { start, end, ..brace }, "taken to end before this line");
                (format!("before line {}", line + 1), format!("{indent}}}\n"))
            };
            self.problem(diagnostic.help(format!("add a `}}` {place}")).fix(
                format!("add a `}}` {place}"),
                false,
                vec![Edit { span: end, replacement }],
            ));
        }
    }

    fn finish(mut self) -> Parsed {
        self.parsed.problems.sort_by_key(|problem| problem.diagnostic.primary.span);
        if self.unshown > 0 {
            let end = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
            let span = self
                .parsed
                .problems
                .last()
                .map_or(Span { source: self.source, start: 0, end }, |last| last.diagnostic.primary.span);
            let message = format!("{} more syntax problems in this file are not shown", self.unshown);
            self.parsed
                .problems
                .push(Problem::new("syntax", Diagnostic::new(span, message).help("mend the first ones and run again")));
        }
        self.parsed
    }
}

/// What kind a value is; nothing for a comma.
fn kind(value: &str) -> Option<ValueKind> {
    let is_quantile = || {
        let rest = value.strip_prefix('p').unwrap_or("");
        rest.starts_with(|c: char| c.is_ascii_digit()) && rest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.'))
    };
    match value.bytes().next()? {
        b',' => None,
        b'"' => Some(ValueKind::Text),
        b'0'..=b'9' | b'-' | b'+' | b'$' => Some(ValueKind::Quantity),
        _ if value.contains('/') => Some(ValueKind::Ratio),
        _ if is_quantile() => Some(ValueKind::Quantile),
        _ => Some(ValueKind::Path),
    }
}

/// A line without its comment. Only for what stands between statements, where there are no strings.
fn code(line: &str) -> &str {
    let end = line.find('#').into_iter().chain(line.find("//")).min();
    end.and_then(|end| line.get(..end)).unwrap_or(line)
}
