//! Waits that add up: long chains of calls inside calls, and calls one after another that may not need each other.

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{CallId, Duration, OperationId, Step as CallStep};
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, options: &Options) -> Vec<Diagnostic> {
    let topology = facts.topology();
    let depths = depths(facts);
    let ours = || topology.operation_ids().filter(|id| topology.kind_of(*id) != ElementKind::Client);
    let (most, saved) = (options.count("hops"), options.percentage("saved"));
    let deep = ours().filter_map(|id| deep(facts, &depths, id, most));
    let wide = ours().filter_map(|id| wide(facts, id, saved));
    deep.chain(wide).collect()
}

/// For each operation how many calls lie inside each other below it, and the first of them.
type Depths = Vec<(u64, Option<CallId>)>;

fn depths(facts: &Facts<'_>) -> Depths {
    let topology = facts.topology();
    let mut depths: Depths = vec![(0, None); topology.operations.len()];
    for id in facts.components().iter().flatten() {
        let needed = topology.calls_from(*id).filter(|call| facts.is_always_needed(*call) && !facts.is_local(*call));
        let below = |call: CallId| depths.get(topology.callee(call).index()).map_or(0, |(depth, _)| depth + 1);
        let deepest = needed.max_by_key(|call| (below(*call), std::cmp::Reverse(facts.call_rank(*call))));
        let row = deepest.map_or((0, None), |call| (below(call), Some(call)));
        if let Some(slot) = depths.get_mut(id.index()) {
            *slot = row;
        }
    }
    depths
}

/// An operation that promises a latency over a long chain.
fn deep(facts: &Facts<'_>, depths: &Depths, id: OperationId, most: u64) -> Option<Diagnostic> {
    let topology = facts.topology();
    let (promised, stated) = facts.promised_latency(id)?;
    let (depth, _) = depths.get(id.index()).copied().filter(|(depth, _)| *depth > most)?;
    let next = |call: CallId| depths.get(topology.callee(call).index()).and_then(|(_, call)| *call);
    let first = depths.get(id.index()).and_then(|(_, call)| *call);
    let chain = std::iter::successors(first, |call| next(*call)).take(usize::try_from(depth).unwrap_or(0));
    let name = topology.operation_name(id);
    let floor = facts.floor(id);
    let least = if floor > Duration::ZERO { format!(", {floor} for the ways alone") } else { String::new() };
    let message = format!("`{name}` promises an answer in {promised} over {depth} calls inside each other{least}");
    let mut diagnostic = Diagnostic::new(stated.span, message).at("promised here").subject(name.clone());
    diagnostic.certainty = Certainty::Heuristic;
    diagnostic.witness = chain
        .enumerate()
        .take(12)
        .map(|(index, call)| step(facts, call, format!("call {} of {depth}", index + 1)))
        .collect();
    diagnostic.cause = Some(format!("{name} chain"));
    diagnostic.help = vec![
        "answer earlier, and do the rest behind a queue: `->>`".to_owned(),
        "or read from a copy of one's own what is asked for deep below".to_owned(),
    ];
    Some(diagnostic)
}

/// Calls of one operation, one after another, to different nodes.
fn wide(facts: &Facts<'_>, id: OperationId, saved: f64) -> Option<Diagnostic> {
    let topology = facts.topology();
    let deadline = facts.allotted(id).own;
    let budget = deadline.into_iter().chain(facts.promised_latency(id).map(|(time, _)| time)).min()?;
    let mut calls: Vec<(CallId, Duration)> = Vec::new();
    for step in &topology.operation(id).body {
        let CallStep::Call(call) = step else { continue };
        let floor = facts.round_trip(*call).plus(facts.floor(topology.callee(*call)));
        let node = |call: CallId| topology.callee_node(call);
        // What writes depends on what came before it, and so does what is one transaction.
        let bound =
            [Key::Transaction, Key::Saga].into_iter().any(|key| facts.cascade().call(*call, &[key]).given().is_some());
        let writes = facts.changes(topology.callee(*call)) != crate::analysis::Effect::Absent;
        let twin = calls.iter().any(|(other, _)| node(*other) == node(*call));
        if facts.is_always_needed(*call) && floor > Duration::ZERO && !bound && !writes && !twin {
            calls.push((*call, floor.times(facts.plan(*call).least_times)));
        }
    }
    let now = calls.iter().fold(Duration::ZERO, |sum, (_, floor)| sum.plus(*floor));
    let at_once = calls.iter().map(|(_, floor)| *floor).max()?;
    if calls.len() < 2 || now.minus(at_once).seconds() <= budget.seconds() * saved {
        return None;
    }
    let name = topology.operation_name(id);
    let message = format!(
        "`{name}` asks {} nodes one after another: {now} at least, {at_once} if it asked all at once",
        calls.len()
    );
    let first = calls.first().map(|(call, _)| topology.call(*call).span)?;
    let mut diagnostic = Diagnostic::new(first, message).subject(name.clone());
    diagnostic.certainty = Certainty::Heuristic;
    let witness = calls.iter().take(12).map(|(call, floor)| Step {
        value: Some(Measure::Seconds(floor.seconds())),
        ..step(facts, *call, format!("there and back: at least {floor}"))
    });
    diagnostic.witness = witness.collect();
    diagnostic.cause = Some(format!("{name} sequence"));
    diagnostic.help = vec!["put calls that do not need each other's answers into `parallel { … }`".to_owned()];
    Some(diagnostic)
}

fn step(facts: &Facts<'_>, call: CallId, text: String) -> Step {
    let topology = facts.topology();
    Step { subject: topology.call_name(call), span: topology.call(call).span, text, value: None }
}
