//! Cases that were worked out by hand: the models that everything else is compared with have to give these numbers.

use super::failure::{ENDLESS, executions};
use super::floor::floor;
use super::graph::{Call, Count, Ends, Fallback, Graph, Kind, Node, Operation, Said, Shape, Step, Written};
use super::hangs::{Lasts, hangs};
use super::subject::Subject;
use super::ways_down::{bounds, hard_calls, rates};

/// A graph of services that each have one operation, by number, and what it does.
fn services(count: usize) -> Graph {
    let mut graph = Graph::default();
    for node in 0..count {
        graph.nodes.push(Node::new(Kind::Service, format!("n{node}")));
        graph.operations.push(Operation::new(node, None));
    }
    graph
}

impl Graph {
    /// Draws a `->`, not yet placed.
    fn call(&mut self, from: usize, to: usize, say: impl Fn(&mut Call)) -> Step {
        let mut call = Call::new(from, to);
        call.waits = true;
        say(&mut call);
        self.calls.push(call);
        Step::Call(self.calls.len() - 1)
    }

    fn does(mut self, operation: usize, steps: impl FnOnce(&mut Self) -> Vec<Step>) -> Self {
        self.operations[operation].body = steps(&mut self);
        self
    }
}

fn attempts(attempts: u64) -> impl Fn(&mut Call) {
    move |call| call.attempts = Said::Is(Count::Of(attempts))
}

/// So many layers, one below the other, each with so many attempts.
fn layers(count: usize, tries: u64) -> Graph {
    (0..count).fold(services(count + 1), |graph, from| {
        graph.does(from, |graph| vec![graph.call(from, from + 1, attempts(tries))])
    })
}

/// If an operation fails at once, it is executed so often, and never more often than so.
fn is_executed(text: &str, operation: &str, failing: u64, bound: u64) {
    let subject = Subject::read(&Written { text: text.to_owned(), places: Vec::new() });
    let said = subject.with(|facts| facts.executions(subject.operation(operation)));
    assert_eq!((said.failing.finite(), said.bound.finite()), (Some(failing), Some(bound)), "{text}");
}

#[test]
fn what_is_delivered_once_is_no_try() {
    let queue = |delivery: &str| {
        format!("queue jobs {{ {delivery}; max-receives 5 }}\nservice shop, worker\nshop -> jobs\njobs ->> worker\n")
    };
    is_executed(&queue("delivery at-least-once"), "worker", 5, 5);
    is_executed(&queue("delivery at-most-once"), "worker", 1, 5);
    is_executed(&queue("delivery exactly-once"), "worker", 1, 5);
}

#[test]
fn every_try_at_a_whole_store_may_be_another_operation() {
    // Two tries write and fail, the third one reads: then the second round fails three times.
    let text = "service shop { -> orders { times 2 } }\nservice orders { -> db { attempts 3 } }\nstore db\n";
    is_executed(text, "db.write", 5, 6);
}

/// The model and the program say that the last operation is executed so often.
fn costs(graph: &Graph, failing: u64, bound: u64) {
    let last = graph.operations.len() - 1;
    assert_eq!(executions(graph, last), Some(failing), "{}", graph.written().text);
    assert_eq!(bounds(graph).unwrap()[last], bound, "{}", graph.written().text);
    let subject = Subject::read(&graph.written());
    let said = subject.with(|facts| facts.executions(subject.operation(&graph.name(last))));
    let number = |count: topolint::analysis::Count| count.finite().unwrap_or(ENDLESS);
    assert_eq!((number(said.failing), number(said.bound)), (failing, bound), "{}", graph.written().text);
}

#[test]
fn attempts_of_all_layers_multiply() {
    costs(&layers(3, 4), 64, 64);
    costs(&layers(5, 3), 243, 243);
}

#[test]
fn a_mesh_is_a_layer_of_each_hop() {
    let mut graph = layers(1, 3);
    graph.calls[0].via = vec!["istio"];
    costs(&graph, 9, 9);
    let mut graph = layers(2, 3);
    graph.calls.iter_mut().for_each(|call| call.via = vec!["istio"]);
    // A failed connection further below is no failed connection of the upper hop.
    costs(&graph, 27, 81);
    graph.calls.iter_mut().for_each(|call| call.via = vec!["istio", "grpc"]);
    costs(&graph, 81, 81);
}

#[test]
fn nothing_is_tried_again_above_a_soft_call() {
    let mut graph = layers(3, 4);
    graph.calls[1].fallback = Fallback::Text;
    costs(&graph, 16, 64);
}

#[test]
fn what_ran_before_is_run_again() {
    // n0 tries n1 three times; n1 calls n3 softly, then n2, which calls n3.
    let graph = services(4).does(0, |graph| vec![graph.call(0, 1, attempts(3))]);
    let graph = graph.does(1, |graph| {
        let soft = graph.call(1, 3, |call| call.fallback = Fallback::Text);
        vec![soft, graph.call(1, 2, |_| {})]
    });
    costs(&graph.does(2, |graph| vec![graph.call(2, 3, |_| {})]), 6, 6);
}

#[test]
fn a_sequence_ends_with_the_first_failure_and_branches_do_not() {
    let calls = |graph: &mut Graph| (0..3).map(|_| graph.call(0, 1, |_| {})).collect::<Vec<_>>();
    costs(&services(2).does(0, calls), 1, 3);
    costs(&services(2).does(0, |graph| vec![Step::Group(Shape::Parallel, calls(graph))]), 3, 3);
    costs(&services(2).does(0, |graph| vec![Step::Group(Shape::OneOf, calls(graph))]), 1, 3);
    let three_times = |call: &mut Call| call.times = Some((3, Count::Of(3)));
    costs(&services(2).does(0, |graph| vec![graph.call(0, 1, three_times)]), 1, 3);
    let at_once = |graph: &mut Graph| vec![Step::Group(Shape::Parallel, vec![graph.call(0, 1, three_times)])];
    costs(&services(2).does(0, at_once), 3, 3);
}

#[test]
fn enough_answers_are_enough() {
    // One of two branches fails, so what comes after is made only if one is enough.
    for (enough, failing) in [(1, 2), (2, 1)] {
        let graph = services(3).does(0, |graph| {
            let branches = vec![graph.call(0, 1, |_| {}), graph.call(0, 2, |_| {})];
            vec![Step::Group(Shape::Any(enough), branches), graph.call(0, 2, |_| {})]
        });
        assert_eq!(hard_calls(&graph), [enough == 2, enough == 2, true]);
        costs(&graph, failing, 2);
    }
}

#[test]
fn an_unlimited_loop_has_an_end_if_its_call_is_hard() {
    let endless = |call: &mut Call| call.times = Some((0, Count::Unlimited));
    costs(&services(2).does(0, |graph| vec![graph.call(0, 1, endless)]), 1, ENDLESS);
    let mut graph = services(2).does(0, |graph| vec![graph.call(0, 1, endless)]);
    graph.calls[0].fallback = Fallback::Text;
    costs(&graph, ENDLESS, ENDLESS);
}

#[test]
fn branches_take_as_long_as_those_that_are_waited_for() {
    let mut graph = services(3);
    for (node, region, zone) in [(0, "east", "z1"), (1, "east", "z2"), (2, "west", "z1")] {
        (graph.nodes[node].region, graph.nodes[node].zones) = (Some(region), vec![zone]);
    }
    graph.network = vec![(Ends::BetweenZones, 3), (Ends::BetweenRegions, 80)];
    for (shape, least) in
        [(Shape::Sequence, 166), (Shape::Parallel, 160), (Shape::Any(2), 160), (Shape::Any(1), 6), (Shape::OneOf, 6)]
    {
        let graph = graph.clone().does(0, |graph| {
            let twice = |call: &mut Call| call.times = Some((2, Count::Of(2)));
            let near = graph.call(0, 1, twice);
            let far = graph.call(0, 2, twice);
            // Where all start at once, twice takes no longer than once; in a sequence of its own it does.
            vec![Step::Group(shape, [near, far].map(|call| Step::Group(Shape::Sequence, vec![call])).to_vec())]
        });
        assert_eq!(floor(&graph, 0), Some(least), "{shape:?}");
    }
}

#[test]
fn workers_are_held_as_long_as_calls_last() {
    let mut graph = services(2).does(0, |graph| vec![graph.call(0, 1, |call| call.timeout = Said::Is(30_000))]);
    graph.nodes[0].concurrency = Some(100);
    graph.operations[0].load = Some(200);
    assert!((rates(&graph).unwrap()[1].rate - 200.0).abs() < 1e-9);
    for (seconds, needed) in [(0.05, 10.0), (30.0, 6_000.0)] {
        let at_most = Some(seconds);
        let lasts = Lasts { call: vec![seconds], call_at_most: vec![at_most], work_at_most: vec![at_most; 2] };
        let hang = hangs(&graph, &[0], &lasts).unwrap()[&1].clone();
        assert!((hang.needed.unwrap() - needed).abs() < 1e-9);
    }
    let subject = Subject::read(&graph.written());
    subject.with(|facts| {
        let pool = &facts.pools()[0];
        assert_eq!(pool.hangs[0].needed, Some(6_000.0));
        assert!((pool.hangs[0].seconds_to_full(pool).unwrap() - 0.5).abs() < 1e-9);
    });
}

#[test]
fn a_fallback_runs_in_every_round_of_the_call_it_stands_in_for() {
    let graph = services(3).does(0, |graph| {
        let instead = graph.call(0, 2, attempts(2));
        let looped = graph.call(0, 1, |call| {
            call.times = Some((3, Count::Of(3)));
            call.fallback = Fallback::Calls(vec![instead.clone()]);
        });
        vec![looped]
    });
    costs(&graph, 0, 6);
}
