//! One request asks every shard, and fails if one of them does.

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic, Step};
use crate::metadata::Options;
use crate::model::CallId;
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.topology().call_ids().filter_map(|call| finding(facts, call)).collect()
}

fn finding(facts: &Facts<'_>, call: CallId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let node = facts.topology().callee_node(call);
    let shards = facts.cascade().node(node, Key::Shards).given()?.setting.count().filter(|shards| *shards > 1)?;
    let times = facts.plan(call).least_times;
    if times < shards || !may_fail_it(facts, call) {
        return None;
    }
    let (name, caller) = (topology.node_name(node), topology.operation_name(topology.caller(call)));
    let message =
        format!("`{caller}` calls `{name}` {times} times, which has {shards} shards, and fails if one call does");
    let stated = facts.cascade().call(call, &[Key::Times]).given()?;
    let mut diagnostic = prose::about_call(facts, call, stated, message).subject(topology.call_name(call));
    diagnostic.certainty = Certainty::Possible;
    diagnostic.cause = Some(format!("shards {}", prose::cause(facts, call)));
    diagnostic.group = Some("requests need an answer of all shards".into());
    diagnostic.path = Some(prose::path(facts, topology.caller(call), &[call], 0));
    let text = format!("{times} calls, for {shards} shards");
    let span = topology.call(call).span;
    diagnostic.witness = vec![Step { subject: topology.call_name(call), span, text, value: None }];
    diagnostic.consequence = Some(format!(
        "if they go to all shards, each shard that is down stops every request, about {shards} times as often as a single one would"
    ));
    diagnostic.help = vec![
        format!(
            "answer without the part that is missing, and say so: `fallback \"the other shards\"` on `{}`",
            prose::call(facts, call)
        ),
        "or ask only the shard that has the key".to_owned(),
        "or, if it is all or nothing, name what holds it together: `transaction NAME` on the call".to_owned(),
    ];
    Some(diagnostic)
}

/// A call of requests without which they fail, and that no transaction holds together.
fn may_fail_it(facts: &Facts<'_>, call: CallId) -> bool {
    let may_be = |key| facts.cascade().call(call, &[key]).may_be_given();
    let open = facts.answers_openly(facts.topology().caller(call));
    facts.is_hard(call) && !open && !may_be(Key::Transaction) && !may_be(Key::Fallback)
}
