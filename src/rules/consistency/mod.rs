//! Rules about data in more than one place.

pub(super) mod cache_as_truth;
pub(super) mod cache_stampede;
pub(super) mod cache_write_race;
pub(super) mod cap_contradiction;
pub(super) mod conflicting_writers;
pub(super) mod cross_owner_transaction;
pub(super) mod dual_write;
pub(super) mod excess_consistency;
pub(super) mod excess_staleness;
pub(super) mod failover_loss;
pub(super) mod incomplete_saga;
pub(super) mod load_bearing_cache;
pub(super) mod missing_reconciliation;
pub(super) mod quorum_without_overlap;
pub(super) mod shared_store;
pub(super) mod stale_read_after_write;
mod unmet;
pub(super) mod unsafe_compensation;
pub(super) mod weak_consistency;
