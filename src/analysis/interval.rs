//! A time that may be without end, and what is known of one: the interval between what is proved to be reached and what
//! is proved not to be exceeded.

use super::attempts::Attempts;
use crate::model::Duration;

/// Which end of an interval is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// What is proved to be reached.
    AtLeast,
    /// What is proved not to be exceeded.
    AtMost,
}

/// A time that may be without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// This long.
    Finite(Duration),
    /// Without end.
    Unbounded,
}

impl Extent {
    /// No time.
    pub const ZERO: Self = Self::Finite(Duration::ZERO);

    /// One after the other.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Finite(one), Self::Finite(other)) => Self::Finite(one.plus(other)),
            _ => Self::Unbounded,
        }
    }

    /// So many times.
    #[must_use]
    pub fn repeated(self, times: Attempts) -> Self {
        match (self, times) {
            (_, Attempts::AtMost(0)) => Self::ZERO,
            (Self::Finite(one), Attempts::AtMost(times)) => Self::Finite(one.times(times)),
            _ => Self::Unbounded,
        }
    }

    /// The time, where it has an end.
    #[must_use]
    pub fn finite(self) -> Option<Duration> {
        if let Self::Finite(duration) = self { Some(duration) } else { None }
    }
}

/// What is known of a worst case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// It is proved to reach this.
    pub at_least: Extent,
    /// It is proved not to exceed this; none if something that matters is unstated.
    pub at_most: Option<Extent>,
}

impl Time {
    /// No time.
    pub const ZERO: Self = Self::exactly(Extent::ZERO);

    /// Known exactly.
    #[must_use]
    pub const fn exactly(extent: Extent) -> Self {
        Self { at_least: extent, at_most: Some(extent) }
    }

    /// Nothing is known but what is proved to be reached.
    #[must_use]
    pub const fn at_least(at_least: Extent) -> Self {
        Self { at_least, at_most: None }
    }

    /// The bound that is known: without end only where that is proved.
    #[must_use]
    pub fn proved(self) -> Option<Extent> {
        self.at_most.filter(|most| *most != Extent::Unbounded || self.at_least == Extent::Unbounded)
    }

    /// One after the other. What is without end stays so, whatever else is unknown.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self::both(
            self.at_least.plus(other.at_least),
            self.at_most.zip(other.at_most).map(|(one, other)| one.plus(other)),
        )
    }

    /// The longer of both.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self::both(
            self.at_least.max(other.at_least),
            self.at_most.zip(other.at_most).map(|(one, other)| one.max(other)),
        )
    }

    pub(super) fn repeated(self, times: Attempts) -> Self {
        Self::both(self.at_least.repeated(times), self.at_most.map(|most| most.repeated(times)))
    }

    /// What has been added since `earlier`, at each end of the interval.
    pub(super) fn since(self, earlier: Self) -> Self {
        let since = |now: Extent, then: Extent| match (now, then) {
            (Extent::Finite(now), Extent::Finite(then)) => Extent::Finite(now.minus(then)),
            _ => Extent::Unbounded,
        };
        Self::both(
            since(self.at_least, earlier.at_least),
            self.at_most.zip(earlier.at_most).map(|(now, then)| since(now, then)),
        )
    }

    /// Cut at a bound that is known to hold.
    pub(super) fn capped(self, cap: Duration) -> Self {
        let cap = Extent::Finite(cap);
        Self { at_least: self.at_least.min(cap), at_most: Some(self.at_most.map_or(cap, |most| most.min(cap))) }
    }

    pub(super) fn both(at_least: Extent, at_most: Option<Extent>) -> Self {
        let proved = (at_least == Extent::Unbounded).then_some(Extent::Unbounded);
        Self { at_least, at_most: proved.or(at_most) }
    }
}
