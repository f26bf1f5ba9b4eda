//! The needle of the lie detector: on which fallacy or principle the diagram bets, and how much it says about it.

use super::paint::Look;
use crate::lint::Outcome;
use crate::metadata::Level;
use crate::rules::{ALL, BETS, FAMILIES};

/// The table of the bets. Families without a rule in this version say so.
pub(super) fn table(outcome: &Outcome, look: Look) -> String {
    let heading =
        format!("  {:<26} {:>8}  {:<5}  {}", "what the diagram bets on", "findings", "worst", "what it states");
    let mut text = format!("{}\n", look.bold(&heading));
    for (family, bet) in FAMILIES.iter().take(BETS) {
        let levels: Vec<Level> =
            outcome.shown().filter(|finding| finding.rule.family == *family).map(|finding| finding.level).collect();
        let checked = ALL.iter().any(|rule| rule.family == *family);
        let (number, worst) = match levels.iter().max() {
            Some(worst) => (levels.len().to_string(), look.level(*worst, &format!("{:<5}", worst.name()))),
            None if checked => ("0".to_owned(), format!("{:<5}", "")),
            None => ("no rule".to_owned(), format!("{:<5}", "")),
        };
        text.push_str(format!("  {bet:<26} {number:>8}  {worst}  {}", stated(outcome, family)).trim_end());
        text.push('\n');
    }
    text
}

/// "19 of 31: timeout on calls", over all topologies.
fn stated(outcome: &Outcome, family: &str) -> String {
    let shares =
        outcome.topologies.iter().flat_map(|topology| &topology.coverage.shares).filter(|share| share.family == family);
    let (stated, of, what) =
        shares.fold((0, 0, ""), |(stated, of, _), share| (stated + share.stated, of + share.of, share.what));
    if of == 0 { String::new() } else { format!("{stated} of {of}: {what}") }
}
