//! The list of findings, as it can be read and printed without any script.

use std::fmt::Write as _;

use super::super::scene::Entry;
use super::story::safe;
use crate::change::Mark;
use crate::diagnostic::{Certainty, Diagnostic, Measure, Step, number, spaced};
use crate::lint::Finding;
use crate::report::escape::xml as escape;
use crate::source::SourceMap;

/// So many findings are listed, and what has a badge in the picture.
pub(super) const MOST: usize = 500;

/// A sentence, with what stands between backticks as code.
pub(super) fn sentence(text: &str) -> String {
    let text = safe(text);
    let mut out = String::new();
    let parts: Vec<&str> = text.split('`').collect();
    for (index, part) in parts.iter().enumerate() {
        let is_code = index % 2 == 1 && index + 1 < parts.len();
        let _ = if is_code { write!(out, "<code>{}</code>", escape(part)) } else { write!(out, "{}", escape(part)) };
    }
    out
}

/// One finding: what is said at once, and what is said when it is opened.
pub(super) fn item(out: &mut String, sources: &SourceMap, index: usize, entry: &Entry, finding: Option<&Finding>) {
    let (level, rule) = (entry.level.name(), entry.rule);
    let mark = match entry.mark {
        Mark::New => "<b class=\"fate\">NEW</b> ",
        Mark::Gone => "<b class=\"fate\">FIXED</b> ",
        Mark::Same | Mark::Changed => "",
    };
    let nth = index + 1;
    let _ = write!(
        out,
        "<li class=\"finding\" id=\"finding-{nth}\" data-finding=\"{index}\">\
         <button type=\"button\" class=\"opener\" aria-expanded=\"false\" aria-controls=\"more-{nth}\">\
         <span class=\"mark mark-{level}\">{nth}</span><span class=\"said\">\
         <span class=\"kind\">{mark}{level} · {rule}</span><span class=\"sentence\">{}</span>\
         <span class=\"where\">{}</span></span></button>\n<div class=\"more\" id=\"more-{nth}\">",
        sentence(&entry.message),
        escape(&entry.place)
    );
    if let Some(finding) = finding {
        details(out, sources, &finding.diagnostic);
    }
    let _ = writeln!(out, "<p class=\"where\">topolint explain {rule}</p></div></li>");
}

fn details(out: &mut String, sources: &SourceMap, diagnostic: &Diagnostic) {
    let certainty = match diagnostic.certainty {
        Certainty::Proved => "",
        Certainty::Possible => "Possible: it depends on something that is not stated.",
        Certainty::Heuristic => "A judgement, not a proof.",
    };
    let so = diagnostic.consequence.as_deref().map(|text| format!("So: {text}"));
    for text in [Some(certainty.to_owned()), diagnostic.path.clone(), so].into_iter().flatten() {
        if !text.is_empty() {
            let _ = write!(out, "<p>{}</p>", sentence(&text));
        }
    }
    hops(out, sources, &diagnostic.witness);
    for help in &diagnostic.help {
        let _ = write!(out, "<p class=\"help\">{}</p>", sentence(help));
    }
}

fn hops(out: &mut String, sources: &SourceMap, witness: &[Step]) {
    if witness.is_empty() {
        return;
    }
    out.push_str("<ol class=\"hops\">");
    for (index, step) in witness.iter().enumerate() {
        let position = sources.position(step.span);
        // What the text says itself is not said twice.
        let value = step.value.map(amount).filter(|(number, _)| !step.text.contains(number.as_str()));
        let value = value.map(|(number, unit)| format!("<span class=\"value\">{number}{unit}</span>"));
        let _ = write!(
            out,
            "<li><button type=\"button\" class=\"hop\" data-hop=\"{index}\"><span class=\"subject\">{}</span>{}\
             <span class=\"sentence\">{}</span><span class=\"where\">{}</span></button></li>",
            escape(&safe(&spaced(&step.subject))),
            value.unwrap_or_default(),
            sentence(&step.text),
            escape(&format!("{}:{}", sources.name(step.span), position.line))
        );
    }
    out.push_str("</ol>");
}

/// A number and its unit.
fn amount(measure: Measure) -> (String, &'static str) {
    match measure {
        Measure::Times(times) => (number(times), "×"),
        Measure::Seconds(seconds) if seconds < 1.0 => (number(seconds * 1000.0), " ms"),
        Measure::Seconds(seconds) => (number(seconds), " s"),
    }
}
