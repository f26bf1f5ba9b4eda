//! The first pass: every name gets its element, so that order never matters for references.

use super::{Lowering, Said};
use crate::diagnostic::Diagnostic;
use crate::model::topology::{Name, Node, NodeId, Operation, OperationId, Policy, PolicyId, ScopeId, Vertex};
use crate::model::{Scope, ScopeKind, Settings};
use crate::source::Span;
use crate::syntax::{Plain, Statement, Value, ValueKind};
use crate::vocabulary::{ElementKind, Key, Places, suggest};

/// The longest name, so that no message and no path is ever long.
const MAX_NAME: usize = 200;

impl<'a> Lowering<'a> {
    /// Declares what the files of the project say, the included ones where their include stands. Keeps its own stack:
    /// a chain of includes may be long.
    pub(super) fn declare_files(&mut self) {
        let project = self.project;
        let mut stack: Vec<OpenFile<'a>> = self.open_file(&project.root, None).into_iter().collect();
        while let Some(mut file) = stack.pop() {
            match file.statements.next() {
                None => self.pending.scopes.push((file.scope, Places::FILE, file.rest)),
                Some(statement) => {
                    let (scope, shared) = (file.scope, file.shared);
                    let included = self.declare_statement(statement, scope, Places::FILE, shared, &mut file.rest);
                    stack.push(file);
                    let paths = included.and_then(|span| project.includes.get(&span)).into_iter().flatten();
                    let opened: Vec<OpenFile<'a>> =
                        paths.filter_map(|path| self.open_file(path, Some(shared))).collect();
                    stack.extend(opened.into_iter().rev());
                }
            }
        }
    }

    /// `root` is the scope with the `defaults` of the root file, for the files that it includes.
    fn open_file(&mut self, path: &str, root: Option<ScopeId>) -> Option<OpenFile<'a>> {
        let loader = self.loader;
        let file = loader.loaded(path).ok()?;
        let tree = file.tree(self.sources);
        for span in &tree.unread {
            self.remember_unread(*span);
        }
        let span = Span { source: file.source, start: 0, end: 0 };
        let scope = self.scope(Some(root.unwrap_or(ScopeId(0))), ScopeKind::File, None, span);
        let shared = root.unwrap_or_else(|| self.scope(Some(ScopeId(0)), ScopeKind::Root, None, span));
        if root.is_none() {
            let defaults =
                tree.statements.iter().filter_map(|statement| self.plain_named(statement, ElementKind::Defaults));
            let defaults: Vec<_> = defaults.map(|plain| (shared, plain)).collect();
            self.pending.defaults.extend(defaults);
        }
        let end = self.sources.get(file.source).map_or(0, |source| source.text.len());
        let whole = Span { end: u32::try_from(end).unwrap_or(u32::MAX), ..span };
        let rest = Said { statements: Vec::new(), inside: whole, flawed: false };
        Some(OpenFile { statements: tree.statements.iter(), scope, shared, rest })
    }

    fn plain_named(&self, statement: &'a Statement, kind: ElementKind) -> Option<&'a Plain> {
        match statement {
            Statement::Plain(plain) if self.text(plain.name) == kind.name() => Some(plain),
            _ => None,
        }
    }

    fn scope(
        &mut self,
        parent: Option<ScopeId>,
        kind: ScopeKind,
        name: Option<crate::model::Name>,
        span: Span,
    ) -> ScopeId {
        let id = ScopeId::at(self.topology.scopes.len());
        self.topology.scopes.push(Scope { name, ..Scope::new(kind, parent, span) });
        id
    }

    /// The statements of a group.
    fn declare_group_block(&mut self, said: &Said<'a>, scope: ScopeId, shared: ScopeId) {
        let mut rest = Said { statements: Vec::new(), ..said.clone() };
        for &statement in &said.statements {
            self.declare_statement(statement, scope, Places::GROUP, shared, &mut rest);
        }
        self.pending.scopes.push((scope, Places::GROUP, rest));
    }

    /// One statement of a file or group; the place of it, if it includes files.
    fn declare_statement(
        &mut self,
        statement: &'a Statement,
        scope: ScopeId,
        place: Places,
        shared: ScopeId,
        rest: &mut Said<'a>,
    ) -> Option<Span> {
        let Statement::Plain(plain) = statement else {
            self.pending.arrows.push((scope, statement));
            return None;
        };
        let word = self.text(plain.name);
        let kind = ElementKind::named(word).filter(|kind| kind.element().on.intersects(place));
        match kind {
            Some(ElementKind::Topology) => self.declare_topology(plain),
            Some(ElementKind::Include) => {
                self.check_include(plain);
                return Some(plain.span);
            }
            Some(ElementKind::Group) => self.declare_group(plain, scope, shared),
            Some(ElementKind::Policy) => self.declare_policy(plain),
            Some(ElementKind::Defaults) => self.pending.defaults.push((scope, plain)),
            Some(ElementKind::Network) => self.pending.networks.push(plain),
            Some(kind) if kind.is_node() => self.declare_nodes(plain, kind, scope),
            _ => {
                if plain.block.is_some() && Key::named(word).is_none() && nearly_defaults(word) {
                    self.pending.misspelt.push((scope, plain));
                }
                rest.statements.push(statement);
            }
        }
        None
    }

    fn declare_topology(&mut self, plain: &'a Plain) {
        if let Some((name, label)) = self.name_and_label(plain, &plain.values) {
            let name = label.unwrap_or(name);
            self.topology.name = crate::syntax::unescape(self.text(name)).into_owned();
        }
        let mut said = said(plain);
        let defaults =
            said.statements.iter().filter_map(|statement| self.plain_named(statement, ElementKind::Defaults));
        let defaults: Vec<_> = defaults.map(|plain| (ScopeId(0), plain)).collect();
        said.statements.retain(|statement| self.plain_named(statement, ElementKind::Defaults).is_none());
        self.pending.defaults.extend(defaults);
        self.pending.scopes.push((ScopeId(0), Places::TOPOLOGY, said));
    }

    fn check_include(&mut self, plain: &Plain) {
        if plain.values.len() != 1 || plain.values.iter().any(|value| value.kind != ValueKind::Text) {
            let diagnostic = Diagnostic::new(plain.head(), "`include` takes one path in double quotes")
                .help("write `include \"payments/*.topo\"`");
            self.problem("wrong-value", diagnostic);
        }
    }

    fn declare_group(&mut self, plain: &'a Plain, scope: ScopeId, shared: ScopeId) {
        let name = self.name_and_label(plain, &plain.values);
        let interned = name.map(|(name, _)| self.topology.names.intern(self.sources.text(name)));
        let inner = self.scope(Some(scope), ScopeKind::Group, interned, name.map_or(plain.name, |(name, _)| name));
        if let Some(group) = self.topology.scopes.get_mut(inner.index()) {
            group.label = name.and_then(|(_, label)| label);
        }
        self.declare_group_block(&said(plain), inner, shared);
    }

    fn declare_policy(&mut self, plain: &'a Plain) {
        let Some((span, _)) = self.name_and_label(plain, &plain.values) else { return };
        let name = self.topology.names.intern(self.text(span));
        if let Some(first) = self.topology.policies_by_name.get(&name).map(|id| self.topology.policy(*id).span) {
            self.duplicate(span, first, "policy");
            return;
        }
        let id = PolicyId::at(self.topology.policies.len());
        self.topology.policies_by_name.insert(name, id);
        self.topology.policies.push(Policy { name, span, settings: Settings::default(), used: false });
        self.pending.policies.push((id, said(plain)));
    }

    fn declare_nodes(&mut self, plain: &'a Plain, kind: ElementKind, scope: ScopeId) {
        match plain.values.first() {
            None => drop(self.name_and_label(plain, &[])),
            Some(first) if first.comma => {
                let comma = Span { start: plain.name.end, end: first.span.start, ..first.span };
                self.problem("syntax", crate::syntax::stray_comma(comma));
            }
            Some(_) => {}
        }
        for group in plain.groups() {
            let Some((span, label)) = self.name_and_label(plain, group) else { continue };
            let Some(id) = self.declare_node(span, label, kind, scope) else {
                // What the second declaration says is not read.
                self.remember_unread(plain.span);
                continue;
            };
            let mut body = said(plain);
            self.declare_operations(id, kind, &mut body);
            self.pending.nodes.push((id, body));
        }
    }

    fn declare_node(&mut self, span: Span, label: Option<Span>, kind: ElementKind, scope: ScopeId) -> Option<NodeId> {
        let name = self.topology.names.intern(self.text(span));
        if let Some(first) = self.topology.by_name.get(&name).map(|id| self.topology.node(*id).span) {
            self.duplicate(span, first, "node");
            return None;
        }
        let id = NodeId::at(self.topology.nodes.len());
        self.topology.by_name.insert(name, id);
        self.topology.nodes.push(Node {
            name,
            kind,
            label,
            span,
            scope,
            inner: None,
            settings: Settings::default(),
            operations: Vec::new(),
            declares: false,
            mentioned: false,
        });
        for operation in kind.element().operations {
            let name = self.topology.names.intern(operation);
            self.new_operation(id, Some(name), span);
        }
        Some(id)
    }

    /// Takes the declarations of operations and the `defaults` out of the body of a node.
    fn declare_operations(&mut self, id: NodeId, kind: ElementKind, body: &mut Said<'a>) {
        let may_declare = ElementKind::Operation.element().on.intersects(kind.element().opens);
        body.statements.retain(|statement| {
            if let Some(plain) = self.plain_named(statement, ElementKind::Operation).filter(|_| may_declare) {
                self.declare_operation(id, plain);
            } else if let Some(plain) = self.plain_named(statement, ElementKind::Defaults) {
                let scope = self.inner_scope(id);
                self.pending.defaults.push((scope, plain));
            } else {
                return true;
            }
            false
        });
    }

    fn inner_scope(&mut self, id: NodeId) -> ScopeId {
        let node = self.topology.node(id);
        if let Some(scope) = node.inner {
            return scope;
        }
        let (parent, name, span) = (node.scope, node.name, node.span);
        let scope = self.scope(Some(parent), ScopeKind::Node, Some(name), span);
        if let Some(node) = self.topology.nodes.get_mut(id.index()) {
            node.inner = Some(scope);
        }
        scope
    }

    fn declare_operation(&mut self, node: NodeId, plain: &'a Plain) {
        let Some((span, _)) = self.name_and_label(plain, &plain.values) else { return };
        let text = self.text(span);
        let name = self.topology.names.intern(text);
        let existing = self.topology.operations_by_name.get(&(node, Some(name))).copied();
        let own = self.topology.node(node).kind.element().operations.contains(&text);
        let id = match existing {
            Some(id) if own && self.topology.operation(id).span == self.topology.node(node).span => {
                if let Some(operation) = self.topology.operations.get_mut(id.index()) {
                    operation.span = span;
                }
                id
            }
            Some(id) => {
                let first = self.topology.operation(id).span;
                self.duplicate(span, first, "operation");
                return;
            }
            None => self.new_operation(node, Some(name), span),
        };
        if let Some(node) = self.topology.nodes.get_mut(node.index()) {
            node.declares = true;
        }
        self.pending.operations.push((id, said(plain)));
    }

    pub(super) fn new_operation(&mut self, node: NodeId, name: Option<Name>, span: Span) -> OperationId {
        let id = OperationId::at(self.topology.operations.len());
        self.topology.operations.push(Operation { node, name, span, settings: Settings::default(), body: Vec::new() });
        self.topology.operations_by_name.insert((node, name), id);
        let kind = self.topology.node(node).kind;
        self.topology.graph.add_node(Vertex { node, kind });
        if let Some(node) = self.topology.nodes.get_mut(node.index()) {
            node.operations.push(id);
        }
        id
    }

    fn duplicate(&mut self, span: Span, first: Span, what: &str) {
        let name = self.text(span);
        let diagnostic = Diagnostic::new(span, format!("there are two of the {what} `{name}`"))
            .at("declared again here")
            .label(first, "first declared here")
            .help("names are flat over all files: rename one, or remove it");
        self.problem("duplicate-name", diagnostic);
    }

    /// `NAME ["label"]`, or what is wrong with it.
    fn name_and_label(&mut self, plain: &Plain, values: &[Value]) -> Option<(Span, Option<Span>)> {
        let word = self.text(plain.name);
        let is_name = |value: &Value| {
            matches!(value.kind, ValueKind::Path | ValueKind::Quantile) && !self.text(value.span).contains('.')
        };
        let example = || format!("write `{word} orders \"Orders\"`");
        match values {
            [] => {
                // What was there could not be read, and has been reported.
                if !plain.flawed {
                    self.problem(
                        "wrong-value",
                        Diagnostic::new(plain.name.after(), format!("`{word}` needs a name")).help(example()),
                    );
                }
                None
            }
            [name, ..] if !is_name(name) => {
                self.remember_unread(plain.head());
                let text = self.text(name.span);
                let diagnostic = Diagnostic::new(name.span, format!("`{text}` is no name for a {word}"));
                self.problem(
                    "wrong-value",
                    diagnostic
                        .help("a name has ASCII letters, digits, `_` and `-`, and no dot: names are flat")
                        .help(example()),
                );
                None
            }
            [name, ..] if name.span.len() > MAX_NAME => {
                self.remember_unread(plain.head());
                let diagnostic = Diagnostic::new(name.span, format!("this name has more than {MAX_NAME} characters"));
                self.problem("wrong-value", diagnostic.help("give it a short name and a long label"));
                None
            }
            [name] => Some((name.span, None)),
            [name, label] if label.kind == ValueKind::Text => Some((name.span, Some(label.span))),
            [name, label, more, ..] if label.kind == ValueKind::Text => {
                let text = self.text(more.span);
                let diagnostic =
                    Diagnostic::new(more.span, format!("a {word} takes a name and a label, so `{text}` is too much"));
                self.problem("wrong-value", diagnostic.help("remove it, or end the statement before it with `;`"));
                Some((name.span, Some(label.span)))
            }
            [name, second, ..] => {
                let text = self.text(second.span);
                let diagnostic = Diagnostic::new(second.span, format!("`{text}` cannot follow the name of a {word}"));
                self.problem(
                    "wrong-value",
                    diagnostic.help(format!(
                        "a label stands in quotes: `{word} {} \"{text}\"`",
                        self.sources.text(name.span)
                    )),
                );
                Some((name.span, None))
            }
        }
    }
}

/// A file whose statements are being declared.
struct OpenFile<'a> {
    statements: std::slice::Iter<'a, Statement>,
    scope: ScopeId,
    /// The scope with the `defaults` of the root file.
    shared: ScopeId,
    /// What is said of the file itself.
    rest: Said<'a>,
}

/// Whether a word was most likely meant to be `defaults`.
fn nearly_defaults(word: &str) -> bool {
    word != ElementKind::Defaults.name() && suggest(word, [ElementKind::Defaults.name()]).len() == 1
}

/// What a block says.
pub(super) fn said(plain: &Plain) -> Said<'_> {
    let statements = plain.block.iter().flat_map(|block| &block.statements).collect();
    let flawed = plain.flawed || plain.block.as_ref().is_some_and(|block| block.flawed);
    Said { statements, inside: plain.span, flawed }
}
