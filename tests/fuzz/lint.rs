//! The fuzz target: any bytes are linted and reported, and every place that is named lies in its text. A zero byte
//! starts the next file: `main.topo`, `part-1.topo`, `part-2.topo` and so on.

#![no_main]

#[path = "../memory/mod.rs"]
mod memory;

use memory::Memory;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let files = Memory::several(bytes.split(|byte| *byte == 0));
    memory::lint(&files, |loader, outcome| {
        memory::assert_all_in_text(loader, outcome);
        std::hint::black_box(memory::reports(&loader.sources, outcome));
    });
});
