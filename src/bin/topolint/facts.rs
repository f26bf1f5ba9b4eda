//! `topolint facts`.

use topolint::analysis;
use topolint::metadata::{Level, built_in_clients};
use topolint::model::{Loader, Project, Topology, lower};
use topolint::report;
use topolint::rules::Rule;

use crate::arguments::{Facts, Listing};
use crate::check::{projects, wanted};
use crate::output::{self, Stop};

/// Prints what was computed; the exit code.
pub(crate) fn run(facts: &Facts) -> Result<u8, Stop> {
    let look = output::look(facts.input.color);
    let (folder, wanted) = wanted(&facts.paths, &facts.input)?;
    let mut loader = Loader::new(&folder);
    let projects = projects(&mut loader, &folder, &wanted)?;
    let (topologies, mistakes): (Vec<Topology>, Vec<usize>) =
        projects.iter().map(|project| topology(&loader, project)).unzip();
    let all: Vec<analysis::Facts<'_>> =
        topologies.iter().map(|topology| analysis::Facts::new(topology, built_in_clients())).collect();
    match facts.format {
        Listing::Json => output::write(|out| report::facts_json(&all, &mistakes, out))?,
        Listing::Table => {
            let tables = all.iter().zip(&mistakes).map(|(facts, mistakes)| report::facts_table(facts, *mistakes, look));
            output::print(&tables.collect::<Vec<_>>().join("\n"))?;
        }
    }
    Ok(0)
}

/// A topology, and how many mistakes in its text keep a part of it from being read.
fn topology(loader: &Loader<'_>, project: &Project) -> (Topology, usize) {
    let (topology, problems) = lower(loader, project, built_in_clients());
    let is_error = |rule: &str| Rule::named(rule).is_some_and(|rule| rule.page().level == Level::Error);
    let of_text = loader.files_of(project).flat_map(|file| &file.problems);
    let mistakes = of_text.chain(&problems).filter(|problem| is_error(problem.rule)).count();
    (topology, mistakes)
}
