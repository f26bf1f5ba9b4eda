//! Maps and sets whose keys are numbers that we give ourselves. Nobody can choose such a key so that it collides, so the
//! quickest hash will do; what people write is hashed by the standard library.

use std::hash::Hash;

pub(crate) use rustc_hash::{FxHashMap as IdMap, FxHashSet as IdSet};

/// Tells which keys are among these; where they are many, without looking through them each time.
pub(crate) fn one_of<K: Copy + Eq + Hash>(these: &[K]) -> impl Fn(&K) -> bool {
    /// No more are looked through one by one.
    const FEW: usize = 8;
    let many: IdSet<K> = if these.len() > FEW { these.iter().copied().collect() } else { IdSet::default() };
    move |key| if many.is_empty() { these.contains(key) } else { many.contains(key) }
}
