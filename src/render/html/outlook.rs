//! What becomes of the entries if something that is drawn is down or never answers: computed for everything that is
//! drawn, as far as a fixed amount of work goes, and only looked up in the page.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::super::scene::{Call, Node, Scene};
use super::story::safe;
use crate::analysis::{Consequences, Disturbance, Facts, Felt, Target, Verdict};
use crate::model::{CallId, OperationId};
use crate::parallel;
use crate::report::what_if::{share, strain, word};

/// So much is looked at for all answers together.
const WORK: usize = 8_000_000;
/// So many calls are named at most, on the ways of all answers.
const ROOM: usize = 1_000_000;
/// So many entries are told of, and so many lines.
const MOST: usize = 40;

/// All that can be asked in the page.
#[derive(Serialize)]
pub(super) struct Outlooks {
    /// What becomes of an entry, worst last.
    words: [&'static str; 4],
    /// For each node that is drawn, if it is down.
    nodes: Vec<Option<Outlook>>,
    /// For each edge, for each of its calls, if it is never answered.
    edges: Vec<Vec<Option<Outlook>>>,
    /// What is left out.
    note: Option<String>,
}

/// What becomes of the entries.
#[derive(Serialize)]
struct Outlook {
    /// How many fail, fail in part and degrade.
    counts: [usize; 3],
    /// Those that are concerned, worst first.
    entries: Vec<Concerned>,
    /// How many more are.
    more: usize,
    /// How often what fails is tried, and who waits for it.
    lines: Vec<String>,
}

impl Outlook {
    /// How many calls it names.
    fn length(&self) -> usize {
        self.entries.iter().map(|entry| entry.way.len()).sum()
    }
}

/// One entry.
#[derive(Serialize)]
struct Concerned {
    name: String,
    /// The node that is drawn for it.
    node: Option<usize>,
    /// Which of the words.
    verdict: usize,
    /// How much of the time it works, and how much then.
    available: Option<(String, String)>,
    /// The edges on which it reaches what is disturbed.
    way: Vec<usize>,
}

/// Answers what can be asked.
pub(super) struct Asker<'a, 'f> {
    facts: &'a Facts<'f>,
    node_of: HashMap<OperationId, usize>,
    edge_of: HashMap<CallId, usize>,
}

impl<'a, 'f> Asker<'a, 'f> {
    pub(super) fn new(facts: &'a Facts<'f>, scene: &Scene) -> Self {
        let topology = facts.topology();
        let nodes = scene.nodes.iter().enumerate().flat_map(|(index, node)| {
            let operations = node.members.iter().flat_map(|id| &topology.node(*id).operations);
            operations.map(move |operation| (*operation, index))
        });
        let edges = scene.edges.iter().enumerate();
        let calls = edges.flat_map(|(index, edge)| edge.calls.iter().filter_map(move |call| Some((call.id?, index))));
        Self { facts, node_of: nodes.collect(), edge_of: calls.collect() }
    }

    /// All answers: of nodes first, then of calls, as far as the work goes.
    pub(super) fn all(&self, scene: &Scene) -> Outlooks {
        let down = |id| Disturbance::Down(Target::Node(id));
        let of_node = |node: &Node| node.members.iter().copied().map(down).collect();
        let of_call = |call: &Call| call.id.map(Disturbance::Silent).into_iter().collect();
        let of_calls = scene.edges.iter().flat_map(|edge| edge.calls.iter().map(of_call));
        let questions: Vec<Vec<Disturbance>> = scene.nodes.iter().map(of_node).chain(of_calls).collect();
        let mut work = WORK;
        let affordable = |question: &&Vec<Disturbance>| {
            if !question.is_empty() {
                work -= work.min(self.facts.work_of_outlooks(question.iter().map(Disturbance::target)));
            }
            work > 0
        };
        let answered = questions.get(..questions.iter().take_while(affordable).count()).unwrap_or_default();
        let mut room = ROOM;
        let mut answers = parallel::map(answered, |question| self.ask(question)).into_iter().map(|answer| {
            let answer = answer.filter(|answer| room >= answer.length())?;
            room -= answer.length();
            Some(answer)
        });
        let mut take = |count: usize| (0..count).map(|_| answers.next().flatten()).collect::<Vec<Option<Outlook>>>();
        let nodes = take(scene.nodes.len());
        let edges: Vec<Vec<Option<Outlook>>> = scene.edges.iter().map(|edge| take(edge.calls.len())).collect();
        let asked = questions.iter().filter(|question| !question.is_empty()).count();
        let unanswered = asked - nodes.iter().chain(edges.iter().flatten()).flatten().count();
        let note = (unanswered > 0).then(|| {
            format!(
                "The topology is large: {unanswered} of these questions are not answered here; `topolint what-if` \
                 answers them"
            )
        });
        let words = [0, 1, 2, 3].map(|verdict| VERDICTS.get(verdict).map_or("", |verdict| word(*verdict)));
        Outlooks { words, nodes, edges, note }
    }

    fn ask(&self, disturbances: &[Disturbance]) -> Option<Outlook> {
        let found = (!disturbances.is_empty()).then(|| self.facts.consequences(disturbances, MOST))?;
        Some(self.outlook(&found))
    }

    fn outlook(&self, found: &Consequences<'_>) -> Outlook {
        let concerned: Vec<&Felt> = found.entries.iter().filter(|felt| felt.is_concerned()).collect();
        let count = |index| concerned.iter().filter(|felt| place(felt) == index).count();
        let mut lines: Vec<String> = strain(self.facts, found).iter().take(MOST).map(|line| safe(line)).collect();
        lines.dedup();
        Outlook {
            counts: [count(3), count(2), count(1)],
            entries: concerned.iter().take(MOST).map(|felt| self.concerned(felt)).collect(),
            more: concerned.len().saturating_sub(MOST),
            lines,
        }
    }

    fn concerned(&self, felt: &Felt) -> Concerned {
        let mut seen = HashSet::new();
        let way = felt.way.iter().filter_map(|call| self.edge_of.get(call)).copied();
        Concerned {
            name: safe(&self.facts.topology().operation_name(felt.operation)),
            node: self.node_of.get(&felt.operation).copied(),
            verdict: place(felt),
            available: share(felt.before).zip(share(felt.after)),
            way: way.filter(|edge| seen.insert(*edge)).collect(),
        }
    }
}

/// From what is best to what is worst.
const VERDICTS: [Verdict; 4] = [Verdict::Works, Verdict::Degrades, Verdict::FailsPartly, Verdict::Fails];

fn place(felt: &Felt) -> usize {
    VERDICTS.iter().position(|verdict| *verdict == felt.verdict).unwrap_or(0)
}
