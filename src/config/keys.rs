//! The settings of `topolint.yaml`, each with what it takes and means: the reader, the published schema and the file that
//! `topolint config init` writes all follow this list.

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub shape: Shape,
    /// Whether it may be said for some files only, in an override.
    pub by_file: bool,
    /// What it decides.
    pub meaning: &'static str,
}

/// What a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Files of a configuration.
    Paths,
    /// One file.
    Path,
    /// Paths, or patterns of files.
    Patterns,
    /// Rules and families.
    Names,
    /// A level for each rule or family.
    Levels,
    /// One level.
    Level,
    /// Options by rule.
    Options,
    /// What holds for some files.
    Overrides,
    /// One word.
    Word,
}

/// All settings.
pub const KEYS: &[Key] = &[
    key(
        "extends",
        Shape::Paths,
        false,
        "other configurations that this one builds on; a later one is stronger, this one is the strongest",
    ),
    key(
        "include",
        Shape::Patterns,
        false,
        "what `topolint check` looks at where no path is named; the default is all `.topo` files",
    ),
    key(
        "exclude",
        Shape::Patterns,
        false,
        "what is left out when a folder is searched; a file that is named or included is still read",
    ),
    key("select", Shape::Names, false, "only these rules and families speak, and what is wrong with the text itself"),
    key("ignore", Shape::Names, false, "these rules and families do not speak"),
    key("levels", Shape::Levels, true, "how loud a rule or family is"),
    key("options", Shape::Options, true, "the options of rules, with units as in a diagram"),
    key(
        "unstated",
        Shape::Level,
        true,
        "the highest level of a finding that depends on something unstated; the default is `warn`",
    ),
    key(
        "locked",
        Shape::Names,
        false,
        "rules and families that no `allow`, no baseline, no override and no file that extends this one makes quieter",
    ),
    key(
        "overrides",
        Shape::Overrides,
        false,
        "what holds for some files only; a later one is stronger, and the file in which a finding stands decides",
    ),
    key("fail-on", Shape::Word, false, "the lowest level at which the exit code is 1, as in `--fail-on`"),
    key("format", Shape::Word, false, "how the report looks, as in `--format`"),
    key("baseline", Shape::Path, false, "the findings that are known and wait, as in `--baseline`"),
];

const fn key(name: &'static str, shape: Shape, by_file: bool, meaning: &'static str) -> Key {
    Key { name, shape, by_file, meaning }
}

/// The settings that may stand in a file, or in an override.
pub(super) fn names(by_file: bool) -> Vec<&'static str> {
    let named = KEYS.iter().filter(|key| key.by_file || !by_file).map(|key| key.name);
    if by_file { std::iter::once("files").chain(named).collect() } else { named.collect() }
}

/// A configuration that says nothing yet, and shows all that can be said.
pub const STARTER: &str = include_str!("starter.yaml");

/// The published schema of `topolint.yaml`, for editors: made from the list above, the rules and their options, and kept
/// in `grammar/`. `UPDATE=1 cargo test --lib` writes it anew.
#[cfg(test)]
mod schema {
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::metadata::OptionKind;
    use crate::rules::{ALL, FAMILIES, names};

    fn level() -> Value {
        json!({ "enum": ["error", "warn", "info", "off", false], "description": "`off` without quotes is `false` to some readers" })
    }

    fn list(of: &Value) -> Value {
        json!({ "anyOf": [of, { "type": "array", "items": of }, { "type": "null" }] })
    }

    fn levels() -> Value {
        let rules = ALL.iter().map(|rule| (rule.name.to_owned(), rule.page().summary.clone()));
        let families = FAMILIES.iter().map(|(name, bet)| ((*name).to_owned(), (*bet).to_owned()));
        let of = |(name, summary): (String, String)| (name, json!({ "description": summary, "$ref": "#/$defs/level" }));
        let properties: Map<String, Value> = families.chain(rules).map(of).collect();
        json!({ "type": ["object", "null"], "properties": properties, "additionalProperties": false })
    }

    fn options() -> Value {
        let mut rules = Map::new();
        for rule in ALL.iter().filter(|rule| !rule.page().options.is_empty()) {
            let mut options = Map::new();
            for option in &rule.page().options {
                let kind =
                    if option.kind == OptionKind::Count { json!(["integer", "string"]) } else { json!("string") };
                let meaning = format!("{} ({}, default {})", option.meaning.trim(), option.kind.name(), option.shown());
                options.insert(option.name.clone(), json!({ "type": kind, "description": meaning }));
            }
            let row = json!({ "type": ["object", "null"], "properties": options, "additionalProperties": false });
            rules.insert(rule.name.to_owned(), row);
        }
        json!({ "type": ["object", "null"], "properties": rules, "additionalProperties": false })
    }

    fn shape(shape: Shape) -> Value {
        match shape {
            Shape::Paths | Shape::Patterns => json!({ "$ref": "#/$defs/paths" }),
            Shape::Names => json!({ "$ref": "#/$defs/names" }),
            Shape::Levels => json!({ "$ref": "#/$defs/levels" }),
            Shape::Level => json!({ "$ref": "#/$defs/level" }),
            Shape::Options => json!({ "$ref": "#/$defs/options" }),
            Shape::Overrides => json!({ "type": ["array", "null"], "items": { "$ref": "#/$defs/override" } }),
            Shape::Path | Shape::Word => json!({ "type": "string" }),
        }
    }

    fn properties(by_file: bool) -> Map<String, Value> {
        let keys = KEYS.iter().filter(|key| key.by_file || !by_file);
        let row = |key: &Key| {
            let mut row = shape(key.shape);
            row["description"] = key.meaning.into();
            (key.name.to_owned(), row)
        };
        keys.map(row).collect()
    }

    fn made() -> Value {
        let mut override_of = properties(true);
        override_of.insert("files".to_owned(), json!({ "$ref": "#/$defs/paths" }));
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "topolint.yaml",
            "type": ["object", "null"],
            "properties": properties(false),
            "additionalProperties": false,
            "$defs": {
                "level": level(),
                "levels": levels(),
                "names": list(&json!({ "enum": names().collect::<Vec<_>>() })),
                "options": options(),
                "override": {
                    "type": "object", "properties": override_of, "required": ["files"], "additionalProperties": false,
                },
                "paths": list(&json!({ "type": "string" })),
            },
        })
    }

    #[test]
    fn the_schema_of_the_configuration_is_kept() {
        let path = "grammar/config-v1.schema.json";
        let made = serde_json::to_string_pretty(&made()).expect("JSON") + "\n";
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, &made).expect("the schema");
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept == made, "{path} is not what the list says: `UPDATE=1 cargo test --lib` writes it anew");
    }

    #[test]
    fn the_first_configuration_names_every_setting() {
        for key in KEYS {
            let named =
                STARTER.lines().any(|line| line.trim_start_matches("# ").starts_with(&format!("{}:", key.name)));
            assert!(named, "`{}` does not stand in starter.yaml", key.name);
        }
    }
}
