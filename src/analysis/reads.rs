//! What one read gives: how consistent and how old its answer may be, by the store, by the copy that answers, and by
//! the caches in front of it.
//!
//! Two bounds are kept. `guaranteed` follows from what is stated; it is the meet of all hops. `denied` is what some hop
//! is stated not to give. What lies between depends on what is unstated. Ages add up along the hops: an entry of a cache
//! may be filled with an answer that was already old.

use super::Facts;
use super::consistency::{Model, Models};
use super::copies::{Invalidation, lag};
use super::interval::{Extent, Time};
use crate::ids::IdMap;
use crate::model::{Answer, CallId, NodeId, Stated};
use crate::vocabulary::{ElementKind, Key};

/// What a read gives.
#[derive(Clone, Debug)]
pub struct Reading<'a> {
    /// The strongest model that follows from what is stated.
    pub guaranteed: Model,
    /// The models that it is stated not to give.
    pub denied: Models,
    /// How old the answer may be.
    pub age: Time,
    /// The same if it says something, and if it says that there is nothing: caches keep each for a time of its own.
    ages: [Time; 2],
    /// What it passes, from the reader's side: caches, then the store; of very many, the first ones and the last.
    pub hops: Vec<ReadHop<'a>>,
    /// What is not stated and decides.
    pub unstated: Vec<Unstated>,
}

/// Something that is not stated and decides what a read gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unstated {
    /// The node on which it belongs.
    pub node: NodeId,
    /// The attribute.
    pub key: Key,
    /// Whether the model depends on it, and whether the age does.
    pub decides: (bool, bool),
}

/// One hop of a read.
#[derive(Clone, Copy, Debug)]
pub struct ReadHop<'a> {
    /// The store or cache.
    pub node: NodeId,
    /// What it does to the answer.
    pub kind: ReadHopKind,
    /// Where that is stated.
    pub stated: Option<Stated<'a>>,
    /// The age that it adds.
    pub age: Time,
}

/// What a hop does to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadHopKind {
    /// It gives this model.
    Gives(Model),
    /// A copy answers that may be behind.
    Replica,
    /// Too few copies are asked to be sure of one that has the last write.
    SmallQuorum,
    /// It keeps answers for a time.
    Cached,
}

impl<'a> Facts<'a> {
    /// Whether a call asks a store or cache for data. A bare arrow may.
    #[must_use]
    pub fn is_read(&self, call: CallId) -> bool {
        let topology = self.topology();
        let to = topology.callee(call);
        let name = topology.operation(to).name.map(|name| topology.text(name));
        match topology.kind_of(to) {
            ElementKind::Store => name.is_none() || self.write(call).is_none(),
            ElementKind::Cache => !matches!(name, Some("set" | "delete")),
            _ => false,
        }
    }

    /// What a read gives; none if the call is none.
    #[must_use]
    pub fn reading(&self, call: CallId) -> Option<Reading<'a>> {
        let node = self.topology().callee_node(call);
        match self.topology().node(node).kind {
            _ if !self.is_read(call) => None,
            ElementKind::Cache => self.cache_readings().get(&node).cloned(),
            _ => Some(self.store_reading(node, Some(call))),
        }
    }

    fn cache_readings(&self) -> &IdMap<NodeId, Reading<'a>> {
        self.cache_readings.get_or_init(|| {
            let fills = self.fills();
            let mut known: IdMap<NodeId, Reading<'a>> = IdMap::default();
            let topology = self.topology();
            for cache in topology.node_ids().filter(|id| topology.node(*id).kind == ElementKind::Cache) {
                for (cache, in_circle) in self.uncomputed(cache, &known) {
                    let fills = fills.get(&cache).map(Vec::as_slice).unwrap_or_default();
                    let base = if in_circle { unknown(Vec::new()) } else { self.base(cache, &known, fills) };
                    known.insert(cache, self.cached(cache, base));
                }
            }
            known
        })
    }

    /// A cache and those that it is a copy of, the furthest first, as far as they are not known yet; and whether each is
    /// in a circle of caches, of which nothing can be known.
    fn uncomputed(&self, cache: NodeId, known: &IdMap<NodeId, Reading<'a>>) -> Vec<(NodeId, bool)> {
        let mut places: IdMap<NodeId, usize> = IdMap::default();
        let mut chain = Vec::new();
        let mut next = Some(cache);
        let mut circle = usize::MAX;
        while let Some(at) = next.filter(|at| !known.contains_key(at)) {
            if let Some(place) = places.get(&at) {
                circle = *place;
                break;
            }
            places.insert(at, chain.len());
            chain.push(at);
            next = self.source_of(at).filter(|id| self.topology().node(*id).kind == ElementKind::Cache);
        }
        chain.into_iter().enumerate().map(|(place, cache)| (cache, place >= circle)).rev().collect()
    }

    /// The reads that fill each cache: those made on a miss.
    fn fills(&self) -> IdMap<NodeId, Vec<CallId>> {
        let topology = self.topology();
        let mut fills: IdMap<NodeId, Vec<CallId>> = IdMap::default();
        for call in topology.call_ids().filter(|call| self.is_made(*call) && self.is_read(*call)) {
            let missed = self.miss_of(call).filter(|cache| self.is_read(*cache));
            if let Some(cache) = missed {
                fills.entry(topology.callee_node(cache)).or_default().push(call);
            }
        }
        fills
    }

    /// What a cache is a copy of.
    pub(super) fn source_of(&self, cache: NodeId) -> Option<NodeId> {
        self.cascade().node(cache, Key::Of).given().and_then(|stated| stated.setting.nodes().next())
    }

    /// The answers that a cache is filled with: the worst of all.
    fn base(&self, cache: NodeId, known: &IdMap<NodeId, Reading<'a>>, fills: &[CallId]) -> Reading<'a> {
        let Some(source) = self.source_of(cache) else {
            let unread = matches!(self.cascade().node(cache, Key::Of), Answer::Unreadable);
            return if unread {
                unknown(Vec::new()).aged(Time::ZERO)
            } else {
                unknown(vec![Unstated { node: cache, key: Key::Of, decides: (false, true) }])
            };
        };
        match self.topology().node(source).kind {
            ElementKind::Cache => known.get(&source).cloned().unwrap_or_else(|| unknown(Vec::new())),
            ElementKind::Store => {
                let drawn = fills.iter().map(|call| self.store_reading(source, Some(*call)));
                drawn.reduce(worse).unwrap_or_else(|| self.store_reading(source, None))
            }
            _ => unknown(Vec::new()),
        }
    }

    /// An answer that has passed a cache. Without a stated model it is at best eventual, for as long as it is kept.
    fn cached(&self, cache: NodeId, base: Reading<'a>) -> Reading<'a> {
        let mut reading = base;
        if matches!(self.cascade().node(cache, Key::Model), Answer::Unreadable) {
            return reading;
        }
        let ttl = self.cascade().node(cache, Key::Ttl);
        let kept = match ttl {
            Answer::Given(stated) => self.kept_for(cache, stated),
            Answer::None(_) | Answer::Unreadable => [Time::ZERO; 2],
            Answer::Unstated => [Time::at_least(Extent::ZERO); 2],
        };
        let told = self.source_of(cache).map_or(Invalidation::None, |source| self.invalidation(cache, source));
        // What is filled with an old answer after the change was told of keeps it, and so does what is never told.
        let aged = match told {
            Invalidation::None => kept,
            Invalidation::Sure if reading.age == Time::ZERO => [Time::ZERO; 2],
            _ => kept.map(|kept| Time { at_least: Extent::ZERO, ..kept }),
        };
        let hop = |kind, stated, age| ReadHop { node: cache, kind, stated, age };
        if let Answer::Given(stated) = self.cascade().node(cache, Key::Model)
            && let Some(model) = model_of(stated)
        {
            let aged = if model.implies(Model::Linearizable) { [Time::ZERO; 2] } else { aged };
            let age = reading.older_by(aged);
            reading.guaranteed = reading.guaranteed.meet(model);
            reading.denied = reading.denied.or(Models::above(model, false));
            reading.passes(hop(ReadHopKind::Gives(model), Some(stated), age));
            return reading;
        }
        let age = reading.older_by(aged);
        if kept == [Time::ZERO; 2] {
            return reading;
        }
        reading.guaranteed = reading.guaranteed.meet(Model::Eventual);
        reading.passes(hop(ReadHopKind::Cached, ttl.given(), age));
        if ttl.given().is_some() {
            reading.denied = reading.denied.or(late());
        } else {
            reading.unstated.insert(0, Unstated { node: cache, key: Key::Ttl, decides: (true, age != Time::ZERO) });
            reading.unstated.truncate(MAX_HOPS);
        }
        reading
    }

    /// How long a cache serves what it holds, and that there is nothing: if nothing is said of that, perhaps as long.
    fn kept_for(&self, cache: NodeId, ttl: Stated<'_>) -> [Time; 2] {
        let extent = |stated: Stated<'_>| stated.setting.duration().map_or(Extent::Unbounded, Extent::Finite);
        let nothing = match self.cascade().node(cache, Key::NegativeTtl) {
            Answer::Given(stated) => Time::exactly(extent(stated)),
            Answer::None(_) | Answer::Unreadable => Time::ZERO,
            Answer::Unstated => Time { at_least: Extent::ZERO, at_most: Some(extent(ttl)) },
        };
        [Time::exactly(extent(ttl)), nothing]
    }

    /// What a store answers, to one call or to nobody in particular.
    fn store_reading(&self, store: NodeId, call: Option<CallId>) -> Reading<'a> {
        let mut reading = self.by_model(store);
        let replication = self.cascade().node(store, Key::Replication).given();
        match self.asked(store, call) {
            Asked::Current => reading.aged(Time::ZERO),
            Asked::Perhaps(key) => reading.perhaps(store, key, perhaps(replication)),
            Asked::Behind(kind, from) => {
                let age = lag(replication);
                let token = call.map_or(Answer::Unstated, |call| self.cascade().call(call, &[Key::SessionToken]));
                match token {
                    // A copy that has not yet what the session has seen waits, or lets another one answer.
                    Answer::Given(_) | Answer::Unreadable => {
                        reading.guaranteed = reading.guaranteed.meet(Model::Causal);
                        reading.denied = reading.denied.or(Models::above(Model::Causal, false));
                    }
                    // What a store gives to each session it may give by such a token, unless there is none.
                    Answer::Unstated if reading.guaranteed.is_of_session() => {
                        reading.guaranteed = reading.guaranteed.meet(Model::Eventual);
                        reading.unstated.push(Unstated { node: store, key: Key::SessionToken, decides: (true, false) });
                    }
                    Answer::None(_) | Answer::Unstated => {
                        reading.guaranteed = reading.guaranteed.meet(Model::Eventual);
                        reading.denied = reading.denied.or(late());
                    }
                }
                reading.passes(ReadHop { node: store, kind, stated: Some(from), age });
                reading.aged(age)
            }
            // What always gives the last write has no copies that are behind.
            Asked::Unstated if reading.guaranteed.implies(Model::Linearizable) => reading.aged(Time::ZERO),
            Asked::Unstated => {
                let unstated = Unstated { node: store, key: Key::Replication, decides: (false, true) };
                reading.unstated.push(unstated);
                reading.aged(Time::at_least(Extent::ZERO))
            }
        }
    }

    /// Which copies of a store answer a call. How many of them a write waits for, a quorum says more exactly than `sync`.
    fn asked(&self, store: NodeId, call: Option<CallId>) -> Asked<'a> {
        let replication = match self.cascade().node(store, Key::Replication) {
            // One copy, or something that could not be read.
            Answer::None(_) | Answer::Unreadable => return Asked::Current,
            Answer::Given(stated) => Some(stated),
            Answer::Unstated => None,
        };
        let from = match self.read_from(store, call) {
            Answer::Given(stated) => Some(stated),
            Answer::None(_) | Answer::Unreadable => return Asked::Current,
            Answer::Unstated => None,
        };
        if matches!(self.cascade().node(store, Key::Quorum), Answer::Unreadable) {
            return Asked::Current;
        }
        let asks = from.and_then(|stated| stated.setting.words().next());
        let replicated = replication.is_some_and(|stated| !stated.setting.says("sync"));
        match (asks, from, self.quorum(store)) {
            (Some("leader"), ..) => Asked::Current,
            (Some("replica"), _, Some(quorum)) if quorum.of_one().overlaps() => Asked::Current,
            (Some("replica"), Some(from), Some(_)) => Asked::Behind(ReadHopKind::Replica, from),
            (_, _, Some(quorum)) if quorum.overlaps() => Asked::Current,
            (_, from, Some(quorum)) => Asked::Behind(ReadHopKind::SmallQuorum, from.unwrap_or(quorum.stated)),
            _ if replication.is_some() && !replicated => Asked::Current,
            (Some("replica"), Some(from), None) if replicated => Asked::Behind(ReadHopKind::Replica, from),
            (Some("replica"), ..) => Asked::Perhaps(Key::Replication),
            (Some(_), ..) => Asked::Perhaps(Key::Quorum),
            (None, ..) if replicated => Asked::Perhaps(Key::ReadFrom),
            (None, ..) => Asked::Unstated,
        }
    }

    /// Where a call, or whoever says nothing of it, reads from.
    #[must_use]
    pub fn read_from(&self, store: NodeId, call: Option<CallId>) -> Answer<'a> {
        match call.map_or(Answer::Unstated, |call| self.cascade().call(call, &[Key::ReadFrom])) {
            Answer::Unstated => self.cascade().node(store, Key::ReadFrom),
            own => own,
        }
    }

    /// What the stated model of a store says; of what could not be read nothing is to be said.
    fn by_model(&self, store: NodeId) -> Reading<'a> {
        let answer = self.cascade().node(store, Key::Model);
        let model = answer.given().and_then(model_of);
        let guaranteed = match (model, answer) {
            (Some(model), _) => model,
            (None, Answer::Unstated) => Model::Eventual,
            (None, _) => Model::StrictSerializable,
        };
        let kind = ReadHopKind::Gives(guaranteed);
        let hop = model.map(|_| ReadHop { node: store, kind, stated: answer.given(), age: Time::ZERO });
        let unstated = Unstated { node: store, key: Key::Model, decides: (true, false) };
        let unstated = matches!(answer, Answer::Unstated).then_some(unstated);
        Reading {
            guaranteed,
            denied: model.map_or(Models::default(), |model| Models::above(model, false)),
            age: Time::ZERO,
            ages: [Time::ZERO; 2],
            hops: hop.into_iter().collect(),
            unstated: unstated.into_iter().collect(),
        }
    }
}

/// Which copies answer.
enum Asked<'a> {
    /// One that has every write.
    Current,
    /// One that may be behind.
    Behind(ReadHopKind, Stated<'a>),
    /// That depends on what is not stated.
    Perhaps(Key),
    /// Nothing says that there are copies.
    Unstated,
}

/// So many hops of a read are kept, so that a chain of caches of any length costs no more than its length.
const MAX_HOPS: usize = 16;

impl<'a> Reading<'a> {
    /// One hop more, on the reader's side.
    fn passes(&mut self, hop: ReadHop<'a>) {
        if self.hops.len() == MAX_HOPS {
            self.hops.remove(MAX_HOPS - 2);
        }
        self.hops.insert(0, hop);
    }

    fn aged(self, age: Time) -> Self {
        Self { age, ages: [age; 2], ..self }
    }

    /// It is kept for so long, what is there and that there is nothing; the longer of both.
    fn older_by(&mut self, [something, nothing]: [Time; 2]) -> Time {
        let [there, absent] = self.ages;
        let (there, absent) = (there.plus(something), absent.plus(nothing));
        self.ages = [there, absent];
        self.age = there.max(absent);
        something.max(nothing)
    }

    /// What is guaranteed if one thing more is not stated.
    fn perhaps(mut self, node: NodeId, key: Key, age: Time) -> Self {
        self.guaranteed = self.guaranteed.meet(Model::Eventual);
        self.unstated.insert(0, Unstated { node, key, decides: (true, true) });
        self.aged(age)
    }
}

/// An answer of which nothing is known, so that it takes nothing away.
fn unknown<'a>(unstated: Vec<Unstated>) -> Reading<'a> {
    Reading {
        guaranteed: Model::StrictSerializable,
        denied: Models::default(),
        age: Time::at_least(Extent::ZERO),
        ages: [Time::at_least(Extent::ZERO); 2],
        hops: Vec::new(),
        unstated,
    }
}

/// What an answer that may be behind a write does not give: all that lets a session see what it has written.
fn late() -> Models {
    Models::above(Model::ReadYourWrites, true)
}

fn model_of(stated: Stated<'_>) -> Option<Model> {
    stated.setting.words().find_map(Model::named)
}

/// The age if a copy may answer, or not.
fn perhaps(replication: Option<Stated<'_>>) -> Time {
    Time { at_least: Extent::ZERO, ..lag(replication) }
}

/// The worse of two answers, in every respect.
fn worse<'a>(one: Reading<'a>, other: Reading<'a>) -> Reading<'a> {
    let guaranteed = one.guaranteed.meet(other.guaranteed);
    let (denied, age) = (one.denied.or(other.denied), one.age.max(other.age));
    let older = (other.age.at_least, other.hops.len()) > (one.age.at_least, one.hops.len());
    let mut unstated = one.unstated.clone();
    unstated.extend(other.unstated.iter().filter(|known| !one.unstated.contains(known)));
    let hops = if older { other.hops } else { one.hops };
    let ([there, absent], [other_there, other_absent]) = (one.ages, other.ages);
    let ages = [there.max(other_there), absent.max(other_absent)];
    Reading { guaranteed, denied, age, ages, hops, unstated }
}
