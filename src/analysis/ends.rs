//! How often something is executed, kept apart by how that ends: the arithmetic of sequences, branches and loops.

use super::attempts::Attempts;

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Count {
    /// So often, at most.
    Times(u64),
    /// Without end.
    Unbounded,
}

impl Count {
    pub(super) const NONE: Self = Self::Times(0);

    pub(super) fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Times(one), Self::Times(other)) => Self::Times(one.saturating_add(other)),
            _ => Self::Unbounded,
        }
    }

    pub(super) fn times(self, times: Attempts) -> Self {
        match (self, times) {
            (Self::NONE, _) | (_, Attempts::AtMost(0)) => Self::NONE,
            (Self::Times(one), Attempts::AtMost(times)) => Self::Times(one.saturating_mul(times)),
            _ => Self::Unbounded,
        }
    }

    fn minus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Times(one), Self::Times(other)) => Self::Times(one.saturating_sub(other)),
            (Self::Times(_), Self::Unbounded) => Self::NONE,
            (Self::Unbounded, _) => Self::Unbounded,
        }
    }

    /// The number, where there is one.
    #[must_use]
    pub fn finite(self) -> Option<u64> {
        if let Self::Times(times) = self { Some(times) } else { None }
    }
}

/// The most executions of the target in one execution of an operation, by how that ends; none if it cannot end so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) good: Option<Count>,
    pub(super) bad: Option<Count>,
}

impl Ends {
    pub(super) const UNTOUCHED: Self = Self { good: Some(Count::NONE), bad: None };

    pub(super) fn most(self) -> Count {
        self.good.max(self.bad).unwrap_or(Count::NONE)
    }

    pub(super) fn either(self, other: Self) -> Self {
        Self { good: self.good.max(other.good), bad: self.bad.max(other.bad) }
    }

    /// First this, then the other, if this ends well.
    pub(super) fn then(self, next: Self) -> Self {
        let after = |end: Option<Count>| Some(self.good?.plus(end?));
        Self { good: after(next.good), bad: self.bad.max(after(next.bad)) }
    }

    /// Whatever happens, it goes on.
    pub(super) fn absorbed(self) -> Self {
        Self { good: self.good.max(self.bad), bad: None }
    }
}

/// One after the other, until one fails.
pub(super) fn one_by_one(once: Ends, times: Attempts) -> Ends {
    let before = match times {
        Attempts::AtMost(times) => Attempts::AtMost(times.saturating_sub(1)),
        Attempts::Unlimited => Attempts::Unlimited,
    };
    let earlier = once.good.map_or(Count::NONE, |good| good.times(before));
    Ends { good: once.good.map(|good| good.times(times)), bad: once.bad.map(|bad| bad.plus(earlier)) }
}

/// All at once: they fail if one does.
pub(super) fn all_of(once: Ends, times: Attempts) -> Ends {
    let others = match times {
        Attempts::AtMost(times) => Attempts::AtMost(times.saturating_sub(1)),
        Attempts::Unlimited => Attempts::Unlimited,
    };
    let bad = once.bad.map(|bad| bad.plus(once.most().times(others)));
    Ends { good: once.good.map(|good| good.times(times)), bad }
}

/// The largest sum over all branches with at least `enough` that end as wanted; none if so many cannot.
pub(super) fn most_with(
    ends: &[Ends],
    enough: usize,
    by_want: impl Fn(&Ends) -> (Option<Count>, Option<Count>),
) -> Option<Count> {
    let sum = ends.iter().map(|ends| ends.most()).fold(Count::NONE, Count::plus);
    let mut losses: Vec<Count> = Vec::new();
    for (wanted, other) in ends.iter().map(by_want) {
        losses.extend(wanted.map(|wanted| other.unwrap_or(Count::NONE).minus(wanted)));
    }
    if losses.len() < enough {
        return None;
    }
    losses.sort_unstable();
    let lost = losses.into_iter().take(enough).fold(Count::NONE, Count::plus);
    Some(sum.minus(lost))
}
