//! A scene as a page: one file that is opened from disk, fetches nothing and runs nothing but the script in it. What
//! can be read is in the text of the page; the script only shows and hides, and looks up what was computed here.

mod data;
mod list;
mod outlook;
mod policy;
mod story;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use super::geometry::Size;
use super::measure;
use super::scene::{Entry, Scene};
use super::svg::{self, Parts, Theme};
use crate::analysis::Facts;
use crate::change::Mark;
use crate::lint::Finding;
use crate::metadata::Level;
use crate::report::escape::xml as escape;
use crate::source::SourceMap;

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// The page of a scene; `found` has its findings, those that went included.
#[must_use]
pub fn html(scene: &Scene, facts: &Facts<'_>, sources: &SourceMap, found: &[&Finding], theme: Theme) -> String {
    let listed = measure::listed(scene, list::MOST);
    let parts = svg::parts(scene, theme, &listed);
    let by_fingerprint: HashMap<String, &Finding> =
        found.iter().rev().map(|finding| (finding.fingerprint.to_string(), *finding)).collect();
    let found: Vec<Option<&Finding>> =
        scene.findings.iter().map(|entry| by_fingerprint.get(&entry.fingerprint).copied()).collect();
    let style = sheet(&parts, theme);
    let mut out = String::new();
    head(&mut out, scene, &style);
    picture(&mut out, scene, &parts);
    out.push_str("<aside id=\"side\" aria-label=\"Findings, flows and questions\">\n<div id=\"lists\">\n");
    out.push_str(TABS);
    findings(&mut out, scene, sources, &found, &listed);
    out.push_str(REST);
    notes(&mut out, scene, &parts);
    out.push_str("</aside>\n</main>\n<script type=\"application/json\" id=\"data\">\n");
    out.push_str(&data::data(scene, facts, sources, &found));
    let _ = write!(out, "</script>\n<script>{SCRIPT}</script>\n</body>\n</html>\n");
    out
}

const TABS: &str = r#"<div role="tablist" aria-label="What is listed">
<button type="button" role="tab" id="tab-findings" data-tab="findings" aria-controls="findings">Findings</button>
<button type="button" role="tab" id="tab-flows" data-tab="flows" aria-controls="flows">Flows</button>
<button type="button" role="tab" id="tab-questions" data-tab="questions" aria-controls="questions">What if</button>
<button type="button" role="tab" id="tab-legend" data-tab="legend" aria-controls="legend">Legend</button>
</div>
<section id="results" aria-label="What was searched for" hidden></section>
"#;

const REST: &str = r#"<section id="flows" role="tabpanel" aria-labelledby="tab-flows" hidden></section>
<section id="questions" role="tabpanel" aria-labelledby="tab-questions" hidden></section>
"#;

const CONTROLS: &str = r#"<div id="controls" role="toolbar" aria-label="Picture">
<button type="button" data-zoom="in" aria-label="Larger" title="Larger (+)">+</button>
<button type="button" data-zoom="out" aria-label="Smaller" title="Smaller (-)">−</button>
<button type="button" data-zoom="all" aria-label="Show all" title="Show all (0)">⤢</button>
<button type="button" data-zoom="fold" aria-label="Hide or show the insides of all boxes" title="Hide or show the insides of all boxes (b)">▣</button>
</div>
"#;

const SIDES: &str = r#"<div id="sides" role="group" aria-label="Which version is shown">
<button type="button" data-side="before">Before</button>
<button type="button" data-side="">Change</button>
<button type="button" data-side="after">After</button>
</div>
"#;

/// The style sheets of the page and, inside of pictures only, of the picture.
fn sheet(parts: &Parts, theme: Theme) -> String {
    let scheme = match theme {
        Theme::Light => "light",
        Theme::Dark => "dark",
        Theme::Auto => "light dark",
    };
    format!(":root {{ color-scheme: {scheme} }}\n{STYLE}svg.drawn {{\n{}}}\n", parts.style)
}

fn head(out: &mut String, scene: &Scene, style: &str) {
    let title = escape(&story::safe(&scene.title));
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<title>{title} · topolint</title>\n\
         <style>{style}</style>\n</head>\n<body>\n<header>\n<div class=\"heading\"><h1>{title}</h1>\n<p>{}</p></div>\n\
         <div role=\"search\"><input id=\"search\" type=\"search\" placeholder=\"Search nodes, calls, findings\" \
         aria-label=\"Search nodes, calls and findings\" title=\"Search (/)\" autocomplete=\"off\" spellcheck=\"false\">\
         </div>\n\
         <button type=\"button\" id=\"skip\" class=\"plain\">Skip the picture</button>\n</header>\n<main>\n",
        policy::policy(style, SCRIPT),
        escape(&scene.summary)
    );
}

fn picture(out: &mut String, scene: &Scene, parts: &Parts) {
    out.push_str(
        "<section id=\"canvas\" tabindex=\"0\" aria-label=\"Picture: arrow keys move it, + and - change its size\">\n",
    );
    // With the keyboard, what steers comes before all that is drawn.
    if scene.sides.is_some() {
        out.push_str(SIDES);
    }
    out.push_str(CONTROLS);
    svg_of(out, "picture", &parts.picture, parts.size, "");
    out.push_str("<div id=\"walk\" hidden></div>\n</section>\n");
}

fn svg_of(out: &mut String, id: &str, content: &str, size: Size, attributes: &str) {
    let (width, height) = (svg::number(size.width), svg::number(size.height));
    let _ = write!(
        out,
        "<svg class=\"drawn\" id=\"{id}\"{attributes} width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         {content}</svg>\n"
    );
}

fn findings(out: &mut String, scene: &Scene, sources: &SourceMap, found: &[Option<&Finding>], listed: &[bool]) {
    out.push_str("<section id=\"findings\" role=\"tabpanel\" aria-labelledby=\"tab-findings\">\n");
    if scene.findings.is_empty() {
        out.push_str("<p class=\"quiet\">Nothing is found.</p></section>\n");
        return;
    }
    out.push_str("<form id=\"filters\">");
    for level in [Level::Error, Level::Warn, Level::Info] {
        let count = scene.findings.iter().filter(|entry| entry.level == level).count();
        let name = level.name();
        if count > 0 {
            let _ = write!(
                out,
                "<label><input type=\"checkbox\" name=\"level\" value=\"{name}\" checked> {name} {count}</label>"
            );
        }
    }
    let mut families: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in found.iter().flatten() {
        *families.entry(finding.rule.family).or_default() += 1;
    }
    out.push_str("<select id=\"family\" aria-label=\"Family of rules\"><option value=\"\">every family</option>");
    for (family, count) in families {
        let _ = write!(out, "<option value=\"{family}\">{family} {count}</option>");
    }
    out.push_str("</select></form>\n<ol id=\"list\">\n");
    // What came and went is read first; the numbers stay those of the picture.
    let mut entries: Vec<(usize, &Entry)> = scene.findings.iter().enumerate().collect();
    entries.sort_by_key(|(_, entry)| match entry.mark {
        Mark::New => 0,
        Mark::Gone => 1,
        Mark::Changed | Mark::Same => 2,
    });
    entries.retain(|(index, _)| listed.get(*index).copied().unwrap_or(false));
    for (index, entry) in entries {
        list::item(out, sources, index, entry, found.get(index).copied().flatten());
    }
    out.push_str("</ol>\n");
    let more = listed.iter().filter(|listed| !**listed).count();
    if more > 0 {
        let _ = writeln!(out, "<p class=\"quiet\">and {more} more: <code>topolint check</code> lists them</p>");
    }
    out.push_str("</section>\n");
}

fn notes(out: &mut String, scene: &Scene, parts: &Parts) {
    out.push_str("<section id=\"legend\" role=\"tabpanel\" aria-labelledby=\"tab-legend\" hidden>\n");
    let (legend, size) = &parts.legend;
    svg_of(out, "signs", legend, *size, " role=\"img\" aria-label=\"Legend\"");
    for line in scene.worst.iter().chain(&scene.notes) {
        let _ = write!(out, "<p>{}</p>", list::sentence(line));
    }
    let compared = if scene.sides.is_some() { ", c shows what was, what is or the change" } else { "" };
    let _ = write!(
        out,
        "<p class=\"quiet keys\">Drag or use the arrow keys to move, + and − or the wheel to change the size, 0 to see all. / searches, \
         n and p walk the hops of a finding, b folds boxes, Esc goes back{compared}. The address holds what you see. \
         A box that is folded leaves everything where it is; <code>topolint render --collapse</code> places all anew.</p>\n</section>\n</div>\n\
         <section id=\"story\" aria-label=\"Story\" aria-live=\"polite\"></section>\n"
    );
}
