//! A scene for programs, `scene-v1`: what a picture shows, and where the embedded layout puts it. Lengths are CSS
//! pixels; nodes, boxes and findings are named by their place in their lists, counted from 0.

use std::io;

use serde::Serialize;

use super::geometry::{Point, Rect};
use super::layout::{Layout, Route, layout};
use super::measure;
use super::scene::{Bar, Edge, Entry, Node, Scene, Shape, Waterfall};
use super::thinned::{borne, without};
use crate::metadata::Level;
use crate::report::lines;

/// Writes a scene.
///
/// # Errors
/// What keeps it from being written.
pub fn scene_json(scene: &Scene, out: &mut impl io::Write) -> io::Result<()> {
    let (is_drawn, _) = borne(scene);
    let mut layout = layout(&measure::plan(&without(scene.clone(), &is_drawn)));
    let mut routes = std::mem::take(&mut layout.edges).into_iter();
    let route = |drawn: bool| if drawn { routes.next().unwrap_or_default() } else { Route::default() };
    layout.edges = is_drawn.into_iter().map(route).collect();
    lines::write(out, &Report::of(scene, &layout), 2)
}

/// What a picture shows.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Report<'s> {
    schema: Version,
    title: &'s str,
    summary: &'s str,
    /// The longest worst case that is known.
    worst: Option<&'s str>,
    /// What is left out.
    notes: &'s [String],
    width: f64,
    height: f64,
    boxes: Vec<BoxRow<'s>>,
    nodes: Vec<NodeRow<'s>>,
    edges: Vec<EdgeRow<'s>>,
    /// Worst first; a picture counts them from 1.
    findings: Vec<FindingRow<'s>>,
    /// The flow that is asked for, over time, if its end does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    waterfall: Option<WaterfallRow<'s>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum Version {
    #[serde(rename = "scene-v1")]
    SceneV1,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Place"))]
struct PlaceRow {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Box"))]
struct BoxRow<'s> {
    name: &'s str,
    /// The box around it.
    parent: Option<usize>,
    place: PlaceRow,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Node"))]
struct NodeRow<'s> {
    name: &'s str,
    kind: Shape,
    /// Whether requests come in here.
    entry: bool,
    /// What stands under its name.
    lines: &'s [String],
    /// The innermost box around it.
    group: Option<usize>,
    findings: &'s [usize],
    /// Whether the way that takes longest leads over it.
    longest: bool,
    place: PlaceRow,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Edge"))]
struct EdgeRow<'s> {
    from: usize,
    to: usize,
    awaited: bool,
    /// Whether the caller can do without it.
    optional: bool,
    /// Whether it is made while serving requests, and not at another time.
    serving: bool,
    calls: Vec<CallRow<'s>>,
    findings: &'s [usize],
    longest: bool,
    /// The way of the edge: it runs level at each point, unless both points of a piece have one x. Empty if pictures
    /// leave the edge out, for they would have too many.
    points: Vec<[f64; 2]>,
    label: Option<PlaceRow>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Call"))]
struct CallRow<'s> {
    call: &'s str,
    text: &'s str,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Finding"))]
struct FindingRow<'s> {
    level: Level,
    rule: &'s str,
    message: &'s str,
    place: &'s str,
    fingerprint: &'s str,
}

impl<'s> Report<'s> {
    fn of(scene: &'s Scene, layout: &Layout) -> Self {
        let groups = scene.groups.iter().zip(&layout.groups);
        Self {
            schema: Version::SceneV1,
            title: &scene.title,
            summary: &scene.summary,
            worst: scene.worst.as_deref(),
            notes: &scene.notes,
            width: tenth(layout.size.width),
            height: tenth(layout.size.height),
            boxes: groups
                .map(|(group, place)| BoxRow { name: &group.name, parent: group.parent, place: PlaceRow::of(place) })
                .collect(),
            nodes: scene.nodes.iter().zip(&layout.nodes).map(|(node, place)| NodeRow::of(node, place)).collect(),
            edges: scene.edges.iter().zip(&layout.edges).map(|(edge, route)| EdgeRow::of(edge, route)).collect(),
            findings: scene.findings.iter().map(FindingRow::of).collect(),
            waterfall: scene.waterfall.as_ref().map(WaterfallRow::of),
        }
    }
}

/// Times are seconds from the start of the flow.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Waterfall"))]
struct WaterfallRow<'s> {
    /// Until nobody does anything any more.
    length_s: f64,
    bars: Vec<BarRow<'s>>,
    /// How many more calls there are beside those.
    more: usize,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Bar"))]
struct BarRow<'s> {
    call: &'s str,
    /// Whether it is one of those that take longest.
    on_path: bool,
    /// When it is made, how often it is tried.
    text: &'s str,
    /// When its attempts start and end.
    attempts_s: Vec<[f64; 2]>,
    /// When somebody above gives up.
    cut: Option<CutRow<'s>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Cut"))]
struct CutRow<'s> {
    at_s: f64,
    /// Who, and what becomes of the call.
    text: &'s str,
    /// Whether the call stops, too.
    stops: bool,
}

impl<'s> WaterfallRow<'s> {
    fn of(waterfall: &'s Waterfall) -> Self {
        let bars = waterfall.bars.iter().map(BarRow::of).collect();
        Self { length_s: waterfall.length.seconds(), bars, more: waterfall.more }
    }
}

impl<'s> BarRow<'s> {
    fn of(bar: &'s Bar) -> Self {
        let cut = bar.cut.as_ref();
        Self {
            call: &bar.name,
            on_path: bar.on_path,
            text: &bar.said,
            attempts_s: bar.tries.iter().map(|(start, end)| [start.seconds(), end.seconds()]).collect(),
            cut: cut.map(|cut| CutRow { at_s: cut.at.seconds(), text: &cut.said, stops: cut.stops }),
        }
    }
}

impl PlaceRow {
    fn of(rect: &Rect) -> Self {
        let [x, y, width, height] = [rect.x, rect.y, rect.width, rect.height].map(tenth);
        Self { x, y, width, height }
    }
}

impl<'s> NodeRow<'s> {
    fn of(node: &'s Node, place: &Rect) -> Self {
        Self {
            name: &node.name,
            kind: node.shape,
            entry: node.entry,
            lines: &node.lines,
            group: node.group,
            findings: &node.badges,
            longest: node.on_path,
            place: PlaceRow::of(place),
        }
    }
}

impl<'s> EdgeRow<'s> {
    fn of(edge: &'s Edge, route: &Route) -> Self {
        let point = |point: &Point| [tenth(point.x), tenth(point.y)];
        Self {
            from: edge.from,
            to: edge.to,
            awaited: edge.line.awaited,
            optional: edge.line.optional,
            serving: edge.line.serving,
            calls: edge.calls.iter().map(|call| CallRow { call: &call.name, text: &call.text }).collect(),
            findings: &edge.badges,
            longest: edge.on_path,
            points: route.points.iter().map(point).collect(),
            label: route.label.as_ref().map(PlaceRow::of),
        }
    }
}

impl<'s> FindingRow<'s> {
    fn of(entry: &'s Entry) -> Self {
        Self {
            level: entry.level,
            rule: entry.rule,
            message: &entry.message,
            place: &entry.place,
            fingerprint: &entry.fingerprint,
        }
    }
}

/// A length with one decimal.
fn tenth(length: f64) -> f64 {
    (length * 10.0).round() / 10.0 + 0.0
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_schema_of_a_scene_is_kept() {
        crate::report::schemas::hold::<super::Report<'static>>("scene-v1");
    }
}
