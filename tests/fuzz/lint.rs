//! Any bytes are linted and reported in every format.

#![no_main]

#[path = "../support/mod.rs"]
mod support;
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::lint(bytes));
