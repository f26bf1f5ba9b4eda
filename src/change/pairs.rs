//! Which topology of one side is which of the other: that of the same root file, else that of the same name, else the
//! one that shares the most nodes.

use std::collections::{BTreeMap, HashMap};

use crate::model::{Project, Topology};

/// Pairs by number; a side is none where a topology is only on the other one. Those of head come first, in order.
pub(super) fn pairs(
    old: &[Topology],
    before: &[Project],
    new: &[Topology],
    after: &[Project],
) -> Vec<(Option<usize>, Option<usize>)> {
    let mut taken: Vec<Option<usize>> = vec![None; new.len()];
    let mut left: Vec<bool> = vec![true; old.len()];
    let mut take = |slot: &mut Option<usize>, index: usize| {
        if let (None, Some(free @ true)) = (&slot, left.get_mut(index)) {
            *free = false;
            *slot = Some(index);
        }
    };
    let roots: HashMap<&str, usize> =
        before.iter().enumerate().map(|(index, one)| (one.root.as_str(), index)).collect();
    for (slot, project) in taken.iter_mut().zip(after) {
        if let Some(index) = roots.get(project.root.as_str()) {
            take(slot, *index);
        }
    }
    let names: HashMap<&str, usize> = old.iter().enumerate().map(|(index, one)| (one.name.as_str(), index)).collect();
    for (slot, topology) in taken.iter_mut().zip(new) {
        if let Some(index) = names.get(topology.name.as_str()) {
            take(slot, *index);
        }
    }
    let mut owners: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, topology) in old.iter().enumerate() {
        for node in topology.node_ids() {
            owners.entry(topology.node_name(node)).or_default().push(index);
        }
    }
    for (slot, topology) in taken.iter_mut().zip(new).filter(|(slot, _)| slot.is_none()) {
        let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
        for node in topology.node_ids() {
            for index in owners.get(topology.node_name(node)).into_iter().flatten() {
                *shared.entry(*index).or_default() += 1;
            }
        }
        let most = shared.into_iter().filter(|(_, count)| *count * 2 > topology.nodes.len());
        if let Some((index, _)) = most.max_by_key(|(index, count)| (*count, usize::MAX - index)) {
            take(slot, index);
        }
    }
    let there = taken.iter().enumerate().map(|(index, slot)| (*slot, Some(index)));
    let gone = left.iter().enumerate().filter(|(_, left)| **left).map(|(index, _)| (Some(index), None));
    there.chain(gone).collect()
}
