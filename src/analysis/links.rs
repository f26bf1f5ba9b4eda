//! Bytes on links: how many a call sends, over which link of the `network` block, and how fast one connection can be.
//!
//! One connection sends no more than its window in each round trip, `window / RTT`; where a share p of the packets is
//! lost, about `1.22·MSS / (RTT·√p)` (Mathis et al., "The Macroscopic Behavior of the TCP Congestion Avoidance
//! Algorithm", 1997), which is an estimate. What a link holds on its way is bandwidth × round-trip time.

use super::Facts;
use crate::ids::{IdMap, one_of};
use crate::model::{Between, CallId, Duration, Link, Name, NodeId, Setting};
use crate::vocabulary::Key;

/// The bytes of one call, where they are stated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bytes {
    /// Of its request.
    pub request: u64,
    /// Of its response.
    pub response: u64,
}

impl Bytes {
    /// Both ways.
    #[must_use]
    pub const fn all(self) -> u64 {
        self.request.saturating_add(self.response)
    }
}

/// A link that calls between two nodes take.
#[derive(Clone, Copy, Debug)]
pub struct Crossing<'a> {
    /// The link.
    pub link: &'a Link,
    /// Whether it is one between regions.
    pub regions: bool,
    /// Its ends as the caller and the callee stand, where both stand in one place.
    pub ends: Option<(Name, Name)>,
    /// The share of the calls that take it, if each instance of the caller calls each of the callee alike.
    pub share: f64,
}

/// Whether in two regions, the two places where both stand in one, and the share of calls that cross.
pub type Apart = (bool, Option<(Name, Name)>, f64);

/// The largest segment that Ethernet carries.
const SEGMENT: f64 = 1_460.0;

/// Bytes in a second over one connection by its window.
#[must_use]
pub fn window_limit(window: u64, round_trip: Duration) -> f64 {
    float(window) / round_trip.seconds()
}

/// Bytes in a second over one connection that loses this share of its packets, by estimate.
#[must_use]
pub fn loss_limit(loss: f64, round_trip: Duration) -> f64 {
    1.22 * SEGMENT / (round_trip.seconds() * loss.sqrt())
}

/// Where a node stands, by what is stated of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Places<'f> {
    pub(super) region: &'f [Name],
    pub(super) zones: &'f [Name],
}

/// Bytes on their way when a link is full; bandwidth in bits a second.
#[must_use]
pub fn on_the_way(bandwidth: f64, round_trip: Duration) -> f64 {
    bandwidth / 8.0 * round_trip.seconds()
}

#[allow(clippy::cast_precision_loss, reason = "a number of bytes, to divide")]
fn float(bytes: u64) -> f64 {
    bytes as f64
}

impl<'f> Facts<'f> {
    /// The bytes that a call states, or its callee for all who call it; what is not stated counts as nothing.
    #[must_use]
    pub fn bytes(&self, call: CallId) -> Bytes {
        let size = |key| {
            let of_callee = || self.cascade().operation(self.topology().callee(call), key).given();
            self.cascade().call(call, &[key]).given().or_else(of_callee).and_then(|stated| stated.setting.size())
        };
        Bytes { request: size(Key::Request).unwrap_or(0), response: size(Key::Response).unwrap_or(0) }
    }

    /// The link that a call takes between two regions, or else between two zones, if the `network` block speaks of it.
    #[must_use]
    pub fn crossing(&self, call: CallId) -> Option<Crossing<'f>> {
        if self.is_local(call) {
            return None;
        }
        let call = self.topology().call(call);
        let [from, to] = [call.from, call.to].map(|operation| self.topology().node_id_of(operation));
        self.crossing_between(from, to)
    }

    /// Between which places two nodes stand: regions, or else zones, and the share of calls that cross.
    #[must_use]
    pub fn places_apart(&self, from: NodeId, to: NodeId) -> Option<Apart> {
        let [from, to] = [from, to].map(|node| self.places(node));
        if let ([one], [other]) = (from.region, to.region)
            && one != other
        {
            return Some((true, Some((*one, *other)), 1.0));
        }
        let (here, there) = (from.zones, to.zones);
        let is_there = one_of(there);
        let together = here.iter().filter(|zone| is_there(zone)).count();
        #[allow(clippy::cast_precision_loss, reason = "a number of zones, to divide")]
        let share = 1.0 - together as f64 / (here.len() * there.len()).max(1) as f64;
        let ends = if let ([one], [other]) = (here, there) { Some((*one, *other)) } else { None };
        (!here.is_empty() && !there.is_empty() && share > 0.0).then_some((false, ends, share))
    }

    /// Where a node stands.
    pub(super) fn places(&self, node: NodeId) -> Places<'f> {
        let said = |node, key| self.cascade().node(node, key).given().map_or(&[][..], |stated| stated.setting.texts());
        let of = |node| Places { region: said(node, Key::Region), zones: said(node, Key::Zones) };
        let places = self.places.get_or_init(|| self.topology().node_ids().map(of).collect());
        places.get(node.index()).copied().unwrap_or_default()
    }

    /// Where the first link from one place to another stands among all of them.
    fn link_place(&self, one: Name, other: Name) -> Option<usize> {
        let places = self.link_places.get_or_init(|| {
            let mut places = IdMap::default();
            for (place, link) in self.topology().links.iter().enumerate() {
                if let Between::Named(one, other) = link.between {
                    places.entry((one, other)).or_insert(place);
                }
            }
            places
        });
        places.get(&(one, other)).copied()
    }

    /// The link between two places, in this order or else in the other.
    pub(super) fn link_between(&self, one: Name, other: Name) -> Option<&'f Link> {
        let place = self.link_place(one, other).or_else(|| self.link_place(other, one))?;
        self.topology().links.get(place)
    }

    fn crossing_between(&self, from: NodeId, to: NodeId) -> Option<Crossing<'f>> {
        let (regions, ends, share) = self.places_apart(from, to)?;
        let links = &self.topology().links;
        let any = if regions { Between::Regions } else { Between::Zones };
        let named = ends.and_then(|(one, other)| {
            let both = [self.link_place(one, other), self.link_place(other, one)];
            links.get(both.into_iter().flatten().min()?)
        });
        let link = named.or_else(|| links.iter().find(|link| link.between == any))?;
        Some(Crossing { link, regions, ends, share })
    }
}

impl Crossing<'_> {
    /// Bits in a second in each direction, where that is stated.
    #[must_use]
    pub fn bandwidth(&self) -> Option<(f64, &Setting)> {
        let setting = self.link.settings.get(Key::Bandwidth)?;
        Some((setting.bandwidth()?, setting))
    }

    /// The share of packets that it loses, where that is stated.
    #[must_use]
    pub fn loss(&self) -> Option<f64> {
        self.link.settings.get(Key::Loss)?.share().filter(|loss| *loss > 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_a_loss_and_a_link_over_80_ms() {
        let round_trip = Duration::from_milliseconds(80);
        let about = |one: f64, other: f64| assert!((one / other - 1.0).abs() < 0.005, "{one} {other}");
        about(on_the_way(1e9, round_trip), 10e6);
        about(window_limit(64 << 10, round_trip) * 8.0, 6.55e6);
        about(loss_limit(1e-4, round_trip) * 8.0, 17.8e6);
    }
}
