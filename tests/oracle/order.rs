//! The map of consistency models as arrows between words, and what follows from it by search: no code is shared with
//! the lattice that is tested.

/// From each model to the next weaker ones, as semantics.md A7 has them after jepsen.io.
const ARROWS: &[(&str, &[&str])] = &[
    ("strict-serializable", &["serializable", "linearizable"]),
    ("serializable", &["repeatable-read", "snapshot"]),
    ("repeatable-read", &["monotonic-atomic-view", "cursor-stability"]),
    ("snapshot", &["monotonic-atomic-view"]),
    ("monotonic-atomic-view", &["read-committed"]),
    ("cursor-stability", &["read-committed"]),
    ("read-committed", &["read-uncommitted"]),
    ("read-uncommitted", &["eventual"]),
    ("linearizable", &["sequential"]),
    ("sequential", &["causal"]),
    ("causal", &["pram", "writes-follow-reads"]),
    ("pram", &["monotonic-reads", "monotonic-writes", "read-your-writes"]),
    ("monotonic-reads", &["eventual"]),
    ("monotonic-writes", &["eventual"]),
    ("read-your-writes", &["eventual"]),
    ("writes-follow-reads", &["eventual"]),
    ("eventual", &[]),
];

pub const SESSION: &[&str] =
    &["causal", "pram", "read-your-writes", "monotonic-reads", "monotonic-writes", "writes-follow-reads"];

pub fn words() -> Vec<&'static str> {
    ARROWS.iter().map(|(word, _)| *word).collect()
}

/// Whether a way of arrows leads from one to the other.
pub fn implies(one: &str, other: &str) -> bool {
    let weaker = ARROWS.iter().find(|(word, _)| *word == one).map_or(&[] as &[&str], |(_, weaker)| weaker);
    one == other || weaker.iter().any(|next| implies(next, other))
}

/// All models that both imply and that imply all others that both imply.
pub fn greatest_below(one: &str, other: &str) -> Vec<&'static str> {
    let below: Vec<&str> = words().into_iter().filter(|word| implies(one, word) && implies(other, word)).collect();
    below.iter().copied().filter(|word| below.iter().all(|lower| implies(word, lower))).collect()
}

/// The greatest of them, which is the only one.
pub fn meet(one: &str, other: &str) -> &'static str {
    greatest_below(one, other)[0]
}
