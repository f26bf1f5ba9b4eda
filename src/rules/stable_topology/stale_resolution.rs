//! A caller that goes on to the old place for longer than a failover may take.

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{Answer, CallId, Duration, Stated};
use crate::rules::prose;
use crate::vocabulary::Key;

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    facts.topology().call_ids().filter_map(|call| finding(facts, call)).collect()
}

/// Why a caller may go on to the old place.
struct Stale<'a> {
    stated: Stated<'a>,
    how: String,
    unknown: &'static str,
    help: String,
    time: Option<Duration>,
}

fn finding(facts: &Facts<'_>, id: CallId) -> Option<Diagnostic> {
    let topology = facts.topology();
    facts.hop(id)?;
    let node = facts.topology().callee_node(id);
    let outage = facts.cascade().node(node, Key::Rto).given()?;
    let limit = outage.setting.duration()?;
    // A balancer, or whatever else stands between, keeps its address when what is behind it moves.
    let balanced =
        facts.cascade().call(id, &[Key::Balancing]).given().is_some_and(|stated| !stated.setting.says("client"));
    if balanced || facts.cascade().call(id, &[Key::Through]).may_be_given() {
        return None;
    }
    let stale = by_name(facts, id, limit).or_else(|| by_connection(facts, id, limit))?;
    let (name, callee) = (prose::call(facts, id), topology.node_name(node));
    let message = format!("`{name}` {}, and `{callee}` is to be back after {limit}", stale.how);
    let mut diagnostic = prose::about_call(facts, id, stale.stated, message);
    diagnostic.certainty = Certainty::Possible;
    diagnostic = diagnostic.at(format!("not stated: {}", stale.unknown));
    diagnostic.cause = Some(prose::cause_of(facts, id, Some(stale.stated)));
    diagnostic.group = Some("callers may go on to the old place for longer than a failover may take".into());
    diagnostic.consequence = Some(format!("`{callee}` has moved, and this caller does not know it"));
    let value = |time: Option<Duration>| time.map(|time| Measure::Seconds(time.seconds()));
    let at = |stated: Stated<'_>, subject: String, text: String, time| Step {
        subject,
        span: prose::place(stated).unwrap_or(topology.call(id).span),
        text,
        value: value(time),
    };
    diagnostic.witness = vec![
        at(outage, callee.to_owned(), format!("an outage of {limit} is accepted at failover"), Some(limit)),
        at(stale.stated, topology.call_name(id), stale.how, stale.time),
    ];
    Some(diagnostic.subject(topology.call_name(id)).help(stale.help))
}

/// The name may be looked up too rarely.
fn by_name<'a>(facts: &Facts<'a>, id: CallId, limit: Duration) -> Option<Stale<'a>> {
    let stated = facts.cascade().call(id, &[Key::Address]).given().filter(|stated| stated.setting.says("dns"))?;
    let shorter = Duration::from_nanoseconds(limit.nanoseconds() / 2).written();
    let help = format!(
        "write how long a name is kept, by the record, the resolver and the runtime: `address dns ttl {shorter}`"
    );
    match stated.setting.duration() {
        Some(ttl) if ttl > limit => Some(Stale {
            stated,
            how: format!("keeps a name for {ttl}"),
            unknown: "whether it keeps its address when it moves",
            help,
            time: Some(ttl),
        }),
        Some(_) => None,
        None => Some(Stale {
            stated,
            how: "goes by a name".to_owned(),
            unknown: "for how long the name is kept",
            help,
            time: None,
        }),
    }
}

/// An open connection asks for no name.
fn by_connection<'a>(facts: &Facts<'a>, id: CallId, limit: Duration) -> Option<Stale<'a>> {
    let (stated, how, time) = match facts.cascade().call(id, &[Key::ConnectionMaxAge]) {
        Answer::Given(stated) => {
            let age = stated.setting.duration().filter(|age| *age > limit)?;
            (stated, format!("keeps a connection for {age}"), Some(age))
        }
        Answer::None(stated) => (stated, "keeps its connections for ever".to_owned(), None),
        Answer::Unstated | Answer::Unreadable => return None,
    };
    let shorter = Duration::from_nanoseconds(limit.nanoseconds() / 2).written();
    Some(Stale {
        stated,
        how,
        unknown: "whether what it is connected to closes the connection when it is deposed",
        help: format!("close connections before that: `connection-max-age {shorter}`"),
        time,
    })
}
