//! The quantiles of an operation, for programs and for the table.

use serde::Serialize;

use crate::analysis::{Facts, LatencyQuantile};
use crate::model::{Duration, OperationId};

/// One quantile of the time that an operation takes in healthy operation.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Latency"))]
pub(super) struct LatencyRow {
    /// Which: 0.99 is what 99 % of the requests stay within.
    quantile: f64,
    /// It is at most this, by what is stated, however slow parts coincide: the union bound. Null if a part states no
    /// quantile that is high enough.
    proved_s: Option<f64>,
    /// It is near this, if parts are lognormal and do not depend on each other: nothing is proved. Null if the spread
    /// of a part is not stated.
    estimate_s: Option<f64>,
    /// For what is null, or leaves something out: the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl LatencyRow {
    pub(super) fn all(facts: &Facts<'_>, operation: OperationId) -> Vec<Self> {
        facts.latency_quantiles(operation).into_iter().map(Self::of).collect()
    }

    fn of(known: LatencyQuantile) -> Self {
        Self {
            quantile: known.quantile,
            proved_s: known.proved.map(Duration::seconds),
            estimate_s: known.estimate.map(Duration::seconds),
            why: known.why,
        }
    }
}

/// The p99 for people: an estimate as such, else what it is proved not to exceed.
pub(in crate::report) fn p99(facts: &Facts<'_>, operation: OperationId) -> String {
    let bound = facts.proved_latency(operation, 0.99);
    match (facts.estimated_latency(operation, 0.99), bound) {
        (Some(estimate), _) => format!("~ {estimate}"),
        (None, Some(bound)) => format!("<= {bound}"),
        (None, None) => "?".to_owned(),
    }
}
