//! Rules about a network that is expected to be reliable.

pub(super) mod metastable_load;
pub(super) mod missing_timeout;
pub(super) mod retry_amplification;
pub(super) mod retry_without_backoff;
pub(super) mod timeout_inversion;
pub(super) mod unbounded_retry;
