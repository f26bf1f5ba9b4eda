//! A connection that one side may still use when the other has just closed it for being idle.

use crate::analysis::Facts;
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step};
use crate::metadata::Options;
use crate::model::{Answer, CallId, Duration, NodeId, Stated};
use crate::rules::prose;
use crate::vocabulary::{ElementKind, Key};

pub(in crate::rules) fn check(facts: &Facts<'_>, _: &Options) -> Vec<Diagnostic> {
    let topology = facts.topology();
    let stated = facts.calls_by_name().filter(|call| !topology.call(*call).implied);
    stated.filter_map(|call| finding(facts, call)).collect()
}

fn finding(facts: &Facts<'_>, id: CallId) -> Option<Diagnostic> {
    facts.hop(id)?;
    let look = |key| facts.cascade().call(id, &[key]).given();
    let between: Vec<NodeId> = look(Key::Through).into_iter().flat_map(|stated| stated.setting.nodes()).collect();
    let ends = [facts.topology().caller_node(id), facts.topology().callee_node(id)];
    let nodes: Vec<NodeId> = ends.into_iter().take(1).chain(between).chain(ends.into_iter().skip(1)).collect();
    // The age that is stated on the call is that of the caller's own connections.
    let mut oldest = look(Key::ConnectionMaxAge).and_then(|stated| stated.setting.duration());
    let pairs =
        nodes.windows(2).filter_map(|pair| if let [user, server] = pair { Some((*user, *server)) } else { None });
    let race = pairs.into_iter().find_map(|(user, server)| race(facts, user, server, oldest.take()))?;
    let unknown = unknown(facts, id, &race, nodes.len());
    Some(report(facts, id, &race, unknown))
}

/// Two neighbours on the way: one reuses a connection for as long as, or longer than the other keeps it.
struct Race<'a> {
    user: (NodeId, Option<Duration>, Stated<'a>),
    server: (NodeId, Duration, Stated<'a>),
}

fn race<'a>(facts: &Facts<'a>, user: NodeId, server: NodeId, oldest: Option<Duration>) -> Option<Race<'a>> {
    let closes = facts.cascade().node(server, Key::IdleLimit).given()?;
    let limit = closes.setting.duration()?;
    let (reuses, stated) = match facts.cascade().node(user, Key::IdleLimit) {
        Answer::Given(stated) => (Some(stated.setting.duration()?), stated),
        Answer::None(stated) => (None, stated),
        Answer::Unstated | Answer::Unreadable => return None,
    };
    // What `defaults` say of all servers says nothing of what they do as clients.
    let of_all = prose::place(stated).is_some() && prose::place(stated) == prose::place(closes);
    let longer = reuses.is_none_or(|time| time >= limit) && oldest.is_none_or(|age| age >= limit);
    (longer && !of_all).then_some(Race { user: (user, reuses, stated), server: (server, limit, closes) })
}

/// What is not known of who sends: a client only sends, and a balancer of calls ends the connections that it takes.
fn unknown(facts: &Facts<'_>, id: CallId, race: &Race<'_>, nodes: usize) -> Option<String> {
    let user = race.user.0;
    let name = facts.topology().node_name(user);
    let balancing = facts.cascade().call(id, &[Key::Balancing]).given();
    let of_calls = balancing.is_some_and(|stated| stated.setting.says("l7"));
    match facts.topology().node(user).kind {
        ElementKind::Client => None,
        _ if user == facts.topology().caller_node(id) => {
            Some(format!("whether the `idle-limit` of `{name}` is that of the connections that it opens, too"))
        }
        // The one node on the way is what balances.
        _ if of_calls && nodes == 3 => None,
        _ => Some(format!("whether `{name}` opens connections of its own, or passes on those of its callers")),
    }
}

fn report(facts: &Facts<'_>, id: CallId, race: &Race<'_>, unknown: Option<String>) -> Diagnostic {
    let topology = facts.topology();
    let (user, reuses, kept) = race.user;
    let (server, limit, closes) = race.server;
    let [user, server] = [user, server].map(|node| topology.node_name(node));
    let long = reuses.map_or_else(
        || "however long it has been idle".to_owned(),
        |time| format!("when it has been idle for up to {time}"),
    );
    let message = format!("`{user}` uses a connection again {long}, and `{server}` closes it after {limit}");
    let span = prose::place(closes).unwrap_or(topology.call(id).span);
    let mut diagnostic = Diagnostic::new(span, message);
    if let Some(unknown) = unknown {
        diagnostic.certainty = Certainty::Possible;
        diagnostic = diagnostic.at(format!("not stated: {unknown}"));
    }
    diagnostic.cause = Some(format!("{user} {server}"));
    diagnostic.consequence = Some("a request that is sent at that moment fails, though nothing is broken".to_owned());
    let step = |subject: &str, stated: Stated<'_>, text: String, time: Option<Duration>| Step {
        subject: subject.to_owned(),
        span: prose::place(stated).unwrap_or(topology.call(id).span),
        text,
        value: time.map(|time| Measure::Seconds(time.seconds())),
    };
    diagnostic.witness = vec![
        step(
            user,
            kept,
            reuses.map_or_else(|| "never closes it".to_owned(), |time| format!("closes it after {time}")),
            reuses,
        ),
        step(server, closes, format!("closes it after {limit}"), Some(limit)),
    ];
    diagnostic.group =
        Some("connections are closed by the side that does not know whether they are about to be used".into());
    let longer = reuses.unwrap_or(limit).plus(Duration::from_milliseconds(5_000)).rounded_up().written();
    let shorter = Duration::from_nanoseconds(limit.nanoseconds() / 4 * 3).written();
    let diagnostic = diagnostic.subject(topology.call_name(id));
    if reuses.is_some() {
        diagnostic.help(format!(
            "let whoever sends close first: `idle-limit {longer}` on `{server}`, or `idle-limit {shorter}` on `{user}`"
        ))
    } else {
        diagnostic.help(format!("let whoever sends close first: `idle-limit {shorter}` on `{user}`"))
    }
}
