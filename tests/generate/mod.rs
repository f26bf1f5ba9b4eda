//! Texts for the properties: rows of tokens, and sound topologies that can be written in another order.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::{self, Write as _};

use proptest::prelude::*;
use topolint::vocabulary::{ATTRIBUTES, ELEMENTS};

/// What stands in topo texts, and what people write by mistake.
const TOKENS: &[&str] = &[
    " ",
    "  ",
    "\t",
    "\n",
    "\n\n",
    "\r\n",
    "\u{FEFF}",
    "{",
    "}",
    "{",
    "}",
    " {\n",
    "\n}\n",
    ";",
    ",",
    ", ",
    ":",
    "=",
    ":=",
    ".",
    "-",
    "_",
    "\"",
    "\\",
    "\\\"",
    "#",
    "# ",
    "//",
    " // ",
    "/",
    "(",
    ")",
    "[",
    "é",
    "日",
    "\u{202E}",
    "\0",
    "->",
    "->>",
    " -> ",
    " ->> ",
    "<-",
    "<->",
    "-->",
    "--",
    "=>",
    "→",
    "a",
    "b",
    "c",
    "a.b",
    "p99",
    "p99.9",
    "none",
    "any",
    "1",
    "1s",
    "300 ms",
    "1ms..2s",
    "-1s",
    "99999999999999999999d",
    "5%",
    "200/s",
    "20kB",
    "2..5",
    "0.02 USD/GB",
    "2027-03-31",
    "\"x\"",
    "\"a {\"",
    "service a",
    "service b {",
    "store s",
    "queue q",
    "client w",
    "operation o {",
    "group g {",
    "policy p { timeout 1s }\n",
    "a -> b",
    "a -> b { timeout 1s }\n",
    "a -> b { use p }\n",
    "w -> a\n",
    "q ->> b\n",
    "retries 2",
    "timeout: 1s",
    "defaults { call { ",
    "include \"part-1.topo\"\n",
    "allow missing-timeout \"x\"",
    "parallel any 2 { -> a; -> b }",
    "fallback { -> s }",
];

/// One token.
pub fn token() -> impl Strategy<Value = &'static str> {
    let words = ATTRIBUTES.iter().map(|attribute| attribute.name).chain(ELEMENTS.iter().map(|element| element.name));
    prop_oneof![3 => prop::sample::select(TOKENS), 1 => prop::sample::select(words.collect::<Vec<_>>())]
}

/// Tokens, mostly with a blank between them.
pub fn tokens() -> impl Strategy<Value = String> {
    prop::collection::vec((token(), prop::bool::weighted(0.6)), 0..60).prop_map(|tokens| {
        tokens.into_iter().map(|(token, blank)| if blank { format!("{token} ") } else { token.to_owned() }).collect()
    })
}

/// Numbers that order what may be in any order.
pub fn keys() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(0..8_u32, 0..200)
}

/// A sound topology. Shrinks to a small one.
pub fn diagram() -> impl Strategy<Value = Diagram> {
    prop::collection::vec(0..1_000_u32, 0..250).prop_map(|choices| Author { tape: Tape(choices.into_iter()) }.diagram())
}

/// A statement.
#[derive(Clone, Debug, Default)]
pub struct Item {
    head: String,
    body: Vec<Item>,
    /// Whose calls it continues: these stay in order.
    source: Option<String>,
    /// Whether what is in its block stays in order.
    ordered: bool,
}

impl Item {
    fn new(head: impl Into<String>) -> Self {
        Self { head: head.into(), ..Self::default() }
    }

    fn with(head: impl Into<String>, body: Vec<Item>) -> Self {
        Self { head: head.into(), body, ..Self::default() }
    }

    fn write(&self, text: &mut String, indent: usize) {
        let _ = write!(text, "{:indent$}{}", "", self.head);
        if !self.body.is_empty() {
            text.push_str(" {\n");
            for item in &self.body {
                item.write(text, indent + 2);
            }
            let _ = write!(text, "{:indent$}}}", "");
        }
        text.push('\n');
    }
}

/// A topology in one order.
#[derive(Clone)]
pub struct Diagram {
    items: Vec<Item>,
}

impl fmt::Debug for Diagram {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text())
    }
}

impl Diagram {
    /// One file.
    pub fn text(&self) -> String {
        text(&self.items)
    }

    /// The same in another order: only the calls of one operation stay in theirs.
    pub fn reordered(&self, keys: Vec<u32>) -> Self {
        Self { items: reorder(&self.items, &mut Tape(keys.into_iter()), false) }
    }

    /// The same in two files. The `defaults` of the first reach the second, so they stay there.
    pub fn split(&self, keys: Vec<u32>) -> [String; 2] {
        let mut tape = Tape(keys.into_iter());
        let mut parts = [Vec::new(), Vec::new()];
        let mut homes: BTreeMap<String, usize> = BTreeMap::new();
        for item in &self.items {
            let home = tape.below(2);
            let home = match &item.source {
                Some(source) => *homes.entry(source.clone()).or_insert(home),
                None if item.head == "defaults" => 0,
                None => home,
            };
            parts[home].push(item.clone());
        }
        let at = tape.below(parts[0].len() + 1);
        parts[0].insert(at, Item::new("include \"part-1.topo\""));
        parts.map(|items| text(&items))
    }
}

fn text(items: &[Item]) -> String {
    let mut text = String::new();
    for item in items {
        item.write(&mut text, 0);
    }
    text
}

fn reorder(items: &[Item], keys: &mut Tape, ordered: bool) -> Vec<Item> {
    let inside: Vec<Item> =
        items.iter().map(|item| Item { body: reorder(&item.body, keys, item.ordered), ..item.clone() }).collect();
    if ordered {
        return inside;
    }
    let mut calls: BTreeMap<String, VecDeque<Item>> = BTreeMap::new();
    for item in &inside {
        if let Some(source) = &item.source {
            calls.entry(source.clone()).or_default().push_back(item.clone());
        }
    }
    let mut moved: Vec<(usize, Item)> = inside.into_iter().map(|item| (keys.below(8), item)).collect();
    moved.sort_by_key(|(key, _)| *key);
    let next = |item: Item| match &item.source {
        Some(source) => calls.get_mut(source).and_then(VecDeque::pop_front).unwrap_or(item),
        None => item,
    };
    moved.into_iter().map(|(_, item)| item).map(next).collect()
}

/// Choices, each the first one once they have run out: less of them make a smaller topology.
struct Tape(std::vec::IntoIter<u32>);

impl Tape {
    fn below(&mut self, count: usize) -> usize {
        self.0.next().unwrap_or(0) as usize % count.max(1)
    }

    /// One time in so many.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) + 1 == times
    }

    fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }
}

const TIMEOUTS: &[&str] = &["100ms", "50ms", "300ms", "1s", "2s", "10s", "none"];

/// A node to be.
#[derive(Clone)]
struct Node {
    kind: &'static str,
    name: String,
    operations: Vec<&'static str>,
}

/// Writes a sound topology.
struct Author {
    tape: Tape,
}

impl Author {
    fn diagram(mut self) -> Diagram {
        let nodes = self.nodes();
        let policies: Vec<String> = (0..self.tape.below(3)).map(|index| format!("quick-{index}")).collect();
        let mut items = vec![Item::new("topology shop \"Shop\"")];
        for policy in &policies {
            let body = self.call_attributes("service", "service", &[]);
            items.push(Item::with(format!("policy {policy}"), body));
        }
        if self.tape.once_in(3) {
            items.push(self.defaults());
        }
        let mut groups = [Item::new("group inner"), Item::new("group outer")];
        for group in &mut groups {
            group.body = self.box_attributes();
        }
        for node in &nodes {
            let home = self.tape.below(4);
            let (declared, arrows) = (self.node(node, &nodes, &policies), self.arrows(node, &nodes, &policies));
            let home = if home < 2 { &mut groups[home].body } else { &mut items };
            home.push(declared);
            home.extend(arrows);
        }
        let [inner, mut outer] = groups;
        if self.tape.once_in(2) {
            outer.body.push(inner);
        } else {
            items.push(inner);
        }
        items.push(outer);
        Diagram { items }
    }

    fn nodes(&mut self) -> Vec<Node> {
        let mut nodes = Vec::new();
        for (kind, names) in [
            ("client", ["web", "app"].as_slice()),
            ("service", &["shop", "orders", "mail", "stock"]),
            ("store", &["db", "archive"]),
            ("cache", &["memory"]),
            ("queue", &["events", "dead"]),
            ("external", &["bank", "post"]),
        ] {
            for name in &names[..self.tape.below(names.len() + 1)] {
                let declares = matches!(kind, "service" | "external") && self.tape.once_in(3);
                let operations = if declares { vec!["place", "cancel", "p99"] } else { Vec::new() };
                let count = 1 + self.tape.below(3);
                nodes.push(Node {
                    kind,
                    name: (*name).to_owned(),
                    operations: operations.into_iter().take(count).collect(),
                });
            }
        }
        nodes
    }

    /// The declaration of a node.
    fn node(&mut self, node: &Node, nodes: &[Node], policies: &[String]) -> Item {
        let mut body = Vec::new();
        self.some(&mut body, 4, &["replicas 1", "replicas 3"]);
        self.some(&mut body, 2, &["trust internal", "trust edge", "public", "data card", "trace w3c"]);
        self.some(&mut body, 3, &["protocol grpc", "version 2", "max-size 1MB", "format json"]);
        self.some(
            &mut body,
            6,
            &["allow missing-timeout \"known\"", "allow reliable-network \"known\"", "allow sync-cycle \"known\""],
        );
        match node.kind {
            "queue" => {
                self.some(&mut body, 2, &["delivery at-least-once", "delivery at-most-once"]);
                self.some(&mut body, 3, &["visibility 30s"]);
                self.some(&mut body, 3, &["max-receives 5", "max-receives 1", "max-receives unlimited"]);
                self.some(&mut body, 4, &["dead-letter none", "ordered by name", "overflow drop-oldest"]);
            }
            "cache" if nodes.iter().any(|node| node.name == "db") => {
                self.some(&mut body, 2, &["of db"]);
                self.some(&mut body, 2, &["ttl 60s", "ttl unlimited"]);
            }
            "store" => {
                self.some(&mut body, 3, &["encryption mtls", "replication none", "replication async"]);
                self.some(&mut body, 2, &["model linearizable", "model causal", "model serializable"]);
                self.some(&mut body, 4, &["read-from replica", "read-from leader"]);
                self.some(&mut body, 4, &["owner data", "contract \"rows\""]);
            }
            "service" | "external" if node.operations.is_empty() => {
                body.extend(self.operation(&node.name, node, nodes, policies));
            }
            "service" | "external" => {
                for name in &node.operations {
                    let inside = self.operation(&format!("{}.{name}", node.name), node, nodes, policies);
                    body.push(Item::with(format!("operation {name}"), inside));
                }
            }
            _ => {}
        }
        if node.kind == "service" && self.tape.once_in(6) {
            body.push(self.defaults_of_calls());
        }
        Item::with(format!("{} {} \"{}\"", node.kind, node.name, node.name.to_uppercase()), body)
    }

    /// What is said of an operation, and its calls.
    fn operation(&mut self, path: &str, node: &Node, nodes: &[Node], policies: &[String]) -> Vec<Item> {
        let mut body = Vec::new();
        self.some(&mut body, 3, &["deadline 1s", "deadline 300ms inherited", "deadline inherited", "deadline none"]);
        self.some(&mut body, 3, &["latency p50 5ms, p99 20ms", "latency max 400ms", "latency p99 2s"]);
        self.some(&mut body, 5, &["load 20/s", "load 1/s"]);
        self.some(&mut body, 4, &["needs linearizable", "needs causal", "needs staleness 5s"]);
        match self.tape.below(5) {
            1 => body.push(Item::new("readonly")),
            2 => body.push(Item::new("idempotent")),
            3 => body.push(Item::with("idempotent by-key", vec![Item::new("window 1h"), Item::new("atomic")])),
            4 => body.push(Item::new("idempotent none")),
            _ => {}
        }
        if node.kind == "service" {
            let calls = self.tape.below(4);
            body.extend((0..calls).filter_map(|_| self.step(path, nodes, policies)));
        }
        body
    }

    /// A call, or a block of calls.
    fn step(&mut self, path: &str, nodes: &[Node], policies: &[String]) -> Option<Item> {
        let source = Some(path.to_owned());
        if self.tape.once_in(4) {
            let kind = self.tape.of(&["parallel", "one-of", "sequence", "parallel any"]);
            let body: Vec<Item> =
                (0..=self.tape.below(3)).filter_map(|_| self.call("", "service", nodes, policies)).collect();
            return (!body.is_empty()).then(|| Item { head: kind.to_owned(), body, source, ordered: true });
        }
        Some(Item { source, ..self.call("", "service", nodes, policies)? })
    }

    /// Calls that are written outside of their caller: a client's, what a queue delivers, some of a service's.
    fn arrows(&mut self, node: &Node, nodes: &[Node], policies: &[String]) -> Vec<Item> {
        if matches!(node.kind, "store" | "cache" | "external") {
            return Vec::new();
        }
        let path = node.operations.first().map_or(node.name.clone(), |operation| format!("{}.{operation}", node.name));
        let calls = self.tape.below(3);
        let calls = (0..calls).filter_map(|_| self.call(&format!("{path} "), node.kind, nodes, policies));
        calls.map(|call| Item { source: Some(path.clone()), ..call }).collect()
    }

    /// One call. `from` ends with a blank, if it is written.
    fn call(&mut self, from: &str, kind: &str, nodes: &[Node], policies: &[String]) -> Option<Item> {
        let callees = |node: &&Node| match kind {
            "queue" => node.kind == "service",
            _ => node.kind != "client",
        };
        let callees: Vec<&Node> = nodes.iter().filter(callees).collect();
        let callee = *callees.get(self.tape.below(callees.len()))?;
        let operation = match (callee.kind, callee.operations.as_slice()) {
            ("store", _) => self.tape.of(&["", ".read", ".write"]).to_owned(),
            ("cache", _) => self.tape.of(&["", ".get", ".set"]).to_owned(),
            (_, []) => String::new(),
            (_, operations) => format!(".{}", self.tape.of(operations)),
        };
        let arrow = if kind == "queue" || self.tape.once_in(5) { "->>" } else { "->" };
        let body = self.call_attributes(kind, callee.kind, policies);
        Some(Item::with(format!("{from}{arrow} {}{operation}", callee.name), body))
    }

    fn call_attributes(&mut self, from: &str, to: &str, policies: &[String]) -> Vec<Item> {
        let mut body = Vec::new();
        self.some(&mut body, 4, &["key per-request", "key forwarded", "key per-attempt", "key none"]);
        self.some(&mut body, 12, &["allow missing-timeout \"known\"", "allow idempotency \"known\""]);
        if matches!(to, "store" | "cache" | "queue") {
            self.some(&mut body, 3, &["idempotent", "idempotent none"]);
            self.some(&mut body, 4, &["outbox", "outbox none", "transaction order", "transaction none", "saga order"]);
        }
        self.some(&mut body, 2, &["trace w3c", "trace b3", "trace none", "encryption tls", "authn none"]);
        self.some(&mut body, 3, &["protocol http", "version 3", "request 2MB", "address static \"10.0.0.1\""]);
        self.some(&mut body, 6, &["needs read-your-writes", "needs none", "needs staleness 1s", "needs eventual"]);
        self.some(&mut body, 4, &["sticky", "sticky none"]);
        if from == "queue" {
            self.some(&mut body, 2, &["consumers 4"]);
            return body;
        }
        if from == "client" {
            self.some(&mut body, 4, &["load 5/s"]);
        }
        if self.tape.below(3) > 0 {
            body.push(Item::new(format!("timeout {}", self.tape.of(TIMEOUTS))));
        }
        self.some(&mut body, 3, &["retries 1", "retries 2", "attempts 3", "retries none", "retries unlimited"]);
        self.some(&mut body, 6, &["backoff fixed 50ms", "backoff exponential 20ms..200ms jitter full", "backoff none"]);
        self.some(&mut body, 8, &["retry-on connect, refused", "retry-on timeout, error"]);
        self.some(&mut body, 8, &["deadline inherited", "deadline 1s", "deadline 500ms inherited"]);
        self.some(&mut body, 8, &["fallback \"later\"", "breaker", "optional"]);
        self.some(&mut body, 8, &["via grpc", "via istio", "via none"]);
        self.some(&mut body, 10, &["hedge after 50ms", "times 3", "chance 10%", "stream", "local", "phase startup"]);
        if !policies.is_empty() && self.tape.once_in(4) {
            body.push(Item::new(format!("use {}", self.tape.of(policies))));
        }
        body
    }

    fn box_attributes(&mut self) -> Vec<Item> {
        let mut body = Vec::new();
        self.some(&mut body, 2, &["owner platform"]);
        self.some(&mut body, 5, &["encryption mtls", "encryption none"]);
        self.some(&mut body, 6, &["allow repeated-effect \"known\""]);
        if self.tape.once_in(4) {
            body.push(self.defaults());
        }
        body
    }

    fn defaults(&mut self) -> Item {
        let mut defaults = self.defaults_of_calls();
        self.some(
            &mut defaults.body,
            2,
            &["service { replicas 2 }", "service { idempotent }", "operation { readonly }"],
        );
        defaults
    }

    fn defaults_of_calls(&mut self) -> Item {
        let mut body = Vec::new();
        self.some(&mut body, 2, &["timeout 1s", "timeout none"]);
        self.some(&mut body, 2, &["retries 1", "retries none"]);
        self.some(&mut body, 3, &["via grpc", "via istio"]);
        Item::with("defaults", vec![Item::with("call", body)])
    }

    /// One of these, one time in so many.
    fn some(&mut self, body: &mut Vec<Item>, times: usize, choices: &[&str]) {
        if self.tape.once_in(times) {
            body.push(Item::new(self.tape.of(choices)));
        }
    }
}
