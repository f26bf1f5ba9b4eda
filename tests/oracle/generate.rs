//! Small topologies by chance: up to seven operations, some stores and queues, up to ten calls, circles included.

use super::graph::{
    Backoff, Call, Count, Deadline, Fallback, Graph, Jitter, KeySent, Kind, Node, Operation, Repetition, Said, Shape,
    Step,
};
use super::random::Random;

/// What the topologies are about.
#[derive(Clone, Copy)]
pub struct Taste {
    /// Waits, deadlines, own work; in percent, how much of it is left unsaid.
    pub time: Option<u64>,
    /// Keys, idempotency, methods, redelivery.
    pub effects: bool,
}

pub fn graph(random: &mut Random, taste: Taste) -> Graph {
    let mut maker = Maker { random, taste, graph: Graph::default() };
    maker.nodes();
    maker.calls();
    for operation in 0..maker.graph.operations.len() {
        maker.body(operation);
    }
    maker.graph
}

struct Maker<'r> {
    random: &'r mut Random,
    taste: Taste,
    graph: Graph,
}

const TIMES: [u64; 6] = [50, 100, 200, 300, 600, 1_000];

impl Maker<'_> {
    fn nodes(&mut self) {
        if self.random.percent(92) {
            self.node(Kind::Client, &[None]);
        }
        let mut operations = self.random.up_to(5) + 3;
        while operations > 0 {
            let kind = self.random.weighted(&[(5, Kind::Service), (1, Kind::External)]);
            let names: &[Option<&str>] =
                if operations > 1 && self.random.percent(30) { &[Some("first"), Some("second")] } else { &[None] };
            let names = if names.len() == 1 && self.random.percent(30) { &[Some("only")] } else { names };
            operations -= names.len() as u64;
            self.node(kind, names);
        }
        for _ in 0..self.random.up_to(3) {
            match self.random.up_to(5) {
                0 | 1 => self.node(Kind::Store, &[Some("read"), Some("write")]),
                2 => self.node(Kind::Cache, &[Some("get"), Some("set"), Some("delete")]),
                _ => self.node(Kind::Queue, &[Some("publish")]),
            }
        }
    }

    fn node(&mut self, kind: Kind, operations: &[Option<&'static str>]) {
        let number = self.graph.nodes.len();
        let declares = !kind.holds_data() && operations.iter().any(Option::is_some);
        let mut node = Node { declares, ..Node::new(kind, format!("n{number}")) };
        let stored = matches!(kind, Kind::Store | Kind::Cache).then(|| self.latency()).flatten();
        node.said.extend(stored.map(|latency| format!("latency max {latency}ms")));
        if kind == Kind::Queue && self.taste.effects {
            self.delivery(&mut node);
        }
        for name in operations {
            let served = matches!(kind, Kind::Service | Kind::External);
            let latency = if served { self.latency() } else { stored };
            let mut operation = Operation {
                latency,
                load: (served && self.random.percent(8)).then_some(1),
                ..Operation::new(number, *name)
            };
            if served {
                self.promises(&mut operation);
            }
            self.graph.operations.push(operation);
        }
        self.graph.nodes.push(node);
    }

    fn delivery(&mut self, node: &mut Node) {
        let delivery = self.random.weighted(&[(5, None), (3, Some(true)), (2, Some(false))]);
        let (mut again, mut once) = (false, false);
        let dead = self.graph.nodes.iter().find(|node| node.kind == Kind::Queue).map(|node| node.name.clone());
        if let Some(dead) = dead.filter(|_| self.random.percent(40)) {
            node.said.push(format!("dead-letter {dead}"));
            again = true;
        }
        if self.random.percent(25) {
            let visibility = self.random.weighted(&[(4, Some("visibility 30s")), (1, Some("visibility none"))]);
            again |= visibility == Some("visibility 30s");
            node.said.extend(visibility.map(str::to_owned));
        }
        if self.random.percent(25) {
            let receives = self.random.one_of(&["1", "3", "unlimited"]);
            (again, once) = (again || receives != "1", receives == "1");
            node.said.push(format!("max-receives {receives}"));
        }
        node.said.extend(delivery.map(|again| {
            let less = self.random.one_of(&["delivery at-most-once", "delivery exactly-once"]);
            if again { "delivery at-least-once" } else { less }.to_owned()
        }));
        node.redelivers = delivery.unwrap_or(again && !once);
    }

    fn promises(&mut self, operation: &mut Operation) {
        if self.taste.time.is_some() {
            operation.deadline = self.deadline(&[(11, 0), (4, 1), (3, 2), (2, 3), (1, 4)], 4);
        }
        if self.taste.effects {
            operation.repetition = self.random.weighted(&[
                (8, Repetition::Unsaid),
                (2, Repetition::Readonly),
                (2, Repetition::Idempotent),
                (5, Repetition::ByKey),
                (3, Repetition::NotIdempotent),
            ]);
            let methods: [(u64, &[&'static str]); 6] = [
                (14, &[]),
                (2, &["POST"]),
                (1, &["PATCH"]),
                (1, &["PUT"]),
                (1, &["GET", "DELETE"]),
                (1, &["GET", "POST"]),
            ];
            operation.methods = self.random.weighted(&methods).to_vec();
        }
    }

    /// Of the forms unsaid, own, inherited, both, `none`; own ones so many times as long as a wait.
    fn deadline(&mut self, forms: &[(u64, u8)], scale: u64) -> Deadline {
        let form = self.random.weighted(forms);
        let own = matches!(form, 1 | 3).then(|| self.random.one_of(&TIMES) * (self.random.up_to(scale) + 1));
        Deadline { own, inherited: matches!(form, 2 | 3), none: form == 4 }
    }

    fn latency(&mut self) -> Option<u64> {
        let unsaid = self.taste.time?;
        (!self.random.percent(unsaid)).then(|| self.random.one_of(&[50, 100, 700]))
    }

    fn calls(&mut self) {
        let all: Vec<usize> = (0..self.graph.operations.len()).collect();
        let (data, code): (Vec<usize>, Vec<usize>) =
            all.into_iter().partition(|operation| self.graph.kind(*operation).holds_data());
        let count = self.random.up_to(8) + 3;
        for number in 0..count {
            let from = if number == 0 { code[0] } else { self.random.one_of(&code) };
            let to = if !data.is_empty() && self.random.percent(28) {
                self.random.one_of(&data)
            } else {
                let onwards: Vec<usize> = code.iter().copied().filter(|to| *to > from).collect();
                if onwards.is_empty() || self.random.percent(8) {
                    self.random.one_of(&code)
                } else {
                    self.random.one_of(&onwards)
                }
            };
            if self.graph.kind(to) != Kind::Client {
                self.push(from, to);
            }
        }
        for from in data {
            let count = match (self.graph.kind(from), self.graph.operations[from].name) {
                (Kind::Queue, _) => self.random.up_to(3),
                // Captured changes.
                (Kind::Store, Some("write")) => u64::from(self.random.percent(15)),
                _ => 0,
            };
            for _ in 0..count {
                self.deliver(from, &code);
            }
        }
    }

    fn deliver(&mut self, from: usize, code: &[usize]) {
        let to = self.random.one_of(code);
        if self.graph.kind(to) != Kind::Client {
            let mut call = Call::new(from, to);
            call.key = self.key();
            self.graph.calls.push(call);
        }
    }

    fn push(&mut self, from: usize, to: usize) {
        let mut call = Call::new(from, to);
        let kind = self.graph.kind(to);
        let (first, bare) = (self.graph.nodes[self.graph.operations[to].node].clone(), self.random.percent(20));
        if matches!(kind, Kind::Store | Kind::Cache) && bare {
            call.whole = true;
            call.to = (0..=to).find(|id| self.graph.nodes[self.graph.operations[*id].node] == first).unwrap_or(to);
        }
        call.waits = self.random.percent(if kind == Kind::Queue { 50 } else { 90 });
        call.local = call.waits && from <= to && kind != Kind::Queue && self.random.percent(10);
        call.startup = self.random.percent(3);
        call.chance = self.random.weighted(&[(18, None), (1, Some(0)), (1, Some(50))]);
        call.key = self.key();
        if kind.holds_data() && self.taste.effects {
            call.idempotent = self.random.weighted(&[(5, Said::Unsaid), (2, Said::Is(())), (2, Said::None)]);
        }
        self.repeats(&mut call);
        if call.waits && self.taste.time.is_some() {
            self.waits(&mut call);
        }
        self.graph.calls.push(call);
    }

    fn key(&mut self) -> Said<KeySent> {
        if !self.taste.effects {
            return Said::Unsaid;
        }
        self.random.weighted(&[
            (6, Said::Unsaid),
            (1, Said::None),
            (1, Said::Is(KeySent::PerAttempt)),
            (4, Said::Is(KeySent::PerRequest)),
            (6, Said::Is(KeySent::Forwarded)),
        ])
    }

    fn repeats(&mut self, call: &mut Call) {
        // Where effects are asked for, much is repeated.
        let (unsaid, none) = self.taste.time.map_or((30, 6), |unsaid| (unsaid, 12));
        call.attempts = match self.random.up_to(20) {
            _ if self.random.percent(unsaid) => Said::Unsaid,
            number if number < none => Said::None,
            19 => Said::Is(Count::Unlimited),
            _ => Said::Is(Count::Of(self.random.up_to(4) + 1)),
        };
        let classes: [(u64, Said<Vec<&'static str>>); 8] = [
            (12, Said::Unsaid),
            (1, Said::None),
            (3, Said::Is(vec!["connect"])),
            (1, Said::Is(vec!["refused", "connect"])),
            (1, Said::Is(vec!["throttled"])),
            (1, Said::Is(vec!["connect", "unavailable"])),
            (1, Said::Is(vec!["timeout"])),
            (1, Said::Is(vec!["any"])),
        ];
        call.retry_on = self.random.weighted(&classes);
        if call.local && call.retry_on == Said::Is(vec!["connect"]) {
            call.retry_on = Said::Unsaid;
        }
        if self.random.percent(8) && !call.local {
            let (after, most) = (self.random.one_of(&TIMES), self.random.up_to(4));
            call.hedge = Said::Is((after, (most > 0).then_some(most)));
        }
    }

    fn waits(&mut self, call: &mut Call) {
        let unsaid = self.taste.time.unwrap_or(0);
        call.timeout = match self.random.up_to(20) {
            _ if self.random.percent(if call.local { 60 } else { unsaid }) => Said::Unsaid,
            0 => Said::None,
            _ => Said::Is(self.random.one_of(&TIMES)),
        };
        call.deadline = self.deadline(&[(14, 0), (2, 1), (4, 2), (1, 3), (1, 4)], 3);
        if call.attempts != Said::None && !self.random.percent(unsaid) {
            call.backoff = self.backoff();
        }
        let connects_only = call.retry_on == Said::Is(vec!["connect"]);
        if connects_only || self.random.percent(20) {
            let connect = self.random.one_of(&TIMES);
            call.connect = if self.random.percent(90) { Said::Is(connect) } else { Said::None };
        }
        call.pool_wait = self.random.percent(4).then(|| self.random.one_of(&TIMES));
        call.times = match self.random.up_to(40) {
            0 => Some((1, Count::Unlimited)),
            1..=4 => {
                let times = self.random.up_to(3) + 1;
                Some((if times > 2 { 0 } else { times }, Count::Of(times)))
            }
            _ => None,
        };
    }

    fn backoff(&mut self) -> Said<Backoff> {
        if self.random.percent(25) {
            return Said::None;
        }
        let jitters = [Jitter::Unsaid, Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Decorrelated];
        let first = self.random.one_of(&[50, 50, 100]);
        let cap = self.random.percent(60).then(|| first * self.random.one_of(&[1, 3, 4, 10]));
        Said::Is(Backoff { first, cap, jitter: self.random.one_of(&jitters) })
    }

    /// Arranges the calls of an operation in steps.
    fn body(&mut self, operation: usize) {
        let calls: Vec<usize> = self.graph.calls_of(operation).collect();
        if self.graph.kind(operation).holds_data() {
            return;
        }
        let mut steps: Vec<Step> = Vec::new();
        for call in calls {
            let before = match steps.last() {
                Some(Step::Call(before)) if self.graph.calls[*before].waits && self.graph.is_made(*before) => {
                    Some(*before)
                }
                _ => None,
            };
            match before {
                Some(before) if self.random.percent(20) => {
                    let fallback = &mut self.graph.calls[before].fallback;
                    if let Fallback::Calls(steps) = fallback {
                        steps.push(Step::Call(call));
                    } else {
                        *fallback = Fallback::Calls(vec![Step::Call(call)]);
                    }
                }
                _ => steps.push(Step::Call(call)),
            }
            if self.graph.calls[call].waits && self.random.percent(8) {
                self.graph.calls[call].fallback = Fallback::Text;
            }
        }
        while steps.len() > 1 && self.random.percent(45) {
            let from = self.random.index(steps.len() - 1);
            let to = (from + 2 + self.random.index(2)).min(steps.len());
            let members: Vec<Step> = steps.drain(from..to).collect();
            let some = Shape::Any(self.random.index(members.len()) + 1);
            let shape = self.random.one_of(&[Shape::Parallel, Shape::Parallel, some, Shape::OneOf, Shape::Sequence]);
            steps.insert(from, Step::Group(shape, members));
        }
        self.graph.operations[operation].body = steps;
    }
}
