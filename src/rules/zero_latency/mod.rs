//! Rules about latency that is expected to be zero.

pub(super) mod latency_over_budget;
pub(super) mod unbounded_latency;
