//! The text of a baseline: one entry a line, each with a comma behind it, and a last line that closes the list, so that
//! a file that was cut off cannot be taken for a shorter one.

use std::fmt::Write as _;

use super::{Baseline, Entry, VERSION};

/// What stands at the top.
const HEAD: &str = "# Findings that are known and wait: topolint hides them, and reports every other one.
# `topolint baseline update` writes the entries anew; what stands behind `reason` and `until` (the last day) is kept.
";

impl Baseline {
    /// The text of the file; `paths` as they are to be written, relative to it.
    #[must_use]
    pub fn text(&self, paths: &[String]) -> String {
        let mut text = format!("{HEAD}version: {VERSION}\n");
        if !paths.is_empty() {
            let paths: Vec<String> = paths.iter().map(|path| quoted(path)).collect();
            let _ = writeln!(text, "paths: [{}]", paths.join(", "));
        }
        text.push_str("findings: [\n");
        for entry in &self.entries {
            line(&mut text, entry);
        }
        text + "  ]\n"
    }
}

fn line(text: &mut String, entry: &Entry) {
    let _ = write!(text, "  {{rule: {}", entry.rule);
    if !entry.about.is_empty() {
        let _ = write!(text, ", about: {}", quoted(&entry.about));
    }
    let _ = write!(text, ", fingerprint: {}", quoted(&entry.fingerprint));
    if let Some(reason) = &entry.reason {
        let _ = write!(text, ", reason: {}", quoted(reason));
    }
    if let Some(until) = entry.until {
        let _ = write!(text, ", until: {until}");
    }
    text.push_str("},\n");
}

/// Between double quotes, in one line.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            other
                if other.is_control()
                    || matches!(other, '\u{2028}' | '\u{2029}' | '\u{FEFF}')
                    || crate::source::is_harmful(other) =>
            {
                let _ = write!(quoted, "\\U{:08X}", u32::from(other));
            }
            other => quoted.push(other),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceMap, Span};

    #[test]
    fn what_is_written_is_read_again() {
        for text in [
            "plain",
            "a \"b\" \\ c",
            "two\nlines\tand\u{1b}[31m",
            "ü→x\u{85}\u{2028}\u{FEFF}\u{202E}",
            "'",
            "# no comment",
            ": , ] }",
        ] {
            let entry = Entry {
                rule: "sync-cycle".to_owned(),
                about: text.to_owned(),
                fingerprint: "0123456789abcdef0123456789abcdef".to_owned(),
                reason: Some(text.to_owned()),
                until: Some(jiff::civil::date(2027, 3, 31)),
                place: Span::default(),
            };
            let baseline = Baseline { paths: vec!["a b".to_owned()], entries: vec![entry] };
            let mut sources = SourceMap::default();
            let id = sources.add("baseline.yaml", baseline.text(&baseline.paths));
            let mut read =
                Baseline::read(&sources, id, "baseline.yaml").unwrap_or_else(|problems| panic!("{problems:?}"));
            read.entries.iter_mut().for_each(|entry| entry.place = Span::default());
            assert_eq!(read, baseline);
        }
        let mut sources = SourceMap::default();
        let id = sources.add("baseline.yaml", Baseline::default().text(&[]));
        assert_eq!(Baseline::read(&sources, id, "baseline.yaml"), Ok(Baseline::default()));
    }

    #[test]
    fn a_baseline_that_was_cut_off_anywhere_is_refused() {
        let entry = |rule: &str| Entry { rule: rule.to_owned(), fingerprint: "0".repeat(32), ..Entry::default() };
        let whole =
            Baseline { paths: Vec::new(), entries: vec![entry("sync-cycle"), entry("unused-policy")] }.text(&[]);
        let all = whole.trim_end().len();
        for end in 0..all {
            let mut sources = SourceMap::default();
            let id = sources.add("baseline.yaml", &whole[..end]);
            let problems = Baseline::read(&sources, id, "b.yaml").expect_err(&whole[..end]);
            assert!(problems.iter().all(|problem| !problem.help.is_empty()));
        }
    }
}
