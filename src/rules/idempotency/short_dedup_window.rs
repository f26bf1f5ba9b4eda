//! A barrier that forgets a key before the last repeat has come.

use std::collections::HashMap;

use crate::analysis::{Again, Dedup, Delay, DelayKind, Extent, Facts, Horizon, Memory};
use crate::diagnostic::{Certainty, Diagnostic, Edit, Fix, Measure, Step};
use crate::metadata::Options;
use crate::model::{Duration, Origin};
use crate::rules::prose;
use crate::source::Span;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, options: &Options) -> Vec<Diagnostic> {
    let customary = options.duration("customary");
    let mut worst: HashMap<Span, Found<'_>> = HashMap::new();
    for dedup in facts.barriers() {
        let Some(found) = too_short(facts, dedup, customary) else { continue };
        let key = (found.certainty, found.horizon.time);
        let span = dedup.stated.setting.span;
        if worst.get(&span).is_none_or(|known| (known.certainty, known.horizon.time) < key) {
            worst.insert(span, found);
        }
    }
    let mut found: Vec<Found<'_>> = worst.into_values().collect();
    found.sort_by_key(|found| found.dedup.operation);
    found.into_iter().map(|found| report(facts, &found, customary)).collect()
}

struct Found<'a> {
    dedup: Dedup<'a>,
    /// How long it remembers, if that is stated.
    window: Option<Duration>,
    horizon: Horizon,
    certainty: Certainty,
}

fn too_short<'a>(facts: &Facts<'a>, dedup: Dedup<'a>, customary: Duration) -> Option<Found<'a>> {
    let window = match dedup.memory() {
        Memory::For(window) => Some(window),
        Memory::Unstated => None,
        Memory::Unlimited => return None,
    };
    let enough = Extent::Finite(window.unwrap_or(customary));
    [Certainty::Proved, Certainty::Possible].into_iter().find_map(|certainty| {
        let horizon = facts.horizon(dedup.operation, Again::SameKey, certainty)?;
        let certainty = if window.is_some() { certainty } else { Certainty::Possible };
        (horizon.time > enough).then_some(Found { dedup, window, horizon, certainty })
    })
}

fn report(facts: &Facts<'_>, found: &Found<'_>, customary: Duration) -> Diagnostic {
    let topology = facts.topology();
    let name = topology.operation_name(found.dedup.operation);
    let longest = match found.horizon.time {
        Extent::Finite(time) => format!("up to {} later", prose::long(time)),
        Extent::Unbounded => "without end".to_owned(),
    };
    let verb = if found.certainty == Certainty::Proved { "can" } else { "may" };
    let window = found.dedup.field(Key::Window);
    let stated = found.dedup.stated;
    let message = match found.window {
        Some(window) => format!("`{name}` forgets a key after {window}, but the same key {verb} come again {longest}"),
        None => format!("`{name}` does not state how long it remembers a key that {verb} come again {longest}"),
    };
    let span = window.map(|window| window.span).filter(|_| prose::place(stated).is_some());
    let span = span.or_else(|| prose::place(stated)).unwrap_or(topology.operation(found.dedup.operation).span);
    let mut diagnostic = Diagnostic::new(span, message).subject(name.clone());
    diagnostic.certainty = found.certainty;
    diagnostic.cause = Some(name.clone());
    diagnostic.witness = found.horizon.delays.iter().map(|delay| step(facts, *delay)).collect();
    if found.window.is_none() {
        diagnostic.consequence = Some(format!("many services remember keys for no more than {customary}"));
    }
    let needed = found.horizon.time.finite().map_or_else(|| "unlimited".to_owned(), whole);
    diagnostic.help.push(format!("write `window {needed}` on `{name}`, and keep keys that long"));
    diagnostic.help.extend(shorter(facts, &found.horizon));
    if let Some(window) = window.filter(|_| stated.origin == Origin::Own) {
        let text = format!("window {needed}");
        let edits = vec![Edit { span: window.span, replacement: text.clone() }];
        diagnostic.fix = Some(Fix { title: format!("write `{text}`"), safe: false, edits });
    }
    diagnostic
}

fn step(facts: &Facts<'_>, delay: Delay) -> Step {
    let topology = facts.topology();
    let call = topology.call(delay.call);
    let queue = topology.node_id_of(call.from);
    let of_queue = |key| facts.cascade().node(queue, key).given();
    let (subject, stated, text) = match delay.kind {
        DelayKind::Attempts => {
            let from = topology.operation_name(call.from);
            (topology.call_name(delay.call), facts.plan(delay.call).attempts_stated, format!("`{from}` makes attempts"))
        }
        DelayKind::Receives(count, visibility) => (
            topology.node_name(queue).to_owned(),
            of_queue(Key::MaxReceives),
            format!("hands a message out up to {count} times, every {visibility}"),
        ),
        DelayKind::Kept => (
            topology.node_name(queue).to_owned(),
            of_queue(Key::Retention),
            if delay.stated {
                "hands a message out again as long as it is kept".to_owned()
            } else {
                "may hand a message out again as long as it is kept: no `max-receives` is stated".to_owned()
            },
        ),
        DelayKind::Replay(dead) => {
            let replay = facts.cascade().node(dead, Key::Replay).given();
            let text = if delay.stated {
                "is put back until then"
            } else {
                "keeps what was given up, and does not state whether it is put back"
            };
            let stated = replay.or_else(|| facts.cascade().node(dead, Key::Retention).given());
            (topology.node_name(dead).to_owned(), stated, text.to_owned())
        }
        DelayKind::Overlap(every) => (
            topology.call_name(delay.call),
            facts.cascade().call(delay.call, &[Key::Every]).given(),
            format!("a run may last so long, and every {every} the next one starts"),
        ),
    };
    let time = delay.time.finite();
    let text = time.map_or_else(|| format!("{text}: without end"), |time| format!("{text}: {}", prose::long(time)));
    let value = time.map(|time| Measure::Seconds(time.seconds()));
    Step { subject, span: stated.and_then(prose::place).unwrap_or(call.span), text, value }
}

/// The repeats that could come earlier.
fn shorter(facts: &Facts<'_>, horizon: &Horizon) -> Option<String> {
    let longest = horizon.delays.iter().max_by_key(|delay| delay.time)?;
    let topology = facts.topology();
    let queue = topology.node_name(topology.caller_node(longest.call));
    Some(match longest.kind {
        DelayKind::Replay(dead) => {
            let dead = topology.node_name(dead);
            format!(
                "or state when at the latest something is put back from `{dead}`: `replay 1d` or `replay none` on it"
            )
        }
        DelayKind::Kept => format!("or limit how often a message is handed out: `max-receives 5` on `{queue}`"),
        DelayKind::Receives(..) => format!("or give up earlier: a smaller `max-receives` or `visibility` on `{queue}`"),
        DelayKind::Attempts => {
            format!("or give up earlier: a `deadline` on `{}`", prose::call(facts, longest.call))
        }
        DelayKind::Overlap(_) => {
            format!(
                "or let no run start before the last has ended: `overlap none` on `{}`",
                prose::call(facts, longest.call)
            )
        }
    })
}

/// The next whole number of days, hours or minutes.
fn whole(time: Duration) -> String {
    const MINUTE: u64 = 60_000_000_000;
    let unit = [(1_440 * MINUTE, "d"), (60 * MINUTE, "h"), (MINUTE, "m")];
    let (unit, name) = unit.into_iter().find(|(unit, _)| time.nanoseconds() >= *unit).unwrap_or((MINUTE, "m"));
    format!("{}{name}", time.nanoseconds() / unit + 1)
}
