//! Rules about a network that is expected to be reliable.

pub(super) mod abandoned_write;
pub(super) mod dead_retries;
pub(super) mod default_timeout;
pub(super) mod dropped_deadline;
pub(super) mod equal_timeouts;
pub(super) mod fallback_overload;
pub(super) mod false_timeout;
pub(super) mod hidden_retry;
pub(super) mod high_retry_floor;
pub(super) mod idle_timeout_only;
pub(super) mod metastable_load;
pub(super) mod middlebox_cap;
pub(super) mod missing_cancellation;
pub(super) mod missing_recovery;
pub(super) mod missing_timeout;
pub(super) mod reconnect_storm;
pub(super) mod retry_amplification;
pub(super) mod retry_of_final_error;
pub(super) mod retry_without_backoff;
pub(super) mod retry_without_budget;
pub(super) mod retry_without_jitter;
pub(super) mod stacked_retries;
pub(super) mod startup_herd;
mod statement;
pub(super) mod timeout_inversion;
pub(super) mod unbounded_retry;
