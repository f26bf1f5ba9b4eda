//! Who makes a call again: the caller, copies, a mesh in between, or the queue that delivers.

use super::Facts;
use super::attempts::Attempts;
use super::interval::Known;
use crate::diagnostic::Certainty;
use crate::model::{Answer, CallId, Duration, NodeId};
use crate::syntax::Arrow;
use crate::vocabulary::{ElementKind, Key};

/// Who runs something again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeater {
    /// The call that is made again.
    pub call: CallId,
    /// Why.
    pub kind: RepeaterKind,
    /// How certain that is.
    pub certainty: Certainty,
}

/// Why something is run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepeaterKind {
    /// The caller tries again; so many attempts, none if without end.
    Retry(Option<u64>),
    /// The caller sends so many copies.
    Hedge(u64),
    /// A mesh or gateway tries again, so many attempts.
    Proxy(u64),
    /// The queue hands the message out again.
    Redelivery,
    /// The next run of a schedule starts before the last has ended.
    Overlap(Duration),
}

impl Facts<'_> {
    pub(super) fn repeater_of(&self, call: CallId) -> Option<Repeater> {
        let plan = self.plan(call);
        let topology = self.topology();
        if !self.is_made(call) || topology.call(call).implied {
            return None;
        }
        let proxy = plan.proxies.iter().map(|layer| Some((RepeaterKind::Proxy(layer.attempts), layer.repeats_work?)));
        let redelivery = self.is_redelivered(call).then_some((RepeaterKind::Redelivery, true));
        let all = [self.retry(call), self.copies(call), redelivery].into_iter().chain(proxy);
        // The first that is proved, else the first.
        let (kind, proved) = all.flatten().min_by_key(|(_, proved)| !proved)?;
        Some(Repeater { call, kind, certainty: if proved { Certainty::Proved } else { Certainty::Possible } })
    }

    /// The retries of a call, where a second attempt can start before what bounds all of them; and whether that is
    /// certain.
    fn retry(&self, call: CallId) -> Option<(RepeaterKind, bool)> {
        let started = self.startable_in_doubt(call, Known::AtMost);
        let count = if let Attempts::AtMost(count) = started { Some(count) } else { None };
        started.repeat().then(|| (RepeaterKind::Retry(count), self.startable_in_doubt(call, Known::AtLeast).repeat()))
    }

    /// The copies of a hedge: one is sent only as long as the first one is waited for.
    fn copies(&self, call: CallId) -> Option<(RepeaterKind, bool)> {
        let plan = self.plan(call);
        let (copies, after, _) = plan.hedge?;
        let in_time = |known| {
            let ends = plan.attempt().into_iter().chain(self.limit_of(call, known)).min();
            ends.is_none_or(|end| after < end)
        };
        in_time(Known::AtMost).then(|| (RepeaterKind::Hedge(copies), in_time(Known::AtLeast)))
    }

    /// How often a queue hands a message out, once if that is not stated.
    pub(super) fn receives(&self, queue: NodeId) -> Attempts {
        let Some(stated) = self.cascade().node(queue, Key::MaxReceives).given() else { return Attempts::AtMost(1) };
        stated.setting.count().map_or(Attempts::Unlimited, Attempts::AtMost)
    }

    /// Whether a call is the delivery of a queue that may hand a message out again.
    #[must_use]
    pub fn is_redelivered(&self, call: CallId) -> bool {
        let topology = self.topology();
        let source = topology.caller_node(call);
        topology.call(call).arrow == Arrow::Async && self.redelivers(source)
    }

    /// Whether a node is a queue that may hand a message out again: by its delivery, or because it says when and how
    /// often.
    #[must_use]
    pub fn redelivers(&self, node: NodeId) -> bool {
        if self.topology().node(node).kind != ElementKind::Queue {
            return false;
        }
        let look = |key| self.cascade().node(node, key);
        match look(Key::Delivery) {
            Answer::Given(stated) => stated.setting.says("at-least-once"),
            Answer::None(_) | Answer::Unreadable => false,
            Answer::Unstated => {
                let once = look(Key::MaxReceives).given().is_some_and(|stated| stated.setting.count() == Some(1));
                let again = [Key::Visibility, Key::MaxReceives, Key::DeadLetter]
                    .into_iter()
                    .any(|key| look(key).given().is_some());
                again && !once
            }
        }
    }
}
