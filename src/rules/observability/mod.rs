//! Rules about what is expected to be observed.

pub(super) mod trace_break;
pub(super) mod unobserved_queue;
