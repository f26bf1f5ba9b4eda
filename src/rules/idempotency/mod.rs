//! Rules about calls that are expected to run once.

pub(super) mod blocking_overflow;
pub(super) mod broken_order;
pub(super) mod hot_requeue;
pub(super) mod missing_dead_letter;
pub(super) mod poison_message;
mod queue;
pub(super) mod repeated_effect;
pub(super) mod shared_queue;
pub(super) mod short_dead_letter_retention;
pub(super) mod short_visibility;
pub(super) mod unbounded_backlog;
pub(super) mod unowned_dead_letter;
pub(super) mod unstable_backlog;
