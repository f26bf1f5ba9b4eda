//! Messages that arrive faster than they are handled, or so fast that catching up takes hours.

use super::queue;
use crate::analysis::{Backlog, Bottleneck, Facts};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{CallId, Duration, NodeId};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, options: &Options) -> Vec<Diagnostic> {
    let all = facts.queues().flat_map(|queue| facts.subscriptions(queue).into_iter().map(move |call| (queue, call)));
    all.filter_map(|(queue, call)| {
        let backlog = facts.backlog(call)?;
        growing(facts, queue, call, &backlog)
            .or_else(|| behind(facts, queue, call, &backlog, options))
            .or_else(|| slow(facts, queue, call, &backlog, options))
    })
    .collect()
}

fn growing(facts: &Facts<'_>, queue: NodeId, call: CallId, backlog: &Backlog<'_>) -> Option<Diagnostic> {
    let arrivals = backlog.arrivals.per_second;
    let certainty = if arrivals >= backlog.handled {
        Certainty::Proved
    } else if arrivals >= backlog.handled_in_sequence {
        Certainty::Possible
    } else {
        return None;
    };
    let handled = if certainty == Certainty::Proved { backlog.handled } else { backlog.handled_in_sequence };
    let (name, to) = (facts.topology().node_name(queue), queue::consumer(facts, call));
    let (arrive, handle) = (rate(arrivals), rate(handled));
    let message = format!("`{name}` gets {arrive}, and `{to}` handles at most {handle}");
    let mut diagnostic = Diagnostic::new(facts.topology().call(call).span, message);
    diagnostic.certainty = certainty;
    if certainty == Certainty::Possible {
        diagnostic = diagnostic.at("not stated: whether the messages of a batch are handled one after another");
    }
    diagnostic.consequence = Some("what waits grows as long as messages come".to_owned());
    diagnostic.cause = Some(prose::cause(facts, call));
    diagnostic.group = Some("queues get more than is handled".into());
    diagnostic.subjects = vec![facts.topology().call_name(call), name.to_owned()];
    diagnostic.witness = witness(facts, queue, call, backlog);
    let diagnostic = match backlog.bottleneck {
        Bottleneck::Capacity(_) => diagnostic.help(format!("give `{to}` a `capacity` above {arrive}")),
        Bottleneck::Consumers(count, time, stated) if stated.setting.key == Key::Partitions => diagnostic.help(format!(
            "{count} partitions keep {count} consumers busy at most: for {arrive} of {time} each, more than {} are needed",
            prose::number((arrivals * time.seconds()).floor())
        )),
        Bottleneck::Consumers(_, time, _) => {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of consumers")]
            let needed = (arrivals * time.seconds()).floor() as u64 + 1;
            diagnostic.help(format!("write at least `consumers {needed}` on `{}`", prose::call(facts, call)))
        }
    };
    Some(match certainty {
        Certainty::Proved => diagnostic
            .help(format!("or let fewer messages into `{name}`: correct the `load`, or reject what is too much")),
        _ => diagnostic.help("or, if the messages of a batch are handled at once, say so: `batch N parallel`"),
    })
}

/// What the busiest time leaves is worked off for longer than that: the note of a queue that evens out too much.
fn behind(
    facts: &Facts<'_>,
    queue: NodeId,
    call: CallId,
    backlog: &Backlog<'_>,
    options: &Options,
) -> Option<Diagnostic> {
    let length = options.duration("peak");
    let time = backlog.after_the_peak(length).filter(|time| *time > accepted(options))?;
    let (name, to) = (facts.topology().node_name(queue), queue::consumer(facts, call));
    let (peak, handled, time) = (rate(backlog.peak), rate(backlog.handled), shown(time));
    let message = format!("at its peak `{name}` gets {peak}, and `{to}` handles at most {handled}");
    let mut note = late(facts, queue, call, backlog, message);
    note.consequence = Some(format!("what a peak of {length} leaves is worked off after {time} or more"));
    Some(note)
}

fn slow(
    facts: &Facts<'_>,
    queue: NodeId,
    call: CallId,
    backlog: &Backlog<'_>,
    options: &Options,
) -> Option<Diagnostic> {
    let outage = options.duration("outage");
    let time = backlog.catching_up(outage).filter(|time| *time > accepted(options))?;
    let (name, to) = (facts.topology().node_name(queue), queue::consumer(facts, call));
    let time = shown(time);
    let message = format!("after an outage of {outage}, `{to}` takes {time} or more to catch up with `{name}`");
    Some(late(facts, queue, call, backlog, message))
}

/// A note about a queue whose consumer takes long to catch up.
fn late(facts: &Facts<'_>, queue: NodeId, call: CallId, backlog: &Backlog<'_>, message: String) -> Diagnostic {
    let topology = facts.topology();
    let mut diagnostic = Diagnostic::new(topology.call(call).span, message);
    diagnostic.certainty = Certainty::Heuristic;
    diagnostic.cause = Some(prose::cause(facts, call));
    diagnostic.group = Some("consumers take long to catch up".into());
    diagnostic.subjects = vec![topology.call_name(call), topology.node_name(queue).to_owned()];
    diagnostic.witness = witness(facts, queue, call, backlog);
    let to = queue::consumer(facts, call);
    diagnostic.help(format!("give `{to}` more `consumers`, or more `capacity`: what is left over catches up"))
}

/// For people, in whole minutes.
fn shown(time: Duration) -> String {
    let minutes = time.nanoseconds().div_ceil(60_000_000_000);
    format!("{minutes} min")
}

fn witness(facts: &Facts<'_>, queue: NodeId, call: CallId, backlog: &Backlog<'_>) -> Vec<Step> {
    let topology = facts.topology();
    let arrivals = backlog.arrivals.per_second;
    let node = topology.node(queue);
    let come = Step {
        subject: topology.node_name(queue).to_owned(),
        span: node.span,
        text: format!("gets {} at least", rate(arrivals)),
        value: None,
    };
    let (stated, text) = match backlog.bottleneck {
        Bottleneck::Capacity(stated) => (stated, format!("takes {} at most", rate(backlog.handled))),
        Bottleneck::Consumers(count, time, stated) => {
            (stated, format!("{count} at a time, each {time} or more on average: {} at most", rate(backlog.handled)))
        }
    };
    let mut handle = queue::call_step(facts, call, text);
    handle.span = prose::place(stated).unwrap_or(handle.span);
    handle.value = match backlog.bottleneck {
        Bottleneck::Capacity(_) => None,
        Bottleneck::Consumers(_, time, _) => Some(Measure::Seconds(time.seconds())),
    };
    vec![come, handle]
}

fn rate(per_second: f64) -> String {
    format!("{} messages/s", prose::number(per_second))
}

/// The longest that catching up may take.
fn accepted(options: &Options) -> Duration {
    options.duration("catch-up")
}
