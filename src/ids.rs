//! Maps and sets whose keys are numbers that we give ourselves. Nobody can choose such a key so that it collides, so the
//! quickest hash will do; what people write is hashed by the standard library.

pub(crate) use rustc_hash::{FxHashMap as IdMap, FxHashSet as IdSet};
