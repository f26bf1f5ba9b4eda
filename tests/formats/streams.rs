//! Where reports go: standard output, files beside it, the log and the job summary of GitHub Actions.

use std::fs;

use crate::program::{Folder, Run, grammar};
use crate::{json, word};

/// `web -> shop` waits for ever: one error.
const ENDLESS: &str = "client web\nservice shop\nweb -> shop { timeout none }\n";

fn in_surroundings(folder: &Folder, arguments: &str, variables: &[(&str, &str)]) -> Run {
    Run::of(folder.command(arguments).envs(variables.iter().copied()))
}

/// All files of the project, but none of the repository.
fn files(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(folder.path("")).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name != ".git");
    names.sort();
    names
}

#[test]
fn a_flag_is_stronger_than_the_environment_and_that_than_what_is_detected() {
    let folder = Folder::of(ENDLESS);
    let concise = folder.run("check a.topo").out;
    assert!(concise.lines().all(|line| grammar(line).is_some()), "{concise}");
    let agent = in_surroundings(&folder, "check a.topo", &[("CLAUDECODE", "1")]).out;
    assert!(agent.starts_with("a.topo:3:15 error missing-timeout: "), "{agent}");
    let variables = [("CLAUDECODE", "1"), ("TOPOLINT_FORMAT", "gitlab"), ("GITHUB_ACTIONS", "true")];
    assert!(in_surroundings(&folder, "check a.topo", &variables).out.starts_with("[\n"));
    assert_eq!(in_surroundings(&folder, "check a.topo -f concise", &variables).out, concise);
    assert_eq!(in_surroundings(&folder, "check a.topo", &[("CLAUDECODE", "")]).out, concise, "empty is not set");
    assert_eq!(in_surroundings(&folder, "check a.topo", &[("TOPOLINT_FORMAT", "")]).out, concise, "empty is not set");
    let run = in_surroundings(&folder, "check a.topo", &[("TOPOLINT_FORMAT", "jsno")]);
    assert_eq!((run.code, run.out.as_str()), (Some(2), ""), "{run:?}");
    assert!(run.err.contains("`TOPOLINT_FORMAT`: there is no format `jsno`; there are auto, human,"), "{run:?}");
}

#[test]
fn github_actions_gets_the_report_annotations_and_a_summary() {
    let folder = Folder::of(ENDLESS).with("summary.md", "before\n");
    let summary = folder.path("summary.md");
    let variables = [("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", summary.to_str().expect("UTF-8"))];
    let run = in_surroundings(&folder, "check a.topo", &variables);
    assert_eq!((run.code, run.err.as_str()), (Some(1), ""), "{run:?}");
    let human = folder.run("check a.topo -f human").out;
    assert!(run.out.starts_with(&format!("::stop-commands::topolint-0\n{human}::topolint-0::\n")), "{run:?}");
    assert!(run.out.contains("\n::error file=a.topo,line=3,endLine=3,col=15,"), "{run:?}");
    let written = fs::read_to_string(&summary).expect("the summary");
    assert!(written.starts_with("before\n### topolint: 1 error"), "{written}");
    assert!(written.contains("| error | <code>missing-timeout</code> |"), "{written}");

    let run = in_surroundings(&folder, "check a.topo -f github", &variables[1..]);
    assert!(run.out.lines().all(|line| line.starts_with("::")), "{run:?}");
    assert_eq!(fs::read_to_string(&summary).expect("the summary").matches("### topolint").count(), 2, "appended");
    in_surroundings(&folder, "check a.topo -f concise", &variables);
    assert_eq!(fs::read_to_string(&summary).expect("the summary").matches("### topolint").count(), 2, "not asked for");
}

#[test]
fn a_summary_that_cannot_be_written_or_is_full_changes_no_code() {
    let folder = Folder::of(ENDLESS).with("full.md", "x".repeat((1 << 20) - 100));
    for (file, word) in [("nowhere/summary.md", "cannot be written"), ("full.md", "full")] {
        let path = folder.path(file);
        let variables = [("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", path.to_str().expect("UTF-8"))];
        let run = in_surroundings(&folder, "check a.topo", &variables);
        assert!(run.code == Some(1) && run.err.contains(word), "{run:?}");
    }
    assert_eq!(fs::metadata(folder.path("full.md")).expect("a file").len(), (1 << 20) - 100);
}

#[test]
fn reports_are_written_beside_the_one_on_standard_output() {
    let folder = Folder::of(ENDLESS).with("old.json", "old");
    let run = folder.run("check a.topo --report sarif=a.sarif --report json=old.json --report human=./human.txt");
    assert_eq!((run.code, run.err.as_str()), (Some(1), ""), "{run:?}");
    assert_eq!(run.out, folder.run("check a.topo").out);
    assert_eq!(files(&folder), ["a.sarif", "a.topo", "human.txt", "old.json"]);
    let read = |name| fs::read_to_string(folder.path(name)).expect("a report");
    assert_eq!(word(&json(&read("a.sarif")), "/version"), "2.1.0");
    assert_eq!(word(&json(&read("old.json")), "/schema"), "json-v1");
    assert_eq!(read("human.txt"), folder.run("check a.topo -f human").out);
}

#[test]
fn a_report_that_cannot_be_written_is_2_and_nothing_is_written() {
    let folder = Folder::of(ENDLESS).with("sub/x", "").with("old.json", "old");
    let bad = [
        ("json=nowhere/a.json", "its folder does not exist"),
        ("json=sub", "it is a folder"),
        ("json=a.topo", "replace what is checked"),
        ("json=./old.json", "is named twice"),
        ("jsno=a.json", "no format `jsno`"),
        ("auto=a.json", "`auto` is for standard output"),
        ("a.json", "such as sarif=topolint.sarif"),
        ("json=", "no file is named"),
    ];
    for (report, words) in bad {
        let run = folder.run(&format!("check a.topo --report sarif=a.sarif --report json=old.json --report {report}"));
        assert_eq!((run.code, run.out.as_str()), (Some(2), ""), "{report}: {run:?}");
        assert!(run.err.contains(words), "{report}: {run:?}");
        assert_eq!(files(&folder), ["a.topo", "old.json", "sub"], "{report}");
        assert_eq!(fs::read_to_string(folder.path("old.json")).expect("what was there"), "old");
    }
}

#[cfg(unix)]
#[test]
fn a_report_goes_where_a_link_leads_and_keeps_permissions() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::of(ENDLESS).with("true.json", "old").with_link("link.json", "true.json");
    fs::set_permissions(folder.path("true.json"), fs::Permissions::from_mode(0o640)).expect("permissions");
    folder.run("check a.topo --report json=link.json --report jsonl=/dev/null");
    assert!(fs::symlink_metadata(folder.path("link.json")).expect("the link").is_symlink());
    let mode = fs::metadata(folder.path("true.json")).expect("the report").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert!(fs::read_to_string(folder.path("true.json")).expect("the report").starts_with('{'));
    assert!(!fs::metadata("/dev/null").expect("it is there").is_file());
}

#[test]
fn statistics_count_each_rule_and_are_for_people_only() {
    let folder = Folder::of(format!("{ENDLESS}web -> shpo {{ timeout 1s }}\nweb -> shoop {{ timeout 1s }}\n"));
    let run = folder.run("check a.topo --statistics");
    assert_eq!(run.code, Some(1), "{run:?}");
    let rows: Vec<Vec<&str>> = run.out.lines().map(|line| line.split_whitespace().take(3).collect()).collect();
    assert_eq!(rows[0], ["2", "error", "unknown-name"], "{run:?}");
    assert!(rows.contains(&vec!["1", "error", "missing-timeout"]), "{run:?}");
    let run = folder.run("check a.topo --statistics -f json");
    assert!(run.code == Some(2) && run.out.is_empty() && run.err.contains("--report FORMAT=FILE"), "{run:?}");
}

#[test]
fn paths_count_from_the_root_of_the_repository_where_it_is_known() {
    let folder = Folder::new().with("docs/a b.topo", ENDLESS);
    let mut command = folder.command("check . -f sarif --report gitlab=../q.json --report checkstyle=../c.xml");
    let run = Run::of(command.current_dir(folder.path("docs")));
    let place = "/runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri";
    assert_eq!(word(&json(&run.out), place), "docs/a%20b.topo");
    let read = |name| fs::read_to_string(folder.path(name)).expect("a report");
    assert_eq!(word(&json(&read("q.json")), "/0/location/path"), "docs/a b.topo");
    assert!(read("c.xml").contains("<file name=\"a b.topo\">"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_of_any_name_is_one_address_and_one_line() {
    let name = "a \"b\"<c>&'d'\n::error::e%20,:;ü.topo";
    let folder = Folder::new().with(name, ENDLESS);
    let run = folder.run("check . -f sarif");
    let place = "/runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri";
    let address = "a%20%22b%22%3Cc%3E%26%27d%27%0A%3A%3Aerror%3A%3Ae%2520%2C%3A%3B%C3%BC.topo";
    assert_eq!(word(&json(&run.out), place), address);
    let run = folder.run("check . -f github");
    assert!(run.out.starts_with("::error file=a \"b\"<c>&'d' %3A%3Aerror%3A%3Ae%2520%2C%3A;ü.topo,line=3,"), "{run:?}");
    assert_eq!(run.out.lines().count(), folder.run("check . -f concise").out.lines().count());
    let xml = folder.run("check . -f checkstyle").out;
    assert!(roxmltree::Document::parse(&xml).is_ok(), "{xml}");
}
