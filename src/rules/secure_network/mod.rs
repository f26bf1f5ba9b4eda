//! Rules about a network that is expected to be secure.

pub(super) mod data_out_of_zone;
pub(super) mod dropped_identity;
pub(super) mod missing_authz;
pub(super) mod online_authz;
pub(super) mod plaintext_hop;
pub(super) mod public_store;
mod stakes;
pub(super) mod unauthenticated_call;
