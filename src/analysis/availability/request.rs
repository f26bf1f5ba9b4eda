//! The other reading of an availability: the share of requests that succeed if every execution fails by itself. Tries
//! help, `1 − (1 − a)ⁿ`, and what is called N times has to succeed N times, `aᴺ`.

use super::Target;
use crate::analysis::{Attempts, Facts};
use crate::model::{CallId, Fallback, NodeId, OperationId, Step};
use crate::vocabulary::{ElementKind, Key};

/// For each operation; none where something that is asked is not known, or asks in a circle. Those of these groups anew,
/// over what is known of the others.
pub(super) fn shares(
    facts: &Facts<'_>,
    mut done: Vec<Option<f64>>,
    groups: &[&[OperationId]],
    share: &dyn Fn(Target) -> f64,
) -> Vec<Option<f64>> {
    for group in groups {
        let [id] = group else { continue };
        set(&mut done, *id, None);
        let found = Requests { facts, share, done: &done }.operation(*id);
        set(&mut done, *id, found);
    }
    done
}

fn set(done: &mut [Option<f64>], id: OperationId, share: Option<f64>) {
    if let Some(slot) = done.get_mut(id.index()) {
        *slot = share;
    }
}

struct Requests<'a, 'f> {
    facts: &'a Facts<'f>,
    share: &'a dyn Fn(Target) -> f64,
    done: &'a [Option<f64>],
}

impl Requests<'_, '_> {
    fn operation(&self, id: OperationId) -> Option<f64> {
        let operation = self.facts.topology().operation(id);
        Some(self.node(operation.node)? * (self.share)(Target::Operation(id)) * self.all(&operation.body)?)
    }

    fn node(&self, node: NodeId) -> Option<f64> {
        let is_client = self.facts.topology().node(node).kind == ElementKind::Client;
        let known = || {
            self.facts.measured_availability(node).or_else(|| self.facts.contracted_availability(node))?;
            Some((self.share)(Target::Node(node)))
        };
        if is_client { Some(1.0) } else { known() }
    }

    fn all(&self, steps: &[Step]) -> Option<f64> {
        steps.iter().try_fold(1.0, |all, step| Some(all * self.step(step)?))
    }

    fn step(&self, step: &Step) -> Option<f64> {
        match step {
            Step::Call(call) => self.call(*call),
            Step::Sequence(steps) | Step::Parallel(steps) => self.all(steps),
            Step::Any(enough, branches) => self.enough(usize::try_from(*enough).ok()?, branches),
            Step::OneOf(branches) => self.one_of(branches),
        }
    }

    /// By the number of branches that have answered so far.
    fn enough(&self, enough: usize, branches: &[Step]) -> Option<f64> {
        let enough = enough.min(branches.len());
        let mut fewer = vec![0.0; enough];
        if let Some(none) = fewer.first_mut() {
            *none = 1.0;
        }
        for branch in branches {
            let share = self.step(branch)?;
            let mut before = 0.0;
            for count in &mut fewer {
                let now = *count * (1.0 - share) + before * share;
                before = std::mem::replace(count, now);
            }
        }
        Some(1.0 - fewer.iter().sum::<f64>())
    }

    fn one_of(&self, branches: &[Step]) -> Option<f64> {
        let alike: Option<Vec<f64>> = branches.iter().map(|branch| self.branch(branch)).collect();
        let alike = alike?;
        match self.facts.shares_of_split(branches) {
            Some(shares) => Some(shares.iter().zip(&alike).map(|(share, branch)| share * branch).sum()),
            None => {
                alike.first().copied().filter(|first| alike.iter().all(|branch| (branch - *first).abs() < f64::EPSILON))
            }
        }
    }

    fn branch(&self, branch: &Step) -> Option<f64> {
        if let Step::Call(call) = branch { self.made(*call) } else { self.step(branch) }
    }

    fn call(&self, id: CallId) -> Option<f64> {
        if self.facts.is_cache_read(id) {
            return Some(1.0);
        }
        let made = self.made(id)?;
        let chance = self.facts.stated_share(id, Key::Chance);
        if let Some(cache) = self.facts.miss_of(id) {
            let node = self.facts.topology().callee_node(cache);
            let ratio =
                self.facts.cascade().node(node, Key::HitRatio).given().and_then(|stated| stated.setting.share());
            let hits = chance.map(|chance| 1.0 - chance).or(ratio)? * self.made(cache)?;
            return Some(hits + (1.0 - hits) * made);
        }
        match chance {
            Some(chance) => Some(1.0 - chance * (1.0 - made)),
            None => (!self.facts.plan(id).skippable || made >= 1.0).then_some(made),
        }
    }

    /// All calls of one execution, each with all its tries.
    fn made(&self, id: CallId) -> Option<f64> {
        let plan = self.facts.plan(id);
        if !self.facts.is_awaited(id) {
            return Some(1.0);
        }
        let call = self.facts.topology().call(id);
        let instead = match &call.fallback {
            Some(Fallback::Calls(steps)) => self.all(steps)?,
            _ if plan.soft => return Some(1.0),
            _ => 0.0,
        };
        let passed = self.facts.passed(id).into_iter().try_fold(1.0, |all, node| Some(all * self.node(node)?))?;
        let once = passed * (self.share)(Target::Call(id)) * self.done.get(call.to.index()).copied().flatten()?;
        let tried = match plan.attempts {
            Attempts::AtMost(tries) => 1.0 - power(1.0 - once, tries),
            Attempts::Unlimited if once > 0.0 => 1.0,
            Attempts::Unlimited => 0.0,
        };
        let answered = tried + (1.0 - tried) * instead;
        match plan.times {
            Attempts::AtMost(times) => Some(power(answered, times)),
            Attempts::Unlimited => (answered >= 1.0).then_some(1.0),
        }
    }
}

fn power(base: f64, exponent: u64) -> f64 {
    base.powi(i32::try_from(exponent).unwrap_or(i32::MAX))
}
