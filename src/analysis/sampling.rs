//! Where services decide for themselves whether to keep their part of a trace, and how few traces stay whole: with n of
//! them, each keeping a share p, it is pⁿ. One pass over the groups of calls, callers first.

use super::Facts;
use crate::model::{Answer, CallId, OperationId};
use crate::vocabulary::Key;

/// A way on which several services decide independently.
#[derive(Clone, Debug)]
pub struct TornTrace {
    /// The operations that decide, outermost first, each with the share that it keeps.
    pub deciders: Vec<(OperationId, f64)>,
    /// The calls of the way.
    pub way: Vec<CallId>,
    /// The share of traces that are whole.
    pub whole: f64,
}

#[derive(Clone, Copy)]
struct Reached {
    whole: f64,
    deciders: u32,
    by: Option<CallId>,
}

impl Facts<'_> {
    /// Whether the diagram speaks of signals at all: somewhere it states metrics, or that somebody is told.
    #[must_use]
    pub fn states_signals(&self) -> bool {
        let topology = self.topology();
        let states =
            |id| [Key::Metrics, Key::Alert].iter().any(|key| self.cascade().operation(id, *key).given().is_some());
        topology.operation_ids().any(states)
            || topology.call_ids().any(|call| self.cascade().call(call, &[Key::Alert]).given().is_some())
    }

    /// The way on which the smallest share of traces stays whole, if two or more decide there.
    #[must_use]
    pub fn torn_trace(&self) -> Option<TornTrace> {
        let topology = self.topology();
        let mut reached: Vec<Reached> = topology.operation_ids().map(|id| self.alone(id)).collect();
        // Who decides alone cannot disagree.
        if reached.iter().filter(|reached| reached.deciders > 0).count() < 2 {
            return None;
        }
        let goes_on =
            |call: CallId| self.is_made(call) && !matches!(self.cascade().call(call, &[Key::Trace]), Answer::None(_));
        for group in self.components_over(goes_on).iter().rev() {
            for id in group {
                let outside = |call: &CallId| group.binary_search(&topology.caller(*call)).is_err();
                let calls = topology.calls_to(*id).filter(|call| goes_on(*call) && outside(call));
                let mut calls: Vec<CallId> = calls.collect();
                calls.sort_by_key(|call| self.call_rank(*call));
                for call in calls {
                    let Some(before) = reached.get(topology.caller(call).index()).copied() else { continue };
                    let after = self.after(call, before);
                    if let Some(slot) = reached.get_mut(id.index())
                        && after.whole < slot.whole
                    {
                        *slot = after;
                    }
                }
            }
        }
        let worst = topology.operation_ids().zip(&reached).filter(|(_, reached)| reached.deciders > 1);
        let worst = worst
            .min_by(|(one, a), (other, b)| a.whole.total_cmp(&b.whole).then(self.rank(*one).cmp(&self.rank(*other))));
        worst.map(|(id, found)| self.torn(id, found.whole, &reached))
    }

    /// The share that an operation keeps on its own decision.
    fn kept(&self, operation: OperationId) -> Option<f64> {
        let stated = self.cascade().operation(operation, Key::Sampling).given()?;
        stated.setting.share().filter(|share| *share < 1.0 && stated.setting.says("independent"))
    }

    fn alone(&self, operation: OperationId) -> Reached {
        let kept = self.kept(operation);
        Reached { whole: kept.unwrap_or(1.0), deciders: u32::from(kept.is_some()), by: None }
    }

    /// Within one node nothing is decided again.
    fn after(&self, call: CallId, before: Reached) -> Reached {
        let topology = self.topology();
        let (from, to) = (topology.caller(call), topology.callee(call));
        let same = topology.node_id_of(from) == topology.node_id_of(to);
        let kept = self.kept(to).filter(|_| !same);
        let deciders = before.deciders + u32::from(kept.is_some());
        Reached { whole: before.whole * kept.unwrap_or(1.0), deciders, by: Some(call) }
    }

    fn torn(&self, end: OperationId, whole: f64, reached: &[Reached]) -> TornTrace {
        const MAX_WAY: usize = 64;
        let topology = self.topology();
        let (mut way, mut deciders, mut at) = (Vec::new(), Vec::new(), end);
        while way.len() < MAX_WAY {
            let by = reached.get(at.index()).and_then(|reached| reached.by);
            let from = by.map(|call| topology.caller(call));
            let same = from.is_some_and(|from| topology.node_id_of(from) == topology.node_id_of(at));
            deciders.extend(self.kept(at).filter(|_| !same).map(|share| (at, share)));
            let (Some(call), Some(from)) = (by, from) else { break };
            way.push(call);
            at = from;
        }
        way.reverse();
        deciders.reverse();
        TornTrace { deciders, way, whole }
    }
}
