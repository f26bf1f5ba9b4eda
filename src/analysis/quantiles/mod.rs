//! How the time of an operation is spread over its requests: quantiles that are proved by the union bound, what each
//! quantile reaches at least, and an estimate by convolution. All three follow the calls of the diagram: sequences,
//! joins, splits, caches, loops, timeouts and tries, with the round trips of links as constants.
//!
//! Healthy operation is meant: callees answer, early or late. A stated quantile is taken as the quantile itself.

mod least;
mod normal;
mod promises;
mod reckoning;
mod spread;
mod tail;

use std::sync::OnceLock;

use super::Facts;
use crate::model::{CallId, Duration, OperationId, Setting, Step};
use crate::vocabulary::Key;
use least::{AtLeast, Least};
pub use promises::Promise;
use reckoning::{Row, rows};
use spread::{Estimate, Spread};
use tail::{Bound, Tail};

/// Quantiles that are always of interest.
const USUAL: [f64; 3] = [0.5, 0.95, 0.99];
/// So far down a reason is sought.
const MAX_DEPTH: usize = 64;

/// What is known of the times of all operations.
#[derive(Debug, Default)]
pub(super) struct Latencies<'f> {
    bounds: OnceLock<Vec<Row<Tail>>>,
    whole_bounds: OnceLock<Vec<Row<Tail>>>,
    least: OnceLock<Vec<Row<Least>>>,
    estimates: OnceLock<Vec<Row<Option<Spread>>>>,
    promises: OnceLock<Vec<Option<Promise<'f>>>>,
}

/// One quantile of an operation.
#[derive(Clone, Debug, PartialEq)]
pub struct LatencyQuantile {
    /// Which, between 0 and 1.
    pub quantile: f64,
    /// It is at most this, by what is stated.
    pub proved: Option<Duration>,
    /// It is near this, if the parts do not depend on each other and are lognormal between their stated quantiles.
    pub estimate: Option<Duration>,
    /// For what is not there, or leaves something out: the reason.
    pub why: Option<String>,
}

impl<'f> Facts<'f> {
    fn bounds(&self, whole: bool) -> &[Row<Tail>] {
        let latencies = self.latencies();
        let slot = if whole { &latencies.whole_bounds } else { &latencies.bounds };
        slot.get_or_init(|| rows(self, &Bound { whole }))
    }

    fn least(&self, operation: OperationId) -> Option<&Row<Least>> {
        self.latencies().least.get_or_init(|| rows(self, &AtLeast)).get(operation.index())
    }

    fn estimates(&self, operation: OperationId) -> Option<&Row<Option<Spread>>> {
        self.latencies().estimates.get_or_init(|| rows(self, &Estimate)).get(operation.index())
    }

    /// What a quantile of an operation does not exceed, whatever its parts have to do with each other. None if
    /// something that matters is not stated.
    #[must_use]
    pub fn proved_latency(&self, operation: OperationId, quantile: f64) -> Option<Duration> {
        self.bounds(true).get(operation.index())?.seen.quantile(quantile)
    }

    /// The same by what is drawn, whatever was measured of the operation itself.
    #[must_use]
    pub fn drawn_latency(&self, operation: OperationId, quantile: f64) -> Option<Duration> {
        self.bounds(true).get(operation.index())?.drawn.quantile(quantile)
    }

    /// What a quantile of an operation does not exceed, if what is not stated of own work and links takes no time.
    #[must_use]
    pub fn latency_of_what_is_stated(&self, operation: OperationId, quantile: f64) -> Option<Duration> {
        self.bounds(false).get(operation.index())?.seen.quantile(quantile)
    }

    /// What a quantile of an operation is at least, by what is drawn, whatever was measured of it.
    #[must_use]
    pub fn least_latency(&self, operation: OperationId, quantile: f64) -> Duration {
        self.least(operation).map_or(Duration::ZERO, |row| row.drawn.quantile(quantile))
    }

    /// The lowest quantile of an operation that is known to reach a time, and what it reaches.
    #[must_use]
    pub fn reaches(&self, operation: OperationId, time: Duration) -> Option<(f64, Duration)> {
        self.least(operation)?.seen.reaches(time)
    }

    /// The longest time that any quantile of an operation is known to reach.
    #[must_use]
    pub fn longest_reached(&self, operation: OperationId) -> Duration {
        self.least(operation).map_or(Duration::ZERO, |row| row.seen.quantile(1.0))
    }

    /// What a quantile of an operation is near to, if its parts do not depend on each other.
    #[must_use]
    pub fn estimated_latency(&self, operation: OperationId, quantile: f64) -> Option<Duration> {
        let estimate = self.estimates(operation)?.seen.as_ref()?.quantile(quantile);
        let most = self.proved_latency(operation, quantile).unwrap_or(Duration::MAX);
        Some(estimate.min(most).max(self.least_latency(operation, quantile).min(most)).three_digits())
    }

    /// The quantiles of an operation that are usual, promised or measured.
    #[must_use]
    pub fn latency_quantiles(&self, operation: OperationId) -> Vec<LatencyQuantile> {
        let promised = self.promised_quantiles(operation).into_iter().flat_map(|(quantiles, _)| quantiles);
        let observed = self.cascade().operation(operation, Key::Observed).given();
        let observed = observed.into_iter().flat_map(|stated| stated.setting.quantiles());
        let mut quantiles: Vec<f64> = promised.chain(observed).map(|(quantile, _)| quantile).chain(USUAL).collect();
        quantiles.sort_by(f64::total_cmp);
        quantiles.dedup();
        quantiles.into_iter().map(|quantile| self.latency_quantile(operation, quantile)).collect()
    }

    fn latency_quantile(&self, operation: OperationId, quantile: f64) -> LatencyQuantile {
        let whole = self.proved_latency(operation, quantile);
        let proved = whole.or_else(|| self.latency_of_what_is_stated(operation, quantile));
        let estimate = self.estimated_latency(operation, quantile);
        let left_out = "own work and links of which nothing is stated are not in it";
        let no_estimate = "no estimate: two quantiles of each part would show its spread";
        let why = match (whole, proved, estimate) {
            (None, None, _) => Some(self.why_unproved(operation)),
            (None, Some(_), None) => Some(format!("{left_out}; {no_estimate}")),
            (None, Some(_), Some(_)) => Some(left_out.to_owned()),
            (Some(_), _, None) => Some(no_estimate.to_owned()),
            (Some(_), _, Some(_)) => None,
        };
        LatencyQuantile { quantile, proved, estimate, why }
    }

    /// Why a bound cannot be given: the part of which nothing is known, or that no part alone is to blame.
    fn why_unproved(&self, operation: OperationId) -> String {
        match self.silent_part(operation) {
            Some(part) => {
                format!("no latency of `{}` is stated, and no timeout bounds it", self.topology().operation_name(part))
            }
            None => "the stated quantiles are too low: parts share the tail, so each needs a higher one".to_owned(),
        }
    }

    fn silent_part(&self, operation: OperationId) -> Option<OperationId> {
        let unknown = |id: OperationId| self.bounds(false).get(id.index()).is_none_or(|row| row.seen.is_unknown());
        let mut at = operation;
        for _ in 0..MAX_DEPTH {
            if !unknown(at) {
                return None;
            }
            let mut calls: Vec<CallId> = Vec::new();
            Step::each(&self.topology().operation(at).body, &mut |call| calls.push(call));
            let callees =
                calls.into_iter().filter(|call| self.is_awaited(*call) && self.plan(*call).attempt_limit().is_none());
            let callee = callees.map(|call| self.topology().callee(call)).find(|to| unknown(*to) && *to != at);
            match callee {
                Some(callee) => at = callee,
                None => return Some(at),
            }
        }
        None
    }

    /// The quantiles within which an operation promises to answer callers outside, and the statement.
    #[must_use]
    pub fn promised_quantiles(&self, operation: OperationId) -> Option<(Vec<(f64, Duration)>, &'f Setting)> {
        let slo = self.cascade().operation(operation, Key::Slo).given()?;
        let latency = slo.setting.field(Key::Latency)?;
        Some((latency.quantiles().collect(), latency))
    }

    /// Whether any operation states how long its own work takes, or has been measured.
    #[must_use]
    pub fn states_any_latency(&self) -> bool {
        let cascade = self.cascade();
        let states =
            |id| [Key::Latency, Key::Observed].into_iter().any(|key| cascade.operation(id, key).given().is_some());
        self.topology().operation_ids().any(states)
    }
}
