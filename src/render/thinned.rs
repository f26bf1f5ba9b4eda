//! How many calls a picture can bear: where nearly everything calls everything, lines and labels would cover each other
//! and nothing would be told. Those that tell most are drawn, and the picture says how many are not.

use std::cmp::Reverse;

use super::geometry::Size;
use super::layout::{self, Plan, PlannedEdge, PlannedGroup, PlannedNode};
use super::scene::{Edge, Scene, Shape};
use crate::change::Mark;

/// So many edges are drawn in any picture, and so many more for each node; fewer if most nodes stand for boxes, for then
/// each edge stands for many calls.
const EDGES: [usize; 2] = [100, 3];
const EDGES_OF_BOXES: [usize; 2] = [30, 2];
/// So many columns all edges pass together, and so many more for each node: where an edge passes a column, it takes a
/// place there.
const PASSED: usize = 10_000;
const PASSED_OF_NODE: usize = 10;
/// So often it is tried how many of them pass no more than that.
const STEPS: usize = 7;

/// A scene with no more edges than a picture of it can bear, and a note if it had more.
#[must_use]
pub fn thinned(scene: Scene) -> Scene {
    let (is_drawn, ranks) = borne(&scene);
    let (drawn, all) = (is_drawn.iter().filter(|drawn| **drawn).count(), scene.edges.len());
    let mut scene = without(scene, &is_drawn);
    scene.ranks = ranks;
    if drawn < all {
        scene.notes.push(format!(
            "{drawn} of {all} lines are drawn, more would hide each other: first what changed, what something is found on \
             and what stands for most calls. `--focus NODE:1` and `--flow ENTRY` draw a part with all of its lines, \
             `--format dot` and `--format json` hold all"
        ));
    }
    scene
}

/// A scene without some of its edges. What is found on one of them stands on its caller.
pub(super) fn without(mut scene: Scene, is_drawn: &[bool]) -> Scene {
    for (edge, _) in scene.edges.iter().zip(is_drawn).filter(|(_, drawn)| !**drawn) {
        if let Some(node) = scene.nodes.get_mut(edge.from) {
            node.badges.extend(&edge.badges);
            node.badges.sort_unstable();
        }
    }
    retain(&mut scene.edges, is_drawn);
    scene.sides.iter_mut().for_each(|sides| retain(&mut sides.edges, is_drawn));
    scene
}

fn retain<T>(list: &mut Vec<T>, is_kept: &[bool]) {
    let mut kept = is_kept.iter();
    list.retain(|_| kept.next().copied().unwrap_or(false));
}

/// The edges of a scene from what matters most to what matters least. Those come first that connect all that is
/// connected, so that nothing seems to stand alone that does not.
pub(super) fn weighed(scene: &Scene) -> Vec<usize> {
    let worst =
        |edge: &Edge| edge.badges.iter().filter_map(|badge| scene.findings.get(*badge)).map(|entry| entry.level).max();
    let weight = |edge: &Edge| (edge.on_path, edge.mark != Mark::Same, worst(edge), edge.calls.len());
    let mut edges: Vec<(usize, &Edge)> = scene.edges.iter().enumerate().collect();
    edges.sort_by_cached_key(|(_, edge)| Reverse(weight(edge)));
    let mut parts = Parts((0..scene.nodes.len()).collect());
    let (connecting, others): (Vec<_>, Vec<_>) =
        edges.into_iter().partition(|(_, edge)| parts.join(edge.from, edge.to));
    connecting.into_iter().chain(others).map(|(index, _)| index).collect()
}

/// What is connected: each node leads to one that stands for all of its part.
struct Parts(Vec<usize>);

impl Parts {
    fn of(&mut self, mut node: usize) -> usize {
        while let Some(next) = self.0.get(node).copied().filter(|next| *next != node) {
            let after = self.0.get(next).copied().unwrap_or(next);
            self.0.get_mut(node).into_iter().for_each(|slot| *slot = after);
            node = after;
        }
        node
    }

    /// Connects two nodes; whether they have not been.
    fn join(&mut self, one: usize, other: usize) -> bool {
        let (one, other) = (self.of(one), self.of(other));
        self.0.get_mut(one).into_iter().for_each(|slot| *slot = other);
        one != other
    }
}

/// For each edge whether it is drawn; and the ranks of the nodes then, if they had to be found for that.
pub(super) fn borne(scene: &Scene) -> (Vec<bool>, Vec<usize>) {
    let nodes = scene.nodes.len();
    let boxes = scene.nodes.iter().filter(|node| node.shape == Shape::Collapsed).count();
    let [any, of_node] = if 2 * boxes > nodes { EDGES_OF_BOXES } else { EDGES };
    let mut kept = weighed(scene);
    kept.truncate(any + of_node * nodes);
    let most = PASSED + PASSED_OF_NODE * nodes;
    // There are two columns for each node at most.
    let is_surely_fine = kept.len() * 2 * nodes <= most;
    let (passes, mut ranks) = if is_surely_fine { (0, Vec::new()) } else { passed(scene, &kept) };
    if passes > most {
        // With fewer edges there are other columns.
        let (mut fits, mut too_many) = (0, kept.len());
        ranks.clear();
        for _ in 0..STEPS {
            let middle = usize::midpoint(fits, too_many);
            let (passes, found) = passed(scene, kept.get(..middle).unwrap_or_default());
            if passes <= most {
                (fits, ranks) = (middle, found);
            } else {
                too_many = middle;
            }
        }
        kept.truncate(fits);
    }
    let mut is_drawn = vec![false; scene.edges.len()];
    for index in kept {
        is_drawn.get_mut(index).into_iter().for_each(|drawn| *drawn = true);
    }
    (is_drawn, ranks)
}

/// How many columns these edges pass, were no others drawn; and the ranks of the nodes then.
fn passed(scene: &Scene, kept: &[usize]) -> (usize, Vec<usize>) {
    // The engine may place others where edges come in another order.
    let mut order = kept.to_vec();
    order.sort_unstable();
    let edges = order.iter().filter_map(|index| scene.edges.get(*index));
    let plan = Plan {
        nodes: scene.nodes.iter().map(|node| PlannedNode { size: Size::default(), group: node.group }).collect(),
        groups: scene
            .groups
            .iter()
            .map(|group| PlannedGroup { parent: group.parent, title: Size::default() })
            .collect(),
        edges: edges.map(|edge| PlannedEdge { from: edge.from, to: edge.to, label: Some(Size::default()) }).collect(),
        ranks: Vec::new(),
    };
    layout::passed(&plan)
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a test may fail")]
mod tests {
    use super::{PASSED, PASSED_OF_NODE, borne, passed, thinned};
    use crate::change::Mark;
    use crate::metadata::Level;
    use crate::render::scene::{Call, Edge, Entry, Line, Node, Scene, Shape};

    fn scene(nodes: usize, shape: Shape, ends: impl Iterator<Item = (usize, usize)>) -> Scene {
        let node = |index: usize| Node {
            name: format!("n{index}"),
            shape,
            entry: false,
            lines: Vec::new(),
            members: Vec::new(),
            group: None,
            badges: Vec::new(),
            on_path: false,
            mark: Mark::Same,
        };
        let call =
            || Call { id: None, identity: String::new(), name: String::new(), text: String::new(), mark: Mark::Same };
        let edge = |(from, to): (usize, usize)| Edge {
            from,
            to,
            line: Line { awaited: true, optional: false, serving: true },
            calls: vec![call(); 1 + from % 3],
            badges: Vec::new(),
            on_path: false,
            mark: Mark::Same,
        };
        Scene { nodes: (0..nodes).map(node).collect(), edges: ends.map(edge).collect(), ..Scene::default() }
    }

    /// All calls all, or all that come later.
    fn complete(nodes: usize, shape: Shape, both: bool) -> Scene {
        let pairs = (0..nodes).flat_map(move |from| (0..nodes).map(move |to| (from, to)));
        scene(nodes, shape, pairs.filter(move |(from, to)| if both { from != to } else { from < to }))
    }

    #[test]
    fn however_much_calls_however_many_a_picture_stays_small() {
        let two_sides = scene(200, Shape::Service, (0..10_000).map(|edge| (edge / 100, 100 + edge % 100)));
        for (scene, most) in [
            (complete(250, Shape::Collapsed, true), 530),
            (complete(150, Shape::Service, false), 550),
            (complete(25, Shape::Collapsed, true), 80),
            (two_sides, 700),
        ] {
            let (nodes, all) = (scene.nodes.len(), scene.edges.len());
            let thin = thinned(scene);
            let drawn = thin.edges.len();
            assert!((nodes - 1..=most).contains(&drawn), "{drawn} of {all} edges, {nodes} nodes");
            let every: Vec<usize> = (0..drawn).collect();
            let (passes, ranks) = passed(&thin, &every);
            assert!(passes <= PASSED + PASSED_OF_NODE * nodes, "{nodes} nodes");
            assert!(thin.ranks.is_empty() || thin.ranks == ranks, "what was found on the way holds for the rest");
            assert!(thin.notes[0].starts_with(&format!("{drawn} of {all} lines are drawn")), "{:?}", thin.notes);
            // Nobody stands alone that does not.
            let mut stands = vec![true; nodes];
            thin.edges.iter().for_each(|edge| [edge.from, edge.to].into_iter().for_each(|node| stands[node] = false));
            assert!(!stands.contains(&true));
            assert!(borne(&thin).0.into_iter().all(|drawn| drawn), "once is enough");
        }
    }

    #[test]
    fn what_is_usual_is_drawn_whole() {
        for nodes in [22, 300, 1_000] {
            let ends = (0..nodes).flat_map(|node| [(node, node + 20), (node, node + 29)]);
            let scene = scene(nodes, Shape::Service, ends.filter(|(_, to)| *to < nodes));
            let all = scene.edges.len();
            let thin = thinned(scene);
            assert_eq!((thin.edges.len(), thin.notes.len()), (all, 0), "{nodes} nodes");
            let every: Vec<usize> = (0..all).collect();
            assert_eq!(thin.ranks.is_empty(), nodes < 100, "{nodes} nodes");
            assert!(thin.ranks.is_empty() || thin.ranks == passed(&thin, &every).1, "{nodes} nodes");
        }
    }

    #[test]
    fn what_matters_is_drawn_and_nothing_that_is_found_is_lost() {
        let mut scene = complete(150, Shape::Service, false);
        let entry = |level| Entry {
            level,
            rule: "missing-timeout",
            message: String::new(),
            place: String::new(),
            fingerprint: String::new(),
            mark: Mark::Same,
        };
        let last = scene.edges.len() - 1;
        scene.findings = vec![entry(Level::Error)];
        scene.findings.extend((0..last).map(|_| entry(Level::Info)));
        scene.edges[last].badges = vec![0];
        (0..last).for_each(|edge| scene.edges[edge].badges = vec![edge + 1]);
        scene.edges[last / 2].mark = Mark::New;
        scene.edges[last / 3].on_path = true;
        let thin = thinned(scene);
        assert!(thin.edges.iter().any(|edge| edge.badges == [0]), "the worst");
        assert!(thin.edges.iter().any(|edge| edge.mark == Mark::New) && thin.edges.iter().any(|edge| edge.on_path));
        let on_edges = thin.edges.iter().map(|edge| edge.badges.len());
        let on_nodes = thin.nodes.iter().map(|node| node.badges.len());
        assert_eq!(on_edges.chain(on_nodes).sum::<usize>(), thin.findings.len());
    }
}
