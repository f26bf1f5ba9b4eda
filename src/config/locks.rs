//! What would make a locked rule quieter. A lock binds the overrides of its file and the files that extend it: they may
//! raise a level. The file itself, and what it extends, decide what is locked. Flags are stronger: who calls the program
//! may also call it without any configuration.

use super::file::Statements;
use super::{Layer, Setting, level_name, of};
use crate::diagnostic::Diagnostic;
use crate::rules::{ALL, Rule};
use crate::source::{SourceMap, Span};

/// All statements that make a locked rule quieter, or set its options, where they may not.
pub(super) fn loosened(files: &[Statements], sources: &SourceMap) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let own = Locks { files, from: index, sources };
        let above = Locks { files, from: index + 1, sources };
        file.overrides.iter().for_each(|entry| own.hold(&entry.layer, &mut problems));
        above.hold(&file.layer, &mut problems);
        // Nobody can lock what he ignores.
        own.hold_ignored(&file.layer, &mut problems);
    }
    problems
}

/// The locks that bind a layer: those of the file at `from`, and of what it extends.
struct Locks<'a> {
    files: &'a [Statements],
    from: usize,
    sources: &'a SourceMap,
}

impl Locks<'_> {
    fn hold(&self, layer: &Layer, problems: &mut Vec<Diagnostic>) {
        for (name, (level, span)) in &layer.levels {
            let quieter = |(rule, lock)| {
                let least = self.least(rule, lock);
                (*level < least).then_some((lock.1, least))
            };
            if let Some((lock, least)) = self.all(name).and_then(|locked| locked.into_iter().find_map(quieter)) {
                let (level, least) = (level_name(*level), level_name(least));
                let message = format!("`{name}` is locked, and `{level}` is quieter than `{least}`");
                problems.push(self.problem(message, *span, lock));
            }
        }
        for ((rule, option), (_, span)) in &layer.options {
            if let Some((_, (_, lock))) = Rule::named(rule).and_then(|rule| Some((rule, self.lock(rule)?))) {
                let message = format!("`{rule}` is locked, so its option `{option}` is set where that is done");
                problems.push(self.problem(message, *span, lock));
            }
        }
    }

    fn hold_ignored(&self, layer: &Layer, problems: &mut Vec<Diagnostic>) {
        for (name, span) in &layer.ignore {
            if let Some((_, (_, lock))) = self.all(name).and_then(|locked| locked.into_iter().next()) {
                problems.push(self.problem(format!("`{name}` is locked, and cannot be ignored"), *span, lock));
            }
        }
    }

    /// The rules that a name means with their locks, if all of them are locked; of a family in which only some are, these
    /// stay as they are.
    fn all(&self, name: &str) -> Option<Vec<(&'static Rule, (usize, Span))>> {
        let named = ALL.iter().filter(|rule| rule.name == name || rule.family == name);
        named.map(|rule| Some((rule, self.lock(rule)?))).collect()
    }

    fn lock(&self, rule: &Rule) -> Option<(usize, Span)> {
        let mut files = self.files.iter().enumerate().skip(self.from);
        files.find_map(|(index, file)| Some((index, *of(&file.locked, rule)?)))
    }

    /// The level where a rule is locked.
    fn least(&self, rule: &Rule, lock: (usize, Span)) -> Setting {
        let said = self.files.iter().skip(lock.0).find_map(|file| of(&file.layer.levels, rule));
        said.map_or(Some(rule.page().level), |(level, _)| *level)
    }

    fn problem(&self, message: String, span: Span, lock: Span) -> Diagnostic {
        let position = self.sources.position(lock);
        let place = format!("{}:{}:{}", self.sources.name(lock), position.line, position.column);
        let problem = Diagnostic::new(span, message).help(format!("remove it, or unlock the rule at {place}"));
        if lock.source == span.source { problem.label(lock, "locked here") } else { problem }
    }
}
