//! Real repositories, made with git.

use std::fs;
use std::path::Path;

use super::Folder;

/// Runs git as a person would, and as no configuration of this machine can change.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = std::process::Command::new("git");
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(name);
    }
    let author = ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"];
    command.envs(author.map(|name| (name, "somebody@example.org")));
    command.envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")]);
    let output = command.current_dir(folder).args(["-c", "protocol.file.allow=always"]).args(arguments).output();
    let output = output.expect("git runs");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A repository whose branch `main` has these files.
pub fn repository(files: &[(&str, &str)]) -> Folder {
    let folder = Folder::new();
    fs::remove_dir(folder.path(".git")).expect("the folder that stands for a repository");
    git(&folder.path(""), &["init", "-q", "-b", "main"]);
    let folder = files.iter().fold(folder, |folder, (path, text)| folder.with(path, text));
    commit(&folder);
    folder
}

pub fn commit(folder: &Folder) {
    git(&folder.path(""), &["add", "-A"]);
    git(&folder.path(""), &["commit", "-q", "--allow-empty", "-m", "a change"]);
}
