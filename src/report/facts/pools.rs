//! Workers that operations share, as rows.

use serde::Serialize;

use super::{Bound, Unbounded};
use crate::analysis::{Facts, Held, Pool};

/// Workers that operations share, and the hang of one node that needs most of them.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Pool"))]
pub(in crate::report) struct PoolRow {
    /// Whose they are.
    node: String,
    /// `default`, or the operation that has them for itself.
    pub(in crate::report) pool: String,
    pub(in crate::report) size: u64,
    /// The node whose hang needs most of them.
    pub(in crate::report) callee: String,
    /// Workers held when it no longer answers: rate × wait, at least; null if no rate is stated.
    pub(in crate::report) needed_in_hang: Bound,
    /// Until all workers of an idle pool are held; null if they never are, or no rate is stated.
    pub(in crate::report) seconds_to_full: Option<f64>,
    /// Operations of the pool that do not need that node; of many, the first 64.
    innocent: Vec<String>,
    /// How many there are.
    innocents: usize,
}

impl PoolRow {
    /// One row a pool that waits for anybody.
    pub(in crate::report) fn all(facts: &Facts<'_>) -> Vec<Self> {
        facts.pools().iter().filter_map(|pool| Some(Self::of(facts, pool, pool.hangs.first()?))).collect()
    }

    fn of(facts: &Facts<'_>, pool: &Pool, held: &Held) -> Self {
        let topology = facts.topology();
        let rated = held.arriving > 0.0;
        Self {
            node: topology.node_name(pool.node).to_owned(),
            pool: pool.operation.map_or_else(|| "default".to_owned(), |id| topology.operation_name(id)),
            size: pool.size,
            callee: topology.node_name(held.callee).to_owned(),
            needed_in_hang: match held.needed {
                _ if !rated => Bound::Unknown(()),
                Some(needed) => Bound::Number(needed),
                None => Bound::Unbounded(Unbounded::Unbounded),
            },
            seconds_to_full: held.seconds_to_full(pool).filter(|_| rated),
            innocent: held.innocent.iter().map(|id| topology.operation_name(*id)).collect(),
            innocents: held.innocents,
        }
    }

    /// The pool as people name it.
    pub(in crate::report) fn name(&self) -> &str {
        if self.pool == "default" { &self.node } else { &self.pool }
    }
}
