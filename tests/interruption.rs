//! What happens to files and streams when the world does not keep still: a run that is killed leaves the old file or the
//! new one, and what cannot be read or written ends in code 2 and a sentence.

#![cfg(unix)]
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may stop")]

mod program;

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use program::{Folder, SURROUNDINGS, assert_refused};

/// Some hundred findings, so that every file takes a while to write.
fn folder() -> Folder {
    let calls = |at: usize| format!("service s{at}\nweb -> s{at} {{ timeout none }}\n");
    Folder::of((0..150).map(calls).fold("client web\n".to_owned(), |text, call| text + &call))
}

/// Kills runs at moments all over their length: the file holds what it held, or all of what the run writes.
#[track_caller]
fn survives_being_killed(arguments: &str, file: &str) {
    let folder = folder();
    assert_ne!(folder.run(arguments).code, Some(2), "{arguments}");
    let new = fs::read(folder.path(file)).expect("a new file");
    let start = Instant::now();
    folder.run(arguments);
    let whole = start.elapsed();
    let mut states = [0, 0];
    for moment in 0..12 {
        fs::write(folder.path(file), "the old file\n").expect("an old file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_topolint"));
        command.current_dir(folder.path("")).args(arguments.split_whitespace());
        for name in SURROUNDINGS {
            command.env_remove(name);
        }
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a run");
        std::thread::sleep(whole * moment / 10);
        let _ = child.kill();
        child.wait().expect("its end");
        let found = fs::read(folder.path(file)).expect("a file is there at any time");
        let is_old = found == b"the old file\n";
        assert!(is_old || found == new, "{arguments}: killed at moment {moment}, the file has {} bytes", found.len());
        states[usize::from(is_old)] += 1;
    }
    assert!(states[1] > 0, "{arguments}: none was killed before it wrote");
    assert_eq!(fs::read(folder.path("a.topo")).expect("the text").len(), folder_text_length(), "what is checked stays");
}

fn folder_text_length() -> usize {
    fs::read(folder().path("a.topo")).expect("the text").len()
}

#[test]
fn a_killed_run_leaves_the_old_baseline_or_the_new_one() {
    survives_being_killed("baseline create a.topo --force --baseline known.yaml", "known.yaml");
}

#[test]
fn a_killed_run_leaves_the_old_report_or_the_new_one() {
    survives_being_killed("check a.topo --report sarif=found.sarif", "found.sarif");
}

#[test]
fn a_killed_run_leaves_the_old_picture_or_the_new_one() {
    survives_being_killed("render a.topo -o a.json", "a.json");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_2_and_a_sentence() {
    let folder = folder();
    let words = ["error: cannot write", "no space left on device"];
    for arguments in ["check a.topo -f json", "check a.topo -f human", "reference", "facts a.topo", "render a.topo"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_topolint"));
        command.current_dir(folder.path("")).args(arguments.split_whitespace());
        let full = fs::File::options().write(true).open("/dev/full").expect("a full device");
        let output = command.stdout(full).stderr(Stdio::piped()).output().expect("a run");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && words.iter().all(|word| said.contains(word)), "{arguments}: {said}");
    }
    for arguments in [
        "check a.topo --report json=/dev/full",
        "render a.topo -o /dev/full -f svg",
        "baseline create a.topo --force --baseline /dev/full",
    ] {
        assert_refused(&folder.run(arguments), &["error: cannot write `/dev/full`: no space left on device"]);
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_is_2_and_a_sentence() {
    // Long enough to be caught in the middle, and soon parsed.
    let folder = Folder::of("# nothing\n".repeat(2_000_000));
    let ended = AtomicBool::new(false);
    let path = folder.path("a.topo");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = fs::File::options().append(true).open(&path).expect("the file");
            while !ended.load(Ordering::Relaxed) {
                file.write_all(b"#\n").expect("room");
                std::thread::sleep(Duration::from_micros(50));
            }
        });
        let caught = (0..100).map(|_| folder.run("check a.topo")).find(|run| run.code != Some(0));
        ended.store(true, Ordering::Relaxed);
        let run = caught.expect("a run that was caught in the middle");
        assert_refused(&run, &["`a.topo` cannot be read: it changed while it was read; run again"]);
    });
}

#[test]
fn what_nobody_can_be_told_changes_no_result() {
    let folder = Folder::of("service a\n").with("topolint.yaml", "exclude: [gone]\n");
    for (arguments, code) in [("check a.topo", 0), ("check missing.topo", 2), ("check --nothing", 2)] {
        let said = folder.run(arguments);
        assert!(said.code == Some(code) && !said.err.is_empty(), "{said:?}");
        let full = fs::File::options().write(true).open("/dev/full").expect("a full device");
        let mut command = Command::new(env!("CARGO_BIN_EXE_topolint"));
        command.current_dir(folder.path("")).args(arguments.split_whitespace());
        let silent = command.stdout(Stdio::null()).stderr(full).status().expect("a run");
        assert_eq!(silent.code(), Some(code), "{arguments}");
    }
}

#[test]
fn links_that_lead_in_a_circle_are_2_and_a_sentence() {
    let folder = Folder::new().with_link("a.topo", "b.topo").with_link("b.topo", "a.topo");
    for arguments in ["check a.topo", "facts a.topo", "check . -c a.topo"] {
        assert_refused(&folder.run(arguments), &["too many levels of symbolic links"]);
    }
    let folder = Folder::of("service a\n").with("sub/b.topo", "service b\n").with_link("sub/again", "..");
    let run = folder.run("check . -f concise");
    assert_eq!((run.code, run.out.lines().count()), (Some(0), 2), "a folder that holds itself is walked once: {run:?}");
    let folder =
        Folder::of("include \"sub/**/*.topo\"\n").with("sub/b.topo", "service b\n").with_link("sub/again", "..");
    assert_eq!(folder.run("check a.topo -f concise").code, Some(0));
}

#[test]
fn a_file_that_nobody_may_read_is_2_and_a_sentence() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::of("service a\n").with("b.topo", "include \"a.topo\"\n");
    fs::set_permissions(folder.path("a.topo"), fs::Permissions::from_mode(0o000)).expect("our file");
    // Whoever may do everything reads it all the same.
    if fs::read(folder.path("a.topo")).is_err() {
        assert_refused(&folder.run("check a.topo"), &["`a.topo` cannot be read: permission denied"]);
    }
}
