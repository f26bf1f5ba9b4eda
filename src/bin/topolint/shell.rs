//! `topolint completions` and `topolint man`: what a shell offers and what `man` shows, made from the arguments
//! themselves. The names of rules are built in, so that a script can hold them.

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use topolint::rules::{FAMILIES, names};
use topolint::vocabulary::{ATTRIBUTES, did_you_mean, suggest};

use crate::arguments::Arguments;
use crate::output::{self, Stop};

/// Prints the script for a shell; the exit code.
pub(crate) fn completions(shell: Shell) -> Result<u8, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut offered(), "topolint", &mut script);
    output::print(&String::from_utf8_lossy(&script))?;
    Ok(0)
}

/// Prints the manual page of a command, or of the whole; the exit code.
pub(crate) fn man(path: &[String]) -> Result<u8, Stop> {
    let mut program = Arguments::command().disable_help_subcommand(true);
    program.build();
    let mut command = &program;
    for name in path {
        command = command.find_subcommand(name).ok_or_else(|| unknown(command, name))?;
    }
    let page = Man::new(command.clone()).source(concat!("topolint ", env!("CARGO_PKG_VERSION")));
    output::write(|out| page.render(out))?;
    Ok(0)
}

fn unknown(parent: &Command, name: &str) -> String {
    let known = parent.get_subcommands().map(Command::get_name);
    let help = did_you_mean(&suggest(name, known)).unwrap_or_else(|| "`topolint help` lists all commands".to_owned());
    let parent = parent.get_bin_name().unwrap_or(parent.get_name());
    format!("error: `{parent}` has no command `{name}`\n  help: {help}")
}

/// The command line with the words that can be offered. They are no part of what is read from it: what is misspelt
/// there is answered with a better sentence than that it is not one of two hundred.
fn offered() -> Command {
    let rules = || PossibleValuesParser::new(names());
    let selected = |command: Command| {
        let flags = ["select", "ignore", "error", "warn", "info", "off"];
        command.mut_args(|arg| if flags.contains(&arg.get_id().as_str()) { arg.value_parser(rules()) } else { arg })
    };
    let pages = || PossibleValuesParser::new(names().chain(ATTRIBUTES.iter().map(|attribute| attribute.name)));
    let families = || PossibleValuesParser::new(FAMILIES.iter().map(|(family, _)| *family));
    let with =
        |command: Command, id, words: PossibleValuesParser| command.mut_arg(id, |arg: Arg| arg.value_parser(words));
    Arguments::command()
        .mut_subcommands(selected)
        .mut_subcommand("explain", |explain| with(explain, "subject", pages()))
        .mut_subcommand("rules", |rules| with(rules, "family", families()))
}
