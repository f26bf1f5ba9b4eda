//! Rules about failure that is expected to be whole.

pub(super) mod sync_cycle;
