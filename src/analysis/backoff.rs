//! The waits between the tries of one call. Bounds after the AWS architecture blog, "Exponential Backoff And Jitter":
//! full and equal jitter have the upper bound of none, decorrelated jitter waits at most three times as long each time.

use super::interval::Known;
use crate::model::{Duration, Setting};

/// How long a caller waits between tries.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
    /// By how much each wait exceeds the one before; none if all are equal.
    factor: Option<u64>,
    jitter: Jitter,
}

/// By how much a wait may fall short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Jitter {
    Unstated,
    None,
    Equal,
    Full,
    Decorrelated,
}

impl Backoff {
    pub(super) fn of(setting: &Setting) -> Self {
        let jitters = [("equal", Jitter::Equal), ("full", Jitter::Full), ("decorrelated", Jitter::Decorrelated)];
        let jitter = jitters.into_iter().find(|(word, _)| setting.says(word)).map(|(_, jitter)| jitter);
        let jitter = jitter.unwrap_or(if setting.says("none") { Jitter::None } else { Jitter::Unstated });
        let Some((first, cap)) = setting.duration_range() else {
            let wait = setting.duration().unwrap_or(Duration::ZERO);
            return Self { first: wait, cap: wait, factor: None, jitter };
        };
        Self { first, cap, factor: Some(if jitter == Jitter::Decorrelated { 3 } else { 2 }), jitter }
    }

    /// No waits at all.
    pub(super) const NONE: Self =
        Self { first: Duration::ZERO, cap: Duration::ZERO, factor: None, jitter: Jitter::None };

    /// Waits that double from the first up to the cap, with full jitter.
    #[must_use]
    pub const fn exponential(first: Duration, cap: Duration) -> Self {
        Self { first, cap, factor: Some(2), jitter: Jitter::Full }
    }

    /// Whether it waits at all.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.cap > Duration::ZERO
    }

    /// Whether chance shortens the waits; none if that is not stated.
    #[must_use]
    pub fn jitters(&self) -> Option<bool> {
        match self.jitter {
            Jitter::Unstated => None,
            jitter => Some(jitter != Jitter::None),
        }
    }

    /// So many waits together: the upper bound of each, summed.
    #[must_use]
    pub fn total(&self, waits: u64) -> Duration {
        self.started_before(None, Duration::ZERO, waits, Known::AtLeast).1
    }

    /// So many waits together, each as short as it can be; with all of what is not stated to be shorter.
    pub(super) fn shortest_total(&self, waits: u64) -> Duration {
        let least = |wait| self.shortest(wait, Known::AtLeast);
        match self.factor {
            None => least(self.cap).times(waits),
            // Jitter shortens a wait by a share of it, or down to the first.
            Some(_) if self.jitter == Jitter::Decorrelated => least(self.cap).times(waits),
            Some(_) => least(self.total(waits)),
        }
    }

    /// The time over which the first tries again are spread, where many callers fail together; none if the jitter is not
    /// stated.
    #[must_use]
    pub fn spread(&self) -> Option<Duration> {
        let first = self.first.min(self.cap);
        match self.jitter {
            Jitter::Unstated => None,
            Jitter::None => Some(Duration::ZERO),
            Jitter::Equal => Some(Duration::from_nanoseconds(first.nanoseconds() / 2)),
            Jitter::Full => Some(first),
            Jitter::Decorrelated => Some(first.times(3).min(self.cap).minus(first)),
        }
    }

    /// How many of `more` further tries can start before `limit`, where there is one, if every try before fails after
    /// `each`, and the longest waits before them, together.
    pub(super) fn started_before(
        &self,
        limit: Option<Duration>,
        each: Duration,
        more: u64,
        known: Known,
    ) -> (u64, Duration) {
        let (mut earliest, mut longest, mut started) = (Duration::ZERO, Duration::ZERO, 0);
        let mut wait = if self.jitter == Jitter::Decorrelated { self.first.times(3) } else { self.first };
        while started < more {
            let least = self.shortest(wait.min(self.cap), known).plus(each);
            let steady = self.factor.is_none() || wait >= self.cap || wait == Duration::ZERO;
            let fit = match limit {
                Some(limit) if least > Duration::ZERO => {
                    limit.minus(earliest).nanoseconds().saturating_sub(1) / least.nanoseconds()
                }
                _ => u64::MAX,
            };
            let left = fit.min(if steady { more - started } else { 1 });
            if left == 0 {
                break;
            }
            earliest = earliest.plus(least.times(left));
            longest = longest.plus(wait.min(self.cap).times(left));
            started += left;
            wait = wait.times(self.factor.unwrap_or(1));
            if steady {
                break;
            }
        }
        (started, longest)
    }

    /// The shortest that a wait can be which is at most `wait`.
    fn shortest(&self, wait: Duration, known: Known) -> Duration {
        match self.jitter {
            Jitter::Full => Duration::ZERO,
            Jitter::Unstated if known == Known::AtMost => Duration::ZERO,
            Jitter::Equal => Duration::from_nanoseconds(wait.nanoseconds() / 2),
            Jitter::Decorrelated => self.first.min(wait),
            Jitter::None | Jitter::Unstated => wait,
        }
    }
}
