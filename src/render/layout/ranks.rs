//! In which column each node stands. In a large picture, where the shortest edges of all take too long to find, each node
//! goes where its own edges are shortest, as far as its box allows, until nothing moves that matters: linear in nodes
//! and edges. Circles are opened where a walk along the calls comes back.

use std::collections::BTreeMap;

use super::{Plan, engine};

/// So many nodes and edges are placed with the shortest edges of all.
const FEW: usize = 400;

/// So often each node is moved; after that little changes.
const SWEEPS: usize = 6;

/// For each node a number that is lower than that of the nodes that it calls, unless they call in a circle.
pub(super) fn ranks(plan: &Plan) -> Vec<usize> {
    if plan.nodes.len() + plan.edges.len() <= FEW { engine::ranks(plan) } else { settled(plan) }
}

/// Each node where its own edges are shortest.
fn settled(plan: &Plan) -> Vec<usize> {
    let calls = Calls::of(plan);
    let mut columns = Columns::of(plan, &calls);
    for sweep in 0..SWEEPS {
        // Against the calls a node follows those that it calls, along them those that call it.
        if sweep % 2 == 0 {
            calls.order.iter().rev().for_each(|node| columns.shift(*node, &calls));
        } else {
            calls.order.iter().for_each(|node| columns.shift(*node, &calls));
        }
    }
    let first = columns.ranks.iter().copied().min().unwrap_or_default();
    columns.ranks.iter().map(|rank| usize::try_from(rank - first).unwrap_or_default()).collect()
}

/// Who calls whom, without circles.
struct Calls {
    /// For each node the ones before and the ones behind it, and how many edges go there.
    before: Vec<Vec<(usize, i64)>>,
    behind: Vec<Vec<(usize, i64)>>,
    /// Each node after all that are before it.
    order: Vec<usize>,
}

impl Calls {
    fn of(plan: &Plan) -> Self {
        let mut called: Vec<Vec<usize>> = vec![Vec::new(); plan.nodes.len()];
        let mut is_called = vec![false; plan.nodes.len()];
        for edge in plan.edges.iter().filter(|edge| edge.from != edge.to) {
            called.get_mut(edge.from).into_iter().for_each(|list| list.push(edge.to));
            is_called.get_mut(edge.to).into_iter().for_each(|called| *called = true);
        }
        let mut walk =
            Walk { called: &called, seen: vec![Seen::Not; plan.nodes.len()], pairs: BTreeMap::new(), left: Vec::new() };
        let starts = is_called.iter().enumerate().filter(|(_, called)| !**called).map(|(node, _)| node);
        starts.chain(0..plan.nodes.len()).for_each(|start| walk.from(start));
        let mut calls = Self {
            before: vec![Vec::new(); plan.nodes.len()],
            behind: vec![Vec::new(); plan.nodes.len()],
            order: walk.left,
        };
        calls.order.reverse();
        for ((from, to), edges) in walk.pairs {
            calls.behind.get_mut(from).into_iter().for_each(|list| list.push((to, edges)));
            calls.before.get_mut(to).into_iter().for_each(|list| list.push((from, edges)));
        }
        calls
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Seen {
    Not,
    /// The walk is behind it.
    Entered,
    Left,
}

/// A walk along the calls, deepest first.
struct Walk<'a> {
    called: &'a [Vec<usize>],
    seen: Vec<Seen>,
    /// How many edges go from one node to another; those that close a circle are turned.
    pairs: BTreeMap<(usize, usize), i64>,
    /// Nodes in the order in which they are left: what they call first.
    left: Vec<usize>,
}

impl Walk<'_> {
    fn from(&mut self, start: usize) {
        if self.seen.get(start) != Some(&Seen::Not) {
            return;
        }
        let mut way = vec![(start, 0)];
        self.mark(start, Seen::Entered);
        while let Some((node, next)) = way.last_mut() {
            let node = *node;
            let Some(to) = self.called.get(node).and_then(|list| list.get(*next)).copied() else {
                self.mark(node, Seen::Left);
                self.left.push(node);
                way.pop();
                continue;
            };
            *next += 1;
            let seen = self.seen.get(to).copied();
            let pair = if seen == Some(Seen::Entered) { (to, node) } else { (node, to) };
            *self.pairs.entry(pair).or_default() += 1;
            if seen == Some(Seen::Not) {
                self.mark(to, Seen::Entered);
                way.push((to, 0));
            }
        }
    }

    fn mark(&mut self, node: usize, seen: Seen) {
        self.seen.get_mut(node).into_iter().for_each(|slot| *slot = seen);
    }
}

/// Where the nodes are.
struct Columns<'p> {
    plan: &'p Plan,
    ranks: Vec<i64>,
    /// For each box how many nodes of it are where.
    boxes: Vec<BTreeMap<i64, usize>>,
}

impl<'p> Columns<'p> {
    /// As far to the left as the calls allow.
    fn of(plan: &'p Plan, calls: &Calls) -> Self {
        let mut columns =
            Self { plan, ranks: vec![0; plan.nodes.len()], boxes: vec![BTreeMap::new(); plan.groups.len()] };
        for node in &calls.order {
            let first = columns.next_to(calls.before.get(*node), 1).max().unwrap_or_default();
            columns.ranks.get_mut(*node).into_iter().for_each(|rank| *rank = first);
        }
        for node in 0..plan.nodes.len() {
            columns.count(node, true);
        }
        columns
    }

    /// The columns so far from those of some nodes.
    fn next_to(&self, nodes: Option<&Vec<(usize, i64)>>, step: i64) -> impl Iterator<Item = i64> {
        nodes.into_iter().flatten().filter_map(move |(node, _)| Some(self.ranks.get(*node)? + step))
    }

    /// The boxes around a node, the innermost first.
    fn around(&self, node: usize) -> impl Iterator<Item = usize> + use<'p> {
        let plan = self.plan;
        let own = plan.nodes.get(node).and_then(|node| node.group);
        std::iter::successors(own, |group| plan.groups.get(*group)?.parent)
    }

    /// Enters a node into its boxes, or takes it out.
    fn count(&mut self, node: usize, enters: bool) {
        let Some(rank) = self.ranks.get(node).copied() else { return };
        for group in self.around(node) {
            let Some(nodes) = self.boxes.get_mut(group) else { continue };
            if enters {
                *nodes.entry(rank).or_default() += 1;
            } else if let Some(count) = nodes.get_mut(&rank) {
                *count -= 1;
                if *count == 0 {
                    nodes.remove(&rank);
                }
            }
        }
    }

    /// Moves a node to where its edges are shortest, between those before and those behind it; before that counts that
    /// its boxes stay narrow, the innermost most of all.
    fn shift(&mut self, node: usize, calls: &Calls) {
        self.count(node, false);
        let (before, behind) = (calls.before.get(node), calls.behind.get(node));
        let first = self.next_to(before, 1).max();
        let last = self.next_to(behind, -1).min();
        let weight =
            |nodes: Option<&Vec<(usize, i64)>>| nodes.into_iter().flatten().map(|(_, edges)| edges).sum::<i64>();
        let here = self.ranks.get(node).copied().unwrap_or_default();
        let mut wanted = if weight(before) > weight(behind) { first } else { last }.unwrap_or(here);
        let boxes: Vec<usize> = self.around(node).collect();
        for group in boxes.into_iter().rev() {
            let nodes = self.boxes.get(group);
            let ends = nodes.and_then(|nodes| Some((*nodes.first_key_value()?.0, *nodes.last_key_value()?.0)));
            wanted = ends.map_or(wanted, |(low, high)| wanted.clamp(low, high));
        }
        let wanted = wanted.max(first.unwrap_or(wanted)).min(last.unwrap_or(i64::MAX));
        self.ranks.get_mut(node).into_iter().for_each(|rank| *rank = wanted);
        self.count(node, true);
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a test may stop")]
mod tests {
    use super::{Plan, settled};
    use crate::render::layout::{PlannedEdge, PlannedGroup, PlannedNode};

    fn ranked(boxes: &[Option<usize>], edges: &[(usize, usize)]) -> Vec<usize> {
        let groups = boxes.iter().flatten().max().map_or(0, |last| last + 1);
        settled(&Plan {
            nodes: boxes.iter().map(|group| PlannedNode { group: *group, ..PlannedNode::default() }).collect(),
            groups: vec![PlannedGroup::default(); groups],
            edges: edges.iter().map(|(from, to)| PlannedEdge { from: *from, to: *to, label: None }).collect(),
            ranks: Vec::new(),
        })
    }

    #[test]
    fn who_calls_stands_before_what_is_called() {
        let edges: Vec<(usize, usize)> = (0..400).flat_map(|node| [(node, node * 7 % 401), (node, node + 1)]).collect();
        let forward: Vec<(usize, usize)> = edges.into_iter().filter(|(from, to)| from < to).collect();
        let ranks = ranked(&[None; 401], &forward);
        assert!(forward.iter().all(|(from, to)| ranks[*from] < ranks[*to]), "{ranks:?}");
    }

    #[test]
    fn a_circle_is_opened_where_it_closes() {
        assert_eq!(ranked(&[None; 4], &[(0, 1), (1, 2), (2, 3), (3, 1)]), [0, 1, 2, 3]);
        assert_eq!(ranked(&[None; 2], &[(0, 1), (1, 0), (0, 0)]), [0, 1]);
    }

    #[test]
    fn who_is_not_called_stands_next_to_what_it_calls() {
        // 0 → 1 → 2 → 3, and 4 → 5 → 3.
        assert_eq!(ranked(&[None; 6], &[(0, 1), (1, 2), (2, 3), (4, 5), (5, 3)]), [0, 1, 2, 3, 1, 2]);
    }

    #[test]
    fn more_edges_pull_harder() {
        // 4 could be anywhere behind 0 and before 3.
        let chain = [(0, 1), (1, 2), (2, 3)];
        let with = |edges: &[(usize, usize)]| ranked(&[None; 5], &[&chain, edges].concat())[4];
        assert_eq!(with(&[(0, 4), (0, 4), (4, 3)]), 1);
        assert_eq!(with(&[(0, 4), (4, 3), (4, 3)]), 2);
    }

    #[test]
    fn a_box_stays_together_where_the_calls_allow_it() {
        let edges = [(0, 1), (1, 2), (2, 3), (4, 3), (5, 6)];
        // Without boxes 4 stands next to what it calls, and 5 and 6 at the start.
        assert_eq!(ranked(&[None; 7], &edges)[4], 2);
        let boxes = [Some(0), None, None, None, Some(0), None, None];
        assert_eq!(ranked(&boxes, &edges)[4], 0);
    }

    #[test]
    fn a_long_chain_takes_no_deep_stack() {
        let edges: Vec<(usize, usize)> = (0..100_000).map(|node| (node, node + 1)).collect();
        assert_eq!(ranked(&vec![None; 100_001], &edges), (0..=100_000).collect::<Vec<_>>());
    }
}
