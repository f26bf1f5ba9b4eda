//! More calls, or more things, than a quota allows.

use std::collections::BTreeMap;

use crate::analysis::{Amplified, Facts, Limited, Traffic};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{NodeId, OperationId, ScopeId, Setting};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let limited = facts.limited(Key::Quota);
    let groups: Vec<Vec<OperationId>> = limited.iter().map(|of| of.operations(facts)).collect();
    let amplified = facts.amplified(&groups, Traffic::Peak);
    let mut found: Vec<Diagnostic> =
        limited.iter().zip(amplified).filter_map(|(of, amplified)| calls(facts, of, amplified)).collect();
    found.extend(facts.topology().node_ids().filter_map(|node| instances_of_node(facts, node)));
    // Each node is in no more boxes than lie in each other.
    let topology = facts.topology();
    let mut members: BTreeMap<ScopeId, Vec<NodeId>> = BTreeMap::new();
    for node in topology.node_ids() {
        let around = topology.outwards(topology.node(node).scope);
        for id in around.filter(|id| topology.scope(*id).settings.get(Key::Quota).is_some()) {
            members.entry(id).or_default().push(node);
        }
    }
    found.extend(members.iter().filter_map(|(id, members)| group(facts, *id, members)));
    found
}

fn calls(facts: &Facts<'_>, of: &Limited<'_>, amplified: Option<Amplified>) -> Option<Diagnostic> {
    let (usual, peak) = (of.usual.per_second, of.peak.per_second);
    let failing = amplified.map_or(0.0, |amplified| amplified.per_second);
    let name = prose::limited(facts, of);
    let most = prose::rate(of.limit);
    let (message, certainty) = if usual > of.limit {
        (format!("`{name}` allows {most}, and {} are sent", prose::rate(usual)), Certainty::Proved)
    } else if peak > of.limit {
        (format!("`{name}` allows {most}, and {} are sent at the peak", prose::rate(peak)), Certainty::Possible)
    } else if failing > of.limit {
        let message = format!("`{name}` allows {most}, and once it fails, {} are sent", prose::rate(failing));
        (message, Certainty::Possible)
    } else {
        return None;
    };
    let mut diagnostic = Diagnostic::new(prose::place(of.stated)?, message).at(format!("{most} allowed"));
    diagnostic.certainty = certainty;
    diagnostic.witness = prose::arrivals(facts, of);
    diagnostic.consequence = Some(match certainty {
        Certainty::Proved => "what is above it is refused, all day".to_owned(),
        _ if peak > of.limit => "unless bursts are credited, which is not stated, the rest is refused".to_owned(),
        _ => format!(
            "{} are sent while all is well; what it refuses is tried again and counts again, unless bursts are credited",
            prose::rate(peak)
        ),
    });
    diagnostic.help = vec![
        "send less: a queue with few `consumers`, a cache before it, fewer `attempts`, a `retry-budget`".to_owned(),
        format!("or have it raised, and say so: `quota R` on `{name}`"),
    ];
    diagnostic.cause = Some(name.clone());
    diagnostic.group = Some("more is sent than a quota allows".into());
    Some(diagnostic.subject(name))
}

/// Words for what each instance is one of.
const INSTANCES: [&str; 8] = ["instances", "machines", "vms", "pods", "nodes", "replicas", "servers", "containers"];

/// A quota of things of which each instance is one.
fn of_instances<'a>(facts: &Facts<'_>, setting: &'a Setting) -> Option<(u64, &'a Setting)> {
    let word = facts.topology().text(setting.word()?).to_lowercase();
    let known = INSTANCES.iter().any(|name| *name == word || name.strip_suffix('s') == Some(word.as_str()));
    Some((setting.count().filter(|_| known)?, setting))
}

fn instances_of_node(facts: &Facts<'_>, node: NodeId) -> Option<Diagnostic> {
    let stated = facts.cascade().node(node, Key::Quota).given()?;
    let (limit, setting) = of_instances(facts, stated.setting)?;
    things(facts, facts.topology().node_name(node), limit, setting, &[node])
}

fn group(facts: &Facts<'_>, scope: ScopeId, members: &[NodeId]) -> Option<Diagnostic> {
    let topology = facts.topology();
    let row = topology.scope(scope);
    let (limit, setting) = of_instances(facts, row.settings.get(Key::Quota)?)?;
    let name = row.name.map_or(topology.name.as_str(), |name| topology.text(name));
    things(facts, name, limit, setting, members)
}

/// All that may run at the same time against what may.
fn things(facts: &Facts<'_>, name: &str, limit: u64, setting: &Setting, members: &[NodeId]) -> Option<Diagnostic> {
    let topology = facts.topology();
    let ours = |node: &&NodeId| !matches!(topology.node(**node).kind, ElementKind::Client | ElementKind::External);
    let mut counted: Vec<(NodeId, u64)> =
        members.iter().filter(ours).filter_map(|node| facts.instances(*node).map(|(_, most)| (*node, most))).collect();
    let all = counted.iter().fold(0_u64, |sum, (_, most)| sum.saturating_add(*most));
    if all <= limit {
        return None;
    }
    let word = setting.word().map_or("things", |word| topology.text(word));
    let message = format!("`{name}` may have {limit} {word}, and what is in it runs up to {all}");
    let mut diagnostic = Diagnostic::new(setting.span, message).at(format!("{limit} allowed"));
    counted.sort_by(|one, other| {
        other.1.cmp(&one.1).then_with(|| topology.node_name(one.0).cmp(topology.node_name(other.0)))
    });
    diagnostic.witness = counted.iter().take(8).map(|(node, most)| instances(facts, *node, *most)).collect();
    diagnostic.consequence = Some(
        "the last ones do not start, and that is when they are needed most: while others scale or fail over".into(),
    );
    diagnostic.help = vec![
        "have it raised, and say so".to_owned(),
        "or let less be started: a lower end of `autoscale`, fewer `replicas`".to_owned(),
    ];
    diagnostic.cause = Some(name.to_owned());
    Some(diagnostic.subject(name))
}

fn instances(facts: &Facts<'_>, node: NodeId, most: u64) -> Step {
    let topology = facts.topology();
    let stated = [Key::Autoscale, Key::Replicas].iter().find_map(|key| facts.cascade().node(node, *key).given());
    let span = stated.and_then(prose::place).unwrap_or(topology.node(node).span);
    #[allow(clippy::cast_precision_loss, reason = "a number of instances, for programs")]
    let value = Some(Measure::Times(most as f64));
    Step { subject: topology.node_name(node).to_owned(), span, text: format!("up to {most}"), value }
}
