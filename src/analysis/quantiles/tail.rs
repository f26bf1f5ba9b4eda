//! What a time does not exceed, but for a share of requests: the union bound of Boole. For any `αᵢ` with `Σ αᵢ = α` the
//! quantile `1 − α` of a sum is at most the sum of the quantiles `1 − αᵢ`, however the parts depend on each other; of
//! the last of several, at most the largest of them. The split of `α` over the stated quantiles is the best one.

use super::super::Facts;
use super::reckoning::{Reckoning, most_times};
use crate::model::{CallId, Duration, Setting};

/// So many points of a tail are kept.
const MAX_POINTS: usize = 32;
/// Shares that add up to one another but for rounding are the same.
const ROUNDING: f64 = 1e-9;

/// Points of a tail: but for this share of requests, it takes at most this long. By rising share, so by falling time;
/// without any, nothing is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tail {
    points: Vec<(f64, Duration)>,
}

impl Tail {
    fn of(mut points: Vec<(f64, Duration)>) -> Self {
        points.retain(|(share, _)| *share < 1.0);
        points.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        let mut best = Duration::MAX;
        points.retain(|(_, time)| {
            let better = *time < best;
            best = best.min(*time);
            better
        });
        Self { points }.thinned()
    }

    /// Dropping points makes a bound wider, never wrong: kept are the smallest share, and the best below each decade's
    /// usual shares.
    fn thinned(mut self) -> Self {
        if self.points.len() <= MAX_POINTS {
            return self;
        }
        let decades = (1..=7).flat_map(|decade| [5.0, 2.0, 1.0].map(|digit| digit * 10_f64.powi(-decade)));
        let kept: Vec<(f64, Duration)> =
            decades.filter_map(|share| self.point(share)).chain(self.points.first().copied()).collect();
        self.points.retain(|point| kept.contains(point));
        self
    }

    fn point(&self, share: f64) -> Option<(f64, Duration)> {
        self.points.iter().rev().find(|(own, _)| *own <= share * (1.0 + ROUNDING)).copied()
    }

    /// What the time does not exceed in this share of requests, by what is known.
    pub(super) fn quantile(&self, quantile: f64) -> Option<Duration> {
        self.point(1.0 - quantile).map(|(_, time)| time)
    }

    /// Whether nothing is known.
    pub(super) fn is_unknown(&self) -> bool {
        self.points.is_empty()
    }
}

/// Bounds by what is stated. What is not stated counts as nothing, or, if it is `whole`, is unknown.
pub(super) struct Bound {
    pub(super) whole: bool,
}

fn pairs(one: &Tail, other: &Tail, join: impl Fn(Duration, Duration) -> Duration) -> Tail {
    let both = one.points.iter().flat_map(|(share, time)| {
        let join = &join;
        other.points.iter().map(move |(other, later)| (share + other, join(*time, *later)))
    });
    Tail::of(both.collect())
}

impl Reckoning for Bound {
    type Time = Tail;

    fn unknown(&self) -> Tail {
        Tail::default()
    }

    fn unstated(&self) -> Tail {
        if self.whole { Tail::default() } else { self.constant(Duration::ZERO) }
    }

    fn constant(&self, time: Duration) -> Tail {
        Tail { points: vec![(0.0, time)] }
    }

    fn stated(&self, setting: &Setting) -> Tail {
        let quantiles = setting.quantiles().map(|(quantile, time)| (1.0 - quantile, time));
        Tail::of(quantiles.chain(setting.maximum().map(|time| (0.0, time))).collect())
    }

    fn sum(&self, one: &Tail, other: &Tail) -> Tail {
        pairs(one, other, Duration::plus)
    }

    /// For `k` of `n` any `k` branches will do: those of which most is known, and the shortest.
    fn latest(&self, enough: usize, branches: &[Tail]) -> Tail {
        let mut branches: Vec<&Tail> = branches.iter().collect();
        let last = |tail: &Tail| tail.points.last().map_or(Duration::MAX, |(_, time)| *time);
        branches.sort_by_key(|tail| last(tail));
        let chosen = branches.into_iter().take(enough);
        chosen.fold(self.constant(Duration::ZERO), |latest, branch| pairs(&latest, branch, Ord::max))
    }

    #[allow(clippy::cast_precision_loss, reason = "a number of calls, as a factor")]
    fn at_once(&self, times: u64, time: Tail) -> Tail {
        Tail::of(time.points.into_iter().map(|(share, time)| (share * times as f64, time)).collect())
    }

    /// With shares, `Σ wᵢ·αᵢ`; without, the largest `αᵢ`.
    fn split(&self, branches: &[(Option<f64>, Tail)]) -> Tail {
        let shares: Option<Vec<f64>> = branches.iter().map(|(share, _)| *share).collect();
        let known = shares.is_some_and(|shares| shares.iter().sum::<f64>() <= 1.0 + ROUNDING);
        let join = |tail: Tail, (share, branch): &(Option<f64>, Tail)| {
            let weight = share.filter(|_| known);
            let both = tail.points.iter().flat_map(|(own, time)| {
                branch.points.iter().map(move |(other, later)| {
                    let share = weight.map_or(own.max(*other), |weight| own + weight * other);
                    (share, *time.max(later))
                })
            });
            Tail::of(both.collect())
        };
        branches.iter().fold(self.constant(Duration::ZERO), join)
    }

    /// Where nothing says how many, it may be all.
    fn sometimes(&self, share: Option<f64>, time: Tail) -> Tail {
        let share = share.unwrap_or(1.0);
        if share >= 1.0 {
            return time;
        }
        let made = time.points.into_iter().map(|(own, time)| (own * share, time));
        Tail::of(made.chain([(share, Duration::ZERO)]).collect())
    }

    fn cut(&self, time: Tail, at: Duration) -> Tail {
        Tail::of(time.points.into_iter().chain([(0.0, at)]).collect())
    }

    /// What ends before its timeout is answered; for all else, the longest wait for all attempts.
    fn attempts(&self, facts: &Facts<'_>, call: CallId, one: Tail) -> (Tail, Tail) {
        let plan = facts.plan(call);
        let limit = plan.attempt_limit().map_or(Duration::MAX, |(limit, _)| limit);
        let waiting = plan.pool_wait.finite();
        let waited = waiting.map_or(self.unknown(), |wait| self.sum(&self.constant(wait), &one));
        let in_time = limit.plus(waiting.unwrap_or_default());
        let answered = waited.points.into_iter().filter(|(_, time)| *time <= in_time).collect();
        // Inside one process the callee's unstated own work would be missing in its worst case.
        let worst = if facts.is_local(call) {
            plan.attempt_limit().map(|(limit, _)| limit).filter(|_| !plan.attempts.repeat())
        } else {
            facts.times().call(facts, call).at_most.and_then(super::super::Extent::finite)
        };
        (Tail::of(answered), worst.map_or(self.unknown(), |worst| self.constant(worst)))
    }

    fn either(&self, answered: Tail, failed: Tail) -> Tail {
        Tail::of(answered.points.into_iter().chain(failed.points).collect())
    }

    fn times(&self, facts: &Facts<'_>, call: CallId) -> Option<u64> {
        most_times(facts, call)
    }

    fn measured(&self, drawn: &Tail, observed: Tail) -> Tail {
        self.either(drawn.clone(), observed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::normal::score;
    use super::*;

    const BOUND: Bound = Bound { whole: false };

    fn quantiles(points: &[(f64, u64)]) -> Tail {
        Tail::of(points.iter().map(|(quantile, time)| (1.0 - quantile, Duration::from_milliseconds(*time))).collect())
    }

    fn series(part: &Tail, count: usize) -> Tail {
        (1..count).fold(part.clone(), |sum, _| BOUND.sum(&sum, part))
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds")]
    fn nearest(seconds: f64) -> Duration {
        Duration::from_nanoseconds((seconds * 1e9) as u64)
    }

    fn milliseconds(time: Option<Duration>) -> Option<u64> {
        time.map(|time| (time.nanoseconds() + 500_000) / 1_000_000)
    }

    #[test]
    fn the_sum_of_five_p99s_is_a_p95_and_no_p99() {
        let sum = series(&quantiles(&[(0.5, 20), (0.99, 200)]), 5);
        assert_eq!(milliseconds(sum.quantile(0.95)), Some(1_000));
        assert_eq!(sum.quantile(0.99), None);
    }

    /// Golden vector 10: the quantiles that an equal split asks for come from a fitted lognormal distribution.
    #[test]
    fn the_bound_of_an_equal_split_needs_quantiles_that_nobody_states() {
        let sigma = 10_f64.ln() / 2.326_35;
        for (count, expected) in [(2_u8, 512), (5, 1_727), (10, 4_260)] {
            let quantile = 1.0 - 0.01 / f64::from(count);
            let time = 0.02 * (sigma * score(quantile)).exp();
            let part = Tail::of(vec![(1.0 - quantile, nearest(time))]);
            let bound = milliseconds(series(&part, usize::from(count)).quantile(0.99)).unwrap();
            assert!(bound.abs_diff(expected) * 200 <= expected, "{count}: {bound}");
        }
    }

    #[test]
    fn the_split_is_the_best_one() {
        // 0.2 % and 0.8 % are cheaper than 0.5 % each.
        let steep = quantiles(&[(0.992, 100), (0.998, 5_000)]);
        let flat = quantiles(&[(0.99, 10), (0.998, 20)]);
        assert_eq!(milliseconds(BOUND.sum(&steep, &flat).quantile(0.99)), Some(120));
    }

    #[test]
    fn a_join_takes_the_largest_and_a_loop_all_of_them() {
        let part = quantiles(&[(0.99, 200), (0.999, 900)]);
        assert_eq!(milliseconds(BOUND.latest(2, &[part.clone(), part.clone()]).quantile(0.98)), Some(200));
        assert_eq!(milliseconds(BOUND.at_once(10, part.clone()).quantile(0.99)), Some(900));
        assert_eq!(milliseconds(BOUND.latest(1, &[part, Tail::default()]).quantile(0.99)), Some(200));
    }

    #[test]
    fn the_p99_over_a_cache_is_a_quantile_of_its_misses() {
        let miss = quantiles(&[(0.5, 30), (0.8, 60), (0.99, 400)]);
        assert_eq!(milliseconds(BOUND.sometimes(Some(0.02), miss.clone()).quantile(0.99)), Some(30));
        assert_eq!(milliseconds(BOUND.sometimes(Some(0.05), miss.clone()).quantile(0.99)), Some(60));
        assert_eq!(milliseconds(BOUND.sometimes(Some(0.005), miss).quantile(0.99)), Some(0));
    }

    #[test]
    fn very_many_points_are_thinned_and_stay_bounds() {
        let points =
            (0..200_u16).map(|i| (1e-6 * 1.07_f64.powi(i32::from(i)), Duration::from_milliseconds(u64::from(400 - i))));
        let tail = Tail::of(points.collect());
        assert!(tail.points.len() <= MAX_POINTS);
        assert!(tail.quantile(0.99).unwrap() >= Duration::from_milliseconds(263));
        assert!(tail.quantile(0.999_999_1).is_none() && tail.quantile(0.999_998).is_some());
    }
}
