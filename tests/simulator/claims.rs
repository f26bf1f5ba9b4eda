//! What is said to be possible, and a schedule under which it happens.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use topolint::analysis::{Exposed, Extent, Facts, Time};
use topolint::diagnostic::Certainty;
use topolint::model::{CallId, OperationId};

use super::clock::NEVER;
use super::outage::Outage;
use super::properties::{nanoseconds, shown};
use super::record::{Record, What};
use super::run::play;
use super::schedule::Schedule;
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

/// All of what was claimed, but for the last instant.
const ALL: f64 = 0.999_999;

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

    /// Why it is not decided whether this can happen: what is counted is attempts, and neither what time they need nor
    /// which of them a barrier answers. Each is said of a play in which just that came in between.
    pub fn undecided(&self, trial: &Trial) -> Option<&'static str> {
        let counts = matches!(self, Self::Executed(..));
        let late = trial.record.late.then_some("stated waits between tries are longer than somebody above waits");
        let stopped = trial.record.stopped.then_some("a barrier answers who comes with the same stated key again");
        late.or(stopped).filter(|_| counts)
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
            Self::Takes(id, time) => best(world, &witness::hangs(facts, world, *id), &|schedule| {
                trial(schedule, *id, &|record| {
                    let (took, said) = (worked(record, *id), nanoseconds(time.at_least));
                    if took >= said { 1.0 } else { took as f64 / said as f64 }
                })
            }),
            Self::OverDeadline(id) => best(world, &witness::hangs(facts, world, *id), &|schedule| {
                trial(schedule, *id, &|record| truth(worked(record, *id) > world.operation(*id).deadline))
            }),
            Self::Endless(id) => best(world, &witness::hangs(facts, world, *id), &|schedule| {
                trial(schedule, *id, &|record| truth(record.answered.is_none() || record.exhausted))
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
                let choices = Outage::of(world, *id);
                let said = facts.executions(*id).root;
                let best = world.roots.iter().copied().chain(said).max_by_key(|root| choices.best(*root).1);
                trial(witness::outage(&choices), best.unwrap(), &|record| {
                    record.executions[id.index()] as f64 / *times as f64
                })
            }
        }
    }
}

/// The first schedule under which all of it happens, or the best one, with what makes it better.
fn best(world: &World, schedules: &[Schedule], trial: &dyn Fn(Schedule) -> Trial) -> Trial {
    let plain = schedules.iter().cloned().map(trial);
    let mut trials: Vec<Trial> = Vec::new();
    for trial in plain {
        let done = trial.share >= ALL;
        trials.push(trial);
        if done {
            return trials.pop().unwrap();
        }
    }
    let climbed = trials.into_iter().map(|trial_| climbed(world, trial_, trial));
    climbed.max_by(|one, other| one.share.total_cmp(&other.share)).unwrap()
}

/// What becomes of it with one thing after the other decided otherwise, as long as that is better.
fn climbed(world: &World, mut best: Trial, trial: &dyn Fn(Schedule) -> Trial) -> Trial {
    loop {
        let changed = witness::changes(world, &best.schedule).into_iter().map(trial);
        let next = changed.max_by(|one, other| one.share.total_cmp(&other.share));
        match next.filter(|next| next.share > best.share) {
            Some(next) => best = next,
            None => return best,
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
        // What a circle hands down to itself is no time that a request has.
        let in_circle =
            world.calls.iter().any(|call| call.made && call.from == id && below(world, call.to).contains(&id));
        let exact = time.at_most == Some(time.at_least) && !in_circle && !leads_to_a_barred_circle(world, id);
        claims.extend((exact && time.at_least > Extent::ZERO).then_some(Claim::Takes(id, time)));
    }
    let proved = facts.exposed().iter().filter(|exposed| exposed.certainty == Certainty::Proved);
    let proved = proved.filter(|exposed| exposed.left_out == 0 && is_a_plain_way(facts, world, &exposed.path));
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

/// Not tried: ways that go round a circle, and what answers in the place of a call that is tried without end. Both are
/// findings of their own (`sync-cycle`, `unbounded-retry`), and what lies behind them happens only once they have ended.
fn is_a_plain_way(facts: &Facts<'_>, world: &World, way: &[CallId]) -> bool {
    way.iter().all(|call| {
        let replaced = facts.topology().call(*call).fallback_of;
        !in_a_circle(world, *call) && replaced.is_none_or(|call| world.call(call).tries < u64::MAX)
    })
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
