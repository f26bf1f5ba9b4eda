//! Any bytes are compared as two versions.

#![no_main]

#[path = "../support/mod.rs"]
mod support;
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::change(bytes));
