//! Rules about calls that are expected to run once.

pub(super) mod blocking_overflow;
pub(super) mod broken_order;
pub(super) mod dropped_key;
pub(super) mod exactly_once_claim;
pub(super) mod fresh_key;
pub(super) mod hot_requeue;
pub(super) mod late_overwrite;
pub(super) mod lost_message;
pub(super) mod method_contradiction;
pub(super) mod missing_dead_letter;
pub(super) mod missing_dedup_fail_mode;
pub(super) mod non_atomic_dedup;
pub(super) mod overlapping_runs;
pub(super) mod poison_message;
pub(super) mod queue;
pub(super) mod repeated_effect;
mod repeats;
pub(super) mod shared_queue;
pub(super) mod short_dead_letter_retention;
pub(super) mod short_dedup_window;
pub(super) mod short_visibility;
pub(super) mod unbounded_backlog;
pub(super) mod unowned_dead_letter;
pub(super) mod unsafe_hedge;
pub(super) mod unstable_backlog;
pub(super) mod weak_dedup_store;
