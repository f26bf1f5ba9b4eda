//! Quorums that do not give what is claimed of the store.

use crate::analysis::{Facts, Model, Quorum};
use crate::diagnostic::{Certainty, Diagnostic, Step};
use crate::metadata::Options;
use crate::model::{Answer, NodeId, Stated};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let topology = facts.topology();
    let stores = topology.node_ids().filter(|id| topology.node(*id).kind == ElementKind::Store);
    stores.filter_map(|store| claim(facts, store)).collect()
}

/// The element to edit for the quorum of a store.
pub(super) fn cause(facts: &Facts<'_>, store: NodeId) -> String {
    format!("quorum of {}", facts.topology().node_name(store))
}

/// Whether reads of a store ask a quorum: where nothing says otherwise, that is what a `quorum` is for.
fn is_asked(facts: &Facts<'_>, store: NodeId) -> bool {
    let topology = facts.topology();
    let arriving = topology.node(store).operations.iter().flat_map(|operation| topology.calls_to(*operation));
    let mut reads = arriving.filter(|call| facts.is_made(*call) && facts.is_read(*call)).peekable();
    let by_quorum = |call| match facts.read_from(store, call) {
        Answer::Given(stated) => stated.setting.says("quorum"),
        Answer::Unstated => true,
        Answer::None(_) | Answer::Unreadable => false,
    };
    if reads.peek().is_none() { by_quorum(None) } else { reads.any(|call| by_quorum(Some(call))) }
}

fn claim(facts: &Facts<'_>, store: NodeId) -> Option<Diagnostic> {
    let claimed = facts.cascade().node(store, Key::Model).given()?;
    let model = claimed.setting.words().find_map(Model::named).filter(|model| model.implies(Model::Linearizable))?;
    let quorum = facts.quorum(store).filter(|_| is_asked(facts, store) && !facts.is_single_copy(store))?;
    let broken = broken(facts, store, &quorum)?;
    let name = facts.topology().node_name(store);
    let message = format!("`{name}` states `model {}`, but {}", model.name(), broken.what);
    let at = prose::place(broken.stated).unwrap_or(facts.topology().node(store).span);
    let mut diagnostic = Diagnostic::new(at, message).subject(name);
    diagnostic.certainty = broken.certainty;
    diagnostic.cause = Some(cause(facts, store));
    let step = |stated: Stated<'_>, text: String| {
        Some(Step { subject: name.to_owned(), span: prose::place(stated)?, text, value: None })
    };
    diagnostic.witness.extend(step(claimed, format!("`{}` is claimed", model.name())));
    diagnostic.witness.extend(step(broken.stated, broken.why));
    diagnostic.consequence = Some(broken.follows.to_owned());
    diagnostic.help = vec![broken.help, format!("or claim less: `model eventual` on `{name}`")];
    Some(diagnostic)
}

/// Why a quorum does not give what is claimed.
struct Broken<'a> {
    what: String,
    why: String,
    follows: &'static str,
    help: String,
    certainty: Certainty,
    stated: Stated<'a>,
}

fn broken<'a>(facts: &Facts<'a>, store: NodeId, quorum: &Quorum<'a>) -> Option<Broken<'a>> {
    let name = facts.topology().node_name(store);
    let Quorum { copies, read, written, stated, .. } = *quorum;
    if quorum.sloppy {
        return Some(Broken {
            what: "its quorums are sloppy: other copies may answer in the place of those that have the write".into(),
            why: "`sloppy`: r + w > n says nothing of who is asked".into(),
            follows: "while some copies cannot be reached, a read may ask only copies that never got the last write",
            help: format!("count only the copies that hold the data: `sloppy none` in the `quorum` of `{name}`"),
            certainty: Certainty::Proved,
            stated,
        });
    }
    if !quorum.overlaps() {
        let more = copies.saturating_sub(written).saturating_add(1);
        let help = if more <= copies {
            format!("ask more copies: `quorum {{ n {copies}; r {more}; w {written} }}` on `{name}`")
        } else {
            format!("let each write reach a copy, and ask them all: `w` in the `quorum` of `{name}`")
        };
        return Some(Broken {
            what: format!("a read of {read} and a write of {written} out of {copies} copies need not meet"),
            why: format!("r + w = {read} + {written} = {}, not more than n = {copies}", read.saturating_add(written)),
            follows: "a read may ask only copies that never got the last write",
            help,
            certainty: Certainty::Proved,
            stated,
        });
    }
    by_clock(facts, store)
}

/// The last write by the clock is not the last one in real time.
fn by_clock<'a>(facts: &Facts<'a>, store: NodeId) -> Option<Broken<'a>> {
    let name = facts.topology().node_name(store);
    let policy = facts.cascade().node(store, Key::ConflictPolicy).given()?;
    if !policy.setting.says("lww") {
        return None;
    }
    let (certainty, why) = match facts.cascade().node(store, Key::ClockError) {
        Answer::Given(error) => {
            let error = error.setting.duration().filter(|error| error.seconds() > 0.0)?;
            (Certainty::Proved, format!("the last write by clocks that differ by up to {error}"))
        }
        Answer::Unstated => (Certainty::Possible, "`clock-error` is not stated".to_owned()),
        Answer::None(_) | Answer::Unreadable => return None,
    };
    Some(Broken {
        what: "the last write by the clock wins, which need not be the last one".into(),
        why,
        follows: "a write that was acknowledged is lost to an earlier one whose clock was ahead",
        help: format!(
            "compare and set instead: `conflict-policy cas` on `{name}`; for logical clocks, `clock-error none`"
        ),
        certainty,
        stated: policy,
    })
}
