//! Source lines with labels. The only place that names miette.

use std::fmt;

use miette::{
    Diagnostic as Shown, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents,
    SourceCode, SourceSpan, SpanContents,
};

use super::excerpt::Cut;
use super::paint::Look;
use crate::diagnostic::{Diagnostic, Label};
use crate::source::{Source, SourceMap, clean};

/// Of lines longer than this only the place is shown: looking at one costs its length, for each finding in it.
const MAX_LINE: usize = 4_000;

/// So many hops of a witness are shown; of more, the first and the last ones.
const MAX_HOPS: usize = 10;

/// The places of a diagnostic, each with what is said there; places in several files one file after the other.
pub(super) fn snippets(sources: &SourceMap, diagnostic: &Diagnostic, look: Look) -> String {
    let labels = labels(diagnostic);
    let mut files: Vec<_> = Vec::new();
    for label in &labels {
        if !files.contains(&label.span.source) {
            files.push(label.span.source);
        }
    }
    files
        .into_iter()
        .filter_map(|id| {
            let source = sources.get(id)?;
            let here: Vec<&Label> = labels.iter().filter(|label| label.span.source == id).collect();
            Some(snippet(source, &here, look))
        })
        .collect()
}

/// A diagnostic outside of any outcome, such as one about the configuration.
#[must_use]
pub fn show(sources: &SourceMap, diagnostic: &Diagnostic, look: Look) -> String {
    let mut text = look.wrap("error: ", &clean(&diagnostic.message));
    text.push_str(&snippets(sources, diagnostic, look));
    for help in &diagnostic.help {
        text.push_str(&look.wrap("  help: ", &clean(help)));
    }
    text
}

/// The places of a diagnostic; the hops of its witness are numbered in the order of events.
fn labels(diagnostic: &Diagnostic) -> Vec<Label> {
    let hops = diagnostic.witness.len();
    let mut labels = Vec::new();
    // A hop at the primary place says what there is to say there.
    if diagnostic.witness.iter().all(|step| step.span != diagnostic.primary.span) {
        labels.push(diagnostic.primary.clone());
    }
    labels.extend(diagnostic.labels.iter().cloned());
    for (index, step) in diagnostic.witness.iter().enumerate() {
        let left_out = hops > MAX_HOPS && index >= MAX_HOPS - 2 && index < hops - 2;
        if !left_out {
            labels.push(Label { span: step.span, text: format!("{}. {}", index + 1, step.text) });
        }
    }
    labels
}

fn snippet(source: &Source, labels: &[&Label], look: Look) -> String {
    let text = source.shown();
    let long = |label: &&&Label| line_length(text, label.span.start as usize) > MAX_LINE;
    if labels.iter().any(|label| long(&label)) {
        let place = |label: &&Label| {
            let position = source.position(label.span.start);
            format!("    {}:{}:{} {}\n", clean(&source.name), position.line, position.column, clean(&label.text))
        };
        return labels.iter().map(place).collect();
    }
    let theme = if look.color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(look.width)
        .with_context_lines(0)
        .with_links(false)
        .tab_width(2);
    let handler = handler.without_syntax_highlighting();
    // Beside the line stand its number, a frame, and blanks.
    let room = look.width.saturating_sub(numbers(source, labels) + FRAME);
    let cut = Cut::of(source, text, labels, room);
    let moved: Vec<&Label> = cut.iter().flat_map(|cut| &cut.labels).collect();
    let (text, labels) = cut.as_ref().map_or((text, labels), |cut| (cut.text.as_str(), moved.as_slice()));
    let excerpt = Excerpt { source, text, labels, cut: cut.as_ref() };
    let mut shown = String::new();
    // Writing into a string cannot fail.
    let _ = handler.render_report(&mut shown, &excerpt);
    // The first lines are the message, which stands above in our own words.
    let start = shown.find("╭─").and_then(|frame| shown.get(..frame)?.rfind('\n')).map_or(0, |end| end + 1);
    shown.get(start..).unwrap_or("").lines().fold(String::new(), |text, line| text + line.trim_end() + "\n")
}

/// The frame beside a line.
const FRAME: usize = 4;

/// How many digits the largest number of a line has.
fn numbers(source: &Source, labels: &[&Label]) -> usize {
    let last = labels.iter().map(|label| source.position(label.span.end).line).max().unwrap_or(1);
    last.to_string().len()
}

fn line_length(text: &str, offset: usize) -> usize {
    let offset = offset.min(text.len());
    let bytes = text.as_bytes();
    let before = bytes
        .iter()
        .take(offset)
        .rev()
        .take(MAX_LINE + 1)
        .position(|byte| *byte == b'\n')
        .unwrap_or(offset.min(MAX_LINE + 1));
    let after = bytes.iter().skip(offset).take(MAX_LINE + 1).position(|byte| *byte == b'\n');
    before + after.unwrap_or((text.len() - offset).min(MAX_LINE + 1))
}

/// One file with its labels, as miette wants to see it.
struct Excerpt<'a> {
    source: &'a Source,
    text: &'a str,
    labels: &'a [&'a Label],
    /// If lines were cut, what stands in the place of the file.
    cut: Option<&'a Cut>,
}

impl SourceCode for Excerpt<'_> {
    /// The whole lines that a place covers. Unlike the reader for plain text this one does not walk from the start.
    fn read_span<'b>(
        &'b self,
        span: &SourceSpan,
        _before: usize,
        _after: usize,
    ) -> Result<Box<dyn SpanContents<'b> + 'b>, MietteError> {
        let start = span.offset().min(self.text.len());
        let end = (start + span.len()).min(self.text.len());
        let line_start = self.text.get(..start).and_then(|head| head.rfind('\n')).map_or(0, |at| at + 1);
        let line_end = self.text.get(end..).and_then(|tail| tail.find('\n')).map_or(self.text.len(), |at| end + at + 1);
        let number = |start: usize| self.source.position(u32::try_from(start).unwrap_or(u32::MAX)).line;
        let line = self.cut.map_or_else(|| number(line_start), |cut| cut.number(line_start)) - 1;
        let data = self.text.as_bytes().get(line_start..line_end).unwrap_or_default();
        let lines = data.split(|byte| *byte == b'\n').count().saturating_sub(1).max(1);
        let place = SourceSpan::new(line_start.into(), line_end - line_start);
        let column = || self.source.position(u32::try_from(start).unwrap_or(u32::MAX)).column;
        let column = self.cut.map_or_else(column, |cut| cut.column(start)) - 1;
        Ok(Box::new(MietteSpanContents::new_named(self.source.name.clone(), data, place, line, column, lines)))
    }
}

impl fmt::Debug for Excerpt<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.source.name)
    }
}

/// Empty: the message is written above the snippet.
impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Excerpt<'_> {}

impl Shown for Excerpt<'_> {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().enumerate().map(|(index, label)| {
            let text = (!label.text.is_empty()).then(|| clean(&label.text).into_owned());
            let place = (label.span.start as usize, label.span.len());
            if index == 0 {
                LabeledSpan::new_primary_with_span(text, place)
            } else {
                LabeledSpan::new_with_span(text, place)
            }
        })))
    }
}
