//! Work on several processors, with results in the order of the work: how many there are changes no result.

use rayon::prelude::*;

/// What comes of each of these, in their order.
///
/// INVARIANT: `work` may wait for a fact that another thread works out, so nothing that works out a fact calls this: a
/// waiting thread would be given work that waits for itself.
pub(crate) fn map<'a, T: Sync, R: Send>(items: &'a [T], work: impl Fn(&'a T) -> R + Sync + Send) -> Vec<R> {
    match items {
        // Most runs are small, and starting threads takes longer than they do.
        [] => Vec::new(),
        [only] => vec![work(only)],
        several => several.par_iter().with_max_len(1).map(work).collect(),
    }
}

/// The same for many of which each takes next to no time. What holds for [`map`] holds here.
pub(crate) fn map_in_chunks<'a, T: Sync, R: Send>(items: &'a [T], work: impl Fn(&'a T) -> R + Sync + Send) -> Vec<R> {
    /// As many take longer than to begin with them elsewhere.
    const TOGETHER: usize = 512;
    if items.len() < TOGETHER {
        return items.iter().map(work).collect();
    }
    items.par_iter().with_min_len(TOGETHER).map(work).collect()
}

/// What comes of both, worked out side by side. What holds for [`map`] holds here.
pub(crate) fn both<A: Send, B: Send>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B + Send) -> (A, B) {
    rayon::join(one, other)
}

/// Work that nobody waits for.
pub(crate) fn aside(work: impl FnOnce() + Send + 'static) {
    rayon::spawn(work);
}

/// How many threads work at once.
pub(crate) fn width() -> usize {
    rayon::current_num_threads()
}
