//! A small topology as plain data, and how it is written as topo text. Times are whole milliseconds.

use std::fmt::{self, Write};

/// What is said of an attribute: nothing, that it is not there, or its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said<T> {
    Unsaid,
    None,
    Is(T),
}

impl<T> Said<T> {
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Unsaid | Self::None => None,
        }
    }
}

/// How far something goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    Of(u64),
    Unlimited,
}

/// `deadline …`, of a call or of an operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deadline {
    pub own: Option<u64>,
    pub inherited: bool,
    pub none: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    Unsaid,
    None,
    Full,
    Equal,
    Decorrelated,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    pub first: u64,
    /// None for `fixed`.
    pub cap: Option<u64>,
    pub jitter: Jitter,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySent {
    PerAttempt,
    PerRequest,
    Forwarded,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fallback {
    Absent,
    Text,
    Calls(Vec<Step>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub from: usize,
    pub to: usize,
    /// Whether it names the store alone, so that all operations are meant; `to` is the first.
    pub whole: bool,
    /// Whether the arrow is `->`.
    pub waits: bool,
    pub timeout: Said<u64>,
    pub connect: Said<u64>,
    pub pool_wait: Option<u64>,
    pub deadline: Deadline,
    pub attempts: Said<Count>,
    pub backoff: Said<Backoff>,
    pub retry_on: Said<Vec<&'static str>>,
    /// After, and how many copies.
    pub hedge: Said<(u64, Option<u64>)>,
    /// At least, and at most.
    pub times: Option<(u64, Count)>,
    pub chance: Option<u8>,
    pub local: bool,
    pub startup: bool,
    pub key: Said<KeySent>,
    pub idempotent: Said<()>,
    pub fallback: Fallback,
    pub via: Vec<&'static str>,
    pub bulkhead: Option<u64>,
    /// Requests a second.
    pub load: Option<u64>,
    /// Seconds from one run to the next.
    pub every: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Call(usize),
    Group(Shape, Vec<Step>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Sequence,
    Parallel,
    Any(usize),
    OneOf,
}

/// What is said of the repetition of an operation's own work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repetition {
    Unsaid,
    Readonly,
    Idempotent,
    ByKey,
    NotIdempotent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    pub node: usize,
    pub name: Option<&'static str>,
    pub deadline: Deadline,
    pub latency: Option<u64>,
    /// Requests a second.
    pub load: Option<u64>,
    pub concurrency: Option<u64>,
    pub repetition: Repetition,
    pub methods: Vec<&'static str>,
    pub body: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Client,
    Service,
    Store,
    Cache,
    Queue,
    External,
}

impl Kind {
    /// Whether what is done in it is judged by the call.
    pub fn holds_data(self) -> bool {
        matches!(self, Self::Store | Self::Cache | Self::Queue)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub kind: Kind,
    pub name: String,
    /// Whether its operations are written out in blocks.
    pub declares: bool,
    /// Said of the node: attributes of a queue, or the latency of a store.
    pub said: Vec<String>,
    /// Whether the queue hands messages out again.
    pub redelivers: bool,
    pub receives: Option<Count>,
    /// The store that the cache holds copies of.
    pub of: Option<usize>,
    pub hit_ratio: Option<u8>,
    pub concurrency: Option<u64>,
    pub region: Option<&'static str>,
    pub zones: Vec<&'static str>,
}

/// Which links a line of the `network` block speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    WithinZone,
    BetweenZones,
    BetweenRegions,
    Between(&'static str, &'static str),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    pub nodes: Vec<Node>,
    pub operations: Vec<Operation>,
    pub calls: Vec<Call>,
    /// Round trips of links.
    pub network: Vec<(Ends, u64)>,
}

/// A text and where its arrows start, by number of the call.
pub struct Written {
    pub text: String,
    pub places: Vec<usize>,
}

impl Graph {
    pub fn kind(&self, operation: usize) -> Kind {
        self.nodes[self.operations[operation].node].kind
    }

    /// `a.b`, or `a`.
    pub fn name(&self, operation: usize) -> String {
        let Operation { node, name, .. } = &self.operations[operation];
        let node = &self.nodes[*node].name;
        name.map_or_else(|| node.clone(), |name| format!("{node}.{name}"))
    }

    /// Calls that are made while requests are served, at all.
    pub fn is_made(&self, call: usize) -> bool {
        let call = &self.calls[call];
        !call.startup && call.chance != Some(0)
    }

    /// Whether a limit may fall into a wait between tries, so that not every instant before it can be one of success,
    /// or a loop with a fallback takes the less the later it is in it: there, bounds are claimed and not exact values.
    pub fn leaves_gaps(&self) -> bool {
        let hands_over = |call: &Call| {
            call.deadline.inherited
                || call.local && self.callees(self.number(call)).any(|id| self.operations[id].deadline.inherited)
        };
        self.calls.iter().any(|call| {
            let waits = call.backoff.value().is_some() && call.attempts.value().is_some();
            let again = call.attempts.value().is_some() || call.pool_wait.is_some();
            let looped = call.times.is_some() && matches!(call.fallback, Fallback::Calls(_));
            waits && (call.deadline.own.is_some() || hands_over(call))
                || again && call.local && hands_over(call)
                || looped && self.calls.iter().any(hands_over)
        })
    }

    fn number(&self, call: &Call) -> usize {
        self.calls.iter().position(|one| std::ptr::eq(one, call)).unwrap_or_default()
    }

    /// The operations that a call arrives at.
    pub fn callees(&self, call: usize) -> impl Iterator<Item = usize> + '_ {
        let Call { to, whole, .. } = self.calls[call];
        let node = self.operations[to].node;
        let meant = move |id: &usize| *id == to || whole && self.operations[*id].node == node;
        (0..self.operations.len()).filter(meant)
    }

    /// Where a queue puts the messages that it gives up.
    pub fn letters_of(&self, operation: usize) -> Option<usize> {
        let name = self.nodes[self.operations[operation].node]
            .said
            .iter()
            .find_map(|said| said.strip_prefix("dead-letter "))?;
        let node = self.nodes.iter().position(|node| node.name == name)?;
        (0..self.operations.len()).find(|id| self.operations[*id].node == node)
    }

    /// Calls of an operation, fallbacks included.
    pub fn calls_of(&self, operation: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.calls.len()).filter(move |call| self.calls[*call].from == operation)
    }

    pub fn written(&self) -> Written {
        let mut written = Written { text: String::new(), places: vec![0; self.calls.len()] };
        let mut subscriptions = Vec::new();
        written.network(&self.network);
        for (index, node) in self.nodes.iter().enumerate() {
            written.node(self, index, node, &mut subscriptions);
        }
        for call in subscriptions {
            written.places[call] = written.text.len();
            let from = self.nodes[self.operations[self.calls[call].from].node].name.clone();
            written.text.push_str(&from);
            written.text.push(' ');
            let at = written.places[call];
            written.call(self, call, 0);
            written.places[call] = at;
        }
        written
    }
}

impl Written {
    fn line(&mut self, depth: usize, text: &str) {
        for _ in 0..depth {
            self.text.push_str("  ");
        }
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn network(&mut self, links: &[(Ends, u64)]) {
        if links.is_empty() {
            return;
        }
        self.line(0, "network {");
        for (ends, rtt) in links {
            let link = match ends {
                Ends::WithinZone => "within zone".to_owned(),
                Ends::BetweenZones => "between zones".to_owned(),
                Ends::BetweenRegions => "between regions".to_owned(),
                Ends::Between(one, other) => format!("between {one} {other}"),
            };
            self.line(1, &format!("{link} {{ rtt {rtt}ms }}"));
        }
        self.line(0, "}");
    }

    fn node(&mut self, graph: &Graph, index: usize, node: &Node, subscriptions: &mut Vec<usize>) {
        let keyword = match node.kind {
            Kind::Client => "client",
            Kind::Service => "service",
            Kind::Store => "store",
            Kind::Cache => "cache",
            Kind::Queue => "queue",
            Kind::External => "external",
        };
        self.line(0, &format!("{keyword} {} {{", node.name));
        for said in node.said.iter().cloned().chain(node.amounts(graph)) {
            self.line(1, &said);
        }
        let own = (0..graph.operations.len()).filter(|operation| graph.operations[*operation].node == index);
        for id in own {
            let operation = &graph.operations[id];
            if node.kind.holds_data() {
                subscriptions.extend(graph.calls_of(id));
            } else if let (true, Some(name)) = (node.declares, operation.name) {
                self.line(1, &format!("operation {name} {{"));
                self.operation(graph, operation, 2);
                self.line(1, "}");
            } else {
                self.operation(graph, operation, 1);
            }
        }
        self.line(0, "}");
    }

    fn operation(&mut self, graph: &Graph, operation: &Operation, depth: usize) {
        let mut said = Vec::new();
        said.extend(operation.load.map(|load| format!("load {load}/s")));
        said.extend(operation.concurrency.map(|workers| format!("concurrency {workers}")));
        said.extend(operation.deadline.written());
        said.extend(operation.latency.map(|latency| format!("latency p50 1ms, max {latency}ms")));
        said.extend(match operation.repetition {
            Repetition::Unsaid => None,
            Repetition::Readonly => Some("readonly".to_owned()),
            Repetition::Idempotent => Some("idempotent".to_owned()),
            Repetition::ByKey => Some("idempotent by-key".to_owned()),
            Repetition::NotIdempotent => Some("idempotent none".to_owned()),
        });
        if !operation.methods.is_empty() {
            said.push(format!("method {}", operation.methods.join(", ")));
        }
        for said in said {
            self.line(depth, &said);
        }
        self.steps(graph, &operation.body, depth);
    }

    fn steps(&mut self, graph: &Graph, steps: &[Step], depth: usize) {
        for step in steps {
            match step {
                Step::Call(call) => self.call(graph, *call, depth),
                Step::Group(shape, steps) => {
                    let head = match shape {
                        Shape::Sequence => "sequence {".to_owned(),
                        Shape::Parallel => "parallel {".to_owned(),
                        Shape::Any(1) => "parallel any {".to_owned(),
                        Shape::Any(count) => format!("parallel any {count} {{"),
                        Shape::OneOf => "one-of {".to_owned(),
                    };
                    self.line(depth, &head);
                    self.steps(graph, steps, depth + 1);
                    self.line(depth, "}");
                }
            }
        }
    }

    fn call(&mut self, graph: &Graph, id: usize, depth: usize) {
        let call = &graph.calls[id];
        self.text.push_str(&"  ".repeat(depth));
        self.places[id] = self.text.len();
        let _ = write!(self.text, "{} {}", if call.waits { "->" } else { "->>" }, graph.target(call));
        let said = call.said();
        match &call.fallback {
            Fallback::Calls(steps) => {
                let _ = writeln!(self.text, " {{ {}", said.join("; "));
                self.line(depth + 1, "fallback {");
                self.steps(graph, steps, depth + 2);
                self.line(depth + 1, "}");
                self.line(depth, "}");
            }
            Fallback::Absent | Fallback::Text if said.is_empty() => self.text.push('\n'),
            Fallback::Absent | Fallback::Text => {
                let _ = writeln!(self.text, " {{ {} }}", said.join("; "));
            }
        }
    }
}

impl Graph {
    fn target(&self, call: &Call) -> String {
        let node = self.operations[call.to].node;
        let alone = call.whole || self.nodes[node].kind == Kind::Queue;
        if alone { self.nodes[node].name.clone() } else { self.name(call.to) }
    }
}

impl Node {
    /// A node of which nothing is said.
    pub fn new(kind: Kind, name: String) -> Self {
        Self {
            kind,
            name,
            declares: false,
            said: Vec::new(),
            redelivers: false,
            receives: None,
            of: None,
            hit_ratio: None,
            concurrency: None,
            region: None,
            zones: Vec::new(),
        }
    }

    fn amounts(&self, graph: &Graph) -> Vec<String> {
        let mut said = Vec::new();
        said.extend(self.receives.map(|receives| match receives {
            Count::Of(receives) => format!("max-receives {receives}"),
            Count::Unlimited => "max-receives unlimited".to_owned(),
        }));
        said.extend(self.of.map(|store| format!("of {}", graph.nodes[store].name)));
        said.extend(self.hit_ratio.map(|share| format!("hit-ratio {share}%")));
        said.extend(self.concurrency.map(|workers| format!("concurrency {workers}")));
        said.extend(self.region.map(|region| format!("region {region}")));
        said.extend((!self.zones.is_empty()).then(|| format!("zones {}", self.zones.join(", "))));
        said
    }
}

impl Operation {
    /// An operation of which nothing is said.
    pub fn new(node: usize, name: Option<&'static str>) -> Self {
        Self {
            node,
            name,
            deadline: Deadline::default(),
            latency: None,
            load: None,
            concurrency: None,
            repetition: Repetition::Unsaid,
            methods: Vec::new(),
            body: Vec::new(),
        }
    }
}

impl Deadline {
    fn written(&self) -> Option<String> {
        match (self.own, self.inherited, self.none) {
            (Some(own), true, _) => Some(format!("deadline {own}ms inherited")),
            (Some(own), false, _) => Some(format!("deadline {own}ms")),
            (None, true, _) => Some("deadline inherited".to_owned()),
            (None, false, true) => Some("deadline none".to_owned()),
            (None, false, false) => None,
        }
    }
}

impl Call {
    /// A `->>` of which nothing is said.
    pub fn new(from: usize, to: usize) -> Self {
        Self {
            from,
            to,
            whole: false,
            waits: false,
            timeout: Said::Unsaid,
            connect: Said::Unsaid,
            pool_wait: None,
            deadline: Deadline::default(),
            attempts: Said::Unsaid,
            backoff: Said::Unsaid,
            retry_on: Said::Unsaid,
            hedge: Said::Unsaid,
            times: None,
            chance: None,
            local: false,
            startup: false,
            key: Said::Unsaid,
            idempotent: Said::Unsaid,
            fallback: Fallback::Absent,
            via: Vec::new(),
            bulkhead: None,
            load: None,
            every: None,
        }
    }

    fn said(&self) -> Vec<String> {
        let mut said = Vec::new();
        said.extend(written("timeout", &self.timeout, |timeout| format!("{timeout}ms")));
        said.extend(written("connect-timeout", &self.connect, |timeout| format!("{timeout}ms")));
        said.extend(self.pool_wait.map(|wait| format!("pool-wait {wait}ms")));
        said.extend(self.deadline.written());
        said.extend(match self.attempts {
            Said::Unsaid => None,
            Said::None => Some("retries none".to_owned()),
            Said::Is(Count::Unlimited) => Some("attempts unlimited".to_owned()),
            Said::Is(Count::Of(attempts)) if attempts % 2 == 0 => Some(format!("retries {}", attempts - 1)),
            Said::Is(Count::Of(attempts)) => Some(format!("attempts {attempts}")),
        });
        said.extend(written("backoff", &self.backoff, Backoff::to_string));
        said.extend(written("retry-on", &self.retry_on, |classes| classes.join(", ")));
        said.extend(written("hedge", &self.hedge, |(after, most)| match most {
            Some(most) => format!("after {after}ms max {most}"),
            None => format!("after {after}ms"),
        }));
        said.extend(self.times.map(|times| match times {
            (least, Count::Of(times)) if least < times => format!("times {least}..{times}"),
            (_, Count::Of(times)) => format!("times {times}"),
            (_, Count::Unlimited) => "times unlimited".to_owned(),
        }));
        said.extend(self.chance.map(|chance| format!("chance {chance}%")));
        said.extend(self.local.then(|| "local".to_owned()));
        said.extend(self.startup.then(|| "phase startup".to_owned()));
        said.extend(written("key", &self.key, |key| {
            match key {
                KeySent::PerAttempt => "per-attempt",
                KeySent::PerRequest => "per-request",
                KeySent::Forwarded => "forwarded",
            }
            .to_owned()
        }));
        said.extend(match self.idempotent {
            Said::Unsaid => None,
            Said::None => Some("idempotent none".to_owned()),
            Said::Is(()) => Some("idempotent".to_owned()),
        });
        said.extend((!self.via.is_empty()).then(|| format!("via {}", self.via.join(", "))));
        said.extend(self.bulkhead.map(|limit| format!("bulkhead {limit}")));
        said.extend(self.load.map(|load| format!("load {load}/s")));
        said.extend(self.every.map(|seconds| format!("every {seconds}s")));
        said.extend((self.fallback == Fallback::Text).then(|| "fallback \"known before\"".to_owned()));
        said
    }
}

fn written<T>(word: &str, said: &Said<T>, value: impl Fn(&T) -> String) -> Option<String> {
    match said {
        Said::Unsaid => None,
        Said::None => Some(format!("{word} none")),
        Said::Is(is) => Some(format!("{word} {}", value(is))),
    }
}

impl fmt::Display for Backoff {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cap {
            Some(cap) => write!(formatter, "exponential {}ms..{cap}ms", self.first)?,
            None => write!(formatter, "fixed {}ms", self.first)?,
        }
        match self.jitter {
            Jitter::Unsaid => Ok(()),
            Jitter::None => formatter.write_str(" jitter none"),
            Jitter::Full => formatter.write_str(" jitter full"),
            Jitter::Equal => formatter.write_str(" jitter equal"),
            Jitter::Decorrelated => formatter.write_str(" jitter decorrelated"),
        }
    }
}
