//! Rules about failure that is expected to be whole.

pub(super) mod all_shards_required;
pub(super) mod availability_below_objective;
pub(super) mod breaker_without_fallback;
pub(super) mod broad_breaker;
pub(super) mod cascading_failure;
pub(super) mod cell_leak;
mod circle;
pub(super) mod circular_recovery;
pub(super) mod connection_oversubscription;
pub(super) mod coupled_health_check;
pub(super) mod fake_redundancy;
pub(super) mod ineffective_bulkhead;
pub(super) mod missing_fail_mode;
pub(super) mod missing_shedding;
pub(super) mod optional_but_hard;
pub(super) mod pool_exhaustion;
pub(super) mod shared_fate_monitoring;
pub(super) mod single_instance;
pub(super) mod slow_breaker;
pub(super) mod startup_cycle;
pub(super) mod sync_cycle;
pub(super) mod unstaged_rollout;
