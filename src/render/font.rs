//! The font of all pictures, and how wide a text is in it. A browser without it takes a narrower or an equal one, so
//! that no text grows out of its box.

use std::collections::HashSet;

use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::GlyphMetrics;
use skrifa::{FontRef, MetadataProvider as _};

/// What pictures ask for: the font that they are measured in first, then one with the same metrics.
pub(super) const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";

/// The two weights that are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Weight {
    Regular,
    Bold,
}

impl Weight {
    /// The file of the font.
    pub(super) fn file(self) -> &'static [u8] {
        match self {
            Self::Regular => dejavu::sans::regular(),
            Self::Bold => dejavu::sans::bold(),
        }
    }
}

/// Measures texts; knows the widths of usual characters.
pub(super) struct Ruler {
    regular: Face,
    bold: Face,
}

struct Face {
    font: Option<FontRef<'static>>,
    /// Of the first characters there are, in parts of the height of the font.
    widths: Vec<f64>,
}

impl Ruler {
    pub(super) fn new() -> Self {
        Self { regular: Face::of(Weight::Regular), bold: Face::of(Weight::Bold) }
    }

    /// How wide a text is, in pixels, if its letters are so high.
    pub(super) fn width(&self, text: &str, weight: Weight, pixels: f64) -> f64 {
        let face = match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        };
        text.chars().map(|character| face.width(character)).sum::<f64>() * pixels
    }

    /// As much of a text as fits, `…` at its end if that is not all.
    pub(super) fn cut(&self, text: &str, weight: Weight, pixels: f64, width: f64) -> String {
        let mut room = width;
        for (index, character) in text.char_indices() {
            room -= self.width(character.encode_utf8(&mut [0; 4]), weight, pixels);
            if room < 0.0 {
                let most = width - self.width("…", weight, pixels);
                return format!("{}…", self.start(text.get(..index).unwrap_or(""), weight, pixels, most).trim_end());
            }
        }
        text.to_owned()
    }

    /// The longest start of a text that is not wider.
    fn start<'t>(&self, text: &'t str, weight: Weight, pixels: f64, width: f64) -> &'t str {
        let mut end = text.len();
        let mut wide = self.width(text, weight, pixels);
        for (index, character) in text.char_indices().rev() {
            if wide <= width {
                break;
            }
            wide -= self.width(character.encode_utf8(&mut [0; 4]), weight, pixels);
            end = index;
        }
        text.get(..end).unwrap_or("")
    }

    /// A text in lines that are not wider, at most so many; a word that is too long is cut.
    pub(super) fn lines(&self, text: &str, weight: Weight, pixels: f64, width: f64, most: usize) -> Vec<String> {
        let fitting = |(line, wide): (String, f64)| {
            if wide <= width { line } else { self.cut(&line, weight, pixels, width) }
        };
        self.broken(text, weight, pixels, width, most).into_iter().map(fitting).collect()
    }

    /// A text in at most so many lines, which are not wider if the text allows it.
    pub(super) fn folded(&self, text: &str, weight: Weight, pixels: f64, width: f64, most: usize) -> Vec<String> {
        self.broken(text, weight, pixels, width, most).into_iter().map(|(line, _)| line).collect()
    }

    /// The same, with how wide each line is: what belongs to a number stays with it.
    fn broken(&self, text: &str, weight: Weight, pixels: f64, width: f64, most: usize) -> Vec<(String, f64)> {
        let blank = self.width(" ", weight, pixels);
        let mut lines: Vec<(String, f64)> = Vec::new();
        let words: Vec<&str> = text.split_whitespace().collect();
        for bound in words.chunk_by(|before, word| belong_together(before, word)) {
            let wide = bound.iter().map(|word| self.width(word, weight, pixels) + blank).sum::<f64>();
            let is_last = lines.len() >= most.max(1);
            match lines.last_mut() {
                Some((line, taken)) if is_last || *taken + wide <= width => {
                    *taken += wide;
                    for word in bound {
                        line.push(' ');
                        line.push_str(word);
                    }
                }
                _ => lines.push((bound.join(" "), wide - blank)),
            }
        }
        lines
    }
}

/// `3 × 500 ms`, `≤ 2 s`: whether a line is not broken between two words.
fn belong_together(before: &str, word: &str) -> bool {
    let is_number = |word: &str| word.chars().all(|character| character.is_ascii_digit() || ".,".contains(character));
    let ends = ["s", "ms", "µs", "min", "h", "d", "∞", "?"].contains(&before) || is_number(before);
    let binds = ["×", "≤", "→"].contains(&before) || ["×", "·"].contains(&word);
    binds || (word == "≤" && !ends) || (is_number(before) && word.len() <= 3)
}

impl Face {
    fn of(weight: Weight) -> Self {
        let face = Self { font: FontRef::new(weight.file()).ok(), widths: Vec::new() };
        let widths = ('\0'..='ÿ').map(|character| face.measured(character)).collect();
        Self { widths, ..face }
    }

    fn has(&self, character: char) -> bool {
        self.font.as_ref().is_some_and(|font| font.charmap().map(character).is_some())
    }

    fn width(&self, character: char) -> f64 {
        self.widths.get(character as usize).copied().unwrap_or_else(|| self.measured(character))
    }

    /// A character that the font does not have is drawn in another one: as wide as it is high, at most.
    fn measured(&self, character: char) -> f64 {
        let found = || {
            let font = self.font.as_ref()?;
            let glyph = font.charmap().map(character)?;
            let metrics: GlyphMetrics<'_> = font.glyph_metrics(Size::new(1.0), LocationRef::default());
            metrics.advance_width(glyph).map(f64::from)
        };
        found().unwrap_or(1.0)
    }
}

/// The characters of a text of which the font has no picture, each once, in the order of the text.
#[must_use]
pub fn glyphless(text: &str) -> Vec<char> {
    let face = Face::of(Weight::Regular);
    let mut seen = HashSet::new();
    let rare = text.chars().filter(|character| *character > 'ÿ' && seen.insert(*character));
    rare.filter(|character| !face.has(*character)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Ruler, Weight};

    #[test]
    fn a_text_is_as_wide_as_its_letters() {
        let ruler = Ruler::new();
        let wide = ruler.width("WW", Weight::Regular, 10.0);
        assert!((wide - 2.0 * ruler.width("W", Weight::Regular, 10.0)).abs() < 1e-9);
        assert!(wide > ruler.width("ii", Weight::Regular, 10.0) * 2.0);
        assert!(ruler.width("W", Weight::Bold, 10.0) > ruler.width("W", Weight::Regular, 10.0));
    }

    #[test]
    fn what_does_not_fit_is_cut() {
        let ruler = Ruler::new();
        let cut = ruler.cut("orders-and-everything-else", Weight::Regular, 12.0, 80.0);
        assert!(cut.ends_with('…') && cut.starts_with("orders"), "{cut}");
        assert!(ruler.width(&cut, Weight::Regular, 12.0) <= 80.0);
        assert_eq!(ruler.cut("orders", Weight::Regular, 12.0, 80.0), "orders");
    }

    #[test]
    fn words_go_to_the_next_line() {
        let ruler = Ruler::new();
        let lines = ruler.lines("the quick brown fox jumps over it", Weight::Regular, 12.0, 90.0, 2);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines.iter().all(|line| ruler.width(line, Weight::Regular, 12.0) <= 90.0), "{lines:?}");
    }

    #[test]
    fn what_belongs_to_a_number_stays_with_it() {
        let ruler = Ruler::new();
        let folded = |text| ruler.folded(text, Weight::Regular, 10.0, 70.0, 3);
        assert_eq!(folded("transcoded 3 × 400 ms ≤ 2 s"), ["transcoded", "3 × 400 ms", "≤ 2 s"]);
        assert_eq!(folded("report ≤ 400 ms · p99 ≤ 1 s"), ["report ≤ 400 ms ·", "p99 ≤ 1 s"]);
        assert_eq!(folded("reserve-all-of-it"), ["reserve-all-of-it"]);
    }
}
