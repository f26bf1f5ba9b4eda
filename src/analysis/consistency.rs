//! Consistency models and how they compare: a partial order, not a line, after the map of consistency models of
//! jepsen.io. Two models always have a strongest one that both imply, their meet; not all of them can be compared.

use std::cmp::Ordering;
use std::sync::LazyLock;

/// What readers may rely on. Strong and weak are no levels: `serializable` does not imply `linearizable`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Model {
    /// Transactions, in the order of real time.
    StrictSerializable,
    /// Transactions, in some order.
    Serializable,
    /// Rows that a transaction has read stay as they are.
    RepeatableRead,
    /// A transaction reads one state.
    Snapshot,
    /// The row under a cursor stays as it is.
    CursorStability,
    /// All of another transaction is seen, or none.
    MonotonicAtomicView,
    /// Only what is committed is seen.
    ReadCommitted,
    /// Writes of two transactions do not mix.
    ReadUncommitted,
    /// One object, in the order of real time.
    Linearizable,
    /// All see one order, which keeps that of each process.
    Sequential,
    /// What may depend on one another is seen in that order.
    Causal,
    /// The writes of each process are seen in their order.
    Pram,
    /// A session sees what it has written.
    ReadYourWrites,
    /// A session never sees what is older than what it has seen.
    MonotonicReads,
    /// The writes of a session keep their order.
    MonotonicWrites,
    /// What a session writes comes after what it has read.
    WritesFollowReads,
    /// Once nothing is written any more, all see the same.
    Eventual,
}

use Model::{
    Causal, CursorStability, Eventual, Linearizable, MonotonicAtomicView, MonotonicReads, MonotonicWrites, Pram,
    ReadCommitted, ReadUncommitted, ReadYourWrites, RepeatableRead, Sequential, Serializable, Snapshot,
    StrictSerializable, WritesFollowReads,
};

/// For each model, all that it implies.
static BELOW: LazyLock<[Models; Model::ALL.len()]> = LazyLock::new(|| Model::ALL.map(Model::find_below));

impl Model {
    /// All of them, in the order in which they are declared.
    pub const ALL: [Self; 17] = [
        StrictSerializable,
        Serializable,
        RepeatableRead,
        Snapshot,
        CursorStability,
        MonotonicAtomicView,
        ReadCommitted,
        ReadUncommitted,
        Linearizable,
        Sequential,
        Causal,
        Pram,
        ReadYourWrites,
        MonotonicReads,
        MonotonicWrites,
        WritesFollowReads,
        Eventual,
    ];

    /// The word for it in the language.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            StrictSerializable => "strict-serializable",
            Serializable => "serializable",
            RepeatableRead => "repeatable-read",
            Snapshot => "snapshot",
            CursorStability => "cursor-stability",
            MonotonicAtomicView => "monotonic-atomic-view",
            ReadCommitted => "read-committed",
            ReadUncommitted => "read-uncommitted",
            Linearizable => "linearizable",
            Sequential => "sequential",
            Causal => "causal",
            Pram => "pram",
            ReadYourWrites => "read-your-writes",
            MonotonicReads => "monotonic-reads",
            MonotonicWrites => "monotonic-writes",
            WritesFollowReads => "writes-follow-reads",
            Eventual => "eventual",
        }
    }

    /// The model of that name.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|model| model.name() == word)
    }

    /// The next weaker ones: the arrows of the map.
    #[must_use]
    pub const fn weaker(self) -> &'static [Self] {
        match self {
            StrictSerializable => &[Serializable, Linearizable],
            Serializable => &[RepeatableRead, Snapshot],
            RepeatableRead => &[MonotonicAtomicView, CursorStability],
            Snapshot => &[MonotonicAtomicView],
            CursorStability | MonotonicAtomicView => &[ReadCommitted],
            ReadCommitted => &[ReadUncommitted],
            Linearizable => &[Sequential],
            Sequential => &[Causal],
            Causal => &[Pram, WritesFollowReads],
            Pram => &[MonotonicReads, MonotonicWrites, ReadYourWrites],
            ReadUncommitted | ReadYourWrites | MonotonicReads | MonotonicWrites | WritesFollowReads => &[Eventual],
            Eventual => &[],
        }
    }

    /// Whether who has this has the other.
    #[must_use]
    pub fn implies(self, other: Self) -> bool {
        self.below().contains(other)
    }

    /// The strongest model that both imply.
    #[must_use]
    pub fn meet(self, other: Self) -> Self {
        let both = self.below().both(other.below());
        // INVARIANT: the order is a lattice, so what both imply is all that one of them implies; a test tries all pairs.
        Self::ALL.into_iter().find(|model| model.below() == both).unwrap_or(Eventual)
    }

    /// The weakest model that implies both.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        let above = Self::ALL.into_iter().filter(|model| model.implies(self) && model.implies(other));
        above.reduce(Self::meet).unwrap_or(StrictSerializable)
    }

    /// Whether it is promised to one session, and so holds only while the session keeps its place.
    #[must_use]
    pub const fn is_of_session(self) -> bool {
        matches!(self, Causal | Pram | ReadYourWrites | MonotonicReads | MonotonicWrites | WritesFollowReads)
    }

    /// What is left of it when a session does not keep its place.
    #[must_use]
    pub const fn without_session(self) -> Self {
        if self.is_of_session() { Eventual } else { self }
    }

    #[allow(clippy::indexing_slicing, reason = "one row a model, and models are numbered by their declaration")]
    fn below(self) -> Models {
        BELOW[self as usize]
    }

    fn find_below(self) -> Models {
        self.weaker().iter().fold(Models::of([self]), |all, model| all.or(model.find_below()))
    }
}

/// None where neither implies the other.
impl PartialOrd for Model {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self.implies(*other), other.implies(*self)) {
            (true, true) => Some(Ordering::Equal),
            (true, false) => Some(Ordering::Greater),
            (false, true) => Some(Ordering::Less),
            (false, false) => None,
        }
    }
}

/// A set of models.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Models(u32);

impl Models {
    /// These.
    #[must_use]
    pub fn of(models: impl IntoIterator<Item = Model>) -> Self {
        Self(models.into_iter().fold(0, |bits, model| bits | 1 << model as u8))
    }

    /// All that imply one model; the model itself only if it is meant too.
    #[must_use]
    pub fn above(model: Model, itself: bool) -> Self {
        Self::of(Model::ALL.into_iter().filter(|other| other.implies(model) && (itself || *other != model)))
    }

    /// Whether a model is in it.
    #[must_use]
    pub fn contains(self, model: Model) -> bool {
        self.0 & 1 << model as u8 != 0
    }

    /// Those of either.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}
