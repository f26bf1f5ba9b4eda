//! Rules about a network that is expected to be secure.

mod stakes;
pub(super) mod plaintext_hop;
pub(super) mod unauthenticated_call;
