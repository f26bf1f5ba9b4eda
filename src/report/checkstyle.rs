//! The form of Checkstyle, which Jenkins and many review tools read: findings by file.

use super::by_file::by_file;
use super::escape::one_line;
use super::xml::Xml;
use crate::lint::{Finding, Outcome};
use crate::metadata::Level;
use crate::source::SourceMap;

/// The report.
#[must_use]
pub fn checkstyle(sources: &SourceMap, outcome: &Outcome) -> String {
    let mut xml = Xml::new();
    xml.open("checkstyle", &[("version", "4.3")]);
    for (file, findings) in by_file(outcome) {
        xml.open("file", &[("name", sources.get(file).map_or("", |source| &source.name))]);
        for finding in findings {
            row(&mut xml, sources, finding);
        }
        xml.close();
    }
    xml.finish()
}

fn row(xml: &mut Xml, sources: &SourceMap, finding: &Finding) {
    let position = sources.position(finding.diagnostic.primary.span);
    let severity = match finding.level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Info => "info",
    };
    let attributes = [
        ("line", position.line.to_string()),
        ("column", position.column.to_string()),
        ("severity", severity.to_owned()),
        ("message", one_line(&finding.diagnostic.message)),
        ("source", format!("topolint.{}.{}", finding.rule.family, finding.rule.name)),
    ];
    let attributes: Vec<(&str, &str)> = attributes.iter().map(|(name, value)| (*name, value.as_str())).collect();
    xml.empty("error", &attributes);
}
