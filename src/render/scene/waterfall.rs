//! One flow over time: the calls that take longest, one under the other, with the attempts of each.

use crate::analysis::{Attempts, Cut, Extent, Facts, Leg, Limiter};
use crate::diagnostic::spaced;
use crate::model::{CallId, Duration};

/// A flow whose end does not answer, at the latest.
#[derive(Clone, Debug)]
pub struct Waterfall {
    /// Until nobody does anything any more.
    pub length: Duration,
    /// Its calls.
    pub bars: Vec<Bar>,
}

/// A call in it.
#[derive(Clone, Debug)]
pub struct Bar {
    /// Its name.
    pub name: String,
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
    let bars: Vec<Bar> = flow.legs.iter().map(|leg| bar(facts, leg)).collect();
    let ends = bars.iter().flat_map(|bar| bar.tries.iter().map(|(_, end)| *end));
    let length = ends.max().filter(|length| *length > Duration::ZERO)?;
    Some(Waterfall { length, bars })
}

fn bar(facts: &Facts<'_>, leg: &Leg) -> Bar {
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
