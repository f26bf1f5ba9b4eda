//! Names: which node or operation a reference means, and what to say when there is none.

use super::Lowering;
use crate::diagnostic::Diagnostic;
use crate::model::Settings;
use crate::model::topology::{Call, CallId, NodeId, OperationId, Phase, Step};
use crate::source::Span;
use crate::syntax::Arrow;
use crate::vocabulary::{ElementKind, did_you_mean, suggest};

/// So many unknown names get a suggestion: looking for one costs a look at every name.
pub(super) const MAX_SUGGESTIONS: usize = 50;

impl Lowering<'_> {
    pub(super) fn unnamed(&mut self, node: NodeId) -> OperationId {
        if let Some(id) = self.topology.operations_by_name.get(&(node, None)) {
            *id
        } else {
            let span = self.topology.node(node).span;
            self.new_operation(node, None, span)
        }
    }

    /// The operation that an arrow points to.
    pub(super) fn find_operation(&mut self, path: Span) -> Option<OperationId> {
        let (name, operation) = self.split(path);
        let node = self.find_node(name, path)?;
        if let Some(operation) = operation {
            return self.operation_of(node, operation, path);
        }
        match self.topology.node(node).kind {
            ElementKind::Queue => {
                self.topology.operations_by_name.get(&(node, self.topology.names.find("publish"))).copied()
            }
            ElementKind::Store | ElementKind::Cache => Some(self.any_operation(node)),
            _ if self.topology.node(node).declares => {
                self.ambiguous(node, path, "is called");
                None
            }
            _ => Some(self.unnamed(node)),
        }
    }

    /// A bare arrow to a store or cache means all its operations, the most dangerous deciding.
    pub(super) fn any_operation(&mut self, node: NodeId) -> OperationId {
        if let Some(id) = self.topology.operations_by_name.get(&(node, None)) {
            return *id;
        }
        let all = self.topology.node(node).operations.clone();
        let (span, scope) = (self.topology.node(node).span, self.topology.node(node).scope);
        let id = self.new_operation(node, None, span);
        let mut branches = Vec::new();
        for to in all {
            branches.push(Step::Call(CallId::at(self.topology.calls.len())));
            self.add_call(Call {
                from: id,
                to,
                arrow: Arrow::Sync,
                nth: 0,
                span,
                statement: span,
                label: None,
                settings: Settings::default(),
                scope,
                policies: Vec::new(),
                fallback: None,
                phase: Phase::Request,
                fallback_of: None,
                implied: true,
            });
        }
        self.append(id, vec![Step::OneOf(branches)]);
        id
    }

    pub(super) fn operation_of(&mut self, node: NodeId, operation: Span, path: Span) -> Option<OperationId> {
        let text = self.text(operation);
        let found = self
            .topology
            .names
            .find(text)
            .and_then(|name| self.topology.operations_by_name.get(&(node, Some(name))).copied());
        if found.is_none() {
            let name = self.topology.node_name(node).to_owned();
            // Listing all of them again and again would take the square of their number.
            let listed = if self.suggested < MAX_SUGGESTIONS { usize::MAX } else { 1 };
            let operations = self.topology.node(node).operations.iter().take(listed);
            let known: Vec<String> = operations
                .filter_map(|id| self.topology.operation(*id).name)
                .map(|name| format!("{}.{}", self.topology.node_name(node), self.topology.text(name)))
                .collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let help = match (known.is_empty(), self.topology.node(node).kind) {
                (true, ElementKind::Service | ElementKind::External) => {
                    format!("declare it: `operation {text}` in the block of `{name}`")
                }
                (true, kind) => format!("a {} has no operations to name: write `{name}`", kind.name()),
                (false, _) => {
                    format!("it has {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
                }
            };
            if !self.unread.contains(text) {
                self.unknown_name(path, &format!("{name}.{text}"), "operation", &known, &help);
            }
        }
        found
    }

    pub(super) fn ambiguous(&mut self, node: NodeId, place: Span, does_what: &str) {
        let name = self.topology.node_name(node).to_owned();
        let operations = self.list_operations(node);
        let diagnostic = Diagnostic::new(place, format!("which operation of `{name}` {does_what}?"))
            .label(self.topology.node(node).span, "declares operations, so an arrow names one")
            .help(format!("it has {operations}"));
        self.problem("missing-operation", diagnostic);
    }

    /// Of a node with very many operations, no more are looked at than are named: there may be as many mistakes.
    pub(super) fn list_operations(&self, node: NodeId) -> String {
        let operations = &self.topology.node(node).operations;
        let unnamed = usize::from(self.topology.operations_by_name.contains_key(&(node, None)));
        let count = operations.len() - unnamed;
        let shown = if count > 9 { 8 } else { count };
        let named = operations.iter().copied().filter(|id| self.topology.operation(*id).name.is_some());
        let names: Vec<String> =
            named.take(shown).map(|id| format!("`{}`", self.topology.operation_name(id))).collect();
        let names = names.join(", ");
        if count > shown { format!("{names} and {} more", count - shown) } else { names }
    }

    /// `node` and `operation` of a path. What follows a second dot is part of the operation's name, which no name has.
    pub(super) fn split(&self, path: Span) -> (Span, Option<Span>) {
        match self.text(path).find('.') {
            None => (path, None),
            Some(dot) => {
                let dot = path.start + u32::try_from(dot).unwrap_or(0);
                (Span { end: dot, ..path }, Some(Span { start: dot + 1, ..path }))
            }
        }
    }

    /// The node of that name.
    pub(super) fn find_node(&mut self, name: Span, path: Span) -> Option<NodeId> {
        let text = self.text(name);
        let Some(id) = self.topology.node_named(text) else {
            let topology = std::mem::take(&mut self.topology);
            let wanted = self.suggested < MAX_SUGGESTIONS;
            let known: Vec<&str> =
                topology.node_ids().take_while(|_| wanted).map(|id| topology.node_name(id)).collect();
            let near = self.unknown_name(name, text, "node", &known, &format!("declare it: `service {text}`"));
            self.topology = topology;
            for id in near.iter().filter_map(|name| self.topology.node_named(name)).collect::<Vec<_>>() {
                self.mention(id);
            }
            return None;
        };
        debug_assert!(path.contains(name), "a name lies in its path");
        self.mention(id);
        Some(id)
    }

    fn mention(&mut self, id: NodeId) {
        if let Some(node) = self.topology.nodes.get_mut(id.index()) {
            node.mentioned = true;
        }
    }

    /// A name that nothing declares. Silent where it stands in unread text; else the nearest names, which are probably
    /// meant.
    pub(super) fn unknown_name(
        &mut self,
        span: Span,
        name: &str,
        what: &str,
        candidates: &[&str],
        help: &str,
    ) -> Vec<String> {
        if self.unread.contains(name) {
            return Vec::new();
        }
        let mut diagnostic = Diagnostic::new(span, format!("there is no {what} `{name}`"));
        let near =
            if self.suggested < MAX_SUGGESTIONS { suggest(name, candidates.iter().copied()) } else { Vec::new() };
        self.suggested += 1;
        diagnostic = match did_you_mean(&near) {
            Some(question) => diagnostic.help(question),
            None => diagnostic.help(help),
        };
        if let [only] = near.as_slice() {
            let edit = crate::diagnostic::Edit { span, replacement: (*only).to_owned() };
            diagnostic = diagnostic.fix(format!("write `{only}`"), false, vec![edit]);
        }
        self.problem("unknown-name", diagnostic);
        near.into_iter().map(str::to_owned).collect()
    }
}
