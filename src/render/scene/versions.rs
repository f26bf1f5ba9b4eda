//! Two versions in one picture: what came, went and changed is marked by words, outlines and patterns, and not by
//! colour alone.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use super::sides::sides;
use super::{Call, Edge, Entry, Line, Node, Scene, words};
use crate::change::{Comparison, Edit, Fate, Mark, TopologyChange};

/// The picture of head with what went, and with marks on what is not what it was. Both scenes have been made of the same
/// view; `change` is that of their topology.
#[must_use]
pub fn versions(before: &Scene, after: &Scene, change: &TopologyChange, found: &Comparison) -> Scene {
    let mut scene = after.clone();
    let edits = Edits::of(&change.edits);
    let places = nodes(before, &mut scene, &edits);
    edges(before, &mut scene, &places, &edits);
    scene.sides = Some(sides(before, after, &scene, &places));
    findings(before, &mut scene, found);
    let count = |mark: Mark| {
        let nodes = scene.nodes.iter().filter(|node| node.mark == mark).count();
        nodes + scene.edges.iter().flat_map(|edge| &edge.calls).filter(|call| call.mark == mark).count()
    };
    let counted = [(Mark::New, "new"), (Mark::Changed, "changed"), (Mark::Gone, "gone")];
    let said: Vec<String> = counted.into_iter().map(|(mark, word)| format!("{} {word}", count(mark))).collect();
    scene.notes.insert(0, format!("Nodes and calls: {}", said.join(", ")));
    scene.notes.extend(
        scene
            .worst
            .iter()
            .zip(&before.worst)
            .filter(|(now, was)| now != was)
            .map(|(_, was)| format!("Before: {}", was.trim_start_matches("Longest: "))),
    );
    scene
}

/// What is stated otherwise, by the name of its element.
struct Edits<'a>(BTreeMap<&'a str, &'a Edit>);

impl<'a> Edits<'a> {
    fn of(edits: &'a [Edit]) -> Self {
        Self(edits.iter().map(|edit| (edit.name.as_str(), edit)).collect())
    }

    /// What a node was called before.
    fn former_name(&self, name: &'a str) -> &'a str {
        match self.0.get(name).map(|edit| &edit.fate) {
            Some(Fate::Renamed(former)) => former,
            _ => name,
        }
    }

    /// What is to be said of the operations of a node: of the first by name.
    fn of_operations(&self, node: &str) -> Option<String> {
        let first = format!("{node}.");
        let mut inside = self
            .0
            .range::<str, _>((Bound::Included(first.as_str()), Bound::Unbounded))
            .take_while(|(name, _)| name.starts_with(&first));
        let (name, edit) = inside.find(|(name, _)| !name.contains("->"))?;
        let operation = name.strip_prefix(&first)?;
        Some(match edit.fate {
            Fate::Added => format!("{operation} is new"),
            Fate::Removed => format!("{operation} is gone"),
            _ => format!("{operation}: {}", self.of_element(&edit.name)?),
        })
    }

    /// What is to be said of an element that stayed.
    fn of_element(&self, name: &str) -> Option<String> {
        let edit = self.0.get(name)?;
        let attribute = edit.attributes.first().map(|attribute| attribute.sentence(str::to_owned));
        match &edit.fate {
            Fate::Renamed(former) => Some(format!("was {former}")),
            Fate::Changed => Some(attribute.unwrap_or_else(|| "changed".to_owned())),
            Fate::Added | Fate::Removed => None,
        }
    }
}

/// Marks nodes and adds those that went; where the nodes of base are.
fn nodes(before: &Scene, scene: &mut Scene, edits: &Edits<'_>) -> Vec<usize> {
    let old: HashMap<&str, usize> =
        before.nodes.iter().enumerate().map(|(index, node)| (node.name.as_str(), index)).collect();
    let mut places: Vec<Option<usize>> = vec![None; before.nodes.len()];
    for (index, node) in scene.nodes.iter_mut().enumerate() {
        let place = old.get(edits.former_name(&node.name)).copied();
        if let Some(slot) = place.and_then(|place| places.get_mut(place)) {
            *slot = Some(index);
        }
        mark(node, place.and_then(|place| before.nodes.get(place)), edits);
    }
    let add = |(node, place): (&Node, Option<usize>)| place.unwrap_or_else(|| add_gone(before, node, scene));
    before.nodes.iter().zip(places).map(add).collect()
}

/// Marks a node that is there, by what it was.
fn mark(node: &mut Node, was: Option<&Node>, edits: &Edits<'_>) {
    let Some(was) = was else {
        node.mark = Mark::New;
        node.lines.insert(0, "NEW".to_owned());
        return;
    };
    compare_lines(was, node);
    if let Some(said) = edits.of_element(&node.name).or_else(|| edits.of_operations(&node.name)) {
        node.mark = Mark::Changed;
        node.lines.insert(0, format!("CHANGED: {said}"));
    }
}

/// What an entry may take, with what it was.
fn compare_lines(was: &Node, node: &mut Node) {
    let first = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    for line in node.lines.iter_mut().filter(|line| line.contains(" ≤ ") && !was.lines.contains(line)) {
        if let Some(old) = was.lines.iter().find(|old| old.contains(" ≤ ") && first(old) == first(line)) {
            *line = format!("{old} → {}", line.get(first(line).len()..).unwrap_or("").trim_start());
        }
    }
}

/// Adds a node that went; in its box, if that is still there.
fn add_gone(before: &Scene, node: &Node, scene: &mut Scene) -> usize {
    let name = node.group.and_then(|group| before.groups.get(group)).map(|group| &group.name);
    let group = name.and_then(|name| scene.groups.iter().position(|group| group.name == *name));
    let lines = std::iter::once("GONE".to_owned()).chain(node.lines.iter().cloned()).collect();
    // The topology of head knows nothing of it.
    let gone = Node {
        mark: Mark::Gone,
        members: Vec::new(),
        group,
        lines,
        badges: Vec::new(),
        on_path: false,
        ..node.clone()
    };
    scene.nodes.push(gone);
    scene.nodes.len() - 1
}

/// Marks calls and adds those that went.
fn edges(before: &Scene, scene: &mut Scene, places: &[usize], edits: &Edits<'_>) {
    type Key = (usize, usize, Line);
    let place = |index: usize| places.get(index).copied().unwrap_or_default();
    // A call may have another line than before: it is the same call.
    let mut old: BTreeMap<(usize, usize, String), (&Edge, &Call)> = BTreeMap::new();
    for edge in &before.edges {
        for call in &edge.calls {
            old.insert((place(edge.from), place(edge.to), operations(&call.identity)), (edge, call));
        }
    }
    for edge in &mut scene.edges {
        for call in &mut edge.calls {
            let was = old.remove(&(edge.from, edge.to, operations(&call.identity)));
            let name = call.identity.split('#').next().unwrap_or_default();
            match (was, edits.of_element(name)) {
                (None, _) => call.marked(Mark::New, &format!("NEW {}", call.text)),
                (Some((_, was)), _) if was.text != call.text => {
                    call.marked(Mark::Changed, &format!("{} → {}", was.text, differing(&was.text, &call.text)));
                }
                (Some(_), Some(said)) => call.marked(Mark::Changed, &format!("{} ({said})", call.text)),
                (Some((was, _)), None) if was.line != edge.line => {
                    call.marked(Mark::Changed, &format!("CHANGED {}", call.text));
                }
                (Some(_), None) => {}
            }
        }
        edge.mark = edge.calls.iter().map(|call| call.mark).reduce(together).unwrap_or(Mark::Same);
    }
    let mut gone: BTreeMap<Key, Vec<Call>> = BTreeMap::new();
    for ((from, to, _), (edge, call)) in old {
        let mut call = call.clone();
        call.id = None;
        call.marked(Mark::Gone, &format!("GONE {}", call.text));
        gone.entry((from, to, edge.line)).or_default().push(call);
    }
    scene.edges.extend(gone.into_iter().map(|((from, to, line), calls)| Edge {
        from,
        to,
        line,
        calls,
        badges: Vec::new(),
        on_path: false,
        mark: Mark::Gone,
    }));
}

/// Which call it is between its nodes: `a.x->b.y#0` is `x->y#0`, whatever its nodes are called.
pub(super) fn operations(identity: &str) -> String {
    let ends = identity.split("->").map(|end| {
        let (arrow, end) = end.strip_prefix('>').map_or(("", end), |end| (">", end));
        let name = end.find(['.', '#']).and_then(|at| end.get(at..)).unwrap_or("");
        format!("{arrow}{name}")
    });
    ends.collect::<Vec<_>>().join("->")
}

/// The second text without what it begins with like the first: "reserve 2 × 1 s" after "reserve 1 × 1 s" is "2 × 1 s".
fn differing<'t>(one: &str, other: &'t str) -> &'t str {
    let name =
        |text: &str| text.rsplit_once(" × ").and_then(|(start, _)| start.rsplit_once(' ').map(|(name, _)| name.len()));
    match (name(one), name(other)) {
        (Some(first), Some(second)) if one.get(..first) == other.get(..second) => {
            other.get(second..).unwrap_or(other).trim_start()
        }
        _ => other,
    }
}

/// What two marks make of an edge: alike, or changed.
fn together(one: Mark, other: Mark) -> Mark {
    if one == other { one } else { Mark::Changed }
}

impl Call {
    fn marked(&mut self, mark: Mark, text: &str) {
        self.mark = mark;
        text.trim().clone_into(&mut self.text);
    }
}

/// Marks what is found in head only, and adds what was found in base only.
fn findings(before: &Scene, scene: &mut Scene, found: &Comparison) {
    if scene.findings.is_empty() && before.findings.is_empty() {
        return;
    }
    let new: Vec<String> = found.new_findings().map(|(finding, _)| finding.fingerprint.to_string()).collect();
    for entry in scene.findings.iter_mut().filter(|entry| new.contains(&entry.fingerprint)) {
        entry.mark = Mark::New;
    }
    let fixed: Vec<String> = found.fixed_findings().map(|finding| finding.fingerprint.to_string()).collect();
    let gone = before.findings.iter().filter(|entry| fixed.contains(&entry.fingerprint));
    let gone: Vec<Entry> = gone.map(|entry| Entry { mark: Mark::Gone, ..entry.clone() }).collect();
    let counts = [(new.len(), "new"), (gone.len(), "fixed")];
    let said = counts.iter().map(|(count, word)| format!("{} {word}", words::counted(*count, "finding")));
    scene.summary = format!("{} ({})", scene.summary, said.collect::<Vec<_>>().join(", "));
    scene.findings.extend(gone);
}
