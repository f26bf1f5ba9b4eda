//! What is written in pictures that other programs draw: lines of text, where a finding is a sign, its number and its
//! rule. Nothing is told by colour alone.

use super::scene::{Edge, Node, Scene, Shape};
use crate::metadata::Level;
use crate::report::escape::one_line;

/// So many characters of a line are written.
const LONGEST: usize = 80;
/// So many calls of an edge, and so many findings of anything, have a line.
const MOST_LINES: usize = 4;

/// A text in one line, without what would reorder it, and not too long.
pub(super) fn line(text: &str) -> String {
    let text = one_line(text);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or("").trim_end()),
        None => text,
    }
}

/// What is written in a node: its name, what stands under it, what is found.
pub(super) fn node(scene: &Scene, node: &Node) -> Vec<String> {
    let entry = if node.entry { "▶ " } else { "" };
    let name = format!("{entry}{}", line(&node.name));
    let lines = node.lines.iter().map(|text| line(text));
    std::iter::once(name).chain(kind(node.shape)).chain(lines).chain(marks(scene, &node.badges)).collect()
}

/// What a node is, unless it is one of ours.
fn kind(shape: Shape) -> Option<String> {
    (!matches!(shape, Shape::Service | Shape::Collapsed)).then(|| format!("({})", shape.name()))
}

/// What is written on an edge: how it is made, its calls, what is found.
pub(super) fn edge(scene: &Scene, edge: &Edge) -> Vec<String> {
    let mut calls: Vec<String> = Vec::new();
    for text in edge.calls.iter().map(|call| line(&call.text)).filter(|text| !text.is_empty()) {
        if !calls.contains(&text) {
            calls.push(text);
        }
    }
    let how = match edge.line {
        line if !line.serving => Some("not while serving"),
        line if !line.awaited => Some("does not wait"),
        line if line.optional => Some("can do without"),
        _ => None,
    };
    let how = how.map(str::to_owned).into_iter();
    first(calls).into_iter().chain(how).chain(marks(scene, &edge.badges)).collect()
}

/// `✖ 3 missing-timeout`.
fn marks(scene: &Scene, badges: &[usize]) -> Vec<String> {
    let mark = |badge: &usize| {
        let entry = scene.findings.get(*badge)?;
        Some(format!("{} {} {}", sign(entry.level), badge + 1, entry.rule))
    };
    first(badges.iter().filter_map(mark).collect())
}

/// The first lines, and how many more there are.
fn first(mut lines: Vec<String>) -> Vec<String> {
    let more = lines.len().saturating_sub(MOST_LINES);
    if more > 0 {
        lines.truncate(MOST_LINES);
        lines.push(format!("and {more} more"));
    }
    lines
}

/// Levels differ by shape.
fn sign(level: Level) -> char {
    match level {
        Level::Error => '✖',
        Level::Warn => '▲',
        Level::Info => '●',
    }
}

/// The worst that is found on something.
pub(super) fn worst(scene: &Scene, badges: &[usize]) -> Option<Level> {
    badges.iter().filter_map(|badge| scene.findings.get(*badge)).map(|entry| entry.level).max()
}

/// What is found on something, a finding a line.
pub(super) fn story(scene: &Scene, badges: &[usize]) -> Vec<String> {
    let tell = |badge: &usize| {
        let entry = scene.findings.get(*badge)?;
        Some(one_line(&format!("{}. {}[{}]: {}", badge + 1, entry.level.name(), entry.rule, entry.message)))
    };
    badges.iter().filter_map(tell).collect()
}

/// What belongs to the whole picture: its name, what there is in it, what takes longest, what is left out.
pub(super) fn head(scene: &Scene) -> Vec<String> {
    let all = [&scene.title, &scene.summary].into_iter().chain(&scene.worst).chain(&scene.notes);
    all.map(|text| one_line(text)).collect()
}

/// Calls a function for each box and node, outermost boxes first, and when a box ends.
pub(super) fn walk(scene: &Scene, mut visit: impl FnMut(Step)) {
    let mut inner: Vec<Vec<usize>> = vec![Vec::new(); scene.groups.len()];
    let mut nodes: Vec<Vec<usize>> = vec![Vec::new(); scene.groups.len()];
    let mut open = Vec::new();
    for (index, group) in scene.groups.iter().enumerate().rev() {
        match group.parent.and_then(|parent| inner.get_mut(parent)) {
            Some(inner) => inner.push(index),
            None => open.push(Step::Open(index)),
        }
    }
    for (index, node) in scene.nodes.iter().enumerate() {
        match node.group.and_then(|group| nodes.get_mut(group)) {
            Some(nodes) => nodes.push(index),
            None => visit(Step::Node(index)),
        }
    }
    // A stack and no recursion: boxes may lie in each other as deep as a text says.
    while let Some(step) = open.pop() {
        visit(step);
        if let Step::Open(index) = step {
            open.push(Step::Close);
            open.extend(inner.get(index).into_iter().flatten().copied().map(Step::Open));
            nodes.get(index).into_iter().flatten().for_each(|node| visit(Step::Node(*node)));
        }
    }
}

/// What a walk meets.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// A box begins.
    Open(usize),
    /// A node.
    Node(usize),
    /// The box that began last ends.
    Close,
}
