//! A circuit breaker that is taken for an answer: the call is said to be optional, and an open breaker only fails faster.

use super::optional_but_hard::{claimed, ends, finish};
use crate::analysis::Facts;
use crate::diagnostic::Diagnostic;
use crate::metadata::Options;
use crate::model::{CallId, Stated};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let breaker = |call| facts.cascade().call(call, &[Key::Breaker]).given();
    let broken = claimed(facts).into_iter().filter_map(|(call, _)| Some((call, breaker(call)?)));
    broken.map(|(call, breaker)| finding(facts, call, breaker)).collect()
}

fn finding(facts: &Facts<'_>, call: CallId, breaker: Stated<'_>) -> Diagnostic {
    let (from, to) = ends(facts, call);
    let name = prose::call(facts, call);
    let message =
        format!("while the breaker of `{name}` is open, `{from}` fails, though `{to}` is said to be optional");
    let mut diagnostic = prose::about_call(facts, call, breaker, message).at("fails fast, and answers nothing");
    diagnostic.help = vec![
        "say what the answer is while it is open: `fallback \"what is shown instead\"`".to_owned(),
        "or leave `optional` away: then the breaker only keeps callers from waiting".to_owned(),
    ];
    finish(facts, call, diagnostic)
}
