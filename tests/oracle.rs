//! An independent oracle: what the analyses say about small random topologies is compared with brute force.
//! The models here are written from the rulings, not from the code, and compute nothing in the same way.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

#[path = "oracle/adversary.rs"]
mod adversary;
#[path = "oracle/generate.rs"]
mod generate;
#[path = "oracle/graph.rs"]
mod graph;
#[path = "oracle/random.rs"]
mod random;
#[path = "oracle/shrink.rs"]
mod shrink;
#[path = "oracle/subject.rs"]
mod subject;
#[path = "oracle/walks.rs"]
mod walks;

use adversary::{FOREVER, Unstated, Worst, stated};
use generate::Taste;
use random::Random;
use subject::Subject;
use topolint::analysis::{Effect, EffectSite, Extent, Time};
use topolint::diagnostic::Certainty;

/// So many graphs have to be compared.
const GRAPHS: u64 = 10_000;

#[test]
fn a_worst_case_is_what_the_adversary_finds() {
    compare_all(wrong_times, |random| {
        let unsaid = random.one_of(&[0, 0, 10, 40]);
        generate::graph(random, Taste { time: Some(unsaid), effects: false })
    });
}

#[test]
fn exactly_the_effects_are_exposed_that_some_way_repeats() {
    compare_all(wrong_effects, |random| generate::graph(random, Taste { time: None, effects: true }));
}

/// What is wrong, and whether the graph demands an exact answer.
struct Verdict {
    wrong: Vec<String>,
    exact: bool,
}

/// Compares graph after graph. The few that have too many ways to be played out do not count.
fn compare_all(judge: fn(&graph::Graph) -> Option<Verdict>, draw: impl Fn(&mut Random) -> graph::Graph) {
    let (mut compared, mut exact, mut seed, mut reports) = (0, 0, 0, Vec::new());
    let is_wrong = |graph: &graph::Graph| judge(graph).is_some_and(|verdict| !verdict.wrong.is_empty());
    while compared < GRAPHS {
        let graph = draw(&mut Random::seeded(seed));
        let verdict = judge(&graph);
        compared += u64::from(verdict.is_some());
        exact += u64::from(verdict.as_ref().is_some_and(|verdict| verdict.exact));
        if verdict.is_some_and(|verdict| !verdict.wrong.is_empty()) {
            let graph = shrink::shrink(graph, is_wrong);
            let wrong = judge(&graph).unwrap().wrong;
            reports.push(format!("seed {seed}\n{}\n{}", graph.written().text, wrong.join("\n")));
        }
        seed += 1;
        assert!(
            reports.len() < 5 && seed < GRAPHS * 11 / 10,
            "{seed} graphs, {compared} compared\n\n{}",
            reports.join("\n\n")
        );
    }
    assert!(reports.is_empty(), "{}", reports.join("\n\n"));
    assert!(exact > GRAPHS / 2, "only {exact} graphs demanded an exact answer");
}

fn wrong_times(graph: &graph::Graph) -> Option<Verdict> {
    let written = graph.written();
    let subject = Subject::read(&written);
    let least = Worst::of(&stated(graph, Unstated::Nothing));
    let most = Worst::of(&stated(graph, Unstated::Forever));
    let drawn = Worst::of(&stated(graph, Unstated::Drawn));
    let exact = !graph.leaves_gaps() && !least.overran && !most.overran;
    let mut wrong = Vec::new();
    if !least.all_reached {
        return None;
    }
    subject.with(|facts| {
        let times = facts.times();
        for operation in 0..graph.operations.len() {
            let id = subject.operation(&graph.name(operation));
            let name = graph.name(operation);
            if let (Some(a), Some(b)) = (least.work[operation], most.work[operation]) {
                compare(&mut wrong, &format!("work of {name}"), a, b, times.work(id), exact);
            }
            if let (Some(a), Some(b)) = (least.operation[operation], most.operation[operation]) {
                compare(&mut wrong, &format!("operation {name}"), a, b, times.operation(id), exact);
            }
            within(&mut wrong, &format!("work of {name}"), drawn.work[operation], times.work(id));
            within(&mut wrong, &format!("operation {name}"), drawn.operation[operation], times.operation(id));
        }
        for call in (0..graph.calls.len()).filter(|call| graph.is_made(*call) && graph.calls[*call].waits) {
            let id = subject.call(written.places[call]);
            if let (Some(a), Some(b)) = (least.call[call], most.call[call]) {
                let what = format!("call {}", &written.text[written.places[call]..].lines().next().unwrap());
                compare(&mut wrong, &what, a, b, times.call(facts, id), exact);
                within(&mut wrong, &what, drawn.call[call], times.call(facts, id));
            }
        }
    });
    Some(Verdict { wrong, exact })
}

/// The interval is exact, or, where it need not be, nothing that can happen lies outside of what is claimed; waits that
/// may fall short are played to the millisecond.
fn compare(wrong: &mut Vec<String>, what: &str, least: u64, most: u64, said: Time, exact: bool) {
    if !exact {
        let sound = said.at_least <= extent(least + 10) && said.at_most.is_none_or(|said| extent(most) <= said);
        wrong.extend((!sound).then(|| format!("{what}: {least} to {most} is possible, said {}", show(said))));
        return;
    }
    let expected =
        Time { at_least: extent(least), at_most: (most < FOREVER || least == FOREVER).then(|| extent(most)) };
    if expected.at_least != said.at_least
        || least < FOREVER && expected.at_most != said.at_most.filter(|x| *x != Extent::Unbounded)
    {
        wrong.push(format!("{what}: expected {} said {}", show(expected), show(said)));
    }
}

/// With some timeouts in the place of the unstated ones, a time stays within what is said of all of them.
fn within(wrong: &mut Vec<String>, what: &str, drawn: Option<u64>, said: Time) {
    let Some(drawn) = drawn.map(extent) else { return };
    if drawn.plus(extent(10)) < said.at_least || said.at_most.is_some_and(|most| drawn > most) {
        wrong.push(format!("{what}: {drawn:?} is possible, said {}", show(said)));
    }
}

fn extent(time: u64) -> Extent {
    if time >= FOREVER { Extent::Unbounded } else { Extent::Finite(topolint::model::Duration::from_milliseconds(time)) }
}

fn show(time: Time) -> String {
    let s = |e: Extent| match e {
        Extent::Unbounded => "INF".to_owned(),
        Extent::Finite(d) => format!("{d}"),
    };
    format!("[{}, {}]", s(time.at_least), time.at_most.map_or("?".to_owned(), s))
}

fn wrong_effects(graph: &graph::Graph) -> Option<Verdict> {
    let expected = walks::repeated(graph)?;
    let written = graph.written();
    let subject = Subject::read(&written);
    let mut wrong = Vec::new();
    subject.with(|facts| {
        let topology = facts.topology();
        let call = |id| (0..graph.calls.len()).find(|call| subject.call(written.places[*call]) == id);
        let mut said = std::collections::BTreeMap::new();
        for exposed in facts.exposed() {
            let site = match exposed.site {
                EffectSite::Operation(id) => {
                    let name = topology.operation_name(id);
                    (0..graph.operations.len()).find(|id| graph.name(*id) == name).map(walks::Site::Own)
                }
                EffectSite::Write(id) => call(id).map(walks::Site::Write),
            };
            let Some(site) = site else {
                wrong.push(format!("strange site {exposed:?}"));
                continue;
            };
            let harm = match site {
                walks::Site::Own(id) => walks::harm_of_work(graph, id, walks::Key::Fresh),
                walks::Site::Write(id) => walks::harm_of_call(graph, id),
            };
            let effect = if harm == walks::Harm::Proved { Effect::Repeats } else { Effect::Unknown };
            let by_key =
                matches!(site, walks::Site::Own(id) if graph.operations[id].repetition == graph::Repetition::ByKey);
            if !by_key && effect != exposed.effect {
                wrong.push(format!("{site:?}: effect {effect:?} said {:?}", exposed.effect));
            }
            let proved = exposed.certainty == Certainty::Proved;
            let way: Option<Vec<usize>> = exposed.path.iter().map(|id| call(*id)).collect();
            match way {
                None => wrong.push(format!(
                    "{site:?}: strange path {:?}",
                    exposed.path.iter().map(|id| topology.call_name(*id)).collect::<Vec<_>>()
                )),
                Some(way) => {
                    if walks::along(graph, &way, site) != Some(proved) {
                        wrong.push(format!(
                            "{site:?}: no witness: {way:?} gives {:?}, said {proved}",
                            walks::along(graph, &way, site)
                        ));
                    }
                    if way.first().copied() != call(exposed.repeater.call) {
                        wrong.push(format!("{site:?}: repeater {:?} is not first of {way:?}", exposed.repeater));
                    }
                }
            }
            let found = walks::Found { proved, steps: exposed.path.len() };
            if said.insert(site, found).is_some() {
                wrong.push(format!("{site:?} twice"));
            }
        }
        for site in expected.keys().chain(said.keys()).collect::<std::collections::BTreeSet<_>>() {
            if expected.get(site) != said.get(site) {
                wrong.push(format!("{site:?}: expected {:?} said {:?}", expected.get(site), said.get(site)));
            }
        }
    });
    Some(Verdict { wrong, exact: true })
}
