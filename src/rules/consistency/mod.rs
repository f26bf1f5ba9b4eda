//! Rules about data in more than one place.

pub(super) mod cap_contradiction;
pub(super) mod conflicting_writers;
pub(super) mod dual_write;
pub(super) mod excess_staleness;
pub(super) mod failover_loss;
pub(super) mod quorum_without_overlap;
pub(super) mod shared_store;
mod unmet;
pub(super) mod weak_consistency;
