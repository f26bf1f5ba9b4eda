//! Rules about a network that is expected to be reliable.

pub(super) mod missing_timeout;
pub(super) mod timeout_inversion;
