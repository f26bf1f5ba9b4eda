//! `topolint diff`.

use topolint::change::Comparison;
use topolint::lint::Terms;
use topolint::metadata::built_in_clients;
use topolint::model::Loader;
use topolint::report;
use topolint::source::SourceMap;

use crate::arguments::{Diff, DiffFormat};
use crate::baseline;
use crate::check::{lowest, projects, today, wanted_of};
use crate::compare::{Base, Run, compared};
use crate::configuration::{configuration, select};
use crate::files::Folder;
use crate::output::{self, Stop};

/// Prints what a change does; the exit code.
pub(crate) fn run(diff: &Diff) -> Result<u8, Stop> {
    let look = output::look(diff.common.input.color);
    let mut folder = Folder::around(&diff.paths, diff.common.input.limits())?;
    let mut texts = SourceMap::default();
    let mut config = configuration(&diff.common, &folder, &mut texts, look)?;
    select(&mut config, &diff.selection, &mut texts, look)?;
    let known = baseline::known(None, &config, &folder, &mut texts, look)?;
    let wanted = wanted_of(&diff.paths, &mut folder, &config, &texts, look)?;
    let mut loader = Loader::new(&folder);
    loader.sources = texts;
    let projects = projects(&mut loader, &folder, &wanted)?;
    let terms = Terms { config: &config, today: diff.today.unwrap_or_else(today), clients: built_in_clients() };
    let run = Run {
        paths: &diff.paths,
        common: &diff.common,
        selection: &diff.selection,
        folder: &folder,
        loader: &loader,
        wanted: &wanted,
        projects: &projects,
        baseline: known.as_ref().map(|known| &known.baseline),
        look,
    };
    let base = Base::named(run, &diff.against)?;
    let found = compared(run, &base, &terms)?;
    let (sources, comparison, name) = (&found.sources, &found.comparison, base.name());
    match diff.format {
        DiffFormat::Human => output::print(&report::diff(sources, comparison, &name, look))?,
        DiffFormat::Json => output::write(|out| report::diff_json(sources, comparison, &name, out))?,
        DiffFormat::Markdown => output::print(&report::diff_markdown(sources, comparison, &name))?,
    }
    let fails = fails(comparison, diff);
    // The process ends: the system takes back all trees and texts at once, faster than one by one.
    std::mem::forget((loader, found));
    Ok(u8::from(fails))
}

/// Whether anything that counts is at or above the level that fails.
fn fails(comparison: &Comparison, diff: &Diff) -> bool {
    let Some(lowest) = lowest(Some(diff.fail_on)) else { return false };
    if diff.fail_on.is_of_new() {
        return comparison.new_findings().any(|(finding, _)| finding.level >= lowest);
    }
    comparison.outcome.shown().any(|finding| finding.level >= lowest)
}
