//! The whole story of a node or a call: what is computed of it, every attribute with the place that it came from, and
//! what is unstated.

use serde::Serialize;

use super::super::scene::{Call, Node};
use crate::analysis::Facts;
use crate::model::{NodeId, OperationId, Stated};
use crate::report::facts_table::{numbers_of_call, numbers_of_operation};
use crate::report::provenance::{origin, place, written};
use crate::source::{SourceMap, clean};
use crate::vocabulary::{ATTRIBUTES, Attribute, Cascade, ElementKind, Key, Places};

/// So many parts of a node that is drawn for many are named.
const MOST: usize = 60;

/// What callers are asked about.
const CARES: [&str; 5] = ["Time", "Repeating", "Idempotency", "Isolation", "Security"];

/// What is told of one element.
#[derive(Default, Serialize)]
pub(super) struct Story {
    /// Its name.
    name: String,
    /// What is computed of it.
    numbers: Vec<(&'static str, String)>,
    /// What is stated of it.
    stated: Vec<Row>,
    /// Attributes that it could have and nobody states.
    unstated: Vec<&'static str>,
    /// Its operations, or the nodes that it stands for.
    parts: Vec<Story>,
}

/// One attribute.
#[derive(Serialize)]
struct Row {
    /// As it is written.
    text: String,
    /// What kind of place that is.
    from: String,
    /// Where.
    place: String,
    /// What it overrides: the same of each.
    over: Vec<(String, String, String)>,
}

/// Tells stories.
pub(super) struct Teller<'a, 'f> {
    pub(super) facts: &'a Facts<'f>,
    pub(super) sources: &'a SourceMap,
}

impl Teller<'_, '_> {
    /// Of a node that is drawn.
    pub(super) fn node(&self, node: &Node) -> Story {
        match node.members.as_slice() {
            [only] => Story { name: safe(&node.name), ..self.one(*only) },
            members => {
                let name = |id: &NodeId| safe(self.facts.topology().node_name(*id));
                let parts = members.iter().take(MOST).map(|id| Story { name: name(id), ..Story::default() });
                Story { name: safe(&node.name), parts: parts.collect(), ..Story::default() }
            }
        }
    }

    fn one(&self, id: NodeId) -> Story {
        let cascade = self.facts.cascade();
        let all = |attribute: &Attribute| cascade.node_all(id, attribute.key);
        let node = self.facts.topology().node(id);
        let here = of_kind(node.kind);
        let mut story = self.told(ATTRIBUTES.iter().filter(|attribute| attribute.on.intersects(here)), all);
        story.parts = node.operations.iter().take(MOST).map(|operation| self.operation(id, *operation)).collect();
        story
    }

    /// An operation: only what is not already told of its node.
    fn operation(&self, node: NodeId, id: OperationId) -> Story {
        let cascade = self.facts.cascade();
        let all = |attribute: &Attribute| {
            let of_node = cascade.node_all(node, attribute.key);
            let own = cascade.operation_all(id, attribute.key);
            let same = own.first().zip(of_node.first());
            let same = same.is_some_and(|(own, of_node)| own.setting.span == of_node.setting.span);
            if same { Vec::new() } else { own }
        };
        let attributes = ATTRIBUTES.iter().filter(|attribute| attribute.on.intersects(Places::OPERATION));
        let told = self.told(attributes, all);
        let name = safe(&self.facts.topology().operation_name(id));
        let unstated =
            |name: &&&'static str| Key::named(name).is_some_and(|key| cascade.operation(id, key).stated().is_none());
        let unstated = told.unstated.iter().filter(unstated).copied().collect();
        Story { name, numbers: numbers_of_operation(self.facts, id), unstated, ..told }
    }

    /// Of a call.
    pub(super) fn call(&self, call: &Call) -> Story {
        let Some(id) = call.id else { return Story { name: safe(&call.name), ..Story::default() } };
        let all = |attribute: &Attribute| match attribute.key {
            Key::Attempts => Vec::new(),
            Key::Retries => self.facts.cascade().call_all(id, &[Key::Retries, Key::Attempts]),
            key => self.facts.cascade().call_all(id, &[key]),
        };
        let attributes = ATTRIBUTES.iter().filter(|attribute| attribute.on.intersects(Places::CALL));
        let mut story = self.told(attributes, all);
        // What a call may say but its callee does is no gap of the call, nor is how often it is made.
        let of_caller = |name: &&'static str| {
            let attribute = Key::named(name).filter(|key| *key != Key::Attempts).map(Key::attribute);
            attribute.is_some_and(|attribute| {
                matches!(attribute.cascade, Cascade::Call | Cascade::Insisted) && CARES.contains(&attribute.section)
            })
        };
        story.unstated.retain(of_caller);
        Story { name: safe(&call.name), numbers: numbers_of_call(self.facts, id), ..story }
    }

    fn told<'s>(
        &self,
        attributes: impl Iterator<Item = &'static Attribute>,
        all: impl Fn(&Attribute) -> Vec<Stated<'s>>,
    ) -> Story {
        let mut story = Story::default();
        for attribute in attributes {
            match all(attribute).as_slice() {
                [] => story.unstated.push(attribute.name),
                [winner, over @ ..] => {
                    let (text, from, place) = self.said(*winner);
                    let over = over.iter().map(|stated| self.said(*stated)).collect();
                    story.stated.push(Row { text, from, place, over });
                }
            }
        }
        story
    }

    fn said(&self, stated: Stated<'_>) -> (String, String, String) {
        let topology = self.facts.topology();
        let text = written(self.sources, stated);
        (safe(&text), safe(&origin(topology, stated)), safe(&place(self.sources, stated)))
    }
}

/// A text without anything that would reorder what is read, of a length that can be read.
pub(super) fn safe(text: &str) -> String {
    const MOST: usize = 600;
    let cleaned = clean(text);
    match cleaned.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", cleaned.get(..end).unwrap_or_default()),
        None => cleaned.into_owned(),
    }
}

/// Where an attribute of a node of that kind may stand.
fn of_kind(kind: ElementKind) -> Places {
    match kind {
        ElementKind::Client => Places::CLIENT,
        ElementKind::Store => Places::STORE,
        ElementKind::Cache => Places::CACHE,
        ElementKind::Queue => Places::QUEUE,
        ElementKind::External => Places::EXTERNAL,
        _ => Places::SERVICE,
    }
}
