//! The page of a rule, a family or an attribute, as text.

use std::fmt::Write as _;

use super::paint::Look;
use crate::model::{ClientKind, Clients};
use crate::rules::{ALL, FAMILIES, Rule};
use crate::vocabulary::{Attribute, Key};

/// What a rule finds, why, and what to do.
#[must_use]
pub fn rule_page(rule: &Rule, look: Look) -> String {
    let page = rule.page();
    let mut text = format!("{}\n", look.bold(rule.name));
    text.push_str(&look.wrap("", &format!("{} ({}, family {})", page.summary, page.level.name(), rule.family)));
    paragraphs(&mut text, "Why", &page.why, look);
    paragraphs(&mut text, "What to do", &page.fix, look);
    if let Some(fact) = &page.silenced_by {
        paragraphs(&mut text, "What makes it go away", fact, look);
    }
    if let Some(limits) = &page.limits {
        paragraphs(&mut text, "What it does not see", limits, look);
    }
    example(&mut text, "Found here", &page.bad, look);
    example(&mut text, "Not here", &page.good, look);
    if !page.sources.is_empty() {
        let _ = write!(text, "\n{}\n", look.bold("Sources"));
        for source in &page.sources {
            let _ = writeln!(text, "  {source}");
        }
    }
    text
}

/// The rules of a family.
#[must_use]
pub fn family_page(family: &str, look: Look) -> Option<String> {
    let (name, bet) = FAMILIES.iter().find(|(name, _)| *name == family)?;
    let mut text = format!("{}\n{bet}\n\n", look.bold(name));
    for rule in ALL.iter().filter(|rule| rule.family == family) {
        let first = format!("  {:<24} {:<5}  ", rule.name, rule.page().level.name());
        text.push_str(&look.wrap(&first, &rule.page().summary));
    }
    Some(text)
}

/// What an attribute says; for `via`, the table of clients too.
#[must_use]
pub fn attribute_page(key: Key, clients: &Clients, look: Look) -> String {
    let attribute: &Attribute = key.attribute();
    let form = attribute.form.trim_start_matches("| ").replace(" | ", "|").replace('|', " | ");
    let written = format!("{} {form}", attribute.name).trim_end().to_owned();
    let mut text = if written.len() < look.width {
        format!("{}\n", look.bold(&written))
    } else {
        look.wrap_hanging("", "  ", &written)
    };
    text.push_str(&look.wrap("", attribute.documentation));
    text.push_str(&look.wrap("", &format!("It may stand on: {}.", attribute.on.names().join(", "))));
    let none = if attribute.none.is_empty() {
        "it always exists, so `none` is an error".to_owned()
    } else {
        format!("`none` says: {}", attribute.none)
    };
    text.push_str(&look.wrap("", &format!("{none}.")));
    if key == Key::Via {
        table(&mut text, clients, look);
    }
    text
}

fn table(text: &mut String, clients: &Clients, look: Look) {
    for client in &clients.rows {
        let kind = match client.kind {
            ClientKind::Library => "a client library: fills in what the call leaves unstated",
            ClientKind::Proxy => "a proxy: a further layer inside the caller's wait",
        };
        let _ = write!(text, "\n{}\n", look.bold(&format!("via {}", client.name)));
        text.push_str(&look.wrap("  ", &format!("{} {}; {kind}", client.title, client.versions)));
        for default in &client.defaults {
            text.push_str(&look.wrap(
                &format!("  {:<10} ", default.setting.key.name()),
                &format!("{} ({})", default.written, default.meaning),
            ));
            text.push_str(&look.wrap("             ", &format!("read {} in {}", default.date, default.source)));
        }
    }
}

fn paragraphs(text: &mut String, heading: &str, body: &str, look: Look) {
    let _ = write!(text, "\n{}\n", look.bold(heading));
    for paragraph in body.trim().split("\n\n") {
        let flowing = paragraph.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        text.push_str(&look.wrap("  ", &flowing));
    }
}

fn example(text: &mut String, heading: &str, body: &str, look: Look) {
    let _ = write!(text, "\n{}\n", look.bold(heading));
    for line in body.trim_end().lines() {
        let _ = writeln!(text, "{}", format!("  {line}").trim_end());
    }
}
