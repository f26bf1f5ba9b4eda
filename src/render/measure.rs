//! How large the nodes and labels of a scene are when they are written out.

use super::font::{Ruler, Weight};
use super::geometry::Size;
use super::layout::{Plan, PlannedEdge, PlannedGroup, PlannedNode};
use super::scene::{Edge, Node, Scene, Shape};

/// Heights of letters.
pub(super) const NAME: f64 = 13.0;
pub(super) const SMALL: f64 = 11.0;
pub(super) const LABEL: f64 = 10.5;

/// From one line to the next.
pub(super) const NAME_LINE: f64 = 17.0;
pub(super) const SMALL_LINE: f64 = 15.0;
pub(super) const LABEL_LINE: f64 = 13.5;

/// Inside of a node: its icon, and room at the sides, above and below.
pub(super) const ICON: f64 = 16.0;
pub(super) const SIDE: f64 = 12.0;
pub(super) const ABOVE: f64 = 10.0;
/// Inside of a label.
pub(super) const LABEL_SIDE: f64 = 4.0;

/// How high a badge is, with the room below it.
pub(super) const BADGE: f64 = 15.0;
pub(super) const BADGE_LINE: f64 = 19.0;
/// So many badges stand on one thing.
const MOST_BADGES: usize = 6;

/// Nothing in a node or label is wider.
pub(super) const WIDEST: f64 = 230.0;
/// A line in a node or label is broken where it gets wider, once: numbers later than words, and the line of one of
/// several calls later than that of the only one.
const NODE_LINE: f64 = 150.0;
const NODE_NUMBERS: f64 = 200.0;
const LABEL_LINE_ALONE: f64 = 92.0;
const LABEL_LINE_OF_MORE: f64 = 130.0;
const MOST_FOLDS: usize = 2;
/// So many calls have a line in the label of an edge.
const MOST_CALLS: usize = 4;
/// Of more than that, three tell nothing of the rest.
const COUNTED_CALLS: usize = 12;
/// For each end of an edge on the side of a node.
const PORT: f64 = 11.0;

/// What is written in a node.
pub(super) struct NodeText {
    pub(super) name: String,
    pub(super) lines: Vec<String>,
}

impl NodeText {
    pub(super) fn of(node: &Node, ruler: &Ruler) -> Self {
        let name = ruler.cut(&node.name, Weight::Bold, NAME, WIDEST);
        let wide = ruler.width(&name, Weight::Bold, NAME) + ICON + 6.0;
        let most = |line: &str| wide.max(if line.contains('≤') { NODE_NUMBERS } else { NODE_LINE });
        Self { lines: node.lines.iter().flat_map(|line| folded(line, SMALL, most(line), ruler)).collect(), name }
    }
}

/// A text in one line or two, none wider than anything may be.
fn folded(text: &str, pixels: f64, width: f64, ruler: &Ruler) -> Vec<String> {
    let lines = ruler.folded(text, Weight::Regular, pixels, width, MOST_FOLDS);
    lines.iter().map(|line| ruler.cut(line, Weight::Regular, pixels, WIDEST)).collect()
}

/// What is written on an edge: its calls, in the order of the text.
pub(super) fn label(edge: &Edge, ruler: &Ruler) -> Vec<String> {
    let mut lines: Vec<&str> = Vec::new();
    for call in &edge.calls {
        if !call.text.is_empty() && !lines.contains(&call.text.as_str()) {
            lines.push(&call.text);
        }
    }
    if lines.len() > COUNTED_CALLS {
        return vec![format!("{} calls", edge.calls.len())];
    }
    let most = if lines.len() > MOST_CALLS { MOST_CALLS - 1 } else { MOST_CALLS };
    let more = lines.len().saturating_sub(most);
    let wide = if lines.len() > 1 { LABEL_LINE_OF_MORE } else { LABEL_LINE_ALONE };
    let shown = lines.into_iter().take(most).flat_map(|line| folded(line, LABEL, wide, ruler));
    shown.chain((more > 0).then(|| format!("and {more} more"))).collect()
}

/// The badges on one thing: numbers from 1, and how many there is no room for.
pub(super) fn badges(all: &[usize]) -> (Vec<usize>, usize) {
    let shown = if all.len() > MOST_BADGES { MOST_BADGES - 1 } else { MOST_BADGES };
    (all.iter().copied().take(shown).collect(), all.len().saturating_sub(shown))
}

/// Which findings are listed beside a picture: the first so many, and all others that have a badge in it, as far as a
/// list goes.
pub(super) fn listed(scene: &Scene, first: usize) -> Vec<bool> {
    const MOST: usize = 3_000;
    let mut listed: Vec<bool> = (0..scene.findings.len()).map(|index| index < first).collect();
    let on_nodes = scene.nodes.iter().map(|node| &node.badges);
    let shown = on_nodes.chain(scene.edges.iter().map(|edge| &edge.badges)).flat_map(|all| badges(all).0);
    for index in shown {
        listed.get_mut(index).into_iter().for_each(|listed| *listed = true);
    }
    let mut room = MOST;
    for listed in &mut listed {
        *listed &= room > 0;
        room -= usize::from(*listed);
    }
    listed
}

/// How wide a badge is.
pub(super) fn badge_width(text: &str, ruler: &Ruler) -> f64 {
    ruler.width(text, Weight::Bold, LABEL) + 10.0
}

/// How wide the row of badges is.
pub(super) fn badges_width(all: &[usize], ruler: &Ruler) -> f64 {
    let (shown, more) = badges(all);
    let texts = shown.iter().map(|number| (number + 1).to_string()).chain((more > 0).then(|| format!("+{more}")));
    texts.map(|text| badge_width(&text, ruler) + 4.0).sum()
}

/// What the layout is asked to place.
#[must_use]
pub fn plan(scene: &Scene) -> Plan {
    sized(scene, &Ruler::new())
}

#[allow(clippy::cast_precision_loss, reason = "a picture has fewer than 2⁵² lines")]
pub(super) fn sized(scene: &Scene, ruler: &Ruler) -> Plan {
    let mut ends = vec![[0_usize; 2]; scene.nodes.len()];
    for edge in &scene.edges {
        for (node, side) in [(edge.from, 1), (edge.to, 0)] {
            let slot = ends.get_mut(node).and_then(|sides| sides.get_mut(side));
            if let Some(count) = slot {
                *count += 1;
            }
        }
    }
    let node = |(node, ends): (&Node, [usize; 2])| {
        let busiest = ends.into_iter().max().unwrap_or(0);
        let size = node_size(node, ruler);
        let height = size.height.max(busiest as f64 * PORT + 2.0 * ABOVE);
        PlannedNode { size: Size { height, ..size }, group: node.group }
    };
    Plan {
        nodes: scene.nodes.iter().zip(ends).map(node).collect(),
        groups: scene
            .groups
            .iter()
            .map(|group| {
                let width = ruler.width(&group.name, Weight::Bold, SMALL) + 12.0;
                PlannedGroup { parent: group.parent, title: Size { width: width.min(WIDEST), height: 16.0 } }
            })
            .collect(),
        edges: scene
            .edges
            .iter()
            .map(|edge| PlannedEdge { from: edge.from, to: edge.to, label: label_size(edge, ruler) })
            .collect(),
        ranks: scene.ranks.clone(),
    }
}

#[allow(clippy::cast_precision_loss, reason = "a node has fewer than 2⁵² lines")]
fn node_size(node: &Node, ruler: &Ruler) -> Size {
    let text = NodeText::of(node, ruler);
    let name = ruler.width(&text.name, Weight::Bold, NAME) + ICON + 6.0;
    let lines = text.lines.iter().map(|line| ruler.width(line, Weight::Regular, SMALL));
    let widest = lines.chain([name, badges_width(&node.badges, ruler)]).fold(60.0, f64::max);
    let badges = if node.badges.is_empty() { 0.0 } else { BADGE_LINE };
    let height = NAME_LINE + text.lines.len() as f64 * SMALL_LINE + badges + 2.0 * ABOVE;
    // The ends of these shapes are round, and nothing is written there.
    let extra = match node.shape {
        Shape::Queue | Shape::Client | Shape::External => Size { width: 14.0, height: 0.0 },
        Shape::Store | Shape::Cache => Size { width: 0.0, height: 12.0 },
        Shape::Service | Shape::Collapsed => Size::default(),
    };
    Size { width: widest + 2.0 * SIDE + extra.width, height: height + extra.height }
}

#[allow(clippy::cast_precision_loss, reason = "a label has few lines")]
fn label_size(edge: &Edge, ruler: &Ruler) -> Option<Size> {
    let lines = label(edge, ruler);
    if lines.is_empty() && edge.badges.is_empty() {
        return None;
    }
    let widths = lines.iter().map(|line| ruler.width(line, Weight::Regular, LABEL));
    let widest = widths.chain([badges_width(&edge.badges, ruler)]).fold(0.0, f64::max);
    let badges = if edge.badges.is_empty() { 0.0 } else { BADGE_LINE };
    Some(Size { width: widest + 2.0 * LABEL_SIDE, height: lines.len() as f64 * LABEL_LINE + badges + 4.0 })
}
