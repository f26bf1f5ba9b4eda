//! One flow over time, below the picture: a bar for every attempt, and where somebody above has given up.

use super::super::font::Weight;
use super::super::geometry::{Point, Rect};
use super::super::layout::MARGIN;
use super::super::scene::{Bar, Waterfall};
use super::Page;
use crate::model::Duration;

/// From one call to the next.
const ROW: f64 = 40.0;
/// Where there is less room, more of it is for names.
const NARROW: f64 = 500.0;
/// How high a bar is.
const HIGH: f64 = 12.0;

impl Page<'_> {
    /// Writes it from a height on; where it ends.
    pub(super) fn waterfall(&mut self, top: f64, room: f64) -> f64 {
        let Some(waterfall) = &self.scene.waterfall else { return top };
        self.text("heading", Point { x: MARGIN, y: top + 12.0 }, "Over time, each call at the latest");
        let mut y = top + 22.0;
        for bar in &waterfall.bars {
            self.bar(waterfall, bar, y, room);
            y += ROW;
        }
        if waterfall.more > 0 {
            let said = format!("and {} more calls beside these", waterfall.more);
            self.text("dim", Point { x: MARGIN, y: y + 12.0 }, &said);
            y += 20.0;
        }
        self.text("dim", Point { x: MARGIN, y: y + 10.0 }, "0");
        let end = waterfall.length.to_string();
        let width = self.ruler.width(&end, Weight::Regular, 12.0);
        self.text("dim", Point { x: MARGIN + room - width, y: y + 10.0 }, &end);
        y + 26.0
    }

    fn bar(&mut self, waterfall: &Waterfall, bar: &Bar, y: f64, room: f64) {
        let share = if room < NARROW { 0.6 } else { 0.4 };
        let name = self.ruler.cut(&bar.name, Weight::Bold, 12.0, room * share);
        let taken = self.ruler.width(&name, Weight::Bold, 12.0) + 14.0;
        self.text(if bar.on_path { "rule" } else { "message" }, Point { x: MARGIN, y: y + 12.0 }, &name);
        let cut = bar.cut.as_ref().map(|cut| format!(" · {}", cut.said)).unwrap_or_default();
        let said = self.ruler.cut(&format!("{}{cut}", bar.said), Weight::Regular, 12.0, room - taken);
        self.text("dim", Point { x: MARGIN + taken, y: y + 12.0 }, &said);
        let at = |time: Duration| MARGIN + room * (time.seconds() / waterfall.length.seconds()).clamp(0.0, 1.0);
        let taken = if bar.on_path { "try" } else { "beside" };
        let mut draw = |class: &str, from: Duration, to: Duration| {
            let (x, right) = (at(from), at(to));
            // Two attempts that follow each other at once are two bars.
            let width = (right - x - 1.0).max(1.0);
            self.rect(class, &Rect { x, y: y + 18.0, width, height: HIGH }, 2.0);
        };
        for (from, to) in bar.tries.iter().copied() {
            match &bar.cut {
                Some(cut) if cut.at < to => {
                    if from < cut.at {
                        draw(taken, from, cut.at);
                    }
                    if !cut.stops {
                        draw("late", from.max(cut.at), to);
                    }
                }
                _ => draw(taken, from, to),
            }
        }
        if let Some(cut) = &bar.cut {
            let x = at(cut.at) - 1.0;
            self.rect("cut", &Rect { x, y: y + 15.0, width: 2.0, height: HIGH + 6.0 }, 0.0);
        }
    }
}
