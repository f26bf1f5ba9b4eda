//! Where a trace goes on and where it is split: the context that each hop carries, over calls, queues and change data
//! capture, while a request is served. Breadth first, once down and once up from all hops that are traced, so the cost
//! is that of the graph.

use std::collections::VecDeque;

use super::Facts;
use super::effects::is_data;
use crate::model::{Answer, CallId, OperationId, Stated};
use crate::vocabulary::{ElementKind, Key};

/// A hop that splits a trace.
#[derive(Clone, Copy, Debug)]
pub struct TraceBreak<'a> {
    /// The hop.
    pub call: CallId,
    /// How.
    pub kind: TraceBreakKind<'a>,
    /// The nearest traced hop above it, with what that states.
    pub above: (CallId, Stated<'a>),
    /// The nearest traced hop below it; without one, its callee says that it is traced.
    pub below: Option<(CallId, Stated<'a>)>,
}

/// How a hop splits a trace.
#[derive(Clone, Copy, Debug)]
pub enum TraceBreakKind<'a> {
    /// It states that it carries no context.
    Dropped(Stated<'a>),
    /// It carries the context in another format than a hop before it.
    Renamed {
        /// What it states.
        stated: Stated<'a>,
        /// Whether its source could translate: code may, a queue passes on what it got.
        translatable: bool,
    },
    /// Whether it carries any context is not stated.
    Unstated,
}

pub(super) fn breaks<'a>(facts: &Facts<'a>) -> Vec<TraceBreak<'a>> {
    let traces = Traces::of(facts);
    facts.topology().call_ids().filter_map(|call| traces.broken(facts, call)).collect()
}

/// What every hop carries, and for every operation the nearest traced hops around it.
struct Traces<'a> {
    /// For each call; none where it is no part of a trace: never made, or not while a request is served.
    carried: Vec<Option<Answer<'a>>>,
    above: Vec<Option<CallId>>,
    below: Vec<Option<CallId>>,
    /// For each operation, the formats that reach it, each with the first hop that brings it.
    formats: Vec<Vec<(&'static str, CallId)>>,
}

impl<'a> Traces<'a> {
    fn of(facts: &Facts<'a>) -> Self {
        let topology = facts.topology();
        let part = |id: CallId| facts.is_made(id);
        let carried = |id: CallId| {
            // Between a bare store and its operations nothing lies.
            let none =
                if topology.call(id).implied { Answer::Unstated } else { facts.cascade().call(id, &[Key::Trace]) };
            part(id).then_some(none)
        };
        let mut traces = Self {
            carried: topology.call_ids().map(carried).collect(),
            above: Vec::new(),
            below: Vec::new(),
            formats: vec![Vec::new(); topology.operations.len()],
        };
        let mut traced: Vec<CallId> = topology.call_ids().filter(|call| traces.traced(*call).is_some()).collect();
        traced.sort_by_key(|call| facts.call_rank(*call));
        traces.above = traces.nearest(facts, &traced, true);
        traces.below = traces.nearest(facts, &traced, false);
        for call in traced {
            let format = traces.traced(call).and_then(format);
            let (Some(format), Some(known)) = (format, traces.formats.get_mut(topology.callee(call).index())) else {
                continue;
            };
            if !known.iter().any(|(other, _)| *other == format) {
                known.push((format, call));
            }
        }
        traces
    }

    /// For each operation the nearest traced hop before it, or behind it: of several, the first by name.
    fn nearest(&self, facts: &Facts<'a>, traced: &[CallId], down: bool) -> Vec<Option<CallId>> {
        let topology = facts.topology();
        let ahead = |call: CallId| if down { topology.callee(call) } else { topology.caller(call) };
        let mut nearest = vec![None; topology.operations.len()];
        let mut queue: VecDeque<(OperationId, CallId)> = traced.iter().map(|call| (ahead(*call), *call)).collect();
        while let Some((at, hop)) = queue.pop_front() {
            match nearest.get_mut(at.index()) {
                Some(slot @ None) => *slot = Some(hop),
                _ => continue,
            }
            let further = |call: &CallId| self.carried(*call).is_some();
            if down {
                queue.extend(topology.calls_from(at).filter(further).map(|call| (ahead(call), hop)));
            } else {
                queue.extend(topology.calls_to(at).filter(further).map(|call| (ahead(call), hop)));
            }
        }
        nearest
    }

    fn carried(&self, call: CallId) -> Option<Answer<'a>> {
        self.carried.get(call.index()).copied().flatten()
    }

    fn traced(&self, call: CallId) -> Option<Stated<'a>> {
        self.carried(call)?.given()
    }

    fn hop(&self, nearest: &[Option<CallId>], operation: OperationId) -> Option<(CallId, Stated<'a>)> {
        let call = nearest.get(operation.index()).copied().flatten()?;
        Some((call, self.traced(call)?))
    }

    fn broken(&self, facts: &Facts<'a>, id: CallId) -> Option<TraceBreak<'a>> {
        let call = facts.topology().call(id);
        let above = self.hop(&self.above, call.from)?;
        let below = self.hop(&self.below, call.to);
        let kind = match self.carried(id)? {
            Answer::None(stated) if below.is_some() || expects(facts, call.to) => TraceBreakKind::Dropped(stated),
            Answer::Unstated if below.is_some() && !facts.is_local(id) => TraceBreakKind::Unstated,
            Answer::Given(stated) => return self.renamed(facts, id, stated),
            _ => return None,
        };
        Some(TraceBreak { call: id, kind, above, below })
    }

    /// A hop whose format is not the one that reaches its source. Code that is also reached in this format can read
    /// both; what passes messages on passes on what it got.
    fn renamed(&self, facts: &Facts<'a>, id: CallId, stated: Stated<'a>) -> Option<TraceBreak<'a>> {
        let topology = facts.topology();
        let from = topology.caller(id);
        let formats = self.formats.get(from.index())?;
        let own = format(stated)?;
        let translatable = !is_data(topology.kind_of(from));
        // Where somebody else's system or a store ends the trace, nothing is split.
        if !is_service(facts, topology.callee(id)) && self.hop(&self.below, topology.callee(id)).is_none() {
            return None;
        }
        if translatable && formats.iter().any(|(format, _)| *format == own) {
            return None;
        }
        let (_, before) = *formats.iter().find(|(format, _)| *format != own)?;
        let above = (before, self.traced(before)?);
        let kind = TraceBreakKind::Renamed { stated, translatable };
        Some(TraceBreak { call: id, kind, above, below: Some((id, stated)) })
    }
}

/// Whether a callee says that it is traced; a store or a leaf of somebody else's ends every trace.
fn expects(facts: &Facts<'_>, operation: OperationId) -> bool {
    is_service(facts, operation) && facts.cascade().operation(operation, Key::Trace).given().is_some()
}

fn is_service(facts: &Facts<'_>, operation: OperationId) -> bool {
    facts.topology().kind_of(operation) == ElementKind::Service
}

fn format(stated: Stated<'_>) -> Option<&'static str> {
    stated.setting.words().next()
}
