//! From trees to a topology: declare everything, then read what is said of it, then connect the calls. Never fails:
//! what cannot be understood costs one problem, and nothing complains about a name that stands in unread text.

mod connect;
mod declare;
mod names;
mod read;
mod words;

use std::collections::HashSet;

pub use read::{read_alone, read_default};

use super::clients::Clients;
use super::project::{Loader, Project};
use super::topology::{NodeId, OperationId, Owner, PolicyId, ScopeId, Topology};
use super::{Scope, ScopeKind, check};
use crate::diagnostic::{Diagnostic, Problem};
use crate::source::{SourceMap, Span};
use crate::syntax::{self, Plain, Statement};
use crate::vocabulary::Places;

/// Builds the topology of a project that `loader` has read.
#[must_use]
pub fn lower(loader: &Loader<'_>, project: &Project, clients: &Clients) -> (Topology, Vec<Problem>) {
    let mut lowering = Lowering {
        loader,
        sources: &loader.sources,
        project,
        clients,
        topology: Topology::default(),
        problems: project.problems.clone(),
        unread: HashSet::new(),
        pending: Pending::default(),
        conflicts: HashSet::new(),
        suggested: 0,
    };
    lowering.run();
    (lowering.topology, lowering.problems)
}

struct Lowering<'a> {
    loader: &'a Loader<'a>,
    sources: &'a SourceMap,
    project: &'a Project,
    clients: &'a Clients,
    topology: Topology,
    problems: Vec<Problem>,
    /// Words in what could not be read.
    unread: HashSet<&'a str>,
    pending: Pending<'a>,
    /// What a `use` names and is known to contradict what it named before.
    conflicts: HashSet<(Span, PolicyId)>,
    suggested: usize,
}

/// What was declared and is still to be read.
#[derive(Default)]
struct Pending<'a> {
    scopes: Vec<(ScopeId, Places, Said<'a>)>,
    defaults: Vec<(ScopeId, &'a Plain)>,
    /// Blocks whose word is nearest to `defaults`.
    misspelt: Vec<(ScopeId, &'a Plain)>,
    policies: Vec<(PolicyId, Said<'a>)>,
    nodes: Vec<(NodeId, Said<'a>)>,
    operations: Vec<(OperationId, Said<'a>)>,
    networks: Vec<&'a Plain>,
    /// Arrows and step blocks outside of any node, in reading order.
    arrows: Vec<(ScopeId, &'a Statement)>,
}

/// The statements of one block that are still to be read.
#[derive(Clone, Default)]
struct Said<'a> {
    statements: Vec<&'a Statement>,
    /// The statement that the block belongs to.
    inside: Span,
    flawed: bool,
}

impl<'a> Lowering<'a> {
    fn run(&mut self) {
        self.topology.scopes.push(Scope::new(ScopeKind::Topology, None, Span::default()));
        self.topology.name = stem(&self.project.root);
        self.declare_files();
        self.read_all();
        self.connect_all();
        self.topology.index_stated();
        let checked = check::check(&self.topology, self.sources, &self.unread);
        self.problems.extend(checked);
    }

    fn text(&self, span: Span) -> &'a str {
        self.sources.text(span)
    }

    fn problem(&mut self, rule: &'static str, diagnostic: Diagnostic) {
        self.problems.push(Problem::new(rule, diagnostic));
    }

    /// Remembers the words of what could not be read: nothing is known of them.
    fn remember_unread(&mut self, span: Span) {
        let words = self.sources.text(span).split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')));
        let names = words.flat_map(|word| word.split("--")).map(|name| name.trim_matches('-'));
        self.unread.extend(names.filter(|name| !name.is_empty()));
    }

    /// Registers an `allow` that was read.
    fn own_allows(&mut self, first: usize, owner: Owner) {
        for allow in self.topology.allows.iter_mut().skip(first) {
            allow.owner = owner;
        }
    }
}

/// The name of a file without folder and ending.
fn stem(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.strip_suffix(".topo").unwrap_or(file).to_owned()
}

/// Whether a text in quotes says something.
fn says_something(sources: &SourceMap, quoted: Span) -> bool {
    !syntax::unescape(sources.text(quoted)).trim().is_empty()
}
