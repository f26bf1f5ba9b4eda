//! What is wrong with what could not be read, and what to write instead. Knows the forms of neighbouring languages.

use std::fmt::Write as _;

use super::tree::Block;
use crate::diagnostic::{Diagnostic, Edit};
use crate::source::Span;

/// The parts of a call as the grammar found them.
pub(super) struct Head<'a> {
    pub(super) whole: Span,
    pub(super) from: Option<Span>,
    pub(super) arrow: (&'a str, Span),
    pub(super) to: Option<Span>,
    pub(super) rest: Option<(&'a str, Span)>,
}

/// What is to be made of a call.
pub(super) struct Verdict {
    pub(super) problem: Option<Diagnostic>,
    /// Whether it can mean only one thing.
    pub(super) readable: bool,
    /// Whether its ends are the other way round.
    pub(super) reversed: bool,
}

impl Verdict {
    fn read(problem: Diagnostic) -> Self {
        Self { problem: Some(problem), readable: true, reversed: false }
    }

    fn unread(problem: Diagnostic) -> Self {
        Self { problem: Some(problem), readable: false, reversed: false }
    }
}

/// Judges a call; `written` gives the text of a place.
pub(super) fn call<'a>(head: &Head<'_>, written: impl Fn(Span) -> &'a str, block: Option<&Block>) -> Verdict {
    let (arrow, arrow_span) = head.arrow;
    let from = head.from.map(&written);
    let Some(to) = head.to else { return without_target(head, block, &written) };
    let target = written(to);
    if let Some((rest, span)) = head.rest {
        return half_read(head, from, target, rest, span);
    }
    let replace = |text: &str| vec![Edit { span: arrow_span, replacement: text.to_owned() }];
    match (arrow, from) {
        ("->" | "->>", _) => Verdict { problem: None, readable: true, reversed: false },
        ("-->" | "=>" | "==>" | "~>" | "→" | "⇒", _) => Verdict::read(
            Diagnostic::new(arrow_span, format!("a call is written `->`, not `{arrow}`"))
                .help("write `->`, or `->>` if the caller does not wait")
                .fix("write `->`", true, replace("->")),
        ),
        ("-->>", _) => Verdict::read(
            Diagnostic::new(arrow_span, "a call that nobody waits for is written `->>`, not `-->>`")
                .help("write `->>`")
                .fix("write `->>`", true, replace("->>")),
        ),
        ("<-" | "<--" | "←" | "<<-", Some(from)) => {
            let swapped = format!("{target} {} {from}", ours(arrow));
            let span = head.from.unwrap_or(arrow_span).to(to);
            let problem = Diagnostic::new(arrow_span, "an arrow points from who needs to what is needed")
                .help(format!("write `{swapped}`"))
                .fix(format!("write `{swapped}`"), true, vec![Edit { span, replacement: swapped }]);
            Verdict { problem: Some(problem), readable: true, reversed: true }
        }
        ("<-" | "<--" | "←" | "<<-", None) => Verdict::unread(
            Diagnostic::new(arrow_span, "an arrow points from who needs to what is needed")
                .help(format!("write the call where it starts, at `{target}`")),
        ),
        ("--", _) => Verdict::unread(
            Diagnostic::new(arrow_span, "a line has no direction, and a call needs one")
                .help("write `->` from who needs to what is needed")
                .fix("write `->`", false, replace("->")),
        ),
        _ => {
            let from = from.unwrap_or("…");
            let both = format!("{from} -> {target}; {target} -> {from}");
            Verdict::unread(
                Diagnostic::new(arrow_span, format!("`{arrow}` is two calls, each with its own timeout and retries"))
                    .help(format!("write `{both}`, or only the direction in which one waits for the other"))
                    .fix(
                        format!("write `{both}`"),
                        false,
                        vec![Edit { span: head.from.unwrap_or(arrow_span).to(to), replacement: both }],
                    ),
            )
        }
    }
}

fn without_target<'a>(head: &Head<'_>, block: Option<&Block>, written: &impl Fn(Span) -> &'a str) -> Verdict {
    let (arrow, arrow_span) = (ours(head.arrow.0), head.arrow.1);
    let from = head.from.map_or(String::new(), |from| format!("{} ", written(from)));
    let names: Vec<&str> = match (block, head.rest) {
        (Some(block), None) => {
            let inside = written(block.span);
            let inside = inside.strip_prefix('{').unwrap_or(inside);
            let inside = inside.strip_suffix('}').unwrap_or(inside);
            inside.split([',', ';', '\n', ' ', '\t', '\r']).filter(|name| !name.is_empty()).collect()
        }
        _ => Vec::new(),
    };
    if !names.is_empty() && names.len() <= 32 && names.iter().all(|name| is_path(name)) {
        let calls = names.iter().map(|name| format!("{from}{arrow} {name}")).collect::<Vec<_>>().join("; ");
        return Verdict::unread(
            Diagnostic::new(head.whole, "an arrow has one target: each call has a timeout of its own")
                .help(format!("write `{calls}`"))
                .fix(format!("write `{calls}`"), true, vec![Edit { span: head.whole, replacement: calls }]),
        );
    }
    let span = head.rest.map_or(arrow_span, |(_, span)| arrow_span.to(span));
    Verdict::unread(
        Diagnostic::new(span, "this arrow has no target")
            .help(format!("write `{from}{arrow} node` or `{from}{arrow} node.operation`")),
    )
}

/// A call with something behind its target that is neither a label nor a block.
fn half_read(head: &Head<'_>, from: Option<&str>, target: &str, rest: &str, span: Span) -> Verdict {
    let rest = rest.trim();
    let start = from.map_or(String::new(), |from| format!("{from} "));
    let arrow = ours(head.arrow.0);
    // An arrow that points backwards still says who needs whom.
    let reversed = head.arrow.0.starts_with(['<', '←']) && !head.arrow.0.ends_with('>');
    let read = |problem| Verdict { problem: Some(problem), readable: !reversed || from.is_some(), reversed };
    if let Some(chain) = chain(target, rest) {
        let message = "one call a statement: each has its own timeout and retries";
        let calls = format!("{start}{arrow} {target}; {}", chain.calls.join("; "));
        let problem = Diagnostic::new(span, message).help(format!("write `{calls}`"));
        let whole = head.from.unwrap_or(head.arrow.1).to(span);
        return Verdict::unread(if chain.whole && !reversed {
            problem.fix(format!("write `{calls}`"), true, vec![Edit { span: whole, replacement: calls }])
        } else {
            problem
        });
    }
    if let Some(more) = rest.strip_prefix(',') {
        let names: Vec<&str> = more.split(',').map(str::trim).filter(|name| is_path(name)).collect();
        let calls: Vec<String> =
            std::iter::once(&target).chain(&names).map(|name| format!("{start}{arrow} {name}")).collect();
        let calls = calls.join("; ");
        return read(
            Diagnostic::new(span, "an arrow has one target: each call has a timeout of its own")
                .help(format!("write `{calls}`")),
        );
    }
    let label = rest.trim_start_matches([':', ' ', '[']).trim_end_matches([']', ' ']).replace(['"', '\\'], "");
    let problem = Diagnostic::new(span, format!("cannot read {} behind the target of a call", quoted(rest)));
    read(if label.is_empty() {
        problem.help("remove it")
    } else {
        problem
            .help(format!("a label stands in quotes: `{start}{arrow} {target} \"{label}\"`"))
            .help(format!("what is said of a call stands in a block: `{start}{arrow} {target} {{ timeout 1s }}`"))
    })
}

/// `-> c -> d "label"` behind the target of a call.
struct Chain {
    calls: Vec<String>,
    /// Whether all of it was understood.
    whole: bool,
}

/// Takes a chain of calls apart; none if no arrow follows.
fn chain(target: &str, rest: &str) -> Option<Chain> {
    const ARROWS: [&str; 7] = ["->>", "-->>", "-->", "->", "=>", "→", "<-"];
    let mut chain = Chain { calls: Vec::new(), whole: true };
    let (mut from, mut rest) = (target, rest);
    while let Some(arrow) = ARROWS.into_iter().find(|arrow| rest.starts_with(arrow)) {
        let after = rest.get(arrow.len()..).unwrap_or("").trim_start();
        let end =
            after.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))).unwrap_or(after.len());
        let end = after.get(..end).and_then(|name| name.find("--").or_else(|| name.find("->"))).unwrap_or(end);
        let (name, tail) = after.split_at_checked(end).unwrap_or((after, ""));
        let name = name.trim_end_matches('-');
        chain.whole &= is_path(name) && arrow != "<-";
        chain.calls.push(format!("{from} {} {name}", ours(arrow)));
        (from, rest) = (name, after.get(name.len()..).unwrap_or(tail).trim_start());
    }
    let last = chain.calls.last_mut()?;
    if rest.starts_with('"') && rest.len() > 1 && rest.ends_with('"') {
        let _ = write!(last, " {rest}");
    } else {
        chain.whole &= rest.is_empty();
    }
    Some(chain)
}

/// The arrow of ours that a foreign one means.
fn ours(arrow: &str) -> &'static str {
    if arrow.contains(">>") || arrow.contains("<<") { "->>" } else { "->" }
}

/// Text where a statement should start.
pub(super) fn statement(text: &str, span: Span) -> Diagnostic {
    let problem = Diagnostic::new(span, format!("cannot read {} as a statement", quoted(text)));
    let help = match text.chars().next() {
        Some('/') => "a comment starts with `#` and ends with its line",
        Some('"' | '\'') => "a statement starts with a word; a label stands behind a name, in double quotes",
        Some('[' | '(') => "what is said of a thing stands in braces, one statement a line",
        Some(',') => "a line end also ends a list: write all of it on one line",
        Some(c) if c.is_ascii_digit() => "a statement starts with a word: write what the value is for before it",
        Some(c) if !c.is_ascii() => {
            "names are written with ASCII letters, digits, `_` and `-`; labels may hold any text"
        }
        _ => "a statement is `name value …` or `a -> b`; whatever is not a name stands in double quotes",
    };
    problem.help(help)
}

/// Text behind the values of a statement.
pub(super) fn rest(text: &str, span: Span) -> Diagnostic {
    let trimmed = text.trim();
    let problem = Diagnostic::new(span, format!("cannot read {} here", quoted(trimmed)));
    let help = match trimmed.chars().next() {
        Some('\'') => "text stands in double quotes".to_owned(),
        Some('[' | '(') => "a list is written with commas and without brackets: `zones a, b`".to_owned(),
        Some('/' | ':') => "an address or a path stands in double quotes".to_owned(),
        _ => format!("remove it, or put it in double quotes: \"{}\"", trimmed.replace(['"', '\\'], "")),
    };
    problem.help(help)
}

/// `timeout: 1s` and `timeout = 1s`.
pub(super) fn separator(text: &str, span: Span) -> Diagnostic {
    Diagnostic::new(span, format!("a value follows its name without `{text}`"))
        .help("write `timeout 1s`, a blank between name and value")
        .fix(format!("remove `{text}`"), true, vec![Edit { span, replacement: " ".to_owned() }])
}

/// A comma with nothing before or behind it.
pub(crate) fn comma(span: Span) -> Diagnostic {
    Diagnostic::new(span, "a comma stands between two values of one line")
        .help("remove it, or write the whole list on this line")
        .fix("remove the comma", true, vec![Edit { span, replacement: String::new() }])
}

/// A string whose line ends before it does.
pub(super) fn open_text(text: &str, span: Span) -> Diagnostic {
    let start = Span { end: span.start + 1, ..span };
    let end = Span { start: span.end - u32::try_from(text.len() - text.trim_end().len()).unwrap_or(0), ..span };
    Diagnostic::new(start, "this text is not closed: a string ends on its own line")
        .at("opened here")
        .help("add a `\"`; a line break inside is written `\\n`")
        .fix("add a `\"`", false, vec![Edit { span: end.before(), replacement: "\"".to_owned() }])
}

/// Shows at most 40 characters of what was written.
fn quoted(text: &str) -> String {
    let text = text.trim();
    let short: String = text.chars().take(40).collect();
    if short.len() < text.len() { format!("`{short}…`") } else { format!("`{short}`") }
}

fn is_path(text: &str) -> bool {
    text.split('.').all(|name| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    })
}
