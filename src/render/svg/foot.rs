//! Below the picture: what takes longest, what is left out, a legend of what occurs, and the findings.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::super::font::Weight;
use super::super::geometry::{Point, Rect};
use super::super::layout::MARGIN;
use super::super::measure::{BADGE, LABEL, SMALL, badge_width};
use super::super::scene::Shape;
use super::style::{Pattern, mark_class};
use super::{Page, number};
use crate::change::Mark;
use crate::metadata::Level;

/// So many findings are listed, and what has a badge in the picture.
pub(super) const MOST_FINDINGS: usize = 200;
/// So many lines of one are.
const MOST_LINES: usize = 4;
/// From one line to the next.
const LINE: f64 = 16.0;
/// From one row of the legend to the next.
const ROW: f64 = 26.0;

/// One thing that the legend explains.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sign {
    Shape(Shape),
    Entry,
    Path,
    Line(Pattern),
    Unstated,
    Mark(Mark),
    Level(Reverse<Level>),
}

impl Sign {
    fn meaning(self) -> &'static str {
        match self {
            Self::Shape(Shape::Collapsed) => "a box, collapsed",
            Self::Shape(shape) => shape.name(),
            Self::Entry => "requests come in",
            Self::Path => "takes longest",
            Self::Line(Pattern::Hard) => "waits for it",
            Self::Line(Pattern::Optional) => "can do without",
            Self::Line(Pattern::Async) => "does not wait",
            Self::Line(Pattern::Elsewhen) => "not while serving",
            Self::Unstated => "not stated",
            Self::Mark(Mark::New) => "new",
            Self::Mark(Mark::Gone) => "gone",
            Self::Mark(_) => "changed",
            Self::Level(Reverse(level)) => level.name(),
        }
    }
}

impl Page<'_> {
    /// Writes all of it from a height on; where it ends.
    pub(super) fn foot(&mut self, top: f64, width: f64) -> f64 {
        let mut y = top;
        let room = width - 2.0 * MARGIN;
        let said: Vec<String> = self.scene.worst.iter().chain(&self.scene.notes).cloned().collect();
        for line in said {
            for line in self.ruler.lines(&line, Weight::Regular, 12.0, room, 3) {
                self.text("dim", Point { x: MARGIN, y: y + 12.0 }, &line);
                y += LINE;
            }
        }
        y = self.legend(y + 8.0, room);
        y = self.waterfall(y + 4.0, room);
        self.findings(y, room)
    }

    pub(super) fn legend(&mut self, top: f64, room: f64) -> f64 {
        let (mut x, mut y) = (MARGIN, top);
        for sign in self.signs() {
            let width = 34.0 + self.ruler.width(sign.meaning(), Weight::Regular, SMALL) + 18.0;
            if x + width > MARGIN + room && x > MARGIN {
                (x, y) = (MARGIN, y + ROW);
            }
            self.sign(sign, Point { x, y: y + ROW / 2.0 });
            self.text("line-text", Point { x: x + 36.0, y: y + ROW / 2.0 + 4.0 }, sign.meaning());
            x += width;
        }
        y + ROW + 8.0
    }

    /// What occurs in the picture.
    fn signs(&self) -> BTreeSet<Sign> {
        let scene = self.scene;
        let mut signs: BTreeSet<Sign> = scene.nodes.iter().map(|node| Sign::Shape(node.shape)).collect();
        signs.extend(scene.edges.iter().map(|edge| Sign::Line(Pattern::of(edge.line))));
        signs.extend(scene.findings.iter().map(|entry| Sign::Level(Reverse(entry.level))));
        let marks = scene.nodes.iter().map(|node| node.mark).chain(scene.edges.iter().map(|edge| edge.mark));
        signs.extend(marks.filter(|mark| *mark != Mark::Same).map(Sign::Mark));
        let occurs = |sign, is: bool| is.then_some(sign);
        // A label may ask something, too.
        let unstated = |text: &String| text.split_whitespace().any(|word| word == "?");
        signs.extend(occurs(Sign::Entry, scene.nodes.iter().any(|node| node.entry)));
        signs.extend(occurs(Sign::Path, scene.nodes.iter().any(|node| node.on_path)));
        let mut texts = scene.edges.iter().flat_map(|edge| &edge.calls).map(|call| &call.text);
        let in_lines = scene.nodes.iter().flat_map(|node| &node.lines).any(unstated);
        signs.extend(occurs(Sign::Unstated, texts.any(unstated) || in_lines));
        signs
    }

    fn sign(&mut self, sign: Sign, left: Point) {
        let Point { x, y } = left;
        match sign {
            Sign::Shape(shape) => {
                let _ = write!(self.out, "<g class=\"{}\">", shape.name());
                self.outline(shape, &Rect { x, y: y - 10.0, width: 30.0, height: 20.0 });
                self.icon(shape, Point { x: x + 15.0, y: y + if shape == Shape::Store { 2.0 } else { 0.0 } });
                self.out.push_str("</g>\n");
            }
            Sign::Entry => {
                let way = format!("M{} {}l9 7l-9 7Z", number(x + 12.0), number(y - 7.0));
                let _ = writeln!(self.out, "<path class=\"entry\" d=\"{way}\"/>");
            }
            Sign::Path => {
                let way = format!("M{} {}h20", number(x + 5.0), number(y));
                let _ = writeln!(self.out, "<path class=\"glow\" d=\"{way}\"/>");
            }
            Sign::Line(pattern) => {
                let (line, head) = (
                    format!("M{} {}h22", number(x), number(y)),
                    format!("M{} {}l9 4l-9 4", number(x + 21.0), number(y - 4.0)),
                );
                let close = if pattern == Pattern::Async { "" } else { "Z" };
                let class = pattern.class();
                let _ = writeln!(
                    self.out,
                    "<g class=\"edge {class}\"><path class=\"line\" d=\"{line}\"/><path class=\"head\" d=\"{head}{close}\"/></g>"
                );
            }
            Sign::Mark(mark) => {
                let _ = write!(self.out, "<g class=\"service{}\">", mark_class(mark));
                self.rect("body", &Rect { x: x + 2.0, y: y - 9.0, width: 28.0, height: 18.0 }, 5.0);
                self.out.push_str("</g>\n");
            }
            Sign::Unstated => self.text("name", Point { x: x + 12.0, y: y + 5.0 }, "?"),
            Sign::Level(Reverse(level)) => {
                self.badge(level, &Rect { x: x + 6.0, y: y - BADGE / 2.0, width: 18.0, height: BADGE }, "1");
            }
        }
    }

    fn findings(&mut self, top: f64, room: f64) -> f64 {
        let mut y = top;
        let listed = self.scene.findings.iter().enumerate().zip(self.listed);
        for ((index, entry), _) in listed.filter(|(_, listed)| **listed) {
            let number_text = (index + 1).to_string();
            let _ = writeln!(
                self.out,
                "<g id=\"finding-{number_text}\"><path class=\"row\" d=\"M{} {}h{}\"/>",
                number(MARGIN),
                number(y),
                number(room)
            );
            let width = badge_width(&number_text, self.ruler);
            let badge = Rect { x: MARGIN + 4.0, y: y + 6.0, width, height: BADGE };
            self.badge(entry.level, &badge, &number_text);
            let x = MARGIN + 48.0;
            let mark = match entry.mark {
                Mark::New => "NEW ",
                Mark::Gone => "FIXED ",
                Mark::Same | Mark::Changed => "",
            };
            let rule = format!("{mark}{}[{}]", entry.level.name(), entry.rule);
            self.text("rule", Point { x, y: y + 18.0 }, &rule);
            let taken = self.ruler.width(&rule, Weight::Bold, 12.0) + 14.0;
            let place = self.ruler.cut(&entry.place, Weight::Regular, 12.0, room - 48.0 - taken);
            self.text("dim", Point { x: x + taken, y: y + 18.0 }, &place);
            y += 24.0;
            for line in self.ruler.lines(&entry.message, Weight::Regular, 12.0, room - 52.0, MOST_LINES) {
                self.text("message", Point { x, y: y + 11.0 }, &line);
                y += LINE;
            }
            y += 6.0;
            self.out.push_str("</g>\n");
        }
        let more = self.listed.iter().filter(|listed| !**listed).count();
        if more > 0 {
            let said = format!("and {more} more: `topolint check` lists them");
            self.text("dim", Point { x: MARGIN, y: y + LABEL + 4.0 }, &said);
            y += LINE;
        }
        y + MARGIN
    }
}
