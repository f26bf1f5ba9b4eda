//! What people and programs read. Every renderer is a pure function of an outcome, so no number can differ by format.

mod agent;
mod base;
mod bets;
mod by_file;
mod checkstyle;
mod concise;
mod diff;
pub mod escape;
mod excerpt;
mod facts;
pub(crate) mod facts_table;
mod github;
mod gitlab;
mod human;
mod json;
mod jsonl;
mod junit;
pub(crate) mod lines;
mod markdown;
mod page;
mod paint;
mod path;
pub(crate) mod provenance;
mod rdjson;
mod rules;
mod sarif;
mod settings;
mod snippet;
mod statistics;
mod tally;
pub(crate) mod what_if;
mod xml;

pub use agent::agent;
pub use base::Base;
pub use checkstyle::checkstyle;
pub use concise::concise;
pub use diff::{MARKER, diff, diff_json, diff_markdown};
pub use facts::facts_json;
pub use facts_table::facts_table;
pub use github::{github, quoted};
pub use gitlab::gitlab;
pub use human::human;
pub use json::json;
pub use jsonl::jsonl;
pub use junit::{Verdict, junit};
pub use markdown::{COMMENT, Page, SUMMARY, markdown};
pub use page::{attribute_page, family_page, rule_page};
pub use paint::Look;
pub use path::{path_json, path_waterfall};
pub use provenance::{Question, provenance};
pub use rdjson::rdjson;
pub use rules::{rule_reference, rules_json, rules_list};
pub use sarif::sarif;
pub use settings::settings;
pub use snippet::show;
pub use statistics::statistics;
pub use what_if::{what_if, what_if_json};

/// The published schemas of what programs read, made from the types; kept in `grammar/`. `UPDATE=1 cargo test --lib`
/// writes them anew.
#[cfg(test)]
pub(crate) mod schemas {
    use schemars::JsonSchema;
    use schemars::generate::SchemaSettings;

    /// Compares the kept schema of a type with the type.
    pub(crate) fn hold<T: JsonSchema>(name: &str) {
        let path = format!("grammar/{name}.schema.json");
        let schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
        let made = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &made).expect("the schema");
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == made, "{path} is not what the types say: `UPDATE=1 cargo test --lib` writes it anew");
    }

    #[test]
    fn the_schema_of_the_report_is_kept() {
        hold::<super::json::Report<'static>>("json-v1");
    }

    #[test]
    fn the_schema_of_a_line_is_kept() {
        hold::<super::jsonl::Line<'static>>("jsonl-v1");
    }

    #[test]
    fn the_schema_of_the_facts_is_kept() {
        hold::<super::facts::Report<'static, 'static>>("facts-v1");
    }

    #[test]
    fn the_schema_of_a_comparison_is_kept() {
        hold::<super::diff::Report<'static>>("diff-v1");
    }

    #[test]
    fn the_schema_of_a_path_is_kept() {
        hold::<super::path::Report>("path-v1");
    }

    #[test]
    fn the_schema_of_what_if_is_kept() {
        hold::<super::what_if::Report>("what-if-v1");
    }

    #[test]
    fn the_schema_of_the_list_of_rules_is_kept() {
        hold::<super::rules::Report>("rules-v1");
    }
}
