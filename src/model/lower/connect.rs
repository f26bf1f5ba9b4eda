//! The third pass: arrows become calls between operations, blocks of calls become steps.

use std::collections::{HashMap, HashSet};

use super::{Lowering, Said};
use crate::diagnostic::Diagnostic;
use crate::model::cascade::default_of_calls;
use crate::model::topology::{Call, CallId, Fallback, NodeId, OperationId, Owner, Phase, PolicyId, ScopeId, Step};
use crate::model::values::{self, Datum};
use crate::model::{Settings, State};
use crate::source::Span;
use crate::syntax::{self, Arrow, Block, Plain, Statement};
use crate::vocabulary::{ElementKind, Form, Key, Places};

/// Where calls without a source of their own start.
#[derive(Clone, Copy)]
enum Body {
    /// In the block of an operation.
    Operation(OperationId),
    /// In the block of a node: its unnamed operation.
    Node(NodeId),
    /// Outside of any node.
    None,
}

impl<'a> Lowering<'a> {
    pub(super) fn connect_all(&mut self) {
        self.unnamed_operations();
        for (id, said) in std::mem::take(&mut self.pending.operations) {
            let steps = self.steps(&said.statements, Body::Operation(id));
            self.append(id, steps);
        }
        for (id, said) in std::mem::take(&mut self.pending.nodes) {
            for step in self.steps(&said.statements, Body::Node(id)) {
                if let Some(source) = self.source_of(&step) {
                    self.append(source, vec![step]);
                }
            }
        }
        for (_, statement) in std::mem::take(&mut self.pending.arrows) {
            for step in self.steps(&[statement], Body::None) {
                if let Some(source) = self.source_of(&step) {
                    self.append(source, vec![step]);
                }
            }
        }
        self.part_requests();
    }

    /// What a client asks for at one time, it asks for by one of its arrows: each is a request of its own.
    fn part_requests(&mut self) {
        for id in self.topology.operation_ids() {
            let is_client = self.topology.kind_of(id) == ElementKind::Client;
            let operation = self.topology.operations.get_mut(id.index()).filter(|_| is_client);
            if let Some(operation) = operation.filter(|operation| operation.body.len() > 1) {
                operation.body = vec![Step::OneOf(std::mem::take(&mut operation.body))];
            }
        }
    }

    /// Clients, services and external systems that declare no operation have one, unnamed.
    fn unnamed_operations(&mut self) {
        for id in self.topology.node_ids() {
            let node = self.topology.node(id);
            if node.operations.is_empty() {
                let span = node.span;
                self.new_operation(id, None, span);
            }
        }
    }

    pub(super) fn append(&mut self, operation: OperationId, steps: Vec<Step>) {
        if let Some(operation) = self.topology.operations.get_mut(operation.index()) {
            operation.body.extend(steps);
        }
    }

    /// The operation that makes the first call of a step.
    fn source_of(&self, step: &Step) -> Option<OperationId> {
        let mut first = None;
        Step::each(std::slice::from_ref(step), &mut |call| first = first.or(Some(self.topology.caller(call))));
        first
    }

    fn steps(&mut self, statements: &[&'a Statement], body: Body) -> Vec<Step> {
        let mut steps = Vec::new();
        for statement in statements {
            match statement {
                Statement::Call(call) => steps.extend(self.call(call, body).map(Step::Call)),
                Statement::Plain(plain) => steps.extend(self.step_block(plain, body)),
            }
        }
        steps
    }

    fn step_block(&mut self, plain: &'a Plain, body: Body) -> Option<Step> {
        let kind = ElementKind::named(self.text(plain.name))?;
        let data = match values::read(
            self.sources,
            kind.name(),
            plain.head(),
            Form::of_element(kind.element()),
            &plain.values,
        ) {
            Ok(data) => data,
            Err(problem) => {
                self.problems.push(*problem);
                Vec::new()
            }
        };
        let Some(block) = &plain.block else {
            let message = format!("`{}` needs a block with calls", kind.name());
            self.problem(
                "wrong-value",
                Diagnostic::new(plain.head().after(), message)
                    .help(format!("write `{} {{ -> a; -> b }}`", kind.name())),
            );
            return None;
        };
        let steps = self.steps_of(block, plain.span, body);
        match kind {
            ElementKind::Parallel if data.contains(&Datum::Word("any")) => {
                let wanted = data
                    .iter()
                    .find_map(|datum| if let Datum::Count(count) = datum { Some(*count) } else { None })
                    .unwrap_or(1);
                let branches = steps.len() as u64;
                if wanted == 0 || (wanted > branches && branches > 0) {
                    let message = format!("`any {wanted}` of {branches} calls cannot be");
                    self.problem(
                        "wrong-value",
                        Diagnostic::new(plain.head(), message).help(format!("write a number from 1 to {branches}")),
                    );
                }
                Some(Step::Any(wanted.clamp(1, branches.max(1)), steps))
            }
            ElementKind::Parallel => Some(Step::Parallel(steps)),
            ElementKind::OneOf => Some(Step::OneOf(steps)),
            ElementKind::Sequence => Some(Step::Sequence(steps)),
            _ => None,
        }
    }

    fn steps_of(&mut self, block: &'a Block, inside: Span, body: Body) -> Vec<Step> {
        let (calls, others): (Vec<&Statement>, Vec<&Statement>) =
            block.statements.iter().partition(|statement| self.is_step(statement));
        for other in others {
            let Statement::Plain(plain) = other else { continue };
            let word = self.text(plain.name).to_owned();
            let diagnostic = Diagnostic::new(plain.name, format!("only calls stand here, and `{word}` is none"));
            let rule = if Key::named(&word).is_some() || ElementKind::named(&word).is_some() {
                "misplaced-attribute"
            } else {
                "unknown-attribute"
            };
            self.problem(rule, diagnostic.help("what is said of one call stands in the block of that call"));
        }
        debug_assert!(inside.contains(block.span), "a block lies in its statement");
        self.steps(&calls, body)
    }

    fn is_step(&self, statement: &Statement) -> bool {
        match statement {
            Statement::Call(_) => true,
            Statement::Plain(plain) => {
                matches!(
                    ElementKind::named(self.text(plain.name)),
                    Some(ElementKind::Parallel | ElementKind::OneOf | ElementKind::Sequence)
                )
            }
        }
    }

    fn call(&mut self, call: &'a syntax::Call, body: Body) -> Option<CallId> {
        let flawed = call.flawed || call.block.as_ref().is_some_and(|block| block.flawed);
        let block_said = call.block.as_ref().map(|block| Said {
            statements: block.statements.iter().collect(),
            inside: call.span,
            flawed,
        });
        let first_allow = self.topology.allows.len();
        let said = block_said.unwrap_or(Said { statements: Vec::new(), inside: call.span, flawed });
        let mut settings = self.content(&said, Places::CALL, Owner::Topology).settings;
        // A policy that could not be found may have said anything.
        settings.flawed |= flawed || settings.get(Key::Use).is_some_and(|used| used.state == State::Unreadable);
        let ends = self.ends(call, body, &settings);
        let Some((from, to, scope, policies, phase)) = ends else {
            // What is said of a call that cannot be drawn silences nothing.
            self.topology.allows.truncate(first_allow);
            return None;
        };
        let id = CallId::at(self.topology.calls.len());
        let call_record = Call {
            from,
            to,
            arrow: call.arrow,
            nth: 0,
            span: call.head(),
            statement: call.span,
            label: call.label,
            settings,
            scope,
            policies,
            fallback: None,
            phase,
            fallback_of: None,
            implied: false,
        };
        self.add_call(call_record);
        self.own_allows(first_allow, Owner::Call(id));
        self.check_places(id);
        let fallback = self.fallback(id, &said, body);
        if let Some(call) = self.topology.calls.get_mut(id.index()) {
            call.fallback = fallback;
        }
        Some(id)
    }

    /// Where a call starts and ends, and what depends on its source.
    fn ends(
        &mut self,
        call: &syntax::Call,
        body: Body,
        settings: &Settings,
    ) -> Option<(OperationId, OperationId, ScopeId, Vec<PolicyId>, Phase)> {
        let source = self.source_node(call, body);
        let to = self.find_operation(call.to);
        let (node, named) = source?;
        let scope = self.topology.node(node).inner.unwrap_or(self.topology.node(node).scope);
        let policies = self.policies_of(settings, scope);
        let phase = self.phase(settings, &policies, scope);
        let from = match (body, call.from) {
            (Body::Operation(id), None) => id,
            _ => self.source(node, named, call, phase)?,
        };
        Some((from, to?, scope, policies, phase))
    }

    pub(super) fn add_call(&mut self, mut call: Call) {
        let twins = self.topology.twins.entry((call.from, call.to, call.arrow)).or_default();
        call.nth = *twins;
        *twins += 1;
        self.topology.graph.add_edge(call.from.0.into(), call.to.0.into(), ());
        self.topology.calls.push(call);
    }

    /// The policies that a call follows, by its own `use` or that of the `defaults` around its caller.
    fn policies_of(&mut self, settings: &Settings, scope: ScopeId) -> Vec<PolicyId> {
        let used = settings.get(Key::Use).or_else(|| default_of_calls(&self.topology, scope, Key::Use));
        let Some(used) = used else { return Vec::new() };
        let span = used.span;
        let policies: Vec<PolicyId> = used
            .references()
            .iter()
            .filter_map(|reference| if let crate::model::Reference::Policy(id) = reference { Some(*id) } else { None })
            .collect();
        let mut stated: HashMap<Key, PolicyId> = HashMap::new();
        let mut seen = HashSet::new();
        for id in &policies {
            if let Some(policy) = self.topology.policies.get_mut(id.index()) {
                policy.used = true;
            }
            if !seen.insert(*id) {
                continue;
            }
            let settings = &self.topology.policy(*id).settings;
            let both = settings.iter().find_map(|setting| Some((setting.key, *stated.get(&setting.key)?)));
            stated.extend(settings.iter().map(|setting| (setting.key, *id)));
            // One `use` may speak for many calls.
            if let Some((key, earlier)) = both.filter(|_| self.conflicts.insert((span, *id))) {
                self.conflict(earlier, *id, key, span);
            }
        }
        policies
    }

    /// Two policies of one call that state the same: which one wins would depend on an order nobody reads.
    fn conflict(&mut self, one: PolicyId, other: PolicyId, key: Key, span: Span) {
        let (first, second) = (self.topology.policy(one), self.topology.policy(other));
        let (Some(ours), Some(theirs)) = (first.settings.get(key), second.settings.get(key)) else { return };
        let names = [self.topology.text(first.name), self.topology.text(second.name)];
        let message = format!("the policies `{}` and `{}` both state `{key}`", names[0], names[1]);
        let diagnostic = Diagnostic::new(span, message)
            .label(ours.span, "stated here")
            .label(theirs.span, "and here")
            .help(format!("state `{key}` on the call, and in one of the policies only"));
        self.problem("conflicting-policies", diagnostic);
    }

    fn phase(&self, settings: &Settings, policies: &[PolicyId], scope: ScopeId) -> Phase {
        let in_policies = || policies.iter().find_map(|id| self.topology.policy(*id).settings.get(Key::Phase));
        let stated = settings
            .get(Key::Phase)
            .or_else(in_policies)
            .or_else(|| default_of_calls(&self.topology, scope, Key::Phase));
        match stated.and_then(|setting| setting.words().next()) {
            Some("startup") => Phase::Startup,
            Some("recovery") => Phase::Recovery,
            Some("deploy") => Phase::Deploy,
            Some("observe") => Phase::Observe,
            _ => Phase::Request,
        }
    }

    /// The node that an arrow starts from, and the operation that is named.
    fn source_node(&mut self, call: &syntax::Call, body: Body) -> Option<(NodeId, Option<Span>)> {
        match (body, call.from) {
            (Body::Operation(id), None) => Some((self.topology.node_id_of(id), None)),
            (Body::Node(id), None) => Some((id, None)),
            (Body::None, None) => {
                let to = self.text(call.to);
                let diagnostic = Diagnostic::new(call.arrow_span, "this call starts nowhere");
                self.problem(
                    "wrong-arrow",
                    diagnostic.help(format!(
                        "write who calls before the arrow, `orders -> {to}`, or move it into the block of the caller"
                    )),
                );
                None
            }
            (Body::None, Some(from)) => {
                let (node, operation) = self.split(from);
                Some((self.find_node(node, from)?, operation))
            }
            (_, Some(from)) => {
                let (node, operation) = self.split(from);
                let id = self.find_node(node, from)?;
                Some((id, operation))
            }
        }
    }

    /// The operation that an arrow starts from.
    fn source(&mut self, node: NodeId, named: Option<Span>, call: &syntax::Call, phase: Phase) -> Option<OperationId> {
        let place = call.from.unwrap_or(call.arrow_span);
        if let Some(operation) = named {
            return self.operation_of(node, operation, place);
        }
        let kind = self.topology.node(node).kind;
        match (kind, call.arrow) {
            (ElementKind::Queue, Arrow::Async) => {
                self.topology.operations_by_name.get(&(node, self.topology.names.find("publish"))).copied()
            }
            (ElementKind::Store, Arrow::Async) => {
                self.topology.operations_by_name.get(&(node, self.topology.names.find("write"))).copied()
            }
            (ElementKind::Queue, Arrow::Sync) => {
                let diagnostic = Diagnostic::new(call.arrow_span, "a queue does not wait for its consumers");
                self.problem(
                    "wrong-arrow",
                    diagnostic.help("write `->>`: the queue delivers").fix(
                        "write `->>`",
                        true,
                        vec![crate::diagnostic::Edit { span: call.arrow_span, replacement: "->>".to_owned() }],
                    ),
                );
                None
            }
            (ElementKind::Store | ElementKind::Cache, _) => {
                let name = self.topology.node_name(node).to_owned();
                let diagnostic =
                    Diagnostic::new(place, format!("a {} makes no calls, and `{name}` is one", kind.name()));
                self.problem(
                    "wrong-arrow",
                    diagnostic.help("write `->>` for change data capture or a replica, or let a service make the call"),
                );
                None
            }
            _ if self.topology.node(node).declares && phase == Phase::Request => {
                self.ambiguous(node, place, "makes this call");
                None
            }
            _ => Some(self.unnamed(node)),
        }
    }

    fn fallback(&mut self, id: CallId, said: &Said<'a>, body: Body) -> Option<Fallback> {
        let stated = self.topology.call(id).settings.get(Key::Fallback)?;
        if stated.state == State::None {
            return None;
        }
        let block = said.statements.iter().find_map(|statement| match statement {
            Statement::Plain(plain) if self.text(plain.name) == Key::Fallback.name() => {
                Some((plain.block.as_deref()?, plain.span))
            }
            _ => None,
        });
        let Some((block, inside)) = block else { return Some(Fallback::Ready) };
        let from = self.topology.caller(id);
        let body = if let Body::Node(_) = body { body } else { Body::Operation(from) };
        let steps = self.steps_of(block, inside, body);
        self.make_fallback_of(id, &steps);
        Some(Fallback::Calls(steps))
    }

    /// A fallback is made when its call is made, whatever the `defaults` around them say of its phase.
    fn make_fallback_of(&mut self, id: CallId, steps: &[Step]) {
        let phase = self.topology.call(id).phase;
        let mut calls = Vec::new();
        Step::each(steps, &mut |call| calls.push(call));
        for call in calls {
            let spoken = self.topology.call(call);
            let policies = spoken.policies.iter().map(|policy| &self.topology.policy(*policy).settings);
            let stated = std::iter::once(&spoken.settings).chain(policies).any(|said| said.get(Key::Phase).is_some());
            if let Some(call) = self.topology.calls.get_mut(call.index()) {
                call.fallback_of = Some(id);
                call.phase = if stated { call.phase } else { phase };
            }
        }
    }

    /// Some attributes belong to calls of a kind: those that leave a queue or a client, or reach a store.
    fn check_places(&mut self, id: CallId) {
        let call = self.topology.call(id);
        let (source, target) = (self.topology.kind_of(call.from), self.topology.kind_of(call.to));
        let from_queue = source == ElementKind::Queue;
        let mut wrong = Vec::new();
        for setting in call.settings.iter() {
            let (fits, belongs) = match setting.key {
                Key::Batch | Key::Consumers | Key::Heartbeat => {
                    (from_queue, "a call that leaves a queue: `queue ->> consumer`")
                }
                Key::Load | Key::Peak | Key::Every => {
                    (source == ElementKind::Client, "an operation, or a call that leaves a client")
                }
                Key::Idempotent => {
                    let stored = matches!(target, ElementKind::Store | ElementKind::Cache | ElementKind::Queue);
                    (stored, "an operation, or a call into a store, cache or queue")
                }
                Key::Timeout | Key::Retries | Key::Attempts | Key::Backoff | Key::Deadline => {
                    (!from_queue, "a call; redelivery is said on the queue")
                }
                _ => (true, ""),
            };
            if !fits {
                wrong.push((setting.key, setting.span, belongs));
            }
        }
        for (key, span, belongs) in wrong {
            let diagnostic = Diagnostic::new(span, format!("`{key}` says nothing here"));
            let help = match key {
                Key::Timeout | Key::Retries | Key::Attempts | Key::Backoff | Key::Deadline => {
                    "a queue hands a message out again after `visibility`, up to `max-receives` times: say it on the queue".to_owned()
                }
                _ => format!("it belongs on {belongs}"),
            };
            self.problem("misplaced-attribute", diagnostic.help(help));
        }
    }
}
