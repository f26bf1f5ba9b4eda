//! Small topologies by chance about load: what is tried again and copied, what answers in the place of what fails, how
//! often things are called, where they are, and how many workers wait. Few circles: calls lead onwards.

use super::graph::{Call, Count, Ends, Fallback, Graph, Kind, Node, Operation, Said, Shape, Step};
use super::random::Random;

/// What the topologies are about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// Who is executed how often when something fails.
    Failure,
    /// Where things are and how far it is.
    Distance,
    /// How much arrives, and how many workers that takes.
    Load,
}

pub fn graph(random: &mut Random, about: About) -> Graph {
    let mut maker = Maker { random, about, graph: Graph::default(), left: 0, circles: false };
    maker.circles = maker.random.percent(6);
    maker.left = maker.random.up_to(7) + 4;
    maker.nodes();
    for operation in 0..maker.graph.operations.len() {
        maker.body(operation);
    }
    maker.graph
}

struct Maker<'r> {
    random: &'r mut Random,
    about: About,
    graph: Graph,
    /// How many calls there may still be.
    left: u64,
    circles: bool,
}

impl Maker<'_> {
    fn nodes(&mut self) {
        let clients = self.random.weighted(&[(1, 0), (16, 1), (3, 2)]);
        (0..clients).for_each(|_| self.node(Kind::Client, &[None]));
        let mut services = self.random.up_to(3) + 3;
        while services > 0 {
            let kind =
                self.random.weighted(&[(11, Kind::Service), (2, Kind::External), (3, Kind::Queue), (1, Kind::Store)]);
            match kind {
                Kind::Queue => self.node(kind, &[Some("publish")]),
                Kind::Store => self.node(kind, &[Some("read"), Some("write")]),
                _ if services > 1 && self.random.percent(35) => {
                    self.node(kind, &[Some("first"), Some("second")]);
                    services -= 1;
                }
                _ => self.node(kind, &[None]),
            }
            services -= 1;
        }
        if self.random.percent(60) {
            self.node(Kind::Store, &[Some("read"), Some("write")]);
            if self.random.percent(75) {
                self.cache(self.graph.nodes.len() - 1);
            }
        }
        self.network();
    }

    fn cache(&mut self, store: usize) {
        self.node(Kind::Cache, &[Some("get"), Some("set"), Some("delete")]);
        let hit_ratio = self.random.weighted(&[(1, None), (1, Some(90)), (1, Some(75))]);
        if let Some(cache) = self.graph.nodes.last_mut() {
            (cache.of, cache.hit_ratio) = (Some(store), hit_ratio);
        }
    }

    fn node(&mut self, kind: Kind, names: &[Option<&'static str>]) {
        let number = self.graph.nodes.len();
        let mut node = Node::new(kind, format!("n{number}"));
        node.declares = !kind.holds_data() && names.iter().any(Option::is_some);
        if kind == Kind::Queue {
            let receives = [(5, None), (4, Some(Count::Of(3))), (2, Some(Count::Of(1))), (1, Some(Count::Unlimited))];
            node.receives = self.random.weighted(&receives);
            let dead = self.graph.nodes.iter().find(|node| node.kind == Kind::Queue).map(|node| node.name.clone());
            node.said.extend(dead.filter(|_| self.random.percent(40)).map(|dead| format!("dead-letter {dead}")));
        }
        if self.about == About::Distance {
            node.region = self.random.weighted(&[(1, None), (4, Some("east")), (3, Some("west"))]);
            let zones: [(u64, &[&'static str]); 5] =
                [(1, &[]), (3, &["z1"]), (3, &["z2"]), (3, &["z3"]), (2, &["z1", "z2"])];
            node.zones = self.random.weighted(&zones).to_vec();
        }
        let pools = self.about == About::Load && kind == Kind::Service;
        node.concurrency = (pools && self.random.percent(70)).then(|| self.random.one_of(&[1, 8, 100]));
        for name in names {
            let served = matches!(kind, Kind::Service | Kind::External);
            let mut operation = Operation::new(number, *name);
            operation.load = (served && self.random.percent(10)).then(|| self.random.one_of(&[1, 7, 50]));
            operation.concurrency = (pools && name.is_some() && self.random.percent(15)).then_some(20);
            self.graph.operations.push(operation);
        }
        self.graph.nodes.push(node);
    }

    fn network(&mut self) {
        if self.about != About::Distance {
            return;
        }
        let near = self.random.one_of(&[2, 5]);
        let lines = [
            (15, Ends::Between("z3", "z1"), near),
            (70, Ends::WithinZone, 1),
            (70, Ends::BetweenZones, 3),
            (80, Ends::BetweenRegions, 80),
            (15, Ends::Between("east", "west"), 60),
        ];
        for (chance, ends, rtt) in lines {
            if self.random.percent(chance) {
                self.graph.network.push((ends, rtt));
            }
        }
    }

    /// Draws what an operation does, in the order in which it is written.
    fn body(&mut self, from: usize) {
        match (self.graph.kind(from), self.graph.operations[from].name) {
            (Kind::Client, _) => {
                let count = self.random.up_to(3) + 1;
                self.graph.operations[from].body = (0..count).filter_map(|_| self.arrival(from)).collect();
            }
            (Kind::Service, _) => {
                let count = self.random.up_to(4);
                self.graph.operations[from].body = self.steps(from, count, 0);
            }
            (Kind::External, _) if self.random.percent(20) => {
                self.graph.operations[from].body = self.steps(from, 1, 0);
            }
            (Kind::Queue, _) => (0..=self.random.up_to(2)).for_each(|_| self.deliver(from)),
            (Kind::Store, Some("write")) if self.random.percent(15) => self.deliver(from),
            _ => {}
        }
    }

    fn arrival(&mut self, from: usize) -> Option<Step> {
        let call = self.call(from, 0)?;
        let id = self.push(call);
        if self.about == About::Load {
            let call = &mut self.graph.calls[id];
            (call.times, call.chance, call.startup) = (None, None, false);
            match self.random.up_to(10) {
                0..=5 => call.load = Some(self.random.one_of(&[2, 10, 200])),
                6 | 7 => call.every = Some(self.random.one_of(&[4, 10])),
                _ => {}
            }
        }
        Some(Step::Call(id))
    }

    fn deliver(&mut self, from: usize) {
        let code = |id: &usize| matches!(self.graph.kind(*id), Kind::Service | Kind::External);
        let consumers: Vec<usize> = self.onwards(from).into_iter().filter(code).collect();
        if !consumers.is_empty() {
            let to = self.random.one_of(&consumers);
            self.push(Call::new(from, to));
        }
    }

    fn push(&mut self, call: Call) -> usize {
        self.graph.calls.push(call);
        self.graph.calls.len() - 1
    }

    fn onwards(&self, from: usize) -> Vec<usize> {
        let node = self.graph.operations[from].node;
        let leads_on = |to: &usize| {
            let same = self.graph.operations[*to].node == node;
            self.graph.kind(*to) != Kind::Client && (*to > from || self.circles) && (!same || *to > from)
        };
        (0..self.graph.operations.len()).filter(leads_on).collect()
    }

    fn steps(&mut self, from: usize, count: u64, depth: u32) -> Vec<Step> {
        let mut steps = Vec::new();
        for _ in 0..count {
            match self.random.up_to(20) {
                0..=4 if depth < 3 => {
                    let count = self.random.up_to(3) + 1;
                    let members = self.steps(from, count, depth + 1);
                    steps.extend(self.group(members));
                }
                5 | 6 => self.cached_read(from, depth, &mut steps),
                _ => steps.extend(self.step(from, depth)),
            }
        }
        steps
    }

    fn group(&mut self, members: Vec<Step>) -> Option<Step> {
        if members.is_empty() {
            return None;
        }
        let some = Shape::Any(self.random.index(members.len()) + 1);
        let shape = self.random.one_of(&[Shape::Parallel, Shape::Parallel, some, some, Shape::OneOf, Shape::Sequence]);
        Some(Step::Group(shape, members))
    }

    fn cached_read(&mut self, from: usize, depth: u32, steps: &mut Vec<Step>) {
        let Some(cache) = self.graph.nodes.iter().position(|node| node.kind == Kind::Cache) else { return };
        let find = |node: usize| self.graph.operations.iter().position(|operation| operation.node == node);
        let (Some(get), Some(read)) = (find(cache), self.graph.nodes[cache].of.and_then(find)) else { return };
        for to in [get, read] {
            if self.random.percent(90) && from < to {
                let mut call = Call::new(from, to);
                call.waits = true;
                call.whole = self.random.percent(25);
                self.attributes(&mut call, depth);
                let id = self.push(call);
                self.fallback(id, depth);
                steps.push(Step::Call(id));
            }
        }
    }

    fn step(&mut self, from: usize, depth: u32) -> Option<Step> {
        let call = self.call(from, depth)?;
        let id = self.push(call);
        self.fallback(id, depth);
        Some(Step::Call(id))
    }

    fn call(&mut self, from: usize, depth: u32) -> Option<Call> {
        let onwards = self.onwards(from);
        if onwards.is_empty() || self.left == 0 {
            return None;
        }
        self.left -= 1;
        let near = &onwards[..onwards.len().min(3)];
        let to = if self.random.percent(60) { self.random.one_of(near) } else { self.random.one_of(&onwards) };
        let mut call = Call::new(from, to);
        let kind = self.graph.kind(to);
        call.waits = self.random.percent(if kind == Kind::Queue { 50 } else { 88 });
        if matches!(kind, Kind::Store | Kind::Cache) && self.random.percent(20) {
            let node = self.graph.operations[to].node;
            call.whole = true;
            call.to = (0..=to).find(|id| self.graph.operations[*id].node == node).unwrap_or(to);
        }
        self.attributes(&mut call, depth);
        Some(call)
    }

    fn attributes(&mut self, call: &mut Call, depth: u32) {
        self.repeats(call);
        call.chance = self.random.weighted(&[(24, None), (2, Some(50)), (1, Some(20)), (1, Some(100))]);
        // What is never made is no branch of anything.
        if depth == 0 && self.random.percent(4) {
            (call.startup, call.chance) = self.random.one_of(&[(true, None), (false, Some(0))]);
        }
        call.times = match self.random.up_to(50) {
            0 => Some((0, Count::Unlimited)),
            1..=4 => {
                let least = self.random.up_to(3);
                Some((least, Count::Of(least + self.random.up_to(2) + u64::from(least == 0))))
            }
            5 | 6 => Some((2, Count::Of(2))),
            _ => None,
        };
        if call.waits && self.about == About::Load {
            call.timeout = Said::Is(self.random.one_of(&[100, 1_000, 30_000]));
            call.bulkhead = self.random.percent(25).then(|| self.random.one_of(&[1, 5, 50]));
        }
    }

    fn repeats(&mut self, call: &mut Call) {
        call.attempts = match self.random.up_to(40) {
            0 => Said::Is(Count::Unlimited),
            1..=4 => Said::None,
            5..=20 => Said::Is(Count::Of(self.random.up_to(2) + 2)),
            _ => Said::Unsaid,
        };
        let classes: [(u64, Said<Vec<&'static str>>); 9] = [
            (14, Said::Unsaid),
            (1, Said::None),
            (2, Said::Is(vec!["timeout"])),
            (2, Said::Is(vec!["connect"])),
            (1, Said::Is(vec!["refused", "timeout"])),
            (1, Said::Is(vec!["connect", "refused", "timeout"])),
            (1, Said::Is(vec!["connect", "unavailable"])),
            (1, Said::Is(vec!["throttled"])),
            (1, Said::Is(vec!["any"])),
        ];
        call.retry_on = self.random.weighted(&classes);
        let ways: [(u64, &[&'static str]); 4] = [(20, &[]), (2, &["istio"]), (2, &["istio", "grpc"]), (1, &["grpc"])];
        call.via = self.random.weighted(&ways).to_vec();
        if call.waits && self.random.percent(7) {
            call.hedge = Said::Is((50, self.random.one_of(&[None, Some(2), Some(3)])));
        }
    }

    fn fallback(&mut self, id: usize, depth: u32) {
        if !self.graph.calls[id].waits {
            return;
        }
        match self.random.up_to(20) {
            0 | 1 => self.graph.calls[id].fallback = Fallback::Text,
            2..=4 if depth < 3 => {
                let (from, count) = (self.graph.calls[id].from, self.random.up_to(2) + 1);
                let steps = self.steps(from, count, depth + 1);
                if !steps.is_empty() {
                    self.graph.calls[id].fallback = Fallback::Calls(steps);
                }
            }
            _ => {}
        }
    }
}
