//! The checked model: nodes, operations and calls, indexed by number, over a petgraph graph whose vertices are the
//! operations and whose edges are the calls. Knows no text beyond places and no analysis.

use std::fmt;

use indexmap::IndexSet;
use petgraph::Directed;
use petgraph::graph::{Graph, NodeIndex};

use super::cascade::Scope;
use super::setting::Settings;
use super::stated::StatedIndex;
use crate::ids::IdMap;
use crate::source::Span;
use crate::syntax::Arrow;
use crate::vocabulary::ElementKind;

/// Declares a number that names a row of a column.
macro_rules! index {
    ($($(#[$documentation:meta])* $name:ident)*) => { $(
        $(#[$documentation])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// As an index.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }

            /// From an index; more than 2³² of a thing are refused long before.
            #[must_use]
            pub fn at(index: usize) -> Self {
                Self(u32::try_from(index).unwrap_or(u32::MAX))
            }
        }
    )* };
}

index! {
    /// A node.
    NodeId
    /// An operation: a vertex of the call graph.
    OperationId
    /// A call: an edge of the call graph.
    CallId
    /// A box that passes on what is said of it.
    ScopeId
    /// A policy.
    PolicyId
    /// An interned name.
    Name
}

/// A node of the diagram.
#[derive(Debug)]
pub struct Node {
    /// Its name.
    pub name: Name,
    /// Which of the six kinds.
    pub kind: ElementKind,
    /// Its label, quotes included.
    pub label: Option<Span>,
    /// Where its name is declared.
    pub span: Span,
    /// The innermost box around it.
    pub scope: ScopeId,
    /// The box that it is itself, if `defaults` stand in it.
    pub inner: Option<ScopeId>,
    /// What is said of it.
    pub settings: Settings,
    /// Its operations, the unnamed one included if it has one.
    pub operations: Vec<OperationId>,
    /// Whether it declares operations itself.
    pub declares: bool,
    /// Whether an arrow or an attribute of another element speaks of it.
    pub mentioned: bool,
}

/// A vertex of the call graph.
#[derive(Debug)]
pub struct Operation {
    /// The node that has it.
    pub node: NodeId,
    /// Its name; none for the unnamed operation of a node.
    pub name: Option<Name>,
    /// Where it is declared: its own name, or that of its node.
    pub span: Span,
    /// What is said of it.
    pub settings: Settings,
    /// The calls it makes, in order.
    pub body: Vec<Step>,
}

/// What is asked of an operation most often, where the graph holds it: its own row is many times as large.
#[derive(Clone, Copy, Debug)]
pub struct Vertex {
    /// The node that has it.
    pub node: NodeId,
    /// What that node is.
    pub kind: ElementKind,
}

/// One step of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A call.
    Call(CallId),
    /// One after another.
    Sequence(Vec<Step>),
    /// At once, waiting for all.
    Parallel(Vec<Step>),
    /// At once, waiting for so many.
    Any(u64, Vec<Step>),
    /// Exactly one of them.
    OneOf(Vec<Step>),
}

impl Step {
    /// Visits every call of these steps, in written order. Nesting is bounded by the depth that is read.
    pub fn each(steps: &[Self], visit: &mut impl FnMut(CallId)) {
        for step in steps {
            match step {
                Self::Call(call) => visit(*call),
                Self::Sequence(steps) | Self::Parallel(steps) | Self::Any(_, steps) | Self::OneOf(steps) => {
                    Self::each(steps, visit);
                }
            }
        }
    }
}

/// What answers when a call has failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// An answer that needs nobody.
    Ready,
    /// Further calls.
    Calls(Vec<Step>),
}

/// An edge of the call graph.
#[derive(Debug)]
pub struct Call {
    /// Who makes it.
    pub from: OperationId,
    /// What is called.
    pub to: OperationId,
    /// Whether the caller waits.
    pub arrow: Arrow,
    /// The how-manieth call it is with these ends and this arrow, from 0: tells calls of one name apart.
    pub nth: u32,
    /// The arrow with its ends.
    pub span: Span,
    /// The whole statement.
    pub statement: Span,
    /// Its label, quotes included.
    pub label: Option<Span>,
    /// What is said of it.
    pub settings: Settings,
    /// The box whose `defaults` reach it.
    pub scope: ScopeId,
    /// The policies it follows, in written order.
    pub policies: Vec<PolicyId>,
    /// What answers when it has failed.
    pub fallback: Option<Fallback>,
    /// When it is made.
    pub phase: Phase,
    /// The call of whose fallback it is a part; always an earlier one.
    pub fallback_of: Option<CallId>,
    /// Whether the model itself made it: a bare arrow to a store means all operations of the store.
    pub implied: bool,
}

/// When a call is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// While serving requests.
    #[default]
    Request,
    /// While starting.
    Startup,
    /// While recovering.
    Recovery,
    /// While a change is rolled out.
    Deploy,
    /// While being watched.
    Observe,
}

/// A reusable set of call attributes.
#[derive(Debug)]
pub struct Policy {
    /// Its name.
    pub name: Name,
    /// Where its name is declared.
    pub span: Span,
    /// What it says.
    pub settings: Settings,
    /// Whether a call follows it.
    pub used: bool,
}

/// Facts about links, from a `network` block.
#[derive(Debug)]
pub struct Link {
    /// Which links it speaks of.
    pub between: Between,
    /// Where it is written.
    pub span: Span,
    /// What is said of it.
    pub settings: Settings,
}

/// The ends of links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Between {
    /// Both in one zone.
    OneZone,
    /// In two zones of one region.
    Zones,
    /// In two regions.
    Regions,
    /// In these two zones or regions.
    Named(Name, Name),
}

/// A suppression in the text.
#[derive(Debug)]
pub struct Allow {
    /// The rule or family.
    pub rule: Span,
    /// The reason, quotes included.
    pub reason: Option<Span>,
    /// Its last day.
    pub until: Option<(jiff::civil::Date, Span)>,
    /// The statement itself.
    pub span: Span,
    /// The statement that it stands in: findings in there are silenced.
    pub inside: Span,
    /// The element it is said of, for findings about it that are written elsewhere.
    pub owner: Owner,
}

/// What an [`Allow`] is said of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// Everything.
    Topology,
    /// All that stands in a box.
    Scope(ScopeId),
    /// A node with its operations and calls.
    Node(NodeId),
    /// An operation with its calls.
    Operation(OperationId),
    /// A call.
    Call(CallId),
    /// The calls that follow a policy.
    Policy(PolicyId),
}

/// A whole topology.
#[derive(Debug, Default)]
pub struct Topology {
    /// Its name: stated, or that of its root file.
    pub name: String,
    /// Nodes.
    pub nodes: Vec<Node>,
    /// Operations.
    pub operations: Vec<Operation>,
    /// Calls.
    pub calls: Vec<Call>,
    /// Boxes, outermost first: the topology itself is the first.
    pub scopes: Vec<Scope>,
    /// Policies.
    pub policies: Vec<Policy>,
    /// Facts about links.
    pub links: Vec<Link>,
    /// Suppressions.
    pub allows: Vec<Allow>,
    /// Vertices are operations, edges calls, with the same numbers: what is asked of all in turn lies close together.
    /// INVARIANT: a vertex has the node of its operation and its kind, an edge the ends of its call.
    pub(crate) graph: Graph<Vertex, (), Directed, u32>,
    pub(super) by_name: IdMap<Name, NodeId>,
    pub(super) operations_by_name: IdMap<(NodeId, Option<Name>), OperationId>,
    pub(super) policies_by_name: IdMap<Name, PolicyId>,
    /// How many calls of one name there are.
    pub(super) twins: IdMap<(OperationId, OperationId, Arrow), u32>,
    pub(super) names: Names,
    pub(super) stated: StatedIndex,
}

/// Names, each held once.
#[derive(Debug, Default)]
pub(super) struct Names(IndexSet<Box<str>>);

impl Names {
    pub(super) fn intern(&mut self, name: &str) -> Name {
        let index = self.0.get_index_of(name).unwrap_or_else(|| self.0.insert_full(name.into()).0);
        Name::at(index)
    }

    pub(super) fn find(&self, name: &str) -> Option<Name> {
        self.0.get_index_of(name).map(Name::at)
    }

    fn text(&self, name: Name) -> &str {
        self.0.get_index(name.index()).map_or("", |text| text)
    }
}

#[allow(clippy::indexing_slicing, reason = "numbers are made only by the columns they index, which never shrink")]
impl Topology {
    /// The node with this number.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// The operation with this number.
    #[must_use]
    pub fn operation(&self, id: OperationId) -> &Operation {
        &self.operations[id.index()]
    }

    /// The call with this number.
    #[must_use]
    pub fn call(&self, id: CallId) -> &Call {
        &self.calls[id.index()]
    }

    /// The box with this number.
    #[must_use]
    pub fn scope(&self, id: ScopeId) -> &Scope {
        &self.scopes[id.index()]
    }

    /// The policy with this number.
    #[must_use]
    pub fn policy(&self, id: PolicyId) -> &Policy {
        &self.policies[id.index()]
    }

    /// The node that has an operation.
    #[must_use]
    pub fn node_of(&self, operation: OperationId) -> &Node {
        self.node(self.node_id_of(operation))
    }

    /// The number of the node that has an operation.
    #[must_use]
    pub fn node_id_of(&self, operation: OperationId) -> NodeId {
        self.graph[NodeIndex::from(operation.0)].node
    }

    /// What the node is that has an operation.
    #[must_use]
    pub fn kind_of(&self, operation: OperationId) -> ElementKind {
        self.graph[NodeIndex::from(operation.0)].kind
    }

    /// The operation that makes a call.
    #[must_use]
    pub fn caller(&self, call: CallId) -> OperationId {
        OperationId::at(self.graph.raw_edges()[call.index()].source().index())
    }

    /// The operation that is called.
    #[must_use]
    pub fn callee(&self, call: CallId) -> OperationId {
        OperationId::at(self.graph.raw_edges()[call.index()].target().index())
    }

    /// A box and all around it, innermost first.
    pub fn outwards(&self, from: ScopeId) -> impl Iterator<Item = ScopeId> + '_ {
        std::iter::successors(Some(from), |id| self.scope(*id).parent)
    }

    /// The node that calls.
    #[must_use]
    pub fn caller_node(&self, call: CallId) -> NodeId {
        self.node_id_of(self.caller(call))
    }

    /// The node that is called.
    #[must_use]
    pub fn callee_node(&self, call: CallId) -> NodeId {
        self.node_id_of(self.callee(call))
    }

    /// Numbers of all nodes.
    pub fn node_ids(&self) -> impl DoubleEndedIterator<Item = NodeId> + ExactSizeIterator + use<> {
        (0..self.nodes.len()).map(NodeId::at)
    }

    /// Numbers of all operations.
    pub fn operation_ids(&self) -> impl DoubleEndedIterator<Item = OperationId> + ExactSizeIterator + use<> {
        (0..self.operations.len()).map(OperationId::at)
    }

    /// Numbers of all calls.
    pub fn call_ids(&self) -> impl DoubleEndedIterator<Item = CallId> + ExactSizeIterator + use<> {
        (0..self.calls.len()).map(CallId::at)
    }

    /// The calls that an operation makes, fallbacks included, in no particular order; its body has the order.
    pub fn calls_from(&self, operation: OperationId) -> impl Iterator<Item = CallId> + '_ {
        self.graph.edges(operation.0.into()).map(|edge| CallId::at(petgraph::visit::EdgeRef::id(&edge).index()))
    }

    /// The calls that arrive at an operation.
    pub fn calls_to(&self, operation: OperationId) -> impl Iterator<Item = CallId> + '_ {
        let edges = self.graph.edges_directed(operation.0.into(), petgraph::Direction::Incoming);
        edges.map(|edge| CallId::at(petgraph::visit::EdgeRef::id(&edge).index()))
    }

    /// The node of that name.
    #[must_use]
    pub fn node_named(&self, name: &str) -> Option<NodeId> {
        self.by_name.get(&self.names.find(name)?).copied()
    }

    /// The operation of that name; a node alone means its unnamed operation.
    #[must_use]
    pub fn operation_named(&self, path: &str) -> Option<OperationId> {
        let (node, operation) = path.split_once('.').map_or((path, None), |(node, operation)| (node, Some(operation)));
        let name = match operation {
            Some(operation) => Some(self.names.find(operation)?),
            None => None,
        };
        self.operations_by_name.get(&(self.node_named(node)?, name)).copied()
    }

    /// What a name says.
    #[must_use]
    pub fn text(&self, name: Name) -> &str {
        self.names.text(name)
    }

    /// The name of a node.
    #[must_use]
    pub fn node_name(&self, id: NodeId) -> &str {
        self.text(self.node(id).name)
    }

    /// `orders.place`, or `orders` for an unnamed operation.
    #[must_use]
    pub fn operation_name(&self, id: OperationId) -> String {
        self.operation_words(id).concat()
    }

    fn operation_words(&self, id: OperationId) -> [&str; 3] {
        let operation = self.operation(id);
        let node = self.node_name(operation.node);
        operation.name.map_or([node, "", ""], |name| [node, ".", self.text(name)])
    }

    /// `gateway.checkout->orders.place`.
    #[must_use]
    pub fn call_name(&self, id: CallId) -> String {
        let call = self.call(id);
        let arrow = if call.arrow == Arrow::Sync { "->" } else { "->>" };
        [self.operation_words(call.from), [arrow, "", ""], self.operation_words(call.to)].as_flattened().concat()
    }

    /// Its name and which one it is among calls of that name: `a->b#0`.
    #[must_use]
    pub fn call_identity(&self, id: CallId) -> String {
        format!("{}#{}", self.call_name(id), self.call(id).nth)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Request => "request",
            Self::Startup => "startup",
            Self::Recovery => "recovery",
            Self::Deploy => "deploy",
            Self::Observe => "observe",
        })
    }
}
