//! How many instructions `check` executes on three fixed inputs, counted by callgrind and held to the committed figures
//! in `tests/instructions/figures.tsv`: more than a twentieth above fails and names the functions that grew.
//!
//! It counts a build like a release, with its names, under valgrind, in `.ci/run`. A reasoned change writes new figures
//! in the same commit: `UPDATE=1 cargo test --profile measured --test instructions`.

#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may stop")]

#[path = "generate/large.rs"]
mod large;
mod program;
#[path = "oracle/random.rs"]
mod random;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;
use std::{env, fs};

use large::Large;
use program::Folder;
use program::tools::are_there;

const FIGURES: &str = "tests/instructions/figures.tsv";
/// So much above the figure is allowed, in percent: seeds of hash tables change from run to run.
const ALLOWED: u64 = 5;

/// Instructions by function; `all of it` is their sum.
type Counts = BTreeMap<String, u64>;
const ALL: &str = "all of it";

#[test]
#[cfg_attr(debug_assertions, ignore = "counts the instructions of a release build")]
fn check_executes_no_more_instructions_than_it_did() {
    if !are_there(&["valgrind", "callgrind_annotate"]) {
        return;
    }
    let counted: Vec<(&str, Counts)> =
        inputs().iter().map(|(name, folder, file)| (*name, count(folder, file))).collect();
    if env::var_os("UPDATE").is_some() {
        fs::write(FIGURES, written(&counted)).expect("the figures");
        return;
    }
    let (compiler, figures) = read(&fs::read_to_string(FIGURES).expect("the figures"));
    let mut grown = String::new();
    for (name, counts) in &counted {
        let before = &figures[*name];
        eprintln!("{name}: {} instructions, the figure is {}", counts[ALL], before[ALL]);
        if counts[ALL] * 100 > before[ALL] * (100 + ALLOWED) {
            let _ = writeln!(grown, "{name}: {} instructions, {} before; most of it in", counts[ALL], before[ALL]);
            for (function, more) in most_grown(before, counts) {
                let _ = writeln!(grown, "  {more:>12} more  {function}");
            }
        }
    }
    // Another compiler makes other instructions of the same code: what it grew by is told, and not held against it.
    if compiler != self::compiler() {
        eprintln!("the figures are of {compiler}, this is {}: write them anew\n{grown}", self::compiler());
        return;
    }
    assert!(grown.is_empty(), "\n{grown}");
}

/// Name, folder and file: a small topology, a large one, and one of many files.
fn inputs() -> [(&'static str, Folder, &'static str); 3] {
    let shop = Folder::of(fs::read("examples/shop.topo").expect("the shop"));
    let large = Folder::of(Large::of(1_000, 7).one_file());
    let files = Large::of(300, 7).many_files().into_iter();
    let files = files.fold(Folder::new(), |folder, (path, text)| folder.with(&path, text));
    [("shop", shop, "a.topo"), ("1,000 services", large, "a.topo"), ("300 files", files, "root.topo")]
}

fn count(folder: &Folder, file: &str) -> Counts {
    let out = folder.path("../callgrind.out");
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--quiet", "--tool=callgrind"]).arg(format!("--callgrind-out-file={}", out.display()));
    valgrind
        .arg(env!("CARGO_BIN_EXE_topolint"))
        .args(["check", "--isolated", "-f", "concise", file])
        .current_dir(folder.path(""));
    // One thread: how work falls to several of them differs from run to run.
    let output = valgrind.env("RAYON_NUM_THREADS", "1").output().expect("valgrind");
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
    let table =
        Command::new("callgrind_annotate").arg("--threshold=100").arg(&out).output().expect("callgrind_annotate");
    counts(&String::from_utf8_lossy(&table.stdout))
}

/// Reads lines such as `1,234 ( 0.5%)  file:function [binary]`; the file and the hash of a symbol are left away.
fn counts(table: &str) -> Counts {
    let mut counts = Counts::new();
    for line in table.lines() {
        let Some((number, rest)) = line.trim_start().split_once(" (") else { continue };
        let Ok(number) = number.replace(',', "").parse::<u64>() else { continue };
        let Some((_, place)) = rest.split_once(")  ") else { continue };
        let place = place.split(" [").next().unwrap_or(place);
        let function = match place.split_once(':') {
            Some((_, function)) => function.split("::h").next().unwrap_or(function),
            None => ALL,
        };
        *counts.entry(function.trim().to_owned()).or_default() += number;
    }
    counts.entry(ALL.to_owned()).or_insert(0);
    counts.remove("PROGRAM TOTALS").map(|all| counts.insert(ALL.to_owned(), all));
    counts
}

fn most_grown<'a>(before: &Counts, now: &'a Counts) -> Vec<(&'a str, u64)> {
    let grown = now
        .iter()
        .filter(|(function, _)| *function != ALL)
        .map(|(function, count)| (function.as_str(), count.saturating_sub(before.get(function).copied().unwrap_or(0))));
    let mut grown: Vec<(&str, u64)> = grown.filter(|(_, more)| *more > 0).collect();
    grown.sort_by_key(|(_, more)| std::cmp::Reverse(*more));
    grown.truncate(10);
    grown
}

/// The compiler, then input, function and count: all functions that make up more than a thousandth.
fn written(counted: &[(&str, Counts)]) -> String {
    let mut text = format!("{}\n", compiler());
    for (name, counts) in counted {
        for (function, count) in counts.iter().filter(|(_, count)| **count * 1_000 > counts[ALL]) {
            let _ = writeln!(text, "{name}\t{function}\t{count}");
        }
    }
    text
}

fn read(text: &str) -> (String, BTreeMap<String, Counts>) {
    let mut lines = text.lines();
    let compiler = lines.next().expect("the compiler").to_owned();
    let mut figures: BTreeMap<String, Counts> = BTreeMap::new();
    for line in lines {
        let cells: Vec<&str> = line.split('\t').collect();
        let count = cells[2].parse().expect("a number");
        figures.entry(cells[0].to_owned()).or_default().insert(cells[1].to_owned(), count);
    }
    (compiler, figures)
}

fn compiler() -> String {
    let output = Command::new("rustc").arg("--version").output().expect("the compiler");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

#[test]
fn a_function_is_counted_wherever_it_was_inlined() {
    let table = "1,300 (100.0%)  PROGRAM TOTALS\n\n  900 (69.2%)  src/a.rs:a::parse::h01 [/t]\n  400 (30.8%)  ???:a::parse [/t]\n";
    assert_eq!(counts(table), Counts::from([(ALL.to_owned(), 1_300), ("a::parse".to_owned(), 1_300)]));
}
