//! Rules about a network that is expected to be secure.

pub(super) mod plaintext_hop;
mod stakes;
pub(super) mod unauthenticated_call;
