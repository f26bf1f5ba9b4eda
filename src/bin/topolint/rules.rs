//! `topolint rules`.

use topolint::config::Config;
use topolint::report::{self, Look};
use topolint::rules::FAMILIES;
use topolint::source::SourceMap;
use topolint::vocabulary::{did_you_mean, suggest};

use crate::arguments::{Common, Listing, Rules};
use crate::configuration::configuration;
use crate::files::Folder;
use crate::output::{self, Stop};

/// Lists the rules; the exit code.
pub(crate) fn run(rules: &Rules) -> Result<u8, Stop> {
    let look = output::look(rules.common.input.color);
    if let Some(family) = rules.family.as_deref().filter(|family| FAMILIES.iter().all(|(name, _)| name != family)) {
        let families: Vec<&str> = FAMILIES.iter().map(|(name, _)| *name).collect();
        let all = || format!("the families are {}", families.join(", "));
        let help = did_you_mean(&suggest(family, families.iter().copied())).unwrap_or_else(all);
        return Err(format!("error: there is no family `{family}`\n  help: {help}").into());
    }
    let (config, _) = configured(&rules.common, look)?;
    match rules.format {
        Listing::Table => output::print(&report::rules_list(rules.family.as_deref(), &config, look))?,
        Listing::Json => output::write(|out| report::rules_json(rules.family.as_deref(), &config, out))?,
    }
    Ok(0)
}

/// The configuration of the project that we are in, and the texts that it speaks of.
pub(crate) fn configured(common: &Common, look: Look) -> Result<(Config, SourceMap), Stop> {
    let folder = Folder::around(&[".".into()], common.input.limits())?;
    let mut sources = SourceMap::default();
    let config = configuration(common, &folder, &mut sources, look)?;
    Ok((config, sources))
}
