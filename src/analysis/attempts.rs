//! How one call waits and tries again: what is stated, and the arithmetic of one call by itself.
//! Formula: `W = n·(q + t) + Σ b` with n attempts, pool wait q, timeout t and waits b between tries.

use super::backoff::Backoff;
use super::interval::{Extent, Known};
use crate::model::{Answer, CallId, Cascade, Client, ClientKind, Duration, Phase, Stated, Topology};
use crate::syntax::Arrow;
use crate::vocabulary::{ElementKind, Key};

/// A bound that may be stated.
#[derive(Clone, Copy, Debug)]
pub enum Limit<'a> {
    /// It is this.
    At(Duration, Stated<'a>),
    /// There is none.
    None(Stated<'a>),
    /// Nothing is known.
    Unstated,
    /// Something was written that could not be read: nothing is known, and nothing is to be said of it.
    Unreadable,
}

impl<'a> Limit<'a> {
    /// The time, where there is one.
    #[must_use]
    pub fn duration(self) -> Option<Duration> {
        if let Self::At(duration, _) = self { Some(duration) } else { None }
    }

    /// The statement, where there is one.
    #[must_use]
    pub fn stated(self) -> Option<Stated<'a>> {
        match self {
            Self::At(_, stated) | Self::None(stated) => Some(stated),
            Self::Unstated | Self::Unreadable => None,
        }
    }
}

/// How often a call is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attempts {
    /// At most so often, the first try included.
    AtMost(u64),
    /// Without end.
    Unlimited,
}

impl Attempts {
    /// Whether it can be tried more than once.
    #[must_use]
    pub fn repeat(self) -> bool {
        self > Self::AtMost(1)
    }
}

/// A mesh or gateway that tries again inside the caller's wait.
#[derive(Clone, Copy, Debug)]
pub struct ProxyLayer<'a> {
    /// Which.
    pub client: &'a Client,
    /// How often it tries.
    pub attempts: u64,
    /// Whether it repeats calls that may have been executed, and whether that is certain here.
    pub repeats_work: Option<bool>,
}

/// What decides whether a call counts for a question at all; its plan is a hundred times as large.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallFlags {
    /// It can happen while a request is served.
    pub(super) made: bool,
    /// It can, and the caller waits.
    pub(super) awaited: bool,
    /// No network in between.
    pub(super) local: bool,
    /// It stays open.
    pub(super) stream: bool,
}

/// How one call waits and tries again.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// An execution may go on without it.
    pub skippable: bool,
    /// The longest wait for one attempt.
    pub timeout: Limit<'a>,
    /// The longest wait for all attempts.
    pub deadline: Limit<'a>,
    /// The shortest deadline of the nodes that it passes `through`: they cut every attempt.
    pub cut: Option<(Duration, Stated<'a>)>,
    /// Whether it ends with what the caller has left.
    pub inherits: bool,
    /// How often it is tried, one if nothing is stated or nothing is tried again.
    pub attempts: Attempts,
    /// Where that is stated.
    pub attempts_stated: Option<Stated<'a>>,
    /// The waits between tries; none if they are not stated or there are none.
    pub backoff: Option<Backoff>,
    /// What is stated of them.
    pub backoff_stated: Answer<'a>,
    /// Whether every failure that is tried again means that nothing was done.
    pub retries_only_undone: bool,
    /// Whether only failed connections are tried again.
    pub retries_only_connect: bool,
    /// Whether only answers that do not come in time are tried again.
    pub retries_only_late: bool,
    /// Whether of what may have been done only that is tried again whose answer does not come in time.
    pub repeats_only_late: bool,
    /// Whether a failure that the callee passes on from below is not tried again.
    pub retries_only_near: bool,
    /// The longest wait for a connection.
    pub connect: Limit<'a>,
    /// The longest wait for a connection of the pool, for each attempt.
    pub pool_wait: Extent,
    /// Copies sent before the first has failed, the first included, and the time between them.
    pub hedge: Option<(u64, Duration, Stated<'a>)>,
    /// Calls for one execution, at most.
    pub times: Attempts,
    /// Calls for one execution that makes any, at least.
    pub least_times: u64,
    /// What answers when it has failed.
    pub soft: bool,
    /// Meshes and gateways in between that try again.
    pub proxies: Vec<ProxyLayer<'a>>,
}

/// What callers do while they wait: of a delivery, `defaults` say none of it.
const DELIVERED_WITHOUT: [Key; 9] = [
    Key::Timeout,
    Key::Deadline,
    Key::ConnectTimeout,
    Key::PoolWait,
    Key::Retries,
    Key::Attempts,
    Key::Backoff,
    Key::RetryOn,
    Key::Hedge,
];

/// What each call is to a request. A fallback is made only if its call is, and calls come before their fallbacks.
pub(super) fn flags(topology: &Topology, cascade: Cascade<'_>) -> Vec<CallFlags> {
    let mut flags: Vec<CallFlags> = Vec::with_capacity(topology.calls.len());
    for id in topology.call_ids() {
        let call = topology.call(id);
        let of = call.fallback_of.and_then(|call| flags.get(call.index()));
        let look = |key| looked_up(topology, cascade, id, key);
        let chance = look(Key::Chance).given().and_then(|stated| stated.setting.share());
        let happens = times(look(Key::Times)) != Attempts::AtMost(0) && chance.is_none_or(|share| share > 0.0);
        let made = of.is_none_or(|call| call.made) && happens && call.phase == Phase::Request;
        flags.push(CallFlags {
            made,
            awaited: made && call.arrow == Arrow::Sync,
            local: call.implied || look(Key::Local).given().is_some(),
            stream: look(Key::Stream).given().is_some(),
        });
    }
    flags
}

/// The plans of all calls.
pub(super) fn plans<'a>(topology: &'a Topology, cascade: Cascade<'a>) -> Vec<Plan<'a>> {
    topology.call_ids().map(|id| plan(topology, cascade, id)).collect()
}

/// What is known of an attribute of a call, as its caller follows it: what the model has drawn itself follows nobody's
/// defaults, and what a queue delivers is repeated by the queue.
fn looked_up<'a>(topology: &Topology, cascade: Cascade<'a>, id: CallId, key: Key) -> Answer<'a> {
    let delivered = || topology.kind_of(topology.caller(id)) == ElementKind::Queue;
    let silent = topology.call(id).implied || DELIVERED_WITHOUT.contains(&key) && delivered();
    if silent { Answer::Unstated } else { cascade.call(id, &[key]) }
}

/// Reads how a call waits and tries again.
fn plan<'a>(topology: &'a Topology, cascade: Cascade<'a>, id: CallId) -> Plan<'a> {
    let call = topology.call(id);
    let delivered = topology.kind_of(call.from) == ElementKind::Queue;
    let look = |key| looked_up(topology, cascade, id, key);
    let limit = |key| match look(key) {
        Answer::Given(stated) => {
            stated.setting.duration().map_or(Limit::Unstated, |duration| Limit::At(duration, stated))
        }
        Answer::None(stated) => Limit::None(stated),
        Answer::Unreadable => Limit::Unreadable,
        Answer::Unstated => Limit::Unstated,
    };
    let attempts_stated = cascade.call(id, &[Key::Retries, Key::Attempts]).stated();
    let attempts_stated = attempts_stated.filter(|_| !call.implied && !delivered);
    let retries_nothing = matches!(look(Key::RetryOn), Answer::None(_));
    let attempts = attempts_stated.filter(|_| !retries_nothing).map_or(Attempts::AtMost(1), attempts_of);
    let times = times(look(Key::Times));
    let chance = look(Key::Chance).given().and_then(|stated| stated.setting.share());
    let fallback = call.fallback.is_some() || look(Key::Fallback).given().is_some();
    let retried = look(Key::RetryOn).given();
    let only =
        |undone: &[&str]| retried.is_some_and(|stated| stated.setting.words().all(|word| undone.contains(&word)));
    Plan {
        skippable: chance.is_some_and(|share| share < 1.0) || least_times(look(Key::Times)) == 0,
        timeout: whole_answer(cascade, id, limit(Key::Timeout), limit(Key::IdleTimeout)),
        deadline: limit(Key::Deadline),
        cut: cut(cascade, look(Key::Through)),
        inherits: look(Key::Deadline).given().is_some_and(|stated| stated.setting.says("inherited")),
        attempts,
        attempts_stated,
        backoff: look(Key::Backoff).given().map(|stated| Backoff::of(stated.setting)),
        backoff_stated: look(Key::Backoff),
        retries_only_undone: only(&["connect", "refused", "throttled"]),
        retries_only_connect: only(&["connect"]),
        retries_only_late: only(&["timeout"]),
        repeats_only_late: only(&["connect", "refused", "throttled", "timeout"]),
        retries_only_near: only(&["connect", "refused", "reset", "timeout"]),
        connect: limit(Key::ConnectTimeout),
        pool_wait: match limit(Key::PoolWait) {
            Limit::At(wait, _) => Extent::Finite(wait),
            Limit::None(_) => Extent::Unbounded,
            Limit::Unstated | Limit::Unreadable => Extent::ZERO,
        },
        hedge: look(Key::Hedge).given().and_then(|stated| {
            let copies = stated.setting.count().unwrap_or(2);
            Some((copies.max(1), stated.setting.duration()?, stated)).filter(|(copies, ..)| *copies > 1)
        }),
        times,
        least_times: least_times(look(Key::Times)),
        soft: fallback,
        proxies: if delivered { Vec::new() } else { proxies(topology, cascade, id) },
    }
}

/// What fits into one packet comes at once or not at all, so that a bound on silence bounds the whole answer.
fn whole_answer<'a>(cascade: Cascade<'a>, id: CallId, timeout: Limit<'a>, idle: Limit<'a>) -> Limit<'a> {
    const PACKET: u64 = 1_400;
    let unbounded = match timeout {
        Limit::Unstated => true,
        Limit::None(stated) => matches!(stated.origin, crate::model::Origin::Client(..)),
        Limit::At(..) | Limit::Unreadable => false,
    };
    let size = || cascade.call(id, &[Key::Response]).given()?.setting.size();
    match idle {
        Limit::At(..) if unbounded && size().is_some_and(|size| size <= PACKET) => idle,
        _ => timeout,
    }
}

/// What is on the way may end a call before its ends do.
fn cut<'a>(cascade: Cascade<'a>, through: Answer<'a>) -> Option<(Duration, Stated<'a>)> {
    let nodes = through.given()?.setting.nodes();
    let deadlines = nodes.filter_map(|node| cascade.node(node, Key::Deadline).given());
    deadlines.filter_map(|stated| Some((stated.setting.duration()?, stated))).min_by_key(|(deadline, _)| *deadline)
}

fn attempts_of(stated: Stated<'_>) -> Attempts {
    let extra = u64::from(stated.setting.key == Key::Retries);
    match stated.setting.count() {
        _ if stated.setting.says("unlimited") => Attempts::Unlimited,
        Some(count) => Attempts::AtMost(count.saturating_add(extra).max(1)),
        None => Attempts::AtMost(1),
    }
}

fn least_times(times: Answer<'_>) -> u64 {
    let Some(stated) = times.given() else { return 1 };
    match (stated.setting.count_range(), stated.setting.count()) {
        (Some((low, _)), _) => low,
        (None, count) => count.unwrap_or(0),
    }
}

fn times(answer: Answer<'_>) -> Attempts {
    let Some(stated) = answer.given() else { return Attempts::AtMost(1) };
    match (stated.setting.count_range(), stated.setting.count()) {
        (Some((_, high)), _) => Attempts::AtMost(high),
        (None, Some(count)) => Attempts::AtMost(count),
        (None, None) => Attempts::Unlimited,
    }
}

/// The proxies on the way that try again by default. They sit before services and external systems; what they do with
/// a connection to a store or queue is no retry of a request.
fn proxies<'a>(topology: &Topology, cascade: Cascade<'a>, id: CallId) -> Vec<ProxyLayer<'a>> {
    let call = topology.call(id);
    if call.implied || !matches!(topology.kind_of(call.to), ElementKind::Service | ElementKind::External) {
        return Vec::new();
    }
    let proxies = cascade.clients(id).filter(|client| client.kind == ClientKind::Proxy);
    proxies
        .filter_map(|client| {
            let default = client.known(Key::Attempts).or_else(|| client.known(Key::Retries))?;
            let stated = Stated { setting: &default.setting, origin: crate::model::Origin::Client(client) };
            let Attempts::AtMost(attempts) = attempts_of(stated) else { return None };
            let classes = client.known(Key::RetryOn).map(|default| default.setting.words().collect::<Vec<_>>());
            Some(ProxyLayer { client, attempts, repeats_work: repeats_work(classes.as_deref(), cascade, id) })
        })
        .filter(|layer| layer.attempts > 1)
        .collect()
}

/// A class such as `unavailable` is a status of gRPC: over another or an unstated protocol it may never be seen.
fn repeats_work(classes: Option<&[&str]>, cascade: Cascade<'_>, id: CallId) -> Option<bool> {
    let undone = |class: &&str| matches!(*class, "connect" | "refused" | "throttled");
    if classes.is_some_and(|classes| classes.iter().all(undone)) {
        return None;
    }
    let only_statuses = classes.is_some_and(|classes| {
        classes.iter().all(|class| undone(class) || matches!(*class, "unavailable" | "cancelled"))
    });
    let speaks_grpc = cascade.clients(id).any(|client| client.name == "grpc");
    Some(!only_statuses || speaks_grpc)
}

impl Plan<'_> {
    /// The longest that one attempt lasts, with the copies of a hedge, if `single` bounds one copy.
    fn round(&self, single: Duration) -> Duration {
        match self.hedge {
            Some((copies, after, _)) if after < single => after.times(copies - 1).plus(single),
            _ => single,
        }
    }

    /// The longest that all attempts but the last last, each, if `connecting` bounds a failed connection.
    fn earlier(&self, single: Duration, connecting: Duration) -> Duration {
        self.round(if self.retries_only_connect { connecting.min(single) } else { single })
    }

    /// All waits between tries together, at most.
    #[must_use]
    pub fn waits(&self) -> Extent {
        match (self.backoff, self.attempts) {
            (None, _) => Extent::ZERO,
            (Some(_), Attempts::Unlimited) => Extent::Unbounded,
            (Some(backoff), Attempts::AtMost(attempts)) => Extent::Finite(backoff.total(attempts - 1)),
        }
    }

    /// The longest wait for all attempts in a hang, if one attempt takes at most `single`, without any deadline:
    /// `n·(q + t) + Σ b`; where only failed connections are tried again, `(n − 1)·min(c, t) + t` in the place of `n·t`.
    #[must_use]
    pub fn all_attempts(&self, single: Duration) -> Extent {
        self.total(single, self.connect.duration().unwrap_or(single))
    }

    /// What of that is proved to be reached: where only failed connections are tried again and nothing is known of
    /// connecting, all but the last attempt may fail at once.
    #[must_use]
    pub fn least_of_all_attempts(&self, single: Duration) -> Extent {
        self.total(single, self.known_connecting(single))
    }

    fn known_connecting(&self, single: Duration) -> Duration {
        match self.connect {
            Limit::At(connect, _) => connect,
            Limit::None(_) => single,
            Limit::Unstated | Limit::Unreadable => Duration::ZERO,
        }
    }

    fn total(&self, single: Duration, connecting: Duration) -> Extent {
        let (Attempts::AtMost(attempts), Extent::Finite(pool_wait)) = (self.attempts, self.pool_wait) else {
            return Extent::Unbounded;
        };
        let tries = self.earlier(single, connecting).times(attempts - 1).plus(self.round(single));
        self.waits().plus(Extent::Finite(tries.plus(pool_wait.times(attempts))))
    }

    /// When an attempt starts in a hang, counted from the start of the first, if those before it last as long as they
    /// may; the first is number 0.
    #[must_use]
    pub(super) fn start_of(&self, nth: u64, single: Duration) -> Duration {
        let pool_wait = self.pool_wait.finite().unwrap_or(Duration::MAX);
        let each = self.earlier(single, self.known_connecting(single)).plus(pool_wait);
        each.times(nth).plus(self.backoff.map_or(Duration::ZERO, |backoff| backoff.total(nth)))
    }

    /// The latest time at which an attempt can succeed, if nothing goes on after `limit`: of the attempts that can
    /// start before it, the last. Attempts fail at any time, so whatever lies between is reached too. Of jitter that is
    /// not stated, the least is proved without any (`Known`) and the most with all of it.
    #[must_use]
    pub(super) fn latest_success(&self, single: Duration, limit: Duration, known: Known) -> Duration {
        let connecting = match known {
            Known::AtLeast => self.known_connecting(single),
            Known::AtMost => self.connect.duration().unwrap_or(single),
        };
        let more = match self.attempts {
            Attempts::AtMost(attempts) => attempts - 1,
            Attempts::Unlimited => u64::MAX,
        };
        if more == u64::MAX && !self.backoff.is_some_and(|backoff| backoff.waits()) {
            return limit;
        }
        let pool_wait = self.pool_wait.finite().unwrap_or(limit);
        let (started, waits) = self
            .backoff
            .map_or((more, Duration::ZERO), |backoff| backoff.started_before(Some(limit), Duration::ZERO, more, known));
        let tries = self.earlier(single, connecting).times(started).plus(self.round(single));
        waits.plus(tries).plus(pool_wait.times(started.saturating_add(1))).min(limit)
    }

    /// Whether a bound was written that could not be read.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        [self.timeout, self.deadline].into_iter().any(|limit| matches!(limit, Limit::Unreadable))
    }

    /// The longest that the caller waits for one attempt, by what is stated on it and on what it passes through.
    #[must_use]
    pub fn attempt_limit(&self) -> Option<(Duration, Stated<'_>)> {
        let stated = |limit| if let Limit::At(duration, stated) = limit { Some((duration, stated)) } else { None };
        let limits = [stated(self.timeout), stated(self.deadline), self.cut];
        limits.into_iter().flatten().min_by_key(|(limit, _)| *limit)
    }

    /// The longest that one attempt lasts, by its timeout or by what it passes through.
    #[must_use]
    pub fn attempt(&self) -> Option<Duration> {
        self.timeout.duration().into_iter().chain(self.cut.map(|(cut, _)| cut)).min()
    }
}
