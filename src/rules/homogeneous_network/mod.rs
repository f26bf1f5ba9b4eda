//! Rules about ends that are expected to speak alike.

mod agreement;
pub(super) mod missing_contract;
pub(super) mod protocol_mismatch;
mod sizes;
pub(super) mod version_skew;
