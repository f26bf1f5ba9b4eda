//! What can be set about a rule: declared on its page with type and default, read by the same parser as the values of a
//! diagram, and asked for by type.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Datum, Duration, read_alone};
use crate::vocabulary::{Form, Slot};

/// One option as a page declares it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "OptionRow")]
pub struct OptionPage {
    /// Its name.
    pub name: String,
    /// What its value is.
    pub kind: OptionKind,
    /// Its default, as people write it.
    pub written: String,
    /// Its default.
    pub default: OptionValue,
    /// What it decides, as one sentence.
    pub meaning: String,
}

/// What the value of an option is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OptionKind {
    /// `300ms`.
    Duration,
    /// `10`.
    Count,
    /// `80%`.
    Percentage,
    /// `200/s`.
    Rate,
    /// `1MiB`.
    Size,
    /// `internal, partner`.
    Words,
}

/// The value of an option.
#[derive(Clone, Debug, PartialEq)]
pub enum OptionValue {
    /// A time.
    Duration(Duration),
    /// A whole number.
    Count(u64),
    /// From 0 to 1.
    Share(f64),
    /// Per second.
    Rate(f64),
    /// Bytes.
    Size(u64),
    /// Words of one's own.
    Words(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OptionRow {
    name: String,
    #[serde(rename = "type")]
    kind: OptionKind,
    default: String,
    meaning: String,
}

impl TryFrom<OptionRow> for OptionPage {
    type Error = String;

    fn try_from(row: OptionRow) -> Result<Self, String> {
        let default = row.kind.read(&row.name, &row.default).map_err(|wrong| wrong.0)?;
        Ok(Self { name: row.name, kind: row.kind, written: row.default, default, meaning: row.meaning })
    }
}

impl OptionPage {
    /// The default as it is shown.
    #[must_use]
    pub fn shown(&self) -> &str {
        if self.written.is_empty() { "nothing" } else { &self.written }
    }
}

/// What is wrong with a value, and what to write instead.
type Wrong = (String, Option<String>);

impl OptionKind {
    /// Reads a value as it would be read in a diagram.
    ///
    /// # Errors
    /// What is wrong with it, and what to write instead.
    pub fn read(self, name: &str, value: &str) -> Result<OptionValue, Wrong> {
        if self == Self::Words {
            return words(name, value);
        }
        let data = read_alone(name, &Form::Slot(self.slot()), value).map_err(|diagnostic| {
            let help = diagnostic.help.into_iter().next();
            (diagnostic.message, help.or_else(|| Some(format!("write {}", self.slot().expectation()))))
        })?;
        match data.as_slice() {
            [Datum::Duration(duration)] => Ok(OptionValue::Duration(*duration)),
            [Datum::Count(count)] => Ok(OptionValue::Count(*count)),
            [Datum::Share(share)] => Ok(OptionValue::Share(*share)),
            [Datum::Rate(rate)] => Ok(OptionValue::Rate(*rate)),
            [Datum::Size(size)] => Ok(OptionValue::Size(*size)),
            _ => Err((format!("`{name}` takes one value"), Some(format!("write {}", self.slot().expectation())))),
        }
    }

    /// What people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Duration => "duration",
            Self::Count => "count",
            Self::Percentage => "percentage",
            Self::Rate => "rate",
            Self::Size => "size",
            Self::Words => "words",
        }
    }

    const fn slot(self) -> Slot {
        match self {
            Self::Duration => Slot::Duration,
            Self::Count => Slot::Count,
            Self::Percentage => Slot::Percent,
            Self::Rate => Slot::Rate,
            Self::Size => Slot::Size,
            Self::Words => Slot::Name,
        }
    }
}

/// `a, b`; nothing at all is a list without words.
fn words(name: &str, value: &str) -> Result<OptionValue, Wrong> {
    let is_word = |word: &&str| word.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    let words: Vec<&str> = value.split(',').map(str::trim).collect();
    match words.iter().find(|word| !is_word(word) || (word.is_empty() && words.len() > 1)) {
        Some(wrong) => {
            let help = "write words with commas between them, such as `internal, partner`";
            Err((format!("`{wrong}` is no word for `{name}`"), Some(help.to_owned())))
        }
        None => Ok(OptionValue::Words(words.into_iter().filter(|word| !word.is_empty()).map(str::to_owned).collect())),
    }
}

/// The options of one rule: what is set, else the defaults of its page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options(BTreeMap<String, OptionValue>);

/// Declares a getter for a type.
macro_rules! getters {
    ($($(#[$documentation:meta])* $name:ident: $variant:ident => $type:ty, $nothing:expr;)*) => { $(
        $(#[$documentation])*
        #[must_use]
        pub fn $name(&self, name: &str) -> $type {
            // INVARIANT: a test holds that every option a rule asks for is on its page with this type.
            match self.0.get(name) {
                Some(OptionValue::$variant(value)) => value.clone(),
                _ => {
                    debug_assert!(false, "no option `{name}` of this type");
                    $nothing
                }
            }
        }
    )* };
}

impl Options {
    /// The defaults of a page.
    #[must_use]
    pub fn of(declared: &[OptionPage]) -> Self {
        Self(declared.iter().map(|option| (option.name.clone(), option.default.clone())).collect())
    }

    /// Sets one.
    pub fn set(&mut self, name: &str, value: OptionValue) {
        self.0.insert(name.to_owned(), value);
    }

    getters! {
        /// A time.
        duration: Duration => Duration, Duration::ZERO;
        /// A whole number.
        count: Count => u64, 0;
        /// A share from 0 to 1.
        percentage: Share => f64, 0.0;
        /// A rate per second.
        rate: Rate => f64, 0.0;
        /// A size in bytes.
        size: Size => u64, 0;
        /// A list of words.
        words: Words => Vec<String>, Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: OptionKind, value: &str) -> OptionValue {
        kind.read("it", value).expect("a value")
    }

    #[test]
    fn a_value_is_read_as_in_a_diagram() {
        assert_eq!(read(OptionKind::Duration, "1.5s"), OptionValue::Duration(Duration::from_milliseconds(1_500)));
        assert_eq!(read(OptionKind::Duration, "300 ms"), OptionValue::Duration(Duration::from_milliseconds(300)));
        assert_eq!(read(OptionKind::Count, "100_000"), OptionValue::Count(100_000));
        assert_eq!(read(OptionKind::Percentage, "25%"), OptionValue::Share(0.25));
        assert_eq!(read(OptionKind::Rate, "60/min"), OptionValue::Rate(1.0));
        assert_eq!(read(OptionKind::Size, "1KiB"), OptionValue::Size(1024));
        assert_eq!(read(OptionKind::Words, "a, b-c"), OptionValue::Words(vec!["a".to_owned(), "b-c".to_owned()]));
        assert_eq!(read(OptionKind::Words, ""), OptionValue::Words(Vec::new()));
    }

    #[test]
    fn a_wrong_value_is_refused_with_what_to_write() {
        let wrong = [
            (OptionKind::Duration, "10", "needs a unit behind `10`", "`300ms`"),
            (OptionKind::Duration, "-1s", "cannot be negative", "duration"),
            (OptionKind::Duration, "1s 2s", "too much", "remove"),
            (OptionKind::Duration, "", "takes one value", "duration"),
            (OptionKind::Count, "10ms", "number without unit", "whole number"),
            (OptionKind::Count, "1.5", "no whole number", "whole number"),
            (OptionKind::Count, "3; x", "no value", "whole number"),
            (OptionKind::Count, "3 {", "no value", "whole number"),
            (OptionKind::Percentage, "120%", "more than all", "percentage"),
            (OptionKind::Rate, "5/fortnight", "no unit", "rate"),
            (OptionKind::Words, "a b", "`a b` is no word", "commas"),
            (OptionKind::Words, "a,,b", "no word", "commas"),
        ];
        for (kind, value, message, help) in wrong {
            let (said, cure) = kind.read("it", value).expect_err(value);
            assert!(said.contains(message), "{value}: {said}");
            assert!(cure.as_deref().is_some_and(|cure| cure.contains(help)), "{value}: {cure:?}");
        }
    }

    #[test]
    fn a_page_declares_options_and_what_is_set_is_stronger() {
        let row = "- {name: margin, type: duration, default: 5ms, meaning: m}\n- {name: most, type: count, default: \"10\", meaning: m}";
        let declared: Vec<OptionPage> = serde_yaml::from_str(row).expect("options");
        let mut options = Options::of(&declared);
        assert_eq!((options.duration("margin"), options.count("most")), (Duration::from_milliseconds(5), 10));
        options.set("most", OptionValue::Count(3));
        assert_eq!(options.count("most"), 3);
        assert!(
            serde_yaml::from_str::<Vec<OptionPage>>(&row.replace("5ms", "\"5\"")).is_err(),
            "a default has its unit"
        );
        assert!(serde_yaml::from_str::<Vec<OptionPage>>(&row.replace("type: count", "type: number")).is_err());
    }
}
