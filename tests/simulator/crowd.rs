//! What many requests share: workers, bulkheads, consumers, breakers; and who has how much of it. One request alone has
//! no crowd. What is not stated limits nothing; a breaker opens as soon as it can, for good.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use topolint::metadata::built_in_clients;
use topolint::model::{CallId, Cascade, NodeId, OperationId, Topology};
use topolint::vocabulary::{ElementKind, Key};

use super::clock::{Clock, Instant, Promise};
use super::run::Run;
use super::world::{Otherwise, World};

/// What is stated of places.
#[derive(Debug)]
pub struct Places {
    /// Of each operation, the workers that it shares.
    pub of: Vec<Option<usize>>,
    /// How many workers there are.
    pub sizes: Vec<usize>,
    bulkheads: Vec<Option<usize>>,
    consumers: Vec<Option<usize>>,
    breakers: Vec<bool>,
    /// From which node to which each call leads.
    ends: Vec<(NodeId, NodeId)>,
    /// The share of executions that make a call; none if nothing says so.
    shares: Vec<Option<f64>>,
}

impl Places {
    pub fn read(topology: &Topology, world: &World) -> Self {
        let cascade = Cascade::new(topology, built_in_clients());
        let count = |call: CallId, key| {
            let given = cascade.call(call, &[key]).given()?.setting.count()?;
            usize::try_from(given).ok()
        };
        let calls = || topology.call_ids();
        let mut places = Self {
            of: vec![None; topology.operations.len()],
            sizes: Vec::new(),
            bulkheads: calls().map(|call| count(call, Key::Bulkhead)).collect(),
            consumers: calls().map(|call| count(call, Key::Consumers).filter(|_| world.call(call).delivery)).collect(),
            breakers: calls().map(|call| cascade.call(call, &[Key::Breaker]).given().is_some()).collect(),
            ends: calls().map(|call| ends(topology, call)).collect(),
            shares: calls().map(|call| share(topology, cascade, world, call)).collect(),
        };
        for node in topology.node_ids().filter(|node| topology.node(*node).kind == ElementKind::Service) {
            let mut common = None;
            for id in &topology.node(node).operations {
                let named = topology.operation(*id).name.is_some();
                let size = |given: Option<topolint::model::Stated<'_>>| given.and_then(|it| it.setting.count());
                let own = size(cascade.operation(*id, Key::Concurrency).given()).filter(|_| named);
                let shared = size(cascade.node(node, Key::Concurrency).given());
                places.of[id.index()] = match (own, shared) {
                    (Some(own), _) => Some(places.pool(own)),
                    (None, Some(shared)) => Some(*common.get_or_insert_with(|| places.pool(shared))),
                    (None, None) => None,
                };
            }
        }
        places
    }

    fn pool(&mut self, size: u64) -> usize {
        self.sizes.push(usize::try_from(size).unwrap());
        self.sizes.len() - 1
    }
}

/// What is stated of a call as such, else what its cache leaves over.
fn share(topology: &Topology, cascade: Cascade<'_>, world: &World, id: CallId) -> Option<f64> {
    let said = |key| cascade.call(id, &[key]).given().and_then(|it| it.setting.share());
    let node = |call: CallId| topology.operation(topology.call(call).to).node;
    let is_cache_of = |call: &CallId| {
        let of = cascade.node(node(*call), Key::Of).given().and_then(|it| it.setting.nodes().next());
        let before = call.index() < id.index() && matches!(world.call(*call).otherwise, Otherwise::GoesOn);
        before && topology.node(node(*call)).kind == ElementKind::Cache && of == Some(node(id))
    };
    let cache = topology.calls_from(topology.call(id).from).find(is_cache_of);
    let hits = |cache| cascade.node(node(cache), Key::HitRatio).given().and_then(|it| it.setting.share());
    match (said(Key::Chance), cache) {
        (Some(chance), _) => Some(chance),
        (None, Some(cache)) => hits(cache).map(|hits| 1.0 - hits),
        (None, None) => Some(1.0),
    }
}

/// How many calls of one kind wait at once.
#[derive(Clone, Copy, Default)]
pub struct Waiting {
    now: usize,
    pub most: usize,
    /// All their waits together, in nanoseconds.
    pub sum: u128,
    taken: u64,
}

/// Workers in use.
#[derive(Default)]
pub struct Pool {
    size: usize,
    held: usize,
    pub most: usize,
    /// When the last worker was taken for the first time.
    pub full: Option<Instant>,
    queue: VecDeque<Rc<Promise<()>>>,
}

pub struct Crowd {
    places: Rc<Places>,
    pub pools: RefCell<Vec<Pool>>,
    consumers: RefCell<Vec<Pool>>,
    pub calls: RefCell<Vec<Waiting>>,
    open: RefCell<BTreeSet<CallId>>,
    /// Requests from one node to another that nobody has answered and somebody waits for: now, and at most.
    pub connections: RefCell<BTreeMap<(NodeId, NodeId), (u64, u64)>>,
    /// The share that is made of calls of which nothing says it.
    unsaid: f64,
    /// Of each operation that is asked from outside, how often it failed.
    pub failed: RefCell<Vec<usize>>,
    pub sent: Cell<usize>,
}

impl Crowd {
    /// With so many workers as are stated, or as many as it takes.
    pub fn new(places: &Rc<Places>, limited: bool, unsaid: f64) -> Self {
        let pool = |size: usize| Pool { size: if limited { size } else { usize::MAX }, ..Pool::default() };
        let calls = places.bulkheads.len();
        let consumers = places.consumers.iter().map(|count| pool_of(count.unwrap_or(usize::MAX)));
        Self {
            pools: RefCell::new(places.sizes.iter().map(|size| pool(*size)).collect()),
            consumers: RefCell::new(consumers.collect()),
            calls: RefCell::new(vec![Waiting::default(); calls]),
            open: RefCell::default(),
            connections: RefCell::default(),
            unsaid,
            failed: RefCell::new(vec![0; places.of.len()]),
            sent: Cell::new(0),
            places: Rc::clone(places),
        }
    }

    /// Whether this execution makes a call: evenly, as often as is stated.
    pub fn takes(&self, id: CallId) -> bool {
        let share = self.places.shares[id.index()].unwrap_or(self.unsaid);
        let taken = &mut self.calls.borrow_mut()[id.index()].taken;
        *taken += 1;
        (*taken as f64 * share).floor() > ((*taken - 1) as f64 * share).floor()
    }
}

fn pool_of(size: usize) -> Pool {
    Pool { size, ..Pool::default() }
}

/// Which places.
#[derive(Clone, Copy)]
enum Of {
    Workers(usize),
    Consumers(usize),
}

/// A place that is had, or waited for, until this is dropped.
pub struct Place {
    run: Rc<Run>,
    of: Of,
    had: Rc<Promise<()>>,
}

impl Place {
    async fn wait(run: &Rc<Run>, of: Of) -> Self {
        let place = Self { run: Rc::clone(run), of, had: Promise::new() };
        place.pool(|pool, now| {
            if pool.held < pool.size {
                pool.take(now);
                place.had.keep(&run.clock, ());
            } else {
                pool.queue.push_back(Rc::clone(&place.had));
            }
        });
        place.had.wait(&run.clock).await;
        place
    }

    fn pool(&self, change: impl FnOnce(&mut Pool, Instant)) {
        let crowd = self.run.crowd.as_ref().unwrap();
        let (pools, at) = match self.of {
            Of::Workers(at) => (&crowd.pools, at),
            Of::Consumers(at) => (&crowd.consumers, at),
        };
        change(&mut pools.borrow_mut()[at], self.run.clock.now());
    }
}

impl Pool {
    fn take(&mut self, now: Instant) {
        self.held += 1;
        self.most = self.most.max(self.held);
        if self.held == self.size {
            self.full.get_or_insert(now);
        }
    }

    /// One is free: whoever waits longest, and still waits, has it.
    fn give(&mut self, clock: &Clock, now: Instant) {
        self.held -= 1;
        while let Some(next) = self.queue.pop_front() {
            if Rc::strong_count(&next) > 1 {
                self.take(now);
                next.keep(clock, ());
                return;
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.had.kept().is_some() {
            let run = Rc::clone(&self.run);
            self.pool(|pool, now| pool.give(&run.clock, now));
        }
    }
}

/// A worker for an execution, if workers are counted there.
pub async fn worker(run: &Rc<Run>, id: OperationId) -> Option<Place> {
    let pool = run.crowd.as_ref()?.places.of[id.index()]?;
    Some(Place::wait(run, Of::Workers(pool)).await)
}

/// A consumer for a delivery.
pub async fn consumer(run: &Rc<Run>, id: CallId) -> Option<Place> {
    run.crowd.as_ref()?.places.consumers[id.index()]?;
    Some(Place::wait(run, Of::Consumers(id.index())).await)
}

/// A call that waits, from now until this is dropped.
pub struct Calling {
    run: Rc<Run>,
    id: CallId,
    from: Instant,
}

impl Calling {
    /// None if a bulkhead or breaker lets nothing through.
    pub fn start(run: &Rc<Run>, id: CallId) -> Option<Self> {
        if let Some(crowd) = &run.crowd {
            let waiting = &mut crowd.calls.borrow_mut()[id.index()];
            if is_open(run, id) || crowd.places.bulkheads[id.index()].is_some_and(|limit| waiting.now >= limit) {
                return None;
            }
            waiting.now += 1;
            waiting.most = waiting.most.max(waiting.now);
        }
        Some(Self { run: Rc::clone(run), id, from: run.clock.now() })
    }
}

impl Drop for Calling {
    fn drop(&mut self) {
        if let Some(crowd) = &self.run.crowd {
            let waiting = &mut crowd.calls.borrow_mut()[self.id.index()];
            waiting.now -= 1;
            waiting.sum += u128::from(self.run.clock.now() - self.from);
        }
    }
}

fn ends(topology: &Topology, call: CallId) -> (NodeId, NodeId) {
    let node = |id: OperationId| topology.operation(id).node;
    (node(topology.call(call).from), node(topology.call(call).to))
}

/// A request on its way, until this is dropped.
pub struct Connection {
    run: Rc<Run>,
    id: CallId,
}

impl Connection {
    pub fn open(run: &Rc<Run>, id: CallId) -> Self {
        let connection = Self { run: Rc::clone(run), id };
        connection.count(|(now, most)| (now + 1, most.max(now + 1)));
        connection
    }

    fn count(&self, change: impl Fn((u64, u64)) -> (u64, u64)) {
        if let Some(crowd) = &self.run.crowd {
            let mut connections = crowd.connections.borrow_mut();
            let count = connections.entry(crowd.places.ends[self.id.index()]).or_default();
            *count = change(*count);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.count(|(now, most)| (now - 1, most));
    }
}

/// A try has failed: a breaker may open.
pub fn failed(run: &Run, id: CallId) {
    if let Some(crowd) = run.crowd.as_ref().filter(|crowd| crowd.places.breakers[id.index()]) {
        crowd.open.borrow_mut().insert(id);
    }
}

pub fn is_open(run: &Run, id: CallId) -> bool {
    run.crowd.as_ref().is_some_and(|crowd| crowd.open.borrow().contains(&id))
}
