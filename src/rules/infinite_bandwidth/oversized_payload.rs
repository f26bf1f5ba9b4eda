//! A message that is larger than what it passes takes, or that cannot arrive in time.

use crate::analysis::Facts;
use crate::diagnostic::{Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{CallId, Stated};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let drawn = facts.topology().call_ids().filter(|call| !facts.topology().call(*call).implied);
    drawn.filter_map(|call| refused(facts, call).or_else(|| late(facts, call))).collect()
}

fn parts(facts: &Facts<'_>, call: CallId) -> [(&'static str, u64); 2] {
    let bytes = facts.bytes(call);
    [("sends", bytes.request), ("gets", bytes.response)]
}

/// Something on the way takes less than is sent.
fn refused(facts: &Facts<'_>, call: CallId) -> Option<Diagnostic> {
    if !facts.is_made(call) {
        return None;
    }
    let topology = facts.topology();
    let through = facts.cascade().call(call, &[Key::Through]).given()?;
    let limits = through.setting.nodes().filter_map(|node| {
        let stated = facts.cascade().node(node, Key::MaxSize).given()?;
        Some((node, stated.setting.size()?, stated))
    });
    let (node, limit, stated) = limits.min_by_key(|(_, limit, _)| *limit)?;
    let (verb, size) = parts(facts, call).into_iter().find(|(_, size)| *size > limit)?;
    let name = prose::call(facts, call);
    let passed = topology.node_name(node);
    let message =
        format!("`{name}` {verb} {}, and `{passed}` on the way allows {}", prose::size(size), prose::size(limit));
    let diagnostic = placed(facts, call, size, message).at(prose::size(size));
    Some(finish(facts, call, size, with_label(diagnostic, stated, limit)))
}

fn with_label(diagnostic: Diagnostic, stated: Stated<'_>, limit: u64) -> Diagnostic {
    match prose::place(stated) {
        Some(place) => diagnostic.label(place, format!("{} allowed", prose::size(limit))),
        None => diagnostic,
    }
}

/// The bytes alone take longer than the caller waits.
fn late(facts: &Facts<'_>, call: CallId) -> Option<Diagnostic> {
    let plan = facts.plan(call);
    if !facts.is_awaited(call) || facts.is_stream(call) {
        return None;
    }
    let crossing = facts.crossing(call).filter(|crossing| crossing.share >= 1.0)?;
    let (bandwidth, _) = crossing.bandwidth()?;
    let (limit, _) = plan.attempt_limit()?;
    let (verb, size) = parts(facts, call).into_iter().max_by_key(|(_, size)| *size)?;
    #[allow(clippy::cast_precision_loss, reason = "a number of bytes, to divide")]
    let seconds = size as f64 * 8.0 / bandwidth;
    if seconds <= limit.seconds() {
        return None;
    }
    let name = prose::call(facts, call);
    let message = format!(
        "`{name}` {verb} {}, which takes {} over a link of {}, and waits {limit}",
        prose::size(size),
        prose::seconds(seconds),
        prose::bandwidth(bandwidth)
    );
    let mut diagnostic = placed(facts, call, size, message).at(format!("{} at best", prose::seconds(seconds)));
    if let Some(stated) = crossing.link.settings.get(Key::Bandwidth) {
        diagnostic = diagnostic.label(stated.span, prose::bandwidth(bandwidth));
    }
    diagnostic.consequence = Some("it cannot succeed, and each try sends the bytes again".to_owned());
    Some(finish(facts, call, size, diagnostic))
}

/// At the size, where the call states it itself.
fn placed(facts: &Facts<'_>, call: CallId, size: u64, message: String) -> Diagnostic {
    let look = |key| facts.cascade().call(call, &[key]).given();
    let stated = [Key::Request, Key::Response].into_iter().filter_map(look);
    let stated = stated.filter(|stated| stated.setting.size() == Some(size)).find_map(prose::place);
    Diagnostic::new(stated.unwrap_or(facts.topology().call(call).span), message)
}

fn finish(facts: &Facts<'_>, call: CallId, size: u64, mut diagnostic: Diagnostic) -> Diagnostic {
    let topology = facts.topology();
    #[allow(clippy::cast_precision_loss, reason = "a number of bytes, for programs")]
    let value = Some(Measure::Times(size as f64));
    diagnostic.witness = vec![Step {
        subject: topology.call_name(call),
        span: topology.call(call).span,
        text: format!("{} in one message", prose::size(size)),
        value,
    }];
    diagnostic.help = vec![
        "send where it is instead of what it is: put it into a store and pass its name".to_owned(),
        "or send it in parts, `page N`, or as a `stream` with an `idle-timeout`".to_owned(),
    ];
    diagnostic.cause = Some(prose::cause(facts, call));
    diagnostic.group = Some("messages are larger than what is on the way carries".into());
    diagnostic.subject(topology.call_name(call))
}
