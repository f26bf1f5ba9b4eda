//! How often each rule speaks, for a first look at a large diagram.

use super::paint::Look;
use super::tally;
use crate::lint::Outcome;
use crate::metadata::Level;
use crate::rules::Rule;

/// One line a rule and level: how many findings, what it finds; the most frequent of the worst level first.
#[must_use]
pub fn statistics(outcome: &Outcome, look: Look) -> String {
    let mut rows: Vec<(Level, usize, &'static Rule)> = Vec::new();
    for finding in outcome.shown() {
        match rows.iter_mut().find(|(level, _, rule)| (*level, rule.name) == (finding.level, finding.rule.name)) {
            Some((_, count, _)) => *count += 1,
            None => rows.push((finding.level, 1, finding.rule)),
        }
    }
    rows.sort_by_key(|(level, count, rule)| std::cmp::Reverse((*level, *count, std::cmp::Reverse(rule.name))));
    let mut text = String::new();
    for (level, count, rule) in &rows {
        let word = format!("{:<5}", level.name());
        let line = look.wrap(&format!("{count:>6}  {word}  {:<24}  ", rule.name), &rule.page().summary);
        text.push_str(&line.replacen(&word, &look.level(*level, &word), 1));
    }
    if !rows.is_empty() {
        text.push('\n');
    }
    text + &look.wrap("", &tally::line(outcome, look))
}
