//! A scene as a flowchart of Mermaid, which GitHub draws within Markdown. Mermaid draws only so much: what does not fit
//! is counted.

use std::fmt::Write as _;

use super::plain::{self, Step};
use super::scene::{Edge, Scene, Shape};
use super::thinned::weighed;
use crate::metadata::Level;
use crate::report::escape;

/// Mermaid draws no text that is longer than 50,000 characters (`maxTextSize`); this is left for what is counted.
const MOST_TEXT: usize = 49_000;
/// Nodes are given no more of it, so that there is room for edges.
const MOST_NODES_TEXT: usize = 30_000;
/// `maxEdges` of Mermaid.
const MOST_EDGES: usize = 500;

/// Draws a scene.
#[must_use]
pub fn mermaid(scene: &Scene) -> String {
    let mut chart = Chart { scene, text: String::new(), drawn: vec![false; scene.nodes.len()] };
    for line in plain::head(scene) {
        let _ = writeln!(chart.text, "%% {}", escape::mermaid(&line));
    }
    chart.text.push_str("flowchart LR\n");
    chart.boxes();
    chart.edges();
    chart.classes();
    chart.text
}

/// What is written so far.
struct Chart<'s> {
    scene: &'s Scene,
    text: String,
    /// For each node whether there was room for it.
    drawn: Vec<bool>,
}

impl Chart<'_> {
    fn boxes(&mut self) {
        let mut depth = 1;
        let scene = self.scene;
        let mut steps = Vec::new();
        plain::walk(scene, |step| steps.push(step));
        let mut skipped = 0;
        for step in steps {
            let room = self.text.len() < MOST_NODES_TEXT;
            match step {
                Step::Open(index) if room && skipped == 0 => {
                    let name = scene.groups.get(index).map_or("", |group| &group.name);
                    let name = escape::mermaid(&plain::line(name));
                    let _ = writeln!(self.text, "{:1$}subgraph g{index}[\"{name}\"]", "", depth * 2);
                    depth += 1;
                }
                Step::Open(_) => skipped += 1,
                Step::Close if skipped > 0 => skipped -= 1,
                Step::Close => {
                    depth -= 1;
                    let _ = writeln!(self.text, "{:1$}end", "", depth * 2);
                }
                Step::Node(index) if room => self.node(index, depth),
                Step::Node(_) => {}
            }
        }
    }

    fn node(&mut self, index: usize, depth: usize) {
        if let (Some(node), Some(drawn)) = (self.scene.nodes.get(index), self.drawn.get_mut(index)) {
            *drawn = true;
            let (open, close) = outline(node.shape);
            let text = label(&plain::node(self.scene, node));
            let _ = writeln!(self.text, "{:1$}n{index}{open}\"{text}\"{close}", "", depth * 2);
        }
    }

    /// Those that tell most, in the order of the text.
    fn edges(&mut self) {
        let is_drawn = |node: usize| self.drawn.get(node).copied().unwrap_or(false);
        let weighed = weighed(self.scene).into_iter().filter_map(|index| Some((index, self.scene.edges.get(index)?)));
        let possible = weighed.filter(|(_, edge)| is_drawn(edge.from) && is_drawn(edge.to)).take(MOST_EDGES);
        let mut length = self.text.len();
        let lines = possible.map(|(index, edge)| (index, arrow(self.scene, edge)));
        let fits = |(_, line): &(usize, String)| {
            length += line.len();
            length <= MOST_TEXT
        };
        let mut lines: Vec<(usize, String)> = lines.take_while(fits).collect();
        lines.sort_unstable();
        self.text.extend(lines.iter().map(|(_, line)| line.as_str()));
        let edges = self.scene.edges.len() - lines.len();
        let nodes = self.drawn.iter().filter(|drawn| !**drawn).count();
        if nodes + edges > 0 {
            let said = format!("{nodes} more nodes and {edges} more calls: Mermaid draws no more");
            let _ = writeln!(self.text, "  rest[\"{said}\"]");
        }
    }

    /// What is found is told by a thicker line and by colour, too.
    fn classes(&mut self) {
        let looks =
            [(Level::Error, "stroke:#cf222e,stroke-width:3px"), (Level::Warn, "stroke:#bf8700,stroke-width:2px")];
        for (level, look) in looks {
            let nodes = self.scene.nodes.iter().zip(&self.drawn).enumerate();
            let found =
                nodes.filter(|(_, (node, drawn))| **drawn && plain::worst(self.scene, &node.badges) == Some(level));
            let names: Vec<String> = found.map(|(index, _)| format!("n{index}")).collect();
            let name = level.name();
            let line = format!("  classDef {name} {look}\n  class {} {name}\n", names.join(","));
            if !names.is_empty() && self.text.len() + line.len() < MOST_TEXT + 900 {
                self.text.push_str(&line);
            }
        }
    }
}

fn label(lines: &[String]) -> String {
    lines.iter().map(|line| escape::mermaid(line)).collect::<Vec<_>>().join("<br>")
}

fn outline(shape: Shape) -> (&'static str, &'static str) {
    match shape {
        Shape::Client => ("([", "])"),
        Shape::Service => ("[", "]"),
        Shape::Store => ("[(", ")]"),
        Shape::Cache => ("{{", "}}"),
        Shape::Queue => (">", "]"),
        Shape::External => ("[[", "]]"),
        Shape::Collapsed => ("[/", "\\]"),
    }
}

fn arrow(scene: &Scene, edge: &Edge) -> String {
    let line = match edge.line {
        line if !line.awaited || !line.serving => "-.->",
        _ if edge.on_path => "==>",
        _ => "-->",
    };
    let lines = plain::edge(scene, edge);
    let said = if lines.is_empty() { String::new() } else { format!("|\"{}\"|", label(&lines)) };
    format!("  n{} {line}{said} n{}\n", edge.from, edge.to)
}
