//! Rules about calls that are expected to run once.

pub(super) mod repeated_effect;
