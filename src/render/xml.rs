//! Text in XML.

use std::borrow::Cow;

use crate::source::clean;

/// Text as the content of an element or of an attribute in either kind of quotes. What XML cannot hold and what would
/// reorder the text is replaced.
#[must_use]
pub(super) fn escape(text: &str) -> String {
    let cleaned: Cow<'_, str> = clean(text);
    let mut safe = String::with_capacity(cleaned.len());
    for character in cleaned.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(' '),
            '\u{FFFE}' | '\u{FFFF}' => safe.push('?'),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn nothing_of_a_text_is_markup() {
        assert_eq!(escape("a<b>\"&'\u{0}\n"), "a&lt;b&gt;&quot;&amp;&#39;? ");
        assert_eq!(escape("]]>\u{202E}x"), "]]&gt;???x");
    }
}
