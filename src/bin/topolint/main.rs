//! The command line: arguments, files, streams, exit codes. The only part that touches the world.

#![warn(clippy::print_stderr, clippy::print_stdout)]

mod arguments;
mod baseline;
mod check;
mod compare;
mod configuration;
mod diff;
mod explain;
mod facts;
mod files;
mod formats;
mod git;
mod graphviz;
mod names;
mod output;
mod path;
mod programs;
mod render;
mod rules;
mod shell;
mod watch;
mod what_if;
mod written;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Command};
use output::Stop;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are answers, everything else is a mistake in the call.
            let code = if error.use_stderr() { 2 } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    output::on_panic();
    let result = std::panic::catch_unwind(|| run(&arguments));
    match result {
        Ok(Ok(code)) => ExitCode::from(code),
        Ok(Err(Stop::ClosedPipe)) => ExitCode::SUCCESS,
        Ok(Err(Stop::Refused(message))) => {
            output::say(message.trim_end());
            ExitCode::from(2)
        }
        Err(_) => ExitCode::from(3),
    }
}

fn run(arguments: &Arguments) -> Result<u8, Stop> {
    match &arguments.command {
        Command::Check(check) => check::run(check),
        Command::Diff(diff) => diff::run(diff),
        Command::Facts(facts) => facts::run(facts),
        Command::Explain(explain) => explain::run(explain),
        Command::Path(path) => path::run(path),
        Command::WhatIf(what_if) => what_if::run(what_if),
        Command::Render(render) => render::run(render),
        Command::Rules(rules) => rules::run(rules),
        Command::Baseline(keep) => baseline::run(keep),
        Command::Config(configure) => configuration::run(configure),
        Command::Reference => output::print(&topolint::vocabulary::reference()).map(|()| 0),
        Command::Completions { shell } => shell::completions(*shell),
        Command::Man { command } => shell::man(command),
    }
}
