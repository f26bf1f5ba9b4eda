//! `action.yml`, run by a fake runner against a fake of GitHub's API, in real repositories.

#![cfg(unix)]
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may stop")]

mod program;
mod runner;

use std::fs;
use std::process::{Command, Stdio};

use program::Folder;
use program::repository::{commit, git, repository};
use program::tools::are_there;
use runner::api::{Api, Comment};
use runner::{Action, Job, Ran, TOKEN, executable, pull_request};
use serde_json::{Value, json};

const BEFORE: &str = "client web\nservice shop { operation buy { readonly; -> db.read { timeout 100ms } } }\nstore db\n\
                      web -> shop.buy { timeout 1s }\n";
const MARKER: &str = "<!-- topolint:diff -->";
const OURS: &str = "github-actions[bot]";

/// A pull request that gives a call more time than its caller waits.
fn slower() -> (Folder, String) {
    changed(&BEFORE.replace("100ms", "3s"))
}

/// A pull request, and the commit that it is based on.
fn changed(text: &str) -> (Folder, String) {
    let folder = repository(&[("shop.topo", BEFORE)]);
    let base = git(&folder.path(""), &["rev-parse", "HEAD"]);
    git(&folder.path(""), &["switch", "-q", "-c", "change"]);
    fs::write(folder.path("shop.topo"), text).expect("a file");
    commit(&folder);
    (folder, base)
}

/// With the topolint that is there, unless the inputs name another one.
fn run(checkout: &Folder, base: &str, api: &Api, inputs: &[(&str, &str)]) -> Ran {
    let inputs = [inputs, &[("binary", env!("CARGO_BIN_EXE_topolint"))]].concat();
    Job { checkout, inputs: &inputs, event: pull_request(base), api: &api.address, cache_hit: false }.run()
}

/// With a comment.
fn commented((checkout, base): &(Folder, String), api: &Api) -> Ran {
    run(checkout, base, api, &[("comment", "true")])
}

/// What the comment has to say.
fn difference((checkout, base): &(Folder, String)) -> String {
    checkout.run(&format!("diff --against {base} -f markdown")).out
}

fn needed() -> bool {
    are_there(&["bash", "git", "curl", "jq"])
}

// ------------------------------------------------------------------------------------------------ The file

#[test]
fn no_expression_stands_in_a_script_and_outside_actions_are_pinned() {
    let action = Action::read();
    assert_eq!(action.runs.using, "composite");
    assert!(action.inputs.values().all(|input| !input.description.is_empty()));
    for step in &action.runs.steps {
        let script = step.run.as_deref().unwrap_or_default();
        assert!(!script.contains("${{"), "{script}");
        if let Some(uses) = &step.uses {
            let (_, version) = uses.split_once('@').expect("a version");
            assert!(version.len() == 40 && version.bytes().all(|byte| byte.is_ascii_hexdigit()), "{uses}");
        }
    }
}

#[test]
fn shellcheck_has_nothing_to_say() {
    if !are_there(&["shellcheck"]) {
        return;
    }
    // The runner sets this for `shell: bash`.
    let scripts =
        Action::read().runs.steps.into_iter().filter_map(|step| Some(format!("set -eo pipefail\n{}", step.run?)));
    let kept = [".github/topolint.sh", ".ci/run"].map(|path| fs::read_to_string(path).expect("a script"));
    for script in scripts.chain(kept) {
        let mut check = Command::new("shellcheck");
        let check = check.args(["--shell=bash", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut check = check.expect("shellcheck");
        std::io::Write::write_all(&mut check.stdin.take().expect("a pipe"), script.as_bytes()).expect("a script");
        let said = check.wait_with_output().expect("an end");
        assert!(said.status.success(), "{script}\n{}", String::from_utf8_lossy(&said.stdout));
    }
}

// ------------------------------------------------------------------------------------------------ Build and check

#[test]
fn it_is_built_from_its_own_source_and_annotates_and_summarizes() {
    if !needed() {
        return;
    }
    let (checkout, base) = slower();
    let ran = Job { checkout: &checkout, inputs: &[], event: pull_request(&base), api: "", cache_hit: false }.run();
    assert_eq!(ran.code, 1, "{ran:?}");
    let source = env!("CARGO_MANIFEST_DIR");
    let cargo = ran.cargo.as_deref().expect("a build");
    assert!(cargo.starts_with(&format!("{source} install --quiet --locked --path . --root /")), "{cargo}");
    assert!(ran.log.contains("\n::error file=shop.topo,line=4,"), "{ran:?}");
    assert!(ran.summary.contains("timeout-inversion"), "{ran:?}");
    assert_eq!(ran.curl, "", "without a comment nobody is asked");
    assert_eq!(git(&checkout.path(""), &["status", "--porcelain"]), "");
}

#[test]
fn what_was_built_before_comes_from_the_cache() {
    if !needed() {
        return;
    }
    let (checkout, base) = slower();
    let job = |inputs: &[(&str, &str)]| {
        Job { checkout: &checkout, inputs, event: pull_request(&base), api: "", cache_hit: true }.run()
    };
    let ran = job(&[]);
    assert!(ran.cargo.is_none() && ran.code == 127, "the fake cache brings nothing back: {ran:?}");
    let cache = ran.cache.expect("a cache");
    let hash = cache["key"].strip_prefix("topolint-Linux-ubuntu24-X64-").expect("system and processor");
    assert!(hash.len() == 40 && cache["path"].ends_with("/temp/topolint"), "{cache:?}");
    let there = job(&[("binary", env!("CARGO_BIN_EXE_topolint"))]);
    assert!(there.code == 1 && there.cache.is_none() && there.cargo.is_none(), "{there:?}");
}

#[test]
fn inputs_are_arguments_whatever_they_say() {
    if !needed() {
        return;
    }
    let hostile = "$(touch pwned) \"`touch pwned`\" ; touch pwned #.topo";
    let checkout =
        repository(&[(hostile, BEFORE), ("other.topo", "servce x\n"), ("own.yaml", "select: [idempotency]\n")]);
    let api = Api::start();
    let base = git(&checkout.path(""), &["rev-parse", "HEAD"]);
    let ran = |inputs: &[(&str, &str)]| run(&checkout, &base, &api, inputs);
    assert_eq!(ran(&[("paths", hostile), ("sarif", "out $(touch pwned).sarif")]).code, 0);
    let sarif = fs::read(checkout.path("out $(touch pwned).sarif")).expect("a report");
    let sarif: Value = serde_json::from_slice(&sarif).expect("JSON");
    assert!(sarif["version"] == "2.1.0" && sarif["runs"][0]["results"].is_array(), "{sarif}");
    let both = ran(&[("paths", &format!("{hostile}\nother.topo\n")), ("config", "own.yaml")]);
    assert_eq!(both.code, 1, "the second one has a mistake: {both:?}");
    for inputs in [
        [("since", "--output=pwned")],
        [("since", "$(touch pwned)")],
        [("fail-on", "$(touch pwned)")],
        [("config", "--help")],
        [("paths", "--help")],
        [("binary", "no such; touch pwned")],
    ] {
        assert!(ran(&inputs).code >= 2, "{inputs:?}");
    }
    assert!(!checkout.path("pwned").exists());
}

#[test]
fn since_reports_what_is_new_and_auto_is_the_base_of_the_pull_request() {
    if !needed() {
        return;
    }
    let (checkout, base) = slower();
    let api = Api::start();
    for since in ["auto", "main", &base] {
        let ran = run(&checkout, &base, &api, &[("since", since)]);
        assert!(ran.code == 1 && ran.log.contains("timeout-inversion"), "{since}: {ran:?}");
    }
    let ran = run(&checkout, &base, &api, &[("since", "change")]);
    assert!(ran.code == 0 && !ran.log.contains("timeout-inversion"), "{ran:?}");
    assert_eq!(run(&checkout, &base, &api, &[("fail-on", "never")]).code, 0);
    let push = Job {
        checkout: &checkout,
        inputs: &[("since", "auto"), ("comment", "true")],
        event: json!({}),
        api: "",
        cache_hit: false,
    };
    let ran = push.run();
    assert!(
        ran.code == 1 && ran.curl.is_empty(),
        "a push has no base, so all is reported, and nothing to comment: {ran:?}"
    );
}

#[test]
fn a_base_that_the_clone_lacks_fails_and_says_what_to_fetch() {
    if !needed() {
        return;
    }
    let (checkout, _) = slower();
    let api = Api::start();
    let lacking = "0123456789012345678901234567890123456789";
    let ran = run(&checkout, lacking, &api, &[("comment", "true"), ("fail-on", "never")]);
    assert!(ran.code == 2 && ran.log.contains(&format!("there is no commit `{lacking}`")), "{ran:?}");
    assert!(api.state().asked.is_empty());
}

// ------------------------------------------------------------------------------------------------ The comment

#[test]
fn the_first_run_writes_a_comment() {
    if !needed() {
        return;
    }
    let (api, change) = (Api::start().with_comment("somebody", "looks fine"), slower());
    let ran = commented(&change, &api);
    assert_eq!(ran.code, 1, "{ran:?}");
    let said = difference(&change);
    assert!(said.starts_with(&format!("{MARKER}\n### topolint: 1 new")), "{said}");
    let state = api.state();
    assert_eq!(state.comments[1], Comment { id: 1001, login: OURS.to_owned(), body: said });
    assert_eq!(state.asked.len(), 2, "{:?}", state.asked);
    assert!(ran.curl.contains("/repos/acme/shop/issues/7/comments") && !ran.curl.contains(TOKEN), "{ran:?}");
    assert!(!ran.log.contains(TOKEN) && !ran.log.contains("::notice title=topolint::"), "{ran:?}");
}

#[test]
fn a_later_run_edits_it_on_whatever_page_it_is() {
    if !needed() {
        return;
    }
    let mut api = Api::start();
    for index in 0..130 {
        api = api.with_comment("somebody", &format!("comment {index}"));
    }
    let api = api.with_comment(OURS, &format!("{MARKER}\nan older one"));
    let change = slower();
    assert_eq!(commented(&change, &api).code, 1);
    let state = api.state();
    assert_eq!((state.comments.len(), &state.comments[130].body), (131, &difference(&change)));
    let methods: Vec<&str> = state.asked.iter().filter_map(|asked| asked.split(' ').next()).collect();
    assert_eq!(methods, ["GET", "GET", "PATCH"]);
}

#[test]
fn a_change_that_says_nothing_has_no_comment() {
    if !needed() {
        return;
    }
    let api = Api::start();
    let change = changed(&format!("# A comment in the text.\n{BEFORE}"));
    assert_eq!(commented(&change, &api).code, 0);
    assert_eq!(api.state().asked.len(), 1, "nothing to remove");
    let api = api.with_comment(OURS, &format!("{MARKER}\nan older one")).with_comment(OURS, "of another action");
    assert_eq!(commented(&change, &api).code, 0);
    let state = api.state();
    assert_eq!(state.comments.len(), 1);
    assert_eq!(state.comments[0].body, "of another action");
}

#[test]
fn what_people_write_is_never_edited_or_removed() {
    if !needed() {
        return;
    }
    let theirs = format!("{MARKER}\nwritten by hand");
    let api = Api::start().with_comment("somebody", &theirs).with_comment(OURS, &format!("> {MARKER}\n> quoted"));
    assert_eq!(commented(&changed(&format!("{BEFORE}\n")), &api).code, 0);
    assert_eq!(commented(&slower(), &api).code, 1);
    let state = api.state();
    assert_eq!((state.comments.len(), &state.comments[0].body), (3, &theirs));
}

#[test]
fn without_write_permission_the_summary_has_it_and_the_exit_code_stays() {
    if !needed() {
        return;
    }
    for (fail_on, code) in [("error", 1), ("never", 0)] {
        let (api, change) = (Api::start(), slower());
        api.state().refuses_with = Some(403);
        let ran = run(&change.0, &change.1, &api, &[("comment", "true"), ("fail-on", fail_on)]);
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.log.contains("::notice title=topolint::The comment could not be kept up to date"), "{ran:?}");
        assert!(ran.summary.ends_with(&difference(&change)), "{}", ran.summary);
        assert!(api.state().comments.is_empty());
    }
}

#[test]
fn an_api_that_does_not_answer_or_answers_nonsense_fails_nothing() {
    if !needed() {
        return;
    }
    let (checkout, base) = slower();
    let inputs = [("comment", "true"), ("fail-on", "never")];
    // Nobody listens on the first one; the second one has no such repository.
    for api in ["http://127.0.0.1:1", &format!("{}/v3", Api::start().address)] {
        let ran = Job { checkout: &checkout, inputs: &inputs, event: pull_request(&base), api, cache_hit: false }.run();
        assert!(ran.code == 0 && ran.log.contains("::notice title=topolint::"), "{ran:?}");
        assert!(ran.summary.contains(MARKER), "{ran:?}");
    }
}

#[test]
fn a_body_that_is_too_long_goes_to_the_summary_and_the_comment_says_so() {
    if !needed() {
        return;
    }
    let (checkout, base) = slower();
    let lines = format!("{MARKER}\n### topolint: 9 new\n{}", "- a finding\n".repeat(6000));
    fs::write(checkout.0.join("long.md"), &lines).expect("a file");
    let binary = checkout.0.join("fake topolint");
    let markdown = checkout.0.join("long.md");
    let script = "#!/bin/sh\ncase \"$*\" in *markdown*) cat 'FILE';; *json*) echo '{\"new\":[1],\"worse\":[],\"fixed\":[],\"topologies\":[]}';; esac\n";
    executable(&binary, &script.replace("FILE", &markdown.to_string_lossy()));
    let inputs = [("comment", "true"), ("binary", binary.to_str().expect("UTF-8"))];
    for refused in [None, Some(403)] {
        let api = Api::start();
        api.state().refuses_with = refused;
        let ran = run(&checkout, &base, &api, &inputs);
        assert_eq!(ran.code, 0, "{}", ran.log);
        assert!(ran.summary.ends_with(&lines) && ran.summary.matches(MARKER).count() == 1);
        let expected = format!(
            "{MARKER}\n### topolint: 9 new\n\nThe rest does not fit into a comment: [the summary of the \
             run](https://github.com/acme/shop/actions/runs/42) has it.\n"
        );
        let bodies: Vec<String> = api.state().comments.iter().map(|comment| comment.body.clone()).collect();
        assert_eq!(bodies, if refused.is_none() { vec![expected] } else { Vec::new() });
    }
}

#[test]
fn a_summary_that_is_full_is_left_as_it_is() {
    if !needed() {
        return;
    }
    let (checkout, base) = slower();
    let binary = checkout.0.join("fake");
    let script = "#!/bin/sh\ncase \"$*\" in *markdown*) echo text;; *json*) echo '{}';; \
                  *) head -c 1048571 /dev/zero | tr '\\0' x > \"$GITHUB_STEP_SUMMARY\";; esac\n";
    executable(&binary, script);
    let api = Api::start();
    api.state().refuses_with = Some(403);
    let inputs = [("comment", "true"), ("binary", binary.to_str().expect("UTF-8"))];
    let ran = run(&checkout, &base, &api, &inputs);
    assert!(ran.code == 0 && ran.log.contains("The job summary is full"), "{}", ran.log);
    assert_eq!(ran.summary.len(), 1_048_571);
}

#[test]
fn hostile_text_in_a_diagram_stays_text() {
    if !needed() {
        return;
    }
    let hostile =
        r#"$(touch pwned) `touch pwned` ${{ github.token }} '; touch pwned; ' \u0022}, {"body": "x --> ::error::no"#;
    let label = hostile.replace('\\', "\\\\").replace('"', "\\\"");
    let text = BEFORE.replace("100ms }", &format!("3s; fallback \"{label}\" }}"));
    let (api, change) = (Api::start(), changed(&text));
    let ran = commented(&change, &api);
    assert!(ran.code <= 1, "{ran:?}");
    let state = api.state();
    assert_eq!(state.comments.len(), 1, "{ran:?}");
    assert_eq!(state.comments[0].body, difference(&change));
    assert!(state.comments[0].body.contains("touch pwned"), "{}", state.comments[0].body);
    assert!(!change.0.path("pwned").exists());
    assert!(!ran.log.contains("\n::error::no"), "{ran:?}");
}
