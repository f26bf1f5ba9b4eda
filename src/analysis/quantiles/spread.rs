//! What a time is to be expected, as if its parts knew nothing of each other: lognormal distributions through the stated
//! quantiles, added by numeric convolution on a logarithmic grid. An estimate: it proves nothing.

use std::sync::LazyLock;

use super::super::Facts;
use super::super::attempts::Attempts;
use super::normal::Fit;
use super::reckoning::{Reckoning, most_times};
use crate::model::{CallId, Duration, Setting};

/// Nodes of the grid in each power of ten: 5.9 % from one to the next.
const PER_DECADE: f64 = 40.0;
/// Node 0 is a microsecond, the last one eleven decades above it.
const NODES: usize = 441;
/// The last node that has a next one.
const LAST: f64 = 439.0;
const FIRST: f64 = 1e-6;
/// What is less likely counts as impossible.
const NEGLIGIBLE: f64 = 1e-12;
/// So many tries are followed.
const MAX_TRIES: u64 = 8;
/// Groups of more branches than this are not followed where some of them are enough.
const MAX_BRANCHES: usize = 64;

/// How likely each time is: a share that takes none, and shares at the nodes of the grid from `start` on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spread {
    none: f64,
    start: usize,
    shares: Vec<f64>,
}

/// The time at a node.
#[allow(clippy::cast_precision_loss, reason = "a few hundred nodes")]
fn time(node: usize) -> f64 {
    FIRST * 10_f64.powf(node as f64 / PER_DECADE)
}

/// Where a time lies on the grid: the node at or below it, and how far towards the next, by time.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the grid")]
fn place(seconds: f64) -> (usize, f64) {
    let node = ((seconds / FIRST).log10() * PER_DECADE).floor().clamp(0.0, LAST) as usize;
    let (low, high) = (time(node), time(node + 1));
    (node, ((seconds - low) / (high - low)).clamp(0.0, 1.0))
}

/// Where the sum of two nodes lies, by how far they are apart: so many nodes above the later, and how far towards the
/// next.
static SUMS: LazyLock<Vec<(usize, f64)>> = LazyLock::new(|| {
    let middle = NODES / 2;
    let sums = (0..middle).map(|apart| {
        let (node, share) = place(time(middle) + time(middle - apart));
        (node - middle, share)
    });
    sums.collect()
});

impl Spread {
    fn of(none: f64, dense: &[f64]) -> Self {
        let counts = |share: &f64| *share > NEGLIGIBLE;
        let start = dense.iter().position(counts).unwrap_or(0);
        let end = dense.iter().rposition(counts).map_or(start, |last| last + 1);
        Self { none, start, shares: dense.get(start..end).unwrap_or_default().to_vec() }
    }

    fn nodes(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        (self.start..).zip(self.shares.iter().copied())
    }

    fn always(seconds: f64, share: f64) -> Self {
        let mut dense = vec![0.0; NODES];
        if seconds < FIRST {
            return Self { none: share, start: 0, shares: Vec::new() };
        }
        add(&mut dense, place(seconds), share);
        Self::of(0.0, &dense)
    }

    fn of_fit(fit: &Fit, longest: Option<f64>) -> Self {
        let middle = |node: usize| (time(node) * time(node + 1)).sqrt();
        let mut dense = vec![0.0; NODES];
        let mut before = 0.0;
        for (node, slot) in dense.iter_mut().enumerate() {
            let within = if node + 1 == NODES { 1.0 } else { fit.share_within(middle(node)) };
            *slot = (within - before).max(0.0);
            before = within.max(before);
        }
        let all = Self::of(0.0, &dense);
        longest.map_or(all.clone(), |longest| all.cut(longest))
    }

    /// Everything later happens then.
    fn cut(&self, at: f64) -> Self {
        let (within, later) = self.parted(at);
        within.plus(&Self::always(at, later))
    }

    /// What ends by then, and the share of what does not.
    fn parted(&self, at: f64) -> (Self, f64) {
        let within: Vec<f64> = self.nodes().take_while(|(node, _)| time(*node) <= at).map(|(_, share)| share).collect();
        let later = self.shares.iter().skip(within.len()).sum();
        (Self { shares: within, ..self.clone() }, later)
    }

    /// Either this or that, each with its own share.
    fn plus(&self, other: &Self) -> Self {
        let mut dense = vec![0.0; NODES];
        for (node, share) in self.nodes().chain(other.nodes()) {
            add(&mut dense, (node, 0.0), share);
        }
        Self::of(self.none + other.none, &dense)
    }

    fn scaled(&self, factor: f64) -> Self {
        let shares = self.shares.iter().map(|share| share * factor).collect();
        Self { none: self.none * factor, start: self.start, shares }
    }

    /// One after the other.
    fn then(&self, other: &Self) -> Self {
        let mut dense = vec![0.0; NODES];
        for (node, share) in self.nodes() {
            add(&mut dense, (node, 0.0), share * other.none);
            for (later, other) in other.nodes() {
                let (high, low) = if node > later { (node, later) } else { (later, node) };
                let (offset, towards) = SUMS.get(high - low).copied().unwrap_or_default();
                add(&mut dense, (high + offset, towards), share * other);
            }
        }
        for (node, share) in other.nodes() {
            add(&mut dense, (node, 0.0), share * self.none);
        }
        Self::of(self.none * other.none, &dense)
    }

    /// The share that has ended by each node, what takes no time first.
    fn ended(&self) -> Vec<f64> {
        let mut sum = self.none;
        let mut ended = vec![sum];
        let mut nodes = self.nodes().peekable();
        for node in 0..NODES {
            sum += nodes.next_if(|(next, _)| *next == node).map_or(0.0, |(_, share)| share);
            ended.push(sum);
        }
        ended
    }

    fn of_ended(ended: &[f64]) -> Self {
        let dense: Vec<f64> = ended
            .windows(2)
            .map(|pair| pair.iter().rev().copied().reduce(|high, low| high - low))
            .map(Option::unwrap_or_default)
            .collect();
        Self::of(ended.first().copied().unwrap_or(0.0), &dense)
    }

    /// The time within which this share ends; between two nodes, by equal steps of the logarithm.
    pub(super) fn quantile(&self, quantile: f64) -> Duration {
        let mut sum = self.none;
        if sum >= quantile {
            return Duration::ZERO;
        }
        let width = 10_f64.powf(1.0 / PER_DECADE);
        let mut reached = Duration::ZERO;
        for (node, share) in self.nodes() {
            if sum + share >= quantile {
                let within = if share > 0.0 { (quantile - sum) / share } else { 0.0 };
                return seconds(time(node) * width.powf(within - 0.5));
            }
            sum += share;
            reached = seconds(time(node));
        }
        reached
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time of the grid, some eleven decades")]
fn seconds(value: f64) -> Duration {
    Duration::from_nanoseconds((value * 1e9) as u64)
}

fn add(dense: &mut [f64], (node, towards): (usize, f64), share: f64) {
    let last = dense.len().saturating_sub(1);
    if let Some(slot) = dense.get_mut(node.min(last)) {
        *slot += share * (1.0 - towards);
    }
    if let Some(slot) = dense.get_mut((node + 1).min(last)) {
        *slot += share * towards;
    }
}

/// Estimates; none where the spread of a part is not known.
pub(super) struct Estimate;

impl Reckoning for Estimate {
    type Time = Option<Spread>;

    fn unknown(&self) -> Option<Spread> {
        None
    }

    fn unstated(&self) -> Option<Spread> {
        self.constant(Duration::ZERO)
    }

    fn constant(&self, time: Duration) -> Option<Spread> {
        Some(Spread::always(time.seconds(), 1.0))
    }

    fn stated(&self, setting: &Setting) -> Option<Spread> {
        let quantiles: Vec<(f64, Duration)> = setting.quantiles().collect();
        let longest = setting.maximum().map(Duration::seconds);
        // Of a maximum alone the worst is to be expected.
        if let (true, Some(longest)) = (quantiles.is_empty(), setting.maximum()) {
            return self.constant(longest);
        }
        Some(Spread::of_fit(&Fit::of(&quantiles)?, longest))
    }

    fn sum(&self, one: &Option<Spread>, other: &Option<Spread>) -> Option<Spread> {
        Some(one.as_ref()?.then(other.as_ref()?))
    }

    /// Of independent branches, how likely it is that at least so many have ended.
    fn latest(&self, enough: usize, branches: &[Option<Spread>]) -> Option<Spread> {
        let all = enough == branches.len();
        if !all && branches.len() > MAX_BRANCHES {
            return None;
        }
        let ended: Option<Vec<Vec<f64>>> = branches.iter().map(|branch| branch.as_ref().map(Spread::ended)).collect();
        let ended = ended?;
        let at = |place: usize| ended.iter().map(move |branch| branch.get(place).copied().unwrap_or(1.0));
        let joint: Vec<f64> =
            (0..=NODES).map(|place| if all { at(place).product() } else { enough_of(enough, at(place)) }).collect();
        Some(Spread::of_ended(&joint))
    }

    #[allow(clippy::cast_precision_loss, reason = "a number of calls, as an exponent")]
    fn at_once(&self, times: u64, time: Option<Spread>) -> Option<Spread> {
        let ended: Vec<f64> = time?.ended().into_iter().map(|share| share.powf(times as f64)).collect();
        Some(Spread::of_ended(&ended))
    }

    /// Of branches whose shares are not stated, at each time the one of which the fewest have ended.
    fn split(&self, branches: &[(Option<f64>, Option<Spread>)]) -> Option<Spread> {
        let shares: Option<Vec<f64>> = branches.iter().map(|(share, _)| *share).collect();
        let ended: Option<Vec<Vec<f64>>> =
            branches.iter().map(|(_, branch)| branch.as_ref().map(Spread::ended)).collect();
        let ended = ended?;
        let sum: f64 = shares.iter().flatten().sum();
        let mixed = |place: usize| {
            let at = ended.iter().map(|branch| branch.get(place).copied().unwrap_or(1.0));
            match &shares {
                Some(shares) if sum > 0.0 => at.zip(shares).map(|(ended, share)| ended * share / sum).sum(),
                _ => at.fold(1.0, f64::min),
            }
        };
        Some(Spread::of_ended(&(0..=NODES).map(mixed).collect::<Vec<f64>>()))
    }

    fn sometimes(&self, share: Option<f64>, time: Option<Spread>) -> Option<Spread> {
        let share = share?;
        if share >= 1.0 {
            return time;
        }
        Some(time?.scaled(share).plus(&Spread::always(0.0, 1.0 - share)))
    }

    fn cut(&self, time: Option<Spread>, at: Duration) -> Option<Spread> {
        Some(time?.cut(at.seconds()))
    }

    /// Each try ends with an answer or at its timeout; what is tried again waits as long as its backoff can.
    fn attempts(&self, facts: &Facts<'_>, call: CallId, one: Option<Spread>) -> (Option<Spread>, Option<Spread>) {
        let plan = facts.plan(call);
        let none = Some(Spread::always(0.0, 0.0));
        let Some(one) = one else { return (None, None) };
        let one = plan.hedge.map_or(one.clone(), |(copies, after, _)| hedged(&one, copies, after));
        let Some((limit, _)) = plan.attempt_limit() else { return (Some(one), none) };
        let again = !plan.retries_only_undone && !plan.retries_only_connect;
        let tries = match plan.attempts {
            Attempts::AtMost(tries) if again => tries.min(MAX_TRIES),
            Attempts::Unlimited if again => MAX_TRIES,
            _ => 1,
        };
        let (within, late) = one.parted(limit.seconds());
        let (mut answered, mut failed) = (within.clone(), Spread::always(limit.seconds(), late));
        for number in 1..tries {
            if late < NEGLIGIBLE {
                break;
            }
            let wait =
                plan.backoff.map_or(Duration::ZERO, |backoff| backoff.total(number).minus(backoff.total(number - 1)));
            let again = failed.then(&Spread::always(wait.seconds(), 1.0));
            answered = answered.plus(&again.then(&within));
            failed = again.then(&Spread::always(limit.seconds(), late));
        }
        let bound = plan.deadline.duration().map_or(f64::INFINITY, Duration::seconds);
        (Some(answered.cut(bound)), Some(failed.cut(bound)))
    }

    fn either(&self, answered: Option<Spread>, failed: Option<Spread>) -> Option<Spread> {
        Some(answered?.plus(&failed?))
    }

    fn times(&self, facts: &Facts<'_>, call: CallId) -> Option<u64> {
        most_times(facts, call)
    }

    /// What was measured is better than any model of it, where it shows a spread.
    fn measured(&self, drawn: &Option<Spread>, observed: Option<Spread>) -> Option<Spread> {
        observed.or_else(|| drawn.clone())
    }
}

/// The first of several copies to answer, each sent so much after the one before.
fn hedged(one: &Spread, copies: u64, after: Duration) -> Spread {
    let mut copy = one.clone();
    let mut left: Vec<f64> = one.ended().into_iter().map(|ended| 1.0 - ended).collect();
    for _ in 1..copies.min(MAX_TRIES) {
        copy = copy.then(&Spread::always(after.seconds(), 1.0));
        for (left, ended) in left.iter_mut().zip(copy.ended()) {
            *left *= 1.0 - ended;
        }
    }
    Spread::of_ended(&left.into_iter().map(|left| 1.0 - left).collect::<Vec<f64>>())
}

/// How likely it is that at least so many independent things have happened.
fn enough_of(enough: usize, shares: impl Iterator<Item = f64>) -> f64 {
    // How likely each number below it is.
    let mut fewer = vec![0.0; enough.max(1)];
    if let Some(none) = fewer.first_mut() {
        *none = 1.0;
    }
    for share in shares {
        let mut before = 0.0;
        for slot in &mut fewer {
            let own = *slot;
            *slot = own * (1.0 - share) + before * share;
            before = own;
        }
    }
    (1.0 - fewer.iter().sum::<f64>()).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d8() -> Spread {
        let quantiles = [(0.5, Duration::from_milliseconds(20)), (0.99, Duration::from_milliseconds(200))];
        Spread::of_fit(&Fit::of(&quantiles).unwrap(), None)
    }

    fn milliseconds(spread: &Spread, quantile: f64) -> f64 {
        spread.quantile(quantile).seconds() * 1_000.0
    }

    fn near(found: f64, expected: f64, tolerance: f64) {
        assert!((found / expected - 1.0).abs() <= tolerance, "{found} is not near {expected}");
    }

    #[test]
    fn what_was_stated_is_found_again() {
        near(milliseconds(&d8(), 0.5), 20.0, 0.01);
        near(milliseconds(&d8(), 0.99), 200.0, 0.01);
    }

    /// Golden vector 9.
    #[test]
    fn sums_of_lognormal_times_are_near_their_exact_quantiles() {
        for (count, p50, p99) in [(2, 50.0, 294.0), (5, 142.0, 499.0), (10, 302.0, 772.0)] {
            let sum = (1..count).fold(d8(), |sum, _| sum.then(&d8()));
            near(milliseconds(&sum, 0.5), p50, 0.03);
            near(milliseconds(&sum, 0.99), p99, 0.02);
        }
    }

    /// Golden vector 11: two hops of 10 ms, of which 0.8 % take a second.
    #[test]
    fn a_sum_of_p99s_can_be_far_below_the_p99_of_the_sum() {
        let hop = Spread::always(0.01, 0.992).plus(&Spread::always(1.0, 0.008));
        near(milliseconds(&hop, 0.99), 10.0, 0.06);
        let both = hop.then(&hop);
        let (_, slow) = both.parted(0.9);
        near(slow, 0.015_936, 1e-6);
        near(milliseconds(&both, 0.99), 1_010.0, 0.06);
    }

    /// Golden vector 12: at least one of so many leaves is above its p99.
    #[test]
    fn a_join_is_slow_as_soon_as_one_leaf_is() {
        for (leaves, slow) in [(5, 0.049_0), (10, 0.095_6), (100, 0.634_0)] {
            let leaf = Some(Spread::always(0.01, 0.99).plus(&Spread::always(1.0, 0.01)));
            let join = Estimate.at_once(leaves, leaf.clone()).unwrap();
            near(join.parted(0.5).1, slow, 1e-3);
            let branches = vec![leaf; usize::try_from(leaves).unwrap()];
            near(Estimate.latest(branches.len(), &branches).unwrap().parted(0.5).1, slow, 1e-3);
        }
    }

    #[test]
    fn the_first_of_two_answers_is_early() {
        let leaf = Spread::always(0.01, 0.9).plus(&Spread::always(1.0, 0.1));
        near(Estimate.latest(1, &[Some(leaf.clone()), Some(leaf.clone())]).unwrap().parted(0.5).1, 0.01, 1e-6);
        near(hedged(&leaf, 2, Duration::from_milliseconds(100)).parted(0.5).1, 0.01, 1e-6);
    }
}
