//! Repeats that are only promised not to happen, or that happen at once: deliveries of a queue that claims exactly one,
//! and copies that race each other to a barrier.

use std::collections::VecDeque;

use super::Facts;
use super::exposure::{Barrier, Exposed, KeyState, exposed_by, sent, stops};
use super::repeaters::{Repeater, RepeaterKind};
use crate::diagnostic::Certainty;
use crate::ids::IdSet;
use crate::model::{Answer, CallId, OperationId};
use crate::vocabulary::{ElementKind, Key};

impl Facts<'_> {
    /// Effects behind queues that claim to deliver exactly once, as if the delivery came again: after a crash between
    /// the effect and the acknowledgement it does. What stays in queues, or is one transaction, is left out.
    #[must_use]
    pub fn outside_of_exactly_once(&self) -> Vec<Exposed> {
        let topology = self.topology();
        let from = |call: CallId| topology.caller_node(call);
        let claims = |call: &CallId| {
            let delivery = self.cascade().node(from(*call), Key::Delivery).given();
            let queue = topology.node(from(*call)).kind == ElementKind::Queue;
            queue && self.is_made(*call) && delivery.is_some_and(|stated| stated.setting.says("exactly-once"))
        };
        let repeaters = topology.call_ids().filter(claims).map(|call| {
            let kind = RepeaterKind::Redelivery;
            Repeater { call, kind, certainty: Certainty::Proved }
        });
        let mut exposed = exposed_by(self, repeaters.collect());
        exposed.retain(|exposed| !exposed.path.iter().any(|call| self.stays_inside(*call)));
        exposed
    }

    fn stays_inside(&self, call: CallId) -> bool {
        let into_queue = self.topology().kind_of(self.topology().callee(call)) == ElementKind::Queue;
        into_queue || self.cascade().call(call, &[Key::Transaction]).may_be_given()
    }

    /// Barriers that copies of one request may reach at once, each with the call that sends the copies and whether it is
    /// stated that two at once both get through. Those that claim the key together with the effect are left out.
    #[must_use]
    pub fn raced_barriers(&self) -> Vec<(CallId, OperationId, Certainty)> {
        let topology = self.topology();
        let mut seen = vec![false; topology.operations.len() * 2];
        let mut hedges: Vec<CallId> =
            topology.call_ids().filter(|call| self.is_made(*call) && self.plan(*call).hedge.is_some()).collect();
        hedges.sort_by_key(|call| self.call_rank(*call));
        let mut queue: VecDeque<(CallId, CallId, Option<KeyState>)> =
            hedges.into_iter().map(|call| (call, call, None)).collect();
        let mut found = Vec::new();
        while let Some((hedge, call, arriving)) = queue.pop_front() {
            let to = topology.callee(call);
            let key = sent(self, call, arriving);
            let written = self.cascade().call(call, &[Key::Idempotent]).given().is_some();
            match seen.get_mut(to.index() * 2 + usize::from(key == KeyState::Constant)) {
                Some(seen) if !*seen && !written => *seen = true,
                _ => continue,
            }
            if !matches!(stops(self, to), Barrier::None) {
                let races = key == KeyState::Constant;
                found.extend(self.race(to).filter(|_| races).map(|certainty| (hedge, to, certainty)));
                continue;
            }
            let made = topology.calls_from(to).filter(|call| self.is_made(*call));
            queue.extend(made.map(|call| (hedge, call, Some(key))));
        }
        found
    }

    fn race(&self, operation: OperationId) -> Option<Certainty> {
        match self.dedup(operation)?.field(Key::Atomic) {
            None => Some(Certainty::Possible),
            Some(atomic) if atomic.is_none() => Some(Certainty::Proved),
            Some(_) => None,
        }
    }

    /// Publishes that nobody waits for, into queues that promise not to lose a message: it is lost if the caller stops,
    /// or the queue does not answer, before it has it.
    #[must_use]
    pub fn unconfirmed_publishes(&self) -> Vec<(CallId, Certainty)> {
        let topology = self.topology();
        let apart: IdSet<CallId> =
            self.dual_writes().into_iter().flat_map(|found| found.calls.map(|(call, _)| call)).collect();
        let publish = |call: &CallId| {
            let (from, to) = (topology.caller(*call), topology.callee(*call));
            let code = matches!(topology.kind_of(from), ElementKind::Service | ElementKind::Client);
            code && topology.kind_of(to) == ElementKind::Queue && self.is_made(*call)
        };
        let unconfirmed = topology.call_ids().filter(|call| topology.call(*call).arrow == crate::syntax::Arrow::Async);
        unconfirmed
            .filter(publish)
            .filter(|call| self.must_arrive(*call) && !apart.contains(call))
            .filter_map(|call| match self.cascade().call(call, &[Key::Outbox]) {
                Answer::None(_) => Some((call, Certainty::Proved)),
                Answer::Unstated => Some((call, Certainty::Possible)),
                Answer::Given(_) | Answer::Unreadable => None,
            })
            .collect()
    }

    /// Whether a queue promises to deliver each message at least once, and nothing says that one may be lost.
    fn must_arrive(&self, call: CallId) -> bool {
        let queue = self.topology().callee_node(call);
        let says = |key, words: &[&str]| {
            let stated = self.cascade().node(queue, key).given();
            stated.is_some_and(|stated| words.iter().any(|word| stated.setting.says(word)))
        };
        let mut handed = self.topology().node(queue).operations.iter().flat_map(|id| self.topology().calls_from(*id));
        handed.any(|call| self.is_made(call))
            && says(Key::Delivery, &["at-least-once", "exactly-once"])
            && !says(Key::Role, &["telemetry"])
            && !says(Key::Overflow, &["drop-oldest"])
    }
}
