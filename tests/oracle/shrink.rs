//! Makes a graph that is judged wrongly as small as it can be, so that a mismatch can be read.

use super::graph::{Call, Deadline, Fallback, Graph, Kind, Node, Operation, Repetition, Said, Shape, Step};

/// The smallest graph found that is still wrong.
pub fn shrink(mut graph: Graph, still_wrong: impl Fn(&Graph) -> bool) -> Graph {
    loop {
        let smaller = smaller(&graph).into_iter().find(|smaller| smaller != &graph && still_wrong(smaller));
        match smaller {
            Some(smaller) => graph = smaller,
            None => return graph,
        }
    }
}

fn smaller(graph: &Graph) -> Vec<Graph> {
    let mut all: Vec<Graph> = (0..graph.calls.len()).filter_map(|call| without(graph, call)).collect();
    all.extend((0..graph.nodes.len()).filter_map(|node| without_node(graph, node)));
    let on_calls: [fn(&mut Call); 18] = [
        |call| call.timeout = Said::Unsaid,
        |call| {
            if call.retry_on != Said::Is(vec!["connect"]) {
                call.connect = Said::Unsaid;
            }
        },
        |call| call.pool_wait = None,
        |call| call.deadline = Deadline::default(),
        |call| call.attempts = Said::None,
        |call| call.backoff = Said::Unsaid,
        |call| call.retry_on = Said::Unsaid,
        |call| call.hedge = Said::Unsaid,
        |call| call.times = None,
        |call| call.chance = None,
        |call| call.via.clear(),
        |call| call.bulkhead = None,
        |call| call.load = None,
        |call| call.every = None,
        |call| call.local = false,
        |call| call.key = Said::Unsaid,
        |call| call.idempotent = Said::Unsaid,
        |call| call.fallback = if call.fallback == Fallback::Text { Fallback::Absent } else { call.fallback.clone() },
    ];
    for id in (0..graph.calls.len()).filter(|id| graph.kind(graph.calls[*id].from) != Kind::Queue) {
        for change in on_calls {
            let mut smaller = graph.clone();
            change(&mut smaller.calls[id]);
            all.push(smaller);
        }
    }
    let on_operations: [fn(&mut Operation); 7] = [
        |operation| operation.deadline = Deadline::default(),
        |operation| operation.latency = None,
        |operation| operation.load = None,
        |operation| operation.repetition = Repetition::Unsaid,
        |operation| operation.methods.clear(),
        |operation| operation.concurrency = None,
        |operation| operation.body = operation.body.iter().flat_map(flat).collect(),
    ];
    for id in 0..graph.operations.len() {
        for change in on_operations {
            let mut smaller = graph.clone();
            if smaller.kind(id).holds_data() {
                continue;
            }
            change(&mut smaller.operations[id]);
            all.push(smaller);
        }
    }
    let on_nodes: [fn(&mut Node); 5] = [
        |node| node.receives = None,
        |node| node.hit_ratio = None,
        |node| node.concurrency = None,
        |node| node.region = None,
        |node| node.zones.clear(),
    ];
    for (id, change) in (0..graph.nodes.len()).flat_map(|id| on_nodes.map(|change| (id, change))) {
        let mut smaller = graph.clone();
        change(&mut smaller.nodes[id]);
        all.push(smaller);
    }
    for link in 0..graph.network.len() {
        let mut smaller = graph.clone();
        smaller.network.remove(link);
        all.push(smaller);
    }
    all
}

fn flat(step: &Step) -> Vec<Step> {
    match step {
        Step::Call(_) => vec![step.clone()],
        Step::Group(_, steps) => steps.clone(),
    }
}

fn without(graph: &Graph, gone: usize) -> Option<Graph> {
    if matches!(graph.calls[gone].fallback, Fallback::Calls(_)) {
        return None;
    }
    let mut graph = graph.clone();
    graph.calls.remove(gone);
    for operation in &mut graph.operations {
        remove(&mut operation.body, gone);
    }
    for call in &mut graph.calls {
        if let Fallback::Calls(steps) = &mut call.fallback {
            remove(steps, gone);
            if steps.is_empty() {
                call.fallback = Fallback::Absent;
            }
        }
    }
    Some(graph)
}

fn remove(steps: &mut Vec<Step>, gone: usize) {
    steps.retain(|step| *step != Step::Call(gone));
    for step in &mut *steps {
        match step {
            Step::Call(call) => *call -= usize::from(*call > gone),
            Step::Group(shape, steps) => {
                remove(steps, gone);
                if let Shape::Any(enough) = shape {
                    *enough = (*enough).min(steps.len());
                }
            }
        }
    }
    steps.retain(|step| !matches!(step, Step::Group(_, steps) if steps.is_empty()));
}

/// Without a node that no call touches.
fn without_node(graph: &Graph, gone: usize) -> Option<Graph> {
    let is_gone = |operation: usize| graph.operations[operation].node == gone;
    let letters = format!("dead-letter {}", graph.nodes[gone].name);
    let held = graph.nodes.iter().any(|node| node.of == Some(gone) || node.said.contains(&letters));
    if held || graph.calls.iter().any(|call| is_gone(call.from) || is_gone(call.to)) {
        return None;
    }
    let mut smaller = graph.clone();
    smaller.nodes.remove(gone);
    smaller.operations.retain(|operation| operation.node != gone);
    for node in &mut smaller.nodes {
        node.of = node.of.map(|store| store - usize::from(store > gone));
    }
    for operation in &mut smaller.operations {
        operation.node -= usize::from(operation.node > gone);
    }
    let moved = |operation: usize| operation - (0..operation).filter(|before| is_gone(*before)).count();
    for call in &mut smaller.calls {
        (call.from, call.to) = (moved(call.from), moved(call.to));
    }
    Some(smaller)
}
