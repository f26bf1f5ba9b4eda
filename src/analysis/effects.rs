//! Which operations change something when they run, and whether running twice changes it twice.

use std::sync::OnceLock;

use super::Facts;
use crate::model::{Answer, CallId, OperationId};
use crate::syntax::Arrow;
use crate::vocabulary::{ElementKind, Key};

/// What happens if own work is done twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It changes nothing at all.
    Absent,
    /// It changes nothing more.
    Idempotent,
    /// Not known.
    Unknown,
    /// It changes something twice.
    Repeats,
}

/// Where an effect happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EffectSite {
    /// Own work of an operation.
    Operation(OperationId),
    /// A call into a store, cache or queue: what is written is the caller's choice.
    Write(CallId),
}

/// What a call leaves behind in a store, cache or queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Write {
    /// Data that is kept.
    Data,
    /// A message.
    Message,
    /// Something that a cache may forget.
    Copy,
}

/// Whether calls into such a node are judged one by one.
pub(super) fn is_data(kind: ElementKind) -> bool {
    matches!(kind, ElementKind::Store | ElementKind::Cache | ElementKind::Queue)
}

impl Facts<'_> {
    /// What happens if the work at a site is done twice.
    #[must_use]
    pub fn effect(&self, site: EffectSite) -> Effect {
        match site {
            EffectSite::Operation(operation) => self.own_effect(operation),
            EffectSite::Write(call) => self.write_effect(call),
        }
    }

    /// What a call into a store, cache or queue writes there; none if it reads, or if nothing says what it does.
    #[must_use]
    pub fn write(&self, call: CallId) -> Option<Write> {
        let topology = self.topology();
        let to = topology.callee(call);
        let name = topology.operation(to).name.map(|name| topology.text(name));
        // Of a write it is said what repeating it does; a bare arrow alone may be a read.
        let says = self.cascade().call(call, &[Key::Idempotent]).stated().is_some();
        match (topology.kind_of(to), name) {
            (ElementKind::Queue, _) => Some(Write::Message),
            (ElementKind::Store, Some("read")) | (ElementKind::Cache, Some("get")) => None,
            (ElementKind::Store, Some("write")) => Some(Write::Data),
            (ElementKind::Cache, Some("set" | "delete")) => Some(Write::Copy),
            (ElementKind::Store, Some(_)) => {
                let effect = self.effect(EffectSite::Write(call));
                matches!(effect, Effect::Idempotent | Effect::Repeats).then_some(Write::Data)
            }
            (ElementKind::Store, None) => says.then_some(Write::Data),
            _ => None,
        }
    }

    /// All sites of effects, known or not.
    pub fn effect_sites(&self) -> impl Iterator<Item = EffectSite> + '_ {
        let topology = self.topology();
        let operations =
            topology.operation_ids().filter(|id| !is_data(topology.kind_of(*id))).map(EffectSite::Operation);
        let into_data =
            |call: &CallId| !topology.call(*call).implied && is_data(topology.kind_of(topology.callee(*call)));
        operations.chain(topology.call_ids().filter(into_data).map(EffectSite::Write))
    }

    /// What is stated of repetition: by `readonly` and `idempotent`, else by the HTTP method.
    fn stated_effect(&self, operation: OperationId) -> Option<Effect> {
        let look = |key| self.cascade().operation(operation, key);
        match look(Key::Readonly) {
            Answer::Given(_) | Answer::Unreadable => return Some(Effect::Absent),
            Answer::None(_) | Answer::Unstated => {}
        }
        match look(Key::Idempotent) {
            Answer::Given(_) | Answer::Unreadable => return Some(Effect::Idempotent),
            Answer::None(_) => return Some(Effect::Repeats),
            Answer::Unstated => {}
        }
        self.method_effect(operation)
    }

    fn own_effect(&self, operation: OperationId) -> Effect {
        if let Some(stated) = self.stated_effect(operation) {
            return stated;
        }
        self.unstated_effect(operation)
    }

    fn unstated_effect(&self, operation: OperationId) -> Effect {
        match self.topology().kind_of(operation) {
            ElementKind::Client => Effect::Absent,
            // What a service does shows in the calls it makes; one that makes none may do anything.
            ElementKind::Service if !self.is_leaf(operation) => Effect::Absent,
            _ => Effect::Unknown,
        }
    }

    /// What own work that is idempotent by key does when a repeat gets past that: surely if its key is `fresh`. Who
    /// needs a key is not idempotent without one, unless its work is all in the calls it makes.
    pub(super) fn effect_past_barrier(&self, operation: OperationId, fresh: bool) -> Effect {
        let effect = self.method_effect(operation).unwrap_or_else(|| self.unstated_effect(operation));
        if fresh && effect == Effect::Unknown { Effect::Repeats } else { effect }
    }

    /// What the HTTP method says (RFC 9110, section 9.2).
    fn method_effect(&self, operation: OperationId) -> Option<Effect> {
        let methods = self.cascade().operation(operation, Key::Method).given()?;
        Some(methods.setting.words().map(of_method).max().unwrap_or(Effect::Unknown))
    }

    fn write_effect(&self, call: CallId) -> Effect {
        match self.cascade().call(call, &[Key::Idempotent]) {
            Answer::Given(_) | Answer::Unreadable => return Effect::Idempotent,
            Answer::None(_) => return Effect::Repeats,
            // What a store sends to a copy is what was written to it: the effect is that write.
            Answer::Unstated if self.is_replication(call) => return Effect::Absent,
            Answer::Unstated => {}
        }
        self.data_effect(self.topology().callee(call))
    }

    /// Whether a store copies by this call what is written to it, to another store or a cache.
    fn is_replication(&self, call: CallId) -> bool {
        let call = self.topology().call(call);
        let ends = [call.from, call.to].map(|id| self.topology().kind_of(id));
        call.arrow == Arrow::Async && matches!(ends, [ElementKind::Store, ElementKind::Store | ElementKind::Cache])
    }

    /// Asked once for each call that arrives, so kept for each operation.
    #[allow(clippy::indexing_slicing, reason = "one cell an operation, and operations are numbered by their column")]
    fn data_effect(&self, operation: OperationId) -> Effect {
        let count = self.topology().operations.len();
        let cells = self.data_effects.get_or_init(|| vec![OnceLock::new(); count]);
        *cells[operation.index()].get_or_init(|| self.find_data_effect(operation))
    }

    /// The effect of an operation of a store, cache or queue, if its caller says nothing.
    fn find_data_effect(&self, operation: OperationId) -> Effect {
        let topology = self.topology();
        let node = topology.node_of(operation);
        let name = topology.operation(operation).name.map(|name| topology.text(name));
        match (node.kind, name) {
            (ElementKind::Store, Some("read")) | (ElementKind::Cache, Some("get" | "set" | "delete")) => Effect::Absent,
            // What a message does twice shows in its consumers; where none is drawn it may be anything.
            (ElementKind::Queue, _) if !self.is_leaf(operation) => {
                self.stated_effect(operation).unwrap_or(Effect::Absent)
            }
            // All operations are meant: the most dangerous decides.
            (ElementKind::Store | ElementKind::Cache, None) => {
                let others = node.operations.iter().copied().filter(|other| *other != operation);
                others.map(|other| self.data_effect(other)).max().unwrap_or(Effect::Unknown)
            }
            _ => self.stated_effect(operation).unwrap_or(Effect::Unknown),
        }
    }
}

fn of_method(method: &str) -> Effect {
    match method {
        "GET" | "HEAD" | "OPTIONS" | "TRACE" => Effect::Absent,
        "PUT" | "DELETE" => Effect::Idempotent,
        _ => Effect::Repeats,
    }
}
