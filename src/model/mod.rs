//! The topology that a diagram states: what is declared, what is said of it, which statement decides. Three-valued
//! throughout: a value, known to be none, or unknown. Computes nothing; that is what `analysis` is for.

mod cascade;
mod check;
mod clients;
mod lower;
mod project;
mod setting;
mod stated;
mod topology;
mod units;
mod values;

pub use cascade::{Answer, Cascade, DefaultsFor, Origin, Scope, ScopeKind, Stated};
pub use clients::{Client, ClientDefault, ClientKind, Clients};
pub use lower::{lower, read_alone, read_default};
pub(crate) use project::join;
pub use project::{File, FileError, Files, Limits, Loader, Project, is_pattern};
pub use setting::{Reference, Setting, Settings, State};
pub use topology::{
    Allow, Between, Call, CallId, Fallback, Link, Name, Node, NodeId, Operation, OperationId, Owner, Phase, Policy,
    PolicyId, ScopeId, Step, Topology, Vertex,
};
pub use units::Duration;
pub use values::Datum;
