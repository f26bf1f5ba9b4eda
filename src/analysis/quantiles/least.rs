//! What a time does not undercut: `Q(Σ Xᵢ) ≥ maxᵢ (Qᵢ + Σ minⱼ)` over the parts that every successful request needs, with
//! what the links take at least. Of own work no minimum is stated, so it counts as nothing.

use super::super::Facts;
use super::reckoning::Reckoning;
use crate::model::{CallId, Duration, Setting};

/// So many points are kept.
const MAX_POINTS: usize = 32;

/// What is known to be reached.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Least {
    /// By every successful request.
    pub(super) floor: Duration,
    /// From this quantile on, at least this long; by rising quantile and time.
    points: Vec<(f64, Duration)>,
}

impl Least {
    fn of(floor: Duration, mut points: Vec<(f64, Duration)>) -> Self {
        points.sort_by(|one, other| one.0.total_cmp(&other.0).then(other.1.cmp(&one.1)));
        let mut longest = floor;
        points.retain(|(_, time)| {
            let longer = *time > longest;
            longest = longest.max(*time);
            longer
        });
        Self { floor, points }.thinned()
    }

    /// Dropping points makes the bound lower, never wrong: kept are the highest, and what counts at each decade's usual
    /// quantiles.
    fn thinned(mut self) -> Self {
        if self.points.len() <= MAX_POINTS {
            return self;
        }
        let decades = (1..=7).flat_map(|decade| [5.0, 2.0, 1.0].map(|digit| 1.0 - digit * 10_f64.powi(-decade)));
        let kept: Vec<(f64, Duration)> =
            decades.filter_map(|quantile| self.point(quantile)).chain(self.points.last().copied()).collect();
        self.points.retain(|point| kept.contains(point));
        self
    }

    fn point(&self, quantile: f64) -> Option<(f64, Duration)> {
        self.points.iter().rev().find(|(own, _)| *own <= quantile + 1e-12).copied()
    }

    /// The least that this quantile is.
    pub(super) fn quantile(&self, quantile: f64) -> Duration {
        self.point(quantile).map_or(self.floor, |(_, time)| time)
    }

    /// The lowest quantile that is known to reach a time, and what it reaches.
    pub(super) fn reaches(&self, time: Duration) -> Option<(f64, Duration)> {
        if self.floor >= time {
            return Some((0.0, self.floor));
        }
        self.points.iter().find(|(_, reached)| *reached >= time).copied()
    }
}

pub(super) struct AtLeast;

impl Reckoning for AtLeast {
    type Time = Least;

    fn unknown(&self) -> Least {
        Least::default()
    }

    fn unstated(&self) -> Least {
        Least::default()
    }

    fn constant(&self, time: Duration) -> Least {
        Least { floor: time, points: Vec::new() }
    }

    fn stated(&self, setting: &Setting) -> Least {
        Least::of(Duration::ZERO, setting.quantiles().collect())
    }

    fn sum(&self, one: &Least, other: &Least) -> Least {
        let mut points = Vec::with_capacity(one.points.len() + other.points.len());
        points.extend(one.points.iter().map(|(quantile, time)| (*quantile, time.plus(other.floor))));
        points.extend(other.points.iter().map(|(quantile, time)| (*quantile, time.plus(one.floor))));
        Least::of(one.floor.plus(other.floor), points)
    }

    fn latest(&self, enough: usize, branches: &[Least]) -> Least {
        let mut floors: Vec<Duration> = branches.iter().map(|branch| branch.floor).collect();
        floors.sort_unstable();
        let floor = enough.checked_sub(1).and_then(|last| floors.get(last)).copied().unwrap_or_default();
        let all = enough == branches.len();
        let points = branches.iter().filter(|_| all).flat_map(|branch| branch.points.iter().copied());
        Least::of(floor, points.collect())
    }

    fn at_once(&self, _: u64, time: Least) -> Least {
        time
    }

    fn split(&self, branches: &[(Option<f64>, Least)]) -> Least {
        self.constant(branches.iter().map(|(_, branch)| branch.floor).min().unwrap_or_default())
    }

    fn sometimes(&self, share: Option<f64>, time: Least) -> Least {
        if share.is_none_or(|share| share < 1.0) { Least::default() } else { time }
    }

    fn cut(&self, time: Least, at: Duration) -> Least {
        let points = time.points.into_iter().map(|(quantile, time)| (quantile, time.min(at))).collect();
        Least::of(time.floor.min(at), points)
    }

    /// A try that is cut off took until then. What can be answered by something else, or by a second copy, proves
    /// nothing but the way there and back.
    fn attempts(&self, facts: &Facts<'_>, call: CallId, one: Least) -> (Least, Least) {
        let plan = facts.plan(call);
        let spared = plan.skippable || plan.soft || facts.miss_of(call).is_some() || facts.is_cache_read(call);
        let least = match plan.attempt_limit() {
            _ if spared => Least::default(),
            _ if plan.hedge.is_some() => self.constant(one.floor),
            Some((limit, _)) => Least { floor: one.floor, ..self.cut(one.clone(), limit) },
            None => one,
        };
        (least, Least::default())
    }

    fn either(&self, answered: Least, _: Least) -> Least {
        answered
    }

    fn times(&self, facts: &Facts<'_>, call: CallId) -> Option<u64> {
        Some(facts.plan(call).least_times)
    }

    fn measured(&self, drawn: &Least, observed: Least) -> Least {
        Least::of(drawn.floor, [drawn.points.clone(), observed.points].concat())
    }
}
