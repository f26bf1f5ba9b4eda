//! Rules about a topology that is expected never to change.

pub(super) mod discovery_dependency;
pub(super) mod hard_coded_address;
pub(super) mod idle_race;
pub(super) mod pinned_connections;
pub(super) mod stale_resolution;
