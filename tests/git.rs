//! The tool in a pipeline: real repositories, with all that checkouts, clones and contributors bring along.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may stop")]

mod program;

use std::fs;

use program::repository::{commit, git, repository};
use program::{Folder, Run, assert_refused};

/// `stock-db.read` is three calls below the entry, whose client waits for a second.
const SHOP: &str = r"client web
service gateway {
  operation checkout { readonly; latency max 10ms; -> orders.place { local } }
}
service orders {
  operation place { readonly; latency max 10ms; -> stock.reserve { local } }
}
service stock {
  operation reserve { readonly; latency max 10ms; -> stock-db.read { timeout 300ms } }
}
store stock-db

web -> gateway.checkout { timeout 1s }
";

const RETRIED: &str =
    "timeout 300ms; retries 3; backoff fixed 50ms jitter full; retry-on timeout, unavailable; retry-budget 10% }";

fn retried() -> String {
    SHOP.replace("timeout 300ms }", RETRIED)
}

/// What is left after a run, apart from what was there: names of files and what git says of them.
fn state(folder: &Folder) -> (String, Vec<u8>) {
    let status = git(&folder.path(""), &["status", "--porcelain", "--untracked-files=all"]);
    (status, fs::read(folder.path(".git/index")).unwrap_or_default())
}

fn assert_new_inversion(run: &Run) {
    assert_eq!(run.code, Some(1), "{run:?}");
    let lines: Vec<&str> = run.out.lines().collect();
    assert_eq!(lines.len(), 1, "{run:?}");
    assert!(lines[0].contains("error[timeout-inversion] `web` gives up on `gateway.checkout` after 1 s"), "{run:?}");
}

#[test]
fn a_retry_three_calls_below_the_entry_is_one_new_finding_there_and_its_cause_is_named() {
    let folder = repository(&[("shop.topo", SHOP)]).with("shop.topo", retried());
    assert_new_inversion(&folder.run("check --since main -f concise"));
    let run = folder.run("check --since main -f human --quiet");
    let text = run.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("and the nearest change is: `stock.reserve -> stock-db.read`: `retries 3` added"), "{run:?}");
}

#[test]
fn taking_it_away_again_is_nothing_new() {
    let folder = repository(&[("shop.topo", &retried())]).with("shop.topo", SHOP);
    let run = folder.run("check --since main -f concise");
    assert_eq!((run.code, run.out.as_str()), (Some(0), ""), "{run:?}");
}

#[test]
fn what_was_there_before_is_counted_and_does_not_fail() {
    let folder =
        repository(&[("shop.topo", &retried())]).with("other.topo", "client a; service b; a -> b { timeout 1s }");
    let run = folder.run("check --since HEAD --quiet -f human");
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.out.contains("hidden: 1 old"), "{run:?}");
    assert!(folder.run("check --since HEAD -f json").out.contains(r#""hidden_by": {"by": "base"}"#));
}

#[test]
fn the_checkout_may_be_dirty_and_stays_as_it_is() {
    let folder = repository(&[("shop.topo", SHOP), ("notes.txt", "a")]).with("shop.topo", retried());
    git(&folder.path(""), &["add", "shop.topo"]);
    let folder = folder.with("notes.txt", "b").with("new.txt", "c");
    let before = state(&folder);
    assert_new_inversion(&folder.run("check --since HEAD -f concise"));
    assert_eq!(state(&folder), before);
}

#[test]
fn what_has_come_to_the_branch_since_does_not_count() {
    let folder = repository(&[("shop.topo", SHOP)]);
    git(&folder.path(""), &["checkout", "-q", "-b", "mine"]);
    git(&folder.path(""), &["checkout", "-q", "main"]);
    let folder = folder.with("shop.topo", retried());
    commit(&folder);
    git(&folder.path(""), &["checkout", "-q", "mine"]);
    let folder = folder.with("shop.topo", retried());
    assert_new_inversion(&folder.run("check --since main -f concise"));
}

#[test]
fn a_detached_checkout_is_one() {
    let folder = repository(&[("shop.topo", SHOP)]);
    git(&folder.path(""), &["checkout", "-q", "--detach"]);
    let folder = folder.with("shop.topo", retried());
    commit(&folder);
    assert_new_inversion(&folder.run("check --since main -f concise"));
    assert_new_inversion(&folder.run("check --since HEAD~1 -f concise"));
}

#[test]
fn a_worktree_is_one_and_its_git_is_a_file() {
    let folder = repository(&[("shop.topo", SHOP)]);
    git(&folder.path(""), &["worktree", "add", "-q", "-b", "mine", "../tree"]);
    assert!(folder.path("../tree/.git").is_file());
    let folder = folder.with("../tree/shop.topo", retried());
    let run = Run::of(folder.command("check --since main -f concise").current_dir(folder.path("../tree")));
    assert_new_inversion(&run);
}

#[test]
fn a_subfolder_can_be_looked_at_from_anywhere() {
    let folder = repository(&[("docs/shop.topo", SHOP), ("docs/x/notes.txt", "")]).with("docs/shop.topo", retried());
    assert_new_inversion(&folder.run("check docs --since main -f concise"));
    assert_new_inversion(&folder.run("check docs/shop.topo --since main -f concise"));
    let inside = Run::of(folder.command("check .. --since main -f concise").current_dir(folder.path("docs/x")));
    assert_new_inversion(&inside);
}

#[test]
fn a_project_in_a_subfolder_is_compared_with_that_folder() {
    let folder = repository(&[("a/topolint.yaml", ""), ("a/shop.topo", SHOP), ("b/shop.topo", &retried())]);
    let folder = folder.with("a/shop.topo", retried());
    assert_new_inversion(&folder.run("check a --since main -f concise"));
}

#[test]
fn included_files_are_read_from_the_commit_too() {
    let (head, tail) = SHOP.split_once("service stock {").expect("a part");
    let rest = format!("service stock {{{tail}");
    let root = format!("include \"parts/*.topo\"\n{head}");
    let folder = repository(&[("shop.topo", &root), ("parts/stock.topo", &rest)]);
    let folder = folder.with("parts/stock.topo", rest.replace("timeout 300ms }", RETRIED));
    assert_new_inversion(&folder.run("check --since main -f concise"));
    assert_new_inversion(&folder.run("check shop.topo --since main -f concise"));
}

#[cfg(unix)]
#[test]
fn links_in_a_commit_lead_to_its_own_files_and_not_out_of_the_project() {
    let inside = "include \"alias.topo\"\nclient web\nweb -> shop { timeout 1s }\n";
    let folder = repository(&[("shop.topo", inside), ("real/part.txt", "service shop\n")])
        .with_link("alias.topo", "real/part.txt");
    commit(&folder);
    let folder = folder.with("shop.topo", inside.replace("1s", "2s"));
    let run = folder.run("check shop.topo --since main -f concise");
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (Some(0), "", ""), "{run:?}");
    let folder =
        repository(&[("shop.topo", inside), ("../out.topo", "service shop\n")]).with_link("alias.topo", "../out.topo");
    commit(&folder);
    fs::remove_file(folder.path("alias.topo")).expect("the link");
    let folder = folder.with("alias.topo", "service shop\n");
    let run = folder.run("check shop.topo --since main -f concise");
    assert_eq!((run.code, run.out.as_str()), (Some(0), ""), "{run:?}");
}

#[test]
fn a_renamed_file_and_a_renamed_node_bring_nothing_new() {
    let folder = repository(&[("shop.topo", &retried())]);
    fs::rename(folder.path("shop.topo"), folder.path("store.topo")).expect("another name");
    for paths in ["", "store.topo"] {
        let run = folder.run(&format!("check {paths} --since main -f concise"));
        assert_eq!((run.code, run.out.as_str()), (Some(0), ""), "{run:?}");
    }
    let folder = folder.with("store.topo", retried().replace("gateway", "edge"));
    let run = folder.run("check --since main -f concise");
    assert_eq!((run.code, run.out.as_str()), (Some(0), ""), "{run:?}");
}

#[test]
fn names_with_blanks_quotes_and_newlines_are_names() {
    for name in ["a b.topo", "a'b\".topo", "a\nb.topo", "ü/ä.topo", "-f.topo"] {
        let folder = repository(&[(name, SHOP)]).with(name, retried());
        let run = folder.run("check --since main -f concise");
        assert_eq!(run.code, Some(1), "{run:?}");
        assert_eq!(run.out.matches("timeout-inversion").count(), 1, "{run:?}");
    }
}

#[cfg(unix)]
#[test]
fn names_that_are_not_utf8_are_left_out_and_counted() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = repository(&[("shop.topo", SHOP)]);
    let odd = folder.path("").join(std::ffi::OsStr::from_bytes(b"\xFF.topo"));
    fs::write(&odd, SHOP).expect("a file");
    commit(&folder);
    fs::remove_file(odd).expect("the file");
    let folder = folder.with("shop.topo", retried());
    let run = folder.run("check --since main -f concise");
    assert_new_inversion(&run);
    assert!(run.err.contains("notice: `main` has 1 file whose name is not UTF-8"), "{run:?}");
}

#[test]
fn a_base_that_cannot_be_read_whole_is_compared_as_far_as_it_can() {
    let broken = format!("{SHOP}\nservice {{{{\n");
    let folder = repository(&[("shop.topo", &broken)]).with("shop.topo", retried());
    let run = folder.run("check --since main -f concise");
    assert_new_inversion(&run);
    assert!(run.err.contains("of `main` cannot be read: compared with the rest of it"), "{run:?}");
}

#[test]
fn a_commit_without_the_file_makes_all_of_it_new() {
    let folder = repository(&[("notes.txt", "")]).with("shop.topo", retried());
    assert_new_inversion(&folder.run("check --since main -f concise"));
}

#[test]
fn a_reference_is_never_an_option() {
    let folder = repository(&[("shop.topo", SHOP)]);
    assert_refused(&folder.run("check --since=--upload-pack=touch"), &["`--upload-pack=touch` is no name of a commit"]);
    assert_refused(&folder.run("check --since --upload-pack=x"), &["--upload-pack"]);
    assert_refused(&folder.run("check --since="), &["is no name of a commit"]);
    assert_refused(&folder.run("check --since main..HEAD"), &["is a range", "name one commit"]);
}

#[test]
fn a_reference_that_is_not_there_is_2_with_the_way_out() {
    let folder = repository(&[("shop.topo", SHOP)]);
    assert_refused(&folder.run("check --since nowhere"), &["there is no commit `nowhere`", "git branch --all"]);
    git(&folder.path(""), &["remote", "add", "origin", "../elsewhere"]);
    assert_refused(&folder.run("check --since nowhere"), &["`git fetch origin nowhere:nowhere`"]);
    let tracked = "`git fetch origin +refs/heads/main:refs/remotes/origin/main`";
    assert_refused(&folder.run("check --since origin/main"), &[tracked]);
    assert_refused(&folder.run("check --since a'b$(x)"), &[r"`git fetch origin 'a'\''b$(x):a'\''b$(x)'`"]);
}

#[test]
fn a_repository_without_commits_is_2() {
    let folder = Folder::new().with("shop.topo", SHOP);
    fs::remove_dir(folder.path(".git")).expect("the folder that stands for a repository");
    git(&folder.path(""), &["init", "-q", "-b", "main"]);
    assert_refused(&folder.run("check --since main"), &["has no commit yet", "commit first"]);
}

#[test]
fn no_repository_is_2() {
    let folder = Folder::new().with("shop.topo", SHOP);
    fs::remove_dir(folder.path(".git")).expect("the folder that stands for a repository");
    let run = Run::of(folder.command("check --since main").env("GIT_CEILING_DIRECTORIES", folder.path("..")));
    assert_refused(&run, &["lies in no git repository", "--against FOLDER"]);
}

#[cfg(unix)]
#[test]
fn a_pattern_finds_in_a_commit_what_it_finds_here() {
    let text = "include \"linked/*.topo\"\ninclude \"deep/*/*.topo\"\nclient web\nweb -> a { timeout 1s }\n";
    let files = [
        ("shop.topo", text),
        ("parts/a.topo", "service a { operation x { -> b.y { timeout none } } }\n"),
        ("parts/b/too-deep.topo", "service a\n"),
        ("deep/er/b.topo", "service b { operation y }\n"),
        ("deep/er/est/too-deep.topo", "service b\n"),
    ];
    let folder = repository(&files).with_link("linked", "parts").with_link("deep/away", "../parts");
    commit(&folder);
    let folder = folder.with("shop.topo", text.replace("1s", "2s"));
    let run = folder.run("check shop.topo --since main -f concise");
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (Some(0), "", ""), "{run:?}");
}

#[cfg(unix)]
#[test]
fn long_links_in_a_commit_are_not_followed() {
    let text = "include \"alias-*.topo\"\nclient web\nweb -> shop { timeout 1s }\n";
    let folder = repository(&[("shop.topo", text)]);
    let target = folder.path("target");
    fs::write(&target, "./".repeat(1_000_000)).expect("a file");
    let root = folder.path("");
    let object = git(&root, &["hash-object", "-w", "target"]);
    let links: Vec<String> = (0..500).map(|at| format!("120000,{},alias-{at}.topo", object.trim())).collect();
    let add = ["update-index", "--add"].into_iter();
    git(&root, &add.chain(links.iter().flat_map(|link| ["--cacheinfo", link])).collect::<Vec<_>>());
    git(&root, &["commit", "-qm", "linked"]);
    fs::remove_file(target).expect("the file");
    let folder = folder.with("alias-0.topo", "service shop\n");
    let run = folder.run("check shop.topo --since main -f concise");
    assert_eq!((run.code, run.out.as_str()), (Some(0), ""), "{run:?}");
}

#[test]
fn a_commit_that_lists_more_files_than_there_are_objects_is_refused() {
    let folder = repository(&[("shop.topo", SHOP)]);
    let root = folder.path("");
    let mut object = git(&root, &["rev-parse", "HEAD:shop.topo"]).trim().to_owned();
    for level in 0..9 {
        let (kind, mode) = if level == 0 { ("blob", "100644") } else { ("tree", "040000") };
        let list: Vec<String> = (0..10).map(|at| format!("{mode} {kind} {object}\ta{at}\n")).collect();
        fs::write(folder.path("list"), list.concat()).expect("a file");
        let mut make = std::process::Command::new("git");
        make.args(["mktree"]).current_dir(&root).stdin(fs::File::open(folder.path("list")).expect("a list"));
        object = String::from_utf8(make.output().expect("git").stdout).expect("a name").trim().to_owned();
    }
    let bomb = git(&root, &["commit-tree", "-p", "HEAD", "-m", "many", &object]);
    git(&root, &["reset", "-q", "--soft", bomb.trim()]);
    let run = folder.run("check shop.topo --since HEAD --max-files 2000");
    assert_refused(&run, &["there are more than 10000 files below", "raise `--max-files`"]);
}

#[test]
fn an_object_that_is_cut_off_is_not_taken_for_all_of_it() {
    let folder = repository(&[("shop.topo", &retried())]);
    let root = folder.path("");
    let name = git(&root, &["rev-parse", "HEAD:shop.topo"]);
    let object = folder.path(&format!(".git/objects/{}/{}", &name[..2], name[2..].trim()));
    let bytes = fs::read(&object).expect("an object");
    fs::remove_file(&object).expect("an object that may be replaced");
    fs::write(&object, &bytes[..bytes.len() / 2]).expect("half of it");
    let run = folder.with("shop.topo", SHOP).run("check --since main -f concise");
    assert!(run.err.contains("shop.topo` cannot be read") && run.err.contains("left out"), "{run:?}");
}

#[test]
fn a_folder_with_a_name_that_means_something_to_git_is_a_folder() {
    // The project is what has a `.git`, whatever it is worth; git looks for a better one.
    let folder = repository(&[(":x/shop.topo", &retried())]).with(":x/.git/empty", "");
    let run = Run::of(folder.command("check --since main -f concise").current_dir(folder.path(":x")));
    assert_eq!((run.out.as_str(), run.err.as_str()), ("", ""), "{run:?}");
}

#[cfg(unix)]
#[test]
fn no_program_of_the_project_is_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = repository(&[
        ("shop.topo", SHOP),
        ("git", "#!/bin/sh\ntouch was-run\n"),
        ("dot", "#!/bin/sh\ntouch was-run\n"),
    ]);
    for name in ["git", "dot"] {
        fs::set_permissions(folder.path(name), fs::Permissions::from_mode(0o755)).expect("a program");
    }
    for arguments in ["check --since main", "render shop.topo --engine dot -f svg"] {
        for path in [".", ""] {
            let run = Run::of(folder.command(arguments).env("PATH", path));
            assert_refused(&run, &["there is no `"]);
        }
    }
    assert!(!folder.path("was-run").exists());
}

#[test]
fn no_git_is_2() {
    let folder = repository(&[("shop.topo", SHOP)]);
    let run = Run::of(folder.command("check --since main").env("PATH", folder.path("nowhere")));
    assert_refused(&run, &["there is no `git` to run", "install git"]);
}

#[cfg(unix)]
#[test]
fn who_says_nothing_of_paths_has_git_where_the_system_has_it() {
    if !["/usr/bin/git", "/bin/git"].iter().any(|place| std::path::Path::new(place).exists()) {
        return;
    }
    let folder = repository(&[("shop.topo", SHOP)]);
    let run = Run::of(folder.command("check --since main").env_remove("PATH"));
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[test]
fn a_shallow_clone_names_the_command_that_helps_and_it_does() {
    let folder = repository(&[("shop.topo", SHOP)]);
    git(&folder.path(""), &["checkout", "-q", "-b", "mine"]);
    let folder = folder.with("shop.topo", retried());
    commit(&folder);
    let source = format!("file://{}", folder.path("").display());
    git(&folder.path(".."), &["clone", "-q", "--depth=1", "--branch=mine", &source, "clone"]);
    let clone = folder.path("../clone");
    for reference in ["main", "origin/main"] {
        let check = format!("check --since {reference} -f concise");
        let run = || Run::of(folder.command(&check).current_dir(&clone));
        let refused = run();
        assert_refused(&refused, &["in this shallow clone", "`git fetch --unshallow origin"]);
        let command = refused.err.split('`').nth(3).expect("a command");
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        git(&clone, &words);
        assert_new_inversion(&run());
        git(&clone, &["fetch", "-q", "--depth=1", "origin", "mine"]);
        git(&clone, &["update-ref", "-d", "refs/heads/main"]);
        git(&clone, &["update-ref", "-d", "refs/remotes/origin/main"]);
    }
}

#[test]
fn a_shallow_clone_that_does_not_reach_back_is_2() {
    let folder = repository(&[("shop.topo", SHOP)]);
    git(&folder.path(""), &["checkout", "-q", "-b", "mine"]);
    let folder = folder.with("shop.topo", retried());
    commit(&folder);
    commit(&folder);
    let source = format!("file://{}", folder.path("").display());
    git(&folder.path(".."), &["clone", "-q", "--depth=1", "--branch=mine", &source, "clone"]);
    let clone = folder.path("../clone");
    git(&clone, &["fetch", "-q", "--depth=1", "origin", "main:main"]);
    let run = Run::of(folder.command("check --since main").current_dir(&clone));
    assert_refused(&run, &["does not reach back", "`git fetch --unshallow`"]);
}

#[cfg(unix)]
#[test]
fn nothing_that_a_repository_brings_along_is_run() {
    let folder = repository(&[("shop.topo", SHOP), (".gitattributes", "*.topo diff=evil filter=evil\n")]);
    let mark = folder.path("../ran");
    let evil = format!("touch '{}'", mark.display());
    let settings = ["core.fsmonitor", "core.pager", "diff.evil.textconv", "filter.evil.smudge", "filter.evil.clean"];
    for name in settings.into_iter().chain(["core.sshCommand", "core.editor", "alias.ls-tree", "alias.cat-file"]) {
        let value = if name.starts_with("alias") { format!("!{evil}") } else { evil.clone() };
        git(&folder.path(""), &["config", name, &value]);
    }
    for hook in ["post-checkout", "post-index-change", "reference-transaction", "pre-commit"] {
        let folder = folder.path(".git/hooks");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(hook), format!("#!/bin/sh\n{evil}\n")).expect("a hook");
    }
    fs::write(folder.path("shop.topo"), retried()).expect("a file");
    assert_new_inversion(&folder.run("check --since main -f concise"));
    assert!(!mark.exists(), "something was run");
}

#[test]
fn a_file_above_the_largest_size_is_left_out_of_the_base() {
    let long = format!("{SHOP}\n# {}\n", "x".repeat(5_000));
    let folder = repository(&[("shop.topo", &long)]).with("shop.topo", retried());
    let run = folder.run("check --since main -f concise --max-file-size 2000");
    assert_new_inversion(&run);
    assert!(run.err.contains("more than the limit of 2000: left out"), "{run:?}");
}

#[test]
fn what_is_ignored_here_is_not_looked_at_there() {
    let folder = repository(&[("shop.topo", SHOP), ("old.topo", &retried())]).with(".gitignore", "old.topo\n");
    let run = folder.run("check --since main -f concise");
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (Some(0), "", ""), "{run:?}");
}

fn whole(folder: &Folder, format: &str) -> Run {
    folder.run(&format!("diff --against main -f {format}"))
}

#[test]
fn diff_shows_edits_numbers_and_findings() {
    let folder = repository(&[("shop.topo", SHOP)]).with("shop.topo", retried());
    let run = whole(&folder, "human");
    assert_eq!(run.code, Some(1), "{run:?}");
    let text = run.flat();
    for phrase in [
        "~ `stock.reserve -> stock-db.read`: `retries 3` added",
        "`gateway.checkout` worst case 330 ms → 1.38 s, proved p99 330 ms → 1.38 s",
        "amplification on `stock-db.read` 1× → 4×",
        "error[timeout-inversion]: `web` gives up on `gateway.checkout`",
        "from: new, and the nearest change is: `stock.reserve -> stock-db.read`",
        "1 new (1 error), 0 worse, 0 fixed, 0 old (compared with `main`)",
    ] {
        assert!(text.contains(phrase), "no {phrase:?} in\n{text}");
    }
}

#[test]
fn the_reverse_is_fixed_and_0() {
    let folder = repository(&[("shop.topo", &retried())]).with("shop.topo", SHOP);
    let run = whole(&folder, "human");
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.flat().contains("fixed: error[timeout-inversion] `web` gives up"), "{run:?}");
    assert!(run.flat().contains("`gateway.checkout` worst case 1.38 s → 330 ms"), "{run:?}");
    assert!(run.flat().contains("0 new, 0 worse, 1 fixed, 0 old"), "{run:?}");
}

#[test]
fn diff_fails_on_what_is_new_unless_told_otherwise() {
    let folder = repository(&[("shop.topo", &retried())]);
    let code = |more: &str| folder.run(&format!("diff --against main {more}")).code;
    assert_eq!((code(""), code("--fail-on new:info"), code("--fail-on error")), (Some(0), Some(0), Some(1)));
    let folder = folder
        .with("shop.topo", retried().replace("timeout 1s }", "timeout 1s; allow timeout-inversion \"so be it\" }"));
    let code = |more: &str| folder.run(&format!("diff --against main {more}")).code;
    assert_eq!((code(""), code("--fail-on new:warn"), code("--fail-on never")), (Some(0), Some(1), Some(0)));
    assert_eq!(folder.run("check --since main --fail-on new:warn").code, Some(1));
}

#[test]
fn the_json_of_diff_is_what_its_schema_says() {
    let text = fs::read_to_string("grammar/diff-v1.schema.json").expect("a schema");
    let schema = jsonschema::validator_for(&serde_json::from_str(&text).expect("JSON")).expect("a sound schema");
    let changed =
        retried().replace("store stock-db", "store stock-db\nservice fraud\nstock.reserve -> fraud { timeout 9ms }");
    for (before, after) in [(SHOP, changed.as_str()), (changed.as_str(), SHOP), (SHOP, SHOP), (SHOP, "client a")] {
        let folder = repository(&[("shop.topo", before)]).with("shop.topo", after);
        let run = whole(&folder, "json");
        let value: serde_json::Value = serde_json::from_str(&run.out).expect("JSON");
        let errors: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(errors, [] as [String; 0], "{run:?}");
        assert_eq!(value["base"], "main");
    }
}

#[test]
fn a_folder_can_be_compared_with() {
    let folder = repository(&[("shop.topo", SHOP), ("old/shop.topo", SHOP)]).with("../before/shop.topo", SHOP);
    let folder = folder.with("shop.topo", retried());
    for against in ["../before", "./old", "old"] {
        let run = folder.run(&format!("diff shop.topo --against {against} --color never"));
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(run.out.contains("1 new (1 error), 0 worse"), "{run:?}");
    }
    git(&folder.path(""), &["branch", "old"]);
    assert_refused(&folder.run("diff --against old"), &["`old` is a commit and a folder as well", "`./old`"]);
    assert_refused(&folder.run("diff --against nowhere"), &["there is no commit `nowhere`"]);
}

#[test]
fn without_a_repository_a_folder_can_be_compared_with() {
    let folder = Folder::new().with("a/shop.topo", SHOP).with("b/shop.topo", retried());
    fs::remove_dir(folder.path(".git")).expect("the folder that stands for a repository");
    let mut command = folder.command("diff b --against a");
    let run = Run::of(command.env("GIT_CEILING_DIRECTORIES", folder.path("..")));
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.out.contains("1 new (1 error)"), "{run:?}");
}

#[test]
fn the_comment_starts_with_its_marker_and_the_numbers_and_folds_the_rest() {
    let folder = repository(&[("shop.topo", SHOP)]);
    let folder = folder.with(
        "shop.topo",
        retried().replace("store stock-db", "store stock-db\nservice fraud\nstock.reserve -> fraud { timeout 9ms }"),
    );
    let run = whole(&folder, "markdown");
    let text = &run.out;
    assert!(text.starts_with("<!-- topolint:diff -->\n### topolint: 2 new (1 error, 1 warning), 0 worse"), "{run:?}");
    let order = [
        "worst case 330 ms → 1.389 s",
        "```mermaid\nflowchart LR\n",
        "<summary>New (2)</summary>",
        "<summary>What was changed",
    ];
    let places: Vec<usize> =
        order.iter().map(|part| text.find(part).unwrap_or_else(|| panic!("no {part} in {text}"))).collect();
    assert!(places.is_sorted(), "{text}");
    assert!(text.contains(r#"(["NEW fraud<br>service"])"#) && text.contains(r#"==>|"NEW"|"#), "{text}");
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
}

#[test]
fn nothing_in_a_diagram_is_obeyed_by_a_comment() {
    let name = r#""@everyone </details><script>alert(1)</script> [x](javascript:y) `z` | # <!-- """#;
    let changed = format!(
        "{SHOP}\ngroup g {name} {{ service x {{ allow missing-timeout {name} }} }}\nweb -> x {name} {{ alert {name}; fallback {name} }}\n"
    );
    let folder = repository(&[("shop.topo", SHOP)]).with("shop.topo", &changed);
    let text = whole(&folder, "markdown").out;
    let body = text.strip_prefix("<!-- topolint:diff -->").expect("the marker");
    for harm in ["@everyone", "<script", "](java", "<!--"] {
        assert!(!body.contains(harm), "{harm} in\n{body}");
    }
    assert_eq!(body.matches("<details>").count(), body.matches("</details>").count(), "{body}");
}

#[test]
fn a_comment_fits_whatever_was_changed() {
    let service = |index: usize| {
        format!("service s{index}\nservice s{index} -> db-{index} {{ }}\nweb -> s{index} \"{}\"\n", "x".repeat(50))
    };
    let shop: String = (0..600).map(service).collect();
    let folder = repository(&[("shop.topo", SHOP)]).with(
        "shop.topo",
        format!("{SHOP}{}", shop.replace("service s", "service s-").replace("service s--", "service s-")),
    );
    let run = whole(&folder, "markdown");
    assert!(run.out.chars().count() < 65_536, "{} characters", run.out.chars().count());
    assert!(run.out.contains("more that do not fit here"), "{}", run.out.len());
    assert_eq!(run.out.matches("<details>").count(), run.out.matches("</details>").count());
    assert_eq!(run.out.matches("```").count() % 2, 0);
}

#[test]
fn every_relaxation_in_the_repository_is_said() {
    let folder = repository(&[("shop.topo", SHOP), ("topolint.yaml", "levels: { timeout-inversion: error }\n")]);
    let folder = folder.with("topolint.yaml", "levels: { timeout-inversion: off }\n").with("shop.topo", retried());
    let run = folder.run("check --since main -f concise");
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.out.contains("warn[relaxed-gate]") && run.out.contains("timeout-inversion"), "{run:?}");
    let broken = repository(&[("shop.topo", SHOP), ("topolint.yaml", "levels: [\n")]).with("topolint.yaml", "");
    let run = broken.run("check --since main -f concise");
    assert_eq!((run.code, run.out.as_str()), (Some(0), ""), "{run:?}");
    assert!(run.err.contains("cannot be read: its rules are not compared"), "{run:?}");
}
