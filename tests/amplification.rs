//! An independent oracle: how often things are executed, what is needed, how far it is, how much arrives and how many
//! workers that takes, compared with brute force on small random topologies.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

#[path = "oracle/failure.rs"]
mod failure;
#[path = "oracle/floor.rs"]
mod floor;
#[path = "oracle/golden.rs"]
mod golden;
#[allow(dead_code, reason = "shared with the oracle of time and effects")]
#[path = "oracle/graph.rs"]
mod graph;
#[path = "oracle/hangs.rs"]
mod hangs;
#[path = "oracle/random.rs"]
mod random;
#[path = "oracle/shrink.rs"]
mod shrink;
#[path = "oracle/subject.rs"]
mod subject;
#[path = "oracle/traffic.rs"]
mod traffic;
#[path = "oracle/ways_down.rs"]
mod ways_down;

use std::collections::{BTreeMap, BTreeSet};

use failure::ENDLESS;
use graph::Graph;
use random::Random;
use subject::Subject;
use topolint::analysis::{Count, Extent, Facts, Held, Pool};
use topolint::model::{CallId, Duration, OperationId};
use traffic::About;

/// So many graphs have to be compared.
const GRAPHS: u64 = 10_000;

#[test]
fn executions_are_those_that_the_worst_choices_lead_to() {
    compare_all(About::Failure, wrong_executions);
}

#[test]
fn no_way_down_leads_to_more_than_the_bound() {
    compare_all(About::Failure, wrong_bounds);
}

#[test]
fn what_is_hard_is_reached_over_hard_calls() {
    compare_all(About::Failure, |graph| Some(wrong_hardness(graph)));
}

#[test]
fn no_successful_execution_undercuts_the_floor() {
    compare_all(About::Distance, wrong_floors);
}

#[test]
fn rates_are_the_sum_of_what_comes_down_each_way() {
    compare_all(About::Load, wrong_rates);
}

#[test]
fn a_hang_holds_the_workers_of_those_who_wait() {
    compare_all(About::Load, wrong_pools);
}

/// What is wrong with what is said of a graph, and whether there was much to say.
struct Verdict {
    wrong: Vec<String>,
    telling: bool,
}

/// Compares graph after graph. The few that are too big to be played out do not count.
fn compare_all(about: About, judge: fn(&Graph) -> Option<Verdict>) {
    let is_wrong = |graph: &Graph| judge(graph).is_some_and(|verdict| !verdict.wrong.is_empty());
    let (mut compared, mut telling, mut seed, mut reports) = (0, 0, 0, BTreeMap::new());
    while compared < GRAPHS && reports.len() < 5 && seed < GRAPHS * 11 / 10 {
        let graph = traffic::graph(&mut Random::seeded(seed), about);
        let verdict = judge(&graph);
        compared += u64::from(verdict.is_some());
        telling += u64::from(verdict.as_ref().is_some_and(|verdict| verdict.telling));
        if verdict.is_some_and(|verdict| !verdict.wrong.is_empty()) {
            let graph = shrink::shrink(graph, is_wrong);
            let wrong = judge(&graph).unwrap().wrong;
            reports.insert(format!("{}\n{}", graph.written().text, wrong.join("\n")), seed);
        }
        seed += 1;
    }
    let reports: Vec<String> = reports.iter().map(|(report, seed)| format!("seed {seed}\n{report}")).collect();
    assert!(reports.is_empty(), "{seed} graphs\n\n{}", reports.join("\n\n"));
    assert!(compared >= GRAPHS, "only {compared} of {seed} graphs could be played out");
    assert!(telling > GRAPHS / 3, "there was much to say of {telling} graphs only");
}

fn number(count: Count) -> u64 {
    count.finite().map_or(ENDLESS, |count| count.min(ENDLESS))
}

/// What is said of each operation of a graph, and what is wrong with that.
fn of_each<T>(graph: &Graph, mut judge: impl FnMut(&Facts<'_>, &Subject, usize) -> T) -> Vec<T> {
    let subject = Subject::read(&graph.written());
    subject.with(|facts| (0..graph.operations.len()).map(|id| judge(facts, &subject, id)).collect())
}

fn wrong_executions(graph: &Graph) -> Option<Verdict> {
    let expected: Option<Vec<u64>> =
        (0..graph.operations.len()).map(|operation| failure::executions(graph, operation)).collect();
    let expected = expected?;
    let wrong = of_each(graph, |facts, subject, id| {
        let operation = subject.operation(&graph.name(id));
        let (said, expected) = (facts.executions(operation), expected[id]);
        let exact = said.exact || expected == ENDLESS;
        let mut wrong = Vec::new();
        if number(said.failing) != expected || !exact {
            wrong.push(format!("executions of {}: expected {expected} said {said:?}", graph.name(id)));
        } else if expected < ENDLESS {
            let (at_once, way) = facts.executions_at_once(&[operation])[0].clone();
            let happens = at_once.failing > Count::Times(0);
            if at_once.failing > said.failing || happens && !is_way(facts, at_once.root, &way, operation) {
                wrong.push(format!("no way to {}, or more than {said:?}: {at_once:?}", graph.name(id)));
            }
        }
        wrong
    });
    let telling = expected.iter().any(|count| (2..ENDLESS).contains(count));
    Some(Verdict { wrong: wrong.concat(), telling })
}

/// Whether calls that can be made lead from there to here, one after the other; or nothing leads here.
fn is_way(facts: &Facts<'_>, from: Option<OperationId>, way: &[CallId], to: OperationId) -> bool {
    let Some(from) = from else { return way.is_empty() };
    let ends = |id: &CallId| (facts.topology().call(*id).from, facts.topology().call(*id).to);
    let last = way.iter().map(ends).try_fold(from, |at, (start, end)| (at == start).then_some(end));
    last == Some(to) && way.iter().all(|id| facts.is_made(*id))
}

fn wrong_bounds(graph: &Graph) -> Option<Verdict> {
    let expected = ways_down::bounds(graph)?;
    let wrong = of_each(graph, |facts, subject, id| {
        let said = facts.executions(subject.operation(&graph.name(id)));
        let wrong = number(said.bound) != expected[id];
        wrong.then(|| format!("bound of {}: expected {} said {said:?}", graph.name(id), expected[id]))
    });
    let telling = expected.iter().any(|count| (2..ENDLESS).contains(count));
    Some(Verdict { wrong: wrong.into_iter().flatten().collect(), telling })
}

fn wrong_hardness(graph: &Graph) -> Verdict {
    let (hard, written) = (ways_down::hard_calls(graph), graph.written());
    let subject = Subject::read(&written);
    let mut wrong = Vec::new();
    subject.with(|facts| {
        for (call, expected) in hard.iter().enumerate() {
            let said = facts.is_hard(subject.call(written.places[call]));
            if said != *expected {
                wrong.push(format!("call {}: expected {expected} said {said}", line(&written, call)));
            }
        }
        for from in 0..graph.operations.len() {
            let start = subject.operation(&graph.name(from));
            let ways = facts.ways_over([start], |call| facts.is_hard(call));
            let reached = ways_down::reached(graph, from, &hard);
            for to in 0..graph.operations.len() {
                let end = subject.operation(&graph.name(to));
                let way = ways.way(facts, end);
                let goes = way.iter().all(|id| facts.is_hard(*id)) && is_way(facts, ways.start(end), &way, end);
                if ways.reach(end) != reached.contains(&to) || reached.contains(&to) && !goes {
                    wrong.push(format!("{} to {}: said {way:?}", graph.name(from), graph.name(to)));
                }
            }
        }
    });
    let soft = |call: usize| !hard[call] && graph.calls[call].waits && graph.is_made(call);
    let telling = (0..graph.calls.len()).any(soft) && hard.contains(&true);
    Verdict { wrong, telling }
}

fn line(written: &graph::Written, call: usize) -> &str {
    written.text[written.places[call]..].lines().next().unwrap()
}

fn wrong_floors(graph: &Graph) -> Option<Verdict> {
    let expected: Vec<Option<u64>> =
        (0..graph.operations.len()).map(|operation| floor::floor(graph, operation)).collect();
    let turns =
        |from: usize| (0..graph.operations.len()).any(|id| graph.is_below_a_circle(id) && graph.leads_to(from, id));
    let wrong = of_each(graph, |facts, subject, id| {
        let said = facts.floor(subject.operation(&graph.name(id)));
        let expected = Duration::from_milliseconds(expected[id]?);
        // Nobody has to go round a circle in thought to say that it takes at least so long.
        let right = if turns(id) { said <= expected } else { said == expected };
        (!right).then(|| format!("floor of {}: expected {expected} said {said}", graph.name(id)))
    });
    let telling = expected.iter().flatten().any(|floor| *floor > 0);
    let compared = expected.iter().any(Option::is_some);
    compared.then(|| Verdict { wrong: wrong.into_iter().flatten().collect(), telling })
}

fn wrong_rates(graph: &Graph) -> Option<Verdict> {
    let expected = ways_down::rates(graph)?;
    let wrong = of_each(graph, |facts, subject, id| {
        let said = facts.rate(subject.operation(&graph.name(id)));
        let expected = expected[id];
        // In a circle, no least is demanded.
        let same = ways_down::turns_when_healthy(graph, id) || close(said.per_second, expected.rate);
        (said.known != expected.known || !same)
            .then(|| format!("rate of {}: expected {expected:?} said {said:?}", graph.name(id)))
    });
    let telling = expected.iter().any(|arriving| arriving.known && arriving.rate > 0.0);
    Some(Verdict { wrong: wrong.into_iter().flatten().collect(), telling })
}

fn as_number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs())
}

fn wrong_pools(graph: &Graph) -> Option<Verdict> {
    let written = graph.written();
    let subject = Subject::read(&written);
    subject.with(|facts| {
        let turns = |id: usize| ways_down::turns_when_healthy(graph, id);
        if hangs::waits_in_a_circle(graph) || (0..graph.operations.len()).any(turns) {
            return None;
        }
        let lasts = lasts(graph, &written, &subject, facts);
        let (pools, mut wrong, mut telling) = (hangs::pools(graph), Vec::new(), false);
        for (size, operations) in &pools {
            let hangs = hangs::hangs(graph, operations, &lasts)?;
            telling |= hangs.values().any(|hang| hang.needed != Some(0.0));
            let ids: BTreeSet<_> = operations.iter().map(|id| subject.operation(&graph.name(*id))).collect();
            let said =
                facts.pools().iter().find(|pool| pool.operations.iter().copied().collect::<BTreeSet<_>>() == ids);
            match said {
                Some(pool) => wrong.extend(wrong_hangs(graph, facts, pool, *size, &hangs)),
                None if hangs.is_empty() => {}
                None => wrong.push(format!("no pool of {operations:?}")),
            }
        }
        if facts.pools().len() > pools.len() {
            wrong.push(format!("{} pools", facts.pools().len()));
        }
        Some(Verdict { wrong, telling })
    })
}

/// How long things last at the worst is judged elsewhere.
fn lasts(graph: &Graph, written: &graph::Written, subject: &Subject, facts: &Facts<'_>) -> hangs::Lasts {
    let seconds = |extent: Extent| extent.finite().map_or(f64::INFINITY, Duration::seconds);
    let calls = written.places.iter().map(|place| facts.times().call(facts, subject.call(*place)));
    let calls: Vec<_> = calls.collect();
    let work = |id: usize| facts.times().work(subject.operation(&graph.name(id))).at_most.map(seconds);
    hangs::Lasts {
        call: calls.iter().map(|time| seconds(time.at_least)).collect(),
        call_at_most: calls.iter().map(|time| time.at_most.map(seconds)).collect(),
        work_at_most: (0..graph.operations.len()).map(work).collect(),
    }
}

fn wrong_hangs(
    graph: &Graph,
    facts: &Facts<'_>,
    pool: &Pool,
    size: u64,
    hangs: &BTreeMap<usize, hangs::Hang>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let name = |held: &Held| facts.topology().node_name(held.callee).to_owned();
    let said: BTreeMap<String, &Held> = pool.hangs.iter().map(|held| (name(held), held)).collect();
    let expected: BTreeMap<String, &hangs::Hang> =
        hangs.iter().map(|(node, hang)| (graph.nodes[*node].name.clone(), hang)).collect();
    if pool.size != size || said.keys().ne(expected.keys()) {
        wrong.push(format!("size {} with {:?}, expected {size} with {:?}", pool.size, said.keys(), expected.keys()));
    }
    for (callee, held) in said {
        let Some(hang) = expected.get(&callee) else { continue };
        let innocent: BTreeSet<String> = held.innocent.iter().map(|id| facts.topology().operation_name(*id)).collect();
        let same = held.needed.is_some() == hang.needed.is_some()
            && close(held.needed.unwrap_or(0.0), hang.needed.unwrap_or(0.0))
            && close(held.arriving, hang.arriving)
            && full(held.seconds_to_full(pool), hangs::seconds_to_full(hang, as_number(size)))
            && held.known == hang.known
            && (held.needed == Some(0.0) || innocent == hang.innocent.iter().map(|id| graph.name(*id)).collect());
        if !same {
            wrong.push(format!("{callee} hangs: expected {hang:?} said {held:?}"));
        }
    }
    // Without end is the most.
    let needed: Vec<f64> = pool.hangs.iter().map(|held| held.needed.unwrap_or(f64::INFINITY)).collect();
    wrong.extend((!needed.is_sorted_by(|one, next| one >= next)).then(|| format!("not the most first: {needed:?}")));
    wrong
}

fn full(said: Option<f64>, expected: Option<f64>) -> bool {
    match (said, expected) {
        (Some(said), Some(expected)) => (said - expected).abs() <= 1e-5 * (1.0 + expected),
        (said, expected) => said.is_none() && expected.is_none(),
    }
}
