//! What is said to be possible, and a schedule under which it happens.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use topolint::analysis::{Exposed, Extent, Facts, Time};
use topolint::diagnostic::Certainty;
use topolint::model::{CallId, OperationId};

use super::clock::NEVER;
use super::properties::{nanoseconds, shown};
use super::random::Random;
use super::record::{Record, What};
use super::run::{ROUNDS, play};
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
const OUTAGES: u64 = 1_500;

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
            Self::Takes(id, time) => best(&witness::hangs(facts, world, *id), &|schedule| {
                trial(schedule, *id, &|record| {
                    let (took, said) = (worked(record, *id), nanoseconds(time.at_least));
                    if took >= said { 1.0 } else { took as f64 / said as f64 }
                })
            }),
            Self::OverDeadline(id) => best(&witness::hangs(facts, world, *id), &|schedule| {
                trial(schedule, *id, &|record| truth(worked(record, *id) > world.operation(*id).deadline))
            }),
            Self::Endless(id) => best(&witness::hangs(facts, world, *id), &|schedule| {
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
                // The best choices are looked for: each time one or two of the best so far are changed.
                let mut random = Random::seeded(u64::from(id.0));
                let executed = |schedule, root| {
                    trial(schedule, root, &|record| record.executions[id.index()] as f64 / *times as f64)
                };
                let said = facts.executions(*id).root;
                let others = world.roots.iter().copied().filter(|root| Some(*root) != said);
                let roots = said.into_iter().chain(others).filter(|root| leads_to(world, *root, *id));
                let mut best: Option<Trial> = None;
                for root in roots {
                    if best.as_ref().is_some_and(|best| best.share >= 1.0) {
                        break;
                    }
                    let plain = executed(witness::outage(*id, Draw::Least, Vec::new()), root);
                    let mut own = executed(witness::outage(*id, Draw::Seed(1), Vec::new()), root);
                    for _ in 0..OUTAGES {
                        if own.share.max(plain.share) >= 1.0 {
                            break;
                        }
                        let mut choices = own.schedule.choices.clone();
                        choices.resize_with(world.calls.len() * 3 * ROUNDS, || random.up_to(60));
                        for _ in 0..=random.up_to(3) {
                            let (kind, chosen) = (random.index(world.calls.len() * 3), random.up_to(60));
                            let rounds = if random.percent(50) { 0..ROUNDS } else { one_round(&mut random) };
                            rounds.for_each(|round| choices[kind * ROUNDS + round] = chosen);
                        }
                        let next = executed(witness::outage(*id, Draw::Seed(1), choices), root);
                        own = if next.share >= own.share { next } else { own };
                    }
                    let own = if plain.share >= own.share { plain } else { own };
                    best = if best.as_ref().is_none_or(|best| own.share > best.share) { Some(own) } else { best };
                }
                best.unwrap_or_else(|| executed(witness::outage(*id, Draw::Least, Vec::new()), *id))
            }
        }
    }
}

fn one_round(random: &mut Random) -> std::ops::Range<usize> {
    let round = random.index(ROUNDS);
    round..round + 1
}

/// The first schedule under which all of it happens, or the best one.
fn best(schedules: &[Schedule], trial: &dyn Fn(Schedule) -> Trial) -> Trial {
    let mut best = trial(schedules[0].clone());
    for schedule in &schedules[1..] {
        if best.share >= 0.999_999 {
            break;
        }
        let next = trial(schedule.clone());
        best = if next.share > best.share { next } else { best };
    }
    best
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
                let root = root.filter(|root| !passes_a_barrier(world, *root, id));
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

/// Not tried: ways through a barrier. What is counted comes with a key of its own each time; where rounds of a loop or
/// several calls hand the same one on, the barrier answers all but the first that works.
fn passes_a_barrier(world: &World, from: OperationId, to: OperationId) -> bool {
    let barred = |id: &OperationId| *id != to && world.operation(*id).barrier.is_some();
    world.operation_ids().filter(barred).any(|id| leads_to(world, from, id) && leads_to(world, id, to))
}

/// Whether requests that come in at one operation reach another, what queues give up included.
fn leads_to(world: &World, from: OperationId, to: OperationId) -> bool {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![from];
    while let Some(at) = waiting.pop() {
        if seen.insert(at) {
            let calls = world.calls.iter().filter(|call| call.made && call.from == at);
            waiting.extend(calls.flat_map(|call| std::iter::once(call.to).chain(call.dead_letter)));
        }
    }
    seen.contains(&to)
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
