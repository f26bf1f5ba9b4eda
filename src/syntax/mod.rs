//! From text to tree. Total: every text gives a tree and a list of problems, and nothing here knows what a word means.
//!
//! `layout` finds the braces and cuts the text where statements of the outermost level end, `parse` hands the pieces
//! to the grammar and builds the `tree`, `foreign` words what is wrong with what could not be read.

mod foreign;
mod layout;
mod parse;
mod tree;

pub(crate) use foreign::comma as stray_comma;
pub(crate) use layout::{Layout, layout};
pub use parse::{Parsed, parse};
pub(crate) use parse::{parse_around, parse_laid_out};
pub use tree::{Arrow, Block, Call, Plain, Statement, Tree, Value, ValueKind, Values, unescape};

/// The deepest nesting of blocks that is read.
pub const MAX_DEPTH: usize = 64;
