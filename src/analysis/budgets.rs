//! What retries add to the load of all requests together.
//!
//! Tries of one request: `(1 − fⁿ) / (1 − f)` if each of n fails with probability f by itself. A budget that requests
//! feed lets retries add its share `r` also when everything fails, and layers multiply: `(1 + r)^k` (Finagle, Linkerd).
//! One that successes feed runs dry where more than `r / (1 + r)` fail (gRPC, proposal A6; the AWS SDKs). The floor of a
//! budget is for each instance of the caller.

use super::Facts;
use crate::model::{CallId, Setting};
use crate::vocabulary::Key;

/// What limits the retries of a caller, all its requests together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryBudget {
    /// Retries for each request, or each success.
    pub share: f64,
    /// Retries per second that each instance may send in any case.
    pub floor: Option<f64>,
    /// Whether successes feed it, and not requests.
    pub per_success: bool,
}

impl RetryBudget {
    fn of(setting: &Setting) -> Option<Self> {
        Some(Self { share: setting.share()?, floor: setting.rate(), per_success: setting.says("success") })
    }

    /// By what factor tries exceed requests while every one fails, the floor apart.
    #[must_use]
    pub fn growth(&self) -> f64 {
        if self.per_success { 1.0 } else { 1.0 + self.share }
    }

    /// The share of failures above which it does not last, if successes feed it.
    #[must_use]
    pub fn lasts_below(&self) -> Option<f64> {
        self.per_success.then(|| self.share / (1.0 + self.share))
    }
}

/// The tries that one request makes on average, if each fails with this probability by itself.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "a number of attempts, as an exponent")]
pub fn expected_tries(attempts: u64, failing: f64) -> f64 {
    if failing >= 1.0 { attempts as f64 } else { (1.0 - failing.powf(attempts as f64)) / (1.0 - failing) }
}

impl Facts<'_> {
    /// What limits the retries of a call for all requests together, where that is stated.
    #[must_use]
    pub fn retry_budget(&self, call: CallId) -> Option<RetryBudget> {
        RetryBudget::of(self.cascade().call(call, &[Key::RetryBudget]).given()?.setting)
    }

    /// The retries per second that the budget of a call allows in any case: its floor, from as many instances as are
    /// stated to run at most.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a number of instances, as a factor")]
    pub fn retry_floor(&self, call: CallId) -> Option<f64> {
        let floor = self.retry_budget(call)?.floor?;
        let node = self.topology().caller_node(call);
        Some(floor * self.instances(node).map_or(1, |(_, most)| most) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(share: f64, per_success: bool) -> RetryBudget {
        RetryBudget { share, floor: None, per_success }
    }

    fn near(one: f64, other: f64) -> bool {
        (one - other).abs() < 0.000_5
    }

    #[test]
    fn budgets_of_several_layers_multiply() {
        assert!(near(budget(0.1, false).growth().powi(3), 1.331));
        assert!(near(budget(0.2, false).growth().powi(5), 2.488));
        assert!(near(budget(0.2, true).growth().powi(5), 1.0));
    }

    #[test]
    fn retries_look_free_until_failures_are_many() {
        let tries = [0.01, 0.1, 0.5, 1.0].map(|failing| expected_tries(4, failing));
        assert!(tries.into_iter().zip([1.0101, 1.111, 1.875, 4.0]).all(|(one, other)| near(one, other)), "{tries:?}");
    }

    #[test]
    fn a_budget_that_successes_feed_stops_an_eleventh_of_failures() {
        assert!(budget(0.1, true).lasts_below().is_some_and(|share| near(share, 0.0909)));
        assert_eq!(budget(0.1, false).lasts_below(), None);
    }
}
