//! Which durable changes of one operation commit apart, so that a crash between them leaves one without the other.
//!
//! Of an operation's writes, those are one that go to one store or queue, share a `transaction` or a `saga`, or of which
//! one follows from the other by change data capture. What is left are groups; two of them that one execution can reach
//! are a dual write. The branches of a `one-of` never meet; a fallback is made in the place of its call and not with it.

use super::Facts;
use super::effects::{Effect, EffectSite, Write, is_data};
use crate::diagnostic::Certainty;
use crate::ids::{IdMap, IdSet};
use crate::model::{Answer, CallId, Name, NodeId, OperationId, Stated, Step};
use crate::syntax::Arrow;
use crate::vocabulary::{ElementKind, Key};

/// What a durable change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is written to a store, sent to a queue, or set in a cache.
    Write(Write),
    /// An external system does something that is known to have an effect.
    Effect,
}

/// Two durable changes of one operation that commit apart.
#[derive(Clone, Copy, Debug)]
pub struct DualWrite<'a> {
    /// The operation.
    pub operation: OperationId,
    /// The two calls, in written order.
    pub calls: [(CallId, Change); 2],
    /// What states that they commit apart; if nothing does, it is only possible.
    pub apart: Option<Stated<'a>>,
}

impl DualWrite<'_> {
    /// How certain it is.
    #[must_use]
    pub fn certainty(&self) -> Certainty {
        if self.apart.is_some() { Certainty::Proved } else { Certainty::Possible }
    }
}

/// A durable change that has to hold together with the others.
#[derive(Clone, Copy)]
struct Mark {
    call: CallId,
    change: Change,
    /// The changes that hold together with it have the same.
    group: usize,
    /// Whether something is stated of it that makes its loss matter.
    matters: bool,
}

impl<'a> Facts<'a> {
    /// Operations with durable changes that commit apart, one row an operation.
    #[must_use]
    pub fn dual_writes(&self) -> Vec<DualWrite<'a>> {
        let topology = self.topology();
        let mut captured = IdMap::default();
        let code = topology.operation_ids().filter(|id| !is_data(topology.kind_of(*id)));
        code.filter_map(|operation| {
            let marks = self.marks(operation, &mut captured);
            if marks.len() < 2 || self.repeated_until_done(operation, &marks) {
                return None;
            }
            let by_call: IdMap<CallId, Mark> = marks.into_iter().map(|mark| (mark.call, mark)).collect();
            let [one, other] = pair(&topology.operation(operation).body, &by_call).err()?;
            let calls = [(one.call, one.change), (other.call, other.change)];
            Some(DualWrite { operation, calls, apart: self.apart(one, other) })
        })
        .collect()
    }

    /// The durable changes of an operation, each with its group.
    fn marks(&self, operation: OperationId, captured: &mut IdMap<NodeId, IdSet<NodeId>>) -> Vec<Mark> {
        let changes = self.committed(operation);
        if changes.len() < 2 {
            return Vec::new();
        }
        let mut groups = Groups::default();
        for (call, _) in &changes {
            let group = groups.of(Tie::Node(self.topology().callee_node(*call)));
            for (key, tie) in [(Key::Transaction, Tie::Transaction as fn(Name) -> Tie), (Key::Saga, Tie::Saga)] {
                let name = self.cascade().call(*call, &[key]).given().and_then(|stated| stated.setting.word());
                if let Some(name) = name {
                    let tied = groups.of(tie(name));
                    groups.join(group, tied);
                }
            }
        }
        let targets: IdSet<NodeId> = changes.iter().map(|(call, _)| self.topology().callee_node(*call)).collect();
        for store in data(self, &changes) {
            let follows = captured.entry(store).or_insert_with(|| self.follows(store));
            // The smaller of both is looked through: a store may tell many, and an operation may change many.
            let (few, many) = if follows.len() < targets.len() { (&*follows, &targets) } else { (&targets, &*follows) };
            for to in few.iter().filter(|to| many.contains(to)) {
                let (from, to) = (groups.of(Tie::Node(store)), groups.of(Tie::Node(*to)));
                groups.join(from, to);
            }
        }
        let mark = |(call, change)| {
            let group = groups.of(Tie::Node(self.topology().callee_node(call)));
            Mark { call, change, group: groups.root(group), matters: self.matters(call, change) }
        };
        changes.into_iter().map(mark).collect()
    }

    /// The durable changes of an operation. A copy is judged only beside the data it is a copy of.
    fn committed(&self, operation: OperationId) -> Vec<(CallId, Change)> {
        let mut changes = Vec::new();
        Step::each(&self.topology().operation(operation).body, &mut |call| {
            changes.extend(self.change(call).map(|change| (call, change)));
        });
        let stores = data(self, &changes);
        changes.retain(|(call, change)| {
            *change != Change::Write(Write::Copy) || self.copy_of(self.topology().callee_node(*call), &stores)
        });
        changes
    }

    /// What a call changes durably, unless that holds by itself: a message from the outbox, a step that can be undone,
    /// what may be lost.
    fn change(&self, call: CallId) -> Option<Change> {
        let topology = self.topology();
        let to = topology.callee(call);
        let node = self.topology().callee_node(call);
        let look = |key| self.cascade().call(call, &[key]);
        let says = |key, word| match self.cascade().node(node, key) {
            Answer::Given(stated) => stated.setting.says(word),
            Answer::Unreadable => true,
            Answer::None(_) | Answer::Unstated => false,
        };
        let held = [Key::Outbox, Key::CompensatedBy].into_iter().any(|key| look(key).may_be_given());
        let unread = [Key::Transaction, Key::Saga].into_iter().any(|key| matches!(look(key), Answer::Unreadable));
        if !self.is_made(call) || held || unread || says(Key::Role, "telemetry") {
            return None;
        }
        match topology.node(node).kind {
            ElementKind::External => {
                let known = matches!(self.effect(EffectSite::Operation(to)), Effect::Idempotent | Effect::Repeats);
                (known && !self.repeatable(call)).then_some(Change::Effect)
            }
            ElementKind::Queue if says(Key::Delivery, "at-most-once") => None,
            _ => self.write(call).map(Change::Write),
        }
    }

    /// Whether whoever has lost the answer can ask again until it is done: a key is sent to an operation that stops
    /// repeats, by one that can be repeated itself.
    fn repeatable(&self, call: CallId) -> bool {
        let call_record = self.topology().call(call);
        let idempotent = |operation| self.cascade().operation(operation, Key::Idempotent).given();
        let by_key = idempotent(call_record.to).is_some_and(|stated| stated.setting.says("by-key"));
        let key = self.cascade().call(call, &[Key::KeySent]).given();
        let kept = key.is_some_and(|stated| !stated.setting.says("per-attempt"));
        by_key && kept && idempotent(call_record.from).is_some()
    }

    /// Whether a cache holds copies of one of these stores, and nothing says that they go by themselves.
    fn copy_of(&self, cache: NodeId, stores: &IdSet<NodeId>) -> bool {
        let of = self.cascade().node(cache, Key::Of).given();
        let copies = of.is_some_and(|stated| stated.setting.nodes().any(|store| stores.contains(&store)));
        let ends = match self.cascade().node(cache, Key::Ttl) {
            Answer::Given(stated) => stated.setting.duration().is_some(),
            Answer::Unreadable => true,
            Answer::None(_) | Answer::Unstated => false,
        };
        copies && !ends
    }

    /// What follows from the writes of a store by change data capture, directly or through one relay.
    fn follows(&self, store: NodeId) -> IdSet<NodeId> {
        let topology = self.topology();
        let captured = |call: &CallId| topology.call(*call).arrow == Arrow::Async && self.is_made(*call);
        let operations = topology.node(store).operations.iter();
        let direct: Vec<CallId> =
            operations.flat_map(|operation| topology.calls_from(*operation)).filter(captured).collect();
        let relayed = direct.iter().flat_map(|call| topology.calls_from(topology.callee(*call)));
        relayed.chain(direct.iter().copied()).map(|call| self.topology().callee_node(call)).collect()
    }

    /// A write that is named, an effect that is stated, a message that is to arrive.
    fn matters(&self, call: CallId, change: Change) -> bool {
        let stated = |key| self.cascade().call(call, &[key]).stated().is_some();
        match change {
            Change::Effect | Change::Write(Write::Data) => true,
            Change::Write(Write::Copy) => false,
            Change::Write(Write::Message) => {
                stated(Key::Outbox)
                    || stated(Key::Transaction)
                    || self.cascade().node(self.topology().callee_node(call), Key::Delivery).given().is_some()
            }
        }
    }

    /// An operation that only queues call which deliver again: it runs until all of its writes are done, and what they
    /// then do twice is `repeated-effect`. A key that stops the second run would leave out what the first did not get
    /// to, unless all writes can be repeated.
    fn repeated_until_done(&self, operation: OperationId, marks: &[Mark]) -> bool {
        let topology = self.topology();
        let mut calls = topology.calls_to(operation).filter(|call| self.is_made(*call)).peekable();
        let idempotent = |mark: &Mark| match mark.change {
            Change::Effect => self.effect(EffectSite::Operation(topology.callee(mark.call))) == Effect::Idempotent,
            Change::Write(_) => self.cascade().call(mark.call, &[Key::Idempotent]).given().is_some(),
        };
        let keyed = self.cascade().operation(operation, Key::Idempotent).given();
        let stops = keyed.is_some_and(|stated| stated.setting.says("by-key"));
        let again = calls.peek().is_some() && calls.all(|call| self.is_redelivered(call));
        again && (!stops || marks.iter().all(idempotent))
    }

    /// What states that two changes commit apart.
    fn apart(&self, one: Mark, other: Mark) -> Option<Stated<'a>> {
        let look = |mark: Mark, key| self.cascade().call(mark.call, &[key]);
        let transactions = [one, other].map(|mark| look(mark, Key::Transaction));
        if let [Answer::Given(_), Answer::Given(second)] = transactions {
            return Some(second);
        }
        let none = |answer: Answer<'a>| if let Answer::None(stated) = answer { Some(stated) } else { None };
        [one, other].into_iter().find_map(|mark| match mark.change {
            Change::Write(Write::Copy) => self.cascade().node(self.topology().callee_node(mark.call), Key::Ttl).given(),
            Change::Write(Write::Message) => none(look(mark, Key::Outbox)).or(none(look(mark, Key::Transaction))),
            _ => none(look(mark, Key::Transaction)),
        })
    }
}

/// The stores that are written.
fn data(facts: &Facts<'_>, changes: &[(CallId, Change)]) -> IdSet<NodeId> {
    let data = changes.iter().filter(|(_, change)| *change == Change::Write(Write::Data));
    data.map(|(call, _)| facts.topology().callee_node(*call)).collect()
}

/// Why changes hold together.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Tie {
    Node(NodeId),
    Transaction(Name),
    Saga(Name),
}

/// Sets that are joined.
#[derive(Default)]
struct Groups {
    numbers: IdMap<Tie, usize>,
    parents: Vec<usize>,
}

impl Groups {
    fn of(&mut self, tie: Tie) -> usize {
        let next = self.parents.len();
        let number = *self.numbers.entry(tie).or_insert(next);
        if number == next {
            self.parents.push(next);
        }
        number
    }

    fn root(&self, mut at: usize) -> usize {
        while let Some(parent) = self.parents.get(at).filter(|parent| **parent != at) {
            at = *parent;
        }
        at
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        if let Some(parent) = self.parents.get_mut(one.max(other)) {
            *parent = one.min(other);
        }
    }
}

/// So many marks of a kind tell all that is needed: of two groups, one is another than a third.
const ENOUGH: usize = 2;

/// The changes that these steps can make; an error if two of them that one execution makes are of different groups.
fn pair(steps: &[Step], marks: &IdMap<CallId, Mark>) -> Result<Vec<Mark>, [Mark; 2]> {
    let mut seen: Vec<Mark> = Vec::new();
    for step in steps {
        let found = match step {
            Step::Call(call) => marks.get(call).copied().into_iter().collect(),
            Step::Sequence(steps) | Step::Parallel(steps) | Step::Any(_, steps) => pair(steps, marks)?,
            Step::OneOf(branches) => {
                let mut all = Vec::new();
                for branch in branches {
                    for mark in pair(std::slice::from_ref(branch), marks)? {
                        keep(&mut all, mark);
                    }
                }
                all
            }
        };
        for mark in &found {
            let apart = |other: &&Mark| other.group != mark.group && (other.matters || mark.matters);
            if let Some(other) = seen.iter().find(apart) {
                return Err([*other, *mark]);
            }
        }
        for mark in found {
            keep(&mut seen, mark);
        }
    }
    Ok(seen)
}

fn keep(kept: &mut Vec<Mark>, mark: Mark) {
    let mut same = kept.iter().filter(|other| other.matters == mark.matters);
    let known = same.clone().any(|other| other.group == mark.group);
    if !known && same.by_ref().count() < ENOUGH {
        kept.push(mark);
    }
}
