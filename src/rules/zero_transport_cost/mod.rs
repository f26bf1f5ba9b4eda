//! Rules about transport that is expected to cost nothing.

pub(super) mod transport_over_budget;
