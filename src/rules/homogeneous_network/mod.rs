//! Rules about ends that are expected to speak alike.

mod agreement;
pub(super) mod protocol_mismatch;
mod sizes;
