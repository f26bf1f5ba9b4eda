//! A measured time that what is drawn cannot produce, or that breaks what is promised.

use crate::analysis::{Extent, Facts};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{CallId, Duration, OperationId, Setting};
use crate::rules::prose;
use crate::source::Span;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let topology = facts.topology();
    let operations = topology.operation_ids().filter_map(|id| {
        let observed = facts.cascade().operation(id, Key::Observed).given()?;
        let mut measured = measured(observed.setting).into_iter();
        measured.find_map(|measured| operation(facts, id, observed.setting, measured))
    });
    let calls = topology.call_ids().filter_map(|id| {
        let observed = facts.cascade().call(id, &[Key::Observed]).given()?;
        measured(observed.setting).into_iter().find_map(|measured| call(facts, id, observed.setting, measured))
    });
    operations.chain(calls).collect()
}

/// Measured quantiles, the longest as the last.
fn measured(setting: &Setting) -> Vec<(f64, Duration)> {
    setting.quantiles().chain(setting.maximum().map(|maximum| (1.0, maximum))).collect()
}

fn shown(quantile: f64) -> String {
    if quantile >= 1.0 { "maximum".to_owned() } else { prose::quantile(quantile) }
}

fn operation(
    facts: &Facts<'_>,
    id: OperationId,
    setting: &Setting,
    (quantile, time): (f64, Duration),
) -> Option<Diagnostic> {
    let name = facts.topology().operation_name(id);
    let found = broken_promise(facts, id, (quantile, time))
        .or_else(|| too_fast(facts, id, (quantile, time)))
        .or_else(|| too_slow(facts, id, (quantile, time)))?;
    Some(found.report(&name, setting.span, quantile, time))
}

/// What is wrong with a measured time.
struct Contradiction {
    what: String,
    certainty: Certainty,
    /// What it contradicts: the place, in words, and the time there.
    against: Vec<(Span, String, Duration)>,
    help: [&'static str; 2],
}

impl Contradiction {
    fn report(self, name: &str, span: Span, quantile: f64, time: Duration) -> Diagnostic {
        let message = format!("the measured {} of `{name}` is {time}, {}", shown(quantile), self.what);
        let mut diagnostic = Diagnostic::new(span, message).at("measured").subject(name);
        diagnostic.certainty = self.certainty;
        let step = |(span, text, time): (Span, String, Duration)| Step {
            subject: name.to_owned(),
            span,
            text,
            value: Some(Measure::Seconds(time.seconds())),
        };
        diagnostic.witness = self.against.into_iter().map(step).collect();
        diagnostic.cause = Some(format!("{name} observed"));
        diagnostic.help = self.help.map(str::to_owned).to_vec();
        diagnostic
    }
}

const TOO_FAST: [&str; 2] = [
    "draw what answers earlier: a cache, a `chance` of the call, a nearer place",
    "or measure again: where, and what is counted",
];
const TOO_SLOW: [&str; 2] = [
    "draw what takes the time: a call, a retry, a wait for a connection, a longer `latency`",
    "or measure again: where, and what is counted",
];
const BROKEN: [&str; 2] = ["make it faster, or promise what it keeps", "or measure again: where, and what is counted"];

fn broken_promise(facts: &Facts<'_>, id: OperationId, (quantile, time): (f64, Duration)) -> Option<Contradiction> {
    let (promised, setting) = facts.promised_quantiles(id)?;
    let (higher, limit) =
        promised.into_iter().find(|(promised, limit)| *promised + 1e-9 >= quantile && time > *limit)?;
    Some(Contradiction {
        what: format!("and it promises a {} of {limit}", prose::quantile(higher)),
        certainty: Certainty::Proved,
        against: vec![(setting.span, format!("promised: {} within {limit}", prose::quantile(higher)), limit)],
        help: BROKEN,
    })
}

fn too_fast(facts: &Facts<'_>, id: OperationId, (quantile, time): (f64, Duration)) -> Option<Contradiction> {
    let least = facts.least_latency(id, quantile);
    if time >= least {
        return None;
    }
    let topology = facts.topology();
    let against = vec![(topology.operation(id).span, format!("what is drawn takes at least {least}"), least)];
    Some(Contradiction {
        what: format!("and what is drawn takes at least {least}"),
        certainty: Certainty::Proved,
        against,
        help: TOO_FAST,
    })
}

/// The worst case is proved; a quantile below it only while callees answer.
fn too_slow(facts: &Facts<'_>, id: OperationId, (quantile, time): (f64, Duration)) -> Option<Contradiction> {
    let most = facts.drawn_latency(id, quantile).filter(|most| time > *most)?;
    let worst = facts.drawn_latency(id, 1.0);
    let certainty = if worst.is_some_and(|worst| time > worst) { Certainty::Proved } else { Certainty::Possible };
    let span = facts.topology().operation(id).span;
    let most = worst.filter(|worst| time > *worst).unwrap_or(most);
    let unless = if certainty == Certainty::Proved { "" } else { " unless calls fail and are tried again" };
    Some(Contradiction {
        what: format!("and what is drawn takes at most {most}{unless}"),
        certainty,
        against: vec![(span, format!("what is drawn takes at most {most}"), most)],
        help: TOO_SLOW,
    })
}

fn call(facts: &Facts<'_>, id: CallId, setting: &Setting, (quantile, time): (f64, Duration)) -> Option<Diagnostic> {
    let topology = facts.topology();
    let plan = facts.plan(id);
    if !facts.is_awaited(id) || facts.is_stream(id) {
        return None;
    }
    let worst = facts.times().call(facts, id).at_most.and_then(Extent::finite).filter(|_| !facts.is_local(id));
    let least = facts.round_trip(id).plus(facts.floor(topology.callee(id)));
    let span = topology.call(id).span;
    let found = if worst.is_some_and(|worst| time > worst) {
        let worst = worst?;
        Contradiction {
            what: format!("and its caller waits {worst} at most"),
            certainty: Certainty::Proved,
            against: vec![(span, format!("all attempts end by {worst}"), worst)],
            help: TOO_SLOW,
        }
    } else if time < least && !plan.soft {
        Contradiction {
            what: format!("and the way there and back takes {least}"),
            certainty: Certainty::Proved,
            against: vec![(span, format!("there and back: {least}"), least)],
            help: TOO_FAST,
        }
    } else {
        return None;
    };
    Some(found.report(&prose::call(facts, id), setting.span, quantile, time))
}
