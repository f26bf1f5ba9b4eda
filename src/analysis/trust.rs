//! Who can listen on a hop and who can call: what is stated of each, and which stated fact makes it matter. A hop is a
//! call that crosses a network, in any phase: into stores, caches and queues, and out of queues and stores as well.

use std::collections::VecDeque;

use super::Facts;
use super::effects::{Effect, EffectSite};
use crate::model::{Answer, CallId, Name, NodeId, OperationId, Phase, Stated};
use crate::syntax::Arrow;
use crate::vocabulary::{ElementKind, Key};

/// One call over a network.
#[derive(Clone, Debug)]
pub struct Hop<'a> {
    /// How it is encrypted.
    pub encryption: Answer<'a>,
    /// How the peer is authenticated, apart from `encryption mtls`, which does it too.
    pub authentication: Answer<'a>,
    /// The trust zones of caller and callee.
    pub zones: [Option<Zone<'a>>; 2],
    /// What there is to read on the way.
    pub read: Option<Stake<'a>>,
    /// What there is to reach for a caller that nobody knows.
    pub reached: Option<Stake<'a>>,
}

/// A trust zone and where a node is said to be in it.
#[derive(Clone, Copy, Debug)]
pub struct Zone<'a> {
    /// Its name.
    pub name: Name,
    /// The statement.
    pub stated: Stated<'a>,
}

/// A stated fact that makes the protection of a hop matter; of several, the first in this order.
#[derive(Clone, Copy, Debug)]
pub enum Stake<'a> {
    /// It goes from one trust zone to another.
    Crossing([Zone<'a>; 2]),
    /// The callee can be reached from outside.
    Public(NodeId, Stated<'a>),
    /// This end holds data.
    Data(NodeId, Stated<'a>),
    /// One end is a client or an external system, the other, this one, is said to be in a trust zone.
    Outside(NodeId, Zone<'a>),
}

/// An operation of a `public` node that no client is drawn to call.
#[derive(Clone, Copy, Debug)]
pub struct PublicEntry<'a> {
    /// The operation.
    pub operation: OperationId,
    /// Where its node is said to be public.
    pub public: Stated<'a>,
    /// Whether whoever calls proves who it is, as far as that is known.
    pub peer: Answer<'a>,
}

impl<'a> Hop<'a> {
    /// Whether the peer proves who it is, as far as that is known.
    #[must_use]
    pub fn peer(&self) -> Answer<'a> {
        peer(self.authentication, self.encryption)
    }

    /// Whether both ends are said to be in one trust zone.
    #[must_use]
    pub fn is_within_a_zone(&self) -> bool {
        matches!(self.zones, [Some(from), Some(to)] if from.name == to.name)
    }
}

/// With `encryption mtls` both ends prove who they are.
fn peer<'a>(authentication: Answer<'a>, encryption: Answer<'a>) -> Answer<'a> {
    match (authentication, encryption) {
        (Answer::Given(stated), _) => Answer::Given(stated),
        (_, Answer::Given(stated)) if stated.setting.says("mtls") => Answer::Given(stated),
        (Answer::Unstated, Answer::Unreadable) => Answer::Unreadable,
        (authentication, _) => authentication,
    }
}

/// For each call, what is known of it as a hop; none where no network lies between, or it is never made.
pub(super) fn hops<'a>(facts: &Facts<'a>) -> Vec<Option<Hop<'a>>> {
    facts.topology().call_ids().map(|call| hop(facts, call)).collect()
}

fn hop<'a>(facts: &Facts<'a>, id: CallId) -> Option<Hop<'a>> {
    if facts.is_local(id) || (facts.topology().call(id).phase == Phase::Request && !facts.is_made(id)) {
        return None;
    }
    let topology = facts.topology();
    let call = topology.call(id);
    let [from, to] = [call.from, call.to].map(|end| topology.node_id_of(end));
    let zones = [zone(facts, from), zone(facts, to)];
    let hands_out = matches!(topology.node(from).kind, ElementKind::Queue | ElementKind::Store);
    let [held, holding] = [data(facts, from), data(facts, to)];
    let entered = crossing(zones).or_else(|| public(facts, to)).or(holding);
    let outside = outside(facts, [from, to], zones);
    Some(Hop {
        encryption: protection(facts, id, hands_out, Key::Encryption),
        authentication: protection(facts, id, hands_out, Key::Authn),
        zones,
        read: entered.or(held).or(outside),
        reached: entered.or_else(|| held.filter(|_| hands_out)).or(outside),
    })
}

/// A subscriber connects to the broker, and a replica to its leader: what these insist on holds there too.
fn protection<'a>(facts: &Facts<'a>, id: CallId, hands_out: bool, key: Key) -> Answer<'a> {
    let answer = facts.cascade().call(id, &[key]);
    let call = facts.topology().call(id);
    match answer {
        Answer::Unstated if hands_out && call.arrow == Arrow::Async => facts.cascade().operation(call.from, key),
        _ => answer,
    }
}

fn zone<'a>(facts: &Facts<'a>, node: NodeId) -> Option<Zone<'a>> {
    let stated = facts.cascade().node(node, Key::Trust).given()?;
    Some(Zone { name: *stated.setting.texts().first()?, stated })
}

fn crossing(zones: [Option<Zone<'_>>; 2]) -> Option<Stake<'_>> {
    let [Some(from), Some(to)] = zones else { return None };
    (from.name != to.name).then_some(Stake::Crossing([from, to]))
}

fn public<'a>(facts: &Facts<'a>, node: NodeId) -> Option<Stake<'a>> {
    facts.cascade().node(node, Key::Public).given().map(|stated| Stake::Public(node, stated))
}

/// What is outside of the system is most likely outside of the trust zone, too, that is stated for the other end.
fn outside<'a>(facts: &Facts<'a>, ends: [NodeId; 2], zones: [Option<Zone<'a>>; 2]) -> Option<Stake<'a>> {
    let kinds = ends.map(|node| facts.topology().node(node).kind);
    match (kinds, zones, ends) {
        ([ElementKind::Client, _], [None, Some(zone)], [_, inside])
        | ([_, ElementKind::External], [Some(zone), None], [inside, _]) => Some(Stake::Outside(inside, zone)),
        _ => None,
    }
}

fn data<'a>(facts: &Facts<'a>, node: NodeId) -> Option<Stake<'a>> {
    facts.cascade().node(node, Key::Data).given().map(|stated| Stake::Data(node, stated))
}

/// Operations of public services that are reached from outside without a client being drawn for it.
pub(super) fn public_entries<'a>(facts: &Facts<'a>) -> Vec<PublicEntry<'a>> {
    let topology = facts.topology();
    let is_client = |call: CallId| topology.kind_of(topology.caller(call)) == ElementKind::Client;
    let services = topology.operation_ids().filter(|id| topology.kind_of(*id) == ElementKind::Service);
    services
        .filter(|id| !topology.calls_to(*id).any(is_client))
        .filter(|id| topology.operation(*id).name.is_some() || !topology.node_of(*id).declares)
        .filter_map(|operation| {
            let public = facts.cascade().node(topology.node_id_of(operation), Key::Public).given()?;
            let look = |key| facts.cascade().operation(operation, key);
            Some(PublicEntry { operation, public, peer: peer(look(Key::Authn), look(Key::Encryption)) })
        })
        .collect()
}

/// For each operation, what running it may change, with all that it calls: the most that is stated, unknown where
/// nothing is stated and something is not known. What is sent to a node that is there for telemetry changes nothing
/// that anybody could abuse or would have to take back.
pub(super) fn changes(facts: &Facts<'_>) -> Vec<Effect> {
    let topology = facts.topology();
    let telemetry = |call: CallId| {
        let role = facts.cascade().node(topology.callee_node(call), Key::Role).given();
        role.is_some_and(|role| role.setting.says("telemetry"))
    };
    let mut worst = vec![Effect::Absent; topology.operations.len()];
    for wanted in [Effect::Repeats, Effect::Idempotent, Effect::Unknown] {
        let sites = facts.effect_sites().filter(|site| facts.effect(*site) == wanted);
        let mut queue: VecDeque<OperationId> = sites
            .filter_map(|site| match site {
                EffectSite::Operation(operation) => Some(operation),
                EffectSite::Write(call) => (!telemetry(call)).then(|| topology.caller(call)),
            })
            .collect();
        while let Some(operation) = queue.pop_front() {
            match worst.get_mut(operation.index()) {
                Some(slot @ Effect::Absent) => *slot = wanted,
                _ => continue,
            }
            let above = topology.calls_to(operation).filter(|call| facts.is_made(*call) && !telemetry(*call));
            queue.extend(above.map(|call| topology.caller(call)));
        }
    }
    worst
}
