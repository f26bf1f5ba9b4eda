//! Callers that together may open more connections than a server accepts.

use crate::analysis::{Connected, Facts, Opened};
use crate::diagnostic::{Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let all = facts.connected();
    all.iter().filter(|server| server.opened() > server.accepts).filter_map(|server| finding(facts, server)).collect()
}

fn finding(facts: &Facts<'_>, server: &Connected<'_>) -> Option<Diagnostic> {
    let topology = facts.topology();
    let name = topology.node_name(server.node);
    let opened = server.opened();
    let message = format!("callers may open {opened} connections to `{name}`, and it accepts {}", server.accepts);
    let place = prose::place(server.stated)?;
    let mut diagnostic = Diagnostic::new(place, message).at(format!("accepts {}", server.accepts)).subject(name);
    diagnostic.witness = server.callers.iter().take(8).map(|opened| step(facts, opened)).collect();
    diagnostic.consequence = Some(
        "whoever comes last is refused: instances that start, and those that take over when others are down".to_owned(),
    );
    if let Some(size) = affordable(server) {
        diagnostic.help.push(format!("smaller pools: `pool-size {size}` for every caller fits"));
    }
    diagnostic.help.push(format!("or a pooler between them and `{name}`, drawn as a node of its own"));
    diagnostic.help.push(format!("or let it accept what comes: `connections {opened}`"));
    diagnostic.cause = Some(name.to_owned());
    diagnostic.group = Some("callers may open more connections than are accepted".into());
    Some(diagnostic)
}

fn step(facts: &Facts<'_>, opened: &Opened) -> Step {
    let stated = facts.cascade().call(opened.call, &[Key::PoolSize]).given();
    let span = stated.and_then(prose::place).unwrap_or(facts.topology().call(opened.call).span);
    let name = facts.topology().node_name(opened.caller);
    let text = match opened.instances {
        _ if opened.needed == Some(opened.all()) => {
            format!("{} at once by the workers of `{name}`, `concurrency` in all", opened.all())
        }
        Some(instances) => {
            format!("{} of `{name}` × {} = {}", prose::count(instances, "instance"), opened.pool_size, opened.all())
        }
        None => format!("{} by one instance of `{name}`, at least", opened.pool_size),
    };
    #[allow(clippy::cast_precision_loss, reason = "a number of connections, for programs")]
    let value = Some(Measure::Times(opened.all() as f64));
    Step { subject: facts.topology().call_name(opened.call), span, text, value }
}

/// The pool that every instance of every caller could have.
fn affordable(server: &Connected<'_>) -> Option<u64> {
    let instances: u64 = server.callers.iter().map(|opened| opened.instances.unwrap_or(1)).sum();
    server.accepts.checked_div(instances).filter(|size| *size > 0)
}
