//! All rules: as a list for people, as `rules-v1` for programs, and as the reference, `rules/README.md`. All of it is
//! made from the pages and the registry.

use std::fmt::Write as _;
use std::io;

use serde::Serialize;

use super::page::rule_line;
use super::{Look, lines};
use crate::config::{Config, level_name};
use crate::metadata::{Level, OptionKind, OptionPage};
use crate::rules::{ALL, FAMILIES, Rule};

/// The rules of a family, or all, family by family, with the levels in force.
#[must_use]
pub fn rules_list(family: Option<&str>, config: &Config, look: Look) -> String {
    let lists = families(family).map(|(name, bet)| {
        let mut text = format!("{}: {bet}\n", look.bold(name));
        of(name).for_each(|rule| text.push_str(&rule_line(rule, config, look)));
        text
    });
    lists.collect::<Vec<_>>().join("\n")
}

/// The families that have rules, in the order of the bets.
fn families(only: Option<&str>) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    FAMILIES.iter().filter(move |(name, _)| only.is_none_or(|only| only == *name) && of(name).next().is_some())
}

fn of(family: &str) -> impl Iterator<Item = &'static Rule> {
    ALL.iter().filter(move |rule| rule.family == family)
}

/// Writes the rules of a family, or all, for programs.
///
/// # Errors
/// What keeps them from being written.
pub fn rules_json(family: Option<&str>, config: &Config, out: &mut impl io::Write) -> io::Result<()> {
    let rules = families(family).flat_map(|(name, bet)| of(name).map(|rule| RuleRow::of(rule, bet, config))).collect();
    lines::write(out, &Report { schema: Version::RulesV1, rules }, 2)
}

/// What `topolint rules` lists.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Report {
    schema: Version,
    /// By family, then by name.
    rules: Vec<RuleRow>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum Version {
    #[serde(rename = "rules-v1")]
    RulesV1,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Rule"))]
struct RuleRow {
    /// Its permanent name.
    rule: &'static str,
    /// The fallacy or principle that it guards.
    family: &'static str,
    /// What a diagram bets on that the family looks into.
    bet: &'static str,
    /// The level on its page.
    level: Level,
    /// The level here: `error`, `warn`, `info` or `off`.
    in_force: &'static str,
    /// What it finds.
    summary: &'static str,
    /// Why it matters.
    why: &'static str,
    /// What to do about it.
    fix: &'static str,
    /// The fact that, stated in the diagram, makes the finding go away.
    silenced_by: Option<&'static str>,
    /// What it does not look at.
    limits: Option<&'static str>,
    /// Where that was read.
    sources: &'static [String],
    options: Vec<OptionRow>,
}

impl RuleRow {
    fn of(rule: &'static Rule, bet: &'static str, config: &Config) -> Self {
        let page = rule.page();
        Self {
            rule: rule.name,
            family: rule.family,
            bet,
            level: page.level,
            in_force: if config.selection(rule).0 { level_name(config.level(rule).0) } else { "off" },
            summary: &page.summary,
            why: &page.why,
            fix: &page.fix,
            silenced_by: page.silenced_by.as_deref(),
            limits: page.limits.as_deref(),
            sources: &page.sources,
            options: page.options.iter().map(OptionRow::of).collect(),
        }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Option"))]
struct OptionRow {
    name: &'static str,
    r#type: OptionKind,
    /// As it is written, with its unit.
    default: &'static str,
    meaning: &'static str,
}

impl OptionRow {
    fn of(option: &'static OptionPage) -> Self {
        Self { name: &option.name, r#type: option.kind, default: &option.written, meaning: &option.meaning }
    }
}

/// The reference of all rules, in Markdown.
#[must_use]
pub fn rule_reference() -> String {
    let mut text = String::from(
        "# Rules\n\n\
         Made from the pages in this folder: `UPDATE=1 cargo test --test readme` writes it anew. What a level means, \
         and how it is set, is in the [README](../README.md).\n",
    );
    for (family, bet) in families(None) {
        let _ = write!(text, "\n- [{family}](#{family}): {bet}\n");
        for rule in of(family) {
            let _ = writeln!(
                text,
                "  - [{}](#{}) ({}): {}",
                rule.name,
                rule.name,
                rule.page().level.name(),
                rule.page().summary
            );
        }
    }
    for (family, bet) in families(None) {
        let _ = write!(text, "\n## {family}\n\nThe bet: {bet}.\n");
        of(family).for_each(|rule| section(&mut text, rule));
    }
    text
}

fn section(text: &mut String, rule: &Rule) {
    let page = rule.page();
    let _ = write!(text, "\n### {}\n\n*{}* — {}\n", rule.name, page.level.name(), page.summary);
    let parts = [
        ("Why", Some(&page.why)),
        ("What to do", Some(&page.fix)),
        ("What makes it go away", page.silenced_by.as_ref()),
        ("What it does not see", page.limits.as_ref()),
    ];
    for (heading, body) in parts {
        if let Some(body) = body {
            let _ = write!(text, "\n**{heading}.** {}\n", body.trim());
        }
    }
    if !page.options.is_empty() {
        text.push_str("\n| option | type | default | decides |\n| --- | --- | --- | --- |\n");
        for option in &page.options {
            let (name, kind, default) = (&option.name, option.kind.name(), option.shown());
            let _ = writeln!(text, "| `{name}` | {kind} | `{default}` | {} |", option.meaning.replace('|', "\\|"));
        }
    }
    let before = page.before.iter().map(|before| ("Before", before));
    for (heading, example) in before.chain([("Found here", &page.bad), ("Not here", &page.good)]) {
        let _ = write!(text, "\n{heading}:\n\n```topo\n{}\n```\n", example.trim_end());
    }
    if !page.sources.is_empty() {
        text.push_str("\nSources:\n\n");
        for source in &page.sources {
            let _ = writeln!(text, "- <{source}>");
        }
    }
}
