//! Rules about data in more than one place.

pub(super) mod dual_write;
pub(super) mod shared_store;
pub(super) mod weak_consistency;
