//! An operation that is offered under an HTTP method which promises what the operation does not keep.

use super::repeats;
use crate::analysis::{EffectSite, Facts, Repetition};
use crate::diagnostic::{Diagnostic, Step, spaced};
use crate::ids::IdSet;
use crate::metadata::Options;
use crate::model::{OperationId, Stated};
use crate::rules::prose;
use crate::vocabulary::Key;

/// Methods that are idempotent by RFC 9110, section 9.2.2: the safe ones first.
const IDEMPOTENT: [&str; 6] = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"];

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    // Where somebody is drawn who repeats it, that is said.
    let exposed: IdSet<EffectSite> = facts.exposed().iter().map(|exposed| exposed.site).collect();
    let operations = facts.topology().operation_ids();
    operations.filter_map(|operation| finding(facts, operation, &exposed)).collect()
}

fn finding(facts: &Facts<'_>, operation: OperationId, exposed: &IdSet<EffectSite>) -> Option<Diagnostic> {
    let stated = facts.cascade().operation(operation, Key::Method).given()?;
    let methods: Vec<&str> = stated.setting.words().collect();
    let promises = !methods.is_empty() && methods.iter().all(|method| IDEMPOTENT.contains(method));
    if !promises || facts.repetition(operation) != Repetition::Unsafe {
        return None;
    }
    let (way, site) = facts.repeated_below(operation)?;
    let telemetry = |call| {
        let role = facts.cascade().node(facts.topology().callee_node(call), Key::Role).given();
        role.is_some_and(|role| role.setting.says("telemetry"))
    };
    // Writing a log is no effect that anybody asked for.
    if exposed.contains(&site) || way.iter().any(|call| telemetry(*call)) {
        return None;
    }
    Some(report(facts, operation, stated, &methods.join(", "), (way, site)))
}

fn report(
    facts: &Facts<'_>,
    operation: OperationId,
    stated: Stated<'_>,
    methods: &str,
    (way, site): (Vec<crate::model::CallId>, EffectSite),
) -> Diagnostic {
    let topology = facts.topology();
    let name = topology.operation_name(operation);
    let (effect_span, subject, _) = repeats::site(facts, site);
    let effect = spaced(&subject);
    let does = if site == EffectSite::Operation(operation) {
        "its own work does something more each time".to_owned()
    } else {
        format!("`{effect}` below does something more each time")
    };
    let message = format!("`{name}` promises with {methods} that doing it twice is doing it once, but {does}");
    let span = prose::place(stated).unwrap_or(topology.operation(operation).span);
    let mut diagnostic = Diagnostic::new(span, message).subject(name.clone());
    diagnostic.cause = Some(name.clone());
    let calls = way.iter().filter(|call| site != EffectSite::Write(**call) && !topology.call(**call).implied);
    diagnostic.witness = calls
        .map(|call| Step {
            subject: topology.call_name(*call),
            span: topology.call(*call).span,
            text: "is made again".to_owned(),
            value: None,
        })
        .collect();
    let text = "done twice, it changes something twice".to_owned();
    diagnostic.witness.push(Step { subject, span: effect_span, text, value: None });
    diagnostic.consequence = Some("clients, libraries and proxies repeat such requests on their own".to_owned());
    diagnostic
        .help(format!("let repeats stop before the effect: `idempotent by-key {{ window 24h; recorded-in STORE; atomic }}` on `{name}`"))
        .help(format!("or, if doing it twice changes nothing more, say so: `idempotent` on `{effect}`"))
        .help("or offer it under a method that promises nothing: `method POST`")
}
