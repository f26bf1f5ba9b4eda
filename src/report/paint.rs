//! Colour, width and harmless text: what every report for people needs.

use anstyle::{AnsiColor, Style};

use crate::metadata::Level;

/// How a report for people looks.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Whether colours are written.
    pub color: bool,
    /// Columns.
    pub width: usize,
}

impl Default for Look {
    fn default() -> Self {
        Self { color: false, width: 80 }
    }
}

impl Look {
    /// Text in a style, if there are colours.
    pub(super) fn paint(self, style: Style, text: &str) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// Bold text.
    pub(super) fn bold(self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    /// Text that stays in the background.
    pub(super) fn dim(self, text: &str) -> String {
        self.paint(Style::new().dimmed(), text)
    }

    /// Text with the colour of a level.
    pub(super) fn level(self, level: Level, text: &str) -> String {
        let color = match level {
            Level::Error => AnsiColor::Red,
            Level::Warn => AnsiColor::Yellow,
            Level::Info => AnsiColor::Cyan,
        };
        self.paint(color.on_default().bold(), text)
    }

    /// Text in lines: `first` before the first one, blanks of the same width before the others.
    pub(super) fn wrap(self, first: &str, text: &str) -> String {
        self.wrap_hanging(first, &" ".repeat(textwrap::core::display_width(first)), text)
    }

    /// Text in lines, with what stands before the first and before every other one. Numbers stay with their units and
    /// short pieces of code in one line.
    pub(super) fn wrap_hanging(self, first: &str, rest: &str, text: &str) -> String {
        let bound = bind(text);
        // Only what is no address and would not fit into a line of its own is broken.
        let room = self.width.saturating_sub(textwrap::core::display_width(rest));
        let too_long = |word: &str| textwrap::core::display_width(word) > room && !word.contains("://");
        let options = textwrap::Options::new(self.width)
            .initial_indent(first)
            .subsequent_indent(rest)
            .break_words(bound.split(' ').any(too_long))
            .word_separator(textwrap::WordSeparator::AsciiSpace)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        let lines = textwrap::wrap(&bound, options);
        lines.iter().fold(String::new(), |text, line| text + line.replace(BOUND, " ").trim_end() + "\n")
    }
}

/// How many columns a text takes.
pub(super) fn columns(text: &str) -> usize {
    textwrap::core::display_width(text)
}

/// Stands for a blank at which no line ends.
const BOUND: char = '\u{A0}';

/// Binds numbers to their units, and the words of code in backticks if they are few.
fn bind(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    let bound = pieces.map(|(index, piece)| match index % 2 {
        1 if piece.len() <= 40 => piece.replace(' ', "\u{A0}"),
        1 => piece.to_owned(),
        _ => bind_units(piece),
    });
    bound.collect::<Vec<_>>().join("`")
}

fn bind_units(text: &str) -> String {
    let mut bound = String::with_capacity(text.len());
    let mut words = text.split(' ').peekable();
    while let Some(word) = words.next() {
        bound.push_str(word);
        let Some(next) = words.peek() else { break };
        let unit = next.trim_end_matches([',', ')', '.', ':']);
        let number = word.ends_with(|c: char| c.is_ascii_digit())
            && matches!(unit, "ns" | "us" | "ms" | "s" | "min" | "h" | "d");
        bound.push(if number { BOUND } else { ' ' });
    }
    bound
}
