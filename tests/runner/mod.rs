//! A runner of GitHub Actions, as far as `action.yml` needs one: it evaluates the expressions, decides which steps run,
//! and runs them with bash as the real one does. It knows one outside action, the cache, and is told what that finds.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

pub mod api;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::program::Folder;

/// `action.yml`.
#[derive(Debug, Deserialize)]
pub struct Action {
    pub inputs: BTreeMap<String, Input>,
    pub runs: Runs,
}

#[derive(Debug, Deserialize)]
pub struct Input {
    pub description: String,
    pub default: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Runs {
    pub using: String,
    pub steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
pub struct Step {
    #[serde(default)]
    pub id: String,
    #[serde(rename = "if")]
    pub condition: Option<String>,
    pub uses: Option<String>,
    pub shell: Option<String>,
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    pub run: Option<String>,
    #[serde(default)]
    pub with: BTreeMap<String, String>,
}

impl Action {
    pub fn read() -> Self {
        serde_yaml::from_str(&fs::read_to_string("action.yml").expect("the action")).expect("an action")
    }
}

/// A job that uses the action once, in a checkout.
pub struct Job<'a> {
    pub checkout: &'a Folder,
    pub inputs: &'a [(&'a str, &'a str)],
    /// What started the workflow.
    pub event: Value,
    /// Where the API is.
    pub api: &'a str,
    pub cache_hit: bool,
}

/// What a job leaves.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    /// The log: both streams.
    pub log: String,
    pub summary: String,
    /// What the cache was asked for.
    pub cache: Option<BTreeMap<String, String>>,
    /// The folder and the arguments with which cargo was run.
    pub cargo: Option<String>,
    /// The arguments of every curl.
    pub curl: String,
}

/// The token of every job.
pub const TOKEN: &str = "ghs_16C7e42F292c6912E7710c838347Ae178B4a";

impl Job<'_> {
    /// Runs the steps in order; one that fails is the last.
    pub fn run(&self) -> Ran {
        let action = Action::read();
        let machine = Machine::new(self.checkout);
        let mut outputs: HashMap<String, String> = HashMap::new();
        let mut ran =
            Ran { code: 0, log: String::new(), summary: String::new(), cache: None, cargo: None, curl: String::new() };
        for step in &action.runs.steps {
            let value = |path: &str| self.value(&action, &outputs, path);
            if ran.code != 0 || !step.condition.as_deref().is_none_or(|condition| holds(condition, &value)) {
                continue;
            }
            let filled = |map: &BTreeMap<String, String>| -> BTreeMap<String, String> {
                map.iter().map(|(name, text)| (name.clone(), filled(text, &value))).collect()
            };
            let Some(script) = &step.run else {
                assert!(step.uses.as_deref().is_some_and(|uses| uses.starts_with("actions/cache@")), "{step:?}");
                ran.cache = Some(filled(&step.with));
                outputs.insert(format!("steps.{}.outputs.cache-hit", step.id), self.cache_hit.to_string());
                continue;
            };
            assert_eq!(step.shell.as_deref(), Some("bash"), "{step:?}");
            let environment = filled(&step.env);
            let (code, log) = machine.bash(script, &environment, self.api, &self.event);
            ran.code = code;
            ran.log += &log;
            outputs.extend(machine.outputs().map(|(name, value)| (format!("steps.{}.outputs.{name}", step.id), value)));
        }
        ran.summary = machine.read("summary");
        ran.curl = machine.read("curl.log");
        ran.cargo = fs::read_to_string(machine.path("cargo.log")).ok();
        ran
    }

    /// What `${{ path }}` is.
    fn value(&self, action: &Action, outputs: &HashMap<String, String>, path: &str) -> String {
        if let Some(name) = path.strip_prefix("inputs.") {
            let declared = &action.inputs[name];
            let given = self.inputs.iter().find(|(given, _)| *given == name).map(|(_, value)| (*value).to_owned());
            return given.or_else(|| declared.default.clone()).unwrap_or_default();
        }
        if let Some(pointer) = path.strip_prefix("github.event.") {
            return match self.event.pointer(&format!("/{}", pointer.replace('.', "/"))) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Null) | None => String::new(),
                Some(value) => value.to_string(),
            };
        }
        match path {
            "github.token" => TOKEN.to_owned(),
            _ if path.starts_with("steps.") => outputs.get(path).cloned().unwrap_or_default(),
            _ => panic!("the fake runner does not know `{path}`"),
        }
    }
}

/// `a == 'b' && c != 'd'`.
fn holds(condition: &str, value: &dyn Fn(&str) -> String) -> bool {
    condition.split("&&").all(|part| {
        let (path, is, word) = match (part.split_once("=="), part.split_once("!=")) {
            (Some((path, word)), _) => (path, true, word),
            (_, Some((path, word))) => (path, false, word),
            _ => panic!("the fake runner does not understand `{part}`"),
        };
        (value(path.trim()) == word.trim().trim_matches('\'')) == is
    })
}

/// A text with its expressions filled in.
fn filled(text: &str, value: &dyn Fn(&str) -> String) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let (path, after) = after.split_once("}}").expect("the end of an expression");
        filled = filled + before + &value(path.trim());
        rest = after;
    }
    filled + rest
}

/// The machine below the runner: what is installed, and the files by which a step speaks to the runner.
struct Machine<'a> {
    checkout: &'a Folder,
    folder: PathBuf,
}

impl<'a> Machine<'a> {
    fn new(checkout: &'a Folder) -> Self {
        let machine = Self { checkout, folder: checkout.0.join("machine") };
        let _ = fs::remove_dir_all(&machine.folder);
        fs::create_dir_all(machine.path("temp")).expect("a folder");
        fs::create_dir_all(machine.path("bin")).expect("a folder");
        // Instead of a build: what was built already.
        let built = env!("CARGO_BIN_EXE_topolint");
        machine.install(
            "cargo",
            &format!(
                "#!/bin/sh\necho \"$PWD\" \"$@\" > '{}'\nwhile [ \"$1\" != --root ]; do shift; done\n\
                 mkdir -p \"$2/bin\" && ln -s '{built}' \"$2/bin/topolint\"\n",
                machine.path("cargo.log").display()
            ),
        );
        // The real one, overheard.
        let (log, here) = (machine.path("curl.log"), machine.path("bin"));
        machine.install(
            "curl",
            &format!(
                "#!/bin/sh\necho \"$@\" >> '{}'\nPATH=${{PATH#'{}':}} exec curl --noproxy '*' \"$@\"\n",
                log.display(),
                here.display()
            ),
        );
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn install(&self, name: &str, script: &str) {
        executable(&self.path("bin").join(name), script);
    }

    fn bash(&self, script: &str, environment: &BTreeMap<String, String>, api: &str, event: &Value) -> (i32, String) {
        let (file, event_file) = (self.path("step.sh"), self.path("event.json"));
        // Both streams in the order in which they were written.
        fs::write(&file, format!("exec 2>&1\n{script}")).expect("a script");
        fs::write(&event_file, event.to_string()).expect("an event");
        fs::write(self.path("output"), "").expect("a file");
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").expect("a path"));
        let output = Command::new("bash")
            .args(["--noprofile", "--norc", "-e", "-o", "pipefail"])
            .arg(&file)
            .current_dir(self.checkout.path(""))
            .env_clear()
            .envs([("PATH", path.as_str()), ("HOME", "/nonexistent"), ("GIT_CONFIG_GLOBAL", "/dev/null")])
            .envs([("CI", "true"), ("GITHUB_ACTIONS", "true"), ("GITHUB_REPOSITORY", "acme/shop")])
            .envs([("GITHUB_SERVER_URL", "https://github.com"), ("GITHUB_RUN_ID", "42"), ("GITHUB_API_URL", api)])
            .envs([("RUNNER_OS", "Linux"), ("RUNNER_ARCH", "X64"), ("ImageOS", "ubuntu24")])
            .env("GITHUB_ACTION_PATH", env!("CARGO_MANIFEST_DIR"))
            .env("GITHUB_WORKSPACE", self.checkout.path(""))
            .env("GITHUB_EVENT_PATH", event_file)
            .env("GITHUB_OUTPUT", self.path("output"))
            .env("GITHUB_STEP_SUMMARY", self.path("summary"))
            .env("RUNNER_TEMP", self.path("temp"))
            .envs(environment)
            .output()
            .expect("bash");
        (output.status.code().expect("an exit code"), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// `name=value` lines.
    fn outputs(&self) -> impl Iterator<Item = (String, String)> {
        let text = self.read("output");
        let pairs: Vec<_> = text.lines().map(|line| line.split_once('=').expect("a name and a value")).collect();
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>().into_iter()
    }
}

/// A program that is a script.
pub fn executable(path: &Path, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(path, script).expect("a script");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("an executable file");
}

/// The event of a pull request.
pub fn pull_request(base: &str) -> Value {
    json!({ "pull_request": { "number": 7, "base": { "sha": base } } })
}
