//! Stores with copies, caches in front of them and who reads them, by chance: what is stated, and its text.

use std::fmt::Write as _;

use super::clock::Instant;
use super::random::Random;

const SECOND: Instant = 1_000_000_000;

/// Where a read goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Unsaid,
    Leader,
    Replica,
    Quorum,
}

/// When a write reaches the other copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replication {
    Unsaid,
    /// One copy.
    None,
    Sync,
    Async,
}

#[derive(Clone, Debug)]
pub struct Store {
    pub replication: Replication,
    pub lag: Option<Instant>,
    pub worst: Option<Instant>,
    /// Copies, those that answer, those that acknowledge; whether others may stand in.
    pub quorum: Option<(usize, usize, usize, bool)>,
    pub from: From,
    pub linearizable: bool,
}

/// How a cache hears that its store has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Reliably,
    AtMostOnce,
    /// By a queue that gives up.
    GivenUp,
}

#[derive(Clone, Debug)]
pub struct Cache {
    /// The cache that it is a copy of; else it is one of the store.
    pub of: Option<usize>,
    pub store: usize,
    pub ttl: Option<Instant>,
    /// How long it is kept that there is nothing.
    pub negative: Option<Instant>,
    pub told: Option<Told>,
    /// Where those read who fill it.
    pub fills: Vec<From>,
}

#[derive(Clone, Debug)]
pub struct Reader {
    pub cache: Option<usize>,
    pub store: usize,
    pub from: From,
    pub needs: Option<Instant>,
}

#[derive(Clone, Debug)]
pub struct Drawn {
    pub stores: Vec<Store>,
    pub caches: Vec<Cache>,
    pub readers: Vec<Reader>,
}

impl Store {
    pub fn copies(&self) -> usize {
        self.quorum.map_or(3, |(copies, ..)| copies)
    }

    /// The copies that have a write when it is acknowledged: whoever stands in for them has it in their place.
    pub fn written_at_once(&self) -> usize {
        match (self.quorum, self.replication) {
            (Some((.., true)), _) => 0,
            (Some((_, _, written, _)), _) => written,
            (None, Replication::None | Replication::Sync) => self.copies(),
            (None, _) => 1,
        }
    }

    /// Whether there are no copies that are behind.
    pub fn is_current(&self) -> bool {
        let alone = self.quorum.is_none() && self.replication == Replication::Sync;
        alone || self.replication == Replication::None || self.is_strict()
    }

    /// Whether it is said to give the last write, and nothing speaks against it.
    fn is_strict(&self) -> bool {
        self.linearizable
            && self.replication == Replication::Unsaid
            && self.quorum.is_none()
            && self.from == From::Unsaid
    }

    /// How many copies a read asks: 0 for the leader. What is not said may be either.
    pub fn asked(&self, from: From, random: &mut Random) -> usize {
        let from = if from == From::Unsaid { self.from } else { from };
        match (from, self.quorum) {
            (From::Leader, _) => 0,
            (From::Replica, _) => 1,
            (From::Quorum | From::Unsaid, Some((_, read, ..))) => read,
            (From::Quorum, None) => random.index(4),
            (From::Unsaid, None) => random.index(2),
        }
    }

    fn written(&self) -> String {
        let mut said = Vec::new();
        let times = [("lag", self.lag), ("worst", self.worst)];
        let times: String = times
            .iter()
            .filter_map(|(word, time)| time.map(|time| format!(" {word} {}ms;", time / 1_000_000)))
            .collect();
        match self.replication {
            Replication::Unsaid => {}
            Replication::None => said.push("replication none".to_owned()),
            Replication::Sync => said.push("replication sync".to_owned()),
            Replication::Async => said.push(format!("replication async {{{times} }}")),
        }
        if let Some((copies, read, written, sloppy)) = self.quorum {
            let sloppy = if sloppy { "; sloppy" } else { "" };
            said.push(format!("quorum {{ n {copies}; r {read}; w {written}{sloppy} }}"));
        }
        said.extend(from_written(self.from));
        said.extend(self.linearizable.then(|| "model linearizable".to_owned()));
        said.join("; ")
    }
}

fn from_written(from: From) -> Option<String> {
    (from != From::Unsaid).then(|| format!("read-from {}", format!("{from:?}").to_lowercase()))
}

impl Drawn {
    pub fn draw(seed: u64) -> Self {
        let mut random = Random::seeded(seed);
        let stores: Vec<Store> = (0..=random.up_to(2)).map(|_| store(&mut random)).collect();
        let mut caches: Vec<Cache> = Vec::new();
        for number in 0..random.index(4) {
            let of = (number > 0 && random.percent(50)).then(|| random.index(number));
            let store = of.map_or_else(|| random.index(stores.len()), |of| caches[of].store);
            caches.push(cache(&mut random, of, store));
        }
        let mut readers = Vec::new();
        for _ in 0..=random.up_to(3) {
            let cache = (!caches.is_empty() && random.percent(75)).then(|| random.index(caches.len()));
            let store = cache.map_or_else(|| random.index(stores.len()), |cache| caches[cache].store);
            let from = random.weighted(&[(4, From::Unsaid), (2, From::Leader), (3, From::Replica), (1, From::Quorum)]);
            let needs = random.percent(60).then(|| random.one_of(&[1, 5, 30, 66, 120, 700]) * SECOND);
            if let Some(cache) = cache.filter(|cache| caches[*cache].of.is_none()) {
                caches[cache].fills.push(from);
            }
            readers.push(Reader { cache, store, from, needs });
        }
        Self { stores, caches, readers }
    }

    pub fn written(&self) -> String {
        let mut text = "client web\n".to_owned();
        for (number, store) in self.stores.iter().enumerate() {
            let _ = writeln!(text, "store d{number} {{ {} }}", store.written());
        }
        for (number, cache) in self.caches.iter().enumerate() {
            let of = cache.of.map_or_else(|| format!("d{}", cache.store), |of| format!("k{of}"));
            let mut said = vec![format!("of {of}")];
            said.extend(cache.ttl.map(|ttl| format!("ttl {}ms", ttl / 1_000_000)));
            said.extend(cache.negative.map(|ttl| format!("negative-ttl {}ms", ttl / 1_000_000)));
            let _ = writeln!(text, "cache k{number} {{ {} }}", said.join("; "));
            text.push_str(&cache.is_told(number));
        }
        for (number, reader) in self.readers.iter().enumerate() {
            let needs = reader
                .needs
                .map_or_else(String::new, |needs| format!(" {{ needs staleness {}ms }}", needs / 1_000_000));
            let _ = writeln!(text, "service r{number}{needs}\nweb -> r{number} {{ timeout 1s }}");
            if let Some(cache) = reader.cache {
                let _ = writeln!(text, "r{number} -> k{cache}.get {{ timeout 1s }}");
            }
            if reader.reads_store(self) {
                let from = from_written(reader.from).unwrap_or_default();
                let _ = writeln!(text, "r{number} -> d{}.read {{ timeout 1s; {from} }}", reader.store);
            }
        }
        text
    }
}

impl Reader {
    /// Behind a cache of a cache there is another cache.
    pub fn reads_store(&self, drawn: &Drawn) -> bool {
        self.cache.is_none_or(|cache| drawn.caches[cache].of.is_none())
    }
}

impl Cache {
    fn is_told(&self, number: usize) -> String {
        let store = self.store;
        let by_queue = |said: &str| {
            format!(
                "queue q{number} {{ {said} }}\nservice i{number} {{ idempotent }}\nd{store} ->> q{number}\n\
                 q{number} ->> i{number}\ni{number} -> k{number}.delete {{ timeout 1s }}\n"
            )
        };
        match self.told {
            None => String::new(),
            Some(Told::Reliably) if number.is_multiple_of(2) => format!("d{store} ->> k{number}.delete\n"),
            Some(Told::Reliably) => by_queue("delivery at-least-once"),
            Some(Told::AtMostOnce) => by_queue("delivery at-most-once"),
            Some(Told::GivenUp) => {
                format!(
                    "queue l{number}\n{}",
                    by_queue(&format!("delivery at-least-once; max-receives 3; dead-letter l{number}"))
                )
            }
        }
    }
}

fn store(random: &mut Random) -> Store {
    let replication = random.weighted(&[
        (2, Replication::Unsaid),
        (1, Replication::None),
        (1, Replication::Sync),
        (6, Replication::Async),
    ]);
    let lags = replication == Replication::Async;
    let quorum = (replication != Replication::None && random.percent(25)).then(|| {
        let copies = random.one_of(&[3, 5]);
        (copies, random.index(copies) + 1, random.index(copies) + 1, random.percent(10))
    });
    let from = random.weighted(&[(4, From::Unsaid), (2, From::Leader), (4, From::Replica), (1, From::Quorum)]);
    let from = if replication == Replication::None { From::Unsaid } else { from };
    Store {
        replication,
        lag: (lags && random.percent(40)).then_some(SECOND / 10),
        worst: (lags && random.percent(75)).then(|| random.one_of(&[1, 5, 20]) * SECOND),
        quorum,
        from,
        linearizable: random.percent(30),
    }
}

fn cache(random: &mut Random, of: Option<usize>, store: usize) -> Cache {
    let told = [(6, None), (3, Some(Told::Reliably)), (1, Some(Told::AtMostOnce)), (1, Some(Told::GivenUp))];
    Cache {
        of,
        store,
        ttl: (!random.percent(10)).then(|| random.one_of(&[10, 60, 600]) * SECOND),
        negative: random.percent(30).then(|| random.one_of(&[1, 60, 600]) * SECOND),
        told: if of.is_none() { random.weighted(&told) } else { None },
        fills: Vec::new(),
    }
}
