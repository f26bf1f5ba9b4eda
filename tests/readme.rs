//! What the documents show is run: console blocks against the binary, topo blocks through the linter, the language
//! reference against the vocabulary.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop")]

mod program;
mod support;

use std::fs;
use std::process::Command;

use program::{Folder, SURROUNDINGS};
use topolint::metadata::Level;
use topolint::rules::{ALL, BETS, FAMILIES, Rule};

/// The blocks of one kind in the README.
fn blocks(kind: &str) -> Vec<String> {
    let text = fs::read_to_string("README.md").expect("the README");
    let mut blocks = Vec::new();
    let mut inside: Option<Vec<&str>> = None;
    for line in text.lines() {
        match (&mut inside, line.strip_prefix("```")) {
            (None, Some(found)) if found == kind => inside = Some(Vec::new()),
            (Some(lines), Some(_)) => {
                blocks.push(lines.join("\n"));
                inside = None;
            }
            (Some(lines), None) => lines.push(line),
            _ => {}
        }
    }
    blocks
}

/// The words of a command, with single quotes as a shell reads them.
fn words(command: &str) -> Vec<String> {
    command
        .split('\'')
        .enumerate()
        .flat_map(|(index, part)| {
            let quoted = index % 2 == 1;
            if quoted { vec![part.to_owned()] } else { part.split_whitespace().map(str::to_owned).collect() }
        })
        .collect()
}

fn run(command: &str) -> String {
    let words = words(command);
    assert_eq!(words.first().map(String::as_str), Some("topolint"), "{command}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_topolint"));
    for name in SURROUNDINGS {
        command.env_remove(name);
    }
    let output = command.args(words.iter().skip(1)).output().expect("the binary");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn every_console_block_shows_what_the_binary_prints() {
    let blocks = blocks("console");
    assert!(blocks.len() >= 4);
    for block in blocks {
        let (command, expected) = block.split_once('\n').expect("a command and its output");
        let printed = run(command.strip_prefix("$ ").expect("a command"));
        match expected.split_once("\n...") {
            Some((start, _)) => assert!(printed.starts_with(start), "{command}\nprinted:\n{printed}"),
            None => assert_eq!(printed.trim_end(), expected, "{command}"),
        }
    }
}

/// The commands that draw, in the text or in a table, without those that never end.
fn commands_that_draw() -> Vec<String> {
    let text = fs::read_to_string("README.md").expect("the README");
    let code = text.split('`').skip(1).step_by(2).map(|code| code.split_whitespace().collect::<Vec<_>>().join(" "));
    code.filter(|code| code.starts_with("topolint render ") && !code.contains("--watch")).collect()
}

#[test]
fn every_command_that_draws_writes_its_picture() {
    let files = support::example_texts().0;
    let shop = files.get("examples/shop.topo").expect("the shop");
    // What the branch left: another version in another folder.
    let before = String::from_utf8_lossy(shop).replace("retries 1", "retries 2");
    let folder = Folder::new().with("examples/shop.topo", shop).with("before/examples/shop.topo", before);
    let commands = commands_that_draw();
    assert!(commands.len() >= 11, "{commands:?}");
    for command in commands {
        let arguments = command.replace("topolint ", "").replace("origin/main", "before");
        let run = folder.run(&arguments);
        assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (Some(0), "", ""), "{command}");
        let (_, file) = command.rsplit_once(" -o ").expect("a file to write");
        assert!(folder.path(file).exists(), "{command}");
    }
}

#[test]
fn every_topo_block_can_be_read_and_the_annotated_one_is_clean() {
    let blocks = blocks("topo");
    assert!(blocks.len() >= 3);
    for block in &blocks {
        let found = support::found(block);
        assert!(found.iter().all(|found| found.level < Level::Error), "{block}\n{found:?}");
    }
    assert_eq!(support::found(&blocks[1]).iter().filter(|found| found.level > Level::Info).count(), 0);
}

/// The rules of each family that looks at diagrams, as a table.
fn table_of_rules() -> String {
    let rows = FAMILIES.iter().take(BETS).map(|(family, bet)| {
        let names = ALL.iter().filter(|rule| rule.family == *family).map(|rule| format!("`{}`", rule.name));
        format!("| {bet} | {} |\n", names.collect::<Vec<_>>().join(", "))
    });
    format!("| bet | rules |\n| --- | --- |\n{}", rows.collect::<String>())
}

#[test]
fn the_table_of_rules_is_complete() {
    let (start, end) = ("<!-- rules -->\n", "<!-- end of rules -->\n");
    let text = fs::read_to_string("README.md").expect("the README");
    let (head, rest) = text.split_once(start).expect("where the table starts");
    let (kept, tail) = rest.split_once(end).expect("where the table ends");
    let table = table_of_rules();
    if std::env::var_os("UPDATE").is_some() && kept != table {
        fs::write("README.md", format!("{head}{start}{table}{end}{tail}")).expect("the README");
        return;
    }
    assert_eq!(kept, table, "`UPDATE=1 cargo test --test readme` writes it anew");
}

#[test]
fn the_rules_explained_in_the_readme_exist() {
    let text = fs::read_to_string("README.md").expect("the README");
    let named: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .filter(|(_, rest)| rest.starts_with(" | "))
        .map(|(name, _)| name)
        .collect();
    assert!(named.len() >= 21);
    for name in named {
        assert!(Rule::named(name).is_some(), "there is no rule {name}");
    }
}

#[test]
fn the_configuration_shown_can_be_read() {
    for block in blocks("yaml") {
        let mut sources = topolint::source::SourceMap::default();
        let id = sources.add("topolint.yaml", block);
        topolint::config::Config::read(&sources, id).expect("a configuration");
    }
}

#[test]
fn the_kept_language_reference_is_what_the_vocabulary_says() {
    let path = "grammar/reference.md";
    let reference = topolint::vocabulary::reference();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, &reference).expect("the reference");
    }
    assert_eq!(
        fs::read_to_string(path).expect("the reference"),
        reference,
        "`topolint reference > {path}` writes it anew"
    );
}

#[test]
fn the_kept_reference_of_rules_is_what_their_pages_say() {
    let path = "rules/README.md";
    let reference = topolint::report::rule_reference();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, &reference).expect("the reference");
    }
    let kept = fs::read_to_string(path).unwrap_or_default();
    assert!(kept == reference, "{path} is not what the pages say: `UPDATE=1 cargo test --test readme` writes it anew");
}
