//! Calls that wait at the same time, by Little's law, `L = λ·W`, with the rate at which a call is made while all is well
//! and the longest that it is waited for. On average over time no schedule brings more, unless somebody above tries
//! again what has failed; at one instant there may be more, where several come together.

use super::Facts;
use super::interval::Extent;
use super::load::Traffic;
use crate::model::CallId;

impl Facts<'_> {
    /// Calls that wait at the same time if all wait as long as they can; none if that is not known, or without end.
    #[must_use]
    pub fn in_flight(&self, call: CallId) -> Option<f64> {
        let rate = self.call_rate(call, Traffic::Usual);
        let longest = self.times().call(self, call).at_most.and_then(Extent::finite)?;
        (rate.known && self.is_awaited(call)).then(|| rate.per_second * longest.seconds())
    }
}
