//! When something works, as a formula over components that are up or down: equal formulas are one, so that what is
//! needed twice counts once. Bounds hold whatever fails together.
//!
//! Fréchet: of n events with probabilities p, at least k happen with at most
//! `min over m < k of (the sum of the n − m smallest p) / (k − m)`.

use super::Target;
use super::numbered::{Column, Numbered};
use crate::model::CallId;

/// A formula, as a row of its arena.
pub(super) type FormulaId = usize;

/// Where a choice stands: its first call, and how deep in a split of splits.
pub(super) type Site = (CallId, usize);

/// One formula. Shares are kept as bits, so that equal ones can be found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Shape {
    /// Whatever happens.
    Always,
    /// Never.
    Never,
    /// This is up.
    Up(Target),
    /// All of these.
    All(Vec<FormulaId>),
    /// So many of these.
    Enough(usize, Vec<FormulaId>),
    /// One of these, each for its share of requests; the site tells one choice from another.
    Choice(Site, Vec<(u64, FormulaId)>),
}

/// The least and the most of each formula.
pub(super) type Bounds<'b> = Column<'b, (f64, f64)>;

/// So many needed parts are held in one list; beyond it a formula names formulas.
const FLAT: usize = 256;

/// So often what all parts need is taken out of them. Once is enough unless lists name lists: then taking something out
/// makes room to unfold what was named, without an end in sight where much is shared.
const ROUNDS: usize = 4;

/// All formulas of a topology; parts come before what is made of them.
#[derive(Debug)]
pub(super) struct Formulas<'b>(Numbered<'b, Shape>);

impl<'b> Formulas<'b> {
    /// None but those below, if there are any.
    pub(super) fn above(below: Option<&'b Self>) -> Self {
        let mut shapes = Numbered::above(below.map(|below| &below.0));
        shapes.add(Shape::Always);
        shapes.add(Shape::Never);
        Self(shapes)
    }
}

impl Formulas<'_> {
    pub(super) const ALWAYS: FormulaId = 0;
    pub(super) const NEVER: FormulaId = 1;

    /// Those that do not lie below.
    pub(super) fn own(&self) -> &[Shape] {
        self.0.own()
    }

    pub(super) fn up(&mut self, component: Target) -> FormulaId {
        self.add(Shape::Up(component))
    }

    pub(super) fn all(&mut self, parts: impl IntoIterator<Item = FormulaId>) -> FormulaId {
        let mut flat = Vec::new();
        for part in parts {
            match self.0.get(part) {
                Some(Shape::Always) => {}
                Some(Shape::All(inner)) if inner.len() + flat.len() <= FLAT => flat.extend(inner),
                _ => flat.push(part),
            }
        }
        flat.sort_unstable();
        flat.dedup();
        match flat.as_slice() {
            [] => Self::ALWAYS,
            [one] => *one,
            _ if flat.contains(&Self::NEVER) => Self::NEVER,
            _ => self.add(Shape::All(flat)),
        }
    }

    pub(super) fn enough(&mut self, needed: usize, parts: impl IntoIterator<Item = FormulaId>) -> FormulaId {
        self.enough_within(ROUNDS, needed, parts)
    }

    fn enough_within(&mut self, rounds: usize, needed: usize, parts: impl IntoIterator<Item = FormulaId>) -> FormulaId {
        let mut parts: Vec<FormulaId> = parts.into_iter().filter(|part| *part != Self::NEVER).collect();
        let certain = parts.iter().filter(|part| **part == Self::ALWAYS).count();
        parts.retain(|part| *part != Self::ALWAYS);
        parts.sort_unstable();
        let needed = needed.saturating_sub(certain);
        if needed == 1 {
            parts.dedup();
        }
        match (needed, parts.as_slice()) {
            (0, _) => Self::ALWAYS,
            (needed, parts) if needed > parts.len() => Self::NEVER,
            (needed, of) if needed == of.len() => self.all(parts),
            _ => {
                let common = if rounds == 0 { Vec::new() } else { self.common(&parts) };
                if common.is_empty() {
                    return self.add(Shape::Enough(needed, parts));
                }
                let without: Vec<FormulaId> = parts.iter().map(|part| self.without(*part, &common)).collect();
                let rest = self.enough_within(rounds - 1, needed, without);
                self.all(common.into_iter().chain([rest]))
            }
        }
    }

    /// What all of these need: it is needed itself.
    fn common(&self, parts: &[FormulaId]) -> Vec<FormulaId> {
        let needs = parts.iter().map(|part| self.needs(part));
        let shortest = needs.min_by_key(|needs| needs.len()).unwrap_or_default();
        let by_all = |one: &&FormulaId| parts.iter().all(|part| self.needs(part).binary_search(one).is_ok());
        shortest.iter().filter(by_all).copied().collect()
    }

    fn without(&mut self, part: FormulaId, common: &[FormulaId]) -> FormulaId {
        let needs = self.needs(&part).to_vec();
        self.all(needs.into_iter().filter(|one| common.binary_search(one).is_err()))
    }

    /// What a formula needs all of, in order.
    fn needs<'a>(&'a self, part: &'a FormulaId) -> &'a [FormulaId] {
        match self.0.get(*part) {
            Some(Shape::All(parts)) => parts,
            _ => std::slice::from_ref(part),
        }
    }

    /// One of several, each for its share of requests.
    pub(super) fn choice(&mut self, site: Site, branches: &[(f64, FormulaId)]) -> FormulaId {
        let taken = branches.iter().filter(|(share, _)| *share > 0.0);
        let taken: Vec<(u64, FormulaId)> = taken.map(|(share, part)| (share.to_bits(), *part)).collect();
        match taken.as_slice() {
            [] => Self::ALWAYS,
            [(_, first), rest @ ..] if rest.iter().all(|(_, part)| part == first) => *first,
            _ => self.add(Shape::Choice(site, taken)),
        }
    }

    fn add(&mut self, shape: Shape) -> FormulaId {
        self.0.add(shape)
    }

    /// The least and the most that each formula can be, whatever fails together; `below` has those of what lies below.
    pub(super) fn bounds<'c>(&self, below: Option<&'c Bounds<'c>>, is_up: impl Fn(Target) -> f64) -> Bounds<'c> {
        let mut bounds = Column::above(below);
        for shape in self.own() {
            let of = |id: &FormulaId| bounds.get(*id).unwrap_or((0.0, 1.0));
            let bound = match shape {
                Shape::Always => (1.0, 1.0),
                Shape::Never => (0.0, 0.0),
                Shape::Up(component) => (is_up(*component), is_up(*component)),
                Shape::All(parts) => {
                    let least = 1.0 - parts.iter().map(|part| 1.0 - of(part).0).sum::<f64>();
                    (least.max(0.0), parts.iter().map(|part| of(part).1).fold(1.0, f64::min))
                }
                Shape::Enough(needed, parts) => {
                    let down = at_most(parts.len() + 1 - needed, parts.iter().map(|part| 1.0 - of(part).0));
                    (1.0 - down, at_most(*needed, parts.iter().map(|part| of(part).1)))
                }
                Shape::Choice(_, branches) => branches.iter().fold((0.0, 0.0), |(least, most), (share, part)| {
                    let share = f64::from_bits(*share);
                    (least + share * of(part).0, most + share * of(part).1)
                }),
            };
            bounds.push(bound);
        }
        bounds
    }
}

/// The most that at least so many of these events can happen together.
fn at_most(needed: usize, events: impl Iterator<Item = f64>) -> f64 {
    let mut events: Vec<f64> = events.collect();
    events.sort_by(|one, other| other.total_cmp(one));
    let mut left: f64 = events.iter().sum();
    let mut least: f64 = 1.0;
    for (dropped, event) in events.iter().enumerate().take(needed) {
        #[allow(clippy::cast_precision_loss, reason = "a number of branches")]
        let share = left / (needed - dropped) as f64;
        least = least.min(share);
        left -= event;
    }
    least.max(0.0)
}
