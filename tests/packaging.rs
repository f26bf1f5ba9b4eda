//! What other programs read of this repository: hooks, snippets for pipelines, scripts for shells, manual pages.

#![cfg(unix)]
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may stop")]

mod program;

use std::fs;
use std::path::Path;
use std::process::Command;

use program::Folder;
use program::tools::are_there;
use serde_yaml::Value;

const BROKEN: &str = "client web\nservice shop\nweb -> shop { timeout 1s }\nweb -> shpo { timeout 1s }\n";

/// The block of the README after this line.
fn block(fence: &str) -> String {
    let text = fs::read_to_string("README.md").expect("the README");
    let (_, rest) = text.split_once(&format!("\n```{fence}\n")).expect("a block");
    rest.split_once("\n```").expect("its end").0.to_owned()
}

fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).expect("YAML")
}

/// Runs a line in bash, with topolint where it is looked for; the exit code and standard output.
fn bash(folder: &Path, line: &str) -> (Option<i32>, String) {
    let built = Path::new(env!("CARGO_BIN_EXE_topolint")).parent().expect("a folder");
    let path = format!("{}:{}", built.display(), std::env::var("PATH").expect("a path"));
    let mut bash = Command::new("bash");
    for name in program::SURROUNDINGS {
        bash.env_remove(name);
    }
    let bash = bash.args(["--noprofile", "--norc", "-c", line]).current_dir(folder).env("PATH", path);
    let output = bash.output().expect("bash");
    (output.status.code(), String::from_utf8(output.stdout).expect("text"))
}

// ------------------------------------------------------------------------------------------------ Pipelines

#[test]
fn the_hooks_look_at_the_whole_project() {
    let hooks = yaml(&fs::read_to_string(".pre-commit-hooks.yaml").expect("the hooks"));
    let hooks = hooks.as_sequence().expect("a list");
    assert_eq!(hooks.len(), 2);
    let project = Folder::new().with("changed.topo", "client web\n").with("deep/other.topo", BROKEN);
    for hook in hooks {
        assert_eq!(hook["pass_filenames"], Value::Bool(false), "{hook:?}");
        assert!(["rust", "system"].contains(&hook["language"].as_str().expect("a language")));
        assert!(hook["id"].is_string() && hook["name"].is_string());
        let (code, said) = bash(&project.path(""), hook["entry"].as_str().expect("a command"));
        assert!(code == Some(1) && said.contains("deep/other.topo:4:"), "{said}");
        let files = hook["files"].as_str().expect("a pattern");
        for (path, wanted) in [
            ("shop.topo", true),
            ("a b/shop.topo", true),
            ("topolint.yaml", true),
            ("sub/topolint.yaml", true),
            ("topolint-baseline.yaml", true),
            ("shop.topo.md", false),
            ("mytopolint.yaml", false),
            ("README.md", false),
        ] {
            let (code, _) = bash(&project.path(""), &format!("[[ '{path}' =~ {files} ]]"));
            assert_eq!(code == Some(0), wanted, "{path}");
        }
    }
}

#[test]
fn the_snippets_for_github_and_pre_commit_name_what_is_there() {
    let workflow = yaml(&block("yaml github"));
    let action = yaml(&fs::read_to_string("action.yml").expect("the action"));
    let steps = workflow["jobs"]["topolint"]["steps"].as_sequence().expect("steps");
    let (checkout, topolint) = (&steps[0], &steps[1]);
    assert_eq!(checkout["with"]["fetch-depth"].as_u64(), Some(0));
    for input in topolint["with"].as_mapping().expect("inputs").keys() {
        assert!(!action["inputs"][input].is_null(), "{input:?}");
    }
    let readme = fs::read_to_string("README.md").expect("the README");
    for input in action["inputs"].as_mapping().expect("inputs").keys().filter_map(Value::as_str) {
        assert!(readme.contains(&format!("`{input}`")) || !topolint["with"][input].is_null(), "{input}");
    }
    let hooks = yaml(&fs::read_to_string(".pre-commit-hooks.yaml").expect("the hooks"));
    let used = yaml(&block("yaml pre-commit"));
    assert_eq!(used["repos"][0]["hooks"][0]["id"], hooks[0]["id"]);
}

#[test]
fn the_job_for_gitlab_leaves_the_report_that_it_names() {
    let job = &yaml(&block("yaml gitlab"))["topolint"];
    let project = Folder::of(BROKEN);
    for line in job["script"].as_sequence().expect("lines") {
        assert_eq!(bash(&project.path(""), line.as_str().expect("a line")).0, Some(1));
    }
    assert_eq!(job["artifacts"]["when"], "always", "findings make the job fail");
    let file = job["artifacts"]["reports"]["codequality"].as_str().expect("a file");
    let report: serde_json::Value =
        serde_json::from_slice(&fs::read(project.path(file)).expect("the report")).expect("JSON");
    assert_eq!(report[0]["check_name"], "unknown-name", "{report}");
}

#[test]
fn the_stage_for_jenkins_leaves_the_reports_that_it_names() {
    let stage = block("groovy");
    let project = Folder::of(BROKEN);
    let quoted: Vec<&str> = stage.split('\'').skip(1).step_by(2).collect();
    let [_, command, junit, checkstyle] = quoted[..] else { panic!("{quoted:?}") };
    assert_eq!(bash(&project.path(""), command).0, Some(1));
    for (file, root) in [(junit, "testsuites"), (checkstyle, "checkstyle")] {
        let text = fs::read_to_string(project.path(file)).expect("a report");
        let document = roxmltree::Document::parse(&text).expect("XML");
        assert_eq!(document.root_element().tag_name().name(), root);
        assert!(text.contains("unknown-name"), "{text}");
    }
}

// ------------------------------------------------------------------------------------------------ Shells, pages

/// What bash offers where the last word of a line ends.
fn offered(line: &str) -> Vec<String> {
    let words: Vec<&str> = line.split(' ').collect();
    let (last, before) = (words[words.len() - 1], words[words.len() - 2]);
    let script = format!(
        "source <(topolint completions bash); COMP_WORDS=({line}{empty}); COMP_CWORD={index}; \
         complete -p topolint > /dev/null || exit 1; _topolint topolint '{last}' '{before}' 2> /dev/null; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        empty = if last.is_empty() { "''" } else { "" },
        index = words.len() - 1,
    );
    let (code, said) = bash(Path::new("."), &script);
    assert_eq!(code, Some(0), "{line}");
    said.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_flags_and_rules() {
    assert!(offered("topolint ").contains(&"what-if".to_owned()));
    let missing = offered("topolint explain miss");
    assert!(missing.contains(&"missing-timeout".to_owned()), "{missing:?}");
    assert!(missing.iter().all(|name| name.starts_with("miss")), "{missing:?}");
    assert_eq!(offered("topolint explain timeout-inv"), ["timeout-inversion"]);
    assert_eq!(offered("topolint explain max-rec"), ["max-receives"], "attributes have pages, too");
    assert_eq!(offered("topolint check --off timeout-inv"), ["timeout-inversion"]);
    assert_eq!(offered("topolint baseline update --ba"), ["--baseline"]);
    assert_eq!(offered("topolint rules --family zero-l"), ["zero-latency"]);
    assert_eq!(offered("topolint check --format sar"), ["sarif"]);
    assert!(offered("topolint check examples/sho").is_empty(), "then bash offers files");
}

#[test]
fn every_shell_has_a_script_with_the_names_of_rules() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = Folder::new().run(&format!("completions {shell}"));
        assert!(run.code == Some(0) && run.out.contains("what-if"), "{shell}");
        // Elvish and PowerShell are offered commands and flags only.
        assert!(run.out.contains("missing-timeout") || ["elvish", "powershell"].contains(&shell), "{shell}");
    }
    assert_eq!(Folder::new().run("completions csh").code, Some(2));
}

#[test]
fn what_can_be_completed_is_not_all_that_can_be_said() {
    let run = Folder::of("client web\n").run("check a.topo --error unreachable-node,zero-latency");
    assert!(run.code == Some(1) && run.out.contains("error[unreachable-node]"), "{run:?}");
    let run = Folder::new().run("explain missing-timout");
    assert!(run.code == Some(2) && run.err.contains("did you mean `missing-timeout`?"), "{run:?}");
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = Folder::new();
    let page = |command: &str| {
        let run = folder.run(&format!("man {command}"));
        assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{command}");
        run.out
    };
    let whole = page("");
    let commands: Vec<&str> =
        whole.lines().filter_map(|line| line.strip_prefix("topolint\\-")?.strip_suffix("(1)")).collect();
    assert!(commands.len() >= 12, "{whole}");
    for command in commands {
        let command = command.replace("\\-", "-");
        assert!(page(&command).contains(&format!(".TH topolint-{command} 1")), "{command}");
    }
    assert!(page("baseline create").contains(".TH topolint-baseline-create 1"));
    let run = folder.run("man baseline crate");
    assert!(run.code == Some(2) && run.err.contains("did you mean `create`?"), "{run:?}");
    if are_there(&["groff"]) {
        let groff = "topolint man check | groff -man -ww -z 2>&1";
        assert_eq!(bash(Path::new("."), groff), (Some(0), String::new()));
    }
}
