//! Every word of the language, in one table: what it is, where it may stand, what its value looks like, how it
//! cascades, what `none` says. Reading, "did you mean", the language reference and the checks of placement all come
//! from here; nothing else in the code lists words.

mod attributes;
mod elements;
mod form;
mod reference;
mod suggest;

pub use attributes::{ATTRIBUTES, Key};
pub use elements::{ELEMENTS, Element, ElementKind};
pub use form::{Form, Slot};
pub use reference::reference;
pub use suggest::{did_you_mean, suggest};

use std::fmt;
use std::ops::BitOr;

/// Where a statement may stand, as a set.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Places(u32);

impl Places {
    /// Nowhere.
    pub const NONE: Self = Self(0);
    /// On a call.
    pub const CALL: Self = Self(1);
    /// On an operation.
    pub const OPERATION: Self = Self(1 << 1);
    /// On a client.
    pub const CLIENT: Self = Self(1 << 2);
    /// On a service.
    pub const SERVICE: Self = Self(1 << 3);
    /// On a store.
    pub const STORE: Self = Self(1 << 4);
    /// On a cache.
    pub const CACHE: Self = Self(1 << 5);
    /// On a queue.
    pub const QUEUE: Self = Self(1 << 6);
    /// On an external system.
    pub const EXTERNAL: Self = Self(1 << 7);
    /// On a group.
    pub const GROUP: Self = Self(1 << 8);
    /// In a file, outside everything.
    pub const FILE: Self = Self(1 << 9);
    /// In the `topology` block.
    pub const TOPOLOGY: Self = Self(1 << 10);
    /// In a `policy`.
    pub const POLICY: Self = Self(1 << 11);
    /// In a `network` block.
    pub const NETWORK: Self = Self(1 << 12);
    /// On a link of a `network` block.
    pub const LINK: Self = Self(1 << 13);
    /// In a `defaults` block.
    pub const DEFAULTS: Self = Self(1 << 14);
    /// Among the calls of a `parallel`, `one-of`, `sequence` or `fallback` block.
    pub const STEPS: Self = Self(1 << 15);
    /// In an `slo` block.
    pub const SLO: Self = Self(1 << 16);
    /// In an `idempotent by-key` block.
    pub const IDEMPOTENT: Self = Self(1 << 17);
    /// In a `breaker` block.
    pub const BREAKER: Self = Self(1 << 18);
    /// In a `replication` block.
    pub const REPLICATION: Self = Self(1 << 19);
    /// In a `quorum` block.
    pub const QUORUM: Self = Self(1 << 20);

    /// Any node.
    pub const NODE: Self =
        Self(Self::CLIENT.0 | Self::SERVICE.0 | Self::STORE.0 | Self::CACHE.0 | Self::QUEUE.0 | Self::EXTERNAL.0);
    /// Whatever holds nodes and passes on what is said of it.
    pub const BOX: Self = Self(Self::GROUP.0 | Self::FILE.0 | Self::TOPOLOGY.0);

    /// Both sets together.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is in it.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether they share a place.
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Names of the places, in the order of the language page; `node` where all kinds are meant.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        const NAMES: [(Places, &str); 23] = [
            (Places::CALL, "call"),
            (Places::OPERATION, "operation"),
            (Places::NODE, "node"),
            (Places::CLIENT, "client"),
            (Places::SERVICE, "service"),
            (Places::STORE, "store"),
            (Places::CACHE, "cache"),
            (Places::QUEUE, "queue"),
            (Places::EXTERNAL, "external"),
            (Places::BOX, "group"),
            (Places::FILE, "file"),
            (Places::GROUP, "group"),
            (Places::TOPOLOGY, "topology"),
            (Places::SLO, "`slo`"),
            (Places::IDEMPOTENT, "`idempotent`"),
            (Places::BREAKER, "`breaker`"),
            (Places::REPLICATION, "`replication`"),
            (Places::QUORUM, "`quorum`"),
            (Places::LINK, "link of `network`"),
            (Places::NETWORK, "`network`"),
            (Places::POLICY, "policy"),
            (Places::DEFAULTS, "`defaults`"),
            (Places::STEPS, "the calls of an operation"),
        ];
        let mut left = self;
        let mut names = Vec::new();
        for (place, name) in NAMES {
            if left.contains(place) {
                left = Self(left.0 & !place.0);
                names.push(name);
            }
        }
        names
    }
}

impl BitOr for Places {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.or(other)
    }
}

impl fmt::Debug for Places {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.names().join("|"))
    }
}

/// How what is said in one place reaches another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cascade {
    /// Goes down the boxes: topology, file, groups, node, operation.
    Down,
    /// A total of what it is written on, never passed on.
    Amount,
    /// Belongs to the caller: call, policy, `defaults { call { … } }`.
    Call,
    /// Belongs to the caller, and a callee may insist on it for all calls that arrive.
    Insisted,
    /// Means only what it is written on.
    Own,
}

/// One attribute.
#[derive(Debug)]
pub struct Attribute {
    /// Identity in the code.
    pub key: Key,
    /// The word.
    pub name: &'static str,
    /// The heading it stands under in the reference.
    pub section: &'static str,
    /// What its value looks like, in the notation of [`Form`].
    pub form: &'static str,
    /// Whether it takes several values with commas between them.
    pub list: bool,
    /// Where it may stand.
    pub on: Places,
    /// How it reaches other elements.
    pub cascade: Cascade,
    /// What `none` says; empty where the thing always exists, so that `none` is an error.
    pub none: &'static str,
    /// The place that its own block opens, if it may have one.
    pub block: Places,
    /// One sentence.
    pub documentation: &'static str,
}

/// Stands in where no row can be missing.
#[allow(clippy::indexing_slicing, reason = "checked when it is compiled")]
const FIRST: &Attribute = &ATTRIBUTES[0];

impl Key {
    /// Its row in the table.
    #[must_use]
    pub fn attribute(self) -> &'static Attribute {
        // INVARIANT: the table has one row a key, in order; both come from one list.
        ATTRIBUTES.get(self as usize).unwrap_or(FIRST)
    }

    /// The attribute of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        attributes::BY_NAME.get(name).copied()
    }

    /// The word.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.attribute().name
    }
}

/// Some attributes: what is not said is seen without looking for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeySet([u64; KeySet::WORDS]);

impl KeySet {
    const WORDS: usize = ATTRIBUTES.len().div_ceil(64);
    /// All attributes.
    pub const ALL: Self = {
        let mut words = [u64::MAX; Self::WORDS];
        words[Self::WORDS - 1] >>= 64 * Self::WORDS - ATTRIBUTES.len();
        Self(words)
    };

    /// Whether it has the attribute.
    #[must_use]
    pub fn contains(&self, key: Key) -> bool {
        self.0.get(key as usize / 64).is_some_and(|word| word >> (key as usize % 64) & 1 == 1)
    }

    /// Whether it has one of the attributes.
    #[must_use]
    pub fn contains_any(&self, keys: &[Key]) -> bool {
        keys.iter().any(|key| self.contains(*key))
    }

    /// Adds an attribute.
    pub fn insert(&mut self, key: Key) {
        if let Some(word) = self.0.get_mut(key as usize / 64) {
            *word |= 1 << (key as usize % 64);
        }
    }

    /// Those that are in one of the two.
    #[must_use]
    pub fn union(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| *mine |= theirs);
        self
    }

    /// Those that are in both.
    #[must_use]
    pub fn intersection(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| *mine &= theirs);
        self
    }

    /// The numbers of the attributes, ascending.
    pub(crate) fn numbers(self) -> impl Iterator<Item = usize> {
        self.0.into_iter().enumerate().flat_map(|(at, word)| {
            let next = |word: &u64| Some(word & (word - 1)).filter(|rest| *rest != 0);
            let words = std::iter::successors(Some(word).filter(|word| *word != 0), next);
            words.map(move |word| 64 * at + word.trailing_zeros() as usize)
        })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(keys: &[Key]) -> KeySet {
        let mut set = KeySet::default();
        for key in keys {
            set.insert(*key);
        }
        set
    }

    fn numbers(set: KeySet) -> Vec<usize> {
        set.numbers().collect()
    }

    #[test]
    fn a_set_has_what_was_put_in_across_words() {
        let key = |number: usize| ATTRIBUTES.get(number).map(|attribute| attribute.key).into_iter();
        let across: Vec<Key> = [0, 63, 64, ATTRIBUTES.len() - 1].into_iter().flat_map(key).collect();
        let all = set(&across);
        assert_eq!(numbers(all), [0, 63, 64, ATTRIBUTES.len() - 1]);
        assert!(across.iter().all(|key| all.contains(*key)) && !key(1).any(|key| all.contains(key)));
        assert_eq!(numbers(KeySet::default()), [] as [usize; 0]);
        assert_eq!(numbers(KeySet::ALL), (0..ATTRIBUTES.len()).collect::<Vec<_>>());
        let (one, other) = (set(&across[..3]), set(&across[2..]));
        assert_eq!((one.union(other), numbers(one.intersection(other))), (all, vec![64]));
    }
}
