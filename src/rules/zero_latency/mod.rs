//! Rules about latency that is expected to be zero.

pub(super) mod unbounded_latency;
