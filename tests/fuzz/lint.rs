//! The fuzz target: any bytes are linted and reported, and every place that is named lies in its text. A zero byte
//! starts the next file: `example.topo`, `part-1.topo`, `part-2.topo` and so on.

#![no_main]

#[path = "../support/mod.rs"]
mod support;

use support::Texts;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let files = Texts::several(bytes.split(|byte| *byte == 0));
    support::lint(&files, |loader, outcome| {
        support::assert_all_in_text(loader, outcome);
        std::hint::black_box(support::reports(&loader.sources, outcome));
    });
});
