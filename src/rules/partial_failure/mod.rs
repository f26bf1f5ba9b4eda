//! Rules about failure that is expected to be whole.

pub(super) mod breaker_without_fallback;
pub(super) mod broad_breaker;
pub(super) mod cascading_failure;
pub(super) mod connection_oversubscription;
pub(super) mod ineffective_bulkhead;
pub(super) mod missing_shedding;
pub(super) mod optional_but_hard;
pub(super) mod pool_exhaustion;
pub(super) mod single_instance;
pub(super) mod slow_breaker;
pub(super) mod sync_cycle;
