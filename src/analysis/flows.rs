//! Reads that come after a write, in one flow or by a message, and may still show what was there before.
//!
//! For each operation it is known what its synchronous calls write, which of its reads are late, and which caches they
//! renew; callees come before callers, so each is looked at once. Of very many only the first are kept.

use super::Facts;
use super::consistency::Model;
use super::effects::{Write, is_data};
use crate::ids::IdMap;
use crate::model::{Answer, CallId, NodeId, OperationId, Step};
use crate::syntax::Arrow;
use crate::vocabulary::{ElementKind, Key};

/// A read that need not show a write that came before it.
#[derive(Clone, Copy, Debug)]
pub struct StaleRead {
    /// The read.
    pub read: CallId,
    /// The store whose data is read.
    pub store: NodeId,
    /// The write before it.
    pub write: CallId,
    /// How the one comes before the other.
    pub after: After,
}

/// How a write comes before a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// This operation makes both, one after the other.
    Operation(OperationId),
    /// Whoever reads is told of the change by this call.
    Message(CallId),
}

/// So much of a kind is kept of one operation.
const MOST: usize = 32;

/// What the synchronous calls of an operation do, its callees' included.
#[derive(Clone, Default)]
struct Touched {
    written: Vec<(NodeId, CallId)>,
    late: Vec<(NodeId, CallId)>,
    renewed: Vec<NodeId>,
    /// Whether there is more than is kept.
    cut: bool,
}

/// All stale reads, and of how many operations and messages not all was kept that might have shown more.
#[derive(Debug)]
pub(super) struct StaleReads {
    found: Vec<StaleRead>,
    left_out: usize,
}

impl Facts<'_> {
    /// Reads of which nobody says what they need, that need not show a write that came before them: one row a read.
    #[must_use]
    pub fn stale_reads(&self) -> &[StaleRead] {
        &self.all_stale_reads().found
    }

    /// Of how many operations and messages only a part of what they write and read was compared.
    pub(super) fn flows_left_out(&self) -> usize {
        self.all_stale_reads().left_out
    }

    fn all_stale_reads(&self) -> &StaleReads {
        self.stale_reads.get_or_init(|| self.find_stale_reads())
    }

    fn find_stale_reads(&self) -> StaleReads {
        let topology = self.topology();
        let mut flows = Flows {
            facts: self,
            touched: vec![Touched::default(); topology.operations.len()],
            found: IdMap::default(),
        };
        for operation in self.components().iter().flatten() {
            if !is_data(topology.kind_of(*operation)) {
                flows.enter(*operation);
            }
        }
        let cut_messages = flows.messages();
        let cut = flows.touched.iter().filter(|touched| touched.cut).count() + cut_messages;
        // Where no read is late, nothing is missed.
        let left_out = if flows.touched.iter().any(|touched| !touched.late.is_empty()) { cut } else { 0 };
        let mut found: Vec<StaleRead> = flows.found.into_values().collect();
        found.sort_by_key(|found| self.call_rank(found.read));
        StaleReads { found, left_out }
    }

    /// Whether a read is stated to come late, and nobody says what it needs.
    fn is_late(&self, read: CallId) -> bool {
        let topology = self.topology();
        let drawn = self.is_awaited(read) && !topology.call(read).implied;
        let asks = || matches!(self.cascade().call(read, &[Key::Needs]), Answer::Unstated);
        let copes = || matches!(self.cascade().operation(topology.caller(read), Key::Needs), Answer::None(_));
        drawn
            && self.is_read(read)
            && asks()
            && !copes()
            && self.demand(read).is_none()
            && self.reading(read).is_some_and(|reading| reading.denied.contains(Model::ReadYourWrites))
    }

    /// The store whose data a store or cache gives, if that is known.
    #[must_use]
    pub fn origin_of(&self, node: NodeId) -> Option<NodeId> {
        let last = self.sources_of(node).last()?;
        (self.topology().node(last).kind == ElementKind::Store).then_some(last)
    }

    /// Whether so many caches lie one behind another that the store behind them is not looked for.
    pub(super) fn is_far_from_store(&self, cache: NodeId) -> bool {
        self.sources_of(cache).filter(|node| self.topology().node(*node).kind == ElementKind::Cache).count() > MOST
    }

    /// A store or cache, and what it is a copy of, and so on.
    fn sources_of(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let cache = |node: &NodeId| self.topology().node(*node).kind == ElementKind::Cache;
        std::iter::successors(Some(node), move |at| self.source_of(*at).filter(|_| cache(at))).take(MOST + 1)
    }
}

struct Flows<'f, 'a> {
    facts: &'f Facts<'a>,
    touched: Vec<Touched>,
    found: IdMap<CallId, StaleRead>,
}

impl Flows<'_, '_> {
    fn enter(&mut self, operation: OperationId) {
        let body = &self.facts.topology().operation(operation).body;
        let mut touched = Touched::default();
        for step in body {
            self.step(operation, step, &mut touched);
        }
        if let Some(slot) = self.touched.get_mut(operation.index()) {
            *slot = touched;
        }
    }

    /// What comes at once with a write does not come after it.
    fn step(&mut self, operation: OperationId, step: &Step, before: &mut Touched) {
        match step {
            Step::Call(call) => self.call(operation, *call, before),
            Step::Sequence(steps) => steps.iter().for_each(|step| self.step(operation, step, before)),
            Step::Parallel(branches) | Step::Any(_, branches) | Step::OneOf(branches) => {
                let start = before.clone();
                for branch in branches {
                    let mut own = start.clone();
                    self.step(operation, branch, &mut own);
                    before.add(&own);
                }
            }
        }
    }

    fn call(&mut self, operation: OperationId, id: CallId, before: &mut Touched) {
        let facts = self.facts;
        let topology = facts.topology();
        let call = topology.call(id);
        if !facts.is_awaited(id) || call.implied {
            return;
        }
        let node = topology.node_id_of(call.to);
        if !is_data(topology.node(node).kind) {
            let below = self.touched.get(call.to.index()).cloned().unwrap_or_default();
            self.compare(before, &below, After::Operation(operation));
            before.add(&below);
            return;
        }
        if facts.is_late(id)
            && let Some(store) = facts.origin_of(node)
        {
            let late = Touched { late: vec![(store, id)], ..Touched::default() };
            self.compare(before, &late, After::Operation(operation));
            before.add(&late);
        }
        match facts.write(id) {
            Some(Write::Data) => before.cut |= keep(&mut before.written, (node, id)),
            Some(Write::Copy) => before.cut |= keep(&mut before.renewed, node),
            Some(Write::Message) | None => {}
        }
    }

    /// A cache that the flow has renewed is not late.
    fn compare(&mut self, before: &Touched, then: &Touched, after: After) {
        let topology = self.facts.topology();
        for (store, read) in &then.late {
            let asked = topology.callee_node(*read);
            let renewed = before.renewed.contains(&asked) || then.renewed.contains(&asked);
            let write = before.written.iter().find(|(written, _)| written == store).filter(|_| !renewed);
            if let Some((_, write)) = write {
                let found = StaleRead { read: *read, store: *store, write: *write, after };
                self.found.entry(*read).or_insert(found);
            }
        }
    }

    /// Who hears of a change may ask before the copies have it. How many queues and stores tell of more than is kept.
    fn messages(&mut self) -> usize {
        let mut cut = 0;
        let topology = self.facts.topology();
        for node in topology.node_ids() {
            let kind = topology.node(node).kind;
            if !matches!(kind, ElementKind::Queue | ElementKind::Store) {
                continue;
            }
            let mut told = Touched::default();
            for operation in &topology.node(node).operations {
                for call in topology.calls_to(*operation).filter(|call| self.facts.is_made(*call)) {
                    match kind {
                        ElementKind::Queue => self.published(call, &mut told),
                        _ if self.facts.write(call) == Some(Write::Data) => {
                            told.cut |= keep(&mut told.written, (node, call));
                        }
                        _ => {}
                    }
                }
            }
            cut += usize::from(told.cut);
            if told.written.is_empty() {
                continue;
            }
            let operations = topology.node(node).operations.iter();
            let told_by = operations
                .flat_map(|operation| topology.calls_from(*operation))
                .filter(|call| topology.call(*call).arrow == Arrow::Async && self.facts.is_made(*call));
            for call in told_by.collect::<Vec<_>>() {
                let then = self.touched.get(topology.callee(call).index()).cloned().unwrap_or_default();
                self.compare(&told, &then, After::Message(call));
            }
        }
        cut
    }

    /// What has been written where a message comes from.
    fn published(&self, publish: CallId, told: &mut Touched) {
        let topology = self.facts.topology();
        let from = topology.caller(publish);
        let node = topology.node_id_of(from);
        if topology.node(node).kind == ElementKind::Store {
            let write = topology.calls_to(from).find(|call| self.facts.write(*call) == Some(Write::Data));
            told.cut |= keep(&mut told.written, (node, write.unwrap_or(publish)));
        } else if let Some(touched) = self.touched.get(from.index()) {
            told.cut |= touched.cut;
            touched.written.iter().for_each(|written| told.cut |= keep(&mut told.written, *written));
        }
    }
}

impl Touched {
    fn add(&mut self, other: &Self) {
        self.cut |= other.cut;
        other.written.iter().for_each(|item| self.cut |= keep(&mut self.written, *item));
        other.late.iter().for_each(|item| self.cut |= keep(&mut self.late, *item));
        other.renewed.iter().for_each(|item| self.cut |= keep(&mut self.renewed, *item));
    }
}

/// Keeps an item if there is room; whether there is none.
fn keep<T: PartialEq>(kept: &mut Vec<T>, item: T) -> bool {
    if kept.contains(&item) {
        return false;
    }
    let full = kept.len() >= MOST;
    if !full {
        kept.push(item);
    }
    full
}
