//! Programs that are installed, and what they say, bounded.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where programs lie for those who say nothing about it.
const PATH: &str = "/usr/bin:/bin";

/// Runs an installed program, found as the system finds it, but never in the folder that we are in: a relative folder
/// in `PATH` would run what a project brings along.
///
/// # Errors
/// `NotFound`, if it is not installed.
pub(crate) fn command(name: &str) -> io::Result<Command> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let folders = std::env::var_os("PATH").unwrap_or_else(|| PATH.into());
    let mut places = std::env::split_paths(&folders).filter(|folder| folder.is_absolute()).map(|at| at.join(&file));
    let found: Option<PathBuf> = places.find(|place| is_program(place));
    found.map(Command::new).ok_or_else(|| io::ErrorKind::NotFound.into())
}

#[cfg(unix)]
fn is_program(place: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    place.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(place: &Path) -> bool {
    place.is_file()
}

/// What a stream says, and one byte more than is wanted at most; the rest is read and dropped.
pub(crate) fn said(mut stream: impl io::Read, most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = stream.by_ref().take(most.saturating_add(1)).read_to_end(&mut bytes);
    let _ = io::copy(&mut stream, &mut io::sink());
    bytes
}
