//! A scene as SVG: one file that needs nothing else, without scripts, the same bytes for the same scene. What may be
//! covered is painted first: boxes, edges, nodes, then labels on a background of their own.

mod foot;
mod nodes;
mod style;
mod waterfall;

use std::fmt::{self, Display, Write as _};

use super::font::{Ruler, Weight};
use super::geometry::{Point, Rect, Size};
use super::layout::{Layout, MARGIN, Route, layout};
use super::measure::{self, LABEL, LABEL_LINE, LABEL_SIDE, SMALL};
use super::scene::{Edge, Entry, Scene};
use crate::parallel;
use crate::report::escape::xml as escape;
pub use style::Theme;

/// No picture is narrower: the table of findings has to be read.
const LEAST_WIDTH: f64 = 760.0;
/// Where the picture starts, below its title.
const HEAD: f64 = 56.0;
/// How long and how wide an arrow head is.
const HEAD_LENGTH: f64 = 9.0;
const HEAD_WIDTH: f64 = 4.0;

/// Draws a scene.
#[must_use]
pub fn svg(scene: &Scene, theme: Theme) -> String {
    let ruler = Ruler::new();
    let layout = layout(&measure::sized(scene, &ruler));
    let width = layout.size.width.max(LEAST_WIDTH);
    let listed = measure::listed(scene, foot::MOST_FINDINGS);
    let blank = || Page { out: String::new(), ruler: &ruler, scene, listed: &listed };
    let picture = || {
        let mut page = blank();
        page.open("<g class=\"picture\" transform=\"translate(0 ", HEAD, ")\">\n");
        page.picture(&layout);
        page.out.push_str("</g>\n");
        page.out
    };
    let foot = || {
        let mut page = blank();
        let height = page.foot(HEAD + layout.size.height, width);
        (page.out, height)
    };
    let (picture, (foot, height)) = parallel::both(picture, foot);
    let mut page = blank();
    page.start(Size { width, height }, theme);
    page.out + &picture + &foot + "</svg>\n"
}

/// The parts of a picture, for a page that says the rest itself.
pub(super) struct Parts {
    /// Its elements, from the upper left corner on.
    pub(super) picture: String,
    /// How much room they take.
    pub(super) size: Size,
    /// What explains them, and how much room that takes.
    pub(super) legend: (String, Size),
    /// The style sheet of both.
    pub(super) style: String,
}

/// The parts of a picture beside which these findings are listed.
pub(super) fn parts(scene: &Scene, theme: Theme, listed: &[bool]) -> Parts {
    /// The legend breaks its rows where a column of text would end.
    const LEGEND: f64 = 420.0;
    let ruler = Ruler::new();
    let layout = layout(&measure::sized(scene, &ruler));
    let mut page = Page { out: String::new(), ruler: &ruler, scene, listed };
    page.picture(&layout);
    let picture = std::mem::take(&mut page.out);
    let height = page.legend(0.0, LEGEND - 2.0 * MARGIN);
    let height = page.waterfall(height, LEGEND - 2.0 * MARGIN);
    let legend = (page.out, Size { width: LEGEND, height });
    Parts { picture, size: layout.size, legend, style: theme.style() }
}

/// What is written so far.
struct Page<'a> {
    out: String,
    ruler: &'a Ruler,
    scene: &'a Scene,
    /// For each finding whether there is a place that says it.
    listed: &'a [bool],
}

/// A length, with one decimal at most.
pub(super) fn number(value: f64) -> Number {
    #[allow(clippy::cast_possible_truncation, reason = "lengths of a picture, to the tenth of a pixel")]
    Number((value * 10.0).round_ties_even() as i64)
}

/// A length in tenths of a pixel.
#[derive(Clone, Copy)]
pub(super) struct Number(i64);

impl Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, tenth) = (self.0.unsigned_abs() / 10, self.0.unsigned_abs() % 10);
        if self.0 < 0 {
            out.write_char('-')?;
        }
        write!(out, "{whole}")?;
        if tenth > 0 { write!(out, ".{tenth}") } else { Ok(()) }
    }
}

impl Page<'_> {
    fn open(&mut self, before: &str, value: f64, after: &str) {
        let _ = write!(self.out, "{before}{}{after}", number(value));
    }

    /// A text in one line.
    fn text(&mut self, class: &str, at: Point, text: &str) {
        let (x, y) = (number(at.x), number(at.y));
        let _ = writeln!(self.out, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>", escape(text));
    }

    fn rect(&mut self, class: &str, rect: &Rect, radius: f64) {
        let Rect { x, y, width, height } = *rect;
        let numbers = [x, y, width, height, radius].map(number);
        let [x, y, width, height, radius] = numbers;
        let _ = writeln!(
            self.out,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{radius}\"/>"
        );
    }

    fn start(&mut self, size: Size, theme: Theme) {
        let (width, height) = (number(size.width), number(size.height));
        let title = escape(&self.scene.title);
        let _ = writeln!(
            self.out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"picture-title picture-summary\">\n\
             <title id=\"picture-title\">{title}</title>\n<desc id=\"picture-summary\">{}</desc>\n<style>\n{}</style>",
            escape(&self.description()),
            theme.style()
        );
        self.rect("paper", &Rect { x: 0.0, y: 0.0, width: size.width, height: size.height }, 0.0);
        let room = size.width - 2.0 * MARGIN;
        let title = self.ruler.cut(&self.scene.title, Weight::Bold, 18.0, room);
        self.text("title", Point { x: MARGIN, y: 31.0 }, &title);
        self.text("dim", Point { x: MARGIN, y: 49.0 }, &summary_line(&self.scene.summary, self.ruler, room));
    }

    /// The picture in words, for those who cannot see it.
    fn description(&self) -> String {
        let scene = self.scene;
        let name = |index: usize| scene.nodes.get(index).map_or("", |node| node.name.as_str());
        let calls = scene.edges.iter().take(200).map(|edge| format!("{} calls {}", name(edge.from), name(edge.to)));
        let calls: Vec<String> = calls.collect();
        format!("{}. {}.", scene.summary, calls.join(", "))
    }

    /// All that is drawn, each kind of thing by itself.
    fn picture(&mut self, layout: &Layout) {
        let layers: [fn(&mut Self, &Layout); 5] = [Self::boxes, Self::edges, Self::nodes, Self::labels, Self::titles];
        let (ruler, scene, listed) = (self.ruler, self.scene, self.listed);
        let painted = parallel::map(&layers, |paint| {
            let mut page = Self { out: String::new(), ruler, scene, listed };
            paint(&mut page, layout);
            page.out
        });
        self.out.extend(painted);
    }

    fn boxes(&mut self, layout: &Layout) {
        for (index, rect) in layout.groups.iter().enumerate().filter(|(_, rect)| rect.width > 0.0) {
            let _ = write!(self.out, "<g data-box=\"{index}\">");
            self.rect("box", rect, 10.0);
            self.out.push_str("</g>\n");
        }
    }

    fn titles(&mut self, layout: &Layout) {
        let titles = self.scene.groups.iter().zip(&layout.titles).enumerate();
        for (index, (group, rect)) in titles.filter(|(_, (_, rect))| rect.width > 0.0) {
            let _ = write!(self.out, "<g data-title=\"{index}\">");
            self.rect("plate box-plate", rect, 4.0);
            let title = self.ruler.cut(&group.name, Weight::Bold, SMALL, rect.width - 10.0);
            self.text("box-title", Point { x: rect.x + 6.0, y: rect.bottom() - 4.5 }, &title);
            self.out.push_str("</g>\n");
        }
    }

    fn edges(&mut self, layout: &Layout) {
        let edges = || self.scene.edges.iter().zip(&layout.edges);
        let glow: Vec<String> = edges().filter(|(edge, _)| edge.on_path).map(|(_, route)| way(route, 0.0)).collect();
        for way in glow {
            let _ = writeln!(self.out, "<path class=\"glow\" d=\"{way}\"/>");
        }
        for (index, (edge, route)) in self.scene.edges.iter().zip(&layout.edges).enumerate() {
            self.edge(index, edge, route);
        }
    }

    fn edge(&mut self, index: usize, edge: &Edge, route: &Route) {
        let class = style::line(edge, self.worst(&edge.badges));
        let story = self.story(edge.calls.iter().map(|call| call.name.as_str()), &edge.badges);
        let _ = writeln!(self.out, "<g class=\"{class}\" data-edge=\"{index}\"><title>{}</title>", escape(&story));
        let _ = writeln!(self.out, "<path class=\"line\" d=\"{}\"/>", way(route, HEAD_LENGTH - 1.0));
        let _ = writeln!(self.out, "<path class=\"head\" d=\"{}\"/></g>", head(route, !edge.line.awaited));
    }

    /// What is shown when the pointer rests on something.
    fn story<'t>(&self, names: impl Iterator<Item = &'t str>, badges: &[usize]) -> String {
        let found = badges.iter().filter_map(|badge| Some((badge + 1, self.scene.findings.get(*badge)?)));
        let found =
            found.map(|(number, entry)| format!("{number}. {}[{}]: {}", entry.level.name(), entry.rule, entry.message));
        let mut said = some(names.map(str::to_owned));
        said.extend(some(found));
        said.join("\n")
    }

    /// The finding that matters most.
    fn worst(&self, badges: &[usize]) -> Option<&Entry> {
        badges.iter().filter_map(|badge| self.scene.findings.get(*badge)).max_by_key(|entry| entry.level)
    }

    /// Whether a label lies on the ground of a box, which can only be one around an end of its edge.
    fn is_in_box(&self, edge: &Edge, label: &Rect, layout: &Layout) -> bool {
        let own = |node: usize| self.scene.nodes.get(node).and_then(|node| node.group);
        let parent = |group: &usize| self.scene.groups.get(*group).and_then(|group| group.parent);
        let mut around = [edge.from, edge.to].into_iter().flat_map(|node| std::iter::successors(own(node), parent));
        around.any(|group| layout.groups.get(group).is_some_and(|frame| frame.contains(label.centre())))
    }

    fn labels(&mut self, layout: &Layout) {
        for (index, (edge, route)) in self.scene.edges.iter().zip(&layout.edges).enumerate() {
            let Some(rect) = route.label else { continue };
            let _ = write!(self.out, "<g data-label=\"{index}\">");
            let class = if self.is_in_box(edge, &rect, layout) { "plate in-box" } else { "plate" };
            self.rect(class, &rect, 3.0);
            let mut y = rect.y + 2.0;
            for line in measure::label(edge, self.ruler) {
                let x = rect.centre().x;
                self.text("label", Point { x, y: y + LABEL_LINE - 3.0 }, &line);
                y += LABEL_LINE;
            }
            let width = measure::badges_width(&edge.badges, self.ruler);
            let x = rect.centre().x - width / 2.0;
            self.badges(&edge.badges, Point { x: x.max(rect.x + LABEL_SIDE) + 2.0, y: y + 1.0 });
            self.out.push_str("</g>\n");
        }
    }
}

/// Texts as far as anybody reads them, and how many there are beside them.
fn some(mut texts: impl Iterator<Item = String>) -> Vec<String> {
    const MOST: usize = 20;
    let mut said: Vec<String> = texts.by_ref().take(MOST).collect();
    let more = texts.count();
    said.extend((more > 0).then(|| format!("and {more} more")));
    said
}

fn summary_line(summary: &str, ruler: &Ruler, room: f64) -> String {
    ruler.cut(summary, Weight::Regular, LABEL + 1.5, room)
}

/// The way of an edge, so much shorter at its end.
fn way(route: &Route, shorter: f64) -> String {
    let mut points = route.points.clone();
    let count = points.len();
    if let Some([before, last]) =
        points.get_mut(count.saturating_sub(2)..).and_then(|end| <&mut [Point; 2]>::try_from(end).ok())
    {
        let (x, y) = direction(*before, *last);
        *last = Point { x: last.x - x * shorter, y: last.y - y * shorter };
    }
    let mut out = String::new();
    let mut before: Option<Point> = None;
    for point in points {
        let (x, y) = (number(point.x), number(point.y));
        match before {
            None => {
                let _ = write!(out, "M{x} {y}");
            }
            Some(from) if (from.y - point.y).abs() < 0.05 || (from.x - point.x).abs() < 0.05 => {
                let _ = write!(out, "L{x} {y}");
            }
            Some(from) => {
                let middle = number(f64::midpoint(from.x, point.x));
                let _ = write!(out, "C{middle} {} {middle} {y} {x} {y}", number(from.y));
            }
        }
        before = Some(point);
    }
    out
}

/// Where an edge points to at its end: it arrives level, or straight from above or below.
fn direction(from: Point, to: Point) -> (f64, f64) {
    if (from.x - to.x).abs() < 0.05 { (0.0, (to.y - from.y).signum()) } else { ((to.x - from.x).signum(), 0.0) }
}

/// The head of an arrow; an open one does not wait.
fn head(route: &Route, open: bool) -> String {
    let (Some(tip), Some(before)) = (route.points.last(), route.points.iter().rev().nth(1)) else {
        return String::new();
    };
    let (x, y) = direction(*before, *tip);
    let corner = |side: f64| {
        let (back, out) = (HEAD_LENGTH, HEAD_WIDTH * side);
        format!("{} {}", number(tip.x - x * back - y * out), number(tip.y - y * back + x * out))
    };
    let (tip_x, tip_y) = (number(tip.x), number(tip.y));
    let close = if open { "" } else { "Z" };
    format!("M{}L{tip_x} {tip_y}L{}{close}", corner(1.0), corner(-1.0))
}
