//! A message that is handed out again while its consumer still works on it.

use super::queue;
use crate::analysis::{Extent, Facts, Handling};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{Answer, CallId, Duration, NodeId, Stated};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let queues = facts.queues().filter(|queue| facts.redelivers(*queue));
    queues
        .flat_map(|queue| {
            let visibility = queue::given(facts, queue, Key::Visibility);
            let limit = visibility.and_then(|stated| Some((stated.setting.duration()?, stated)));
            let calls = if limit.is_some() { facts.subscriptions(queue) } else { Vec::new() };
            calls.into_iter().filter_map(move |call| Case::of(facts, queue, call, limit?)).collect::<Vec<_>>()
        })
        .map(|case| case.report(facts))
        .collect()
}

/// One consumer that may be slower than its queue waits.
struct Case<'a> {
    queue: NodeId,
    call: CallId,
    visibility: (Duration, Stated<'a>),
    handling: Handling<'a>,
    why: Why,
    certainty: Certainty,
}

/// How a consumer takes longer than the queue waits.
enum Why {
    /// In the worst case, with all messages of its batch.
    Worst(Extent),
    /// So many messages take at least so long.
    Usual(f64, Duration),
    /// If the messages of a batch are handled one after another.
    Batch(Duration),
    /// What extends the time comes too late.
    LateHeartbeat(Duration),
}

impl<'a> Case<'a> {
    fn of(facts: &Facts<'a>, queue: NodeId, call: CallId, visibility: (Duration, Stated<'a>)) -> Option<Self> {
        let consumer = facts.topology().callee(call);
        // What is accepted now and done later is acknowledged now.
        if facts.cascade().operation(consumer, Key::Detached).may_be_given() {
            return None;
        }
        let handling = facts.handling(call);
        let late = match facts.cascade().call(call, &[Key::Heartbeat]) {
            Answer::Given(stated) => Some(stated.setting.duration().filter(|every| *every >= visibility.0)?),
            Answer::Unreadable => return None,
            Answer::None(_) | Answer::Unstated => None,
        };
        let (why, certainty) = match (slower(&handling, visibility.0), late) {
            (Some((_, Certainty::Proved)), Some(every)) => (Why::LateHeartbeat(every), Certainty::Proved),
            (_, Some(every)) => (Why::LateHeartbeat(every), Certainty::Possible),
            (found, None) => found?,
        };
        Some(Self { queue, call, visibility, handling, why, certainty })
    }

    fn report(&self, facts: &Facts<'_>) -> Diagnostic {
        let topology = facts.topology();
        let (limit, stated) = self.visibility;
        let (queue, consumer) = (topology.node_name(self.queue), queue::consumer(facts, self.call));
        let longer = match &self.why {
            Why::Worst(Extent::Unbounded) => format!("`{consumer}` can work on it without end"),
            Why::Worst(Extent::Finite(time)) => format!("`{consumer}` can work on it for {time}"),
            Why::Usual(share, time) => {
                format!("`{consumer}` takes {time} or more for {} % of them", prose::number((1.0 - share) * 100.0))
            }
            Why::Batch(time) => {
                format!("`{consumer}` takes {time} for a batch of {}, one after another", self.handling.batch)
            }
            Why::LateHeartbeat(every) => format!("`{consumer}` asks for more time only after {every}"),
        };
        let message = format!("`{queue}` hands a message out again after {limit}, but {longer}");
        let mut diagnostic = Diagnostic::new(queue::place(facts, self.queue, stated), message);
        diagnostic.certainty = self.certainty;
        diagnostic.subjects = vec![queue.to_owned(), topology.call_name(self.call)];
        diagnostic.cause = Some(prose::cause(facts, self.call));
        diagnostic.group = Some("queues hand messages out again while they are still worked on".into());
        diagnostic.consequence = Some(
            "the message is handled twice at the same time, and the first one can no longer acknowledge it".into(),
        );
        if let Some(unknown) = self.unknown() {
            diagnostic = diagnostic.at(format!("not stated: {unknown}"));
        }
        diagnostic.witness = self.witness(facts);
        if matches!(self.why, Why::Worst(Extent::Unbounded)) {
            let parts = facts.times().parts(facts, topology.callee(self.call));
            diagnostic.caused_by = prose::endless_causes(facts, &parts);
        }
        let diagnostic = self.helped(facts, diagnostic);
        queue::with_defaults(diagnostic, [Some(stated)])
    }

    /// What would have to be known.
    fn unknown(&self) -> Option<&'static str> {
        match (&self.why, self.certainty) {
            (_, Certainty::Proved) => None,
            (Why::LateHeartbeat(_), _) => Some("how long it works"),
            _ => Some("whether the messages of a batch are handled one after another"),
        }
    }

    fn witness(&self, facts: &Facts<'_>) -> Vec<Step> {
        let topology = facts.topology();
        let (limit, stated) = self.visibility;
        let mut waits = queue::step(facts, self.queue, stated, format!("waits {limit} for an acknowledgement"));
        waits.value = Some(Measure::Seconds(limit.seconds()));
        let mut steps = vec![waits];
        let work = topology.callee(self.call);
        let worst = matches!(self.why, Why::Worst(_) | Why::Batch(_));
        for part in facts.times().parts(facts, work).into_iter().filter(|_| worst) {
            let (text, value) = match part.time.at_least {
                Extent::Finite(time) => (format!("up to {time}"), Some(Measure::Seconds(time.seconds()))),
                Extent::Unbounded => ("without end".to_owned(), None),
            };
            steps.push(Step { value, ..queue::call_step(facts, part.call, text) });
        }
        if self.handling.batch > 1 && worst {
            let text = format!("takes {} messages at once", self.handling.batch);
            steps.push(queue::call_step(facts, self.call, text));
        }
        steps
    }

    fn helped(&self, facts: &Facts<'_>, mut diagnostic: Diagnostic) -> Diagnostic {
        let (limit, stated) = self.visibility;
        let queue = facts.topology().node_name(self.queue);
        let needed = match self.why {
            Why::Worst(Extent::Finite(time)) | Why::Usual(_, time) | Why::Batch(time) => Some(time.rounded_up()),
            Why::Worst(Extent::Unbounded) | Why::LateHeartbeat(_) => None,
        };
        if let Some(needed) = needed {
            let text = format!("visibility {}", needed.written());
            diagnostic = diagnostic.help(format!("write `{text}` on `{queue}`"));
            diagnostic.fix = prose::replace(Some(stated), text);
        }
        let third = Duration::from_nanoseconds(limit.nanoseconds() / 3).written();
        let call = prose::call(facts, self.call);
        diagnostic = diagnostic
            .help(format!("or let the consumer extend it while it works, and say so: `heartbeat {third}` on `{call}`"));
        match self.why {
            Why::Batch(_) => diagnostic
                .help(format!("or, if they are handled at once, say so: `batch {} parallel`", self.handling.batch)),
            _ if self.handling.batch > 1 => diagnostic.help("or take fewer at once with `batch`".to_owned()),
            _ => diagnostic,
        }
    }
}

fn slower(handling: &Handling<'_>, limit: Duration) -> Option<(Why, Certainty)> {
    if handling.whole.at_least > Extent::Finite(limit) {
        return Some((Why::Worst(handling.whole.at_least), Certainty::Proved));
    }
    if let Some((share, time, _)) = handling.usual.filter(|(_, time, _)| *time > limit) {
        return Some((Why::Usual(share, time), Certainty::Proved));
    }
    let one = handling.one.at_least.finite()?;
    let all = one.times(handling.batch);
    (handling.sequential.is_none() && all > limit).then_some((Why::Batch(all), Certainty::Possible))
}
