//! Which reads give less than what some reader above them needs.
//!
//! A need goes down the synchronous calls, from the call or operation that states it, until a store or cache answers; a
//! call that states a need of its own takes the place of what comes from above. On the way a session may lose its place:
//! where several instances answer and nothing keeps a client at one of them. So a walk carries what is needed and
//! whether the session is kept: a constant number of states an operation, each reached at most once.

use std::cmp::Reverse;
use std::collections::VecDeque;

use super::Facts;
use super::consistency::Model;
use super::effects::is_data;
use super::interval::Extent;
use super::reads::{Reading, Unstated};
use crate::diagnostic::Certainty;
use crate::model::{Answer, CallId, Duration, NodeId, OperationId, Stated};
use crate::vocabulary::{ElementKind, Key};

/// What a reader needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A consistency model.
    Model(Model),
    /// An answer that is not older.
    Age(Duration),
}

/// Who states a need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// An operation, of all that it reads.
    Operation(OperationId),
    /// A caller, of what one call reads.
    Call(CallId),
}

/// Why a read gives less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// What answers: the store, its copies, a cache.
    Answer,
    /// The session does not keep its place on this call.
    Session(CallId),
}

/// A need that a read does not meet, or is not known to.
#[derive(Clone, Debug)]
pub struct Unmet<'a> {
    /// The call that asks the store or cache.
    pub read: CallId,
    /// What it gives.
    pub reading: Reading<'a>,
    /// What is needed.
    pub need: Need,
    /// Who states that.
    pub who: Who,
    /// Where.
    pub stated: Stated<'a>,
    /// The calls from there down to the read; of a very long way, the last ones.
    pub path: Vec<CallId>,
    /// How many calls there are before the first one here.
    pub left_out: usize,
    /// Why.
    pub weakness: Weakness,
    /// Proved if what is stated gives less; possible if it only does not say that it gives as much.
    pub certainty: Certainty,
}

impl Unmet<'_> {
    /// What is not stated and decides whether the need is met.
    pub fn unstated(&self) -> impl Iterator<Item = Unstated> + '_ {
        let open = self.certainty == Certainty::Possible && self.weakness == Weakness::Answer;
        self.reading.unstated.iter().copied().filter(move |unstated| match self.need {
            Need::Model(_) => open && unstated.decides.0,
            Need::Age(_) => open && unstated.decides.1,
        })
    }
}

/// What all readers together need of one read, as far as they say so.
#[derive(Clone, Copy, Debug, Default)]
pub struct Demand {
    /// The weakest model that is enough for all of them.
    pub model: Option<Model>,
    /// The smallest age.
    pub age: Option<Duration>,
}

/// What is needed of reads, and which of it is not met.
#[derive(Debug)]
pub(super) struct Needs<'a> {
    unmet: Vec<Unmet<'a>>,
    demands: Vec<Option<Demand>>,
}

/// Whether a session keeps its place on a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Session {
    Kept,
    /// Perhaps not, on this call.
    Unknown(CallId),
    /// Not on this call.
    Lost(CallId),
}

/// A statement of a need.
#[derive(Clone, Copy)]
struct Source<'a> {
    who: Who,
    stated: Stated<'a>,
    need: Need,
}

/// One state of the walk: an operation from which something is needed.
#[derive(Clone, Copy)]
struct State {
    operation: OperationId,
    session: Session,
    source: usize,
    /// The call by which it was reached, and the state before.
    by: Option<CallId>,
    before: Option<usize>,
    /// How many calls there are on the way.
    depth: usize,
}

impl<'a> Facts<'a> {
    /// Needs that are not met, at most one row a read for each kind of need and weakness: the
    /// most certain first, then by name.
    #[must_use]
    pub fn unmet_needs(&self) -> &[Unmet<'a>] {
        &self.all_needs().unmet
    }

    /// What is stated to be needed of a read, by whoever reads; none if nobody says anything.
    #[must_use]
    pub fn demand(&self, read: CallId) -> Option<Demand> {
        self.all_needs().demands.get(read.index()).copied().flatten()
    }

    fn all_needs(&self) -> &Needs<'a> {
        self.needs.get_or_init(|| {
            let mut all = Needs { unmet: Vec::new(), demands: vec![None; self.topology().calls.len()] };
            let (mut of_models, mut of_age): (Vec<Source<'a>>, Vec<Source<'a>>) =
                self.needs().into_iter().partition(|source| matches!(source.need, Need::Model(_)));
            of_models.sort_by_key(|source| self.rank_of(source.who));
            // The tightest first, so that an operation is asked for it alone.
            let age = |source: &Source<'_>| if let Need::Age(age) = source.need { age } else { Duration::ZERO };
            of_age.sort_by_key(|source| (age(source), self.rank_of(source.who)));
            let models: Vec<usize> = (0..of_models.len()).collect();
            let one_by_one: Vec<Vec<usize>> = (0..of_age.len()).map(|source| vec![source]).collect();
            for (sources, rounds, slots) in [(of_models, vec![models], SLOTS), (of_age, one_by_one, 1)] {
                if sources.is_empty() {
                    continue;
                }
                let mut walk = Walk::new(self, &sources, slots, std::mem::take(&mut all.demands));
                for round in rounds {
                    walk.run(&round);
                }
                all.unmet.extend(walk.found.into_iter().flatten());
                all.demands = walk.demands;
            }
            all.unmet.sort_by_key(|unmet: &Unmet<'_>| (Reverse(unmet.certainty), self.call_rank(unmet.read)));
            all
        })
    }

    /// All statements of needs.
    fn needs(&self) -> Vec<Source<'a>> {
        let topology = self.topology();
        let operations = topology.operation_ids().filter(|id| !is_data(topology.kind_of(*id)));
        let operations = operations.map(|id| (Who::Operation(id), self.cascade().operation(id, Key::Needs)));
        let calls = topology.call_ids().filter(|call| !topology.call(*call).implied);
        let calls = calls.map(|id| (Who::Call(id), self.cascade().call(id, &[Key::Needs])));
        let promises = topology.operation_ids().filter_map(|id| {
            let slo = self.cascade().operation(id, Key::Slo).given()?;
            let setting = slo.setting.field(Key::Staleness).filter(|field| field.is_given())?;
            Some((Who::Operation(id), Stated { setting, origin: slo.origin }))
        });
        let stated = operations.chain(calls).filter_map(|(who, answer)| Some((who, answer.given()?))).chain(promises);
        stated.filter_map(|(who, stated)| Some(Source { who, stated, need: need_of(stated)? })).collect()
    }

    fn rank_of(&self, who: Who) -> (u32, u32, u32) {
        match who {
            Who::Operation(id) => (self.rank(id), 0, 0),
            Who::Call(id) => {
                let call = self.topology().call(id);
                (self.rank(call.from), self.rank(call.to) + 1, call.nth)
            }
        }
    }

    /// Whether a session keeps its place on one call.
    fn session_over(&self, call: CallId, before: Session) -> Session {
        let topology = self.topology();
        let node = topology.callee_node(call);
        if matches!(before, Session::Lost(_)) || self.is_local(call) || !self.may_scatter(call, node) {
            return before;
        }
        // What the session has seen travels with it.
        if self.cascade().call(call, &[Key::SessionToken]).may_be_given() {
            return before;
        }
        match self.cascade().call(call, &[Key::Sticky]) {
            Answer::None(_) => Session::Lost(call),
            Answer::Unstated if before == Session::Kept => Session::Unknown(call),
            _ => before,
        }
    }

    /// Whether a callee is stated to run in several places that may answer differently: copies of a store do so only
    /// where they may be behind, and are asked.
    fn may_scatter(&self, call: CallId, node: NodeId) -> bool {
        let several = self.instances(node).is_some_and(|(_, most)| most > 1);
        match self.topology().node(node).kind {
            ElementKind::Store => {
                let same = match self.cascade().node(node, Key::Replication) {
                    Answer::Given(stated) => stated.setting.says("sync"),
                    Answer::None(_) | Answer::Unreadable => true,
                    Answer::Unstated => false,
                };
                let asks_one = match self.read_from(node, Some(call)) {
                    Answer::Given(stated) => stated.setting.says("replica"),
                    // A quorum is what is asked where nothing else is said.
                    Answer::Unstated => self.quorum(node).is_none(),
                    Answer::None(_) | Answer::Unreadable => true,
                };
                several && !same && asks_one
            }
            ElementKind::Cache => false,
            _ => several,
        }
    }
}

fn need_of(stated: Stated<'_>) -> Option<Need> {
    let model = stated.setting.words().find_map(Model::named).map(Need::Model);
    model.or_else(|| stated.setting.duration().map(Need::Age))
}

/// States of one operation: a model, and what has become of the session.
const SLOTS: usize = Model::ALL.len() * 3;

/// So many calls of a way are kept, so that a chain of any length costs no more than its length.
const MAX_PATH: usize = 64;

struct Walk<'w, 'a> {
    facts: &'w Facts<'a>,
    sources: &'w [Source<'a>],
    slots: usize,
    states: Vec<State>,
    seen: Vec<bool>,
    queue: VecDeque<usize>,
    /// For each call, what is not met because of what answers, and because of the session.
    found: Vec<Option<Unmet<'a>>>,
    demands: Vec<Option<Demand>>,
}

impl<'w, 'a> Walk<'w, 'a> {
    fn new(facts: &'w Facts<'a>, sources: &'w [Source<'a>], slots: usize, demands: Vec<Option<Demand>>) -> Self {
        let topology = facts.topology();
        Self {
            facts,
            sources,
            slots,
            states: Vec::new(),
            seen: vec![false; topology.operations.len() * slots],
            queue: VecDeque::new(),
            found: vec![None; topology.calls.len() * 2],
            demands,
        }
    }

    fn run(&mut self, round: &[usize]) {
        for source in round {
            match self.sources.get(*source).map(|source| source.who) {
                Some(Who::Operation(operation)) => {
                    let start =
                        State { operation, session: Session::Kept, source: *source, by: None, before: None, depth: 0 };
                    self.enter(start);
                }
                Some(Who::Call(call)) => self.pass(call, *source, Session::Kept, None),
                None => {}
            }
        }
        while let Some(index) = self.queue.pop_front() {
            let Some(&state) = self.states.get(index) else { continue };
            let mut calls: Vec<CallId> = self.facts.topology().calls_from(state.operation).collect();
            calls.sort_by_key(|call| self.facts.call_rank(*call));
            for call in calls {
                // What a call states itself takes the place of what comes from above.
                if matches!(self.facts.cascade().call(call, &[Key::Needs]), Answer::Unstated) {
                    self.pass(call, state.source, state.session, Some(index));
                }
            }
        }
    }

    fn pass(&mut self, call: CallId, source: usize, session: Session, before: Option<usize>) {
        let topology = self.facts.topology();
        if !self.facts.is_awaited(call) || topology.call(call).implied {
            return;
        }
        let to = topology.callee(call);
        let Some(need) = self.sources.get(source).map(|source| source.need) else { return };
        let of_session = matches!(need, Need::Model(model) if model.is_of_session());
        let session = if of_session { self.facts.session_over(call, session) } else { Session::Kept };
        let depth = before.and_then(|before| self.states.get(before)).map_or(0, |state| state.depth) + 1;
        let state = State { operation: to, session, source, by: Some(call), before, depth };
        match topology.kind_of(to) {
            ElementKind::Store | ElementKind::Cache => self.judge(call, state),
            ElementKind::Queue => {}
            _ => self.enter(state),
        }
    }

    fn enter(&mut self, state: State) {
        let slot = match self.sources.get(state.source).map(|source| source.need) {
            Some(Need::Model(model)) => model as usize * 3 + state.session.number(),
            _ => 0,
        };
        match self.seen.get_mut(state.operation.index() * self.slots + slot) {
            Some(seen) if !*seen => *seen = true,
            _ => return,
        }
        self.queue.push_back(self.states.len());
        self.states.push(state);
    }

    /// A need has arrived at a read.
    fn judge(&mut self, read: CallId, state: State) {
        let Some(source) = self.sources.get(state.source).copied() else { return };
        let Some(reading) = self.facts.reading(read) else { return };
        if let Some(demand) = self.demands.get_mut(read.index()) {
            demand.get_or_insert_default().add(source.need);
        }
        let Some((weakness, certainty)) = verdict(source.need, &reading, state.session) else { return };
        let slot = read.index() * 2 + usize::from(weakness != Weakness::Answer);
        let Some(known) = self.found.get(slot) else { return };
        if known.as_ref().is_some_and(|known| !is_worse(certainty, source.need, known)) {
            return;
        }
        let (path, left_out) = self.path(state);
        let Source { who, stated, need } = source;
        let unmet = Unmet { read, reading, need, who, stated, path, left_out, weakness, certainty };
        if let Some(slot) = self.found.get_mut(slot) {
            *slot = Some(unmet);
        }
    }

    /// The last calls by which a state was reached, and how many there are before them.
    fn path(&self, state: State) -> (Vec<CallId>, usize) {
        let states = std::iter::successors(Some(state), |state| self.states.get(state.before?).copied());
        let mut path: Vec<CallId> = states.filter_map(|state| state.by).take(MAX_PATH).collect();
        path.reverse();
        let left_out = state.depth.saturating_sub(path.len());
        (path, left_out)
    }
}

impl Demand {
    fn add(&mut self, need: Need) {
        match need {
            Need::Model(model) => self.model = Some(self.model.map_or(model, |known| known.join(model))),
            Need::Age(age) => self.age = Some(self.age.map_or(age, |known| known.min(age))),
        }
    }
}

impl Session {
    const fn number(self) -> usize {
        match self {
            Self::Kept => 0,
            Self::Unknown(_) => 1,
            Self::Lost(_) => 2,
        }
    }
}

/// Why a read does not meet a need, and how certain that is; none if it does.
fn verdict(need: Need, reading: &Reading<'_>, session: Session) -> Option<(Weakness, Certainty)> {
    let model = match need {
        Need::Model(model) => model,
        Need::Age(most) if reading.age.at_least > Extent::Finite(most) => {
            return Some((Weakness::Answer, Certainty::Proved));
        }
        Need::Age(most) => {
            let fresh = reading.age.at_most.is_some_and(|age| age <= Extent::Finite(most));
            return (!fresh).then_some((Weakness::Answer, Certainty::Possible));
        }
    };
    let given = reading.guaranteed;
    match session {
        _ if reading.denied.contains(model) => Some((Weakness::Answer, Certainty::Proved)),
        _ if !given.implies(model) => Some((Weakness::Answer, Certainty::Possible)),
        Session::Kept => None,
        _ if given.without_session().implies(model) => None,
        Session::Unknown(call) => Some((Weakness::Session(call), Certainty::Possible)),
        Session::Lost(call) => Some((Weakness::Session(call), Certainty::Proved)),
    }
}

/// Of two needs, the one that is missed more certainly, then the one that asks for more.
fn is_worse(certainty: Certainty, need: Need, known: &Unmet<'_>) -> bool {
    let stronger = match (need, known.need) {
        (Need::Model(one), Need::Model(other)) => one > other,
        _ => false,
    };
    certainty > known.certainty || (certainty == known.certainty && stronger)
}
