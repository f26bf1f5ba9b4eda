//! Rules about bandwidth that is expected to be infinite.

pub(super) mod link_saturation;
pub(super) mod narrow_window;
pub(super) mod oversized_payload;
pub(super) mod unbounded_response;
