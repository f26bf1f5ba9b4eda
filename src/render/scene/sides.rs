//! How each side of a comparison reads by itself: the picture of two versions says what was next to what is, a page can
//! show either.

use std::collections::HashMap;

use super::versions::operations;
use super::{Edge, Scene};

/// For each node and call of a picture of two versions, what is written of it before and after; none where it is not.
#[derive(Clone, Debug, Default)]
pub struct Sides {
    /// The lines under the name of each node.
    pub nodes: Vec<[Option<Vec<String>>; 2]>,
    /// The text of each call of each edge.
    pub edges: Vec<Vec<[Option<String>; 2]>>,
}

/// Of the picture that is made of both; `places` has where the nodes of base are in it.
pub(super) fn sides(before: &Scene, after: &Scene, both: &Scene, places: &[usize]) -> Sides {
    let mut nodes: Vec<[Option<Vec<String>>; 2]> = vec![[None, None]; both.nodes.len()];
    for (node, place) in before.nodes.iter().zip(places) {
        if let Some([was, _]) = nodes.get_mut(*place) {
            *was = Some(node.lines.clone());
        }
    }
    for (node, [_, is]) in after.nodes.iter().zip(&mut nodes) {
        *is = Some(node.lines.clone());
    }
    let place = |index: usize| places.get(index).copied().unwrap_or_default();
    let (was, is) = (texts(before, place), texts(after, |index| index));
    let of_edge = |edge: &Edge| {
        let of = |texts: &Texts, identity: &str| texts.get(&(edge.from, edge.to, operations(identity))).cloned();
        edge.calls.iter().map(|call| [of(&was, &call.identity), of(&is, &call.identity)]).collect()
    };
    Sides { nodes, edges: both.edges.iter().map(of_edge).collect() }
}

/// The texts of calls by their ends and operations.
type Texts = HashMap<(usize, usize, String), String>;

fn texts(scene: &Scene, place: impl Fn(usize) -> usize) -> Texts {
    let calls = scene.edges.iter().flat_map(|edge| edge.calls.iter().map(move |call| (edge, call)));
    calls
        .map(|(edge, call)| ((place(edge.from), place(edge.to), operations(&call.identity)), call.text.clone()))
        .collect()
}
