//! Braces before grammar: where the outermost statements end, which blocks nest too deep, which brace is missing.
//!
//! One pass over the bytes that knows strings and comments exactly as the grammar does. It keeps the grammar off input
//! that would exhaust the stack, cuts the text into pieces whose parse trees are small, and is the only place where
//! indentation means anything: where braces do not balance.

use super::MAX_DEPTH;

/// Pieces of at least this size are cut off, so that no parse tree is ever large.
const PIECE: usize = 32 * 1024;

/// A statement of more words counts as several: what is read of one takes so much room and no more.
const WORDS: usize = 16;

/// A stretch of the text that is parsed at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The brace that nests too deep: the piece is not read.
    pub(super) too_deep: Option<usize>,
}

/// What the braces of a text say.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(super) pieces: Vec<Piece>,
    /// Offsets of the braces that are never closed, outermost first.
    pub(super) unclosed: Vec<usize>,
    /// How many statements there may be; what takes as much room as a statement is one.
    pub(crate) statements: usize,
}

/// A brace that the text lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    /// The `{` that is not closed.
    pub(super) open: usize,
    /// Where a `}` is taken to stand, in the text as written.
    pub(super) close: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Code,
    Text,
    Comment,
}

/// Walks what stands outside strings and comments.
struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    mode: Mode,
    /// Comments that start with `//`: they are read, to be reported.
    slashes: usize,
}

/// Something outside strings and comments: one byte, or the bytes of a word.
#[derive(Clone, Copy)]
struct Mark {
    at: usize,
    end: usize,
    /// The first byte.
    byte: u8,
}

impl<'a> Walk<'a> {
    fn new(text: &'a str) -> Self {
        Self { bytes: text.as_bytes(), at: 0, mode: Mode::Code, slashes: 0 }
    }

    /// `//` opens a comment at the start of a word only, so that an unquoted address is one mistake and not two.
    fn opens_comment(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|at| self.bytes.get(at));
        let starts_word = before.is_none_or(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' | b'}'));
        starts_word && self.bytes.get(at + 1) == Some(&b'/')
    }

    /// Goes on to the first byte that is one of those.
    fn skip_to(&mut self, ends: impl Fn(&u8) -> bool) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at += rest.iter().position(ends).unwrap_or(rest.len());
    }
}

impl Iterator for Walk<'_> {
    type Item = Mark;

    /// The next that counts: line ends always do, of a string the quote that opens it, and of a word all of it.
    fn next(&mut self) -> Option<Mark> {
        while let Some(&byte) = self.bytes.get(self.at) {
            let at = self.at;
            self.at += 1;
            match (self.mode, byte) {
                (_, b'\n') => {
                    self.mode = Mode::Code;
                    return Some(Mark { at, end: self.at, byte });
                }
                (Mode::Text, b'"') => self.mode = Mode::Code,
                (Mode::Text, b'\\') if self.bytes.get(self.at).is_some_and(|next| *next != b'\n') => self.at += 1,
                (Mode::Text, _) => self.skip_to(|byte| matches!(byte, b'"' | b'\\' | b'\n')),
                (Mode::Comment, _) => self.skip_to(|byte| *byte == b'\n'),
                (Mode::Code, b' ' | b'\t' | b'\r') => {}
                (Mode::Code, b'#') => self.mode = Mode::Comment,
                (Mode::Code, b'/') if self.opens_comment(at) => {
                    self.mode = Mode::Comment;
                    self.slashes += 1;
                }
                (Mode::Code, _) => {
                    match byte {
                        b'"' => self.mode = Mode::Text,
                        b';' | b'{' | b'}' | b',' | b'+' | b'$' => {}
                        _ => self.skip_to(|byte| ends_word(*byte)),
                    }
                    return Some(Mark { at, end: self.at, byte });
                }
            }
        }
        None
    }
}

fn ends_word(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{' | b'}' | b',' | b'"' | b'+' | b'$' | b'#')
}

/// Cuts the text into pieces and finds the braces that do not balance.
pub(crate) fn layout(text: &str) -> Layout {
    let mut found = Layout::default();
    let mut open: Vec<usize> = Vec::new();
    let mut depth = 0_usize;
    let (mut piece, mut line, mut line_is_empty) = (0, 0, true);
    let mut too_deep: Option<(usize, usize)> = None;
    let (mut count, mut walk) = (Count::default(), Walk::new(text));
    for mark in walk.by_ref() {
        let Mark { at, byte, .. } = mark;
        count.step(mark, depth == 0);
        match byte {
            b'\n' => (line, line_is_empty) = (at + 1, true),
            b'{' => {
                depth += 1;
                if open.len() < MAX_DEPTH {
                    open.push(at);
                } else if too_deep.is_none() {
                    let outermost = open.first().copied().unwrap_or(at);
                    let start =
                        text.get(..outermost).and_then(|head| head.rfind('\n')).map_or(0, |end| end + 1).max(piece);
                    too_deep = Some((start, at));
                }
            }
            b'}' => {
                depth = depth.saturating_sub(1);
                open.truncate(depth);
                if depth == 0
                    && let Some((start, brace)) = too_deep.take()
                {
                    found.cut(piece, start, None);
                    found.cut(start, at + 1, Some(brace));
                    piece = at + 1;
                } else if depth == 0 && at + 1 >= piece + PIECE {
                    found.cut(piece, at + 1, None);
                    piece = at + 1;
                }
            }
            // A line of the outermost level that starts with a letter starts a statement.
            b'a'..=b'z' | b'A'..=b'Z' | b'_' if line_is_empty && depth == 0 && line >= piece + PIECE => {
                found.cut(piece, line, None);
                piece = line;
            }
            _ => {}
        }
        line_is_empty &= byte == b'\n';
    }
    count.step(Mark { at: text.len(), end: text.len(), byte: b'\n' }, false);
    found.statements = count.statements + walk.slashes;
    if let Some((start, brace)) = too_deep {
        found.cut(piece, start, None);
        found.cut(start, text.len(), Some(brace));
    } else {
        found.cut(piece, text.len(), None);
        found.unclosed = open;
    }
    found
}

/// Counts what is read, as statements.
#[derive(Default)]
struct Count {
    statements: usize,
    words: usize,
    /// Where the word ends that goes on if nothing stands between.
    word_end: usize,
}

impl Count {
    fn step(&mut self, mark: Mark, is_outermost: bool) {
        match mark.byte {
            byte @ (b'\n' | b';' | b'{' | b'}') => {
                // A block may have no name, and a brace may close nothing.
                let is_read = byte == b'{' || byte == b'}' && is_outermost;
                self.statements += self.words.div_ceil(WORDS).max(usize::from(is_read));
                self.words = 0;
            }
            b',' | b'"' => self.words += 1,
            // These need no blanks around them.
            b'+' | b'$' => {
                self.words += 1;
                self.word_end = mark.end;
            }
            _ => {
                self.words += usize::from(mark.at == 0 || self.word_end != mark.at);
                self.word_end = mark.end;
            }
        }
    }
}

impl Layout {
    fn cut(&mut self, start: usize, end: usize, too_deep: Option<usize>) {
        if start < end {
            self.pieces.push(Piece { start, end, too_deep });
        }
    }
}

/// Where the missing braces belong, by indentation: a line not deeper than the one that opened the innermost block
/// closes it; a line that starts with `}` does so only when it is shallower.
pub(super) fn missing(text: &str) -> Vec<Missing> {
    let mut found = Vec::new();
    let mut open: Vec<(usize, usize)> = Vec::new();
    let (mut line, mut indent, mut line_is_empty) = (0, 0, true);
    for Mark { at, byte, .. } in Walk::new(text) {
        if byte == b'\n' {
            (line, line_is_empty) = (at + 1, true);
            continue;
        }
        if line_is_empty {
            line_is_empty = false;
            indent = at - line;
            while let Some(&(brace, of_opener)) = open.last() {
                let ends_here = if byte == b'}' { indent < of_opener } else { indent <= of_opener && byte != b'{' };
                if !ends_here {
                    break;
                }
                open.pop();
                found.push(Missing { open: brace, close: line });
            }
        }
        match byte {
            b'{' => open.push((at, indent)),
            b'}' => drop(open.pop()),
            _ => {}
        }
    }
    let at_end = open.into_iter().rev().map(|(brace, _)| Missing { open: brace, close: text.len() });
    found.extend(at_end);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_in_strings_and_comments_do_not_count() {
        assert!(layout("a \"{\" # {\n// {\nb {}\n").unclosed.is_empty());
        assert_eq!(layout("link http://x { \n").unclosed, [14], "an unquoted address is no comment");
    }

    #[test]
    fn a_line_as_shallow_as_the_opener_closes_it() {
        let text = "service a {\n  owner x\nservice b {\n}\n";
        assert_eq!(missing(text), [Missing { open: 10, close: 22 }]);
    }

    #[test]
    fn a_closing_brace_closes_its_equal() {
        let text = "group g {\n  service a {\n    owner x\n}\n";
        assert_eq!(missing(text), [Missing { open: 22, close: 36 }]);
    }

    #[test]
    fn too_deep_is_cut_out_alone() {
        let deep = format!("service a\nx {}{}\nservice b\n", "{".repeat(80), "}".repeat(80));
        let pieces = layout(&deep).pieces;
        assert_eq!(pieces.iter().map(|piece| piece.too_deep.is_some()).collect::<Vec<_>>(), [false, true, false]);
    }
}
