//! Doing something anew whenever a file is saved that it was made of.

use std::collections::BTreeMap;
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

/// Does it until somebody ends us. What it is made of is told even where it fails; what it was made of once and is gone
/// may come back.
pub(crate) fn run(mut make: impl FnMut() -> (Vec<PathBuf>, Result<(), Stop>)) -> Result<u8, Stop> {
    let mut known: BTreeMap<PathBuf, Stamp> = BTreeMap::new();
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
        let files = known.keys().cloned().chain(files);
        let stamps: BTreeMap<PathBuf, Stamp> = files.map(|path| (path.clone(), stamp(&path))).collect();
        // Of what was as it is when this began nothing was missed, whatever day it says.
        let saved_meanwhile = |(path, stamp): (&PathBuf, &Stamp)| {
            stamp.is_some_and(|(saved, _)| saved >= begun) && known.get(path) != Some(stamp)
        };
        let again = stamps.iter().any(saved_meanwhile);
        known = stamps;
        if again {
            thread::sleep(PAUSE);
        } else {
            let changed = wait(&known);
            output::notice(&format!("`{}` was saved", output::path(changed)));
        }
    }
}

/// The first file that is not any more as it was.
fn wait(known: &BTreeMap<PathBuf, Stamp>) -> &Path {
    loop {
        thread::sleep(PAUSE);
        if let Some((path, _)) = known.iter().find(|(path, known)| stamp(path) != **known) {
            return path;
        }
    }
}

fn stamp(path: &Path) -> Stamp {
    let about = fs::metadata(path).ok()?;
    Some((about.modified().ok()?, about.len()))
}
