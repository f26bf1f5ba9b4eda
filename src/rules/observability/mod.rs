//! Rules about what is expected to be observed.

pub(super) mod incoherent_sampling;
pub(super) mod missing_signals;
pub(super) mod silent_fallback;
pub(super) mod telemetry_on_path;
pub(super) mod trace_break;
pub(super) mod unmeasured_objective;
pub(super) mod unobserved_queue;
