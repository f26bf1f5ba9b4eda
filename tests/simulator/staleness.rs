//! How old answers are: writes and reads through copies that lag, quorums, and caches that keep what they were filled
//! with, and that are told of changes or not. No read may be older than what is proved, and what is said to be reached
//! is reached. Written from the rulings: it plays what was drawn, and knows the analysis by its two numbers only.
//!
//! An answer is as old as the time since the value in it was replaced, at the instant at which the store or cache
//! answers: no time that an answer is on its way counts, neither to a reader nor into a cache.

use topolint::analysis::{Extent, Facts, Need, Time};
use topolint::diagnostic::Certainty;
use topolint::model::CallId;

use super::asked;
use super::clock::Instant;
use super::freshness::{Drawn, From, Reader, Told};
use super::graph::Written;
use super::properties::{nanoseconds, shown};
use super::random::Random;
use super::subject::Subject;

/// So many topologies, if nothing else is asked for.
const TOPOLOGIES: u64 = 800;

/// Runs of one.
const RUNS: u64 = 8;

/// Reads and writes of one run.
const EVENTS: u64 = 40;

const SECOND: Instant = 1_000_000_000;

/// The longest that a message is on its way which tells a cache of a change, where it is not there at once.
const ON_THE_WAY: Instant = 3 * SECOND;

/// One play: when each version was written, when each copy has it, what the caches hold.
struct Play<'d> {
    drawn: &'d Drawn,
    random: Random,
    now: Instant,
    /// Whether each open choice makes answers as old as it can.
    adverse: bool,
    /// Of each store: when each version came, and whether it says that there is nothing.
    writes: Vec<Vec<(Instant, bool)>>,
    /// Of each store, of each version, when each copy has it.
    copied: Vec<Vec<Vec<Instant>>>,
    /// What each cache holds: the version, and since when.
    entries: Vec<Option<(usize, Instant)>>,
    /// Of each cache, when entries are still to be removed.
    removals: Vec<Vec<Instant>>,
    /// The longest that caches are told late.
    delay: Instant,
}

impl<'d> Play<'d> {
    fn new(drawn: &'d Drawn, seed: u64, delay: Instant) -> Self {
        let mut random = Random::seeded(seed);
        Self {
            drawn,
            now: 1,
            adverse: false,
            writes: drawn.stores.iter().map(|_| vec![(0, random.percent(50))]).collect(),
            copied: drawn.stores.iter().map(|store| vec![vec![0; store.copies()]]).collect(),
            entries: vec![None; drawn.caches.len()],
            removals: vec![Vec::new(); drawn.caches.len()],
            delay,
            random,
        }
    }

    /// Something is written now: copies that the write waits for have it at once, the others when it arrives.
    fn write(&mut self, store: usize, nothing: bool) {
        let stated = &self.drawn.stores[store];
        let (all, at_once) = (stated.copies(), stated.written_at_once());
        // Without a quorum the first copy is the leader. What is not stated may be an hour.
        let first = if stated.quorum.is_some() { self.random.index(all) } else { 0 };
        let usual = if self.adverse { stated.lag.unwrap_or(0) } else { 3_600 * SECOND };
        let longest = stated.worst.unwrap_or(usual);
        let mut arrives = vec![self.now; all];
        for number in at_once..all {
            let lag = if self.adverse { longest } else { self.random.one_of(&[0, longest, longest / 2, longest]) };
            arrives[(first + number) % all] = self.now + lag;
        }
        self.writes[store].push((self.now, nothing));
        self.copied[store].push(arrives);
        for cache in (0..self.drawn.caches.len()).filter(|cache| self.drawn.caches[*cache].store == store) {
            let arrives = match self.drawn.caches[cache].told {
                None | Some(Told::AtMostOnce) => false,
                Some(Told::GivenUp) => self.adverse || self.random.percent(70),
                Some(Told::Reliably) => true,
            };
            if arrives {
                let late = self.random.one_of(&[0, self.delay, self.delay / 2]);
                self.removals[cache].push(self.now + late);
            }
        }
        self.remove();
    }

    /// Entries are removed when their caches hear of a change.
    fn remove(&mut self) {
        for (entry, removals) in self.entries.iter_mut().zip(&mut self.removals) {
            if removals.iter().any(|at| *at <= self.now && entry.is_some_and(|(_, filled)| filled <= *at)) {
                *entry = None;
            }
            removals.retain(|at| *at > self.now);
        }
    }

    /// The version that a store answers with.
    fn store(&mut self, store: usize, from: From) -> usize {
        let stated = &self.drawn.stores[store];
        let asked = stated.asked(from, &mut self.random);
        if stated.is_current() || asked == 0 {
            return self.writes[store].len() - 1;
        }
        let has = |copy: usize| {
            let versions = self.copied[store].iter().enumerate().filter(|(_, at)| at[copy] <= self.now);
            versions.map(|(version, _)| version).max().unwrap_or(0)
        };
        let mut copies: Vec<usize> = (0..stated.copies()).map(has).collect();
        copies.sort_unstable();
        while copies.len() > asked {
            // The newest are not asked, if that is open.
            let at = if self.adverse { copies.len() - 1 } else { self.random.index(copies.len()) };
            copies.remove(at);
        }
        copies.last().copied().unwrap_or(0)
    }

    /// The version that a cache answers with, filled by one of those who fill it.
    fn cache(&mut self, cache: usize) -> usize {
        let stated = &self.drawn.caches[cache];
        if let Some((version, filled)) = self.entries[cache]
            && self.now < filled.saturating_add(self.kept(cache, version))
        {
            return version;
        }
        let version = match stated.of {
            Some(of) => self.cache(of),
            None if stated.fills.is_empty() => self.store(stated.store, From::Unsaid),
            None if self.adverse => {
                let versions = stated.fills.iter().map(|from| self.store(stated.store, *from));
                versions.min().unwrap_or(0)
            }
            None => {
                let from = self.random.one_of(&stated.fills);
                self.store(stated.store, from)
            }
        };
        self.entries[cache] = Some((version, self.now));
        version
    }

    fn kept(&self, cache: usize, version: usize) -> Instant {
        let stated = &self.drawn.caches[cache];
        let nothing = self.writes[stated.store][version].1;
        let said = if nothing { stated.negative } else { stated.ttl };
        // What is not stated may be an hour; that there is nothing may be kept like everything else.
        let unsaid = if nothing { stated.ttl.unwrap_or(0) } else { 3_600 * SECOND };
        said.unwrap_or(if self.adverse { 0 } else { unsaid })
    }

    fn read(&mut self, reader: &Reader) -> Instant {
        let version = match reader.cache {
            Some(cache) => self.cache(cache),
            None => self.store(reader.store, reader.from),
        };
        self.writes[reader.store].get(version + 1).map_or(0, |(at, _)| self.now - at)
    }

    /// An instant before something changes, or any.
    fn next(&mut self) -> Instant {
        let held = self.entries.iter().enumerate().filter_map(|(cache, entry)| Some((cache, (*entry)?)));
        let ends = held.map(|(cache, (version, filled))| filled.saturating_add(self.kept(cache, version)));
        let arrivals = self.copied.iter().flatten().flatten().copied();
        let mut next: Vec<Instant> = ends.chain(arrivals).chain(self.removals.iter().flatten().copied()).collect();
        next.retain(|at| *at > self.now + 1);
        let some = self.now + 1 + self.random.up_to(30 * SECOND);
        if next.is_empty() || self.random.percent(30) { some } else { self.random.one_of(&next) - 1 }
    }
}

/// The oldest answer of each reader in a run.
fn oldest(drawn: &Drawn, seed: u64, delay: Instant) -> Vec<Instant> {
    let mut play = Play::new(drawn, seed, delay);
    let mut oldest = vec![0; drawn.readers.len()];
    for _ in 0..EVENTS {
        if play.random.percent(60) {
            play.now = play.next();
        }
        play.remove();
        if play.random.percent(25) {
            let (store, nothing) = (play.random.index(drawn.stores.len()), play.random.percent(30));
            play.write(store, nothing);
        }
        let reader = play.random.index(drawn.readers.len());
        oldest[reader] = oldest[reader].max(play.read(&drawn.readers[reader]));
    }
    oldest
}

/// An answer that comes as late as it can: a store changes, its copies hear of it after `lag`, each cache is filled at
/// the last instant of the one behind it, and read at its own. What was there before may be that there is nothing.
fn latest(drawn: &Drawn, reader: &Reader, (lag, nothing): (Instant, bool), log: &mut Vec<String>) -> Instant {
    let mut play = Play { adverse: true, ..Play::new(drawn, 0, 0) };
    let behind = |cache: &usize| drawn.caches[*cache].of;
    let mut chain: Vec<usize> = std::iter::successors(reader.cache, behind).collect();
    chain.reverse();
    let (store, written) = (reader.store, 10 * SECOND);
    play.writes[store][0].1 = nothing;
    play.now = written + lag - 1;
    let mut is_written = false;
    for cache in &chain {
        play.write_by(store, written, &mut is_written, log);
        let version = play.cache(*cache);
        log.push(format!("{}: k{cache} is filled with version {version}", shown(play.now)));
        let told = matches!(drawn.caches[*cache].told, Some(Told::Reliably | Told::GivenUp));
        play.now += if told { 0 } else { play.kept(*cache, version).max(1) - 1 };
    }
    play.write_by(store, written, &mut is_written, log);
    let age = play.read(reader);
    log.push(format!("{}: the answer is {} old", shown(play.now), shown(age)));
    age
}

impl Play<'_> {
    /// The write, if it was before now and has not been.
    fn write_by(&mut self, store: usize, at: Instant, done: &mut bool, log: &mut Vec<String>) {
        let now = self.now;
        if !*done && at <= now {
            (self.now, *done) = (at, true);
            let nothing = !self.writes[store][0].1;
            self.write(store, nothing);
            log.push(format!("{}: d{store} is written: version 1 replaces version 0", shown(at)));
            self.now = now;
        }
    }
}

/// The call by which a reader gets its answer.
fn read_of(facts: &Facts<'_>, drawn: &Drawn, number: usize) -> CallId {
    let topology = facts.topology();
    let reader = &drawn.readers[number];
    let to = reader.cache.map_or_else(|| format!("d{}.read", reader.store), |cache| format!("k{cache}.get"));
    let ends = (format!("r{number}"), to);
    let named = |id: &CallId| {
        let call = topology.call(*id);
        (topology.operation_name(call.from), topology.operation_name(call.to)) == ends
    };
    topology.call_ids().find(named).unwrap_or_else(|| panic!("no call {ends:?}"))
}

fn each_topology(look: impl Fn(u64, &Drawn, &str, &Facts<'_>)) -> u64 {
    let all = asked("SIMULATIONS").map_or(TOPOLOGIES, |wanted| wanted / 10);
    let first = asked("SEED").unwrap_or(0);
    for seed in first..first + all {
        let drawn = Drawn::draw(seed);
        let text = drawn.written();
        Subject::read(&Written { text: text.clone(), places: Vec::new() })
            .with(|facts| look(seed, &drawn, &text, facts));
    }
    all
}

/// `at_most` is a bound for every schedule in which a change is told of at once: how long it is on its way nobody
/// states, so that much comes on top for a cache that relies on it.
#[test]
fn no_answer_is_older_than_what_is_proved() {
    let bounds = std::cell::Cell::new([0_u64; 2]);
    let all = each_topology(|seed, drawn, text, facts| {
        let ages: Vec<Time> =
            (0..drawn.readers.len()).map(|number| facts.reading(read_of(facts, drawn, number)).unwrap().age).collect();
        for run in 0..RUNS {
            let delay = if run % 4 == 3 { ON_THE_WAY } else { 0 };
            for (number, (age, old)) in ages.iter().zip(oldest(drawn, seed * 100 + run, delay)).enumerate() {
                let most = age.at_most.map(nanoseconds);
                let late = drawn.readers[number].cache.map_or(0, |_| delay);
                assert!(
                    most.is_none_or(|most| old <= most.saturating_add(late)),
                    "seed {seed}, run {run}: an answer of r{number} was {} old, at most {} was proved\n{text}",
                    shown(old),
                    shown(most.unwrap_or(0)),
                );
                let [known, unknown] = bounds.get();
                bounds.set([known + u64::from(most.is_some()), unknown + u64::from(most.is_none())]);
            }
        }
    });
    let [known, unknown] = bounds.get();
    println!("{all} topologies, {RUNS} runs each: {known} times within a bound, {unknown} times none was stated");
    assert!(known > 300, "a bound was tried {known} times only");
}

/// `at_least` can be reached, and whatever is reported as proved to be too old is too old.
#[test]
fn what_is_said_to_be_so_old_is_so_old() {
    let counts = std::cell::RefCell::new([0_u64; 3]);
    each_topology(|seed, drawn, text, facts| {
        for (number, reader) in drawn.readers.iter().enumerate() {
            let read = read_of(facts, drawn, number);
            let least = facts.reading(read).unwrap().age.at_least;
            let stated = &drawn.stores[reader.store];
            let lags = [0, stated.worst.or(stated.lag).unwrap_or(0)];
            let tried = lags.into_iter().flat_map(|lag| [(lag, false), (lag, true)]).map(|(lag, nothing)| {
                let mut log = Vec::new();
                let age = latest(drawn, reader, (lag, nothing), &mut log);
                (age, log)
            });
            let (age, log) = tried.max_by_key(|(age, _)| *age).unwrap();
            let Extent::Finite(least) = least else { continue };
            let least = least.nanoseconds();
            let reached = age + 100 >= least;
            assert!(reached, "seed {seed}: r{number} can be {} old\n{text}\n{}", shown(least), log.join("\n"));
            let mut counts = counts.borrow_mut();
            counts[0] += u64::from(least > 0);
            let too_old =
                |unmet: &&topolint::analysis::Unmet<'_>| unmet.read == read && unmet.certainty == Certainty::Proved;
            for unmet in facts.unmet_needs().iter().filter(too_old) {
                let Need::Age(most) = unmet.need else { continue };
                counts[1] += 1;
                assert!(
                    age > most.nanoseconds(),
                    "seed {seed}: r{number} is not older than {most}\n{text}\n{}",
                    log.join("\n")
                );
                if asked("SHOW").is_some_and(|shown| shown >= counts[1]) {
                    println!("r{number} can be older than {most}\n{text}\n{}\n", log.join("\n"));
                }
            }
        }
    });
    let [ages, findings, _] = *counts.borrow();
    println!("{ages} ages and {findings} findings, all of them reached within 100 ns");
    assert!(ages > 300 && findings > 200, "{ages} ages, {findings} findings");
}
