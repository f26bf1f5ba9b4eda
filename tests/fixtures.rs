//! Small topologies under `tests/rules/<family>/<rule>/`, one question a file. `# want: rule "text"` on a line says that
//! the rule speaks there with this text in its message; several are separated by `;`. What is wanted and not found
//! fails, and so does what is found and not wanted: above `info`, or by the rule whose folder it is.

#![allow(clippy::expect_used, reason = "a test may stop")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use topolint::metadata::Level;

#[test]
fn every_fixture_gives_what_it_wants_and_nothing_else() {
    let files = fixtures(Path::new("tests/rules"));
    assert!(files.len() > 40, "only {} fixtures were found", files.len());
    let wrong: Vec<String> = files.iter().flat_map(|file| check(file)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn fixtures(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of fixtures") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(fixtures(&path));
        } else if path.extension().is_some_and(|ending| ending == "topo") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What a line wants: the rule, and a part of its message.
struct Want {
    line: usize,
    rule: String,
    text: String,
}

fn check(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).expect("a fixture");
    let mut wants = wants(&text);
    let mut wrong = Vec::new();
    let own = path.parent().and_then(Path::file_name).and_then(|folder| folder.to_str());
    let counts = |found: &support::Found| found.level > Level::Info || own == Some(found.rule);
    for found in support::found(&text).into_iter().filter(counts) {
        let met = wants
            .iter()
            .position(|want| want.line == found.line && want.rule == found.rule && found.message.contains(&want.text));
        match met {
            Some(index) => drop(wants.remove(index)),
            None => wrong.push(format!(
                "{}:{}: unexpected {} \"{}\"",
                path.display(),
                found.line,
                found.rule,
                found.message
            )),
        }
    }
    let unmet = wants
        .iter()
        .map(|want| format!("{}:{}: not found: {} \"{}\"", path.display(), want.line, want.rule, want.text));
    wrong.into_iter().chain(unmet).collect()
}

fn wants(text: &str) -> Vec<Want> {
    let lines = text.lines().zip(1..).filter_map(|(line, number)| Some((line.split_once("# want: ")?.1, number)));
    lines
        .flat_map(|(wants, line)| wants.split("; ").map(move |want| (want, line)))
        .map(|(want, line)| {
            let (rule, text) = want.split_once(' ').unwrap_or((want, ""));
            Want { line, rule: rule.to_owned(), text: text.trim().trim_matches('"').to_owned() }
        })
        .collect()
}
