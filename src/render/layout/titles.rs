//! The titles of boxes: each on the upper side of its box, moved along it until nothing else is there, or else on the
//! lower one.

use super::{Layout, Plan, PlannedGroup, Route};
use crate::render::geometry::{Point, Rect, Size};

/// From the corner of a box.
const INSET: f64 = 12.0;
/// How far it moves on.
const STEP: f64 = 8.0;
/// What is so near to a title is in its way.
const NEAR: f64 = 1.0;
/// So many points of a curve stand for it.
const SAMPLES: u32 = 12;

/// How wide a box is, so that its title has room.
pub(super) fn room(group: &PlannedGroup) -> f64 {
    group.title.width + 2.0 * INSET
}

/// A place for every title, no wider than its box.
pub(super) fn titles(plan: &Plan, layout: &Layout) -> Vec<Rect> {
    let mut taken: Vec<Rect> = layout.nodes.clone();
    taken.extend(layout.edges.iter().filter_map(|edge| edge.label));
    let bands = bands(plan, layout);
    let parts = layout.edges.iter().flat_map(|edge| edge.points.windows(2)).filter(|ends| touch(&bands, ends));
    let way = Shelves::of(parts.flat_map(between));
    let mut titles = Vec::new();
    for (group, frame) in plan.groups.iter().zip(&layout.groups) {
        let title = place(group.title, frame, &taken, &way);
        taken.push(title);
        titles.push(title);
    }
    titles
}

/// Points by their height, so that those of a band are found without a look at all.
struct Shelves(Vec<Vec<Point>>);

impl Shelves {
    /// How high one is, and how many there are at most.
    const HEIGHT: f64 = 16.0;
    const MOST: usize = 100_000;

    fn of(points: impl Iterator<Item = Point>) -> Self {
        let mut shelves: Vec<Vec<Point>> = Vec::new();
        for point in points {
            let at = Self::at(point.y);
            if at >= shelves.len() {
                shelves.resize(at + 1, Vec::new());
            }
            shelves.get_mut(at).into_iter().for_each(|shelf| shelf.push(point));
        }
        Self(shelves)
    }

    /// What lies higher than the first shelf stands on it, and what lies lower than the last one on that.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "beyond it is the nearest one")]
    fn at(height: f64) -> usize {
        ((height / Self::HEIGHT) as usize).min(Self::MOST - 1)
    }

    fn between(&self, top: f64, bottom: f64) -> impl Iterator<Item = Point> {
        let first = Self::at(top);
        let shelves = self.0.iter().skip(first).take(Self::at(bottom) + 1 - first);
        shelves.flatten().copied()
    }
}

/// Where titles may stand, from above to below: what is elsewhere is in nobody's way.
fn bands(plan: &Plan, layout: &Layout) -> Vec<[f64; 2]> {
    let sides = plan.groups.iter().zip(&layout.groups).flat_map(|(group, frame)| {
        let reach = group.title.height / 2.0 + NEAR;
        [frame.y, frame.bottom()].map(|side| [side - reach, side + reach])
    });
    let mut sides: Vec<[f64; 2]> = sides.collect();
    sides.sort_unstable_by(|[one, _], [other, _]| one.total_cmp(other));
    let mut bands: Vec<[f64; 2]> = Vec::new();
    for [top, bottom] in sides {
        match bands.last_mut().filter(|[_, end]| *end >= top) {
            Some([_, end]) => *end = end.max(bottom),
            None => bands.push([top, bottom]),
        }
    }
    bands
}

/// Whether the curve between two points passes a band. It is nowhere higher or lower than its ends.
fn touch(bands: &[[f64; 2]], ends: &[Point]) -> bool {
    let heights = || ends.iter().map(|point| point.y);
    let (top, bottom) = (heights().fold(f64::INFINITY, f64::min), heights().fold(f64::NEG_INFINITY, f64::max));
    let first = bands.partition_point(|[_, end]| *end < top);
    bands.get(first).is_some_and(|[start, _]| *start <= bottom)
}

/// From left to right on the upper side, then on the lower one, the first place where nothing is; else the one that the
/// fewest edges pass.
fn place(size: Size, frame: &Rect, taken: &[Rect], way: &Shelves) -> Rect {
    if frame.width <= 0.0 {
        return Rect::default();
    }
    let width = size.width.min(frame.width - 2.0 * INSET).max(0.0);
    let first = Rect { x: frame.x + INSET, y: frame.y - size.height / 2.0, width, height: size.height };
    let found = [0.0, frame.height].map(|down| on_side(&first.moved(0.0, down), frame, taken, way));
    let least = found.into_iter().flatten().min_by_key(|(_, crossed)| *crossed);
    least.map_or(first, |(place, _)| place)
}

/// The best place on one side of a box, given the first one, and how often edges pass it.
fn on_side(first: &Rect, frame: &Rect, taken: &[Rect], way: &Shelves) -> Option<(Rect, usize)> {
    let band = Rect { x: frame.x, width: frame.width, ..*first };
    let taken: Vec<&Rect> = taken.iter().filter(|rect| rect.overlaps(&band)).collect();
    let near = band.grown(NEAR);
    let way: Vec<Point> = way.between(near.y, near.bottom()).filter(|point| near.contains(*point)).collect();
    let places = std::iter::successors(Some(*first), |place| Some(place.moved(STEP, 0.0)));
    let places = places.take_while(|place| place.right() <= frame.right() - INSET + 1e-6);
    let free = places.filter(|place| !taken.iter().any(|rect| rect.overlaps(place)));
    let crossed = |place: &Rect| way.iter().filter(|point| place.grown(2.0).contains(**point)).count();
    free.map(|place| (place, crossed(&place))).min_by_key(|(_, crossed)| *crossed)
}

impl Route {
    /// Points on the way, near enough to each other to tell what it passes.
    pub fn samples(&self) -> impl Iterator<Item = Point> + '_ {
        self.points.windows(2).flat_map(between)
    }
}

/// Points of the curve between two.
fn between(ends: &[Point]) -> impl Iterator<Item = Point> + use<> {
    let (from, to) = match ends {
        [from, to] => (*from, *to),
        _ => (Point::default(), Point::default()),
    };
    (0..=SAMPLES).map(move |step| on_curve(from, to, f64::from(step) / f64::from(SAMPLES)))
}

/// A point of the curve that leaves `from` and reaches `to` level.
fn on_curve(from: Point, to: Point, t: f64) -> Point {
    let middle = f64::midpoint(from.x, to.x);
    let bezier = |a: f64, b: f64, c: f64, d: f64| {
        let s = 1.0 - t;
        a * s * s * s + 3.0 * b * s * s * t + 3.0 * c * s * t * t + d * t * t * t
    };
    Point { x: bezier(from.x, middle, middle, to.x), y: bezier(from.y, from.y, to.y, to.y) }
}
