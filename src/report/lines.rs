//! JSON with one row a line: the outer levels are broken into lines, so that it can be read, searched and compared line
//! by line, and a row stays in one. Written as it is made, never held as a tree.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::source::is_harmful;

/// Writes a value as JSON; so many outer levels are broken into lines.
///
/// # Errors
/// What keeps it from being written.
pub(crate) fn write(out: &mut impl Write, value: &impl Serialize, broken: usize) -> io::Result<()> {
    let lines = Lines { broken, depth: 0, filled: false };
    value.serialize(&mut Serializer::with_formatter(&mut *out, lines)).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

struct Lines {
    broken: usize,
    depth: usize,
    /// Whether the innermost object or array has anything in it.
    filled: bool,
}

impl Lines {
    fn begin<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.filled = false;
        out.write_all(bracket)
    }

    fn item<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if !first {
            out.write_all(b",")?;
        }
        if self.depth <= self.broken {
            self.line(out)
        } else if first {
            Ok(())
        } else {
            out.write_all(b" ")
        }
    }

    fn end<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if self.depth < self.broken && self.filled {
            self.line(out)?;
        }
        self.filled = true;
        out.write_all(bracket)
    }

    fn line<W: ?Sized + Write>(&self, out: &mut W) -> io::Result<()> {
        out.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| out.write_all(b"  "))
    }
}

impl Formatter for Lines {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"[")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.item(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"]")
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"{")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.item(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"}")
    }

    /// What a terminal would obey is written as an escape, which says the same to programs.
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.is_ascii() && !fragment.contains('\u{7f}') {
            return out.write_all(fragment.as_bytes());
        }
        for part in fragment.split_inclusive(is_harmful) {
            match part.char_indices().next_back().filter(|(_, last)| is_harmful(*last)) {
                Some((end, last)) => {
                    out.write_all(part.get(..end).unwrap_or_default().as_bytes())?;
                    write!(out, "\\u{:04x}", u32::from(last))?;
                }
                None => out.write_all(part.as_bytes())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
        write(&mut out, &value, 2).expect("memory");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn the_outer_levels_are_broken_and_rows_stay_in_one_line() {
        let text = written(r#"{"a": [{"b": [1, 2]}, {}], "c": [], "d": {}}"#);
        assert_eq!(text, "{\n  \"a\": [\n    {\"b\": [1, 2]},\n    {}\n  ],\n  \"c\": [],\n  \"d\": {}\n}\n");
    }

    #[test]
    fn nothing_that_a_terminal_would_obey_is_written_and_nothing_is_lost() {
        let text = written("{\"a\": \"x\u{9b}31m\u{202e}y\u{7f}z ü\"}");
        assert!(text.contains(r#""x\u009b31m\u202ey\u007fz ü""#), "{text}");
        let again: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(again["a"], "x\u{9b}31m\u{202e}y\u{7f}z ü");
    }
}
