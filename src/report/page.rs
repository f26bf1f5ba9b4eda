//! The page of a rule, a family or an attribute, as text.

use std::fmt::Write as _;

use super::paint::Look;
use crate::config::{Config, level_name};
use crate::model::{ClientKind, Clients};
use crate::rules::{ALL, FAMILIES, Rule};
use crate::source::{SourceMap, Span, clean};
use crate::vocabulary::{Attribute, Key};

/// What a rule finds, why, what to do, and what is in force here.
#[must_use]
pub fn rule_page(rule: &Rule, config: &Config, sources: &SourceMap, look: Look) -> String {
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
    if let Some(before) = &page.before {
        example(&mut text, "Before", before, look);
    }
    example(&mut text, "Found here", &page.bad, look);
    example(&mut text, "Not here", &page.good, look);
    if !page.sources.is_empty() {
        let _ = write!(text, "\n{}\n", look.bold("Sources"));
        for source in &page.sources {
            let _ = writeln!(text, "  {source}");
        }
    }
    options(&mut text, rule, config, sources, look);
    let _ = write!(text, "\n{}\n", look.bold("In force"));
    text.push_str(&look.wrap("  ", &in_force(rule, config, sources)));
    for (patterns, view) in config.exceptions() {
        let (level, place) = view.level(rule);
        if (level, place) != config.level(rule) {
            let files = patterns.iter().map(|pattern| format!("`{}`", clean(&pattern.written))).collect::<Vec<_>>();
            let place = place.map_or(String::new(), |place| format!(", set at {}", shown(sources, place)));
            text.push_str(&look.wrap("  ", &format!("in {}: `{}`{place}", files.join(", "), level_name(level))));
        }
    }
    if let Some(lock) = config.lock(rule) {
        let said =
            format!("locked at {}: no `allow`, no baseline and no override makes it quieter", shown(sources, lock));
        text.push_str(&look.wrap("  ", &said));
    }
    text
}

/// The rules of a family, with their options.
#[must_use]
pub fn family_page(family: &str, config: &Config, look: Look) -> Option<String> {
    let (name, bet) = FAMILIES.iter().find(|(name, _)| *name == family)?;
    let mut text = format!("{}\n{bet}\n\n", look.bold(name));
    let rules = ALL.iter().filter(|rule| rule.family == family);
    if rules.clone().next().is_none() {
        text.push_str("  there is no rule for it in this version\n");
    }
    rules.for_each(|rule| text.push_str(&rule_line(rule, config, look)));
    Some(text)
}

/// One rule of a list: name, level in force and what it finds, then its options.
pub(super) fn rule_line(rule: &Rule, config: &Config, look: Look) -> String {
    let level = if config.selection(rule).0 { level_name(config.level(rule).0) } else { "off" };
    let first = format!("  {:<24} {level:<5}  ", rule.name);
    let mut text = look.wrap(&first, &rule.page().summary);
    for option in &rule.page().options {
        let line = format!("option {}: {}, default {}", option.name, option.kind.name(), option.shown());
        text.push_str(&look.wrap(&" ".repeat(first.len()), &line));
    }
    text
}

fn options(text: &mut String, rule: &Rule, config: &Config, sources: &SourceMap, look: Look) {
    let Some(first) = rule.page().options.first() else { return };
    let _ = write!(text, "\n{}\n", look.bold("Options"));
    for option in &rule.page().options {
        let set = config.option_place(rule, &option.name).map(|place| {
            let written = clean(sources.text(place));
            format!("; set at {}: {written}", shown(sources, place))
        });
        let kind = format!("{}: {}, default {}", option.name, option.kind.name(), option.shown());
        text.push_str(&look.wrap("  ", &format!("{kind}{}", set.unwrap_or_default())));
        text.push_str(&look.wrap("    ", &option.meaning));
    }
    let (rule, key, value) = (rule.name, &first.name, &first.written);
    let how = format!(
        "Set in `topolint.yaml`, `options: {{ {rule}: {{ {key}: {value} }} }}`, or with `--option {rule}.{key}={value}`."
    );
    text.push_str(&look.wrap("  ", &how));
}

/// The level that counts here, and the line that says so.
fn in_force(rule: &Rule, config: &Config, sources: &SourceMap) -> String {
    let at = |place: Option<Span>| place.map(|place| shown(sources, place));
    let (selected, place) = config.selection(rule);
    if !selected {
        return format!("`{}` is not selected, by {}", rule.name, at(place).unwrap_or_default());
    }
    let (level, place) = config.level(rule);
    let level = level_name(level);
    match at(place) {
        Some(place) => format!("`{}` is `{level}`, set at {place}", rule.name),
        None => format!("`{}` is `{level}`, as on this page: nothing configures it", rule.name),
    }
}

fn shown(sources: &SourceMap, place: Span) -> String {
    let position = sources.position(place);
    format!("{}:{}:{}", clean(sources.name(place)), position.line, position.column)
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
            ClientKind::Broker => "a broker: fills in what its queues leave unstated",
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
