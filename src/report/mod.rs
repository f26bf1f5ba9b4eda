//! What people and programs read. Every renderer is a pure function of an outcome, so no number can differ by format.

mod bets;
mod concise;
mod human;
mod page;
mod paint;
mod provenance;
mod snippet;

pub use concise::concise;
pub use human::human;
pub use page::{attribute_page, family_page, rule_page};
pub use paint::Look;
pub use provenance::{Question, provenance};
pub use snippet::show;
