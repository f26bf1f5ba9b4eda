//! Schedules whose next run starts before the last one has ended: what a run has not yet marked as done, the next one
//! may take up again.

use super::Facts;
use super::interval::Extent;
use super::repeaters::{Repeater, RepeaterKind};
use crate::diagnostic::Certainty;
use crate::model::{CallId, Duration};
use crate::vocabulary::Key;

/// The schedules that overlap themselves. Whether two runs take up the same work is never stated, so that each is only
/// possible.
pub(super) fn overlaps(facts: &Facts<'_>) -> Vec<Repeater> {
    let calls = facts.topology().call_ids();
    calls
        .filter_map(|call| {
            let kind = RepeaterKind::Overlap(facts.overlap(call)?.0);
            Some(Repeater { call, kind, certainty: Certainty::Possible })
        })
        .collect()
}

impl Facts<'_> {
    /// For a schedule that overlaps itself: the time between two runs, and what a run is proved to be able to take.
    #[must_use]
    pub fn overlap(&self, call: CallId) -> Option<(Duration, Extent)> {
        let every = self.cascade().call(call, &[Key::Every]).given().filter(|_| self.is_made(call))?;
        let period = every.setting.duration().filter(|_| !every.setting.says("none"))?;
        let waits = self.times().call(self, call).at_least;
        let run = waits.max(self.times().work(self.topology().callee(call)).at_least);
        (run > Extent::Finite(period)).then_some((period, run))
    }
}
