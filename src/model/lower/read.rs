//! The second pass: what is said of every element, checked against the vocabulary.

use super::{Lowering, Said, says_something};
use crate::diagnostic::{Diagnostic, Edit, Problem};
use crate::model::cascade::DefaultsFor;
use crate::model::setting::{Reference, Setting, State};
use crate::model::topology::{Allow, Between, Name, NodeId, OperationId, Owner};
use crate::model::values::{self, Datum};
use crate::model::{Duration, Link, Settings};
use crate::source::{SourceMap, Span};
use crate::syntax::{self, Block, Plain, Statement, Value, ValueKind};
use crate::vocabulary::{Cascade, ElementKind, Form, Key, Places, Slot, did_you_mean, suggest};

/// A statement has at most so many values. Thousands inherit what a box says, and each of them looks at all of it.
const MOST_VALUES: usize = 1_024;

/// What was read of a block: what it says of its element, and the statements that are something else.
pub(super) struct Content<'a> {
    pub(super) settings: Settings,
    pub(super) rest: Vec<&'a Statement>,
}

/// What is divided by is more than zero: there is no schedule without time between runs, and no link that carries nothing.
fn above_zero(key: Key, span: Span, data: Vec<Datum>) -> Result<Vec<Datum>, Box<Problem>> {
    let is_zero = |datum: &Datum| match datum {
        Datum::Duration(time) => *time == Duration::ZERO,
        Datum::Bandwidth(bits) => *bits <= 0.0,
        _ => false,
    };
    if !matches!(key, Key::Every | Key::Bandwidth) || !data.iter().any(is_zero) {
        return Ok(data);
    }
    let diagnostic = Diagnostic::new(span, format!("`{key}` is more than zero"));
    Err(Box::new(Problem::new("wrong-value", diagnostic.help("leave it out where nothing is known of it"))))
}

impl<'a> Lowering<'a> {
    pub(super) fn read_all(&mut self) {
        for (id, place, said) in std::mem::take(&mut self.pending.scopes) {
            let owner = if place == Places::TOPOLOGY { Owner::Topology } else { Owner::Scope(id) };
            let content = self.content(&said, place, owner);
            if let Some(scope) = self.topology.scopes.get_mut(id.index()) {
                // What could not be read in a box is most likely not about all that is inside.
                scope.settings = content.settings;
                scope.settings.flawed = false;
            }
            // Arrows were taken out before; what is left over here is misplaced and has been reported.
        }
        for (scope, plain) in std::mem::take(&mut self.pending.defaults) {
            self.read_defaults(scope, plain);
        }
        for (scope, plain) in std::mem::take(&mut self.pending.misspelt) {
            let reported = self.problems.len();
            for statement in &super::declare::said(plain).statements {
                if let Statement::Plain(calls) = statement {
                    self.misspelt_defaults(scope, calls);
                }
            }
            self.problems.truncate(reported);
        }
        for (id, said) in std::mem::take(&mut self.pending.policies) {
            let content = self.content(&said, Places::CALL | Places::POLICY, Owner::Policy(id));
            if let Some(policy) = self.topology.policies.get_mut(id.index()) {
                policy.settings = content.settings;
            }
        }
        for plain in std::mem::take(&mut self.pending.networks) {
            self.read_network(plain);
        }
        let nodes = std::mem::take(&mut self.pending.nodes);
        self.pending.nodes = nodes.into_iter().map(|(id, said)| (id, self.read_node(id, &said))).collect();
        let operations = std::mem::take(&mut self.pending.operations);
        self.pending.operations =
            operations.into_iter().map(|(id, said)| (id, self.read_operation(id, &said))).collect();
    }

    /// What may stand on an operation may stand on a node that declares none; with operations, only what goes down.
    fn read_node(&mut self, id: NodeId, said: &Said<'a>) -> Said<'a> {
        let node = self.topology.node(id);
        let (kind, declares) = (node.kind, node.declares);
        let content = self.content(said, kind.element().opens | Places::OPERATION, Owner::Node(id));
        if declares {
            self.refuse_amounts(id, &content.settings);
        }
        if let Some(node) = self.topology.nodes.get_mut(id.index()) {
            node.settings = content.settings;
        }
        Said { statements: content.rest, ..*said }
    }

    /// A load is a total of one operation: on a node with several it says nothing.
    fn refuse_amounts(&mut self, id: NodeId, settings: &Settings) {
        use crate::vocabulary::Cascade::{Amount, Own};
        let place = self.topology.node(id).kind.element().opens;
        for setting in settings.iter() {
            let attribute = setting.key.attribute();
            if matches!(attribute.cascade, Amount | Own) && !attribute.on.intersects(place) {
                let name = self.topology.node_name(id).to_owned();
                let operations = self.list_operations(id);
                let message = format!("`{}` belongs to one operation, and `{name}` declares {operations}", setting.key);
                self.problem(
                    "misplaced-attribute",
                    Diagnostic::new(setting.span, message).help("write it in the block of the operation it is about"),
                );
            }
        }
    }

    fn read_operation(&mut self, id: OperationId, said: &Said<'a>) -> Said<'a> {
        let content = self.content(said, Places::OPERATION, Owner::Operation(id));
        if let Some(operation) = self.topology.operations.get_mut(id.index()) {
            operation.settings = content.settings;
        }
        Said { statements: content.rest, ..*said }
    }

    fn read_defaults(&mut self, scope: crate::model::ScopeId, plain: &'a Plain) {
        let shared = self.topology.scope(scope).kind == crate::model::ScopeKind::Root;
        let reported = self.problems.len();
        for statement in &super::declare::said(plain).statements {
            let Statement::Plain(kind) = statement else {
                let span = if let Statement::Call(call) = statement { call.head() } else { plain.name };
                self.problem(
                    "misplaced-attribute",
                    Diagnostic::new(span, "a call cannot be a default").help("write it where it is made"),
                );
                continue;
            };
            let word = self.text(kind.name);
            let (what, place) = match (word, ElementKind::named(word)) {
                ("call", _) => (DefaultsFor::Calls, Places::CALL),
                (_, Some(ElementKind::Operation)) => (DefaultsFor::Operations, Places::OPERATION),
                (_, Some(kind)) if kind.is_node() => {
                    (DefaultsFor::Nodes(kind), kind.element().opens | Places::OPERATION)
                }
                _ => {
                    let kinds = ["call", "operation", "client", "service", "store", "cache", "queue", "external"];
                    let diagnostic = Diagnostic::new(
                        kind.name,
                        format!("`defaults` are for calls, operations or a kind of node, not for `{word}`"),
                    );
                    let question =
                        did_you_mean(&suggest(word, kinds)).unwrap_or_else(|| beside_defaults(word).to_owned());
                    self.problem("unknown-attribute", diagnostic.help(question));
                    self.misspelt_defaults(scope, kind);
                    continue;
                }
            };
            let allows = self.topology.allows.len();
            let settings = self.content(&super::declare::said(kind), place, Owner::Scope(scope)).settings;
            if shared {
                self.topology.allows.truncate(allows);
            }
            self.keep_defaults(scope, what, settings);
        }
        // The defaults of a root file are read twice: for itself, and for what it includes.
        if shared {
            self.problems.truncate(reported);
        }
    }

    /// Adds defaults to a box; of two blocks that state the same, neither counts.
    fn keep_defaults(&mut self, scope: crate::model::ScopeId, what: DefaultsFor, more: Settings) {
        let Some(defaults) = self.topology.scopes.get_mut(scope.index()).map(|scope| &mut scope.defaults) else {
            return;
        };
        let Some(at) = defaults.iter().position(|(other, _)| *other == what) else {
            defaults.push((what, more));
            return;
        };
        let mut known = defaults.get_mut(at).map(|(_, settings)| std::mem::take(settings)).unwrap_or_default();
        known.flawed |= more.flawed;
        for setting in more.into_iter() {
            // Which of two would win may not depend on the order of declarations.
            known.forget(setting.key);
            if setting.state == State::Unreadable && known.get(setting.key).is_some() {
                continue; // that it cannot be read has been said
            }
            let name =
                Span { end: setting.span.start + u32::try_from(setting.key.name().len()).unwrap_or(0), ..setting.span };
            self.keep(setting, name, &mut known);
        }
        if let Some(slot) = self.topology.scopes.get_mut(scope.index()).and_then(|scope| scope.defaults.get_mut(at)) {
            slot.1 = known;
        }
    }

    /// Defaults of a kind that there is not: most likely of calls. What they say was meant, and is not known.
    fn misspelt_defaults(&mut self, scope: crate::model::ScopeId, kind: &'a Plain) {
        let (reported, allows) = (self.problems.len(), self.topology.allows.len());
        let mut settings = self.content(&super::declare::said(kind), Places::CALL, Owner::Topology).settings;
        self.problems.truncate(reported);
        self.topology.allows.truncate(allows);
        settings.forget_all();
        self.keep_defaults(scope, DefaultsFor::Calls, settings);
    }

    fn read_network(&mut self, plain: &'a Plain) {
        let said = super::declare::said(plain);
        let content = self.content(&said, Places::NETWORK, Owner::Topology);
        for statement in content.rest {
            let Statement::Plain(link) = statement else { continue };
            let Some(kind) = ElementKind::named(self.text(link.name)) else { continue };
            let word = kind.name();
            let data =
                match values::read(self.sources, word, link.head(), Form::of_element(kind.element()), &link.values) {
                    Ok(data) => data,
                    Err(problem) => {
                        self.problems.push(*problem);
                        continue;
                    }
                };
            let settings = self.content(&super::declare::said(link), Places::LINK, Owner::Topology).settings;
            let between = self.between(&data);
            self.topology.links.push(Link { between, span: link.head(), settings });
        }
    }

    fn between(&mut self, data: &[Datum]) -> Between {
        let names = data.iter().filter_map(|datum| if let Datum::Name(span) = datum { Some(*span) } else { None });
        let names: Vec<Name> =
            names.map(|span| self.topology.names.intern(&syntax::unescape(self.sources.text(span)))).collect();
        match names.as_slice() {
            [one, other] => Between::Named(*one, *other),
            _ if data.contains(&Datum::Word("zones")) => Between::Zones,
            _ if data.contains(&Datum::Word("regions")) => Between::Regions,
            _ => Between::OneZone,
        }
    }

    /// Reads the attributes of a block. What may stand there and is no attribute is handed back.
    pub(super) fn content(&mut self, said: &Said<'a>, place: Places, owner: Owner) -> Content<'a> {
        let mut content = Content { settings: Settings::default(), rest: Vec::new() };
        content.settings.flawed = said.flawed;
        content.settings.reserve(said.statements.iter().filter(|said| matches!(said, Statement::Plain(_))).count());
        let first_allow = self.topology.allows.len();
        let takes_calls =
            place.intersects(Places::STEPS | Places::OPERATION | Places::NODE | Places::GROUP | Places::FILE);
        for &statement in &said.statements {
            match statement {
                Statement::Call(_) if takes_calls => content.rest.push(statement),
                Statement::Call(call) => {
                    let diagnostic = Diagnostic::new(call.head(), "a call cannot stand here");
                    self.problem("misplaced-attribute", diagnostic.help("write it in the operation that makes it"));
                }
                Statement::Plain(plain) => {
                    let word = self.text(plain.name);
                    let structural = ElementKind::named(word);
                    if structural.is_some_and(|kind| kind.element().on.intersects(place)) {
                        content.rest.push(statement);
                    } else if let (Some(kind), None) = (structural, Key::named(word)) {
                        self.misplaced_element(plain, kind, place);
                    } else {
                        let written = Written {
                            name: plain.name,
                            values: &plain.values,
                            block: plain.block.as_deref(),
                            flawed: plain.flawed,
                        };
                        self.attribute(&written, place, said.inside, &mut content.settings);
                    }
                }
            }
        }
        self.own_allows(first_allow, owner);
        content.settings.complete();
        content
    }

    fn attribute(&mut self, written: &Written<'a>, place: Places, inside: Span, settings: &mut Settings) {
        let word = self.text(written.name);
        let Some(key) = Key::named(word) else { return self.unknown_attribute(written, place, settings) };
        if !key.attribute().on.intersects(place) {
            return self.misplaced_attribute(written.name, key, place);
        }
        if place.intersects(Places::POLICY) && key == Key::Use {
            return self.not_in_policy(written.name, key);
        }
        if key == Key::Allow {
            return self.allow(written, inside);
        }
        let (own, others) = self.split_statements(written, key, place);
        let setting = self.setting(key, &own, place);
        self.keep(setting, written.name, settings);
        for other in &others {
            self.attribute(other, place, inside, settings);
        }
    }

    /// `timeout 1s, retries 2` is two statements: one problem, both read.
    fn split_statements(&mut self, written: &Written<'a>, key: Key, place: Places) -> (Written<'a>, Vec<Written<'a>>) {
        let starts_attribute = |value: &Value| {
            value.comma
                && value.kind == ValueKind::Path
                && Key::named(self.text(value.span)).is_some_and(|key| key.attribute().on.intersects(place))
        };
        let whole = (Written { ..*written }, Vec::new());
        // In a list the same word may be a value: it starts a statement only where it cannot be one.
        let is_value = |at: usize| {
            let group = written.values.get(at..).and_then(|rest| rest.chunk_by(|_, next| !next.comma).next());
            key.attribute().list
                && group.is_some_and(|group| {
                    values::read(self.sources, key.name(), written.name, Form::of(key), group).is_ok()
                })
        };
        let starts = written.values.iter().enumerate().find(|(at, value)| starts_attribute(value) && !is_value(*at));
        let Some((at, _)) = starts else { return whole };
        let (own, rest) = written.values.split_at(at);
        let mut others = Vec::new();
        let mut rest = rest;
        while let Some((name, after)) = rest.split_first() {
            let next = after.iter().position(|value| value.comma).unwrap_or(after.len());
            let (values, more) = after.split_at(next);
            others.push(Written { name: name.span, values, block: None, flawed: false });
            rest = more;
        }
        if let Some(last) = others.last_mut() {
            (last.block, last.flawed) = (written.block, written.flawed);
        }
        let mut edits: Vec<Edit> = Vec::new();
        let mut end = own.last().map_or(written.name, |value| value.span).after();
        for other in &others {
            edits.push(Edit { span: Span { end: other.name.start, ..end }, replacement: "; ".to_owned() });
            end = other.values.last().map_or(other.name, |value| value.span).after();
        }
        let comma = edits.first().map_or(written.name, |edit| edit.span);
        let diagnostic = Diagnostic::new(comma, "attributes are separated by a line end or `;`, not by a comma");
        self.problem("syntax", diagnostic.help("write `;`").fix("write `;`", true, edits));
        (Written { name: written.name, values: own, block: None, flawed: false }, others)
    }

    /// Adds a setting; of two that say the same, the first stays.
    fn keep(&mut self, setting: Setting, name: Span, settings: &mut Settings) {
        let same = match setting.key {
            Key::Retries | Key::Attempts => [Key::Retries, Key::Attempts],
            Key::Link => return settings.push(setting),
            key => [key, key],
        };
        let Some(first) = same.iter().find_map(|key| settings.get(*key)) else { return settings.push(setting) };
        let message = if first.key == setting.key {
            format!("`{}` is stated twice", setting.key)
        } else {
            format!("`{}` and `{}` say the same", first.key, setting.key)
        };
        let diagnostic = Diagnostic::new(name, message)
            .at("stated again here")
            .label(first.span, "first stated here")
            .help("remove one of them");
        self.problem("duplicate-attribute", diagnostic);
    }

    fn setting(&mut self, key: Key, written: &Written<'a>, place: Places) -> Setting {
        let attribute = key.attribute();
        let span = written.values.last().map_or(written.name, |last| written.name.to(last.span));
        let mut setting = Setting::new(key, State::Unreadable, span);
        if let Some(block) = written.block {
            self.read_fields(&mut setting, block, place);
        }
        if let Some(first) = written.values.first().filter(|first| first.comma) {
            let comma = Span { start: written.name.end, end: first.span.start, ..first.span };
            self.problem("syntax", syntax::stray_comma(comma));
            return setting;
        }
        if written.flawed {
            return setting;
        }
        if let [only] = written.values
            && only.kind == ValueKind::Path
            && self.text(only.span) == "none"
        {
            if attribute.none.is_empty() {
                let diagnostic = Diagnostic::new(only.span, format!("`{key}` always exists, so it cannot be `none`"));
                self.problem("wrong-value", diagnostic.help("leave it out if it is not known"));
            } else {
                setting.state = State::None;
            }
            return setting;
        }
        if let [none, more, ..] = written.values
            && !attribute.none.is_empty()
            && none.kind == ValueKind::Path
            && self.text(none.span) == "none"
        {
            let text = self.text(more.span);
            let diagnostic =
                Diagnostic::new(more.span, format!("`{key} none` takes nothing more, so `{text}` is too much"));
            self.problem("wrong-value", diagnostic.help("remove it, or end the statement before it with `;`"));
            return setting;
        }
        match self.data(key, span, written.values).and_then(|data| above_zero(key, span, data)) {
            Ok(data) => setting.state = State::Given(data.into()),
            Err(problem) => {
                self.problems.push(*problem);
                return setting;
            }
        }
        if setting.names().next().is_some() {
            let names = setting.names().map(|span| syntax::unescape(self.sources.text(span)));
            setting.details_mut().texts = names.map(|text| self.topology.names.intern(&text)).collect();
        }
        self.resolve(&mut setting);
        self.refuse_clients(&setting, place);
        setting
    }

    fn data(&mut self, key: Key, span: Span, tokens: &[Value]) -> Result<Vec<Datum>, Box<Problem>> {
        let form = Form::of(key);
        if let Some(more) = tokens.get(MOST_VALUES) {
            let message = format!("`{key}` states {} values: there are at most {MOST_VALUES}", tokens.len());
            let help =
                "what is said of very many things is said of a box around them, or of a node that stands for them";
            return Err(Box::new(Problem::new("wrong-value", Diagnostic::new(more.span, message).help(help))));
        }
        if !key.attribute().list {
            if let Some(second) = tokens.iter().find(|value| value.comma) {
                let diagnostic = Diagnostic::new(second.span, format!("`{key}` takes one value, not a list"));
                return Err(Box::new(Problem::new("wrong-value", diagnostic.help("remove what follows the comma"))));
            }
            return values::read(self.sources, key.name(), span, form, tokens);
        }
        let read = |group| values::read(self.sources, key.name(), span, form, group);
        let mut groups = tokens.chunk_by(|_, next| !next.comma);
        let mut data = read(groups.next().unwrap_or_default())?;
        for group in groups {
            data.extend(read(group)?);
        }
        Ok(data)
    }

    /// The block of an attribute: its own attributes, or the calls of a fallback, which are connected later.
    fn read_fields(&mut self, setting: &mut Setting, block: &'a Block, place: Places) {
        let key = setting.key;
        let inner = key.attribute().block;
        let brace = Span { end: block.span.start + 1, ..block.span };
        if key == Key::Fallback {
            return;
        }
        if inner == Places::NONE || (key == Key::Idempotent && place == Places::CALL) {
            let diagnostic = Diagnostic::new(brace, format!("`{key}` has no block"));
            self.problem("syntax", diagnostic.help("end the statement before the `{`, or remove the block"));
            return;
        }
        let said = Said { statements: block.statements.iter().collect(), inside: block.span, flawed: block.flawed };
        let content = self.content(&said, inner, Owner::Topology);
        if !content.settings.as_slice().is_empty() {
            setting.details_mut().fields = content.settings.into_iter().collect();
        }
    }

    /// Looks up the names in a value.
    fn resolve(&mut self, setting: &mut Setting) {
        let State::Given(data) = &setting.state else { return };
        let names: Vec<(Slot, Span)> = data
            .iter()
            .filter_map(|datum| if let Datum::Reference(slot, span) = datum { Some((*slot, *span)) } else { None })
            .collect();
        let mut references = Vec::with_capacity(names.len());
        for (slot, span) in names {
            match self.lookup(slot, span) {
                Some(reference) => references.push(reference),
                None => setting.state = State::Unreadable,
            }
        }
        if !references.is_empty() {
            setting.details_mut().references = references.into();
        }
    }

    fn lookup(&mut self, slot: Slot, span: Span) -> Option<Reference> {
        let name = self.text(span);
        match slot {
            Slot::Client => {
                let found = self.clients.named(name);
                if found.is_none() {
                    let clients = self.clients;
                    let known: Vec<&str> = clients.rows.iter().map(|client| client.name.as_str()).collect();
                    let help =
                        format!("known are {}; state the values on the call for any other", super::words::list(&known));
                    self.unknown_name(span, name, "client in the table of defaults", &known, &help);
                }
                found.map(Reference::Client)
            }
            Slot::Policy => {
                let found =
                    self.topology.names.find(name).and_then(|name| self.topology.policies_by_name.get(&name).copied());
                if found.is_none() {
                    self.unknown_policy(span, name);
                }
                found.map(Reference::Policy)
            }
            Slot::Operation => self.find_operation(span).map(Reference::Operation),
            Slot::Queue => {
                let id = self.find_node(span, span)?;
                if self.topology.node(id).kind != ElementKind::Queue {
                    let kind = self.topology.node(id).kind.name();
                    let diagnostic = Diagnostic::new(span, format!("`{name}` is a {kind}, and a queue is due here"));
                    self.problem("wrong-value", diagnostic.label(self.topology.node(id).span, "declared here"));
                    return None;
                }
                Some(Reference::Node(id))
            }
            _ => self.find_node(span, span).map(Reference::Node),
        }
    }

    /// A policy that nothing declares; the nearest ones are probably meant, so they count as followed.
    fn unknown_policy(&mut self, span: Span, name: &str) {
        let topology = &self.topology;
        let known: Vec<String> = topology.policies.iter().map(|policy| topology.text(policy.name).to_owned()).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let near =
            self.unknown_name(span, name, "policy", &known, &format!("declare it: `policy {name} {{ timeout 1s }}`"));
        for name in near {
            let id =
                self.topology.names.find(&name).and_then(|name| self.topology.policies_by_name.get(&name).copied());
            if let Some(policy) = id.and_then(|id| self.topology.policies.get_mut(id.index())) {
                policy.used = true;
            }
        }
    }

    /// A suppression. Without a reason it silences nothing.
    fn allow(&mut self, written: &Written<'a>, inside: Span) {
        let span = written.values.last().map_or(written.name, |last| written.name.to(last.span));
        let said_why = written
            .values
            .get(1)
            .is_some_and(|value| value.kind == ValueKind::Text && says_something(self.sources, value.span));
        if !written.values.is_empty() && !said_why && !written.flawed {
            let rule = written.values.first().map_or("RULE", |value| self.text(value.span));
            let diagnostic = Diagnostic::new(span, format!("`allow {rule}` gives no reason, so it silences nothing"));
            self.problem(
                "allow-without-reason",
                diagnostic.help(format!("write why: `allow {rule} \"…\" until 2027-03-31`; the day is optional")),
            );
            return;
        }
        let data = match values::read(self.sources, "allow", span, Form::of(Key::Allow), written.values) {
            Ok(data) => data,
            Err(problem) => return self.problems.push(*problem),
        };
        let mut names = data.iter().filter_map(|datum| match datum {
            Datum::Name(span) | Datum::Reference(_, span) => Some(*span),
            _ => None,
        });
        let (Some(rule), reason) = (names.next(), names.next()) else { return };
        let day = data.iter().find_map(|datum| if let Datum::Date(date) = datum { Some(*date) } else { None });
        let until = day.zip(written.values.last().map(|value| value.span));
        self.topology.allows.push(Allow { rule, reason, until, span, inside, owner: Owner::Topology });
    }
}

/// An attribute as written, which may be one of several on a line.
pub(super) struct Written<'a> {
    pub(super) name: Span,
    pub(super) values: &'a [Value],
    pub(super) block: Option<&'a Block>,
    pub(super) flawed: bool,
}

/// Reads one value of the table of clients, written as on a call.
///
/// # Errors
/// What is wrong with it, as a sentence.
pub fn read_default(key: Key, value: &str) -> Result<Setting, String> {
    let state = if value == "none" && !key.attribute().none.is_empty() {
        State::None
    } else {
        State::Given(read_alone(key.name(), Form::of(key), value).map_err(|wrong| wrong.message)?.into())
    };
    Ok(Setting::new(key, state, Span::default()))
}

/// Reads a value that stands in no diagram, as it would be read there. Places in what comes back mean nothing.
///
/// # Errors
/// What is wrong with it.
pub fn read_alone(what: &str, form: &Form, value: &str) -> Result<Vec<Datum>, Box<Diagnostic>> {
    let mut sources = SourceMap::default();
    let id = sources.add(what, format!("value {value}"));
    let parsed = syntax::parse(&sources, id);
    let plain = match (parsed.tree.statements.as_slice(), parsed.problems.as_slice()) {
        ([Statement::Plain(plain)], []) if plain.block.is_none() => plain,
        _ => return Err(Box::new(Diagnostic::new(Span::default(), format!("`{value}` is no value for `{what}`")))),
    };
    let mut data = Vec::new();
    for group in plain.values.chunk_by(|_, next| !next.comma) {
        data.extend(values::read(&sources, what, plain.name, form, group).map_err(|problem| problem.diagnostic)?);
    }
    Ok(data)
}

/// What to write instead of a word that stands among the kinds of a `defaults` block.
fn beside_defaults(word: &str) -> &'static str {
    let is_of_boxes = |key: Key| key.attribute().on.contains(Places::GROUP) && key.attribute().cascade == Cascade::Down;
    if Key::named(word).is_some_and(is_of_boxes) {
        "write it beside `defaults`: what is said of a file or group holds for all inside"
    } else {
        "write `defaults { call { timeout 1s } }`"
    }
}
