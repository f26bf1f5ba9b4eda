//! The order of the modules, derived from the code: a module names only modules to its left, and each outside crate has
//! one home.

#![allow(clippy::expect_used, reason = "a test may stop")]

use std::fs;
use std::path::{Path, PathBuf};

/// From left to right.
const ORDER: &[&str] = &[
    "ids",
    "parallel",
    "source",
    "diagnostic",
    "yaml",
    "syntax",
    "vocabulary",
    "model",
    "analysis",
    "metadata",
    "rules",
    "config",
    "lint",
    "baseline",
    "change",
    "report",
    "render",
];

/// Outside crates and the files that may name them.
const HOMES: &[(&str, &[&str])] = &[
    ("pest", &["src/syntax/parse.rs"]),
    ("pest_derive", &["src/syntax/parse.rs"]),
    ("petgraph", &["src/model/topology.rs", "src/analysis/condensation.rs"]),
    ("rustc_hash", &["src/ids.rs"]),
    ("smallvec", &["src/syntax/tree.rs"]),
    ("rayon", &["src/parallel.rs"]),
    ("sha2", &["src/lint/fingerprint.rs", "src/render/html/policy.rs"]),
    ("serde_json", &["src/report/lines.rs"]),
    ("serde_yaml", &["src/metadata.rs"]),
    ("serde_saphyr", &["src/yaml.rs"]),
    ("miette", &["src/report/snippet.rs"]),
    ("dugong", &["src/render/layout/engine.rs"]),
    ("skrifa", &["src/render/font.rs"]),
    ("dejavu", &["src/render/font.rs"]),
    ("graphviz_rust", &["src/render/dot.rs"]),
    ("resvg", &["src/render/png.rs"]),
    ("textwrap", &["src/report/facts_table.rs", "src/report/human.rs", "src/report/paint.rs"]),
    ("anstyle", &["src/report/paint.rs"]),
    ("strsim", &["src/vocabulary/suggest.rs"]),
    (
        "clap",
        &[
            "src/bin/topolint/arguments.rs",
            "src/bin/topolint/configuration.rs",
            "src/bin/topolint/main.rs",
            "src/bin/topolint/shell.rs",
        ],
    ),
    ("clap_complete", &["src/bin/topolint/arguments.rs", "src/bin/topolint/shell.rs"]),
    ("clap_mangen", &["src/bin/topolint/shell.rs"]),
    ("globset", &["src/bin/topolint/files.rs", "src/config/pattern.rs"]),
    ("ignore", &["src/bin/topolint/files.rs"]),
    ("terminal_size", &["src/bin/topolint/output.rs"]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of sources").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = entries
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .collect();
    files.sort();
    files
}

/// The code of a file: without comments, doc examples and its own tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source file");
    let code =
        text.split("#[cfg(test)]").next().unwrap_or("").lines().filter(|line| !line.trim_start().starts_with("//"));
    code.collect::<Vec<_>>().join("\n")
}

/// The module that a file belongs to.
fn module(path: &Path) -> Option<usize> {
    let first = path.strip_prefix("src").ok()?.components().next()?.as_os_str().to_str()?;
    ORDER.iter().position(|module| *module == first.trim_end_matches(".rs"))
}

#[test]
fn a_module_names_only_modules_to_its_left() {
    let mut back = Vec::new();
    let mut edges = 0;
    for path in sources(Path::new("src")) {
        let Some(own) = module(&path) else { continue };
        for (position, other) in ORDER.iter().enumerate() {
            if position != own && code(&path).contains(&format!("crate::{other}")) {
                edges += 1;
                if position > own {
                    back.push(format!("{} names {other}", path.display()));
                }
            }
        }
    }
    assert!(edges > 30, "only {edges} edges were found: the test no longer reads the code");
    assert_eq!(back, [] as [String; 0]);
}

#[test]
fn every_module_is_in_the_order() {
    let text = fs::read_to_string("src/lib.rs").expect("the map");
    let declared = text.lines().map(|line| line.strip_prefix("pub ").unwrap_or(line));
    let modules: Vec<&str> = declared.filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';')).collect();
    assert_eq!(modules, ORDER);
}

#[test]
fn each_outside_crate_has_one_home() {
    for path in sources(Path::new("src")) {
        let code = code(&path);
        let shown = path.display().to_string();
        for (name, homes) in HOMES {
            let named = code.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == *name)
                && (code.contains(&format!("{name}::")) || code.contains(&format!("use {name}")));
            assert!(!named || homes.contains(&shown.as_str()), "{shown} names {name}, whose home is {homes:?}");
        }
    }
}

#[test]
fn each_outside_crate_says_why_it_is_here() {
    let text = fs::read_to_string("Cargo.toml").expect("the package");
    let lines: Vec<&str> = text.lines().skip_while(|line| *line != "[dependencies]").collect();
    let (mut named, mut reason) = (0, "");
    for line in lines.into_iter().take_while(|line| !line.starts_with("[[")).filter(|line| !line.starts_with('[')) {
        if line.contains(" = ") {
            assert!(reason.starts_with("# "), "no comment above says why this is here: {line}");
            named += 1;
        }
        reason = line;
    }
    assert!(named >= HOMES.len(), "only {named} dependencies were found: the test no longer reads the package");
}

#[test]
fn the_library_touches_no_disk_no_clock_and_no_environment() {
    for path in sources(Path::new("src")).iter().filter(|path| !path.starts_with("src/bin")) {
        for word in [
            "std::fs",
            "std::env::",
            "std::time::",
            "std::net",
            "std::process",
            "println!",
            "eprintln!",
            "Timestamp::now",
        ] {
            assert!(!code(path).contains(word), "{} uses {word}", path.display());
        }
    }
}
