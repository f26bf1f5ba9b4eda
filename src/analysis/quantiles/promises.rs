//! Which promise an operation has a part in: a promised quantile goes down to all that every request needs.

use super::super::Facts;
use crate::model::{Duration, OperationId, Setting};

/// A promised quantile of latency, as it concerns an operation below.
#[derive(Clone, Copy, Debug)]
pub struct Promise<'f> {
    /// Which quantile.
    pub quantile: f64,
    /// Within what.
    pub time: Duration,
    /// Who promises it.
    pub by: OperationId,
    /// Where.
    pub stated: &'f Setting,
}

/// For each operation the promise of the highest quantile that needs it. Callers come before callees.
pub(super) fn promises<'f>(facts: &Facts<'f>) -> Vec<Option<Promise<'f>>> {
    let topology = facts.topology();
    let mut promises: Vec<Option<Promise<'f>>> = topology.operation_ids().map(|id| own(facts, id)).collect();
    for id in facts.components().iter().rev().flatten() {
        let Some(promise) = promises.get(id.index()).copied().flatten() else { continue };
        for call in topology.calls_from(*id).filter(|call| facts.is_always_needed(*call)) {
            if let Some(slot) = promises.get_mut(topology.callee(call).index())
                && slot.is_none_or(|known| stricter(facts, promise, known))
            {
                *slot = Some(promise);
            }
        }
    }
    promises
}

fn stricter(facts: &Facts<'_>, one: Promise<'_>, other: Promise<'_>) -> bool {
    let key = |promise: Promise<'_>| (promise.time, facts.rank(promise.by));
    one.quantile > other.quantile || (one.quantile >= other.quantile && key(one) < key(other))
}

fn own<'f>(facts: &Facts<'f>, id: OperationId) -> Option<Promise<'f>> {
    let (quantiles, stated) = facts.promised_quantiles(id)?;
    let highest = quantiles.into_iter().max_by(|one, other| one.0.total_cmp(&other.0));
    highest.map(|(quantile, time)| Promise { quantile, time, by: id, stated })
}

impl<'f> Facts<'f> {
    /// The highest quantile that is promised by an operation, or by one whose every request needs it.
    #[must_use]
    pub fn promise_over(&self, operation: OperationId) -> Option<Promise<'f>> {
        self.latencies().promises.get_or_init(|| promises(self)).get(operation.index()).copied().flatten()
    }

    /// Whether what is stated shows that a promise is kept, or what is estimated.
    #[must_use]
    pub fn is_plausible(&self, promise: Promise<'_>) -> bool {
        let bound = self.latency_of_what_is_stated(promise.by, promise.quantile);
        let estimate = self.estimated_latency(promise.by, promise.quantile);
        bound.into_iter().chain(estimate).any(|time| time <= promise.time)
    }
}
