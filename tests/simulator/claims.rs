//! What is said to be possible, and a schedule under which it happens.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use topolint::analysis::{Exposed, Extent, Facts, Time};
use topolint::diagnostic::Certainty;
use topolint::model::{CallId, OperationId};

use super::clock::NEVER;
use super::properties::{nanoseconds, shown};
use super::record::{Record, What};
use super::run::play;
use super::schedule::{Draw, Schedule};
use super::witness;
use super::world::World;

/// Something that is said to be possible.
pub enum Claim<'f> {
    /// The work of an operation takes so long.
    Takes(OperationId, Time),
    /// It takes longer than its own deadline.
    OverDeadline(OperationId),
    /// It never ends.
    Endless(OperationId),
    /// A callee works on when its caller has given up: that of one of these calls, of one name.
    Outlives(Vec<CallId>),
    /// An effect happens twice.
    Twice(&'f Exposed),
    /// If it fails at once, it is executed so often.
    Executed(OperationId, u64),
}

/// So many ways to choose what is open are tried, until what was claimed has happened.
const OUTAGES: u64 = 300;

/// How a claim was put to the test.
pub struct Trial {
    pub schedule: Schedule,
    pub root: OperationId,
    pub record: Record,
    /// How much of what was claimed has happened: 1 for all of it.
    pub share: f64,
}

impl Claim<'_> {
    /// The name under which it is counted.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Takes(..) => "worst case",
            Self::OverDeadline(_) => "latency-over-budget",
            Self::Endless(_) => "unbounded-latency",
            Self::Outlives(_) => "timeout-inversion",
            Self::Twice(_) => "repeated-effect",
            Self::Executed(..) => "retry-amplification",
        }
    }

    pub fn written(&self, world: &World) -> String {
        let operation = |id: &OperationId| world.operation(*id).name.clone();
        match self {
            Self::Takes(id, time) => format!("{} can work for {:?}", operation(id), time.at_least),
            Self::OverDeadline(id) => {
                format!("{} can need longer than {}", operation(id), shown(world.operation(*id).deadline))
            }
            Self::Endless(id) => format!("{} can take for ever", operation(id)),
            Self::Outlives(calls) => format!("{} can give up before its callee", world.call(calls[0]).name),
            Self::Twice(exposed) => format!("{:?} can have its effect twice", exposed.site),
            Self::Executed(id, times) => format!("{} is executed {times} times if it fails", operation(id)),
        }
    }

    /// Makes it happen.
    pub fn tried(&self, facts: &Facts<'_>, world: &Rc<World>, logs: bool) -> Trial {
        let trial = |schedule: Schedule, root, judge: &dyn Fn(&Record) -> f64| {
            let record = play(world, &schedule, root, witness::longest_left(world, root), logs);
            let share = judge(&record);
            Trial { schedule, root, record, share }
        };
        let worked = |record: &Record, id| match record.times.get(&What::Worked(id)) {
            _ if record.exhausted => NEVER,
            time => time.copied().unwrap_or(0),
        };
        let truth = |is: bool| f64::from(u8::from(is));
        match self {
            Self::Takes(id, time) => trial(witness::hang(facts, world, *id), *id, &|record| {
                let (took, said) = (worked(record, *id), nanoseconds(time.at_least));
                if took >= said { 1.0 } else { took as f64 / said as f64 }
            }),
            Self::OverDeadline(id) => trial(witness::hang(facts, world, *id), *id, &|record| {
                truth(worked(record, *id) > world.operation(*id).deadline)
            }),
            Self::Endless(id) => trial(witness::hang(facts, world, *id), *id, &|record| {
                truth(record.answered.is_none() || record.exhausted)
            }),
            Self::Outlives(calls) => {
                let trials = calls.iter().map(|id| {
                    trial(witness::inversion(facts, world, *id), world.call(*id).from, &|record| {
                        truth(record.outlived.contains(id) || record.exhausted)
                    })
                });
                trials.max_by(|one, other| one.share.total_cmp(&other.share)).unwrap()
            }
            Self::Twice(exposed) => {
                let root = world.call(exposed.repeater.call).from;
                let site = witness::site(exposed);
                trial(witness::repetition(facts, world, exposed), root, &|record| {
                    truth(record.repeated().contains(&site))
                })
            }
            Self::Executed(id, times) => {
                let draws = [Draw::Least].into_iter().chain((0..OUTAGES).map(Draw::Seed));
                let all = draws.flat_map(|draw| world.roots.iter().map(move |root| (draw, *root)));
                let mut trials = all.map(|(draw, root)| {
                    trial(witness::outage(*id, draw), root, &|record| {
                        record.executions[id.index()] as f64 / *times as f64
                    })
                });
                let mut best = trials.next().unwrap();
                while best.share < 1.0
                    && let Some(next) = trials.next()
                {
                    best = if next.share > best.share { next } else { best };
                }
                best
            }
        }
    }
}

/// Everything that is claimed of a topology and put to the test: worst cases, and what the rules report as proved.
pub fn claims<'f>(facts: &'f Facts<'_>, world: &World, found: &[(String, String)]) -> Vec<Claim<'f>> {
    let operations: BTreeMap<&str, OperationId> =
        world.operation_ids().map(|id| (world.operation(id).name.as_str(), id)).collect();
    let mut claims = Vec::new();
    for id in world.operation_ids() {
        let time = facts.times().work(id);
        let exact = time.at_most == Some(time.at_least) && !leads_to_a_barred_circle(world, id);
        claims.extend((exact && time.at_least > Extent::ZERO).then_some(Claim::Takes(id, time)));
    }
    let proved = facts.exposed().iter().filter(|exposed| exposed.certainty == Certainty::Proved);
    let proved = proved.filter(|exposed| exposed.left_out == 0 && !in_a_circle(world, exposed.repeater.call));
    claims.extend(proved.map(Claim::Twice));
    for (rule, subject) in found.iter().collect::<BTreeSet<_>>() {
        let operation = operations.get(subject.as_str()).copied();
        claims.extend(match (rule.as_str(), operation) {
            (_, Some(id)) if leads_to_a_barred_circle(world, id) => None,
            ("latency-over-budget", Some(id)) => Some(Claim::OverDeadline(id)),
            ("unbounded-latency", Some(id)) => Some(Claim::Endless(id)),
            ("retry-amplification", Some(id)) => {
                let executions = facts.executions(id);
                let root = executions.root.filter(|root| !leads_to_a_circle(world, *root));
                root.and(executions.failing.finite()).map(|it| Claim::Executed(id, it))
            }
            ("timeout-inversion", _) => {
                let made = |id: &CallId| world.call(*id).made && world.call(*id).waits && !in_a_circle(world, *id);
                let open = |id: &CallId| !leads_to_a_barred_circle(world, world.call(*id).to);
                let named = |id: &CallId| made(id) && open(id) && facts.topology().call_name(*id) == *subject;
                Some(Claim::Outlives(world.call_ids().filter(named).collect()))
                    .filter(|it| !matches!(it, Claim::Outlives(calls) if calls.is_empty()))
            }
            _ => None,
        });
    }
    claims
}

/// Whether the callee calls its caller: what then hangs is a game of its own, and a barrier may stop it.
fn in_a_circle(world: &World, id: CallId) -> bool {
    below(world, world.call(id).to).contains(&world.call(id).from)
}

/// All that calls which are made lead to, the operation itself included.
fn below(world: &World, id: OperationId) -> BTreeSet<OperationId> {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![id];
    while let Some(at) = waiting.pop() {
        if seen.insert(at) {
            waiting.extend(world.calls.iter().filter(|call| call.made && call.from == at).map(|call| call.to));
        }
    }
    seen
}

/// Whether an operation leads to one that leads to itself: nothing that comes after it ever happens.
fn leads_to_a_circle(world: &World, id: OperationId) -> bool {
    let calls = || world.call_ids().filter(|call| world.call(*call).made);
    let below = below(world, id);
    calls().any(|call| below.contains(&world.call(call).from) && in_a_circle(world, call))
}

/// Not tried: a circle in which a barrier stands. It is said to be without end (ruling 12), which it is unless the key
/// that comes round is the same; then the barrier ends it.
fn leads_to_a_barred_circle(world: &World, id: OperationId) -> bool {
    let below_it = below(world, id);
    let barred = |at: &OperationId| world.operation(*at).barrier.is_some();
    below_it.iter().any(|at| {
        let calls = world.calls.iter().filter(|call| call.made && call.from == *at);
        let round = calls.map(|call| below(world, call.to)).find(|round| round.contains(at));
        round.is_some_and(|round| round.iter().any(barred))
    })
}
