//! A failover that loses more acknowledged writes than is accepted, or that leaves two leaders.

use crate::analysis::{Extent, Facts, Quorum};
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{Answer, Duration, NodeId, Stated};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let topology = facts.topology();
    let stores = topology.node_ids().filter(|id| topology.node(*id).kind == ElementKind::Store);
    stores.flat_map(|store| [behind(facts, store), unflushed(facts, store), unfenced(facts, store)]).flatten().collect()
}

/// The copy that takes over is further behind than is accepted.
fn behind(facts: &Facts<'_>, store: NodeId) -> Option<Diagnostic> {
    let accepted = facts.cascade().node(store, Key::Rpo).given()?;
    let accepts = accepted.setting.duration()?;
    let lag = facts.lag(store).filter(|_| !is_majority(facts, store))?;
    let copies = facts.cascade().node(store, Key::Replication).given()?;
    let name = facts.topology().node_name(store);
    let loss = |lost: &str| format!("a failover of `{name}` may lose {}, but {lost}", most(accepts));
    let (certainty, message, text) = match lag.at_least {
        Extent::Finite(worst) if worst > accepts => {
            (Certainty::Proved, loss(&format!("its copies can be {worst} behind")), format!("up to {worst} behind"))
        }
        _ if accepts == Duration::ZERO => {
            let lost = "writes are acknowledged before its copies have them";
            (Certainty::Proved, loss(lost), "acknowledged first, copied later".to_owned())
        }
        _ if lag.at_most.is_some() => return None,
        _ => {
            let lost = "nothing that is stated bounds how far its copies are behind";
            (Certainty::Possible, loss(lost), "`worst` is not stated".to_owned())
        }
    };
    let mut diagnostic = finding(facts, store, accepted, message);
    diagnostic.certainty = certainty;
    let value = lag.at_least.finite().filter(|lag| *lag > Duration::ZERO).map(|lag| Measure::Seconds(lag.seconds()));
    diagnostic.witness.extend(step(name, accepted, accepted_loss(accepts)));
    diagnostic.witness.extend(step(name, copies, text).map(|step| Step { value, ..step }));
    let accept = match lag.at_least {
        Extent::Finite(worst) if worst > accepts => format!("`rpo {}` on `{name}`", worst.written()),
        _ if certainty == Certainty::Possible => {
            format!("`replication async {{ worst {} }}` on `{name}`", accepts.written())
        }
        _ => format!("the `rpo` that is true on `{name}`"),
    };
    diagnostic.help = vec![
        format!("acknowledge writes when a copy has them: `replication sync` on `{name}`"),
        format!("or say what is so: {accept}"),
    ];
    Some(diagnostic)
}

/// "30 s of writes at most", "no write".
fn most(accepts: Duration) -> String {
    if accepts == Duration::ZERO { "no write".to_owned() } else { format!("{accepts} of writes at most") }
}

fn accepted_loss(accepts: Duration) -> String {
    if accepts == Duration::ZERO { "nothing may be lost".to_owned() } else { format!("{accepts} may be lost") }
}

/// Nothing may be lost, and a write is acknowledged before it is on disk.
fn unflushed(facts: &Facts<'_>, store: NodeId) -> Option<Diagnostic> {
    let accepted = facts.cascade().node(store, Key::Rpo).given()?;
    let none = accepted.setting.duration()? == Duration::ZERO;
    let commit = facts.cascade().node(store, Key::Commit).given().filter(|stated| stated.setting.says("relaxed"))?;
    // Another copy has it already: in memory, which is enough where the two do not lose power together.
    let copies = facts.cascade().node(store, Key::Replication);
    let in_memory = copies.given().filter(|stated| stated.setting.says("sync"));
    let copied = match copies {
        Answer::Given(_) => in_memory.is_some() && fall_apart(facts, store),
        Answer::Unreadable => true,
        Answer::None(_) | Answer::Unstated => facts.quorum(store).is_some_and(|quorum| quorum.written > 1),
    };
    if !none || copied || is_majority(facts, store) {
        return None;
    }
    let name = facts.topology().node_name(store);
    let so_far = if in_memory.is_some() { ": its copies may all be in one zone" } else { "" };
    let message = format!("`{name}` may lose no write, but acknowledges them before they are on disk{so_far}");
    let mut diagnostic = finding(facts, store, commit, message);
    let known = copies.stated().is_some() && in_memory.is_none();
    diagnostic.certainty = if known { Certainty::Proved } else { Certainty::Possible };
    diagnostic.witness.extend(step(name, accepted, "nothing may be lost".to_owned()));
    diagnostic.witness.extend(step(name, commit, "a crash loses what is not flushed yet".to_owned()));
    diagnostic.help = vec![
        format!("acknowledge what is on disk: `commit flushed` on `{name}`"),
        match in_memory {
            Some(_) => format!("or say that its copies do not fall together: `zones a, b` on `{name}`"),
            None => format!("or what a copy in another zone has: `replication sync` and `zones a, b` on `{name}`"),
        },
    ];
    Some(diagnostic)
}

/// Whether the copies of a store are stated to stand in several zones, or that could not be read.
fn fall_apart(facts: &Facts<'_>, store: NodeId) -> bool {
    match facts.cascade().node(store, Key::Zones) {
        Answer::Given(stated) => stated.setting.texts().len() > 1,
        Answer::Unreadable => true,
        Answer::None(_) | Answer::Unstated => false,
    }
}

/// The leader that was deposed does not know it, and nobody refuses it.
fn unfenced(facts: &Facts<'_>, store: NodeId) -> Option<Diagnostic> {
    let look = |key| facts.cascade().node(store, key);
    // Somebody takes over: that is what these two are said of.
    let planned = look(Key::Rto).given().or(look(Key::Rpo).given())?;
    facts.lag(store).filter(|_| !is_majority(facts, store))?;
    let merges = look(Key::ConflictPolicy).given().is_some_and(|stated| stated.setting.says("crdt"));
    let certainty = match look(Key::Fenced) {
        Answer::None(_) => Certainty::Proved,
        Answer::Unstated => Certainty::Possible,
        Answer::Given(_) | Answer::Unreadable => return None,
    };
    if merges {
        return None;
    }
    let name = facts.topology().node_name(store);
    let message = match certainty {
        Certainty::Proved => format!("a leader of `{name}` that was deposed can still take writes: it is not fenced"),
        _ => format!("nothing that is stated keeps a leader of `{name}` that was deposed from taking writes"),
    };
    let stated = look(Key::Fenced).stated().unwrap_or(planned);
    let mut diagnostic = finding(facts, store, stated, message);
    diagnostic.cause = Some(format!("fenced of {name}"));
    diagnostic.certainty = certainty;
    diagnostic.witness.extend(step(name, planned, "another copy is to take over".to_owned()));
    let copies = look(Key::Replication).given();
    diagnostic.witness.extend(copies.and_then(|stated| step(name, stated, "a leader acknowledges alone".to_owned())));
    diagnostic.consequence =
        Some("behind a partition both leaders take writes, and what one of them took has to be thrown away".into());
    diagnostic.help = vec![
        format!("refuse the old leader: `fenced` on `{name}`"),
        format!("or let a write wait for a majority: `quorum {{ n 3; r 2; w 2 }}` on `{name}`"),
    ];
    Some(diagnostic)
}

/// Whoever takes over has asked a copy with each acknowledged write, and no two leaders find a majority.
fn is_majority(facts: &Facts<'_>, store: NodeId) -> bool {
    facts.quorum(store).as_ref().is_some_and(Quorum::writes_meet)
}

fn finding(facts: &Facts<'_>, store: NodeId, stated: Stated<'_>, message: String) -> Diagnostic {
    let name = facts.topology().node_name(store);
    let span = prose::place(stated).unwrap_or(facts.topology().node(store).span);
    let mut diagnostic = Diagnostic::new(span, message).subject(name);
    diagnostic.cause = Some(format!("{} of {name}", stated.setting.key));
    diagnostic
}

fn step(name: &str, stated: Stated<'_>, text: String) -> Option<Step> {
    Some(Step { subject: name.to_owned(), span: prose::place(stated)?, text, value: None })
}
