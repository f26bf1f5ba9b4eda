//! One flow over time: the calls that take longest, one under the other, with the attempts of each, and beside each what
//! its caller waits for besides.

use crate::analysis::{Attempts, Cut, Extent, Facts, Leg, Limiter};
use crate::diagnostic::spaced;
use crate::model::{CallId, Duration, Step};

/// So many calls beside each of the way are told.
const MOST_BESIDE: usize = 8;

/// A flow at the latest: each call as long as it may be waited for.
#[derive(Clone, Debug)]
pub struct Waterfall {
    /// Until nobody does anything any more.
    pub length: Duration,
    /// Its calls, in the order in which they are made.
    pub bars: Vec<Bar>,
    /// How many more there are beside them.
    pub more: usize,
}

/// A call in it.
#[derive(Clone, Debug)]
pub struct Bar {
    /// Its name.
    pub name: String,
    /// Whether it is one of those that take longest.
    pub on_path: bool,
    /// When it is made, how often it is tried.
    pub said: String,
    /// When its attempts start and end.
    pub tries: Vec<(Duration, Duration)>,
    /// When somebody above has given up.
    pub cut: Option<End>,
}

/// Somebody gives up.
#[derive(Clone, Debug)]
pub struct End {
    /// When.
    pub at: Duration,
    /// Who, and what becomes of the call.
    pub said: String,
    /// Whether the call stops, too.
    pub stops: bool,
}

/// The waterfall of a way of calls, if there is any time in it.
pub(super) fn waterfall(facts: &Facts<'_>, way: &[CallId]) -> Option<Waterfall> {
    let flow = facts.flow(way)?;
    let (mut bars, mut later, mut more) = (Vec::new(), Vec::new(), 0);
    for (depth, leg) in flow.legs.iter().enumerate() {
        let (before, after): (Vec<Leg>, Vec<Leg>) = beside(facts, way, depth, &mut more)
            .into_iter()
            .partition(|other| (other.starts, other.call) < (leg.starts, leg.call));
        bars.extend(before.iter().map(|other| bar(facts, other, false)));
        bars.push(bar(facts, leg, true));
        later.push(after);
    }
    bars.extend(later.iter().rev().flatten().map(|other| bar(facts, other, false)));
    let ends = bars.iter().flat_map(|bar| bar.tries.iter().map(|(_, end)| *end));
    let length = ends.max().filter(|length| *length > Duration::ZERO)?;
    Some(Waterfall { length, bars, more })
}

/// What the caller of a call of the way waits for besides, in the order in which it is made.
fn beside(facts: &Facts<'_>, way: &[CallId], depth: usize, more: &mut usize) -> Vec<Leg> {
    let Some((call, above)) = way.get(..=depth).and_then(<[CallId]>::split_last) else { return Vec::new() };
    let body = &facts.topology().operation(facts.topology().caller(*call)).body;
    let mut calls = Vec::new();
    together(body, *call, &mut calls);
    calls.retain(|other| other != call && facts.is_made(*other) && facts.is_awaited(*other));
    *more += calls.len().saturating_sub(MOST_BESIDE);
    let legs = calls.into_iter().take(MOST_BESIDE).filter_map(|other| {
        let way: Vec<CallId> = above.iter().copied().chain([other]).collect();
        facts.flow(&way)?.legs.pop()
    });
    let mut legs: Vec<Leg> = legs.filter(|leg| !leg.tries.is_empty()).collect();
    legs.sort_by_key(|leg| (leg.starts, leg.call));
    legs
}

/// The calls of a body that are made where one is: of a split, only those of its own branch.
fn together(steps: &[Step], call: CallId, out: &mut Vec<CallId>) {
    for step in steps {
        match step {
            Step::Call(one) => out.push(*one),
            Step::Sequence(steps) | Step::Parallel(steps) | Step::Any(_, steps) => together(steps, call, out),
            Step::OneOf(branches) => {
                let mut has_it = |branch: &&Step| {
                    let mut found = false;
                    Step::each(std::slice::from_ref(*branch), &mut |one| found |= one == call);
                    found
                };
                let taken = branches.iter().find(&mut has_it);
                together(taken.map_or(&[], std::slice::from_ref), call, out);
            }
        }
    }
}

fn bar(facts: &Facts<'_>, leg: &Leg, on_path: bool) -> Bar {
    let tries = match leg.attempts {
        Attempts::Unlimited => "tries without end".to_owned(),
        Attempts::AtMost(1) => "1 try".to_owned(),
        Attempts::AtMost(tries) => format!("{tries} tries"),
    };
    let each = leg.attempt.map(|wait| format!(", {wait} each")).unwrap_or_default();
    let starts = match leg.starts {
        Extent::Finite(start) if leg.known => format!("from {start}"),
        Extent::Finite(start) => format!("from {start} or later"),
        Extent::Unbounded => "from a time without bound".to_owned(),
    };
    Bar {
        name: spaced(&facts.topology().call_name(leg.call)),
        on_path,
        said: format!("{starts}: {tries}{each}"),
        tries: leg.tries.clone(),
        cut: leg.cut.map(|cut| end(facts, cut)),
    }
}

fn end(facts: &Facts<'_>, cut: Cut) -> End {
    let topology = facts.topology();
    let by = match cut.by {
        Limiter::Call(call) => spaced(&topology.call_name(call)),
        Limiter::Operation(operation) => topology.operation_name(operation),
    };
    let then = if cut.stops { "this stops, too" } else { "this goes on for nobody" };
    End { at: cut.at, said: format!("{by} gives up at {}: {then}", cut.at), stops: cut.stops }
}
