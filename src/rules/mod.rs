//! The rules. A rule looks at facts and says what it finds; it knows no level, no configuration, no output, and not
//! its own name. Its page in `rules/<family>/<name>.yaml` says the rest.

mod consistency;
mod homogeneous_network;
mod idempotency;
mod infinite_bandwidth;
mod needed;
mod observability;
mod one_administrator;
mod partial_failure;
mod prose;
mod reliable_network;
mod secure_network;
mod stable_topology;
mod zero_latency;
mod zero_transport_cost;

use std::sync::OnceLock;

use crate::analysis::Facts;
use crate::diagnostic::Diagnostic;
use crate::metadata::{Level, Options, Page};

/// Looks for what a rule finds.
pub type Check = fn(&Facts<'_>, &Options) -> Vec<Diagnostic>;

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Its permanent name.
    pub name: &'static str,
    /// The fallacy or principle that it guards.
    pub family: &'static str,
    /// What looks for it; none for what reading the text or linting itself finds.
    pub check: Option<Check>,
    text: &'static str,
    page: OnceLock<Page>,
}

/// Registers rules: family, name, and what looks for it.
macro_rules! rules {
    ($($family:literal / $name:literal => $check:expr;)*) => {
        /// All rules, sorted by family and name.
        pub static ALL: [Rule; [$($name),*].len()] = [$(Rule {
            name: $name,
            family: $family,
            check: $check,
            text: include_str!(concat!("../../rules/", $family, "/", $name, ".yaml")),
            page: OnceLock::new(),
        },)*];
    };
}

rules! {
    "change" / "crossed-zone" => None;
    "change" / "lowered-redundancy" => None;
    "change" / "new-hard-dependency" => None;
    "change" / "relaxed-gate" => None;
    "change" / "removed-bound" => None;
    "change" / "weakened-consistency" => None;
    "consistency" / "cache-as-truth" => Some(consistency::cache_as_truth::check);
    "consistency" / "cache-stampede" => Some(consistency::cache_stampede::check);
    "consistency" / "cache-write-race" => Some(consistency::cache_write_race::check);
    "consistency" / "cap-contradiction" => Some(consistency::cap_contradiction::check);
    "consistency" / "conflicting-writers" => Some(consistency::conflicting_writers::check);
    "consistency" / "cross-owner-transaction" => Some(consistency::cross_owner_transaction::check);
    "consistency" / "dual-write" => Some(consistency::dual_write::check);
    "consistency" / "excess-consistency" => Some(consistency::excess_consistency::check);
    "consistency" / "excess-staleness" => Some(consistency::excess_staleness::check);
    "consistency" / "failover-loss" => Some(consistency::failover_loss::check);
    "consistency" / "incomplete-saga" => Some(consistency::incomplete_saga::check);
    "consistency" / "load-bearing-cache" => Some(consistency::load_bearing_cache::check);
    "consistency" / "missing-reconciliation" => Some(consistency::missing_reconciliation::check);
    "consistency" / "quorum-without-overlap" => Some(consistency::quorum_without_overlap::check);
    "consistency" / "shared-store" => Some(consistency::shared_store::check);
    "consistency" / "stale-read-after-write" => Some(consistency::stale_read_after_write::check);
    "consistency" / "unsafe-compensation" => Some(consistency::unsafe_compensation::check);
    "consistency" / "weak-consistency" => Some(consistency::weak_consistency::check);
    "homogeneous-network" / "missing-contract" => Some(homogeneous_network::missing_contract::check);
    "homogeneous-network" / "protocol-mismatch" => Some(homogeneous_network::protocol_mismatch::check);
    "homogeneous-network" / "version-skew" => Some(homogeneous_network::version_skew::check);
    "idempotency" / "blocking-overflow" => Some(idempotency::blocking_overflow::check);
    "idempotency" / "broken-order" => Some(idempotency::broken_order::check);
    "idempotency" / "dropped-key" => Some(idempotency::dropped_key::check);
    "idempotency" / "exactly-once-claim" => Some(idempotency::exactly_once_claim::check);
    "idempotency" / "fresh-key" => Some(idempotency::fresh_key::check);
    "idempotency" / "hot-requeue" => Some(idempotency::hot_requeue::check);
    "idempotency" / "late-overwrite" => Some(idempotency::late_overwrite::check);
    "idempotency" / "lost-message" => Some(idempotency::lost_message::check);
    "idempotency" / "method-contradiction" => Some(idempotency::method_contradiction::check);
    "idempotency" / "missing-dead-letter" => Some(idempotency::missing_dead_letter::check);
    "idempotency" / "missing-dedup-fail-mode" => Some(idempotency::missing_dedup_fail_mode::check);
    "idempotency" / "non-atomic-dedup" => Some(idempotency::non_atomic_dedup::check);
    "idempotency" / "overlapping-runs" => Some(idempotency::overlapping_runs::check);
    "idempotency" / "poison-message" => Some(idempotency::poison_message::check);
    "idempotency" / "repeated-effect" => Some(idempotency::repeated_effect::check);
    "idempotency" / "shared-queue" => Some(idempotency::shared_queue::check);
    "idempotency" / "short-dead-letter-retention" => Some(idempotency::short_dead_letter_retention::check);
    "idempotency" / "short-dedup-window" => Some(idempotency::short_dedup_window::check);
    "idempotency" / "short-visibility" => Some(idempotency::short_visibility::check);
    "idempotency" / "unbounded-backlog" => Some(idempotency::unbounded_backlog::check);
    "idempotency" / "unowned-dead-letter" => Some(idempotency::unowned_dead_letter::check);
    "idempotency" / "unsafe-hedge" => Some(idempotency::unsafe_hedge::check);
    "idempotency" / "unstable-backlog" => Some(idempotency::unstable_backlog::check);
    "idempotency" / "weak-dedup-store" => Some(idempotency::weak_dedup_store::check);
    "infinite-bandwidth" / "link-saturation" => Some(infinite_bandwidth::link_saturation::check);
    "infinite-bandwidth" / "narrow-window" => Some(infinite_bandwidth::narrow_window::check);
    "infinite-bandwidth" / "oversized-payload" => Some(infinite_bandwidth::oversized_payload::check);
    "infinite-bandwidth" / "unbounded-response" => Some(infinite_bandwidth::unbounded_response::check);
    "model" / "broken-include" => None;
    "model" / "conflicting-policies" => None;
    "model" / "duplicate-attribute" => None;
    "model" / "duplicate-name" => None;
    "model" / "misplaced-attribute" => None;
    "model" / "missing-operation" => None;
    "model" / "syntax" => None;
    "model" / "unknown-attribute" => None;
    "model" / "unknown-name" => None;
    "model" / "unreachable-node" => None;
    "model" / "unused-policy" => None;
    "model" / "wrong-arrow" => None;
    "model" / "wrong-unit" => None;
    "model" / "wrong-value" => None;
    "observability" / "incoherent-sampling" => Some(observability::incoherent_sampling::check);
    "observability" / "missing-signals" => Some(observability::missing_signals::check);
    "observability" / "silent-fallback" => Some(observability::silent_fallback::check);
    "observability" / "telemetry-on-path" => Some(observability::telemetry_on_path::check);
    "observability" / "trace-break" => Some(observability::trace_break::check);
    "observability" / "unmeasured-objective" => Some(observability::unmeasured_objective::check);
    "observability" / "unobserved-queue" => Some(observability::unobserved_queue::check);
    "one-administrator" / "missing-owner" => Some(one_administrator::missing_owner::check);
    "one-administrator" / "missing-sla" => Some(one_administrator::missing_sla::check);
    "one-administrator" / "policy-conflict" => Some(one_administrator::policy_conflict::check);
    "one-administrator" / "quota-below-load" => Some(one_administrator::quota_below_load::check);
    "one-administrator" / "shared-provider" => Some(one_administrator::shared_provider::check);
    "partial-failure" / "all-shards-required" => Some(partial_failure::all_shards_required::check);
    "partial-failure" / "availability-below-objective" => Some(partial_failure::availability_below_objective::check);
    "partial-failure" / "breaker-without-fallback" => Some(partial_failure::breaker_without_fallback::check);
    "partial-failure" / "broad-breaker" => Some(partial_failure::broad_breaker::check);
    "partial-failure" / "cascading-failure" => Some(partial_failure::cascading_failure::check);
    "partial-failure" / "cell-leak" => Some(partial_failure::cell_leak::check);
    "partial-failure" / "circular-recovery" => Some(partial_failure::circular_recovery::check);
    "partial-failure" / "connection-oversubscription" => Some(partial_failure::connection_oversubscription::check);
    "partial-failure" / "coupled-health-check" => Some(partial_failure::coupled_health_check::check);
    "partial-failure" / "fake-redundancy" => Some(partial_failure::fake_redundancy::check);
    "partial-failure" / "ineffective-bulkhead" => Some(partial_failure::ineffective_bulkhead::check);
    "partial-failure" / "missing-fail-mode" => Some(partial_failure::missing_fail_mode::check);
    "partial-failure" / "missing-shedding" => Some(partial_failure::missing_shedding::check);
    "partial-failure" / "optional-but-hard" => Some(partial_failure::optional_but_hard::check);
    "partial-failure" / "pool-exhaustion" => Some(partial_failure::pool_exhaustion::check);
    "partial-failure" / "shared-fate-monitoring" => Some(partial_failure::shared_fate_monitoring::check);
    "partial-failure" / "single-instance" => Some(partial_failure::single_instance::check);
    "partial-failure" / "slow-breaker" => Some(partial_failure::slow_breaker::check);
    "partial-failure" / "startup-cycle" => Some(partial_failure::startup_cycle::check);
    "partial-failure" / "sync-cycle" => Some(partial_failure::sync_cycle::check);
    "partial-failure" / "unstaged-rollout" => Some(partial_failure::unstaged_rollout::check);
    "reliable-network" / "abandoned-write" => Some(reliable_network::abandoned_write::check);
    "reliable-network" / "dead-retries" => Some(reliable_network::dead_retries::check);
    "reliable-network" / "default-timeout" => Some(reliable_network::default_timeout::check);
    "reliable-network" / "dropped-deadline" => Some(reliable_network::dropped_deadline::check);
    "reliable-network" / "equal-timeouts" => Some(reliable_network::equal_timeouts::check);
    "reliable-network" / "fallback-overload" => Some(reliable_network::fallback_overload::check);
    "reliable-network" / "false-timeout" => Some(reliable_network::false_timeout::check);
    "reliable-network" / "hidden-retry" => Some(reliable_network::hidden_retry::check);
    "reliable-network" / "high-retry-floor" => Some(reliable_network::high_retry_floor::check);
    "reliable-network" / "idle-timeout-only" => Some(reliable_network::idle_timeout_only::check);
    "reliable-network" / "metastable-load" => Some(reliable_network::metastable_load::check);
    "reliable-network" / "middlebox-cap" => Some(reliable_network::middlebox_cap::check);
    "reliable-network" / "missing-cancellation" => Some(reliable_network::missing_cancellation::check);
    "reliable-network" / "missing-recovery" => Some(reliable_network::missing_recovery::check);
    "reliable-network" / "missing-timeout" => Some(reliable_network::missing_timeout::check);
    "reliable-network" / "reconnect-storm" => Some(reliable_network::reconnect_storm::check);
    "reliable-network" / "retry-amplification" => Some(reliable_network::retry_amplification::check);
    "reliable-network" / "retry-of-final-error" => Some(reliable_network::retry_of_final_error::check);
    "reliable-network" / "retry-without-backoff" => Some(reliable_network::retry_without_backoff::check);
    "reliable-network" / "retry-without-budget" => Some(reliable_network::retry_without_budget::check);
    "reliable-network" / "retry-without-jitter" => Some(reliable_network::retry_without_jitter::check);
    "reliable-network" / "stacked-retries" => Some(reliable_network::stacked_retries::check);
    "reliable-network" / "startup-herd" => Some(reliable_network::startup_herd::check);
    "reliable-network" / "timeout-inversion" => Some(reliable_network::timeout_inversion::check);
    "reliable-network" / "unbounded-retry" => Some(reliable_network::unbounded_retry::check);
    "secure-network" / "data-out-of-zone" => Some(secure_network::data_out_of_zone::check);
    "secure-network" / "dropped-identity" => Some(secure_network::dropped_identity::check);
    "secure-network" / "missing-authz" => Some(secure_network::missing_authz::check);
    "secure-network" / "online-authz" => Some(secure_network::online_authz::check);
    "secure-network" / "plaintext-hop" => Some(secure_network::plaintext_hop::check);
    "secure-network" / "public-store" => Some(secure_network::public_store::check);
    "secure-network" / "unauthenticated-call" => Some(secure_network::unauthenticated_call::check);
    "stable-topology" / "discovery-dependency" => Some(stable_topology::discovery_dependency::check);
    "stable-topology" / "hard-coded-address" => Some(stable_topology::hard_coded_address::check);
    "stable-topology" / "idle-race" => Some(stable_topology::idle_race::check);
    "stable-topology" / "pinned-connections" => Some(stable_topology::pinned_connections::check);
    "stable-topology" / "stale-resolution" => Some(stable_topology::stale_resolution::check);
    "suppression" / "allow-without-reason" => None;
    "suppression" / "expired-allow" => None;
    "suppression" / "unknown-rule" => None;
    "suppression" / "unused-allow" => None;
    "zero-latency" / "chatty-calls" => Some(zero_latency::chatty_calls::check);
    "zero-latency" / "fan-out-tail" => Some(zero_latency::fan_out_tail::check);
    "zero-latency" / "impossible-latency" => Some(zero_latency::impossible_latency::check);
    "zero-latency" / "late-fallback" => Some(zero_latency::late_fallback::check);
    "zero-latency" / "latency-over-budget" => Some(zero_latency::latency_over_budget::check);
    "zero-latency" / "long-tail" => Some(zero_latency::long_tail::check);
    "zero-latency" / "mixed-quantiles" => Some(zero_latency::mixed_quantiles::check);
    "zero-latency" / "observed-contradiction" => Some(zero_latency::observed_contradiction::check);
    "zero-latency" / "sequential-chain" => Some(zero_latency::sequential_chain::check);
    "zero-latency" / "unbounded-call-loop" => Some(zero_latency::unbounded_call_loop::check);
    "zero-latency" / "unbounded-latency" => Some(zero_latency::unbounded_latency::check);
    "zero-latency" / "uncounted-pool-wait" => Some(zero_latency::uncounted_pool_wait::check);
    "zero-transport-cost" / "transport-over-budget" => Some(zero_transport_cost::transport_over_budget::check);
}

/// The families, each with what it bets on: the eight fallacies, four principles, and the text itself.
pub const FAMILIES: &[(&str, &str)] = &[
    ("reliable-network", "the network is reliable"),
    ("zero-latency", "latency is zero"),
    ("infinite-bandwidth", "bandwidth is infinite"),
    ("secure-network", "the network is secure"),
    ("stable-topology", "topology doesn't change"),
    ("one-administrator", "there is one administrator"),
    ("zero-transport-cost", "transport cost is zero"),
    ("homogeneous-network", "the network is homogeneous"),
    ("partial-failure", "failure is not partial"),
    ("consistency", "consistency comes for free"),
    ("idempotency", "calls run once"),
    ("observability", "it can be observed"),
    ("model", "the text can be read"),
    ("suppression", "what is silenced stays right"),
    ("change", "what is changed stays as safe as it was"),
];

/// The bets of a diagram: the families that table shows.
pub const BETS: usize = 12;

impl Rule {
    /// The rule of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|rule| rule.name == name)
    }

    /// Whether something can be set about it; seen without reading its page, which takes longer than most rules do.
    #[must_use]
    pub fn has_options(&self) -> bool {
        self.text.contains("\noptions:")
    }

    /// Its page.
    #[must_use]
    pub fn page(&self) -> &Page {
        self.page.get_or_init(|| {
            // INVARIANT: a test reads every page, so the other way is never taken in a release.
            Page::read(self.text).unwrap_or_else(|error| Page {
                summary: error,
                level: Level::Error,
                why: String::new(),
                sources: Vec::new(),
                fix: String::new(),
                silenced_by: None,
                limits: None,
                options: Vec::new(),
                also: Vec::new(),
                before: None,
                bad: String::new(),
                good: String::new(),
            })
        })
    }
}

#[cfg(test)]
impl Rule {
    /// A rule for tests, with this page.
    pub(crate) const fn trial(name: &'static str, text: &'static str) -> Self {
        Self { name, family: "model", check: None, text, page: OnceLock::new() }
    }
}

/// Names of all rules and families: they share one selection.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|rule| rule.name).chain(FAMILIES.iter().map(|(family, _)| *family))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_others_follow_from_exist() {
        for name in super::prose::ENDLESS {
            assert!(Rule::named(name).is_some(), "{name}");
        }
    }

    #[test]
    fn every_page_is_read_and_names_are_sorted_and_unique() {
        let mut names: Vec<&str> = super::names().collect();
        let keys: Vec<_> = ALL.iter().map(|rule| (rule.family, rule.name)).collect();
        assert!(keys.is_sorted(), "the list of rules is sorted");
        for rule in &ALL {
            let page = Page::read(rule.text).unwrap_or_else(|error| panic!("{}: {error}", rule.name));
            assert_eq!(rule.has_options(), !page.options.is_empty(), "{}", rule.name);
            assert!(FAMILIES.iter().any(|(family, _)| *family == rule.family), "{}", rule.family);
        }
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "a name stands for one thing");
    }
}
