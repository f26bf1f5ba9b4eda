//! An independent oracle: what the analyses say about small random topologies is compared with brute force.
//! The models here are written from the rulings, not from the code, and compute nothing in the same way.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

#[path = "oracle/adversary.rs"]
mod adversary;
#[path = "oracle/generate.rs"]
mod generate;
#[allow(dead_code, reason = "shared with the oracle of load and failure")]
#[path = "oracle/graph.rs"]
mod graph;
#[path = "oracle/needs.rs"]
mod needs;
#[path = "oracle/order.rs"]
mod order;
#[path = "oracle/random.rs"]
mod random;
#[path = "oracle/shrink.rs"]
mod shrink;
#[path = "oracle/subject.rs"]
mod subject;
#[path = "oracle/walks.rs"]
mod walks;
#[path = "oracle/world.rs"]
mod world;

use adversary::{FOREVER, Unstated, Worst, stated};
use generate::Taste;
use random::Random;
use subject::Subject;
use topolint::analysis::{Effect, EffectSite, Extent, Facts, Model, Need, Time, Unmet, Weakness, Who};
use topolint::diagnostic::Certainty;
use topolint::model::Duration;

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

#[test]
fn the_models_are_those_of_the_language_and_their_order_is_that_of_the_map() {
    let form = topolint::vocabulary::Key::Model.attribute().form;
    let mut named: Vec<&str> = Model::ALL.map(Model::name).to_vec();
    let mut words: Vec<&str> = form.split('|').map(str::trim).collect();
    named.sort_unstable();
    words.sort_unstable();
    assert_eq!(named, words);
    for (one, other) in pairs() {
        let implies = order::implies(one.name(), other.name());
        assert_eq!(one.implies(other), implies, "{} implies {}", one.name(), other.name());
        let back = order::implies(other.name(), one.name());
        assert_eq!(one.partial_cmp(&other).is_none(), !implies && !back, "{} and {}", one.name(), other.name());
        assert_eq!(one >= other, implies);
    }
    assert_eq!(Model::Serializable.partial_cmp(&Model::Linearizable), None);
}

#[test]
fn a_meet_is_the_only_greatest_model_that_both_imply() {
    for (one, other) in pairs() {
        let found = order::greatest_below(one.name(), other.name());
        assert_eq!(found, [one.meet(other).name()], "{} and {}", one.name(), other.name());
        assert_eq!(one.meet(other), other.meet(one));
        let least = |model: &Model| model.implies(one) && model.implies(other);
        let above: Vec<Model> = Model::ALL.into_iter().filter(least).collect();
        assert!(least(&one.join(other)) && above.iter().all(|model| model.implies(one.join(other))));
        for third in Model::ALL {
            assert_eq!(one.meet(other).meet(third), one.meet(other.meet(third)));
        }
        // Losing the session before or after two answers are joined is the same, and keeps the order.
        assert_eq!(one.meet(other).without_session(), one.without_session().meet(other.without_session()));
        assert!(!one.implies(other) || one.without_session().implies(other.without_session()));
    }
    assert!(Model::ALL.iter().all(|model| model.meet(*model) == *model));
    let of_session: Vec<&str> =
        Model::ALL.iter().filter(|model| model.is_of_session()).map(|model| model.name()).collect();
    assert!(order::SESSION.iter().all(|word| of_session.contains(word)) && of_session.len() == order::SESSION.len());
}

fn pairs() -> impl Iterator<Item = (Model, Model)> {
    Model::ALL.into_iter().flat_map(|one| Model::ALL.into_iter().map(move |other| (one, other)))
}

#[test]
fn exactly_the_needs_are_unmet_that_some_way_misses() {
    let (mut compared, mut seed, mut reports) = (0, 0, Vec::new());
    // How often each kind of row was expected: models and ages, by what answers and by the session.
    let mut rows = std::collections::BTreeMap::new();
    while compared < GRAPHS && reports.len() < 3 {
        let world = world::world(&mut Random::seeded(seed));
        if let Some(expected) = world.missed() {
            compared += 1;
            for (_, of_age, of_session) in expected.keys() {
                *rows.entry((*of_age, *of_session)).or_insert(0) += 1;
            }
            let wrong = wrong_needs(&world, &expected);
            if !wrong.is_empty() {
                reports.push(format!("seed {seed}\n{}\n{}", world.written().text, wrong.join("\n")));
            }
        }
        seed += 1;
        assert!(seed < GRAPHS * 11 / 10, "only {compared} of {seed} graphs were compared");
    }
    assert!(reports.is_empty(), "{}", reports.join("\n\n"));
    assert!(
        rows.len() == 3 && rows.values().all(|count| *count > GRAPHS / 20),
        "the graphs have become too kind: {rows:?}"
    );
}

fn wrong_needs(
    world: &world::World,
    expected: &std::collections::BTreeMap<needs::Row, Vec<needs::Missed>>,
) -> Vec<String> {
    let written = world.written();
    let subject = Subject::read(&written);
    let mut wrong = Vec::new();
    subject.with(|facts| {
        for read in world.reads() {
            let (expected, said) = (world.reading(read), facts.reading(subject.call(written.places[read])).unwrap());
            let denied = Model::ALL.into_iter().filter(|model| said.denied.contains(*model)).map(Model::name);
            let said = needs::Reading {
                guaranteed: said.guaranteed.name(),
                denied: denied.collect(),
                least: seconds(said.age.at_least),
                most: said.age.at_most.map(seconds),
            };
            if said != expected {
                wrong.push(format!("read {read}: expected {expected:?}\n said {said:?}"));
            }
        }
        let number = |id| (0..written.places.len()).find(|call| subject.call(written.places[*call]) == id);
        let mut seen = std::collections::BTreeSet::new();
        for unmet in facts.unmet_needs() {
            let (row, said) = as_missed(unmet, &number);
            let ways = expected.get(&row).map_or(&[] as &[needs::Missed], Vec::as_slice);
            let certain = ways.iter().any(|way| way.proved);
            let stronger = |way: &&needs::Missed| way.proved == certain && is_stronger(way.need, said.need);
            if !ways.contains(&said) || said.proved != certain || ways.iter().any(|way| stronger(&way)) {
                wrong.push(format!("{row:?}: said {said:?}\n expected one of {ways:?}"));
            }
            if !starts(facts, unmet) || !seen.insert(row) {
                wrong.push(format!("{row:?}: strange {unmet:?}"));
            }
        }
        wrong.extend(expected.keys().filter(|row| !seen.contains(*row)).map(|row| format!("{row:?} is not found")));
    });
    wrong
}

fn as_missed(
    unmet: &Unmet<'_>,
    number: &impl Fn(topolint::model::CallId) -> Option<usize>,
) -> (needs::Row, needs::Missed) {
    let need = match unmet.need {
        Need::Model(model) => world::Need::Model(model.name()),
        Need::Age(age) => world::Need::Age(seconds(Extent::Finite(age))),
    };
    let lost = match unmet.weakness {
        Weakness::Answer => None,
        Weakness::Session(call) => number(call),
    };
    let way = unmet.path.iter().map(|call| number(*call).unwrap()).collect();
    let row = (number(unmet.read).unwrap(), matches!(need, world::Need::Age(_)), lost.is_some());
    (row, needs::Missed { proved: unmet.certainty == Certainty::Proved, need, lost, way })
}

fn is_stronger(one: world::Need, other: world::Need) -> bool {
    match (one, other) {
        (world::Need::Model(one), world::Need::Model(other)) => one != other && order::implies(one, other),
        (world::Need::Age(one), world::Need::Age(other)) => one < other,
        _ => false,
    }
}

/// Whether the way starts where the need is stated.
fn starts(facts: &Facts<'_>, unmet: &Unmet<'_>) -> bool {
    let first = unmet.path[0];
    match unmet.who {
        Who::Operation(operation) => facts.topology().call(first).from == operation,
        Who::Call(call) => first == call,
    }
}

fn seconds(extent: Extent) -> u64 {
    extent.finite().map_or(needs::FOREVER, |time| time.nanoseconds() / Duration::from_milliseconds(1000).nanoseconds())
}
