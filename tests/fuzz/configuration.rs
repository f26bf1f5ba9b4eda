//! Any bytes are read as a configuration, a baseline and what is shipped of rules.

#![no_main]

#[path = "../support/mod.rs"]
mod support;
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::configuration(bytes));
