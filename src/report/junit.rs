//! `JUnit`: a suite for each family, a test case for each rule that runs. So a rule keeps its history in a pipeline, and
//! what is mended is seen to pass. A case fails by findings at or above the level that fails the run; everything else
//! that its rule finds is its output.

use super::base::Base;
use super::paint::Look;
use super::tally;
use super::xml::Xml;
use crate::config::Config;
use crate::lint::{Finding, Outcome};
use crate::metadata::Level;
use crate::rules::{ALL, FAMILIES, Rule};
use crate::source::{SourceMap, clean};

/// What decides which rules are cases, and which findings are failures.
#[derive(Clone, Copy, Debug)]
pub struct Verdict<'a> {
    /// Which rules run.
    pub config: &'a Config,
    /// The lowest level that fails the run; none if nothing does.
    pub fail_on: Option<Level>,
}

/// The report.
#[must_use]
pub fn junit(sources: &SourceMap, outcome: &Outcome, base: &Base, verdict: Verdict<'_>) -> String {
    let suites: Vec<Suite<'_>> = FAMILIES.iter().map(|family| Suite::of(family, outcome, verdict)).collect();
    let tests = suites.iter().map(|suite| suite.cases.len()).sum::<usize>().to_string();
    let failures = suites.iter().map(Suite::failures).sum::<usize>().to_string();
    let mut xml = Xml::new();
    xml.open(
        "testsuites",
        &[("name", "topolint"), ("tests", tests.as_str()), ("failures", failures.as_str()), ("errors", "0")],
    );
    for suite in suites.iter().filter(|suite| !suite.cases.is_empty()) {
        suite.write(&mut xml, sources, base);
    }
    xml.finish()
}

struct Suite<'a> {
    family: &'static str,
    bet: &'static str,
    cases: Vec<Case<'a>>,
}

struct Case<'a> {
    rule: &'static Rule,
    failing: Vec<&'a Finding>,
    others: Vec<&'a Finding>,
}

impl<'a> Suite<'a> {
    fn of((family, bet): &(&'static str, &'static str), outcome: &'a Outcome, verdict: Verdict<'_>) -> Self {
        let case = |rule: &'static Rule| {
            let fails = |finding: &&Finding| verdict.fail_on.is_some_and(|lowest| finding.level >= lowest);
            let (failing, others) =
                outcome.shown().filter(|finding| finding.rule.name == rule.name).partition::<Vec<_>, _>(fails);
            let speaks = verdict.config.runs(rule) || !failing.is_empty() || !others.is_empty();
            speaks.then_some(Case { rule, failing, others })
        };
        let cases = ALL.iter().filter(|rule| rule.family == *family).filter_map(case).collect();
        Self { family, bet, cases }
    }

    fn failures(&self) -> usize {
        self.cases.iter().filter(|case| !case.failing.is_empty()).count()
    }

    fn write(&self, xml: &mut Xml, sources: &SourceMap, base: &Base) {
        let (tests, failures) = (self.cases.len().to_string(), self.failures().to_string());
        let name = format!("{}: {}", self.family, self.bet);
        xml.open(
            "testsuite",
            &[
                ("name", name.as_str()),
                ("tests", tests.as_str()),
                ("failures", failures.as_str()),
                ("errors", "0"),
                ("skipped", "0"),
            ],
        );
        for case in &self.cases {
            case.write(xml, sources, base);
        }
        xml.close();
    }
}

impl Case<'_> {
    fn write(&self, xml: &mut Xml, sources: &SourceMap, base: &Base) {
        let attributes = [("classname", self.rule.family), ("name", self.rule.name)];
        if self.failing.is_empty() && self.others.is_empty() {
            return xml.empty("testcase", &attributes);
        }
        xml.open("testcase", &attributes);
        if let Some(first) = self.failing.first() {
            let more = match self.failing.len() - 1 {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            let message = format!("{}{more}", clean(&first.diagnostic.message));
            let text = report(sources, &self.failing, base);
            xml.text("failure", &[("message", message.as_str()), ("type", first.level.name())], &text);
        }
        if !self.others.is_empty() {
            let level = |level| self.others.iter().filter(|finding| finding.level == level).count();
            let text = format!("{}\n{}", tally::levels(level, Look::default()), report(sources, &self.others, base));
            xml.text("system-out", &[], &text);
        }
        xml.close();
    }
}

/// Findings of a rule, each with its help and its fingerprint.
fn report(sources: &SourceMap, findings: &[&Finding], base: &Base) -> String {
    let one = |finding: &&Finding| {
        let diagnostic = &finding.diagnostic;
        let span = diagnostic.primary.span;
        let position = sources.position(span);
        let mut text = format!(
            "{}:{}:{}: {}[{}] {}\n",
            base.shown(sources, span),
            position.line,
            position.column,
            finding.level.name(),
            finding.rule.name,
            clean(&diagnostic.message)
        );
        let help = diagnostic.help.iter().map(|help| format!("  help: {}\n", clean(help)));
        text.extend(help);
        text + &format!("  fingerprint: {}\n", finding.fingerprint)
    };
    findings.iter().map(one).collect()
}
