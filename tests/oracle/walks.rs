//! Which effects can be repeated, found by walking: from each call that is made again, along every way down, each call
//! passed twice at most. What is known of the key is carried along the one concrete way; nothing is joined.

use std::collections::BTreeMap;

use super::graph::{Call, Count, Graph, KeySent, Kind, Repetition, Said};

/// Where something changes: own work of an operation, or what a call does to an operation that holds data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Site {
    Own(usize),
    Write(usize),
}

/// What doing it twice does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    None,
    Unknown,
    Proved,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Constant,
    Unknown,
    Fresh,
}

/// An effect that is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Whether both the repetition and the effect are certain.
    pub proved: bool,
    /// The length of a shortest way on which the repetition is as certain.
    pub steps: usize,
}

/// All that is repeated; none if there are too many ways to walk them all.
pub fn repeated(graph: &Graph) -> Option<BTreeMap<Site, Found>> {
    let mut walk = Walk { graph, best: BTreeMap::new(), passed: vec![0; graph.calls.len()], left: 30_000 };
    for (call, certain) in (0..graph.calls.len()).filter_map(|call| Some((call, repeats(graph, call)?))) {
        walk.pass(call, graph.calls[call].key_again(), certain, 1);
    }
    let shown = |(site, (certain, harm, steps))| (site, Found { proved: certain && harm == Harm::Proved, steps });
    (walk.left > 0).then(|| walk.best.into_iter().map(shown).collect())
}

/// How certain the repetition of a site is along one way, from the call that is made again down to the site; none if
/// it does not get there.
pub fn along(graph: &Graph, way: &[usize], site: Site) -> Option<bool> {
    let (first, rest) = way.split_first()?;
    let (mut call, mut key, mut certain) = (*first, graph.calls[*first].key_again(), repeats(graph, *first)?);
    for next in rest {
        let from = graph.calls[*next].from;
        let leads = |to: usize| given_up(graph, to).into_iter().find(|(at, _)| *at == from).map(|(_, sure)| (to, sure));
        let (callee, sure) = graph.callees(call).find_map(leads)?;
        certain = let_through(graph, call, callee, key, certain)? && sure;
        (call, key) = (*next, graph.calls[*next].key_onwards(key));
        if !graph.is_made(call) {
            return None;
        }
    }
    let harm = match site {
        Site::Write(write) if write == call => harm_of_call(graph, call),
        Site::Own(operation) if graph.calls[call].to == operation => {
            certain = let_through(graph, call, operation, key, certain)?;
            harm_of_work(graph, operation, key)
        }
        _ => return None,
    };
    (harm > Harm::None).then_some(certain && harm == Harm::Proved)
}

/// Whether a call is made again, and whether that is certain.
fn repeats(graph: &Graph, id: usize) -> Option<bool> {
    let call = &graph.calls[id];
    if graph.kind(call.from) == Kind::Queue {
        return graph.nodes[graph.operations[call.from].node].redelivers.then_some(true);
    }
    let ends = [call.timeout.value().copied(), call.deadline.own].into_iter().flatten().min();
    let sent = |after| ends.is_none_or(|end| after < end);
    let hedged = matches!(call.hedge, Said::Is((after, copies)) if copies != Some(1) && sent(after));
    let again = matches!(call.attempts, Said::Is(attempts) if attempts != Count::Of(1));
    let again = again && call.repeats_what_was_done();
    // Inside one process nothing is lost, and without a timeout nothing is late: that an answer is, is not stated.
    let late =
        |classes: &[&str]| classes.iter().all(|class| ["connect", "refused", "throttled", "timeout"].contains(class));
    let may_be_late = !call.local && call.timeout.value().is_some();
    let in_doubt = !may_be_late && matches!(&call.retry_on, Said::Is(classes) if late(classes));
    (graph.is_made(id) && (hedged || again)).then_some(hedged || !in_doubt)
}

impl Call {
    fn repeats_what_was_done(&self) -> bool {
        match &self.retry_on {
            Said::Unsaid => true,
            Said::None => false,
            Said::Is(classes) => classes.iter().any(|class| !["connect", "refused", "throttled"].contains(class)),
        }
    }
}

impl Call {
    /// The key when this very call is made again.
    fn key_again(&self) -> Key {
        match self.key {
            Said::Is(KeySent::PerRequest | KeySent::Forwarded) => Key::Constant,
            Said::Is(KeySent::PerAttempt) | Said::None => Key::Fresh,
            Said::Unsaid => Key::Unknown,
        }
    }

    /// The key when its caller runs again, to whom such a key has come.
    fn key_onwards(&self, key: Key) -> Key {
        match self.key {
            Said::Is(KeySent::Forwarded) => key,
            Said::Is(KeySent::PerRequest | KeySent::PerAttempt) | Said::None => Key::Fresh,
            Said::Unsaid => Key::Unknown,
        }
    }
}

struct Walk<'g> {
    graph: &'g Graph,
    /// Whether the repetition is certain, what it does, and after how many calls.
    best: BTreeMap<Site, (bool, Harm, usize)>,
    passed: Vec<u8>,
    left: u32,
}

impl Walk<'_> {
    fn pass(&mut self, id: usize, key: Key, certain: bool, steps: usize) {
        let graph = self.graph;
        if self.passed[id] == 2 || self.left == 0 {
            return;
        }
        self.left -= 1;
        self.passed[id] += 1;
        if graph.kind(graph.calls[id].to).holds_data() {
            self.find(Site::Write(id), harm_of_call(graph, id), certain, steps);
        }
        for callee in graph.callees(id) {
            let Some(certain) = let_through(graph, id, callee, key, certain) else { continue };
            if !graph.kind(callee).holds_data() {
                self.find(Site::Own(callee), harm_of_work(graph, callee, key), certain, steps);
            }
            for (from, sure) in given_up(graph, callee) {
                for call in graph.calls_of(from).filter(|call| graph.is_made(*call)) {
                    self.pass(call, graph.calls[call].key_onwards(key), certain && sure, steps + 1);
                }
            }
        }
        self.passed[id] -= 1;
    }

    fn find(&mut self, site: Site, harm: Harm, certain: bool, steps: usize) {
        if harm == Harm::None {
            return;
        }
        let best = self.best.entry(site).or_insert((certain, harm, steps));
        if (certain, best.2) > (best.0, steps) {
            *best = (certain, harm, steps);
        }
    }
}

/// An operation, and where what arrives there goes if it is given up, and from there if it is again; each with whether
/// that is certain: it has to be handed out so many times first, not without end.
fn given_up(graph: &Graph, operation: usize) -> Vec<(usize, bool)> {
    let mut all = vec![(operation, true)];
    while let Some((at, sure)) = all.last().copied() {
        let Some(letters) = graph.letters_of(at).filter(|letters| all.iter().all(|(known, _)| known != letters)) else {
            break;
        };
        let endless = graph.nodes[graph.operations[at].node].said.iter().any(|said| said == "max-receives unlimited");
        all.push((letters, sure && !endless && graph.calls_of(at).any(|call| graph.is_made(call))));
    }
    all
}

/// Whether a repeat that arrives with such a key runs what is there and below, and how certain it then is.
fn let_through(graph: &Graph, call: usize, callee: usize, key: Key, certain: bool) -> Option<bool> {
    let stops = graph.kind(callee).holds_data() && graph.calls[call].idempotent == Said::Is(());
    match (graph.operations[callee].repetition, key) {
        _ if stops => None,
        (Repetition::ByKey, Key::Constant) => None,
        (Repetition::ByKey, Key::Unknown) => Some(false),
        _ => Some(certain),
    }
}

/// What own work does when it is done twice, the second time with such a key.
pub fn harm_of_work(graph: &Graph, id: usize, key: Key) -> Harm {
    let operation = &graph.operations[id];
    let calls = graph.calls_of(id).any(|call| graph.is_made(call));
    match operation.repetition {
        Repetition::Readonly | Repetition::Idempotent => Harm::None,
        Repetition::NotIdempotent => Harm::Proved,
        Repetition::ByKey if ["POST", "PATCH"].iter().any(|method| operation.methods.contains(method)) => Harm::Proved,
        Repetition::ByKey if !operation.methods.is_empty() || calls && graph.kind(id) == Kind::Service => Harm::None,
        Repetition::ByKey => {
            if key == Key::Fresh {
                Harm::Proved
            } else {
                Harm::Unknown
            }
        }
        Repetition::Unsaid if operation.methods.iter().any(|method| ["POST", "PATCH"].contains(method)) => Harm::Proved,
        Repetition::Unsaid if !operation.methods.is_empty() => Harm::None,
        // Nothing is known of somebody else's work, whatever calls are drawn.
        Repetition::Unsaid if calls && graph.kind(id) == Kind::Service => Harm::None,
        Repetition::Unsaid => Harm::Unknown,
    }
}

/// What a call does to the data when it is made twice: the most dangerous of all that it means.
pub fn harm_of_call(graph: &Graph, id: usize) -> Harm {
    let harm = |callee: usize| match (graph.kind(callee), graph.operations[callee].name) {
        (Kind::Store, Some("write")) => Harm::Unknown,
        // What a message does is done by its consumers, if any are drawn.
        (Kind::Queue, _) if graph.calls_of(callee).all(|call| !graph.is_made(call)) => Harm::Unknown,
        _ => Harm::None,
    };
    match graph.calls[id].idempotent {
        Said::Is(()) => Harm::None,
        Said::None => Harm::Proved,
        Said::Unsaid => graph.callees(id).map(harm).max().unwrap_or(Harm::None),
    }
}
