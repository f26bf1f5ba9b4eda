//! What a topology consists of, element by element, each with what is stated of it as text and as meaning, so that two
//! topologies can be compared without regard to order, blanks and units.

use std::collections::HashMap;

use crate::model::{
    Between, CallId, Datum, DefaultsFor, NodeId, OperationId, PolicyId, ScopeId, ScopeKind, Setting, Settings, State,
    Step, Topology,
};
use crate::source::{SourceMap, Span};
use crate::syntax::Arrow;

/// An element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Id {
    Node(NodeId),
    Operation(OperationId),
    Call(CallId),
    Policy(PolicyId),
    Scope(ScopeId),
    Link,
}

/// An element and what is stated of it.
#[derive(Debug)]
pub(super) struct Element<'a> {
    pub(super) id: Id,
    /// What it is, as a word.
    pub(super) kind: &'static str,
    /// Its name, as people read it.
    pub(super) name: String,
    /// The same on both sides, if it is the same element.
    pub(super) identity: String,
    pub(super) span: Span,
    sources: &'a SourceMap,
    settings: &'a Settings,
    /// What a box says of what is inside.
    defaults: &'a [(DefaultsFor, Settings)],
    /// What follows from where it stands.
    more: Vec<Attribute>,
}

/// What is stated of an element.
#[derive(Clone, Debug)]
pub(super) struct Attribute {
    /// Its name, such as `timeout`.
    pub(super) name: String,
    /// Its value as written.
    pub(super) value: String,
    /// Equal for values that mean the same.
    pub(super) meaning: String,
    pub(super) span: Span,
}

/// New names of what was renamed; the names of head are their own.
#[derive(Debug, Default)]
pub(super) struct Naming {
    pub(super) nodes: HashMap<String, String>,
    /// By full name.
    pub(super) operations: HashMap<String, String>,
}

impl Naming {
    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.operations.is_empty()
    }

    pub(super) fn node(&self, topology: &Topology, id: NodeId) -> String {
        let name = topology.node_name(id);
        self.nodes.get(name).map_or(name, String::as_str).to_owned()
    }

    pub(super) fn operation(&self, topology: &Topology, id: OperationId) -> String {
        let name = topology.operation_name(id);
        if self.is_empty() {
            return name;
        }
        if let Some(renamed) = self.operations.get(&name) {
            return renamed.clone();
        }
        let operation = topology.operation(id);
        let node = self.node(topology, operation.node);
        operation.name.map_or_else(|| node.clone(), |own| format!("{node}.{}", topology.text(own)))
    }

    pub(super) fn call(&self, topology: &Topology, id: CallId) -> String {
        if self.is_empty() {
            return topology.call_identity(id);
        }
        let call = topology.call(id);
        let arrow = if call.arrow == Arrow::Sync { "->" } else { "->>" };
        let ends = [call.from, call.to].map(|end| self.operation(topology, end));
        format!("{}{arrow}{}#{}", ends[0], ends[1], call.nth)
    }
}

/// All elements of a topology, in the order of their kinds and then as written.
pub(super) fn elements<'a>(topology: &'a Topology, sources: &'a SourceMap, naming: &'a Naming) -> Vec<Element<'a>> {
    let inventory = Inventory { topology, sources, naming };
    let nodes = topology.node_ids().map(|id| inventory.node(id));
    let operations = topology.operation_ids().filter_map(|id| inventory.operation(id));
    let drawn = topology.call_ids().filter(|id| !topology.call(*id).implied);
    let calls = drawn.map(|id| inventory.call(id));
    let policies = (0..topology.policies.len()).map(|index| inventory.policy(PolicyId::at(index)));
    let mut files = 0;
    let scopes = (0..topology.scopes.len()).filter_map(|index| inventory.scope(ScopeId::at(index), &mut files));
    let links = topology.links.iter().map(|link| {
        let name = inventory.between(link.between);
        inventory.element(Id::Link, "link", name.clone(), name, link.span, &link.settings)
    });
    nodes.chain(operations).chain(calls).chain(policies).chain(scopes).chain(links).collect()
}

struct Inventory<'a> {
    topology: &'a Topology,
    sources: &'a SourceMap,
    naming: &'a Naming,
}

impl<'a> Inventory<'a> {
    fn element(
        &self,
        id: Id,
        kind: &'static str,
        name: String,
        identity: String,
        span: Span,
        settings: &'a Settings,
    ) -> Element<'a> {
        let sources = self.sources;
        Element { id, kind, name, identity, span, sources, settings, defaults: &[], more: Vec::new() }
    }

    fn node(&self, id: NodeId) -> Element<'a> {
        let node = self.topology.node(id);
        let kind = node.kind.name();
        let group = self.group(node.scope).map(|group| plain("group", group, node.span));
        let more = [plain("kind", kind.to_owned(), node.span)].into_iter().chain(group).collect();
        let (name, identity) = (self.topology.node_name(id).to_owned(), self.naming.node(self.topology, id));
        Element { more, ..self.element(Id::Node(id), kind, name, identity, node.span, &node.settings) }
    }

    /// What only an arrow mentions is not listed beside the arrow.
    fn operation(&self, id: OperationId) -> Option<Element<'a>> {
        let operation = self.topology.operation(id);
        operation.name?;
        let declared = operation.span != self.topology.node(operation.node).span || !operation.body.is_empty();
        if !declared && says_nothing(&operation.settings) {
            return None;
        }
        let name = self.topology.operation_name(id);
        let identity = self.naming.operation(self.topology, id);
        Some(self.element(Id::Operation(id), "operation", name, identity, operation.span, &operation.settings))
    }

    fn call(&self, id: CallId) -> Element<'a> {
        let call = self.topology.call(id);
        let identity = self.naming.call(self.topology, id);
        let other = call.fallback_of.map(|other| self.naming.call(self.topology, other));
        let more = other.into_iter().map(|other| plain("fallback of", other, call.span)).collect();
        let name = self.topology.call_name(id);
        Element { more, ..self.element(Id::Call(id), "call", name, identity, call.statement, &call.settings) }
    }

    fn policy(&self, id: PolicyId) -> Element<'a> {
        let policy = self.topology.policy(id);
        let name = self.topology.text(policy.name).to_owned();
        self.element(Id::Policy(id), "policy", name.clone(), name, policy.span, &policy.settings)
    }

    /// What a box says of what is inside; a box that says nothing is no more than the place of its nodes.
    fn scope(&self, id: ScopeId, files: &mut usize) -> Option<Element<'a>> {
        let scope = self.topology.scope(id);
        let own = scope.name.map_or("", |name| self.topology.text(name));
        let (kind, name) = match scope.kind {
            ScopeKind::Topology => ("topology", self.topology.name.clone()),
            ScopeKind::Root => ("defaults", "all files".to_owned()),
            ScopeKind::File => {
                *files += 1;
                ("file", self.sources.name(scope.span).to_owned())
            }
            ScopeKind::Group => ("group", self.group(id).unwrap_or_default()),
            ScopeKind::Node => ("defaults", own.to_owned()),
        };
        let identity = match scope.kind {
            ScopeKind::Topology | ScopeKind::Root => String::new(),
            ScopeKind::File => files.to_string(),
            _ => name.clone(),
        };
        let speaks = !says_nothing(&scope.settings) || !scope.defaults.iter().all(|(_, said)| says_nothing(said));
        let element = || self.element(Id::Scope(id), kind, name, identity, scope.span, &scope.settings);
        speaks.then(|| Element { defaults: &scope.defaults, ..element() })
    }

    /// The groups around, outermost first.
    fn group(&self, scope: ScopeId) -> Option<String> {
        let around = self.topology.outwards(scope);
        let groups = around.map(|id| self.topology.scope(id)).filter(|scope| scope.kind == ScopeKind::Group);
        let mut names: Vec<&str> = groups.filter_map(|scope| Some(self.topology.text(scope.name?))).collect();
        names.reverse();
        (!names.is_empty()).then(|| names.join(" / "))
    }

    fn between(&self, between: Between) -> String {
        match between {
            Between::OneZone => "within a zone".to_owned(),
            Between::Zones => "between zones".to_owned(),
            Between::Regions => "between regions".to_owned(),
            Between::Named(one, other) => {
                format!("between {} and {}", self.topology.text(one), self.topology.text(other))
            }
        }
    }
}

impl Attribute {
    /// Its name and what it means.
    pub(super) fn said(&self) -> (&str, &str) {
        (&self.name, &self.meaning)
    }
}

impl Element<'_> {
    /// All that is stated of it.
    pub(super) fn attributes(&self) -> Vec<Attribute> {
        let own = self.settings.iter().map(|setting| self.attribute(setting, ""));
        let inside = self.defaults.iter().flat_map(|(what, settings)| {
            let word = match what {
                DefaultsFor::Calls => "call",
                DefaultsFor::Operations => "operation",
                DefaultsFor::Nodes(kind) => kind.name(),
            };
            settings.iter().map(move |setting| self.attribute(setting, &format!("defaults {word} ")))
        });
        own.chain(inside).chain(self.more.iter().cloned()).collect()
    }

    /// Whether the same is stated of both in the same order, with the same names: nearly always, and seen without a text
    /// being made. What is written otherwise may still mean the same.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let defaults = || self.defaults.iter().zip(other.defaults);
        self.settings_agree(self.settings.as_slice(), other, other.settings.as_slice())
            && self.defaults.len() == other.defaults.len()
            && defaults().all(|((what, one), (also, two))| {
                what == also && self.settings_agree(one.as_slice(), other, two.as_slice())
            })
            && self.more.iter().map(Attribute::said).eq(other.more.iter().map(Attribute::said))
    }

    fn settings_agree(&self, own: &[Setting], other: &Self, others: &[Setting]) -> bool {
        let written = |one: Span, two: Span| self.sources.text(one) == other.sources.text(two);
        let same_datum = |one: &Datum, two: &Datum| match (one, two) {
            (Datum::Name(one), Datum::Name(two)) | (Datum::Reference(_, one), Datum::Reference(_, two)) => {
                written(*one, *two)
            }
            (Datum::Price(one, here), Datum::Price(two, there)) | (Datum::Cost(one, here), Datum::Cost(two, there)) => {
                one.total_cmp(two).is_eq() && written(*here, *there)
            }
            _ => one == two,
        };
        let same_state = |one: &Setting, two: &Setting| match (&one.state, &two.state) {
            (State::None, State::None) => true,
            (State::Unreadable, State::Unreadable) => written(one.span, two.span),
            (State::Given(data), State::Given(others)) => {
                data.len() == others.len() && data.iter().zip(others).all(|(one, two)| same_datum(one, two))
            }
            _ => false,
        };
        own.len() == others.len()
            && own.iter().zip(others).all(|(one, two)| {
                one.key == two.key && same_state(one, two) && self.settings_agree(one.fields(), other, two.fields())
            })
    }

    fn attribute(&self, setting: &Setting, prefix: &str) -> Attribute {
        let word = setting.key.name();
        let written = self.words(setting.span);
        let value = written.strip_prefix(word).unwrap_or(&written).trim();
        let fields: Vec<Attribute> = setting.fields().iter().map(|field| self.attribute(field, "")).collect();
        let said: Vec<String> = fields.iter().map(|field| joined(&field.name, &field.value)).collect();
        let block = if said.is_empty() { String::new() } else { format!(" {{ {} }}", said.join("; ")) };
        let mut meaning = self.meaning(setting);
        if !fields.is_empty() {
            let mut meant: Vec<String> =
                fields.iter().map(|field| format!("{}={}", field.name, field.meaning)).collect();
            meant.sort();
            meaning = format!("{meaning} {meant:?}");
        }
        Attribute {
            name: format!("{prefix}{word}"),
            value: format!("{value}{block}").trim().to_owned(),
            meaning,
            span: setting.span,
        }
    }

    fn meaning(&self, setting: &Setting) -> String {
        match &setting.state {
            State::None => "none".to_owned(),
            State::Unreadable => self.words(setting.span),
            State::Given(data) => {
                let meant = data.iter().map(|datum| match datum {
                    Datum::Name(span) | Datum::Reference(_, span) => self.words(*span).trim_matches('"').to_owned(),
                    Datum::Price(money, span) | Datum::Cost(money, span) => format!("{money} {}", self.words(*span)),
                    other => format!("{other:?}"),
                });
                meant.collect::<Vec<_>>().join(" ")
            }
        }
    }

    /// What is written at a place, with single blanks.
    fn words(&self, span: Span) -> String {
        self.sources.text(span).split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

fn says_nothing(settings: &Settings) -> bool {
    settings.as_slice().is_empty()
}

fn plain(name: &str, value: String, span: Span) -> Attribute {
    Attribute { name: name.to_owned(), meaning: value.clone(), value, span }
}

/// A name with its value as it is written.
pub(super) fn joined(name: &str, value: &str) -> String {
    if value.is_empty() { name.to_owned() } else { format!("{name} {value}") }
}

/// The order in which an operation makes those of its calls that have a name here.
pub(super) fn order(steps: &[Step], name: &impl Fn(CallId) -> Option<String>) -> Vec<String> {
    let block = |word: String, steps: &[Step]| {
        let inside = order(steps, name);
        if inside.len() < 2 { inside } else { vec![format!("{word} {{ {} }}", inside.join("; "))] }
    };
    let of = |step: &Step| match step {
        Step::Call(call) => name(*call).into_iter().collect(),
        Step::Sequence(steps) => block("sequence".to_owned(), steps),
        Step::Parallel(steps) => block("parallel".to_owned(), steps),
        Step::Any(enough, steps) => block(format!("parallel any {enough}"), steps),
        Step::OneOf(steps) => block("one-of".to_owned(), steps),
    };
    steps.iter().flat_map(of).collect()
}
