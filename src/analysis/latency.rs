//! The time that no successful execution undercuts: the round trips that the `network` block states for the places of
//! both ends. Own work adds nothing, because its minimum is nowhere stated.

use super::Facts;
use super::links::Places;
use crate::ids::one_of;
use crate::model::{Between, CallId, Duration, Link, Name, NodeId, OperationId, Setting, Step};
use crate::vocabulary::Key;

pub(super) fn floors(facts: &Facts<'_>) -> Vec<Duration> {
    let count = facts.topology().operations.len();
    let mut floors = vec![Duration::ZERO; count];
    if facts.topology().links.is_empty() {
        return floors;
    }
    // Inside a circle the callee is not known yet: it takes at least nothing.
    for id in facts.components().iter().flatten() {
        let floor = Floors { facts, floors: &floors }.steps(&facts.topology().operation(*id).body);
        if let Some(slot) = floors.get_mut(id.index()) {
            *slot = floor;
        }
    }
    floors
}

/// No more pairs of zones are looked at for one call: no cloud has 32 zones in a region.
const MOST_PAIRS: usize = 1_024;

/// Two nodes lie in more pairs of zones than are looked at.
struct TooManyZones;

struct Floors<'a, 'f> {
    facts: &'a Facts<'f>,
    floors: &'a [Duration],
}

impl Floors<'_, '_> {
    fn steps(&self, steps: &[Step]) -> Duration {
        steps.iter().fold(Duration::ZERO, |sum, step| sum.plus(self.step(step, false)))
    }

    fn step(&self, step: &Step, at_once: bool) -> Duration {
        let branches = |branches: &[Step], at_once| {
            let mut floors: Vec<Duration> = branches.iter().map(|branch| self.step(branch, at_once)).collect();
            floors.sort_unstable();
            floors
        };
        match step {
            Step::Call(call) => self.call(*call, at_once),
            Step::Sequence(steps) => self.steps(steps),
            Step::Parallel(all) => branches(all, true).last().copied().unwrap_or_default(),
            Step::Any(enough, all) => {
                let enough = usize::try_from(*enough).unwrap_or(usize::MAX).max(1);
                branches(all, true).get(enough - 1).copied().unwrap_or_default()
            }
            Step::OneOf(all) => branches(all, false).first().copied().unwrap_or_default(),
        }
    }

    fn call(&self, id: CallId, at_once: bool) -> Duration {
        let plan = self.facts.plan(id);
        let spared = !self.facts.is_awaited(id) || plan.skippable || plan.soft || self.facts.miss_of(id).is_some();
        if spared || self.facts.is_cache_read(id) {
            return Duration::ZERO;
        }
        let callee = self.floors.get(self.facts.topology().callee(id).index()).copied().unwrap_or_default();
        let once = self.facts.round_trip(id).plus(callee);
        if at_once { once } else { once.times(plan.least_times) }
    }
}

impl Facts<'_> {
    /// The shortest round trip between the two ends of a call, by what the `network` block states of their places.
    #[must_use]
    pub fn round_trip(&self, id: CallId) -> Duration {
        self.link_time(id).unwrap_or_default()
    }

    /// The same, where it is known: no network takes no time, and of a link without a stated round trip nothing is.
    #[must_use]
    pub fn link_time(&self, id: CallId) -> Option<Duration> {
        self.nearest_link(id).ok().flatten()
    }

    /// Whether the ends of a call lie in so many zones that its round trip is not looked for.
    pub(super) fn has_too_many_zones(&self, id: CallId) -> bool {
        self.nearest_link(id).is_err()
    }

    fn nearest_link(&self, id: CallId) -> Result<Option<Duration>, TooManyZones> {
        let topology = self.topology();
        if self.is_local(id) {
            return Ok(Some(Duration::ZERO));
        }
        if topology.links.is_empty() {
            return Ok(None);
        }
        let ends = [topology.caller(id), topology.callee(id)].map(|end| topology.node_id_of(end));
        Ok(self.shortest_link(ends)?.and_then(rtt))
    }

    /// The link between two nodes, if their places leave no doubt; of several zones, the nearest count.
    fn shortest_link(&self, ends: [NodeId; 2]) -> Result<Option<&Link>, TooManyZones> {
        let topology = self.topology();
        let [Places { region, zones }, Places { region: other_region, zones: other_zones }] =
            ends.map(|node| self.places(node));
        let link = |between: Between| topology.links.iter().find(|link| link.between == between);
        let named = |one: Name, other: Name| self.link_between(one, other);
        if let ([one], [other]) = (region, other_region)
            && one != other
        {
            return Ok(named(*one, *other).or_else(|| link(Between::Regions)));
        }
        if zones.is_empty() || other_zones.is_empty() {
            return Ok(None);
        }
        if zones.iter().any(one_of(other_zones)) {
            return Ok(link(Between::OneZone));
        }
        if zones.len().saturating_mul(other_zones.len()) > MOST_PAIRS {
            let may_be_known =
                |link: &Link| matches!(link.between, Between::Zones | Between::Named(..)) && rtt(link).is_some();
            return if topology.links.iter().any(may_be_known) { Err(TooManyZones) } else { Ok(None) };
        }
        let pairs = zones.iter().flat_map(|one| other_zones.iter().map(move |other| (*one, *other)));
        let links = pairs.map(|(one, other)| named(one, other).or_else(|| link(Between::Zones)));
        Ok(links.min_by_key(|link| link.and_then(rtt)).flatten())
    }
}

fn rtt(link: &Link) -> Option<Duration> {
    link.settings.get(Key::Rtt).and_then(Setting::duration)
}

impl<'f> Facts<'f> {
    /// The time in which an operation promises to answer callers outside, and the statement.
    #[must_use]
    pub fn promised_latency(&self, operation: OperationId) -> Option<(Duration, &'f Setting)> {
        let slo = self.cascade().operation(operation, Key::Slo).given()?;
        let latency = slo.setting.field(Key::Latency)?;
        Some((latency.duration()?, latency))
    }
}
