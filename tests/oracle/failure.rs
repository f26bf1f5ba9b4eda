//! What one failing operation costs, found by executing every choice: an adversary decides in each execution which
//! branch is taken, what is made and how often, and every way in which that can end is carried along.

use std::collections::{BTreeSet, HashMap};

use super::graph::{Call, Count, Fallback, Graph, Kind, Said, Shape, Step};

/// Without end.
pub const ENDLESS: u64 = 1 << 60;

/// So many ways to end are carried along before a graph counts as too big.
const MOST_WAYS: usize = 600;

/// How often something was executed, and whether what executed it succeeded.
type Ways = BTreeSet<(u64, bool)>;

/// The most often that an operation that always fails is executed for one request; none if there are too many ways.
pub fn executions(graph: &Graph, failing: usize) -> Option<u64> {
    let leads_there: Vec<bool> = (0..graph.operations.len()).map(|from| graph.leads_to(from, failing)).collect();
    let mut runs = Runs { graph, failing, leads_there, known: HashMap::new(), too_many: false };
    let reaching: Vec<usize> = graph.roots().into_iter().filter(|root| runs.leads_there[*root]).collect();
    if graph.is_below_a_circle(failing) {
        return Some(ENDLESS);
    }
    let counts = reaching.into_iter().flat_map(|root| runs.execute(root)).map(|(count, _)| count);
    let most = counts.collect::<Vec<_>>().into_iter().max().unwrap_or(0);
    (!runs.too_many).then_some(most)
}

impl Graph {
    /// What an operation does, one step after another.
    pub fn steps_of(&self, operation: usize) -> Vec<Step> {
        if self.kind(operation).holds_data() {
            return self.calls_of(operation).map(Step::Call).collect();
        }
        let body = self.operations[operation].body.clone();
        // Each arrow of a client is a request of its own.
        if self.kind(operation) == Kind::Client { vec![Step::Group(Shape::OneOf, body)] } else { body }
    }

    /// The calls of an operation that can be made, those of fallbacks only if what they stand in for can be.
    pub fn made_calls_of(&self, operation: usize) -> Vec<usize> {
        let mut made = Vec::new();
        self.collect_made(&self.steps_of(operation), &mut made);
        made
    }

    /// The calls of each request that an operation makes of itself: of a client each arrow, of others all together.
    pub fn requests_of(&self, operation: usize) -> Vec<Vec<usize>> {
        if self.kind(operation) != Kind::Client || self.operations[operation].body.is_empty() {
            return vec![self.made_calls_of(operation)];
        }
        let request = |step: &Step| {
            let mut made = Vec::new();
            self.collect_made(std::slice::from_ref(step), &mut made);
            made
        };
        self.operations[operation].body.iter().map(request).collect()
    }

    fn collect_made(&self, steps: &[Step], made: &mut Vec<usize>) {
        for step in steps {
            match step {
                Step::Call(call) if self.is_made(*call) => {
                    made.push(*call);
                    if let Fallback::Calls(steps) = &self.calls[*call].fallback {
                        self.collect_made(steps, made);
                    }
                }
                Step::Call(_) => {}
                Step::Group(_, steps) => self.collect_made(steps, made),
            }
        }
    }

    /// Whether calls that are made lead from one operation to another, or it is the same.
    pub fn leads_to(&self, from: usize, to: usize) -> bool {
        let mut seen = BTreeSet::from([from]);
        let mut waiting = vec![from];
        while let Some(at) = waiting.pop() {
            waiting.extend(self.after(at).into_iter().filter(|callee| seen.insert(*callee)));
        }
        seen.contains(&to)
    }

    /// Where calls that are made lead to, and what a queue gives up.
    fn after(&self, at: usize) -> Vec<usize> {
        let callees = self.made_calls_of(at).into_iter().flat_map(|call| self.callees(call).collect::<Vec<_>>());
        callees.chain(self.letters_of(at)).collect()
    }

    /// Whether an operation is in a circle of calls that are made, or is reached from one.
    pub fn is_below_a_circle(&self, operation: usize) -> bool {
        let turns = |at: usize| self.after(at).into_iter().any(|callee| self.leads_to(callee, at));
        (0..self.operations.len()).any(|at| turns(at) && self.leads_to(at, operation))
    }

    /// Where requests come from.
    pub fn roots(&self) -> Vec<usize> {
        let all = || 0..self.operations.len();
        let made_calls: BTreeSet<usize> = all().flat_map(|from| self.made_calls_of(from)).collect();
        let called: BTreeSet<usize> = made_calls.iter().flat_map(|call| self.callees(*call)).collect();
        // All that a store can do together is an operation as well, once an arrow speaks of it.
        let together = |node: usize, made: bool| {
            let mut bare = (0..self.calls.len()).filter(|call| self.calls[*call].whole);
            bare.any(|call| self.operations[self.calls[call].to].node == node && made_calls.contains(&call) == made)
        };
        let is_root = |id: &usize| {
            let node = self.operations[*id].node;
            let uncalled = !called.contains(id) || together(node, false) && !together(node, true);
            uncalled || self.kind(*id) == Kind::Client || self.is_entry(*id)
        };
        all().filter(is_root).collect()
    }

    /// Whether requests come in at an operation: a client calls it, or it states a load; without any such, it calls and
    /// nobody calls it.
    pub fn is_entry(&self, operation: usize) -> bool {
        let calls_to = |to: usize| (0..self.calls.len()).filter(move |call| self.callees(*call).any(|id| id == to));
        let by_client = |call: usize| self.kind(self.calls[call].from) == Kind::Client && !self.calls[call].startup;
        let own = |id: usize| {
            self.kind(id) != Kind::Client && (self.operations[id].load.is_some() || calls_to(id).any(by_client))
        };
        let calls = || self.kind(operation) != Kind::Client && self.calls_of(operation).next().is_some();
        let first = || !(0..self.operations.len()).any(own) && calls() && calls_to(operation).next().is_none();
        own(operation) || first()
    }

    /// Whether a call reads a cache before the store that the cache is of is read: then the answer comes from there.
    pub fn is_cache_read(&self, call: usize) -> bool {
        let reads = self.plain_calls_of(self.calls[call].from);
        reads.iter().skip_while(|one| **one != call).any(|later| self.is_miss_of(*later, call))
    }

    /// Whether a call reads the store of a cache that was read before.
    pub fn is_miss_path(&self, call: usize) -> bool {
        let reads = self.plain_calls_of(self.calls[call].from);
        let is_plain = reads.contains(&call);
        is_plain && reads.iter().take_while(|one| **one != call).any(|before| self.is_miss_of(call, *before))
    }

    fn is_miss_of(&self, read: usize, before: usize) -> bool {
        let [read, before] = [read, before].map(|call| &self.calls[call]);
        let [store, cache] = [read, before].map(|call| &self.operations[call.to]);
        let reads = |call: &Call, word| call.whole || self.operations[call.to].name == Some(word);
        self.nodes[cache.node].of == Some(store.node) && reads(read, "read") && reads(before, "get")
    }

    /// The calls of an operation that can be made before anything has failed, in written order.
    fn plain_calls_of(&self, operation: usize) -> Vec<usize> {
        let mut calls = Vec::new();
        self.collect_plain(&self.steps_of(operation), &mut calls);
        calls
    }

    fn collect_plain(&self, steps: &[Step], calls: &mut Vec<usize>) {
        for step in steps {
            match step {
                Step::Call(call) => calls.extend(self.is_made(*call).then_some(*call)),
                Step::Group(_, steps) => self.collect_plain(steps, calls),
            }
        }
    }

    /// Whether an execution may go on without a call: by chance, or because a cache has answered.
    pub fn is_skippable(&self, call: usize) -> bool {
        self.calls[call].chance.is_some_and(|chance| chance < 100) || self.is_miss_path(call)
    }

    /// The chance of a call that states none: of a miss path by what its cache does not answer; none if that does not
    /// say how much it answers.
    pub fn unstated_chance(&self, call: usize) -> Option<f64> {
        if !self.is_miss_path(call) {
            return Some(1.0);
        }
        let store = self.operations[self.calls[call].to].node;
        let hits = self.nodes.iter().find(|node| node.of == Some(store))?.hit_ratio?;
        Some(1.0 - f64::from(hits) / 100.0)
    }
}

struct Runs<'g> {
    graph: &'g Graph,
    failing: usize,
    leads_there: Vec<bool>,
    known: HashMap<usize, Ways>,
    too_many: bool,
}

impl Runs<'_> {
    fn execute(&mut self, operation: usize) -> Ways {
        if operation == self.failing {
            return Ways::from([(1, false)]);
        }
        if !self.leads_there[operation] {
            return Ways::from([(0, true)]);
        }
        if let Some(known) = self.known.get(&operation) {
            return known.clone();
        }
        let ways = self.sequence(&self.graph.steps_of(operation));
        self.known.insert(operation, ways.clone());
        ways
    }

    fn sequence(&mut self, steps: &[Step]) -> Ways {
        let mut ended = Ways::new();
        let mut going = BTreeSet::from([0]);
        for step in steps {
            let step = self.step(step, false);
            (going, ended) = self.then(&going, ended, &step);
        }
        ended.extend(going.into_iter().map(|count| (count, true)));
        ended
    }

    /// One more step for those that still go on.
    fn then(&mut self, going: &BTreeSet<u64>, mut ended: Ways, step: &Ways) -> (BTreeSet<u64>, Ways) {
        let mut on = BTreeSet::new();
        for before in going {
            for (count, good) in step {
                let sum = plus(*before, *count);
                if *good {
                    on.insert(sum)
                } else {
                    ended.insert((sum, false))
                };
            }
            if on.len() + ended.len() > MOST_WAYS {
                self.too_many = true;
                break;
            }
        }
        (on, ended)
    }

    fn step(&mut self, step: &Step, at_once: bool) -> Ways {
        match step {
            Step::Call(call) => self.call(*call, at_once),
            Step::Group(Shape::Sequence, steps) => self.sequence(steps),
            Step::Group(Shape::OneOf, steps) => steps.iter().flat_map(|step| self.step(step, false)).collect(),
            Step::Group(Shape::Parallel, steps) => self.at_once(steps, steps.len()),
            Step::Group(Shape::Any(enough), steps) => self.at_once(steps, *enough),
        }
    }

    fn at_once(&mut self, steps: &[Step], enough: usize) -> Ways {
        let mut ways = BTreeSet::from([(0, 0)]);
        for step in steps {
            let branch = self.step(step, true);
            let mut joined = BTreeSet::new();
            for (before, succeeded) in &ways {
                joined.extend(branch.iter().map(|(n, good)| (plus(*before, *n), succeeded + usize::from(*good))));
                if joined.len() > MOST_WAYS {
                    self.too_many = true;
                    break;
                }
            }
            ways = joined;
        }
        ways.into_iter().map(|(count, succeeded)| (count, succeeded >= enough)).collect()
    }

    fn call(&mut self, id: usize, at_once: bool) -> Ways {
        let nothing = Ways::from([(0, true)]);
        if !self.graph.is_made(id) {
            return nothing;
        }
        let mut ways = Ways::new();
        let (least, most) = self.graph.calls[id].times.unwrap_or((1, Count::Of(1)));
        if self.graph.is_skippable(id) || least == 0 {
            ways.extend(&nothing);
        }
        let once = self.once(id);
        let Count::Of(most) = most else {
            ways.extend(endlessly(&once, at_once));
            return ways;
        };
        let mut so_many = nothing;
        for times in 0..=most {
            if times >= least {
                ways.extend(&so_many);
            }
            so_many = if at_once { self.both(&so_many, &once) } else { self.one_more(so_many, &once) };
        }
        ways
    }

    /// Copies at the same time: it has succeeded if all have.
    fn both(&mut self, ways: &Ways, once: &Ways) -> Ways {
        let mut joined = Ways::new();
        for (before, good) in ways {
            joined.extend(once.iter().map(|(count, well)| (plus(*before, *count), *good && *well)));
        }
        self.too_many |= joined.len() > MOST_WAYS;
        joined
    }

    /// One after the other: the first that fails ends it.
    fn one_more(&mut self, ways: Ways, once: &Ways) -> Ways {
        let going: BTreeSet<u64> = ways.iter().filter(|(_, good)| *good).map(|(count, _)| *count).collect();
        let ended = ways.into_iter().filter(|(_, good)| !good).collect();
        let (going, mut ended) = self.then(&going, ended, once);
        ended.extend(going.into_iter().map(|count| (count, true)));
        ended
    }

    /// All tries, and what answers instead.
    fn once(&mut self, id: usize) -> Ways {
        let graph = self.graph;
        let tried = self.tries(id);
        let call = &graph.calls[id];
        if let Some(letters) = graph.letters_of(call.from) {
            let failed = tried.iter().filter(|(_, good)| !good).map(|(count, _)| *count).collect();
            let ended: Ways = tried.iter().filter(|(_, good)| *good).copied().collect();
            let letters = self.execute(letters).into_iter().map(|(count, _)| (count, true)).collect();
            let (going, ended) = self.then(&failed, ended, &letters);
            return ended.into_iter().map(|(count, _)| count).chain(going).map(|count| (count, true)).collect();
        }
        match &call.fallback {
            Fallback::Calls(steps) => {
                let failed = tried.iter().filter(|(_, good)| !good).map(|(count, _)| *count).collect();
                let instead = self.sequence(steps);
                let ended = tried.iter().filter(|(_, good)| *good).copied().collect();
                let (going, mut ended) = self.then(&failed, ended, &instead);
                ended.extend(going.into_iter().map(|count| (count, true)));
                ended
            }
            Fallback::Absent if call.waits && !graph.is_cache_read(id) => tried,
            Fallback::Absent | Fallback::Text => tried.into_iter().map(|(count, _)| (count, true)).collect(),
        }
    }

    fn tries(&mut self, id: usize) -> Ways {
        let graph = self.graph;
        let one_try: Ways = graph.callees(id).flat_map(|callee| self.execute(callee)).collect();
        let fails = one_try.iter().any(|(_, good)| !good);
        match tries(graph, id, graph.callees(id).any(|callee| callee == self.failing)) {
            _ if !fails => one_try,
            Count::Unlimited => {
                let mut ways: Ways = one_try.into_iter().filter(|(_, good)| *good).collect();
                ways.extend([(ENDLESS, true), (ENDLESS, false)]);
                ways
            }
            Count::Of(tries) => {
                let (mut failed, mut ended) = (BTreeSet::from([0]), Ways::new());
                for _ in 0..tries {
                    // Going on is what happens after a failure here.
                    let turned = one_try.iter().map(|(count, good)| (*count, !good)).collect();
                    let (on, done) = self.then(&failed, Ways::new(), &turned);
                    ended.extend(done.into_iter().map(|(count, _)| (count, true)));
                    failed = on;
                }
                ended.extend(failed.into_iter().map(|count| (count, false)));
                ended
            }
        }
    }
}

/// All that can happen if it is made again and again for as long as the adversary likes.
fn endlessly(once: &Ways, at_once: bool) -> Ways {
    let mut ways = once.clone();
    let goes_on = |(count, good): &(u64, bool)| *count > 0 && (*good || at_once);
    if once.iter().any(goes_on) {
        ways.extend([(ENDLESS, true), (ENDLESS, false)]);
    }
    ways
}

pub fn plus(one: u64, other: u64) -> u64 {
    one.saturating_add(other).min(ENDLESS)
}

/// How often a call is tried when what fails is the callee itself, or something below it.
fn tries(graph: &Graph, id: usize, direct: bool) -> Count {
    let call = &graph.calls[id];
    if graph.kind(call.from).holds_data() {
        return graph.nodes[graph.operations[call.from].node].receives.unwrap_or(Count::Of(1));
    }
    let blind: &[&str] = if direct { &["timeout"] } else { &["connect", "refused", "timeout"] };
    let meshed = matches!(graph.kind(call.to), Kind::Service | Kind::External) && call.via.contains(&"istio");
    let own = match (&call.attempts, &call.retry_on) {
        (_, Said::None) => Count::Of(1),
        // The proxy has been reached: what its caller sees of a connection that fails behind it is an answer.
        (_, Said::Is(classes)) if meshed && classes.iter().all(|class| *class == "connect") => Count::Of(1),
        (_, Said::Is(classes)) if classes.iter().all(|class| blind.contains(class)) => Count::Of(1),
        (Said::Is(attempts), _) => *attempts,
        (Said::Unsaid | Said::None, _) => Count::Of(1),
    };
    let tried_again = meshed && (direct || call.via.contains(&"grpc"));
    match own {
        Count::Of(own) if tried_again => Count::Of(own * 3),
        own => own,
    }
}
