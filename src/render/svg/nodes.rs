//! Nodes: a shape and an icon for each kind, what is written in them, and badges.

use std::fmt::Write as _;

use super::super::font::Weight;
use super::super::geometry::{Point, Rect};
use super::super::layout::Layout;
use super::super::measure::{self, ABOVE, BADGE, BADGE_LINE, ICON, NAME_LINE, NodeText, SIDE, SMALL_LINE};
use super::super::scene::{Node, Shape};
use super::style::{badge_class, mark_class};
use super::{Page, number};
use crate::metadata::Level;
use crate::report::escape::xml as escape;

/// How deep the round end of a cylinder is.
const ROUND: f64 = 7.0;

impl Page<'_> {
    pub(super) fn nodes(&mut self, layout: &Layout) {
        for (index, (node, rect)) in self.scene.nodes.iter().zip(&layout.nodes).enumerate() {
            self.node(index, node, rect);
        }
    }

    fn node(&mut self, index: usize, node: &Node, rect: &Rect) {
        let names = std::iter::once(node.name.as_str()).chain(node.lines.iter().map(String::as_str));
        let story = self.story(names, &node.badges);
        let class = node.shape.name().to_owned() + mark_class(node.mark);
        let _ = writeln!(self.out, "<g class=\"{class}\" data-node=\"{index}\"><title>{}</title>", escape(&story));
        if node.on_path {
            self.rect("halo", &rect.grown(4.0), 10.0);
        }
        self.outline(node.shape, rect);
        if node.entry {
            self.entry_mark(rect);
        }
        self.writing(node, rect);
        self.out.push_str("</g>\n");
    }

    pub(super) fn outline(&mut self, shape: Shape, rect: &Rect) {
        match shape {
            Shape::Service => self.rect("body", rect, 6.0),
            Shape::Client => self.rect("body", rect, rect.height.min(44.0) / 2.0),
            Shape::Collapsed => {
                self.rect("body", &rect.moved(4.0, 4.0), 6.0);
                self.rect("body", rect, 6.0);
            }
            Shape::External => {
                self.rect("body", rect, 14.0);
                self.rect("inner", &rect.grown(-3.5), 11.0);
            }
            Shape::Store | Shape::Cache => self.path("body", &standing(rect)),
            Shape::Queue => self.path("body", &lying(rect)),
        }
    }

    fn path(&mut self, class: &str, way: &str) {
        let _ = writeln!(self.out, "<path class=\"{class}\" d=\"{way}\"/>");
    }

    /// A wedge at the left side: requests come in here.
    pub(super) fn entry_mark(&mut self, rect: &Rect) {
        let (x, y) = (rect.x, rect.y + ABOVE + NAME_LINE / 2.0);
        let way = format!(
            "M{} {}L{} {}L{} {}Z",
            number(x - 1.0),
            number(y - 7.0),
            number(x + 8.0),
            number(y),
            number(x - 1.0),
            number(y + 7.0)
        );
        self.path("entry", &way);
    }

    fn writing(&mut self, node: &Node, rect: &Rect) {
        let text = NodeText::of(node, self.ruler);
        let round = match node.shape {
            Shape::Queue | Shape::Client | Shape::External => 7.0,
            _ => 0.0,
        };
        let down = if matches!(node.shape, Shape::Store | Shape::Cache) { 9.0 } else { 0.0 };
        let (x, mut y) = (rect.x + SIDE + round, rect.y + ABOVE + down);
        self.icon(node.shape, Point { x: x + ICON / 2.0, y: y + NAME_LINE / 2.0 });
        self.text("name", Point { x: x + ICON + 6.0, y: y + NAME_LINE - 4.0 }, &text.name);
        y += NAME_LINE;
        for line in &text.lines {
            self.text("line-text", Point { x, y: y + SMALL_LINE - 4.0 }, line);
            y += SMALL_LINE;
        }
        self.badges(&node.badges, Point { x, y: y + BADGE_LINE - BADGE - 1.0 });
    }

    /// A row of badges, from a corner.
    pub(super) fn badges(&mut self, all: &[usize], at: Point) {
        let (shown, more) = measure::badges(all);
        let mut x = at.x;
        for index in shown {
            let Some(level) = self.scene.findings.get(index).map(|entry| entry.level) else { continue };
            let text = (index + 1).to_string();
            let width = measure::badge_width(&text, self.ruler);
            let is_listed = self.listed.get(index).copied().unwrap_or(false);
            if is_listed {
                let _ = write!(self.out, "<a href=\"#finding-{text}\">");
            }
            self.badge(level, &Rect { x, y: at.y, width, height: BADGE }, &text);
            if is_listed {
                self.out.push_str("</a>\n");
            }
            x += width + 4.0;
        }
        if more > 0 {
            let text = format!("+{more}");
            let width = self.ruler.width(&text, Weight::Bold, measure::LABEL);
            self.text("badge-more", Point { x: x + width / 2.0, y: at.y + 11.5 }, &text);
        }
    }

    /// An error has pointed ends, a warning corners, a note round ends.
    pub(super) fn badge(&mut self, level: Level, rect: &Rect, text: &str) {
        let class = badge_class(level);
        let Rect { x, y, width, height } = *rect;
        match level {
            Level::Error => {
                let (right, middle, bottom) = (x + width, y + height / 2.0, y + height);
                let corners = [
                    (x - 2.0, middle),
                    (x + 3.0, y),
                    (right - 3.0, y),
                    (right + 2.0, middle),
                    (right - 3.0, bottom),
                    (x + 3.0, bottom),
                ];
                let points: Vec<String> =
                    corners.iter().map(|(x, y)| format!("{} {}", number(*x), number(*y))).collect();
                self.path(class, &format!("M{}Z", points.join("L")));
            }
            Level::Warn => self.rect(class, rect, 2.0),
            Level::Info => self.rect(class, rect, height / 2.0),
        }
        let at = Point { x: x + width / 2.0, y: y + 11.3 };
        self.text(&format!("badge-text {class}-text"), at, text);
    }

    /// What kind of node it is, in 16 pixels.
    pub(super) fn icon(&mut self, shape: Shape, centre: Point) {
        let way = match shape {
            Shape::Client => {
                "M0-6a2.6 2.6 0 1 1 0 5.2a2.6 2.6 0 1 1 0-5.2ZM-5.5 6.5c0-4 2.4-5.8 5.5-5.8s5.5 1.8 5.5 5.8Z"
            }
            Shape::Service => "M0-6.5L5.7-3.2V3.2L0 6.5L-5.7 3.2V-3.2ZM-5.7-3.2L0 0L5.7-3.2M0 0V6.5",
            Shape::Store => {
                "M-5.5-4c0-1.4 2.4-2.4 5.5-2.4s5.5 1 5.5 2.4v8c0 1.4-2.4 2.4-5.5 2.4s-5.5-1-5.5-2.4ZM-5.5-4c0 1.4 2.4 2.4 5.5 2.4s5.5-1 5.5-2.4M-5.5 0c0 1.4 2.4 2.4 5.5 2.4s5.5-1 5.5-2.4"
            }
            Shape::Cache => "M1.5-7L-4.5 1H-.5L-1.5 7L4.5-1H.5Z",
            Shape::Queue => "M-7-4.5h4v9h-4ZM-2-4.5h4v9h-4ZM3-4.5h4v9h-4Z",
            Shape::External => "M-4 4.5a3.2 3.2 0 0 1-.4-6.4a4.6 4.6 0 0 1 8.9-.6a3.6 3.6 0 0 1-.4 7Z",
            Shape::Collapsed => "M-6-6h5v5h-5ZM1-6h5v5h-5ZM-6 1h5v5h-5ZM1 1h5v5h-5Z",
        };
        let (x, y) = (number(centre.x), number(centre.y));
        let _ = writeln!(self.out, "<path class=\"icon\" transform=\"translate({x} {y})\" d=\"{way}\"/>");
    }
}

/// A cylinder on its end.
fn standing(rect: &Rect) -> String {
    let [x, right, top, bottom] = [rect.x, rect.right(), rect.y + ROUND, rect.bottom() - ROUND].map(number);
    let [across, deep] = [rect.width / 2.0, ROUND].map(number);
    format!(
        "M{x} {top}A{across} {deep} 0 0 1 {right} {top}V{bottom}A{across} {deep} 0 0 1 {x} {bottom}Z\
         M{x} {top}A{across} {deep} 0 0 0 {right} {top}"
    )
}

/// A cylinder on its side.
fn lying(rect: &Rect) -> String {
    let [left, right, y, bottom] = [rect.x + ROUND, rect.right() - ROUND, rect.y, rect.bottom()].map(number);
    let [deep, down] = [ROUND, rect.height / 2.0].map(number);
    format!(
        "M{left} {y}H{right}A{deep} {down} 0 0 1 {right} {bottom}H{left}A{deep} {down} 0 0 1 {left} {y}Z\
         M{right} {y}A{deep} {down} 0 0 0 {right} {bottom}"
    )
}
