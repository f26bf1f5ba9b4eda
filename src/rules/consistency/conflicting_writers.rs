//! Writes that are accepted in several places, and nothing that says which of two counts.

use crate::analysis::{Effect, EffectSite, Facts, Model};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::ids::{IdMap, IdSet};
use crate::metadata::Options;
use crate::model::{Answer, CallId, NodeId, OperationId, Stated};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let topology = facts.topology();
    let stores = topology.node_ids().filter(|id| topology.node(*id).kind == ElementKind::Store);
    let written: Vec<NodeId> = stores.filter(|store| facts.writers(*store).next().is_some()).collect();
    let copied: IdMap<NodeId, IdSet<NodeId>> = written.iter().map(|store| (*store, facts.copied_to(*store))).collect();
    written.iter().filter_map(|store| unresolved(facts, *store, &copied).or_else(|| by_clock(facts, *store))).collect()
}

/// Why one item can be written in two places at once.
enum Places<'a> {
    /// Both sides of a partition take writes.
    Partition(Stated<'a>),
    /// Two writes need not meet in a copy.
    Quorum(Stated<'a>),
    /// Two stores copy each other.
    Each(NodeId),
}

fn unresolved(facts: &Facts<'_>, store: NodeId, copied: &IdMap<NodeId, IdSet<NodeId>>) -> Option<Diagnostic> {
    let policy = facts.cascade().node(store, Key::ConflictPolicy);
    let certainty = match policy {
        Answer::None(_) => Certainty::Proved,
        Answer::Unstated => Certainty::Possible,
        Answer::Given(_) | Answer::Unreadable => return None,
    };
    let places = places(facts, store, copied)?;
    let name = facts.topology().node_name(store);
    let what = match &places {
        Places::Partition(_) => format!("both sides of a partition may write to `{name}`"),
        Places::Quorum(_) => format!("two writes to `{name}` need not meet in any copy"),
        Places::Each(other) => {
            format!("`{name}` and `{}` both take writes and copy each other", facts.topology().node_name(*other))
        }
    };
    let ends = match certainty {
        Certainty::Proved => "conflicts are not resolved: `conflict-policy none`",
        _ => "nothing that is stated says which of two counts",
    };
    let mut diagnostic =
        Diagnostic::new(facts.topology().node(store).span, format!("{what}, and {ends}")).subject(name);
    diagnostic.certainty = certainty;
    diagnostic.cause = Some(name.to_owned());
    diagnostic.witness = witness(facts, store, &places);
    if let Some(span) = policy.stated().and_then(prose::place) {
        let text = "two writes of one item are not brought together".to_owned();
        diagnostic.witness.push(Step { subject: name.to_owned(), span, text, value: None });
    }
    diagnostic.consequence = Some("the copies end up different, or one of two acknowledged writes is lost".into());
    diagnostic.help = vec![
        format!("say how conflicts end: `conflict-policy crdt` or `cas` on `{name}`"),
        format!("or give each item one place that writes it: `conflict-policy single-writer` on `{name}`"),
    ];
    Some(diagnostic)
}

fn places<'a>(facts: &Facts<'a>, store: NodeId, copied: &IdMap<NodeId, IdSet<NodeId>>) -> Option<Places<'a>> {
    let topology = facts.topology();
    let back = |other: &&NodeId| copied.get(other).is_some_and(|copied| copied.contains(&store));
    let mutual = copied.get(&store).into_iter().flatten().filter(back);
    // Of two stores that copy each other, the first one by name says how conflicts end, or the other one does.
    let other = mutual.min_by_key(|id| topology.node_name(**id)).copied();
    if let Some(other) = other {
        let says = facts.cascade().node(other, Key::ConflictPolicy).given().is_some();
        let first = topology.node_name(store) < topology.node_name(other);
        return (first && !says).then_some(Places::Each(other));
    }
    let model = facts
        .cascade()
        .node(store, Key::Model)
        .given()
        .and_then(|stated| stated.setting.words().find_map(Model::named));
    if model.is_some_and(Model::is_unavailable) || facts.is_single_copy(store) {
        // It has one order of all writes, or claims so: that is for other rules.
        return None;
    }
    let write = topology
        .node(store)
        .operations
        .iter()
        .find(|id| topology.operation(**id).name.is_some_and(|name| topology.text(name) == "write"));
    let choice = |id: &OperationId| facts.cascade().operation(*id, Key::OnPartition);
    let choice = write.map_or_else(|| facts.cascade().node(store, Key::OnPartition), choice);
    let several = facts.cascade().node(store, Key::Replication).given().is_some()
        || facts.quorum(store).is_some_and(|quorum| quorum.copies > 1)
        || facts.instances(store).is_some_and(|(_, most)| most > 1);
    if let Some(stated) = choice.given().filter(|stated| stated.setting.says("available") && several) {
        return Some(Places::Partition(stated));
    }
    let quorum = facts.quorum(store).filter(|quorum| !quorum.writes_meet() && quorum.copies > 1)?;
    Some(Places::Quorum(quorum.stated))
}

fn witness(facts: &Facts<'_>, store: NodeId, places: &Places<'_>) -> Vec<Step> {
    let topology = facts.topology();
    let name = topology.node_name(store);
    let mut steps = Vec::new();
    match places {
        Places::Partition(stated) | Places::Quorum(stated) => {
            let text = match places {
                Places::Quorum(_) => "2 w is not more than n",
                _ => "writes are taken on both sides of a partition",
            };
            let span = prose::place(*stated).unwrap_or(topology.node(store).span);
            steps.push(Step { subject: name.to_owned(), span, text: text.to_owned(), value: None });
            steps.extend(facts.writers(store).next().map(|call| writes(facts, call)));
        }
        Places::Each(other) => {
            let both = [store, *other].into_iter().filter_map(|store| facts.writers(store).next());
            steps.extend(both.map(|call| writes(facts, call)));
        }
    }
    steps
}

fn writes(facts: &Facts<'_>, call: CallId) -> Step {
    let topology = facts.topology();
    let text = format!("writes to `{}`", topology.node_name(facts.topology().callee_node(call)));
    Step { subject: topology.call_name(call), span: topology.call(call).span, text, value: None }
}

/// The last write by the clock counts, and clocks differ.
fn by_clock(facts: &Facts<'_>, store: NodeId) -> Option<Diagnostic> {
    let topology = facts.topology();
    let policy =
        facts.cascade().node(store, Key::ConflictPolicy).given().filter(|stated| stated.setting.says("lww"))?;
    let clock = facts.cascade().node(store, Key::ClockError).given()?;
    let error = clock.setting.duration().filter(|error| error.seconds() > 0.0)?;
    let model = facts
        .cascade()
        .node(store, Key::Model)
        .given()
        .and_then(|stated| stated.setting.words().find_map(Model::named));
    let claimed = model.is_some_and(|model| model.implies(Model::Linearizable)) && facts.quorum(store).is_some();
    // Writes that state to be idempotent set the same value, whoever comes first.
    let mut matter = facts.writers(store).filter(|call| facts.effect(EffectSite::Write(*call)) != Effect::Idempotent);
    let first = matter.next()?;
    let node = topology.caller_node(first);
    let alone = facts.instances(node).is_some_and(|(_, most)| most == 1);
    let second = matter.find(|call| topology.caller_node(*call) != node);
    if claimed || (alone && second.is_none()) {
        return None;
    }
    let name = topology.node_name(store);
    let message = format!("of two writes to `{name}` within {error} the later one may be lost: the clock decides");
    let span = prose::place(policy).unwrap_or(topology.node(store).span);
    let mut diagnostic = Diagnostic::new(span, message).subject(name);
    diagnostic.certainty = Certainty::Possible;
    diagnostic.cause = Some(name.to_owned());
    diagnostic.witness = [Some(first), second].into_iter().flatten().map(|call| writes(facts, call)).collect();
    if let Some(span) = prose::place(clock) {
        let text = format!("clocks of two writers differ by up to {error}");
        let value = Some(Measure::Seconds(error.seconds()));
        diagnostic.witness.push(Step { subject: name.to_owned(), span, text, value });
    }
    diagnostic.help = vec![
        format!("compare and set: `conflict-policy cas` on `{name}`; or give each item one writer: `single-writer`"),
        format!("order writes by logical or hybrid clocks, and say so: `clock-error none` on `{name}`"),
        "if the writes of all writers are the same, so that none is lost, say so: `idempotent` on them".to_owned(),
    ];
    Some(diagnostic)
}
