//! The needle of the lie detector: on which fallacy or principle the diagram bets, and how much it says about it.

use super::paint::Look;
use crate::lint::Outcome;
use crate::metadata::Level;
use crate::rules::{ALL, BETS, FAMILIES};

/// What is said of one bet.
pub(super) struct Row {
    /// What the diagram bets on.
    pub(super) bet: &'static str,
    /// How many findings there are; "no rule" for families without a rule in this version.
    pub(super) findings: String,
    /// The level of the worst one.
    pub(super) worst: Option<Level>,
    /// How much the diagram states: "19 of 31: timeout on calls".
    pub(super) states: String,
}

/// The bets, in their order.
pub(super) fn rows(outcome: &Outcome) -> impl Iterator<Item = Row> {
    FAMILIES.iter().take(BETS).map(|(family, bet)| {
        let levels: Vec<Level> =
            outcome.shown().filter(|finding| finding.rule.family == *family).map(|finding| finding.level).collect();
        let checked = ALL.iter().any(|rule| rule.family == *family);
        let findings = if checked { levels.len().to_string() } else { "no rule".to_owned() };
        Row { bet, findings, worst: levels.into_iter().max(), states: stated(outcome, family) }
    })
}

/// The table of the bets.
pub(super) fn table(outcome: &Outcome, look: Look) -> String {
    let heading =
        format!("  {:<26} {:>8}  {:<5}  {}", "what the diagram bets on", "findings", "worst", "what it states");
    let mut text = format!("{}\n", look.bold(&heading));
    for Row { bet, findings, worst, states } in rows(outcome) {
        let word = format!("{:<5}", worst.map_or("", Level::name));
        let worst = worst.map_or(word.clone(), |worst| look.level(worst, &word));
        text.push_str(format!("  {bet:<26} {findings:>8}  {worst}  {states}").trim_end());
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
