//! Rules about what several owners have to agree on.

pub(super) mod policy_conflict;
pub(super) mod quota_below_load;
