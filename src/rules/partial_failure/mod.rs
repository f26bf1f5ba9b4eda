//! Rules about failure that is expected to be whole.

pub(super) mod cascading_failure;
pub(super) mod pool_exhaustion;
pub(super) mod single_instance;
pub(super) mod sync_cycle;
