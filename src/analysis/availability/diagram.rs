//! Exact probabilities of formulas whose components fail independently: reduced ordered decision diagrams (Bryant
//! 1986), in which whatever occurs several times is one variable. They may be large: above a budget there is none.

use indexmap::IndexMap;

use super::Target;
use super::formula::{FormulaId, Formulas, Shape, Site};
use super::numbered::{Column, Numbered};
use crate::ids::IdMap;

/// A diagram, as a row of its arena.
type Root = usize;

const NEVER: Root = 0;
const ALWAYS: Root = 1;

/// A diagram of one formula has at most so many decisions.
pub(super) const DECISIONS: usize = 1_000;

/// So many steps are spent on making one diagram.
pub(super) const STEPS: usize = 100_000;

/// What is decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Variable {
    /// Whether a component is up.
    Up(Target),
    /// Whether this branch of a choice is taken, given that no earlier one is.
    Taken(Site, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Decision {
    level: usize,
    no: Root,
    yes: Root,
}

/// The diagrams of all formulas.
#[derive(Debug)]
pub(super) struct Diagrams<'b> {
    below: Option<&'b Diagrams<'b>>,
    decisions: Numbered<'b, Decision>,
    variables: Numbered<'b, Variable>,
    roots: Column<'b, Option<Root>>,
    shares: IdMap<Variable, f64>,
    combined: IdMap<(Root, (Root, Root)), Root>,
    left: usize,
}

impl<'b> Diagrams<'b> {
    /// Diagrams of these formulas above those of what lies below them; `order` has the components that decide first in
    /// front.
    pub(super) fn of(
        formulas: &Formulas<'_>,
        below: Option<&'b Self>,
        order: impl IntoIterator<Item = Variable>,
    ) -> Self {
        let mut diagrams = Self {
            below,
            decisions: Numbered::above(below.map(|below| &below.decisions)),
            variables: Numbered::above(below.map(|below| &below.variables)),
            roots: Column::above(below.map(|below| &below.roots)),
            shares: IdMap::default(),
            combined: IdMap::default(),
            left: 0,
        };
        for end in [NEVER, ALWAYS] {
            diagrams.decisions.add(Decision { level: usize::MAX, no: end, yes: end });
        }
        for variable in order {
            diagrams.variables.add(variable);
        }
        for shape in formulas.own() {
            diagrams.left = STEPS;
            let root = diagrams.root(shape).filter(|root| diagrams.is_small(*root));
            diagrams.roots.push(root);
        }
        diagrams
    }
}

impl Diagrams<'_> {
    /// Whether a formula has a diagram within the budget.
    pub(super) fn has(&self, formula: FormulaId) -> bool {
        self.of_formula(formula).is_some()
    }

    fn of_formula(&self, formula: FormulaId) -> Option<Root> {
        self.roots.get(formula).flatten()
    }

    /// How probable each decision is if components fail independently; `below` has that of what lies below.
    pub(super) fn probabilities<'c>(
        &self,
        below: Option<&'c Column<'c, f64>>,
        is_up: impl Fn(Target) -> f64,
    ) -> Column<'c, f64> {
        let mut all = Column::above(below);
        for decision in self.decisions.own() {
            let of = |root: Root| all.get(root).unwrap_or(0.0);
            let share = match self.variables.get(decision.level) {
                Some(Variable::Up(component)) => is_up(*component),
                Some(taken) => self.share(*taken).unwrap_or(0.0),
                None => 0.0,
            };
            let probability = match (decision.no, decision.yes) {
                (NEVER, NEVER) => 0.0,
                (ALWAYS, ALWAYS) => 1.0,
                _ => share * of(decision.yes) + (1.0 - share) * of(decision.no),
            };
            all.push(probability);
        }
        all
    }

    /// The value of a formula in a column of decisions; none above the budget.
    pub(super) fn value(&self, decisions: &Column<'_, f64>, formula: FormulaId) -> Option<f64> {
        decisions.get(self.of_formula(formula)?)
    }

    /// How often a branch is taken, given that no earlier one is.
    fn share(&self, taken: Variable) -> Option<f64> {
        self.shares.get(&taken).copied().or_else(|| self.below?.share(taken))
    }

    fn known(&self, combined: &(Root, (Root, Root))) -> Option<Root> {
        self.combined.get(combined).copied().or_else(|| self.below?.known(combined))
    }

    /// The components that a formula depends on.
    pub(super) fn components(&self, formula: FormulaId) -> Vec<Target> {
        let Some(root) = self.of_formula(formula) else { return Vec::new() };
        let mut levels: Vec<usize> =
            self.below(root).into_iter().filter_map(|row| self.decisions.get(row)).map(|row| row.level).collect();
        levels.sort_unstable();
        levels.dedup();
        let variables = levels.into_iter().filter_map(|level| self.variables.get(level));
        variables
            .filter_map(|variable| if let Variable::Up(component) = variable { Some(*component) } else { None })
            .collect()
    }

    fn is_small(&self, root: Root) -> bool {
        self.below(root).len() <= DECISIONS
    }

    /// The decisions of a diagram, up to one more than the budget.
    fn below(&self, root: Root) -> Vec<Root> {
        let mut seen = crate::ids::IdSet::default();
        let mut stack = vec![root];
        while let Some(row) = stack.pop() {
            if row > ALWAYS
                && seen.len() <= DECISIONS
                && seen.insert(row)
                && let Some(decision) = self.decisions.get(row)
            {
                stack.extend([decision.no, decision.yes]);
            }
        }
        seen.into_iter().collect()
    }

    fn root(&mut self, shape: &Shape) -> Option<Root> {
        match shape {
            Shape::Always => Some(ALWAYS),
            Shape::Never => Some(NEVER),
            Shape::Up(component) => self.literal(Variable::Up(*component)),
            Shape::All(parts) => {
                let parts: Option<Vec<Root>> = parts.iter().map(|part| self.of_formula(*part)).collect();
                // The deepest first: then each step adds to the top of what is there.
                let mut parts = parts?;
                parts.sort_by_key(|root| std::cmp::Reverse((self.level_of(*root), *root)));
                parts.into_iter().try_fold(ALWAYS, |all, part| self.and(all, part))
            }
            Shape::Enough(needed, parts) => self.enough(*needed, parts),
            Shape::Choice(site, branches) => self.choice(*site, branches),
        }
    }

    /// By the number still needed: of the parts seen so far, at least so many are up. What stands there several times is
    /// up as often.
    fn enough(&mut self, needed: usize, parts: &[FormulaId]) -> Option<Root> {
        let mut often: IndexMap<FormulaId, usize> = IndexMap::new();
        for part in parts {
            *often.entry(*part).or_default() += 1;
        }
        let mut at_least = vec![NEVER; needed + 1];
        *at_least.first_mut()? = ALWAYS;
        let mut seen = 0;
        for (part, times) in often {
            let part = self.of_formula(part)?;
            seen += times;
            // No more can be up than were seen; and with fewer than this, all that follow would not be enough.
            let least = needed.saturating_sub(parts.len() - seen).max(1);
            for count in (least..=needed.min(seen)).rev() {
                let left = self.left;
                let with = self.and(part, *at_least.get(count.saturating_sub(times))?)?;
                let either = self.or(*at_least.get(count)?, with)?;
                *at_least.get_mut(count)? = either;
                // What is known already takes time as well.
                self.left = self.left.min(left.checked_sub(1)?);
            }
        }
        at_least.last().copied()
    }

    fn choice(&mut self, site: Site, branches: &[(u64, FormulaId)]) -> Option<Root> {
        let mut rest: f64 = branches.iter().map(|(share, _)| f64::from_bits(*share)).sum();
        let mut conditions = Vec::new();
        for (index, (share, part)) in branches.iter().enumerate() {
            let share = f64::from_bits(*share);
            let taken = Variable::Taken(site, index);
            self.shares.insert(taken, if rest > 0.0 { (share / rest).min(1.0) } else { 1.0 });
            rest -= share;
            conditions.push((self.level(taken), self.of_formula(*part)?));
        }
        let (_, last) = conditions.pop()?;
        conditions.into_iter().rev().try_fold(last, |otherwise, (level, part)| {
            let (yes, no) = (self.decision(level, NEVER, ALWAYS)?, self.decision(level, ALWAYS, NEVER)?);
            let (yes, no) = (self.and(yes, part)?, self.and(no, otherwise)?);
            self.or(yes, no)
        })
    }

    fn and(&mut self, one: Root, other: Root) -> Option<Root> {
        self.combine((NEVER, ALWAYS), one, other)
    }

    fn or(&mut self, one: Root, other: Root) -> Option<Root> {
        self.combine((ALWAYS, NEVER), one, other)
    }

    /// Two diagrams, by what decides alone and what changes nothing.
    fn combine(&mut self, (decides, changes_nothing): (Root, Root), one: Root, other: Root) -> Option<Root> {
        match (one.min(other), one.max(other)) {
            (first, second) if first == decides || second == decides => Some(decides),
            (first, second) if first == second || second == changes_nothing => Some(first),
            (first, second) if first == changes_nothing => Some(second),
            pair => {
                if let Some(root) = self.known(&(decides, pair)) {
                    return Some(root);
                }
                let (level, [no, yes]) = self.split(pair)?;
                let rule = (decides, changes_nothing);
                let (no, yes) = (self.combine(rule, no.0, no.1)?, self.combine(rule, yes.0, yes.1)?);
                let root = self.decision(level, no, yes)?;
                self.combined.insert((decides, pair), root);
                Some(root)
            }
        }
    }

    /// The first variable of two diagrams, and what is left of both if it is down and if it is up.
    fn split(&mut self, (one, other): (Root, Root)) -> Option<(usize, [(Root, Root); 2])> {
        self.left = self.left.checked_sub(1)?;
        let (first, second) = (*self.decisions.get(one)?, *self.decisions.get(other)?);
        let level = first.level.min(second.level);
        let part = |root: Root, decision: Decision| {
            if decision.level == level { (decision.no, decision.yes) } else { (root, root) }
        };
        let (first, second) = (part(one, first), part(other, second));
        Some((level, [(first.0, second.0), (first.1, second.1)]))
    }

    fn literal(&mut self, variable: Variable) -> Option<Root> {
        let level = self.level(variable);
        self.decision(level, NEVER, ALWAYS)
    }

    fn decision(&mut self, level: usize, no: Root, yes: Root) -> Option<Root> {
        if no == yes {
            return Some(no);
        }
        let decision = Decision { level, no, yes };
        if let Some(root) = self.decisions.find(&decision) {
            return Some(root);
        }
        self.left = self.left.checked_sub(1)?;
        Some(self.decisions.add(decision))
    }

    fn level_of(&self, root: Root) -> usize {
        self.decisions.get(root).map_or(usize::MAX, |decision| decision.level)
    }

    fn level(&mut self, variable: Variable) -> usize {
        self.variables.add(variable)
    }
}
