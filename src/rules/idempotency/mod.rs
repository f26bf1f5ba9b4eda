//! Rules about calls that are expected to run once.

pub(super) mod missing_dead_letter;
pub(super) mod repeated_effect;
