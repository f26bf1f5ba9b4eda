//! The targets of the fuzzer, without the fuzzer: on the examples, and on all that it ever found.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may stop")]

mod support;
#[path = "fuzz/targets.rs"]
mod targets;

use std::fs;

#[test]
fn every_target_takes_every_seed() {
    let texts: Vec<Vec<u8>> = support::example_texts().0.into_values().collect();
    for (_, target) in targets::ALL {
        texts.iter().step_by(10).for_each(|bytes| target(bytes));
    }
    let pages =
        ["src/config/starter.yaml", "rules/reliable-network/missing-timeout.yaml", "rules/defaults/clients.yaml"];
    for page in pages {
        targets::configuration(&fs::read(page).expect("a page"));
    }
}

/// `tests/fuzz/found/TARGET-what-was-wrong`.
#[test]
fn what_was_found_is_mended() {
    // No folder, nothing found.
    for entry in fs::read_dir("tests/fuzz/found").into_iter().flatten() {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let target = targets::ALL.iter().find(|(target, _)| name.starts_with(target)).expect("the name of a target");
        target.1(&fs::read(&path).expect("a file"));
    }
}
