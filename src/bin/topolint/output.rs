//! Streams: the report on standard output and nothing else there, a closed pipe as a normal end.

use std::io::{self, BufWriter, IsTerminal as _, StdoutLock, Write as _};

use topolint::report::Look;
use topolint::source::clean;

use crate::arguments::Color;
use crate::files::reason;

/// Why a run ends early.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Nobody reads on.
    ClosedPipe,
    /// It could not run as asked.
    Refused(String),
}

impl From<String> for Stop {
    fn from(message: String) -> Self {
        Self::Refused(message)
    }
}

/// Writes to standard output.
pub(crate) fn print(text: &str) -> Result<(), Stop> {
    write(|out| out.write_all(text.as_bytes()))
}

/// Lets something write itself to standard output, piece by piece.
pub(crate) fn write(report: impl FnOnce(&mut BufWriter<StdoutLock<'_>>) -> io::Result<()>) -> Result<(), Stop> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    match report(&mut out).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Stop::ClosedPipe),
        Err(error) => Err(Stop::Refused(format!("error: cannot write the report: {}", reason(&error)))),
    }
}

/// Says something beside an answer, for people: on standard error, whether anybody reads it or not.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Says what people should know, though nothing went wrong.
pub(crate) fn notice(text: &str) {
    say(&format!("notice: {}", clean(text)));
}

/// A path in one line, without anything that a terminal would obey.
pub(crate) fn path(path: &std::path::Path) -> String {
    clean(&path.to_string_lossy()).replace(['\n', '\t'], "?")
}

/// Colours and width: the flag, then the environment, then the terminal.
pub(crate) fn look(color: Color) -> Look {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let color = match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if set("NO_COLOR") => false,
        Color::Auto if set("FORCE_COLOR") => true,
        Color::Auto => io::stdout().is_terminal(),
    };
    let columns = terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0));
    Look { color, width: columns.clamp(60, 110) }
}

/// Whether somebody looks at standard output.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// A panic is our mistake: says how to report it.
pub(crate) fn on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or(String::new(), |place| format!(" at {}:{}", place.file(), place.line()));
        let reason = panic
            .payload()
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.payload().downcast_ref::<String>().map(String::as_str));
        let version = env!("CARGO_PKG_VERSION");
        say(&format!("topolint {version} has a bug{place}: {}", reason.unwrap_or("unknown")));
        say("this is not your fault: please report it with the input and this message; any report above is incomplete");
    }));
}
