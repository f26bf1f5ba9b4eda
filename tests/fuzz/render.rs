//! Any bytes are drawn in every format, and asked every question.

#![no_main]

#[path = "../support/mod.rs"]
mod support;
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::render(bytes));
