//! The program as people and pipelines run it: in a folder of its own, with what came out.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

pub mod repository;
pub mod tools;

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use assert_cmd::Command;

/// A folder for one test, gone afterwards. The tool runs in `project` in it, which is the root of a repository; what
/// is written to `../…` lies outside of it.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("topolint-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = fs::canonicalize(std::env::temp_dir()).expect("a folder for temporary files").join(name);
        fs::create_dir_all(path.join("project/.git")).expect("a new folder");
        Self(path)
    }

    /// A folder with one file, `a.topo`.
    pub fn of(text: impl AsRef<[u8]>) -> Self {
        Self::new().with("a.topo", text)
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.0.join("project").join(path)
    }

    pub fn with(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a path in the folder")).expect("a folder");
        fs::write(path, text).expect("a file");
        self
    }

    #[cfg(unix)]
    pub fn with_link(self, path: &str, to: &str) -> Self {
        std::os::unix::fs::symlink(to, self.path(path)).expect("a link");
        self
    }

    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_topolint"));
        command.current_dir(self.path("")).args(arguments.split_whitespace()).timeout(LIMIT);
        for name in SURROUNDINGS {
            command.env_remove(name);
        }
        command
    }

    pub fn run(&self, arguments: &str) -> Run {
        Run::of(&mut self.command(arguments))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What changes how a report looks, and may be set where the tests run.
pub const SURROUNDINGS: [&str; 17] = [
    "AI_AGENT",
    "AUGMENT_AGENT",
    "CI",
    "CLAUDECODE",
    "CLAUDE_CODE",
    "CODEX_SANDBOX",
    "CODEX_THREAD_ID",
    "CURSOR_AGENT",
    "FORCE_COLOR",
    "GEMINI_CLI",
    "GITHUB_ACTIONS",
    "GITHUB_STEP_SUMMARY",
    "JUNIE_DATA",
    "JUNIE_SHIM_PATH",
    "NO_COLOR",
    "OPENCODE",
    "TOPOLINT_FORMAT",
];

/// So long may any input take, in the dev profile.
pub const LIMIT: Duration = Duration::from_secs(20);

/// What came out.
pub struct Run {
    /// None if it was killed, by the limit or by itself.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Refused with code 2, nothing on standard output, and these words on standard error, however they are wrapped.
#[track_caller]
pub fn assert_refused(run: &Run, words: &[&str]) {
    assert_eq!((run.code, run.out.as_str()), (Some(2), ""), "{run:?}");
    let flat = run.err.split_whitespace().collect::<Vec<_>>().join(" ");
    for word in words {
        assert!(flat.contains(word), "`{word}` is not in {run:?}");
    }
}

impl Run {
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().expect("a program that runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The rules of a concise report, line by line.
    pub fn rules(&self) -> Vec<&str> {
        self.out.lines().map(|line| grammar(line).unwrap_or_else(|| panic!("not concise: {line}")).rule).collect()
    }

    /// The lines of a concise report that belong to a rule.
    pub fn of_rule(&self, rule: &str) -> Vec<&str> {
        self.out.lines().filter(|line| grammar(line).is_some_and(|line| line.rule == rule)).collect()
    }

    /// The report as one line, for phrases that may be wrapped.
    pub fn flat(&self) -> String {
        self.out.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The lines that `explain --where` names, strongest first: place and statement.
    pub fn places(&self) -> Vec<&str> {
        self.out.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")).map(str::trim).collect()
    }
}

/// The start of both streams: some reports here are large.
impl fmt::Debug for Run {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = |text: &str| text.chars().take(4000).collect::<String>();
        write!(formatter, "code {:?}\n-- out\n{}\n-- err\n{}", self.code, start(&self.out), start(&self.err))
    }
}

/// One line of a concise report, taken apart.
pub struct Line<'a> {
    pub file: &'a str,
    pub row: usize,
    pub column: usize,
    pub level: &'a str,
    pub rule: &'a str,
    pub message: &'a str,
}

/// `FILE:LINE:COL: LEVEL[RULE] MESSAGE`, or none if it is anything else.
pub fn grammar(text: &str) -> Option<Line<'_>> {
    let (place, rest) = text.split_once(": ")?;
    let mut numbers = place.rsplitn(3, ':');
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let (column, row, file) = (number(numbers.next()?)?, number(numbers.next()?)?, numbers.next()?);
    let (level, rest) = rest.split_once('[')?;
    let (rule, message) = rest.split_once("] ")?;
    let is_rule = !rule.is_empty() && rule.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let is_level = ["error", "warn", "info"].contains(&level);
    let counts_from_one = row > 0 && column > 0;
    let is_text = !message.trim().is_empty() && message.trim() == message && !message.contains(char::is_control);
    (is_rule && is_level && counts_from_one && is_text && !file.is_empty()).then_some(Line {
        file,
        row,
        column,
        level,
        rule,
        message,
    })
}
