//! What can be said on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use topolint::model::Limits;

/// A lie detector for architecture diagrams: lints service topologies written in the topo language.
#[derive(Debug, Parser)]
#[command(name = "topolint", version, about, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lint topologies: files, or folders with `.topo` files
    Check(Check),
    /// Show what a change does: to the topology, its numbers and its findings
    Diff(Diff),
    /// Print everything that is computed of a topology, as a table or as JSON
    Facts(Facts),
    /// Show the page of a rule, family or attribute, or the line that a value came from
    Explain(Explain),
    /// Follow one flow: how often and how long each hop tries, and who gives up first
    Path(Path),
    /// Ask what becomes of the entries while something is down, fails, is slow or hangs
    WhatIf(WhatIf),
    /// Draw a topology with its numbers and findings
    Render(Render),
    /// List the rules with their levels
    Rules(Rules),
    /// Write down what is found today, so that only what is new is reported
    #[command(subcommand)]
    Baseline(Keep),
    /// Show the configuration that is in force, write a first one, or print its schema
    #[command(subcommand)]
    Config(Configure),
    /// Print the language reference as Markdown
    Reference,
    /// Print what a shell needs to complete commands, flags and names of rules
    Completions {
        /// The shell that reads it
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print a manual page
    Man {
        /// The command that it is about, such as `baseline create`; without one, the whole
        command: Vec<String>,
    },
}

#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing at or above --fail-on, 1 findings at or above it, 2 could not run as asked, 3 a bug of ours."
)]
pub(crate) struct Check {
    /// Files or folders; `-` reads standard input; without any, what the configuration includes, else the current folder
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) common: Common,
    /// How the report on standard output looks; without it `TOPOLINT_FORMAT` says so, else auto
    #[arg(short, long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Write a report to a file as well, such as sarif=topolint.sarif; can be said several times
    #[arg(long, value_name = "FORMAT=FILE", value_parser = report_to)]
    pub(crate) report: Vec<(Format, PathBuf)>,
    /// Print how often each rule speaks, instead of the findings
    #[arg(long)]
    pub(crate) statistics: bool,
    /// Leave what is suppressed out of SARIF: GitHub opens an alert for each result, suppressed or not
    #[arg(long)]
    pub(crate) no_suppressed: bool,
    /// Report only what is new since the checkout left the history of this branch, tag or commit
    #[arg(long, value_name = "REF")]
    pub(crate) since: Option<String>,
    /// The lowest level at which the exit code is 1; error, if nothing else is configured
    #[arg(long, value_enum, env = "TOPOLINT_FAIL_ON")]
    pub(crate) fail_on: Option<FailOn>,
    /// Leave the table of bets out of the human and the Markdown report
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// The day on which suppressions are judged, such as 2027-03-31
    #[arg(long, value_name = "DATE")]
    pub(crate) today: Option<jiff::civil::Date>,
    /// The findings that are known and wait, instead of the configured ones
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Report what the baseline hides, too
    #[arg(long, conflicts_with = "baseline")]
    pub(crate) no_baseline: bool,
    /// Fail where an entry of the baseline finds nothing any more
    #[arg(long)]
    pub(crate) strict_baseline: bool,
    #[command(flatten)]
    pub(crate) selection: Selection,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing new at or above --fail-on, 1 findings at or above it, 2 could not run as asked, 3 a bug of ours."
)]
pub(crate) struct Diff {
    /// Files or folders; without any, what the configuration includes, else the current folder
    pub(crate) paths: Vec<PathBuf>,
    /// What it is compared with: where the checkout left the history of a branch, tag or commit; or a folder
    #[arg(long, value_name = "REF|FOLDER")]
    pub(crate) against: String,
    #[command(flatten)]
    pub(crate) common: Common,
    /// How the report looks
    #[arg(short, long, value_enum, default_value_t = DiffFormat::Human)]
    pub(crate) format: DiffFormat,
    /// The lowest level at which the exit code is 1: of what is new, or of all that is found
    #[arg(long, value_enum, default_value_t = FailOn::NewError)]
    pub(crate) fail_on: FailOn,
    /// The day on which suppressions are judged, such as 2027-03-31
    #[arg(long, value_name = "DATE")]
    pub(crate) today: Option<jiff::civil::Date>,
    #[command(flatten)]
    pub(crate) selection: Selection,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffFormat {
    /// For a person at a terminal
    Human,
    /// One object, diff-v1
    Json,
    /// For a comment on a pull request, with a Mermaid picture
    Markdown,
}

/// Which rules speak, and how loud: stronger than the configuration.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Rules")]
pub(crate) struct Selection {
    /// Report only these rules and families, and what is wrong with the text itself
    #[arg(long, value_name = "NAMES")]
    pub(crate) select: Vec<String>,
    /// Do not report these rules and families
    #[arg(long, value_name = "NAMES")]
    pub(crate) ignore: Vec<String>,
    /// Give these rules and families the level error
    #[arg(long, value_name = "NAMES")]
    pub(crate) error: Vec<String>,
    /// Give these rules and families the level warn
    #[arg(long, value_name = "NAMES")]
    pub(crate) warn: Vec<String>,
    /// Give these rules and families the level info
    #[arg(long, value_name = "NAMES")]
    pub(crate) info: Vec<String>,
    /// Switch these rules and families off
    #[arg(long, value_name = "NAMES")]
    pub(crate) off: Vec<String>,
    /// Set an option of a rule
    #[arg(long, value_name = "RULE.KEY=VALUE")]
    pub(crate) option: Vec<String>,
    /// What is unstated counts as much as what is proved
    #[arg(long)]
    pub(crate) strict: bool,
    /// Report what `allow` silences in the text, too
    #[arg(long)]
    pub(crate) no_allow: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keep {
    /// Write all that is found into a new baseline
    Create(Made),
    /// Add what is new and remove what is no longer found; reasons and days stay
    Update(Kept),
    /// Remove what is no longer found
    Prune(Kept),
}

#[derive(Debug, Args)]
pub(crate) struct Made {
    /// Files or folders; without any, what the configuration includes, else the current folder
    pub(crate) paths: Vec<PathBuf>,
    /// Replace the one that is there, with its reasons
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) kept: Kept,
}

#[derive(Debug, Args)]
pub(crate) struct Kept {
    /// The file, instead of the configured one
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// The day on which entries are judged, such as 2027-03-31
    #[arg(long, value_name = "DATE")]
    pub(crate) today: Option<jiff::civil::Date>,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Configure {
    /// Write a topolint.yaml that shows all that can be said
    Init(Init),
    /// Print what is in force for a file, and which line says so
    Show(Show),
    /// Print the JSON Schema of topolint.yaml
    Schema,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Replace the one that is there
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The file; without one, what holds where no override says anything else
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct Facts {
    /// Files or folders; `-` reads standard input
    #[arg(default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) input: Input,
    /// A table for people, or JSON for programs
    #[arg(short, long, value_enum, default_value_t = Listing::Table)]
    pub(crate) format: Listing,
}

#[derive(Debug, Args)]
pub(crate) struct Path {
    /// Where the flow starts: a node or an operation
    pub(crate) from: String,
    /// Where it ends, and hangs
    pub(crate) to: String,
    /// Files or folders; `-` reads standard input
    #[arg(default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,
    /// A node or an operation that the flow passes, in order
    #[arg(long, value_name = "NODE")]
    pub(crate) via: Vec<String>,
    #[command(flatten)]
    pub(crate) input: Input,
    /// Bars for people, or JSON for programs
    #[arg(short, long, value_enum, default_value_t = Listing::Table)]
    pub(crate) format: Listing,
}

#[derive(Debug, Args)]
#[group(id = "disturbance", required = true, multiple = true, args = ["kill", "fail", "slow", "hang"])]
pub(crate) struct WhatIf {
    /// Files or folders; `-` reads standard input
    #[arg(default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,
    /// A node or an operation that is down
    #[arg(long, value_name = "NODE")]
    pub(crate) kill: Vec<String>,
    /// A node or an operation of which a share of what it is asked fails
    #[arg(long, value_name = "NODE[.OP]=30%")]
    pub(crate) fail: Vec<String>,
    /// A node or an operation whose own work takes so many times as long
    #[arg(long, value_name = "NODE[.OP]=10x")]
    pub(crate) slow: Vec<String>,
    /// A call that is never answered: 'a->b', or a:b
    #[arg(long, value_name = "CALL")]
    pub(crate) hang: Vec<String>,
    #[command(flatten)]
    pub(crate) input: Input,
    /// Text for people, or JSON for programs
    #[arg(short, long, value_enum, default_value_t = Listing::Table)]
    pub(crate) format: Listing,
}

#[derive(Debug, Args)]
pub(crate) struct Render {
    /// Files or folders of one topology; `-` reads standard input
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) common: Common,
    /// The file to write, instead of standard output; its ending tells the format
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// The format, if no file tells it
    #[arg(short, long, value_enum)]
    pub(crate) format: Option<Picture>,
    /// What is written beside nodes and calls
    #[arg(long, value_enum, default_value_t = Annotate::All)]
    pub(crate) annotate: Annotate,
    /// Only what lies around a node, so many calls away (1 if nothing is said)
    #[arg(long, value_name = "NODE[:DEPTH]")]
    pub(crate) focus: Option<String>,
    /// Only nodes on which something is found
    #[arg(long)]
    pub(crate) only_findings: bool,
    /// Only what one operation leads to
    #[arg(long, value_name = "ENTRY")]
    pub(crate) flow: Option<String>,
    /// What the boxes are
    #[arg(long, value_enum, default_value_t = GroupBy::Group)]
    pub(crate) group_by: GroupBy,
    /// Boxes to draw as one node: their names, all or none; auto collapses where there are very many nodes
    #[arg(long, value_name = "BOXES", value_delimiter = ',', default_value = "auto")]
    pub(crate) collapse: Vec<String>,
    /// The version to compare with, in one picture: a commit or a folder
    #[arg(long, value_name = "REF")]
    pub(crate) against: Option<String>,
    /// Colours
    #[arg(long, value_enum, default_value_t = Theme::Auto)]
    pub(crate) theme: Theme,
    /// How many pixels of a PNG stand for one of the picture
    #[arg(long, value_name = "FACTOR", default_value_t = 2.0)]
    pub(crate) scale: f64,
    /// Who places and draws it, for SVG and PNG; Graphviz draws in light colours, without a legend and the list of findings
    #[arg(long, value_enum, default_value_t = Engine::Embedded)]
    pub(crate) engine: Engine,
    /// How long Graphviz may take
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) engine_timeout: u64,
    /// Draw it anew whenever one of its files is saved, until it is ended
    #[arg(long, requires = "output")]
    pub(crate) watch: bool,
    /// The day on which suppressions are judged, such as 2027-03-31
    #[arg(long, value_name = "DATE")]
    pub(crate) today: Option<jiff::civil::Date>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Picture {
    /// For browsers
    Svg,
    /// Pixels
    Png,
    /// A page to explore: search, flows, witnesses hop by hop, what-if
    #[value(alias = "htm")]
    Html,
    /// For Graphviz
    Dot,
    /// For GitHub, within Markdown
    #[value(alias = "mmd")]
    Mermaid,
    /// For D2
    D2,
    /// For programs: scene-v1
    Json,
}

impl Picture {
    /// The format of a file that ends like this.
    pub(crate) fn of_ending(ending: &str) -> Option<Self> {
        Self::from_str(ending, true).ok()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// Needs nothing installed
    Embedded,
    /// An installed Graphviz
    Dot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Annotate {
    None,
    Numbers,
    Findings,
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GroupBy {
    Group,
    Owner,
    Region,
    Zone,
    Trust,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Theme {
    Light,
    Dark,
    Auto,
}

#[derive(Debug, Args)]
pub(crate) struct Rules {
    /// Only the rules of this family
    #[arg(long, value_name = "FAMILY")]
    pub(crate) family: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
    /// A table for people, or JSON for programs
    #[arg(short, long, value_enum, default_value_t = Listing::Table)]
    pub(crate) format: Listing,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// A rule, a family or an attribute; with --where, the files or folders to look in
    #[arg(required_unless_present = "place")]
    pub(crate) subject: Vec<String>,
    /// The attribute to trace: 'a->b.timeout', a:b.timeout, or a.deadline
    #[arg(long = "where", value_name = "WHERE")]
    pub(crate) place: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Common {
    /// The configuration, instead of the nearest topolint.yaml
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Read no configuration
    #[arg(long, conflicts_with = "config")]
    pub(crate) isolated: bool,
    #[command(flatten)]
    pub(crate) input: Input,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Input {
    /// Whether to use colours; auto follows `NO_COLOR`, `FORCE_COLOR` and the terminal
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
    /// The largest file that is read, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = Limits::default().file_size)]
    pub(crate) max_file_size: u64,
    /// So many files are read in all
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().files, hide_short_help = true)]
    pub(crate) max_files: usize,
    /// So many statements are read in all files
    #[arg(long, value_name = "NUMBER", default_value_t = Limits::default().statements, hide_short_help = true)]
    pub(crate) max_statements: usize,
}

impl Input {
    /// How much is read.
    pub(crate) const fn limits(&self) -> Limits {
        Limits { file_size: self.max_file_size, files: self.max_files, statements: self.max_statements }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// human on a terminal; in GitHub Actions human, annotations and a job summary; agent where an agent calls (as its
    /// variables say); else concise
    Auto,
    /// Source lines with the arithmetic, what follows, and what to write
    Human,
    /// One line a finding: place, level, rule and message, for editors
    Concise,
    /// One object, json-v1
    Json,
    /// One object a line, jsonl-v1: findings, then counts
    Jsonl,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions: the worst ten a level, then a count
    Github,
    /// Code quality of GitLab
    Gitlab,
    /// A test case for each rule; it fails at or above --fail-on
    Junit,
    /// Checkstyle XML, for Jenkins
    Checkstyle,
    /// reviewdog, with fixes as suggestions
    Rdjson,
    /// For a comment on a pull request
    Markdown,
    /// One line a finding with its exact replacement, grouped by file
    Agent,
}

impl Format {
    /// The format of that name.
    pub(crate) fn named(word: &str) -> Result<Self, String> {
        let known = Self::value_variants().iter();
        let names: Vec<String> =
            known.filter_map(|format| Some(format.to_possible_value()?.get_name().to_owned())).collect();
        Self::from_str(word, true).map_err(|_| format!("there is no format `{word}`; there are {}", names.join(", ")))
    }
}

/// "sarif=topolint.sarif".
fn report_to(text: &str) -> Result<(Format, PathBuf), String> {
    let parts = text.split_once('=');
    let (word, file) = parts.ok_or("a format, `=` and a file are needed, such as sarif=topolint.sarif")?;
    match Format::named(word)? {
        Format::Auto => Err("`auto` is for standard output: name a format for a file".to_owned()),
        _ if file.is_empty() => Err("no file is named after `=`".to_owned()),
        format => Ok((format, file.into())),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Listing {
    Table,
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FailOn {
    Error,
    Warn,
    Info,
    Never,
    /// What the base has not: with --since nothing else is reported
    #[value(name = "new:error")]
    NewError,
    #[value(name = "new:warn")]
    NewWarn,
    #[value(name = "new:info")]
    NewInfo,
}

impl FailOn {
    /// Whether only what is new counts.
    pub(crate) const fn is_of_new(self) -> bool {
        matches!(self, Self::NewError | Self::NewWarn | Self::NewInfo)
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}
