//! What a test needs besides the program.

use std::process::{Command, Stdio};

/// Whether these programs are installed. `.ci/run` installs them and sets `TOOLS_ARE_THERE`: then a missing one is a
/// failure, elsewhere the test says that it is left out.
pub fn are_there(names: &[&str]) -> bool {
    let is_missing = |name: &&&str| {
        let found = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        found.is_err()
    };
    let missing: Vec<&&str> = names.iter().filter(is_missing).collect();
    if missing.is_empty() {
        return true;
    }
    assert!(std::env::var_os("TOOLS_ARE_THERE").is_none(), "{missing:?} should be installed");
    eprintln!("left out: it needs {missing:?}");
    false
}
