//! What is not met in a small topology, found by walking every way from each statement of a need to each read: each
//! call is passed twice at most, nothing is joined.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::Count;
use super::order::{SESSION, implies, meet, words};
use super::world::{Copies, From, Need, Stated, Store, Target, World};

/// What a read gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    pub guaranteed: &'static str,
    pub denied: BTreeSet<&'static str>,
    /// In seconds, at least and at most.
    pub least: u64,
    pub most: Option<u64>,
}

pub const FOREVER: u64 = u64::MAX;

/// What a walk has found at a read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    pub proved: bool,
    pub need: Need,
    /// The call on which the session may lose its place, if that is why.
    pub lost: Option<usize>,
    pub way: Vec<usize>,
}

/// The read, whether an age is needed, and whether the session is why.
pub type Row = (usize, bool, bool);

#[derive(Clone, Copy)]
enum Session {
    Kept,
    Unknown(usize),
    Lost(usize),
}

impl World {
    pub fn reads(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.calls.len()).filter(|call| self.is_read(*call))
    }

    fn is_read(&self, call: usize) -> bool {
        matches!(self.calls[call].to, Target::Store(_, "read" | "") | Target::Cache(_, "get" | ""))
    }

    /// A call is made while requests are served; inside a fallback only if the call that it replaces is.
    fn is_made(&self, call: usize) -> bool {
        let head = self.head(call);
        let starts = self.calls[call].startup || (head != call && self.calls[head].startup);
        !starts && !self.calls[call].never && !self.calls[head].never
    }

    /// The call in whose fallback it stands, or itself.
    fn head(&self, call: usize) -> usize {
        if self.calls[call].inside { self.head(call - 1) } else { call }
    }

    pub fn reading(&self, read: usize) -> Reading {
        match self.calls[read].to {
            Target::Store(store, _) => self.stores[store].reading(self.calls[read].read_from),
            Target::Cache(cache, _) => self.of_cache(cache),
            Target::Service(_) => panic!("no read"),
        }
    }

    fn of_cache(&self, own: usize) -> Reading {
        let cache = &self.caches[own];
        let base = self.base(own);
        let kept = match cache.ttl {
            Some(Count::Of(ttl)) => (ttl, Some(ttl)),
            Some(Count::Unlimited) => (FOREVER, Some(FOREVER)),
            None => (0, None),
        };
        let mut denied = base.denied;
        if let Some(model) = cache.model {
            denied.extend(words().into_iter().filter(|word| *word != model && implies(word, model)));
            let kept = if implies(model, "linearizable") { (0, Some(0)) } else { kept };
            return Reading { guaranteed: meet(base.guaranteed, model), denied, ..aged(base.least, base.most, kept) };
        }
        if cache.ttl.is_some() {
            denied.extend(late());
        }
        Reading { guaranteed: "eventual", denied, ..aged(base.least, base.most, kept) }
    }

    /// Everything that a cache may be filled with, one reading for all of it.
    fn base(&self, own: usize) -> Reading {
        let unknown = Reading { guaranteed: "strict-serializable", denied: BTreeSet::new(), least: 0, most: None };
        let Some(of) = self.caches[own].of else { return unknown };
        let (mut at, mut steps) = (of, 0);
        while at >= self.stores.len() {
            if at - self.stores.len() == own || steps > self.caches.len() {
                break;
            }
            let Some(next) = self.caches[at - self.stores.len()].of else { break };
            (at, steps) = (next, steps + 1);
        }
        if at >= self.stores.len() && at - self.stores.len() == own {
            return unknown;
        }
        if of >= self.stores.len() {
            return self.of_cache(of - self.stores.len());
        }
        let fills: Vec<Reading> =
            self.reads().filter(|read| self.fills(*read, own, of)).map(|read| self.reading(read)).collect();
        let all = fills.into_iter().reduce(|one, other| Reading {
            guaranteed: meet(one.guaranteed, other.guaranteed),
            denied: one.denied.union(&other.denied).copied().collect(),
            least: one.least.max(other.least),
            most: one.most.zip(other.most).map(|(one, other)| one.max(other)),
        });
        all.unwrap_or_else(|| self.stores[of].reading(None))
    }

    /// Whether a read of a store comes after a read of this cache of it, in the same operation, outside of fallbacks.
    fn fills(&self, read: usize, cache: usize, store: usize) -> bool {
        let of_store = |number: usize| self.caches[number].of == Some(store);
        let counts = |call: usize| {
            self.calls[call].from == self.calls[read].from && !self.calls[call].inside && self.is_made(call)
        };
        let got = |call: usize| matches!(self.calls[call].to, Target::Cache(number, "get" | "") if of_store(number));
        let last = (0..read).rev().find(|call| counts(*call) && got(*call));
        let reads_store = matches!(self.calls[read].to, Target::Store(number, _) if number == store);
        let of_this = |call: usize| matches!(self.calls[call].to, Target::Cache(number, _) if number == cache);
        reads_store && self.is_made(read) && !self.calls[read].inside && last.is_some_and(of_this)
    }

    /// All that is missed at every read, way by way; none if there are too many ways.
    pub fn missed(&self) -> Option<BTreeMap<Row, Vec<Missed>>> {
        let mut walk = Walk { world: self, found: BTreeMap::new(), passed: vec![0; self.calls.len()], left: 20_000 };
        for (number, service) in self.services.iter().enumerate() {
            if let Some(need) = service.need {
                walk.onwards(number, need, Session::Kept, &mut Vec::new());
            }
        }
        for (number, call) in self.calls.iter().enumerate() {
            if let Stated::Need(need) = call.needs {
                walk.pass(number, need, Session::Kept, &mut Vec::new());
            }
        }
        (walk.left > 0).then_some(walk.found)
    }

    fn session(&self, id: usize, before: Session) -> Session {
        let call = &self.calls[id];
        let several = match call.to {
            Target::Service(number) => self.services[number].instances.is_some_and(|(_, most)| most > 1),
            Target::Store(number, _) => {
                let store = &self.stores[number];
                let behind = matches!(store.copies, Copies::Unsaid | Copies::Async(..));
                let from = call.read_from.or(store.from);
                let any = from == Some(From::Replica) || (from.is_none() && store.quorum.is_none());
                store.several && behind && any
            }
            Target::Cache(..) => false,
        };
        match (before, call.sticky) {
            _ if call.local || !several => before,
            (Session::Kept | Session::Unknown(_), Some(false)) => Session::Lost(id),
            (Session::Kept, None) => Session::Unknown(id),
            _ => before,
        }
    }
}

struct Walk<'w> {
    world: &'w World,
    found: BTreeMap<Row, Vec<Missed>>,
    passed: Vec<u8>,
    left: u32,
}

impl Walk<'_> {
    fn onwards(&mut self, service: usize, need: Need, session: Session, way: &mut Vec<usize>) {
        for call in 0..self.world.calls.len() {
            if self.world.calls[call].from == service && self.world.calls[call].needs == Stated::Nothing {
                self.pass(call, need, session, way);
            }
        }
    }

    fn pass(&mut self, id: usize, need: Need, session: Session, way: &mut Vec<usize>) {
        let call = &self.world.calls[id];
        if !call.waits || !self.world.is_made(id) || self.passed[id] == 2 || self.left == 0 {
            return;
        }
        self.left -= 1;
        self.passed[id] += 1;
        way.push(id);
        let session = self.world.session(id, session);
        if let Target::Service(to) = call.to {
            self.onwards(to, need, session, way);
        } else if self.world.is_read(id)
            && let Some((proved, lost)) = verdict(need, &self.world.reading(id), session)
        {
            let row = (id, matches!(need, Need::Age(_)), lost.is_some());
            self.found.entry(row).or_default().push(Missed { proved, need, lost, way: way.clone() });
        }
        way.pop();
        self.passed[id] -= 1;
    }
}

/// Whether a need is missed for sure, and on which call because of the session; none if it is met.
fn verdict(need: Need, reading: &Reading, session: Session) -> Option<(bool, Option<usize>)> {
    let model = match need {
        Need::Model(model) => model,
        Need::Age(age) if reading.least > age => return Some((true, None)),
        Need::Age(age) => return reading.most.is_none_or(|most| most > age).then_some((false, None)),
    };
    if !implies(reading.guaranteed, model) {
        return Some((reading.denied.contains(model), None));
    }
    let held = !SESSION.contains(&reading.guaranteed) || !SESSION.contains(&model);
    match session {
        Session::Lost(call) if !held => Some((true, Some(call))),
        Session::Unknown(call) if !held => Some((false, Some(call))),
        _ => None,
    }
}

impl Store {
    fn reading(&self, call: Option<From>) -> Reading {
        let from = call.or(self.from);
        let guaranteed = self.model.unwrap_or("eventual");
        let stronger = |model| words().into_iter().filter(move |word| *word != model && implies(word, model));
        let denied: BTreeSet<&str> = self.model.into_iter().flat_map(stronger).collect();
        let fresh = Reading { guaranteed, denied: denied.clone(), least: 0, most: Some(0) };
        let unknown = |most| Reading { guaranteed: "eventual", denied: denied.clone(), least: 0, most };
        // What a store gives to each session, it may give by tokens.
        let tokens = SESSION.contains(&guaranteed);
        let behind = |(least, most)| Reading {
            guaranteed: "eventual",
            denied: denied.iter().copied().chain(late().filter(|_| !tokens)).collect(),
            least,
            most,
        };
        let (age, bound) = match self.copies {
            Copies::One => return fresh,
            Copies::Async(_, Some(worst)) => ((worst, Some(worst)), Some(worst)),
            Copies::Async(lag, None) => ((lag.unwrap_or(0), None), None),
            Copies::Sync | Copies::Unsaid => ((0, None), None),
        };
        let late = matches!(self.copies, Copies::Async(..));
        match (from, self.quorum) {
            (Some(From::Leader), _) => fresh,
            (Some(From::Replica), Some((copies, _, written))) if written + 1 > copies => fresh,
            (None | Some(From::Quorum), Some((copies, read, written))) if read + written > copies => fresh,
            (_, Some(_)) => behind(age),
            _ if self.copies == Copies::Sync => fresh,
            (Some(From::Replica), None) if late => behind(age),
            (Some(_), None) => unknown(bound),
            (None, None) if late => unknown(bound),
            (None, None) if implies(guaranteed, "linearizable") => fresh,
            (None, None) => Reading { most: None, ..fresh },
        }
    }
}

/// What cannot be had from an answer that may be older than what was just written.
fn late() -> impl Iterator<Item = &'static str> {
    words().into_iter().filter(|word| implies(word, "read-your-writes"))
}

fn aged(least: u64, most: Option<u64>, kept: (u64, Option<u64>)) -> Reading {
    let least = least.saturating_add(kept.0);
    let most = most.zip(kept.1).map(|(most, kept)| most.saturating_add(kept)).or((least == FOREVER).then_some(FOREVER));
    Reading { guaranteed: "eventual", denied: BTreeSet::new(), least, most }
}
