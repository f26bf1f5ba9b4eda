//! Which statement decides. One walk over the places that may speak of an element, strongest first, serves both the
//! analyses (the first place that speaks wins) and `explain --where` (all of them, with what they overrode).

use super::clients::{Client, ClientDefault, ClientKind, Clients};
use super::setting::{Reference, Setting, Settings};
use super::topology::{Call, CallId, Name, NodeId, OperationId, PolicyId, ScopeId, Topology};
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

    /// Notes what may be said inside, by itself and by the boxes around it.
    pub(super) fn note_what_is_said(&mut self, around: Option<(KeySet, KeySet)>) {
        let (mut of_calls, mut of_nodes) = around.unwrap_or_default();
        of_nodes.join(&self.settings.said());
        for (what, settings) in &self.defaults {
            let said = if *what == DefaultsFor::Calls { &mut of_calls } else { &mut of_nodes };
            said.join(&settings.said());
        }
        (self.said_of_calls, self.said_of_nodes) = (of_calls, of_nodes);
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
    /// In the table of clients.
    Client(&'a Client, &'a ClientDefault),
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

/// A place that may speak of an element.
struct Place<'a> {
    settings: &'a Settings,
    origin: Origin<'a>,
}

impl<'a> Cascade<'a> {
    /// Looks up in this topology, with this table of clients.
    #[must_use]
    pub fn new(topology: &'a Topology, clients: &'a Clients) -> Self {
        Self { topology, clients }
    }

    /// What is known of one of several attributes of a call that say the same thing, such as `retries` and `attempts`.
    #[must_use]
    pub fn call(&self, id: CallId, keys: &[Key]) -> Answer<'a> {
        let said = &self.topology.said;
        if !said.contains(Key::Via) && !keys.iter().any(|key| said.contains(*key)) {
            return Answer::Unstated;
        }
        let call = self.topology.call(id);
        let table_entry = || self.table_entry(call, keys).map(answer);
        self.first_of_call(call, keys).or_else(table_entry).unwrap_or(Answer::Unstated)
    }

    /// All statements that speak of an attribute of a call, strongest first.
    #[must_use]
    pub fn call_all(&self, id: CallId, keys: &[Key]) -> Vec<Stated<'a>> {
        let call = self.topology.call(id);
        let written = all(self.places_of_call(call, insisted(keys)), keys);
        written.into_iter().chain(self.table_entry(call, keys)).collect()
    }

    /// What is known of an attribute of an operation.
    #[must_use]
    pub fn operation(&self, id: OperationId, key: Key) -> Answer<'a> {
        if !self.topology.said.contains(key) {
            return Answer::Unstated;
        }
        if !self.may_speak_of_operation(id, &[key]) {
            return Answer::Unstated;
        }
        first(self.places_of_operation(id, key), &[key]).unwrap_or(Answer::Unstated)
    }

    /// All statements that speak of an attribute of an operation, strongest first.
    #[must_use]
    pub fn operation_all(&self, id: OperationId, key: Key) -> Vec<Stated<'a>> {
        all(self.places_of_operation(id, key), &[key])
    }

    /// What is known of an attribute of a node.
    #[must_use]
    pub fn node(&self, id: NodeId, key: Key) -> Answer<'a> {
        let said = &self.topology.said;
        if !said.contains(Key::Via) && !said.contains(key) {
            return Answer::Unstated;
        }
        let broker = || self.broker_entry(id, key).map(answer);
        self.first_of_node(id, key).or_else(broker).unwrap_or(Answer::Unstated)
    }

    /// All statements that speak of an attribute of a node, strongest first.
    #[must_use]
    pub fn node_all(&self, id: NodeId, key: Key) -> Vec<Stated<'a>> {
        all(self.places_of_node(id, key), &[key]).into_iter().chain(self.broker_entry(id, key)).collect()
    }

    /// What the broker of a queue fills in: only what was read where its maintainers state it.
    fn broker_entry(&self, id: NodeId, key: Key) -> Option<Stated<'a>> {
        let vias = self.topology.said.contains(Key::Via);
        if self.topology.node(id).kind != ElementKind::Queue || key == Key::Via || !vias {
            return None;
        }
        let clients = self.clients;
        let via = self.first_of_node(id, Key::Via).and_then(Answer::given)?;
        let named = via.setting.references.iter().filter_map(move |reference| match reference {
            Reference::Client(index) => clients.get(*index).filter(|client| client.kind == ClientKind::Broker),
            _ => None,
        });
        named
            .filter_map(|client| Some((client, client.known(key)?)))
            .map(|(client, default)| Stated { setting: &default.setting, origin: Origin::Client(client, default) })
            .next()
    }

    /// The clients and meshes that a call goes through.
    pub fn clients(&self, id: CallId) -> impl Iterator<Item = &'a Client> + use<'a> {
        self.clients_of(self.topology.call(id))
    }

    fn clients_of(&self, call: &'a Call) -> impl Iterator<Item = &'a Client> + use<'a> {
        let clients = self.clients;
        let via = self.first_of_call(call, &[Key::Via]).and_then(Answer::given);
        via.into_iter().flat_map(|stated| &stated.setting.references).filter_map(move |reference| match reference {
            Reference::Client(index) => clients.get(*index),
            _ => None,
        })
    }

    /// What a client library fills in. A proxy fills in nothing: it is a layer of its own.
    fn table_entry(&self, call: &'a Call, keys: &[Key]) -> Option<Stated<'a>> {
        if keys == [Key::Via] || !self.topology.said.contains(Key::Via) {
            return None;
        }
        self.clients_of(call).filter(|client| client.kind == ClientKind::Library).find_map(|client| {
            let default = keys.iter().find_map(|key| client.known(*key))?;
            Some(Stated { setting: &default.setting, origin: Origin::Client(client, default) })
        })
    }

    fn first_of_call(&self, call: &'a Call, keys: &[Key]) -> Option<Answer<'a>> {
        let insisted = insisted(keys);
        let scope = self.topology.scope(call.scope);
        let may_be_said = keys.iter().any(|key| {
            call.settings.may_say(*key)
                || scope.said_of_calls.contains(*key)
                || call.policies.iter().any(|id| self.topology.policy(*id).settings.may_say(*key))
        });
        if may_be_said || insisted && self.may_speak_of_operation(call.to, keys) {
            return first(self.places_of_call(call, insisted), keys);
        }
        None
    }

    fn first_of_node(&self, id: NodeId, key: Key) -> Option<Answer<'a>> {
        let node = self.topology.node(id);
        if node.settings.may_say(key) || self.topology.scope(node.scope).said_of_nodes.contains(key) {
            return first(self.places_of_node(id, key), &[key]);
        }
        None
    }

    fn may_speak_of_operation(&self, id: OperationId, keys: &[Key]) -> bool {
        let operation = self.topology.operation(id);
        let node = self.topology.node(operation.node);
        let scope = self.topology.scope(node.inner.unwrap_or(node.scope));
        keys.iter().any(|key| {
            operation.settings.may_say(*key) || node.settings.may_say(*key) || scope.said_of_nodes.contains(*key)
        })
    }

    fn places_of_call(&self, call: &'a Call, insisted: bool) -> impl Iterator<Item = Place<'a>> + use<'a> {
        let topology = self.topology;
        let own = std::iter::once(Place { settings: &call.settings, origin: Origin::Own });
        let policies = call
            .policies
            .iter()
            .map(move |id| Place { settings: &topology.policy(*id).settings, origin: Origin::Policy(*id) });
        let callee =
            insisted.then(|| self.places_of_operation(call.to, Key::Encryption)).into_iter().flatten().map(|place| {
                Place {
                    settings: place.settings,
                    origin: Origin::Callee(match place.origin {
                        Origin::Box(scope) | Origin::Defaults(scope) => Some(scope),
                        _ => None,
                    }),
                }
            });
        let defaults = defaults_of_calls(topology, call.scope)
            .map(|(id, settings)| Place { settings, origin: Origin::Defaults(id) });
        own.chain(policies).chain(callee).chain(defaults)
    }

    /// An amount is a total of what it is written on; so is what means only that element.
    fn places_of_operation(&self, id: OperationId, key: Key) -> impl Iterator<Item = Place<'a>> + use<'a> {
        let topology = self.topology;
        let operation = topology.operation(id);
        let passed_on = passes_on(key) || operation.name.is_none();
        let own = std::iter::once(Place { settings: &operation.settings, origin: Origin::Own });
        let inner = topology.node(operation.node).inner.filter(|_| passes_on(key));
        let in_node = inner.and_then(|scope| {
            let settings = topology.scope(scope).defaults.iter().find(|(what, _)| *what == DefaultsFor::Operations)?;
            Some(Place { settings: &settings.1, origin: Origin::Defaults(scope) })
        });
        let of_node =
            passed_on.then(|| self.places_of_node(operation.node, key)).into_iter().flatten().map(move |place| {
                match place.origin {
                    Origin::Own => Place { origin: Origin::Node(operation.node), ..place },
                    _ => place,
                }
            });
        own.chain(in_node).chain(of_node)
    }

    fn places_of_node(&self, id: NodeId, key: Key) -> impl Iterator<Item = Place<'a>> + use<'a> {
        let topology = self.topology;
        let node = topology.node(id);
        let own = std::iter::once(Place { settings: &node.settings, origin: Origin::Own });
        let boxes = passes_on(key).then(|| outwards(topology, node.scope)).into_iter().flatten().flat_map(move |id| {
            let scope = topology.scope(id);
            let of_kind = scope.defaults.iter().filter(move |(what, _)| {
                matches!(what, DefaultsFor::Operations) || *what == DefaultsFor::Nodes(node.kind)
            });
            let of_kind = of_kind.map(move |(_, settings)| Place { settings, origin: Origin::Defaults(id) });
            of_kind.chain(std::iter::once(Place { settings: &scope.settings, origin: Origin::Box(id) }))
        });
        own.chain(boxes)
    }
}

/// What the `defaults` around a caller in this box say of a key.
pub(super) fn default_of_calls(topology: &Topology, scope: ScopeId, key: Key) -> Option<&Setting> {
    defaults_of_calls(topology, scope).find_map(|(_, settings)| settings.get(key))
}

/// What the boxes around a caller say of all calls that leave from inside, innermost first.
fn defaults_of_calls(topology: &Topology, scope: ScopeId) -> impl Iterator<Item = (ScopeId, &Settings)> {
    outwards(topology, scope).flat_map(|id| {
        let of_calls = topology.scope(id).defaults.iter().filter(|(what, _)| *what == DefaultsFor::Calls);
        of_calls.map(move |(_, settings)| (id, settings))
    })
}

/// A box and all around it, innermost first.
fn outwards(topology: &Topology, from: ScopeId) -> impl Iterator<Item = ScopeId> {
    std::iter::successors(Some(from), |id| topology.scope(*id).parent)
}

fn passes_on(key: Key) -> bool {
    !matches!(key.attribute().cascade, Reach::Amount | Reach::Own)
}

fn insisted(keys: &[Key]) -> bool {
    keys.iter().any(|key| key.attribute().cascade == Reach::Insisted)
}

fn answer(stated: Stated<'_>) -> Answer<'_> {
    match stated.setting.state {
        super::setting::State::Given(_) => Answer::Given(stated),
        super::setting::State::None => Answer::None(stated),
        super::setting::State::Unreadable => Answer::Unreadable,
    }
}

/// The first place that speaks. A place with something unreadable may have spoken.
fn first<'a>(mut places: impl Iterator<Item = Place<'a>>, keys: &[Key]) -> Option<Answer<'a>> {
    places.find_map(|place| match keys.iter().find_map(|key| place.settings.get(*key)) {
        Some(setting) => Some(answer(Stated { setting, origin: place.origin })),
        None => place.settings.flawed.then_some(Answer::Unreadable),
    })
}

fn all<'a>(places: impl Iterator<Item = Place<'a>>, keys: &[Key]) -> Vec<Stated<'a>> {
    places
        .filter_map(|place| {
            let setting = keys.iter().find_map(|key| place.settings.get(*key))?;
            Some(Stated { setting, origin: place.origin })
        })
        .collect()
}
