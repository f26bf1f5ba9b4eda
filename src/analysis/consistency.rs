//! Consistency models and how they compare: a partial order, not a line, after the map of consistency models of
//! jepsen.io. Two models always have a strongest one that both imply, their meet; not all of them can be compared.

use std::cmp::Ordering;
use std::sync::LazyLock;

/// Declares the models: the word of each in the language, and the next weaker ones, the arrows of the map.
macro_rules! models {
    ($($(#[$documentation:meta])* $model:ident $name:literal > [$($weaker:ident),*];)*) => {
        /// What readers may rely on. Strong and weak are no levels: `serializable` does not imply `linearizable`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Model { $($(#[$documentation])* $model,)* }

        use Model::{$($model),*};

        impl Model {
            /// All of them, in the order in which they are declared.
            pub const ALL: [Self; [$($name),*].len()] = [$($model),*];

            /// The word for it in the language.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($model => $name,)* }
            }

            /// The next weaker ones.
            #[must_use]
            pub const fn weaker(self) -> &'static [Self] {
                match self { $($model => &[$($weaker),*],)* }
            }
        }
    };
}

models! {
    /// Transactions, in the order of real time.
    StrictSerializable "strict-serializable" > [Serializable, Linearizable];
    /// Transactions, in some order.
    Serializable "serializable" > [RepeatableRead, Snapshot];
    /// Rows that a transaction has read stay as they are.
    RepeatableRead "repeatable-read" > [MonotonicAtomicView, CursorStability];
    /// A transaction reads one state.
    Snapshot "snapshot" > [MonotonicAtomicView];
    /// The row under a cursor stays as it is.
    CursorStability "cursor-stability" > [ReadCommitted];
    /// All of another transaction is seen, or none.
    MonotonicAtomicView "monotonic-atomic-view" > [ReadCommitted];
    /// Only what is committed is seen.
    ReadCommitted "read-committed" > [ReadUncommitted];
    /// Writes of two transactions do not mix.
    ReadUncommitted "read-uncommitted" > [Eventual];
    /// One object, in the order of real time.
    Linearizable "linearizable" > [Sequential];
    /// All see one order, which keeps that of each process.
    Sequential "sequential" > [Causal];
    /// What may depend on one another is seen in that order.
    Causal "causal" > [Pram, WritesFollowReads];
    /// The writes of each process are seen in their order.
    Pram "pram" > [MonotonicReads, MonotonicWrites, ReadYourWrites];
    /// A session sees what it has written.
    ReadYourWrites "read-your-writes" > [Eventual];
    /// A session never sees what is older than what it has seen.
    MonotonicReads "monotonic-reads" > [Eventual];
    /// The writes of a session keep their order.
    MonotonicWrites "monotonic-writes" > [Eventual];
    /// What a session writes comes after what it has read.
    WritesFollowReads "writes-follow-reads" > [Eventual];
    /// Once nothing is written any more, all see the same.
    Eventual "eventual" > [];
}

/// For each model, all that it implies.
static BELOW: LazyLock<[Models; Model::ALL.len()]> = LazyLock::new(|| Model::ALL.map(Model::find_below));

impl Model {
    /// The model of that name.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|model| model.name() == word)
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

    /// Whether no system can give it and answer everybody while its copies cannot see each other.
    #[must_use]
    pub fn is_unavailable(self) -> bool {
        self.implies(Sequential) || self.implies(CursorStability) || self.implies(Snapshot)
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
