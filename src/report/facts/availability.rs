//! How much of the time operations work, for programs: shares with twelve digits, null where nothing is known.

use serde::Serialize;

use crate::analysis::Availability;

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Availability"))]
pub(super) struct AvailabilityRow {
    /// At least, whatever fails together.
    low: Option<f64>,
    /// If parts fail independently, each counted once.
    independent: Option<f64>,
    /// At most, whatever fails together and whatever is not known.
    high: Option<f64>,
    /// The share of requests that succeed if every execution fails by itself: tries count, outages do not.
    per_request: Option<f64>,
}

impl AvailabilityRow {
    pub(super) fn of(row: &Availability) -> Self {
        let [low, independent, high, per_request] =
            [row.low, row.independent, row.high, row.per_request].map(|share| share.map(rounded));
        Self { low, independent, high, per_request }
    }

    pub(super) fn reason(row: &Availability) -> Option<&'static str> {
        match row {
            Availability { independent: Some(_), .. } => None,
            Availability { exact: false, .. } => Some("there is too much to combine: an interval only"),
            Availability { unstated: Some(_), .. } => Some("something that it needs states no `availability`"),
            _ => Some("how often it needs what it calls is not known"),
        }
    }
}

/// Sums of shares end in noise.
fn rounded(share: f64) -> f64 {
    (share * 1e12).round() / 1e12
}
