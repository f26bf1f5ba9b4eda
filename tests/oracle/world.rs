//! Small topologies whose readers need something: stores with copies, caches of them and of each other, services in
//! several instances, calls that state needs of their own.

use std::fmt::Write;

use super::graph::{Count, Written};
use super::order::{SESSION, words};
use super::random::Random;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    Model(&'static str),
    /// In seconds.
    Age(u64),
}

/// What a call states of its need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stated {
    Nothing,
    None,
    Need(Need),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Leader,
    Replica,
    Quorum,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copies {
    Unsaid,
    One,
    Sync,
    /// `lag` and `worst`, in seconds.
    Async(Option<u64>, Option<u64>),
}

pub struct Service {
    pub instances: Option<(u64, u64)>,
    pub need: Option<Need>,
}

pub struct Store {
    pub model: Option<&'static str>,
    pub copies: Copies,
    pub from: Option<From>,
    pub quorum: Option<(u64, u64, u64)>,
    pub several: bool,
}

pub struct Cache {
    /// A store, or another cache behind them.
    pub of: Option<usize>,
    /// In seconds.
    pub ttl: Option<Count>,
    pub model: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Service(usize),
    /// Which, and its operation.
    Store(usize, &'static str),
    Cache(usize, &'static str),
}

pub struct Call {
    pub from: usize,
    pub to: Target,
    pub waits: bool,
    pub local: bool,
    pub never: bool,
    pub startup: bool,
    pub sticky: Option<bool>,
    pub read_from: Option<From>,
    pub needs: Stated,
    /// The call in whose fallback it stands, the one before.
    pub inside: bool,
}

pub struct World {
    pub services: Vec<Service>,
    pub stores: Vec<Store>,
    pub caches: Vec<Cache>,
    pub calls: Vec<Call>,
}

/// Half of them are about what is promised to sessions, and so have answers that promise it.
pub fn world(random: &mut Random) -> World {
    let sessions = random.percent(50);
    let services = (0..=random.index(6)).map(|_| service(random, sessions)).collect::<Vec<_>>();
    let stores: Vec<Store> = (0..=random.index(2)).map(|_| store(random, sessions)).collect();
    let count = random.index(3);
    let caches = (0..count).map(|own| cache(random, own, stores.len(), count)).collect();
    let mut world = World { services, stores, caches, calls: Vec::new() };
    for from in 0..world.services.len() {
        for number in 0..random.index(5) + usize::from(from == 0) {
            let call = call(random, &world, from, number > 0, sessions);
            world.calls.push(call);
        }
    }
    world
}

fn need(random: &mut Random, sessions: bool) -> Need {
    if random.percent(30) {
        Need::Age(random.one_of(&[1, 5, 60, 65, 70, 130]))
    } else {
        Need::Model(model(random, sessions))
    }
}

fn model(random: &mut Random, sessions: bool) -> &'static str {
    if sessions {
        return random.one_of(SESSION);
    }
    let often =
        ["linearizable", "causal", "read-your-writes", "serializable", "snapshot", "monotonic-reads", "eventual"];
    if random.percent(70) { random.one_of(&often) } else { random.one_of(&words()) }
}

fn service(random: &mut Random, sessions: bool) -> Service {
    let some = sessions.then_some((2, 2));
    let instances = random.one_of(&[None, some, Some((1, 1)), Some((3, 3)), Some((1, 4))]);
    Service { instances, need: random.percent(40).then(|| need(random, sessions)) }
}

fn store(random: &mut Random, sessions: bool) -> Store {
    let lag = random.percent(50).then_some(1);
    let worst = random.percent(60).then_some(5);
    let behind = Copies::Async(lag, worst);
    let copies: &[Copies] = if sessions {
        &[Copies::One, Copies::Sync, Copies::One, Copies::Unsaid, behind]
    } else {
        &[Copies::Unsaid, Copies::One, Copies::Sync, behind, behind]
    };
    let given = |random: &mut Random| {
        if sessions { random.one_of(&["causal", "pram", "causal", "linearizable"]) } else { model(random, false) }
    };
    Store {
        model: random.percent(75).then(|| given(random)),
        copies: random.one_of(copies),
        from: random.one_of(&[None, None, Some(From::Leader), Some(From::Replica), Some(From::Quorum)]),
        quorum: random.one_of(&[None, Some((3, 2, 2)), Some((3, 1, 2))]),
        several: random.percent(40),
    }
}

fn cache(random: &mut Random, own: usize, stores: usize, caches: usize) -> Cache {
    let of = (random.percent(85)).then(|| random.index(stores + caches)).filter(|of| *of != stores + own);
    Cache {
        of,
        ttl: random.one_of(&[None, Some(Count::Of(60)), Some(Count::Of(60)), Some(Count::Unlimited)]),
        model: random.percent(40).then(|| model(random, false)),
    }
}

fn call(random: &mut Random, world: &World, from: usize, may_stand_inside: bool, sessions: bool) -> Call {
    // What follows the read of a cache is often the read of its store.
    let missed = world.calls.last().filter(|before| before.from == from).and_then(|before| match before.to {
        Target::Cache(cache, "get") => world.caches[cache].of.filter(|of| *of < world.stores.len()),
        _ => None,
    });
    let to = match random.up_to(10) {
        _ if missed.is_some() && random.percent(70) => Target::Store(missed.unwrap_or(0), "read"),
        0..=3 => Target::Service(random.index(world.services.len())),
        4..=6 if !world.caches.is_empty() => {
            Target::Cache(random.index(world.caches.len()), random.one_of(&["get", "get", "get", "set", ""]))
        }
        _ => Target::Store(random.index(world.stores.len()), random.one_of(&["read", "read", "read", "write", ""])),
    };
    Call {
        from,
        to,
        waits: !matches!(to, Target::Service(_)) || random.percent(90),
        local: random.percent(5),
        never: random.percent(4),
        startup: random.percent(4),
        sticky: random.one_of(&[None, None, Some(true), Some(false)]),
        read_from: random.one_of(&[None, None, None, Some(From::Leader), Some(From::Replica), Some(From::Quorum)]),
        needs: match random.up_to(10) {
            0 => Stated::None,
            1 | 2 => Stated::Need(need(random, sessions)),
            _ => Stated::Nothing,
        },
        inside: may_stand_inside && random.percent(15),
    }
}

impl World {
    pub fn written(&self) -> Written {
        let mut text = String::new();
        for (number, store) in self.stores.iter().enumerate() {
            let _ = writeln!(text, "store d{number} {{ {} }}", store.said().join("; "));
        }
        for (number, cache) in self.caches.iter().enumerate() {
            let mut said = Vec::new();
            said.extend(cache.of.map(|of| format!("of {}", self.kept(of))));
            said.extend(cache.ttl.map(|ttl| match ttl {
                Count::Of(ttl) => format!("ttl {ttl}s"),
                Count::Unlimited => "ttl unlimited".to_owned(),
            }));
            said.extend(cache.model.map(|model| format!("model {model}")));
            let _ = writeln!(text, "cache k{number} {{ {} }}", said.join("; "));
        }
        let mut places = vec![0; self.calls.len()];
        for (number, service) in self.services.iter().enumerate() {
            let _ = writeln!(text, "service s{number} {{");
            match service.instances {
                Some((few, many)) if few < many => text.push_str("  autoscale 1..4\n"),
                Some((count, _)) => drop(writeln!(text, "  replicas {count}")),
                None => {}
            }
            let _ = writeln!(text, "  {}", service.need.map_or(String::new(), written));
            let calls: Vec<usize> = (0..self.calls.len()).filter(|call| self.calls[*call].from == number).collect();
            for (at, call) in calls.iter().enumerate() {
                places[*call] = text.len();
                let _ = write!(text, "{}", self.said(*call));
                let next_inside = calls.get(at + 1).is_some_and(|next| self.calls[*next].inside);
                match (self.calls[*call].inside, next_inside) {
                    (false, true) => text.push_str("; fallback {\n"),
                    (true, true) | (false, false) => text.push_str(" }\n"),
                    (true, false) => text.push_str(" }\n}}\n"),
                }
            }
            text.push_str("}\n");
        }
        Written { text, places }
    }

    fn kept(&self, of: usize) -> String {
        if of < self.stores.len() { format!("d{of}") } else { format!("k{}", of - self.stores.len()) }
    }

    /// An arrow and what is said of it, its block still open.
    fn said(&self, id: usize) -> String {
        let call = &self.calls[id];
        let name = |node: String, operation: &str| {
            if operation.is_empty() { node } else { format!("{node}.{operation}") }
        };
        let to = match call.to {
            Target::Service(number) => format!("s{number}"),
            Target::Store(number, operation) => name(format!("d{number}"), operation),
            Target::Cache(number, operation) => name(format!("k{number}"), operation),
        };
        let mut said = Vec::new();
        said.extend(call.local.then(|| "local".to_owned()));
        said.extend(call.never.then(|| "chance 0%".to_owned()));
        said.extend(call.startup.then(|| "phase startup".to_owned()));
        said.extend(call.sticky.map(|sticky| if sticky { "sticky" } else { "sticky none" }.to_owned()));
        said.extend(call.read_from.map(From::said));
        said.extend(match call.needs {
            Stated::Nothing => None,
            Stated::None => Some("needs none".to_owned()),
            Stated::Need(need) => Some(written(need)),
        });
        format!("{} {to} {{ {}", if call.waits { "->" } else { "->>" }, said.join("; "))
    }
}

impl Store {
    fn said(&self) -> Vec<String> {
        let mut said = Vec::new();
        said.extend(self.model.map(|model| format!("model {model}")));
        said.extend(match self.copies {
            Copies::Unsaid => None,
            Copies::One => Some("replication none".to_owned()),
            Copies::Sync => Some("replication sync".to_owned()),
            Copies::Async(lag, worst) => {
                let lag = lag.map_or(String::new(), |lag| format!("lag {lag}s;"));
                let worst = worst.map_or(String::new(), |worst| format!("worst {worst}s"));
                Some(format!("replication async {{ {lag} {worst} }}"))
            }
        });
        said.extend(self.from.map(From::said));
        said.extend(self.quorum.map(|(n, r, w)| format!("quorum {{ n {n}; r {r}; w {w} }}")));
        said.extend(self.several.then(|| "replicas 3".to_owned()));
        said
    }
}

impl From {
    fn said(self) -> String {
        match self {
            Self::Leader => "read-from leader",
            Self::Replica => "read-from replica",
            Self::Quorum => "read-from quorum",
        }
        .to_owned()
    }
}

fn written(need: Need) -> String {
    match need {
        Need::Model(model) => format!("needs {model}"),
        Need::Age(age) => format!("needs staleness {age}s"),
    }
}
