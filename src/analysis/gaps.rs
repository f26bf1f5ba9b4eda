//! What could not be analysed, and why: what is unstated, and where an analysis stops before it takes too long. What is
//! left out must not read as nothing found.

use std::fmt;

use super::Facts;
use super::repetition::Repetition;
use crate::model::{NodeId, OperationId};
use crate::vocabulary::{ElementKind, Key};

/// Something that could not be analysed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// What.
    pub what: String,
    /// Why.
    pub why: &'static str,
}

impl fmt::Display for Gap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.what, self.why)
    }
}

impl Facts<'_> {
    /// What could not be analysed, each with its number and reason.
    #[must_use]
    pub fn not_analysed(&self) -> Vec<Gap> {
        let topology = self.topology();
        let ours = || topology.operation_ids().filter(|id| topology.kind_of(*id) != ElementKind::Client);
        let unknown = ours().filter(|id| self.times().operation(*id).at_most.is_none()).count();
        // Who states nothing is in the coverage; who states quantiles might believe that they count.
        let quantiles = |id: &OperationId| self.cascade().operation(*id, Key::Latency).given().is_some();
        let uncounted = ours().filter(quantiles).filter(|id| !self.states_own_work(*id)).count();
        let unfollowed = topology.operation_ids().filter(|id| !self.executions(*id).exact).count();
        let streams = topology.call_ids().filter(|id| self.is_stream(*id)).count();
        let uncombined = ours().filter(|id| !self.availability(*id).exact).count();
        let all = ours().count();
        let gaps = [
            (
                unknown,
                format!("the worst case of {unknown} of {all} operations is not known"),
                "a timeout below is unstated",
            ),
            (
                uncounted,
                format!("the worst case of {uncounted} of {all} operations leaves their quantiles out"),
                "only a `latency max` counts",
            ),
            (
                unfollowed,
                format!("the executions of {unfollowed} operations are known to a bound only"),
                "there are too many ways to them",
            ),
            (
                uncombined,
                format!("the availability of {uncombined} operations is known to an interval only"),
                "there is too much to combine",
            ),
            (
                streams,
                format!("the time of {streams} {}", if streams == 1 { "stream" } else { "streams" }),
                "streams are meant to stay open, and count as none",
            ),
        ];
        let gaps = gaps.into_iter().filter(|(count, ..)| *count > 0).map(|(_, what, why)| Gap { what, why });
        gaps.chain(self.left_out()).collect()
    }

    /// Where an analysis stops, so that its time stays close to linear.
    fn left_out(&self) -> Vec<Gap> {
        let gap = |what: &str, (number, thing): (usize, &str), why| {
            let counted = if number == 1 { format!("1 {thing}") } else { plural(number, thing) };
            (number > 0).then(|| Gap { what: format!("{what} {counted}"), why })
        };
        let topology = self.topology();
        let too_much = "there is too much below all of them together";
        let gaps = [
            gap(
                "reads after writes in",
                (self.flows_left_out(), "flow"),
                "in one, more than 32 places are written or read",
            ),
            gap("the store behind", (self.caches_left_out(), "cache"), "more than 32 caches lie one behind another"),
            gap("the steps of", (self.sagas_left_out(), "saga"), "of one operation no more than 16 are looked at"),
            gap(
                "where else it is kept what is set by",
                (self.sets_left_out(), "call into a cache"),
                "more than 256 operations lie around it",
            ),
            gap(
                "what an HTTP method promises of",
                (self.methods_left_out(), "operation"),
                "what repeats lies more than 64 calls below",
            ),
            gap(
                "the round trip of",
                (topology.call_ids().filter(|id| self.has_too_many_zones(*id)).count(), "call"),
                "its ends lie in more than 1,024 pairs of zones",
            ),
            gap("the copies of", (self.copies_left_out(), "store"), "more than 256 calls lead from it"),
            gap(
                "whose hang does not concern",
                (self.workers_left_out(), "operation of a pool"),
                "more than 256 operations lie below it",
            ),
            gap(
                "the workers that are held by",
                (self.pools().iter().map(|pool| pool.unplayed).sum(), "hang"),
                "there is too much above all of them together",
            ),
            gap("what is shared by the branches of", (self.redundancies_left_out(), "group"), too_much),
            gap("what is shared with what observes it, of", (self.fates_left_out(), "observed node"), too_much),
        ];
        gaps.into_iter().flatten().collect()
    }

    fn caches_left_out(&self) -> usize {
        let cache = |id: &NodeId| self.topology().node(*id).kind == ElementKind::Cache;
        self.topology().node_ids().filter(cache).filter(|id| self.is_far_from_store(*id)).count()
    }

    fn methods_left_out(&self) -> usize {
        let promises = |id: &OperationId| {
            self.cascade().operation(*id, Key::Method).given().is_some() && self.repetition(*id) == Repetition::Unsafe
        };
        self.topology().operation_ids().filter(promises).filter(|id| self.is_repeated_far_below(*id)).count()
    }

    fn copies_left_out(&self) -> usize {
        let store = |id: &NodeId| self.topology().node(*id).kind == ElementKind::Store;
        self.topology().node_ids().filter(store).filter(|id| self.has_copies_left_out(*id)).count()
    }

    /// Operations of pools in which something may hang.
    fn workers_left_out(&self) -> usize {
        self.pools().iter().filter(|pool| !pool.hangs.is_empty()).map(|pool| pool.unfollowed).sum()
    }
}

fn plural(number: usize, thing: &str) -> String {
    match thing.split_once(' ') {
        Some((first, rest)) if first != "observed" => format!("{number} {first}s {rest}"),
        _ => format!("{number} {thing}s"),
    }
}
