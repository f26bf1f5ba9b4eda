//! What a value looks like. The notation of the table is the one the reference shows: lower-case words stand for
//! themselves, upper-case words for a kind of value, `a | b` for either, `[a]` for perhaps, `(a | b)` for a choice.

use std::sync::LazyLock;

use super::{ATTRIBUTES, ELEMENTS, Element, Key};

/// A kind of value token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// This very word.
    Word(&'static str),
    /// A duration such as `300ms`.
    Duration,
    /// Two durations such as `50ms..1s`.
    DurationRange,
    /// A rate such as `200/s`.
    Rate,
    /// A percentage such as `99.9%`.
    Percent,
    /// A size such as `20kB`.
    Size,
    /// A bandwidth such as `1Gbps`.
    Bandwidth,
    /// Money per size such as `0.02 USD/GB`.
    Price,
    /// Money per time such as `500 USD/month`.
    Cost,
    /// A whole number.
    Count,
    /// Two whole numbers such as `2..5`.
    CountRange,
    /// A quantile such as `p99.9`.
    Quantile,
    /// A day such as `2027-03-31`.
    Date,
    /// A word of one's own, or a text.
    Name,
    /// A text in quotes.
    Text,
    /// The name of a node.
    Node,
    /// `node.operation`, or a node that stands for its unnamed operation.
    Operation,
    /// The name of a queue.
    Queue,
    /// The name of a policy.
    Policy,
    /// An entry of the dated table of clients.
    Client,
    /// A rule or a family of rules.
    Rule,
}

impl Slot {
    /// What people call it, with examples of how it is written.
    #[must_use]
    pub fn expectation(self) -> String {
        match self {
            Self::Word(word) => format!("`{word}`"),
            Self::Duration => "a duration, such as `300ms`, `1.2s`, `5m`, `24h` or `7d`".to_owned(),
            Self::DurationRange => "a range of durations, such as `50ms..1s`".to_owned(),
            Self::Rate => "a rate, such as `200/s`, `10/min`, `6/h` or `1/d`".to_owned(),
            Self::Percent => "a percentage, such as `99.9%`".to_owned(),
            Self::Size => "a size, such as `20kB` or `1MiB`".to_owned(),
            Self::Bandwidth => "a bandwidth, such as `100Mbps` or `1Gbps`".to_owned(),
            Self::Price => "a price, such as `0.02 USD/GB`".to_owned(),
            Self::Cost => "a cost, such as `500 USD/month`".to_owned(),
            Self::Count => "a whole number, such as `3` or `100_000`".to_owned(),
            Self::CountRange => "a range, such as `2..5`".to_owned(),
            Self::Quantile => "a quantile, such as `p50` or `p99.9`".to_owned(),
            Self::Date => "a day, such as `2027-03-31`".to_owned(),
            Self::Name => "a name".to_owned(),
            Self::Text => "a text in double quotes".to_owned(),
            Self::Node => "the name of a node".to_owned(),
            Self::Operation => "an operation, such as `orders.place`".to_owned(),
            Self::Queue => "the name of a queue".to_owned(),
            Self::Policy => "the name of a policy".to_owned(),
            Self::Client => "a client with known defaults".to_owned(),
            Self::Rule => "the name of a rule".to_owned(),
        }
    }

    fn of(word: &'static str) -> Self {
        match word {
            "D" => Self::Duration,
            "D..D" => Self::DurationRange,
            "R" => Self::Rate,
            "P" => Self::Percent,
            "SIZE" => Self::Size,
            "BANDWIDTH" => Self::Bandwidth,
            "PRICE" => Self::Price,
            "COST" => Self::Cost,
            "N" => Self::Count,
            "N..N" => Self::CountRange,
            "QUANTILE" => Self::Quantile,
            "DATE" => Self::Date,
            "NAME" => Self::Name,
            "TEXT" => Self::Text,
            "NODE" => Self::Node,
            "OPERATION" => Self::Operation,
            "QUEUE" => Self::Queue,
            "POLICY" => Self::Policy,
            "CLIENT" => Self::Client,
            "RULE" => Self::Rule,
            word => Self::Word(word),
        }
    }
}

/// What the tokens of a value look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// One token.
    Slot(Slot),
    /// All of them, in order.
    All(Vec<Form>),
    /// One of them.
    Any(Vec<Form>),
    /// Perhaps.
    Maybe(Box<Form>),
}

impl Form {
    /// The form of an attribute.
    #[must_use]
    pub fn of(key: Key) -> &'static Self {
        static FORMS: LazyLock<Vec<Form>> =
            LazyLock::new(|| ATTRIBUTES.iter().map(|attribute| Form::read(attribute.form)).collect());
        static EMPTY: Form = Form::All(Vec::new());
        FORMS.get(key as usize).unwrap_or(&EMPTY)
    }

    /// The form of a structural word.
    #[must_use]
    pub fn of_element(element: &Element) -> &'static Self {
        static FORMS: LazyLock<Vec<Form>> =
            LazyLock::new(|| ELEMENTS.iter().map(|element| Form::read(element.form)).collect());
        static EMPTY: Form = Form::All(Vec::new());
        let index = ELEMENTS.iter().position(|other| other.kind == element.kind);
        index.and_then(|index| FORMS.get(index)).unwrap_or(&EMPTY)
    }

    /// Reads the notation of the table.
    fn read(notation: &'static str) -> Self {
        let mut tokens = tokens(notation).into_iter().peekable();
        Self::any(&mut tokens)
    }

    fn any(tokens: &mut Tokens) -> Self {
        let mut ways = vec![Self::all(tokens)];
        while tokens.next_if_eq(&"|").is_some() {
            ways.push(Self::all(tokens));
        }
        if ways.len() == 1 { ways.remove(0) } else { Self::Any(ways) }
    }

    fn all(tokens: &mut Tokens) -> Self {
        let mut parts = Vec::new();
        while let Some(token) = tokens.next_if(|token| !matches!(*token, "|" | "]" | ")")) {
            parts.push(match token {
                "[" => Self::Maybe(Box::new(Self::any(tokens))),
                "(" => Self::any(tokens),
                word => Self::Slot(Slot::of(word)),
            });
            if matches!(token, "[" | "(") {
                tokens.next();
            }
        }
        if parts.len() == 1 { parts.remove(0) } else { Self::All(parts) }
    }
}

type Tokens = std::iter::Peekable<std::vec::IntoIter<&'static str>>;

fn tokens(notation: &'static str) -> Vec<&'static str> {
    let mut tokens = Vec::new();
    let mut rest = notation.trim_start();
    while !rest.is_empty() {
        let end = match rest.find(['|', '[', ']', '(', ')', ' ']) {
            Some(0) => 1,
            Some(end) => end,
            None => rest.len(),
        };
        let (token, after) = rest.split_at(end);
        tokens.push(token);
        rest = after.trim_start();
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notation_is_read() {
        let fixed = Form::All(vec![
            Form::Slot(Slot::Duration),
            Form::Maybe(Box::new(Form::All(vec![
                Form::Slot(Slot::Word("jitter")),
                Form::Any(vec![Form::Slot(Slot::Word("none")), Form::Slot(Slot::Word("full"))]),
            ]))),
        ]);
        assert_eq!(Form::read("D [jitter (none|full)]"), fixed);
        assert_eq!(Form::read("| TEXT"), Form::Any(vec![Form::All(Vec::new()), Form::Slot(Slot::Text)]));
    }
}
