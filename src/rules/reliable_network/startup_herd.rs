//! Instances that start together and all ask for the same thing.

use crate::analysis::{Facts, Limited};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{CallId, Duration, NodeId, Phase};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, options: &Options) -> Vec<Diagnostic> {
    let limited = facts.limited(Key::Capacity);
    limited.iter().flat_map(|of| at(facts, of, options.duration("within"))).collect()
}

fn at(facts: &Facts<'_>, of: &Limited<'_>, within: Duration) -> Vec<Diagnostic> {
    if of.states(facts, Key::Shedding) || of.states(facts, Key::RateLimit) {
        return Vec::new();
    }
    let topology = facts.topology();
    let operations = of.operations(facts);
    let calls = operations.iter().flat_map(|id| topology.calls_to(*id));
    let mut starting: Vec<CallId> =
        calls.filter(|call| topology.call(*call).phase == Phase::Startup && !topology.call(*call).implied).collect();
    starting.sort_by_key(|call| facts.call_rank(*call));
    starting.into_iter().filter_map(|call| finding(facts, of, call, within)).collect()
}

fn finding(facts: &Facts<'_>, of: &Limited<'_>, call: CallId, within: Duration) -> Option<Diagnostic> {
    let topology = facts.topology();
    let caller = topology.caller_node(call);
    let (_, instances) = facts.instances(caller)?;
    #[allow(clippy::cast_precision_loss, reason = "a number of instances, as a factor")]
    let requests = instances as f64 * facts.rounds(call);
    let window = facts.cascade().node(caller, Key::StartupWindow).given().and_then(|stated| stated.setting.duration());
    if requests / window.unwrap_or(within).max(Duration::from_milliseconds(1)).seconds() <= of.limit {
        return None;
    }
    let (name, starter) = (prose::limited(facts, of), topology.node_name(caller));
    let most = prose::rate(of.limit);
    let needed = prose::number((requests / of.limit * 10.0).ceil() / 10.0);
    let message = match window {
        Some(window) => format!(
            "when `{starter}` starts, {} calls come to `{name}` within {window}, and it takes {most}",
            prose::count_of(requests)
        ),
        None => format!(
            "when all of `{starter}` starts at once, {} calls come to `{name}`, which takes {most}",
            prose::count_of(requests)
        ),
    };
    let mut diagnostic = Diagnostic::new(topology.call(call).span, message)
        .at("made by each instance that starts")
        .subject(topology.call_name(call));
    if let Some(place) = prose::place(of.stated) {
        diagnostic = diagnostic.label(place, format!("takes {most}"));
    }
    diagnostic.certainty = if window.is_some() { Certainty::Proved } else { Certainty::Possible };
    diagnostic.witness = vec![step(facts, call, caller, instances, requests)];
    diagnostic.consequence =
        Some(format!("they need {needed} s of it; who gives up before that starts again, and asks again"));
    diagnostic.help = vec![
        format!(
            "let them start one after another: `startup-window {}` or more on `{starter}`",
            seconds(requests / of.limit)
        ),
        format!("or let `{name}` refuse what is too much, and say so: `shedding`"),
        "or start from what is kept locally, and ask later".to_owned(),
    ];
    diagnostic.cause = Some(prose::cause(facts, call));
    diagnostic.group = Some("instances that start together ask for more than is taken".into());
    Some(diagnostic)
}

/// A time as it is written, rounded up to whole seconds.
fn seconds(time: f64) -> String {
    format!("{}s", prose::number(time.ceil().max(1.0)))
}

fn step(facts: &Facts<'_>, call: CallId, caller: NodeId, instances: u64, requests: f64) -> Step {
    let stated = [Key::Autoscale, Key::Replicas].iter().find_map(|key| facts.cascade().node(caller, *key).given());
    let span = stated.and_then(prose::place).unwrap_or(facts.topology().call(call).span);
    let text = format!("{} × {}", prose::count(instances, "instance"), prose::number(facts.rounds(call)));
    Step { subject: facts.topology().call_name(call), span, text, value: Some(Measure::Times(requests)) }
}
