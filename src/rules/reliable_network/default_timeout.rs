//! A call whose wait nobody chose: the default of its client ends it.

use super::statement::{is_written, one_each, rests_on, source};
use crate::analysis::{Extent, Facts};
use crate::diagnostic::Diagnostic;
use crate::metadata::Options;
use crate::model::{CallId, Client, ClientDefault, ClientKind, Duration};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    one_each(facts, facts.calls_by_name().filter_map(|call| Some((call, finding(facts, call)?))))
}

fn finding(facts: &Facts<'_>, id: CallId) -> Option<Diagnostic> {
    let plan = facts.plan(id);
    let chosen = is_written(plan.timeout.stated()) || is_written(plan.deadline.stated()) || plan.inherits;
    if !facts.is_awaited(id)
        || facts.is_local(id)
        || facts.is_stream(id)
        || plan.is_unreadable()
        || chosen
        || plan.cut.is_some()
    {
        return None;
    }
    let (client, default, limit) = default_limit(facts, id)?;
    let name = prose::call(facts, id);
    let message = format!("`{name}` states no timeout, so `{}` decides: it gives up after {limit}", client.name);
    let mut diagnostic = rests_on(facts, id, client, default, message);
    let needed = facts.times().operation(facts.topology().callee(id)).at_least;
    let proposed = match needed {
        Extent::Finite(needed) if needed > Duration::ZERO && needed < limit => needed.rounded_up().min(limit),
        _ => limit,
    };
    diagnostic.group = Some("calls wait as long as their client does by default".into());
    diagnostic = diagnostic.help(format!(
        "write what this caller can afford, so that a release of `{}` does not change it: `timeout {}`",
        client.name,
        proposed.written()
    ));
    Some(diagnostic.help(source(client, default)))
}

/// What the client library does by itself, if that has an end.
fn default_limit<'a>(facts: &Facts<'a>, id: CallId) -> Option<(&'a Client, &'a ClientDefault, Duration)> {
    let libraries = facts.cascade().clients(id).filter(|client| client.kind == ClientKind::Library);
    let limits = libraries.flat_map(|client| {
        let defaults = [Key::Timeout, Key::Deadline].into_iter().filter_map(|key| client.default_of(key));
        defaults.filter_map(move |default| Some((client, default, default.setting.duration()?)))
    });
    limits.min_by_key(|(_, _, limit)| *limit)
}
