//! Topologies by chance: those of the other oracles, with what those leave out.

use super::graph::{Graph, Kind, Repetition};
use super::random::Random;
use super::{drawn, traffic};

/// A topology, by its seed.
pub fn graph(seed: u64) -> Graph {
    let mut random = Random::seeded(seed);
    let unsaid = random.one_of(&[0, 0, 10, 40]);
    let mut graph = match random.up_to(10) {
        0..=1 => traffic::graph(&mut random, traffic::About::Failure),
        2 => traffic::graph(&mut random, traffic::About::Load),
        3 => drawn::graph(&mut random, drawn::Taste { time: None, effects: true }),
        _ => drawn::graph(&mut random, drawn::Taste { time: Some(unsaid), effects: true }),
    };
    for node in &mut graph.nodes {
        if matches!(node.kind, Kind::Service | Kind::External) && random.percent(25) {
            node.said.push("cancels".to_owned());
        }
    }
    for id in 0..graph.calls.len() {
        let between = !graph.calls[id].local && !graph.kind(graph.calls[id].from).holds_data();
        let mesh = graph.calls[id].via.is_empty() && between && random.percent(4);
        graph.calls[id].via.extend(mesh.then_some("istio"));
    }
    graph
}

/// Its text; some barriers forget.
pub fn written(graph: &Graph) -> String {
    let text = graph.written().text;
    let barriers = graph.operations.iter().filter(|it| it.repetition == Repetition::ByKey).count();
    if barriers % 3 == 2 { text.replace("idempotent by-key", "idempotent by-key { window 1s }") } else { text }
}
