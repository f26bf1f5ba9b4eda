//! A scene as text of D2.

use std::fmt::Write as _;

use super::plain::{self, Step};
use super::scene::{Edge, Node, Scene, Shape};
use crate::metadata::Level;

/// Draws a scene.
#[must_use]
pub fn d2(scene: &Scene) -> String {
    let mut text = String::new();
    for line in plain::head(scene) {
        let _ = writeln!(text, "# {line}");
    }
    text.push_str("direction: right\n");
    let mut open: Vec<usize> = Vec::new();
    let mut places = vec![String::new(); scene.nodes.len()];
    plain::walk(scene, |step| {
        let depth = open.len() * 2;
        match step {
            Step::Open(index) => {
                let name = scene.groups.get(index).map_or("", |group| &group.name);
                let _ = writeln!(text, "{:depth$}g{index}: {} {{", "", quoted(&plain::line(name)));
                open.push(index);
            }
            Step::Close => {
                open.pop();
                let _ = writeln!(text, "{:1$}}}", "", open.len() * 2);
            }
            Step::Node(index) => {
                let path: Vec<String> = open.iter().map(|group| format!("g{group}")).collect();
                if let (Some(node), Some(place)) = (scene.nodes.get(index), places.get_mut(index)) {
                    *place = path.into_iter().chain([format!("n{index}")]).collect::<Vec<_>>().join(".");
                    let _ = writeln!(text, "{:depth$}n{index}: {}", "", body(scene, node));
                }
            }
        }
    });
    for edge in &scene.edges {
        if let (Some(from), Some(to)) = (places.get(edge.from), places.get(edge.to)) {
            let _ = writeln!(text, "{from} -> {to}: {}", line(scene, edge));
        }
    }
    text
}

fn body(scene: &Scene, node: &Node) -> String {
    let shape = match node.shape {
        Shape::Client => "person",
        Shape::Service => "rectangle",
        Shape::Store => "cylinder",
        Shape::Cache => "hexagon",
        Shape::Queue => "queue",
        Shape::External => "cloud",
        Shape::Collapsed => "package",
    };
    let label = quoted(&plain::node(scene, node).join("\n"));
    format!("{label} {{ shape: {shape}{}{} }}", tooltip(scene, &node.badges), color(plain::worst(scene, &node.badges)))
}

fn line(scene: &Scene, edge: &Edge) -> String {
    let dash = match edge.line {
        line if !line.serving => "; style.stroke-dash: 8",
        line if !line.awaited => "; style.stroke-dash: 3",
        line if line.optional => "; style.stroke-dash: 5",
        _ => "",
    };
    let wide = if edge.on_path { 4 } else { 2 };
    let color = color(plain::worst(scene, &edge.badges));
    let label = quoted(&plain::edge(scene, edge).join("\n"));
    format!("{label} {{ style.stroke-width: {wide}{dash}{color} }}")
}

fn tooltip(scene: &Scene, badges: &[usize]) -> String {
    let story = plain::story(scene, badges);
    if story.is_empty() { String::new() } else { format!("; tooltip: {}", quoted(&story.join("\n"))) }
}

fn color(level: Option<Level>) -> &'static str {
    match level {
        Some(Level::Error) => "; style.stroke: \"#cf222e\"",
        Some(Level::Warn) => "; style.stroke: \"#bf8700\"",
        _ => "",
    }
}

/// Text within quotes of D2: nothing in it ends them or stands for a value.
fn quoted(text: &str) -> String {
    let mut safe = String::from("\"");
    for character in text.chars() {
        match character {
            '\n' => safe.push_str("\\n"),
            '"' | '\\' | '$' => safe.extend(['\\', character]),
            other => safe.push(other),
        }
    }
    safe + "\""
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn nothing_ends_the_quotes() {
        assert_eq!(quoted("a\"b\\c\n${d}"), "\"a\\\"b\\\\c\\n\\${d}\"");
    }
}
