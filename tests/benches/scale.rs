//! How the whole tool grows, as ratios of one run: `cargo bench --bench scale [SERVICES …]`.
//!
//! For each size: a plain scan of the same bytes and parsing, in this process; `check` with the whole catalogue of one
//! file and of one file a service, and `diff` of two versions, as processes, with their peak of memory. Each is the best
//! of several rounds that take turns, so that a busy machine slows all of them alike.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a benchmark may stop")]
#![allow(clippy::cast_precision_loss, reason = "a number of services")]

#[path = "../generate/large.rs"]
mod large;
#[path = "../oracle/random.rs"]
mod random;

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use large::Large;
use topolint::source::SourceMap;
use topolint::syntax::parse;

const SEED: u64 = 7;

fn main() {
    let given: Vec<usize> = std::env::args().skip(1).filter_map(|size| size.parse().ok()).collect();
    let sizes = if given.is_empty() { vec![100, 1_000, 10_000, 100_000] } else { given };
    println!(
        "{:>9} {:>9} {:>9}  {:<12} {:>10} {:>8} {:>9}",
        "services", "calls", "bytes", "what", "time", "x scan", "peak"
    );
    let mut before: Option<(usize, Duration)> = None;
    for services in sizes {
        let check = measure(services);
        if let Some((fewer, earlier)) = before {
            let (more, slower) = (ratio(services, fewer), check.as_secs_f64() / earlier.as_secs_f64());
            println!("{:>30} check: {more:.0} x the services, {slower:.1} x the time", "");
        }
        before = Some((services, check));
    }
}

/// Measures one size, prints it, and gives the time of `check`.
fn measure(services: usize) -> Duration {
    let folder = Folder::new(services);
    let large = Large::of(services, SEED);
    let text = large.one_file();
    folder.write("one.topo", &text);
    folder.write("before/one.topo", &text.replacen("timeout 300ms", "timeout 900ms", 20));
    for (path, text) in large.many_files() {
        folder.write(&format!("many/{path}"), &text);
    }
    let mut best = [Best::default(); 5];
    for _ in 0..if services > 10_000 { 3 } else { 7 } {
        best[0].take(in_process(|| text.bytes().filter(|byte| matches!(byte, b'\n' | b'{' | b'}')).count()));
        best[1].take(in_process(|| {
            let mut sources = SourceMap::default();
            let id = sources.add("one.topo", text.clone());
            parse(&sources, id)
        }));
        best[2].take(folder.run(&["check", "--isolated", "-f", "concise", "one.topo"]));
        best[3].take(folder.run(&["check", "--isolated", "-f", "concise", "many/root.topo"]));
        best[4].take(folder.run(&["diff", "--isolated", "--against", "before", "one.topo"]));
    }
    let calls = text.matches("->").count();
    for (what, measured) in ["byte scan", "parse", "check", "check, files", "diff"].into_iter().zip(best) {
        let times = measured.time.as_secs_f64() / best[0].time.as_secs_f64();
        let peak = if measured.peak == 0 { String::new() } else { format!("{} MB", measured.peak / 1_000) };
        let time = format!("{:.1} ms", measured.time.as_secs_f64() * 1e3);
        println!("{services:>9} {calls:>9} {:>9}  {what:<12} {time:>10} {times:>8.1} {peak:>9}", text.len());
    }
    best[2].time
}

#[derive(Clone, Copy)]
struct Best {
    time: Duration,
    /// Kilobytes; 0 for what runs in this process.
    peak: u64,
}

impl Default for Best {
    fn default() -> Self {
        Self { time: Duration::MAX, peak: 0 }
    }
}

impl Best {
    fn take(&mut self, (time, peak): (Duration, u64)) {
        self.time = self.time.min(time);
        self.peak = self.peak.max(peak);
    }
}

fn in_process<T>(work: impl FnOnce() -> T) -> (Duration, u64) {
    let start = Instant::now();
    let result = black_box(work());
    let time = start.elapsed();
    drop(result);
    (time, 0)
}

/// A folder for one size, gone afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(services: usize) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("scale-{services}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join(".git")).expect("a folder");
        Self(folder)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("a path in the folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// Runs the tool; its time, and its peak of memory where the system tells it.
    fn run(&self, arguments: &[&str]) -> (Duration, u64) {
        let start = Instant::now();
        let mut command = Command::new(env!("CARGO_BIN_EXE_topolint"));
        let mut child = command.current_dir(&self.0).args(arguments).stdout(Stdio::null()).spawn().expect("topolint");
        let peak = peak(&mut child);
        let status = child.wait().expect("an end");
        assert!(matches!(status.code(), Some(0 | 1)), "{arguments:?} ends with {status}");
        (start.elapsed(), peak)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The peak of memory of a child in kilobytes, looked at until it ends.
fn peak(child: &mut Child) -> u64 {
    let path = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while let Ok(None) = child.try_wait() {
        let status = fs::read_to_string(&path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak = kilobytes.map_or(peak, |kilobytes: u64| kilobytes.max(peak));
        std::thread::sleep(Duration::from_millis(1));
    }
    peak
}

fn ratio(one: usize, other: usize) -> f64 {
    one as f64 / other as f64
}
