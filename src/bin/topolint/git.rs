//! The files of a commit, read from the objects of a git repository: the checkout is neither read nor touched. `git` is
//! run as a process, and only such commands of it as run nothing that a repository could bring along: no hooks, no
//! filters, no monitor of files, no pager, no questions, no network.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use topolint::model::{FileError, Files, Limits, is_pattern};

use crate::files::{Looked, matcher};
use crate::output::{self, Stop};
use crate::programs::{self, said};

/// A commit may list so many files for each file that may be read.
const LISTED: usize = 5;

/// All paths together have so many bytes for each file that a commit may list.
const BYTES: usize = 256;

/// No path is longer on any system: a link to more leads nowhere.
const LONGEST_LINK: u64 = 4_096;

/// All links together lead over so many folders and files.
const FOLLOWED: usize = 1_000_000;

/// So much of what git complains about is shown.
const MOST_WORDS: u64 = 4_000;

/// The files below a folder as they were in a commit.
pub(crate) struct Tree {
    folder: PathBuf,
    /// What people call the commit.
    name: String,
    /// The folder in the repository, with `/` at its end.
    prefix: String,
    entries: BTreeMap<String, Entry>,
    objects: Mutex<Option<Objects>>,
    /// Where links lead, by their objects.
    targets: Mutex<HashMap<String, Arc<str>>>,
    looked_at: Looked,
    /// So many folders and files were on the ways of links.
    followed: AtomicUsize,
    limits: Limits,
    /// What people have to know.
    pub(crate) notices: Vec<String>,
}

/// A file in a commit.
struct Entry {
    object: String,
    is_link: bool,
}

impl Tree {
    /// The files of `folder` where the current commit left the history of `reference`.
    pub(crate) fn at(folder: &Path, reference: &str, limits: Limits) -> Result<Self, Stop> {
        let git = Git { folder };
        let prefix = git.prefix()?;
        let commit = git.commit(reference)?;
        let mut notices = Vec::new();
        let base = git.merge_base(&commit, reference)?.unwrap_or_else(|| {
            notices
                .push(format!("`{reference}` shares no history with the checkout: compared with `{reference}` itself"));
            commit.clone()
        });
        let (entries, unreadable) = git.entries(&base, &prefix, limits)?;
        if unreadable > 0 {
            let files = if unreadable == 1 { "file whose name is" } else { "files whose names are" };
            notices.push(format!("`{reference}` has {unreadable} {files} not UTF-8: left out"));
        }
        let name = if base == commit { reference.to_owned() } else { base.chars().take(12).collect() };
        Ok(Self {
            folder: folder.to_path_buf(),
            name,
            prefix: prefix.to_string_lossy().into_owned(),
            entries,
            objects: Mutex::new(None),
            targets: Mutex::default(),
            looked_at: Looked::default(),
            followed: AtomicUsize::new(0),
            limits,
            notices,
        })
    }

    /// What people call the commit.
    pub(crate) fn shown(&self) -> &str {
        &self.name
    }

    /// Whether a file was there.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.entries.contains_key(path)
    }

    /// The `.topo` files that were in a folder and everything below it, but for hidden ones.
    pub(crate) fn below(&self, folder: &str) -> Vec<String> {
        let inside = |path: &&String| {
            let rest = if folder.is_empty() { Some(path.as_str()) } else { path.strip_prefix(folder) };
            rest.is_some_and(|rest| folder.is_empty() || rest.starts_with('/'))
        };
        let visible = |path: &&String| {
            Path::new(path).extension().is_some_and(|ending| ending == "topo")
                && !path.split('/').any(|part| part.starts_with('.'))
        };
        let files = self.entries.iter().filter(|(_, entry)| !entry.is_link).map(|(path, _)| path);
        files.filter(inside).filter(visible).cloned().collect()
    }

    /// The path of a file or folder, through the links on the way.
    fn resolved(&self, path: &str) -> Result<String, FileError> {
        const MOST: usize = 40;
        let mut left: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut at = String::with_capacity(path.len());
        let mut links = 0;
        while let Some(part) = left.pop() {
            let folder = at.len();
            match part.as_str() {
                "" | "." => continue,
                ".." if at.is_empty() => return Err(FileError::Outside),
                ".." => {
                    at.truncate(at.rfind('/').unwrap_or(0));
                    continue;
                }
                _ if at.is_empty() => at.push_str(&part),
                _ => at.extend(["/", &part]),
            }
            let Some(link) = self.entries.get(&at).filter(|entry| entry.is_link) else { continue };
            links += 1;
            if links > MOST {
                return Err(FileError::Unreadable("its links lead in a circle".to_owned()));
            }
            let target = self.target(&link.object)?;
            if target.starts_with('/') {
                return Err(FileError::Outside);
            }
            at.truncate(folder);
            let before = left.len();
            left.extend(target.split('/').rev().map(str::to_owned));
            if self.followed.fetch_add(left.len() - before, Ordering::Relaxed) > FOLLOWED {
                return Err(FileError::Unreadable("there are too many links to follow".to_owned()));
            }
        }
        Ok(at)
    }

    /// Where a link leads.
    fn target(&self, object: &str) -> Result<Arc<str>, FileError> {
        let mut known = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(target) = known.get(object) {
            return Ok(target.clone());
        }
        let bytes = self.object(object, LONGEST_LINK).map_err(|error| match error {
            FileError::TooLarge { .. } => {
                FileError::Unreadable(format!("its link is longer than {LONGEST_LINK} bytes"))
            }
            error => error,
        })?;
        let target: Arc<str> = String::from_utf8_lossy(&bytes).into();
        known.insert(object.to_owned(), target.clone());
        Ok(target)
    }

    fn is_folder(&self, path: &str) -> bool {
        let start = format!("{path}/");
        self.entries.range(start.clone()..).next().is_some_and(|(next, _)| next.starts_with(&start))
    }

    fn object(&self, name: &str, limit: u64) -> Result<Vec<u8>, FileError> {
        // Whoever held it before and panicked has ended the program.
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        if objects.is_none() {
            *objects = Some(Objects::of(&self.folder).map_err(|error| unreadable(&error))?);
        }
        let read = objects.as_mut().map(|objects| objects.read(name, limit));
        read.unwrap_or_else(|| Err(FileError::Unreadable("git does not answer".to_owned())))
    }
}

impl Files for Tree {
    fn limits(&self) -> Limits {
        self.limits
    }

    fn matching(&self, pattern: &str) -> Result<Vec<String>, FileError> {
        if !is_pattern(pattern) {
            let path = self.resolved(pattern)?;
            if self.is_folder(&path) {
                return Err(FileError::Unreadable("it is a folder; include its files with `/*.topo`".to_owned()));
            }
            return Ok(if self.has(&path) { vec![path] } else { Vec::new() });
        }
        let is_match = matcher(pattern)?;
        let folder = pattern.split('/').take_while(|part| !is_pattern(part)).collect::<Vec<_>>().join("/");
        // As on the disk: links lead to the folder, and of what is in it none is followed on the way.
        let Ok(start) = self.resolved(&folder) else { return Ok(Vec::new()) };
        let start = if start.is_empty() { start } else { format!("{start}/") };
        let depth = if pattern.contains("**") {
            usize::MAX
        } else {
            pattern.split('/').count() - folder.split('/').filter(|part| !part.is_empty()).count()
        };
        let mut found = Vec::new();
        let mut next = self.entries.range(start.clone()..).next();
        while let Some((path, entry)) = next {
            let Some(below) = path.strip_prefix(&start) else { break };
            self.looked_at.at_one_more(found.len(), self.limits)?;
            let written = if folder.is_empty() { below.to_owned() } else { format!("{folder}/{below}") };
            if is_match(&written) {
                found.extend(match self.resolved(path) {
                    Err(FileError::Outside) => return Err(FileError::Outside),
                    Err(error) if !entry.is_link => return Err(error),
                    resolved => resolved.ok().filter(|path| self.has(path)),
                });
            }
            // Of a folder deeper than the pattern nothing is looked at.
            let deeper = below.match_indices('/').nth(depth - 1).map(|(at, _)| &path[..start.len() + at]);
            let after = deeper.map_or_else(|| format!("{path}\0"), |folder| format!("{folder}0"));
            next = self.entries.range(after..).next();
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        let path = self.resolved(path)?;
        let entry = self.entries.get(&path);
        let entry = entry.ok_or_else(|| FileError::Unreadable(format!("it is not in `{}`", self.name)))?;
        self.object(&entry.object, self.limits.file_size)
    }

    fn name(&self, path: &str) -> String {
        format!("{}:{}{path}", self.name, self.prefix)
    }
}

/// Hands objects out, one after another.
struct Objects {
    process: Child,
    asked: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Objects {
    fn of(folder: &Path) -> io::Result<Self> {
        let mut process = Git { folder }
            .command(["cat-file", "--batch"])?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let missing = || io::Error::other("git gives no stream");
        let asked = process.stdin.take().ok_or_else(missing)?;
        let answers = BufReader::new(process.stdout.take().ok_or_else(missing)?);
        Ok(Self { process, asked: Some(asked), answers })
    }

    fn read(&mut self, name: &str, limit: u64) -> Result<Vec<u8>, FileError> {
        let mut ask = || -> io::Result<Vec<u8>> {
            let asked = self.asked.as_mut().ok_or_else(|| io::Error::other("git has ended"))?;
            writeln!(asked, "{name}")?;
            asked.flush()?;
            let mut header = Vec::new();
            self.answers.by_ref().take(256).read_until(b'\n', &mut header)?;
            Ok(header)
        };
        let header = String::from_utf8_lossy(&ask().map_err(|error| unreadable(&error))?).into_owned();
        let mut words = header.split_whitespace().skip(1);
        let (Some("blob"), Some(size)) = (words.next(), words.next().and_then(|size| size.parse::<u64>().ok())) else {
            return Err(FileError::Unreadable("its content is not in this clone".to_owned()));
        };
        let mut bytes = Vec::new();
        // What is too large is read past, so that the next answer starts where it is expected; a newline ends each.
        let kept = if size > limit { 0 } else { size };
        let mut rest = self.answers.by_ref().take(size.saturating_add(1));
        let read = rest.by_ref().take(kept).read_to_end(&mut bytes).and_then(|_| io::copy(&mut rest, &mut io::sink()));
        read.map_err(|error| unreadable(&error))?;
        if rest.limit() > 0 {
            return Err(FileError::Unreadable("git hands out only a part of it".to_owned()));
        }
        if size > limit { Err(FileError::TooLarge { size, limit }) } else { Ok(bytes) }
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        drop(self.asked.take());
        let _ = self.process.wait();
    }
}

fn unreadable(error: &io::Error) -> FileError {
    FileError::Unreadable(format!("git does not hand it out: {error}"))
}

/// Runs git in a folder.
struct Git<'a> {
    folder: &'a Path,
}

impl Git<'_> {
    fn command<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> io::Result<Command> {
        let mut command = programs::command("git")?;
        command.current_dir(self.folder).stdin(Stdio::null());
        // Set by hooks for the repository that they run in; the folder says which one is meant.
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_EXTERNAL_DIFF", "GIT_TRACE"] {
            command.env_remove(name);
        }
        command.envs([
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_NO_LAZY_FETCH", "1"),
            // Older ones know no other way to keep what is missing from being fetched.
            ("GIT_ALLOW_PROTOCOL", "none"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_PAGER", "cat"),
            // A folder may be called `:x`.
            ("GIT_LITERAL_PATHSPECS", "1"),
            ("LC_ALL", "C"),
        ]);
        command.args(["--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]).args(arguments);
        Ok(command)
    }

    fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Result<Output, Stop> {
        self.command(arguments).and_then(|mut command| command.output()).map_err(|error| not_run(&error))
    }

    /// What it says, if it says yes.
    fn ask<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Result<Option<String>, Stop> {
        let output = self.run(arguments)?;
        let said = String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned();
        Ok(output.status.success().then_some(said))
    }

    /// Where the folder lies in its repository, with `/` at the end unless it is the root of it.
    fn prefix(&self) -> Result<OsString, Stop> {
        let output = self.run(["rev-parse", "--show-prefix"])?;
        if output.status.success() {
            return Ok(from_bytes(output.stdout.strip_suffix(b"\n").unwrap_or(&output.stdout)));
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let folder = output::path(self.folder);
        let message = if said.contains("dubious ownership") {
            let command = said.lines().map(str::trim).find(|line| line.starts_with("git config"));
            let command = command.unwrap_or("git config --global --add safe.directory FOLDER");
            format!(
                "error: git does not trust the repository around `{folder}`: it belongs to somebody else\n  help: if you do, run `{command}`"
            )
        } else if said.contains("not a git repository") {
            format!(
                "error: `{folder}` lies in no git repository, so there is nothing to compare with\n  help: compare with a folder: `topolint diff --against FOLDER`"
            )
        } else {
            format!("error: git cannot be asked about `{folder}`: {}", first_line(&said))
        };
        Err(clean(&message).into())
    }

    /// The commit that a reference means.
    fn commit(&self, reference: &str) -> Result<String, Stop> {
        if reference.is_empty() || reference.starts_with('-') || reference.contains(char::is_control) {
            let message = format!(
                "error: `{reference}` is no name of a commit\n  help: name a branch, a tag or a commit, such as `origin/main`"
            );
            return Err(clean(&message).into());
        }
        let asked = format!("{reference}^{{commit}}");
        match self.ask(["rev-parse", "--verify", "--quiet", "--end-of-options", &asked])? {
            Some(commit) if !commit.is_empty() && commit.bytes().all(|byte| byte.is_ascii_hexdigit()) => Ok(commit),
            _ => Err(clean(&self.missing(reference)?).into()),
        }
    }

    /// Why there is no such commit, and the way out.
    fn missing(&self, reference: &str) -> Result<String, Stop> {
        let is_empty = self.ask(["rev-parse", "--verify", "--quiet", "HEAD"])?.is_none()
            && self.ask(["for-each-ref", "--count=1"])?.is_none_or(|refs| refs.is_empty());
        if is_empty {
            let help = "commit first; until then there is nothing to compare with";
            return Ok(format!(
                "error: the repository has no commit yet, so there is no `{reference}`\n  help: {help}"
            ));
        }
        if reference.contains("..") {
            let help = "name one commit; it is compared with where the checkout left its history";
            return Ok(format!("error: `{reference}` is a range, not a commit\n  help: {help}"));
        }
        let is_shallow = self.is_shallow()?;
        let help = match self.fetch(reference, is_shallow)? {
            Some(command) => format!("if it is there, fetch it: `{command}`"),
            None => "`git branch --all` and `git log` show what there is".to_owned(),
        };
        let clone = if is_shallow { "this shallow clone" } else { "this repository" };
        Ok(format!("error: there is no commit `{reference}` in {clone}\n  help: {help}"))
    }

    fn is_shallow(&self) -> Result<bool, Stop> {
        Ok(self.ask(["rev-parse", "--is-shallow-repository"])?.is_some_and(|said| said == "true"))
    }

    /// The command that fetches a reference, as it can be pasted; none where there is nothing to fetch from.
    fn fetch(&self, reference: &str, is_shallow: bool) -> Result<Option<String>, Stop> {
        let remotes = self.ask(["remote"])?.unwrap_or_default();
        let named = reference.split_once('/').filter(|(first, _)| remotes.lines().any(|remote| remote == *first));
        let default = remotes.lines().find(|remote| *remote == "origin").or_else(|| remotes.lines().next());
        let Some(remote) = named.map(|(remote, _)| remote).or(default) else { return Ok(None) };
        let command = if is_shallow { "git fetch --unshallow" } else { "git fetch" };
        let is_hash = (7..=64).contains(&reference.len()) && reference.bytes().all(|byte| byte.is_ascii_hexdigit());
        let what = match named {
            _ if reference.contains(['~', '^', '@', ':']) || reference == "HEAD" => {
                return Ok(Some(command.to_owned()));
            }
            Some((_, branch)) => format!("+refs/heads/{branch}:refs/remotes/{reference}"),
            None if is_hash => reference.to_owned(),
            None if reference.starts_with("refs/") => format!("{reference}:{reference}"),
            None => format!("{reference}:{reference}"),
        };
        Ok(Some(format!("{command} {} {}", quoted(remote), quoted(&what))))
    }

    /// Where the checkout left the history of a commit; none if it never was in it. Before the first commit, the commit
    /// itself.
    fn merge_base(&self, commit: &str, reference: &str) -> Result<Option<String>, Stop> {
        if self.ask(["rev-parse", "--verify", "--quiet", "HEAD"])?.is_none() {
            return Ok(Some(commit.to_owned()));
        }
        let found = self.ask(["merge-base", "HEAD", commit])?.filter(|base| !base.is_empty());
        if found.is_none() && self.is_shallow()? {
            let message = format!(
                "error: this shallow clone does not reach back to where the checkout left `{reference}`\n  help: fetch the rest: `git fetch --unshallow`"
            );
            return Err(clean(&message).into());
        }
        Ok(found)
    }

    /// The files below a folder by their path in it, and how many have names that are not UTF-8.
    fn entries(&self, commit: &str, prefix: &OsStr, limits: Limits) -> Result<(BTreeMap<String, Entry>, usize), Stop> {
        let mut listing =
            self.command(["ls-tree", "-r", "-z", "--full-tree", commit]).map_err(|error| not_run(&error))?;
        if !prefix.is_empty() {
            listing.arg("--").arg(prefix);
        }
        let mut listing =
            listing.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|error| not_run(&error))?;
        let complaining = listing.stderr.take().map(|out| thread::spawn(move || said(out, MOST_WORDS)));
        let read = listing.stdout.take().map(|out| Listing::read(BufReader::new(out), prefix, limits));
        let Some(read) = read.unwrap_or_default() else {
            // Few objects may list more files than there is room for.
            let _ = listing.kill();
            let _ = listing.wait();
            let most = limits.files.saturating_mul(LISTED);
            let folder = output::path(self.folder);
            let message = format!("error: there are more than {most} files below `{folder}` in `{commit}`");
            return Err((clean(&message) + "\n  help: raise `--max-files`, or check a folder in it").into());
        };
        let status = listing.wait().map_err(|error| not_run(&error))?;
        if !status.success() {
            let said = complaining.and_then(|thread| thread.join().ok()).unwrap_or_default();
            let said = String::from_utf8_lossy(&said).into_owned();
            return Err(clean(&format!("error: git cannot list the files of `{commit}`: {}", first_line(&said))).into());
        }
        Ok((read.entries, read.unreadable))
    }
}

/// What a commit lists.
#[derive(Default)]
struct Listing {
    entries: BTreeMap<String, Entry>,
    unreadable: usize,
}

impl Listing {
    /// None if it is too much.
    fn read(mut lines: impl BufRead, prefix: &OsStr, limits: Limits) -> Option<Self> {
        let most = limits.files.saturating_mul(LISTED);
        let mut room = most.saturating_mul(BYTES);
        let mut listing = Self::default();
        let mut line = Vec::new();
        loop {
            line.clear();
            // What cannot be read ends too early, and git says why.
            let read = lines.by_ref().take(room as u64 + 1).read_until(0, &mut line).unwrap_or(0);
            room = room.checked_sub(read)?;
            if listing.entries.len() > most {
                return None;
            }
            if line.pop() != Some(0) {
                return Some(listing);
            }
            listing.enter(&line, prefix);
        }
    }

    fn enter(&mut self, line: &[u8], prefix: &OsStr) {
        let Some(tab) = line.iter().position(|byte| *byte == b'\t') else { return };
        let (head, path) = line.split_at(tab);
        let path = path.get(1..).unwrap_or_default();
        let Some(path) = path.strip_prefix(prefix.as_encoded_bytes()) else { return };
        let Ok(path) = std::str::from_utf8(path) else {
            self.unreadable += usize::from(path.ends_with(b".topo"));
            return;
        };
        let head = String::from_utf8_lossy(head);
        let mut words = head.split(' ');
        if let (Some(mode), Some("blob"), Some(object)) = (words.next(), words.next(), words.next()) {
            self.entries.insert(path.to_owned(), Entry { object: object.to_owned(), is_link: mode == "120000" });
        }
    }
}

/// One line of it, and nothing that a terminal would obey.
fn clean(message: &str) -> String {
    topolint::source::clean(message).into_owned()
}

fn first_line(said: &str) -> String {
    said.lines().next().unwrap_or("it says nothing").trim_start_matches("fatal: ").to_owned()
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-+:@".contains(&byte);
    if word.bytes().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

fn not_run(error: &io::Error) -> Stop {
    let help = "install git, or compare with a folder: `topolint diff --against FOLDER`";
    let message = match error.kind() {
        io::ErrorKind::NotFound => "error: there is no `git` to run".to_owned(),
        _ => format!("error: `git` cannot be run: {error}"),
    };
    Stop::Refused(format!("{message}\n  help: {help}"))
}

#[cfg(unix)]
fn from_bytes(bytes: &[u8]) -> OsString {
    use std::os::unix::ffi::OsStrExt as _;
    OsStr::from_bytes(bytes).to_owned()
}

#[cfg(not(unix))]
fn from_bytes(bytes: &[u8]) -> OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}
