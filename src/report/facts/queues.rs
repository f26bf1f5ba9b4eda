//! Queues with those who consume from them, as rows.

use serde::Serialize;

use super::Bound;
use crate::analysis::{Extent, Facts};
use crate::model::{CallId, Duration, NodeId};

/// What a queue delivers to one of its consumers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Delivery"))]
pub(in crate::report) struct QueueRow {
    /// The queue.
    queue: String,
    /// The operation that it delivers to.
    consumer: String,
    /// Messages that arrive for it in a second, at least; null if no rate is known.
    arrivals_per_s: Option<f64>,
    /// Messages that are handled in a second, at most; null if nothing that is stated limits it.
    handled_per_s: Option<f64>,
    /// Seconds of catching up for each second of an outage, at least; null if a rate is not known, or it never does.
    catching_up: Option<f64>,
    /// The longest that a message is with the consumer, its whole batch included.
    held_s: Bound,
    /// What is proved to be reached.
    held_at_least_s: Bound,
    /// For how long a message may be handed out again and again.
    redelivered_for_s: Bound,
}

impl QueueRow {
    /// One row for each call out of a queue.
    pub(in crate::report) fn all(facts: &Facts<'_>) -> Vec<Self> {
        let deliveries =
            facts.queues().flat_map(|queue| facts.subscriptions(queue).into_iter().map(move |call| (queue, call)));
        deliveries.map(|(queue, call)| Self::of(facts, queue, call)).collect()
    }

    fn of(facts: &Facts<'_>, queue: NodeId, call: CallId) -> Self {
        let topology = facts.topology();
        let backlog = facts.backlog(call);
        let second = Duration::from_milliseconds(1_000);
        let held = facts.handling(call).whole;
        let known = held.at_most.filter(|most| *most != Extent::Unbounded || held.at_least == Extent::Unbounded);
        Self {
            queue: topology.node_name(queue).to_owned(),
            consumer: topology.operation_name(topology.callee(call)),
            arrivals_per_s: backlog.map(|backlog| backlog.arrivals.per_second),
            handled_per_s: backlog.map(|backlog| backlog.handled),
            catching_up: backlog.and_then(|backlog| backlog.catching_up(second)).map(Duration::seconds),
            held_s: Bound::of(known),
            held_at_least_s: Bound::of(Some(held.at_least)),
            redelivered_for_s: Bound::of(facts.redelivered_for(queue)),
        }
    }
}
