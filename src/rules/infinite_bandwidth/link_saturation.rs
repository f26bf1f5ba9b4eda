//! More bytes than a link carries.

use std::collections::BTreeMap;

use crate::analysis::{Facts, Traffic};
use crate::diagnostic::{Diagnostic, Step};
use crate::metadata::Options;
use crate::model::{CallId, Name, NodeId, Setting};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, options: &Options) -> Vec<Diagnostic> {
    let share = options.percentage("share");
    let mut found: Vec<Diagnostic> = links(facts).into_values().filter_map(|used| used.finding(facts, share)).collect();
    found.extend(facts.topology().node_ids().filter_map(|node| passed(facts, node)?.finding(facts, share)));
    found
}

/// What calls put on a link.
struct Used<'f> {
    name: String,
    bandwidth: f64,
    stated: &'f Setting,
    /// The calls, each with bytes a second in one direction and the other one.
    calls: Vec<(CallId, f64, f64)>,
    /// Whether the bandwidth is for both directions together.
    both: bool,
}

/// The links that calls take between two places, each with what they put on it.
fn links<'f>(facts: &Facts<'f>) -> BTreeMap<(u32, Name, Name), Used<'f>> {
    let topology = facts.topology();
    let mut used: BTreeMap<(u32, Name, Name), Used<'f>> = BTreeMap::new();
    for call in topology.call_ids().filter(|call| facts.is_made(*call) && !topology.call(*call).implied) {
        let Some(crossing) = facts.crossing(call) else { continue };
        let Some((from, to)) = crossing.ends else { continue };
        let Some(stated) = crossing.link.settings.get(Key::Bandwidth) else { continue };
        let Some(bandwidth) = stated.bandwidth() else { continue };
        let (there, back) = sent(facts, call);
        if there + back <= 0.0 {
            continue;
        }
        let (low, high, one, other) = if from < to { (from, to, there, back) } else { (to, from, back, there) };
        let row = used.entry((crossing.link.span.start, low, high)).or_insert_with(|| Used {
            name: format!("the link between `{}` and `{}`", topology.text(low), topology.text(high)),
            bandwidth,
            stated,
            calls: Vec::new(),
            both: false,
        });
        row.calls.push((call, one, other));
    }
    used
}

/// What passes a node that states how much can.
fn passed<'f>(facts: &Facts<'f>, node: NodeId) -> Option<Used<'f>> {
    let stated = facts.cascade().node(node, Key::Bandwidth).given()?.setting;
    let calls = facts.passing_calls(node).into_iter().map(|call| {
        let (there, back) = sent(facts, call);
        (call, there, back)
    });
    let name = format!("`{}`", facts.topology().node_name(node));
    Some(Used { name, bandwidth: stated.bandwidth()?, stated, calls: calls.collect(), both: true })
}

/// Bytes a second at the busiest time, to the callee and back.
fn sent(facts: &Facts<'_>, call: CallId) -> (f64, f64) {
    let rate = facts.call_rate(call, Traffic::Peak).per_second;
    let bytes = facts.bytes(call);
    #[allow(clippy::cast_precision_loss, reason = "a number of bytes, as a factor")]
    (rate * bytes.request as f64, rate * bytes.response as f64)
}

impl Used<'_> {
    fn finding(mut self, facts: &Facts<'_>, share: f64) -> Option<Diagnostic> {
        let sum = |of: fn(&(CallId, f64, f64)) -> f64| self.calls.iter().map(of).sum::<f64>();
        let (one, other) = (sum(|call| call.1), sum(|call| call.2));
        let back = !self.both && other > one;
        let bytes = if self.both { one + other } else { one.max(other) };
        if bytes * 8.0 <= self.bandwidth * share {
            return None;
        }
        let percent = prose::number(bytes * 800.0 / self.bandwidth);
        let (used, most) = (prose::bandwidth(bytes * 8.0), prose::bandwidth(self.bandwidth));
        let message = format!("{} carries {most}, and {used} are sent over it: {percent} %", self.name);
        let mut diagnostic = Diagnostic::new(self.stated.span, message).at(format!("carries {most}"));
        let both = self.both;
        let part = |call: &(CallId, f64, f64)| {
            if both {
                call.1 + call.2
            } else if back {
                call.2
            } else {
                call.1
            }
        };
        self.calls.sort_by(|one, other| {
            part(other).total_cmp(&part(one)).then_with(|| facts.call_rank(one.0).cmp(&facts.call_rank(other.0)))
        });
        let shown = self.calls.iter().filter(|call| part(call) > 0.0).take(6);
        diagnostic.witness = shown.map(|call| step(facts, call.0, part(call))).collect();
        diagnostic.subjects = self.calls.first().map(|call| facts.topology().call_name(call.0)).into_iter().collect();
        diagnostic.consequence = Some(
            "before it is full, packets wait and are lost, and what waits is sent again: retries, copies and refills of caches share it"
                .to_owned(),
        );
        diagnostic.help = vec![
            "send less: smaller answers, `page N`, compressed, or only what has changed".to_owned(),
            "or call what is near: the same region, the same zone".to_owned(),
            "or let it carry more, and say so: `bandwidth B`".to_owned(),
        ];
        diagnostic.cause = Some(self.name.replace('`', ""));
        Some(diagnostic)
    }
}

fn step(facts: &Facts<'_>, call: CallId, bytes: f64) -> Step {
    let topology = facts.topology();
    let rate = prose::rate(facts.call_rate(call, Traffic::Peak).per_second);
    let text = format!("{rate}: {}", prose::bandwidth(bytes * 8.0));
    Step { subject: topology.call_name(call), span: topology.call(call).span, text, value: None }
}
