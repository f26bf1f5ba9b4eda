//! The normal distribution and quantile functions fitted to a few stated quantiles: between neighbours, and beyond the
//! outermost, the logarithm of the time is linear in the normal score, so two quantiles give a lognormal distribution.
//! `μ = ln p50`, `σ = ln(p99 / p50) / 2.32635`.

use crate::model::Duration;

/// Quantiles as points of a curve: normal score and logarithm of the time, ascending, at least two.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fit {
    points: Vec<(f64, f64)>,
}

impl Fit {
    /// A curve through these quantiles; none through fewer than two, or through a time of zero.
    pub(super) fn of(quantiles: &[(f64, Duration)]) -> Option<Self> {
        let inner =
            quantiles.iter().filter(|(quantile, time)| (1e-9..1.0 - 1e-9).contains(quantile) && *time > Duration::ZERO);
        let mut points: Vec<(f64, f64)> =
            inner.map(|(quantile, time)| (score(*quantile), time.seconds().ln())).collect();
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        points.dedup_by(|one, other| (one.0 - other.0).abs() < 1e-9);
        let rises = points.is_sorted_by(|one, other| one.1 <= other.1);
        (points.len() > 1 && rises).then_some(Self { points })
    }

    /// The share of requests that take at most so many seconds.
    pub(super) fn share_within(&self, seconds: f64) -> f64 {
        let at = seconds.ln();
        let segments = self.points.windows(2);
        let segment = segments.clone().find(|pair| pair.last().is_some_and(|last| at <= last.1)).or(segments.last());
        let Some([low, high]) = segment else { return 0.0 };
        let rise = high.1 - low.1;
        // A part without any rise is a step: all of it is within the time of its end.
        if rise.abs() < 1e-12 {
            return below(if at >= low.1 { high.0 } else { low.0 });
        }
        below(low.0 + (high.0 - low.0) * (at - low.1) / rise)
    }

    /// The spread of a lognormal distribution through the outermost two: `σ`.
    #[cfg(test)]
    fn sigma(&self) -> f64 {
        let (low, high) = (self.points[0], self.points[self.points.len() - 1]);
        (high.1 - low.1) / (high.0 - low.0)
    }
}

/// `Φ`: the share of a normal distribution below a score. By a Chebyshev approximation of the complementary error
/// function with a relative error below 1.2e-7 (Press et al., Numerical Recipes, 6.2).
pub(super) fn below(score: f64) -> f64 {
    const COEFFICIENTS: [f64; 10] = [
        0.170_872_77,
        -0.822_152_23,
        1.488_515_87,
        -1.135_203_98,
        0.278_868_07,
        -0.186_288_06,
        0.096_784_18,
        0.374_091_96,
        1.000_023_68,
        -1.265_512_23,
    ];
    let x = score.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.5 * x);
    let polynomial = COEFFICIENTS.iter().fold(0.0, |sum, coefficient| sum * t + coefficient);
    let beyond = 0.5 * t * (polynomial - x * x).exp();
    if score < 0.0 { beyond } else { 1.0 - beyond }
}

/// `Φ⁻¹`: the score below which a share lies, found by halving.
pub(super) fn score(share: f64) -> f64 {
    let (mut low, mut high) = (-9.0_f64, 9.0_f64);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if below(middle) < share { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d8() -> Fit {
        Fit::of(&[(0.5, Duration::from_milliseconds(20)), (0.99, Duration::from_milliseconds(200))]).unwrap()
    }

    #[test]
    fn scores_are_those_of_the_tables() {
        for (share, expected) in [(0.5, 0.0), (0.99, 2.326_35), (0.999, 3.090_23), (0.01, -2.326_35)] {
            assert!((score(share) - expected).abs() < 1e-4, "{share}: {}", score(share));
        }
    }

    #[test]
    fn two_quantiles_give_a_lognormal_distribution() {
        let sigma = d8().sigma();
        assert!((sigma - 0.989_79).abs() < 1e-4, "{sigma}");
        let mean = 20.0 * (sigma * sigma / 2.0).exp();
        assert!((mean - 32.64).abs() < 0.01, "{mean}");
        assert!((d8().share_within(0.2) - 0.99).abs() < 1e-6);
    }

    #[test]
    fn one_quantile_shows_no_spread() {
        assert_eq!(Fit::of(&[(0.99, Duration::from_milliseconds(20))]), None);
    }
}
