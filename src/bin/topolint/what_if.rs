//! `topolint what-if`.

use topolint::analysis::{Disturbance, Facts, Target};
use topolint::metadata::built_in_clients;
use topolint::model::Topology;
use topolint::report;
use topolint::source::clean;

use crate::arguments::{Listing, WhatIf};
use crate::names::{calls_between, meant, topologies};
use crate::output::{self, Stop};

/// Prints what follows; the exit code.
pub(crate) fn run(what_if: &WhatIf) -> Result<u8, Stop> {
    let look = output::look(what_if.input.color);
    let topologies = topologies(&what_if.paths, &what_if.input)?;
    let asked = asked(what_if)?;
    let mut refused = None;
    for topology in &topologies {
        let disturbances: Result<Vec<Disturbance>, String> = asked.iter().map(|asked| asked.of(topology)).collect();
        match disturbances {
            Ok(disturbances) => return answer(topology, &disturbances, what_if.format, look).map(|()| 0),
            Err(name) => refused = refused.or(Some(name)),
        }
    }
    let name = refused.unwrap_or_default();
    let help = meant(&topologies, &name);
    Err(format!("error: there is no node, operation or call `{}` to ask about\n  help: {help}", clean(&name)).into())
}

fn answer(topology: &Topology, disturbances: &[Disturbance], format: Listing, look: report::Look) -> Result<(), Stop> {
    let facts = Facts::new(topology, built_in_clients());
    match format {
        Listing::Json => output::write(|out| report::what_if_json(&facts, disturbances, out)),
        Listing::Table => output::print(&report::what_if(&facts, disturbances, look)),
    }
}

/// What is asked, by name.
enum Asked<'a> {
    Down(&'a str),
    Fails(&'a str, f64),
    Slow(&'a str, f64),
    Silent(&'a str),
}

/// All that is asked.
fn asked(what_if: &WhatIf) -> Result<Vec<Asked<'_>>, Stop> {
    let mut asked: Vec<Asked<'_>> = what_if.kill.iter().map(|name| Asked::Down(name)).collect();
    for text in &what_if.fail {
        let wrong = || format!("error: `--fail {text}` states no share\n  help: write `--fail {}=30%`", name_of(text));
        let (name, share) = text.split_once('=').ok_or_else(wrong)?;
        let share: f64 =
            share.trim().strip_suffix('%').and_then(|share| share.trim().parse().ok()).ok_or_else(wrong)?;
        if !(0.0..=100.0).contains(&share) {
            return Err(format!("error: a share lies between 0% and 100%, and `{text}` does not").into());
        }
        asked.push(Asked::Fails(name.trim(), share / 100.0));
    }
    for text in &what_if.slow {
        let wrong = || format!("error: `--slow {text}` states no factor\n  help: write `--slow {}=10x`", name_of(text));
        let (name, factor) = text.split_once('=').ok_or_else(wrong)?;
        let factor: f64 = factor.trim().strip_suffix('x').and_then(|factor| factor.parse().ok()).ok_or_else(wrong)?;
        if !(1.0..=1e9).contains(&factor) {
            return Err(format!("error: a factor lies between 1x and 1000000000x, and `{text}` does not").into());
        }
        asked.push(Asked::Slow(name.trim(), factor));
    }
    asked.extend(what_if.hang.iter().map(|call| Asked::Silent(call)));
    Ok(asked)
}

fn name_of(text: &str) -> &str {
    text.split_once('=').map_or(text, |(name, _)| name).trim()
}

impl Asked<'_> {
    /// What that means in a topology, or the name that means nothing there.
    fn of(&self, topology: &Topology) -> Result<Disturbance, String> {
        let target = |name: &str| {
            let node = topology.node_named(name).map(Target::Node);
            node.or_else(|| topology.operation_named(name).map(Target::Operation)).ok_or_else(|| name.to_owned())
        };
        match self {
            Self::Down(name) => target(name).map(Disturbance::Down),
            Self::Fails(name, share) => target(name).map(|target| Disturbance::Fails(target, *share)),
            Self::Slow(name, factor) => target(name).map(|target| Disturbance::Slow(target, *factor)),
            Self::Silent(name) => {
                let calls = calls_between(topology, name).unwrap_or_default();
                calls.first().copied().map(Disturbance::Silent).ok_or_else(|| (*name).to_owned())
            }
        }
    }
}
