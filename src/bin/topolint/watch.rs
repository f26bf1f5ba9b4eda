//! Doing something anew whenever a file is saved that it was made of.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::output::{self, Stop};

/// How often we look.
const PAUSE: Duration = Duration::from_millis(200);

/// When a file was saved, and how large it is; none while it is not there.
type Stamp = Option<(SystemTime, u64)>;

/// Does it until somebody ends us. What it is made of is told even where it fails.
pub(crate) fn run(mut make: impl FnMut() -> (Vec<PathBuf>, Result<(), Stop>)) -> Result<u8, Stop> {
    loop {
        let begun = SystemTime::now();
        let (files, made) = make();
        match made {
            Ok(()) => {}
            Err(Stop::Refused(message)) => {
                let _ = writeln!(std::io::stderr(), "{}", message.trim_end());
            }
            Err(closed) => return Err(closed),
        }
        let stamps: Vec<Stamp> = files.iter().map(|path| stamp(path)).collect();
        let saved_meanwhile = |stamp: &Stamp| stamp.is_some_and(|(saved, _)| saved >= begun);
        if stamps.iter().any(saved_meanwhile) {
            thread::sleep(PAUSE);
        } else {
            let changed = wait(&files, &stamps);
            output::notice(&format!("`{}` was saved", output::path(changed)));
        }
    }
}

/// The first file that is not any more as it was.
fn wait<'f>(files: &'f [PathBuf], stamps: &[Stamp]) -> &'f Path {
    loop {
        thread::sleep(PAUSE);
        if let Some((path, _)) = files.iter().zip(stamps).find(|(path, known)| stamp(path) != **known) {
            return path;
        }
    }
}

fn stamp(path: &Path) -> Stamp {
    let about = fs::metadata(path).ok()?;
    Some((about.modified().ok()?, about.len()))
}
