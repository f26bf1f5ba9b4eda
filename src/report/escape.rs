//! Names and sentences from diagrams as harmless text of other languages: of HTML, of Markdown, of addresses. What they
//! say stays the same for people; nothing in them is obeyed.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::source::clean;

/// Text in HTML, between tags or in an attribute, in one line.
#[must_use]
pub fn html(text: &str) -> String {
    const MARKS: [char; 5] = ['&', '<', '>', '"', '\''];
    let line = joined(text);
    let mut safe = String::with_capacity(line.len());
    for piece in line.split_inclusive(MARKS) {
        safe.push_str(piece.strip_suffix(MARKS).unwrap_or(piece));
        safe.push_str(match piece.as_bytes().last() {
            Some(b'&') => "&amp;",
            Some(b'<') => "&lt;",
            Some(b'>') => "&gt;",
            Some(b'"') => "&quot;",
            Some(b'\'') => "&#39;",
            _ => "",
        });
    }
    safe
}

/// The same in XML, which has no place for two characters that are no control characters either.
#[must_use]
pub fn xml(text: &str) -> String {
    const NOWHERE: [char; 2] = ['\u{FFFE}', '\u{FFFF}'];
    if text.contains(NOWHERE) { html(&text.replace(NOWHERE, "\u{FFFD}")) } else { html(text) }
}

/// A sentence within a line of Markdown (a paragraph, a cell of a table, a `<summary>`): what stands in backticks is
/// code, everything else is plain text. Nobody is mentioned, nothing is linked, no tag is opened.
#[must_use]
pub fn markdown(sentence: &str) -> String {
    let sentence = one_line(sentence);
    let pieces: Vec<&str> = sentence.split('`').collect();
    let mut safe = String::with_capacity(sentence.len());
    for (index, piece) in pieces.iter().enumerate() {
        match index % 2 {
            // The last backtick of an odd number of them begins nothing.
            1 if index + 1 == pieces.len() => {
                safe.push_str("&#96;");
                plain(&mut safe, piece);
            }
            1 => safe.push_str(&markdown_code(piece)),
            _ => plain(&mut safe, piece),
        }
    }
    safe
}

/// A piece of code within a line of Markdown. Not in backticks: those would end at the first one in it, and a cell of a
/// table at the first bar.
#[must_use]
pub fn markdown_code(text: &str) -> String {
    let mut safe = String::from("<code>");
    let text = one_line(text);
    // Markdown looks for addresses in code that stands between tags, too.
    let text = text.replace("://", ":\u{200B}//").replace("www.", "www\u{200B}.");
    text.chars().for_each(|character| entity(&mut safe, character));
    safe + "</code>"
}

/// Plain text. A number does not keep GitHub from seeing a mention, an issue or an address: a blank of no width does.
fn plain(safe: &mut String, text: &str) {
    const NOTHING: char = '\u{200B}';
    let is_address = text.contains("://") || text.contains("www.");
    for character in text.chars() {
        entity(safe, character);
        if matches!(character, '@' | '#') || (is_address && matches!(character, ':' | 'w')) {
            safe.push(NOTHING);
        }
    }
}

/// Whatever Markdown or HTML would read as a mark is written by its name or number.
fn entity(safe: &mut String, character: char) {
    match character {
        '&' => safe.push_str("&amp;"),
        '<' => safe.push_str("&lt;"),
        '>' => safe.push_str("&gt;"),
        '"' | '\'' | '`' | '\\' | '*' | '_' | '[' | ']' | '~' | '^' | '|' | '$' | '!' | '#' | '@' => {
            // Writing into a string cannot fail.
            let _ = write!(safe, "&#{};", u32::from(character));
        }
        _ => safe.push(character),
    }
}

/// A path as the relative part of an address: what is not plain in one is written in per cent.
#[must_use]
pub fn address(path: &str) -> String {
    path.bytes().fold(String::new(), |mut safe, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            safe.push(char::from(byte));
        } else {
            let _ = write!(safe, "%{byte:02X}");
        }
        safe
    })
}

/// Text within quotes of Mermaid, in one line: nothing in it is read as a mark of Mermaid, of HTML or of Markdown, as
/// which Mermaid reads every label.
#[must_use]
pub fn mermaid(text: &str) -> String {
    let text = one_line(text);
    let mut safe = String::with_capacity(text.len());
    let mut before = ' ';
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let within = before.is_ascii_alphanumeric() && characters.peek().is_some_and(char::is_ascii_alphanumeric);
        // `ﬂ` begins what Mermaid itself writes for a character by its number.
        let plain = match character {
            '.' | '-' | '_' | '+' => within,
            // `fa:fa-…` would be an icon.
            ':' => characters.peek() == Some(&' '),
            'ﬂ' => false,
            other => other.is_alphanumeric() || " ,/%()?".contains(other) || !other.is_ascii(),
        };
        if plain {
            safe.push(character);
        } else {
            let _ = write!(safe, "#{};", u32::from(character));
        }
        before = character;
    }
    safe
}

/// Text without anything that a terminal would obey, and in one line.
pub(crate) fn one_line(text: &str) -> String {
    joined(text).into_owned()
}

/// The same, copied only where something is to be replaced.
fn joined(text: &str) -> Cow<'_, str> {
    const BREAKS: [char; 2] = ['\n', '\t'];
    let text = clean(text);
    if text.contains(BREAKS) { Cow::Owned(text.replace(BREAKS, " ")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_markup() {
        assert_eq!(xml("a<b>\"&'\u{0}\n"), "a&lt;b&gt;&quot;&amp;&#39;? ");
        assert_eq!(xml("]]>\u{202E}x\u{FFFF}"), "]]&gt;???x\u{FFFD}");
    }

    #[test]
    fn code_in_backticks_stays_code_and_nothing_ends_it() {
        assert_eq!(markdown("`a.b` waits for `c`"), "<code>a.b</code> waits for <code>c</code>");
        assert_eq!(markdown("one ` alone"), "one &#96; alone");
        assert_eq!(markdown("`a`|b` c"), "<code>a</code>&#124;b&#96; c");
        assert_eq!(markdown("`</code><img src=x>`"), "<code>&lt;/code&gt;&lt;img src=x&gt;</code>");
    }

    #[test]
    fn nobody_is_mentioned_and_nothing_is_linked() {
        assert_eq!(markdown("ask @everyone, see #1"), "ask &#64;\u{200b}everyone, see &#35;\u{200b}1");
        assert_eq!(markdown("http://x"), "http:\u{200b}//x");
        assert_eq!(markdown("[a](b) **c**"), "&#91;a&#93;(b) &#42;&#42;c&#42;&#42;");
        assert_eq!(markdown("a\n# b"), "a &#35;\u{200b} b");
    }

    #[test]
    fn nothing_in_a_label_of_mermaid_is_a_mark() {
        assert_eq!(mermaid("stock-db.write (a): 2.5 s"), "stock-db.write (a): 2.5 s");
        assert_eq!(mermaid("1. a _b_ - c"), "1#46; a #95;b#95; #45; c");
        assert_eq!(mermaid("\"]; click n0\n`<b>`"), "#34;#93;#59; click n0 #96;#60;b#62;#96;");
        assert_eq!(mermaid("ﬂ°°60¶ß"), "#64258;°°60¶ß");
    }

    #[test]
    fn an_address_has_no_plain_character_that_means_something() {
        assert_eq!(address("a b/ü:?#\"\n.topo"), "a%20b/%C3%BC%3A%3F%23%22%0A.topo");
    }
}
