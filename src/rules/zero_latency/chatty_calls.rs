//! Round trips one after another that take much of the time an operation has.

use crate::analysis::{Attempts, Facts};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{CallId, Duration, OperationId, Step as CallStep};
use crate::rules::prose;
use crate::source::Span;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, options: &Options) -> Vec<Diagnostic> {
    if facts.topology().links.is_empty() {
        return Vec::new();
    }
    let limits = Limits { share: options.percentage("share"), trips: options.count("trips") };
    facts.topology().operation_ids().filter_map(|id| finding(facts, id, &limits)).collect()
}

/// From where on it is too much.
struct Limits {
    share: f64,
    trips: u64,
}

/// Round trips one after another.
#[derive(Clone, Default)]
struct Trips {
    count: u64,
    time: Duration,
    calls: Vec<(CallId, u64)>,
}

impl Trips {
    fn then(mut self, other: Self) -> Self {
        self.calls.extend(other.calls);
        Self { count: self.count.saturating_add(other.count), time: self.time.plus(other.time), calls: self.calls }
    }
}

fn finding(facts: &Facts<'_>, id: OperationId, limits: &Limits) -> Option<Diagnostic> {
    let topology = facts.topology();
    if topology.kind_of(id) == ElementKind::Client {
        return None;
    }
    let (budget, place, whose) = budget(facts, id)?;
    // A promise that the floor alone breaks is another finding.
    if facts.floor(id) >= budget {
        return None;
    }
    let body = &topology.operation(id).body;
    let too_much =
        |trips: &Trips| trips.count >= limits.trips && trips.time.seconds() > budget.seconds() * limits.share;
    let least = trips(facts, body, Bound::Least);
    let (found, certainty) = if too_much(&least) {
        (least, Certainty::Proved)
    } else {
        (Some(trips(facts, body, Bound::Most)).filter(too_much)?, Certainty::Possible)
    };
    let name = topology.operation_name(id);
    let can = if certainty == Certainty::Proved { "takes" } else { "can take" };
    let message = format!(
        "`{name}` {can} {} round trips one after another: {} of the {budget} that {whose}",
        found.count, found.time
    );
    let (first, _) = found.calls.iter().max_by_key(|(call, times)| facts.round_trip(*call).times(*times))?;
    let mut diagnostic = Diagnostic::new(topology.call(*first).span, message).label(place, "the time it has");
    diagnostic.certainty = certainty;
    diagnostic.witness = found.calls.iter().take(12).map(|(call, times)| step(facts, *call, *times)).collect();
    diagnostic.cause = Some(name.clone());
    diagnostic.help = vec![
        format!("ask `{}` once for all, in a batch: `times 1`", topology.operation_name(topology.callee(*first))),
        "or make calls that do not need each other at once, in `parallel`".to_owned(),
        "or keep what it needs near: in its zone or region, or `local`".to_owned(),
    ];
    Some(diagnostic.subject(name))
}

/// The time that an operation has: its deadline, its promise, or the wait of a caller.
fn budget(facts: &Facts<'_>, id: OperationId) -> Option<(Duration, Span, &'static str)> {
    let deadline = facts.cascade().operation(id, Key::Deadline).given();
    let own = deadline.and_then(|stated| Some((stated.setting.duration()?, prose::place(stated)?, "it gives itself")));
    let promised = facts.promised_latency(id).map(|(time, setting)| (time, setting.span, "it promises"));
    let waits = facts.shortest_wait(id).and_then(|(limit, call)| {
        let (_, stated) = facts.plan(call).attempt_limit()?;
        Some((limit, prose::place(stated)?, "its caller waits"))
    });
    [promised, own, waits].into_iter().flatten().min_by_key(|(time, ..)| *time)
}

/// Which executions count.
#[derive(Clone, Copy)]
enum Bound {
    /// The quickest: the lower end of `times`, the shortest of alternatives.
    Least,
    /// The slowest.
    Most,
}

impl Bound {
    fn times(self, facts: &Facts<'_>, call: CallId) -> Option<u64> {
        match (self, facts.plan(call).times) {
            (Self::Least, _) => Some(facts.plan(call).least_times),
            (Self::Most, Attempts::AtMost(times)) => Some(times),
            (Self::Most, Attempts::Unlimited) => None,
        }
    }
}

/// The longest chain of round trips of these steps; what may not be made does not count.
fn trips(facts: &Facts<'_>, steps: &[CallStep], bound: Bound) -> Trips {
    steps.iter().fold(Trips::default(), |sum, step| {
        sum.then(match step {
            CallStep::Call(call) => trips_of(facts, *call, bound.times(facts, *call)),
            CallStep::Sequence(steps) => trips(facts, steps, bound),
            CallStep::Parallel(branches) => at_once(facts, branches, bound),
            CallStep::OneOf(branches) => {
                let each = branches.iter().map(|branch| trips(facts, std::slice::from_ref(branch), bound));
                let found = match bound {
                    Bound::Least => each.min_by_key(|trips| trips.time),
                    Bound::Most => each.max_by_key(|trips| trips.time),
                };
                found.unwrap_or_default()
            }
            CallStep::Any(..) => Trips::default(),
        })
    })
}

/// The longest of branches that are started together: several copies of one call take as long as one.
fn at_once(facts: &Facts<'_>, branches: &[CallStep], bound: Bound) -> Trips {
    let each = branches.iter().map(|branch| match branch {
        CallStep::Call(call) => trips_of(facts, *call, bound.times(facts, *call).map(|times| times.min(1))),
        _ => trips(facts, std::slice::from_ref(branch), bound),
    });
    each.max_by_key(|trips| trips.time).unwrap_or_default()
}

fn trips_of(facts: &Facts<'_>, call: CallId, times: Option<u64>) -> Trips {
    let always = facts.is_awaited(call) && facts.is_hard(call) && facts.miss_of(call).is_none();
    let trip = facts.round_trip(call);
    let certain = facts.cascade().call(call, &[Key::Chance]).given().is_none();
    match times {
        Some(times) if always && certain && times > 0 && trip > Duration::ZERO => {
            Trips { count: times, time: trip.times(times), calls: vec![(call, times)] }
        }
        _ => Trips::default(),
    }
}

fn step(facts: &Facts<'_>, call: CallId, times: u64) -> Step {
    let topology = facts.topology();
    let trip = facts.round_trip(call);
    let all = trip.times(times);
    let text = if times == 1 { format!("there and back: {trip}") } else { format!("{times} × {trip} = {all}") };
    Step {
        subject: topology.call_name(call),
        span: topology.call(call).span,
        text,
        value: Some(Measure::Seconds(all.seconds())),
    }
}
