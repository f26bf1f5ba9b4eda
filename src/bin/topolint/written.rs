//! Files that are written whole or not at all: beside their place first, and moved there when all of them are complete.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use topolint::source::SourceMap;

use crate::files::{Folder, reason};
use crate::output::{self, Stop};

/// Writes several files, over none of what they are made of, and through no link that a project brings along to lead
/// out of it. If one of them cannot be written, none is.
pub(crate) fn all<T>(
    files: &[(T, PathBuf)],
    project: &Folder,
    made_of: &SourceMap,
    write: impl Fn(&T, &mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), Stop> {
    let mut places = Vec::new();
    for (_, path) in files {
        let place = place(path)?;
        if is_one_of(&place, made_of) {
            return Err(replaces(path));
        }
        if project.is_left_by(path) {
            return Err(refused(path, "a link on the way leaves the project", "name the place that it leads to"));
        }
        if places.contains(&place) {
            let help = "give each report a file of its own";
            return Err(format!("error: `{}` is named twice\n  help: {help}", output::path(path)).into());
        }
        places.push(place);
    }
    let mut drafts = Vec::new();
    for (number, ((what, path), place)) in files.iter().zip(places).enumerate() {
        let draft = Draft::beside(place, number).and_then(|draft| draft.filled(|out| write(what, out)));
        drafts.push(draft.map_err(|error| refusal(path, &error))?);
    }
    for (draft, (_, path)) in drafts.into_iter().zip(files) {
        draft.keep().map_err(|error| refusal(path, &error))?;
    }
    Ok(())
}

/// Writes a text of ours beside what is checked, never over it. A link is replaced, not followed.
pub(crate) fn beside(path: &Path, text: &str) -> Result<(), Stop> {
    place(path)?;
    one(path, text)
}

/// Writes a text of ours. A link is replaced, not followed.
pub(crate) fn one(path: &Path, text: &str) -> Result<(), Stop> {
    let draft = Draft::beside(path.to_path_buf(), 0);
    let draft = draft.and_then(|draft| draft.filled(|out| out.write_all(text.as_bytes())));
    draft.and_then(Draft::keep).map_err(|error| refusal(path, &error).into())
}

fn refusal(path: &Path, error: &io::Error) -> String {
    format!("error: cannot write `{}`: {}", output::path(path), reason(error))
}

fn refused(path: &Path, why: &str, help: &str) -> Stop {
    Stop::Refused(format!("error: cannot write `{}`: {why}\n  help: {help}", output::path(path)))
}

fn replaces(path: &Path) -> Stop {
    refused(path, "it would replace what is checked", "give it another name")
}

/// Whether a file is one of those that were read, under whatever name.
fn is_one_of(place: &Path, read: &SourceMap) -> bool {
    // Only a name that may be the same is looked up.
    let named = |name: &str| Path::new(name).file_name() == place.file_name();
    let mut same = read.iter().filter(|(_, source)| named(&source.name));
    same.any(|(_, source)| fs::canonicalize(&source.name).is_ok_and(|read| read == place))
}

/// Where a file lies, under whatever name it is reached.
fn place(path: &Path) -> Result<PathBuf, Stop> {
    if path.is_dir() {
        return Err(refused(path, "it is a folder", "name a file in it"));
    }
    if is_ours(path) {
        return Err(replaces(path));
    }
    if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return Ok(path.to_path_buf());
    }
    if let Ok(place) = path.canonicalize() {
        return if is_ours(&place) { Err(replaces(path)) } else { Ok(place) };
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => Ok(folder.join(name)),
        _ => Err(refused(path, "its folder does not exist", "make the folder first")),
    }
}

/// Whether it is a file that we read, by its name.
fn is_ours(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "topo") || path.ends_with("topolint.yaml")
}

/// A file on its way.
struct Draft {
    /// Where it is written; none once it is at its place.
    beside: Option<PathBuf>,
    place: PathBuf,
    file: File,
}

impl Draft {
    /// What is no plain file, such as a pipe, is written in place: there is nothing to keep.
    fn beside(place: PathBuf, number: usize) -> io::Result<Self> {
        if fs::metadata(&place).is_ok_and(|there| !there.is_file()) {
            let file = File::options().write(true).open(&place)?;
            return Ok(Self { beside: None, place, file });
        }
        let (beside, file) = Self::free(&place, number)?;
        Ok(Self { beside: Some(beside), place, file })
    }

    /// A new file. What a run that was killed has left behind is passed: in a container numbers of processes return.
    fn free(place: &Path, number: usize) -> io::Result<(PathBuf, File)> {
        let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
        for attempt in 0..100 {
            let name = format!(".topolint-{}-{number}-{attempt}.tmp", std::process::id());
            let beside = place.with_file_name(name);
            match File::options().write(true).create_new(true).open(&beside) {
                Ok(file) => return Ok((beside, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    fn filled(self, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<Self> {
        let mut out = BufWriter::new(self.file.try_clone()?);
        write(&mut out)?;
        out.flush()?;
        Ok(self)
    }

    /// Moves it to its place, with the permissions of what was there. It is on the disk before it has its name, so that
    /// whoever looks, whenever we are killed, finds all of the old file or all of the new one.
    fn keep(mut self) -> io::Result<()> {
        let Some(beside) = self.beside.clone() else { return Ok(()) };
        if let Ok(there) = fs::metadata(&self.place) {
            self.file.set_permissions(there.permissions())?;
        }
        self.file.sync_all()?;
        fs::rename(beside, &self.place)?;
        self.beside = None;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            let _ = fs::remove_file(beside);
        }
    }
}
