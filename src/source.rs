//! Texts and places in them. Knows nothing of the language, of files on disk or of how a place is shown.

use std::borrow::Cow;
use std::sync::OnceLock;

/// Which text of a [`SourceMap`] is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// A stretch of one text, in bytes, half open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The text.
    pub source: SourceId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
}

impl Span {
    /// The smallest stretch that holds both; `other` must lie in the same text.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { source: self.source, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The empty stretch at the start of this one.
    #[must_use]
    pub fn before(self) -> Self {
        Self { end: self.start, ..self }
    }

    /// The empty stretch behind this one.
    #[must_use]
    pub fn after(self) -> Self {
        Self { start: self.end, ..self }
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether it holds no byte.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether `other` lies within it.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.source == other.source && self.start <= other.start && other.end <= self.end
    }
}

/// Line and column as people count them: from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// One text and the name under which people know it: a path relative to where the tool was called, with `/`.
#[derive(Clone, Debug)]
pub struct Source {
    /// Name shown in findings, in one line and without anything that a terminal would obey.
    pub name: String,
    /// The same path as it is, for programs.
    pub path: String,
    /// The text.
    pub text: String,
    lines: OnceLock<Vec<u32>>,
    /// Characters before every so many bytes.
    steps: OnceLock<Vec<usize>>,
    /// The text without what a terminal would obey, if it has any of that.
    harmless: OnceLock<Option<String>>,
}

impl Source {
    /// Offsets at which the lines start.
    fn lines(&self) -> &[u32] {
        self.lines.get_or_init(|| {
            let breaks = self.text.bytes().zip(1u32..).filter(|(byte, _)| *byte == b'\n').map(|(_, next)| next);
            std::iter::once(0).chain(breaks).collect()
        })
    }

    /// How many characters stand before an offset. Counted in steps, so that a line of any length costs no more.
    fn characters(&self, offset: usize) -> usize {
        let steps = self.steps.get_or_init(|| {
            let mut sum = 0;
            let sums = self.text.as_bytes().chunks(STEP).map(|chunk| {
                sum += count(chunk);
                sum
            });
            std::iter::once(0).chain(sums).collect()
        });
        let whole = offset / STEP;
        let rest = self.text.as_bytes().get(whole * STEP..offset).unwrap_or_default();
        steps.get(whole).copied().unwrap_or(0) + count(rest)
    }

    /// The text as it may be shown: see [`clean`]. All places stay right.
    #[must_use]
    pub fn shown(&self) -> &str {
        let harmless = self.harmless.get_or_init(|| match clean(&self.text) {
            Cow::Borrowed(_) => None,
            Cow::Owned(text) => Some(text),
        });
        harmless.as_deref().unwrap_or(&self.text)
    }

    /// Line and column of an offset; an offset outside the text counts as its end.
    #[must_use]
    pub fn position(&self, offset: u32) -> Position {
        let lines = self.lines();
        let line = lines.partition_point(|start| *start <= offset).max(1);
        let start = lines.get(line - 1).copied().unwrap_or(0) as usize;
        let offset = (offset as usize).min(self.text.len());
        let before = match self.text.as_bytes().get(start..offset) {
            Some(bytes) if bytes.len() <= STEP => count(bytes),
            _ => self.characters(offset) - self.characters(start),
        };
        Position { line, column: before + 1 }
    }

    /// Line of an offset, and its column in bytes of UTF-8, from 1.
    #[must_use]
    pub fn position_in_bytes(&self, offset: u32) -> Position {
        let line = self.position(offset).line;
        let start = self.lines().get(line - 1).copied().unwrap_or(0) as usize;
        Position { line, column: (offset as usize).min(self.text.len()) - start + 1 }
    }
}

/// So many bytes are counted at once.
const STEP: usize = 1024;

/// How many characters start in these bytes.
fn count(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| (**byte & 0xC0) != 0x80).count()
}

/// All texts of one run. The only way from a [`Span`] to what is written there.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    sources: Vec<Source>,
}

impl SourceMap {
    /// Takes a text in. Texts of 4 GiB and more cannot be addressed; callers limit size long before that.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        let id = SourceId(u32::try_from(self.sources.len()).unwrap_or(u32::MAX));
        let path = name.into();
        self.sources.push(Source {
            name: clean(&path).replace(['\n', '\t'], "?"),
            path,
            text: text.into(),
            lines: OnceLock::new(),
            steps: OnceLock::new(),
            harmless: OnceLock::new(),
        });
        id
    }

    /// The text with this id, if it was taken in here.
    #[must_use]
    pub fn get(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(id.0 as usize)
    }

    /// What is written at a place; empty for a place that is not in any text.
    #[must_use]
    pub fn text(&self, span: Span) -> &str {
        self.get(span.source).and_then(|source| source.text.get(span.start as usize..span.end as usize)).unwrap_or("")
    }

    /// The name of the text that a place lies in.
    #[must_use]
    pub fn name(&self, span: Span) -> &str {
        self.get(span.source).map_or("", |source| source.name.as_str())
    }

    /// Line and column at which a place starts.
    #[must_use]
    pub fn position(&self, span: Span) -> Position {
        self.get(span.source).map_or(Position { line: 1, column: 1 }, |source| source.position(span.start))
    }

    /// Line and column behind the last character of a place.
    #[must_use]
    pub fn end(&self, span: Span) -> Position {
        self.position(span.after())
    }

    /// All texts in the order they were taken in.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        (0..).map(SourceId).zip(&self.sources)
    }
}

/// Text without anything that a terminal would obey or that would reorder what is read: control characters and the
/// marks that change the direction of writing become `?`, of the same length in bytes, so that places stay right.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    // Nearly every text is plain, and that is seen at once.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t')) || !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().fold(String::with_capacity(text.len()), |mut safe, character| {
        if character == '\r' {
            safe.push(' ');
        } else if is_harmful(character) {
            safe.extend(std::iter::repeat_n('?', character.len_utf8()));
        } else {
            safe.push(character);
        }
        safe
    }))
}

/// Whether a terminal would obey it, it would reorder what is read, or it says something that only programs see.
pub(crate) fn is_harmful(character: char) -> bool {
    let directs =
        matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' | '\u{061C}');
    let is_tag = matches!(character, '\u{E0000}'..='\u{E007F}');
    directs || is_tag || (character.is_control() && !matches!(character, '\n' | '\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_but_text() {
        assert_eq!(clean("a\u{1b}[31mb"), "a?[31mb");
        assert_eq!(clean("x\u{202E}y"), "x???y");
        assert_eq!(clean("x\u{E0041}y"), "x????y", "a letter that nobody sees");
        assert!(matches!(clean("plain ü\n"), Cow::Borrowed(_)));
    }
}
