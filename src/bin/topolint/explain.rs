//! `topolint explain`: pages, and the line that a value came from.

use std::path::PathBuf;

use topolint::metadata::built_in_clients;
use topolint::model::{Cascade, Loader, Topology, lower};
use topolint::report::{self, Question};
use topolint::rules::{Rule, names};
use topolint::source::clean;
use topolint::vocabulary::{ATTRIBUTES, Key, did_you_mean, suggest};

use crate::arguments::Explain;
use crate::check::{projects, wanted};
use crate::names::{calls_between, elements};
use crate::output::{self, Stop};
use crate::rules::configured;

/// Prints what was asked for; the exit code.
pub(crate) fn run(explain: &Explain) -> Result<u8, Stop> {
    match &explain.place {
        Some(place) => origin(explain, place),
        None => pages(explain),
    }
}

fn pages(explain: &Explain) -> Result<u8, Stop> {
    let look = output::look(explain.common.input.color);
    // The page of an attribute says nothing that could be configured.
    let configurable = explain.subject.iter().any(|subject| names().any(|name| name == subject));
    let (config, sources) = if configurable { configured(&explain.common, look)? } else { Default::default() };
    for (index, subject) in explain.subject.iter().enumerate() {
        let rule = Rule::named(subject).map(|rule| report::rule_page(rule, &config, &sources, look));
        let page = rule.or_else(|| report::family_page(subject, &config, look));
        let page =
            page.or_else(|| Key::named(subject).map(|key| report::attribute_page(key, built_in_clients(), look)));
        let Some(page) = page else {
            let words = names().chain(ATTRIBUTES.iter().map(|attribute| attribute.name));
            let help = did_you_mean(&suggest(subject, words))
                .unwrap_or_else(|| "name a rule, a family or an attribute".to_owned());
            return Err(
                format!("error: there is no rule, family or attribute `{}`\n  help: {help}", clean(subject)).into()
            );
        };
        output::print(&if index > 0 { format!("\n{page}") } else { page })?;
    }
    Ok(0)
}

/// `a->b.timeout`, `a:b.timeout` or `a.deadline`.
fn origin(explain: &Explain, place: &str) -> Result<u8, Stop> {
    if explain.common.config.is_some() {
        return Err("error: `--config` sets no value of a diagram, so it says nothing about `--where`"
            .to_owned()
            .into());
    }
    let (element, key) = asked(place)?;
    let look = output::look(explain.common.input.color);
    let paths: Vec<PathBuf> = if explain.subject.is_empty() {
        vec![PathBuf::from(".")]
    } else {
        explain.subject.iter().map(PathBuf::from).collect()
    };
    let (folder, wanted) = wanted(&paths, &explain.common.input)?;
    let mut loader = Loader::new(&folder);
    let mut shown = Vec::new();
    let mut known = Vec::new();
    for project in projects(&mut loader, &folder, &wanted)? {
        let (topology, _) = lower(&loader, &project, built_in_clients());
        let cascade = Cascade::new(&topology, built_in_clients());
        let questions = questions(&topology, element.trim());
        shown.extend(
            questions
                .iter()
                .map(|question| report::provenance(&loader.sources, &topology, cascade, *question, key, look)),
        );
        known.extend(elements(&topology));
    }
    if shown.is_empty() {
        let help = did_you_mean(&suggest(element, known.iter().map(String::as_str)))
            .unwrap_or_else(|| "write it as it stands in the findings".to_owned());
        return Err(format!("error: there is no call, operation or node `{element}`\n  help: {help}").into());
    }
    output::print(&shown.join("\n"))?;
    Ok(0)
}

/// The element and the attribute that are asked for.
fn asked(place: &str) -> Result<(&str, Key), Stop> {
    let (element, attribute) = place
        .rsplit_once('.')
        .ok_or_else(|| format!("error: `{place}` names no attribute\n  help: write 'a->b.timeout'"))?;
    let key = Key::named(attribute.trim()).ok_or_else(|| {
        let near = suggest(attribute, ATTRIBUTES.iter().map(|attribute| attribute.name));
        let help = did_you_mean(&near).unwrap_or_else(|| "`topolint reference` lists all attributes".to_owned());
        format!("error: there is no attribute `{attribute}`\n  help: {help}")
    })?;
    Ok((element, key))
}

fn questions(topology: &Topology, element: &str) -> Vec<Question> {
    if let Some(calls) = calls_between(topology, element) {
        return calls.into_iter().map(Question::Call).collect();
    }
    match (topology.operation_named(element), topology.node_named(element)) {
        (Some(operation), _) => vec![Question::Operation(operation)],
        (None, Some(node)) => vec![Question::Node(node)],
        (None, None) => Vec::new(),
    }
}
