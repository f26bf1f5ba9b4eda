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

/// How many threads work at once.
pub(crate) fn width() -> usize {
    rayon::current_num_threads()
}
