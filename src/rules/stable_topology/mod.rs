//! Rules about a topology that is expected never to change.

pub(super) mod hard_coded_address;
