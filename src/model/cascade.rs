//! Which statement decides. One walk over the places that may speak of an element, strongest first, serves both the
//! analyses (the first place that speaks wins) and `explain --where` (all of them, with what they overrode).

use std::ops::ControlFlow;

use super::clients::{Client, ClientDefault, ClientKind, Clients};
use super::setting::{Reference, Setting, Settings};
use super::topology::{CallId, Name, NodeId, OperationId, PolicyId, ScopeId, Topology};
use crate::source::Span;
use crate::vocabulary::{Cascade as Reach, ElementKind, Key, KeySet};

/// A box that passes on what is said of it.
#[derive(Debug)]
pub struct Scope {
    /// The box around it.
    pub parent: Option<ScopeId>,
    /// What it is.
    pub kind: ScopeKind,
    /// Its name, for a group or a node.
    pub name: Option<Name>,
    /// The label of a group, quotes included.
    pub label: Option<Span>,
    /// Where it starts.
    pub span: Span,
    /// What it says of everything inside.
    pub settings: Settings,
    /// What it says of things of a kind inside.
    pub defaults: Vec<(DefaultsFor, Settings)>,
    /// What it and the boxes around it may say of calls that leave from inside.
    pub(super) said_of_calls: KeySet,
    /// What it and the boxes around it may say of nodes and operations inside.
    pub(super) said_of_nodes: KeySet,
}

impl Scope {
    /// A box of which nothing is said yet.
    #[must_use]
    pub fn new(kind: ScopeKind, parent: Option<ScopeId>, span: Span) -> Self {
        Self {
            parent,
            kind,
            name: None,
            label: None,
            span,
            settings: Settings::default(),
            defaults: Vec::new(),
            said_of_calls: KeySet::default(),
            said_of_nodes: KeySet::default(),
        }
    }

    /// What it says of some things inside.
    fn defaults_for(&self, what: impl Fn(DefaultsFor) -> bool) -> impl Iterator<Item = &Settings> {
        self.defaults.iter().filter(move |(of, _)| what(*of)).map(|(_, settings)| settings)
    }
}

/// What a box is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeKind {
    /// The whole.
    Topology,
    /// The `defaults` of the root file, which reach the files it includes.
    Root,
    /// One file.
    File,
    /// A group.
    Group,
    /// A node, for the `defaults` in it.
    Node,
}

/// What a `defaults` block speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultsFor {
    /// Calls that leave from inside.
    Calls,
    /// Operations inside.
    Operations,
    /// Nodes of a kind inside.
    Nodes(ElementKind),
}

/// A statement that speaks of an element, and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Stated<'a> {
    /// The statement.
    pub setting: &'a Setting,
    /// Where it stands.
    pub origin: Origin<'a>,
}

impl<'a> Stated<'a> {
    /// The entry of the table of clients that it is, with the client.
    #[must_use]
    pub fn entry(&self) -> Option<(&'a Client, &'a ClientDefault)> {
        let Origin::Client(client) = self.origin else { return None };
        Some((client, client.known(self.setting.key)?))
    }
}

/// Where a statement stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Origin<'a> {
    /// On the element itself.
    Own,
    /// On the node, for an operation of it.
    Node(NodeId),
    /// In a policy that the call follows.
    Policy(PolicyId),
    /// On the callee, which insists on it: the operation, its node or a box around it.
    Callee(Option<ScopeId>),
    /// On a box, of everything inside.
    Box(ScopeId),
    /// In a `defaults` block of a box.
    Defaults(ScopeId),
    /// In the table of clients, as a default of this one. INVARIANT: the setting is what the client has of its key.
    Client(&'a Client),
}

/// What is known of an attribute of one element.
#[derive(Clone, Copy, Debug)]
pub enum Answer<'a> {
    /// A value.
    Given(Stated<'a>),
    /// Known not to be there.
    None(Stated<'a>),
    /// Something was written that could not be read.
    Unreadable,
    /// Nothing was said.
    Unstated,
}

impl<'a> Answer<'a> {
    /// The statement that gives a value.
    #[must_use]
    pub fn given(self) -> Option<Stated<'a>> {
        if let Self::Given(stated) = self { Some(stated) } else { None }
    }

    /// Whether a value is given, or may be: something was written that could not be read.
    #[must_use]
    pub fn may_be_given(self) -> bool {
        matches!(self, Self::Given(_) | Self::Unreadable)
    }

    /// The statement, whatever it says.
    #[must_use]
    pub fn stated(self) -> Option<Stated<'a>> {
        match self {
            Self::Given(stated) | Self::None(stated) => Some(stated),
            Self::Unreadable | Self::Unstated => None,
        }
    }
}

/// Looks up attributes. Cheap to make.
#[derive(Clone, Copy, Debug)]
pub struct Cascade<'a> {
    topology: &'a Topology,
    clients: &'a Clients,
}

/// Looks at a place that may speak of an element; breaks once it has found what it looks for.
trait Visit<'a>: FnMut(&'a Settings, Origin<'a>) -> ControlFlow<()> {}

impl<'a, F: FnMut(&'a Settings, Origin<'a>) -> ControlFlow<()>> Visit<'a> for F {}

impl<'a> Cascade<'a> {
    /// Looks up in this topology, with this table of clients.
    #[must_use]
    pub fn new(topology: &'a Topology, clients: &'a Clients) -> Self {
        Self { topology, clients }
    }

    /// What is known of one of several attributes of a call that say the same thing, such as `retries` and `attempts`.
    /// INVARIANT: all of them or none are what a callee may insist on.
    #[must_use]
    #[inline]
    pub fn call(&self, id: CallId, keys: &[Key]) -> Answer<'a> {
        if !self.topology.stated.of_call(id, keys) {
            return Answer::Unstated;
        }
        self.answer_of_call(id, keys)
    }

    /// All statements that speak of an attribute of a call, strongest first.
    #[must_use]
    pub fn call_all(&self, id: CallId, keys: &[Key]) -> Vec<Stated<'a>> {
        let mut stated = Vec::new();
        let _ = self.places_of_call(id, keys, &mut all(keys, &mut stated));
        stated.extend(self.table_entry(id, keys));
        stated
    }

    /// What is known of an attribute of an operation.
    #[must_use]
    #[inline]
    pub fn operation(&self, id: OperationId, key: Key) -> Answer<'a> {
        if !self.topology.stated.of_operation(id, key) {
            return Answer::Unstated;
        }
        self.answer_of_operation(id, key)
    }

    /// All statements that speak of an attribute of an operation, strongest first.
    #[must_use]
    pub fn operation_all(&self, id: OperationId, key: Key) -> Vec<Stated<'a>> {
        let mut stated = Vec::new();
        let _ = self.places_of_operation(id, &[key], &mut all(&[key], &mut stated));
        stated
    }

    /// What is known of an attribute of a node.
    #[must_use]
    #[inline]
    pub fn node(&self, id: NodeId, key: Key) -> Answer<'a> {
        if !self.topology.stated.of_node(id, key) {
            return Answer::Unstated;
        }
        self.answer_of_node(id, key)
    }

    /// All statements that speak of an attribute of a node, strongest first.
    #[must_use]
    pub fn node_all(&self, id: NodeId, key: Key) -> Vec<Stated<'a>> {
        let mut stated = Vec::new();
        let _ = self.places_of_node(id, &[key], &mut all(&[key], &mut stated));
        stated.extend(self.broker_entry(id, key));
        stated
    }

    /// What the broker of a queue fills in: only what was read where its maintainers state it.
    fn broker_entry(&self, id: NodeId, key: Key) -> Option<Stated<'a>> {
        if self.topology.node(id).kind != ElementKind::Queue || key == Key::Via {
            return None;
        }
        let clients = self.clients;
        let via = self.node(id, Key::Via).given()?;
        let mut named = via.setting.references().iter().filter_map(move |reference| match reference {
            Reference::Client(index) => clients.get(*index).filter(|client| client.kind == ClientKind::Broker),
            _ => None,
        });
        named.find_map(|client| Some(Stated { setting: &client.known(key)?.setting, origin: Origin::Client(client) }))
    }

    /// The clients and meshes that a call goes through.
    pub fn clients(&self, id: CallId) -> impl Iterator<Item = &'a Client> + use<'a> {
        let clients = self.clients;
        let via = self.call(id, &[Key::Via]).given();
        via.into_iter().flat_map(|stated| stated.setting.references()).filter_map(move |reference| match reference {
            Reference::Client(index) => clients.get(*index),
            _ => None,
        })
    }

    /// What a client library fills in. A proxy fills in nothing: it is a layer of its own.
    fn table_entry(&self, id: CallId, keys: &[Key]) -> Option<Stated<'a>> {
        if keys == [Key::Via] {
            return None;
        }
        self.clients(id).filter(|client| client.kind == ClientKind::Library).find_map(|client| {
            let default = keys.iter().find_map(|key| client.known(*key))?;
            Some(Stated { setting: &default.setting, origin: Origin::Client(client) })
        })
    }

    fn answer_of_call(&self, id: CallId, keys: &[Key]) -> Answer<'a> {
        let mut found = None;
        let _ = self.places_of_call(id, keys, &mut first(keys, &mut found));
        found.or_else(|| self.table_entry(id, keys).map(answer)).unwrap_or(Answer::Unstated)
    }

    fn answer_of_operation(&self, id: OperationId, key: Key) -> Answer<'a> {
        let mut found = None;
        let _ = self.places_of_operation(id, &[key], &mut first(&[key], &mut found));
        found.unwrap_or(Answer::Unstated)
    }

    fn answer_of_node(&self, id: NodeId, key: Key) -> Answer<'a> {
        let mut found = None;
        let _ = self.places_of_node(id, &[key], &mut first(&[key], &mut found));
        found.or_else(|| self.broker_entry(id, key).map(answer)).unwrap_or(Answer::Unstated)
    }

    fn places_of_call(&self, id: CallId, keys: &[Key], visit: &mut impl Visit<'a>) -> ControlFlow<()> {
        let topology = self.topology;
        let call = topology.call(id);
        visit(&call.settings, Origin::Own)?;
        for id in &call.policies {
            visit(&topology.policy(*id).settings, Origin::Policy(*id))?;
        }
        if keys.iter().any(|key| key.attribute().cascade == Reach::Insisted) {
            self.places_of_operation(call.to, keys, &mut |settings, origin| {
                let place = match origin {
                    Origin::Box(scope) | Origin::Defaults(scope) => Some(scope),
                    _ => None,
                };
                visit(settings, Origin::Callee(place))
            })?;
        }
        for id in topology.outwards(call.scope) {
            let scope = topology.scope(id);
            if !scope.said_of_calls.contains_any(keys) {
                break;
            }
            for settings in scope.defaults_for(|what| what == DefaultsFor::Calls) {
                visit(settings, Origin::Defaults(id))?;
            }
        }
        ControlFlow::Continue(())
    }

    /// An amount is a total of what it is written on; so is what means only that element.
    fn places_of_operation(&self, id: OperationId, keys: &[Key], visit: &mut impl Visit<'a>) -> ControlFlow<()> {
        let topology = self.topology;
        let operation = topology.operation(id);
        visit(&operation.settings, Origin::Own)?;
        if let Some(scope) = topology.node(operation.node).inner.filter(|_| pass_on(keys))
            && let Some(settings) = topology.scope(scope).defaults_for(|what| what == DefaultsFor::Operations).next()
        {
            visit(settings, Origin::Defaults(scope))?;
        }
        if pass_on(keys) || operation.name.is_none() {
            self.places_of_node(operation.node, keys, &mut |settings, origin| {
                let is_own = matches!(origin, Origin::Own);
                visit(settings, if is_own { Origin::Node(operation.node) } else { origin })
            })?;
        }
        ControlFlow::Continue(())
    }

    fn places_of_node(&self, id: NodeId, keys: &[Key], visit: &mut impl Visit<'a>) -> ControlFlow<()> {
        let topology = self.topology;
        let node = topology.node(id);
        visit(&node.settings, Origin::Own)?;
        if !pass_on(keys) {
            return ControlFlow::Continue(());
        }
        for id in topology.outwards(node.scope) {
            let scope = topology.scope(id);
            if !scope.said_of_nodes.contains_any(keys) {
                break;
            }
            let of_kind = |what| matches!(what, DefaultsFor::Operations) || what == DefaultsFor::Nodes(node.kind);
            for settings in scope.defaults_for(of_kind) {
                visit(settings, Origin::Defaults(id))?;
            }
            visit(&scope.settings, Origin::Box(id))?;
        }
        ControlFlow::Continue(())
    }
}

/// What the `defaults` around a caller in this box say of a key.
pub(super) fn default_of_calls(topology: &Topology, scope: ScopeId, key: Key) -> Option<&Setting> {
    topology
        .outwards(scope)
        .flat_map(|id| topology.scope(id).defaults_for(|what| what == DefaultsFor::Calls))
        .find_map(|settings| settings.get(key))
}

fn pass_on(keys: &[Key]) -> bool {
    keys.iter().all(|key| !matches!(key.attribute().cascade, Reach::Amount | Reach::Own))
}

fn answer(stated: Stated<'_>) -> Answer<'_> {
    match stated.setting.state {
        super::setting::State::Given(_) => Answer::Given(stated),
        super::setting::State::None => Answer::None(stated),
        super::setting::State::Unreadable => Answer::Unreadable,
    }
}

/// Finds the first place that speaks. A place with something unreadable may have spoken.
fn first<'a>(keys: &[Key], found: &mut Option<Answer<'a>>) -> impl Visit<'a> {
    move |settings, origin| {
        *found = match keys.iter().find_map(|key| settings.get(*key)) {
            Some(setting) => Some(answer(Stated { setting, origin })),
            None => settings.flawed.then_some(Answer::Unreadable),
        };
        if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Finds all that speak.
fn all<'a>(keys: &[Key], stated: &mut Vec<Stated<'a>>) -> impl Visit<'a> {
    move |settings, origin| {
        stated.extend(keys.iter().find_map(|key| settings.get(*key)).map(|setting| Stated { setting, origin }));
        ControlFlow::Continue(())
    }
}
