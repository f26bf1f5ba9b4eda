//! Rules about ends that are expected to speak alike.

mod agreement;
mod sizes;
pub(super) mod protocol_mismatch;
