//! `topolint path`.

use topolint::analysis::Facts;
use topolint::metadata::built_in_clients;
use topolint::model::{OperationId, Topology};
use topolint::report;
use topolint::source::clean;

use crate::arguments::{Listing, Path};
use crate::names::{ends_of, meant, topologies};
use crate::output::{self, Stop};

/// Prints the flow; the exit code.
pub(crate) fn run(path: &Path) -> Result<u8, Stop> {
    let look = output::look(path.input.color);
    let topologies = topologies(&path.paths, &path.input)?;
    let names: Vec<&str> =
        [path.from.as_str()].into_iter().chain(path.via.iter().map(String::as_str)).chain([path.to.as_str()]).collect();
    let topology = holding_all(&topologies, &names)?;
    let facts = Facts::new(topology, built_in_clients());
    let points: Vec<Vec<OperationId>> = names.iter().map(|name| ends_of(topology, name)).collect();
    let way = facts.way_over(&points).filter(|way| !way.is_empty());
    let Some(way) = way else {
        let turned: Vec<_> = points.into_iter().rev().collect();
        let help = match facts.way_over(&turned) {
            Some(way) if !way.is_empty() => {
                format!("the calls lead the other way: `topolint path {} {}`", path.to, path.from)
            }
            _ => "`topolint facts` lists the calls; calls of another phase than request are no flow".to_owned(),
        };
        return Err(format!("error: no calls lead from `{}`\n  help: {help}", names.join("` to `")).into());
    };
    match path.format {
        Listing::Json => output::write(|out| report::path_json(&facts, &way, out))?,
        Listing::Table => output::print(&report::path_waterfall(&facts, &way, look))?,
    }
    Ok(0)
}

/// The first topology in which all these names mean something.
fn holding_all<'a>(topologies: &'a [Topology], names: &[&str]) -> Result<&'a Topology, Stop> {
    let holds = |topology: &&Topology| names.iter().all(|name| !ends_of(topology, name).is_empty());
    if let Some(topology) = topologies.iter().find(holds) {
        return Ok(topology);
    }
    let unknown = names.iter().find(|name| topologies.iter().all(|topology| ends_of(topology, name).is_empty()));
    let Some(unknown) = unknown else {
        return Err(format!("error: no topology holds all of `{}`", clean(&names.join("`, `"))).into());
    };
    let help = meant(topologies, unknown);
    Err(format!("error: there is no node or operation `{}`\n  help: {help}", clean(unknown)).into())
}
