//! Rules about what several owners have to agree on.

pub(super) mod missing_owner;
pub(super) mod missing_sla;
pub(super) mod policy_conflict;
pub(super) mod quota_below_load;
pub(super) mod shared_provider;
