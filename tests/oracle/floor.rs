//! The least time that an execution can take which succeeds, found by drawing up all of them: each branch, each number
//! of calls, each way of doing without. Only distance takes time.

use std::collections::BTreeSet;

use super::graph::{Count, Ends, Fallback, Graph, Shape, Step};

/// So many durations are carried along before a graph counts as too big.
const MOST: usize = 500;

/// In milliseconds; none if there are too many ways, or a circle in which the time never ends.
pub fn floor(graph: &Graph, operation: usize) -> Option<u64> {
    let mut clock = Clock { graph, running: Vec::new() };
    clock.execute(operation)?.into_iter().min()
}

type Lasting = BTreeSet<u64>;

struct Clock<'g> {
    graph: &'g Graph,
    running: Vec<usize>,
}

impl Clock<'_> {
    fn execute(&mut self, operation: usize) -> Option<Lasting> {
        if self.running.contains(&operation) {
            return None;
        }
        self.running.push(operation);
        let lasting = self.sequence(&self.graph.steps_of(operation));
        self.running.pop();
        lasting
    }

    fn sequence(&mut self, steps: &[Step]) -> Option<Lasting> {
        let mut all = Lasting::from([0]);
        for step in steps {
            all = sums(&all, &self.step(step, false)?)?;
        }
        Some(all)
    }

    fn step(&mut self, step: &Step, at_once: bool) -> Option<Lasting> {
        match step {
            Step::Call(call) => self.call(*call, at_once),
            Step::Group(Shape::Sequence, steps) => self.sequence(steps),
            Step::Group(Shape::OneOf, steps) => {
                let mut all = Lasting::new();
                for step in steps {
                    all.extend(self.step(step, false)?);
                }
                Some(all)
            }
            Step::Group(Shape::Parallel, steps) => self.at_once(steps, steps.len()),
            Step::Group(Shape::Any(enough), steps) => self.at_once(steps, *enough),
        }
    }

    /// It goes on when so many branches have ended.
    fn at_once(&mut self, steps: &[Step], enough: usize) -> Option<Lasting> {
        let mut all: BTreeSet<Vec<u64>> = BTreeSet::from([Vec::new()]);
        for step in steps {
            let branch = self.step(step, true)?;
            let mut joined = BTreeSet::new();
            for before in &all {
                joined.extend(branch.iter().map(|lasts| {
                    let mut ends = [before.as_slice(), &[*lasts]].concat();
                    ends.sort_unstable();
                    ends
                }));
            }
            all = Some(joined).filter(|all| all.len() <= MOST)?;
        }
        Some(all.into_iter().map(|ends| ends[enough - 1]).collect())
    }

    fn call(&mut self, id: usize, at_once: bool) -> Option<Lasting> {
        let call = &self.graph.calls[id];
        if !call.waits || !self.graph.is_made(id) || call.fallback != Fallback::Absent || self.graph.is_cache_read(id) {
            return Some(Lasting::from([0]));
        }
        let (least, most) = call.times.unwrap_or((1, Count::Of(1)));
        let most = if let Count::Of(most) = most { most } else { least + 2 };
        let skippable = self.graph.is_skippable(id) || self.graph.is_miss_path(id);
        // Who need not make it does not wait for what may never end.
        let once = match self.once(id) {
            None if skippable || least == 0 => return Some(Lasting::from([0])),
            once => once?,
        };
        let mut all = if skippable { Lasting::from([0]) } else { Lasting::new() };
        let mut so_long = Lasting::from([0]);
        for times in 0..=most {
            if times >= least {
                all.extend(&so_long);
            }
            so_long = if at_once { later(&so_long, &once) } else { sums(&so_long, &once)? };
        }
        Some(all)
    }

    fn once(&mut self, id: usize) -> Option<Lasting> {
        let graph = self.graph;
        let distance = if graph.calls[id].local { 0 } else { graph.round_trip(id) };
        let mut all = Lasting::new();
        for callee in graph.callees(id) {
            all.extend(self.execute(callee)?.into_iter().map(|lasts| lasts + distance));
        }
        Some(all)
    }
}

fn sums(one: &Lasting, other: &Lasting) -> Option<Lasting> {
    let all: Lasting = one.iter().flat_map(|one| other.iter().map(move |other| one + other)).collect();
    Some(all).filter(|all| all.len() <= MOST)
}

fn later(one: &Lasting, other: &Lasting) -> Lasting {
    one.iter().flat_map(|one| other.iter().map(move |other| *one.max(other))).collect()
}

impl Graph {
    /// The shortest round trip that the two ends of a call allow. A zone of which no region is said is of the same.
    fn round_trip(&self, call: usize) -> u64 {
        let call = &self.calls[call];
        let [from, to] = [call.from, call.to].map(|end| &self.nodes[self.operations[end].node]);
        if let (Some(here), Some(there)) = (from.region, to.region)
            && here != there
        {
            return self.between(here, there).or_else(|| self.stated(Ends::BetweenRegions)).unwrap_or(0);
        }
        let pairs = || from.zones.iter().flat_map(|one| to.zones.iter().map(move |other| (*one, *other)));
        if pairs().any(|(one, other)| one == other) {
            return self.stated(Ends::WithinZone).unwrap_or(0);
        }
        let zones = self.stated(Ends::BetweenZones);
        pairs().map(|(one, other)| self.between(one, other).or(zones).unwrap_or(0)).min().unwrap_or(0)
    }

    fn between(&self, one: &str, other: &str) -> Option<u64> {
        let is_it =
            |ends: &Ends| matches!(ends, Ends::Between(a, b) if [*a, *b] == [one, other] || [*b, *a] == [one, other]);
        self.network.iter().find(|(ends, _)| is_it(ends)).map(|(_, rtt)| *rtt)
    }

    fn stated(&self, link: Ends) -> Option<u64> {
        self.network.iter().find(|(ends, _)| *ends == link).map(|(_, rtt)| *rtt)
    }
}
