//! XML, written as it is made: what is opened is closed, and no text can be anything but text.

use std::fmt::Write as _;

use super::escape;

/// A document that is being written.
pub(super) struct Xml {
    text: String,
    open: Vec<&'static str>,
}

/// Names and values of an element.
type Attributes<'a> = &'a [(&'static str, &'a str)];

impl Xml {
    pub(super) fn new() -> Self {
        Self { text: String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"), open: Vec::new() }
    }

    /// Opens an element.
    pub(super) fn open(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.start(name, attributes);
        self.text.push_str(">\n");
        self.open.push(name);
    }

    /// An element with nothing in it.
    pub(super) fn empty(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.start(name, attributes);
        self.text.push_str("/>\n");
    }

    /// An element with text in it, line by line.
    pub(super) fn text(&mut self, name: &'static str, attributes: Attributes<'_>, lines: &str) {
        self.start(name, attributes);
        let lines: Vec<String> = lines.split('\n').map(escape::xml).collect();
        // Writing into a string cannot fail.
        let _ = writeln!(self.text, ">{}</{name}>", lines.join("\n"));
    }

    /// Closes the innermost element.
    pub(super) fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            let _ = writeln!(self.text, "{}</{name}>", "  ".repeat(self.open.len()));
        }
    }

    /// Closes all that is open.
    pub(super) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.text
    }

    fn start(&mut self, name: &'static str, attributes: Attributes<'_>) {
        let _ = write!(self.text, "{}<{name}", "  ".repeat(self.open.len()));
        for (name, text) in attributes {
            let _ = write!(self.text, " {name}=\"{}\"", escape::xml(text));
        }
    }
}
