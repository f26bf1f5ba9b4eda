//! Two ends that do not speak alike: protocol, format, version, or messages larger than one end takes.

use super::agreement::{self, Agreement};
use super::sizes;
use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic, Fix};
use crate::model::{CallId, Origin, Stated};
use crate::rules::prose;
use crate::syntax::Arrow;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &crate::metadata::Options) -> Vec<Diagnostic> {
    let calls = facts.topology().call_ids().filter_map(|call| between(facts, call));
    calls.chain(facts.topology().operation_ids().filter_map(|operation| sizes::within(facts, operation))).collect()
}

/// One thing on which the ends differ.
pub(super) struct Difference<'a> {
    pub(super) certainty: Certainty,
    pub(super) message: String,
    /// Whether what the caller states is a statement about the call, and not about what it starts from.
    pub(super) of_call: bool,
    /// What the caller states, sends or takes, and what to say of it.
    pub(super) here: (Stated<'a>, String),
    /// The same of the callee.
    pub(super) there: (Stated<'a>, String),
    pub(super) help: Vec<String>,
    pub(super) fix: Option<Fix>,
}

/// Of several differences of one call the most certain is said, the others are shown.
fn between(facts: &Facts<'_>, id: CallId) -> Option<Diagnostic> {
    facts.hop(id)?;
    let mut found: Vec<Difference<'_>> =
        [Key::Protocol, Key::Format, Key::Version].into_iter().filter_map(|key| named(facts, id, key)).collect();
    found.extend([Key::Request, Key::Response].into_iter().filter_map(|key| sizes::sent(facts, id, key)));
    found.extend(sizes::limits(facts, id).filter(|_| found.is_empty()));
    found.sort_by_key(|difference| std::cmp::Reverse(difference.certainty));
    let (first, others) = found.split_first()?;
    let mut diagnostic = if first.of_call {
        prose::about_call(facts, id, first.here.0, first.message.clone()).at(first.here.1.clone())
    } else {
        labelled(Diagnostic::new(facts.topology().call(id).span, first.message.clone()), &first.here)
    };
    diagnostic = labelled(diagnostic, &first.there);
    diagnostic.help.clone_from(&first.help);
    for other in others {
        diagnostic = labelled(labelled(diagnostic, &other.here), &other.there);
        diagnostic.help.extend(other.help.first().map(|help| format!("and {help}")));
    }
    diagnostic.certainty = first.certainty;
    diagnostic.cause = Some(prose::cause(facts, id));
    diagnostic.fix.clone_from(&first.fix);
    Some(diagnostic.subject(facts.topology().call_name(id)))
}

fn labelled(diagnostic: Diagnostic, (stated, text): &(Stated<'_>, String)) -> Diagnostic {
    match prose::place(*stated) {
        Some(span) => diagnostic.label(span, text.clone()),
        None => diagnostic,
    }
}

/// What a call states of itself; `defaults` around the caller give way to the callee, so they never contradict it.
pub(super) fn own<'a>(facts: &Facts<'a>, id: CallId, key: Key) -> Option<Stated<'a>> {
    let stated = facts.cascade().call(id, &[key]).given();
    stated.filter(|stated| matches!(stated.origin, Origin::Own | Origin::Policy(_)))
}

/// A queue hands on what it was given, in the format and version that it insists on.
fn handed_on<'a>(facts: &Facts<'a>, id: CallId, key: Key) -> Option<Stated<'a>> {
    let call = facts.topology().call(id);
    let queue = call.arrow == Arrow::Async && facts.topology().kind_of(call.from) == ElementKind::Queue;
    (queue && key != Key::Protocol).then(|| facts.cascade().operation(call.from, key).given())?
}

fn named<'a>(facts: &Facts<'a>, id: CallId, key: Key) -> Option<Difference<'a>> {
    let topology = facts.topology();
    let call = topology.call(id);
    let own = own(facts, id, key);
    let mine = own.or_else(|| handed_on(facts, id, key))?;
    let theirs = facts.cascade().operation(call.to, key).given()?;
    let [my_name, their_name] =
        [mine, theirs].map(|stated| stated.setting.texts().first().map(|name| topology.text(*name)));
    let (mine_is, theirs_is) = (my_name?, their_name?);
    let agreement = if key == Key::Version { agreement::versions } else { agreement::names };
    let adapter = facts.cascade().call(id, &[Key::Through]).given().and_then(|stated| stated.setting.nodes().next());
    let certainty = match (agreement(mine_is, theirs_is), adapter) {
        (Agreement::Same, _) => return None,
        (Agreement::Unclear, _) | (_, Some(_)) => Certainty::Possible,
        (Agreement::Different, None) => Certainty::Proved,
    };
    let callee = topology.operation_name(call.to);
    let name = prose::call(facts, id);
    let message = match (key, certainty) {
        (Key::Protocol, Certainty::Proved) => {
            format!("`{name}` speaks `{mine_is}`, and `{callee}` speaks `{theirs_is}`")
        }
        (Key::Format, Certainty::Proved) => format!("`{name}` sends `{mine_is}`, and `{callee}` takes `{theirs_is}`"),
        (Key::Version, Certainty::Proved) => {
            format!("`{name}` is of version `{mine_is}`, and `{callee}` of version `{theirs_is}`")
        }
        _ => format!("`{name}` and `{callee}` may not agree: {key} `{mine_is}` here, `{theirs_is}` there"),
    };
    let written = prose::written(theirs_is);
    let mut help = vec![format!("use `{key} {written}` on both ends, or put a service between that translates")];
    if let (Some(node), Agreement::Different) = (adapter, agreement(mine_is, theirs_is)) {
        let node = topology.node_name(node);
        help.push(format!("or, if `{node}` translates, draw it as what is called, and let it call `{callee}`"));
    } else if certainty == Certainty::Possible {
        help.push(format!("or, if both mean the same, or one end reads the other, write one `{key}` for both"));
    }
    let fix = prose::replace(own, format!("{key} {written}"));
    let (here, there) = (format!("{key} `{mine_is}` here"), format!("{key} `{theirs_is}` there"));
    Some(Difference {
        certainty,
        message,
        of_call: own.is_some(),
        here: (mine, here),
        there: (theirs, there),
        help,
        fix,
    })
}
