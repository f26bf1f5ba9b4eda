//! An answer whose size nothing bounds.

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic, Step};
use crate::metadata::Options;
use crate::model::{Answer, CallId, Stated};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let drawn = facts.topology().call_ids().filter(|call| !facts.topology().call(*call).implied);
    drawn
        .filter(|call| facts.is_awaited(*call) && !facts.is_stream(*call))
        .filter_map(|call| finding(facts, call))
        .collect()
}

/// What is said of it: by the call, else by what is called; and whether the call says it.
fn said<'f>(facts: &Facts<'f>, call: CallId, key: Key) -> (Answer<'f>, bool) {
    match facts.cascade().call(call, &[key]) {
        Answer::Unstated => (facts.cascade().operation(facts.topology().callee(call), key), false),
        own => (own, true),
    }
}

fn finding(facts: &Facts<'_>, call: CallId) -> Option<Diagnostic> {
    let ((response, by_call), (page, page_by_call)) = (said(facts, call, Key::Response), said(facts, call, Key::Page));
    let endless = |stated: &Stated<'_>| stated.setting.says("unlimited");
    let (stated, by_call, certainty) = match (response, page) {
        (_, page) if page.may_be_given() => return None,
        (Answer::Given(response), _) if endless(&response) => (response, by_call, Certainty::Proved),
        (Answer::Unstated, Answer::None(page)) => (page, page_by_call, Certainty::Possible),
        _ => return None,
    };
    let topology = facts.topology();
    let callee = topology.operation_name(topology.callee(call));
    let name = prose::call(facts, call);
    let message = match certainty {
        Certainty::Proved => format!("nothing bounds what `{name}` gets: `response unlimited`, and no `page`"),
        _ => format!("`{name}` gets all of it in one response, and how much that is is not stated"),
    };
    let mut diagnostic = prose::about_call(facts, call, stated, message).at("grows with what there is");
    diagnostic.certainty = certainty;
    diagnostic.witness = vec![Step {
        subject: topology.call_name(call),
        span: topology.call(call).span,
        text: "one response".to_owned(),
        value: None,
    }];
    diagnostic.consequence = Some(format!(
        "as `{callee}` holds more, it takes longer and more memory on both ends, until it no longer arrives"
    ));
    diagnostic.help = vec![
        "ask for parts: `page 100`, or what there are at most: `response 1MB`".to_owned(),
        "or let it come bit by bit: `stream` with an `idle-timeout`".to_owned(),
    ];
    diagnostic.cause = Some(if by_call { prose::cause_of(facts, call, Some(stated)) } else { callee });
    diagnostic.group = Some("nothing bounds the size of answers".into());
    Some(diagnostic.subject(topology.call_name(call)))
}
