//! The waterfall of one flow: for people as bars on one axis of time, for programs as `path-v1`.

use std::fmt::Write as _;
use std::io;

use serde::Serialize;

use super::facts::Bound;
use super::lines;
use super::paint::Look;
use crate::analysis::{Attempts, Cut, Extent, Facts, Flow, Leg, Limiter};
use crate::diagnostic::spaced;
use crate::model::{CallId, Duration};
use crate::source::clean;
use crate::syntax::Arrow;

/// The waterfall of a way of calls.
#[must_use]
pub fn path_waterfall(facts: &Facts<'_>, way: &[CallId], look: Look) -> String {
    let Some(flow) = facts.flow(way) else { return String::new() };
    let topology = facts.topology();
    let end = flow.legs.last().map_or_else(String::new, |leg| topology.operation_name(topology.callee(leg.call)));
    let start = topology.operation_name(flow.start);
    let mut text = look.wrap("", &format!("If `{}` does not answer `{}`, at the latest:", clean(&end), clean(&start)));
    let axis = Axis { length: length(&flow), columns: look.width.saturating_sub(2) };
    for leg in &flow.legs {
        text.push('\n');
        text.push_str(&hop(facts, leg, look));
        let bar = axis.bar(leg);
        if !bar.is_empty() {
            let _ = writeln!(text, "  {bar}");
        }
    }
    text.push('\n');
    text.push_str(&axis.legend(&flow, look));
    for note in notes(facts, way, &flow, (&start, &end)) {
        text.push_str(&look.wrap("  ", &clean(&note)));
    }
    text
}

/// The name of a call and its numbers.
fn hop(facts: &Facts<'_>, leg: &Leg, look: Look) -> String {
    let plan = facts.plan(leg.call);
    let each = match leg.attempt {
        Some(wait) => format!("{wait} each"),
        None if facts.is_awaited(leg.call) => match plan.deadline.duration() {
            Some(deadline) => format!("{deadline} together"),
            None => "no end of a try is stated".to_owned(),
        },
        None => "nobody waits".to_owned(),
    };
    let tries = match leg.attempts {
        Attempts::Unlimited => "tries without end".to_owned(),
        Attempts::AtMost(1) => "1 try".to_owned(),
        Attempts::AtMost(tries) => format!("{tries} tries"),
    };
    let starts = match leg.starts {
        Extent::Finite(start) if leg.known => format!("from {start}"),
        Extent::Finite(start) => format!("from {start} or later"),
        Extent::Unbounded => "from a time without bound".to_owned(),
    };
    let name = clean(&spaced(&facts.topology().call_name(leg.call))).into_owned();
    let mut said = format!("{starts}: {tries}, {each}");
    if let Some(deadline) = plan.deadline.duration().filter(|_| leg.attempt.is_some()) {
        let _ = write!(said, ", {deadline} together");
    }
    if plan.inherits {
        said.push_str(", within what its caller has left");
    }
    format!("{}{}", look.wrap("  ", &look.bold(&name)), look.wrap("  ", &said))
}

/// The time that the picture shows: until nobody does anything any more.
fn length(flow: &Flow) -> Duration {
    let ends = flow.legs.iter().flat_map(|leg| {
        let tries = leg.tries.last().map(|(_, end)| *end);
        tries.into_iter().chain(leg.starts.finite())
    });
    ends.max().unwrap_or_default()
}

struct Axis {
    length: Duration,
    columns: usize,
}

impl Axis {
    /// One call: its tries, the waits between them, and what goes on when somebody above has given up.
    fn bar(&self, leg: &Leg) -> String {
        if self.length == Duration::ZERO || leg.tries.is_empty() {
            return String::new();
        }
        let cell = |column: usize| {
            let (from, to) = (self.time(column), self.time(column + 1));
            let in_try = leg.tries.iter().any(|(start, end)| *start < to && *end > from);
            let begun = leg.tries.first().is_some_and(|(start, _)| *start < to);
            let over = leg.tries.last().is_none_or(|(_, end)| *end <= from);
            match leg.cut {
                _ if !begun || over => ' ',
                Some(cut) if cut.at <= from && cut.stops => ' ',
                Some(cut) if cut.at <= from && in_try => '░',
                _ if in_try => '█',
                _ => '·',
            }
        };
        (0..self.columns).map(cell).collect::<String>().trim_end().to_owned()
    }

    fn time(&self, column: usize) -> Duration {
        let scaled = u128::from(self.length.nanoseconds()) * column as u128 / self.columns.max(1) as u128;
        Duration::from_nanoseconds(u64::try_from(scaled).unwrap_or(u64::MAX))
    }

    /// What the axis measures and what its signs mean, as far as they occur.
    fn legend(&self, flow: &Flow, look: Look) -> String {
        if self.length == Duration::ZERO {
            return String::new();
        }
        let end = self.length.to_string();
        let gap = self.columns.saturating_sub(1 + end.chars().count());
        let mut text = look.dim(&format!("  0{end:>width$}\n", width = gap + end.chars().count()));
        let mut signs = vec!["█ a try"];
        if flow.legs.iter().any(|leg| leg.tries.len() > 1) {
            signs.push("· a wait between tries");
        }
        if flow.legs.iter().any(|leg| leg.cut.is_some_and(|cut| !cut.stops)) {
            signs.push("░ a try that nobody waits for any more");
        }
        text.push_str(&look.wrap("  ", &signs.join("   ")));
        text.push('\n');
        text
    }
}

/// What the picture implies.
fn notes(facts: &Facts<'_>, way: &[CallId], flow: &Flow, (start, end): (&str, &str)) -> Vec<String> {
    let topology = facts.topology();
    let mut notes: Vec<String> = Vec::new();
    let first_of =
        |cut: &Cut| flow.legs.iter().find(|leg| leg.cut.is_some_and(|other| other.by == cut.by)).map(|leg| leg.call);
    for leg in &flow.legs {
        let Some(cut) = leg.cut.filter(|cut| first_of(cut) == Some(leg.call)) else { continue };
        notes.push(cut_note(facts, leg, cut));
    }
    let factors: Vec<String> = flow
        .legs
        .iter()
        .enumerate()
        .map(|(index, leg)| factor(facts, leg.call, index + 1 == flow.legs.len()))
        .collect();
    let product = if factors.len() > 1 { format!(" ({})", factors.join(" × ")) } else { String::new() };
    notes.push(match flow.tries.finite() {
        Some(1) => format!("tries: one request of `{start}` tries `{end}` once"),
        Some(tries) => format!(
            "tries: where `{end}` fails at once, one request of `{start}` tries it up to {tries} times{product}"
        ),
        None => format!("tries: where `{end}` fails at once, one request of `{start}` tries it without end{product}"),
    });
    let unstated = flow.legs.iter().filter(|leg| facts.is_awaited(leg.call) && leg.ends.is_none());
    let unstated: Vec<String> = unstated.map(|leg| format!("`{}`", spaced(&topology.call_name(leg.call)))).collect();
    if !unstated.is_empty() {
        notes.push(format!("not stated: how long {} waits", unstated.join(", ")));
    }
    if flow.legs.iter().any(|leg| topology.call(leg.call).arrow == Arrow::Async) {
        notes.push("nobody waits for what follows `->>`; the time in a queue is not counted".to_owned());
    }
    if facts.has_other_ways(way) {
        notes.push("other ways lead there: `--via NODE` follows one of them".to_owned());
    }
    notes
}

fn cut_note(facts: &Facts<'_>, leg: &Leg, cut: Cut) -> String {
    let topology = facts.topology();
    let who = match cut.by {
        Limiter::Call(call) => format!("`{}` gives this try up", topology.operation_name(topology.caller(call))),
        Limiter::Operation(operation) => format!("`{}` answers or gives up", topology.operation_name(operation)),
    };
    let name = spaced(&topology.call_name(leg.call));
    let fit = match (cut.started, leg.attempts) {
        (0, _) => format!("`{name}` may start only later"),
        (started, Attempts::AtMost(tries)) if started < tries => {
            format!("of the {tries} tries of `{name}`, {started} can start by then")
        }
        _ => format!("`{name}` may end only later"),
    };
    let then = if cut.stops { "and stops with it" } else { "and nothing tells it" };
    format!("cut: {who} at {}; {fit}, {then}", cut.at)
}

/// The tries of one hop, with its loop.
fn factor(facts: &Facts<'_>, call: CallId, direct: bool) -> String {
    let number = |attempts| match attempts {
        Attempts::AtMost(attempts) => attempts.to_string(),
        Attempts::Unlimited => "∞".to_owned(),
    };
    let tries = number(facts.tries_of_failure(call, direct));
    match facts.plan(call).times {
        Attempts::AtMost(1) => tries,
        times => format!("{tries} × {}", number(times)),
    }
}

/// Writes the flow for programs.
///
/// # Errors
/// What keeps it from being written.
pub fn path_json(facts: &Facts<'_>, way: &[CallId], out: &mut impl io::Write) -> io::Result<()> {
    let topology = facts.topology();
    let Some(flow) = facts.flow(way) else { return Ok(()) };
    let end = way.last().map_or_else(String::new, |call| topology.operation_name(topology.callee(*call)));
    let report = Report {
        schema: Version::PathV1,
        start: topology.operation_name(flow.start),
        end,
        tries: Bound::times(flow.tries),
        other_ways: facts.has_other_ways(way),
        hops: flow.legs.iter().map(|leg| HopRow::of(facts, leg)).collect(),
    };
    lines::write(out, &report, 2)
}

/// One flow in a hang of its end, all times in seconds from its start.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Report {
    schema: Version,
    start: String,
    end: String,
    /// How often one request of the start tries the end if that fails at once.
    tries: Bound,
    /// Whether other ways lead from the start to the end.
    other_ways: bool,
    hops: Vec<HopRow>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum Version {
    #[serde(rename = "path-v1")]
    PathV1,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Hop"))]
struct HopRow {
    call: String,
    /// When it is made at the latest, as far as is known.
    starts_s: Bound,
    /// Whether all that comes before it is stated.
    known: bool,
    /// The longest wait for one attempt; null if unstated.
    attempt_s: Option<f64>,
    attempts: Bound,
    /// When its caller gives up by itself; null if unstated.
    ends_s: Bound,
    /// Who gives up before, if anybody does.
    cut: Option<CutRow>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Cut"))]
struct CutRow {
    at_s: f64,
    /// The call or the operation that gives up.
    by: String,
    /// How many attempts of the hop can start before.
    started: u64,
    /// Whether the hop stops then.
    stops: bool,
}

impl HopRow {
    #[allow(clippy::cast_precision_loss, reason = "a number of attempts, for programs")]
    fn of(facts: &Facts<'_>, leg: &Leg) -> Self {
        let topology = facts.topology();
        Self {
            call: topology.call_name(leg.call),
            starts_s: Bound::of(Some(leg.starts)),
            known: leg.known,
            attempt_s: leg.attempt.map(Duration::seconds),
            attempts: match leg.attempts {
                Attempts::AtMost(attempts) => Bound::Number(attempts as f64),
                Attempts::Unlimited => Bound::of(Some(Extent::Unbounded)),
            },
            ends_s: Bound::of(leg.ends),
            cut: leg.cut.map(|cut| CutRow {
                at_s: cut.at.seconds(),
                by: match cut.by {
                    Limiter::Call(call) => topology.call_name(call),
                    Limiter::Operation(operation) => topology.operation_name(operation),
                },
                started: cut.started,
                stops: cut.stops,
            }),
        }
    }
}
