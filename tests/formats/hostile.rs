//! Texts in a diagram that would be something else in a report: tags, commands, marks, control characters. They stay text
//! in every format.

use std::collections::BTreeSet;

use topolint::diagnostic::{Diagnostic, Edit, Measure, Step};
use topolint::lint::{Finding, Hidden, Outcome, Summary};
use topolint::metadata::Level;
use topolint::report::{self, Base, COMMENT, Look, escape};
use topolint::source::{SourceMap, Span, clean};

use crate::{
    GITLAB, JSONL, RDJSON, SARIF, assert_valid, finding, github, gitlab, jsonl, junit, many, markdown, rdjson, sarif,
    schema, text, word,
};

const HOSTILE: [&str; 16] = [
    "<script>alert(1)</script>",
    "]]></failure><evil/>",
    "\"><img src=x onerror=alert(1)>",
    "::error::x",
    "##[error]x",
    "a\n::set-output name=a::b\n",
    "\u{1b}[31mred\u{7}\u{0}",
    "a|b|c\\|d",
    "```\n`` ` ```",
    "@everyone and @octo/team",
    "[text](https://evil.example) www.evil.example #1 GH-2",
    "</details></summary></code>",
    "{0} {{}} $x$ **b** _i_ ~~s~~ ![i](x)",
    "%0A::error::y%25,:",
    "\u{202e}reversed\u{2066}\u{fffe}\u{ffff}",
    "# heading\r\n- item\r\n> quote",
];

/// A finding with a hostile text in every field that a diagram reaches.
fn hostile(sources: &mut SourceMap, text: &str) -> Finding {
    let source = sources.add(format!("a {text}.topo"), format!("client x\n{text}\n"));
    let span = Span { source, start: 0, end: 8 };
    let mut diagnostic = Diagnostic::new(span, format!("`{text}` is {text}"))
        .at(text)
        .label(span, text)
        .help(text)
        .subject(text)
        .fix(text, true, vec![Edit { span, replacement: text.to_owned() }]);
    let value = Some(Measure::Seconds(1.0));
    diagnostic.witness = vec![Step { subject: text.to_owned(), span, text: text.to_owned(), value }];
    diagnostic.path = Some(text.to_owned());
    diagnostic.consequence = Some(text.to_owned());
    finding("missing-timeout", Level::Error, diagnostic)
}

fn with_hostile(look: impl Fn(&str, &SourceMap, &Outcome)) {
    for text in HOSTILE {
        let mut sources = SourceMap::default();
        let shown = hostile(&mut sources, text);
        let mut allowed = hostile(&mut sources, text);
        allowed.hidden = Some(Hidden::Allow(allowed.diagnostic.primary.span, text.to_owned()));
        let summary = Summary {
            name: text.to_owned(),
            size: (1, 1),
            coverage: topolint::analysis::Coverage::default(),
            not_analysed: Vec::new(),
        };
        look(text, &sources, &Outcome { findings: vec![shown, allowed], topologies: vec![summary] });
    }
}

/// Nothing that a terminal or a runner would obey.
#[track_caller]
fn assert_quiet(report: &str) {
    assert!(report.chars().all(|character| character == '\n' || !character.is_control()), "{report:?}");
    assert_eq!(clean(report), report);
}

#[test]
fn hostile_texts_are_text_in_json() {
    let [shape, issues, rows, line_of] = [SARIF, GITLAB, RDJSON, JSONL].map(schema);
    with_hostile(|text, sources, outcome| {
        let log = sarif(sources, outcome);
        assert_valid(&shape, &log);
        let result = &log["runs"][0]["results"][0];
        let message = word(result, "/message/text");
        assert!(message.starts_with('`') && !message.contains("]("), "{message}");
        assert_eq!(result["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"], text);
        assert_eq!(log["runs"][0]["results"][1]["suppressions"][0]["justification"], text);
        assert_valid(&rows, &rdjson(sources, outcome));
        assert_valid(&issues, &gitlab(sources, outcome));
        for line in jsonl(sources, outcome) {
            assert_valid(&line_of, &line);
        }
        let written = text_of_all_json(sources, outcome);
        assert_quiet(&written);
    });
}

fn text_of_all_json(sources: &SourceMap, outcome: &Outcome) -> String {
    let base = Base::default();
    text(|out| {
        report::sarif(sources, outcome, &base, true, out)?;
        report::gitlab(sources, outcome, &base, out)?;
        report::rdjson(sources, outcome, out)?;
        report::jsonl(sources, outcome, out)
    })
}

#[test]
fn hostile_texts_are_text_in_xml() {
    with_hostile(|text, sources, outcome| {
        let checkstyle = report::checkstyle(sources, outcome);
        let junit = junit(sources, outcome, Some(Level::Error));
        for report in [&checkstyle, &junit] {
            assert_quiet(report);
            let document = roxmltree::Document::parse(report).unwrap_or_else(|error| unreachable!("{text}: {error}"));
            let names: BTreeSet<&str> =
                document.descendants().filter(roxmltree::Node::is_element).map(|node| node.tag_name().name()).collect();
            let known = ["checkstyle", "error", "file", "testsuites", "testsuite", "testcase", "failure", "system-out"];
            assert!(names.iter().all(|name| known.contains(name)), "{names:?}");
        }
        let document = roxmltree::Document::parse(&checkstyle).expect("XML");
        let row = document.descendants().find(|node| node.has_tag_name("error")).expect("a row");
        if clean(text) == text && !text.contains(['\n', '\u{fffe}']) {
            assert_eq!(row.attribute("message"), Some(format!("`{text}` is {text}").as_str()));
        }
    });
}

#[test]
fn hostile_texts_are_no_commands_of_a_runner() {
    with_hostile(|_, sources, outcome| {
        let annotations = github(sources, outcome);
        assert_quiet(&annotations);
        let [line] = annotations.lines().collect::<Vec<_>>()[..] else { unreachable!("{annotations}") };
        assert!(line.starts_with("::error file=") && line.matches("::").count() >= 2, "{line}");
        let (properties, message) = line.trim_start_matches("::error ").split_once("::").expect("a message");
        let names: Vec<&str> = properties.split(',').map(|pair| pair.split_once('=').expect("a pair").0).collect();
        assert_eq!(names, ["file", "line", "endLine", "col", "endColumn", "title"], "{properties}");
        assert!(!message.contains(['\n', '\r']));

        let human = report::human(sources, outcome, Look::default(), false);
        let quoted = report::quoted(&human);
        let (first, rest) = quoted.split_once('\n').expect("lines");
        let end = format!("::{}::", first.strip_prefix("::stop-commands::").expect("the command"));
        assert_eq!(rest.strip_suffix(&format!("{end}\n")), Some(human.as_str()));
        assert!(!human.contains(end.trim_matches(':')));
    });
    assert!(report::quoted("topolint-0 and topolint-1\n").starts_with("::stop-commands::topolint-2\n"));
}

#[test]
fn hostile_texts_are_text_in_markdown() {
    with_hostile(|_, sources, outcome| {
        let page = markdown(sources, outcome, COMMENT);
        assert_quiet(&page);
        let tags = ["code", "details", "summary"].map(|tag| [format!("<{tag}>"), format!("</{tag}>")]).concat();
        let bare = tags.iter().fold(page.clone(), |page, tag| page.replace(tag.as_str(), ""));
        assert!(!bare.contains(['<', '`', '@', '[', '$']) && !bare.contains("://") && !bare.contains("www."), "{bare}");
        assert_eq!((page.matches("<details>").count(), page.matches("</details>").count()), (1, 1));
        let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| error")).collect();
        assert!(rows.len() == 1 && rows[0].matches('|').count() == 5, "{rows:?}");
        for mention in ["&#64;", "&#35;"] {
            for (at, _) in page.match_indices(mention) {
                let (code, rest) = (page[..at].rfind("<code>"), &page[at + mention.len()..]);
                let in_code = code.is_some_and(|start| !page[start..at].contains("</code>"));
                assert!(in_code || rest.starts_with('\u{200b}'), "{rest}");
            }
        }
    });
}

/// What a reader of Markdown makes of a page: links, images, code blocks, formulas and tags that are not ours, and the
/// number of cells of its tables.
fn read_markdown(page: &str) -> (Vec<String>, usize) {
    use pulldown_cmark::{Event, Options, Parser, Tag};
    let mut strange = Vec::new();
    let mut cells = 0;
    for event in Parser::new_ext(page, Options::all()) {
        match event {
            Event::Start(Tag::TableCell) => cells += 1,
            Event::Html(html) | Event::InlineHtml(html) => {
                let tags = ["<code>", "</code>", "<details>", "</details>", "<summary>", "</summary>", "Details", "\n"];
                let rest = tags.iter().fold(html.to_string(), |html, tag| html.replace(tag, ""));
                strange.extend((!rest.is_empty()).then_some(rest));
            }
            Event::Start(
                tag @ (Tag::Link { .. }
                | Tag::Image { .. }
                | Tag::CodeBlock(_)
                | Tag::BlockQuote(_)
                | Tag::Strikethrough
                | Tag::Subscript
                | Tag::Superscript
                | Tag::FootnoteDefinition(_)
                | Tag::DefinitionList
                | Tag::MetadataBlock(_)),
            ) => strange.push(format!("{tag:?}")),
            event @ (Event::Code(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::FootnoteReference(_)
            | Event::TaskListMarker(_)) => strange.push(format!("{event:?}")),
            _ => {}
        }
    }
    (strange, cells)
}

#[test]
fn a_reader_of_markdown_sees_nothing_but_our_marks() {
    let (sources, plain) = many([1, 0, 0]);
    let (_, cells) = read_markdown(&markdown(&sources, &plain, COMMENT));
    with_hostile(|text, sources, outcome| {
        let (strange, found) = read_markdown(&markdown(sources, outcome, COMMENT));
        assert_eq!((strange, found), (Vec::new(), cells), "{text}");
    });
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 1000, failure_persistence: None, ..Default::default() })]
    #[test]
    fn no_text_is_more_than_text_in_markdown(text in r#"[a-c<>&"'`*_~|$!#@:/.\\\[\](){}^=+\- \n\r\t-]{0,40}"#) {
        use pulldown_cmark::{Event, Options, Parser, Tag};
        let safe = escape::markdown(&text);
        // Within a line: what starts one is ours.
        let mut shown = String::new();
        for event in Parser::new_ext(&format!("x {safe} x"), Options::all() - Options::ENABLE_SMART_PUNCTUATION) {
            match event {
                Event::Text(text) => shown.push_str(&text),
                Event::InlineHtml(html) => proptest::prop_assert!(matches!(&*html, "<code>" | "</code>"), "{}", html),
                Event::Start(tag) => proptest::prop_assert!(matches!(tag, Tag::Paragraph), "{:?}", tag),
                Event::End(_) => {}
                event => proptest::prop_assert!(false, "{:?}", event),
            }
        }
        let plain = |text: &str| text.replace(['\u{200b}', '`', ' '], "");
        proptest::prop_assert_eq!(plain(&shown), plain(&format!("x {} x", clean(&text).replace(['\n', '\t'], " "))));
    }
}

#[test]
fn hostile_texts_stay_in_their_lines() {
    with_hostile(|_, sources, outcome| {
        for (report, lines) in [(report::concise(sources, outcome), 1), (report::agent(sources, outcome), 2)] {
            assert_quiet(&report);
            assert_eq!(report.lines().count(), lines, "{report}");
        }
        assert_quiet(&report::human(sources, outcome, Look::default(), false));
        assert_quiet(&report::statistics(outcome, Look::default()));
    });
    assert_eq!(escape::html("<a href=\"x\">'&'</a>"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
}
