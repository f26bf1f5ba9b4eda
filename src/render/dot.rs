//! A scene as DOT, the text that Graphviz reads. `graphviz-rust` writes a text as it is: all of ours goes through
//! [`quoted`].

use graphviz_rust::dot_structures::{
    Attribute, Edge as DotEdge, EdgeTy, Graph, GraphAttributes, Id, Node as DotNode, NodeId, Stmt, Subgraph, Vertex,
};
use graphviz_rust::printer::{DotPrinter as _, PrinterContext};

use super::font::FAMILY;
use super::plain::{self, Step};
use super::scene::{Edge, Node, Scene, Shape};
use crate::metadata::Level;

/// Draws a scene.
#[must_use]
pub fn dot(scene: &Scene) -> String {
    let font = ("fontname", FAMILY);
    let head = plain::head(scene).join("\n");
    let whole = [("rankdir", "LR"), ("labelloc", "t"), ("label", &head), ("fontsize", "12"), font];
    let mut all = vec![
        Stmt::GAttribute(GraphAttributes::Graph(attributes(whole))),
        Stmt::GAttribute(GraphAttributes::Node(attributes([("fontsize", "11"), ("style", "filled"), font]))),
        Stmt::GAttribute(GraphAttributes::Edge(attributes([("fontsize", "10"), ("color", "#6e7781"), font]))),
    ];
    all.extend(boxes(scene));
    all.extend(scene.edges.iter().map(|edge| line(scene, edge)));
    Graph::DiGraph { id: quoted(&plain::line(&scene.title)), strict: false, stmts: all }
        .print(&mut PrinterContext::default())
        + "\n"
}

/// Boxes with what lies in them.
fn boxes(scene: &Scene) -> Vec<Stmt> {
    // What is in the boxes that have begun; the first is the picture itself.
    let mut open: Vec<(Id, Vec<Stmt>)> = vec![(Id::Plain(String::new()), Vec::new())];
    plain::walk(scene, |step| match step {
        Step::Open(index) => {
            let name = scene.groups.get(index).map_or("", |group| &group.name);
            let look = [("label", plain::line(name)), ("style", "rounded".to_owned()), ("color", "#8c959f".to_owned())];
            let look = attributes(look.iter().map(|(key, value)| (*key, value.as_str())));
            let look = Stmt::GAttribute(GraphAttributes::Graph(look));
            open.push((Id::Plain(format!("cluster_{index}")), vec![look]));
        }
        Step::Node(index) => {
            if let (Some(node), Some((_, inner))) = (scene.nodes.get(index), open.last_mut()) {
                inner.push(shape(scene, index, node));
            }
        }
        Step::Close => {
            if let Some((id, stmts)) = open.pop()
                && let Some((_, outer)) = open.last_mut()
            {
                outer.push(Stmt::Subgraph(Subgraph { id, stmts }));
            }
        }
    });
    open.into_iter().flat_map(|(_, stmts)| stmts).collect()
}

fn shape(scene: &Scene, index: usize, node: &Node) -> Stmt {
    let (shape, fill, color) = match node.shape {
        Shape::Client => ("oval", "#eef1f4", "#59636e"),
        Shape::Service => ("box", "#e3efff", "#3b6fb6"),
        Shape::Store => ("cylinder", "#e2f4e8", "#2f7d4f"),
        Shape::Cache => ("hexagon", "#fdf0dc", "#a5691b"),
        Shape::Queue => ("cds", "#efe7fb", "#6f4fa8"),
        Shape::External => ("box", "#fbe9ee", "#a34562"),
        Shape::Collapsed => ("tab", "#f6f8fa", "#6e7781"),
    };
    let wide = if node.on_path { "3" } else { "1" };
    let label = plain::node(scene, node).join("\n");
    let story = tooltip(&node.name, scene, &node.badges);
    let look = [("label", label.as_str()), ("shape", shape), ("fillcolor", fill), ("color", color)];
    let twice = if node.shape == Shape::External { "2" } else { "1" };
    // The point of an arrow takes room from its text.
    let margin = if node.shape == Shape::Queue { "0.3,0.2" } else { "0.15,0.08" };
    let look = look.into_iter().chain([("peripheries", twice), ("margin", margin), ("penwidth", wide)]);
    let look = look.chain([("tooltip", story.as_str())]);
    Stmt::Node(DotNode { id: node_id(index), attributes: attributes(look) })
}

fn line(scene: &Scene, edge: &Edge) -> Stmt {
    let style = match edge.line {
        line if !line.serving => "dotted",
        line if !line.awaited || line.optional => "dashed",
        _ => "solid",
    };
    let head = if edge.line.awaited { "normal" } else { "vee" };
    let (color, wide) = match plain::worst(scene, &edge.badges) {
        Some(Level::Error) => ("#c21f2b", "2"),
        _ if edge.on_path => ("#1f2328", "3"),
        _ => ("#6e7781", "1"),
    };
    let names: Vec<&str> = edge.calls.iter().map(|call| call.name.as_str()).collect();
    let story = tooltip(&names.join("\n"), scene, &edge.badges);
    let label = plain::edge(scene, edge).join("\n");
    let look = [("label", label.as_str()), ("style", style), ("arrowhead", head), ("color", color)];
    let look = look.into_iter().chain([("penwidth", wide), ("tooltip", story.as_str()), ("labeltooltip", &story)]);
    let end = |index: usize| Vertex::N(node_id(index));
    Stmt::Edge(DotEdge { ty: EdgeTy::Pair(end(edge.from), end(edge.to)), attributes: attributes(look) })
}

fn tooltip(name: &str, scene: &Scene, badges: &[usize]) -> String {
    let found = plain::story(scene, badges).into_iter();
    std::iter::once(plain::line(name)).chain(found).collect::<Vec<_>>().join("\n")
}

fn node_id(index: usize) -> NodeId {
    NodeId(Id::Plain(format!("n{index}")), None)
}

fn attributes<'t>(all: impl IntoIterator<Item = (&'static str, &'t str)>) -> Vec<Attribute> {
    all.into_iter().map(|(key, value)| Attribute(Id::Plain(key.to_owned()), quoted(value))).collect()
}

/// Any text as a value of DOT. Graphviz reads backslashes (`\N`, `\l`) and the names of characters (`&lt;`) in it.
fn quoted(text: &str) -> Id {
    let mut safe = String::from("\"");
    for character in crate::source::clean(text).chars() {
        match character {
            '"' => safe.push_str("\\\""),
            '\\' => safe.push_str("\\\\"),
            '\n' => safe.push_str("\\n"),
            '&' => safe.push_str("&amp;"),
            other => safe.push(other),
        }
    }
    Id::Escaped(safe + "\"")
}
