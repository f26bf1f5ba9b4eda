//! How many instances of a node are stated to run.

use super::Facts;
use crate::model::NodeId;
use crate::vocabulary::Key;

impl Facts<'_> {
    /// The smallest and the largest number of instances, by `autoscale` or else by `replicas`; none if neither is
    /// stated.
    #[must_use]
    pub fn instances(&self, node: NodeId) -> Option<(u64, u64)> {
        let look = |key| self.cascade().node(node, key).given();
        let range = look(Key::Autoscale).and_then(|stated| stated.setting.count_range());
        range.or_else(|| look(Key::Replicas)?.setting.count().map(|count| (count, count)))
    }
}
