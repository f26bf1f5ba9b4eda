//! The configuration in force for one file, each value with the line that says so: what people ask when a rule is louder
//! or quieter than they expect.

use std::fmt::Write as _;

use super::Look;
use crate::config::{Config, Effective, level_name};
use crate::rules::{ALL, Rule};
use crate::source::{SourceMap, Span, clean};

/// All that is set, for a file (from the project root, and under the name that people see) or everywhere.
#[must_use]
pub fn settings(config: &Config, file: Option<(&str, &str)>, sources: &SourceMap, look: Look) -> String {
    let mut text = String::new();
    let mut any = false;
    for (source, extended_at) in config.files() {
        any = true;
        let name = sources.get(source).map_or("", |source| source.name.as_str());
        let by = extended_at.map_or(String::new(), |place| format!(", extended at {}", at(sources, place)));
        let _ = writeln!(text, "{name}{by}");
    }
    if !any {
        text.push_str("no configuration: everything is as on the pages of the rules\n");
    }
    let heading = file.map_or("Everywhere".to_owned(), |(_, name)| format!("For {}", clean(name)));
    let _ = write!(text, "\n{}\n", look.bold(&heading));
    let view = file.map_or_else(|| config.everywhere(), |(path, _)| config.at(path));
    table(&mut text, general(config, &view), sources);
    let rules: Vec<_> = ALL.iter().flat_map(|rule| of_rule(rule, &view, config, sources)).collect();
    let _ = write!(text, "\n{}\n", look.bold("Rules"));
    let set: std::collections::BTreeSet<&str> = rules.iter().map(|(name, _, _)| name.as_str()).collect();
    let others = ALL.iter().filter(|rule| !set.contains(rule.name)).count();
    table(&mut text, rules, sources);
    let _ = writeln!(text, "  {others} rules are as on their pages");
    text
}

/// A name, a value, and the line that says so.
type Row = (String, String, Option<Span>);

fn general(config: &Config, view: &Effective<'_>) -> Vec<Row> {
    let list =
        |list: &[crate::config::Pattern]| list.iter().map(|one| one.written.clone()).collect::<Vec<_>>().join(", ");
    let word = |word: Option<&crate::yaml::Text>, default: &str| {
        word.map_or((default.to_owned(), None), |word| (word.text.clone(), Some(word.span)))
    };
    let (unstated, place) = view.cap();
    let include = config.include().map_or("all `.topo` files".to_owned(), list);
    let exclude = config.exclude();
    let rows = [
        ("unstated", (level_name(unstated).to_owned(), place)),
        ("fail-on", word(config.fail_on(), "error")),
        ("format", word(config.format(), "auto")),
        ("baseline", word(config.baseline(), "none")),
        ("include", (include, config.include().and_then(|list| list.first()).map(|first| first.span))),
        (
            "exclude",
            (
                if exclude.is_empty() { "nothing".to_owned() } else { list(exclude) },
                exclude.first().map(|first| first.span),
            ),
        ),
    ];
    rows.into_iter().map(|(name, (value, place))| (name.to_owned(), value, place)).collect()
}

/// What is set of a rule: its level, its options, its lock.
fn of_rule(rule: &'static Rule, view: &Effective<'_>, config: &Config, sources: &SourceMap) -> Vec<Row> {
    let (level, place) = view.level(rule);
    let mut rows = Vec::new();
    let mut row = |value: String, place| rows.push((rule.name.to_owned(), value, place));
    match view.selection(rule) {
        (false, place) => row("not selected".to_owned(), place),
        (true, _) if place.is_some() => row(level_name(level).to_owned(), place),
        _ => {}
    }
    for option in &rule.page().options {
        if let Some(place) = view.option_place(rule, &option.name) {
            row(clean(sources.text(place)).into_owned(), Some(place));
        }
    }
    if let Some(lock) = config.lock(rule) {
        row("locked".to_owned(), Some(lock));
    }
    rows
}

fn table(text: &mut String, rows: Vec<Row>, sources: &SourceMap) {
    let width = |cell: fn(&Row) -> &String| rows.iter().map(|row| cell(row).chars().count()).max().unwrap_or(0).min(40);
    let (names, values) = (width(|row| &row.0), width(|row| &row.1));
    for (name, value, place) in rows {
        let place = place.map_or("default".to_owned(), |place| at(sources, place));
        let _ = writeln!(text, "  {name:<names$}  {:<values$}  {place}", clean(&value));
    }
}

fn at(sources: &SourceMap, place: Span) -> String {
    let position = sources.position(place);
    format!("{}:{}:{}", clean(sources.name(place)), position.line, position.column)
}
