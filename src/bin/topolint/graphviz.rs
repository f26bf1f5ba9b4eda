//! An installed Graphviz, run only when it is asked for: DOT goes in, a picture comes out, both bounded.

use std::io::{self, Write as _};
use std::process::{Child, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use topolint::source::clean;

use crate::output::Stop;
use crate::programs::{self, said};

/// No picture is larger.
const MOST_BYTES: u64 = 256 * 1024 * 1024;
/// So much of what it complains about is shown.
const MOST_WORDS: u64 = 4_000;
/// How often we look whether it is done.
const PAUSE: Duration = Duration::from_millis(10);

/// Lets `dot` draw a text as `svg` or `png`.
pub(crate) fn draw(dot: String, format: &str, scale: f64, seconds: u64) -> Result<Vec<u8>, Stop> {
    let resolution = format!("-Gdpi={}", 96.0 * scale);
    let mut command = programs::command("dot").map_err(|error| unavailable(&error))?;
    command.arg(format!("-T{format}"));
    if format == "png" {
        command.arg(resolution);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| unavailable(&error))?;
    // Each stream has a thread: a pipe that is full would stop all.
    let input = child.stdin.take();
    let feeding = thread::spawn(move || input.map(|mut input| input.write_all(dot.as_bytes())));
    let drawing = child.stdout.take().map(|out| thread::spawn(move || said(out, MOST_BYTES)));
    let complaining = child.stderr.take().map(|out| thread::spawn(move || said(out, MOST_WORDS)));
    // Where it is ended, its streams are left alone: a program that it started may keep them open.
    let Some(status) = wait(&mut child, Duration::from_secs(seconds))? else {
        let help =
            "leave `--engine dot` out, draw less with `--collapse all` or `--focus`, or raise `--engine-timeout`";
        return Err(format!("error: Graphviz was ended after {seconds} s\n  help: {help}").into());
    };
    let _ = feeding.join();
    let picture = drawing.and_then(|thread| thread.join().ok()).unwrap_or_default();
    let complaints = complaining.and_then(|thread| thread.join().ok()).unwrap_or_default();
    if !status.success() || picture.is_empty() {
        return Err(failed(status, &complaints).into());
    }
    if picture.len() as u64 > MOST_BYTES {
        let help = "`--collapse all` draws less";
        return Err(format!("error: Graphviz draws more than {MOST_BYTES} bytes\n  help: {help}").into());
    }
    Ok(picture)
}

/// Its end; none if it had to be ended.
fn wait(child: &mut Child, most: Duration) -> Result<Option<ExitStatus>, Stop> {
    let start = Instant::now();
    loop {
        let ended = child.try_wait().map_err(|error| format!("error: cannot wait for Graphviz: {error}"))?;
        if ended.is_some() {
            return Ok(ended);
        }
        if start.elapsed() >= most {
            let _ = child.kill();
            let _ = child.wait();
            return Ok(None);
        }
        thread::sleep(PAUSE);
    }
}

fn unavailable(error: &io::Error) -> String {
    let help = "install Graphviz, or leave `--engine dot` out: topolint draws by itself";
    match error.kind() {
        io::ErrorKind::NotFound => {
            format!("error: `--engine dot` needs Graphviz, and there is no `dot`\n  help: {help}")
        }
        _ => format!("error: `dot` cannot be started: {error}\n  help: {help}"),
    }
}

fn failed(status: ExitStatus, said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let said: Vec<String> = said.lines().take(5).map(|line| format!("  dot: {}", clean(line))).collect();
    let help = "leave `--engine dot` out: topolint draws by itself";
    format!("error: Graphviz draws nothing ({status})\n{}\n  help: {help}", said.join("\n"))
}
