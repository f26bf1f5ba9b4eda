//! What a change does, for a comment on a pull request: the numbers first, then the picture, then what was found, folded.
//! What does not fit is counted.

use std::fmt::Write as _;

use super::{line, mermaid::mermaid, phrases, sign};
use crate::change::{Comparison, TopologyChange};
use crate::lint::Finding;
use crate::report::escape::{markdown as safe, markdown_code as code};
use crate::source::{SourceMap, Span};

/// By this a program finds the comment that it has written before.
pub const MARKER: &str = "<!-- topolint:diff -->";

/// So many bytes fit into a comment on GitHub, which takes 65,536 characters, with room for what others add.
const MOST: usize = 64_000;

/// What the numbers and the pictures may take of it.
const NUMBERS: usize = 8_000;
const PICTURES: usize = 16_000;

/// What is different from `base`, as people call it.
#[must_use]
pub fn diff_markdown(sources: &SourceMap, comparison: &Comparison, base: &str) -> String {
    let mut text = format!("{MARKER}\n### topolint: {}\n", phrases::counts(comparison));
    let _ = write!(text, "\nCompared with {}.\n", code(base));
    let changed = || comparison.topologies.iter().filter(|topology| topology.is_changed());
    let numbers: Vec<String> =
        changed().flat_map(phrases::numbers).map(|line| format!("- {}\n", safe(&line))).collect();
    if !numbers.is_empty() {
        text.push('\n');
        text.push_str(&fitting(&numbers, NUMBERS));
    }
    text.push_str(&pictures(changed()));
    let new: Vec<String> = comparison
        .new_findings()
        .map(|(finding, new)| {
            let help = finding.diagnostic.help.first().map(|help| format!("<br>*help:* {}", safe(help)));
            let is_change = finding.rule.family == "change";
            let origin = if is_change { String::new() } else { format!("<br>*from:* {}", safe(&new.origin())) };
            entry(sources, finding, &(origin + &help.unwrap_or_default()))
        })
        .collect();
    let both = |worse: &crate::change::Worse| {
        let was = comparison.before.findings.get(worse.was)?;
        Some(format!("- {}\n", safe(&phrases::worse(was, comparison.outcome.findings.get(worse.finding)?))))
    };
    let worse: Vec<String> = comparison.worse.iter().filter_map(both).collect();
    let fixed: Vec<String> =
        comparison.fixed_findings().map(|finding| format!("- {}\n", safe(&line(finding)))).collect();
    let edits: Vec<String> = changed()
        .flat_map(|topology| &topology.edits)
        .map(|edit| format!("- {} {}\n", code(&sign(edit).to_string()), safe(&edit.sentence())))
        .collect();
    let sections = [("New", new), ("Worse", worse), ("Fixed", fixed), ("What was changed", edits)];
    let left = sections.iter().filter(|(_, lines)| !lines.is_empty()).count();
    for (index, (heading, lines)) in sections.iter().filter(|(_, lines)| !lines.is_empty()).enumerate() {
        // What is new may take most of what is left, and everything leaves room for what comes after it.
        let rest = MOST.saturating_sub(text.len());
        let room = if index + 1 == left { rest } else { rest / 3 * 2 };
        text.push_str(&section(heading, lines, room));
    }
    text
}

/// One paragraph of a list.
fn entry(sources: &SourceMap, finding: &Finding, more: &str) -> String {
    let place = place(sources, finding.diagnostic.primary.span);
    format!("- {} {place}{more}\n", safe(&line(finding)))
}

fn place(sources: &SourceMap, span: Span) -> String {
    let position = sources.position(span);
    code(&format!("{}:{}:{}", sources.name(span), position.line, position.column))
}

fn pictures<'a>(topologies: impl Iterator<Item = &'a TopologyChange>) -> String {
    let mut text = String::new();
    let mut left_out = 0;
    for topology in topologies {
        let Some(drawn) = mermaid(&topology.picture) else { continue };
        if text.len() + drawn.len() > PICTURES {
            left_out += 1;
            continue;
        }
        let _ = write!(text, "\n{}\n\n```mermaid\n{drawn}```\n", safe(&topology.name));
        if topology.picture.left_out > 0 {
            let _ = write!(text, "\n… and {} more nodes that the change concerns\n", topology.picture.left_out);
        }
    }
    if left_out > 0 {
        let _ = write!(text, "\n… and {left_out} pictures that do not fit here\n");
    }
    text
}

/// A list under a heading that folds it away.
fn section(heading: &str, lines: &[String], room: usize) -> String {
    const FRAME: usize = 200;
    let inside = fitting(lines, room.saturating_sub(FRAME));
    format!("\n<details>\n<summary>{heading} ({})</summary>\n\n{inside}\n</details>\n", lines.len())
}

/// As many lines as fit, and how many do not.
fn fitting(lines: &[String], room: usize) -> String {
    const REMAINDER: usize = 60;
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        if text.len() + line.len() + REMAINDER > room {
            let _ = writeln!(text, "\n… and {} more that do not fit here", lines.len() - index);
            break;
        }
        text.push_str(line);
    }
    text
}
