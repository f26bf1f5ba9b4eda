//! Queues and their consumers: how long a message is with a consumer, whether messages are handled as fast as they
//! arrive, and how long catching up after an outage takes. Only what is stated counts: what is unstated takes no time and
//! sets no limit, so arrivals and times are the least there is, and what consumers can handle the most.

use std::collections::BTreeMap;

use super::Facts;
use super::attempts::Attempts;
use super::hardness::Ways;
use super::interval::{Extent, Time};
use super::load::{Rate, Traffic, least_chance, rate_of};
use crate::model::{CallId, Duration, NodeId, OperationId, Stated};
use crate::vocabulary::{ElementKind, Key};

/// How a consumer handles what it takes at once.
#[derive(Clone, Copy, Debug)]
pub struct Handling<'a> {
    /// Messages that it takes at once, one if that is not stated.
    pub batch: u64,
    /// Whether it handles them one after another; none if that is not stated.
    pub sequential: Option<bool>,
    /// The longest that one message is with it.
    pub one: Time,
    /// The longest that a message is with it, until the whole batch is done.
    pub whole: Time,
    /// The slowest that is stated of what is usual: so many messages take no longer, the others take longer.
    pub usual: Option<(f64, Duration, Stated<'a>)>,
}

/// What keeps consumers from handling more.
#[derive(Clone, Copy, Debug)]
pub enum Bottleneck<'a> {
    /// What the operation or its node can take, or takes.
    Capacity(Stated<'a>),
    /// So many consumers, each at least so long at one message.
    Consumers(u64, Duration, Stated<'a>),
}

/// Messages that arrive and messages that are handled.
#[derive(Clone, Copy, Debug)]
pub struct Backlog<'a> {
    /// Messages that arrive for it in a second, at least.
    pub arrivals: Rate,
    /// Messages that arrive for it in a second at the busiest time, at least.
    pub peak: f64,
    /// Messages that its consumers can handle in a second, at most.
    pub handled: f64,
    /// The same, if the messages of a batch are handled one after another.
    pub handled_in_sequence: f64,
    /// What keeps them from more.
    pub bottleneck: Bottleneck<'a>,
}

impl Backlog<'_> {
    /// The time until everything that has arrived in an outage is handled, at least: `λ·T / (μ − λ)`. None if it never
    /// is.
    #[must_use]
    pub fn catching_up(&self, outage: Duration) -> Option<Duration> {
        self.working_off(outage.seconds() * self.arrivals.per_second)
    }

    /// The time until everything that the busiest time has left is handled, at least: `(λ' − μ)·T / (μ − λ)`. None if
    /// it leaves nothing, or that never is.
    #[must_use]
    pub fn after_the_peak(&self, length: Duration) -> Option<Duration> {
        let left = length.seconds() * (self.peak - self.handled);
        if left > 0.0 { self.working_off(left) } else { None }
    }

    fn working_off(&self, messages: f64) -> Option<Duration> {
        let seconds = messages / (self.handled - self.arrivals.per_second);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time of rates that are measured")]
        (seconds.is_finite() && seconds >= 0.0).then(|| Duration::from_milliseconds((seconds * 1e3).round() as u64))
    }
}

impl<'a> Facts<'a> {
    /// All queues.
    pub fn queues(&self) -> impl Iterator<Item = NodeId> + '_ {
        let topology = self.topology();
        topology.node_ids().filter(|id| topology.node(*id).kind == ElementKind::Queue)
    }

    /// The calls by which a queue delivers, in the order of names.
    #[must_use]
    pub fn subscriptions(&self, queue: NodeId) -> Vec<CallId> {
        let topology = self.topology();
        let calls = topology.node(queue).operations.iter().flat_map(|operation| topology.calls_from(*operation));
        let mut calls: Vec<CallId> = calls.filter(|call| self.is_made(*call)).collect();
        calls.sort_by_key(|call| self.call_rank(*call));
        calls
    }

    /// The calls by which messages come into a queue, in the order of names.
    #[must_use]
    pub fn publications(&self, queue: NodeId) -> Vec<CallId> {
        let topology = self.topology();
        let calls = topology.node(queue).operations.iter().flat_map(|operation| topology.calls_to(*operation));
        let mut calls: Vec<CallId> = calls.filter(|call| self.is_made(*call)).collect();
        calls.sort_by_key(|call| self.call_rank(*call));
        calls
    }

    /// The queues that take what others have given up, each with those others.
    #[must_use]
    pub fn dead_letter_queues(&self) -> BTreeMap<NodeId, Vec<NodeId>> {
        let mut sources: BTreeMap<NodeId, Vec<NodeId>> = BTreeMap::new();
        for queue in self.queues() {
            let last = self.cascade().node(queue, Key::DeadLetter).given();
            for target in last.into_iter().flat_map(|stated| stated.setting.nodes()) {
                sources.entry(target).or_default().push(queue);
            }
        }
        sources
    }

    /// How operations are reached from where requests come in, over calls that are waited for.
    #[must_use]
    pub fn ways_of_waiting(&self) -> Ways {
        self.ways_over(self.entries().all().iter().copied(), |call| self.is_awaited(call))
    }

    /// How the consumer that a call delivers to handles what it takes at once.
    #[must_use]
    pub fn handling(&self, delivery: CallId) -> Handling<'a> {
        let consumer = self.topology().callee(delivery);
        let stated = self.cascade().call(delivery, &[Key::Batch]).given();
        let batch = stated.and_then(|stated| stated.setting.count()).unwrap_or(1).max(1);
        let says = |word| stated.is_some_and(|stated| stated.setting.says(word));
        let sequential = match (batch, says("sequential"), says("parallel")) {
            (1, ..) | (_, true, _) => Some(true),
            (_, _, true) => Some(false),
            _ => None,
        };
        let one = self.times().operation(consumer);
        let one = Time::both(one.at_least, one.at_most.filter(|_| self.states_own_work(consumer)));
        let all = one.repeated(Attempts::AtMost(batch));
        let whole = match sequential {
            Some(true) => all,
            Some(false) => one,
            None => Time::both(one.at_least, all.at_most),
        };
        Handling { batch, sequential, one, whole, usual: self.slowest_usual(consumer) }
    }

    /// Measured or stated quantiles: a share of the cases takes longer than that.
    fn slowest_usual(&self, operation: OperationId) -> Option<(f64, Duration, Stated<'a>)> {
        let stated = [Key::Latency, Key::Observed].map(|key| self.cascade().operation(operation, key).given());
        let all = stated
            .into_iter()
            .flatten()
            .flat_map(|stated| stated.setting.quantiles().map(move |(share, time)| (share, time, stated)));
        all.max_by_key(|(_, time, _)| *time)
    }

    /// How many messages arrive for a subscription, and how many are handled; none if nothing limits its consumers, or
    /// nothing is known to arrive.
    #[must_use]
    pub fn backlog(&self, delivery: CallId) -> Option<Backlog<'a>> {
        let arrivals = rate_of(self, delivery);
        let (capacity, consumers) = (self.capacity_of(delivery), self.consumers_of(delivery));
        let parallel = match self.handling(delivery) {
            Handling { sequential: Some(true), .. } => 1,
            Handling { batch, .. } => batch,
        };
        let in_sequence = self.handling(delivery).sequential != Some(false);
        #[allow(clippy::cast_precision_loss, reason = "a number of messages, as a factor")]
        let by_consumers = consumers.map(|(count, time, stated)| {
            let one_by_one = count as f64 / time.seconds();
            (one_by_one * parallel as f64, one_by_one, Bottleneck::Consumers(count, time, stated))
        });
        let by_capacity = capacity.map(|(rate, stated)| (rate, rate, Bottleneck::Capacity(stated)));
        let limits: Vec<_> = by_consumers.into_iter().chain(by_capacity).collect();
        let (handled, _, bottleneck) = *limits.iter().min_by(|one, other| one.0.total_cmp(&other.0))?;
        let least = limits.iter().map(|(_, one_by_one, _)| *one_by_one).fold(f64::INFINITY, f64::min);
        let handled_in_sequence = if in_sequence { least } else { handled };
        let peak = self.peak_of(delivery);
        (arrivals.per_second > 0.0).then_some(Backlog { arrivals, peak, handled, handled_in_sequence, bottleneck })
    }

    /// Messages that arrive in a second at the busiest time, at least.
    fn peak_of(&self, delivery: CallId) -> f64 {
        let from = self.topology().caller(delivery);
        self.rate_in(from, Traffic::Peak).per_second * least_chance(self, delivery, Traffic::Peak)
    }

    /// What the consumer can take in a second, by itself or as a part of its node.
    fn capacity_of(&self, delivery: CallId) -> Option<(f64, Stated<'a>)> {
        let consumer = self.topology().callee(delivery);
        let node = self.topology().node_id_of(consumer);
        let of = |key| {
            [self.cascade().operation(consumer, key).given(), self.cascade().node(node, key).given()]
                .into_iter()
                .flatten()
        };
        let all = of(Key::Capacity).chain(of(Key::RateLimit));
        let rates = all.filter_map(|stated| Some((stated.setting.rate()?, stated)));
        rates.min_by(|one, other| one.0.total_cmp(&other.0))
    }

    /// How many consumers handle messages at the same time, and how long each is at one, at least. A partition is read by
    /// one of them.
    fn consumers_of(&self, delivery: CallId) -> Option<(u64, Duration, Stated<'a>)> {
        let call = self.topology().call(delivery);
        let stated = self.cascade().call(delivery, &[Key::Consumers]).given()?;
        let queue = self.topology().node_id_of(call.from);
        let partitions = self.cascade().node(queue, Key::Partitions).given();
        let partitions = partitions.and_then(|stated| Some((stated.setting.count()?, stated)));
        let consumers = (stated.setting.count()?, stated);
        let (count, stated) = partitions.into_iter().chain([consumers]).min_by_key(|(count, _)| *count)?;
        let time = self.mean_at_least(call.to);
        (count > 0 && time > Duration::ZERO).then_some((count, time, stated))
    }

    /// What one execution takes on average, at least: of its own work, what quantiles leave no way around, and the round
    /// trips of its calls.
    fn mean_at_least(&self, operation: OperationId) -> Duration {
        let stated = self.cascade().operation(operation, Key::Latency).given();
        let mut known: Vec<(f64, Duration)> =
            stated.into_iter().flat_map(|stated| stated.setting.quantiles()).collect();
        known.sort_by(|one, other| one.0.total_cmp(&other.0));
        let next = known.iter().skip(1).map(|(share, _)| *share).chain([1.0]);
        let nanoseconds: f64 =
            known.iter().zip(next).map(|((share, time), next)| (next - share).max(0.0) * time.seconds() * 1e9).sum();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of times that were whole")]
        Duration::from_nanoseconds(nanoseconds as u64).plus(self.floor(operation))
    }

    /// How long a message may be handed out again and again before it is given up or too old, as far as that is stated:
    /// receives × visibility, and never longer than it is kept.
    #[must_use]
    pub fn redelivered_for(&self, queue: NodeId) -> Option<Extent> {
        if !self.redelivers(queue) {
            return Some(Extent::ZERO);
        }
        let look = |key| self.cascade().node(queue, key).given();
        let kept =
            look(Key::Retention).map(|stated| stated.setting.duration().map_or(Extent::Unbounded, Extent::Finite));
        let tried = look(Key::MaxReceives).zip(look(Key::Visibility)).and_then(|(receives, visibility)| {
            let Some(count) = receives.setting.count() else { return Some(Extent::Unbounded) };
            Some(Extent::Finite(visibility.setting.duration()?.times(count)))
        });
        match (kept, tried) {
            (Some(kept), Some(tried)) => Some(kept.min(tried)),
            (kept, tried) => kept.or(tried),
        }
    }
}
