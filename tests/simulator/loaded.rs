//! Systems under load by chance: entries with stated rates, workers, bulkheads, breakers, consumers, caches.

use std::fmt::Write as _;

use super::random::Random;

/// The text of one, by its seed.
pub fn written(seed: u64) -> String {
    let mut maker = Maker { random: Random::seeded(seed), text: String::new(), queued: false };
    maker.queued = maker.random.percent(25);
    maker.all();
    maker.text
}

struct Maker {
    random: Random,
    text: String,
    /// Whether a queue feeds an operation.
    queued: bool,
}

const LEAVES: [&str; 4] = ["x0", "x1", "x2", "s0.read"];

impl Maker {
    fn all(&mut self) {
        let hits = self.random.one_of(&["", "; hit-ratio 80%", "; hit-ratio 50%"]);
        let _ = write!(self.text, "client c\nstore s0\ncache k0 {{ of s0{hits} }}\n");
        for leaf in 0..3 {
            let _ = writeln!(self.text, "external x{leaf}");
        }
        let middle: Vec<String> = (0..self.random.up_to(3)).flat_map(|number| self.service("m", number, &[])).collect();
        let entries: Vec<String> =
            (0..=self.random.up_to(2)).flat_map(|number| self.service("e", number, &middle)).collect();
        for entry in &entries {
            if self.random.percent(60) {
                let wait = self.random.one_of(&["500ms", "2s", "20s"]);
                let again = self.random.one_of(&["", "", "; attempts 2"]);
                let _ = writeln!(self.text, "c -> {entry} {{ timeout {wait}{again} }}");
            }
        }
        if self.queued {
            let consumers = self.random.one_of(&[2, 10, 50]);
            let to = entries[0].split('.').next().unwrap_or_default();
            let _ = write!(
                self.text,
                "queue q\nservice p {{ load 20/s }}\np ->> q\nq ->> {to}.job {{ consumers {consumers} }}\n"
            );
            let call = self.call(&format!("{to}.job"), &middle);
            self.text.push_str(&call);
        }
    }

    /// A service with its operations, which it names.
    fn service(&mut self, prefix: &str, number: u64, callees: &[String]) -> Vec<String> {
        let name = format!("{prefix}{number}");
        let count = self.random.up_to(3) + 1;
        let operations: Vec<String> = (0..count).map(|operation| format!("{name}.o{operation}")).collect();
        let common = self.random.percent(70).then(|| self.random.one_of(&[5, 10, 20, 40]));
        let concurrency = common.map_or_else(String::new, |size| format!("concurrency {size}"));
        let _ = writeln!(self.text, "service {name} {{ {concurrency}");
        for operation in 0..count {
            let said = self.operation(prefix == "e");
            let _ = writeln!(self.text, "  operation o{operation} {{ {said} }}");
        }
        if self.queued && name == "e0" {
            self.text.push_str("  operation job { idempotent }\n");
        }
        self.text.push_str("}\n");
        for operation in &operations {
            for _ in 0..self.random.up_to(3) {
                let call = self.call(operation, callees);
                self.text.push_str(&call);
            }
        }
        operations
    }

    fn operation(&mut self, is_entry: bool) -> String {
        let mut said = Vec::new();
        said.extend(is_entry.then(|| format!("load {}/s", self.random.one_of(&[2, 5, 10, 20]))));
        said.extend(self.random.percent(15).then(|| format!("concurrency {}", self.random.one_of(&[3, 10, 20]))));
        said.extend(self.random.percent(15).then(|| "cancels".to_owned()));
        let deadline = self.random.weighted(&[(8, ""), (1, "deadline 1s"), (1, "deadline inherited")]);
        said.extend((!deadline.is_empty()).then(|| deadline.to_owned()));
        said.join("; ")
    }

    /// A call, of an operation or of something at the end.
    fn call(&mut self, from: &str, callees: &[String]) -> String {
        let inside = !callees.is_empty() && self.random.percent(60);
        let to = if inside { self.random.one_of(callees) } else { self.random.one_of(&LEAVES).to_owned() };
        let said = self.waits();
        let cached = to == "s0.read" && self.random.percent(60);
        let get = if cached { format!("{from} -> k0.get {{ timeout 100ms }}\n") } else { String::new() };
        format!("{get}{from} -> {to} \"{}\" {{ {said} }}\n", self.random.up_to(1_000_000))
    }

    fn waits(&mut self) -> String {
        let mut said = vec![match self.random.up_to(20) {
            0 => "timeout none".to_owned(),
            1 => "jitter none".to_owned(),
            _ => format!("timeout {}", self.random.one_of(&["200ms", "1s", "1s", "3s", "8s"])),
        }];
        said.retain(|it| it != "jitter none");
        if self.random.percent(30) {
            said.push(format!("attempts {}", self.random.up_to(2) + 2));
            said.push(
                self.random
                    .one_of(&["backoff none", "backoff fixed 100ms", "backoff exponential 100ms..1s jitter full"])
                    .to_owned(),
            );
        }
        let mut sometimes = |percent, text: String| said.extend(self.random.percent(percent).then_some(text));
        sometimes(25, "fallback \"something\"".to_owned());
        sometimes(10, "breaker { errors 50% over 10s }".to_owned());
        sometimes(8, "chance 30%".to_owned());
        sometimes(6, "times 2".to_owned());
        sometimes(10, "deadline inherited".to_owned());
        if self.random.percent(20) {
            said.push(format!("bulkhead {}", self.random.one_of(&[2, 5, 15])));
        }
        said.join("; ")
    }
}
