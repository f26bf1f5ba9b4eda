//! The reports of a run: one on standard output, others in files, and what GitHub Actions shows beside the log. What is
//! detected changes how something is said, never what is found or the exit code.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use topolint::config::Config;
use topolint::lint::Outcome;
use topolint::report::{self, Base, Look, Page, Verdict};
use topolint::source::{SourceMap, clean};

use crate::arguments::{Check, Format};
use crate::check::lowest;
use crate::files::{self, Folder};
use crate::output::{self, Stop};
use crate::written;

/// Set by programs that run commands for a model, in what they run.
const AGENTS: [&str; 11] = [
    "AI_AGENT",
    "AUGMENT_AGENT",
    "CLAUDECODE",
    "CLAUDE_CODE",
    "CODEX_SANDBOX",
    "CODEX_THREAD_ID",
    "CURSOR_AGENT",
    "GEMINI_CLI",
    "JUNIE_DATA",
    "JUNIE_SHIM_PATH",
    "OPENCODE",
];

/// Writes all reports that are asked for: files first, each whole or not at all.
pub(crate) fn report(
    check: &Check,
    folder: &Folder,
    sources: &SourceMap,
    outcome: &Outcome,
    config: &Config,
    look: Look,
) -> Result<(), Stop> {
    let format = check.format.unwrap_or(Format::Auto);
    let run = Run { check, format, sources, outcome, config, base: folder.base(), look };
    if check.statistics && !matches!(format, Format::Auto | Format::Human | Format::Concise) {
        let help = "leave `-f` away, and write the other report with `--report FORMAT=FILE`";
        return Err(format!("error: `--statistics` is a table for people\n  help: {help}").into());
    }
    let plain = Look::default();
    written::all(&check.report, folder, sources, |format, out| run.write(*format, plain, out))?;
    let rest = match summary() {
        Some(file) if run.speaks_to_github() => run.summarize(&file),
        _ => "`topolint check -f concise` lists all",
    };
    output::write(|out| run.print(rest, out))
}

/// The flag, then the environment; what is set to nothing is not set.
pub(crate) fn asked(flag: Option<Format>) -> Result<Option<Format>, Stop> {
    let variable = "TOPOLINT_FORMAT";
    let said = env::var(variable).ok().filter(|word| flag.is_none() && !word.is_empty());
    let named = said.map(|word| Format::named(&word)).transpose();
    named.map(|named| flag.or(named)).map_err(|error| format!("error: `{variable}`: {}", clean(&error)).into())
}

/// What a person or a runner is told of one run.
struct Run<'a> {
    check: &'a Check,
    format: Format,
    sources: &'a SourceMap,
    outcome: &'a Outcome,
    config: &'a Config,
    base: Base,
    look: Look,
}

impl Run<'_> {
    fn is_on_its_own(&self) -> bool {
        self.format == Format::Auto && !output::is_terminal()
    }

    /// Whether standard output goes to a runner that reads commands in it.
    fn speaks_to_github(&self) -> bool {
        self.format == Format::Github || (self.is_on_its_own() && set("GITHUB_ACTIONS"))
    }

    /// Standard output.
    fn print(&self, rest: &str, out: &mut impl Write) -> io::Result<()> {
        let annotations = || report::github(self.sources, self.outcome, &self.base, rest);
        if self.format == Format::Github {
            return out.write_all(annotations().as_bytes());
        }
        let format = match self.format {
            Format::Auto if self.is_on_its_own() && !set("GITHUB_ACTIONS") => {
                if AGENTS.into_iter().any(set) {
                    Format::Agent
                } else {
                    Format::Concise
                }
            }
            Format::Auto => Format::Human,
            format => format,
        };
        if !self.speaks_to_github() {
            return self.write_or_count(format, out);
        }
        let mut text = Vec::new();
        self.write_or_count(format, &mut text)?;
        out.write_all(report::quoted(&String::from_utf8_lossy(&text)).as_bytes())?;
        out.write_all(annotations().as_bytes())
    }

    fn write_or_count(&self, format: Format, out: &mut impl Write) -> io::Result<()> {
        if self.check.statistics {
            return out.write_all(report::statistics(self.outcome, self.look).as_bytes());
        }
        self.write(format, self.look, out)
    }

    /// The report in one format.
    fn write(&self, format: Format, look: Look, out: &mut impl Write) -> io::Result<()> {
        let (sources, outcome, base) = (self.sources, self.outcome, &self.base);
        let text = match format {
            Format::Json => return report::json(sources, outcome, out),
            Format::Jsonl => return report::jsonl(sources, outcome, out),
            Format::Sarif => return report::sarif(sources, outcome, base, !self.check.no_suppressed, out),
            Format::Gitlab => return report::gitlab(sources, outcome, base, out),
            Format::Rdjson => return report::rdjson(sources, outcome, out),
            Format::Human => report::human(sources, outcome, look, self.check.quiet),
            Format::Auto | Format::Concise => report::concise(sources, outcome),
            Format::Github => report::github(sources, outcome, base, "other reports list all"),
            Format::Junit => {
                let verdict = Verdict { config: self.config, fail_on: lowest(self.check.fail_on) };
                report::junit(sources, outcome, base, verdict)
            }
            Format::Checkstyle => report::checkstyle(sources, outcome),
            Format::Markdown => self.page(report::COMMENT),
            Format::Agent => report::agent(sources, outcome),
        };
        out.write_all(text.as_bytes())
    }

    fn page(&self, most: usize) -> String {
        let page = Page { base: &self.base, most, brief: self.check.quiet };
        report::markdown(self.sources, self.outcome, &page)
    }

    /// Adds the whole table to the job summary. A summary that cannot be written keeps nothing from being checked.
    fn summarize(&self, file: &PathBuf) -> &'static str {
        let taken = fs::metadata(file).map_or(0, |file| usize::try_from(file.len()).unwrap_or(usize::MAX));
        let room = report::SUMMARY.saturating_sub(taken.saturating_add(1));
        let page = self.page(room) + "\n";
        if page.len() > room {
            output::notice("the job summary is full: nothing is added to it");
            return "`topolint check -f concise` lists all";
        }
        let added = fs::OpenOptions::new().append(true).create(true).open(file);
        match added.and_then(|mut file| file.write_all(page.as_bytes())) {
            Ok(()) => "the job summary has all",
            Err(error) => {
                output::notice(&format!("the job summary cannot be written: {}", files::reason(&error)));
                "`topolint check -f concise` lists all"
            }
        }
    }
}

fn set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}

fn summary() -> Option<PathBuf> {
    env::var_os("GITHUB_STEP_SUMMARY").filter(|file| !file.is_empty()).map(PathBuf::from)
}
