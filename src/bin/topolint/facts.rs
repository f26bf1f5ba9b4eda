//! `topolint facts`.

use topolint::analysis;
use topolint::metadata::built_in_clients;
use topolint::model::{Loader, Topology};
use topolint::report;

use crate::arguments::{Facts, Listing};
use crate::check::{projects, wanted};
use crate::names::topology_with_mistakes;
use crate::output::{self, Stop};

/// Prints what was computed; the exit code.
pub(crate) fn run(facts: &Facts) -> Result<u8, Stop> {
    let look = output::look(facts.input.color);
    let (folder, wanted) = wanted(&facts.paths, &facts.input)?;
    let mut loader = Loader::new(&folder);
    let projects = projects(&mut loader, &folder, &wanted)?;
    let (topologies, mistakes): (Vec<Topology>, Vec<usize>) =
        projects.iter().map(|project| topology_with_mistakes(&loader, project)).unzip();
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
