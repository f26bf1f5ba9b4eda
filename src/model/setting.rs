//! What is said of one element: attributes with their values and places.

use jiff::civil::Date;

use super::topology::{Name, NodeId, OperationId, PolicyId};
use super::units::Duration;
use super::values::Datum;
use crate::source::Span;
use crate::vocabulary::{Key, KeySet};

/// What was stated.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// A value: the data of each group between commas, one after another.
    Given(Box<[Datum]>),
    /// Known not to be there.
    None,
    /// Something was written that could not be read: not a value, but not silence either.
    Unreadable,
}

/// One attribute as it was stated.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Which.
    pub key: Key,
    /// Its value.
    pub state: State,
    /// Name and value, without the block.
    pub span: Span,
    /// Held apart, so that many settings lie side by side; nothing if there are none.
    details: Option<Box<Details>>,
}

/// What few settings have.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Details {
    pub(super) fields: Box<[Setting]>,
    pub(super) references: Box<[Reference]>,
    pub(super) texts: Box<[Name]>,
}

/// What a name in a value refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// A node.
    Node(NodeId),
    /// An operation.
    Operation(OperationId),
    /// A policy.
    Policy(PolicyId),
    /// A row of the table of clients.
    Client(u32),
}

/// What is said of one element.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    list: Vec<Setting>,
    said: KeySet,
    /// Whether a statement could not be read, so that what is missing may just be unreadable.
    pub flawed: bool,
}

impl Settings {
    /// What is stated of a key.
    #[must_use]
    pub fn get(&self, key: Key) -> Option<&Setting> {
        if !self.said.contains(key) {
            return None;
        }
        self.list.iter().find(|setting| setting.key == key)
    }

    /// The attributes that may have been stated: all of them, if something could not be read.
    #[must_use]
    pub fn said(&self) -> KeySet {
        if self.flawed { KeySet::ALL } else { self.said }
    }

    /// All of it, in written order.
    #[must_use]
    pub fn as_slice(&self) -> &[Setting] {
        &self.list
    }

    /// All of it, in written order.
    pub fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.list.iter()
    }

    /// All of it, in written order.
    pub(super) fn into_iter(self) -> impl Iterator<Item = Setting> {
        self.list.into_iter()
    }

    /// Something was said of a key, and what it was is not known.
    pub(super) fn forget(&mut self, key: Key) {
        for setting in self.list.iter_mut().filter(|setting| setting.key == key) {
            setting.state = State::Unreadable;
        }
    }

    /// What was said is not known.
    pub(super) fn forget_all(&mut self) {
        for setting in &mut self.list {
            setting.state = State::Unreadable;
        }
    }

    /// Makes room for so many more.
    pub(super) fn reserve(&mut self, more: usize) {
        self.list.reserve_exact(more);
    }

    /// Nothing more is added.
    pub(super) fn complete(&mut self) {
        self.list.shrink_to_fit();
    }

    /// Adds one.
    pub(super) fn push(&mut self, setting: Setting) {
        self.said.insert(setting.key);
        self.list.push(setting);
    }
}

impl Setting {
    /// One without anything beside its value.
    pub(super) fn new(key: Key, state: State, span: Span) -> Self {
        Self { key, state, span, details: None }
    }

    pub(super) fn details_mut(&mut self) -> &mut Details {
        self.details.get_or_insert_default()
    }

    /// What its own block states.
    #[must_use]
    pub fn fields(&self) -> &[Setting] {
        self.details.as_ref().map_or(&[], |details| &details.fields)
    }

    /// What names in it refer to, in written order.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        self.details.as_ref().map_or(&[], |details| &details.references)
    }

    /// What the words and texts of one's own in it say, in written order, without quotes: the same text, the same number.
    /// Empty for what the table of clients fills in.
    #[must_use]
    pub fn texts(&self) -> &[Name] {
        self.details.as_ref().map_or(&[], |details| &details.texts)
    }

    fn data(&self) -> &[Datum] {
        match &self.state {
            State::Given(data) => data,
            State::None | State::Unreadable => &[],
        }
    }

    /// Whether it states a value.
    #[must_use]
    pub fn is_given(&self) -> bool {
        matches!(self.state, State::Given(_))
    }

    /// Whether it states that there is none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.state == State::None
    }

    /// The first time in it.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        self.data().iter().find_map(|datum| if let Datum::Duration(duration) = datum { Some(*duration) } else { None })
    }

    /// The first range of times in it.
    #[must_use]
    pub fn duration_range(&self) -> Option<(Duration, Duration)> {
        self.data()
            .iter()
            .find_map(|datum| if let Datum::DurationRange(low, high) = datum { Some((*low, *high)) } else { None })
    }

    /// The first whole number in it.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        self.data().iter().find_map(|datum| if let Datum::Count(count) = datum { Some(*count) } else { None })
    }

    /// The first range of whole numbers in it.
    #[must_use]
    pub fn count_range(&self) -> Option<(u64, u64)> {
        self.data()
            .iter()
            .find_map(|datum| if let Datum::CountRange(low, high) = datum { Some((*low, *high)) } else { None })
    }

    /// The first share in it, from 0 to 1.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        self.data().iter().find_map(|datum| if let Datum::Share(share) = datum { Some(*share) } else { None })
    }

    /// The first rate in it, per second.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        self.data().iter().find_map(|datum| if let Datum::Rate(rate) = datum { Some(*rate) } else { None })
    }

    /// The first day in it.
    #[must_use]
    pub fn date(&self) -> Option<Date> {
        self.data().iter().find_map(|datum| if let Datum::Date(date) = datum { Some(*date) } else { None })
    }

    /// Whether it holds a word of the language.
    #[must_use]
    pub fn says(&self, word: &str) -> bool {
        self.words().any(|said| said == word)
    }

    /// The words of the language in it, in written order.
    pub fn words(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.data().iter().filter_map(|datum| if let Datum::Word(word) = datum { Some(*word) } else { None })
    }

    /// Places of the names in it, in written order.
    pub fn names(&self) -> impl Iterator<Item = Span> + '_ {
        self.data().iter().filter_map(|datum| match datum {
            Datum::Name(span) | Datum::Reference(_, span) | Datum::Price(_, span) | Datum::Cost(_, span) => Some(*span),
            _ => None,
        })
    }

    /// The first size in it, in bytes.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.data().iter().find_map(|datum| if let Datum::Size(size) = datum { Some(*size) } else { None })
    }

    /// The first bandwidth in it, in bits a second.
    #[must_use]
    pub fn bandwidth(&self) -> Option<f64> {
        self.data().iter().find_map(|datum| if let Datum::Bandwidth(bits) = datum { Some(*bits) } else { None })
    }

    /// The first price in it, money per byte, or cost, money per second; the first of `texts` is the currency.
    #[must_use]
    pub fn money(&self) -> Option<f64> {
        self.data().iter().find_map(|datum| match datum {
            Datum::Price(money, _) | Datum::Cost(money, _) => Some(*money),
            _ => None,
        })
    }

    /// The first word or text of one's own in it, such as an owner or a transaction.
    #[must_use]
    pub fn word(&self) -> Option<Name> {
        self.texts().first().copied()
    }

    /// The largest time it states: the last resort of `latency` is `max`.
    #[must_use]
    pub fn maximum(&self) -> Option<Duration> {
        let mut data = self.data().iter();
        data.find(|datum| **datum == Datum::Word("max"))?;
        data.find_map(|datum| if let Datum::Duration(duration) = datum { Some(*duration) } else { None })
    }

    /// The quantiles it states, each with its time, in written order.
    pub fn quantiles(&self) -> impl Iterator<Item = (f64, Duration)> + '_ {
        self.data().windows(2).filter_map(|pair| match pair {
            [Datum::Quantile(quantile), Datum::Duration(time)] => Some((*quantile, *time)),
            _ => None,
        })
    }

    /// What its own block states of a key.
    #[must_use]
    pub fn field(&self, key: Key) -> Option<&Setting> {
        self.fields().iter().find(|field| field.key == key)
    }

    /// The nodes it refers to, in written order.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.references()
            .iter()
            .filter_map(|reference| if let Reference::Node(node) = reference { Some(*node) } else { None })
    }
}
