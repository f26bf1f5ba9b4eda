//! Rules about latency that is expected to be zero.

pub(super) mod chatty_calls;
pub(super) mod fan_out_tail;
pub(super) mod impossible_latency;
pub(super) mod late_fallback;
pub(super) mod latency_over_budget;
pub(super) mod long_tail;
pub(super) mod mixed_quantiles;
pub(super) mod observed_contradiction;
pub(super) mod overtime;
mod promised_quantile;
pub(super) mod sequential_chain;
pub(super) mod unbounded_call_loop;
pub(super) mod unbounded_latency;
pub(super) mod uncounted_pool_wait;
