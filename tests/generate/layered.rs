//! A regular topology for pictures: services in layers of 20, in boxes of 10, each of which calls two of the next layers.

use std::fmt::Write as _;

pub fn layered(services: usize) -> String {
    let mut text = String::new();
    for number in 0..services {
        if number % 10 == 0 {
            let _ = writeln!(text, "{}group g{number} {{", if number > 0 { "}\n" } else { "" });
        }
        let _ = writeln!(text, "service s{number} {{ operation read {{");
        for callee in [number + 20, number + 27 + number % 5].into_iter().filter(|callee| *callee < services) {
            let timeout = 50 + callee % 700;
            let _ = writeln!(text, "-> s{callee}.read {{ timeout {timeout}ms; retries {} }}", callee % 3);
        }
        text.push_str("} }\n");
    }
    text + "}\n"
}
