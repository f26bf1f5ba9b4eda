//! Reads a topology: what the lowered model says of each operation and call, by the cascade.

use std::rc::Rc;

use topolint::metadata::built_in_clients;
use topolint::model::{
    Answer, CallId, Cascade, Client, ClientKind, Duration, Fallback, OperationId, Phase, Setting, Step as Written,
    Topology,
};
use topolint::syntax::Arrow;
use topolint::vocabulary::{ElementKind, Key};

use super::clock::{Instant, NEVER};
use super::world::{Backoff, Bound, Call, Class, Classes, KeySent, Layer, Operation, Otherwise, Shape, Step, World};

impl Classes {
    fn read(answer: Answer<'_>, unsaid: Self) -> Self {
        match answer {
            Answer::Given(stated) => {
                stated.setting.words().fold(Self::NONE, |all, word| Self(all.0 | Class::named(word).0))
            }
            Answer::None(_) => Self::NONE,
            _ => unsaid,
        }
    }
}

impl World {
    pub fn read(topology: &Topology) -> Self {
        let reader = Reader { topology, cascade: Cascade::new(topology, built_in_clients()) };
        let mut world = Self {
            operations: topology.operation_ids().map(|id| reader.operation(id)).collect(),
            calls: topology.call_ids().map(|id| reader.call(id)).collect(),
            roots: Vec::new(),
        };
        let called = |id: &OperationId| world.calls.iter().any(|call| call.made && call.waits && call.to == *id);
        let bodies = |id: &OperationId| !world.operation(*id).body.is_empty();
        world.roots = topology.operation_ids().filter(|id| bodies(id) && !called(id)).collect();
        world
    }
}

/// Whether what happens there is the doing of whoever calls it.
pub fn holds_data(kind: ElementKind) -> bool {
    matches!(kind, ElementKind::Store | ElementKind::Cache | ElementKind::Queue)
}

struct Reader<'t> {
    topology: &'t Topology,
    cascade: Cascade<'t>,
}

impl Reader<'_> {
    fn operation(&self, id: OperationId) -> Operation {
        let kind = self.topology.node_of(id).kind;
        let said = |key| self.cascade.operation(id, key);
        let deadline = said(Key::Deadline);
        let own_deadline = bound(deadline);
        let calls = self.topology.calls_from(id).any(|call| self.is_made(call));
        let latency = said(Key::Latency).given().and_then(|stated| stated.setting.maximum()).map(Duration::nanoseconds);
        let leaf = || if let (Bound::Is(own), false) = (own_deadline, calls) { own } else { 0 };
        let idempotent = said(Key::Idempotent);
        let by_key = idempotent.given().filter(|stated| stated.setting.says("by-key"));
        let window = by_key.map(|stated| match stated.setting.field(Key::Window).and_then(Setting::duration) {
            Some(window) => window.nanoseconds(),
            None => NEVER,
        });
        Operation {
            name: self.topology.operation_name(id),
            kind,
            // A bare arrow to a store means one of its operations.
            own: if self.stands_for_all(id) { 0 } else { latency.unwrap_or_else(leaf) },
            deadline: or_never(own_deadline),
            inherits: deadline.given().is_some_and(|stated| stated.setting.says("inherited")),
            cancels: said(Key::Cancels).given().is_some(),
            works: self.works(id, calls),
            barrier: window,
            body: steps(&self.topology.operation(id).body),
        }
    }

    fn stands_for_all(&self, id: OperationId) -> bool {
        self.topology.calls_from(id).any(|call| self.topology.call(call).implied)
    }

    /// Whether own work done twice may change something: what is said of it, else its method; a service that makes calls
    /// does nothing besides, and who is idempotent by key needs the key for all it does.
    fn works(&self, id: OperationId, calls: bool) -> bool {
        let kind = self.topology.node_of(id).kind;
        let said = |key| self.cascade.operation(id, key);
        let methods = said(Key::Method).given();
        let unsafe_method = methods.is_some_and(|it| it.setting.says("POST") || it.setting.says("PATCH"));
        let unsaid = unsafe_method || methods.is_none() && !(calls && kind == ElementKind::Service);
        match said(Key::Idempotent) {
            _ if holds_data(kind) || kind == ElementKind::Client || said(Key::Readonly).given().is_some() => false,
            Answer::Given(stated) => stated.setting.says("by-key") && unsaid,
            Answer::None(_) => true,
            _ => unsaid,
        }
    }

    fn is_made(&self, id: CallId) -> bool {
        self.topology.call(id).phase == Phase::Request && self.chance(id) > 0.0
    }

    fn chance(&self, id: CallId) -> f64 {
        self.cascade.call(id, &[Key::Chance]).given().and_then(|it| it.setting.share()).unwrap_or(1.0)
    }

    fn call(&self, id: CallId) -> Call {
        let written = self.topology.call(id);
        let said = |key| self.cascade.call(id, &[key]);
        let deadline = said(Key::Deadline);
        let kinds = [written.from, written.to].map(|end| self.topology.node_of(end).kind);
        let delivery = kinds[0] == ElementKind::Queue;
        let local = written.implied || said(Key::Local).given().is_some();
        let mut call = Call {
            name: self.topology.call_identity(id),
            from: written.from,
            to: written.to,
            made: self.is_made(id),
            waits: written.arrow == Arrow::Sync,
            local,
            implied: written.implied,
            miss: self.is_miss(id),
            timeout: bound(said(Key::Timeout)),
            connect: bound(said(Key::ConnectTimeout)),
            cut: self.cut(id),
            pool_wait: if let Answer::None(_) = said(Key::PoolWait) {
                NEVER
            } else {
                or_zero(bound(said(Key::PoolWait)))
            },
            deadline: or_never(bound(deadline)),
            inherits: deadline.given().is_some_and(|stated| stated.setting.says("inherited")),
            tries: self.tries(id),
            backoff: backoff(said(Key::Backoff)),
            classes: Classes::read(said(Key::RetryOn), Classes::ANY),
            hedge: said(Key::Hedge)
                .given()
                .and_then(|it| Some((it.setting.count().unwrap_or(2), it.setting.duration()?.nanoseconds()))),
            times: self.times(id),
            chance: self.chance(id),
            otherwise: self.otherwise(id),
            layers: if local || holds_data(kinds[1]) { Vec::new() } else { self.layers(id) },
            key: said(Key::KeySent).given().and_then(|it| it.setting.words().next()).map(key_sent),
            delivery,
            dead_letter: None,
            open_ended: false,
            writes: self.writes(id),
            stops: holds_data(kinds[1]) && said(Key::Idempotent).given().is_some(),
        };
        if written.implied {
            call.key = Some(KeySent::Forwarded);
        }
        if let Answer::None(_) = said(Key::KeySent) {
            call.key = Some(KeySent::None);
        }
        if delivery {
            self.deliver(&mut call);
        }
        call
    }

    /// Redelivery is said on the queue.
    fn deliver(&self, call: &mut Call) {
        let queue = self.topology.operation(call.from).node;
        let said = |key| self.cascade.node(queue, key);
        let given = |key| said(key).given();
        let receives = given(Key::MaxReceives);
        let again = given(Key::Visibility).is_some() || given(Key::DeadLetter).is_some() || receives.is_some();
        let again = match given(Key::Delivery) {
            Some(stated) => stated.setting.says("at-least-once"),
            None => again,
        };
        call.timeout = bound(said(Key::Visibility));
        call.tries = match receives {
            Some(stated) if again => stated.setting.count().unwrap_or(u64::MAX),
            _ => 1,
        };
        // Who promises at least one delivery does not promise one.
        let promised = given(Key::Delivery).is_some();
        call.open_ended = again && (receives.is_none() || promised && call.tries == 1);
        call.classes = Classes::ANY;
        let letters = given(Key::DeadLetter).and_then(|stated| stated.setting.nodes().next());
        call.dead_letter = letters.and_then(|node| self.topology.node(node).operations.first().copied());
    }

    fn tries(&self, id: CallId) -> u64 {
        if self.topology.call(id).implied {
            return 1;
        }
        let stated = self.cascade.call(id, &[Key::Retries, Key::Attempts]).given();
        stated.map_or(1, |it| match it.setting.count() {
            Some(count) => count + u64::from(it.setting.key == Key::Retries),
            None => u64::MAX,
        })
    }

    fn times(&self, id: CallId) -> (u64, u64) {
        let stated = self.cascade.call(id, &[Key::Times]).given();
        stated.map_or((1, 1), |it| {
            let one = it.setting.count().map(|count| (count, count));
            it.setting.count_range().or(one).unwrap_or((0, u64::MAX))
        })
    }

    /// What answers without the callee; the miss path of a cache does.
    fn otherwise(&self, id: CallId) -> Otherwise {
        match &self.topology.call(id).fallback {
            Some(Fallback::Ready) => Otherwise::GoesOn,
            Some(Fallback::Calls(calls)) => Otherwise::Calls(steps(calls)),
            None if self.is_cache_read(id) => Otherwise::GoesOn,
            None => Otherwise::Fails,
        }
    }

    /// A read of a store that comes after a read of its cache.
    fn is_miss(&self, id: CallId) -> bool {
        let call = self.topology.call(id);
        let mut all = Vec::new();
        Written::each(&self.topology.operation(call.from).body, &mut |call| all.push(call));
        let store = self.topology.operation(call.to).node;
        let of = |other: CallId| {
            let cache = self.topology.operation(self.topology.call(other).to).node;
            let stated = self.cascade.node(cache, Key::Of).given();
            stated.is_some_and(|it| it.setting.nodes().any(|node| node == store))
        };
        let reads = |words: &str| {
            let name = self.topology.operation(call.to).name.map(|name| self.topology.text(name));
            name.is_none_or(|name| name == words)
        };
        let before = all.into_iter().take_while(|other| *other != id);
        reads("read") && before.filter(|other| of(*other)).any(|other| self.is_made(other) && self.is_cache_read(other))
    }

    fn is_cache_read(&self, id: CallId) -> bool {
        let call = self.topology.call(id);
        let cache = self.topology.operation(call.to).node;
        let name = self.topology.operation(call.to).name.map(|name| self.topology.text(name));
        let of = self.cascade.node(cache, Key::Of).given().and_then(|it| it.setting.nodes().next());
        let mut later = Vec::new();
        Written::each(&self.topology.operation(call.from).body, &mut |call| later.push(call));
        let after = later.iter().skip_while(|other| **other != id).skip(1);
        let reads = |to: OperationId| {
            matches!(self.topology.operation(to).name.map(|name| self.topology.text(name)), None | Some("read"))
        };
        let after = after.filter(|call| self.is_made(**call)).map(|call| self.topology.call(*call).to);
        let mut stores = after.filter(|to| reads(*to));
        matches!(name, None | Some("get"))
            && of.is_some_and(|of| stores.any(|to| self.topology.operation(to).node == of))
    }

    fn cut(&self, id: CallId) -> Instant {
        let through = self.cascade.call(id, &[Key::Through]).given();
        let nodes = through.into_iter().flat_map(|it| it.setting.nodes().collect::<Vec<_>>());
        nodes.map(|node| or_never(bound(self.cascade.node(node, Key::Deadline)))).min().unwrap_or(NEVER)
    }

    /// Proxies; a status of gRPC is seen only over gRPC.
    fn layers(&self, id: CallId) -> Vec<Layer> {
        let protocol = self.cascade.call(id, &[Key::Protocol]).given().and_then(|it| it.setting.word());
        let statuses = protocol.is_some_and(|it| self.topology.text(it).eq_ignore_ascii_case("grpc"))
            || self.cascade.clients(id).any(|client| client.name == "grpc");
        let proxies = self.cascade.clients(id).filter(|client| client.kind == ClientKind::Proxy);
        let layer = |client: &Client| {
            let setting = |key| client.default_of(key).map(|default| &default.setting);
            let tries = setting(Key::Attempts)?.count()?;
            let words: Vec<&str> = setting(Key::RetryOn).map_or(vec!["any"], |it| it.words().collect());
            let seen = words.into_iter().filter(|word| statuses || matches!(*word, "connect" | "refused" | "reset"));
            let classes = seen.fold(Classes::NONE, |all, word| Classes(all.0 | Class::named(word).0));
            Some(Layer { tries, classes, backoff: setting(Key::Backoff).and_then(waits) })
        };
        proxies.filter_map(layer).collect()
    }

    /// Whether a call into a store, cache or queue changes something when it is made twice.
    fn writes(&self, id: CallId) -> bool {
        let to = self.topology.call(id).to;
        let kind = self.topology.node_of(to).kind;
        let name = self.topology.operation(to).name.map(|name| self.topology.text(name));
        let unsaid = match kind {
            ElementKind::Store => name != Some("read"),
            ElementKind::Queue => !self.topology.calls_from(to).any(|call| self.is_made(call)),
            _ => false,
        };
        match self.cascade.call(id, &[Key::Idempotent]) {
            Answer::Given(_) => false,
            Answer::None(_) => holds_data(kind),
            _ => unsaid && !self.topology.call(id).implied,
        }
    }
}

fn steps(written: &[Written]) -> Rc<[Step]> {
    let step = |step: &Written| match step {
        Written::Call(call) => Step::Call(*call),
        Written::Sequence(inner) => Step::Group(Shape::Sequence, steps(inner)),
        Written::Parallel(inner) => Step::Group(Shape::Parallel(inner.len()), steps(inner)),
        Written::Any(count, inner) => Step::Group(Shape::Parallel(usize::try_from(*count).unwrap()), steps(inner)),
        Written::OneOf(inner) => Step::Group(Shape::OneOf, steps(inner)),
    };
    written.iter().map(step).collect()
}

fn bound(answer: Answer<'_>) -> Bound {
    match answer {
        Answer::Given(stated) => stated.setting.duration().map_or(Bound::Unsaid, |it| Bound::Is(it.nanoseconds())),
        Answer::None(_) => Bound::None,
        _ => Bound::Unsaid,
    }
}

fn or_never(bound: Bound) -> Instant {
    if let Bound::Is(time) = bound { time } else { NEVER }
}

fn or_zero(bound: Bound) -> Instant {
    if let Bound::Is(time) = bound { time } else { 0 }
}

fn backoff(answer: Answer<'_>) -> Option<Backoff> {
    waits(answer.given()?.setting)
}

fn waits(setting: &Setting) -> Option<Backoff> {
    let jitter = ["full", "equal", "decorrelated", "none"].into_iter().find(|word| setting.says(word));
    let single = setting.duration().map(|it| (it, it));
    let (first, cap) = setting.duration_range().or(single)?;
    Some(Backoff { first: first.nanoseconds(), cap: cap.nanoseconds(), jitter: jitter.unwrap_or("") })
}

fn key_sent(word: &str) -> KeySent {
    match word {
        "per-attempt" => KeySent::PerAttempt,
        "per-request" => KeySent::PerRequest,
        "derived" => KeySent::Derived,
        _ => KeySent::Forwarded,
    }
}
