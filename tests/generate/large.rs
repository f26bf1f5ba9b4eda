//! Large topologies as companies have them: tiers from the edge down to the stores, a few callees that everybody needs,
//! teams that annotate well and teams that do not, queues, caches, a circle now and then. The same seed, the same bytes.

#![allow(dead_code, reason = "each user takes its part")]
#![allow(clippy::indexing_slicing, reason = "a test may stop")]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small numbers"
)]

use std::fmt::Write as _;

use super::random::Random;

/// Services in a team.
const TEAM: usize = 40;
/// How the services spread over the tiers, from the edge down, in percent.
const TIERS: [usize; 7] = [4, 12, 22, 26, 20, 11, 5];
/// How many calls an operation makes, by weight: mostly few, now and then very many.
const FAN_OUT: [(u64, usize); 7] = [(1700, 0), (900, 1), (250, 2), (80, 3), (22, 5), (7, 9), (2, 24)];
const READS: [&str; 6] = ["get", "list", "search", "status", "quote", "history"];
const WRITES: [&str; 6] = ["create", "update", "cancel", "reserve", "settle", "import"];

/// A generated topology.
pub struct Large {
    head: String,
    teams: Vec<Team>,
}

struct Team {
    /// What its box says.
    box_attributes: String,
    /// Its services, with the stores, caches and queues that they own.
    services: Vec<(String, String)>,
}

impl Large {
    /// A topology of so many services.
    pub fn of(services: usize, seed: u64) -> Self {
        Author::new(services, seed).write()
    }

    /// All of it in one file.
    pub fn one_file(&self) -> String {
        let mut text = self.head.clone();
        for (number, team) in self.teams.iter().enumerate() {
            let _ = write!(text, "\ngroup team-{number} \"Team {number}\" {{\n{}", team.box_attributes);
            for (_, service) in &team.services {
                text.push_str(service);
            }
            text.push_str("}\n");
        }
        text
    }

    /// A file for each service, in a folder for each team, and the root that includes them.
    pub fn many_files(&self) -> Vec<(String, String)> {
        let root = ("root.topo".to_owned(), format!("{}\ninclude \"teams/*/*.topo\"\n", self.head));
        let parts = self.teams.iter().enumerate().flat_map(|(number, team)| {
            team.services.iter().map(move |(name, text)| {
                (format!("teams/team-{number}/{name}.topo"), format!("{}\n{text}", team.box_attributes))
            })
        });
        std::iter::once(root).chain(parts).collect()
    }
}

/// How well a team says what its calls do.
#[derive(Clone, Copy, PartialEq)]
enum Care {
    Much,
    Some,
    None,
}

/// What is known of a service before its calls are chosen.
struct Service {
    name: String,
    tier: usize,
    /// Reading operations, then writing ones.
    operations: (Vec<&'static str>, Vec<&'static str>),
    store: bool,
    cache: bool,
    queue: bool,
}

struct Author {
    random: Random,
    services: Vec<Service>,
    /// Where each tier starts in `services`.
    starts: Vec<usize>,
}

impl Author {
    fn new(count: usize, seed: u64) -> Self {
        let mut random = Random::seeded(seed);
        let mut services: Vec<Service> = Vec::with_capacity(count);
        let mut starts = vec![0];
        let mut share = 0;
        for (tier, percent) in TIERS.iter().enumerate() {
            share += percent;
            while services.len() < (count * share).div_ceil(100).min(count) {
                let store = random.percent([2, 8, 13, 18, 20, 22, 30][tier]);
                let operations = (few(&mut random, &READS, 2), few(&mut random, &WRITES, 1));
                let (cache, queue) = (store && random.percent(25), random.percent(3));
                let name = format!("svc-{tier}-{}", services.len());
                services.push(Service { name, tier, operations, store, cache, queue });
            }
            starts.push(services.len());
        }
        Self { random, services, starts }
    }

    fn write(mut self) -> Large {
        let mut head = String::from(
            "topology company \"Company\"\n\npolicy quick { timeout 200ms; retries 1; backoff exponential 20ms..200ms \
             jitter full }\npolicy patient { timeout 2s; retries none }\n\nnetwork {\n  within zone { rtt 0.5ms }\n  \
             between zones { rtt 1ms; price 0.02 USD/GB }\n}\n\ndefaults {\n  call { trace w3c; protocol grpc }\n}\n\n\
             client web \"Browser\"\nclient partner\n",
        );
        for index in 0..self.starts[1] {
            let client = self.random.one_of(&["web", "web", "partner"]);
            let callee = self.operation_of(index, true);
            let _ = writeln!(head, "{client} -> {callee} {{ timeout 5s; encryption tls; authn oidc; load {}/s }}", {
                1 + self.random.up_to(200)
            });
        }
        // Teams own services of all tiers.
        let teams = self.services.len().div_ceil(TEAM);
        let cares: Vec<Care> =
            (0..teams).map(|_| self.random.weighted(&[(5, Care::Much), (3, Care::Some), (2, Care::None)])).collect();
        let mut written: Vec<Team> = cares.iter().enumerate().map(|(number, care)| self.team(number, *care)).collect();
        for index in 0..self.services.len() {
            let team = index % teams;
            let text = self.service(index, cares[team]);
            written[team].services.push((self.services[index].name.clone(), text));
        }
        Large { head, teams: written }
    }

    fn team(&mut self, number: usize, care: Care) -> Team {
        let mut text = format!("  owner team-{number}\n  trust internal\n");
        if care != Care::None {
            let _ = writeln!(text, "  region eu-west\n  zones {}", self.random.one_of(&["a, b, c", "a, b", "a"]));
            text.push_str("  defaults { call { encryption mtls; authn workload } }\n");
        }
        Team { box_attributes: text, services: Vec::new() }
    }

    fn service(&mut self, index: usize, care: Care) -> String {
        let (name, tier) = (self.services[index].name.clone(), self.services[index].tier);
        let mut text = self.owned(index, care);
        let _ = writeln!(text, "  service {name} \"Service {index} of tier {tier}\" {{");
        if care != Care::None {
            let _ = writeln!(text, "    replicas {}", 2 + self.random.up_to(6));
        }
        if care == Care::Much {
            let _ = writeln!(text, "    concurrency {}", 50 * (1 + self.random.up_to(8)));
        }
        let (reads, writes) = self.services[index].operations.clone();
        for (position, operation) in reads.iter().chain(&writes).enumerate() {
            self.operation(&mut text, index, operation, position < reads.len(), care);
        }
        text.push_str("  }\n");
        if self.services[index].queue {
            let consumer = self.operation_of(self.services.len() - 1 - index % 7, false);
            let _ = writeln!(text, "  {name}-events ->> {consumer} {{ consumers {} }}", 1 + self.random.up_to(8));
        }
        text
    }

    /// The store, the cache and the queue of a service.
    fn owned(&mut self, index: usize, care: Care) -> String {
        let Service { name, store, cache, queue, .. } = &self.services[index];
        let mut text = String::new();
        if *store {
            let said = match care {
                Care::None => "",
                Care::Some => " { replicas 2 }",
                Care::Much => " { replicas 2; model serializable; replication sync; latency p50 1ms, p99 8ms }",
            };
            let _ = writeln!(text, "  store {name}-db{said}");
        }
        if *cache {
            let _ = writeln!(text, "  cache {name}-cache {{ of {name}-db; ttl 60s }}");
        }
        if *queue {
            let _ = writeln!(text, "  queue {name}-events {{ delivery at-least-once; max-receives 5 }}");
        }
        text
    }

    fn operation(&mut self, text: &mut String, index: usize, name: &str, reads: bool, care: Care) {
        let _ = writeln!(text, "    operation {name} {{");
        if care != Care::None {
            let quick = 1 + self.random.up_to(9);
            let _ = writeln!(text, "      latency p50 {quick}ms, p99 {}ms", quick * (3 + self.random.up_to(9)));
        }
        let said = match (reads, care) {
            (true, Care::None) => "",
            (true, _) => "      readonly\n",
            (false, Care::Much) => self.random.one_of(&["      idempotent by-key { window 24h; atomic }\n", ""]),
            (false, _) => self.random.one_of(&["      idempotent\n", "", ""]),
        };
        text.push_str(said);
        if care == Care::Much && self.random.percent(40) {
            let _ = writeln!(text, "      deadline {}ms inherited", 500 + 100 * self.random.up_to(20));
        }
        let own = self.services[index].name.clone();
        if self.services[index].cache && reads {
            let _ = writeln!(text, "      -> {own}-cache.get{}", self.terms(care, "timeout 20ms"));
        }
        if self.services[index].store {
            let (way, timeout) = if reads { ("read", "timeout 80ms") } else { ("write", "timeout 100ms; idempotent") };
            let _ = writeln!(text, "      -> {own}-db.{way}{}", self.terms(care, timeout));
        }
        self.calls(text, index, reads, care);
        if self.services[index].queue && !reads {
            let _ = writeln!(text, "      ->> {own}-events{}", if care == Care::Much { " { outbox }" } else { "" });
        }
        text.push_str("    }\n");
    }

    fn calls(&mut self, text: &mut String, index: usize, reads: bool, care: Care) {
        let tier = self.services[index].tier;
        let count = if tier + 1 == TIERS.len() { 0 } else { self.random.weighted(&FAN_OUT) };
        let side_by_side = count > 1 && self.random.percent(20);
        if side_by_side {
            text.push_str("      parallel {\n");
        }
        for _ in 0..count {
            let callee = self.callee(tier);
            let callee = self.operation_of(callee, reads);
            let terms = match self.random.up_to(4) {
                0 => "use quick".to_owned(),
                1 => "use patient".to_owned(),
                2 => format!("timeout {}ms; retries none", 100 * (1 + self.random.up_to(9))),
                _ => format!(
                    "timeout {}ms; retries 2; backoff exponential 10ms..100ms jitter full{}",
                    50 * (1 + self.random.up_to(9)),
                    if reads { "; breaker" } else { "; key forwarded" }
                ),
            };
            let indent = if side_by_side { "        " } else { "      " };
            let _ = writeln!(text, "{indent}-> {callee}{}", self.terms(care, &terms));
        }
        if side_by_side {
            text.push_str("      }\n");
        }
    }

    /// A block, a part of it or none.
    fn terms(&mut self, care: Care, said: &str) -> String {
        match care {
            Care::Much => format!(" {{ {said} }}"),
            Care::Some if self.random.percent(60) => format!(" {{ {} }}", said.split(';').next().unwrap_or_default()),
            _ => String::new(),
        }
    }

    /// A service below a tier: mostly of the next one, and mostly one that many call. Once in many times one above.
    fn callee(&mut self, tier: usize) -> usize {
        let below = match self.random.up_to(100) {
            0 if tier > 1 && self.random.percent(10) => tier - 1,
            0..75 => tier + 1,
            _ => tier + 1 + self.random.index(TIERS.len() - tier - 1),
        };
        let (start, end) = (self.starts[below], self.starts[below + 1]);
        // The cube of a uniform number: the first of a tier get most of the calls.
        let place = self.random.up_to(1 << 20) as f64 / f64::from(1 << 20);
        (start + (place.powi(3) * (end - start) as f64) as usize).min(self.services.len() - 1)
    }

    /// One of its operations; of the reading ones, if it has some and that is asked for.
    fn operation_of(&mut self, index: usize, reads: bool) -> String {
        let (reading, writing) = self.services[index].operations.clone();
        let choices = if (reads && !reading.is_empty()) || writing.is_empty() { reading } else { writing };
        format!("{}.{}", self.services[index].name, self.random.one_of(&choices))
    }
}

/// Some of these, in their order; at least one.
fn few(random: &mut Random, names: &[&'static str], at_most: usize) -> Vec<&'static str> {
    let (first, count) = (random.index(names.len()), 1 + random.index(at_most));
    (first..names.len().min(first + count)).map(|index| names[index]).collect()
}
